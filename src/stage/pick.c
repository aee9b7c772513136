#include "stage/pick.h"

#include "exchange/worker.h"

/* 2^64 divided by the golden ratio: multiples of it, as fractions of 2^64, spread more evenly than chance would
 * (Weyl sequence; Knuth, The Art of Computer Programming 3, 6.4). */
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static bool was_tried(const struct exchange *x, const struct endpoint *endpoint)
{
    unsigned count = MIN((unsigned)x->tried_count, (unsigned)EXCHANGE_TRIED_MAX);

    for (unsigned i = 0; i < count; i++)
        if (x->tried[i] == endpoint)
            return true;
    return false;
}

enum pick_rank pick_rank(const struct member *member, const struct exchange *x, int64_t now_ns)
{
    bool tried;

    if (!instance_ready(member->instance))
        return PICK_NEVER;
    tried = was_tried(x, member->endpoint);
    if (instance_ejected(member->instance, now_ns))
        return tried ? PICK_PANIC_TRIED : PICK_PANIC;
    return tried ? PICK_TRIED : PICK_GOOD;
}

/* The first member of the best rank, from `start` on. */
static int scan(const struct service_view *view, unsigned start, const struct exchange *x, int64_t now_ns,
                enum pick_rank *ret_rank)
{
    unsigned count = view->set->count;
    enum pick_rank best = PICK_NEVER;
    int found = -1;

    for (unsigned i = 0; i < count && best != PICK_GOOD; i++) {
        unsigned at = (start + i) % count;
        enum pick_rank rank = pick_rank(view->members[at], x, now_ns);

        if (rank < best) {
            best = rank;
            found = (int)at;
        }
    }
    *ret_rank = best;
    return found;
}

/* The entry in which a fraction (of 2^64) of all weight lies. */
static unsigned entry_at(const struct endpoint_set *set, uint64_t fraction)
{
    uint64_t weight = set->entries[set->count - 1].upto;
    uint64_t point = (uint64_t)((unsigned __int128)fraction * weight >> 64);
    unsigned low = 0, high = set->count - 1;

    if (set->uniform)
        return (unsigned)(point / set->entries[0].weight);
    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (point < set->entries[middle].upto)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int pick_round_robin(struct service_view *view, const struct exchange *x, int64_t now_ns, enum pick_rank *ret_rank)
{
    const struct endpoint_set *set = view->set;
    int found;

    if (set->uniform) {
        found = scan(view, (unsigned)(view->cursor % set->count), x, now_ns, ret_rank);
        if (found >= 0)
            view->cursor = (uint64_t)found + 1; /* behind it: who follows a missing one gets no double share */
        return found;
    }
    for (unsigned i = 0; i < BALANCE_DRAWS_MAX; i++) {
        unsigned at = entry_at(set, view->cursor++ * GOLDEN);

        *ret_rank = pick_rank(view->members[at], x, now_ns);
        if (*ret_rank == PICK_GOOD)
            return (int)at;
    }
    return scan(view, entry_at(set, view->cursor++ * GOLDEN), x, now_ns, ret_rank);
}

/* In flight for its weight: a / weight(a) < b / weight(b). */
static bool less_loaded(const struct service_view *view, int a, int b)
{
    return (uint64_t)view->members[a]->endpoint->in_flight * view->set->entries[b].weight <
           (uint64_t)view->members[b]->endpoint->in_flight * view->set->entries[a].weight;
}

int pick_least_request(struct service_view *view, const struct exchange *x, int64_t now_ns, enum pick_rank *ret_rank)
{
    const struct endpoint_set *set = view->set;
    struct prng *prng = &view->worker->prng;
    int first = -1;

    *ret_rank = PICK_GOOD;
    for (unsigned i = 0; i < BALANCE_DRAWS_MAX; i++) {
        int at = (int)entry_at(set, prng_next(prng));

        if (at == first || pick_rank(view->members[at], x, now_ns) != PICK_GOOD)
            continue;
        if (first >= 0)
            return less_loaded(view, at, first) ? at : first;
        first = at;
    }
    return first >= 0 ? first : scan(view, (unsigned)prng_below(prng, set->count), x, now_ns, ret_rank);
}
