#include "db/migrate.h"

#include "base/hash.h"

#define HASH_DIGITS 16
#define TABLE                                                                                     \
    "CREATE TABLE IF NOT EXISTS weft_migrations(number INTEGER PRIMARY KEY, hash TEXT NOT NULL, " \
    "applied TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))) STRICT"

/* Puts the script's number before the reason. */
static int blame(struct sqlite *connection, size_t number, int error)
{
    char memory[FAULT_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory) - 1);

    text_add_format(&text, "migration %zu: ", number);
    text_add(&text, bytes_slice(bytes_of_text(connection->reason), 0, text.max - text.len));
    memory[text.len] = '\0';
    memcpy(connection->reason, memory, text.len + 1);
    return error;
}

static void write_hash(char *to, struct bytes script)
{
    struct text text = text_into(to, HASH_DIGITS);

    text_add_hex(&text, hash_fnv1a(script), HASH_DIGITS);
    to[HASH_DIGITS] = '\0';
}

/* Runs the statement with the number and the hash. 1: it has a row, whose first column is in `ret`. */
static int ask(struct sqlite *connection, struct bytes text, size_t number, const char *hash, struct text *ret)
{
    struct statement *statement;
    int code, r = sqlite_prepare(connection, text, &statement);

    if (r < 0)
        return r;
    code = sqlite3_bind_int64(statement->handle, 1, (sqlite3_int64)number);
    if (code == SQLITE_OK && hash)
        code = sqlite3_bind_text(statement->handle, 2, hash, -1, SQLITE_TRANSIENT);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW && ret)
        text_add(ret, bytes_of_text((const char *)sqlite3_column_text(statement->handle, 0)));
    r = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : sqlite_failed(connection, code, text);
    sqlite_give(statement);
    return r;
}

static int run_script(struct sqlite *connection, const char *script)
{
    int code;

    connection->migrating = true;
    connection->waited_ms = 0;
    code = sqlite3_exec(connection->handle, script, NULL, NULL, NULL);
    connection->migrating = false;
    return code == SQLITE_OK ? 0 : sqlite_failed(connection, code, BYTES_NONE);
}

/* Within a transaction. */
static int apply(struct sqlite *connection, const char *script, size_t number)
{
    char hash[HASH_DIGITS + 1], applied[HASH_DIGITS + 1];
    struct text text = text_into(applied, HASH_DIGITS);
    int r = ask(connection, BYTES("SELECT hash FROM weft_migrations WHERE number = ?"), number, NULL, &text);

    write_hash(hash, bytes_of_text(script));
    if (r == 1 && bytes_equal(text_bytes(&text), bytes_of_text(hash)))
        return 0;
    if (r == 1)
        return sqlite_refuse(connection, -EEXIST,
                             "it was changed after this file had got it: leave it as it was, and add a new one",
                             BYTES_NONE);
    if (r == 0)
        r = run_script(connection, script);
    if (r == 0)
        r = ask(connection, BYTES("INSERT INTO weft_migrations(number, hash) VALUES (?, ?)"), number, hash, NULL);
    return r;
}

/* Number 0: our own table. */
static int in_transaction(struct sqlite *connection, const char *script, size_t number)
{
    int r = sqlite_do(connection, OWN_BEGIN_WRITE);

    if (r < 0)
        return r;
    r = number > 0 ? apply(connection, script, number) : run_script(connection, script);
    if (r == 0)
        r = sqlite_do(connection, OWN_COMMIT);
    sqlite_roll_back(connection);
    return r;
}

static int check_newer(struct sqlite *connection, size_t count)
{
    int r = ask(connection, BYTES("SELECT hash FROM weft_migrations WHERE number > ?"), count, NULL, NULL);

    return r == 1 ? sqlite_refuse(connection, -EEXIST,
                                  "the file was migrated by a newer program, which has more migrations", BYTES_NONE)
                  : r;
}

int migrate(struct sqlite *connection, const char *const *scripts, size_t count)
{
    int r;

    if (count > DB_MIGRATIONS_MAX)
        return sqlite_refuse(connection, -EINVAL, "there are too many migrations", BYTES_NONE);
    r = in_transaction(connection, TABLE, 0);
    if (r == 0)
        r = check_newer(connection, count);
    for (size_t i = 0; i < count && r == 0; i++) {
        if (!scripts[i])
            r = sqlite_refuse(connection, -EINVAL, "there is no text", BYTES_NONE);
        else if (strlen(scripts[i]) > DB_MIGRATION_TEXT_MAX)
            r = sqlite_refuse(connection, -EMSGSIZE, "it is too long", BYTES_NONE);
        else
            r = in_transaction(connection, scripts[i], i + 1);
        if (r < 0)
            return blame(connection, i + 1, r);
    }
    return r;
}
