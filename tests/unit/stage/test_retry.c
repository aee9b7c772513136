#include "rig.h"
#include "stage/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- decisions -------------------------------------------------------------------------------------------- */

static const struct {
    enum outcome outcome;
    unsigned status;
    bool get, post, keyed; /* whether a GET, a POST, a POST with Idempotency-Key is tried again */
} WANTED[] = {
    { OUTCOME_OK, 200, false, false, false },
    { OUTCOME_OK, 500, false, false, false },
    { OUTCOME_OK, 501, false, false, false },
    { OUTCOME_OK, 502, true, false, true },
    { OUTCOME_OK, 503, true, false, true },
    { OUTCOME_OK, 504, true, false, true },
    { OUTCOME_OK, 505, false, false, false },
    { OUTCOME_OK, 429, false, false, false },
    { OUTCOME_OK, 999, false, false, false },
    { OUTCOME_NO_ENDPOINT, 0, true, true, true },
    { OUTCOME_CONNECT_FAILED, 0, true, true, true },
    { OUTCOME_CONNECT_TIMEOUT, 0, true, true, true },
    { OUTCOME_CONNECTIONS_FULL, 0, true, true, true },
    { OUTCOME_UPSTREAM_CLOSED, 0, true, false, true },
    { OUTCOME_UPSTREAM_PROTOCOL, 0, true, false, true },
    { OUTCOME_TRY_TIMEOUT, 0, true, false, true },
    { OUTCOME_OVERLOAD, 0, false, false, false },
    { OUTCOME_CLIENT_GONE, 0, false, false, false },
    { OUTCOME_CANCELED, 0, false, false, false },
    { OUTCOME_INTERNAL, 0, false, false, false },
    { OUTCOME_NO_ROUTE, 0, false, false, false },
    { OUTCOME_BAD_REQUEST, 0, false, false, false },
    { OUTCOME_LIMITED, 0, false, false, false },
    { OUTCOME_LOOP, 0, false, false, false },
};

static bool wanted(const struct retry_on *on, enum outcome outcome, unsigned status, enum http_method method,
                   bool keyed)
{
    struct exchange x = { .response = { .status = status },
                          .request = { .method = method, .known = (uint64_t)keyed << HTTP_FIELD_IDEMPOTENCY_KEY } };

    return retry_wanted(on, &x, outcome);
}

static void only_what_is_safe_is_tried_again(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(WANTED); i++) {
        enum outcome outcome = WANTED[i].outcome;
        unsigned status = WANTED[i].status;

        if (wanted(&RETRY_ON_DEFAULT, outcome, status, HTTP_GET, false) != WANTED[i].get ||
            wanted(&RETRY_ON_DEFAULT, outcome, status, HTTP_POST, false) != WANTED[i].post ||
            wanted(&RETRY_ON_DEFAULT, outcome, status, HTTP_POST, true) != WANTED[i].keyed)
            fail_msg("row %zu, %s %u", i, outcome_info(outcome)->name.data, status);
    }
}

static void on_names_what_is_tried_again(void **state)
{
    static const char *const BAD[] = { "", "399", "600", "5xx", "-1", "Unsent", "503 ", "99999999999999999999" };
    struct retry_on on = { 0 };

    assert_false(wanted(&on, OUTCOME_CONNECT_FAILED, 0, HTTP_GET, false));
    assert_int_equal(retry_on_add(&on, BYTES("unsent")), 0);
    assert_true(wanted(&on, OUTCOME_CONNECT_FAILED, 0, HTTP_GET, false));
    assert_false(wanted(&on, OUTCOME_UPSTREAM_CLOSED, 0, HTTP_GET, false));
    assert_int_equal(retry_on_add(&on, BYTES("unknown")), 0);
    assert_true(wanted(&on, OUTCOME_UPSTREAM_CLOSED, 0, HTTP_GET, false));
    for (unsigned status = 400; status <= 599; status++) {
        char text[8];

        snprintf(text, sizeof(text), "%u", status);
        assert_false(wanted(&on, OUTCOME_OK, status, HTTP_GET, false));
        assert_int_equal(retry_on_add(&on, bytes_of_text(text)), 0);
        assert_true(wanted(&on, OUTCOME_OK, status, HTTP_GET, false));
    }
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        assert_int_equal(retry_on_add(&on, bytes_of_text(BAD[i])), -EINVAL);
}

static void backoff_doubles_with_full_jitter(void **state)
{
    static const int64_t BOUNDS_MS[] = { 25, 50, 100, 200, 250, 250, 250 };
    struct duration_range backoff = { 25 * NS_PER_MS, 250 * NS_PER_MS }, none = { 0, 0 }, odd = { 0, 5 };
    struct prng prng;

    prng_seed(&prng, 5);
    for (unsigned retry = 1; retry <= ARRAY_LEN(BOUNDS_MS); retry++) {
        int64_t bound = BOUNDS_MS[retry - 1] * NS_PER_MS, low = bound, high = 0;

        for (unsigned i = 0; i < 1000; i++) {
            int64_t ns = retry_backoff_ns(&backoff, retry, &prng);

            assert_true(ns >= 0 && ns <= bound);
            low = MIN(low, ns);
            high = MAX(high, ns);
        }
        assert_true(low < bound / 20 && high > bound - bound / 20); /* all of it is used */
    }
    assert_int_equal(retry_backoff_ns(&none, 1, &prng), 0);
    assert_int_equal(retry_backoff_ns(&odd, RETRY_ATTEMPTS_MAX, &prng), 0);
}

static const struct {
    const char *value;
    int64_t ns;
} AFTER[] = {
    { NULL, 0 },
    { "0", 0 },
    { "1", NS_PER_S },
    { " 5 ", 5 * NS_PER_S },
    { "6", -1 },
    { "99999999999999999999", -1 },
    { "Fri, 31 Dec 1999 23:59:59 GMT", -1 },
    { "", -1 },
    { "-1", -1 },
};

static void retry_after_is_honoured_up_to_a_bound(void **state)
{
    assert_int_equal(RETRY_AFTER_MAX_NS, 5 * NS_PER_S);
    for (size_t i = 0; i < ARRAY_LEN(AFTER); i++) {
        struct http_field fields[1];
        struct http_head head = { .fields = fields, .field_max = 1 };

        if (AFTER[i].value)
            assert_int_equal(http_head_add(&head, HTTP_FIELD_RETRY_AFTER, bytes_of_text(AFTER[i].value)), 0);
        assert_int_equal(retry_after_ns(&head), AFTER[i].ns);
    }
}

/* --- the stage -------------------------------------------------------------------------------------------- */

static const struct retry_conf USUAL = {
    .attempts = 3, .backoff = { 25 * NS_PER_MS, 250 * NS_PER_MS }, .budget = 0.2, .budget_floor = 3
};
static const struct balance_conf BALANCE = { .service = { "orders", 6 } };

static void usual_stages(struct rig *rig, const struct retry_conf *conf)
{
    const struct rig_stage stages[] = { { &STAGE_RETRY, conf },
                                        { &STAGE_BALANCE, &BALANCE },
                                        { &STAGE_ENDPOINT, NULL } };

    (void)rig_snapshot(rig, stages, ARRAY_LEN(stages));
}

/* One of three can't be connected to: every request is answered by another one, and soon nobody asks it. */
static void elsewhere(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 3, "/ready");
    struct rig_call call = { .method = HTTP_POST };

    usual_stages(rig, &USUAL);
    rig_plan(rig, 101)->outcome = OUTCOME_CONNECT_FAILED;
    rig_plan(rig, 101)->check_status = 1;
    for (unsigned i = 0; i < 30; i++) {
        rig_call(rig, &call);
        RIG_CHECK(rig, call.outcome == OUTCOME_OK && call.status == 200);
        RIG_CHECK(rig, call.attempts == call.retries + 1 && call.retries <= 1);
    }
    RIG_CHECK(rig, rig_plan(rig, 101)->calls == 1);
    RIG_CHECK(rig, metric_read(&service->posts[0].metrics.ejections) == 1);
    RIG_CHECK(rig, metric_read(&service->posts[0].metrics.retries) == 1);
    RIG_CHECK(rig, metric_read(&service->posts[0].metrics.chosen) == 31);
}

static void retry_goes_to_another_endpoint(void **state)
{
    rig_run(elsewhere, 1, NULL);
}

static void spread(struct rig *rig)
{
    struct rig_call call = { .method = HTTP_GET };

    (void)rig_service(rig, "orders", 100, 3, "/ready");
    usual_stages(rig, &USUAL);
    for (unsigned i = 0; i < 3; i++)
        rig_plan(rig, 100 + i)->status = 503; /* no ejection: they answer */
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_OK && call.status == 503 && call.attempts == 3);
    for (unsigned i = 0; i < 3; i++)
        RIG_CHECK(rig, rig_plan(rig, 100 + i)->calls == 1); /* each once */
    call.method = HTTP_POST;
    rig_call(rig, &call);
    RIG_CHECK(rig, call.status == 503 && call.attempts == 1 && strncmp(call.body, "orders-", 7) == 0);
}

static void last_answer_stands(void **state)
{
    rig_run(spread, 1, NULL);
}

/* Also where chance would go back: of three, two answer 503, and nobody gets their answers. */
static void never_back(struct rig *rig)
{
    const struct balance_conf balance = { .by = BALANCE_LEAST_REQUEST, .service = BYTES("orders") };
    const struct retry_conf eager = { .attempts = 3, .budget = 1, .budget_floor = 100 };
    const struct rig_stage stages[] = { { &STAGE_RETRY, &eager },
                                        { &STAGE_BALANCE, &balance },
                                        { &STAGE_ENDPOINT, NULL } };
    struct rig_call call = { .method = HTTP_GET };
    unsigned retries = 0;

    (void)rig_service(rig, "orders", 100, 3, "/ready");
    (void)rig_snapshot(rig, stages, ARRAY_LEN(stages));
    rig_plan(rig, 100)->status = rig_plan(rig, 101)->status = 503;
    for (unsigned i = 0; i < 100; i++) {
        rig_call(rig, &call);
        RIG_CHECK(rig, call.outcome == OUTCOME_OK && call.status == 200);
        retries += call.retries;
    }
    RIG_CHECK(rig, retries > 20 && retries == rig_plan(rig, 100)->calls + rig_plan(rig, 101)->calls);
    worker_leave_all(&rig->workers[0]); /* before the settings above go */
    (void)snapshots_sweep(&rig->snapshots);
}

static void retry_never_goes_back(void **state)
{
    rig_run(never_back, 1, NULL);
}

static void waits(struct rig *rig)
{
    struct rig_plan *plan = rig_plan(rig, 100);
    struct rig_call call = { .method = HTTP_GET };

    (void)rig_service(rig, "orders", 100, 1, "/ready");
    usual_stages(rig, &USUAL);
    plan->status = 503;
    plan->retry_after = "1";
    rig_call(rig, &call);
    RIG_CHECK(rig, call.attempts == 3 && call.ended_ns - call.began_ns >= 2 * NS_PER_S);
    RIG_CHECK(rig, call.ended_ns - call.began_ns < 2100 * NS_PER_MS);
    plan->retry_after = "60";
    rig_call(rig, &call);
    RIG_CHECK(rig, call.attempts == 1 && call.status == 503 && call.body[0]);
    plan->retry_after = "2"; /* longer than what is left: the answer stands, at once */
    call.limit_ns = NS_PER_S;
    rig_call(rig, &call);
    RIG_CHECK(rig, call.attempts == 1 && call.status == 503 && call.ended_ns - call.began_ns < NS_PER_MS);
}

static void waits_are_within_the_deadline(void **state)
{
    rig_run(waits, 1, NULL);
}

/* Nothing but failures: the budget holds, and each answer is still an answer. 1000 requests a second, for 20 s. */
static void outage(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 2, "/ready");
    struct rig_call *calls = mem_zalloc_array(1000, sizeof(*calls));
    unsigned sent = 0, offered = 0;

    usual_stages(rig, &USUAL);
    rig_plan(rig, 100)->status = rig_plan(rig, 101)->status = 503;
    for (unsigned i = 0; calls && i < 20000; i++) {
        struct rig_call *call = &calls[i % 1000];

        if (i >= 1000) {
            RIG_CHECK(rig, call->ended_ns && call->outcome == OUTCOME_OK && call->status == 503);
            sent += call->attempts;
            offered++;
        }
        call->method = HTTP_GET;
        rig_call_start(rig, call);
        rig_sleep(NS_PER_MS);
    }
    rig_sleep(NS_PER_S);
    RIG_CHECK(rig, offered == 19000 && (double)sent / offered <= 1.21 && (double)sent / offered >= 1.15);
    RIG_CHECK(rig, metric_read(&service->posts[0].metrics.retries_refused) > 10000);
    mem_free(calls);
}

static void outage_is_not_made_worse(void **state)
{
    rig_run(outage, 1, NULL);
}

/* A body that has been sent in part and was not kept can't be sent again. */
struct unkept {
    struct rig_call call;
    struct body body;
    unsigned attempts;
    enum outcome outcome;
    int64_t took_ns;
};

static char big[4096];

static int big_read(struct body *body, struct bytes *ret_chunk)
{
    *ret_chunk = bytes_of(big, sizeof(big));
    return 1;
}

static void big_close(struct body *body, enum outcome why)
{
}

static const struct body_ops BIG_OPS = { big_read, big_close };

/* Reads more of the request than the tee keeps, then fails. */
static enum outcome reader_run(const struct stage *s, struct exchange *x)
{
    struct bytes chunk;

    x->attempts++;
    for (size_t count = 0; count <= 2 * TEE_MAX; count += chunk.len)
        if (body_read(x->request_body, &chunk) != 1)
            return OUTCOME_INTERNAL;
    return OUTCOME_UPSTREAM_CLOSED;
}

static const struct stage_type READER = { .name = "reader", .run = reader_run };

static int unkept_run(struct task *task)
{
    struct unkept *unkept = container_of(task, struct unkept, call.task);
    struct worker *worker = &unkept->call.rig->workers[0];
    struct scope scope;
    struct exchange *x;
    int r;

    scope_open(&scope, TIME_NEVER);
    r = exchange_create(worker, NULL, &scope, &x);
    if (r == 0)
        r = exchange_set_request_body(x, &unkept->body);
    if (r == 0) {
        x->request.method = HTTP_PUT;
        unkept->took_ns = -worker->loop->now_ns;
        unkept->outcome = stage_run(x->view->snapshot->root, x);
        unkept->took_ns += worker->loop->now_ns;
        unkept->attempts = x->attempts;
        exchange_end(x, unkept->outcome);
    }
    (void)scope_close(&scope);
    return r;
}

static void unkept(struct rig *rig)
{
    const struct retry_conf slow = { .attempts = 3, .backoff = { NS_PER_S, NS_PER_S }, .budget = 1, .budget_floor = 3 };
    const struct rig_stage stages[] = { { &STAGE_RETRY, &slow }, { &READER, NULL } };
    struct unkept unkept = { .body.ops = &BIG_OPS, .call.rig = rig, .call.task.run = unkept_run };

    (void)rig_snapshot(rig, stages, 2);
    rig_on_worker(rig, 0, &unkept.call.task);
    RIG_CHECK(rig, unkept.attempts == 1 && unkept.outcome == OUTCOME_UPSTREAM_CLOSED);
    RIG_CHECK(rig, unkept.took_ns == 0); /* nor is it waited for nothing */
    worker_leave_all(&rig->workers[0]);
    (void)snapshots_sweep(&rig->snapshots);
}

static void what_is_not_kept_is_not_sent_again(void **state)
{
    rig_run(unkept, 1, NULL);
}

/* The instances come while the request waits. */
static void late(struct rig *rig)
{
    const struct retry_conf patient = {
        .attempts = RETRY_ATTEMPTS_MAX, .backoff = { NS_PER_S, NS_PER_S }, .budget = 1, .budget_floor = 3
    };
    struct rig_call call = { .method = HTTP_POST };
    struct service *service = rig_service(rig, "orders", 100, 0, "/ready");

    usual_stages(rig, &patient);
    rig_call_start(rig, &call);
    rig_sleep(100 * NS_PER_MS);
    RIG_CHECK(rig, rig_set(rig, service, 100, 1) == 0);
    rig_sleep(20 * NS_PER_S);
    RIG_CHECK(rig, call.ended_ns && call.outcome == OUTCOME_OK && call.retries >= 1 && call.attempts == 1);
    RIG_CHECK(rig, metric_read(&service->posts[0].metrics.empty) >= 1);
}

static void service_that_comes_late_is_waited_for(void **state)
{
    rig_run(late, 1, NULL);
}

static void bad_words(struct rig *rig)
{
    struct bytes words[] = { BYTES("unsent"), BYTES("sometimes") };
    struct retry_conf conf = { .attempts = 3, .on = { words, 2 } };
    struct stage stage = { .type = &STAGE_RETRY, .path = BYTES("p"), .conf = &conf };
    struct fault fault = { 0 };

    RIG_CHECK(rig, STAGE_RETRY.prepare(&stage, NULL, &fault) == -EINVAL && strstr(fault.what, "sometimes"));
    words[1] = BYTES("429");
    RIG_CHECK(rig, STAGE_RETRY.prepare(&stage, NULL, &fault) == 0);
    RIG_CHECK(rig, !((struct retry_on *)stage.state)->unknown && ((struct retry_on *)stage.state)->unsent);
    STAGE_RETRY.retire(&stage);
}

static void bad_words_are_refused(void **state)
{
    rig_run(bad_words, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_safe_is_tried_again),
        cmocka_unit_test(on_names_what_is_tried_again),
        cmocka_unit_test(backoff_doubles_with_full_jitter),
        cmocka_unit_test(retry_after_is_honoured_up_to_a_bound),
        cmocka_unit_test(retry_goes_to_another_endpoint),
        cmocka_unit_test(last_answer_stands),
        cmocka_unit_test(retry_never_goes_back),
        cmocka_unit_test(waits_are_within_the_deadline),
        cmocka_unit_test(outage_is_not_made_worse),
        cmocka_unit_test(what_is_not_kept_is_not_sent_again),
        cmocka_unit_test(service_that_comes_late_is_waited_for),
        cmocka_unit_test(bad_words_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
