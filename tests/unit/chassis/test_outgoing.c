/* Calls to other services. Two services on one thread: `front`, which is asked, calls `back`. */
#include "base/defs.h"
#include "base/limits.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BODY_MAX 1000
#define TRACE "0af7651916cd43dd8448eb211c80319c"

struct pair {
    struct rig *front;
    struct weft_service *back;
    char url[128]; /* of back, without a path */
    const char *place;
    char reason[256];
    struct weft_reply reply;
};

static int back_echo(struct weft_call *call, void *user)
{
    struct weft_bytes body;
    const char *parent = weft_header(call, "traceparent");
    int r = weft_body(call, &body);

    if (r == 0)
        r = weft_header_add(call, "X-Method", weft_method(call));
    if (r == 0)
        r = weft_header_add(call, "X-Query", weft_query(call) ? weft_query(call) : "none");
    if (r == 0)
        r = weft_header_add(call, "X-Type",
                            weft_header(call, "Content-Type") ? weft_header(call, "Content-Type") : "-");
    if (r == 0)
        r = weft_header_add(call, "X-Ids", weft_format(call, "%s %s", weft_trace_id(call), weft_request_id(call)));
    if (r == 0)
        r = weft_header_add(call, "X-Parent", parent ? parent : "none");
    return r < 0 ? r : weft_answer(call, 201, "text/x-echo", body.data, body.len);
}

static int back_large(struct weft_call *call, void *user)
{
    return weft_answer(call, 200, NULL, weft_alloc(call, BODY_MAX + 1), BODY_MAX + 1);
}

static int back_slow(struct weft_call *call, void *user)
{
    int r = weft_sleep(call, 10000);

    return r < 0 ? r : weft_answer_text(call, 200, NULL, "");
}

static int back_breaks(struct weft_call *call, void *user)
{
    int r = weft_answer_begin(call, 200, NULL);

    return r < 0 || weft_write(call, "half", 4) < 0 ? r : -EIO;
}

static int front_echo(struct weft_call *call, void *user)
{
    struct pair *pair = user;
    const struct weft_content content = { .type = "text/plain", .data = "hello", .len = 5 };
    struct weft_reply reply = weft_request(call, "POST", weft_format(call, "%s/echo?a=b", pair->url), &content);

    return weft_answer_format(call, reply.status == 201 ? 200 : 502, NULL, "%s|%s|%s|%s|%s|%s|%s|%s|%.*s",
                              weft_reply_header(&reply, "x-method"), weft_reply_header(&reply, "X-Query"),
                              weft_reply_header(&reply, "X-Type"), weft_reply_header(&reply, "X-Ids"),
                              weft_reply_header(&reply, "X-Parent"), weft_reply_header(&reply, "Content-Type"),
                              weft_reply_header(&reply, "None") ? "?" : "-", reply.reason, (int)reply.body.len,
                              reply.body.data);
}

static int front_call(struct weft_call *call, void *user)
{
    struct pair *pair = user;
    struct weft_reply reply = weft_request(call, "GET", pair->place, NULL);

    pair->reply = reply;
    (void)snprintf(pair->reason, sizeof(pair->reason), "%s", reply.reason);
    return weft_answer_text(call, 200, NULL, "");
}

static int front_many(struct weft_call *call, void *user)
{
    struct pair *pair = user;

    for (int i = 0; i < CHASSIS_TARGETS_MAX + 5; i++) { /* more places than are kept */
        struct weft_reply reply = weft_request(call, "GET", weft_format(call, "http://127.0.0.%d:1/", i + 1), NULL);

        if (reply.error != -ECONNREFUSED)
            return -EIO;
    }
    if (weft_request(call, "GET", weft_format(call, "%s/echo", pair->url), NULL).status != 201)
        return -EIO;
    return weft_answer_text(call, 200, NULL, "");
}

static void add_routes(struct pair *pair)
{
    struct weft_service *front = pair->front->service;

    assert_int_equal(weft_route(pair->back, "*", "/echo", back_echo, NULL), 0);
    assert_int_equal(weft_route(pair->back, "GET", "/~front/by-name/echo", back_echo, NULL), 0);
    assert_int_equal(weft_route(pair->back, "GET", "/large", back_large, NULL), 0);
    assert_int_equal(weft_route(pair->back, "GET", "/slow", back_slow, NULL), 0);
    assert_int_equal(weft_route(pair->back, "GET", "/breaks", back_breaks, NULL), 0);
    assert_int_equal(weft_route(front, "GET", "/echo", front_echo, pair), 0);
    assert_int_equal(weft_route(front, "GET", "/call", front_call, pair), 0);
    assert_int_equal(weft_route(front, "GET", "/many", front_many, pair), 0);
}

/* `gateway`: $WEFT_URL leads to back, where services' names come behind the caller's. */
static struct pair *start(bool gateway)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    char gateway_url[160];
    struct weft_options options = { .name = "back", .address = "127.0.0.1:0", .address_only = true };

    assert_non_null(pair);
    options.keep_signals = true;
    assert_int_equal(unsetenv("WEFT_URL"), 0);
    assert_int_equal(weft_service_create(&options, &pair->back), 0);
    assert_int_equal(weft_listen(pair->back), 0);
    (void)snprintf(pair->url, sizeof(pair->url), "http://%s", weft_address(pair->back));
    (void)snprintf(gateway_url, sizeof(gateway_url), "%s/~front", pair->url);
    if (gateway)
        assert_int_equal(setenv("WEFT_URL", gateway_url, 1), 0);
    options = (struct weft_options){ .name = "front", .body_max = BODY_MAX, .timeout_ms = 400, .beside = pair->back };
    pair->front = rig_create(&options);
    assert_int_equal(unsetenv("WEFT_URL"), 0);
    add_routes(pair);
    rig_start(pair->front);
    return pair;
}

static void stop(struct pair *pair)
{
    assert_int_equal(rig_stop(pair->front), 0);
    rig_free(pair->front);
    weft_service_free(pair->back);
    free(pair);
}

static void a_call_carries_content_and_trace(void **state)
{
    struct pair *pair = start(false);

    for (int i = 0; i < 2; i++) { /* the second one over the connection of the first */
        assert_int_equal(rig_ask(pair->front,
                                 "GET /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-1\r\ntraceparent: 00-" TRACE
                                 "-b7ad6b7169203331-01\r\nConnection: close\r\n\r\n"),
                         200);
        /* unchanged: the chassis has no spans */
        assert_true(rig_said(pair->front, "POST|a=b|text/plain|" TRACE " id-1|00-" TRACE "-b7ad6b7169203331-01"));
        assert_true(rig_said(pair->front, "|text/x-echo|-||hello"));
    }
    stop(pair);
}

static void failures_are_told_apart(void **state)
{
    static const struct {
        const char *place; /* with a slash in front: of back */
        int error;
    } ROWS[] = {
        { "nonsense", -EINVAL },
        { "https://127.0.0.1:1/", -EINVAL },
        { "http://127.0.0.1:1/", -ECONNREFUSED },
        { "http://by-name/echo", -EDESTADDRREQ },
        { "http://does-not-exist.invalid/", -ENOENT },
        { "/large", -EMSGSIZE },
        { "/slow", -ETIME },
        { "/breaks", -ECONNRESET },
    };
    struct pair *pair = start(false);
    char url[256], longest[CHASSIS_URL_MAX + 2];

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        (void)snprintf(url, sizeof(url), "%s%s", ROWS[i].place[0] == '/' ? pair->url : "", ROWS[i].place);
        pair->place = url;
        assert_int_equal(rig_get(pair->front, "/call"), 200);
        if (pair->reply.error != ROWS[i].error)
            fail_msg("%s: %d %s", url, pair->reply.error, pair->reason);
        assert_int_equal(pair->reply.status, 0);
        assert_true(strlen(pair->reason) > 0);
        assert_int_equal(pair->reply.body.len, 0);
        assert_null(pair->reply.head);
    }
    pair->place = NULL;
    assert_int_equal(rig_get(pair->front, "/call"), 200);
    assert_int_equal(pair->reply.error, -EINVAL);
    memset(longest, 'a', sizeof(longest));
    longest[CHASSIS_URL_MAX + 1] = '\0';
    memcpy(longest, "http://127.0.0.1:1/", 19);
    pair->place = longest;
    assert_int_equal(rig_get(pair->front, "/call"), 200);
    assert_int_equal(pair->reply.error, -EINVAL);
    longest[CHASSIS_URL_MAX] = '\0';
    assert_int_equal(rig_get(pair->front, "/call"), 200);
    assert_int_equal(pair->reply.error, -ECONNREFUSED);
    assert_null(weft_reply_header(NULL, "a"));
    stop(pair);
}

static void a_name_goes_through_the_gateway(void **state)
{
    struct pair *pair = start(true);

    pair->place = "http://by-name/echo?x=1";
    assert_int_equal(rig_get(pair->front, "/call"), 200);
    assert_int_equal(pair->reply.error, 0);
    assert_int_equal(pair->reply.status, 201);
    stop(pair);
}

static void a_host_name_is_looked_up(void **state)
{
    struct pair *pair = start(false);
    char url[256];

    (void)snprintf(url, sizeof(url), "http://localhost:%s/echo", strrchr(pair->url, ':') + 1);
    pair->place = url;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_get(pair->front, "/call"), 200);
        if (pair->reply.status != 201)
            fail_msg("%d %s", pair->reply.error, pair->reason);
    }
    stop(pair);
}

static void more_places_than_are_kept(void **state)
{
    struct pair *pair = start(false);

    assert_int_equal(rig_get(pair->front, "/many"), 200);
    stop(pair);
}

static void a_gateway_that_is_none_is_told(void **state)
{
    struct rig *rig;

    assert_int_equal(setenv("WEFT_URL", "nonsense", 1), 0);
    rig = rig_create(NULL);
    assert_int_equal(unsetenv("WEFT_URL"), 0);
    assert_string_equal(weft_fault(rig->service), "WEFT_URL is no http url");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_carries_content_and_trace), cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(a_name_goes_through_the_gateway),  cmocka_unit_test(a_host_name_is_looked_up),
        cmocka_unit_test(more_places_than_are_kept),        cmocka_unit_test(a_gateway_that_is_none_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
