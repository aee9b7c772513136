/* db/database.h - a file of SQLite whose transactions run on lanes, while fibers wait for them.
 *
 * (1) SQLite runs on the database's threads alone: one that writes and some that read beside it (WAL). A transaction's
 *     work is a plain function there; it may touch its argument and its struct sql, nothing of the loop.
 * (2) database_write() returns 0 when what the work did is on the disk. On any error nothing of it is done.
 * (3) Transactions that wait while others commit share the next commit, up to DB_GROUP_MAX of them: each behind a
 *     savepoint, so that it fails for itself alone. Where SQLite takes the whole commit back on its own (a full disk,
 * an interrupt within a change), those that had been through before are -EAGAIN, and those behind run again unseen: a
 * work runs once. (4) Another process that has the file is waited for until busy_ms are over or the fiber's scope has
 * ended; a transaction that writes has the file alone from its begin (BEGIN IMMEDIATE). (5) When the scope ends, the
 * transaction is interrupted and waited for. It is done all the same if its commit was faster: then the answer is 0.
 * (6) A database belongs to the loop on which it was opened.
 */
#ifndef WEFT_DB_DATABASE_H
#define WEFT_DB_DATABASE_H

#include "base/arena.h"
#include "base/fault.h"
#include "db/sql.h"
#include "io/lane.h"
#include "io/loop.h"

#include <stdatomic.h>

struct database;
struct queue;
struct sqlite;

struct database_options {
    const char *path;
    const char *const *migrations; /* see db/migrate.h */
    size_t migration_count;
    unsigned readers; /* 1 to DB_READERS_MAX */
    int64_t busy_ns;  /* for others that have the file; each transaction */
    int64_t open_ns;  /* the same, for each step of opening: others may migrate */
};

/* One transaction, on the stack of who waits for it. `work`, `argument` and `memory` are the caller's. */
struct transaction {
    int (*work)(struct sql *sql, void *argument); /* 0, or a negative errno */
    void *argument;
    struct arena memory;         /* of sql_alloc(); the caller's, afterwards too; without a pool */
    int failed;                  /* the last failure of the database in it, 0: none */
    char reason[FAULT_TEXT_MAX]; /* its text; "" */

    struct database *database; /* all of these are private */
    struct list_node node;     /* waits, or in the group */
    struct queue *queue;       /* in which it waits; NULL: its turn has come */
    struct fiber *waiter;
    struct job job;        /* of one that reads */
    struct sqlite *reader; /* and what it reads by */
    atomic_bool cancelled;
    bool finished, ran;
    int64_t busy_until_ns; /* 0: it has not been tried yet */
    int result;
};

/* Opens, and applies the migrations; waits for others that have the file, see open_ns. The fault says what failed;
 * -EINVAL, -EEXIST, -EIO, -EBUSY, -ENOSPC, -ENOMEM, -EMFILE (no lane is left). [blocks] */
int database_open(struct loop *loop, const struct database_options *options, struct database **ret,
                  struct fault *fault) MUST_CHECK;
void database_close(struct database *database); /* nobody waits for it any more. [blocks] */

/* On a fiber. The work's own errno, or: -EAGAIN: DB_WAITING_MAX wait, or see (3); -EBUSY: see (4); -ETIME, -ECANCELED;
 * those of db/sql.h. */
int database_write(struct database *database, struct transaction *transaction) MUST_CHECK;

/* The same for work that only reads, from one state of the database. Waits for no writer. */
int database_read(struct database *database, struct transaction *transaction) MUST_CHECK;

uint64_t database_commits(const struct database *database); /* so far; several transactions may share one */

#endif
