/* Reading JSON. */
#include "chassis/json.h"

#include <jansson.h>

/* --- before jansson ------------------------------------------------------------------------------------------- */

/* Behind the text that begins before `at`; its end where it has none: jansson will say so. */
static size_t skip_text(struct bytes text, size_t at)
{
    while (at < text.len && text.data[at] != '"')
        at += text.data[at] == '\\' ? 2 : 1;
    return at + 1;
}

int json_scan(struct bytes text, struct json_fault *ret_fault)
{
    unsigned depth = 0;
    size_t values = 1, at = 0;

    while (at < text.len) {
        char c = text.data[at++];

        if (c == '"') {
            at = skip_text(text, at);
        } else if (c == '[' || c == '{') {
            values++;
            depth++;
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (c == ',') {
            values++;
        }
        if (depth > WEFT_JSON_DEPTH_MAX || values > WEFT_JSON_VALUES_MAX) {
            *ret_fault = (struct json_fault){ .too_large = true,
                                              .why = depth > WEFT_JSON_DEPTH_MAX
                                                         ? "lists and objects are nested deeper than 64"
                                                         : "there are more than 50000 values" };
            return -EBADMSG;
        }
    }
    return 0;
}

bool json_is_type(struct bytes type)
{
    struct bytes rest = type, essence;

    if (!bytes_split(&rest, ';', &essence))
        return false;
    essence = bytes_trim(essence);
    return bytes_equal_ci(essence, BYTES("application/json")) ||
           (essence.len > 5 && bytes_equal_ci(bytes_skip(essence, essence.len - 5), BYTES("+json")));
}

/* --- from jansson's tree -------------------------------------------------------------------------------------- */

static struct weft_json *make(struct weft_call *call, enum weft_json_kind kind)
{
    struct weft_json *value = arena_zalloc(&call->memory, sizeof(*value));

    if (!value)
        return NULL;
    value->kind = kind;
    value->call = call;
    return value;
}

static int room(struct weft_json *value, size_t count)
{
    value->members.max = count;
    if (count == 0)
        return 0;
    value->members.list = arena_alloc(&value->call->memory, count * sizeof(*value->members.list));
    return value->members.list ? 0 : -ENOMEM;
}

static const struct weft_json *copy(struct weft_call *call, json_t *from);

static const struct weft_json *copy_list(struct weft_call *call, json_t *from)
{
    struct weft_json *list = make(call, WEFT_JSON_LIST);
    size_t count = json_array_size(from);

    if (!list || room(list, count) < 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct json_member *member = &list->members.list[i];

        *member = (struct json_member){ .value = copy(call, json_array_get(from, i)) };
        if (!member->value)
            return NULL;
        list->members.count++;
    }
    return list;
}

static const struct weft_json *copy_object(struct weft_call *call, json_t *from)
{
    struct weft_json *object = make(call, WEFT_JSON_OBJECT);

    if (!object || room(object, json_object_size(from)) < 0)
        return NULL;
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at)) {
        struct json_member *member = &object->members.list[object->members.count];

        member->name = call_text(call, bytes_of_text(json_object_iter_key(at)));
        member->value = copy(call, json_object_iter_value(at));
        if (!member->name || !member->value)
            return NULL;
        object->members.count++;
    }
    return object;
}

static const struct weft_json *copy_text(struct weft_call *call, json_t *from)
{
    struct weft_json *text = make(call, WEFT_JSON_TEXT);

    if (!text)
        return NULL;
    text->text.len = json_string_length(from);
    text->text.data = call_text(call, bytes_of(json_string_value(from), text->text.len));
    return text->text.data ? text : NULL;
}

/* As deep as the scan lets it be. */
static const struct weft_json *copy(struct weft_call *call, json_t *from)
{
    struct weft_json *value;

    switch (json_typeof(from)) {
    case JSON_OBJECT: return copy_object(call, from);
    case JSON_ARRAY: return copy_list(call, from);
    case JSON_STRING: return copy_text(call, from);
    case JSON_INTEGER:
        value = make(call, WEFT_JSON_INTEGER);
        if (value)
            value->integer = json_integer_value(from);
        return value;
    case JSON_REAL:
        value = make(call, WEFT_JSON_NUMBER);
        if (value)
            value->number = json_real_value(from);
        return value;
    case JSON_NULL: return make(call, WEFT_JSON_NULL);
    default:
        value = make(call, WEFT_JSON_BOOL);
        if (value)
            value->boolean = json_is_true(from);
        return value;
    }
}

static int say_where(struct weft_call *call, const json_error_t *error, struct json_fault *ret_fault)
{
    struct bytes why;

    if (json_error_code(error) == json_error_out_of_memory)
        return -ENOMEM;
    if (arena_format(&call->memory, &why, "line %d, column %d: %s%c", error->line, error->column, error->text, 0) < 0)
        return -ENOMEM;
    *ret_fault = (struct json_fault){ .why = why.data };
    return -EBADMSG;
}

int json_parse(struct weft_call *call, struct bytes text, const struct weft_json **ret, struct json_fault *ret_fault)
{
    const struct weft_json *value;
    json_error_t error;
    json_t *tree;
    int r = json_scan(text, ret_fault);

    if (r < 0)
        return r;
    tree = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!tree)
        return say_where(call, &error, ret_fault);
    value = copy(call, tree);
    json_decref(tree);
    if (!value)
        return -ENOMEM;
    *ret = value;
    return 0;
}

int weft_json_parse(struct weft_call *call, const char *text, size_t len, const struct weft_json **ret,
                    const char **ret_why)
{
    struct json_fault fault = { .why = "" };
    int r;

    if (!call_is(call) || (!text && len > 0) || !ret)
        return -EINVAL;
    r = json_parse(call, bytes_of(text, len), ret, &fault);
    if (r == -EBADMSG && ret_why)
        *ret_why = fault.why;
    return r;
}

/* --- readers -------------------------------------------------------------------------------------------------- */

static bool is_kind(const struct weft_json *value, enum weft_json_kind kind)
{
    return value && value->kind == kind;
}

static bool has_members(const struct weft_json *value)
{
    return is_kind(value, WEFT_JSON_LIST) || is_kind(value, WEFT_JSON_OBJECT);
}

enum weft_json_kind weft_json_kind(const struct weft_json *value)
{
    return value ? value->kind : WEFT_JSON_NONE;
}

const struct weft_json *weft_json_get(const struct weft_json *object, const char *name)
{
    if (!is_kind(object, WEFT_JSON_OBJECT) || !name)
        return NULL;
    for (size_t i = 0; i < object->members.count; i++)
        if (strcmp(object->members.list[i].name, name) == 0)
            return object->members.list[i].value;
    return NULL;
}

const struct weft_json *weft_json_at(const struct weft_json *container, size_t index)
{
    return has_members(container) && index < container->members.count ? container->members.list[index].value : NULL;
}

const char *weft_json_name(const struct weft_json *object, size_t index)
{
    return is_kind(object, WEFT_JSON_OBJECT) && index < object->members.count ? object->members.list[index].name : NULL;
}

size_t weft_json_length(const struct weft_json *value)
{
    if (has_members(value))
        return value->members.count;
    return is_kind(value, WEFT_JSON_TEXT) ? value->text.len : 0;
}

const char *weft_json_string(const struct weft_json *value)
{
    return is_kind(value, WEFT_JSON_TEXT) ? value->text.data : NULL;
}

int64_t weft_json_integer(const struct weft_json *value)
{
    return is_kind(value, WEFT_JSON_INTEGER) ? value->integer : 0;
}

double weft_json_number(const struct weft_json *value)
{
    if (is_kind(value, WEFT_JSON_INTEGER))
        return (double)value->integer;
    return is_kind(value, WEFT_JSON_NUMBER) ? value->number : 0;
}

bool weft_json_bool(const struct weft_json *value)
{
    return is_kind(value, WEFT_JSON_BOOL) && value->boolean;
}
