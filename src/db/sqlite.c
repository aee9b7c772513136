#include "db/sqlite.h"

#include "base/assert.h"
#include "base/hash.h"

#define REASON_STATEMENT_MAX 160 /* of a statement, in a reason */

static const char *const OWN[OWN_COUNT] = {
    [OWN_BEGIN_WRITE] = "BEGIN IMMEDIATE", [OWN_BEGIN_READ] = "BEGIN",    [OWN_COMMIT] = "COMMIT",
    [OWN_ROLLBACK] = "ROLLBACK",           [OWN_SAVE] = "SAVEPOINT weft", [OWN_SAVE_KEEP] = "RELEASE weft",
    [OWN_SAVE_UNDO] = "ROLLBACK TO weft",
};

/* --- errors -------------------------------------------------------------------------------------------------- */

static int error_of_constraint(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return -EEXIST;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return -ENOENT;
    default: return -ERANGE;
    }
}

static int error_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return error_of_constraint(code);
    case SQLITE_BUSY:
    case SQLITE_PROTOCOL:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_NOMEM: return -ENOMEM;
    case SQLITE_INTERRUPT: return -ECANCELED;
    case SQLITE_READONLY: return -EROFS;
    case SQLITE_AUTH:
    case SQLITE_PERM: return -EACCES;
    case SQLITE_TOOBIG: return -EMSGSIZE;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB: return -EIO;
    default: return -EINVAL;
    }
}

int sqlite_refuse(struct sqlite *connection, int error, const char *reason, struct bytes statement)
{
    struct text text = text_into(connection->reason, sizeof(connection->reason) - 1);

    text_add(&text, bytes_slice(bytes_of_text(reason), 0, text.max));
    if (statement.len > 0) {
        text_add(&text, BYTES(" ("));
        text_add(&text, bytes_slice(statement, 0, REASON_STATEMENT_MAX));
        text_add(&text, statement.len > REASON_STATEMENT_MAX ? BYTES("...)") : BYTES(")"));
    }
    connection->reason[text.len] = '\0';
    return error;
}

int sqlite_failed(struct sqlite *connection, int code, struct bytes statement)
{
    return sqlite_refuse(connection, error_of(code),
                         connection->handle ? sqlite3_errmsg(connection->handle) : sqlite3_errstr(code), statement);
}

/* --- waiting and stopping ------------------------------------------------------------------------------------ */

bool sqlite_cancelled(const struct sqlite *connection)
{
    return connection->cancelled && atomic_load_explicit(connection->cancelled, memory_order_relaxed);
}

static int progress(void *context)
{
    return sqlite_cancelled(context);
}

/* Another process has the file. A commit takes a few milliseconds: it is asked often at first. */
static int busy(void *context, int count)
{
    struct sqlite *connection = context;
    int ms = count < 4 ? 1 : count < 8 ? 3 : 8;

    ms = MIN(ms, connection->busy_ms - connection->waited_ms);
    if (ms <= 0 || sqlite_cancelled(connection))
        return 0;
    (void)sqlite3_sleep(ms);
    connection->waited_ms += ms;
    return 1;
}

/* --- what statements may do ---------------------------------------------------------------------------------- */

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *trigger)
{
    const struct sqlite *connection = context;

    switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT: return connection->own_running ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_ATTACH:
    case SQLITE_DETACH: return SQLITE_DENY;
    case SQLITE_PRAGMA: return second && !connection->migrating ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_OK;
    }
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static int configure(struct sqlite *connection)
{
    static const struct {
        int option, value;
    } OPTIONS[] = {
        { SQLITE_DBCONFIG_DEFENSIVE, 1 }, { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 }, { SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
        { SQLITE_DBCONFIG_DQS_DML, 0 },   { SQLITE_DBCONFIG_DQS_DDL, 0 },
    };
    sqlite3 *handle = connection->handle;
    int code = SQLITE_OK;

    for (unsigned i = 0; i < ARRAY_LEN(OPTIONS) && code == SQLITE_OK; i++)
        code = sqlite3_db_config(handle, OPTIONS[i].option, OPTIONS[i].value, NULL);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, DB_VALUE_SIZE_MAX);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, DB_MIGRATION_TEXT_MAX);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_EXPR_DEPTH, DB_EXPRESSION_DEPTH_MAX);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_VARIABLE_NUMBER, DB_VALUES_MAX);
    (void)sqlite3_busy_handler(handle, busy, connection);
    sqlite3_progress_handler(handle, DB_PROGRESS_STEPS, progress, connection);
    return code == SQLITE_OK ? 0 : sqlite_failed(connection, code, BYTES_NONE);
}

static int run_script(struct sqlite *connection, const char *script)
{
    int code = sqlite3_exec(connection->handle, script, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : sqlite_failed(connection, code, bytes_of_text(script));
}

static int note_mode(void *context, int count, char **values, char **names)
{
    *(bool *)context = count == 1 && values[0] && strcmp(values[0], "wal") == 0;
    return 0;
}

/* SQLite doesn't call busy() where two that switch would wait for each other. */
static int enter_wal(struct sqlite *connection)
{
    static const char script[] = "PRAGMA journal_mode=WAL";
    bool done = false;
    int code;

    for (int tries = 0;; tries++) {
        code = sqlite3_exec(connection->handle, script, note_mode, &done, NULL);
        if ((code & 0xff) != SQLITE_BUSY || !busy(connection, tries))
            break;
    }
    if (code != SQLITE_OK)
        return sqlite_failed(connection, code, BYTES_NONE);
    return done ? 0 : sqlite_refuse(connection, -EINVAL, "the file can't have a write-ahead log", BYTES_NONE);
}

static int prepare_own(struct sqlite *connection)
{
    for (unsigned i = 0; i < OWN_COUNT; i++) {
        int code = sqlite3_prepare_v3(connection->handle, OWN[i], -1, SQLITE_PREPARE_PERSISTENT, &connection->own[i],
                                      NULL);

        if (code != SQLITE_OK)
            return sqlite_failed(connection, code, BYTES_NONE);
    }
    return 0;
}

static int make_ready(struct sqlite *connection, bool read_only)
{
    int r = configure(connection);

    if (r == 0)
        r = enter_wal(connection);
    if (r == 0)
        r = run_script(connection, "PRAGMA synchronous=FULL");
    if (r == 0 && read_only)
        r = run_script(connection, "PRAGMA query_only=ON");
    if (r == 0)
        r = prepare_own(connection);
    if (r == 0)
        (void)sqlite3_set_authorizer(connection->handle, authorize, connection);
    return r;
}

int sqlite_open(struct sqlite *connection, const char *path, bool read_only, int busy_ms)
{
    int code, r;

    *connection = (struct sqlite){ .busy_ms = busy_ms };
    code = sqlite3_open_v2(path, &connection->handle,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                           NULL);
    r = code == SQLITE_OK ? make_ready(connection, read_only) : sqlite_failed(connection, code, BYTES_NONE);
    if (r < 0)
        sqlite_close(connection);
    return r;
}

void sqlite_close(struct sqlite *connection)
{
    int code;

    for (unsigned i = 0; i < DB_STATEMENTS_MAX; i++) {
        (void)sqlite3_finalize(connection->statements[i].handle);
        connection->statements[i] = (struct statement){ .handle = NULL };
    }
    for (unsigned i = 0; i < OWN_COUNT; i++) {
        (void)sqlite3_finalize(connection->own[i]);
        connection->own[i] = NULL;
    }
    code = sqlite3_close(connection->handle);
    ASSERT(code == SQLITE_OK); /* nothing of it is in use any more */
    connection->handle = NULL;
}

/* --- statements ---------------------------------------------------------------------------------------------- */

void sqlite_roll_back(struct sqlite *connection)
{
    sqlite3_stmt *statement = connection->own[OWN_ROLLBACK];

    if (sqlite3_get_autocommit(connection->handle))
        return;
    connection->own_running = true;
    (void)sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    connection->own_running = false;
}

int sqlite_do(struct sqlite *connection, enum own_statement which)
{
    sqlite3_stmt *statement = connection->own[which];
    int code;

    if (which == OWN_BEGIN_READ || which == OWN_BEGIN_WRITE)
        sqlite_roll_back(connection); /* what found no memory to be rolled back before */
    connection->own_running = true;
    connection->waited_ms = 0;
    code = sqlite3_step(statement);
    code = code == SQLITE_DONE ? SQLITE_OK : code;
    connection->own_running = false;
    if (code != SQLITE_OK)
        code = sqlite_failed(connection, code, BYTES_NONE);
    (void)sqlite3_reset(statement);
    return code;
}

/* The one that was not used for longest, or a free one. Fewer than all of them run: DB_ROWS_OPEN_MAX. */
static struct statement *make_room(struct sqlite *connection)
{
    struct statement *oldest = NULL;

    for (unsigned i = 0; i < DB_STATEMENTS_MAX; i++) {
        struct statement *each = &connection->statements[i];

        if (!each->running && (!oldest || each->used < oldest->used))
            oldest = each;
    }
    ASSERT(oldest);
    (void)sqlite3_finalize(oldest->handle);
    *oldest = (struct statement){ .handle = NULL };
    return oldest;
}

static bool blank(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (bytes_find_char(BYTES(" \t\r\n;"), text.data[i]) < 0)
            return false;
    return true;
}

/* SQLite keeps the text up to the statement's end. */
static struct statement *find(struct sqlite *connection, struct bytes text, uint64_t hash)
{
    for (unsigned i = 0; i < DB_STATEMENTS_MAX; i++) {
        struct statement *each = &connection->statements[i];
        struct bytes kept;

        if (!each->handle || each->hash != hash || each->running)
            continue;
        kept = bytes_of_text(sqlite3_sql(each->handle));
        if (bytes_starts(text, kept) && blank(bytes_skip(text, kept.len)))
            return each;
    }
    return NULL;
}

static int prepare_new(struct sqlite *connection, struct bytes text, struct statement *ret)
{
    sqlite3_stmt *handle = NULL;
    const char *rest = NULL;
    int code;

    if (text.len > DB_STATEMENT_TEXT_MAX)
        return sqlite_refuse(connection, -EMSGSIZE, "the statement is too long", text);
    code = sqlite3_prepare_v3(connection->handle, text.data, (int)text.len, SQLITE_PREPARE_PERSISTENT, &handle, &rest);
    if (code != SQLITE_OK)
        return sqlite_failed(connection, code, text);
    if (!handle)
        return sqlite_refuse(connection, -EINVAL, "there is no statement", text);
    if (!blank(bytes_skip(text, (size_t)(rest - text.data)))) {
        (void)sqlite3_finalize(handle);
        return sqlite_refuse(connection, -EINVAL, "more than one statement", text);
    }
    ret->handle = handle;
    return 0;
}

int sqlite_prepare(struct sqlite *connection, struct bytes text, struct statement **ret)
{
    uint64_t hash = hash_fnv1a(text);
    struct statement *statement = find(connection, text, hash);

    if (!statement) {
        int r;

        statement = make_room(connection);
        r = prepare_new(connection, text, statement);
        if (r < 0)
            return r;
        statement->hash = hash;
    }
    statement->used = ++connection->uses;
    statement->running = true;
    *ret = statement;
    return 0;
}

void sqlite_give(struct statement *statement)
{
    (void)sqlite3_reset(statement->handle);
    (void)sqlite3_clear_bindings(statement->handle);
    statement->running = false;
}
