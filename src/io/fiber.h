/* io/fiber.h - a task on its own stack, which may wait.
 *
 * (1) A fiber runs one task, in one scope, on one loop, from birth to end.
 * (2) Every wait ends: by what it waits for, by its own limit (-ETIMEDOUT), by the deadline of a surrounding
 *     scope (-ETIME) or by its cancellation (-ECANCELED).
 * (3) A wait in a scope that has ended fails at once, without switching. Whoever gets -ETIME or -ECANCELED
 *     unwinds by returning.
 * (4) Stacks are FIBER_STACK_SIZE with a guard page below. Never switch inside OpenSSL, nghttp2, SQLite or Lua.
 * (5) At most fibers_max at a time: starting one more is -EAGAIN, an ordinary outcome.
 */
#ifndef WEFT_IO_FIBER_H
#define WEFT_IO_FIBER_H

#include "base/list.h"
#include "io/io.h"
#include "io/timer.h"

struct scope;
struct fiber;

/* Caller-owned; container_of() reaches your struct. Lives until ended() is called; without one, until scope_wait() has
 * answered with it or its scope is closed. */
struct task {
    struct list_node node; /* private: among the finished children of its scope */
    int (*run)(struct task *task);
    void (*ended)(struct task *task); /* NULL, or called on the loop's stack after the fiber is gone: may free
                                         the task; such a task is not seen by scope_wait() */
    int result;                       /* what run() returned */
};

/* The stacks of a loop. */
struct fiber_pool {
    struct list_node idle; /* fibers with a stack, warm first */
    struct list_node all;  /* every fiber that has a stack */
    unsigned count, max;   /* fibers that run a task */
    unsigned idle_count, keep;
    unsigned count_highest;
    uint64_t refused;
};

struct fiber *fiber_current(void); /* NULL on the loop's own stack */
struct scope *fiber_scope(void);   /* the innermost open scope of the running fiber */

/* Waits at least `ns` nanoseconds. 0, -ETIME, -ECANCELED. */
int fiber_sleep(int64_t ns) MUST_CHECK;
int fiber_sleep_until(int64_t due_ns) MUST_CHECK;

/* Lets the others run, then goes on in the next turn. 0, -ETIME, -ECANCELED. */
int fiber_yield(void) MUST_CHECK;

/* Waits for one of `events` on the socket, at most until `limit_ns` (loop time; TIME_NEVER: the scope's deadline
 * alone). Returns the events, or -ETIMEDOUT (limit), -ETIME, -ECANCELED, -EBADF. */
int fiber_wait_socket(struct io_socket socket, unsigned events, int64_t limit_ns) MUST_CHECK;

/* Parks until fiber_wake(). For building channels, pools and joins: state what you wait for in memory of your
 * own, and look again after waking. 0, -ETIMEDOUT, -ETIME, -ECANCELED. */
int fiber_park(int64_t limit_ns) MUST_CHECK;
bool fiber_wake(struct fiber *fiber); /* false: it isn't parked, or its wait has ended already; its own thread */

/* Waits for the same, deaf to deadlines and cancellation: only for joins and lane jobs, whose end is near by
 * their own law. */
void fiber_park_deaf(void);

/* Highest use of any idle stack so far, in bytes: fresh stacks are all zero, so the first word that is not tells.
 * [walks all idle stacks] */
size_t fiber_pool_stack_highest(const struct fiber_pool *pool);

/* Unmaps idle stacks beyond `keep`. */
void fiber_pool_trim(struct fiber_pool *pool, unsigned keep);

#endif
