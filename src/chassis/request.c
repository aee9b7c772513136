/* What a handler may ask about its request. */
#include "chassis/service.h"

#include "chassis/percent.h"

const char *weft_method(const struct weft_call *call)
{
    return call_is(call) ? call->method : NULL;
}

const char *weft_path(const struct weft_call *call)
{
    return call_is(call) ? call->path : NULL;
}

const char *weft_query(const struct weft_call *call)
{
    return call_is(call) ? call->query : NULL;
}

const char *weft_request_id(const struct weft_call *call)
{
    return call_is(call) ? call->request_id : NULL;
}

const char *weft_trace_id(const struct weft_call *call)
{
    return call_is(call) ? call->trace_id : NULL;
}

const char *weft_client(const struct weft_call *call)
{
    return call_is(call) ? call->client : NULL;
}

const char *weft_instance(const struct weft_call *call)
{
    return call_is(call) ? call->service->instance : NULL;
}

const char *weft_path_value(struct weft_call *call, const char *name)
{
    if (!call_asked(call) || !name)
        return NULL;
    for (unsigned i = 0; i < call->route->count; i++) {
        const struct element *element = &call->route->elements[i];

        if (element->kind != ELEMENT_LITERAL && bytes_equal(element->text, bytes_of_text(name)))
            return call->values[i].data;
    }
    return NULL;
}

const char *weft_query_value(struct weft_call *call, const char *name)
{
    struct bytes rest, pair;

    if (!call_is(call) || !name || !call->query)
        return NULL;
    rest = bytes_of_text(call->query);
    while (bytes_split(&rest, '&', &pair)) {
        ssize_t equals = bytes_find_char(pair, '=');
        struct bytes key = equals < 0 ? pair : bytes_slice(pair, 0, (size_t)equals);
        struct bytes value = equals < 0 ? BYTES_NONE : bytes_skip(pair, (size_t)equals + 1);
        char *memory;

        if (!percent_equal(key, true, bytes_of_text(name)))
            continue;
        memory = arena_alloc(&call->memory, value.len + 1);
        if (memory)
            memory[percent_decode(value, true, memory)] = '\0';
        return memory;
    }
    return NULL;
}

const char *weft_header(struct weft_call *call, const char *name)
{
    const struct http_field *field;

    if (!call_asked(call) || !name)
        return NULL;
    field = http_head_find(&call->x->request, bytes_of_text(name));
    return field ? call_text(call, field->value) : NULL;
}

/* --- the body ------------------------------------------------------------------------------------------------ */

static const struct weft_bytes NO_BYTES = { "", 0 };

/* Doubles the room, at least for `more` bytes and the zero. */
static int grow(struct weft_call *call, struct text *text, size_t more)
{
    size_t room = MAX(text->max * 2, text->len + more + 1);
    char *memory;

    if (text->len + more < text->max)
        return 0;
    memory = arena_alloc(&call->memory, room);
    if (!memory)
        return -ENOMEM;
    if (text->len > 0)
        memcpy(memory, text->data, text->len);
    text->data = memory;
    text->max = room;
    return 0;
}

int call_read_whole(struct weft_call *call, struct body *body, struct weft_bytes *ret)
{
    size_t max = call->service->body_max;
    struct text text = text_into(NULL, 0);
    struct bytes chunk;
    int r;

    if (!body) {
        *ret = NO_BYTES;
        return 0;
    }
    if (body->has_length && body->length > max)
        return -EMSGSIZE;
    r = grow(call, &text, body->has_length ? (size_t)body->length : 1024);
    while (r == 0 && (r = body_read(body, &chunk)) > 0) {
        if (chunk.len > max - text.len)
            return -EMSGSIZE;
        r = grow(call, &text, chunk.len);
        if (r == 0)
            text_add(&text, chunk);
    }
    if (r < 0)
        return r;
    text.data[text.len] = '\0';
    *ret = (struct weft_bytes){ text.data, text.len };
    return 0;
}

int weft_body(struct weft_call *call, struct weft_bytes *ret)
{
    int r;

    if (!call_asked(call) || !ret)
        return -EINVAL;
    if (call->body_read || call->body_busy)
        return -EBUSY;
    if (!call->body_whole) {
        call->body_busy = true;
        r = call_read_whole(call, call->x->request_body, &call->body);
        call->body_busy = false;
        call->body_too_large = r == -EMSGSIZE;
        if (r < 0)
            return r;
        call->body_whole = true;
    }
    *ret = call->body;
    return 0;
}

int weft_body_read(struct weft_call *call, struct weft_bytes *ret)
{
    struct bytes chunk;
    int r;

    if (!call_asked(call) || !ret)
        return -EINVAL;
    if (call->body_whole || call->body_busy)
        return -EBUSY;
    call->body_read = true;
    if (!call->x->request_body)
        return 0;
    call->body_busy = true;
    r = body_read(call->x->request_body, &chunk);
    call->body_busy = false;
    if (r > 0)
        *ret = (struct weft_bytes){ chunk.data, chunk.len };
    return r;
}
