/* base/metric.h - counters, gauges and histograms that one thread writes and any thread reads.
 *
 * (1) A metric belongs to one writer; reads are relaxed atomic loads, so a scrape never stops a worker.
 * (2) A histogram's bounds are given once and shared; counts are not cumulative in memory, the exporter adds.
 */
#ifndef WEFT_BASE_METRIC_H
#define WEFT_BASE_METRIC_H

#include "base/defs.h"
#include "base/limits.h"

#include <stdatomic.h>

struct metric {
    _Atomic uint64_t value;
};

/* One writer: a load and a store, no locked instruction. */
static inline void metric_add(struct metric *metric, uint64_t count)
{
    uint64_t value = atomic_load_explicit(&metric->value, memory_order_relaxed);

    atomic_store_explicit(&metric->value, value + count, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, uint64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

static inline uint64_t metric_read(const struct metric *metric)
{
    return atomic_load_explicit((_Atomic uint64_t *)&metric->value, memory_order_relaxed);
}

struct histogram_bounds {
    unsigned count;                         /* at most HISTOGRAM_BOUNDS_MAX */
    int64_t upper_ns[HISTOGRAM_BOUNDS_MAX]; /* ascending; a value equal to a bound belongs to it */
};

/* OpenTelemetry semantic conventions, http.server.request.duration: .005 .01 .025 .05 .075 .1 .25 .5 .75 1
 * 2.5 5 7.5 10 seconds. */
extern const struct histogram_bounds HISTOGRAM_HTTP_SECONDS;

struct histogram {
    struct metric buckets[HISTOGRAM_BOUNDS_MAX + 1]; /* the last one: above all bounds */
    struct metric sum_ns;
};

void histogram_add(struct histogram *histogram, const struct histogram_bounds *bounds, int64_t value_ns);
uint64_t histogram_count(const struct histogram *histogram, const struct histogram_bounds *bounds);

#endif
