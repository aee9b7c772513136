#include "app/golden.h"

#include "app/fetch.h"

static void read_buckets(const json_t *edge, struct quantile_buckets *ret)
{
    const json_t *buckets = json_object_get(edge, "buckets");

    *ret = (struct quantile_buckets){ 0 };
    for (size_t i = 0; i < json_array_size(buckets) && i < QUANTILE_BUCKETS_MAX; i++) {
        const json_t *bucket = json_array_get(buckets, i);

        ret->upper[i] = fetch_number(bucket, "le"); /* "+Inf" is a text: 0, which nobody looks at */
        ret->below[i] = fetch_count(bucket, "count");
        ret->count++;
    }
}

void golden_add(struct golden *golden, const json_t *edge, const json_t *before)
{
    struct quantile_buckets now, then, between;

    golden->requests += quantile_since(fetch_count(edge, "requests"), fetch_count(before, "requests"));
    golden->errors += quantile_since(fetch_count(edge, "errors"), fetch_count(before, "errors"));
    golden->retries += quantile_since(fetch_count(edge, "retries"), fetch_count(before, "retries"));
    read_buckets(edge, &now);
    read_buckets(before, &then);
    quantile_between(&now, before ? &then : NULL, &between);
    quantile_merge(&golden->times, &between);
}

const json_t *golden_same_edge(const json_t *edges, const json_t *edge)
{
    for (size_t i = 0; i < json_array_size(edges); i++) {
        const json_t *other = json_array_get(edges, i);

        if (bytes_equal(fetch_text(other, "from"), fetch_text(edge, "from")) &&
            bytes_equal(fetch_text(other, "from_kind"), fetch_text(edge, "from_kind")) &&
            bytes_equal(fetch_text(other, "to"), fetch_text(edge, "to")))
            return other;
    }
    return NULL;
}

double golden_error_percent(const struct golden *golden)
{
    return golden->requests ? 100.0 * (double)golden->errors / (double)golden->requests : 0;
}

double golden_quantile_ms(const struct golden *golden, double share)
{
    double seconds = quantile_of(&golden->times, share);

    return seconds < 0 ? -1 : seconds * 1000;
}
