#include "rig.h"

#include "http/date.h"
#include "http/forward.h"
#include "http/problem.h"
#include "io/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ANSWER(fields) SCRIPTS(SCRIPT("<", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" fields "\r\n"))

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define MEMBERS4 "a=b,c=d,e=f,g=h"
#define MEMBERS16 MEMBERS4 "," MEMBERS4 "," MEMBERS4 "," MEMBERS4 /* half of HTTP_TRACESTATE_MEMBERS_MAX */
#define HEX16 "????????????????"
#define HEX32 HEX16 HEX16

/* What a request has, and what the origin gets. `not` must not be there. */
static const struct {
    const char *name, *fields, *hear, *not ;
} REQUESTS[] = {
    { "what we add", "",
      "GET /up HTTP/1.1\r\nHost: a\r\n*Via: 1.1 weft\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\n"
      "X-Forwarded-Host: a\r\nX-Request-Id: " HEX32 "\r\ntraceparent: 00-" HEX32 "-" HEX16 "-01\r\n\r\n",
      "Connection" },
    { "Via goes on", "Via: 1.0 x\r\nVia: 1.1 y (z)\r\n", "*Via: 1.0 x, 1.1 y (z), 1.1 weft\r\n*", NULL },
    { "X-Forwarded-For goes on", "X-Forwarded-For: 1.2.3.4\r\n", "*X-Forwarded-For: 1.2.3.4, 10.0.0.1\r\n*", NULL },
    { "X-Forwarded-Host stays", "X-Forwarded-Host: outer\r\n", "*X-Forwarded-Host: outer\r\n*", "X-Forwarded-Host: a" },
    { "X-Forwarded-Proto is ours", "X-Forwarded-Proto: https\r\n", "*X-Forwarded-Proto: http\r\n*", "https" },
    { "a request id stays", "X-Request-Id: mine\r\n", "*X-Request-Id: mine\r\n*", NULL },
    { "an empty one does not", "X-Request-Id:\r\n", "*X-Request-Id: " HEX32 "\r\n*", NULL },
    { "hop-by-hop fields go",
      "Connection: x-own, keep-alive\r\nX-Own: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\n",
      "GET /up *", "X-Own: 1" },
    { "an upgrade goes on", "Connection: upgrade\r\nUpgrade: websocket\r\n", "*Upgrade: websocket\r\n*", NULL },
    { "but not to h2c", "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n", "GET /up *",
      "h2c" },
    { "a trace goes on", "traceparent: 00-" TRACE "-" PARENT "-01\r\ntracestate: a=b\r\n",
      "*tracestate: a=b\r\n*traceparent: 00-" TRACE "-" HEX16 "-01\r\n*", PARENT },
    { "not sampled", "traceparent: 00-" TRACE "-" PARENT "-00\r\n", "*traceparent: 00-" TRACE "-" HEX16 "-00\r\n*",
      NULL },
    { "a higher version", "traceparent: cc-" TRACE "-" PARENT "-01-more\r\n",
      "*traceparent: 00-" TRACE "-" HEX16 "-01\r\n*", NULL },
    { "a higher version without a dash", "traceparent: cc-" TRACE "-" PARENT "-01more\r\n", "*traceparent: 00-*",
      TRACE },
    { "version 00 with more", "traceparent: 00-" TRACE "-" PARENT "-01-more\r\n", "*traceparent: 00-*", TRACE },
    { "version ff", "traceparent: ff-" TRACE "-" PARENT "-01\r\n", "*traceparent: 00-*", TRACE },
    { "capitals", "traceparent: 00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01\r\n", "*traceparent: 00-*",
      "0AF7651916CD" },
    { "an empty trace", "traceparent: 00-00000000000000000000000000000000-" PARENT "-01\r\n", "*traceparent: 00-*",
      "00-000000000000" },
    { "an empty parent", "traceparent: 00-" TRACE "-0000000000000000-01\r\n", "*traceparent: 00-*", TRACE },
    { "a short one", "traceparent: 00-" TRACE "-" PARENT "-0\r\n", "*traceparent: 00-*", TRACE },
    { "tracestate without a trace", "traceparent: zz\r\ntracestate: a=b\r\n", "*traceparent: 00-" HEX32 "*", "a=b" },
    { "two traceparents", "traceparent: 00-" TRACE "-" PARENT "-01\r\ntraceparent: 00-" TRACE "-" PARENT "-01\r\n",
      "*traceparent: 00-" HEX32 "-" HEX16 "-01\r\n*", TRACE },
    { "other flags go", "traceparent: 00-" TRACE "-" PARENT "-ff\r\n", "*traceparent: 00-" TRACE "-" HEX16 "-01\r\n*",
      NULL },
    { "a higher version of the same length", "traceparent: cc-" TRACE "-" PARENT "-01\r\n",
      "*traceparent: 00-" TRACE "-" HEX16 "-01\r\n*", NULL },
    { "no hexadecimal", "traceparent: 00-" TRACE "-" PARENT "-0g\r\n", "*traceparent: 00-*", TRACE },
    { "tracestate in two lines",
      "traceparent: 00-" TRACE "-" PARENT "-01\r\ntracestate: a=b\r\ntracestate: c=d, e=f\r\n",
      "*tracestate: a=b\r\ntracestate: c=d, e=f\r\n*", NULL },
    { "as many members as may be",
      "traceparent: 00-" TRACE "-" PARENT "-01\r\ntracestate: " MEMBERS16 "\r\n"
      "tracestate: " MEMBERS16 "\r\n",
      "*tracestate: " MEMBERS16 "\r\ntracestate: " MEMBERS16 "\r\n*", NULL },
    { "one more",
      "traceparent: 00-" TRACE "-" PARENT "-01\r\ntracestate: " MEMBERS16 "\r\n"
      "tracestate: " MEMBERS16 ",z=z\r\n",
      "*traceparent: 00-" TRACE "-*", "tracestate" },
    { "tracestate alone", "tracestate: a=b\r\n", "*traceparent: 00-" HEX32 "*", "tracestate" },
    { "our name in Via", "Via: 1.1 weft, 1.1 weft, 1.1 weft, 1.1 weft, 1.1 weft, 1.1 weft, 1.1 weft, 1.1 weft\r\n",
      "GET /up *", NULL },
};

static void say_requests(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    for (size_t i = 0; i < ARRAY_LEN(REQUESTS); i++) {
        rig->origin_len = 0;
        rig_say(line, "GET /up HTTP/1.1\r\nHost: a\r\n");
        rig_say(line, REQUESTS[i].fields);
        rig_say(line, "\r\n");
        rig_hear(line, 20 * NS_PER_MS);
        if (!rig_matches(REQUESTS[i].hear, rig->origin_text) ||
            (REQUESTS[i].not &&rig_count(rig->origin_text, REQUESTS[i].not ) > 0))
            rig_fail(rig, "row \"%s\": the origin got\n%s", REQUESTS[i].name, rig->origin_text);
    }
    RIG_CHECK(rig, rig_count(line->text, "HTTP/1.1 200 OK") == ARRAY_LEN(REQUESTS));
}

static void forever_run(struct rig *rig, struct io_socket socket, unsigned number)
{
    static char memory[8000];
    ssize_t n;

    while ((n = stream_read(socket, memory, sizeof(memory), TIME_NEVER)) > 0) {
        memcpy(rig->origin_text + rig->origin_len, memory, (size_t)n); /* the test may have emptied it meanwhile */
        rig->origin_len += (size_t)n;
        rig->origin_text[rig->origin_len] = '\0';
        if (rig_matches("*\r\n\r\n", rig->origin_text) &&
            stream_write(socket, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), NS_PER_S) < 0)
            break;
    }
    rig->origin_loop->io->ops->close(rig->origin_loop->io, socket);
}

static void requests_are_forwarded(void **state)
{
    struct rig_plan plan = { .origin_run = forever_run };

    rig_run(say_requests, &plan);
}

/* A list that is longer than a piece of memory gets another line; an id longer than HTTP_REQUEST_ID_MAX another id. */
static void say_long(struct rig *rig)
{
    static char value[7000];
    struct rig_line *line = rig_dial(rig);

    memset(value, 'x', sizeof(value) - 1);
    rig_say(line, "GET /up HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ");
    rig_say(line, value);
    rig_say(line, "\r\n\r\n");
    rig_hear(line, 20 * NS_PER_MS);
    RIG_HEARD(line, "HTTP/1.1 200 OK\r\n*");
    RIG_CHECK(rig, rig_matches("*X-Forwarded-For: xxx*xxx\r\n*X-Forwarded-For: 10.0.0.1\r\n*", rig->origin_text));
    for (unsigned more = 0; more < 2; more++) {
        size_t len = HTTP_REQUEST_ID_MAX + more;

        rig->origin_len = 0;
        rig_say(line, "GET /up HTTP/1.1\r\nHost: a\r\nX-Request-Id: ");
        rig_say_bytes(line, value, len);
        rig_say(line, "\r\n\r\n");
        rig_hear(line, 20 * NS_PER_MS);
        RIG_CHECK(rig, rig_matches("*X-Request-Id: xxxx*", rig->origin_text) == (more == 0));
        RIG_CHECK(rig, rig_count(rig->origin_text, "X-Request-Id") == 1);
    }
}

static void long_values_have_their_way(void **state)
{
    struct rig_plan plan = { .origin_run = forever_run };

    rig_run(say_long, &plan);
}

static void say_loop(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "GET /up HTTP/1.1\r\nHost: a\r\nVia: 1.1 weft, 1.1 weft, 1.1 weft, 1.1 weft\r\n"
                  "Via: 1.1 weft, 1.1 weft, 1.1 weft, 1.1 weft, 1.0 weft\r\n\r\n");
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line,
              "HTTP/1.1 502 Bad Gateway\r\n*Proxy-Status: weft; error=proxy_loop_detected; details=\"loop\"\r\n*");
    RIG_CHECK(rig, rig->origin_connections == 0);
}

static void loops_end(void **state)
{
    struct rig_plan plan = { .origin = ANSWER("") };

    rig_run(say_loop, &plan);
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static void say_answer(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "GET /up HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n");
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line, "HTTP/1.1 200 OK\r\nDate: then\r\nX-Request-Id: theirs\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
                    "Via: 1.1 other, 1.1 weft\r\nContent-Length: 0\r\n\r\n");
}

static void answers_are_forwarded(void **state)
{
    struct rig_plan plan = { .origin = ANSWER(
                                 "Via: 1.1 other\r\nDate: then\r\nKeep-Alive: timeout=5\r\nConnection: x-own\r\n"
                                 "X-Own: 1\r\nX-Request-Id: theirs\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n") };

    rig_run(say_answer, &plan);
}

/* What a service failed at is told apart from what we did; with what it says itself it is one list. */
static void say_received(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "GET /up HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line, "HTTP/1.1 503 Service Unavailable\r\nProxy-Status: inner; error=dns_error\r\n"
                    "Proxy-Status: weft; received-status=503\r\n*");
}

static void failures_of_services_are_marked(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", ">HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                                           "Proxy-Status: inner; error=dns_error\r\n\r\n")) };

    rig_run(say_received, &plan);
}

static void say_problems(struct rig *rig)
{
    for (unsigned i = 1; i < OUTCOME_COUNT; i++) {
        const struct outcome_info *info = outcome_info((enum outcome)i);
        struct rig_line *line = rig_dial(rig);
        char say[200], hear[600];

        snprintf(say, sizeof(say), "GET /fail/%u HTTP/1.1\r\nHost: a\r\nX-Request-Id: \"q\"\r\n\r\n", i);
        snprintf(
            hear, sizeof(hear),
            "HTTP/1.1 %u *Content-Type: application/problem+json\r\n*Proxy-Status: weft; error=%s; details=\"%s\"\r\n*"
            "{\"type\":\"urn:weft:outcome:%s\",\"title\":\"*\",\"status\":%u,\"detail\":\"%s\",\"instance\":"
            "\"\\\"q\\\"\"}\n",
            info->status, info->token.data, info->name.data, info->name.data, info->status, info->text.data);
        rig_say(line, say);
        if (info->status == 0) {
            RIG_CHECK(rig, rig_hear(line, 20 * NS_PER_MS) == RIG_CLOSED && line->len == 0);
        } else {
            RIG_CHECK(rig, rig_hear(line, 20 * NS_PER_MS) == RIG_OPEN);
            RIG_HEARD(line, hear);
        }
        rig_hang_up(line);
    }
}

static void every_outcome_has_its_problem(void **state)
{
    rig_run(say_problems, NULL);
}

/* HTTP_PROBLEM_MAX: a detail that has to be escaped all over is left out rather than cut. */
static enum outcome problem_run(const struct stage *stage, struct exchange *x)
{
    static char detail[HTTP_PROBLEM_MAX];

    memset(detail, 1, sizeof(detail));
    return http_problem_of(x, 409, BYTES("credit-refused"), bytes_of(detail, sizeof(detail))) < 0 ? OUTCOME_INTERNAL
                                                                                                  : OUTCOME_OK;
}

static const struct stage_type PROBLEM = { .name = "problem", .run = problem_run };

static void say_long_problem(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line,
              "HTTP/1.1 409 Conflict\r\n*\r\n\r\n{\"type\":\"credit-refused\",\"title\":\"Conflict\",\"status\":409,"
              "\"detail\":\"\",\"instance\":\"\"}\n");
}

static void problems_are_whole(void **state)
{
    static const struct rig_plan PLAN = { .root = &PROBLEM };

    rig_run(say_long_problem, &PLAN);
}

static void dates_are_right(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } ROWS[] = {
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },          { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },  { 1735689599, "Tue, 31 Dec 2024 23:59:59 GMT" },
        { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char memory[40] = "";
        struct text text = text_into(memory, sizeof(memory) - 1);

        http_date_write(&text, ROWS[i].seconds * NS_PER_S + 999999999);
        assert_string_equal(memory, ROWS[i].text);
        assert_int_equal(text.len, HTTP_DATE_LEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_forwarded),
        cmocka_unit_test(long_values_have_their_way),
        cmocka_unit_test(loops_end),
        cmocka_unit_test(answers_are_forwarded),
        cmocka_unit_test(failures_of_services_are_marked),
        cmocka_unit_test(every_outcome_has_its_problem),
        cmocka_unit_test(problems_are_whole),
        cmocka_unit_test(dates_are_right),
    };

    return cmocka_run_group_tests_name("http/forward", tests, NULL, NULL);
}
