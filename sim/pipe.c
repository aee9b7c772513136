/* Bytes on their way. A segment is what one packet carries; segments of a pipe arrive in order, RST overtakes them. */
#include "sim/internal.h"

struct segment {
    struct list_node node;
    int64_t due_ns;
    size_t size;
    bool fin;
};

static void arrival_run(struct world *world, struct sim_event *event);
static void reset_run(struct world *world, struct sim_event *event);

size_t sim_pipe_unread(const struct sim_pipe *pipe)
{
    return (size_t)(pipe->arrived - pipe->read);
}

size_t sim_pipe_room(const struct sim_pipe *pipe)
{
    return pipe->capacity - (size_t)(pipe->written - pipe->read);
}

struct sim_connection *sim_connection_create(struct sim_end *client, struct sim_end *server)
{
    struct world *world = client->world;
    struct sim_connection *connection = sim_take(sizeof(*connection));

    connection->world = world;
    connection->number = ++world->connection_number;
    for (unsigned side = 0; side < 2; side++) {
        struct sim_pipe *pipe = &connection->pipes[side];
        struct sim_end *end = side == 0 ? client : server;

        pipe->connection = connection;
        pipe->from = side;
        pipe->capacity = (size_t)world_draw(world, &world->faults.window);
        list_init(&pipe->segments);
        heap_node_init(&pipe->arrival.node);
        heap_node_init(&pipe->reset.node);
        pipe->arrival.run = arrival_run;
        pipe->reset.run = reset_run;
        connection->ends[side] = end;
        connection->nodes[side] = end->on;
        end->connection = connection;
        end->side = side;
    }
    list_push_back(&world->connections, &connection->node);
    world->connection_count++;
    return connection;
}

/* Forgets what is under way. */
static void pipe_purge(struct sim_pipe *pipe)
{
    struct list_node *node;

    while ((node = list_pop_front(&pipe->segments)) != NULL)
        mem_free(container_of(node, struct segment, node));
    world_cancel(pipe->connection->world, &pipe->arrival);
    pipe->blocked_ns = 0;
}

void sim_connection_destroy(struct sim_connection *connection)
{
    for (unsigned side = 0; side < 2; side++) {
        pipe_purge(&connection->pipes[side]);
        world_cancel(connection->world, &connection->pipes[side].reset);
        mem_free(connection->pipes[side].ring);
    }
    list_remove(&connection->node);
    connection->world->connection_count--;
    mem_free(connection);
}

/* --- sending --------------------------------------------------------------------------------------------- */

static int64_t pipe_latency(struct sim_pipe *pipe)
{
    struct sim_connection *connection = pipe->connection;

    return world_latency(connection->world, connection->nodes[pipe->from], connection->nodes[!pipe->from]);
}

static void segment_send(struct sim_pipe *pipe, size_t size, bool fin)
{
    struct world *world = pipe->connection->world;
    struct segment *segment = sim_take(sizeof(*segment));

    segment->due_ns = MAX(pipe->last_ns, world->now_ns + pipe_latency(pipe));
    segment->size = size;
    segment->fin = fin;
    pipe->last_ns = segment->due_ns;
    if (list_empty(&pipe->segments))
        world_at(world, &pipe->arrival, segment->due_ns);
    list_push_back(&pipe->segments, &segment->node);
}

static void pipe_send(struct sim_pipe *pipe, size_t size)
{
    struct world *world = pipe->connection->world;

    while (size > 1 && world_chance(world, world->faults.split_chance)) {
        size_t part = (size_t)prng_between(&world->prng, 1, (int64_t)size - 1);

        world_count(world, SIM_FAULT_SPLIT);
        segment_send(pipe, part, false);
        size -= part;
    }
    segment_send(pipe, size, false);
}

static void pipe_fin(struct sim_pipe *pipe)
{
    if (pipe->fin_sent)
        return;
    pipe->fin_sent = true;
    segment_send(pipe, 0, true);
}

/* RST to the other side, and nothing else any more. */
static void pipe_reset(struct sim_pipe *pipe)
{
    struct world *world = pipe->connection->world;

    pipe_purge(pipe);
    if (!heap_linked(&pipe->reset.node))
        world_after(world, &pipe->reset, pipe_latency(pipe));
}

/* --- arriving ----------------------------------------------------------------------------------------------- */

/* No byte goes in or out of this end any more. */
static void stream_break(struct sim_end *end, int error)
{
    struct sim_pipe *in = &end->connection->pipes[!end->side];

    pipe_purge(in);
    pipe_purge(&end->connection->pipes[end->side]);
    end->broken = true;
    end->error = error;
    if (end->state == SIM_CONNECTING)
        sim_end_connected(end, error == -ECONNRESET ? -ECONNREFUSED : error);
    sim_end_notify(end);
}

static void reset_run(struct world *world, struct sim_event *event)
{
    struct sim_pipe *pipe = container_of(event, struct sim_pipe, reset);
    struct sim_connection *connection = pipe->connection;
    struct sim_end *end = connection->ends[!pipe->from];

    if (!end)
        return;
    if (world_blocked(world, connection->nodes[pipe->from], end->on)) {
        world_after(world, event, SIM_RETRY_NS << SIM_RETRY_DOUBLINGS);
        return;
    }
    world_count(world, SIM_FAULT_RESET);
    world_trace(world, SIM_TRACE_RST, (int64_t)connection->number, end->side, 0);
    if (world_chance(world, world->faults.discard_chance))
        pipe->read = pipe->arrived;
    if (!end->broken)
        stream_break(end, -ECONNRESET);
}

void sim_connection_break(struct sim_connection *connection)
{
    world_count(connection->world, SIM_FAULT_RESET);
    for (unsigned side = 0; side < 2; side++) {
        struct sim_end *end = connection->ends[side];

        world_trace(connection->world, SIM_TRACE_RST, (int64_t)connection->number, side, 0);
        if (end && !end->broken)
            stream_break(end, -ECONNRESET);
    }
}

/* Nothing gets through: tries again later, and in the end gives up. */
static void arrival_blocked(struct world *world, struct sim_pipe *pipe)
{
    struct sim_connection *connection = pipe->connection;
    struct sim_end *sender = connection->ends[pipe->from];
    int64_t wait = SIM_RETRY_NS << MIN(pipe->tries, (unsigned)SIM_RETRY_DOUBLINGS);

    world_count(world, SIM_FAULT_BLOCKED);
    if (pipe->blocked_ns == 0) {
        pipe->blocked_ns = world->now_ns;
        pipe->tries = 0;
    }
    world_trace(world, SIM_TRACE_BLOCKED, (int64_t)connection->number, pipe->from, pipe->tries);
    if (world->now_ns - pipe->blocked_ns < SIM_GIVE_UP_NS) {
        pipe->tries++;
        world_after(world, &pipe->arrival, prng_between(&world->prng, wait, wait + wait / 4));
        return;
    }
    world_trace(world, SIM_TRACE_GIVE_UP, (int64_t)connection->number, pipe->from, 0);
    if (sender)
        stream_break(sender, -ETIMEDOUT);
    else
        pipe_purge(pipe);
}

static void segment_arrive(struct sim_pipe *pipe, const struct segment *segment, struct sim_end *end)
{
    struct sim_connection *connection = pipe->connection;

    if (end->state == SIM_CONNECTING) /* it overtook the answer, which it implies */
        sim_end_connected(end, 0);
    if (segment->fin) {
        world_trace(connection->world, SIM_TRACE_FIN, (int64_t)connection->number, end->side, 0);
        pipe->fin_arrived = true;
    } else {
        world_trace(connection->world, SIM_TRACE_ARRIVE, (int64_t)connection->number, end->side,
                    (int64_t)segment->size);
        pipe->arrived += segment->size;
    }
    sim_end_notify(end);
}

static void arrival_run(struct world *world, struct sim_event *event)
{
    struct sim_pipe *pipe = container_of(event, struct sim_pipe, arrival);
    struct sim_connection *connection = pipe->connection;
    struct segment *segment = container_of(pipe->segments.next, struct segment, node);
    struct sim_end *receiver = connection->ends[!pipe->from];

    if (world_blocked(world, connection->nodes[pipe->from], connection->nodes[!pipe->from])) {
        arrival_blocked(world, pipe);
        return;
    }
    pipe->blocked_ns = 0;
    if (!receiver) { /* its kernel knows of no such connection any more */
        pipe_purge(pipe);
        pipe_reset(&connection->pipes[!pipe->from]);
        return;
    }
    list_remove(&segment->node);
    if (!list_empty(&pipe->segments)) {
        struct segment *next = container_of(pipe->segments.next, struct segment, node);

        world_at(world, event, next->due_ns);
    }
    segment_arrive(pipe, segment, receiver);
    mem_free(segment);
}

/* --- this side -------------------------------------------------------------------------------------------------- */

/* Takes the end out of its connection, which goes away with the second one. */
static void stream_detach(struct sim_end *end)
{
    struct sim_connection *connection = end->connection;

    connection->ends[end->side] = NULL;
    end->connection = NULL;
    if (!connection->ends[0] && !connection->ends[1])
        sim_connection_destroy(connection);
}

void sim_stream_done(struct sim_end *end, bool vanish)
{
    struct sim_connection *connection = end->connection;
    struct sim_pipe *in, *out;

    if (!connection)
        return;
    in = &connection->pipes[!end->side];
    out = &connection->pipes[end->side];
    if (vanish)
        pipe_purge(out);
    else if (!end->broken && sim_pipe_unread(in) > 0)
        pipe_reset(out); /* as Linux does: the sender must learn that its bytes were not read */
    else if (!end->broken)
        pipe_fin(out);
    stream_detach(end);
}

void sim_stream_reset(struct sim_end *end)
{
    if (end->connection && !end->broken) {
        pipe_reset(&end->connection->pipes[end->side]);
        pipe_purge(&end->connection->pipes[!end->side]);
        end->broken = true;
    }
}

/* Errors are told once. 0: there is none, or it was told. */
static int error_take(struct sim_end *end)
{
    int error = end->error;

    end->error = 0;
    return error;
}

static void ring_copy_out(struct sim_pipe *pipe, char *memory, size_t len)
{
    size_t at = (size_t)(pipe->read % pipe->capacity);
    size_t first = MIN(len, pipe->capacity - at);

    memcpy(memory, pipe->ring + at, first);
    memcpy(memory + first, pipe->ring, len - first);
}

ssize_t sim_try_read(struct io *io, struct io_socket socket, void *memory, size_t len)
{
    struct sim_socket *found = sim_socket_find(io, socket);
    struct world *world = sim_world_of(io);
    struct sim_end *end;
    struct sim_pipe *in;
    size_t n;

    ASSERT(len > 0);
    if (!found)
        return -EBADF;
    end = found->end;
    if (end->kind != SIM_END_STREAM)
        return -EINVAL;
    if (end->state != SIM_CONNECTED)
        return end->state == SIM_CONNECTING ? -EAGAIN : -ENOTCONN;
    in = &end->connection->pipes[!end->side];
    n = MIN(len, sim_pipe_unread(in));
    if (n == 0) {
        if (end->error)
            return error_take(end);
        return in->fin_arrived || end->broken ? 0 : -EAGAIN;
    }
    if (n > 1 && world_chance(world, world->faults.short_read_chance)) {
        n = (size_t)prng_between(&world->prng, 1, (int64_t)n - 1);
        world_count(world, SIM_FAULT_SHORT_READ);
    }
    ring_copy_out(in, memory, n);
    in->read += n;
    world_trace(world, SIM_TRACE_READ, (int64_t)end->connection->number, (int64_t)n, 0);
    if (end->connection->ends[!end->side])
        sim_end_notify(end->connection->ends[!end->side]); /* there is room again */
    return (ssize_t)n;
}

static void ring_copy_in(struct sim_pipe *pipe, const char *data, size_t len)
{
    size_t at = (size_t)(pipe->written % pipe->capacity);
    size_t first = MIN(len, pipe->capacity - at);

    memcpy(pipe->ring + at, data, first);
    memcpy(pipe->ring, data + first, len - first);
    pipe->written += len;
}

/* At most `max` bytes of the parts. Returns a number for their content. */
static uint64_t parts_copy_in(struct sim_pipe *pipe, const struct iovec *parts, int count, size_t max)
{
    uint64_t content = 0;

    if (!pipe->ring)
        pipe->ring = sim_take(pipe->capacity);
    for (int i = 0; i < count && max > 0; i++) {
        size_t len = MIN(parts[i].iov_len, max);

        if (len == 0)
            continue;
        ring_copy_in(pipe, parts[i].iov_base, len);
        content = hash_mix64(content ^ (uint64_t)sim_content(bytes_of(parts[i].iov_base, len)));
        max -= len;
    }
    return content;
}

static int write_refused(struct sim_end *end)
{
    int error;

    if (end->kind != SIM_END_STREAM)
        return -EINVAL;
    if (end->state != SIM_CONNECTED)
        return end->state == SIM_CONNECTING ? -EAGAIN : -ENOTCONN;
    error = error_take(end);
    if (error)
        return error;
    return end->broken || end->connection->pipes[end->side].fin_sent ? -EPIPE : 0;
}

ssize_t sim_try_write(struct io *io, struct io_socket socket, const struct iovec *parts, int count)
{
    struct sim_socket *found = sim_socket_find(io, socket);
    struct world *world = sim_world_of(io);
    struct sim_pipe *out;
    size_t wanted = 0, n;
    uint64_t content;
    int r;

    if (!found)
        return -EBADF;
    r = write_refused(found->end);
    if (r < 0)
        return r;
    out = &found->end->connection->pipes[found->end->side];
    for (int i = 0; i < count; i++)
        wanted += parts[i].iov_len;
    n = MIN(wanted, sim_pipe_room(out));
    if (n == 0 && wanted > 0) {
        world_count(world, SIM_FAULT_FULL);
        return -EAGAIN;
    }
    if (n > 1 && world_chance(world, world->faults.short_write_chance)) {
        n = (size_t)prng_between(&world->prng, 1, (int64_t)n - 1);
        world_count(world, SIM_FAULT_SHORT_WRITE);
    }
    if (n == 0)
        return 0;
    content = parts_copy_in(out, parts, count, n);
    world_trace(world, SIM_TRACE_WRITE, (int64_t)out->connection->number, (int64_t)n, (int64_t)(content >> 1));
    pipe_send(out, n);
    return (ssize_t)n;
}

int sim_shut_write(struct io *io, struct io_socket socket)
{
    struct sim_socket *found = sim_socket_find(io, socket);

    if (!found)
        return -EBADF;
    if (found->end->kind != SIM_END_STREAM || found->end->state != SIM_CONNECTED)
        return -ENOTCONN;
    if (found->end->broken)
        return -ENOTCONN;
    pipe_fin(&found->end->connection->pipes[found->end->side]);
    return 0;
}
