/* tests/unit/exchange/rig.h - a worker in a simulated process, and fibers that use it.
 *
 * The test's body runs on a fiber. It must not fail through cmocka there: RIG_CHECK() notes what does not hold, and
 * rig_run() fails the test. What has not been given back at the end fails it too.
 */
#ifndef WEFT_TESTS_EXCHANGE_RIG_H
#define WEFT_TESTS_EXCHANGE_RIG_H

#include "exchange/endpoint.h"
#include "exchange/snapshot.h"
#include "exchange/tee.h"
#include "sim/world.h"

#define RIG_CHECK(rig, condition) ((condition) ? (void)0 : rig_fail((rig), "%s:%d: %s", __FILE__, __LINE__, #condition))

struct rig {
    void (*body)(struct rig *rig);
    struct world *world;
    struct loop *loop;
    struct worker worker;
    struct list_node snapshots;
    struct task task;
    struct worker_limits limits;
    unsigned failures;
    char told[256]; /* what endings and the like have noted, in order */
};

void rig_run(void (*body)(struct rig *rig), const struct worker_limits *limits);
void rig_fail(struct rig *rig, const char *format, ...) PRINTF_LIKE(2, 3);
void rig_sleep(int64_t ns);
void rig_note(struct rig *rig, const char *text);
#define RIG_TOLD(rig, text) RIG_CHECK(rig, strcmp((rig)->told, text) == 0)

/* A source that gives `len` bytes, `piece` at a time, each after `pause_ns`; then fails with `error`, if that is
 * set. `late_end`: it learns of its end by another read. Byte n is rig_byte(n). */
struct rig_source {
    struct body body;
    struct rig *rig;
    uint64_t len;
    size_t piece;
    int64_t pause_ns;
    int error;
    enum outcome outcome;
    bool late_end;
    unsigned closed, reading;
    char memory[70000];
};

char rig_byte(uint64_t at);
void rig_source_init(struct rig_source *source, struct rig *rig, uint64_t len, size_t piece);

/* Reads on to place `until`, or the end; checks each byte. Returns what body_read() said last. */
int rig_read(struct rig *rig, struct body *body, uint64_t until);

/* An exchange with a head of two fields, a path and no query. */
struct exchange *rig_exchange(struct rig *rig);

/* A fiber of its own in the running scope. */
struct rig_reader {
    struct task task;
    struct rig *rig;
    struct body *body;
    uint64_t until;
    struct scope scope;
    int result;
    bool begun, over;
};

void rig_reader_start(struct rig_reader *reader, struct rig *rig, struct body *body, uint64_t until);
void rig_reader_wait(struct rig_reader *reader);

#endif
