#include "io/linux/internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static void slot_event(struct io_linux *io, struct slot *slot, uint32_t told)
{
    unsigned ready = 0, armed = 0;

    if (told & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        ready |= IO_READ;
    if (told & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        ready |= IO_WRITE;
    if (told & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        ready |= IO_HANGUP;
    slot->ready |= (uint8_t)ready;
    for (unsigned i = 0; i < WAKES_MAX; i++)
        if (slot->wakes[i])
            armed |= 1u << i;
    slot_due(io, slot, ready & armed);
}

/* Every wait may be cut short by a signal: that is a poll() that found nothing. */
static int wait_events(struct io_linux *io, struct epoll_event *events, int64_t wait_ns)
{
    struct timespec time = { .tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S };
    int64_t ms;
    int n;

    if (!io->wait_in_ms) {
        n = epoll_pwait2(io->epoll, events, POLL_EVENTS_MAX, wait_ns == TIME_NEVER ? NULL : &time, NULL);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM))
            return n >= 0 ? n : -errno;
        io->wait_in_ms = true;
    }
    ms = wait_ns / NS_PER_MS + (wait_ns % NS_PER_MS != 0); /* up: a timer never runs early */
    if (wait_ns == TIME_NEVER)
        ms = -1;
    else if (ms > INT32_MAX)
        ms = INT32_MAX;
    n = epoll_wait(io->epoll, events, POLL_EVENTS_MAX, (int)ms);
    return n >= 0 ? n : -errno;
}

static int64_t wait_time(struct io_linux *io, int64_t until_ns)
{
    int64_t now;

    if (io->due_count > 0 || until_ns <= 0 || atomic_load_explicit(&io->done, memory_order_relaxed))
        return 0;
    if (until_ns == TIME_NEVER)
        return TIME_NEVER;
    now = io->io.ops->now_ns(&io->io);
    return until_ns > now ? until_ns - now : 0;
}

static void take_events(struct io_linux *io, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t data = events[i].data.u64;
        struct io_socket socket = { (uint32_t)data, (uint32_t)(data >> 32) };
        struct slot *slot;

        if (!io_socket_is(socket)) { /* the notifier; cleared before what it announces is looked at */
            (void)atomic_exchange_explicit(&io->notified, false, memory_order_acq_rel);
            continue;
        }
        slot = slot_find(io, socket);
        if (slot)
            slot_event(io, slot, events[i].events);
    }
}

static unsigned run_slot(struct io_linux *io, struct slot *slot)
{
    uint32_t generation = slot->generation;
    unsigned due = slot->due, count = 0;

    slot->due = 0;
    for (unsigned i = 0; i < WAKES_MAX && slot->generation == generation; i++) {
        struct wake *wake = slot->wakes[i];
        unsigned events;

        if (!(due & 1u << i) || !wake) /* not due; or an earlier one disarmed it */
            continue;
        events = wake->events & due;
        linux_poll_disarm(&io->io, wake);
        wake->run(wake, events);
        count++;
    }
    return count;
}

int linux_poll_wait(struct io *seam, int64_t until_ns)
{
    struct io_linux *io = io_linux(seam);
    struct epoll_event events[POLL_EVENTS_MAX];
    int n = wait_events(io, events, wait_time(io, until_ns));
    unsigned ran;

    if (n < 0 && n != -EINTR)
        return n;
    if (seam->clock)
        *seam->clock = seam->ops->now_ns(seam);
    take_events(io, events, n);
    ran = linux_lane_jobs_done(io);
    /* Only those that are due now: wakes that arm themselves again on a ready socket wait for the next turn. */
    for (uint32_t left = io->due_count; left > 0; left--) {
        struct slot *slot = slot_next_due(io);

        if (!slot)
            break;
        ran += run_slot(io, slot);
    }
    return (int)ran;
}

void linux_poll_notify(struct io *seam)
{
    struct io_linux *io = io_linux(seam);
    const uint64_t one = 1;

    if (atomic_exchange_explicit(&io->notified, true, memory_order_acq_rel))
        return; /* poll() has yet to see the last one, and what we announce with it */
    while (write(io->notifier, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

int linux_poll_arm(struct io *seam, struct wake *wake, unsigned events)
{
    struct io_linux *io = io_linux(seam);
    struct slot *slot = slot_find(io, wake->socket);

    ASSERT(events != 0 && (events & ~(unsigned)(IO_READ | IO_WRITE | IO_HANGUP)) == 0);
    ASSERT(wake->events == 0 && wake->run != NULL);
    if (!slot)
        return -EBADF;
    for (unsigned i = 0; i < WAKES_MAX; i++) {
        if (!(events & 1u << i))
            continue;
        ASSERT(slot->wakes[i] == NULL);
        slot->wakes[i] = wake;
    }
    wake->events = events;
    slot_due(io, slot, events & slot->ready);
    return 0;
}

void linux_poll_disarm(struct io *seam, struct wake *wake)
{
    struct io_linux *io = io_linux(seam);
    struct slot *slot;

    if (wake->events == 0)
        return;
    slot = slot_find(io, wake->socket);
    ASSERT(slot != NULL); /* close disarms */
    for (unsigned i = 0; i < WAKES_MAX; i++)
        if (slot->wakes[i] == wake)
            slot->wakes[i] = NULL;
    slot_not_due(io, slot, wake->events);
    wake->events = 0;
}
