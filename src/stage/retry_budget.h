/* stage/retry_budget.h - how many retries there may be: a share of what was asked for lately, and a small floor.
 *
 * (1) The window is the last RETRY_WINDOW_S seconds, in buckets of one second; the running one counts.
 * (2) In any window, retries are at most `fraction` of the requests OFFERED in it, plus `floor_per_second` x window. A
 *     budget of what is in flight would shrink just when everything fails; offered requests do not.
 * (3) Each worker has a budget of its own and sees its own share of the requests. The floor is of the whole process: it
 *     is divided by the workers, but is never less than one retry a window.
 * Pure: time is an argument.
 */
#ifndef WEFT_STAGE_RETRY_BUDGET_H
#define WEFT_STAGE_RETRY_BUDGET_H

#include "base/defs.h"
#include "base/limits.h"

struct retry_budget {
    int64_t second; /* of the newest bucket */
    uint32_t offered[RETRY_WINDOW_S], retried[RETRY_WINDOW_S];
};

struct retry_budget_rules {
    double fraction, floor_per_second;
    unsigned workers; /* that share the floor, at least 1 */
};

void retry_budget_offer(struct retry_budget *budget, int64_t now_ns); /* a request has come */

/* Whether one more retry is within the budget; _take() counts it too. */
bool retry_budget_has(struct retry_budget *budget, const struct retry_budget_rules *rules, int64_t now_ns);
bool retry_budget_take(struct retry_budget *budget, const struct retry_budget_rules *rules, int64_t now_ns);

#endif
