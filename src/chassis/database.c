/* Databases of a service: opened before it runs, used by its calls, closed at its end. */
#include "chassis/database.h"

#include "base/alloc.h"
#include "io/linux/inherit.h"

static bool database_is(const struct weft_database *database)
{
    return database && database->magic == CHASSIS_DATABASE_MAGIC;
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static void add_folder(struct text *text)
{
    const char *folder = io_linux_variable("WEFT_DATA");

    if (!folder || folder[0] == '\0')
        return;
    text_add(text, bytes_of_text(folder));
    if (!bytes_ends(text_bytes(text), BYTES("/")))
        text_add_char(text, '/');
}

/* Zero-terminated. -ENAMETOOLONG. */
static int make_path(const struct weft_service *service, const char *wanted, struct text *text)
{
    if (!wanted || wanted[0] != '/')
        add_folder(text);
    if (wanted && wanted[0] != '\0') {
        text_add(text, bytes_of_text(wanted));
    } else {
        text_add(text, bytes_of_text(service->name));
        text_add(text, BYTES(".db"));
    }
    text_add_char(text, '\0');
    return text->full ? -ENAMETOOLONG : 0;
}

_Static_assert(2 * CHASSIS_DATABASES_MAX + 2 <= LANES_MAX, "the log and the names have a lane each");

static unsigned count_all(const struct chassis *chassis)
{
    unsigned count = 0;

    LIST_EACH (&chassis->services, node, next)
        LIST_EACH (&container_of(node, struct weft_service, node)->databases, each, after)
            count++;
    return count;
}

static int open_file(struct weft_service *service, const struct weft_database_options *options, const char *path,
                     struct database **ret)
{
    const struct database_options chosen = {
        .path = path,
        .migrations = options->migrations,
        .migration_count = options->migration_count,
        .readers = options->readers > 0 ? options->readers : WEFT_DATABASE_READERS,
        .busy_ns = (options->busy_ms > 0 ? options->busy_ms : WEFT_DATABASE_BUSY_MS) * NS_PER_MS,
        .open_ns = DB_OPEN_BUSY_MS * NS_PER_MS,
    };
    struct fault fault = { .line = 0 };
    char text[FAULT_TEXT_MAX];
    int r;

    if (chosen.readers > DB_READERS_MAX || options->busy_ms < 0 || (options->migration_count && !options->migrations))
        return service_fault(service, -EINVAL,
                             "database %s: its options make no sense (at most %d readers, no time "
                             "below zero, migrations where there are some)",
                             path, DB_READERS_MAX);
    r = database_open(&service->chassis->loop, &chosen, ret, &fault);
    if (r == 0)
        return 0;
    (void)fault_write(&fault, text, sizeof(text));
    return service_fault(service, r, "database: %s", text);
}

void service_databases_close(struct weft_service *service)
{
    LIST_EACH (&service->databases, node, next) {
        struct weft_database *database = container_of(node, struct weft_database, node);

        if (database->database)
            database_close(database->database);
        database->database = NULL;
    }
}

void service_databases_free(struct weft_service *service)
{
    struct list_node *node;

    service_databases_close(service);
    while ((node = list_pop_front(&service->databases)) != NULL) {
        struct weft_database *database = container_of(node, struct weft_database, node);

        database->magic = 0;
        mem_free(database);
    }
}

/* --- transactions -------------------------------------------------------------------------------------------- */

struct work {
    int (*run)(struct weft_sql *sql, void *argument);
    void *argument;
};

static int work_run(struct sql *sql, void *argument)
{
    const struct work *work = argument;
    struct weft_sql given = { .magic = CHASSIS_SQL_MAGIC, .sql = sql };
    int r = work->run(&given, work->argument);

    given.magic = 0;
    return r;
}

/* What the program did not ask for, and its operator has to know. */
static bool worth_a_line(int error)
{
    switch (error) {
    case -EEXIST:
    case -ENOENT:
    case -ERANGE:
    case -ECANCELED:
    case -EAGAIN: return false;
    default: return true;
    }
}

typedef int transact(struct database *database, struct transaction *transaction);

static int run_transaction(struct weft_call *call, struct weft_database *database, transact *how,
                           int (*run)(struct sql *sql, void *argument), void *argument)
{
    struct transaction transaction = { .work = run, .argument = argument };
    int r;

    if (!call_is(call) || !database_is(database) || database->service->chassis != call->service->chassis ||
        !database->database || !fiber_current())
        return -EINVAL;
    arena_init(&transaction.memory, NULL,
               call->memory.max > call->memory.used ? call->memory.max - call->memory.used : 0);
    r = how(database->database, &transaction);
    arena_adopt(&call->memory, &transaction.memory);
    if (r < 0 && r == transaction.failed && worth_a_line(r))
        weft_log(call, WEFT_ERROR, "database %s: %s", database->path, transaction.reason);
    return r;
}

int weft_transaction(struct weft_call *call, struct weft_database *database,
                     int (*run)(struct weft_sql *sql, void *argument), void *argument)
{
    struct work work = { .run = run, .argument = argument };

    return run ? run_transaction(call, database, database_write, work_run, &work) : -EINVAL;
}

int weft_read_transaction(struct weft_call *call, struct weft_database *database,
                          int (*run)(struct weft_sql *sql, void *argument), void *argument)
{
    struct work work = { .run = run, .argument = argument };

    return run ? run_transaction(call, database, database_read, work_run, &work) : -EINVAL;
}

/* --- readiness ----------------------------------------------------------------------------------------------- */

static int look(struct sql *sql, void *argument)
{
    struct sql_rows *rows;
    int r = sql_query(sql, BYTES("SELECT count(*) FROM sqlite_schema"), (struct sql_values){ NULL, 0 }, &rows);

    return r == 0 ? MIN(sql_rows_next(rows), 0) : r;
}

static int check_databases(struct weft_call *call, void *user)
{
    struct weft_service *service = user;

    LIST_EACH (&service->databases, node, next) {
        struct weft_database *database = container_of(node, struct weft_database, node);
        int r = run_transaction(call, database, database_read, look, NULL);

        if (r < 0)
            return weft_because(call, r, "%s can't be read: %s", database->path, strerrordesc_np(-r));
    }
    return 0;
}

/* One check for all of a service. */
static int check_it_too(struct weft_service *service)
{
    return list_empty(&service->databases) ? weft_check(service, "database", check_databases, service) : 0;
}

int weft_database_open(struct weft_service *service, const struct weft_database_options *options,
                       struct weft_database **ret)
{
    const struct weft_database_options none = { .path = NULL };
    char memory[FILE_PATH_MAX];
    struct text path = text_into(memory, sizeof(memory));
    struct weft_database *database;
    int r;

    if (!service_is(service) || !ret)
        return -EINVAL;
    if (service->chassis->started)
        return service_fault(service, -EBUSY, "database: it is opened before the service runs");
    if (count_all(service->chassis) == CHASSIS_DATABASES_MAX)
        return service_fault(service, -EMFILE, "database: a thread has at most %d of them", CHASSIS_DATABASES_MAX);
    r = make_path(service, options ? options->path : NULL, &path);
    if (r < 0)
        return service_fault(service, r, "database: its path is too long");
    database = mem_zalloc(sizeof(*database) + path.len);
    if (!database)
        return service_fault(service, -ENOMEM, "database: there is no memory");
    memcpy(database->path, path.data, path.len);
    r = open_file(service, options ? options : &none, database->path, &database->database);
    if (r < 0) {
        mem_free(database);
        return r;
    }
    r = check_it_too(service);
    database->magic = CHASSIS_DATABASE_MAGIC;
    database->service = service;
    list_push_back(&service->databases, &database->node); /* also then: its owner closes it */
    if (r == 0)
        *ret = database;
    return r;
}

/* --- one statement ------------------------------------------------------------------------------------------- */

struct single {
    struct bytes statement;
    struct weft_values values;
    int changed;
    unsigned columns;
    struct kept_row *first;
};

static int single_run(struct sql *sql, void *argument)
{
    struct sql_value memory[DB_VALUES_MAX];
    struct single *single = argument;
    struct sql_values values;

    if (!database_values(single->values, memory, &values))
        return -EINVAL;
    single->changed = sql_run(sql, single->statement, values);
    return MIN(single->changed, 0);
}

int weft_database_run(struct weft_call *call, struct weft_database *database, const char *statement,
                      struct weft_values values)
{
    struct single single = { .statement = bytes_of_text(statement), .values = values };
    int r = statement ? run_transaction(call, database, database_write, single_run, &single) : -EINVAL;

    return r < 0 ? r : single.changed;
}

static int keep_cell(struct sql *sql, const struct sql_rows *rows, unsigned column, struct kept_cell *ret)
{
    struct bytes bytes;

    ret->kind = sql_row_kind(rows, column);
    if (ret->kind == SQL_NULL)
        return 0;
    ret->integer = sql_row_integer(rows, column); /* before its text: SQLite may convert it in its place */
    ret->number = sql_row_number(rows, column);
    bytes = sql_row_bytes(rows, column);
    ret->bytes = bytes_of(sql_copy(sql, bytes), bytes.len);
    return ret->bytes.data ? 0 : -ENOMEM;
}

static int keep_row(struct sql *sql, const struct sql_rows *rows, unsigned columns, struct kept_row **ret)
{
    struct kept_row *row = sql_alloc(sql, sizeof(*row) + columns * sizeof(row->cells[0]));
    int r = row ? 0 : -ENOMEM;

    for (unsigned i = 0; i < columns && r == 0; i++)
        r = keep_cell(sql, rows, i, &row->cells[i]);
    if (r == 0)
        *ret = row;
    return r;
}

static int keep_rows(struct sql *sql, struct sql_rows *rows, struct single *single)
{
    struct kept_row **last = &single->first;
    unsigned count = 0;
    int r;

    while ((r = sql_rows_next(rows)) > 0) {
        if (count++ == WEFT_ROWS_MAX)
            return -EMSGSIZE;
        single->columns = sql_row_columns(rows);
        r = keep_row(sql, rows, single->columns, last);
        if (r < 0)
            return r;
        last = &(*last)->next;
    }
    return r;
}

static int single_query(struct sql *sql, void *argument)
{
    struct sql_value memory[DB_VALUES_MAX];
    struct single *single = argument;
    struct sql_values values;
    struct sql_rows *rows;
    int r;

    if (!database_values(single->values, memory, &values))
        return -EINVAL;
    r = sql_query(sql, single->statement, values, &rows);
    return r == 0 ? keep_rows(sql, rows, single) : r;
}

int weft_database_query(struct weft_call *call, struct weft_database *database, struct weft_rows **ret,
                        const char *statement, struct weft_values values)
{
    struct single single = { .statement = bytes_of_text(statement), .values = values };
    struct weft_rows *rows;
    int r;

    if (!statement || !ret)
        return -EINVAL;
    r = run_transaction(call, database, database_read, single_query, &single);
    if (r < 0)
        return r;
    rows = arena_zalloc(&call->memory, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    rows->rest = single.first;
    rows->columns = single.columns;
    *ret = rows;
    return 0;
}
