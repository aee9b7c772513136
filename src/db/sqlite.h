/* db/sqlite.h - one connection of SQLite and its prepared statements. Private to db/.
 *
 * (1) It is used by one thread at a time: SQLite does no locking of its own. Fibers never switch inside of it.
 * (2) The file is in WAL mode with synchronous=FULL: what was committed is on the disk.
 * (3) The begin and the end of transactions are ours alone: the authorizer refuses them in anybody else's statement.
 * (4) *cancelled is looked at every DB_PROGRESS_STEPS of SQLite's machine and in each wait for another process, so a
 *     statement of one transaction never stops another's.
 */
#ifndef WEFT_DB_SQLITE_H
#define WEFT_DB_SQLITE_H

#include "base/limits.h"
#include "base/text.h"
#include "db/sql.h"

#include <sqlite3.h>
#include <stdatomic.h>

/* Statements of our own, prepared when the connection is opened. */
enum own_statement {
    OWN_BEGIN_WRITE,
    OWN_BEGIN_READ,
    OWN_COMMIT,
    OWN_ROLLBACK,
    OWN_SAVE,
    OWN_SAVE_KEEP,
    OWN_SAVE_UNDO,
    OWN_COUNT,
};

struct statement {
    sqlite3_stmt *handle; /* NULL: free */
    uint64_t hash;        /* of its text */
    uint64_t used;        /* when: the one with the least makes room */
    bool running;
};

struct sqlite {
    sqlite3 *handle;
    sqlite3_stmt *own[OWN_COUNT];
    struct statement statements[DB_STATEMENTS_MAX];
    uint64_t uses;
    const atomic_bool *cancelled; /* NULL: it goes on whatever happens */
    int busy_ms, waited_ms;       /* for another process to let go of the file */
    bool own_running, migrating;  /* what the authorizer allows */
    bool taken;                   /* by a transaction that reads; the loop's */
    char reason[FAULT_TEXT_MAX];  /* of the last failure */
};

/* -EIO, -EBUSY, -ENOMEM, -ENOSPC, ...; the reason stands in connection->reason, also after failure. [blocks] */
int sqlite_open(struct sqlite *connection, const char *path, bool read_only, int busy_ms) MUST_CHECK;
void sqlite_close(struct sqlite *connection); /* the last one of a file empties its log; twice is fine */

int sqlite_do(struct sqlite *connection, enum own_statement which) MUST_CHECK;
void sqlite_roll_back(struct sqlite *connection); /* if there is a transaction; keeps the reason */

/* The prepared statement, which is nobody else's until it is given back. -EINVAL: a mistake, more than one of them. */
int sqlite_prepare(struct sqlite *connection, struct bytes text, struct statement **ret) MUST_CHECK;
void sqlite_give(struct statement *statement);

/* The errno of SQLite's code; its text and the statement go into connection->reason. */
int sqlite_failed(struct sqlite *connection, int code, struct bytes statement);
int sqlite_refuse(struct sqlite *connection, int error, const char *reason, struct bytes statement);
bool sqlite_cancelled(const struct sqlite *connection);

#endif
