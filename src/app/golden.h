/* app/golden.h - golden signals from the counts of /v1/topology: requests, errors, retries and times of what came in
 * between two looks, or since the start. */
#ifndef WEFT_APP_GOLDEN_H
#define WEFT_APP_GOLDEN_H

#include "app/quantile.h"

#include <jansson.h>

struct golden {
    uint64_t requests, errors, retries;
    struct quantile_buckets times;
};

/* Adds what an edge has counted since `before`, the same edge earlier; NULL: since the start. */
void golden_add(struct golden *golden, const json_t *edge, const json_t *before);

/* The edge of the list between the same two; NULL: there was none. */
const json_t *golden_same_edge(const json_t *edges, const json_t *edge);

double golden_error_percent(const struct golden *golden); /* 0 where there were no requests */

/* Milliseconds; negative: there were no requests. */
double golden_quantile_ms(const struct golden *golden, double share);

#endif
