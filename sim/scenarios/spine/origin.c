/* The origin of the spine's scenarios: see party.h for what its paths mean. */
#include "sim/scenarios/spine/party.h"

#define PIECE 1000

/* A body that is made as it is read. */
struct made_body {
    struct body body;
    struct exchange *x;
    uint64_t seed, len, at, dies_at;
    bool pauses;
    char piece[PIECE];
};

static int made_read(struct body *body, struct bytes *ret_chunk)
{
    struct made_body *made = container_of(body, struct made_body, body);
    struct prng *prng = &party_of(made->x)->world->prng;
    uint64_t piece = prng_below(prng, PIECE) + 1;
    size_t count = (size_t)MIN(made->len - made->at, piece);

    if (made->at == made->len)
        return 0;
    if (made->at >= made->dies_at) {
        body->outcome = OUTCOME_INTERNAL;
        return -EIO;
    }
    if (made->pauses) {
        int r = fiber_sleep(prng_between(prng, 0, 20) * NS_PER_MS);

        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < count; i++)
        made->piece[i] = spine_byte(made->seed, made->at + i);
    made->at += count;
    *ret_chunk = bytes_of(made->piece, count);
    return 1;
}

static void made_close(struct body *body, enum outcome why)
{
}

static const struct body_ops MADE_OPS = { .read = made_read, .close = made_close };

static enum outcome answer(struct exchange *x, unsigned status, struct body *body)
{
    if (exchange_head_room(x, &x->response, 4) < 0)
        return OUTCOME_OVERLOAD;
    x->response.status = status;
    x->response.minor = 1;
    x->response.keep_alive = true;
    x->response.framing = !body ? HTTP_BODY_NONE : body->has_length ? HTTP_BODY_LENGTH : HTTP_BODY_CHUNKED;
    x->response_body = body;
    return OUTCOME_OK;
}

static enum outcome answer_made(struct exchange *x, char kind, uint64_t seed, uint64_t len)
{
    struct made_body *made = arena_zalloc(&x->arena, sizeof(*made));

    if (!made)
        return OUTCOME_OVERLOAD;
    *made = (struct made_body){ .body = { .ops = &MADE_OPS, .has_length = kind == 'b' || kind == 'd', .length = len },
                                .x = x,
                                .seed = seed,
                                .len = len,
                                .dies_at = kind == 'd' ? len / 2 : UINT64_MAX,
                                .pauses = kind == 's' };
    return answer(x, 200, len || kind != 'b' ? &made->body : NULL);
}

/* The request's body is the answer's: both directions run at once. */
struct echo_body {
    struct body body;
    struct body *from;
};

static int echo_read(struct body *body, struct bytes *ret_chunk)
{
    struct echo_body *echo = container_of(body, struct echo_body, body);
    int r = body_read(echo->from, ret_chunk);

    if (r < 0)
        body->outcome = echo->from->outcome;
    return r;
}

static const struct body_ops ECHO_OPS = { .read = echo_read, .close = made_close };

static enum outcome answer_echo(struct exchange *x, struct body *from, unsigned status)
{
    struct echo_body *echo = arena_zalloc(&x->arena, sizeof(*echo));
    enum outcome outcome;

    if (!echo)
        return OUTCOME_OVERLOAD;
    echo->body.ops = &ECHO_OPS;
    echo->from = from;
    outcome = answer(x, status, &echo->body);
    if (status == 101) {
        x->response.framing = HTTP_BODY_TUNNEL;
        x->response.upgrade = true;
        if (outcome == OUTCOME_OK && http_head_add(&x->response, HTTP_FIELD_UPGRADE, BYTES("echo")) < 0)
            return OUTCOME_OVERLOAD;
    }
    return outcome;
}

static enum outcome answer_tunnel(struct exchange *x)
{
    struct body *from;

    if (!x->request.upgrade)
        return answer(x, 426, NULL);
    if (x->source->ops->tunnel(x->source, x, &from) < 0)
        return OUTCOME_OVERLOAD;
    return answer_echo(x, from, 101);
}

static enum outcome origin_run(const struct stage *stage, struct exchange *x)
{
    struct bytes rest = x->request.path, part;
    uint64_t numbers[2] = { 0, 0 };
    char kind;

    (void)bytes_split(&rest, '/', &part);
    (void)bytes_split(&rest, '/', &part);
    kind = part.len ? part.data[0] : '?';
    for (unsigned i = 0; i < 2 && bytes_split(&rest, '/', &part); i++)
        if (bytes_to_u64(part, &numbers[i]) < 0)
            return answer(x, 400, NULL);
    switch (kind) {
    case 'b':
    case 'c':
    case 's':
    case 'd': return answer_made(x, kind, numbers[0], numbers[1]);
    case 'e': return x->request_body ? answer_echo(x, x->request_body, 200) : answer(x, 204, NULL);
    case 't': return answer_tunnel(x);
    case 'w':
        if (fiber_sleep((int64_t)numbers[0] * NS_PER_MS) < 0)
            return OUTCOME_CANCELED;
        return answer(x, 204, NULL);
    default: return answer(x, 404, NULL);
    }
}

const struct stage_type STAGE_ORIGIN = { .name = "origin", .run = origin_run };
