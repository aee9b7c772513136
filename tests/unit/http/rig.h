/* tests/unit/http/rig.h - a gateway with a real source and endpoint in a calm simulated world, between a client and an
 * origin that speak raw bytes.
 *
 * The test's body runs on a fiber of the client's process. It must not fail through cmocka there: RIG_CHECK() notes
 * what does not hold, and rig_run() fails the test. What a process has not closed and given back at its end fails it
 * too.
 */
#ifndef WEFT_TESTS_HTTP_RIG_H
#define WEFT_TESTS_HTTP_RIG_H

#include "base/text.h"
#include "exchange/endpoint.h"
#include "exchange/snapshot.h"
#include "http/client.h"
#include "http/server.h"
#include "sim/world.h"

#define RIG_PORT 80
#define RIG_LINES 16
#define RIG_TEXT_MAX (128 * 1024)
#define RIG_SEEN_MAX 32
#define RIG_QUIET_NS NS_PER_S /* longer than anything that answers at once */

#define RIG_CHECK(rig, condition) ((condition) ? (void)0 : rig_fail((rig), "%s:%d: %s", __FILE__, __LINE__, #condition))

#define HOST "Host: a\r\n\r\n" /* the end of a head */
#define SCRIPTS(...) ((const char *const *const[]){ __VA_ARGS__, NULL })
#define SCRIPT(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct rig;

enum rig_fate {
    RIG_OPEN,
    RIG_CLOSED, /* the end was read */
    RIG_RESET,
};

/* A connection of the client. */
struct rig_line {
    struct rig *rig;
    struct io_socket socket;
    enum rig_fate fate;
    size_t len;              /* of text */
    char text[RIG_TEXT_MAX]; /* what was heard; ends in zero */
};

struct rig_plan {
    struct loop_limits loop;
    struct worker_limits worker;
    struct http_server_limits server;
    struct http_endpoint_conf endpoint; /* to the origin; its address is set */
    const struct stage_type *root;      /* NULL: STAGE_RIG */
    void (*weather)(struct sim_faults *faults);

    /* What the origin does on its first, second, ... connection; ends with NULL, the last one is for all after it.
     * NULL: nobody listens. A script is a list of steps that ends with NULL; then the origin drops what comes, and
     * closes when the peer has.
     *   <      reads a head and the body of its length          h      reads a head only
     *   >text  writes text                                      1text  writes it byte by byte, 1 ms apart
     *   a      reads until the end                              z20    sleeps 20 ms
     *   .      closes                                           !      resets */
    const char *const *const *origin;
    void (*origin_run)(struct rig *rig, struct io_socket socket, unsigned number); /* instead of scripts */
    void *user;
};

struct rig {
    const struct rig_plan *plan;
    void (*body)(struct rig *rig);
    void *user;
    struct world *world;

    /* the gateway */
    struct loop *loop;
    struct fiber *life;
    struct worker worker;
    struct http_server server;
    struct http_listener *listener;
    struct io_socket socket;
    struct endpoint *endpoint; /* NULL: dropped */
    struct list_node snapshots;
    uint64_t version;
    void (*call)(struct rig *rig);
    bool over;
    unsigned failures;
    unsigned seen_count;
    char seen[RIG_SEEN_MAX][128]; /* of each exchange that ended: "GET /path 200 ok" */

    /* the origin */
    struct loop *origin_loop;
    struct io_socket origin_socket;
    unsigned origin_connections, origin_open;
    size_t origin_len;
    char origin_text[RIG_TEXT_MAX]; /* all that it read */

    /* the client */
    struct loop *client_loop;
    struct rig_line lines[RIG_LINES];
    unsigned line_count;

    struct sim_node *client_node, *gateway_node, *origin_node;
    struct task client_task, life_task, origin_task;
};

void rig_run(void (*body)(struct rig *rig), const struct rig_plan *plan); /* NULL: all defaults, no origin */

struct rig_line *rig_dial(struct rig *rig);
void rig_say(struct rig_line *line, const char *text);
void rig_say_bytes(struct rig_line *line, const void *data, size_t len);
/* Reads until the end, or until nothing has come for `quiet_ns`. */
enum rig_fate rig_hear(struct rig_line *line, int64_t quiet_ns);
void rig_hang_up(struct rig_line *line); /* twice is fine */
void rig_shut(struct rig_line *line);    /* half */
void rig_reset(struct rig_line *line);

/* Whether all that was heard matches the pattern: '*' is any run of bytes, '?' any byte. */
/* Prints what is wrong and goes on; the test fails at its end. */
void rig_fail(struct rig *rig, const char *format, ...) PRINTF_LIKE(2, 3);

bool rig_matches(const char *pattern, const char *text);
#define RIG_HEARD(line, pattern) rig_heard(line, pattern, __FILE__, __LINE__)
void rig_heard(struct rig_line *line, const char *pattern, const char *file, int number);

void rig_sleep(int64_t ns);
void rig_on_gateway(struct rig *rig, void (*run)(struct rig *rig)); /* on a fiber there, and waits for it */
unsigned rig_count(const char *text, const char *part);             /* how often it is in there */

/* What the paths of STAGE_RIG do:
 *   /hello  200, "hello"       /none  204      /not  304       /echo  the request's body comes back as it comes
 *   /count  reads the body, then answers with its length and its first trailer
 *   /half   reads 5 bytes of the body, then answers            /wait  answers after 100 ms
 *   /tunnel echoes raw bytes   /up    the origin's answer      /fail/N  fails with outcome N
 *   /begin  answers a body that fails after 5 bytes            anything else: 404 without a look at the body */
extern const struct stage_type STAGE_RIG;
extern const struct stage_type STAGE_RIG_UP; /* all to the origin */

#endif
