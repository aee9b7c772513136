/* A struct as JSON, by the same table that reads it. */
#include "chassis/json.h"

static struct weft_json *object_of(struct weft_call *call, const struct weft_shape *shape, const char *from);

static size_t count_of(const struct weft_field *field, const char *from)
{
    size_t count;

    memcpy(&count, from + field->count_offset, sizeof(count));
    return count;
}

static struct weft_json *list_of(struct weft_call *call, const struct weft_field *field, const char *from)
{
    struct weft_json *list = weft_array(call);
    size_t count = count_of(field, from);
    const char *elements;

    memcpy(&elements, from + field->offset, sizeof(elements));
    for (size_t i = 0; elements && i < count; i++)
        if (field->kind == WEFT_IS_LIST)
            weft_append(list, object_of(call, field->shape, elements + i * field->element_size));
        else if (field->kind == WEFT_IS_TEXTS)
            weft_append_text(list, ((const char *const *)(const void *)elements)[i]);
        else
            weft_append_integer(list, ((const int64_t *)(const void *)elements)[i]);
    return list;
}

static void add_text(struct weft_json *object, const struct weft_field *field, const char *name, const char *from)
{
    const char *text;

    memcpy(&text, from + field->offset, sizeof(text));
    if (text || !field->optional)
        weft_set_text(object, name, text);
}

static void add_field(struct weft_json *object, struct weft_call *call, const struct weft_field *field,
                      const char *from)
{
    const char *name = field->as ? field->as : field->member;
    const void *member = from + field->offset;

    switch (field->kind) {
    case WEFT_IS_TEXT: add_text(object, field, name, from); break;
    case WEFT_IS_INTEGER: weft_set_integer(object, name, *(const int64_t *)member); break;
    case WEFT_IS_NUMBER: weft_set_number(object, name, *(const double *)member); break;
    case WEFT_IS_BOOL: weft_set_bool(object, name, *(const bool *)member); break;
    case WEFT_IS_OBJECT: weft_set(object, name, object_of(call, field->shape, member)); break;
    default: weft_set(object, name, list_of(call, field, from)); break;
    }
}

/* As deep as the shape is. */
static struct weft_json *object_of(struct weft_call *call, const struct weft_shape *shape, const char *from)
{
    struct weft_json *object = weft_object(call);

    for (size_t i = 0; object && i < shape->count; i++)
        add_field(object, call, &shape->fields[i], from);
    return object;
}

struct weft_json *weft_json_of(struct weft_call *call, const struct weft_shape *shape, const void *from)
{
    return call_is(call) && from && shape_fine(shape) ? object_of(call, shape, from) : NULL;
}

int weft_answer_shape(struct weft_call *call, unsigned status, const struct weft_shape *shape, const void *from)
{
    if (!call_asked(call) || !from || !shape_fine(shape))
        return -EINVAL;
    return weft_answer_value(call, status, weft_json_of(call, shape, from));
}
