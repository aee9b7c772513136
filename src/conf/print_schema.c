#include "conf/print.h"

#define DURATION_PATTERN "(0|(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m(?!s))?([0-9]+s)?([0-9]+ms)?([0-9]+us)?([0-9]+ns)?)"

static const char *const PATTERNS[] = {
    [CONF_SIZE] = "^[0-9]+(KiB|MiB|GiB|TiB|kB|MB|GB|TB)?$",
    [CONF_DURATION] = "^" DURATION_PATTERN "$",
    [CONF_DURATION_RANGE] = "^" DURATION_PATTERN "\\.\\." DURATION_PATTERN "$",
    [CONF_RATE] = "^[0-9]+(\\.[0-9]+)?/(s|m|h)$",
    [CONF_PERCENT] = "^[0-9]+(\\.[0-9]+)?%$",
    [CONF_TEMPLATE] = "^([^{}]|\\{\\{|\\}\\}|\\{[A-Za-z][A-Za-z0-9._-]*\\})*$",
    [CONF_ADDRESS] = "^([a-z][a-z0-9+.-]*://[^ /]+(/[^ ]*)?|unix:[^ ]+|[^ /]+:[0-9]{1,5})$",
};

/* What a user may write where a text is wanted: YAML reads 8080 as a number, and means the text. */
static void print_types(struct printer *printer, const char *first, const char *second, const char *third)
{
    print_open(printer, "type", '[');
    print_string(printer, NULL, first);
    print_string(printer, NULL, second);
    if (third)
        print_string(printer, NULL, third);
    print_close(printer, ']');
}

static void print_bounds(struct printer *printer, const struct conf_field *field, const char *min, const char *max)
{
    if (field->min)
        print_raw(printer, min, field->min);
    if (field->max)
        print_raw(printer, max, field->max);
}

static void print_enum(struct printer *printer, const struct conf_field *field)
{
    print_open(printer, "enum", '[');
    for (const struct conf_choice *choice = field->choices; choice->name; choice++)
        print_string(printer, NULL, choice->name);
    print_close(printer, ']');
}

/* The smallest and largest of a quantity that may be written as a bare number. */
static void print_scalar_type(struct printer *printer, const struct conf_field *field)
{
    const char *pattern = field->pattern;

    if (!pattern && field->type < ARRAY_LEN(PATTERNS))
        pattern = PATTERNS[field->type];
    switch (field->type) {
    case CONF_BOOL: print_string(printer, "type", "boolean"); return;
    case CONF_ENUM: print_enum(printer, field); return;
    case CONF_INTEGER:
    case CONF_NUMBER:
        print_string(printer, "type", conf_type_name(field->type));
        print_bounds(printer, field, "minimum", "maximum");
        return;
    case CONF_STRING:
    case CONF_TEMPLATE:
    case CONF_ADDRESS:
        print_types(printer, "string", "number", "boolean");
        print_bounds(printer, field, "minLength", "maxLength");
        break;
    case CONF_SIZE:
        print_types(printer, "string", "integer", NULL);
        print_raw(printer, "minimum", "0");
        break;
    case CONF_DURATION:
        print_types(printer, "string", "integer", NULL);
        print_raw(printer, "minimum", "0");
        print_raw(printer, "maximum", "0");
        break;
    default: print_string(printer, "type", "string"); break;
    }
    if (pattern)
        print_string(printer, "pattern", pattern);
}

static void print_variable_reference(struct printer *printer)
{
    print_open(printer, NULL, '{');
    print_string(printer, "$ref", "#/$defs/variable");
    print_close(printer, '}');
}

static void print_scalar(struct printer *printer, const struct conf_field *field)
{
    if (field->type == CONF_STRING && !field->min && !field->max && !field->pattern) {
        print_scalar_type(printer, field);
        return;
    }
    print_open(printer, "anyOf", '[');
    print_open(printer, NULL, '{');
    print_scalar_type(printer, field);
    print_close(printer, '}');
    print_variable_reference(printer);
    print_close(printer, ']');
}

static void print_value(struct printer *printer, const struct conf_field *field, bool or_nothing);

static void print_reference(struct printer *printer, const char *prefix, const char *name)
{
    char memory[CONF_KEY_MAX];
    struct text text = text_into(memory, sizeof(memory) - 1);

    text_add_format(&text, "#/$defs/%s%s", prefix, name);
    memory[text.len] = '\0';
    print_string(printer, "$ref", memory);
}

/* What is left out is empty, unless there must be something in it. */
static void print_container_type(struct printer *printer, const struct conf_field *field, const char *type,
                                 bool or_nothing)
{
    bool may_be_empty = !field->min || bytes_equal(bytes_of_text(field->min), BYTES("0"));

    if (or_nothing && may_be_empty)
        print_types(printer, type, "null", NULL);
    else
        print_string(printer, "type", type);
}

static void print_list(struct printer *printer, const struct conf_field *field, bool or_nothing)
{
    print_container_type(printer, field, "array", or_nothing);
    print_open(printer, "items", '{');
    print_value(printer, field->element, true);
    print_close(printer, '}');
    print_bounds(printer, field, "minItems", "maxItems");
}

static void print_single_list(struct printer *printer, const struct conf_field *field, bool or_nothing)
{
    print_open(printer, "anyOf", '[');
    print_open(printer, NULL, '{');
    print_list(printer, field, or_nothing);
    print_close(printer, '}');
    print_open(printer, NULL, '{');
    print_value(printer, field->element, false);
    print_close(printer, '}');
    print_close(printer, ']');
}

static void print_map(struct printer *printer, const struct conf_field *field)
{
    print_container_type(printer, field, "object", true);
    print_open(printer, "propertyNames", '{');
    print_string(printer, "pattern", conf_names_pattern(field->names));
    print_close(printer, '}');
    print_open(printer, "additionalProperties", '{');
    print_value(printer, field->element, true);
    print_close(printer, '}');
    print_bounds(printer, field, "minProperties", "maxProperties");
}

static void print_union(struct printer *printer, const struct conf_field *field)
{
    if (!(field->flags & CONF_TEXT_FORM)) {
        print_reference(printer, "one-", field->alternatives);
        return;
    }
    print_open(printer, "oneOf", '[');
    print_open(printer, NULL, '{');
    print_types(printer, "string", "number", "boolean");
    print_raw(printer, "minLength", "1");
    print_close(printer, '}');
    print_open(printer, NULL, '{');
    print_reference(printer, "one-", field->alternatives);
    print_close(printer, '}');
    print_close(printer, ']');
}

static void print_value(struct printer *printer, const struct conf_field *field, bool or_nothing)
{
    switch (field->type) {
    case CONF_LIST:
        if (field->flags & CONF_SINGLE)
            print_single_list(printer, field, or_nothing);
        else
            print_list(printer, field, or_nothing);
        break;
    case CONF_MAP: print_map(printer, field); break;
    case CONF_STRUCT: print_reference(printer, "", field->schema->name); break;
    case CONF_UNION: print_union(printer, field); break;
    case CONF_UNIONS: print_reference(printer, "several-", field->alternatives); break;
    default: print_scalar(printer, field); break;
    }
}

static void print_default(struct printer *printer, const struct conf_field *field)
{
    bool bare = field->type == CONF_BOOL || field->type == CONF_INTEGER || field->type == CONF_NUMBER;

    if (!field->default_text)
        return;
    if (bare)
        print_raw(printer, "default", field->default_text);
    else
        print_string(printer, "default", field->default_text);
}

static void print_field(struct printer *printer, const struct conf_field *field)
{
    print_open(printer, field->key, '{');
    print_string(printer, "description", field->about);
    print_value(printer, field, true);
    print_default(printer, field);
    print_close(printer, '}');
}

static void print_required(struct printer *printer, const struct conf_schema *schema)
{
    bool any = false;

    for (size_t i = 0; i < schema->count; i++)
        any |= schema->fields[i].flags & CONF_REQUIRED;
    if (!any) {
        print_types(printer, "object", "null", NULL);
        return;
    }
    print_string(printer, "type", "object");
    print_open(printer, "required", '[');
    for (size_t i = 0; i < schema->count; i++)
        if (schema->fields[i].flags & CONF_REQUIRED)
            print_string(printer, NULL, schema->fields[i].key);
    print_close(printer, ']');
}

static void print_object(struct printer *printer, const struct conf_schema *schema)
{
    print_required(printer, schema);
    print_raw(printer, "additionalProperties", "false");
    print_open(printer, "properties", '{');
    for (size_t i = 0; i < schema->count; i++)
        print_field(printer, &schema->fields[i]);
    print_close(printer, '}');
}

static void print_definition(struct printer *printer, const struct conf_schema *schema)
{
    print_open(printer, schema->name, '{');
    print_string(printer, "description", schema->about);
    if (schema->shorthand) {
        print_open(printer, "oneOf", '[');
        print_open(printer, NULL, '{');
        print_value(printer, conf_schema_field(schema, bytes_of_text(schema->shorthand)), false);
        print_close(printer, '}');
        print_open(printer, NULL, '{');
        print_object(printer, schema);
        print_close(printer, '}');
        print_close(printer, ']');
    } else {
        print_object(printer, schema);
    }
    print_close(printer, '}');
}

static void print_set(struct printer *printer, const struct conf_set *set, enum conf_type type)
{
    char memory[CONF_KEY_MAX];
    struct text name = text_into(memory, sizeof(memory) - 1);

    if (!print_uses_set(printer, set, type))
        return;
    text_add_format(&name, "%s%s", type == CONF_UNION ? "one-" : "several-", set->name);
    memory[name.len] = '\0';
    print_open(printer, memory, '{');
    if (type == CONF_UNION) {
        print_string(printer, "type", "object");
        print_raw(printer, "minProperties", "1");
        print_raw(printer, "maxProperties", "1");
    } else {
        print_types(printer, "object", "null", NULL);
    }
    print_raw(printer, "additionalProperties", "false");
    print_open(printer, "properties", '{');
    for (size_t i = 0; i < set->count; i++) {
        print_open(printer, set->alternatives[i].name, '{');
        print_reference(printer, "", set->alternatives[i].schema->name);
        print_close(printer, '}');
    }
    print_close(printer, '}');
    print_close(printer, '}');
}

int conf_print_json_schema(struct conf_sink *sink, const struct conf_schema *root, const struct conf_set *sets,
                           size_t set_count, const char *id)
{
    struct printer *printer;
    int err = printer_new(sink, root, sets, set_count, &printer);

    if (err)
        return err;
    print_open(printer, NULL, '{');
    print_string(printer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    if (id)
        print_string(printer, "$id", id);
    print_string(printer, "title", root->name);
    print_reference(printer, "", root->name);
    print_open(printer, "$defs", '{');
    for (size_t i = 0; i < printer->walk.count; i++)
        print_definition(printer, printer->walk.schemas[i]);
    for (size_t i = 0; i < set_count; i++) {
        print_set(printer, &sets[i], CONF_UNION);
        print_set(printer, &sets[i], CONF_UNIONS);
    }
    print_open(printer, "variable", '{');
    print_string(printer, "description", "a value that holds a variable: ${NAME} or ${NAME:-default}");
    print_string(printer, "type", "string");
    print_string(printer, "pattern", "\\$\\{");
    print_close(printer, '}');
    print_close(printer, '}');
    print_close(printer, '}');
    print_text(printer, "\n");
    return printer_end(printer);
}
