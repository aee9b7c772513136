#include "sim/internal.h"

struct sim_end *sim_end_create(struct sim_node *node, enum sim_end_kind kind)
{
    struct world *world = node->world;
    struct sim_end *end = sim_take(sizeof(*end));

    end->world = world;
    end->kind = kind;
    end->number = ++world->end_number;
    end->references = 1;
    end->on = node;
    list_init(&end->sockets);
    list_init(&end->listening);
    list_init(&end->queue);
    list_init(&end->queued_node);
    list_init(&end->messages);
    heap_node_init(&end->connecting.node);
    world->end_count++;
    return end;
}

void sim_end_release(struct sim_end *end, bool vanish)
{
    struct world *world = end->world;

    ASSERT(end->references > 0);
    if (--end->references > 0)
        return;
    ASSERT(list_empty(&end->sockets));
    world_trace(world, SIM_TRACE_CLOSE, end->number, vanish, 0);
    world_cancel(world, &end->connecting);
    if (end->kind == SIM_END_LISTENER)
        sim_listener_done(end, vanish);
    else if (end->kind == SIM_END_STREAM)
        sim_stream_done(end, vanish);
    else if (end->kind == SIM_END_PACKETS)
        sim_packets_done(end, vanish);
    else
        end->receiver->signals = NULL;
    world->end_count--;
    mem_free(end);
}

static unsigned stream_ready(const struct sim_end *end)
{
    const struct sim_pipe *in, *out;
    unsigned ready = 0;

    if (end->state == SIM_CONNECTING)
        return 0;
    if (end->state == SIM_FAILED || end->broken)
        return IO_READ | IO_WRITE | IO_HANGUP;
    in = &end->connection->pipes[!end->side];
    out = &end->connection->pipes[end->side];
    if (sim_pipe_unread(in) > 0)
        ready |= IO_READ;
    if (in->fin_arrived)
        ready |= IO_READ | IO_HANGUP;
    if (out->fin_sent || sim_pipe_room(out) > 0)
        ready |= IO_WRITE;
    return ready;
}

unsigned sim_end_ready(const struct sim_end *end)
{
    switch (end->kind) {
    case SIM_END_LISTENER: return end->queued > 0 && !end->hung ? IO_READ : 0;
    case SIM_END_STREAM: return stream_ready(end);
    case SIM_END_PACKETS:
        return (end->message_count > 0 ? IO_READ : 0) | (!end->other ? IO_READ | IO_WRITE | IO_HANGUP
                                                         : end->other->message_count < SIM_PACKETS_MAX ? IO_WRITE
                                                                                                       : 0);
    case SIM_END_SIGNALS: return end->signals_pending ? IO_READ : 0;
    }
    return 0;
}

void sim_end_notify(struct sim_end *end)
{
    LIST_EACH (&end->sockets, node, next)
        sim_socket_notify(container_of(node, struct sim_socket, at_end));
}
