#include "rig.h"

#include "base/alloc.h"
#include "io/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define GET "GET /up HTTP/1.1\r\n" HOST
#define OK5 ">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define HINTS ">HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
#define HEARD_HINTS "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
#define EACH_5(x) x, x, x, x, x
#define EACH_16(x) EACH_5(x), EACH_5(x), EACH_5(x), x

/* --- answers ---------------------------------------------------------------------------------------------------- */

#define BAD "HTTP/1.1 502 Bad Gateway\r\n*error=http_protocol_error; details=\"upstream_protocol\"*"

struct row {
    const char *name, *say, *hear;
    enum rig_fate fate;
    unsigned connections; /* that the origin has had after the same request once more; 0: the client's was closed */
    const char *origin[24];
};

static const struct row ROWS[] = {
    { "a length",
      GET,
      "HTTP/1.1 200 OK\r\n*Via: 1.1 weft\r\n*Content-Length: 5\r\n\r\nhello",
      RIG_OPEN,
      1,
      { "<", OK5, "<", OK5 } },
    { "bytes one by one",
      GET,
      "HTTP/1.1 200 OK\r\n*Content-Length: 5\r\n\r\nhello",
      RIG_OPEN,
      1,
      { "<", "1HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "<", OK5 } },
    { "chunks one by one",
      GET,
      "HTTP/1.1 200 OK\r\n*Transfer-Encoding: chunked\r\n\r\n*0\r\n\r\n",
      RIG_OPEN,
      1,
      { "<", "1HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2\r\nyo\r\n0\r\n\r\n", "<", OK5 } },
    { "trailers",
      GET,
      "HTTP/1.1 200 OK\r\n*chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\nX-More: yes\r\n\r\n",
      RIG_OPEN,
      1,
      { "<", ">HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\nX-More:yes\r\n\r\n",
        "<", OK5 } },
    { "until the end",
      GET,
      "HTTP/1.1 200 OK\r\n*chunked\r\n\r\n5\r\nbytes\r\n0\r\n\r\n",
      RIG_OPEN,
      2,
      { "<", ">HTTP/1.1 200 OK\r\n\r\nbytes", "." } },
    { "until the end, with a length unknown to 1.0",
      "GET /up HTTP/1.0\r\n\r\n",
      "HTTP/1.0 200 OK\r\n*\r\n\r\nbytes",
      RIG_CLOSED,
      0,
      { "<", ">HTTP/1.1 200 OK\r\n\r\nbytes", "." } },
    { "no length",
      GET,
      "HTTP/1.1 200 OK\r\n*Content-Length: 0\r\n\r\n",
      RIG_OPEN,
      1,
      { "<", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "<", OK5 } },
    { "the peer wants to close",
      GET,
      "HTTP/1.1 200 OK\r\n*\r\n\r\nhello",
      RIG_OPEN,
      2,
      { "<", ">HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello" } },
    { "HEAD",
      "HEAD /up HTTP/1.1\r\n" HOST,
      "HTTP/1.1 200 OK\r\n*Content-Length: 5\r\n\r\n",
      RIG_OPEN,
      1,
      { "<", ">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "<", ">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" } },
    { "204",
      GET,
      "HTTP/1.1 204 No Content\r\n*\r\n\r\n",
      RIG_OPEN,
      1,
      { "<", ">HTTP/1.1 204 No Content\r\n\r\n", "<", OK5 } },
    { "304 with a length",
      GET,
      "HTTP/1.1 304 Not Modified\r\n*\r\n\r\n",
      RIG_OPEN,
      1,
      { "<", ">HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "<", OK5 } },
    { "204 with something behind it",
      GET,
      "HTTP/1.1 204 No Content\r\n*\r\n\r\n",
      RIG_OPEN,
      2,
      { "<", ">HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "<", OK5 } },
    { "a length with something behind it",
      GET,
      "HTTP/1.1 200 OK\r\n*\r\n\r\nhello",
      RIG_OPEN,
      2,
      { "<", OK5 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "<", OK5 } },
    { "something that was not asked for",
      GET,
      "HTTP/1.1 200 OK\r\n*\r\n\r\nhello",
      RIG_OPEN,
      2,
      { "<", OK5, "z20", ">HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "<", OK5 } },
    { "100 is ours",
      GET,
      "HTTP/1.1 200 OK\r\n*\r\n\r\nhello",
      RIG_OPEN,
      1,
      { "<", ">HTTP/1.1 100 Continue\r\n\r\n", OK5, "<", OK5 } },
    { "103 is passed on",
      GET,
      HEARD_HINTS "HTTP/1.1 200 OK\r\n*\r\n\r\nhello",
      RIG_OPEN,
      1,
      { "<", HINTS, OK5, "<", OK5 } },
    { "103 is not for 1.0",
      "GET /up HTTP/1.0\r\n\r\n",
      "HTTP/1.0 200 OK\r\n*\r\n\r\nhello",
      RIG_CLOSED,
      0,
      { "<", HINTS, OK5 } },
    { "HTTP_INTERIMS_MAX",
      GET,
      HEARD_HINTS "*HTTP/1.1 200 OK\r\n*\r\n\r\nhello",
      RIG_OPEN,
      1,
      { "<", EACH_16(HINTS), OK5, "<", OK5 } },
    { "one more than HTTP_INTERIMS_MAX", GET, HEARD_HINTS "*" BAD, RIG_OPEN, 2, { "<", EACH_16(HINTS), HINTS, OK5 } },
    { "a short body",
      GET,
      "HTTP/1.1 200 OK\r\n*Content-Length: 9\r\n\r\nhello",
      RIG_CLOSED,
      0,
      { "<", ">HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "." } },
    { "short chunks",
      GET,
      "HTTP/1.1 200 OK\r\n*chunked\r\n\r\n5\r\nhello\r\n",
      RIG_CLOSED,
      0,
      { "<", ">HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "." } },
    { "bad chunks",
      GET,
      "HTTP/1.1 502 Bad Gateway\r\n*upstream_protocol*Connection: close\r\n*",
      RIG_CLOSED,
      0,
      { "<", ">HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n" } },
    { "a reset in the body",
      GET,
      "HTTP/1.1 200 OK\r\n*\r\n\r\nhel*",
      RIG_CLOSED,
      0,
      { "<", ">HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", "z20", "!" } },
    { "no answer",
      GET,
      "HTTP/1.1 502 Bad Gateway\r\n*error=connection_terminated; details=\"upstream_closed\"*",
      RIG_OPEN,
      2,
      { "<", "." } },
    { "half a head",
      GET,
      "HTTP/1.1 502 Bad Gateway\r\n*upstream_closed*",
      RIG_OPEN,
      2,
      { "<", ">HTTP/1.1 200 OK\r\nConte", "." } },
    { "a reset", GET, "HTTP/1.1 502 Bad Gateway\r\n*upstream_closed*", RIG_OPEN, 2, { "<", "!" } },
    { "no HTTP", GET, BAD, RIG_OPEN, 2, { "<", ">220 mail\r\n" } },
    { "bare line feeds", GET, BAD, RIG_OPEN, 2, { "<", ">HTTP/1.1 200 OK\nContent-Length: 0\n\n" } },
    { "two lengths",
      GET,
      BAD,
      RIG_OPEN,
      2,
      { "<", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n" } },
    { "length and chunks",
      GET,
      BAD,
      RIG_OPEN,
      2,
      { "<", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" } },
    { "a space before the colon", GET, BAD, RIG_OPEN, 2, { "<", ">HTTP/1.1 200 OK\r\nA : b\r\n\r\n" } },
    { "101 for nothing",
      GET,
      BAD,
      RIG_OPEN,
      2,
      { "<", ">HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" } },
};

static void say_row(struct rig *rig)
{
    const struct row *row = rig->user;
    struct rig_line *line = rig_dial(rig);

    rig_say(line, row->say);
    if (rig_hear(line, RIG_QUIET_NS) != row->fate || !rig_matches(row->hear, line->text))
        rig_fail(rig, "row \"%s\": fate %d, heard\n%.900s", row->name, line->fate, line->text);
    if (row->connections == 0)
        return;
    rig_say(line, row->say);
    rig_hear(line, RIG_QUIET_NS);
    if (rig->origin_connections != row->connections)
        rig_fail(rig, "row \"%s\": %u connections", row->name, rig->origin_connections);
    RIG_CHECK(rig, rig_count(line->text, "evil") == 0);
}

static void answers_are_passed_on(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const char *const *const scripts[] = { ROWS[i].origin, NULL };
        struct rig_plan plan = { .origin = scripts, .user = (void *)(uintptr_t)&ROWS[i] };

        rig_run(say_row, &plan);
    }
}

/* A head of `fields` fields of `len` bytes each, all together. */
static void write_large_head(struct rig *rig, struct io_socket socket, unsigned fields, size_t len)
{
    static char head[40000];
    struct text text = text_into(head, sizeof(head));

    text_add(&text, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"));
    for (unsigned i = 1; i < fields; i++)
        text_add_format(&text, "X-%02u: %0*d\r\n", i, (int)len - 8, 0);
    text_add(&text, BYTES("\r\nhello"));
    RIG_CHECK(rig, !text.full && stream_write(socket, text_bytes(&text), NS_PER_S) == 0);
}

struct size {
    unsigned fields;
    size_t len; /* of a line */
    const char *hear;
};

static const struct size SIZES[] = {
    { HTTP_FIELDS_MAX, 20, "HTTP/1.1 200 OK\r\n*\r\n\r\nhello" },
    { HTTP_FIELDS_MAX + 1, 20, BAD },
    { 11, 1600, "HTTP/1.1 200 OK\r\n*\r\n\r\nhello" },
    { 11, 1632, BAD }, /* it fits what we read, but not with what we add */
    { 12, 1600, BAD },
};

static void large_head_run(struct rig *rig, struct io_socket socket, unsigned number)
{
    const struct size *size = rig->user;
    char memory[1000];

    (void)!stream_read(socket, memory, sizeof(memory), NS_PER_S);
    write_large_head(rig, socket, size->fields, size->len);
    (void)!stream_read(socket, memory, sizeof(memory), TIME_NEVER);
    rig->origin_loop->io->ops->close(rig->origin_loop->io, socket);
}

static void say_large(struct rig *rig)
{
    const struct size *size = rig->user;
    struct rig_line *line = rig_dial(rig);

    rig_say(line, GET);
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line, size->hear);
}

static void heads_have_bounds(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
        struct rig_plan plan = { .origin_run = large_head_run, .user = (void *)(uintptr_t)&SIZES[i] };

        rig_run(say_large, &plan);
    }
}

/* --- connections that died ------------------------------------------------------------------------------------------
 */

struct race {
    const char *name, *say, *hear;
    unsigned replays, connections;
};

/* The peer closes when it has seen the second request. */
static const struct race RACES[] = {
    { "GET", GET, "HTTP/1.1 200 OK\r\n*again", 1, 2 },
    { "POST", "POST /up HTTP/1.1\r\nContent-Length: 2\r\n" HOST "ab", "HTTP/1.1 502 *upstream_closed*", 0, 1 },
    { "POST with a key", "POST /up HTTP/1.1\r\nIdempotency-Key: 1\r\nContent-Length: 2\r\n" HOST "ab",
      "HTTP/1.1 200 OK\r\n*again", 1, 2 },
    { "PUT", "PUT /up HTTP/1.1\r\nContent-Length: 2\r\n" HOST "ab", "HTTP/1.1 200 OK\r\n*again", 1, 2 },
};

static void race_run(struct rig *rig)
{
    const struct race *race = rig->user;
    struct rig_line *line = rig_dial(rig);

    rig_say(line, GET);
    rig_hear(line, 10 * NS_PER_MS);
    line->len = 0;
    rig_say(line, race->say);
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line, race->hear);
    RIG_CHECK(rig, metric_read(&http_endpoint_stats(rig->endpoint)->replays) == race->replays);
    if (rig->origin_connections != race->connections)
        rig_fail(rig, "%s: %u connections", race->name, rig->origin_connections);
    if (race->replays > 0 && rig_count(race->say, "ab") > 0)
        RIG_CHECK(rig, rig_matches("*\r\n\r\nab*\r\n\r\nab", rig->origin_text));
}

static void a_close_may_cross_a_request(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(RACES); i++) {
        struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", OK5, "<", "."),
                                                   SCRIPT("<", ">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain")),
                                 .user = (void *)(uintptr_t)&RACES[i] };

        rig_run(race_run, &plan);
    }
}

/* It closed before: nobody is sent there. */
static void idle_run(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, GET);
    rig_hear(line, 100 * NS_PER_MS);
    RIG_CHECK(rig, http_endpoint_open_connections(rig->endpoint) == 0);
    line->len = 0;
    rig_say(line, "POST /up HTTP/1.1\r\nContent-Length: 2\r\n" HOST "ab");
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line, "HTTP/1.1 200 OK\r\n*hello");
    RIG_CHECK(rig, rig->origin_connections == 2);
    RIG_CHECK(rig, metric_read(&http_endpoint_stats(rig->endpoint)->idle_closed_by_peer) == 1);
}

static void who_closed_while_idle_is_not_asked(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", OK5, "z50", "."), SCRIPT("<", OK5)) };

    rig_run(idle_run, &plan);
}

/* (3): after a close at 200 ms, ours are closed after 150, and a POST takes none that is idle for longer than 100. */
static void learn_run(struct rig *rig)
{
    static const char POST[] = "POST /up HTTP/1.1\r\nContent-Length: 2\r\n" HOST "ab";
    struct rig_line *line = rig_dial(rig);

    rig_say(line, GET);
    rig_hear(line, 300 * NS_PER_MS);
    rig_say(line, GET); /* the second connection */
    rig_hear(line, 90 * NS_PER_MS);
    rig_say(line, POST);
    rig_hear(line, 110 * NS_PER_MS);
    RIG_CHECK(rig, rig->origin_connections == 2);
    rig_say(line, POST); /* the third */
    rig_hear(line, 120 * NS_PER_MS);
    RIG_CHECK(rig, rig->origin_connections == 3);
    rig_say(line, GET);
    rig_hear(line, 140 * NS_PER_MS);
    RIG_CHECK(rig, rig->origin_connections == 3 && http_endpoint_open_connections(rig->endpoint) == 1);
    rig_hear(line, 20 * NS_PER_MS); /* one that we closed first has let the limit grow by an eighth */
    RIG_CHECK(rig, http_endpoint_open_connections(rig->endpoint) == 1);
    rig_hear(line, 20 * NS_PER_MS);
    RIG_CHECK(rig, http_endpoint_open_connections(rig->endpoint) == 0);
    RIG_CHECK(rig, rig_count(line->text, "HTTP/1.1 200 OK") == 5);
}

static void idle_timeouts_are_learned(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", OK5, "z200", "."), SCRIPT("<", OK5, "<", OK5, "<", OK5)) };

    rig_run(learn_run, &plan);
}

/* One that closes earlier than HTTP_LEARN_IDLE_MIN_NS teaches nothing; and our own limit holds. */
static void own_limit_run(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, GET);
    rig_hear(line, 100 * NS_PER_MS);
    RIG_CHECK(rig, metric_read(&http_endpoint_stats(rig->endpoint)->idle_closed_by_peer) == 0);
    rig_say(line, GET);
    rig_hear(line, HTTP_UPSTREAM_IDLE_NS - 10 * NS_PER_MS);
    RIG_CHECK(rig, http_endpoint_open_connections(rig->endpoint) == 1);
    rig_hear(line, 20 * NS_PER_MS);
    RIG_CHECK(rig, http_endpoint_open_connections(rig->endpoint) == 0);
}

static void idle_connections_are_closed(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", OK5, "z10", "."), SCRIPT("<", OK5)) };

    rig_run(own_limit_run, &plan);
}

/* --- bounds of connections ------------------------------------------------------------------------------------------
 */

static void in_order(struct rig *rig)
{
    struct rig_line *lines[6];
    const char *at = rig->origin_text;

    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        char say[100];

        lines[i] = rig_dial(rig);
        snprintf(say, sizeof(say), "GET /up HTTP/1.1\r\nX-N: %u\r\n" HOST, i);
        rig_say(lines[i], say);
        rig_sleep(NS_PER_MS);
        RIG_CHECK(rig, http_endpoint_open_connections(rig->endpoint) <= 2);
    }
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        char part[20];

        rig_hear(lines[i], RIG_QUIET_NS);
        RIG_HEARD(lines[i], "HTTP/1.1 200 OK\r\n*hello");
        snprintf(part, sizeof(part), "X-N: %u\r\n", i);
        at = at ? strstr(at, part) : NULL;
    }
    if (!at)
        rig_fail(rig, "out of order:\n%s", rig->origin_text);
}

static void waiters_are_served_in_order(void **state)
{
    struct rig_plan kept = { .endpoint = { .connections_max = 2 },
                             .origin = SCRIPTS(
                                 SCRIPT("<", "z20", OK5, "<", "z20", OK5, "<", "z20", OK5, "<", "z20", OK5)) };
    struct rig_plan closed = {
        .endpoint = { .connections_max = 2 },
        .origin = SCRIPTS(SCRIPT("<", "z20", ">HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"))
    };

    rig_run(in_order, &kept);
    rig_run(in_order, &closed);
}

#define SLOW_POST "POST /up HTTP/1.1\r\nContent-Length: 4\r\n" HOST

static void bodies_to_come(struct rig *rig)
{
    struct rig_line *slow[4], *quick = rig_dial(rig);

    for (unsigned i = 0; i < ARRAY_LEN(slow); i++) {
        slow[i] = rig_dial(rig);
        rig_say(slow[i], SLOW_POST);
        rig_sleep(5 * NS_PER_MS);
    }
    RIG_CHECK(rig, http_endpoint_open_connections(rig->endpoint) == 3);
    for (unsigned i = 0; i < 3; i++) { /* one after the other has the last connection */
        rig_say(quick, GET);
        rig_hear(quick, 20 * NS_PER_MS);
    }
    RIG_CHECK(rig, rig_count(quick->text, "hello") == 3);
    rig_say(slow[3], "body");
    rig_hear(slow[3], 100 * NS_PER_MS);
    RIG_HEARD(slow[3], ""); /* it came too late to be called at hand */
    rig_say(slow[1], "body");
    rig_hear(slow[1], RIG_QUIET_NS);
    for (unsigned i = 0; i < ARRAY_LEN(slow); i++) { /* the fourth was waiting for just that */
        if (i != 1 && i != 3)
            rig_say(slow[i], "body");
        rig_hear(slow[i], RIG_QUIET_NS);
        RIG_HEARD(slow[i], "HTTP/1.1 200 OK\r\n*hello");
    }
    RIG_CHECK(rig, metric_read(&rig->server.metrics.slow_clients) == 0);
}

static void bodies_to_come_leave_room(void **state)
{
    struct rig_plan kept = { .endpoint = { .connections_max = 4 },
                             .origin = SCRIPTS(SCRIPT("<", OK5, "<", OK5, "<", OK5, "<", OK5, "<", OK5)) };
    struct rig_plan closed = { .endpoint = { .connections_max = 4 },
                               .origin = SCRIPTS(SCRIPT(
                                   "<", ">HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")) };

    rig_run(bodies_to_come, &kept);
    rig_run(bodies_to_come, &closed);
}

static void slow_holder(struct rig *rig)
{
    struct rig_line *slow = rig_dial(rig), *waits = rig_dial(rig);

    rig_say(slow, SLOW_POST);
    rig_sleep(5 * NS_PER_MS);
    rig_say(waits, GET);
    rig_hear(waits, HTTP_SLOW_GRACE_NS - 10 * NS_PER_MS);
    RIG_HEARD(waits, "");
    rig_hear(waits, 50 * NS_PER_MS);
    RIG_HEARD(waits, "HTTP/1.1 200 OK\r\n*hello");
    RIG_CHECK(rig, rig_hear(slow, RIG_QUIET_NS) != RIG_OPEN);
    RIG_CHECK(rig, metric_read(&rig->server.metrics.slow_clients) == 1);
}

/* Nobody else waits: a slow client may take its time. */
static void slow_alone(struct rig *rig)
{
    struct rig_line *slow = rig_dial(rig);

    rig_say(slow, SLOW_POST);
    rig_sleep(3 * HTTP_SLOW_GRACE_NS);
    rig_say(slow, "body");
    rig_hear(slow, RIG_QUIET_NS);
    RIG_HEARD(slow, "HTTP/1.1 200 OK\r\n*hello");
}

static void slow_clients_are_dropped_for_those_who_wait(void **state)
{
    struct rig_plan plan = { .endpoint = { .connections_max = 1 }, .origin = SCRIPTS(SCRIPT("<", OK5)) };

    rig_run(slow_holder, &plan);
    rig_run(slow_alone, &plan);
}

#define MANY (HTTP_WAITERS_MAX + 3)

static struct io_socket many[MANY];

static void too_many(struct rig *rig)
{
    struct address address = sim_address(rig->gateway_node, RIG_PORT);
    char memory[2000];
    unsigned full = 0;

    for (unsigned i = 0; i < MANY; i++) {
        RIG_CHECK(rig, stream_connect(&address, &many[i], NS_PER_S) == 0);
        RIG_CHECK(rig, stream_write(many[i], BYTES(GET), NS_PER_S) == 0);
        rig_sleep(NS_PER_MS);
    }
    for (unsigned i = MANY; i-- > 0;) {
        ssize_t n = stream_read(many[i], memory, sizeof(memory) - 1, i >= MANY - 2 ? NS_PER_S : 1);

        memory[n > 0 ? n : 0] = '\0';
        full += rig_matches("HTTP/1.1 503 *connections_full*", memory);
        rig->client_loop->io->ops->close(rig->client_loop->io, many[i]);
    }
    RIG_CHECK(rig, full == 2); /* one is under way, HTTP_WAITERS_MAX wait */
    rig_sleep(100 * NS_PER_MS);
    RIG_CHECK(rig, rig->worker.exchanges.out == 0 && http_endpoint_open_connections(rig->endpoint) == 0);
}

static void waiters_have_a_bound(void **state)
{
    struct rig_plan plan = { .endpoint = { .connections_max = 1 }, .origin = SCRIPTS(SCRIPT("<")) };

    rig_run(too_many, &plan);
}

static void refused(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, GET);
    rig_hear(line, 50 * NS_PER_MS);
    RIG_HEARD(line, "HTTP/1.1 502 Bad Gateway\r\n*error=connection_refused; details=\"connect_failed\"*");
    world_cut(rig->world, rig->gateway_node->index, rig->origin_node->index, true);
    line->len = 0;
    rig_say(line, GET);
    rig_hear(line, HTTP_CONNECT_NS - 10 * NS_PER_MS);
    RIG_HEARD(line, "");
    rig_hear(line, 20 * NS_PER_MS);
    RIG_HEARD(line, "HTTP/1.1 504 Gateway Timeout\r\n*error=connection_timeout; details=\"connect_timeout\"*");
    RIG_CHECK(rig, metric_read(&http_endpoint_stats(rig->endpoint)->connect_failures) == 2);
    world_heal(rig->world);
}

static void connecting_may_fail(void **state)
{
    rig_run(refused, NULL);
}

static void retire(struct rig *rig)
{
    http_endpoint_retire(rig->endpoint);
    endpoint_drop(rig->endpoint);
    rig->endpoint = NULL;
}

static void retired_run(struct rig *rig)
{
    struct rig_line *waits = rig_dial(rig), *idle = rig_dial(rig);

    rig_say(idle, GET);
    rig_hear(idle, 30 * NS_PER_MS);
    rig_say(waits, GET);
    rig_say(idle, GET);
    rig_sleep(5 * NS_PER_MS);
    rig_on_gateway(rig, retire);
    rig_hear(waits, RIG_QUIET_NS);
    rig_hear(idle, RIG_QUIET_NS);
    RIG_HEARD(waits, "HTTP/1.1 200 OK\r\n*hello");
    RIG_CHECK(rig, rig_count(idle->text, "hello") == 2);
    RIG_CHECK(rig, rig->origin_open == 0);
    idle->len = 0;
    rig_say(idle, GET);
    rig_hear(idle, RIG_QUIET_NS);
    RIG_HEARD(idle, "HTTP/1.1 503 *no_endpoint*");
}

static void a_retired_endpoint_ends_with_its_exchanges(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", "z20", OK5, "<", "z20", OK5, "<", "z20", OK5)) };

    rig_run(retired_run, &plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_passed_on),       cmocka_unit_test(heads_have_bounds),
        cmocka_unit_test(a_close_may_cross_a_request), cmocka_unit_test(who_closed_while_idle_is_not_asked),
        cmocka_unit_test(idle_timeouts_are_learned),   cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(waiters_are_served_in_order), cmocka_unit_test(waiters_have_a_bound),
        cmocka_unit_test(bodies_to_come_leave_room),   cmocka_unit_test(slow_clients_are_dropped_for_those_who_wait),
        cmocka_unit_test(connecting_may_fail),         cmocka_unit_test(a_retired_endpoint_ends_with_its_exchanges),
    };

    return cmocka_run_group_tests_name("http/client", tests, NULL, NULL);
}
