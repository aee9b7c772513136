#include "io/fiber_internal.h"

static void scope_timed_out(struct timer *timer);
static void scope_hung_up(struct wake *wake, unsigned events);

static void scope_init(struct scope *scope, struct loop *loop, struct scope *parent, struct fiber *owner)
{
    *scope = (struct scope){ .magic = SCOPE_MAGIC,
                             .loop = loop,
                             .parent = parent,
                             .owner = owner,
                             .own_ns = TIME_NEVER,
                             .deadline_ns = TIME_NEVER,
                             .hangup.run = scope_hung_up };
    list_init(&scope->node);
    list_init(&scope->inner);
    list_init(&scope->waiting);
    list_init(&scope->finished);
    timer_init(&scope->timer, scope_timed_out);
}

/* Ends one scope for everybody who waits in it. */
static void scope_end_one(struct scope *scope, int why)
{
    scope->ended = why;
    timer_stop(scope->loop, &scope->timer);
    while (!list_empty(&scope->waiting))
        (void)fiber_ready(container_of(scope->waiting.next, struct fiber, node), why);
}

/* The next scope after `scope` in a walk through the tree below `top`: inner ones first, unless they are left out. */
static struct scope *scope_walk(struct scope *top, struct scope *scope, bool inside)
{
    if (inside && !list_empty(&scope->inner))
        return container_of(scope->inner.next, struct scope, node);
    while (scope != top) {
        struct scope *parent = scope->parent;

        if (scope->node.next != &parent->inner)
            return container_of(scope->node.next, struct scope, node);
        scope = parent;
    }
    return NULL;
}

/* (3): the end reaches everything inside but shielded scopes. Without recursion: a tree may be deep. */
static void scope_end(struct scope *top, int why)
{
    struct scope *scope = top;
    bool inside = true;

    if (top->ended)
        return;
    scope_end_one(top, why);
    top->ended_here = why;
    while ((scope = scope_walk(top, scope, inside)) != NULL) {
        inside = !scope->shielded && !scope->ended;
        if (inside)
            scope_end_one(scope, why);
    }
}

static void scope_timed_out(struct timer *timer)
{
    scope_end(container_of(timer, struct scope, timer), -ETIME);
}

static void scope_hung_up(struct wake *wake, unsigned events)
{
    scope_end(container_of(wake, struct scope, hangup), -ECANCELED);
}

static void scope_enter(struct scope *scope, struct fiber *fiber)
{
    list_push_back(&fiber->scope->inner, &scope->node);
    fiber->scope = scope;
}

/* Makes deadline and timer of one scope fit what it was given and what surrounds it. */
static void scope_fit(struct scope *scope)
{
    int64_t outside = scope->shielded || !scope->parent ? TIME_NEVER : scope->parent->deadline_ns;

    scope->deadline_ns = MIN(scope->own_ns, outside);
    if (scope->ended || scope->own_ns >= outside)
        timer_stop(scope->loop, &scope->timer); /* the surrounding deadline comes first and reaches us */
    else
        timer_set(scope->loop, &scope->timer, scope->own_ns);
}

void scope_set_deadline(struct scope *top, int64_t deadline_ns)
{
    struct scope *scope = top;
    bool inside = true;

    CHECK_MAGIC(top, SCOPE_MAGIC);
    top->own_ns = deadline_ns;
    scope_fit(top);
    if (top->ended)
        return;
    if (timer_is_set(&top->timer) && deadline_ns <= top->loop->now_ns) { /* its own, and not one outside */
        scope_end(top, -ETIME);
        return;
    }
    while ((scope = scope_walk(top, scope, inside)) != NULL) {
        inside = !scope->shielded && !scope->ended;
        if (inside)
            scope_fit(scope);
    }
}

void scope_open(struct scope *scope, int64_t deadline_ns)
{
    struct fiber *fiber = fiber_current();
    struct scope *outside;

    ASSERT(fiber != NULL);
    outside = fiber->scope;
    scope_init(scope, fiber->loop, outside, fiber);
    scope->ended = outside->ended;
    scope_enter(scope, fiber);
    scope_set_deadline(scope, deadline_ns);
}

void scope_open_shielded(struct scope *scope, int64_t grace_ns)
{
    struct fiber *fiber = fiber_current();

    ASSERT(fiber != NULL);
    scope_init(scope, fiber->loop, fiber->scope, fiber);
    scope->shielded = true;
    scope_enter(scope, fiber);
    scope_set_deadline(scope, loop_after(fiber->loop, grace_ns));
}

void scope_open_root(struct scope *scope, struct loop *loop)
{
    scope_init(scope, loop, NULL, NULL);
}

int scope_spawn(struct scope *scope, struct task *task)
{
    CHECK_MAGIC(scope, SCOPE_MAGIC);
    if (scope->ended)
        return scope->ended;
    list_init(&task->node);
    task->result = 0;
    if (!fiber_take(scope->loop, task, scope))
        return -EAGAIN;
    scope->running++;
    return 0;
}

/* On the loop's stack, after the fiber has gone back to the pool. */
void scope_child_ended(struct scope *scope, struct task *task)
{
    CHECK_MAGIC(scope, SCOPE_MAGIC);
    ASSERT(scope->running > 0);
    scope->running--;
    if (task->result < 0 && scope->first_error == 0)
        scope->first_error = task->result;
    if (task->ended)
        task->ended(task);
    else if (scope->owner)
        list_push_back(&scope->finished, &task->node);
    if (scope->joiner)
        (void)fiber_wake(scope->joiner);
}

int scope_wait(struct scope *scope, struct task **ret_done)
{
    struct fiber *fiber = fiber_current();

    CHECK_MAGIC(scope, SCOPE_MAGIC);
    ASSERT(scope->owner == fiber);
    for (;;) {
        struct list_node *node = list_pop_front(&scope->finished);
        int r;

        if (node) {
            *ret_done = container_of(node, struct task, node);
            return 0;
        }
        if (scope->running == 0)
            return -ENOENT;
        scope->joiner = fiber;
        r = fiber_park(TIME_NEVER);
        scope->joiner = NULL;
        if (r < 0)
            return r;
    }
}

int scope_ended(const struct scope *scope)
{
    return scope->ended_here;
}

int scope_cancel_on_hangup(struct scope *scope, struct io_socket socket)
{
    struct io *io = scope->loop->io;

    scope->hangup.socket = socket;
    return io->ops->arm(io, &scope->hangup, IO_HANGUP);
}

void scope_cancel_on_hangup_stop(struct scope *scope)
{
    struct io *io = scope->loop->io;

    io->ops->disarm(io, &scope->hangup);
}

void scope_cancel(struct scope *scope)
{
    CHECK_MAGIC(scope, SCOPE_MAGIC);
    scope_end(scope, -ECANCELED);
}

int scope_close(struct scope *scope)
{
    struct fiber *fiber = fiber_current();

    CHECK_MAGIC(scope, SCOPE_MAGIC);
    ASSERT(scope->owner == fiber && fiber->scope == scope);
    if (scope->running > 0)
        scope_end(scope, -ECANCELED);
    scope->joiner = fiber;
    while (scope->running > 0)
        fiber_park_deaf();
    ASSERT(list_empty(&scope->inner) && list_empty(&scope->waiting));
    while (list_pop_front(&scope->finished))
        ;
    timer_stop(scope->loop, &scope->timer);
    if (scope->hangup.events)
        scope_cancel_on_hangup_stop(scope);
    list_remove(&scope->node);
    fiber->scope = scope->parent;
    scope->magic = 0;
    return scope->first_error;
}
