#include "sim/scenario.h"

#include "base/hash.h"

#include <stdio.h>

const struct scenario *scenario_find(const char *name)
{
    for (unsigned i = 0; SCENARIOS[i]; i++)
        if (strcmp(SCENARIOS[i]->name, name) == 0)
            return SCENARIOS[i];
    return NULL;
}

/* Scenarios draw different worlds from the same seed. */
static uint64_t seed_of(const struct scenario *scenario, uint64_t seed)
{
    return seed ^ hash_fnv1a(bytes_of_text(scenario->name));
}

void scenario_run(const struct scenario *scenario, uint64_t seed, void (*print)(void *context, const char *line),
                  struct scenario_result *ret)
{
    struct world *world = world_create(seed_of(scenario, seed));

    world->trace.print = print;
    scenario->run(world, seed);
    *ret = (struct scenario_result){
        .hash = world->trace.hash, .events = world->event_count, .ns = world->now_ns, .failed = world->failed
    };
    snprintf(ret->failure, sizeof(ret->failure), "%s", world->failure);
    memcpy(ret->fault_counts, world->fault_counts, sizeof(ret->fault_counts));
    world_destroy(world);
}
