/* The body of an answer, read from the endpoint's connection, which it owns. See exchange/body.h and http/client.h. */
#include "base/assert.h"
#include "base/limits.h"
#include "http/upstream.h"

struct response_body {
    struct body body;
    struct worker *worker;
    struct upstream *upstream; /* NULL: let go */
    struct sender *sender;     /* NULL: none */
    struct http1_body_reader reader;
    struct http_head *trailers;
    char *memory;
    size_t size, start, end;
    struct pool *lease; /* memory goes back there; NULL: it is the exchange's */
    bool keep_alive;
    int64_t limit_ns;
};

/* The connection goes back to the pool if nothing of this exchange is left on it. */
static void let_go(struct response_body *body)
{
    struct upstream *upstream = body->upstream;
    bool clean = body->reader.done && body->start == body->end && body->keep_alive;

    if (!upstream)
        return;
    if (body->sender) {
        sender_stop(body->sender);
        clean = clean && body->sender->sent_all;
        body->sender = NULL;
    }
    body->upstream = NULL;
    if (clean)
        upstream_release(upstream);
    else
        upstream_close(upstream);
}

static int fail(struct response_body *body, int error, enum outcome outcome)
{
    bool sender_knows = body->sender && body->sender->failed != OUTCOME_OK;

    body->body.outcome = sender_knows ? body->sender->failed : outcome;
    let_go(body);
    return error;
}

/* As for requests: a bulk buffer for what fills a usual one, and one of our own where the head left little. */
static int make_room(struct response_body *body)
{
    bool filled = body->end == body->size && body->start == body->end;
    bool bulk = filled && body->lease != &body->worker->bulk_buffers && body->body.read >= BUFFER_SIZE / 2;
    struct pool *lease = bulk ? &body->worker->bulk_buffers : &body->worker->buffers;
    size_t left = body->end - body->start;
    char *memory;

    if (left > 0 && body->start > 0)
        memmove(body->memory, body->memory + body->start, left);
    body->start = 0;
    body->end = left;
    if (!bulk && (body->lease || body->size >= HTTP_BODY_ROOM_MIN))
        return left < body->size ? 0 : -EPROTO;
    memory = pool_take(lease);
    if (!memory)
        return body->size > left ? 0 : -EAGAIN;
    memcpy(memory, body->memory, left);
    if (body->lease)
        pool_give(body->lease, body->memory);
    body->memory = memory;
    body->size = lease->size;
    body->lease = lease;
    return 0;
}

/* 1: more has come. 0: the end of the connection, which may be the end of the body. */
static int fill(struct response_body *body)
{
    ssize_t n;
    int r = make_room(body);

    if (r < 0)
        return fail(body, r, r == -EPROTO ? OUTCOME_UPSTREAM_PROTOCOL : OUTCOME_OVERLOAD);
    n = conn_read(&body->upstream->conn, body->memory + body->end, body->size - body->end, body->limit_ns);
    if (n == -ETIME || n == -ECANCELED)
        return (int)n;
    if (n == -ETIMEDOUT)
        return fail(body, (int)n, OUTCOME_IDLE_TIMEOUT);
    if (n < 0 || (n == 0 && http1_body_end(&body->reader) < 0))
        return fail(body, n < 0 ? (int)n : -ECONNRESET, OUTCOME_UPSTREAM_INCOMPLETE);
    body->end += (size_t)n;
    return n > 0;
}

static int response_body_read(struct body *base, struct bytes *ret_chunk)
{
    struct response_body *body = container_of(base, struct response_body, body);

    for (;;) {
        struct bytes data = bytes_of(body->memory + body->start, body->end - body->start);
        struct bytes chunk = BYTES_NONE;
        size_t used = 0;
        int r;

        if (http1_read_body(&body->reader, data, body->trailers, &chunk, &used) < 0)
            return fail(body, -EPROTO, OUTCOME_UPSTREAM_PROTOCOL);
        body->start += used;
        if (body->reader.done) {
            base->ended = true;
            let_go(body); /* the chunk is in memory that is not the connection's */
        }
        if (chunk.len > 0) {
            base->at_hand = body->start < body->end;
            *ret_chunk = chunk;
            return 1;
        }
        if (body->reader.done)
            return 0;
        r = fill(body);
        if (r == 0)
            let_go(body);
        if (r <= 0)
            return r;
    }
}

static void response_body_close(struct body *base, enum outcome why)
{
    struct response_body *body = container_of(base, struct response_body, body);

    let_go(body);
    if (body->lease)
        pool_give(body->lease, body->memory);
    body->lease = NULL;
    body->memory = NULL;
}

static const struct body_ops RESPONSE_BODY_OPS = { .read = response_body_read, .close = response_body_close };

/* An answer without a body: the connection is free at once, unless the request is still on its way. */
static int no_body(struct exchange *x, const struct response_start *start)
{
    struct upstream *upstream = start->upstream;
    bool clean = x->response.keep_alive && start->start == start->end;

    if (start->sender) {
        sender_stop(start->sender);
        clean = clean && start->sender->sent_all;
    }
    if (clean)
        upstream_release(upstream);
    else
        upstream_close(upstream);
    return 0;
}

int response_body_create(struct exchange *x, const struct response_start *start)
{
    bool tunnel = x->response.framing == HTTP_BODY_TUNNEL;
    struct response_body *body;

    if (x->response.framing == HTTP_BODY_NONE)
        return no_body(x, start);
    body = arena_zalloc(&x->arena, sizeof(*body));
    if (!body)
        return -ENOMEM;
    if (x->response.framing == HTTP_BODY_CHUNKED) {
        body->trailers = arena_zalloc(&x->arena, sizeof(*body->trailers));
        if (!body->trailers || exchange_head_room(x, body->trailers, HTTP1_TRAILER_FIELDS_MAX) < 0)
            return -ENOMEM;
        x->response_trailers = body->trailers;
    }
    http1_body_start(&body->reader, &x->response);
    body->body.ops = &RESPONSE_BODY_OPS;
    body->body.has_length = x->response.framing == HTTP_BODY_LENGTH;
    body->body.length = x->response.content_length;
    body->worker = x->worker;
    body->upstream = start->upstream;
    body->sender = start->sender;
    body->memory = start->memory + start->start;
    body->size = start->size - start->start;
    body->end = start->end - start->start;
    body->body.at_hand = body->end > 0;
    body->keep_alive = x->response.keep_alive && !tunnel;
    body->limit_ns = tunnel ? HTTP_TUNNEL_NS : start->upstream->owner->conf.body_ns;
    x->response_body = &body->body;
    return 0;
}
