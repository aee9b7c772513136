#include "conf/print.h"

/* Text in a cell of a table: one line, no bar. */
static void print_cell(struct printer *printer, const char *text)
{
    struct bytes rest = bytes_of_text(text), part;
    bool first = true;

    while (bytes_split(&rest, '|', &part)) {
        if (!first)
            print_text(printer, "\\|");
        first = false;
        print_bytes(printer, part);
    }
}

static void print_code(struct printer *printer, const char *text)
{
    print_text(printer, "`");
    print_cell(printer, text);
    print_text(printer, "`");
}

static void print_choices(struct printer *printer, const struct conf_choice *choices)
{
    for (const struct conf_choice *choice = choices; choice->name; choice++) {
        if (choice != choices)
            print_text(printer, ", ");
        print_code(printer, choice->name);
    }
}

static void print_union_type(struct printer *printer, const struct conf_field *field)
{
    const char *name = field->alternatives;

    if (field->flags & CONF_TEXT_FORM && field->reference)
        print_format(printer, "name of a %s, or ", field->reference);
    else if (field->flags & CONF_TEXT_FORM)
        print_text(printer, "string, or ");
    if (field->type == CONF_UNION)
        print_format(printer, "[one %s](#alternatives-of-%s)", name, name);
    else
        print_format(printer, "mapping of [%s alternatives](#alternatives-of-%s)", name, name);
}

static void print_type(struct printer *printer, const struct conf_field *field)
{
    while (field->type == CONF_LIST || field->type == CONF_MAP) {
        print_text(printer, field->type == CONF_MAP      ? "map of "
                            : field->flags & CONF_SINGLE ? "one or a list of "
                                                         : "list of ");
        field = field->element;
    }
    if (field->type == CONF_ENUM)
        print_choices(printer, field->choices);
    else if (field->type == CONF_STRUCT)
        print_format(printer, "[%s](#%s)", field->schema->name, field->schema->name);
    else if (field->type == CONF_UNION || field->type == CONF_UNIONS)
        print_union_type(printer, field);
    else if (field->reference)
        print_format(printer, "name of a %s", field->reference);
    else
        print_text(printer, conf_type_name(field->type));
}

static void print_range(struct printer *printer, const struct conf_field *field)
{
    const char *max = conf_field_max(field);
    bool counted = field->type == CONF_LIST || field->type == CONF_MAP || field->type == CONF_UNIONS;
    const char *unit = conf_type_is_text(field->type) ? " characters" : counted ? " entries" : "";

    if (field->min && max)
        print_format(printer, "%s to %s%s", field->min, max, unit);
    else if (field->min)
        print_format(printer, "at least %s%s", field->min, unit);
    else if (max)
        print_format(printer, "at most %s%s", max, unit);
}

static void print_about(struct printer *printer, const struct conf_field *field)
{
    print_cell(printer, field->about);
    for (const struct conf_choice *choice = field->choices; choice && choice->name; choice++) {
        if (!choice->about)
            continue;
        print_text(printer, "; ");
        print_code(printer, choice->name);
        print_text(printer, ": ");
        print_cell(printer, choice->about);
    }
    if (field->example) {
        print_text(printer, "; such as ");
        print_code(printer, field->example);
    }
}

static void print_row(struct printer *printer, const struct conf_field *field)
{
    print_text(printer, "| ");
    print_code(printer, field->key);
    print_text(printer, " | ");
    print_type(printer, field);
    print_text(printer, " | ");
    if (field->flags & CONF_REQUIRED)
        print_text(printer, "required");
    else if (field->default_text)
        print_code(printer, field->default_text);
    print_text(printer, " | ");
    print_range(printer, field);
    print_text(printer, " | ");
    print_about(printer, field);
    print_text(printer, " |\n");
}

static void print_section(struct printer *printer, const struct conf_schema *schema)
{
    print_format(printer, "## %s\n\n%s\n\n", schema->name, schema->about);
    if (schema->shorthand)
        print_format(printer, "A value alone stands for `%s`.\n\n", schema->shorthand);
    if (!schema->count) {
        print_text(printer, "It has no keys.\n\n");
        return;
    }
    print_text(printer, "| key | type | default | range | description |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < schema->count; i++)
        print_row(printer, &schema->fields[i]);
    print_text(printer, "\n");
}

static void print_set(struct printer *printer, const struct conf_set *set)
{
    if (!print_uses_set(printer, set, CONF_UNION) && !print_uses_set(printer, set, CONF_UNIONS))
        return;
    print_format(printer, "## Alternatives of %s\n\n| key | value | description |\n| --- | --- | --- |\n", set->name);
    for (size_t i = 0; i < set->count; i++) {
        const struct conf_schema *schema = set->alternatives[i].schema;

        print_format(printer, "| `%s` | [%s](#%s) | ", set->alternatives[i].name, schema->name, schema->name);
        print_cell(printer, schema->about);
        print_text(printer, " |\n");
    }
    print_text(printer, "\n");
}

int conf_print_reference(struct conf_sink *sink, const struct conf_schema *root, const struct conf_set *sets,
                         size_t set_count)
{
    struct printer *printer;
    int err = printer_new(sink, root, sets, set_count, &printer);

    if (err)
        return err;
    for (size_t i = 0; i < printer->walk.count; i++)
        print_section(printer, printer->walk.schemas[i]);
    for (size_t i = 0; i < set_count; i++)
        print_set(printer, &sets[i]);
    return printer_end(printer);
}
