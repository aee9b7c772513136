/* What the gateway of the rig does: see rig.h. */
#include "rig.h"

#include "io/fiber.h"

static struct rig *rig_of(const struct exchange *x)
{
    return container_of(x->worker, struct rig, worker);
}

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

/* The request's body is the answer's; or five bytes, and then a failure. */
struct echo_body {
    struct body body;
    struct body *from;
};

static int echo_read(struct body *body, struct bytes *ret_chunk)
{
    struct echo_body *echo = container_of(body, struct echo_body, body);
    int r;

    if (!echo->from) {
        *ret_chunk = BYTES("begin");
        body->outcome = OUTCOME_INTERNAL;
        return body->read == 0 ? 1 : -EIO;
    }
    r = body_read(echo->from, ret_chunk);
    if (r < 0)
        body->outcome = echo->from->outcome;
    return r;
}

static void echo_close(struct body *body, enum outcome why)
{
}

static const struct body_ops ECHO_OPS = { .read = echo_read, .close = echo_close };

static enum outcome echo(struct exchange *x, struct body *from, unsigned status)
{
    struct echo_body *echo = arena_zalloc(&x->arena, sizeof(*echo));
    enum outcome outcome;

    if (!echo)
        return OUTCOME_OVERLOAD;
    echo->body.ops = &ECHO_OPS;
    echo->from = from;
    outcome = answer(x, status, &echo->body);
    if (outcome == OUTCOME_OK && status == 101) {
        x->response.framing = HTTP_BODY_TUNNEL;
        x->response.upgrade = true;
        if (http_head_add(&x->response, HTTP_FIELD_UPGRADE, BYTES("echo")) < 0)
            return OUTCOME_OVERLOAD;
    }
    return outcome;
}

static enum outcome tunnel(struct exchange *x)
{
    struct body *from;

    if (!x->request.upgrade)
        return answer(x, 426, NULL);
    if (x->source->ops->tunnel(x->source, x, &from) < 0)
        return OUTCOME_OVERLOAD;
    return echo(x, from, 101);
}

/* Reads up to `max` bytes of the body. */
static enum outcome count(struct exchange *x, uint64_t max)
{
    struct bytes chunk, text, trailer = BYTES("none");
    int r = 0;

    while (x->request_body && x->request_body->read < max && (r = body_read(x->request_body, &chunk)) > 0)
        ;
    if (r < 0)
        return x->request_body->outcome;
    if (x->request_trailers && x->request_trailers->field_count > 0)
        trailer = x->request_trailers->fields[0].value;
    if (arena_format(&x->arena, &text, "%llu " BYTES_FMT "\n",
                     x->request_body ? (unsigned long long)x->request_body->read : 0, BYTES_ARG(trailer)) < 0)
        return OUTCOME_OVERLOAD;
    return exchange_answer(x, 200, BYTES("text/plain"), text) < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static enum outcome text_answer(struct exchange *x, unsigned status, struct bytes text)
{
    return exchange_answer(x, status, BYTES("text/plain"), text) < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static enum outcome up_run(const struct stage *stage, struct exchange *x)
{
    struct rig *rig = rig_of(x);

    if (!rig->endpoint)
        return OUTCOME_NO_ENDPOINT;
    if (exchange_use_endpoint(x, rig->endpoint) < 0)
        return OUTCOME_OVERLOAD;
    return rig->endpoint->ops->run(rig->endpoint, x);
}

static enum outcome rig_stage_run(const struct stage *stage, struct exchange *x)
{
    struct bytes path = x->request.path;
    uint64_t number;

    if (bytes_equal(path, BYTES("/hello")) || bytes_equal(path, BYTES("*")))
        return text_answer(x, 200, BYTES("hello\n"));
    if (bytes_equal(path, BYTES("/none")))
        return answer(x, 204, NULL);
    if (bytes_equal(path, BYTES("/not")))
        return answer(x, 304, NULL);
    if (bytes_equal(path, BYTES("/echo")))
        return x->request_body ? echo(x, x->request_body, 200) : answer(x, 204, NULL);
    if (bytes_equal(path, BYTES("/begin")))
        return echo(x, NULL, 200);
    if (bytes_equal(path, BYTES("/count")))
        return count(x, UINT64_MAX);
    if (bytes_equal(path, BYTES("/half")))
        return count(x, 5);
    if (bytes_equal(path, BYTES("/wait")))
        return fiber_sleep(100 * NS_PER_MS) < 0 ? OUTCOME_CANCELED : text_answer(x, 200, BYTES("waited\n"));
    if (bytes_equal(path, BYTES("/tunnel")))
        return tunnel(x);
    if (bytes_starts(path, BYTES("/fail/")) && bytes_to_u64(bytes_skip(path, 6), &number) == 0)
        return (enum outcome)number;
    if (bytes_equal(path, BYTES("/up")))
        return up_run(stage, x);
    return answer(x, 404, NULL);
}

const struct stage_type STAGE_RIG = { .name = "rig", .run = rig_stage_run };
const struct stage_type STAGE_RIG_UP = { .name = "rig-up", .run = up_run };
