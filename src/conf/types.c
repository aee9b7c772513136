/* What each type is called, how its numbers are read, and how they lie in a struct. */
#include "base/assert.h"
#include "conf/context.h"

#include <errno.h>
#include <stdlib.h>

#define NUMBER_TEXT_MAX 64 /* characters of a number or integer; a double needs 24 */

struct type {
    const char *name, *phrase, *example;
    size_t size;
};

static const struct type TYPES[] = {
    [CONF_BOOL] = { "boolean", "true or false", NULL, sizeof(bool) },
    [CONF_INTEGER] = { "integer", "an integer", NULL, sizeof(int64_t) },
    [CONF_SIZE] = { "size", "a size", "64KiB, 256MiB or 1GB", sizeof(uint64_t) },
    [CONF_DURATION] = { "duration", "a duration", "200ms, 15s or 1h30m", sizeof(int64_t) },
    [CONF_DURATION_RANGE] = { "duration range", "a duration range", "100ms..1s", sizeof(struct duration_range) },
    [CONF_RATE] = { "rate", "a rate", "100/s or 10/m", sizeof(double) },
    [CONF_PERCENT] = { "percentage", "a percentage", "20% or 0.5%", sizeof(double) },
    [CONF_NUMBER] = { "number", "a number", NULL, sizeof(double) },
    [CONF_STRING] = { "string", "a string", NULL, sizeof(struct bytes) },
    [CONF_TEMPLATE] = { "template", "a template", "\"{client.address}\"", sizeof(struct bytes) },
    [CONF_ENUM] = { "choice", "one of its choices", NULL, sizeof(int) },
    [CONF_ADDRESS] = { "address", "an address", "127.0.0.1:8080, http://host:80 or unix:/run/x.sock",
                       sizeof(struct bytes) },
    [CONF_LIST] = { "list", "a list", NULL, sizeof(struct conf_list) },
    [CONF_MAP] = { "map", "a mapping", NULL, sizeof(struct conf_map) },
    [CONF_STRUCT] = { "struct", "a mapping", NULL, 0 },
    [CONF_UNION] = { "union", "a mapping", NULL, sizeof(struct conf_union) },
    [CONF_UNIONS] = { "unions", "a mapping", NULL, sizeof(struct conf_list) },
};

static const struct type *type_of(enum conf_type type)
{
    ASSERT(type >= CONF_BOOL && type <= CONF_UNIONS);
    return &TYPES[type];
}

const char *conf_type_name(enum conf_type type)
{
    return type_of(type)->name;
}

const char *conf_type_phrase(enum conf_type type)
{
    return type_of(type)->phrase;
}

const char *conf_type_example(enum conf_type type)
{
    return type_of(type)->example;
}

bool conf_type_is_scalar(enum conf_type type)
{
    return type < CONF_LIST;
}

bool conf_type_is_text(enum conf_type type)
{
    return type == CONF_STRING || type == CONF_TEMPLATE || type == CONF_ADDRESS;
}

bool conf_type_is_number(enum conf_type type)
{
    return type >= CONF_INTEGER && type <= CONF_NUMBER;
}

size_t conf_field_size(const struct conf_field *field)
{
    if (field->type != CONF_STRUCT)
        return type_of(field->type)->size;
    return field->flags & CONF_POINTER ? sizeof(void *) : field->schema->size;
}

const char *conf_field_max(const struct conf_field *field)
{
    return !field->max && field->type == CONF_PERCENT ? "100%" : field->max;
}

static size_t skip_digits(struct bytes text, size_t at)
{
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at;
}

/* RFC 8259, 6: the numbers of JSON, which YAML reads alike. Returns whether it is one; *ret_integer: without
 * fraction and exponent. */
static bool is_number(struct bytes text, bool *ret_integer)
{
    size_t start = bytes_starts(text, BYTES("-")) ? 1 : 0;
    size_t at = skip_digits(text, start), end;

    if (at == start || (at > start + 1 && text.data[start] == '0'))
        return false;
    *ret_integer = at == text.len;
    if (at < text.len && text.data[at] == '.') {
        end = skip_digits(text, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
            at++;
        end = skip_digits(text, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == text.len;
}

static int integer_parse(struct bytes text, int64_t *ret)
{
    bool negative = bytes_starts(text, BYTES("-")), integer;
    uint64_t magnitude, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    int err;

    if (!is_number(text, &integer) || !integer)
        return -EINVAL;
    err = bytes_to_u64(bytes_skip(text, negative), &magnitude);
    if (err || magnitude > limit)
        return err ? err : -ERANGE;
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return 0;
}

static int real_parse(struct bytes text, double *ret)
{
    char copy[NUMBER_TEXT_MAX + 1];
    bool integer;
    double value;

    if (!is_number(text, &integer))
        return -EINVAL;
    if (text.len > NUMBER_TEXT_MAX)
        return -ERANGE;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    value = strtod(copy, NULL);
    if (__builtin_isinf(value))
        return -ERANGE;
    *ret = value;
    return 0;
}

int conf_number_parse(enum conf_type type, struct bytes text, union conf_number *ret)
{
    switch (type) {
    case CONF_INTEGER: return integer_parse(text, &ret->integer);
    case CONF_SIZE: return size_parse(text, &ret->size);
    case CONF_DURATION: return duration_parse(text, &ret->integer);
    case CONF_DURATION_RANGE: return duration_range_parse(text, &ret->range);
    case CONF_RATE: return rate_parse(text, &ret->real);
    case CONF_PERCENT: return percent_parse(text, &ret->real);
    case CONF_NUMBER: return real_parse(text, &ret->real);
    default: ASSERT(!"a type with numbers"); return -EINVAL;
    }
}

int conf_number_compare(enum conf_type type, const union conf_number *a, const union conf_number *b)
{
    switch (type) {
    case CONF_INTEGER:
    case CONF_DURATION: return a->integer < b->integer ? -1 : a->integer > b->integer;
    case CONF_SIZE: return a->size < b->size ? -1 : a->size > b->size;
    default: return a->real < b->real ? -1 : a->real > b->real;
    }
}

void conf_scalar_store(const struct conf_field *field, const union conf_number *number, void *into)
{
    ASSERT(conf_type_is_number(field->type));
    memcpy(into, number, conf_field_size(field));
}

const struct conf_choice *conf_choice_find(const struct conf_choice *choices, struct bytes name)
{
    for (const struct conf_choice *choice = choices; choice->name; choice++)
        if (bytes_equal(bytes_of_text(choice->name), name))
            return choice;
    return NULL;
}

const struct conf_field *conf_schema_field(const struct conf_schema *schema, struct bytes key)
{
    for (size_t i = 0; i < schema->count; i++)
        if (bytes_equal(bytes_of_text(schema->fields[i].key), key))
            return &schema->fields[i];
    return NULL;
}

const struct conf_set *conf_set_find(const struct conf_set *sets, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(bytes_of_text(sets[i].name), bytes_of_text(name)))
            return &sets[i];
    return NULL;
}

const struct conf_alternative *conf_alternative_find(const struct conf_set *set, struct bytes name)
{
    for (size_t i = 0; i < set->count; i++)
        if (bytes_equal(bytes_of_text(set->alternatives[i].name), name))
            return &set->alternatives[i];
    return NULL;
}
