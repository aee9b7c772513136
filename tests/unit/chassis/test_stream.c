/* Answers that are written while the handler runs. */
#include "base/defs.h"
#include "base/limits.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int counts(struct weft_call *call, void *user)
{
    int r = weft_header_add(call, "X-One", "1");

    if (r == 0)
        r = weft_answer_begin(call, 200, "text/event-stream");
    for (int i = 0; r == 0 && i < 3; i++) {
        r = weft_write_format(call, "data: %d\n\n", i);
        if (r == 0)
            r = weft_write(call, "", 0);
        if (r == 0)
            r = weft_sleep(call, 5);
    }
    return r;
}

static int empty(struct weft_call *call, void *user)
{
    return weft_answer_begin(call, 200, NULL);
}

static int breaks_off(struct weft_call *call, void *user)
{
    int r = weft_answer_begin(call, 200, NULL);

    return r == 0 && weft_write(call, "half", 4) == 0 ? -EIO : r;
}

/* Past the service's limit, which is 100 ms here. */
static int slowly(struct weft_call *call, void *user)
{
    int *seen = user;
    int r = weft_answer_begin(call, 200, NULL);

    seen[0] = (int)weft_time_left(call);
    if (r == 0)
        r = weft_sleep(call, 200);
    if (r == 0)
        r = weft_write(call, "late", 4);
    seen[1] = weft_answer_text(call, 200, NULL, "again");
    seen[2] = weft_header_add(call, "X", "late");
    return r;
}

static int too_long(struct weft_call *call, void *user)
{
    int r = weft_answer_begin(call, 200, NULL);

    if (r == 0 && weft_write_format(call, "%*d", CHASSIS_MESSAGE_MAX + 1, 1) != -EMSGSIZE)
        return -EIO;
    return r;
}

static void parts_arrive_as_they_are_written(void **state)
{
    struct rig *rig = rig_create(&(struct weft_options){ .timeout_ms = 100 });
    int seen[3] = { 0 };

    assert_int_equal(weft_route(rig->service, "GET", "/counts", counts, NULL), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/empty", empty, NULL), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/slowly", slowly, seen), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/long", too_long, NULL), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/counts"), 200);
    assert_true(rig_said(rig, "X-One: 1\r\n") && rig_said(rig, "Transfer-Encoding: chunked\r\n"));
    assert_string_equal(rig_body(rig), "9\r\ndata: 0\n\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    assert_int_equal(rig_ask(rig, "GET /counts HTTP/1.0\r\n\r\n"), 200);
    assert_string_equal(rig_body(rig), "data: 0\n\ndata: 1\n\ndata: 2\n\n");
    assert_int_equal(rig_get(rig, "/empty"), 200);
    assert_string_equal(rig_body(rig), "0\r\n\r\n");
    assert_int_equal(rig_get(rig, "/slowly"), 200);
    assert_string_equal(rig_body(rig), "4\r\nlate\r\n0\r\n\r\n");
    assert_int_equal(rig_get(rig, "/long"), 200);
    assert_string_equal(rig_body(rig), "0\r\n\r\n");
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(seen[0], -1);
    assert_int_equal(seen[1], -EALREADY);
    assert_int_equal(seen[2], -EALREADY);
    rig_free(rig);
}

static void a_failure_cuts_the_answer_off(void **state)
{
    struct rig *rig = rig_create(NULL);

    assert_int_equal(weft_route(rig->service, "GET", "/breaks", breaks_off, NULL), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/breaks"), 200);
    assert_string_equal(rig_body(rig), "4\r\nhalf\r\n"); /* no last chunk */
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

static int endless(struct weft_call *call, void *user)
{
    static const char PART[16384];
    atomic_int *result = user;
    int r = weft_answer_begin(call, 200, NULL);

    while (r == 0)
        r = weft_write(call, PART, sizeof(PART));
    if (weft_write(call, PART, 1) != -ECANCELED || weft_sleep(call, 1000) != -ECANCELED)
        r = -EIO;
    atomic_store(result, r);
    return r;
}

static int waits(struct weft_call *call, void *user)
{
    atomic_int *result = user;

    atomic_store(result, 1);
    atomic_store(result, weft_sleep(call, 20000));
    return atomic_load(result);
}

static void wait_for(atomic_int *value, int wanted)
{
    for (int i = 0; i < 2000 && atomic_load(value) != wanted; i++)
        (void)usleep(5000);
    assert_int_equal(atomic_load(value), wanted);
}

static void a_client_that_leaves_ends_the_work(void **state)
{
    struct rig *rig = rig_create(NULL);
    atomic_int streaming = 0, waiting = 0;
    char some[64];
    int connection;

    assert_int_equal(weft_route(rig->service, "GET", "/endless", endless, &streaming), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/waits", waits, &waiting), 0);
    rig_start(rig);
    connection = rig_connect(rig);
    rig_send(connection, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n", 35);
    assert_true(read(connection, some, sizeof(some)) > 0);
    (void)close(connection);
    wait_for(&streaming, -ECANCELED);
    connection = rig_connect(rig);
    rig_send(connection, "GET /waits HTTP/1.1\r\nHost: a\r\n\r\n", 33);
    wait_for(&waiting, 1);
    (void)close(connection);
    wait_for(&waiting, -ECANCELED);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

static void head_wants_no_parts(void **state)
{
    struct rig *rig = rig_create(NULL);
    atomic_int result = 0;

    assert_int_equal(weft_route(rig->service, "GET", "/endless", endless, &result), 0);
    rig_start(rig);
    assert_int_equal(rig_ask(rig, "HEAD /endless HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
    assert_string_equal(rig_body(rig), "");
    wait_for(&result, -ECANCELED);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

/* Both directions at once: more than any buffer between them holds. */
static int echo(struct weft_call *call, void *user)
{
    struct weft_bytes part;
    int r = weft_answer_begin(call, 200, NULL);

    while (r == 0 && (r = weft_body_read(call, &part)) > 0)
        r = weft_write(call, part.data, part.len);
    return r;
}

static void both_directions_stream_at_once(void **state)
{
    static const char HEAD[] = "POST /echo HTTP/1.0\r\nContent-Length: 2000000\r\n\r\n";
    struct rig *rig = rig_create(NULL);
    char *content = malloc(2000000);
    int connection;

    assert_non_null(content);
    for (size_t i = 0; i < 2000000; i++)
        content[i] = (char)('a' + i / 997 % 26);
    assert_int_equal(weft_route(rig->service, "POST", "/echo", echo, NULL), 0);
    rig_start(rig);
    connection = rig_connect(rig);
    rig_send(connection, HEAD, sizeof(HEAD) - 1);
    for (size_t at = 0; at < 2000000; at += 100000) /* the sockets' buffers hold what we have not read yet */
        rig_send(connection, content + at, 100000);
    assert_int_equal(rig_receive(rig, connection), 200);
    assert_memory_equal(rig_body(rig), content, 2000000);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_arrive_as_they_are_written),   cmocka_unit_test(a_failure_cuts_the_answer_off),
        cmocka_unit_test(a_client_that_leaves_ends_the_work), cmocka_unit_test(head_wants_no_parts),
        cmocka_unit_test(both_directions_stream_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
