#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint64_t metric(const struct metric *metric)
{
    return metric_read(metric);
}

/* --- sizes ------------------------------------------------------------------------------------------------------ */

static const struct {
    size_t line;     /* bytes of the request line, without CR LF; 0: any */
    unsigned fields; /* Host among them; 0: any */
    size_t head;     /* bytes in all; 0: any */
    const char *hear;
} SIZES[] = {
    { HTTP1_LINE_MAX, 0, 0, "HTTP/1.1 404 *" },
    { HTTP1_LINE_MAX + 1, 0, 0, "HTTP/1.1 414 *\"status\":414,*" },
    { 0, HTTP_FIELDS_MAX, 0, "HTTP/1.1 404 *" },
    { 0, HTTP_FIELDS_MAX + 1, 0, "HTTP/1.1 431 *\"status\":431,*" },
    { 0, 0, HTTP1_HEAD_MAX, "HTTP/1.1 404 *" },
    { 0, 0, HTTP1_HEAD_MAX + 1, "HTTP/1.1 431 *\"status\":431,*" },
    { HTTP1_LINE_MAX, HTTP_FIELDS_MAX, HTTP1_HEAD_MAX, "HTTP/1.1 404 *" },
};

static void add_many(struct text *text, char c, size_t until)
{
    while (text->len < until)
        text_add_char(text, c);
}

static void write_head(struct text *text, size_t line, unsigned fields, size_t head)
{
    text_add(text, BYTES("GET /"));
    if (line > 0)
        add_many(text, 'p', line - 9);
    text_add(text, BYTES(" HTTP/1.1\r\nHost: a\r\n"));
    for (unsigned i = 2; i < fields; i++)
        text_add_format(text, "X-%u: %u\r\n", i, i);
    if (fields > 1 || head > 0)
        text_add(text, BYTES("Last: "));
    if (head > 0)
        add_many(text, 'v', head - 4);
    text_add(text, fields > 1 || head > 0 ? BYTES("\r\n\r\n") : BYTES("\r\n"));
}

static void say_sizes(struct rig *rig)
{
    static char memory[20000];

    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++)
        for (size_t piece = 5000; piece <= 20000; piece += 15000) {
            struct text text = text_into(memory, sizeof(memory));
            struct rig_line *line = rig_dial(rig);

            write_head(&text, SIZES[i].line, SIZES[i].fields, SIZES[i].head);
            for (size_t at = 0; at < text.len; at += piece) {
                rig_say_bytes(line, text.data + at, MIN(piece, text.len - at));
                rig_sleep(NS_PER_MS);
            }
            rig_hear(line, 100 * NS_PER_MS);
            if (!rig_matches(SIZES[i].hear, line->text))
                rig_fail(rig, "size %zu in pieces of %zu: heard\n%.300s", i, piece, line->text);
            rig_hang_up(line);
        }
}

static void discarding(struct sim_faults *faults)
{
    faults->discard_chance = 1;
}

static void heads_have_bounds(void **state)
{
    static const struct rig_plan PLAN = { .weather = discarding };

    rig_run(say_sizes, &PLAN);
}

/* --- times ------------------------------------------------------------------------------------------------------ */

static void slow_head(struct rig *rig)
{
    struct rig_line *line;

    rig_sleep(100 * NS_PER_S); /* nothing has happened for long: the limit counts from the first byte all the same */
    line = rig_dial(rig);
    rig_sleep(50 * NS_PER_S);
    rig_say(line, "GET /hello HTTP/1.1\r\n");
    rig_hear(line, 3 * NS_PER_S);
    rig_say(line, "X-One: 1\r\n"); /* more of it does not prolong it */
    rig_hear(line, HTTP_HEAD_NS - 3 * NS_PER_S - 10 * NS_PER_MS);
    RIG_HEARD(line, "");
    RIG_CHECK(rig, rig_hear(line, 20 * NS_PER_MS) == RIG_CLOSED);
    RIG_HEARD(line, "HTTP/1.1 408 Request Timeout\r\n*Connection: close\r\n*");
    RIG_CHECK(rig, metric(&rig->server.metrics.rejected) == 1);
}

static void a_slow_head_times_out(void **state)
{
    rig_run(slow_head, NULL);
}

static void idle(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "GET /hello HTTP/1.1\r\n" HOST);
    RIG_CHECK(rig, rig_hear(line, HTTP_IDLE_NS - 10 * NS_PER_MS) == RIG_OPEN);
    RIG_CHECK(rig, rig->worker.buffers.out == 0); /* (1) */
    RIG_CHECK(rig, rig_hear(line, 20 * NS_PER_MS) == RIG_CLOSED);
    RIG_HEARD(line, "HTTP/1.1 200 OK\r\n*hello\n");
}

static void an_idle_connection_is_closed(void **state)
{
    rig_run(idle, NULL);
}

static void stall(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "POST /count HTTP/1.1\r\nContent-Length: 9\r\n" HOST "ab");
    rig_hear(line, 40 * NS_PER_S);
    rig_say(line, "c"); /* something moves: it counts from here */
    rig_hear(line, HTTP_BODY_NS - 10 * NS_PER_MS);
    RIG_HEARD(line, "");
    RIG_CHECK(rig, rig_hear(line, 20 * NS_PER_MS) == RIG_CLOSED);
    RIG_HEARD(line, "HTTP/1.1 408 Request Timeout\r\n*Connection: close\r\n*request_timeout*");
}

static void a_stalled_body_times_out(void **state)
{
    rig_run(stall, NULL);
}

/* A client that does not read holds its exchange no longer than body_ns. */
static void never_reads(struct rig *rig)
{
    rig_say(rig_dial(rig), "GET /hello HTTP/1.1\r\n" HOST);
    rig_sleep(HTTP_BODY_NS - 50 * NS_PER_MS);
    RIG_CHECK(rig, rig->worker.exchanges.out == 1);
    rig_sleep(100 * NS_PER_MS);
    RIG_CHECK(rig, rig->worker.exchanges.out == 0 && metric(&rig->server.metrics.connections_open) == 0);
}

static void tiny_windows(struct sim_faults *faults)
{
    faults->window = (struct sim_range){ 64, 64 };
}

static void who_never_reads_is_closed(void **state)
{
    static const struct rig_plan PLAN = { .weather = tiny_windows };

    rig_run(never_reads, &PLAN);
}

/* What was refused may go on sending for HTTP_CLOSING_NS, without an exchange or a buffer. */
static void lingers(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "POST /other HTTP/1.1\r\nContent-Length: 100000000\r\n" HOST);
    for (unsigned i = 0; i < 9; i++) {
        rig_sleep(HTTP_CLOSING_NS / 10);
        rig_say(line, "more");
    }
    RIG_CHECK(rig, rig->worker.exchanges.out == 0 && rig->worker.buffers.out == 0);
    RIG_CHECK(rig, metric(&rig->server.metrics.connections_open) == 1);
    rig_sleep(HTTP_CLOSING_NS / 10 + 50 * NS_PER_MS);
    RIG_CHECK(rig, metric(&rig->server.metrics.connections_open) == 0);
}

static void lingering_has_an_end(void **state)
{
    rig_run(lingers, NULL);
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

static void crowd(struct rig *rig)
{
    struct rig_line *lines[3];

    for (unsigned i = 0; i < 3; i++)
        lines[i] = rig_dial(rig);
    RIG_CHECK(rig, rig_hear(lines[2], 10 * NS_PER_MS) == RIG_CLOSED);
    RIG_CHECK(rig, metric(&rig->server.metrics.refused) == 1);
    rig_hang_up(lines[0]);
    rig_sleep(5 * NS_PER_MS);
    lines[2] = rig_dial(rig);
    rig_say(lines[2], "GET /hello HTTP/1.1\r\n" HOST);
    rig_hear(lines[2], 10 * NS_PER_MS);
    RIG_HEARD(lines[2], "HTTP/1.1 200 OK\r\n*hello\n");
}

static void connections_have_a_bound(void **state)
{
    static const struct rig_plan PLAN = { .server = { .connections_max = 2 } };

    rig_run(crowd, &PLAN);
}

/* Whatever is used up: who finds it so is served when others have ended. */
static void parked(struct rig *rig)
{
    struct rig_line *lines[8];

    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        lines[i] = rig_dial(rig);
        rig_say(lines[i], "GET /wait HTTP/1.1\r\n" HOST);
    }
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        rig_hear(lines[i], RIG_QUIET_NS);
        RIG_HEARD(lines[i], "HTTP/1.1 200 OK\r\n*waited\n");
    }
    RIG_CHECK(rig, metric(&rig->server.metrics.parked_full) > 0);
    RIG_CHECK(rig, rig->worker.buffers.out == 0 && rig->worker.exchanges.out == 0);
}

static void heads_wait_for_what_is_scarce(void **state)
{
    static const struct rig_plan PLANS[] = {
        { .loop = { .fibers_max = 4 } }, /* one is the rig's */
        { .worker = { .exchanges_max = 3 } },
    };

    for (size_t i = 0; i < ARRAY_LEN(PLANS); i++)
        rig_run(parked, &PLANS[i]);
}

/* A buffer for the head is there, but none for the answer: it is not given, and nothing is left. */
static void no_buffers(struct rig *rig)
{
    struct rig_line *lines[4];
    unsigned answers = 0;

    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        lines[i] = rig_dial(rig);
        rig_say(lines[i], "GET /wait HTTP/1.1\r\n" HOST);
    }
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        rig_hear(lines[i], RIG_QUIET_NS);
        answers += rig_matches("HTTP/1.1 200 OK\r\n*waited\n", lines[i]->text);
        RIG_CHECK(rig, lines[i]->len == 0 || rig_matches("HTTP/1.1 200 OK\r\n*waited\n", lines[i]->text));
    }
    RIG_CHECK(rig, answers > 0 && rig->worker.buffers.refused > 0 && rig->worker.buffers.out == 0);
}

static void buffers_may_run_out(void **state)
{
    static const struct rig_plan PLAN = { .worker = { .buffers_max = 3 } };

    rig_run(no_buffers, &PLAN);
}

static void too_long(struct rig *rig)
{
    struct rig_line *holds = rig_dial(rig), *waits = rig_dial(rig);

    rig_say(holds, "GET /up HTTP/1.1\r\n" HOST);
    rig_sleep(NS_PER_MS);
    rig_say(waits, "GET /hello HTTP/1.1\r\n" HOST);
    rig_hear(waits, HTTP_HEAD_NS - 10 * NS_PER_MS);
    RIG_HEARD(waits, "");
    RIG_CHECK(rig, rig_hear(waits, 20 * NS_PER_MS) == RIG_CLOSED);
    RIG_HEARD(waits, "HTTP/1.1 503 Service Unavailable\r\n*Connection: close\r\n*");
}

static void waiting_for_a_turn_has_an_end(void **state)
{
    struct rig_plan plan = { .worker = { .exchanges_max = 1 }, .origin = SCRIPTS(SCRIPT("<")) };

    rig_run(too_long, &plan);
}

/* (5a): as long as there are fibers, the slow are left alone; then they go, those that move stay. */
static void slow(struct rig *rig)
{
    struct rig_line *lines[5], *late, *quick = rig_dial(rig);
    unsigned gone = 0;

    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        lines[i] = rig_dial(rig);
        rig_say(lines[i], "POST /count HTTP/1.1\r\nContent-Length: 9999\r\n" HOST "ab");
    }
    for (unsigned i = 0; i < 10; i++) { /* one of them sends more than HTTP_SLOW_RATE */
        static char piece[HTTP_SLOW_RATE];

        rig_say_bytes(lines[0], piece, sizeof(piece));
        rig_say_bytes(lines[0], piece, sizeof(piece));
        rig_sleep(NS_PER_S / 2);
        if (i == 8)
            break;
    }
    RIG_CHECK(rig, metric(&rig->server.metrics.slow_clients) == 0);
    rig_say(quick, "GET /hello HTTP/1.1\r\n" HOST); /* a fiber is left for what is at hand */
    rig_hear(quick, 20 * NS_PER_MS);
    RIG_HEARD(quick, "HTTP/1.1 200 OK\r\n*hello\n");
    RIG_CHECK(rig, metric(&rig->server.metrics.slow_clients) == 0);
    late = rig_dial(rig);
    rig_say(late, "POST /count HTTP/1.1\r\nContent-Length: 3\r\n" HOST "a");
    rig_sleep(20 * NS_PER_MS);
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++)
        gone += rig_hear(lines[i], NS_PER_MS) != RIG_OPEN;
    RIG_CHECK(rig, gone == 4 && lines[0]->fate == RIG_OPEN);
    if (metric(&rig->server.metrics.slow_clients) != 4)
        rig_fail(rig, "%u slow clients", (unsigned)metric(&rig->server.metrics.slow_clients));
    rig_say(late, "bc");
    rig_hear(late, 20 * NS_PER_MS);
    RIG_HEARD(late, "HTTP/1.1 200 OK\r\n*3 none\n");
}

static void the_slow_make_room(void **state)
{
    static const struct rig_plan PLAN = { .loop = {
                                              .fibers_max = 8 } }; /* 6 for what is not at hand, one is the rig's */

    rig_run(slow, &PLAN);
}

/* HTTP_SLOW_GRACE_NS: who came a moment ago is not slow. */
static void grace(struct rig *rig)
{
    struct rig_line *first = rig_dial(rig), *late = rig_dial(rig);

    rig_say(first, "POST /count HTTP/1.1\r\nContent-Length: 3\r\n" HOST "a");
    rig_say(late, "POST /count HTTP/1.1\r\nContent-Length: 3\r\n" HOST "a");
    rig_hear(first, HTTP_SLOW_GRACE_NS - 10 * NS_PER_MS);
    RIG_CHECK(rig, first->fate == RIG_OPEN && metric(&rig->server.metrics.slow_clients) == 0);
    RIG_CHECK(rig, rig_hear(first, 20 * NS_PER_MS) != RIG_OPEN);
    rig_say(late, "bc");
    rig_hear(late, 20 * NS_PER_MS);
    RIG_HEARD(late, "HTTP/1.1 200 OK\r\n*3 none\n");
}

static void nobody_is_slow_at_once(void **state)
{
    static const struct rig_plan PLAN = { .loop = { .fibers_max = 2 } };

    rig_run(grace, &PLAN);
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

static void drain(struct rig *rig)
{
    http_server_drain(&rig->server);
}

static void drained(struct rig *rig)
{
    struct rig_line *idle_line = rig_dial(rig), *busy = rig_dial(rig), *part = rig_dial(rig);

    rig_say(busy, "GET /wait HTTP/1.1\r\n" HOST);
    rig_say(part, "GET /hello HTTP/1.1\r\n");
    rig_sleep(10 * NS_PER_MS);
    rig_on_gateway(rig, drain);
    RIG_CHECK(rig, rig_hear(idle_line, HTTP_DRAIN_IDLE_NS + 10 * NS_PER_MS) == RIG_CLOSED);
    rig_say(part, HOST);
    RIG_CHECK(rig, rig_hear(part, 10 * NS_PER_MS) == RIG_CLOSED);
    RIG_HEARD(part, "HTTP/1.1 200 OK\r\n*Connection: close\r\n\r\nhello\n");
    RIG_CHECK(rig, rig_hear(busy, RIG_QUIET_NS) == RIG_CLOSED);
    RIG_HEARD(busy, "HTTP/1.1 200 OK\r\n*Connection: close\r\n\r\nwaited\n");
    RIG_CHECK(rig, http_server_quiet(&rig->server));
}

static void draining_ends_what_was_begun(void **state)
{
    rig_run(drained, NULL);
}

static void keep_and_drain(struct rig *rig)
{
    http_listener_keep(rig->listener);
    http_server_drain(&rig->server);
}

static void drain_all(struct rig *rig)
{
    http_server_drain_all(&rig->server);
}

/* A kept listener takes new connections, each for one request, until it is drained too. */
static void kept(struct rig *rig)
{
    struct rig_line *before = rig_dial(rig), *late, *busy;

    rig_sleep(10 * NS_PER_MS);
    rig_on_gateway(rig, keep_and_drain);
    RIG_CHECK(rig, http_server_calm(&rig->server) && !http_server_quiet(&rig->server));
    late = rig_dial(rig);
    rig_say(late, "GET /hello HTTP/1.1\r\n" HOST);
    RIG_CHECK(rig, rig_hear(late, 10 * NS_PER_MS) == RIG_CLOSED);
    RIG_HEARD(late, "HTTP/1.1 200 OK\r\n*Connection: close\r\n\r\nhello\n");
    busy = rig_dial(rig);
    rig_say(busy, "GET /wait HTTP/1.1\r\n" HOST);
    rig_sleep(10 * NS_PER_MS);
    rig_on_gateway(rig, drain_all);
    RIG_CHECK(rig, !http_server_calm(&rig->server)); /* its listener is like all others now */
    RIG_CHECK(rig, rig_hear(before, HTTP_DRAIN_IDLE_NS + 10 * NS_PER_MS) == RIG_CLOSED);
    RIG_CHECK(rig, rig_hear(busy, RIG_QUIET_NS) == RIG_CLOSED);
    RIG_HEARD(busy, "HTTP/1.1 200 OK\r\n*Connection: close\r\n\r\nwaited\n");
    RIG_CHECK(rig, http_server_quiet(&rig->server));
}

static void kept_listeners_drain_last(void **state)
{
    rig_run(kept, NULL);
}

/* The rig aborts the server in the middle of everything. */
static void abort_all(struct rig *rig)
{
    static const char *const SAY[] = {
        "",
        "GET /he",
        "GET /wait HTTP/1.1\r\n" HOST,
        "POST /count HTTP/1.1\r\nContent-Length: 9\r\n" HOST "ab",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "3\r\nabc\r\n",
        "GET /tunnel HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\n" HOST "early",
        "GET /up HTTP/1.1\r\n" HOST,
        "GET /up HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: chat\r\n" HOST,
        "POST /up HTTP/1.1\r\nContent-Length: 9\r\n" HOST "ab",
        "BAD\r\n",
        "POST /other HTTP/1.1\r\nContent-Length: 99999999\r\n" HOST "ab",
        "GET /wait HTTP/1.1\r\n" HOST,
    };

    for (unsigned i = 0; i < ARRAY_LEN(SAY); i++)
        rig_say(rig_dial(rig), SAY[i]);
    rig_sleep(20 * NS_PER_MS);
    RIG_CHECK(rig, metric(&rig->server.metrics.connections_open) == ARRAY_LEN(SAY));
    /* and the lines stay open: gateway_close() */
}

static void aborting_ends_everything(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("h")) }, tight = plan;

    tight.loop.fibers_max = 6;
    plan.endpoint.connections_max = 2;
    rig_run(abort_all, &plan);
    rig_run(abort_all, &tight);
}

/* --- no memory -------------------------------------------------------------------------------------------------- */

static void trim(struct rig *rig)
{
    struct pool *pools[] = { &rig->worker.exchanges, &rig->worker.tees,     &rig->worker.blocks,
                             &rig->worker.buffers,   &rig->server.partials, &rig->server.connections };

    for (unsigned i = 0; i < ARRAY_LEN(pools); i++)
        pool_trim(pools[i], 0);
}

/* The body looks like a request: it must not be taken for one, whatever fails. */
static void fail_each(struct rig *rig)
{
    static const char *const SAY[] = {
        "POST /count HTTP/1.1\r\nContent-Length: 35\r\n" HOST "GET /hello HTTP/1.1\r\nHost: evil\r\n\r\n",
        "POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST
        "23\r\nGET /hello HTTP/1.1\r\nHost: evil\r\n\r\n\r\n0\r\n\r\n",
    };

    for (unsigned i = 0; i < ARRAY_LEN(SAY); i++) {
        unsigned n = 0;
        bool met = true;

        for (; met && n < 100; n++) {
            struct rig_line *line;

            rig_on_gateway(rig, trim);
            line = rig_dial(rig);
            mem_fail_after(n);
            rig_say(line, SAY[i]);
            rig_hear(line, RIG_QUIET_NS);
            met = mem_fail_after(-1);
            if (rig_count(line->text, "HTTP/1.1") > 1 || rig_count(line->text, "hello") > 0)
                rig_fail(rig, "allocation %u of \"%.10s\": heard\n%.600s", n, SAY[i], line->text);
            if (!met)
                RIG_HEARD(line, "HTTP/1.1 200 OK\r\n*");
            rig_hang_up(line);
            rig_sleep(10 * NS_PER_MS);
            RIG_CHECK(rig, rig->worker.exchanges.out == 0 && rig->worker.buffers.out == 0 && rig->worker.tees.out == 0);
        }
        RIG_CHECK(rig, n > 5);
    }
}

static void each_allocation_may_fail(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("h", "z20", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) };

    rig_run(fail_each, &plan);
}

/* The client does not read; 100 Continue and an early answer of the origin want to go to it at once. */
static void early_answer_behind_100(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line,
            "GET /hello HTTP/1.1\r\n" HOST "POST /up HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n" HOST);
    for (unsigned i = 0; i < 20; i++) { /* reads a little at a time */
        rig_sleep(5 * NS_PER_MS);
        if (rig->client_loop->io->ops->try_read(rig->client_loop->io, line->socket, line->text, 9) <= 0)
            break;
    }
    rig_sleep(NS_PER_S);
    rig_hear(line, RIG_QUIET_NS);
    RIG_CHECK(rig, line->fate != RIG_OPEN);
    RIG_CHECK(rig, rig->worker.exchanges.out == 0);
}

static void an_answer_does_not_meet_100(void **state)
{
    struct rig_plan plan = { .weather = tiny_windows,
                             .origin = SCRIPTS(SCRIPT("h", ">HTTP/1.1 417 No\r\nContent-Length: 100\r\n\r\n", ".")) };

    rig_run(early_answer_behind_100, &plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_have_bounds),
        cmocka_unit_test(a_slow_head_times_out),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_stalled_body_times_out),
        cmocka_unit_test(who_never_reads_is_closed),
        cmocka_unit_test(lingering_has_an_end),
        cmocka_unit_test(connections_have_a_bound),
        cmocka_unit_test(heads_wait_for_what_is_scarce),
        cmocka_unit_test(buffers_may_run_out),
        cmocka_unit_test(waiting_for_a_turn_has_an_end),
        cmocka_unit_test(the_slow_make_room),
        cmocka_unit_test(nobody_is_slow_at_once),
        cmocka_unit_test(draining_ends_what_was_begun),
        cmocka_unit_test(kept_listeners_drain_last),
        cmocka_unit_test(aborting_ends_everything),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(an_answer_does_not_meet_100),
    };

    return cmocka_run_group_tests_name("http/server_limits", tests, NULL, NULL);
}
