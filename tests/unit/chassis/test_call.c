/* What a handler asks and answers. */
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

/* --- requests ------------------------------------------------------------------------------------------------ */

static const char *or_null(const char *text)
{
    return text ? text : "NULL";
}

static int describe(struct weft_call *call, void *user)
{
    return weft_answer_format(
        call, 200, NULL,
        "%s %s?%s id=%s rest=%s none=%s q=%s empty=%s no=%s header=%s client=%s instance=%s id=%s "
        "trace=%s",
        weft_method(call), weft_path(call), or_null(weft_query(call)), weft_path_value(call, "id"),
        weft_path_value(call, "rest"), or_null(weft_path_value(call, "none")), or_null(weft_query_value(call, "q r")),
        or_null(weft_query_value(call, "empty")), or_null(weft_query_value(call, "no")),
        or_null(weft_header(call, "x-one")), weft_client(call), weft_instance(call), weft_request_id(call),
        weft_trace_id(call));
}

static void a_request_is_told(void **state)
{
    struct rig *rig = rig_create(NULL);

    assert_int_equal(weft_route(rig->service, "GET", "/d/{id}/{rest...}", describe, NULL), 0);
    rig_start(rig);
    assert_int_equal(rig_ask(rig, "GET /d/a%20b/c%2Fd/e?x&q+r=1%262+3&q%20r=9&empty HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n"
                                  "X-One: 2\r\nX-Request-Id: my-id\r\n"
                                  "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
                                  "Connection: close\r\n\r\n"),
                     200);
    assert_string_equal(rig_body(rig),
                        "GET /d/a%20b/c%2Fd/e?x&q+r=1%262+3&q%20r=9&empty id=a b rest=c/d/e none=NULL q=1&2 3 empty= "
                        "no=NULL header=1 client=127.0.0.1 instance=test id=my-id "
                        "trace=0af7651916cd43dd8448eb211c80319c");
    assert_int_equal(rig_get(rig, "/d/1/"), 200);
    assert_true(rig_said(rig, "GET /d/1/?NULL id=1 rest= none=NULL q=NULL empty=NULL"));
    assert_int_equal(rig_get(rig, "/d/%00/"), 400);
    assert_int_equal(rig_get(rig, "/d/1/?a=%00"), 400);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

/* --- bodies -------------------------------------------------------------------------------------------------- */

static int whole(struct weft_call *call, void *user)
{
    struct weft_bytes body, again, part;
    int r = weft_body(call, &body);

    if (r < 0)
        return r;
    if (weft_body(call, &again) != 0 || again.data != body.data || body.data[body.len] != '\0')
        return -EIO;
    if (weft_body_read(call, &part) != -EBUSY)
        return -EIO;
    return weft_answer(call, 200, NULL, body.data, body.len);
}

static int parts(struct weft_call *call, void *user)
{
    struct weft_bytes part;
    size_t sum = 0;
    int r;

    while ((r = weft_body_read(call, &part)) > 0)
        sum += part.len;
    if (r < 0)
        return r;
    if (weft_body(call, &part) != -EBUSY)
        return -EIO;
    return weft_answer_format(call, 200, NULL, "%zu bytes", sum);
}

/* A POST with a body of so many bytes; chunked ones in pieces of 100. */
static int post(struct rig *rig, const char *path, size_t len, bool chunked)
{
    char *request = malloc(len * 2 + 512);
    size_t at;
    int status;

    assert_non_null(request);
    at = (size_t)snprintf(request, 512, "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", path);
    if (!chunked)
        at += (size_t)snprintf(request + at, 64, "Content-Length: %zu\r\n\r\n", len);
    else
        at += (size_t)snprintf(request + at, 64, "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t left = len; left > 0;) {
        size_t piece = chunked ? MIN(left, (size_t)100) : left;

        if (chunked)
            at += (size_t)snprintf(request + at, 16, "%zx\r\n", piece);
        memset(request + at, 'b', piece);
        at += piece;
        left -= piece;
        if (chunked)
            at += (size_t)snprintf(request + at, 16, "\r\n");
    }
    if (chunked)
        at += (size_t)snprintf(request + at, 16, "0\r\n\r\n");
    request[at] = '\0';
    status = rig_ask(rig, request);
    free(request);
    return status;
}

static void a_body_is_taken_whole_up_to_its_maximum(void **state)
{
    struct rig *rig = rig_create(&(struct weft_options){ .name = "test", .body_max = BODY_MAX });

    assert_int_equal(weft_route(rig->service, "POST", "/whole", whole, NULL), 0);
    assert_int_equal(weft_route(rig->service, "POST", "/parts", parts, NULL), 0);
    rig_start(rig);
    for (int chunked = 0; chunked < 2; chunked++) {
        assert_int_equal(post(rig, "/whole", 0, chunked), 200);
        assert_string_equal(rig_body(rig), "");
        assert_int_equal(post(rig, "/whole", BODY_MAX, chunked), 200);
        assert_int_equal(strlen(rig_body(rig)), BODY_MAX);
        assert_int_equal(strspn(rig_body(rig), "b"), BODY_MAX);
        assert_int_equal(post(rig, "/whole", BODY_MAX + 1, chunked), 413);
        assert_int_equal(post(rig, "/parts", 0, chunked), 200);
        assert_int_equal(post(rig, "/parts", 300000, chunked), 200);
        assert_string_equal(rig_body(rig), "300000 bytes");
    }
    assert_int_equal(rig_ask(rig, "POST /whole HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
                     400);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

/* --- answers ------------------------------------------------------------------------------------------------- */

/* What the calls returned, by the order in which they were made. */
struct results {
    int list[64];
    unsigned count;
};

static void note(struct results *results, int r)
{
    if (results->count < ARRAY_LEN(results->list))
        results->list[results->count++] = r;
}

static int misuse(struct weft_call *call, void *user)
{
    struct results *results = user;
    struct weft_bytes bytes;

    note(results, weft_answer(call, 199, NULL, "", 0));
    note(results, weft_answer(call, 600, NULL, "", 0));
    note(results, weft_answer(call, 200, "bad\r\ntype", "", 0));
    note(results, weft_answer(call, 200, NULL, NULL, 1));
    note(results, weft_answer_text(call, 200, NULL, NULL));
    note(results, weft_answer_json(call, 200, NULL));
    note(results, weft_answer_problem(call, 200, "a", "b"));
    note(results, weft_write(call, "a", 1));
    note(results, weft_header_add(call, "X", NULL));
    note(results, weft_header_add(call, NULL, "a"));
    note(results, weft_header_add(call, "X Y", "a"));
    note(results, weft_header_add(call, "X", "a\r\nY: b"));
    note(results, weft_header_add(call, "content-length", "1"));
    note(results, weft_header_add(call, "Content-Type", "a"));
    note(results, weft_header_add(call, "Connection", "close"));
    note(results, weft_header_add(call, "Transfer-Encoding", "chunked"));
    note(results, weft_body(call, NULL));
    note(results, weft_body_read(call, NULL));
    note(results, weft_sleep(call, -1));
    note(results, weft_answer_begin(call, 204, NULL));
    note(results, weft_body(NULL, &bytes));
    note(results, weft_answer_text(NULL, 200, NULL, ""));
    note(results, weft_header_add(NULL, "X", "a"));
    note(results, weft_alloc(NULL, 1) == NULL && weft_format(call, NULL) == NULL && weft_method(NULL) == NULL &&
                          weft_path_value(call, NULL) == NULL && weft_header(call, NULL) == NULL &&
                          weft_query_value(call, NULL) == NULL && weft_alloc(call, SIZE_MAX / 4) == NULL
                      ? -EINVAL
                      : 0);
    weft_log(NULL, WEFT_INFO, "nothing");
    return weft_answer_text(call, 200, NULL, "still here");
}

static void mistakes_are_errors(void **state)
{
    struct rig *rig = rig_create(NULL);
    struct results results = { .count = 0 };

    assert_int_equal(weft_route(rig->service, "GET", "/misuse", misuse, &results), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/misuse"), 200);
    assert_string_equal(rig_body(rig), "still here");
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(results.count, 24);
    for (unsigned i = 0; i < results.count; i++)
        if (results.list[i] != -EINVAL)
            fail_msg("call %u returned %d", i, results.list[i]);
    rig_free(rig);
}

static int once(struct weft_call *call, void *user)
{
    struct results *results = user;

    note(results, weft_answer_text(call, 201, "text/x-one", "one"));
    note(results, weft_answer_text(call, 200, NULL, "two"));
    note(results, weft_answer_problem(call, 500, "a", "b"));
    note(results, weft_answer_begin(call, 200, NULL));
    note(results, weft_header_add(call, "X", "late"));
    return -EIO; /* too late as well */
}

static void an_answer_is_given_once(void **state)
{
    struct rig *rig = rig_create(NULL);
    struct results results = { .count = 0 };

    assert_int_equal(weft_route(rig->service, "GET", "/once", once, &results), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/once"), 201);
    assert_string_equal(rig_body(rig), "one");
    assert_true(rig_said(rig, "Content-Type: text/x-one\r\n"));
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(results.list[0], 0);
    for (unsigned i = 1; i < 5; i++)
        assert_int_equal(results.list[i], -EALREADY);
    rig_free(rig);
}

static int headers(struct weft_call *call, void *user)
{
    int r = 0;

    for (int i = 0; r == 0 && i < CHASSIS_HEADERS_MAX; i++)
        r = weft_header_add(call, "X-Many", weft_format(call, "%d", i));
    if (r == 0 && weft_header_add(call, "X-Many", "more") != -ENOSPC)
        return -EIO;
    return r < 0 ? r : weft_answer_problem(call, 409, "credit-refused", "no \"credit\" left");
}

static int large_headers(struct weft_call *call, void *user)
{
    char *value = weft_alloc(call, CHASSIS_HEADERS_SIZE_MAX);

    if (!value)
        return -ENOMEM;
    memset(value, 'v', CHASSIS_HEADERS_SIZE_MAX - 1);
    if (weft_header_add(call, "X", value) != 0)
        return -EIO;
    if (weft_header_add(call, "Y", "") != -ENOSPC)
        return -EIO;
    return weft_answer_text(call, 200, NULL, "");
}

static void headers_are_added_up_to_a_bound(void **state)
{
    struct rig *rig = rig_create(NULL);

    assert_int_equal(weft_route(rig->service, "GET", "/headers", headers, NULL), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/large", large_headers, NULL), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/headers"), 409);
    assert_true(rig_said(rig, "X-Many: 0\r\n") && rig_said(rig, "X-Many: 31\r\n"));
    assert_true(rig_said(rig, "Content-Type: application/problem+json\r\n"));
    assert_true(rig_said(rig, "{\"type\":\"credit-refused\",\"title\":\"Conflict\",\"status\":409,"
                              "\"detail\":\"no \\\"credit\\\" left\""));
    assert_int_equal(rig_get(rig, "/large"), 200);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

static int large(struct weft_call *call, void *user)
{
    size_t len = 3000000;
    char *content = weft_alloc(call, len);

    if (!content)
        return -ENOMEM;
    memset(content, 'x', len);
    return weft_answer(call, 200, NULL, content, len);
}

static int nothing(struct weft_call *call, void *user)
{
    return weft_answer_text(call, 204, NULL, "dropped");
}

static int json(struct weft_call *call, void *user)
{
    return weft_answer_json(
        call, 200, weft_format(call, "[%s,%s]", weft_json_text(call, "a\"\n\xff"), weft_json_text(call, NULL)));
}

static void answers_have_any_size(void **state)
{
    struct rig *rig = rig_create(NULL);

    assert_int_equal(weft_route(rig->service, "GET", "/large", large, NULL), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/nothing", nothing, NULL), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/json", json, NULL), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/large"), 200);
    assert_int_equal(strspn(rig_body(rig), "x"), 3000000);
    assert_int_equal(rig_get(rig, "/nothing"), 204);
    assert_string_equal(rig_body(rig), "");
    assert_false(rig_said(rig, "Content-"));
    assert_int_equal(rig_get(rig, "/json"), 200);
    assert_string_equal(rig_body(rig), "[\"a\\\"\\n\xef\xbf\xbd\",null]");
    assert_int_equal(rig_ask(rig, "HEAD /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
    assert_true(rig_said(rig, "Content-Length: 3000000\r\n"));
    assert_string_equal(rig_body(rig), "");
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

/* --- failures ------------------------------------------------------------------------------------------------ */

static int fails(struct weft_call *call, void *user)
{
    return -(int)strtol(weft_path_value(call, "error"), NULL, 10);
}

static int takes_all_memory(struct weft_call *call, void *user)
{
    size_t sum = 0;

    while (weft_alloc(call, 64 * 1024))
        sum += 64 * 1024;
    if (sum > WEFT_CALL_MEMORY_MAX + 4 * BODY_MAX || sum < WEFT_CALL_MEMORY_MAX - 64 * 1024)
        return -EIO;
    if (weft_answer_text(call, 200, NULL,
                         "some text that needs more than what is left of it, if anything is left at "
                         "all, and it may not be much: so it is made a little longer than that, up "
                         "to some hundreds of bytes, which is more than a few small pieces have") != 0 &&
        weft_format(call, "%70000d", 1))
        return -EIO;
    return -ENOMEM;
}

static int too_slow(struct weft_call *call, void *user)
{
    int64_t *left = user;
    int r;

    left[0] = weft_time_left(call);
    r = weft_sleep(call, 20000);
    left[1] = weft_time_left(call);
    return r;
}

static void failures_become_problems(void **state)
{
    static const struct {
        int error, status;
    } ROWS[] = {
        { 0, 500 },      { EIO, 500 },      { ETIME, 504 },  { ENOMEM, 503 },
        { EAGAIN, 503 }, { EMSGSIZE, 500 }, { EINVAL, 500 }, { -1, 500 }, /* not an errno */
    };
    struct rig *rig = rig_create(&(struct weft_options){ .body_max = BODY_MAX, .timeout_ms = 200 });
    int64_t left[2] = { 0, -1 };
    char path[64];

    assert_int_equal(weft_route(rig->service, "GET", "/fails/{error}", fails, NULL), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/memory", takes_all_memory, NULL), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/slow", too_slow, left), 0);
    rig_start(rig);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        (void)snprintf(path, sizeof(path), "/fails/%d", ROWS[i].error);
        assert_int_equal(rig_get(rig, path), ROWS[i].status);
        assert_true(rig_said(rig, "application/problem+json"));
    }
    assert_int_not_equal(rig_get(rig, "/memory"), 500);
    assert_int_equal(rig_get(rig, "/slow"), 504);
    assert_int_equal(rig_stop(rig), 0);
    assert_in_range(left[0], 1, 200);
    assert_int_equal(left[1], 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_told),
        cmocka_unit_test(a_body_is_taken_whole_up_to_its_maximum),
        cmocka_unit_test(mistakes_are_errors),
        cmocka_unit_test(an_answer_is_given_once),
        cmocka_unit_test(headers_are_added_up_to_a_bound),
        cmocka_unit_test(answers_have_any_size),
        cmocka_unit_test(failures_become_problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
