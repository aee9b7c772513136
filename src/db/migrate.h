/* db/migrate.h - numbered scripts that make a file what a program needs. Private to db/.
 *
 * (1) A script is applied in one transaction with its record in the table weft_migrations: all of it or nothing.
 * (2) Several processes may start at once: who finds a script applied goes on with the next one.
 * (3) A script that was changed after it was applied (its hash tells) is refused, and so is a file with more of them
 *     than the program knows: an older program does not understand it.
 */
#ifndef WEFT_DB_MIGRATE_H
#define WEFT_DB_MIGRATE_H

#include "db/sqlite.h"

/* -EINVAL: too many, or NULL; -EMSGSIZE: one is longer than DB_MIGRATION_TEXT_MAX; -EEXIST: (3); or the error of a
 * statement. connection->reason says which script, and why. [blocks] */
int migrate(struct sqlite *connection, const char *const *scripts, size_t count) MUST_CHECK;

#endif
