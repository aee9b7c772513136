/* What a handler answers, at once or while it runs. */
#include "chassis/service.h"

#include "base/assert.h"
#include "http/problem.h"

#define FIELDS_OURS 8 /* Content-Type, and what serving adds */

static bool has_body(unsigned status)
{
    return status != 204 && status != 205 && status != 304;
}

/* The framing is ours, and so is the connection. */
static bool is_ours(struct bytes name)
{
    enum http_field_id id = http_field_id_of(name);

    return id == HTTP_FIELD_CONTENT_LENGTH || id == HTTP_FIELD_CONTENT_TYPE || id == HTTP_FIELD_TRAILER ||
           http_field_hop_by_hop(id);
}

int weft_header_add(struct weft_call *call, const char *name, const char *value)
{
    struct bytes name_bytes = bytes_of_text(name), value_bytes = bytes_of_text(value);
    struct http_field *field;
    size_t size = name_bytes.len + value_bytes.len;

    if (!call_asked(call) || !name || !value)
        return -EINVAL;
    if (call->state != CALL_OPEN)
        return -EALREADY;
    if (!http_is_token(name_bytes) || !http_is_field_value(value_bytes) || is_ours(name_bytes))
        return -EINVAL;
    if (call->header_count == CHASSIS_HEADERS_MAX || call->header_size + size > CHASSIS_HEADERS_SIZE_MAX)
        return -ENOSPC;
    if (!call->headers) {
        call->headers = arena_alloc(&call->memory, CHASSIS_HEADERS_MAX * sizeof(*call->headers));
        if (!call->headers)
            return -ENOMEM;
    }
    field = &call->headers[call->header_count];
    if (arena_copy(&call->memory, name_bytes, &field->name) < 0 ||
        arena_copy(&call->memory, value_bytes, &field->value) < 0)
        return -ENOMEM;
    call->header_count++;
    call->header_size += size;
    return 0;
}

/* --- the head ------------------------------------------------------------------------------------------------ */

/* All of the head but its framing. */
static int make_head(struct weft_call *call, unsigned status, struct bytes type)
{
    struct http_head *head = &call->x->response;
    int r;

    *head = (struct http_head){ .status = status, .reason = http_reason(status), .minor = 1, .keep_alive = true };
    r = exchange_head_room(call->x, head, call->header_count + FIELDS_OURS);
    if (r == 0 && type.len > 0)
        r = http_head_add(head, HTTP_FIELD_CONTENT_TYPE, type);
    for (unsigned i = 0; r == 0 && i < call->header_count; i++)
        r = http_head_add_named(head, call->headers[i].name, call->headers[i].value);
    return r;
}

int call_begin(struct weft_call *call, unsigned status, const char *type)
{
    struct bytes given = type ? bytes_of_text(type) : BYTES("text/plain; charset=utf-8"), copy;

    if (status < 200 || status > 599 || given.len > CHASSIS_HEADERS_SIZE_MAX || !http_is_field_value(given))
        return -EINVAL;
    if (call->state != CALL_OPEN)
        return -EALREADY;
    if (arena_copy(&call->memory, given, &copy) < 0)
        return -ENOMEM;
    return make_head(call, status, has_body(status) ? copy : BYTES_NONE);
}

/* --- at once ------------------------------------------------------------------------------------------------- */

static void set_body(struct weft_call *call, struct bytes content)
{
    struct exchange *x = call->x;

    x->response.framing = content.len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    x->response.content_length = content.len;
    x->response.has_content_length = has_body(x->response.status);
    body_memory_init(&call->whole, content);
    x->response_body = content.len ? &call->whole.body : NULL;
    call->state = CALL_ANSWERED;
}

int call_answer(struct weft_call *call, unsigned status, const char *type, struct bytes content)
{
    int r = call_begin(call, status, type);

    if (r == 0)
        set_body(call, has_body(status) ? content : BYTES_NONE);
    return r;
}

int weft_answer(struct weft_call *call, unsigned status, const char *type, const void *data, size_t len)
{
    struct bytes content;

    if (!call_asked(call) || (!data && len > 0))
        return -EINVAL;
    if (arena_copy(&call->memory, bytes_of(data, len), &content) < 0)
        return -ENOMEM;
    return call_answer(call, status, type, content);
}

int weft_answer_text(struct weft_call *call, unsigned status, const char *type, const char *text)
{
    return text ? weft_answer(call, status, type, text, strlen(text)) : -EINVAL;
}

int weft_answer_json(struct weft_call *call, unsigned status, const char *json)
{
    return weft_answer_text(call, status, "application/json", json);
}

int weft_answer_format(struct weft_call *call, unsigned status, const char *type, const char *format, ...)
{
    char *text;
    va_list args;

    if (!call_asked(call) || !format)
        return -EINVAL;
    va_start(args, format);
    text = call_vformat(call, format, args);
    va_end(args);
    return text ? call_answer(call, status, type, bytes_of_text(text)) : -ENOMEM;
}

/* The problem's head has no room for the fields of the handler: it is made again. */
static int answer_problem(struct weft_call *call, unsigned status, struct bytes type, struct bytes detail)
{
    struct exchange *x = call->x;
    struct body *body;
    uint64_t length;
    int r = http_problem_of(x, status, type, detail);

    if (r < 0)
        return r;
    body = x->response_body;
    length = x->response.content_length;
    r = make_head(call, status, BYTES("application/problem+json"));
    if (r < 0)
        return r;
    x->response.framing = HTTP_BODY_LENGTH;
    x->response.content_length = length;
    x->response.has_content_length = true;
    x->response_body = body;
    call->state = CALL_ANSWERED;
    return 0;
}

int weft_answer_problem(struct weft_call *call, unsigned status, const char *type, const char *detail)
{
    if (!call_asked(call) || status < 400 || status > 599)
        return -EINVAL;
    if (call->state != CALL_OPEN)
        return -EALREADY;
    return answer_problem(call, status, bytes_slice(bytes_of_text(type), 0, CHASSIS_NAME_MAX), bytes_of_text(detail));
}

/* --- none ---------------------------------------------------------------------------------------------------- */

static void log_failure(struct weft_call *call, int error)
{
    if (error == 0)
        weft_log(call, WEFT_ERROR, "the handler of %s %s did not answer", call->method, call->path);
    else
        weft_log(call, WEFT_ERROR, "the handler of %s %s failed: %s (%d)", call->method, call->path,
                 error < 0 && strerrordesc_np(-error) ? strerrordesc_np(-error) : "not an errno", error);
}

static enum outcome fail(struct weft_call *call, unsigned status, const char *type, const char *detail)
{
    int r = answer_problem(call, status, bytes_of_text(type), bytes_of_text(detail));

    return r < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

enum outcome call_failed(struct weft_call *call, int error)
{
    const struct body *body = call->x->request_body;

    if (error < 0 && body && body->outcome != OUTCOME_OK)
        return body->outcome; /* the client's fault: it broke off, or sent what is no body */
    switch (error) {
    case -EBADMSG:
        if (!call->refusal)
            break;
        return call_refuse(call) < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
    case -EMSGSIZE:
        if (!call->body_too_large)
            break;
        return fail(call, 413, "body-too-large", "the request body is longer than this service takes");
    case -ETIME: return fail(call, 504, "timeout", "the answer took longer than the service's limit");
    case -ECANCELED: return OUTCOME_CANCELED;
    case -ENOMEM:
    case -EAGAIN: return fail(call, 503, "overload", "the service has no room for this now");
    default: break;
    }
    log_failure(call, error);
    return fail(call, 500, "internal", "the service failed");
}
