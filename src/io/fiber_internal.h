/* io/fiber_internal.h - what fiber.c, scope.c and loop.c share. Private to io/.
 *
 * The struct of a fiber lies at the high end of its own stack, so a fiber costs its mapping and nothing else.
 */
#ifndef WEFT_IO_FIBER_INTERNAL_H
#define WEFT_IO_FIBER_INTERNAL_H

#include "base/assert.h"
#include "base/limits.h"
#include "base/poison.h"
#include "io/context.h"
#include "io/loop.h"

#if defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif

/* Sanitizers put red zones around every local variable, and nothing is optimised: frames are several times as large. */
#if defined(WEFT_ASAN) || defined(WEFT_TSAN)
#define STACK_SIZE (4 * FIBER_STACK_SIZE)
#else
#define STACK_SIZE FIBER_STACK_SIZE
#endif

#define FIBER_MAGIC 0xf1be4a11u
#define SCOPE_MAGIC 0x5c09e111u

enum fiber_state {
    FIBER_IDLE,  /* in the pool */
    FIBER_READY, /* in loop->ready */
    FIBER_RUNNING,
    FIBER_PARKED,      /* in scope->waiting */
    FIBER_PARKED_DEAF, /* only fiber_wake() reaches it */
    FIBER_ENDED,       /* its task has returned */
};

struct fiber {
    uint32_t magic;
    enum fiber_state state;
    int result; /* of the wait that was ended */
    struct context context;
    struct loop *loop;
    struct task *task;
    struct scope *born;    /* where the task was spawned */
    struct scope *scope;   /* the innermost one */
    struct list_node node; /* in loop->ready, scope->waiting or the pool */
    struct list_node all;
    struct timer limit;
    struct wake wake;
    unsigned events; /* that the wake was run for */
    void *stack;
    size_t stack_size;
    void *asan_fake_stack;
    void *tsan_fiber;
    unsigned valgrind_stack;
};

void fiber_pool_init(struct fiber_pool *pool, unsigned max, unsigned keep);
void fiber_pool_done(struct loop *loop);
struct fiber *fiber_take(struct loop *loop, struct task *task, struct scope *scope); /* NULL: none is free */
void fiber_run(struct fiber *fiber);               /* from the loop's stack, until it parks or ends */
bool fiber_ready(struct fiber *fiber, int result); /* ends the wait of a parked fiber; false: it isn't parked */
void fiber_release(struct fiber *fiber);           /* an ended one, back to the pool */

void scope_open_root(struct scope *scope, struct loop *loop);
void scope_child_ended(struct scope *scope, struct task *task);

void loop_set_current(struct loop *loop);

#endif
