#include "sim/internal.h"

struct sim_socket *sim_socket_find(struct io *io, struct io_socket socket)
{
    struct sim_loop *loop = sim_loop_of(io);
    struct sim_socket *found;

    if (socket.slot >= loop->slot_count)
        return NULL;
    found = loop->slots[socket.slot];
    return found->end && found->generation == socket.generation ? found : NULL;
}

static void *grow(void *old, size_t count, size_t wanted, size_t size)
{
    void *grown = sim_take(wanted * size);

    if (count)
        memcpy(grown, old, count * size);
    mem_free(old);
    return grown;
}

static struct sim_socket *slot_take(struct sim_loop *loop)
{
    struct sim_socket *socket;

    if (loop->free_count > 0)
        return loop->slots[loop->free_slots[--loop->free_count]];
    if (loop->slot_count == loop->slot_capacity) {
        uint32_t wanted = loop->slot_capacity ? loop->slot_capacity * 2 : 16;

        loop->slots = grow(loop->slots, loop->slot_capacity, wanted, sizeof(*loop->slots));
        loop->free_slots = grow(loop->free_slots, loop->slot_capacity, wanted, sizeof(*loop->free_slots));
        loop->slot_capacity = wanted;
    }
    socket = sim_take(sizeof(*socket));
    socket->owner = loop;
    socket->slot = loop->slot_count;
    list_init(&socket->at_end);
    list_init(&socket->due_node);
    loop->slots[loop->slot_count++] = socket;
    return socket;
}

int sim_socket_open(struct io *io, struct sim_end *end, struct io_socket *ret)
{
    struct sim_loop *loop = sim_loop_of(io);
    struct sim_socket *socket;

    if (loop->open_sockets >= loop->process->sockets_max)
        return -EMFILE;
    socket = slot_take(loop);
    loop->open_sockets++;
    socket->generation++;
    socket->end = end;
    list_push_back(&end->sockets, &socket->at_end);
    *ret = (struct io_socket){ socket->slot, socket->generation };
    return 0;
}

static void wakes_forget(struct sim_socket *socket)
{
    for (unsigned i = 0; i < 3; i++) {
        if (socket->wakes[i])
            socket->wakes[i]->events = 0;
        socket->wakes[i] = NULL;
    }
}

/* Leaves the wakes alone: those of a killed process lie in memory that may be gone. */
static void socket_free(struct sim_socket *socket, bool vanish)
{
    struct sim_end *end = socket->end;

    list_remove(&socket->at_end);
    list_remove(&socket->due_node);
    memset(socket->wakes, 0, sizeof(socket->wakes));
    socket->spurious = 0;
    socket->end = NULL;
    socket->owner->open_sockets--;
    socket->owner->free_slots[socket->owner->free_count++] = socket->slot;
    sim_end_release(end, vanish);
}

void sim_socket_shut(struct sim_socket *socket)
{
    wakes_forget(socket);
    socket_free(socket, false);
}

void sim_loop_sockets_done(struct sim_loop *loop, bool vanish)
{
    for (uint32_t i = 0; i < loop->slot_count; i++) {
        if (loop->slots[i]->end)
            socket_free(loop->slots[i], vanish);
        mem_free(loop->slots[i]);
    }
    mem_free(loop->slots);
    mem_free(loop->free_slots);
    loop->slots = NULL;
    loop->free_slots = NULL;
    loop->slot_count = loop->slot_capacity = loop->free_count = 0;
}

/* --- wakes ----------------------------------------------------------------------------------------------- */

static unsigned armed(const struct sim_socket *socket)
{
    unsigned events = 0;

    for (unsigned i = 0; i < 3; i++)
        if (socket->wakes[i])
            events |= 1u << i;
    return events;
}

/* Which of two ready sockets is served first is anybody's guess: so it is drawn. */
static void socket_due(struct sim_socket *socket)
{
    struct sim_loop *loop = socket->owner;

    if (list_linked(&socket->due_node))
        return;
    if (world_chance(loop->process->on->world, 0.5))
        list_push_back(&loop->due, &socket->due_node);
    else
        list_push_front(&loop->due, &socket->due_node);
    sim_loop_wake(&loop->loop);
}

void sim_socket_notify(struct sim_socket *socket)
{
    if (sim_end_ready(socket->end) & armed(socket))
        socket_due(socket);
}

int sim_arm(struct io *io, struct wake *wake, unsigned events)
{
    struct sim_socket *socket = sim_socket_find(io, wake->socket);
    struct world *world = sim_world_of(io);

    if (!socket)
        return -EBADF;
    ASSERT(wake->events == 0 && wake->run != NULL);
    ASSERT(events != 0 && (events & ~7u) == 0);
    ASSERT((armed(socket) & events) == 0); /* io.h (3): one wake for each event */
    for (unsigned i = 0; i < 3; i++)
        if (events & 1u << i)
            socket->wakes[i] = wake;
    wake->events = events;
    if (sim_end_ready(socket->end) & events) {
        socket_due(socket);
    } else if ((events & (IO_READ | IO_WRITE)) && world_chance(world, world->faults.spurious_chance)) {
        world_count(world, SIM_FAULT_SPURIOUS);
        socket->spurious |= events & (IO_READ | IO_WRITE);
        socket_due(socket);
    }
    return 0;
}

void sim_disarm(struct io *io, struct wake *wake)
{
    struct sim_socket *socket;

    if (wake->events == 0)
        return;
    socket = sim_socket_find(io, wake->socket);
    ASSERT(socket != NULL); /* closing disarms, so an armed wake has its socket */
    for (unsigned i = 0; i < 3; i++)
        if (socket->wakes[i] == wake)
            socket->wakes[i] = NULL;
    socket->spurious &= ~wake->events;
    wake->events = 0;
}

/* The first wake that `ready` concerns, disarmed. */
static struct wake *wake_take(struct io *io, struct sim_socket *socket, unsigned ready, unsigned *ret_events)
{
    for (unsigned i = 0; i < 3; i++) {
        struct wake *wake = socket->wakes[i];

        if (wake && (ready & 1u << i)) {
            *ret_events = ready & wake->events;
            sim_disarm(io, wake);
            return wake;
        }
    }
    return NULL;
}

static unsigned socket_run(struct sim_socket *socket)
{
    struct io *io = &socket->owner->io;
    uint32_t generation = socket->generation;
    unsigned ready = sim_end_ready(socket->end) | socket->spurious;
    unsigned done = 0, count = 0, events;
    struct wake *wake;

    socket->spurious = 0;
    /* A wake that run() arms again waits for the next poll: each event runs once. */
    while (socket->end && socket->generation == generation &&
           (wake = wake_take(io, socket, ready & ~done, &events)) != NULL) {
        done |= events;
        wake->run(wake, events);
        count++;
    }
    return count;
}

int sim_poll(struct io *io, int64_t until_ns)
{
    struct sim_loop *loop = sim_loop_of(io);
    struct list_node batch = LIST_INIT(batch);
    struct list_node *node;
    unsigned count = 0;

    ASSERT(loop->turning && !loop->loop.running);
    if (io->clock)
        *io->clock = io->ops->now_ns(io);
    list_move_all(&batch, &loop->due);
    while ((node = list_pop_front(&batch)) != NULL)
        count += socket_run(container_of(node, struct sim_socket, due_node));
    return (int)(count + sim_jobs_finish(loop));
}
