/* weft_database.h - databases of services in C: SQLite. A part of weft.h, which includes it.
 *
 *     static const char *const MIGRATIONS[] = {
 *         "CREATE TABLE items(sku TEXT PRIMARY KEY, stock INTEGER NOT NULL CHECK (stock >= 0)) STRICT;",
 *         "ALTER TABLE items ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;",
 *     };
 *
 *     struct take { const char *sku; int64_t count, left; };
 *
 *     static int take_items(struct weft_sql *sql, void *argument)        // on another thread: plain, blocking SQL
 *     {
 *         struct take *take = argument;
 *         int r = weft_sql_run(sql, "UPDATE items SET stock = stock - ? WHERE sku = ?",
 *                              WEFT_VALUES(WEFT_INTEGER(take->count), WEFT_TEXT(take->sku)));
 *
 *         if (r <= 0)
 *             return r < 0 ? r : -ENOENT;                                // rolls back; -ERANGE: the CHECK said no
 *         return weft_sql_integer(sql, &take->left, "SELECT stock FROM items WHERE sku = ?",
 *                                 WEFT_VALUES(WEFT_TEXT(take->sku)));    // 0 commits
 *     }
 *
 *     r = weft_transaction(call, database, take_items, &take);           // in a handler: waits for the disk
 *
 * (1) All that SQLite does, it does on threads of the database: one that writes, and a few that read beside it (WAL).
 *     A handler hands in a function and waits until that has returned; other handlers go on meanwhile.
 * (2) So `work` runs on another thread: it may touch its argument, the texts that the call gave out and its weft_sql.
 *     It may not touch what handlers share, nor call any function that takes the call: not even weft_alloc(), for
 *     which there is weft_sql_alloc(). The handler that waits can't disturb it; what other handlers of the service may
 *     change meanwhile is copied into the argument first.
 * (3) `work` returns 0, and all of it is committed and on the disk (synchronous=FULL) when weft_transaction() returns
 *     0; or a negative errno, and nothing of it is done. When the commit fails, nothing is done either.
 * (4) Several processes may have one file open: all instances of a service do. A transaction that writes has the file
 *     alone from its first statement (BEGIN IMMEDIATE), so what it has read stays true until it commits: read, decide,
 *     write needs no more care than that. Keep it short: nothing but SQL belongs into it.
 * (5) Transactions that wait while one commits may share the next commit. Each fails for itself alone, and none is told
 *     before the disk has it.
 * (6) When the call's time is up or its client leaves, what SQLite does for it is interrupted and rolled back:
 *     -ETIME, -ECANCELED. Where the commit was faster, the answer is 0 and true.
 *
 * Errors of statements: -EEXIST: UNIQUE or PRIMARY KEY; -ENOENT: FOREIGN KEY; -ERANGE: CHECK, NOT NULL, a STRICT type,
 * RAISE(); -EINVAL: a mistake in the SQL, or another number of values than it has '?'; -EMSGSIZE: larger than the
 * limits; -EACCES: BEGIN, COMMIT, SAVEPOINT, ATTACH or a PRAGMA that sets something; -EROFS: a change in a read
 * transaction; -EBUSY: another process had the file for longer than busy_ms; -ENOSPC: the disk is full; -EIO: the disk
 * failed, or the file is no database or damaged; -ENOMEM; -ECANCELED: the call has ended, see (6). After any of them
 * `work` may go on, if it can; -ENOSPC, -EIO and -ECANCELED can't be committed any more. */
#ifndef WEFT_DATABASE_H
#define WEFT_DATABASE_H

#include "weft.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_DATABASE_READERS 2    /* threads that read, unless options say otherwise; at most 8 */
#define WEFT_DATABASE_BUSY_MS 5000 /* for another process to let go of the file, unless options say otherwise */
#define WEFT_ROWS_MAX 10000        /* that weft_database_query() takes; a transaction may step through more */

struct weft_database;
struct weft_sql;
struct weft_rows;

/* What is left zero has a default. Texts are copied. */
struct weft_database_options {
    /* The file; a relative one is in the folder $WEFT_DATA, or where the service was started. Default: the service's
     * name and ".db". It is made when it isn't there; its folder is not. */
    const char *path;

    /* Scripts of SQL that make the file what the program needs. Each is applied once to a file, in order, in a
     * transaction of its own; several processes may start at once. New ones are added at the end. A script that was
     * applied and then changed is refused, and so is a file that has more of them than the program. */
    const char *const *migrations;
    size_t migration_count; /* at most 1000 */

    unsigned readers; /* WEFT_DATABASE_READERS */
    int busy_ms;      /* WEFT_DATABASE_BUSY_MS */
};

/* Opens and migrates a database of a service that does not run yet; `options` may be NULL. It is closed when
 * weft_run() ends, and lives as long as the service. /readyz has a check "database": the file can be read.
 * -EINVAL, -EEXIST: a migration was changed, or the file has more of them; -EIO, -EBUSY, -ENOSPC, -ENOMEM, -EACCES;
 * -EMFILE: seven of one thread. Need not be looked at: the first failure is kept, and weft_run() refuses to start and
 * says what was wrong. [blocks] */
int weft_database_open(struct weft_service *service, const struct weft_database_options *options,
                       struct weft_database **ret);

/* Values for the '?' of a statement, in order: WEFT_VALUES(WEFT_TEXT(name), WEFT_INTEGER(3)), WEFT_VALUES(). They are
 * borrowed until the function returns. A text that is NULL is WEFT_NULL. */
enum weft_value_kind { WEFT_VALUE_NULL, WEFT_VALUE_INTEGER, WEFT_VALUE_NUMBER, WEFT_VALUE_TEXT, WEFT_VALUE_BYTES };

struct weft_value {
    enum weft_value_kind kind;
    int64_t integer;
    double number;
    struct weft_bytes bytes; /* of a text, too */
};

struct weft_values {
    const struct weft_value *list;
    size_t count;
};

struct weft_value weft_value_text(const char *text);

#define WEFT_NULL ((struct weft_value){ .kind = WEFT_VALUE_NULL })
#define WEFT_INTEGER(value) ((struct weft_value){ .kind = WEFT_VALUE_INTEGER, .integer = (value) })
#define WEFT_NUMBER(value) ((struct weft_value){ .kind = WEFT_VALUE_NUMBER, .number = (value) })
#define WEFT_TEXT(text) weft_value_text(text)
#define WEFT_BYTES(data_, len_) \
    ((struct weft_value){ .kind = WEFT_VALUE_BYTES, .bytes = { (const char *)(data_), (len_) } })
#define WEFT_VALUES(...)                                                                                               \
    ((struct weft_values){ (const struct weft_value[]){ WEFT_NULL, __VA_ARGS__ } + 1,                                  \
                           sizeof((const struct weft_value[]){ WEFT_NULL, __VA_ARGS__ }) / sizeof(struct weft_value) - \
                               1 })

/* Runs `work` in a transaction that may change the database; see (1) to (6). What it returns, or why it could not be
 * run or committed: the errors above; -EAGAIN: 1024 wait already, or the neighbour with which it shared a commit broke
 * that: nothing of it is done. Failures of the database itself are logged. [waits] */
int weft_transaction(struct weft_call *call, struct weft_database *database,
                     int (*work)(struct weft_sql *sql, void *argument), void *argument);

/* The same for one that only reads: it sees the database as it was at its first statement, and waits for no writer. */
int weft_read_transaction(struct weft_call *call, struct weft_database *database,
                          int (*work)(struct weft_sql *sql, void *argument), void *argument);

/* One statement that is a transaction: how many rows it has changed. [waits] */
int weft_database_run(struct weft_call *call, struct weft_database *database, const char *statement,
                      struct weft_values values);

/* The rows of one statement that only reads, all of them, in the memory of the call: *ret and its texts live as long
 * as that, and weft_rows_next() does not wait. -EMSGSIZE: more than WEFT_ROWS_MAX. [waits] */
int weft_database_query(struct weft_call *call, struct weft_database *database, struct weft_rows **ret,
                        const char *statement, struct weft_values values);

/* --- inside of a transaction, on the database's thread ----------------------------------------------- */

/* Runs a statement: how many rows it has changed. Statements are kept prepared, so they should be constant texts. */
int weft_sql_run(struct weft_sql *sql, const char *statement, struct weft_values values);

/* Begins a statement whose rows are wanted, also "INSERT ... RETURNING". -EMFILE: 32 are under way. */
int weft_sql_query(struct weft_sql *sql, struct weft_rows **ret, const char *statement, struct weft_values values);

/* The first column of the first row. -ENOENT: no row. */
int weft_sql_integer(struct weft_sql *sql, int64_t *ret, const char *statement, struct weft_values values);

int64_t weft_sql_last_id(const struct weft_sql *sql);    /* the rowid of the last INSERT */
const char *weft_sql_reason(const struct weft_sql *sql); /* of the last failed statement, for people; "": none */

/* Memory of the call, zeroed, for what is carried out of the transaction. NULL: there is none; then the transaction
 * fails with -ENOMEM, whether anybody looks or not. */
void *weft_sql_alloc(struct weft_sql *sql, size_t size);
char *weft_sql_copy(struct weft_sql *sql, const char *text); /* NULL gives NULL */

/* --- rows -------------------------------------------------------------------------------------------- */

/* The next row. 1: there is one; 0: the end, and the statement is done with; else why not. */
int weft_rows_next(struct weft_rows *rows);

/* Done with, before its end: for a loop that takes the first row of many statements. Others end by themselves. */
void weft_rows_end(struct weft_rows *rows);

/* Columns of the row, from 0; as SQLite converts them: the text "12" is the integer 12, and the other way. What is NULL
 * or not there is 0, NULL and empty. Texts and bytes of weft_sql_query() are valid until the next weft_rows_next(). */
unsigned weft_row_columns(const struct weft_rows *rows);
bool weft_row_null(const struct weft_rows *rows, unsigned column);
int64_t weft_row_integer(const struct weft_rows *rows, unsigned column);
double weft_row_number(const struct weft_rows *rows, unsigned column);
const char *weft_row_text(const struct weft_rows *rows, unsigned column);
struct weft_bytes weft_row_bytes(const struct weft_rows *rows, unsigned column);

/* The text, in the memory of the call. NULL: it is NULL, or there is no memory: see weft_sql_alloc(). */
char *weft_row_copy(const struct weft_rows *rows, unsigned column);

#ifdef __cplusplus
}
#endif

#endif
