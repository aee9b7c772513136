#include "stage/retry_budget.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Tries in all per request offered, when every try fails: `attempts` a request, `rate` requests a second, for 60 s. */
static double load(const struct retry_budget_rules *rules, unsigned rate, unsigned attempts)
{
    struct retry_budget budget = { 0 };
    uint64_t offered = 0, sent = 0;

    for (int64_t now_ns = 1000 * NS_PER_S; now_ns < 1060 * NS_PER_S; now_ns += NS_PER_S / rate) {
        retry_budget_offer(&budget, now_ns);
        offered++;
        sent++;
        for (unsigned retry = 1; retry < attempts && retry_budget_take(&budget, rules, now_ns); retry++)
            sent++;
    }
    return (double)sent / (double)offered;
}

static void outage_costs_little(void **state)
{
    struct retry_budget_rules rules = { 0.2, 3, 1 };

    assert_true(load(&rules, 1000, 3) <= 1.21);
    assert_true(load(&rules, 1000, 3) >= 1.19); /* and the budget is there to be used */
    assert_true(load(&rules, 1000, 10) <= 1.21);
    rules.workers = 4; /* each worker with a quarter of it all */
    assert_true(load(&rules, 250, 3) <= 1.21);
}

static void quiet_service_has_the_floor(void **state)
{
    struct retry_budget_rules rules = { 0.2, 3, 1 };
    struct retry_budget budget = { 0 };
    int64_t now_ns = 500 * NS_PER_S;
    unsigned taken = 0;

    while (retry_budget_take(&budget, &rules, now_ns))
        taken++;
    assert_int_equal(taken, 3 * RETRY_WINDOW_S);
    assert_false(retry_budget_has(&budget, &rules, now_ns + 9 * NS_PER_S));
    assert_true(retry_budget_has(&budget, &rules, now_ns + RETRY_WINDOW_S * NS_PER_S));
}

static const struct {
    double fraction, floor;
    unsigned workers, offered, taken;
} ROWS[] = {
    { 0.2, 3, 3, 0, 10 },                                                 /* the floor is divided */
    { 0.2, 3, 100, 0, 1 },                                                /* but leaves everybody one */
    { 0.2, 0, 1, 100, 20 },                                               /* no floor */
    { 0.2, 0, 1, 4, 0 },    { 0.2, 0, 1, 5, 1 },    { 0, 0, 1, 1000, 0 }, /* no retries at all */
    { 1, 0, 1, 50, 50 },    { 0.2, 1, 1, 100, 30 },                       /* both together */
    { 0.2, 1, 0, 100, 30 },
};

static void budget_is_share_plus_floor(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct retry_budget_rules rules = { ROWS[i].fraction, ROWS[i].floor, ROWS[i].workers };
        struct retry_budget budget = { 0 };
        unsigned taken = 0;

        for (unsigned k = 0; k < ROWS[i].offered; k++)
            retry_budget_offer(&budget, 77 * NS_PER_S);
        while (taken < 2000 && retry_budget_take(&budget, &rules, 77 * NS_PER_S))
            taken++;
        if (taken != ROWS[i].taken)
            fail_msg("row %zu: %u retries, not %u", i, taken, ROWS[i].taken);
    }
}

/* What was offered counts for the window and no longer, and what is older than the window is forgotten at once. */
static void window_slides(void **state)
{
    struct retry_budget_rules rules = { 0.1, 0, 1 };
    struct retry_budget budget = { 0 };

    for (unsigned i = 0; i < 100; i++)
        retry_budget_offer(&budget, (100 + i / 10) * NS_PER_S); /* 10 a second, from 100 s to 109 s */
    for (unsigned i = 0; i < 5; i++)
        assert_true(retry_budget_take(&budget, &rules, 109 * NS_PER_S));
    assert_true(retry_budget_has(&budget, &rules, 113 * NS_PER_S));  /* 60 offered, 5 taken: one more */
    assert_false(retry_budget_has(&budget, &rules, 114 * NS_PER_S)); /* 50 */
    assert_false(retry_budget_has(&budget, &rules, 119 * NS_PER_S));
    retry_budget_offer(&budget, 5000 * NS_PER_S);
    for (unsigned i = 0; i < 9; i++)
        retry_budget_offer(&budget, 5000 * NS_PER_S);
    assert_true(retry_budget_take(&budget, &rules, 5000 * NS_PER_S));
    assert_false(retry_budget_take(&budget, &rules, 5000 * NS_PER_S));
}

static void asking_takes_nothing(void **state)
{
    struct retry_budget_rules rules = { 0, 0.1, 1 };
    struct retry_budget budget = { 0 };

    for (unsigned i = 0; i < 100; i++)
        assert_true(retry_budget_has(&budget, &rules, NS_PER_S));
    assert_true(retry_budget_take(&budget, &rules, NS_PER_S));
    assert_false(retry_budget_has(&budget, &rules, NS_PER_S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outage_costs_little),        cmocka_unit_test(quiet_service_has_the_floor),
        cmocka_unit_test(budget_is_share_plus_floor), cmocka_unit_test(window_slides),
        cmocka_unit_test(asking_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
