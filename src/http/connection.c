/* A client's connection while no fiber runs it: reading heads on the loop's stack. See http/server.h. */
#include "http/connection.h"

#include "base/assert.h"
#include "base/limits.h"
#include "http/credential.h"

#define LINGER_READS 16 /* of what a client sends in vain, before others get their turn */

static void connection_readable(struct wake *wake, unsigned events);
static void connection_timed_out(struct timer *timer);

static void peer_set(struct peer *peer, const struct address *address)
{
    peer->family = (uint8_t)address->family;
    peer->port = address->port;
    if (address->family != ADDRESS_UNIX)
        memcpy(peer->ip, address->ip, sizeof(peer->ip));
}

static void move_to(struct http_connection *c, enum connection_state state, struct list_node *list)
{
    c->state = (uint8_t)state;
    list_remove(&c->node);
    list_push_back(list, &c->node);
}

/* --- buffers ------------------------------------------------------------------------------------------------- */

static void buffer_give(struct http_connection *c)
{
    struct http_server *server = c->server;

    if (c->buffer)
        pool_give(c->capacity == BUFFER_SIZE ? &server->worker->buffers : &server->partials, c->buffer);
    c->buffer = NULL;
    c->capacity = c->have = 0;
}

int connection_room(struct http_connection *c)
{
    uint32_t have = c->have;
    char *buffer;

    if (c->capacity == BUFFER_SIZE)
        return 0;
    buffer = pool_take(&c->server->worker->buffers);
    if (!buffer)
        return -EAGAIN;
    if (have > 0)
        memcpy(buffer, c->buffer, have);
    buffer_give(c);
    c->buffer = buffer;
    c->capacity = BUFFER_SIZE;
    c->have = have;
    return 0;
}

/* A part of a head moves to a small piece, if it fits: slow clients shall not hold whole buffers. */
static void buffer_shrink(struct http_connection *c)
{
    uint32_t have = c->have;
    char *partial;

    if (have == 0) {
        buffer_give(c);
        return;
    }
    if (c->capacity != BUFFER_SIZE || have > HTTP_PARTIAL_SIZE)
        return;
    partial = pool_take(&c->server->partials);
    if (!partial)
        return;
    memcpy(partial, c->buffer, have);
    buffer_give(c);
    c->buffer = partial;
    c->capacity = HTTP_PARTIAL_SIZE;
    c->have = have;
}

/* --- closing and parking --------------------------------------------------------------------------------------- */

void connection_close(struct http_connection *c)
{
    struct http_server *server = c->server;
    struct http_listener *listener = c->listener;
    struct io *io = c->conn.io;

    ASSERT(!c->x);
    timer_stop(server->worker->loop, &c->timer);
    io->ops->disarm(io, &c->wake);
    conn_close(&c->conn);
    buffer_give(c);
    list_remove(&c->node);
    metric_set(&server->metrics.connections_open, metric_read(&server->metrics.connections_open) - 1);
    pool_give(&server->connections, c);
    listener->connections--;
    http_listener_settle(listener);
}

/* From the first byte of a head; or of a request's absence. */
static int64_t parked_until(const struct http_connection *c)
{
    const struct http_server *server = c->server;
    int64_t now = server->worker->loop->now_ns;

    if (c->have > 0)
        return c->since_ns + server->limits.head_ns;
    return now + (server->draining ? MIN(HTTP_DRAIN_IDLE_NS, server->limits.idle_ns) : server->limits.idle_ns);
}

void connection_drain(struct http_connection *c)
{
    timer_set(c->server->worker->loop, &c->timer, parked_until(c));
}

static void park(struct http_connection *c)
{
    struct http_server *server = c->server;
    struct loop *loop = server->worker->loop;
    struct io *io = c->conn.io;

    buffer_shrink(c);
    if (c->have == 0)
        c->since_ns = 0;
    else if (c->since_ns == 0)
        c->since_ns = loop->now_ns;
    timer_set(loop, &c->timer, parked_until(c));
    move_to(c, CONNECTION_PARKED, &server->idle);
    c->wake.socket = c->conn.socket;
    if (!c->wake.events && io->ops->arm(io, &c->wake, IO_READ) < 0)
        connection_close(c);
}

/* (7): drops what the client still sends, until it ends. */
static void drop_input(struct http_connection *c)
{
    struct io *io = c->conn.io;
    char memory[4096];
    ssize_t n;

    for (unsigned reads = 0; reads < LINGER_READS; reads++) {
        n = conn_try_read(&c->conn, memory, sizeof(memory));
        if (n == -EAGAIN)
            break;
        if (n <= 0) {
            connection_close(c);
            return;
        }
    }
    if (!c->wake.events && io->ops->arm(io, &c->wake, IO_READ) < 0) /* a late head's wake is armed already */
        connection_close(c);
}

static void linger(struct http_connection *c)
{
    struct http_server *server = c->server;
    struct loop *loop = server->worker->loop;

    if (conn_shut_write(&c->conn) < 0) {
        connection_close(c);
        return;
    }
    buffer_give(c);
    move_to(c, CONNECTION_LINGERING, &server->lingering);
    timer_set(loop, &c->timer, loop->now_ns + HTTP_CLOSING_NS);
    c->wake.socket = c->conn.socket;
    drop_input(c);
}

/* A request waits for its turn: when a fiber or an exchange ends, or every HTTP_RETRY_PARKED_NS. */
static void starve(struct http_connection *c)
{
    struct http_server *server = c->server;
    struct loop *loop = server->worker->loop;

    if (c->state != CONNECTION_STARVED) /* a request counts once, however often it is tried */
        metric_add(&server->metrics.parked_full, 1);
    move_to(c, CONNECTION_STARVED, &server->starved);
    if (c->since_ns == 0)
        c->since_ns = loop->now_ns;
    timer_set(loop, &c->timer, c->since_ns + server->limits.head_ns);
    if (!timer_is_set(&server->feeder))
        timer_set(loop, &server->feeder, loop->now_ns + HTTP_RETRY_PARKED_NS);
}

/* Answers and closes without an exchange: a malformed or late head. What the socket doesn't take at once is lost. */
static void reject(struct http_connection *c, unsigned status, struct bytes what)
{
    char memory[512];
    struct text text = text_into(memory, sizeof(memory));
    struct bytes reason = http_reason(status);
    struct iovec part;
    char body[256];
    struct text problem = text_into(body, sizeof(body));

    metric_add(&c->server->metrics.rejected, 1);
    text_add_format(&problem, "{\"type\":\"about:blank\",\"title\":\"" BYTES_FMT "\",\"status\":%u,\"detail\":",
                    BYTES_ARG(reason), status);
    text_add_json(&problem, what);
    text_add(&problem, BYTES("}\n"));
    text_add_format(&text,
                    "HTTP/1.1 %u " BYTES_FMT "\r\nContent-Type: application/problem+json\r\nContent-Length: %zu\r\n"
                    "Proxy-Status: weft; error=http_request_error\r\nConnection: close\r\n\r\n",
                    status, BYTES_ARG(reason), problem.len);
    text_add(&text, text_bytes(&problem));
    part = (struct iovec){ .iov_base = text.data, .iov_len = text.len };
    (void)!conn_try_write(&c->conn, &part, 1);
    linger(c);
}

static void reject_error(struct http_connection *c, enum http1_error error)
{
    reject(c, http1_error_status(error), http1_error_text(error));
}

/* --- reading heads ------------------------------------------------------------------------------------------------ */

static bool body_at_hand(const struct http_head *head, size_t behind)
{
    return head->framing == HTTP_BODY_NONE || (head->framing == HTTP_BODY_LENGTH && head->content_length <= behind);
}

/* (8): requests that will wait for their client leave a quarter of the fibers to the others. */
static bool fiber_free(const struct http_server *server, bool at_hand)
{
    const struct fiber_pool *fibers = &server->worker->loop->fibers;

    return fibers->count < (at_hand ? fibers->max : fibers->max - fibers->max / 4);
}

static int take_head(struct http_connection *c, const struct http_head *head)
{
    struct http_server *server = c->server;
    struct exchange *x;
    int r = exchange_create(server->worker, &c->source, NULL, &x);

    if (r < 0)
        return r;
    x->request = *head;
    if (exchange_head_room(x, &x->request, head->field_count + HTTP_FIELDS_ADDED_MAX) < 0) {
        exchange_discard(x);
        return -EAGAIN;
    }
    memcpy(x->request.fields, head->fields, head->field_count * sizeof(*head->fields));
    x->request.field_count = head->field_count;
    x->gateway = c->listener->gateway;
    x->scheme = c->listener->scheme;
    if (c->listener->credentials)
        http_take_credential(x);
    x->times.start_ns = server->worker->loop->now_ns;
    c->x = x;
    return 1;
}

int connection_parse(struct http_connection *c, enum http1_error *ret_error)
{
    struct http_server *server = c->server;
    struct http_head head = { .fields = server->scratch, .field_max = HTTP_FIELDS_MAX };
    struct http1_head_reader reader;
    ssize_t len;

    http1_head_start(&reader);
    len = http1_read_request(&reader, bytes_of(c->buffer, c->have), &head);
    if (len < 0) {
        *ret_error = reader.error;
        return -EPROTO;
    }
    if (len == 0)
        return 0;
    if (!fiber_free(server, body_at_hand(&head, c->have - (size_t)len)))
        return -EAGAIN;
    c->head_len = (uint32_t)len;
    return take_head(c, &head);
}

static void start(struct http_connection *c)
{
    struct http_server *server = c->server;

    timer_stop(server->worker->loop, &c->timer);
    c->task.run = connection_run;
    c->task.ended = connection_ran;
    if (loop_spawn(server->worker->loop, &c->task) < 0) {
        exchange_discard(c->x);
        c->x = NULL;
        starve(c);
        return;
    }
    c->since_ns = server->worker->loop->now_ns;
    metric_add(&server->metrics.active, 1);
    move_to(c, CONNECTION_ACTIVE, &server->active);
}

static void try_start(struct http_connection *c)
{
    enum http1_error error = HTTP1_OK;
    int r = connection_parse(c, &error);

    if (r > 0)
        start(c);
    else if (r == 0)
        park(c);
    else if (r == -EPROTO)
        reject_error(c, error);
    else
        starve(c);
}

static void connection_readable(struct wake *wake, unsigned events)
{
    struct http_connection *c = container_of(wake, struct http_connection, wake);
    bool news;
    ssize_t n;

    if (c->state == CONNECTION_LINGERING) {
        drop_input(c);
        return;
    }
    if (connection_room(c) < 0) {
        starve(c);
        return;
    }
    n = conn_try_read(&c->conn, c->buffer + c->have, c->capacity - c->have);
    if (n == -EAGAIN) {
        park(c);
        return;
    }
    if (n <= 0) { /* it left, perhaps in the middle of a head: nobody to answer */
        connection_close(c);
        return;
    }
    /* Nothing new can be said about a head before another line has ended, or it is full. */
    news = c->have == 0 || memchr(c->buffer + c->have, '\n', (size_t)n) || c->have + (size_t)n == c->capacity ||
           c->have + (size_t)n >= HTTP1_LINE_MAX;
    c->have += (uint32_t)n;
    if (news)
        try_start(c);
    else
        park(c);
}

static void connection_timed_out(struct timer *timer)
{
    struct http_connection *c = container_of(timer, struct http_connection, timer);

    if (c->state == CONNECTION_LINGERING)
        connection_close(c);
    else if (c->state == CONNECTION_STARVED)
        reject(c, 503, outcome_info(OUTCOME_OVERLOAD)->text);
    else if (c->have > 0)
        reject(c, 408, BYTES("the head of the request did not come in time"));
    else
        connection_close(c);
}

/* Clients that hold fibers or connections and hardly move are dropped, the longest served first; see (8). */
static void drop_slow(struct http_server *server)
{
    int64_t now = server->worker->loop->now_ns;
    unsigned looked_at = 0;

    LIST_EACH (&server->active, node, next) {
        struct http_connection *c = container_of(node, struct http_connection, node);
        int64_t age = now - c->since_ns;
        bool waits = c->conn.reader || c->conn.writer;

        if (++looked_at > HTTP_SLOW_LOOKS)
            break;
        list_remove(node);
        list_push_back(&server->active, node);
        if (!waits || c->tunnel || c->conn.aborted || !c->x || age < HTTP_SLOW_GRACE_NS)
            continue;
        if ((int64_t)(c->x->received_bytes + c->x->sent_bytes) >= age / NS_PER_S * HTTP_SLOW_RATE)
            continue;
        metric_add(&server->metrics.slow_clients, 1);
        conn_abort(&c->conn);
    }
}

/* Whoever wants to start first: in order of arrival, but a request that is at hand does not wait behind one that is
 * not. */
void connection_feed(struct http_server *server)
{
    struct list_node waiting = LIST_INIT(waiting);
    struct list_node *node;
    unsigned tries = 0;

    list_move_all(&waiting, &server->starved);
    while (tries++ < HTTP_FEED_TRIES && fiber_free(server, true) && (node = list_pop_front(&waiting)) != NULL) {
        struct http_connection *c = container_of(node, struct http_connection, node);

        if (c->have > 0)
            try_start(c);
        else
            connection_readable(&c->wake, IO_READ);
    }
    list_move_all(&waiting, &server->starved); /* those that must go on waiting, behind the untried */
    list_move_all(&server->starved, &waiting);
    if (list_empty(&server->starved) && server->worker->waiting == 0)
        return;
    drop_slow(server);
    if (!timer_is_set(&server->feeder))
        timer_set(server->worker->loop, &server->feeder, server->worker->loop->now_ns + HTTP_RETRY_PARKED_NS);
}

/* --- from and to the fiber -------------------------------------------------------------------------------------- */

/* The fiber is gone: what it left is parked or closed. */
void connection_ran(struct task *task)
{
    struct http_connection *c = container_of(task, struct http_connection, task);
    struct http_server *server = c->server;

    metric_set(&server->metrics.active, metric_read(&server->metrics.active) - 1);
    if (c->close_after && c->linger)
        linger(c);
    else if (c->close_after)
        connection_close(c);
    else if (c->have > 0)
        try_start(c);
    else
        park(c);
    if (!list_empty(&server->starved))
        connection_feed(server);
}

static struct http_connection *connection_take(struct http_server *server)
{
    struct http_connection *c = pool_take(&server->connections);

    if (!c)
        metric_add(&server->metrics.refused, 1);
    return c;
}

void connection_accept(struct http_listener *listener, struct io_socket socket, const struct address *peer)
{
    struct http_server *server = listener->server;
    struct io *io = server->worker->loop->io;
    struct http_connection *c = connection_take(server);

    if (!c) {
        io->ops->close(io, socket);
        return;
    }
    *c = (struct http_connection){ .server = server, .listener = listener };
    c->source.ops = &CONNECTION_SOURCE;
    conn_init(&c->conn, io, socket);
    peer_set(&c->peer, peer);
    list_init(&c->node);
    c->wake.run = connection_readable;
    timer_init(&c->timer, connection_timed_out);
    listener->connections++;
    metric_add(&server->metrics.connections, 1);
    metric_add(&server->metrics.connections_open, 1);
    park(c);
}
