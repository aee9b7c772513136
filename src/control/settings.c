#include "control/settings.h"

static const char CUT[] = "...";

/* --- which of them say something ------------------------------------------------------------------------ */

static bool says_number(const struct conf_field *field, bool zero)
{
    return !zero || field->default_text || (field->flags & CONF_REQUIRED);
}

static const struct conf_choice *find_choice(const struct conf_field *field, int value)
{
    for (const struct conf_choice *choice = field->choices; choice && choice->name; choice++)
        if (choice->value == value)
            return choice;
    return NULL;
}

static const void *struct_at(const struct conf_field *field, const void *value)
{
    return field->flags & CONF_POINTER ? *(const void *const *)value : value;
}

static bool says_any(const struct conf_schema *schema, const void *conf);

static bool says(const struct conf_field *field, const void *value)
{
    switch (field->type) {
    case CONF_BOOL: return *(const bool *)value || (field->default_text && strcmp(field->default_text, "true") == 0);
    case CONF_INTEGER:
    case CONF_DURATION: return says_number(field, *(const int64_t *)value == 0);
    case CONF_SIZE: return says_number(field, *(const uint64_t *)value == 0);
    case CONF_DURATION_RANGE: return says_number(field, ((const struct duration_range *)value)->high_ns == 0);
    case CONF_RATE:
    case CONF_PERCENT:
    case CONF_NUMBER: return says_number(field, *(const double *)value <= 0);
    case CONF_STRING:
    case CONF_TEMPLATE:
    case CONF_ADDRESS: return ((const struct bytes *)value)->len > 0;
    case CONF_ENUM: return find_choice(field, *(const int *)value) != NULL;
    case CONF_LIST:
    case CONF_UNIONS: return ((const struct conf_list *)value)->count > 0;
    case CONF_MAP: return ((const struct conf_map *)value)->count > 0;
    case CONF_STRUCT: return struct_at(field, value) && says_any(field->schema, struct_at(field, value));
    case CONF_UNION:
        return ((const struct conf_union *)value)->alternative || ((const struct conf_union *)value)->text.len;
    }
    return false;
}

/* Of a struct: whether it was written counts where the struct knows it. */
static bool member_says(const struct conf_field *field, const void *conf)
{
    if (field->given && *((const bool *)conf + field->given - 1))
        return true;
    return says(field, (const char *)conf + field->offset);
}

static bool says_any(const struct conf_schema *schema, const void *conf)
{
    for (size_t i = 0; i < schema->count; i++)
        if (member_says(&schema->fields[i], conf))
            return true;
    return false;
}

/* --- as text ---------------------------------------------------------------------------------------------- */

static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c <= ' ' || c == 0x7f || bytes_find_char(BYTES(",[]{}\"'#&*!|>%@`"), c) >= 0)
            return false;
    }
    return text.len > 0 && !bytes_ends(text, BYTES(":"));
}

/* Inside of brackets what YAML would read otherwise gets quotes. */
static void write_string(struct text *text, struct bytes value, bool nested)
{
    if (!nested || is_plain(value))
        text_add(text, value.len ? value : BYTES("\"\""));
    else
        text_add_json(text, value);
}

static bool is_secret(struct bytes name)
{
    static const struct bytes WORDS[] = { BYTES("authorization"), BYTES("cookie"), BYTES("token"),      BYTES("secret"),
                                          BYTES("password"),      BYTES("passwd"), BYTES("credential"), BYTES("key") };

    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
        for (size_t at = 0; at + WORDS[i].len <= name.len; at++)
            if (bytes_equal_ci(bytes_slice(name, at, at + WORDS[i].len), WORDS[i]))
                return true;
    return false;
}

static void write_value(struct text *text, const struct conf_field *field, const void *value, bool nested);

static void write_list(struct text *text, const struct conf_field *element, const struct conf_list *list)
{
    size_t size = conf_field_size(element);

    text_add_char(text, '[');
    for (size_t i = 0; i < list->count; i++) {
        text_add(text, i ? BYTES(", ") : BYTES_NONE);
        write_value(text, element, (const char *)list->items + i * size, true);
    }
    text_add_char(text, ']');
}

static void write_map(struct text *text, const struct conf_field *element, const struct conf_map *map)
{
    text_add(text, BYTES("{ "));
    for (size_t i = 0; i < map->count; i++) {
        text_add(text, i ? BYTES(", ") : BYTES_NONE);
        text_add(text, map->entries[i].name);
        text_add(text, BYTES(": "));
        if (is_secret(map->entries[i].name))
            text_add(text, BYTES("(hidden)"));
        else
            write_value(text, element, map->entries[i].value, true);
    }
    text_add(text, BYTES(" }"));
}

static void write_struct(struct text *text, const struct conf_schema *schema, const void *conf)
{
    bool first = true;

    text_add(text, BYTES("{ "));
    for (size_t i = 0; i < schema->count; i++) {
        const struct conf_field *field = &schema->fields[i];

        if (!member_says(field, conf))
            continue;
        text_add_format(text, "%s%s: ", first ? "" : ", ", field->key);
        first = false;
        write_value(text, field, (const char *)conf + field->offset, true);
    }
    text_add(text, BYTES(" }"));
}

static void write_union(struct text *text, const struct conf_union *value)
{
    if (!value->alternative) {
        write_string(text, value->text, true);
        return;
    }
    text_add_format(text, "{ %s: ", value->alternative->name);
    write_struct(text, value->alternative->schema, value->value);
    text_add(text, BYTES(" }"));
}

static void write_unions(struct text *text, const struct conf_list *list)
{
    const struct conf_union *items = list->items;

    text_add_char(text, '[');
    for (size_t i = 0; i < list->count; i++) {
        text_add(text, i ? BYTES(", ") : BYTES_NONE);
        write_union(text, &items[i]);
    }
    text_add_char(text, ']');
}

static void write_value(struct text *text, const struct conf_field *field, const void *value, bool nested)
{
    const struct duration_range *range = value;
    const struct conf_choice *choice;

    switch (field->type) {
    case CONF_BOOL: text_add(text, *(const bool *)value ? BYTES("true") : BYTES("false")); break;
    case CONF_INTEGER: text_add_i64(text, *(const int64_t *)value); break;
    case CONF_SIZE: size_write(text, *(const uint64_t *)value); break;
    case CONF_DURATION: duration_write(text, *(const int64_t *)value); break;
    case CONF_DURATION_RANGE:
        duration_write(text, range->low_ns);
        text_add(text, BYTES(".."));
        duration_write(text, range->high_ns);
        break;
    case CONF_RATE: rate_write(text, *(const double *)value); break;
    case CONF_PERCENT: percent_write(text, *(const double *)value); break;
    case CONF_NUMBER: text_add_format(text, "%g", *(const double *)value); break;
    case CONF_STRING:
    case CONF_TEMPLATE:
    case CONF_ADDRESS: write_string(text, *(const struct bytes *)value, nested); break;
    case CONF_ENUM:
        choice = find_choice(field, *(const int *)value);
        text_add(text, choice ? bytes_of_text(choice->name) : BYTES_NONE);
        break;
    case CONF_LIST: write_list(text, field->element, value); break;
    case CONF_UNIONS: write_unions(text, value); break;
    case CONF_MAP: write_map(text, field->element, value); break;
    case CONF_STRUCT: write_struct(text, field->schema, struct_at(field, value)); break;
    case CONF_UNION: write_union(text, value); break;
    }
}

void settings_write(struct text *text, const struct conf_field *field, const void *value)
{
    write_value(text, field, value, false);
}

void settings_add(struct answer *answer, const char *key, const struct conf_schema *schema, const void *conf)
{
    answer_member(answer, key);
    answer_text(answer, "{");
    for (size_t i = 0; schema && conf && i < schema->count; i++) {
        const struct conf_field *field = &schema->fields[i];
        char memory[CONTROL_SETTING_MAX + sizeof(CUT)];
        struct text text = text_into(memory, CONTROL_SETTING_MAX);

        if (!member_says(field, conf))
            continue;
        settings_write(&text, field, (const char *)conf + field->offset);
        if (text.full) {
            memcpy(memory + text.len, CUT, sizeof(CUT) - 1);
            text.len += sizeof(CUT) - 1;
        }
        answer_string(answer, field->key, text_bytes(&text));
    }
    answer_text(answer, "}");
}
