/* db/transaction.h - one transaction on one connection. Private to db/. */
#ifndef WEFT_DB_TRANSACTION_H
#define WEFT_DB_TRANSACTION_H

#include "base/arena.h"
#include "db/sqlite.h"

struct sql_rows {
    struct sql *sql;
    struct statement *statement; /* NULL: they have ended */
    int result;                  /* how */
    bool on_row;
};

struct sql {
    struct sqlite *connection;
    struct arena *memory;
    int spoiled; /* 0, or why it can't go on */
    int failed;  /* the last failure of the database itself; its text is the connection's reason */
    int64_t last_id;
    struct sql_rows rows[DB_ROWS_OPEN_MAX];
};

/* Runs the work between what the caller has begun and will end. 0: it may be committed. *sql is cleared first. */
int sql_work(struct sql *sql, struct sqlite *connection, struct arena *memory,
             int (*work)(struct sql *sql, void *argument), void *argument) MUST_CHECK;

#endif
