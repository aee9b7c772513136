/* The endpoints of a service, as its balance stage looks at them. */
#include "control/explain_parts.h"

#include "io/loop.h"
#include "service/service.h"
#include "stage/pick.h"

static const char *const REASONS[] = {
    [PICK_GOOD] = "",
    [PICK_TRIED] = "tried before",
    [PICK_PANIC] = "ejected: connecting to it has failed",
    [PICK_PANIC_TRIED] = "ejected, and tried before",
    [PICK_NEVER] = "not ready",
};

/* The rank that a request which begins now would see. */
static enum pick_rank rank_of(const struct explanation *e, const struct set_entry *entry)
{
    struct endpoint endpoint = { .name = entry->instance->name };
    const struct member member = { .endpoint = &endpoint, .instance = entry->instance };

    return pick_rank(&member, e->x, e->x->worker->loop->now_ns);
}

struct choice {
    bool least_request;
    enum pick_rank best;
    uint64_t weight; /* of those that can be chosen */
};

static struct choice make_choice(const struct explanation *e, const struct stage *balance,
                                 const struct endpoint_set *set)
{
    const struct balance_conf *conf = balance->conf;
    struct choice choice = { .least_request = conf->by == BALANCE_LEAST_REQUEST, .best = PICK_NEVER };

    for (unsigned i = 0; i < set->count; i++)
        choice.best = MIN(choice.best, rank_of(e, &set->entries[i]));
    for (unsigned i = 0; i < set->count; i++)
        if (choice.best != PICK_NEVER && rank_of(e, &set->entries[i]) == choice.best)
            choice.weight += set->entries[i].weight;
    return choice;
}

static void add_endpoint(const struct explanation *e, const struct choice *choice, const struct set_entry *entry)
{
    const struct instance *instance = entry->instance;
    enum pick_rank rank = rank_of(e, entry);
    bool chosen = rank != PICK_NEVER && rank == choice->best;
    uint64_t active = instance_active(instance);
    double share = chosen ? (double)entry->weight / (double)choice->weight : 0;
    int state = atomic_load_explicit(&instance->ready, memory_order_relaxed);

    answer_text(e->answer, "{");
    answer_string(e->answer, "name", instance->name);
    answer_string(e->answer, "address", instance->text);
    answer_string(e->answer, "state", bytes_of_text(health_name((enum health_state)state)));
    answer_bool(e->answer, "ejected", instance_ejected(instance, e->x->worker->loop->now_ns));
    answer_number(e->answer, "active", active);
    answer_number(e->answer, "weight", entry->weight);
    answer_member(e->answer, "score");
    answer_format(e->answer, "%.4g", choice->least_request ? (double)active / (double)entry->weight : share);
    answer_bool(e->answer, "chosen", chosen);
    answer_string(e->answer, "reason", bytes_of_text(REASONS[rank]));
    answer_text(e->answer, "}");
}

void explain_endpoints(const struct explanation *e, const struct stage *balance)
{
    const struct balance_conf *conf = balance->conf;
    const struct service *service = e->world->registry ? registry_find(e->world->registry, conf->service) : NULL;
    const struct endpoint_set *set = service ? service->set : NULL;
    struct choice choice = { 0 };

    answer_string(e->answer, "service", conf->service);
    if (!e->world->registry)
        return;
    if (set)
        choice = make_choice(e, balance, set);
    answer_string(e->answer, "score_is",
                  conf->by == BALANCE_LEAST_REQUEST ? BYTES("active exchanges for its weight: of two drawn by chance, "
                                                            "the lower one")
                                                    : BYTES("share of the turns"));
    answer_member(e->answer, "endpoints");
    answer_text(e->answer, "[");
    for (unsigned i = 0; set && i < set->count; i++) {
        answer_text(e->answer, i ? "," : "");
        add_endpoint(e, &choice, &set->entries[i]);
    }
    answer_text(e->answer, "]");
}
