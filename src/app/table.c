#include "app/table.h"

#include "base/alloc.h"

#define DEPTH_MAX 64

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
    { "ACTIVE", "active", true },
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

/* What a cell holds: its text, or an empty one. */
static void add_cell(struct grid *grid, const json_t *value)
{
    if (json_is_string(value))
        grid_add(grid, STYLE_PLAIN, bytes_of(json_string_value(value), json_string_length(value)));
    else if (json_is_integer(value))
        grid_format(grid, STYLE_PLAIN, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        grid_format(grid, STYLE_PLAIN, "%.3f", json_real_value(value));
    else if (json_is_boolean(value))
        grid_add(grid, STYLE_PLAIN, json_is_true(value) ? BYTES("yes") : BYTES("no"));
    else
        grid_add(grid, STYLE_PLAIN, BYTES_NONE);
}

int table_write(struct page *page, const struct table_info *table, const json_t *answer)
{
    const json_t *rows = json_object_get(answer, table->list);
    struct grid_column columns[GRID_COLUMNS_MAX];
    struct grid grid;

    if (!json_is_array(rows))
        return -EPROTO;
    for (unsigned c = 0; c < table->column_count; c++)
        columns[c] = (struct grid_column){ .title = table->columns[c].title,
                                           .optional = table->columns[c].optional,
                                           .flexible = true };
    grid_init(&grid, columns, table->column_count);
    for (size_t i = 0; i < json_array_size(rows); i++)
        for (unsigned c = 0; c < table->column_count; c++)
            add_cell(&grid, json_object_get(json_array_get(rows, i), table->columns[c].key));
    grid_write(&grid, page, 0, grid_rows(&grid));
    return 0;
}
