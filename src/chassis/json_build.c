/* Building and writing JSON. */
#include "chassis/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMBERS_FIRST 8
#define WRITE_FIRST 1024

/* --- values --------------------------------------------------------------------------------------------------- */

static struct weft_json *make(struct weft_call *call, enum weft_json_kind kind)
{
    struct weft_json *value = call_is(call) ? arena_zalloc(&call->memory, sizeof(*value)) : NULL;

    if (!value)
        return NULL;
    value->kind = kind;
    value->call = call;
    return value;
}

struct weft_json *weft_object(struct weft_call *call)
{
    return make(call, WEFT_JSON_OBJECT);
}

struct weft_json *weft_array(struct weft_call *call)
{
    return make(call, WEFT_JSON_LIST);
}

static struct weft_json *make_text(struct weft_call *call, const char *text)
{
    struct weft_json *value = make(call, text ? WEFT_JSON_TEXT : WEFT_JSON_NULL);

    if (!value || !text)
        return value;
    value->text.len = strlen(text);
    value->text.data = call_text(call, bytes_of(text, value->text.len));
    return value->text.data ? value : NULL;
}

static struct weft_json *make_integer(struct weft_call *call, int64_t integer)
{
    struct weft_json *value = make(call, WEFT_JSON_INTEGER);

    if (value)
        value->integer = integer;
    return value;
}

static struct weft_json *make_number(struct weft_call *call, double number)
{
    struct weft_json *value = make(call, WEFT_JSON_NUMBER);

    if (!value)
        return NULL;
    value->number = number;
    value->error = isfinite(number) ? 0 : -EINVAL;
    return value;
}

/* --- into a container ----------------------------------------------------------------------------------------- */

static void fail(struct weft_json *value, int error)
{
    if (value->error == 0)
        value->error = error;
}

static struct json_member *one_more(struct weft_json *value)
{
    size_t max = value->members.max * 2 > 0 ? value->members.max * 2 : MEMBERS_FIRST;
    struct json_member *list;

    if (value->members.count < value->members.max)
        return &value->members.list[value->members.count++];
    list = arena_alloc(&value->call->memory, max * sizeof(*list));
    if (!list) {
        fail(value, -ENOMEM);
        return NULL;
    }
    if (value->members.count > 0)
        memcpy(list, value->members.list, value->members.count * sizeof(*list));
    value->members.list = list;
    value->members.max = max;
    return &value->members.list[value->members.count++];
}

static struct json_member *member_of(struct weft_json *object, const char *name)
{
    char *copy;
    struct json_member *member;

    for (size_t i = 0; i < object->members.count; i++)
        if (strcmp(object->members.list[i].name, name) == 0)
            return &object->members.list[i];
    copy = call_text(object->call, bytes_of_text(name));
    member = copy ? one_more(object) : NULL;
    if (!member)
        fail(object, -ENOMEM);
    else
        member->name = copy;
    return member;
}

void weft_set(struct weft_json *object, const char *name, const struct weft_json *value)
{
    struct json_member *member;

    if (!object)
        return;
    if (object->kind != WEFT_JSON_OBJECT || !name)
        return fail(object, -EINVAL);
    if (!value)
        return fail(object, -ENOMEM);
    member = member_of(object, name);
    if (member)
        member->value = value;
}

void weft_append(struct weft_json *list, const struct weft_json *value)
{
    struct json_member *member;

    if (!list)
        return;
    if (list->kind != WEFT_JSON_LIST)
        return fail(list, -EINVAL);
    if (!value)
        return fail(list, -ENOMEM);
    member = one_more(list);
    if (member)
        *member = (struct json_member){ .value = value };
}

void weft_set_text(struct weft_json *object, const char *name, const char *text)
{
    if (object)
        weft_set(object, name, make_text(object->call, text));
}

void weft_set_integer(struct weft_json *object, const char *name, int64_t value)
{
    if (object)
        weft_set(object, name, make_integer(object->call, value));
}

void weft_set_number(struct weft_json *object, const char *name, double value)
{
    if (object)
        weft_set(object, name, make_number(object->call, value));
}

void weft_set_bool(struct weft_json *object, const char *name, bool value)
{
    struct weft_json *made = object ? make(object->call, WEFT_JSON_BOOL) : NULL;

    if (made)
        made->boolean = value;
    weft_set(object, name, made);
}

void weft_set_null(struct weft_json *object, const char *name)
{
    if (object)
        weft_set(object, name, make(object->call, WEFT_JSON_NULL));
}

void weft_append_text(struct weft_json *list, const char *text)
{
    if (list)
        weft_append(list, make_text(list->call, text));
}

void weft_append_integer(struct weft_json *list, int64_t value)
{
    if (list)
        weft_append(list, make_integer(list->call, value));
}

void weft_append_number(struct weft_json *list, double value)
{
    if (list)
        weft_append(list, make_number(list->call, value));
}

/* --- writing -------------------------------------------------------------------------------------------------- */

/* The shortest of those that give the same number again. The C library writes its locale's point. */
static void write_number(struct text *text, double number)
{
    char digits[32];
    int len = 0;

    for (int precision = 15; precision <= 17; precision++) {
        len = snprintf(digits, sizeof(digits), "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    for (int i = 0; i < len; i++)
        if (!strchr("0123456789+-e", digits[i]))
            digits[i] = '.';
    text_add(text, bytes_of(digits, (size_t)len));
}

static int write_value(struct text *text, const struct weft_json *value, unsigned depth);

static int write_members(struct text *text, const struct weft_json *value, unsigned depth)
{
    bool object = value->kind == WEFT_JSON_OBJECT;
    int r = 0;

    if (depth == WEFT_JSON_DEPTH_MAX)
        return -ELOOP;
    text_add_char(text, object ? '{' : '[');
    for (size_t i = 0; r == 0 && i < value->members.count; i++) {
        const struct json_member *member = &value->members.list[i];

        if (i > 0)
            text_add_char(text, ',');
        if (object) {
            text_add_json(text, bytes_of_text(member->name));
            text_add_char(text, ':');
        }
        r = write_value(text, member->value, depth + 1);
    }
    text_add_char(text, object ? '}' : ']');
    return r;
}

static int write_value(struct text *text, const struct weft_json *value, unsigned depth)
{
    if (value->error < 0)
        return value->error;
    if (text->full)
        return -ENOBUFS;
    switch (value->kind) {
    case WEFT_JSON_OBJECT:
    case WEFT_JSON_LIST: return write_members(text, value, depth);
    case WEFT_JSON_TEXT: text_add_json(text, bytes_of(value->text.data, value->text.len)); break;
    case WEFT_JSON_INTEGER: text_add_i64(text, value->integer); break;
    case WEFT_JSON_NUMBER: write_number(text, value->number); break;
    case WEFT_JSON_BOOL: text_add(text, value->boolean ? BYTES("true") : BYTES("false")); break;
    default: text_add(text, BYTES("null")); break;
    }
    return 0;
}

int weft_json_write(struct weft_call *call, const struct weft_json *value, struct weft_bytes *ret)
{
    if (!call_is(call) || !ret)
        return -EINVAL;
    if (!value)
        return -ENOMEM;
    for (size_t room = WRITE_FIRST;; room *= 2) {
        char *memory = arena_alloc(&call->memory, room);
        struct text text = text_into(memory, room - 1);
        int r;

        if (!memory)
            return -ENOMEM;
        r = write_value(&text, value, 0);
        if (r < 0 && r != -ENOBUFS)
            return r;
        if (r == 0 && !text.full) {
            memory[text.len] = '\0';
            *ret = (struct weft_bytes){ memory, text.len };
            return 0;
        }
    }
}

int call_answer_json(struct weft_call *call, unsigned status, const char *type, const struct weft_json *value)
{
    struct weft_bytes text = { "", 0 };
    int r = call_asked(call) ? weft_json_write(call, value, &text) : -EINVAL;

    return r < 0 ? r : call_answer(call, status, type, bytes_of(text.data, text.len));
}

int weft_answer_value(struct weft_call *call, unsigned status, const struct weft_json *value)
{
    return call_answer_json(call, status, status < 400 ? "application/json" : "application/problem+json", value);
}
