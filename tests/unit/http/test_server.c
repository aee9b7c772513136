#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What is sent on a new connection, what comes back, and what becomes of the connection. */
struct row {
    const char *name, *say, *hear;
    enum rig_fate fate;
};

static const struct row ROWS[] = {
    { "1.1 is kept", "GET /hello HTTP/1.1\r\n" HOST,
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: ???, ?? ??? 20?? ??:??:?? GMT\r\nX-Request-Id: "
      "????????????????????????????????\r\nContent-Length: 6\r\n\r\nhello\n",
      RIG_OPEN },
    { "1.1 with close", "GET /hello HTTP/1.1\r\nConnection: close\r\n" HOST,
      "HTTP/1.1 200 OK\r\n*Connection: close*\r\n\r\nhello\n", RIG_CLOSED },
    { "1.0", "GET /hello HTTP/1.0\r\n\r\n", "HTTP/1.? 200 OK\r\n*\r\n\r\nhello\n", RIG_CLOSED },
    { "1.0 that asks to be kept is told so", "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "HTTP/1.? 200 OK\r\n*Connection: keep-alive*\r\n\r\nhello\n", RIG_OPEN },
    { "1.0 gets no chunks", "POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.? 200 OK\r\n*\r\n\r\nabc",
      RIG_CLOSED },
    { "HEAD", "HEAD /hello HTTP/1.1\r\n" HOST, "HTTP/1.1 200 OK\r\n*Content-Length: 6*\r\n\r\n", RIG_OPEN },
    { "204 has no length", "GET /none HTTP/1.1\r\n" HOST, "HTTP/1.1 204 No Content\r\n*\r\n\r\n", RIG_OPEN },
    { "304 has no body", "GET /not HTTP/1.1\r\n" HOST, "HTTP/1.1 304 Not Modified\r\n*\r\n\r\n", RIG_OPEN },
    { "an answer without a body says so", "GET /other HTTP/1.1\r\n" HOST,
      "HTTP/1.1 404 Not Found\r\n*Content-Length: 0*\r\n\r\n", RIG_OPEN },
    { "a length is echoed in chunks", "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n" HOST "abc",
      "HTTP/1.1 200 OK\r\n*Transfer-Encoding: chunked*\r\n\r\n3\r\nabc\r\n0\r\n\r\n", RIG_OPEN },
    { "chunks are echoed",
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\n*Transfer-Encoding: chunked*\r\n\r\n*abc*de*0\r\n\r\n", RIG_CLOSED },
    { "trailers are there at the end",
      "POST /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
      "HTTP/1.1 200 OK\r\n*\r\n\r\n3 7\n", RIG_OPEN },
    { "absolute form", "GET http://b/hello HTTP/1.1\r\n" HOST, "HTTP/1.1 200 OK\r\n*hello\n", RIG_OPEN },
    { "asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST, "HTTP/1.1 200 OK\r\n*hello\n", RIG_OPEN },
    { "empty lines before it", "\r\n\r\nGET /hello HTTP/1.1\r\n" HOST, "HTTP/1.1 200 OK\r\n*hello\n", RIG_OPEN },
    { "three in one piece",
      "GET /hello HTTP/1.1\r\n" HOST "POST /count HTTP/1.1\r\nContent-Length: 2\r\n" HOST "ab"
      "GET /none HTTP/1.1\r\n" HOST,
      "HTTP/1.1 200 OK\r\n*hello\nHTTP/1.1 200 OK\r\n*\r\n\r\n2 none\nHTTP/1.1 204 No Content\r\n*\r\n\r\n", RIG_OPEN },
    { "100 when the body is wanted", "POST /count HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" HOST,
      "HTTP/1.1 100 Continue\r\n\r\n", RIG_OPEN },
    { "no 100 when it is not", "POST /other HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" HOST,
      "HTTP/1.1 404 Not Found\r\n*Connection: close*\r\n\r\n", RIG_CLOSED },
    { "no 100 when the body came along",
      "POST /count HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" HOST "abc",
      "HTTP/1.1 200 OK\r\n*3 none\n", RIG_OPEN },
    { "no 100 inside an answer", "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" HOST,
      "HTTP/1.1 200 OK\r\n*\r\n\r\n", RIG_OPEN },
    { "a small body that nobody reads",
      "POST /other HTTP/1.1\r\nContent-Length: 3\r\n" HOST "abcGET /hello HTTP/1.1\r\n" HOST,
      "HTTP/1.1 404 Not Found\r\n*HTTP/1.1 200 OK\r\n*hello\n", RIG_OPEN },
    { "a body that is read in part",
      "POST /half HTTP/1.1\r\nContent-Length: 8\r\n" HOST "abcdefghGET /none HTTP/1.1\r\n" HOST,
      "HTTP/1.1 200 OK\r\n*\r\n\r\n? none\nHTTP/1.1 204 No Content\r\n*\r\n\r\n", RIG_OPEN },
    { "a large body that nobody reads", "POST /other HTTP/1.1\r\nContent-Length: 65537\r\n" HOST "abc",
      "HTTP/1.1 404 Not Found\r\n*Connection: close*\r\n\r\n", RIG_CLOSED },
    { "chunks that nobody reads", "POST /other HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "3\r\nabc\r\n",
      "HTTP/1.1 404 Not Found\r\n*Connection: close*\r\n\r\n", RIG_CLOSED },
    { "bad chunks", "POST /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "x\r\n",
      "HTTP/1.1 400 Bad Request\r\n*Connection: close\r\n*\"urn:weft:outcome:bad_request\"*", RIG_CLOSED },
    { "a body that breaks off is not ended", "GET /begin HTTP/1.1\r\n" HOST,
      "HTTP/1.1 200 OK\r\n*\r\n\r\n5\r\nbegin\r\n", RIG_CLOSED },
    { "400", "GET /a b HTTP/1.1\r\n" HOST,
      "HTTP/1.1 400 Bad Request\r\n*Connection: close*\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Bad "
      "Request\",\"status\":400,\"detail\":\"*\"}\n",
      RIG_CLOSED },
    { "400 without Host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n*\"status\":400,*", RIG_CLOSED },
    { "400 for smuggling",
      "POST /count HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" HOST "0\r\n\r\n",
      "HTTP/1.1 400 Bad Request\r\n*Connection: close\r\n*", RIG_CLOSED },
    { "501", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" HOST,
      "HTTP/1.1 501 Not Implemented\r\n*\"status\":501,*", RIG_CLOSED },
    { "505", "GET / HTTP/2.0\r\n" HOST, "HTTP/1.1 505 HTTP Version Not Supported\r\n*\"status\":505,*", RIG_CLOSED },
    { "a bad one behind a good one", "GET /hello HTTP/1.1\r\n" HOST "BAD\r\n\r\n",
      "HTTP/1.1 200 OK\r\n*hello\nHTTP/1.1 400 Bad Request\r\n*", RIG_CLOSED },
    { "an upgrade that is not wanted", "GET /hello HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n" HOST,
      "HTTP/1.1 200 OK\r\n*hello\n", RIG_OPEN },
    { "a tunnel, with bytes behind the head",
      "GET /tunnel HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\n" HOST "early",
      "HTTP/1.1 101 Switching Protocols\r\n*Connection: upgrade\r\n*Upgrade: echo*\r\n\r\nearly", RIG_OPEN },
    { "a tunnel, with bytes behind a body",
      "POST /tunnel HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 4\r\n" HOST "bodyearly",
      "HTTP/1.1 503 *", RIG_OPEN },
};

static void say_rows(struct rig *rig)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig_line *line = rig_dial(rig);

        rig_say(line, ROWS[i].say);
        if (rig_hear(line, RIG_QUIET_NS) != ROWS[i].fate || !rig_matches(ROWS[i].hear, line->text))
            rig_fail(rig, "row \"%s\": fate %d, heard\n%.700s", ROWS[i].name, line->fate, line->text);
        rig_hang_up(line);
    }
}

static void answers_fit_requests(void **state)
{
    rig_run(say_rows, NULL);
}

/* The same, a byte at a time: nothing may depend on how the bytes come. */
static void say_rows_by_byte(struct rig *rig)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig_line *line = rig_dial(rig);
        const char *say = ROWS[i].say;

        if (rig_count(say, "Expect") > 0)
            continue; /* what comes along is another thing there */
        for (; *say && line->fate == RIG_OPEN; say++) {
            rig_say_bytes(line, say, 1);
            rig_hear(line, 100 * NS_PER_US);
        }
        rig_hear(line, RIG_QUIET_NS);
        if (rig_count(ROWS[i].hear, "chunked") == 0 &&
            (line->fate != ROWS[i].fate || !rig_matches(ROWS[i].hear, line->text)))
            rig_fail(rig, "row \"%s\": fate %d, heard\n%.700s", ROWS[i].name, line->fate, line->text);
        rig_hang_up(line);
    }
}

static void answers_do_not_depend_on_pieces(void **state)
{
    rig_run(say_rows_by_byte, NULL);
}

/* Three requests, cut in two at every place. */
static void cut_everywhere(struct rig *rig)
{
    static const char SAY[] = "GET /hello HTTP/1.1\r\n" HOST
                              "POST /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST
                              "2\r\nab\r\n0\r\n\r\nGET /none HTTP/1.1\r\n" HOST;

    for (size_t at = 1; at + 1 < sizeof(SAY) && !rig->world->failed; at++) {
        struct rig_line *line = rig_dial(rig);

        rig_say_bytes(line, SAY, at);
        rig_sleep(2 * NS_PER_MS);
        rig_say(line, SAY + at);
        RIG_CHECK(rig, rig_hear(line, 20 * NS_PER_MS) == RIG_OPEN);
        RIG_HEARD(
            line,
            "HTTP/1.1 200 OK\r\n*hello\nHTTP/1.1 200 OK\r\n*\r\n\r\n2 none\nHTTP/1.1 204 No Content\r\n*\r\n\r\n");
        rig_hang_up(line);
    }
}

static void pipelined_requests_may_be_cut_anywhere(void **state)
{
    rig_run(cut_everywhere, NULL);
}

/* What is told at the end of an exchange is about it, not about the one behind it. */
static void see_pipelined(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "GET /none HTTP/1.1\r\n" HOST "POST /count HTTP/1.1\r\nContent-Length: 2\r\n" HOST "ab"
                  "GET /hello HTTP/1.1\r\n" HOST "DELETE /fail/1 HTTP/1.1\r\n" HOST);
    rig_hear(line, RIG_QUIET_NS);
    RIG_CHECK(rig, rig->seen_count == 4);
    RIG_CHECK(rig, strcmp(rig->seen[0], "GET /none 204 ok") == 0);
    RIG_CHECK(rig, strcmp(rig->seen[1], "POST /count 200 ok") == 0);
    RIG_CHECK(rig, strcmp(rig->seen[2], "GET /hello 200 ok") == 0);
    RIG_CHECK(rig, strcmp(rig->seen[3], "DELETE /fail/1 404 no_route") == 0);
}

static void observers_see_the_request_they_are_told_of(void **state)
{
    rig_run(see_pipelined, NULL);
}

/* Bytes behind a chunked body that was read into a buffer of its own, since a large head left little room. */
static void large_head_and_rest(struct rig *rig)
{
    static char head[15000];
    struct rig_line *line = rig_dial(rig);
    int len = snprintf(head, sizeof(head), "POST /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\n");

    for (unsigned i = 0; i < 2; i++)
        len += snprintf(head + len, sizeof(head) - (size_t)len, "X-%u: %06500d\r\n", i, 0);
    rig_say_bytes(line, head, (size_t)len);
    rig_say(line, HOST);
    rig_sleep(10 * NS_PER_MS);
    rig_say(line, "3\r\nabc\r\n0\r\n\r\nGET /hello HTTP/1.1\r\n" HOST);
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line, "HTTP/1.1 200 OK\r\n*\r\n\r\n3 none\nHTTP/1.1 200 OK\r\n*hello\n");
    RIG_CHECK(rig, strcmp(rig->seen[0], "POST /count 200 ok") == 0);
}

static void the_next_request_may_lie_in_a_leased_buffer(void **state)
{
    rig_run(large_head_and_rest, NULL);
}

static void expect_then_send(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "POST /count HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" HOST);
    rig_hear(line, 10 * NS_PER_MS);
    RIG_HEARD(line, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_say(line, "abcGET /hello HTTP/1.1\r\n" HOST);
    rig_hear(line, 10 * NS_PER_MS);
    RIG_HEARD(line, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n*\r\n\r\n3 none\nHTTP/1.1 200 OK\r\n*hello\n");
}

static void a_body_follows_its_100(void **state)
{
    rig_run(expect_then_send, NULL);
}

/* --- the ways clients leave ------------------------------------------------------------------------------------- */

static void leave(struct rig *rig)
{
    static const char *const PARTS[] = {
        "",
        "GET /he",
        "GET /wait HTTP/1.1\r\n" HOST,
        "POST /count HTTP/1.1\r\nContent-Length: 9\r\n" HOST "ab",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "3\r\nab",
        "GET /tunnel HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\n" HOST "early",
    };
    static void (*const HOW[])(struct rig_line *) = { rig_hang_up, rig_shut, rig_reset };

    for (unsigned part = 0; part < ARRAY_LEN(PARTS); part++)
        for (unsigned how = 0; how < ARRAY_LEN(HOW); how++)
            for (unsigned wait = 0; wait < 2; wait++) {
                struct rig_line *line = rig_dial(rig);

                rig_say(line, PARTS[part]);
                rig_sleep(wait * 20 * NS_PER_MS);
                HOW[how](line);
                rig_sleep(20 * NS_PER_MS); /* /wait needs longer: it is cancelled */
                if (metric_read(&rig->server.metrics.connections_open) != 0 || rig->worker.exchanges.out != 0)
                    world_fail(rig->world, "part %u, way %u: something is left", part, how);
                rig_hang_up(line);
            }
    for (unsigned i = 0; i < MIN(rig->seen_count, RIG_SEEN_MAX); i++)
        RIG_CHECK(rig, rig_matches("*client_gone", rig->seen[i]) || rig_matches("GET /tunnel 101 ok", rig->seen[i]));
}

static void clients_may_leave_at_any_point(void **state)
{
    rig_run(leave, NULL);
}

/* A tunnel outlives the client's half-close: what is on its way still comes. */
static void shut_tunnel(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "GET /tunnel HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\n" HOST "a");
    rig_hear(line, 10 * NS_PER_MS);
    rig_say(line, "b");
    rig_hear(line, 10 * NS_PER_MS);
    rig_say(line, "c");
    rig_shut(line);
    RIG_CHECK(rig, rig_hear(line, RIG_QUIET_NS) == RIG_CLOSED);
    RIG_HEARD(line, "HTTP/1.1 101 Switching Protocols\r\n*\r\n\r\nabc");
}

static void a_tunnel_survives_a_half_close(void **state)
{
    rig_run(shut_tunnel, NULL);
}

/* An answer of ours reaches a client that is still sending: it is not destroyed by a reset. */
static void upload_refused(struct rig *rig)
{
    static char piece[16000];
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "POST /other HTTP/1.1\r\nContent-Length: 10000000\r\n" HOST);
    for (unsigned i = 0; i < 10; i++) {
        rig_say_bytes(line, piece, sizeof(piece));
        rig_sleep(NS_PER_MS);
    }
    RIG_CHECK(rig, rig_hear(line, 10 * NS_PER_S) != RIG_OPEN);
    RIG_HEARD(line, "HTTP/1.1 404 Not Found\r\n*Connection: close*\r\n\r\n");
}

static void discarding(struct sim_faults *faults)
{
    faults->discard_chance = 1;
}

static void a_refused_upload_reads_its_answer(void **state)
{
    static const struct rig_plan PLAN = { .weather = discarding };

    rig_run(upload_refused, &PLAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_fit_requests),
        cmocka_unit_test(answers_do_not_depend_on_pieces),
        cmocka_unit_test(pipelined_requests_may_be_cut_anywhere),
        cmocka_unit_test(observers_see_the_request_they_are_told_of),
        cmocka_unit_test(the_next_request_may_lie_in_a_leased_buffer),
        cmocka_unit_test(a_body_follows_its_100),
        cmocka_unit_test(clients_may_leave_at_any_point),
        cmocka_unit_test(a_tunnel_survives_a_half_close),
        cmocka_unit_test(a_refused_upload_reads_its_answer),
    };

    return cmocka_run_group_tests_name("http/server", tests, NULL, NULL);
}
