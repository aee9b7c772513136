#include "http/server.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "http/connection.h"

static void feed(struct timer *timer)
{
    connection_feed(container_of(timer, struct http_server, feeder));
}

/* (8): somebody waits for a connection that a slow client may hold. */
static void scarce(struct worker *worker)
{
    struct http_server *server = worker->scarce_data;

    if (!timer_is_set(&server->feeder))
        timer_set(worker->loop, &server->feeder, worker->loop->now_ns + HTTP_RETRY_PARKED_NS);
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

void http_server_limit(struct http_server *server, const struct http_server_limits *limits)
{
    static const struct http_server_limits usual = { 0 };
    struct http_server_limits *own = &server->limits;

    *own = limits ? *limits : usual;
    own->head_ns = or_default(own->head_ns, HTTP_HEAD_NS);
    own->idle_ns = or_default(own->idle_ns, HTTP_IDLE_NS);
    own->body_ns = or_default(own->body_ns, HTTP_BODY_NS);
    own->connections_max = own->connections_max ? own->connections_max : HTTP_CONNECTIONS_MAX;
    server->connections.max = server->partials.max = own->connections_max;
}

int http_server_init(struct http_server *server, struct worker *worker, const struct http_server_limits *limits)
{
    *server = (struct http_server){ .worker = worker };
    server->scratch = mem_zalloc_array(HTTP_FIELDS_MAX, sizeof(*server->scratch));
    if (!server->scratch)
        return -ENOMEM;
    pool_init(&server->connections, "client connections", sizeof(struct http_connection), HTTP_CONNECTIONS_MAX, 256);
    pool_init(&server->partials, "partial heads", HTTP_PARTIAL_SIZE, HTTP_CONNECTIONS_MAX, 64);
    http_server_limit(server, limits);
    list_init(&server->idle);
    list_init(&server->starved);
    list_init(&server->active);
    list_init(&server->lingering);
    list_init(&server->listeners);
    timer_init(&server->feeder, feed);
    worker->scarce = scarce;
    worker->scarce_data = server;
    return 0;
}

static void stop_listening(struct http_listener *listener)
{
    ASSERT(!listener->stopped);
    listener_stop(&listener->listener, false);
    list_remove(&listener->node);
    listener->stopped = true;
    http_listener_settle(listener);
}

void http_server_done(struct http_server *server)
{
    LIST_EACH (&server->listeners, node, next)
        stop_listening(container_of(node, struct http_listener, node));
    ASSERT(http_server_quiet(server));
    timer_stop(server->worker->loop, &server->feeder);
    server->worker->scarce = NULL;
    pool_done(&server->connections);
    pool_done(&server->partials);
    mem_free(server->scratch);
    server->scratch = NULL;
}

static void accepted(struct listener *listener, struct io_socket socket, const struct address *peer)
{
    connection_accept(container_of(listener, struct http_listener, listener), socket, peer);
}

int http_server_listen(struct http_server *server, struct io_socket socket, struct bytes gateway, struct bytes scheme,
                       struct http_listener **ret)
{
    struct http_listener *listener = mem_zalloc(sizeof(*listener) + gateway.len + scheme.len);
    int r;

    if (!listener)
        return -ENOMEM;
    listener->server = server;
    memcpy(listener->names, gateway.data, gateway.len);
    memcpy(listener->names + gateway.len, scheme.data, scheme.len);
    listener->gateway = bytes_of(listener->names, gateway.len);
    listener->scheme = bytes_of(listener->names + gateway.len, scheme.len);
    r = listener_start(&listener->listener, server->worker->loop, socket, accepted);
    if (r < 0) {
        mem_free(listener);
        return r;
    }
    list_push_back(&server->listeners, &listener->node);
    *ret = listener;
    return 0;
}

void http_listener_settle(struct http_listener *listener)
{
    if (!listener->stopped || listener->connections > 0)
        return;
    mem_free(listener);
}

void http_server_unlisten(struct http_server *server, struct http_listener *listener)
{
    listener_take_queued(&listener->listener);
    stop_listening(listener);
}

void http_listener_keep(struct http_listener *listener)
{
    listener->kept = true;
}

void http_listener_take_credentials(struct http_listener *listener)
{
    listener->credentials = true;
}

static void drain(struct http_server *server, bool all)
{
    LIST_EACH (&server->listeners, node, next) {
        struct http_listener *listener = container_of(node, struct http_listener, node);

        if (all || !listener->kept)
            http_server_unlisten(server, listener);
    }
    server->draining = true;
    LIST_EACH (&server->idle, node, next)
        connection_drain(container_of(node, struct http_connection, node));
}

void http_server_drain(struct http_server *server)
{
    drain(server, false);
}

void http_server_drain_all(struct http_server *server)
{
    drain(server, true);
}

bool http_server_calm(const struct http_server *server)
{
    size_t kept = 0;

    LIST_EACH (&server->listeners, node, next) {
        const struct http_listener *listener = container_of(node, struct http_listener, node);

        kept += listener->kept ? listener->connections : 0;
    }
    return server->connections.out == kept;
}

bool http_server_quiet(const struct http_server *server)
{
    return server->connections.out == 0;
}

static void close_all(struct list_node *list)
{
    LIST_EACH (list, node, next)
        connection_close(container_of(node, struct http_connection, node));
}

void http_server_abort(struct http_server *server)
{
    http_server_drain_all(server);
    close_all(&server->idle);
    close_all(&server->starved);
    close_all(&server->lingering);
    LIST_EACH (&server->active, node, next) {
        struct http_connection *c = container_of(node, struct http_connection, node);

        c->close_after = true;
        conn_abort(&c->conn);
        if (c->x && c->x->scope)
            scope_cancel(c->x->scope);
    }
}
