#include "stage/retry_budget.h"

/* Moves the window to now: buckets that lie before it are emptied. */
static unsigned bucket_of(struct retry_budget *budget, int64_t now_ns)
{
    int64_t second = now_ns / NS_PER_S;
    int64_t passed = second - budget->second;

    if (passed > 0) {
        for (int64_t i = 0; i < MIN(passed, (int64_t)RETRY_WINDOW_S); i++) {
            budget->offered[(second - i) % RETRY_WINDOW_S] = 0;
            budget->retried[(second - i) % RETRY_WINDOW_S] = 0;
        }
        budget->second = second;
    }
    return (unsigned)(budget->second % RETRY_WINDOW_S);
}

void retry_budget_offer(struct retry_budget *budget, int64_t now_ns)
{
    budget->offered[bucket_of(budget, now_ns)]++;
}

bool retry_budget_has(struct retry_budget *budget, const struct retry_budget_rules *rules, int64_t now_ns)
{
    double floor = rules->floor_per_second * RETRY_WINDOW_S / MAX(rules->workers, 1u);
    uint64_t offered = 0, retried = 0;

    (void)bucket_of(budget, now_ns);
    for (unsigned i = 0; i < RETRY_WINDOW_S; i++) {
        offered += budget->offered[i];
        retried += budget->retried[i];
    }
    if (rules->floor_per_second > 0)
        floor = MAX(floor, 1.0);
    return (double)(retried + 1) <= rules->fraction * (double)offered + floor;
}

bool retry_budget_take(struct retry_budget *budget, const struct retry_budget_rules *rules, int64_t now_ns)
{
    if (!retry_budget_has(budget, rules, now_ns))
        return false;
    budget->retried[bucket_of(budget, now_ns)]++;
    return true;
}
