/* JSON into a struct by a table, with all faults. */
#include "chassis/json.h"

#include "wire/http_chars.h"

#define NAME_SHOWN_MAX 64 /* of a name that a stranger gave */
#define CHOICES_SHOWN_MAX 256

/* Where we are: a pointer (RFC 6901) is written only when there is a fault. */
struct place {
    const struct place *up; /* NULL: the root */
    struct bytes name;      /* data NULL: it is the index */
    size_t index;
};

struct taking {
    struct weft_call *call;
    struct refusal *refusal;
    bool open;
    bool no_memory;
};

static const char *name_of(const struct weft_field *field)
{
    return field->as ? field->as : field->member;
}

/* --- whether a shape is one ----------------------------------------------------------------------------------- */

static bool has_shape(const struct weft_field *field)
{
    return field->kind == WEFT_IS_OBJECT || field->kind == WEFT_IS_LIST;
}

static bool is_fine(const struct weft_shape *shape, unsigned depth)
{
    if (!shape || (!shape->fields && shape->count > 0) || depth > WEFT_SHAPE_DEPTH_MAX)
        return false;
    for (size_t i = 0; i < shape->count; i++) {
        const struct weft_field *field = &shape->fields[i];

        if (!field->member || (unsigned)field->kind > WEFT_IS_INTEGERS || field->offset >= shape->size)
            return false;
        if (has_shape(field) && (!is_fine(field->shape, depth + 1) || field->element_size != field->shape->size))
            return false;
    }
    return true;
}

bool shape_fine(const struct weft_shape *shape)
{
    return is_fine(shape, 1);
}

/* --- faults --------------------------------------------------------------------------------------------------- */

static size_t pointer_len(const struct place *place)
{
    size_t len = 0;

    for (; place->up; place = place->up)
        len += place->name.data ? 2 * place->name.len + 1 : 21;
    return len;
}

static void write_pointer(struct text *text, const struct place *place)
{
    if (!place->up)
        return;
    write_pointer(text, place->up);
    text_add_char(text, '/');
    if (!place->name.data)
        text_add_u64(text, place->index);
    for (size_t i = 0; i < place->name.len; i++)
        switch (place->name.data[i]) {
        case '~': text_add(text, BYTES("~0")); break;
        case '/': text_add(text, BYTES("~1")); break;
        default: text_add_char(text, place->name.data[i]); break;
        }
}

static void fault(struct taking *taking, const struct place *place, const char *detail)
{
    size_t max = pointer_len(place) + 1;
    struct text text;

    if (taking->refusal->count == WEFT_FAULTS_MAX) { /* no memory for what nobody will read */
        taking->refusal->dropped++;
        return;
    }
    text = text_into(arena_alloc(&taking->call->memory, max), max);
    if (!text.data || !detail) {
        taking->no_memory = true;
        return;
    }
    write_pointer(&text, place);
    text.data[text.len] = '\0';
    refusal_add(taking->refusal, text.data, detail);
}

/* --- limits --------------------------------------------------------------------------------------------------- */

struct range {
    double min, max;
};

static bool has_max(struct range range)
{
    return range.max >= range.min;
}

static bool outside(struct range range, double value)
{
    if (range.min == 0 && range.max == 0)
        return false;
    return value < range.min || (has_max(range) && value > range.max);
}

static void fault_range(struct taking *taking, const struct place *place, struct range range, const char *verb,
                        const char *unit)
{
    char *detail;

    if (!has_max(range))
        detail = weft_format(taking->call, "must %s at least %.15g%s", verb, range.min, unit);
    else if (range.min == range.max)
        detail = weft_format(taking->call, "must %s %.15g%s", verb, range.min, unit);
    else
        detail = weft_format(taking->call, "must %s between %.15g and %.15g%s", verb, range.min, range.max, unit);
    fault(taking, place, detail);
}

/* Of valid UTF-8, which jansson has checked. */
static size_t characters(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

static bool chosen(const struct weft_field *field, const char *text)
{
    if (!field->choices)
        return true;
    for (size_t i = 0; field->choices[i]; i++)
        if (strcmp(field->choices[i], text) == 0)
            return true;
    return false;
}

static void fault_choices(struct taking *taking, const struct place *place, const struct weft_field *field)
{
    char memory[CHOICES_SHOWN_MAX];
    struct text text = text_into(memory, sizeof(memory));

    for (size_t i = 0; field->choices[i] && !text.full; i++)
        text_add_format(&text, "%s%s", i > 0 ? ", " : "", field->choices[i]);
    fault(taking, place,
          weft_format(taking->call, "must be one of: " BYTES_FMT "%s", BYTES_ARG(text_bytes(&text)),
                      text.full ? " ..." : ""));
}

/* --- values --------------------------------------------------------------------------------------------------- */

static void take_text(struct taking *taking, const struct place *place, const struct weft_json *value,
                      const struct weft_field *field, struct range range, const char **to)
{
    struct bytes text;

    if (value->kind != WEFT_JSON_TEXT)
        return fault(taking, place, "must be a text");
    text = bytes_of(value->text.data, value->text.len);
    if (outside(range, (double)characters(text)))
        return fault_range(taking, place, range, "have", range.max == 1 ? " character" : " characters");
    if (!chosen(field, text.data))
        return fault_choices(taking, place, field);
    *to = text.data;
}

static void take_integer(struct taking *taking, const struct place *place, const struct weft_json *value,
                         struct range range, int64_t *to)
{
    if (value->kind != WEFT_JSON_INTEGER)
        return fault(taking, place, "must be an integer");
    if (outside(range, (double)value->integer))
        return fault_range(taking, place, range, "be", "");
    *to = value->integer;
}

static void take_number(struct taking *taking, const struct place *place, const struct weft_json *value,
                        struct range range, double *to)
{
    double number = weft_json_number(value);

    if (value->kind != WEFT_JSON_INTEGER && value->kind != WEFT_JSON_NUMBER)
        return fault(taking, place, "must be a number");
    if (outside(range, number))
        return fault_range(taking, place, range, "be", "");
    *to = number;
}

static void take_object(struct taking *taking, const struct place *place, const struct weft_json *value,
                        const struct weft_shape *shape, void *to);

static void take_element(struct taking *taking, const struct place *place, const struct weft_json *value,
                         const struct weft_field *field, void *elements, size_t index)
{
    const struct range each = { field->each_min, field->each_max };

    if (field->kind == WEFT_IS_LIST)
        take_object(taking, place, value, field->shape, (char *)elements + index * field->element_size);
    else if (field->kind == WEFT_IS_TEXTS)
        take_text(taking, place, value, field, each, (const char **)elements + index);
    else
        take_integer(taking, place, value, each, (int64_t *)elements + index);
}

static size_t element_size(const struct weft_field *field)
{
    if (field->kind == WEFT_IS_LIST)
        return field->element_size;
    return field->kind == WEFT_IS_TEXTS ? sizeof(const char *) : sizeof(int64_t);
}

static void take_list(struct taking *taking, const struct place *place, const struct weft_json *value,
                      const struct weft_field *field, char *to)
{
    const struct range range = { field->min, field->max };
    size_t count = value->members.count, size;
    void *elements;

    if (value->kind != WEFT_JSON_LIST)
        return fault(taking, place, "must be a list");
    if (outside(range, (double)count))
        return fault_range(taking, place, range, "have", range.max == 1 ? " element" : " elements");
    size = count * element_size(field); /* no overflow: WEFT_JSON_VALUES_MAX of a struct's size */
    elements = size > 0 ? arena_zalloc(&taking->call->memory, size) : NULL;
    if (size > 0 && !elements) {
        taking->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        take_element(taking, &(struct place){ .up = place, .index = i }, value->members.list[i].value, field, elements,
                     i);
    memcpy(to + field->offset, &elements, sizeof(elements));
    memcpy(to + field->count_offset, &count, sizeof(count));
}

static void take_field(struct taking *taking, const struct place *place, const struct weft_json *value,
                       const struct weft_field *field, char *to)
{
    const struct range range = { field->min, field->max };
    void *member = to + field->offset;

    switch (field->kind) {
    case WEFT_IS_TEXT: return take_text(taking, place, value, field, range, member);
    case WEFT_IS_INTEGER: return take_integer(taking, place, value, range, member);
    case WEFT_IS_NUMBER: return take_number(taking, place, value, range, member);
    case WEFT_IS_BOOL:
        if (value->kind != WEFT_JSON_BOOL)
            return fault(taking, place, "must be true or false");
        *(bool *)member = value->boolean;
        return;
    case WEFT_IS_OBJECT: return take_object(taking, place, value, field->shape, member);
    default: return take_list(taking, place, value, field, to);
    }
}

/* --- objects -------------------------------------------------------------------------------------------------- */

static bool shape_has(const struct weft_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->count; i++)
        if (strcmp(name_of(&shape->fields[i]), name) == 0)
            return true;
    return false;
}

/* Not in the middle of a character. */
static struct bytes shown(const char *name)
{
    struct bytes bytes = bytes_of_text(name);

    if (bytes.len <= NAME_SHOWN_MAX)
        return bytes;
    bytes.len = NAME_SHOWN_MAX;
    while (bytes.len > 0 && ((unsigned char)bytes.data[bytes.len] & 0xc0) == 0x80)
        bytes.len--;
    return bytes;
}

static void refuse_unknown(struct taking *taking, const struct place *place, const struct weft_json *value,
                           const struct weft_shape *shape)
{
    for (size_t i = 0; i < value->members.count; i++) {
        const char *name = value->members.list[i].name;

        if (!shape_has(shape, name))
            fault(taking, &(struct place){ .up = place, .name = shown(name) }, "is not known");
    }
}

static void take_object(struct taking *taking, const struct place *place, const struct weft_json *value,
                        const struct weft_shape *shape, void *to)
{
    if (value->kind != WEFT_JSON_OBJECT)
        return fault(taking, place, "must be an object");
    for (size_t i = 0; i < shape->count; i++) {
        const struct weft_field *field = &shape->fields[i];
        const struct place here = { .up = place, .name = bytes_of_text(name_of(field)) };
        const struct weft_json *member = weft_json_get(value, name_of(field));

        if (member && !(member->kind == WEFT_JSON_NULL && field->optional))
            take_field(taking, &here, member, field, to);
        else if (!field->optional)
            fault(taking, &here, "is missing");
    }
    if (!shape->open && !taking->open)
        refuse_unknown(taking, place, value, shape);
}

int shape_take(struct weft_call *call, const struct weft_json *value, const struct weft_shape *shape, bool open,
               void *to, struct refusal *refusal)
{
    struct taking taking = { .call = call, .refusal = refusal, .open = open };
    const struct place root = { .up = NULL };

    take_object(&taking, &root, value, shape, to);
    return taking.no_memory ? -ENOMEM : 0;
}

int weft_json_take(struct weft_call *call, const struct weft_json *value, const struct weft_shape *shape, void *ret,
                   const char **ret_why)
{
    struct refusal *refusal;
    const char *pointer;
    int r;

    if (!call_is(call) || !value || !ret || !shape_fine(shape))
        return -EINVAL;
    refusal = arena_zalloc(&call->memory, sizeof(*refusal));
    r = refusal ? shape_take(call, value, shape, shape->open, ret, refusal) : -ENOMEM;
    if (r < 0 || refusal->count == 0)
        return r;
    pointer = refusal->faults[0].pointer;
    if (ret_why)
        *ret_why = weft_format(call, "%s%s%s", pointer[0] ? pointer : "it", " ", refusal->faults[0].detail);
    return ret_why && !*ret_why ? -ENOMEM : -EBADMSG;
}
