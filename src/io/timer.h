/* io/timer.h - one-shot timers of a loop, on a heap that never allocates. run() is called on the loop's own
 * stack and may not wait. Granularity is the loop's turn; a timer never runs early. One whose time is past runs in the
 * next turn; several of them in the order in which they were set. */
#ifndef WEFT_IO_TIMER_H
#define WEFT_IO_TIMER_H

#include "base/heap.h"

struct loop;

struct timer {
    struct heap_node node; /* key: due, in loop time */
    void (*run)(struct timer *timer);
};

void timer_init(struct timer *timer, void (*run)(struct timer *));
void timer_set(struct loop *loop, struct timer *timer, int64_t due_ns); /* moves it if it is set; TIME_NEVER stops it */
void timer_stop(struct loop *loop, struct timer *timer);
bool timer_is_set(const struct timer *timer);

#endif
