#include "app/quantile.h"

uint64_t quantile_since(uint64_t now, uint64_t before)
{
    return now >= before ? now - before : now;
}

static bool same_bounds(const struct quantile_buckets *a, const struct quantile_buckets *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i + 1 < a->count; i++) /* the last ones are both infinite */
        if (a->upper[i] < b->upper[i] || a->upper[i] > b->upper[i])
            return false;
    return true;
}

void quantile_between(const struct quantile_buckets *now, const struct quantile_buckets *before,
                      struct quantile_buckets *ret)
{
    struct quantile_buckets between = *now;

    if (before && same_bounds(now, before) && now->count > 0 &&
        now->below[now->count - 1] >= before->below[before->count - 1])
        for (unsigned i = 0; i < now->count; i++)
            between.below[i] = quantile_since(now->below[i], before->below[i]);
    *ret = between;
}

void quantile_merge(struct quantile_buckets *into, const struct quantile_buckets *other)
{
    if (into->count == 0) {
        *into = *other;
        return;
    }
    for (unsigned i = 0; same_bounds(into, other) && i < into->count; i++)
        into->below[i] += other->below[i];
}

double quantile_of(const struct quantile_buckets *buckets, double share)
{
    unsigned last = buckets->count ? buckets->count - 1 : 0, at = 0;
    double rank, lower, below;

    if (buckets->count < 2 || buckets->below[last] == 0)
        return -1;
    rank = share * (double)buckets->below[last];
    while (at < last && (double)buckets->below[at] < rank)
        at++;
    if (at == last)
        return buckets->upper[last - 1];
    lower = at ? buckets->upper[at - 1] : 0;
    below = at ? (double)buckets->below[at - 1] : 0;
    if ((double)buckets->below[at] <= below)
        return buckets->upper[at];
    return lower + (buckets->upper[at] - lower) * (rank - below) / ((double)buckets->below[at] - below);
}
