#include "supervise/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Deaths of one process, at seconds since the start, and the wait after each. */
struct death {
    int at_s, ready_for_s; /* ready_for_s -1: it was never ready */
    int wait_s;
};

static void follow(const struct death *deaths, size_t count, unsigned free)
{
    struct backoff backoff;

    backoff_init(&backoff, free);
    for (size_t i = 0; i < count; i++) {
        int64_t now_ns = (1000 + deaths[i].at_s) * NS_PER_S;
        int64_t ready_ns = deaths[i].ready_for_s < 0 ? 0 : now_ns - deaths[i].ready_for_s * NS_PER_S;
        int64_t wait_ns = backoff_failed(&backoff, now_ns, ready_ns);

        if (wait_ns != deaths[i].wait_s * NS_PER_S)
            fail_msg("death %zu: %lld s", i, (long long)(wait_ns / NS_PER_S));
    }
}

static void waits_double_up_to_a_minute(void **state)
{
    const struct death deaths[] = { { 0, -1, 1 },   { 1, -1, 2 },    { 3, -1, 4 },    { 7, -1, 8 },
                                    { 15, -1, 16 }, { 31, -1, 32 },  { 63, -1, 60 },  { 123, -1, 60 },
                                    { 183, 9, 60 }, { 243, -1, 60 }, { 303, -1, 60 }, { 363, -1, 60 } };

    assert_int_equal(RESTART_FIRST_NS, NS_PER_S);
    assert_int_equal(RESTART_MAX_NS, 60 * NS_PER_S);
    follow(deaths, ARRAY_LEN(deaths), 0);
}

static void never_gives_up(void **state)
{
    struct backoff backoff;

    backoff_init(&backoff, 0);
    for (int i = 0; i < 100000; i++)
        assert_true(backoff_failed(&backoff, i * 60 * NS_PER_S, 0) <= RESTART_MAX_NS);
}

static void health_starts_anew(void **state)
{
    const struct death deaths[] = { { 0, -1, 1 }, { 1, -1, 2 }, { 20, 10, 1 }, { 21, -1, 2 }, { 40, 9, 4 } };

    assert_int_equal(RESTART_HEALTHY_NS, 10 * NS_PER_S);
    follow(deaths, ARRAY_LEN(deaths), 0);
}

static void some_are_free_within_a_window(void **state)
{
    const struct death loop[] = { { 0, 0, 0 }, { 1, 0, 0 }, { 2, 0, 1 }, { 4, 0, 2 }, { 8, 0, 4 }, { 30, 12, 0 } };
    const struct death rare[] = { { 0, 0, 0 }, { 11, 0, 0 }, { 22, 0, 0 }, { 33, 0, 0 }, { 34, 0, 0 }, { 35, 0, 1 } };

    assert_int_equal(RESTARTS_FREE, 2);
    assert_int_equal(RESTART_WINDOW_NS, 10 * NS_PER_S);
    follow(loop, ARRAY_LEN(loop), RESTARTS_FREE);
    follow(rare, ARRAY_LEN(rare), RESTARTS_FREE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_a_minute),
        cmocka_unit_test(never_gives_up),
        cmocka_unit_test(health_starts_anew),
        cmocka_unit_test(some_are_free_within_a_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
