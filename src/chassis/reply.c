/* What other services answered. */
#include "chassis/json.h"

int reply_head_copy(struct arena *memory, const struct http_head *head, const struct weft_reply_head **ret)
{
    size_t count = head->field_count;
    struct weft_reply_head *copy = arena_alloc(memory, sizeof(*copy) + count * sizeof(copy->fields[0]));

    if (!copy)
        return -ENOMEM;
    copy->count = head->field_count;
    for (unsigned i = 0; i < head->field_count; i++) {
        copy->fields[i].name = arena_text(memory, head->fields[i].name);
        copy->fields[i].value = arena_text(memory, head->fields[i].value);
        if (!copy->fields[i].name || !copy->fields[i].value)
            return -ENOMEM;
    }
    *ret = copy;
    return 0;
}

const char *reply_head_find(const struct weft_reply_head *head, const char *name)
{
    for (unsigned i = 0; head && name && i < head->count; i++)
        if (bytes_equal_ci(bytes_of_text(head->fields[i].name), bytes_of_text(name)))
            return head->fields[i].value;
    return NULL;
}

const char *weft_reply_header(const struct weft_reply *reply, const char *name)
{
    return reply ? reply_head_find(reply->head, name) : NULL;
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

static int malformed(struct weft_call *call, struct weft_reply *reply, const char *why)
{
    const char *reason = weft_format(call, "its answer can't be used: %s", why);

    reply->error = -EPROTO;
    reply->reason = reason ? reason : "its answer can't be used";
    return -EPROTO;
}

int weft_reply_json(struct weft_call *call, struct weft_reply *reply, const struct weft_json **ret)
{
    const char *type, *why = "";
    int r;

    if (!call_is(call) || !reply || !ret)
        return -EINVAL;
    if (reply->error < 0)
        return reply->error;
    type = weft_reply_header(reply, "Content-Type");
    if (!json_is_type(bytes_of_text(type)))
        return malformed(call, reply, type ? "it is not JSON by its Content-Type" : "it has no Content-Type");
    r = weft_json_parse(call, reply->body.data, reply->body.len, ret, &why);
    return r == -EBADMSG ? malformed(call, reply, why) : r;
}

static int take(struct weft_call *call, struct weft_reply *reply, const struct weft_json *body,
                const struct weft_shape *shape, void *to)
{
    struct refusal *refusal = arena_zalloc(&call->memory, sizeof(*refusal));
    int r = refusal ? shape_take(call, body, shape, true, to, refusal) : -ENOMEM;

    if (r < 0 || refusal->count == 0)
        return r;
    return malformed(call, reply, weft_format(call, "%s %s", refusal->faults[0].pointer, refusal->faults[0].detail));
}

int weft_reply_take(struct weft_call *call, struct weft_reply *reply, const struct weft_shape *shape, void *ret)
{
    const struct weft_json *body;
    int r;

    if (!call_is(call) || !reply || !ret || !shape_fine(shape))
        return -EINVAL;
    r = weft_reply_json(call, reply, &body);
    return r < 0 ? r : take(call, reply, body, shape, ret);
}
