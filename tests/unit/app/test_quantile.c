#include "app/quantile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Bounds 0.01, 0.1, 1 and infinity; counts as a scrape has them. */
static struct quantile_buckets buckets(uint64_t a, uint64_t b, uint64_t c, uint64_t all)
{
    return (struct quantile_buckets){ .count = 4, .upper = { 0.01, 0.1, 1 }, .below = { a, b, c, all } };
}

static const struct {
    uint64_t below[4];
    double share, value;
} ROWS[] = {
    { { 0, 0, 0, 0 }, 0.5, -1 },
    { { 10, 10, 10, 10 }, 0.5, 0.005 }, /* half way through the first bucket, which begins at 0 */
    { { 10, 10, 10, 10 }, 1, 0.01 },
    { { 5, 10, 10, 10 }, 0.5, 0.01 },  /* just its end */
    { { 0, 10, 10, 10 }, 0.5, 0.055 }, /* 0.01 + 0.09 / 2 */
    { { 90, 99, 100, 100 }, 0.99, 0.1 },
    { { 0, 0, 100, 100 }, 0.99, 0.991 }, /* 0.1 + 0.9 * 0.99 */
    { { 0, 0, 0, 7 }, 0.5, 1 },          /* beyond all bounds: the last one is all that is known */
    { { 1, 1, 1, 2 }, 0.99, 1 },
    { { 4, 4, 8, 8 }, 0.75, 0.55 }, /* an empty bucket in between */
    { { 0, 3, 3, 3 }, 0, 0.01 },    /* the least there may be */
};

static void quantiles_are_interpolated(void **state)
{
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct quantile_buckets of = buckets(ROWS[i].below[0], ROWS[i].below[1], ROWS[i].below[2], ROWS[i].below[3]);
        double value = quantile_of(&of, ROWS[i].share);

        if (value - ROWS[i].value > 1e-9 || ROWS[i].value - value > 1e-9)
            fail_msg("row %zu: %g", i, value);
    }
}

static void without_buckets_there_is_none(void **state)
{
    const struct quantile_buckets none = { .count = 0 }, one = { .count = 1, .below = { 3 } };

    assert_true(quantile_of(&none, 0.5) < 0);
    assert_true(quantile_of(&one, 0.5) < 0);
}

static bool same(const struct quantile_buckets *a, const struct quantile_buckets *b)
{
    return a->count == b->count && memcmp(a->below, b->below, a->count * sizeof(a->below[0])) == 0;
}

static void only_what_came_in_between_counts(void **state)
{
    const struct quantile_buckets before = buckets(1, 2, 3, 4), now = buckets(1, 5, 9, 12);
    const struct quantile_buckets expected = buckets(0, 3, 6, 8), anew = buckets(0, 1, 2, 3);
    struct quantile_buckets other = before, between;

    quantile_between(&now, &before, &between);
    assert_true(same(&between, &expected));
    quantile_between(&now, NULL, &between);
    assert_true(same(&between, &now));
    quantile_between(&anew, &before, &between); /* the process was restarted */
    assert_true(same(&between, &anew));
    other.upper[1] = 0.2;
    quantile_between(&now, &other, &between); /* another version of it: nothing to compare */
    assert_true(same(&between, &now));
    assert_int_equal(quantile_since(7, 3), 4);
    assert_int_equal(quantile_since(2, 3), 2);
}

static void callers_add_up(void **state)
{
    const struct quantile_buckets a = buckets(1, 2, 3, 4), b = buckets(0, 0, 1, 5), expected = buckets(1, 2, 4, 9);
    struct quantile_buckets sum = { .count = 0 }, other = b;

    quantile_merge(&sum, &a);
    assert_true(same(&sum, &a));
    quantile_merge(&sum, &b);
    assert_true(same(&sum, &expected));
    other.upper[0] = 0.5;
    quantile_merge(&sum, &other); /* other bounds can't be added */
    assert_true(same(&sum, &expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_interpolated),
        cmocka_unit_test(without_buckets_there_is_none),
        cmocka_unit_test(only_what_came_in_between_counts),
        cmocka_unit_test(callers_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
