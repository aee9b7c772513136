#include "base/metric.h"

const struct histogram_bounds HISTOGRAM_HTTP_SECONDS = {
    .count = 14,
    .upper_ns = { 5 * NS_PER_MS, 10 * NS_PER_MS, 25 * NS_PER_MS, 50 * NS_PER_MS, 75 * NS_PER_MS, 100 * NS_PER_MS,
                  250 * NS_PER_MS, 500 * NS_PER_MS, 750 * NS_PER_MS, 1000 * NS_PER_MS, 2500 * NS_PER_MS,
                  5000 * NS_PER_MS, 7500 * NS_PER_MS, 10000 * NS_PER_MS },
};

/* From the start: most requests are fast and end in the first buckets. */
void histogram_add(struct histogram *histogram, const struct histogram_bounds *bounds, int64_t value_ns)
{
    unsigned bucket = 0;

    while (bucket < bounds->count && value_ns > bounds->upper_ns[bucket])
        bucket++;
    metric_add(&histogram->buckets[bucket], 1);
    metric_add(&histogram->sum_ns, (uint64_t)MAX(value_ns, 0)); /* a sum never falls */
}

uint64_t histogram_count(const struct histogram *histogram, const struct histogram_bounds *bounds)
{
    uint64_t count = 0;

    for (unsigned i = 0; i <= bounds->count; i++)
        count += metric_read(&histogram->buckets[i]);
    return count;
}
