#include "app/table.h"

#include "base/alloc.h"

#include <jansson.h>

#define DEPTH_MAX 64
#define CELL_MAX 256
#define GAP 2
#define TABLE_COLUMNS_MAX 16 /* of our own tables */

static const struct table_column SERVICE_COLUMNS[] = {
    { "NAME", "name", false },
    { "KIND", "kind", false },
    { "READY", "ready", false },
    { "ENDPOINTS", "endpoints", false },
    { "SCALE", "scale", false },
    { "FILE", "scale_file", true }, /* what the file says, where weft scale has said otherwise */
    { "RESTARTS", "restarts", false },
    { "BALANCE", "balance", false },
    { "POLICY", "policy", false },
    { "WARNING", "warning", true },
};

static const struct table_column ENDPOINT_COLUMNS[] = {
    { "SERVICE", "service", false },
    { "NAME", "name", false },
    { "STATE", "state", false },
    { "PROCESS", "process", false },
    { "PID", "pid", false },
    { "RESTARTS", "restarts", false },
    { "ADDRESS", "address", false },
    { "LIVE", "live", true },
    { "ERROR", "last_error", false },
    { "WAITS FOR", "waits_for", true },
    { "LAST EXIT", "last_exit", true },
};

const struct table_info TABLE_SERVICES = { "services", SERVICE_COLUMNS, ARRAY_LEN(SERVICE_COLUMNS) };
const struct table_info TABLE_ENDPOINTS = { "endpoints", ENDPOINT_COLUMNS, ARRAY_LEN(ENDPOINT_COLUMNS) };

bool table_depth_is(struct bytes json, unsigned max)
{
    bool quoted = false;
    unsigned depth = 0;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.data[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') && ++depth > max)
            return false;
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return true;
}

static json_t *parse(struct bytes json)
{
    json_error_t error;

    return table_depth_is(json, DEPTH_MAX) ? json_loadb(json.data, json.len, 0, &error) : NULL;
}

char *table_text(struct bytes json, const char *key)
{
    json_t *object = parse(json), *value = json_object_get(object, key);
    char *text = NULL;

    if (json_is_string(value))
        text = mem_copy_text(json_string_value(value), json_string_length(value));
    json_decref(object);
    return text;
}

/* What a cell holds; control characters can't move the cursor. */
static struct bytes write_cell(json_t *row, const char *key, char memory[CELL_MAX])
{
    struct text text = text_into(memory, CELL_MAX);
    json_t *value = json_object_get(row, key);

    if (json_is_string(value))
        text_add(&text, bytes_of(json_string_value(value), json_string_length(value)));
    else if (json_is_integer(value))
        text_add_i64(&text, json_integer_value(value));
    else if (json_is_real(value))
        text_add_format(&text, "%.3f", json_real_value(value));
    else if (json_is_boolean(value))
        text_add(&text, json_is_true(value) ? BYTES("yes") : BYTES("no"));
    if (text.len == 0)
        text_add_char(&text, '-');
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)memory[i] < 0x20 || memory[i] == 0x7f)
            memory[i] = '?';
    return text_bytes(&text);
}

static size_t column_width(const struct table_column *column, json_t *rows)
{
    size_t width = strlen(column->title);
    char memory[CELL_MAX];

    for (size_t i = 0; i < json_array_size(rows); i++)
        width = MAX(width, write_cell(json_array_get(rows, i), column->key, memory).len);
    return width;
}

/* The last column has nothing behind it. */
static void print_cell(const struct app *app, struct bytes cell, size_t width, bool last)
{
    if (last)
        app_printf(app, BYTES_FMT "\n", BYTES_ARG(cell));
    else
        app_printf(app, "%-*.*s", (int)width + GAP, BYTES_ARG(cell));
}

static bool is_shown(const struct table_column *column, json_t *rows)
{
    bool shown = !column->optional;

    for (size_t i = 0; i < json_array_size(rows) && !shown; i++)
        shown = json_object_get(json_array_get(rows, i), column->key) != NULL;
    return shown;
}

static void print_rows(const struct app *app, const struct table_info *table, json_t *rows)
{
    const struct table_column *shown[TABLE_COLUMNS_MAX];
    unsigned count = 0;
    char memory[CELL_MAX];

    for (unsigned c = 0; c < table->column_count && count < TABLE_COLUMNS_MAX; c++)
        if (is_shown(&table->columns[c], rows))
            shown[count++] = &table->columns[c];
    for (unsigned c = 0; c < count; c++)
        print_cell(app, bytes_of_text(shown[c]->title), column_width(shown[c], rows), c + 1 == count);
    for (size_t i = 0; i < json_array_size(rows); i++)
        for (unsigned c = 0; c < count; c++)
            print_cell(app, write_cell(json_array_get(rows, i), shown[c]->key, memory), column_width(shown[c], rows),
                       c + 1 == count);
}

int table_print(const struct app *app, const struct table_info *table, struct bytes json)
{
    json_t *object = parse(json), *rows = json_object_get(object, table->list);
    int r = json_is_array(rows) ? 0 : -EPROTO;

    if (r == 0)
        print_rows(app, table, rows);
    json_decref(object);
    return r;
}
