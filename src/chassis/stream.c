/* An answer that is written while the handler runs: the handler's fiber and the connection's meet for each part, which
 * is not copied. Whoever is first waits. */
#include "chassis/service.h"

/* --- the connection's side ----------------------------------------------------------------------------------- */

static void passed_on(struct weft_call *call)
{
    if (!call->given)
        return;
    call->given = false;
    call->part = BYTES_NONE;
    if (call->writer)
        fiber_wake(call->writer);
}

static int stream_read(struct body *body, struct bytes *ret_chunk)
{
    struct weft_call *call = container_of(body, struct weft_call, stream);
    int r = 0;

    passed_on(call);
    call->asker = fiber_current();
    while (r == 0 && call->part.len == 0 && !call->ended)
        r = fiber_park(TIME_NEVER);
    call->asker = NULL;
    if (r < 0)
        return r;
    if (call->part.len > 0) {
        call->given = true;
        *ret_chunk = call->part;
        return 1;
    }
    if (call->result == 0)
        return 0;
    body->outcome = OUTCOME_UPSTREAM_INCOMPLETE; /* cut off: the client must not take it for all */
    return -EPIPE;
}

static void stream_close(struct body *body, enum outcome why)
{
    struct weft_call *call = container_of(body, struct weft_call, stream);

    passed_on(call);
    call_join(call);
}

static const struct body_ops STREAM_OPS = { .read = stream_read, .close = stream_close };

/* --- the handler's side -------------------------------------------------------------------------------------- */

/* RFC 9110, 15.3.5, 15.3.6 and 15.4.5: these have no body. */
static bool may_have_body(unsigned status)
{
    return status != 204 && status != 205 && status != 304;
}

int weft_answer_begin(struct weft_call *call, unsigned status, const char *type)
{
    int r;

    if (!call_asked(call) || !may_have_body(status))
        return -EINVAL;
    if (call->scope.ended)
        return call->scope.ended;
    r = call_begin(call, status, type);
    if (r < 0)
        return r;
    call->stream = (struct body){ .ops = &STREAM_OPS };
    call->x->response_body = &call->stream;
    call->state = CALL_STREAMING;
    scope_set_deadline(&call->scope, TIME_NEVER);
    if (call->asker)
        fiber_wake(call->asker);
    return 0;
}

int weft_write(struct weft_call *call, const void *data, size_t len)
{
    int r = 0;

    if (!call_is(call) || call->state != CALL_STREAMING || (!data && len > 0))
        return -EINVAL;
    if (call->closed)
        return -ECANCELED;
    if (len == 0)
        return 0;
    if (call->part.len > 0)
        return -EBUSY;
    call->part = bytes_of(data, len);
    if (call->asker)
        fiber_wake(call->asker);
    call->writer = fiber_current();
    while (r == 0 && call->part.len > 0 && !call->closed)
        r = fiber_park(TIME_NEVER);
    call->writer = NULL;
    if (call->part.len > 0) {
        call->part = BYTES_NONE; /* the memory is the handler's again */
        call->given = false;
        return r < 0 ? r : -ECANCELED;
    }
    return 0;
}

int weft_write_format(struct weft_call *call, const char *format, ...)
{
    char memory[CHASSIS_MESSAGE_MAX];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;

    if (!call_is(call) || !format)
        return -EINVAL;
    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    return text.full ? -EMSGSIZE : weft_write(call, text.data, text.len);
}
