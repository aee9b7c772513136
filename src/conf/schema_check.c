/* Mistakes in tables are found by a test, before they are found by a user. */
#include "base/alloc.h"
#include "conf/context.h"

#include <errno.h>

struct audit {
    struct conf_walk walk;
    const struct conf_schema *root, *schema;
    const char *kinds[CONF_KINDS_MAX]; /* declared by a map */
    size_t kind_count;
    struct fault *fault;
};

/* Says what is wrong with a field (NULL: the schema) and returns false. */
static bool wrong(const struct audit *audit, const struct conf_field *field, const char *what)
{
    const char *key = field && field->key ? field->key : field ? "(element)" : NULL;

    if (audit->fault)
        *audit->fault = (struct fault){ 0 };
    fault_set(audit->fault, "%s%s%s: %s", audit->schema->name, key ? "." : "", key ? key : "", what);
    return false;
}

static bool word_ok(const char *word)
{
    return word && conf_name_ok(CONF_NAMES_LABEL, bytes_of_text(word));
}

static bool has_flag(const struct conf_field *field, enum conf_flag flag)
{
    return field->flags & flag;
}

static bool has_required(const struct conf_schema *schema, const char *but)
{
    for (size_t i = 0; i < schema->count; i++)
        if (has_flag(&schema->fields[i], CONF_REQUIRED) &&
            !(but && bytes_equal(bytes_of_text(but), bytes_of_text(schema->fields[i].key))))
            return true;
    return false;
}

static bool bounds_ok(const struct audit *audit, const struct conf_field *field)
{
    enum conf_type type = field->type == CONF_DURATION_RANGE ? CONF_DURATION : field->type;
    const char *max = conf_field_max(field);
    union conf_number low = { 0 }, high = { 0 };

    if (!field->min && !field->max)
        return true;
    if (!conf_type_is_number(type)) {
        if (type == CONF_BOOL || type == CONF_ENUM || type == CONF_STRUCT || type == CONF_UNION)
            return wrong(audit, field, "this type has no range");
        type = CONF_INTEGER;
    }
    if (field->min && conf_number_parse(type, bytes_of_text(field->min), &low) < 0)
        return wrong(audit, field, "min can't be read");
    if (max && conf_number_parse(type, bytes_of_text(max), &high) < 0)
        return wrong(audit, field, "max can't be read");
    if (field->min && max && conf_number_compare(type, &low, &high) > 0)
        return wrong(audit, field, "min is above max");
    if (!conf_type_is_number(field->type) && (low.integer < 0 || high.integer < 0))
        return wrong(audit, field, "a length can't be negative");
    return true;
}

static bool in_bounds(const struct conf_field *field, enum conf_type type, const union conf_number *number)
{
    const char *max = conf_field_max(field);
    union conf_number bound;

    if (field->min && (conf_number_parse(type, bytes_of_text(field->min), &bound) < 0 ||
                       conf_number_compare(type, number, &bound) < 0))
        return false;
    return !max ||
           (conf_number_parse(type, bytes_of_text(max), &bound) == 0 && conf_number_compare(type, number, &bound) <= 0);
}

static bool default_reads(const struct conf_field *field, struct bytes text)
{
    struct fault ignored;
    union conf_number number, high;

    if (field->type == CONF_BOOL)
        return bytes_equal(text, BYTES("true")) || bytes_equal(text, BYTES("false"));
    if (field->type == CONF_ENUM)
        return conf_choice_find(field->choices, text) != NULL;
    if (conf_type_is_number(field->type)) {
        if (conf_number_parse(field->type, text, &number) < 0)
            return false;
        if (field->type != CONF_DURATION_RANGE)
            return in_bounds(field, field->type, &number);
        high.integer = number.range.high_ns;
        number.integer = number.range.low_ns;
        return in_bounds(field, CONF_DURATION, &number) && in_bounds(field, CONF_DURATION, &high);
    }
    if (field->type == CONF_TEMPLATE && conf_template_check(text, &ignored) < 0)
        return false;
    if (field->check_text)
        return field->check_text(text, &ignored) == 0;
    return field->type != CONF_ADDRESS || conf_address_check(text, &ignored) == 0;
}

static bool default_ok(const struct audit *audit, const struct conf_field *field)
{
    if (!field->default_text)
        return true;
    if (!conf_type_is_scalar(field->type))
        return wrong(audit, field, "only scalars have a default");
    if (has_flag(field, CONF_REQUIRED))
        return wrong(audit, field, "what is required has no default");
    if (!default_reads(field, bytes_of_text(field->default_text)))
        return wrong(audit, field, "the default can't be read, or is out of range");
    return true;
}

static bool flags_ok(const struct audit *audit, const struct conf_field *field)
{
    bool include = has_flag(field, CONF_INCLUDE);

    if (has_flag(field, CONF_POINTER) && field->type != CONF_STRUCT)
        return wrong(audit, field, "CONF_POINTER is for structs");
    if (has_flag(field, CONF_SINGLE) && field->type != CONF_LIST)
        return wrong(audit, field, "CONF_SINGLE is for lists");
    if (has_flag(field, CONF_TEXT_FORM) && field->type != CONF_UNION)
        return wrong(audit, field, "CONF_TEXT_FORM is for unions");
    if (include && (field->type != CONF_LIST || field->element->type != CONF_STRING || audit->schema != audit->root))
        return wrong(audit, field, "CONF_INCLUDE is for a list of strings in the root");
    return true;
}

static bool is_declared(const struct audit *audit, const char *kind)
{
    for (size_t i = 0; i < audit->kind_count; i++)
        if (bytes_equal(bytes_of_text(audit->kinds[i]), bytes_of_text(kind)))
            return true;
    return false;
}

static bool names_ok(const struct audit *audit, const struct conf_field *field)
{
    bool text = conf_type_is_text(field->type) || has_flag(field, CONF_TEXT_FORM);

    if (field->reference && !text)
        return wrong(audit, field, "only texts can refer to something");
    if (field->reference && !is_declared(audit, field->reference))
        return wrong(audit, field, "no map declares what this refers to");
    if (field->declares && field->type != CONF_MAP)
        return wrong(audit, field, "only the names of maps can be referred to");
    return true;
}

static bool set_ok(const struct audit *audit, const struct conf_field *field)
{
    const struct conf_set *set = field->alternatives
                                     ? conf_set_find(audit->walk.sets, audit->walk.set_count, field->alternatives)
                                     : NULL;

    if (!set || !set->count)
        return wrong(audit, field, "there is no such set of alternatives, or it is empty");
    for (size_t i = 0; i < set->count; i++)
        if (!word_ok(set->alternatives[i].name) || !set->alternatives[i].schema ||
            conf_alternative_find(set, bytes_of_text(set->alternatives[i].name)) != &set->alternatives[i])
            return wrong(audit, field, "an alternative has no schema, a bad name, or one that is taken");
    return true;
}

static bool field_ok(const struct audit *audit, const struct conf_field *field);

static bool type_ok(const struct audit *audit, const struct conf_field *field)
{
    if (field->type < CONF_BOOL || field->type > CONF_UNIONS)
        return wrong(audit, field, "unknown type");
    if (field->type == CONF_ENUM && (!field->choices || !field->choices->name))
        return wrong(audit, field, "there are no choices");
    if (field->type == CONF_STRUCT && !field->schema)
        return wrong(audit, field, "a struct needs a schema");
    if (field->type == CONF_STRUCT && !(field->flags & (CONF_REQUIRED | CONF_POINTER)) && field->key &&
        has_required(field->schema, NULL))
        return wrong(audit, field, "an optional struct with required keys needs CONF_POINTER");
    if (field->type == CONF_LIST || field->type == CONF_MAP)
        return field->element ? field_ok(audit, field->element) : wrong(audit, field, "there is no element");
    return field->type == CONF_UNION || field->type == CONF_UNIONS ? set_ok(audit, field) : true;
}

static bool field_ok(const struct audit *audit, const struct conf_field *field)
{
    return type_ok(audit, field) && flags_ok(audit, field) && bounds_ok(audit, field) && default_ok(audit, field) &&
           names_ok(audit, field);
}

static bool member_ok(const struct audit *audit, const struct conf_field *field)
{
    const struct conf_schema *schema = audit->schema;

    if (!word_ok(field->key) || conf_schema_field(schema, bytes_of_text(field->key)) != field)
        return wrong(audit, field, "the key is no word, or is taken");
    if (!field->about || !field->about[0])
        return wrong(audit, field, "there is no description");
    if (!field_ok(audit, field))
        return false;
    if (field->size != conf_field_size(field) || field->offset + field->size > schema->size ||
        field->given > schema->size)
        return wrong(audit, field, "its place in the struct does not fit its type");
    return true;
}

static bool shorthand_ok(const struct audit *audit, const struct conf_schema *schema)
{
    const struct conf_field *field;

    if (!schema->shorthand)
        return true;
    field = conf_schema_field(schema, bytes_of_text(schema->shorthand));
    if (!field || (!conf_type_is_scalar(field->type) && field->type != CONF_LIST))
        return wrong(audit, NULL, "the shorthand is no scalar or list of this struct");
    if (field->type == CONF_LIST && !conf_type_is_scalar(field->element->type))
        return wrong(audit, NULL, "a shorthand list holds scalars");
    if (has_required(schema, schema->shorthand))
        return wrong(audit, NULL, "with a shorthand nothing else can be required");
    return true;
}

static bool schema_ok(struct audit *audit, const struct conf_schema *schema)
{
    audit->schema = schema;
    if (!word_ok(schema->name) || !schema->about || !schema->about[0])
        return wrong(audit, NULL, "there is no name or description");
    for (size_t i = 0; i < audit->walk.count; i++)
        if (audit->walk.schemas[i] != schema &&
            bytes_equal(bytes_of_text(audit->walk.schemas[i]->name), bytes_of_text(schema->name)))
            return wrong(audit, NULL, "two schemas have this name");
    if (schema->size == 0 || schema->place > schema->size)
        return wrong(audit, NULL, "the size is wrong");
    for (size_t i = 0; i < schema->count; i++)
        if (!member_ok(audit, &schema->fields[i]))
            return false;
    return shorthand_ok(audit, schema);
}

static bool gather_kinds(struct audit *audit, const struct conf_schema *schema)
{
    audit->schema = schema;
    for (size_t i = 0; i < schema->count; i++) {
        const char *kind = schema->fields[i].declares;

        if (!kind || is_declared(audit, kind))
            continue;
        if (audit->kind_count == CONF_KINDS_MAX)
            return wrong(audit, &schema->fields[i], "too many kinds of names");
        audit->kinds[audit->kind_count++] = kind;
    }
    return true;
}

int conf_schema_check(const struct conf_schema *root, const struct conf_set *sets, size_t set_count,
                      struct fault *fault)
{
    struct audit *audit = mem_zalloc(sizeof(*audit));
    bool ok;

    if (!audit)
        return -ENOMEM;
    audit->root = audit->schema = root;
    audit->fault = fault;
    ok = conf_walk(&audit->walk, root, sets, set_count) == 0 || wrong(audit, NULL, "too many schemas");
    for (size_t i = 0; i < audit->walk.count && ok; i++)
        ok = gather_kinds(audit, audit->walk.schemas[i]);
    for (size_t i = 0; i < audit->walk.count && ok; i++)
        ok = schema_ok(audit, audit->walk.schemas[i]);
    mem_free(audit);
    return ok ? 0 : -EINVAL;
}
