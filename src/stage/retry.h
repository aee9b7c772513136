/* stage/retry.h - what the retry stage decides by, without any waiting. For retry.c and its tests. */
#ifndef WEFT_STAGE_RETRY_H
#define WEFT_STAGE_RETRY_H

#include "base/prng.h"
#include "exchange/exchange.h"
#include "stage/stages.h"

/* `on:`, compiled. */
struct retry_on {
    bool unsent;           /* the service can't have acted: any method */
    bool unknown;          /* nobody knows: idempotent requests */
    uint64_t statuses[10]; /* bit s % 64 of word s / 64, for 0..639: idempotent requests */
};

/* unsent, unknown, 502, 503, 504. */
extern const struct retry_on RETRY_ON_DEFAULT;

int retry_on_add(struct retry_on *on, struct bytes text) MUST_CHECK; /* -EINVAL: none of the words, no status */

/* Whether the outcome of a try calls for another one, the number of tries and the budget aside. */
bool retry_wanted(const struct retry_on *on, const struct exchange *x, enum outcome outcome);

/* The request may be sent twice: its method says so, or its sender does (Idempotency-Key). */
bool retry_idempotent(const struct http_head *request);

/* Full jitter: evenly between 0 and min(high, low x 2^(retry - 1)), for retry 1, 2, ... */
int64_t retry_backoff_ns(const struct duration_range *backoff, unsigned retry, struct prng *prng);

/* What Retry-After asks for, in nanoseconds. 0: nothing; -1: longer than RETRY_AFTER_MAX_NS, or a date: don't. */
int64_t retry_after_ns(const struct http_head *response);

#endif
