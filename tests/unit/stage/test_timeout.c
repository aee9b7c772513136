#include "rig.h"
#include "stage/stages.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct balance_conf ORDERS = { .service = { "orders", 6 } };
static const struct retry_conf RETRY = { .attempts = 3, .budget = 1, .budget_floor = 10 };

/* Limits in ms; 0: none. The endpoint answers after `delay`. */
static const struct {
    int64_t outside, total, try, delay;
    enum outcome outcome;
    int64_t took;
} ROWS[] = {
    { 0, 1000, 0, 500, OUTCOME_OK, 500 },
    { 0, 1000, 0, 1500, OUTCOME_TIMEOUT, 1000 },
    { 0, 1000, 200, 500, OUTCOME_TRY_TIMEOUT, 600 }, /* three tries */
    { 0, 500, 200, 1000, OUTCOME_TIMEOUT, 500 },     /* the third is cut short by the total */
    { 0, 0, 200, 100, OUTCOME_OK, 100 },
    { 0, 0, 0, 5000, OUTCOME_OK, 5000 },
    { 300, 1000, 0, 500, OUTCOME_TIMEOUT, 300 }, /* what surrounds us was sooner */
    { 300, 1000, 200, 500, OUTCOME_TIMEOUT, 300 },
};

struct seen {
    int64_t deadline_ns, after_ns;
};

/* Notes the deadline outside of the others, before and after. */
static enum outcome watch_run(const struct stage *s, struct exchange *x)
{
    struct seen *seen = (struct seen *)s->conf;
    enum outcome outcome;

    seen->deadline_ns = x->deadline_ns;
    outcome = stage_next(s, x);
    seen->after_ns = x->deadline_ns;
    return outcome;
}

static const struct stage_type WATCH = { .name = "watch", .run = watch_run };

static void limits(struct rig *rig)
{
    (void)rig_service(rig, "orders", 100, 1, "");
    atomic_store(&registry_find(&rig->registry, BYTES("orders"))->set->entries[0].instance->ready, HEALTH_READY);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct timeout_conf total = { ROWS[i].total * NS_PER_MS }, try = { ROWS[i].try * NS_PER_MS };
        struct seen seen = { 0 };
        const struct rig_stage stages[] = { { &WATCH, &seen },        { &STAGE_TIMEOUT, &total },
                                            { &STAGE_RETRY, &RETRY }, { &STAGE_BALANCE, &ORDERS },
                                            { &STAGE_PER_TRY, &try }, { &STAGE_ENDPOINT, NULL } };
        struct rig_call call = { .method = HTTP_GET, .limit_ns = ROWS[i].outside * NS_PER_MS };
        int64_t took;

        (void)rig_snapshot(rig, stages, ARRAY_LEN(stages));
        rig_plan(rig, 100)->delay_ns = ROWS[i].delay * NS_PER_MS;
        rig_call(rig, &call);
        took = (call.ended_ns - call.began_ns + NS_PER_MS / 2) / NS_PER_MS;
        if (call.outcome != ROWS[i].outcome || took < ROWS[i].took - 1 || took > ROWS[i].took + 1)
            world_fail(rig->world, "row %zu: outcome %d after %lld ms", i, (int)call.outcome, (long long)took);
        RIG_CHECK(rig, seen.deadline_ns == seen.after_ns && seen.deadline_ns > 0);
        worker_leave_all(&rig->workers[0]);
        (void)snapshots_sweep(&rig->snapshots);
    }
}

static void limits_end_what_is_within(void **state)
{
    rig_run(limits, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(limits_end_what_is_within) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
