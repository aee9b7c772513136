#include "io/linux/internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

struct slot *slot_at(struct io_linux *io, uint32_t index)
{
    ASSERT(index < io->slot_count);
    return &io->chunks[index / SLOT_CHUNK][index % SLOT_CHUNK];
}

struct slot *slot_find(struct io_linux *io, struct io_socket socket)
{
    struct slot *slot;

    if (!io_socket_is(socket) || socket.slot >= io->slot_count)
        return NULL;
    slot = slot_at(io, socket.slot);
    return slot->generation == socket.generation && slot->kind != SLOT_FREE ? slot : NULL;
}

static int slot_make(struct io_linux *io, struct slot **ret)
{
    struct slot **chunk = &io->chunks[io->slot_count / SLOT_CHUNK];
    struct slot *slot;

    if (!*chunk)
        *chunk = mem_zalloc_array(SLOT_CHUNK, sizeof(struct slot));
    if (!*chunk)
        return -ENOMEM;
    slot = &(*chunk)[io->slot_count % SLOT_CHUNK];
    slot->index = io->slot_count++;
    slot->generation = 1;
    *ret = slot;
    return 0;
}

int slot_take(struct io_linux *io, struct slot **ret)
{
    struct slot *slot;
    int r;

    if (io->free_first != SLOT_NONE) {
        slot = slot_at(io, io->free_first);
        io->free_first = slot->next;
    } else {
        if (io->slot_count == SOCKETS_MAX)
            return -EMFILE;
        r = slot_make(io, &slot);
        if (r < 0)
            return r;
    }
    slot->descriptor = -1;
    slot->flags = slot->ready = slot->due = 0;
    slot->next = slot->prev = SLOT_NONE;
    io->slots_used++;
    *ret = slot;
    return 0;
}

void slot_give(struct io_linux *io, struct slot *slot)
{
    ASSERT(!(slot->flags & SLOT_QUEUED) && io->slots_used > 0);
    slot->kind = SLOT_FREE;
    if (++slot->generation == 0)
        slot->generation = 1;
    slot->next = io->free_first;
    io->free_first = slot->index;
    io->slots_used--;
}

/* --- the due queue ------------------------------------------------------------------------------------------ */

static void queue_remove(struct io_linux *io, struct slot *slot)
{
    if (slot->prev == SLOT_NONE)
        io->due_first = slot->next;
    else
        slot_at(io, slot->prev)->next = slot->next;
    if (slot->next == SLOT_NONE)
        io->due_last = slot->prev;
    else
        slot_at(io, slot->next)->prev = slot->prev;
    slot->next = slot->prev = SLOT_NONE;
    slot->flags &= (uint8_t)~SLOT_QUEUED;
    io->due_count--;
}

void slot_due(struct io_linux *io, struct slot *slot, unsigned events)
{
    slot->due |= (uint8_t)events;
    if (!slot->due || slot->flags & SLOT_QUEUED)
        return;
    slot->flags |= SLOT_QUEUED;
    slot->prev = io->due_last;
    if (io->due_last == SLOT_NONE)
        io->due_first = slot->index;
    else
        slot_at(io, io->due_last)->next = slot->index;
    io->due_last = slot->index;
    io->due_count++;
}

void slot_not_due(struct io_linux *io, struct slot *slot, unsigned events)
{
    slot->due &= (uint8_t)~events;
    if (!slot->due && slot->flags & SLOT_QUEUED)
        queue_remove(io, slot);
}

struct slot *slot_next_due(struct io_linux *io)
{
    struct slot *slot;

    if (io->due_first == SLOT_NONE)
        return NULL;
    slot = slot_at(io, io->due_first);
    queue_remove(io, slot);
    return slot;
}

/* --- registration ------------------------------------------------------------------------------------------- */

static uint32_t kind_events(enum slot_kind kind)
{
    switch (kind) {
    case SLOT_LISTENER:
    case SLOT_SIGNALS:
    case SLOT_PROCESS: return EPOLLIN | EPOLLET;
    default: return EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    }
}

int slot_open(struct io_linux *io, int descriptor, enum slot_kind kind, unsigned ready, unsigned flags,
              struct io_socket *ret)
{
    struct epoll_event event = { .events = kind_events(kind) };
    struct slot *slot;
    int r = slot_take(io, &slot);

    if (r < 0)
        return r;
    event.data.u64 = (uint64_t)slot->generation << 32 | slot->index;
    if (epoll_ctl(io->epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) {
        r = -errno;
        slot_give(io, slot);
        return r;
    }
    slot->descriptor = descriptor;
    slot->kind = (uint8_t)kind;
    slot->ready = (uint8_t)ready;
    slot->flags = (uint8_t)flags;
    *ret = slot_handle(slot);
    return 0;
}

void slot_close(struct io_linux *io, struct slot *slot)
{
    for (unsigned i = 0; i < WAKES_MAX; i++) {
        if (slot->wakes[i])
            slot->wakes[i]->events = 0;
        slot->wakes[i] = NULL;
    }
    slot_not_due(io, slot, slot->due);
    if (slot->flags & SLOT_SHARED)
        (void)epoll_ctl(io->epoll, EPOLL_CTL_DEL, slot->descriptor, NULL);
    (void)close(slot->descriptor); /* Linux has closed it even when it says EINTR */
    slot->descriptor = -1;
    slot_give(io, slot);
}
