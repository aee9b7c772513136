/* app/quantile.h - what counts that only grow say about the time between two looks at them. Pure.
 *
 * (1) A count that is lower than before has begun anew (the process was restarted): then all of it is new.
 * (2) A quantile is found in its bucket by linear interpolation, as Prometheus does it; above the last bound with a
 *     number there is only that bound.
 */
#ifndef WEFT_APP_QUANTILE_H
#define WEFT_APP_QUANTILE_H

#include "base/defs.h"
#include "base/limits.h"

#define QUANTILE_BUCKETS_MAX (HISTOGRAM_BOUNDS_MAX + 1)

/* Ascending bounds in seconds; the last one is infinite. */
struct quantile_buckets {
    unsigned count;
    double upper[QUANTILE_BUCKETS_MAX];
    uint64_t below[QUANTILE_BUCKETS_MAX]; /* how many are at most `upper` */
};

uint64_t quantile_since(uint64_t now, uint64_t before);

/* The buckets of what came in between; `before` of other bounds, or NULL: all that is there. */
void quantile_between(const struct quantile_buckets *now, const struct quantile_buckets *before,
                      struct quantile_buckets *ret);

/* The sum of both, for services that several call; an empty one takes the other's bounds. */
void quantile_merge(struct quantile_buckets *into, const struct quantile_buckets *other);

/* The value that a share of all (0.5, 0.99) does not exceed; negative: there is none. */
double quantile_of(const struct quantile_buckets *buckets, double share);

#endif
