/* Bodies of requests as JSON, and the problem where they can't be taken. */
#include "chassis/json.h"
#include "http/problem.h"

struct refusal *refusal_of(struct weft_call *call)
{
    if (!call->refusal) {
        call->refusal = arena_zalloc(&call->memory, sizeof(*call->refusal));
        if (call->refusal) {
            call->refusal->status = 422;
            call->refusal->type = "invalid-body";
        }
    }
    return call->refusal;
}

void refusal_add(struct refusal *refusal, const char *pointer, const char *detail)
{
    if (refusal->count == WEFT_FAULTS_MAX || !pointer || !detail) {
        refusal->dropped++;
        return;
    }
    refusal->faults[refusal->count].pointer = pointer;
    refusal->faults[refusal->count].detail = detail;
    refusal->count++;
}

int weft_refuse(struct weft_call *call, const char *pointer, const char *format, ...)
{
    struct refusal *refusal;
    char *detail;
    va_list args;

    if (!call_asked(call) || !pointer || !format)
        return -EINVAL;
    refusal = refusal_of(call);
    if (!refusal)
        return -ENOMEM;
    va_start(args, format);
    detail = call_vformat(call, format, args);
    va_end(args);
    refusal_add(refusal, call_text(call, bytes_of_text(pointer)), detail);
    return -EBADMSG;
}

/* --- the answer ----------------------------------------------------------------------------------------------- */

static struct weft_json *list_faults(struct weft_call *call)
{
    const struct refusal *refusal = call->refusal;
    struct weft_json *list = weft_array(call);

    for (unsigned i = 0; i < refusal->count; i++) {
        struct weft_json *fault = weft_object(call);

        weft_set_text(fault, "pointer", refusal->faults[i].pointer);
        weft_set_text(fault, "detail", refusal->faults[i].detail);
        weft_append(list, fault);
    }
    return list;
}

int call_refuse(struct weft_call *call)
{
    const struct refusal *refusal = call->refusal;
    struct weft_json *problem = weft_object(call);
    unsigned count = refusal->count + refusal->dropped;
    struct bytes title = http_reason(refusal->status);

    weft_set_text(problem, "type", refusal->type);
    weft_set_text(problem, "title", call_text(call, title));
    weft_set_integer(problem, "status", refusal->status);
    weft_set_text(problem, "detail",
                  refusal->detail ? refusal->detail
                                  : weft_format(call, "the body has %u fault%s", count, count == 1 ? "" : "s"));
    weft_set_text(problem, "instance", call->request_id);
    if (count > 0)
        weft_set(problem, "errors", list_faults(call));
    if (refusal->dropped > 0)
        weft_set_integer(problem, "more", refusal->dropped);
    return weft_answer_value(call, refusal->status, problem);
}

/* --- the body ------------------------------------------------------------------------------------------------- */

static int refuse(struct weft_call *call, unsigned status, const char *type, const char *detail)
{
    struct refusal *refusal = refusal_of(call);

    if (!refusal)
        return -ENOMEM;
    refusal->status = status;
    refusal->type = type;
    refusal->detail = detail;
    return -EBADMSG;
}

static int parse(struct weft_call *call, struct weft_bytes body)
{
    struct json_fault fault = { .why = "" };
    int r = json_parse(call, bytes_of(body.data, body.len), &call->json, &fault);

    if (r != -EBADMSG)
        return r;
    return fault.too_large ? refuse(call, 413, "json-too-large", fault.why)
                           : refuse(call, 400, "malformed-json", fault.why);
}

int weft_body_json(struct weft_call *call, const struct weft_json **ret)
{
    struct weft_bytes body = { "", 0 };
    int r = 0;

    if (!call_asked(call) || !ret)
        return -EINVAL;
    if (!call->json) {
        r = weft_body(call, &body);
        if (r < 0)
            return r;
        if (body.len == 0)
            return refuse(call, 400, "no-body", "the request has no body: JSON is wanted");
        if (!json_is_type(http_head_value(&call->x->request, HTTP_FIELD_CONTENT_TYPE)))
            return refuse(call, 415, "unsupported-media-type", "Content-Type is to be application/json");
        r = parse(call, body);
    }
    if (r == 0)
        *ret = call->json;
    return r;
}

int weft_body_take(struct weft_call *call, const struct weft_shape *shape, void *ret)
{
    const struct weft_json *body = NULL;
    struct refusal *refusal;
    int r;

    if (!call_asked(call) || !ret || !shape_fine(shape))
        return -EINVAL;
    r = weft_body_json(call, &body);
    if (r < 0)
        return r;
    refusal = refusal_of(call);
    r = refusal ? shape_take(call, body, shape, shape->open, ret, refusal) : -ENOMEM;
    if (r < 0)
        return r;
    return refusal->count + refusal->dropped > 0 ? -EBADMSG : 0;
}
