/* tests/unit/io/fiber_help.h - a loop to try things on, and children that note what happened to them.
 *
 * try_sim() runs a body as the first fiber of a process in a calm simulated world: a turn costs a nanosecond, so
 * that times can be compared exactly. try_linux() runs it on io/linux. Both check that nothing is left behind.
 */
#ifndef WEFT_TESTS_FIBER_HELP_H
#define WEFT_TESTS_FIBER_HELP_H

#include "io/loop.h"
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void try_sim(const struct loop_limits *limits, void (*body)(struct loop *loop, void *context), void *context);
void try_linux(const struct loop_limits *limits, void (*body)(struct loop *loop, void *context), void *context);
void try_both(const struct loop_limits *limits, void (*body)(struct loop *loop, void *context), void *context);

/* A task that sleeps as long as it may, and says how it ended. */
struct sleeper {
    struct task task;
    int64_t ns;       /* how long; 0: for ever */
    int result;       /* of the sleep */
    int64_t ended_ns; /* loop time */
    bool ended;
};

int sleeper_run(struct task *task);
void sleeper_spawn(struct scope *scope, struct sleeper *sleeper, int64_t ns); /* must succeed */

/* Lets the other fibers run for a few turns. */
void turns_pass(unsigned count);

#endif
