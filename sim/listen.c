/* Listeners, and how a connection comes about: a question travels, an answer travels back. */
#include "sim/internal.h"

#define FIRST_PORT 32768 /* net.ipv4.ip_local_port_range */

static bool is_loopback(const struct address *address)
{
    return address->ip[0] == 127;
}

static bool is_any(const struct address *address)
{
    return address->ip[0] == 0 && address->ip[1] == 0 && address->ip[2] == 0 && address->ip[3] == 0;
}

static bool is_of(const struct address *address, const struct sim_node *node)
{
    return memcmp(address->ip, node->ip, 4) == 0;
}

/* Would a listener on `bound` get what comes for `wanted`? */
static bool covers(const struct address *bound, const struct address *wanted)
{
    if (bound->family != wanted->family)
        return false;
    if (bound->family == ADDRESS_UNIX)
        return strcmp(bound->path, wanted->path) == 0;
    return bound->port == wanted->port && (is_any(bound) || memcmp(bound->ip, wanted->ip, 4) == 0);
}

/* One of those that cover it: the kernel spreads over SO_REUSEPORT listeners by a hash, here it is drawn. */
static struct sim_end *listener_find(struct sim_node *node, const struct address *wanted)
{
    struct sim_end *found = NULL;
    uint64_t count = 0;

    LIST_EACH (&node->listeners, at, next) {
        struct sim_end *end = container_of(at, struct sim_end, listening);

        if (!covers(&end->local, wanted))
            continue;
        count++;
        if (count == 1 || prng_below(&node->world->prng, count) == 0)
            found = end;
    }
    return found;
}

static bool address_taken(struct sim_node *node, const struct address *wanted, bool reuse_port)
{
    LIST_EACH (&node->listeners, at, next) {
        struct sim_end *end = container_of(at, struct sim_end, listening);

        if ((covers(&end->local, wanted) || covers(wanted, &end->local)) && !(reuse_port && end->reuse_port))
            return true;
    }
    return false;
}

static uint16_t port_next(struct sim_node *node)
{
    uint16_t port = node->next_port;

    node->next_port = port == UINT16_MAX ? FIRST_PORT : (uint16_t)(port + 1);
    return port;
}

/* What a node can bind: its own address, loopback, any, a path; no IPv6. */
static int bind_check(struct sim_node *node, struct address *address)
{
    if (address->family == ADDRESS_UNIX)
        return address->path[0] ? 0 : -EINVAL;
    if (address->family != ADDRESS_IP4)
        return address->family == ADDRESS_IP6 ? -EADDRNOTAVAIL : -EAFNOSUPPORT;
    if (!is_any(address) && !is_loopback(address) && !is_of(address, node))
        return -EADDRNOTAVAIL;
    if (address->port == 0)
        address->port = port_next(node);
    return 0;
}

int sim_listen(struct io *io, const struct address *address, unsigned backlog, bool reuse_port, struct io_socket *ret)
{
    struct sim_node *node = sim_loop_of(io)->process->on;
    struct address local = *address;
    struct sim_end *end;
    int r = bind_check(node, &local);

    if (r < 0)
        return r;
    if (address_taken(node, &local, reuse_port))
        return -EADDRINUSE;
    end = sim_end_create(node, SIM_END_LISTENER);
    end->local = local;
    end->backlog = MAX(backlog, 1u);
    end->reuse_port = reuse_port;
    list_push_back(&node->listeners, &end->listening);
    r = sim_socket_open(io, end, ret);
    if (r < 0) {
        sim_end_release(end, false);
        return r;
    }
    world_trace(node->world, SIM_TRACE_LISTEN, local.port, backlog, 0);
    return 0;
}

/* Who was queued gets RST: that is what closing one of two SO_REUSEPORT listeners does on Linux. */
void sim_listener_done(struct sim_end *listener, bool vanish)
{
    struct list_node *node;

    list_remove(&listener->listening);
    while ((node = list_pop_front(&listener->queue)) != NULL) {
        struct sim_end *end = container_of(node, struct sim_end, queued_node);

        if (!vanish)
            sim_stream_reset(end);
        sim_end_release(end, vanish);
    }
    listener->queued = 0;
}

int sim_try_accept(struct io *io, struct io_socket listener, struct io_socket *ret, struct address *ret_peer)
{
    struct sim_socket *found = sim_socket_find(io, listener);
    struct sim_end *end, *accepted;
    int r;

    if (!found)
        return -EBADF;
    end = found->end;
    if (end->kind != SIM_END_LISTENER)
        return -EINVAL;
    if (end->queued == 0 || end->hung)
        return -EAGAIN;
    accepted = container_of(end->queue.next, struct sim_end, queued_node);
    r = sim_socket_open(io, accepted, ret);
    if (r < 0)
        return r;
    list_remove(&accepted->queued_node);
    end->queued--;
    if (ret_peer)
        *ret_peer = accepted->peer;
    world_trace(end->world, SIM_TRACE_ACCEPT, accepted->connection ? (int64_t)accepted->connection->number : 0,
                end->queued, 0);
    return 0;
}

/* --- connecting --------------------------------------------------------------------------------------------- */

/* The client learns how it went. */
void sim_end_connected(struct sim_end *end, int result)
{
    ASSERT(end->state == SIM_CONNECTING);
    world_cancel(end->world, &end->connecting);
    world_trace(end->world, SIM_TRACE_ANSWER, end->number, result, 0);
    end->state = result == 0 ? SIM_CONNECTED : SIM_FAILED;
    end->connect_error = result;
    if (result == 0 && !end->connection) /* cannot be: an answer of 0 comes from a listener */
        ASSERT(end->connection != NULL);
    sim_end_notify(end);
}

static void connect_again(struct world *world, struct sim_end *end)
{
    if (end->tries >= SIM_SYN_TRIES)
        sim_end_connected(end, -ETIMEDOUT);
    else
        world_after(world, &end->connecting, NS_PER_S << end->tries++);
}

static struct sim_end *server_end(struct sim_end *client, struct sim_end *listener)
{
    struct sim_end *end = sim_end_create(listener->on, SIM_END_STREAM);

    end->local = client->peer;
    end->peer = client->local;
    end->state = SIM_CONNECTED;
    sim_connection_create(client, end);
    list_push_back(&listener->queue, &end->queued_node);
    listener->queued++;
    sim_end_notify(listener);
    return end;
}

static void answer_plan(struct world *world, struct sim_end *end, int result)
{
    int64_t latency = world_latency(world, end->target, end->on);

    end->answered = true;
    end->connect_error = result;
    world_after(world, &end->connecting, latency);
    if (end->connection)
        end->connection->pipes[1].last_ns = world->now_ns + latency; /* the server's bytes come after it */
}

static void question_arrives(struct world *world, struct sim_end *end)
{
    struct sim_end *listener = listener_find(end->target, &end->peer);
    int result = listener ? 0 : -ECONNREFUSED;

    if (listener && listener->queued >= listener->backlog) {
        world_count(world, SIM_FAULT_BACKLOG);
        connect_again(world, end);
        return;
    }
    if (listener && world_chance(world, world->faults.refuse_chance))
        result = -ECONNREFUSED;
    if (result < 0)
        world_count(world, SIM_FAULT_REFUSED);
    world_trace(world, SIM_TRACE_SYN, end->number, end->peer.port, result);
    if (result == 0)
        server_end(end, listener);
    answer_plan(world, end, result);
}

static void connecting_run(struct world *world, struct sim_event *event)
{
    struct sim_end *end = container_of(event, struct sim_end, connecting);
    bool blocked = !end->target || (end->answered ? world_blocked(world, end->target, end->on)
                                                  : world_blocked(world, end->on, end->target));

    if (blocked) {
        world_count(world, SIM_FAULT_BLOCKED);
        connect_again(world, end);
    } else if (end->answered) {
        sim_end_connected(end, end->connect_error);
    } else {
        question_arrives(world, end);
    }
}

static struct sim_node *node_at(struct sim_node *from, const struct address *address)
{
    struct world *world = from->world;

    if (is_loopback(address))
        return from;
    for (unsigned i = 0; i < world->node_count; i++)
        if (is_of(address, world->nodes[i]))
            return world->nodes[i];
    return NULL; /* nobody answers there */
}

/* A path is looked up at once, as the kernel does; the connection stands when this returns. */
static int connect_path(struct sim_end *client)
{
    struct sim_end *listener = listener_find(client->on, &client->peer);

    if (!listener) {
        world_count(client->world, SIM_FAULT_REFUSED);
        return -ECONNREFUSED;
    }
    if (listener->queued >= listener->backlog) {
        world_count(client->world, SIM_FAULT_BACKLOG);
        return -ECONNREFUSED; /* no event would tell when it isn't full any more */
    }
    server_end(client, listener);
    client->state = SIM_CONNECTED;
    return 0;
}

static int connect_begin(struct sim_end *end)
{
    struct world *world = end->world;
    int64_t latency;

    if (end->peer.family == ADDRESS_UNIX)
        return connect_path(end);
    if (end->peer.family != ADDRESS_IP4)
        return -ENETUNREACH;
    end->local = end->peer;
    if (!is_loopback(&end->peer))
        memcpy(end->local.ip, end->on->ip, 4);
    end->local.port = port_next(end->on);
    end->target = node_at(end->on, &end->peer);
    latency = world_latency(world, end->on, end->target ? end->target : end->on);
    end->connecting.run = connecting_run;
    world_after(world, &end->connecting, latency);
    return 0;
}

int sim_try_connect(struct io *io, const struct address *address, struct io_socket *ret)
{
    struct sim_node *node = sim_loop_of(io)->process->on;
    struct sim_end *end = sim_end_create(node, SIM_END_STREAM);
    struct io_socket socket;
    int r = sim_socket_open(io, end, &socket);

    if (r < 0) {
        sim_end_release(end, false);
        return r;
    }
    end->peer = *address;
    world_trace(node->world, SIM_TRACE_CONNECT, end->number, address->family == ADDRESS_UNIX ? 0 : address->port, 0);
    r = connect_begin(end);
    if (r < 0) {
        sim_socket_shut(sim_socket_find(io, socket));
        return r;
    }
    *ret = socket;
    return 0;
}

int sim_connect_result(struct io *io, struct io_socket socket)
{
    struct sim_socket *found = sim_socket_find(io, socket);
    int error;

    if (!found)
        return -EBADF;
    if (found->end->kind != SIM_END_STREAM)
        return -EINVAL;
    if (found->end->state != SIM_FAILED)
        return found->end->state == SIM_CONNECTING ? -EAGAIN : 0;
    error = found->end->connect_error; /* told once, as by SO_ERROR */
    found->end->connect_error = -ENOTCONN;
    return error;
}
