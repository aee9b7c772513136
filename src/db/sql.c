#include "db/transaction.h"

#include "base/assert.h"

/* --- statements ---------------------------------------------------------------------------------------------- */

static int refuse(struct sql *sql, int error, const char *reason, struct bytes statement)
{
    sql->failed = error;
    return sqlite_refuse(sql->connection, error, reason, statement);
}

/* Where SQLite has taken back the whole transaction, or nobody can say what it has kept. */
static bool spoils(const struct sql *sql, int error)
{
    return error == -ECANCELED || error == -ENOSPC || error == -EIO ||
           sqlite3_get_autocommit(sql->connection->handle) != 0;
}

static int failed(struct sql *sql, int code, const struct statement *statement)
{
    int r = sqlite_failed(sql->connection, code, bytes_of_text(sqlite3_sql(statement->handle)));

    sql->failed = r;
    if (spoils(sql, r))
        sql->spoiled = r;
    return r;
}

static int may_go_on(struct sql *sql)
{
    if (sql->spoiled == 0 && sqlite_cancelled(sql->connection))
        sql->spoiled = refuse(sql, -ECANCELED, "nobody waits for it any more", BYTES_NONE);
    return sql->spoiled;
}

static int bind(sqlite3_stmt *statement, int number, const struct sql_value *value)
{
    const char *data = value->bytes.len > 0 ? value->bytes.data : "";

    switch (value->kind) {
    case SQL_INTEGER: return sqlite3_bind_int64(statement, number, value->integer);
    case SQL_NUMBER: return sqlite3_bind_double(statement, number, value->number);
    case SQL_TEXT: return sqlite3_bind_text64(statement, number, data, value->bytes.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    case SQL_BYTES: return sqlite3_bind_blob64(statement, number, data, value->bytes.len, SQLITE_TRANSIENT);
    default: return sqlite3_bind_null(statement, number);
    }
}

static int bind_all(struct sql *sql, struct statement *statement, struct sql_values values)
{
    int wanted = sqlite3_bind_parameter_count(statement->handle);

    if (values.count != (size_t)wanted)
        return refuse(sql, -EINVAL, "another number of values than the statement has places for them",
                      bytes_of_text(sqlite3_sql(statement->handle)));
    for (int i = 0; i < wanted; i++) {
        int code = bind(statement->handle, i + 1, &values.list[i]);

        if (code != SQLITE_OK)
            return failed(sql, code, statement);
    }
    return 0;
}

static int begin(struct sql *sql, struct bytes text, struct sql_values values, struct statement **ret)
{
    struct statement *statement;
    int r = may_go_on(sql);

    if (r < 0)
        return r;
    sql->connection->waited_ms = 0;
    r = sqlite_prepare(sql->connection, text, &statement);
    if (r < 0) {
        sql->failed = r;
        return r;
    }
    r = bind_all(sql, statement, values);
    if (r < 0)
        sqlite_give(statement);
    else
        *ret = statement;
    return r;
}

int sql_run(struct sql *sql, struct bytes text, struct sql_values values)
{
    sqlite3 *handle = sql->connection->handle;
    struct statement *statement = NULL;
    sqlite3_int64 before;
    int code, r = begin(sql, text, values, &statement);

    if (r < 0)
        return r;
    before = sqlite3_total_changes64(handle);
    do
        code = sqlite3_step(statement->handle);
    while (code == SQLITE_ROW);
    if (code != SQLITE_DONE)
        r = failed(sql, code, statement);
    else if (sqlite3_total_changes64(handle) != before) /* else the count is that of an earlier statement */
        r = (int)MIN(sqlite3_changes64(handle), (sqlite3_int64)INT32_MAX);
    if (code == SQLITE_DONE)
        sql->last_id = sqlite3_last_insert_rowid(handle);
    sqlite_give(statement);
    return r;
}

int sql_query(struct sql *sql, struct bytes text, struct sql_values values, struct sql_rows **ret)
{
    struct sql_rows *rows = NULL;
    int r;

    for (unsigned i = 0; i < DB_ROWS_OPEN_MAX && !rows; i++)
        if (!sql->rows[i].statement)
            rows = &sql->rows[i];
    if (!rows)
        return refuse(sql, -EMFILE, "too many queries are under way: end those that are not needed any more", text);
    *rows = (struct sql_rows){ .sql = sql };
    r = begin(sql, text, values, &rows->statement);
    if (r == 0)
        *ret = rows;
    return r;
}

int64_t sql_last_id(const struct sql *sql)
{
    return sql->last_id;
}

const char *sql_reason(const struct sql *sql)
{
    return sql->failed ? sql->connection->reason : "";
}

/* --- memory -------------------------------------------------------------------------------------------------- */

static void *no_memory(struct sql *sql)
{
    if (sql->spoiled == 0)
        sql->spoiled = refuse(sql, -ENOMEM, "there is no memory for what it carries out", BYTES_NONE);
    return NULL;
}

void *sql_alloc(struct sql *sql, size_t size)
{
    void *memory = arena_zalloc(sql->memory, size);

    return memory ? memory : no_memory(sql);
}

char *sql_copy(struct sql *sql, struct bytes text)
{
    char *memory = arena_text(sql->memory, text);

    return memory ? memory : no_memory(sql);
}

/* --- rows ---------------------------------------------------------------------------------------------------- */

void sql_rows_end(struct sql_rows *rows)
{
    if (rows->statement)
        sqlite_give(rows->statement);
    rows->statement = NULL;
    rows->on_row = false;
}

int sql_rows_next(struct sql_rows *rows)
{
    int code;

    if (!rows->statement)
        return rows->result;
    rows->result = may_go_on(rows->sql);
    code = rows->result == 0 ? sqlite3_step(rows->statement->handle) : SQLITE_ABORT;
    rows->on_row = code == SQLITE_ROW;
    if (rows->on_row)
        return 1;
    if (rows->result == 0 && code != SQLITE_DONE)
        rows->result = failed(rows->sql, code, rows->statement);
    sql_rows_end(rows);
    return rows->result;
}

struct sql *sql_rows_owner(const struct sql_rows *rows)
{
    return rows->sql;
}

unsigned sql_row_columns(const struct sql_rows *rows)
{
    return rows->on_row ? (unsigned)sqlite3_column_count(rows->statement->handle) : 0;
}

static bool has(const struct sql_rows *rows, unsigned column)
{
    return column < sql_row_columns(rows);
}

enum sql_kind sql_row_kind(const struct sql_rows *rows, unsigned column)
{
    if (!has(rows, column))
        return SQL_NULL;
    switch (sqlite3_column_type(rows->statement->handle, (int)column)) {
    case SQLITE_INTEGER: return SQL_INTEGER;
    case SQLITE_FLOAT: return SQL_NUMBER;
    case SQLITE_TEXT: return SQL_TEXT;
    case SQLITE_BLOB: return SQL_BYTES;
    default: return SQL_NULL;
    }
}

int64_t sql_row_integer(const struct sql_rows *rows, unsigned column)
{
    return has(rows, column) ? sqlite3_column_int64(rows->statement->handle, (int)column) : 0;
}

double sql_row_number(const struct sql_rows *rows, unsigned column)
{
    return has(rows, column) ? sqlite3_column_double(rows->statement->handle, (int)column) : 0;
}

/* NULL for what is not NULL: SQLite found no memory to convert it. */
struct bytes sql_row_text(const struct sql_rows *rows, unsigned column)
{
    const char *text;

    if (sql_row_kind(rows, column) == SQL_NULL)
        return BYTES_NONE;
    text = (const char *)sqlite3_column_text(rows->statement->handle, (int)column);
    if (!text)
        return bytes_of(no_memory(rows->sql), 0);
    return bytes_of(text, (size_t)sqlite3_column_bytes(rows->statement->handle, (int)column));
}

struct bytes sql_row_bytes(const struct sql_rows *rows, unsigned column)
{
    const char *data;

    if (sql_row_kind(rows, column) != SQL_BYTES)
        return sql_row_text(rows, column);
    data = sqlite3_column_blob(rows->statement->handle, (int)column);
    return data ? bytes_of(data, (size_t)sqlite3_column_bytes(rows->statement->handle, (int)column)) : BYTES("");
}

/* --- the work ------------------------------------------------------------------------------------------------ */

/* Foreign keys that are checked at the end: now, since the commit may be shared with others. */
static int check_deferred(struct sql *sql)
{
    int unresolved = 0, highest;

    if (sqlite3_db_status(sql->connection->handle, SQLITE_DBSTATUS_DEFERRED_FKS, &unresolved, &highest, 0) !=
            SQLITE_OK ||
        unresolved == 0)
        return 0;
    return refuse(sql, -ENOENT, "FOREIGN KEY constraint failed, at the end of the transaction", BYTES_NONE);
}

int sql_work(struct sql *sql, struct sqlite *connection, struct arena *memory,
             int (*work)(struct sql *sql, void *argument), void *argument)
{
    int r;

    *sql = (struct sql){ .connection = connection, .memory = memory };
    connection->reason[0] = '\0';
    r = work(sql, argument);
    for (unsigned i = 0; i < DB_ROWS_OPEN_MAX; i++)
        sql_rows_end(&sql->rows[i]);
    r = MIN(r, 0);
    if (r == 0)
        r = may_go_on(sql);
    return r == 0 ? check_deferred(sql) : r;
}
