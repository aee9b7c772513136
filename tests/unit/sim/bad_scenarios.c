/* A list of scenarios of which each goes wrong in another way: test_runner.c shows that weft-sim says so. */
#include "base/assert.h"
#include "sim/scenario.h"
#include "sim/scenarios/echo.h"

#include <unistd.h>

static void lossy_run(struct world *world, uint64_t seed)
{
    echo_run(world, true);
}

/* Wrong for one seed only. */
static void dies_run(struct world *world, uint64_t seed)
{
    ASSERT(seed != 3);
}

/* What differs between two processes must not decide anything: an address, or the number of the process itself. */
static void differs_run(struct world *world, uint64_t seed)
{
    world_note(world, "process", (int64_t)getpid(), 0);
}

static void well_run(struct world *world, uint64_t seed)
{
    world_note(world, "well", (int64_t)seed, 0);
}

static const struct scenario LOSSY = { "lossy", "an echo server that loses bytes", lossy_run };
static const struct scenario DIES = { "dies", "an assertion fails", dies_run };
static const struct scenario DIFFERS = { "differs", "the process decides", differs_run };
static const struct scenario WELL = { "well", "nothing is wrong", well_run };

const struct scenario *const SCENARIOS[] = { &LOSSY, &DIES, &DIFFERS, &WELL, NULL };
