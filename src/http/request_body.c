/* The body of a request, read from its client's connection; also the client's half of a tunnel. */
#include "base/assert.h"
#include "base/limits.h"
#include "http/connection.h"

struct request_body {
    struct body body;
    struct http_connection *c;
    struct exchange *x;
    struct http1_body_reader reader;
    char *memory;       /* where the bytes are: the connection's buffer behind the head, or a leased one */
    size_t size;        /* of memory */
    size_t start, end;  /* what has come and was not given out */
    struct pool *lease; /* memory goes back there; NULL: it is the connection's */
    bool ask;           /* the client waits for 100 Continue */
    int64_t limit_ns;
};

/* Room to read into: a bulk buffer for what fills a usual one, a buffer of our own where the head left little. */
static int make_room(struct request_body *body)
{
    struct worker *worker = body->c->server->worker;
    bool bulk = body->reader.framing == HTTP_BODY_LENGTH && body->body.read >= BUFFER_SIZE &&
                body->body.length - body->body.read > BUFFER_SIZE && body->lease != &worker->bulk_buffers;
    size_t left = body->end - body->start;
    struct pool *lease = bulk ? &worker->bulk_buffers : &worker->buffers;
    char *memory;

    if (left > 0 && body->start > 0)
        memmove(body->memory, body->memory + body->start, left);
    body->start = 0;
    body->end = left;
    if (!bulk && (body->lease || body->size >= HTTP_BODY_ROOM_MIN))
        return left < body->size ? 0 : -EPROTO; /* a trailer section as large as the buffer */
    memory = pool_take(lease);
    if (!memory)
        return body->size > left ? 0 : -EAGAIN; /* slower, but it goes on */
    memcpy(memory, body->memory, left);
    if (body->lease)
        pool_give(body->lease, body->memory);
    body->memory = memory;
    body->size = lease->size;
    body->lease = lease;
    return 0;
}

static int fail(struct request_body *body, int error, enum outcome outcome)
{
    body->body.outcome = outcome;
    body->c->close_after = true;
    return error;
}

/* The client waits for 100 Continue, unless an answer is on its way to it. Whoever writes that must not be met by us
 * here: what the socket does not take at once is left out, and the client sends in its own time (RFC 9110, 10.1.1). */
static int send_continue(struct request_body *body)
{
    static const char CONTINUE[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec part = { (void *)(uintptr_t)CONTINUE, sizeof(CONTINUE) - 1 };
    struct conn *conn = &body->c->conn;
    ssize_t n;

    if (!body->ask)
        return 0;
    body->ask = false;
    if (body->x->answered || conn->writer)
        return 0;
    n = conn_try_write(conn, &part, 1);
    if (n == -EAGAIN || n == (ssize_t)part.iov_len)
        return 0;
    conn_abort(conn); /* half of it: no answer can follow */
    return n < 0 ? (int)n : -ECONNABORTED;
}

/* Reads more from the client. 1: something came. 0: its end. */
static int fill(struct request_body *body)
{
    size_t room;
    ssize_t n;
    int r = make_room(body);

    if (r < 0)
        return fail(body, r, r == -EAGAIN ? OUTCOME_OVERLOAD : OUTCOME_BAD_REQUEST);
    r = send_continue(body);
    if (r < 0)
        return fail(body, r, OUTCOME_CLIENT_GONE);
    room = body->size - body->end;
    if (body->reader.framing == HTTP_BODY_LENGTH) /* the next request stays in the socket */
        room = (size_t)MIN((uint64_t)room, body->reader.left);
    n = conn_read(&body->c->conn, body->memory + body->end, room, body->limit_ns);
    if (n == -ETIME || n == -ECANCELED)
        return (int)n; /* about the reading fiber, not about the body */
    if (n < 0)
        return fail(body, (int)n,
                    n == -ETIMEDOUT || n == -ECONNABORTED ? OUTCOME_REQUEST_TIMEOUT : OUTCOME_CLIENT_GONE);
    if (n == 0)
        return http1_body_end(&body->reader) < 0 ? fail(body, -ECONNRESET, OUTCOME_CLIENT_GONE) : 0;
    body->end += (size_t)n;
    return 1;
}

static int request_body_read(struct body *base, struct bytes *ret_chunk)
{
    struct request_body *body = container_of(base, struct request_body, body);

    for (;;) {
        struct bytes data = bytes_of(body->memory + body->start, body->end - body->start);
        struct bytes chunk = BYTES_NONE;
        size_t used = 0;
        int r;

        if (http1_read_body(&body->reader, data, body->x->request_trailers, &chunk, &used) < 0)
            return fail(body, -EPROTO, OUTCOME_BAD_REQUEST);
        body->start += used;
        if (body->reader.done)
            base->ended = true;
        if (chunk.len > 0) {
            body->x->received_bytes += chunk.len;
            *ret_chunk = chunk;
            return 1;
        }
        if (body->reader.done)
            return 0;
        r = fill(body);
        if (r <= 0)
            return r;
    }
}

static void request_body_close(struct body *base, enum outcome why)
{
    struct request_body *body = container_of(base, struct request_body, body);

    if (body->lease)
        pool_give(body->lease, body->memory);
    body->memory = NULL;
    body->lease = NULL;
}

size_t request_body_rest(struct body *base, struct bytes *ret_rest)
{
    struct request_body *body = container_of(base, struct request_body, body);

    *ret_rest = bytes_of(body->memory + body->start, body->end - body->start);
    return ret_rest->len;
}

static const struct body_ops REQUEST_BODY_OPS = { .read = request_body_read, .close = request_body_close };

static int room_for_trailers(struct exchange *x)
{
    x->request_trailers = arena_zalloc(&x->arena, sizeof(*x->request_trailers));
    if (!x->request_trailers)
        return -ENOMEM;
    return exchange_head_room(x, x->request_trailers, HTTP1_TRAILER_FIELDS_MAX);
}

/* Where the bytes of the tunnel begin in the connection's buffer: behind the request's own body, which has to be there
 * as a whole and has to have been read. */
static int tunnel_place(struct http_connection *c, const struct exchange *x, uint32_t *ret)
{
    const struct body *source = x->tee ? x->tee->source : NULL;

    *ret = c->head_len;
    if (!source)
        return 0;
    if (!source->ended || !source->has_length || source->length > c->have - c->head_len)
        return -EBUSY;
    *ret = c->head_len + (uint32_t)source->length;
    return 0;
}

int request_body_create(struct http_connection *c, struct exchange *x, bool tunnel, struct body **ret)
{
    struct request_body *body = arena_zalloc(&x->arena, sizeof(*body));
    struct http_head framing = x->request;
    uint32_t place = c->head_len;

    if (!body)
        return -ENOMEM;
    if (tunnel && tunnel_place(c, x, &place) < 0)
        return -EBUSY;
    if (tunnel)
        framing.framing = HTTP_BODY_TUNNEL;
    if (framing.framing == HTTP_BODY_CHUNKED && room_for_trailers(x) < 0)
        return -ENOMEM;
    http1_body_start(&body->reader, &framing);
    body->body.ops = &REQUEST_BODY_OPS;
    body->body.has_length = framing.framing == HTTP_BODY_LENGTH;
    body->body.length = framing.content_length;
    body->c = c;
    body->x = x;
    body->memory = c->buffer + place;
    body->size = c->capacity - place;
    body->end = c->have - place;
    body->body.at_hand = body->body.has_length && body->end >= framing.content_length;
    body->ask = x->request.expect_continue && body->end == 0;
    body->limit_ns = tunnel ? HTTP_TUNNEL_NS : c->server->limits.body_ns;
    *ret = &body->body;
    return 0;
}
