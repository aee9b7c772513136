/* app/top.h - what weft top shows: the time between two samples of the control API, as numbers and as a table. */
#ifndef WEFT_APP_TOP_H
#define WEFT_APP_TOP_H

#include "app/page.h"

#include <jansson.h>

/* Answers of the control API at about one time; NULL: not yet. */
struct top_sample {
    int64_t at_ns; /* loop time */
    json_t *status, *topology, *endpoints;
};

void top_sample_release(struct top_sample *sample);

/* {"system","version","uptime_seconds","seconds","requests","per_second","errors","errors_percent","active",
 *  "services":[{"name","state","ready","endpoints","requests","per_second","errors","errors_percent","retries",
 *               "p50_ms","p99_ms","active","restarts"}],
 *  "calls":[{"from","from_kind","to","to_kind","requests",... as above to "p99_ms"}],
 *  "instances":[{"service","name","state","active","limit","saturation_percent","restarts"}]}
 * of what came in between. The sums at the top are of what came in from outside. p50_ms and p99_ms are missing where
 * there was no request. NULL: no memory. */
json_t *top_compute(const struct top_sample *now, const struct top_sample *before);

/* The same for people. */
void top_write(struct page *page, const json_t *top);

#endif
