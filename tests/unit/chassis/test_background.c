/* Checks, tasks, metrics and the log of a service. */
#include "chassis/service.h"
#include "faults.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct weft_service *create(void)
{
    struct weft_service *service;
    const struct weft_options options = { .name = "test", .address_only = true, .keep_signals = true };

    assert_int_equal(weft_service_create(&options, &service), 0);
    return service;
}

static unsigned get(struct weft_service *service, const char *path, struct weft_test_answer *ret)
{
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = path }, ret), 0);
    return ret->status;
}

static void wait_for(atomic_int *value, int wanted)
{
    for (int i = 0; i < 2000 && atomic_load(value) < wanted; i++)
        (void)usleep(5000);
    assert_true(atomic_load(value) >= wanted);
}

/* --- checks --------------------------------------------------------------------------------------------------- */

static int counted(struct weft_call *call, void *user)
{
    atomic_fetch_add((atomic_int *)user, 1);
    return 0;
}

static int no_reason(struct weft_call *call, void *user)
{
    return -EIO;
}

static int with_reason(struct weft_call *call, void *user)
{
    struct weft_bytes body;

    if (weft_body(call, &body) != -EINVAL || weft_answer_text(call, 200, NULL, "") != -EINVAL ||
        weft_header(call, "a") || weft_path_value(call, "a") || strcmp(weft_method(call), "") != 0 ||
        weft_query_value(call, "a") || weft_refuse(call, "", "x") != -EINVAL ||
        weft_answer_begin(call, 200, NULL) != -EINVAL || strlen(weft_trace_id(call)) != 32 ||
        strlen(weft_request_id(call)) != 32)
        return weft_because(call, -EIO, "a background call can do too much");
    return weft_because(call, -ENOENT, "table \"%s\" is missing", "items");
}

static int too_slow(struct weft_call *call, void *user)
{
    return weft_sleep(call, 60000);
}

static int asks(struct weft_call *call, void *user)
{
    return weft_request(call, "GET", "http://inventory/readyz", NULL).error;
}

static void checks_are_named(void **state)
{
    struct weft_service *service = create();
    struct weft_test_answer answer;
    atomic_int count = 0;

    assert_int_equal(weft_check(service, "database", counted, &count), 0);
    assert_int_equal(get(service, "/readyz", &answer), 200);
    assert_string_equal(answer.body.data, "{\"status\":\"ok\",\"checks\":{\"database\":\"ok\"}}");
    assert_string_equal(answer.type, "application/json");
    assert_string_equal(weft_test_header(&answer, "Cache-Control"), "no-store");
    weft_test_free(&answer);
    assert_int_equal(get(service, "/readyz", &answer), 200);
    weft_test_free(&answer);
    assert_int_equal(count, 1); /* what was said is kept for a second */
    weft_service_free(service);
}

static void failing_checks_say_why(void **state)
{
    struct weft_service *service = create();
    struct weft_test_request requests[8];
    struct weft_test_answer answers[8];
    atomic_int count = 0;

    assert_int_equal(weft_check(service, "a", counted, &count), 0);
    assert_int_equal(weft_check(service, "b", no_reason, NULL), 0);
    assert_int_equal(weft_check(service, "c", with_reason, NULL), 0);
    assert_int_equal(weft_check(service, "d", too_slow, NULL), 0);
    assert_int_equal(weft_check(service, "e", too_slow, NULL), 0); /* side by side: one second in all */
    assert_int_equal(weft_check(service, "f", asks, NULL), 0);
    assert_int_equal(weft_fake(service, "inventory", NULL, NULL), 0);
    for (int i = 0; i < 8; i++)
        requests[i] = (struct weft_test_request){ .path = "/readyz" };
    assert_int_equal(weft_test_all(service, requests, 8, answers), 0);
    assert_int_equal(count, 1); /* for all who ask */
    for (int i = 0; i < 8; i++) {
        assert_int_equal(answers[i].status, 503);
        assert_string_equal(answers[i].body.data,
                            "{\"status\":\"failing\",\"checks\":{\"a\":\"ok\",\"b\":\"Input/output error\","
                            "\"c\":\"table \\\"items\\\" is missing\",\"d\":\"its time was up\","
                            "\"e\":\"its time was up\",\"f\":\"nobody listens there\"}}");
        weft_test_free(&answers[i]);
    }
    weft_service_free(service);
}

static void checks_are_bounded(void **state)
{
    struct weft_service *service = create();
    struct weft_test_answer answer;
    char name[16];
    atomic_int count = 0;

    for (int i = 0; i < WEFT_CHECKS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "c%d", i);
        assert_int_equal(weft_check(service, name, counted, &count), 0);
    }
    assert_int_equal(get(service, "/readyz", &answer), 200);
    assert_int_equal(count, WEFT_CHECKS_MAX);
    weft_test_free(&answer);
    assert_int_equal(weft_check(service, "more", counted, &count), -ENOSPC);
    assert_string_equal(weft_fault(service), "check more: a service has at most 32");
    assert_int_equal(weft_check(service, "c1", counted, &count), -EEXIST);
    assert_int_equal(weft_check(service, "service", counted, &count), -EINVAL);
    assert_int_equal(weft_check(service, "a b", counted, &count), -EINVAL);
    assert_int_equal(weft_check(service, "x", NULL, &count), -EINVAL);
    assert_int_equal(weft_check(NULL, "x", counted, &count), -EINVAL);
    weft_service_free(service);
}

static int talks(struct weft_call *call, void *user)
{
    char *text = weft_alloc(call, CHASSIS_WHY_MAX + 2);

    memset(text, 'x', CHASSIS_WHY_MAX + 1);
    return weft_because(call, -EIO, "%s", text);
}

static void what_a_check_says_is_cut(void **state)
{
    struct weft_service *service = create();
    struct weft_test_answer answer;
    const char *at;

    assert_int_equal(weft_check(service, "a", talks, NULL), 0);
    assert_int_equal(get(service, "/readyz", &answer), 503);
    at = strstr(answer.body.data, "xx");
    assert_non_null(at);
    assert_int_equal(strspn(at, "x"), CHASSIS_WHY_MAX);
    weft_test_free(&answer);
    weft_service_free(service);
}

static void a_service_that_leaves_is_not_ready(void **state)
{
    struct weft_service *service = create();
    struct weft_test_answer answer;
    atomic_int count = 0;

    assert_int_equal(weft_check(service, "a", counted, &count), 0);
    weft_ready(service, false);
    assert_int_equal(get(service, "/readyz", &answer), 503);
    assert_string_equal(answer.body.data, "{\"status\":\"failing\",\"checks\":{\"service\":\"not ready\"}}");
    assert_int_equal(count, 0);
    weft_test_free(&answer);
    weft_ready(service, true);
    service->worker.draining = true;
    assert_int_equal(get(service, "/readyz", &answer), 503);
    assert_string_equal(answer.body.data, "{\"status\":\"failing\",\"checks\":{\"service\":\"draining\"}}");
    weft_test_free(&answer);
    weft_service_free(service);
}

/* --- tasks ---------------------------------------------------------------------------------------------------- */

struct work {
    struct weft_service *service;
    atomic_int runs, ended;
    int running, highest, result, ms;
};

static int work(struct weft_call *call, void *user)
{
    struct work *work = user;
    int r;

    atomic_fetch_add(&work->runs, 1);
    work->running++;
    work->highest = MAX(work->highest, work->running);
    r = weft_sleep(call, work->ms);
    work->running--;
    atomic_fetch_add(&work->ended, 1);
    return r < 0 ? r : work->result;
}

static int hurry(struct weft_call *call, void *user)
{
    struct work *work = user;

    return weft_answer_format(call, 200, NULL, "%d %d", weft_hurry(work->service, "work"),
                              weft_hurry(work->service, "no"));
}

static void a_task_runs_again_and_again(void **state)
{
    struct rig *rig = rig_create(NULL);
    struct work often = { .ms = 5 }, failing = { .result = -EIO };

    assert_int_equal(weft_every(rig->service, "often", 1, work, &often), 0);
    assert_int_equal(weft_every(rig->service, "failing", 1, work, &failing), 0);
    rig_start(rig);
    wait_for(&often.runs, 5);
    wait_for(&failing.runs, 5);
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(often.highest, 1);
    assert_int_equal(often.runs, often.ended);
    rig_free(rig);
}

static void a_task_is_hurried(void **state)
{
    struct rig *rig = rig_create(NULL);
    struct work seldom = { .service = rig->service };

    assert_int_equal(weft_every(rig->service, "work", 3600 * 1000, work, &seldom), 0);
    assert_int_equal(weft_route(rig->service, "GET", "/hurry", hurry, &seldom), 0);
    rig_start(rig);
    wait_for(&seldom.ended, 1); /* at once when the service starts */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rig_get(rig, "/hurry"), 200);
        assert_string_equal(rig_body(rig), "0 -2");
        wait_for(&seldom.ended, 2 + i);
    }
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(seldom.runs, 6);
    rig_free(rig);
}

#define RESTLESS_RUNS 300000

/* It has always more to do, and waits for nothing. */
static int restless_work(struct weft_call *call, void *user)
{
    struct work *work = user;

    return atomic_fetch_add(&work->runs, 1) < RESTLESS_RUNS ? weft_hurry(work->service, "work") : 0;
}

static void a_task_that_hurries_itself_leaves_others_their_turn(void **state)
{
    struct rig *rig = rig_create(NULL);
    struct work restless = { .service = rig->service };

    assert_int_equal(weft_every(rig->service, "work", 3600 * 1000, restless_work, &restless), 0);
    rig_start(rig);
    wait_for(&restless.runs, 3);
    assert_int_equal(rig_get(rig, "/livez"), 200);
    assert_int_equal(rig_stop(rig), 0);
    assert_true(restless.runs < RESTLESS_RUNS);
    rig_free(rig);
}

/* One under way may end in the time of the drain; one that does not is cancelled, and the exit code says so. */
static void a_drain_waits_for_a_task(void **state)
{
    const struct weft_options options = { .name = "test", .drain_ms = 60 };
    struct rig *rig = rig_create(NULL);
    struct work brief = { .ms = 100 }, endless = { .ms = 3600 * 1000 };

    assert_int_equal(weft_every(rig->service, "brief", 1, work, &brief), 0);
    rig_start(rig);
    wait_for(&brief.runs, 1);
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(brief.runs, brief.ended);
    rig_free(rig);
    rig = rig_create(&options);
    assert_int_equal(weft_every(rig->service, "endless", 1, work, &endless), 0);
    rig_start(rig);
    wait_for(&endless.runs, 1);
    assert_int_equal(rig_stop(rig), 2);
    assert_int_equal(endless.ended, 1);
    rig_free(rig);
}

static void tasks_are_bounded_in_time_and_number(void **state)
{
    const struct weft_options options = { .name = "test", .timeout_ms = 20 };
    struct rig *rig = rig_create(&options);
    struct work endless = { .ms = 3600 * 1000 };
    char name[16];

    for (int i = 0; i < WEFT_TASKS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        assert_int_equal(weft_every(rig->service, name, 1, work, &endless), 0);
    }
    rig_start(rig);
    wait_for(&endless.ended, 2 * WEFT_TASKS_MAX);
    assert_int_equal(weft_every(rig->service, "late", 1, work, &endless), -EBUSY);
    assert_int_equal(rig_stop(rig), 0);
    assert_int_equal(endless.highest, WEFT_TASKS_MAX);
    rig_free(rig);
    rig = rig_create(NULL);
    for (int i = 0; i < WEFT_TASKS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        assert_int_equal(weft_every(rig->service, name, 1, work, &endless), 0);
    }
    assert_int_equal(weft_every(rig->service, "more", 1, work, &endless), -ENOSPC);
    assert_string_equal(weft_fault(rig->service), "task more: a service has at most 32");
    assert_int_equal(weft_every(rig->service, "t1", 1, work, &endless), -EEXIST);
    assert_int_equal(weft_every(rig->service, "x", 0, work, &endless), -EINVAL);
    assert_int_equal(weft_every(rig->service, "x", 1, NULL, &endless), -EINVAL);
    assert_int_equal(weft_every(rig->service, "", 1, work, &endless), -EINVAL);
    assert_int_equal(weft_hurry(rig->service, NULL), -ENOENT);
    rig_free(rig);
}

static void a_test_ticks(void **state)
{
    struct weft_service *service = create();
    struct work once = { .result = -EIO };

    assert_int_equal(weft_every(service, "once", 1, work, &once), 0);
    assert_int_equal(weft_test_tick(service, "once"), -EIO);
    assert_int_equal(weft_test_tick(service, "none"), -ENOENT);
    assert_int_equal(weft_test_tick(service, NULL), -EINVAL);
    once.result = 0;
    assert_int_equal(weft_test_tick(service, "once"), 0);
    assert_int_equal(once.runs, 2);
    weft_service_free(service);
}

/* --- metrics -------------------------------------------------------------------------------------------------- */

struct counts {
    struct weft_metric *paid, *failed, *open;
};

static int count(struct weft_call *call, void *user)
{
    struct counts *counts = user;

    weft_count(counts->paid, 2);
    weft_count(counts->failed, 1);
    weft_count(counts->open, 1); /* a gauge is not counted */
    weft_gauge_set(counts->open, 7);
    weft_gauge_set(counts->paid, 0); /* a counter is not set */
    weft_count(NULL, 1);
    weft_gauge_set(NULL, 1);
    return weft_answer_text(call, 200, NULL, "");
}

static void counts_are_scraped(void **state)
{
    struct rig *rig = rig_create(NULL);
    struct counts counts = {
        .paid = weft_counter(rig->service, "orders_total{state=\"paid\"}", "Orders by \"state\"."),
        .open = weft_gauge(rig->service, "carts_open", "Carts."),
        .failed = weft_counter(rig->service, "orders_total{state=\"not paid\"}", "Other words."),
    };

    assert_string_equal(weft_fault(rig->service), "");
    assert_int_equal(weft_route(rig->service, "GET", "/things/{id}", count, &counts), 0);
    rig_start(rig);
    assert_int_equal(rig_get(rig, "/things/1"), 200);
    assert_int_equal(rig_get(rig, "/things/2"), 200);
    assert_int_equal(rig_get(rig, "/metrics"), 200);
    assert_true(rig_said(rig, "Content-Type: text/plain; version=0.0.4"));
    assert_true(rig_said(
        rig, "# TYPE orders_total counter\norders_total{state=\"paid\"} 4\norders_total{state=\"not paid\"} 2\n"));
    assert_true(rig_said(rig, "# TYPE carts_open gauge\ncarts_open 7\n"));
    assert_true(rig_said(rig, "http_route=\"/things/{id}\""));
    assert_true(rig_said(rig, "# TYPE http_server_request_duration_seconds histogram\n"));
    assert_true(rig_said(rig, "process_"));
    assert_int_equal(rig_ask(rig, "POST /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 405);
    assert_int_equal(rig_stop(rig), 0);
    rig_free(rig);
}

static void metrics_have_names_and_bounds(void **state)
{
    static const char *const BAD[] = { "",
                                       "1a_total",
                                       "a-b_total",
                                       "a_total{",
                                       "a_total{x}",
                                       "a_total{x=1}",
                                       "a_total{x=\"1}",
                                       "a_total{x=\"1\"",
                                       "a_total{x=\"\"1\"}",
                                       "a_total{x=\"\\\"}",
                                       "a_total{=\"1\"}",
                                       "a_total{1=\"1\"}",
                                       "orders",
                                       "weft_x_total",
                                       "http_x_total",
                                       "process_x_total" };
    struct weft_service *service = create();
    char name[32], help[CHASSIS_HELP_MAX + 2];

    memset(help, 'x', CHASSIS_HELP_MAX + 1);
    help[CHASSIS_HELP_MAX + 1] = '\0';
    assert_null(weft_counter(service, "long_total", help));
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        assert_null(weft_counter(service, BAD[i], "x"));
    assert_null(weft_counter(service, NULL, "x"));
    assert_null(weft_counter(service, "a_total", NULL));
    assert_null(weft_counter(service, "a_total", "two\nlines"));
    assert_null(weft_counter(service, "a_total", "back\\slash"));
    assert_null(weft_counter(NULL, "a_total", "x"));
    for (int i = 0; i < WEFT_METRICS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "orders%d_total%s", i / 2, i % 2 ? "{a=\"b\"}" : "");
        assert_non_null(weft_counter(service, name, "x"));
    }
    assert_null(weft_gauge(service, "more", "x"));
    assert_null(weft_counter(service, "orders1_total", "x"));
    assert_null(weft_gauge(service, "orders1_total{b=\"c\"}", "x"));
    weft_service_free(service);
}

/* --- log ------------------------------------------------------------------------------------------------------ */

static int logs(struct weft_call *call, void *user)
{
    weft_log(call, WEFT_INFO, "in a call");
    return weft_answer_text(call, 200, NULL, "");
}

/* Standard output goes to a file while the service runs. */
static void run_with_log(struct rig *rig, FILE *to)
{
    int kept = dup(STDOUT_FILENO);

    assert_true(kept >= 0);
    assert_int_equal(fflush(stdout), 0);
    assert_true(dup2(fileno(to), STDOUT_FILENO) >= 0);
    weft_service_log(rig->service, WEFT_WARNING, "before it %s", "runs");
    rig_start(rig);
    assert_int_equal(
        rig_ask(rig, "GET /logs?a=1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-7\r\nConnection: close\r\n\r\n"), 200);
    assert_int_equal(rig_get(rig, "/readyz"), 200);
    assert_int_equal(rig_get(rig, "/none"), 404);
    assert_int_equal(rig_stop(rig), 0);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    assert_int_equal(close(kept), 0);
}

static void the_log_tells(void **state)
{
    const struct weft_options options = { .name = "test", .log_access = true };
    struct rig *rig = rig_create(&options);
    FILE *file = tmpfile();
    char text[8192];
    size_t len;

    assert_non_null(file);
    assert_int_equal(weft_route(rig->service, "GET", "/logs", logs, NULL), 0);
    run_with_log(rig, file);
    rewind(file);
    len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    assert_non_null(strstr(
        text, "\"level\":\"warning\",\"service\":\"test\",\"instance\":\"test\",\"message\":\"before it runs\"}\n"));
    assert_non_null(strstr(text, "\"request_id\":\"id-7\",\"message\":\"in a call\"}\n"));
    assert_non_null(
        strstr(text, "\"request_id\":\"id-7\",\"message\":\"GET /logs 200\",\"method\":\"GET\",\"route\":\"/logs\","
                     "\"status\":200,\"outcome\":\"ok\",\"duration_ms\":"));
    assert_non_null(strstr(text, "\"message\":\"GET /none 404\""));
    assert_null(strstr(text, "/readyz")); /* probes are many and say nothing */
    rig_free(rig);
}

/* --- no memory ------------------------------------------------------------------------------------------------ */

static int set_up(void *context)
{
    struct weft_service *service = NULL;
    const struct weft_options options = { .name = "test", .address_only = true, .keep_signals = true };
    struct weft_test_answer answer = { .status = 0 };
    atomic_int checked = 0;
    int r = weft_service_create(&options, &service);

    if (r < 0)
        return r;
    r = weft_check(service, "a", counted, &checked);
    if (r == 0)
        r = weft_every(service, "b", 1, counted, &checked);
    if (r == 0 && !weft_counter(service, "c_total", "help"))
        r = -ENOMEM;
    if (r == 0)
        r = weft_fake(service, "d", NULL, NULL);
    if (r == 0)
        r = weft_test_tick(service, "b");
    if (r == 0)
        r = weft_test(service, &(struct weft_test_request){ .path = "/readyz" }, &answer);
    if (r == 0 && answer.status == 503)
        r = -ENOMEM;
    weft_test_free(&answer);
    weft_service_free(service);
    return r;
}

static void without_memory_it_is_said(void **state)
{
    assert_true(faults_each(set_up, NULL) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_are_named),
        cmocka_unit_test(failing_checks_say_why),
        cmocka_unit_test(checks_are_bounded),
        cmocka_unit_test(what_a_check_says_is_cut),
        cmocka_unit_test(a_service_that_leaves_is_not_ready),
        cmocka_unit_test(a_task_runs_again_and_again),
        cmocka_unit_test(a_task_is_hurried),
        cmocka_unit_test(a_task_that_hurries_itself_leaves_others_their_turn),
        cmocka_unit_test(a_drain_waits_for_a_task),
        cmocka_unit_test(tasks_are_bounded_in_time_and_number),
        cmocka_unit_test(a_test_ticks),
        cmocka_unit_test(counts_are_scraped),
        cmocka_unit_test(metrics_have_names_and_bounds),
        cmocka_unit_test(the_log_tells),
        cmocka_unit_test(without_memory_it_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
