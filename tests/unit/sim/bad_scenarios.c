/* A list of scenarios of which each goes wrong in another way: test_runner.c shows that weft-sim says so. */
#include "base/assert.h"
#include "sim/scenario.h"
#include "sim/scenarios/echo.h"

static void lossy_run(struct world *world, uint64_t seed)
{
    echo_run(world, true);
}

/* Wrong for one seed only. */
static void dies_run(struct world *world, uint64_t seed)
{
    ASSERT(seed != 3);
}

/* Where things lie in memory differs between two processes; so does this, then. */
static void differs_run(struct world *world, uint64_t seed)
{
    world_note(world, "address", (int64_t)(uintptr_t)world, 0);
}

static void well_run(struct world *world, uint64_t seed)
{
    world_note(world, "well", (int64_t)seed, 0);
}

static const struct scenario LOSSY = { "lossy", "an echo server that loses bytes", lossy_run };
static const struct scenario DIES = { "dies", "an assertion fails", dies_run };
static const struct scenario DIFFERS = { "differs", "memory addresses decide", differs_run };
static const struct scenario WELL = { "well", "nothing is wrong", well_run };

const struct scenario *const SCENARIOS[] = { &LOSSY, &DIES, &DIFFERS, &WELL, NULL };
