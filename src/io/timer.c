#include "io/timer.h"

#include "io/loop.h"

void timer_init(struct timer *timer, void (*run)(struct timer *))
{
    heap_node_init(&timer->node);
    timer->run = run;
}

void timer_set(struct loop *loop, struct timer *timer, int64_t due_ns)
{
    if (heap_linked(&timer->node))
        heap_remove(&loop->timers, &timer->node);
    if (due_ns != TIME_NEVER)
        heap_insert(&loop->timers, &timer->node, MAX(due_ns, loop->now_ns)); /* no older than those that are due now */
}

void timer_stop(struct loop *loop, struct timer *timer)
{
    if (heap_linked(&timer->node))
        heap_remove(&loop->timers, &timer->node);
}

bool timer_is_set(const struct timer *timer)
{
    return heap_linked(&timer->node);
}
