#include "base/metric.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void counts(void **state)
{
    struct metric metric = { 0 };

    assert_int_equal(metric_read(&metric), 0);
    metric_add(&metric, 2);
    metric_add(&metric, 40);
    assert_int_equal(metric_read(&metric), 42);
    metric_set(&metric, 7);
    assert_int_equal(metric_read(&metric), 7);
    metric_set(&metric, UINT64_MAX);
    metric_add(&metric, 2);
    assert_int_equal(metric_read(&metric), 1);
}

/* The numbers of the OpenTelemetry semantic conventions. */
static void http_bounds_are_those_of_opentelemetry(void **state)
{
    static const double SECONDS[] = { .005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10 };

    assert_int_equal(HISTOGRAM_HTTP_SECONDS.count, ARRAY_LEN(SECONDS));
    for (size_t i = 0; i < ARRAY_LEN(SECONDS); i++)
        assert_int_equal(HISTOGRAM_HTTP_SECONDS.upper_ns[i], (int64_t)(SECONDS[i] * 1e9 + 0.5));
}

static void values_fall_into_buckets(void **state)
{
    static const struct histogram_bounds BOUNDS = { .count = 3, .upper_ns = { 10, 20, 30 } };
    static const struct {
        int64_t value;
        unsigned bucket;
    } ROWS[] = {
        { 0, 0 }, { 10, 0 }, { 11, 1 }, { 20, 1 }, { 30, 2 }, { 31, 3 }, { -5, 0 }, { 21, 2 }, { INT64_MAX, 3 }
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct histogram histogram = { 0 };

        histogram_add(&histogram, &BOUNDS, ROWS[i].value);
        for (unsigned bucket = 0; bucket <= 3; bucket++)
            assert_int_equal(metric_read(&histogram.buckets[bucket]), bucket == ROWS[i].bucket);
        assert_int_equal(metric_read(&histogram.sum_ns), MAX(ROWS[i].value, 0));
        assert_int_equal(histogram_count(&histogram, &BOUNDS), 1);
    }
}

/* HISTOGRAM_BOUNDS_MAX bounds, and one bucket above them. */
static void as_many_bounds_as_may_be(void **state)
{
    struct histogram_bounds bounds = { .count = HISTOGRAM_BOUNDS_MAX };
    struct histogram histogram = { 0 };

    for (int i = 0; i < HISTOGRAM_BOUNDS_MAX; i++)
        bounds.upper_ns[i] = i;
    for (int i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        histogram_add(&histogram, &bounds, i);
    for (int i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        assert_int_equal(metric_read(&histogram.buckets[i]), 1);
    assert_int_equal(histogram_count(&histogram, &bounds), HISTOGRAM_BOUNDS_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(http_bounds_are_those_of_opentelemetry),
        cmocka_unit_test(values_fall_into_buckets),
        cmocka_unit_test(as_many_bounds_as_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
