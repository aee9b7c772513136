/* io/loop.h - one thread's scheduler: ready fibers, timers, and the io that wakes them.
 *
 * (1) One loop per thread and io; everything it owns is touched by its thread alone, but for loop_post().
 * (2) A turn polls (running wakes), runs due timers and letters, then the fibers that are ready by then, once
 *     each. Fibers made ready by those, and timers set by timers, run in the next turn: nobody starves the poll.
 * (3) loop->now_ns is the time just after the poll, and in wakes the time when its wait was over; use it for deadlines.
 * loop_clock() reads the clock.
 * (4) Nothing on the loop's own stack (wake.run, timer.run, letters) may wait.
 * (5) loop_run() returns when the root scope has been cancelled and its last child has ended.
 * In the simulator the world calls loop_turn(loop, 0) itself and loop_run() is not used.
 */
#ifndef WEFT_IO_LOOP_H
#define WEFT_IO_LOOP_H

#include "base/list.h"
#include "io/fiber.h"
#include "io/io.h"
#include "io/mail.h"
#include "io/scope.h"
#include "io/timer.h"

struct loop_limits {
    unsigned fibers_max;  /* 0: FIBERS_MAX */
    unsigned stacks_keep; /* 0: FIBER_STACKS_KEEP */
};

struct loop {
    struct io *io;
    int64_t now_ns;
    struct list_node ready; /* fibers that may run, in order */
    struct heap timers;
    struct fiber *running; /* NULL on the loop's own stack */
    struct fiber_pool fibers;
    struct scope root; /* parent of everything that lives as long as the loop */
    struct mailbox mail;
    uint64_t turns;
};

int loop_init(struct loop *loop, struct io *io, const struct loop_limits *limits) MUST_CHECK;
void loop_done(struct loop *loop); /* after loop_run(), or when nothing has been started */
void loop_run(struct loop *loop);

/* One turn, whose poll waits until `until_ns` at most. Returns when the next one is wanted: loop->now_ns or earlier
 * means at once. For loop_run() and the simulator. */
int64_t loop_turn(struct loop *loop, int64_t until_ns);

bool loop_idle(const struct loop *loop); /* (5) holds: nothing is left to run */
void loop_stop(struct loop *loop);       /* cancels the root scope; this thread only */

static inline int64_t loop_clock(const struct loop *loop)
{
    return loop->io->ops->now_ns(loop->io);
}

/* The loop time `ns` from now; TIME_NEVER if that is beyond all times. */
static inline int64_t loop_after(const struct loop *loop, int64_t ns)
{
    return ns >= TIME_NEVER - loop->now_ns ? TIME_NEVER : loop->now_ns + ns;
}

/* Unmaps all stacks without running anything: what a crash leaves of a simulated process. */
void loop_abandon(struct loop *loop);

/* The loop of this thread; NULL outside of one. */
struct loop *loop_current(void);

/* Starts a task on the root scope: a worker-lifetime fiber. -EAGAIN: no fiber is free. From any context of
 * this thread. */
int loop_spawn(struct loop *loop, struct task *task) MUST_CHECK;

#endif
