/* sim/scenario.h - what is tried in a simulated world, and what must hold. The list stands in scenarios.c, which
 * is linked into a program by itself: a test may bring another list. */
#ifndef WEFT_SIM_SCENARIO_H
#define WEFT_SIM_SCENARIO_H

#include "sim/world.h"

struct scenario {
    const char *name;
    const char *what;                                /* one line for people */
    void (*run)(struct world *world, uint64_t seed); /* says world_fail() when something does not hold */
};

extern const struct scenario *const SCENARIOS[]; /* ends with NULL */

const struct scenario *scenario_find(const char *name); /* NULL: there is none */

struct scenario_result {
    uint64_t hash, events;
    int64_t ns; /* virtual */
    bool failed;
    char failure[SIM_FAILURE_TEXT_MAX];
    uint64_t fault_counts[SIM_FAULT_COUNT];
};

/* Makes a world of that seed, runs the scenario in it, and takes the world down. Prints each event if `print` is
 * set. */
void scenario_run(const struct scenario *scenario, uint64_t seed, void (*print)(void *context, const char *line),
                  struct scenario_result *ret);

#endif
