/* A service's set-up, start and end. */
#include "base/defs.h"
#include "faults.h"
#include "rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int fine(struct weft_call *call, void *user)
{
    return weft_answer_text(call, 200, NULL, "fine");
}

static int sleepy(struct weft_call *call, void *user)
{
    atomic_int *seen = user;
    int r;

    atomic_store(seen, 1);
    r = weft_sleep(call, 300);
    atomic_store(seen, r == 0 ? 2 : r);
    return r < 0 ? r : weft_answer_text(call, 200, NULL, "slept");
}

static int stuck(struct weft_call *call, void *user)
{
    atomic_int *seen = user;
    int r;

    atomic_store(seen, 1);
    r = weft_sleep(call, 30000);
    atomic_store(seen, r);
    return r;
}

static void wait_for(atomic_int *value, int wanted)
{
    for (int i = 0; i < 2000 && atomic_load(value) != wanted; i++)
        (void)usleep(5000);
    assert_int_equal(atomic_load(value), wanted);
}

static void what_is_built_in_answers(void **state)
{
    struct rig *rig = rig_create(NULL);

    assert_int_equal(weft_route(rig->service, "GET", "/fine", fine, NULL), 0);
    assert_string_equal(weft_address(rig->service), "");
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/livez"), 200);
    assert_int_equal(rig_get(rig, "/readyz"), 200);
    assert_int_equal(rig_get(rig, "/fine"), 200);
    assert_string_equal(rig_body(rig), "fine");
    assert_int_equal(rig_get(rig, "/nothing"), 404);
    assert_int_equal(rig_ask(rig, "POST /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 405);
    assert_true(rig_said(rig, "Allow: GET, HEAD\r\n"));
    assert_int_equal(rig_ask(rig, "HEAD /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
    assert_string_equal(rig_body(rig), "");
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

static int get_ready(struct weft_call *call, void *user)
{
    weft_ready(*(struct weft_service **)user, true);
    return weft_answer_text(call, 200, NULL, "");
}

static void readiness_is_switched(void **state)
{
    struct rig *rig = rig_create(NULL);

    assert_int_equal(weft_route(rig->service, "POST", "/ready", get_ready, &rig->service), 0);
    weft_ready(rig->service, false);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/readyz"), 503);
    assert_int_equal(rig_get(rig, "/livez"), 200);
    assert_int_equal(rig_ask(rig, "POST /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
    assert_int_equal(rig_get(rig, "/readyz"), 200);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

static void mistakes_in_setting_up_are_told(void **state)
{
    struct rig *rig = rig_create(NULL);
    struct weft_service *service = NULL;

    assert_int_equal(weft_route(rig->service, "GET", "/readyz", fine, NULL), -EEXIST);
    assert_string_equal(weft_fault(rig->service), "route GET /readyz: that path is built in");
    assert_int_equal(weft_route(rig->service, "GET", "bad", fine, NULL), -EINVAL);
    assert_int_equal(weft_route(rig->service, NULL, "/", fine, NULL), -EINVAL);
    assert_int_equal(weft_route(rig->service, "GET", NULL, fine, NULL), -EINVAL);
    assert_int_equal(weft_route(rig->service, "GET", "/", NULL, NULL), -EINVAL);
    assert_int_equal(weft_route(NULL, "GET", "/", fine, NULL), -EINVAL);
    assert_string_equal(weft_fault(rig->service), "route GET /readyz: that path is built in"); /* the first */
    assert_int_equal(weft_run(rig->service), 1);
    assert_int_equal(weft_run(rig->service), 1); /* once only */
    assert_int_equal(weft_run(NULL), 1);
    assert_int_equal(weft_listen(NULL), -EINVAL);
    assert_int_equal(weft_service_create(NULL, &service), -EINVAL);
    assert_int_equal(weft_service_create(&(struct weft_options){ .name = "a" }, NULL), -EINVAL);
    assert_null(service);
    weft_service_free(NULL);
    weft_stop(NULL);
    weft_ready(NULL, true);
    rig_free(rig);
}

static const struct weft_options BAD_OPTIONS[] = {
    { .address = "nowhere" },   { .address = "127.0.0.1:99999" },
    { .address = "1.2.3.4:1" }, /* not ours */
    { .timeout_ms = -1 },       { .drain_ms = -1 },
    { .body_max = SIZE_MAX },   { .name = "a-name-that-is-longer-than-the-sixty-three-bytes-that-a-label-may-have" },
};

static void bad_options_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD_OPTIONS); i++) {
        struct rig *rig = rig_create(&BAD_OPTIONS[i]);

        assert_int_equal(weft_run(rig->service), 1);
        assert_true(strlen(weft_fault(rig->service)) > 0);
        rig_free(rig);
    }
}

static void a_taken_address_is_told(void **state)
{
    struct rig *first = rig_create(NULL);
    struct rig *second;

    assert_int_equal(weft_listen(first->service), 0);
    assert_int_equal(weft_listen(first->service), 0);
    second = rig_create(&(struct weft_options){ .address = weft_address(first->service) });
    assert_int_equal(weft_listen(second->service), -EADDRINUSE);
    assert_non_null(strstr(weft_fault(second->service), weft_address(first->service)));
    rig_free(second);
    rig_free(first);
}

static void stopping_before_the_start_is_kept(void **state)
{
    struct rig *rig = rig_create(NULL);

    weft_stop(rig->service);
    weft_stop(rig->service);
    rig_start(rig);
    assert_int_equal(rig_join(rig), 0);
    rig_free(rig);
}

static void what_was_accepted_is_finished(void **state)
{
    struct rig *rig = rig_create(NULL);
    atomic_int seen = 0;
    int connection, idle;

    assert_int_equal(weft_route(rig->service, "GET", "/sleepy", sleepy, &seen), 0);
    rig_start(rig);
    idle = rig_connect(rig); /* asks nothing: nobody waits for it */
    connection = rig_connect(rig);
    rig_send(connection, "GET /sleepy HTTP/1.1\r\nHost: a\r\n\r\n", 34);
    wait_for(&seen, 1);
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(rig_receive(rig, connection), 200);
    assert_true(rig_said(rig, "Connection: close\r\n"));
    assert_string_equal(rig_body(rig), "slept");
    assert_int_equal(atomic_load(&seen), 2);
    assert_int_equal(rig_receive(rig, idle), 0);
    rig_free(rig);
}

static void what_takes_too_long_is_cut_off(void **state)
{
    struct rig *rig = rig_create(&(struct weft_options){ .drain_ms = 50 });
    atomic_int seen = 0;
    int connection;

    assert_int_equal(weft_route(rig->service, "GET", "/stuck", stuck, &seen), 0);
    rig_start(rig);
    connection = rig_connect(rig);
    rig_send(connection, "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n", 33);
    wait_for(&seen, 1);
    assert_int_equal(rig_stop(rig), 2);
    assert_int_equal(atomic_load(&seen), -ECANCELED);
    (void)rig_receive(rig, connection);
    rig_free(rig);
}

static void a_signal_stops_it(void **state)
{
    struct weft_service *service;
    struct weft_options options = { .name = "test", .address = "127.0.0.1:0", .address_only = true };
    sigset_t set;

    assert_int_equal(weft_service_create(&options, &service), 0);
    assert_int_equal(kill(getpid(), SIGTERM), 0); /* blocked by now */
    assert_int_equal(weft_run(service), 0);
    weft_service_free(service);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void several_live_on_one_thread(void **state)
{
    struct rig *rig = rig_create(NULL), *other = calloc(1, sizeof(*other));
    struct weft_options options = {
        .name = "other", .address = "127.0.0.1:0", .address_only = true, .keep_signals = true, .beside = rig->service
    };

    assert_non_null(other);
    assert_int_equal(weft_service_create(&options, &other->service), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/one", fine, NULL), 0);
    assert_int_equal(weft_route(other->service, "GET", "/two", fine, NULL), 0);
    assert_int_equal(weft_listen(other->service), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/one"), 200);
    assert_int_equal(rig_get(rig, "/two"), 404);
    assert_int_equal(rig_get(other, "/two"), 200);
    assert_int_equal(weft_route(other->service, "GET", "/three", fine, NULL), -EBUSY);
    assert_int_equal(weft_service_create(&options, &other->service), -EBUSY);
    weft_stop(other->service);
    assert_int_equal(rig_join(rig), 0);
    weft_service_free(rig->service); /* the thread lives until the last one goes */
    weft_service_free(other->service);
    free(rig);
    free(other);
}

static int create_without_memory(void *context)
{
    struct weft_options options = { .name = "test", .address_only = true, .keep_signals = true };
    struct weft_service *service;
    int r = weft_service_create(&options, &service);

    if (r == 0) {
        r = weft_route(service, "GET", "/", fine, NULL);
        weft_service_free(service);
    }
    return r;
}

static void memory_may_run_out_at_birth(void **state)
{
    assert_true(faults_each(create_without_memory, NULL) >= 5);
}

static int run_without_memory(void *context)
{
    struct weft_options options = {
        .name = "test", .address = "127.0.0.1:0", .address_only = true, .keep_signals = true
    };
    struct weft_service *service;
    int r = weft_service_create(&options, &service);

    if (r < 0)
        return r;
    weft_stop(service);
    r = weft_run(service);
    weft_service_free(service);
    return r == 0 ? 0 : -ENOMEM;
}

static void memory_may_run_out_at_the_start(void **state)
{
    assert_true(faults_each(run_without_memory, NULL) >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_in_answers),
        cmocka_unit_test(readiness_is_switched),
        cmocka_unit_test(mistakes_in_setting_up_are_told),
        cmocka_unit_test(bad_options_are_told),
        cmocka_unit_test(a_taken_address_is_told),
        cmocka_unit_test(stopping_before_the_start_is_kept),
        cmocka_unit_test(what_was_accepted_is_finished),
        cmocka_unit_test(what_takes_too_long_is_cut_off),
        cmocka_unit_test(a_signal_stops_it),
        cmocka_unit_test(several_live_on_one_thread),
        cmocka_unit_test(memory_may_run_out_at_birth),
        cmocka_unit_test(memory_may_run_out_at_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
