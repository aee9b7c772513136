/* db/sql.h - what a transaction does: plain, blocking SQL on a thread of its database.
 *
 * (1) A struct sql is one transaction on one connection. It is valid while its work runs, on that thread alone.
 * (2) What SQLite may take back on its own (a full or failing disk, an interrupt) spoils the transaction: every later
 *     statement fails with the same error, so that nothing is done outside of it, and it can't be committed.
 * (3) Memory of sql_alloc() outlives the transaction: it belongs to who asked for it. When there is none, the
 *     transaction can't be committed any more.
 * (4) Rows that are under way end with the transaction at the latest.
 *
 * Errors: -EEXIST: UNIQUE or PRIMARY KEY; -ENOENT: FOREIGN KEY; -ERANGE: CHECK, NOT NULL, a STRICT type, RAISE();
 * -EINVAL: a mistake in the SQL or in the number of values; -EMSGSIZE: beyond DB_VALUE_SIZE_MAX; -EACCES: what would
 * take the transaction out of our hands; -EROFS: a change in a transaction that reads; -EBUSY; -ENOSPC; -EIO: the disk,
 * or a damaged file; -ENOMEM; -ECANCELED: nobody waits for it any more.
 */
#ifndef WEFT_DB_SQL_H
#define WEFT_DB_SQL_H

#include "base/bytes.h"

struct sql;
struct sql_rows;

enum sql_kind { SQL_NULL, SQL_INTEGER, SQL_NUMBER, SQL_TEXT, SQL_BYTES };

/* Borrowed until the function returns. */
struct sql_value {
    enum sql_kind kind;
    int64_t integer;
    double number;
    struct bytes bytes; /* of a text, too */
};

struct sql_values {
    const struct sql_value *list; /* at most DB_VALUES_MAX */
    size_t count;
};

/* How many rows it has changed; rows that it returns are dropped. */
int sql_run(struct sql *sql, struct bytes statement, struct sql_values values) MUST_CHECK;

/* -EMFILE: DB_ROWS_OPEN_MAX are under way. */
int sql_query(struct sql *sql, struct bytes statement, struct sql_values values, struct sql_rows **ret) MUST_CHECK;

int64_t sql_last_id(const struct sql *sql);         /* of the last INSERT */
const char *sql_reason(const struct sql *sql);      /* of the last failure, for people; "": none */
void *sql_alloc(struct sql *sql, size_t size);      /* zeroed; see (3) */
char *sql_copy(struct sql *sql, struct bytes text); /* zero-terminated */

/* 1: there is a row; 0: the end, now and ever after; else why not, now and ever after. */
int sql_rows_next(struct sql_rows *rows) MUST_CHECK;
void sql_rows_end(struct sql_rows *rows); /* no more of them are wanted */
struct sql *sql_rows_owner(const struct sql_rows *rows);

/* Columns of the row, as SQLite converts them; nothing where there is no such row or column. Texts end with a zero and
 * are valid until the next sql_rows_next(). */
unsigned sql_row_columns(const struct sql_rows *rows);
enum sql_kind sql_row_kind(const struct sql_rows *rows, unsigned column);
int64_t sql_row_integer(const struct sql_rows *rows, unsigned column);
double sql_row_number(const struct sql_rows *rows, unsigned column);
struct bytes sql_row_text(const struct sql_rows *rows, unsigned column); /* data is NULL: NULL */
struct bytes sql_row_bytes(const struct sql_rows *rows, unsigned column);

#endif
