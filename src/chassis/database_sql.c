/* What the work of a transaction calls, on the database's thread. */
#include "chassis/database.h"

static bool sql_is(const struct weft_sql *sql)
{
    return sql && sql->magic == CHASSIS_SQL_MAGIC;
}

/* --- values -------------------------------------------------------------------------------------------------- */

struct weft_value weft_value_text(const char *text)
{
    if (!text)
        return WEFT_NULL;
    return (struct weft_value){ .kind = WEFT_VALUE_TEXT, .bytes = { text, strlen(text) } };
}

static struct sql_value value_of(const struct weft_value *value)
{
    struct sql_value made = { .integer = value->integer, .number = value->number };

    made.bytes = bytes_of(value->bytes.data, value->bytes.len);
    switch (value->kind) {
    case WEFT_VALUE_INTEGER: made.kind = SQL_INTEGER; break;
    case WEFT_VALUE_NUMBER: made.kind = SQL_NUMBER; break;
    case WEFT_VALUE_TEXT: made.kind = SQL_TEXT; break;
    case WEFT_VALUE_BYTES: made.kind = SQL_BYTES; break;
    default: made.kind = SQL_NULL; break;
    }
    return made;
}

bool database_values(struct weft_values values, struct sql_value *to, struct sql_values *ret)
{
    if (values.count > DB_VALUES_MAX)
        return false;
    for (size_t i = 0; i < values.count; i++)
        to[i] = value_of(&values.list[i]);
    *ret = (struct sql_values){ to, values.count };
    return true;
}

/* --- statements ---------------------------------------------------------------------------------------------- */

int weft_sql_run(struct weft_sql *sql, const char *statement, struct weft_values values)
{
    struct sql_value memory[DB_VALUES_MAX];
    struct sql_values made;

    if (!sql_is(sql) || !statement || !database_values(values, memory, &made))
        return -EINVAL;
    return sql_run(sql->sql, bytes_of_text(statement), made);
}

/* The one whose rows had the same place, if there was one: they have ended. */
static struct weft_rows *place_of(struct weft_sql *sql, struct sql_rows *live)
{
    unsigned i = 0;

    while (sql->rows[i].live && sql->rows[i].live != live)
        i++; /* there are as many as `live` can be */
    sql->rows[i] = (struct weft_rows){ .live = live };
    return &sql->rows[i];
}

int weft_sql_query(struct weft_sql *sql, struct weft_rows **ret, const char *statement, struct weft_values values)
{
    struct sql_value memory[DB_VALUES_MAX];
    struct sql_values made;
    struct sql_rows *live;
    int r;

    if (!sql_is(sql) || !statement || !ret || !database_values(values, memory, &made))
        return -EINVAL;
    r = sql_query(sql->sql, bytes_of_text(statement), made, &live);
    if (r == 0)
        *ret = place_of(sql, live);
    return r;
}

int weft_sql_integer(struct weft_sql *sql, int64_t *ret, const char *statement, struct weft_values values)
{
    struct weft_rows *rows = NULL;
    int64_t found;
    int r;

    if (!ret)
        return -EINVAL;
    r = weft_sql_query(sql, &rows, statement, values);
    if (r < 0)
        return r;
    r = weft_rows_next(rows);
    found = weft_row_integer(rows, 0);
    weft_rows_end(rows);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    *ret = found;
    return 0;
}

int64_t weft_sql_last_id(const struct weft_sql *sql)
{
    return sql_is(sql) ? sql_last_id(sql->sql) : 0;
}

const char *weft_sql_reason(const struct weft_sql *sql)
{
    return sql_is(sql) ? sql_reason(sql->sql) : "";
}

void *weft_sql_alloc(struct weft_sql *sql, size_t size)
{
    return sql_is(sql) ? sql_alloc(sql->sql, size) : NULL;
}

char *weft_sql_copy(struct weft_sql *sql, const char *text)
{
    return sql_is(sql) && text ? sql_copy(sql->sql, bytes_of_text(text)) : NULL;
}

/* --- rows ---------------------------------------------------------------------------------------------------- */

int weft_rows_next(struct weft_rows *rows)
{
    if (!rows)
        return -EINVAL;
    if (rows->live)
        return sql_rows_next(rows->live);
    rows->now = rows->rest;
    if (rows->now)
        rows->rest = rows->now->next;
    return rows->now ? 1 : 0;
}

void weft_rows_end(struct weft_rows *rows)
{
    if (!rows)
        return;
    if (rows->live)
        sql_rows_end(rows->live);
    rows->now = rows->rest = NULL;
}

static const struct kept_cell *cell(const struct weft_rows *rows, unsigned column)
{
    return rows && rows->now && column < rows->columns ? &rows->now->cells[column] : NULL;
}

unsigned weft_row_columns(const struct weft_rows *rows)
{
    if (rows && rows->live)
        return sql_row_columns(rows->live);
    return rows && rows->now ? rows->columns : 0;
}

bool weft_row_null(const struct weft_rows *rows, unsigned column)
{
    if (rows && rows->live)
        return sql_row_kind(rows->live, column) == SQL_NULL;
    return !cell(rows, column) || cell(rows, column)->kind == SQL_NULL;
}

int64_t weft_row_integer(const struct weft_rows *rows, unsigned column)
{
    if (rows && rows->live)
        return sql_row_integer(rows->live, column);
    return cell(rows, column) ? cell(rows, column)->integer : 0;
}

double weft_row_number(const struct weft_rows *rows, unsigned column)
{
    if (rows && rows->live)
        return sql_row_number(rows->live, column);
    return cell(rows, column) ? cell(rows, column)->number : 0;
}

const char *weft_row_text(const struct weft_rows *rows, unsigned column)
{
    if (rows && rows->live)
        return sql_row_text(rows->live, column).data;
    return cell(rows, column) ? cell(rows, column)->bytes.data : NULL;
}

struct weft_bytes weft_row_bytes(const struct weft_rows *rows, unsigned column)
{
    struct bytes bytes = BYTES_NONE;

    if (rows && rows->live)
        bytes = sql_row_bytes(rows->live, column);
    else if (cell(rows, column))
        bytes = cell(rows, column)->bytes;
    return (struct weft_bytes){ bytes.data, bytes.len };
}

char *weft_row_copy(const struct weft_rows *rows, unsigned column)
{
    struct bytes text;

    if (!rows || !rows->live) /* kept ones live as long as the call */
        return (char *)(uintptr_t)weft_row_text(rows, column);
    text = sql_row_text(rows->live, column);
    return text.data ? sql_copy(sql_rows_owner(rows->live), text) : NULL;
}
