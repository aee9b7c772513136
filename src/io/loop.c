#include "io/fiber_internal.h"
#include "io/mail_internal.h"

/* Which loop this thread is in: fibers find theirs through it. Set for the length of a turn. */
static _Thread_local struct loop *current;

struct loop *loop_current(void)
{
    return current;
}

void loop_set_current(struct loop *loop)
{
    current = loop;
}

int loop_init(struct loop *loop, struct io *io, const struct loop_limits *limits)
{
    unsigned fibers_max = limits && limits->fibers_max ? limits->fibers_max : FIBERS_MAX;
    unsigned keep = limits && limits->stacks_keep ? limits->stacks_keep : FIBER_STACKS_KEEP;

#ifdef WEFT_TSAN
    fibers_max = MIN(fibers_max, FIBERS_MAX_TSAN);
#endif
    *loop = (struct loop){ .io = io };
    list_init(&loop->ready);
    heap_init(&loop->timers);
    fiber_pool_init(&loop->fibers, fibers_max, keep);
    scope_open_root(&loop->root, loop);
    loop->now_ns = loop_clock(loop);
    io->clock = &loop->now_ns;
    return 0;
}

void loop_done(struct loop *loop)
{
    ASSERT(loop->fibers.count == 0 && !loop->running);
    fiber_pool_done(loop);
    loop->io->clock = NULL;
    loop->root.magic = 0;
}

void loop_abandon(struct loop *loop)
{
    ASSERT(!loop->running);
    fiber_pool_done(loop);
    loop->io->clock = NULL;
    loop->root.magic = 0;
}

/* Those that were due before: timer_set() puts no other in front of them, and what is set meanwhile waits for the
 * next turn. */
static void run_timers(struct loop *loop)
{
    uint64_t order = loop->timers.order;
    struct heap_node *node;

    while ((node = heap_first(&loop->timers)) != NULL && node->key <= loop->now_ns && node->order < order) {
        struct timer *timer = container_of(node, struct timer, node);

        heap_remove(&loop->timers, node);
        timer->run(timer);
    }
}

/* Fibers that become ready meanwhile wait for the next turn. */
static void run_fibers(struct loop *loop)
{
    struct list_node batch = LIST_INIT(batch);
    struct list_node *node;

    list_move_all(&batch, &loop->ready);
    while ((node = list_pop_front(&batch)) != NULL)
        fiber_run(container_of(node, struct fiber, node));
}

static int64_t next_turn(struct loop *loop)
{
    struct heap_node *first = heap_first(&loop->timers);

    if (!list_empty(&loop->ready) || atomic_load_explicit(&loop->mail.head, memory_order_relaxed))
        return loop->now_ns;
    return first ? first->key : TIME_NEVER;
}

int64_t loop_turn(struct loop *loop, int64_t until_ns)
{
    struct loop *outside = current;
    int64_t next;

    ASSERT(!loop->running);
    current = loop;
    loop->turns++;
    (void)loop->io->ops->poll(loop->io, until_ns);
    loop->now_ns = loop_clock(loop);
    run_timers(loop);
    (void)mail_deliver(loop);
    run_fibers(loop);
    next = next_turn(loop);
    current = outside;
    return next;
}

bool loop_idle(const struct loop *loop)
{
    return loop->root.ended && loop->root.running == 0;
}

void loop_stop(struct loop *loop)
{
    scope_cancel(&loop->root);
}

void loop_run(struct loop *loop)
{
    int64_t next = 0;

    while (!loop_idle(loop))
        next = loop_turn(loop, next);
}

int loop_spawn(struct loop *loop, struct task *task)
{
    return scope_spawn(&loop->root, task);
}
