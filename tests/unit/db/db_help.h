/* tests/unit/db/db_help.h - a database in a folder of its own, used from fibers of a real loop.
 *
 * Bodies run on a fiber, where cmocka's assertions work; `work` runs on another thread, where they don't: it leaves
 * what it saw in its argument. */
#ifndef WEFT_TESTS_UNIT_DB_HELP_H
#define WEFT_TESTS_UNIT_DB_HELP_H

#include "db/database.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HELP_PATH_MAX 256
#define HELP_BUSY_NS (200 * NS_PER_MS)
#define HELP_OPEN_NS (5 * NS_PER_S)

struct place {
    char folder[HELP_PATH_MAX], file[HELP_PATH_MAX + 16];
};

void place_make(struct place *place);
void place_remove(const struct place *place);

/* Opens with the migrations; runs the body on a fiber; closes. `migrations` ends with NULL. */
void with_database(const struct place *place, const char *const *migrations,
                   void (*body)(struct database *database, void *context), void *context);

/* Only opens and closes: what database_open() says. */
int try_open(const char *path, const char *const *migrations, size_t count, struct fault *fault);

/* Runs a transaction; `memory` of it is given back. */
int write_it(struct database *database, int (*work)(struct sql *sql, void *argument), void *argument);
int read_it(struct database *database, int (*work)(struct sql *sql, void *argument), void *argument);

/* One statement without values in a transaction: what sql_run() says. */
int write_text(struct database *database, const char *statement);
int read_text(struct database *database, const char *statement);
int64_t number_of(struct database *database, const char *query); /* the first column of the first row */

/* The same within a transaction. */
int run_text(struct sql *sql, const char *statement);
int64_t number_in(struct sql *sql, const char *query); /* -1: none */

#define SQL_NO_VALUES ((struct sql_values){ NULL, 0 })

#endif
