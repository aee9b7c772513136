#include "db_help.h"

#include "io/linux/linux.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void place_make(struct place *place)
{
    const char *folder = getenv("TMPDIR");

    (void)snprintf(place->folder, sizeof(place->folder), "%s/weft-db-XXXXXX", folder ? folder : "/tmp");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->file, sizeof(place->file), "%s/test.db", place->folder);
}

void place_remove(const struct place *place)
{
    DIR *directory = opendir(place->folder);
    char path[HELP_PATH_MAX + 300];
    struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", place->folder, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(directory);
    assert_int_equal(rmdir(place->folder), 0);
}

static size_t count_of(const char *const *migrations)
{
    size_t count = 0;

    while (migrations && migrations[count])
        count++;
    return count;
}

static struct database_options options_of(const char *path, const char *const *migrations, size_t count)
{
    return (struct database_options){ .path = path,
                                      .migrations = migrations,
                                      .migration_count = count,
                                      .readers = 2,
                                      .busy_ns = HELP_BUSY_NS,
                                      .open_ns = HELP_OPEN_NS };
}

struct attempt {
    struct task task;
    struct loop loop;
    struct database *database;
    void (*body)(struct database *database, void *context);
    void *context;
    bool done;
};

static int attempt_run(struct task *task)
{
    struct attempt *attempt = container_of(task, struct attempt, task);

    attempt->body(attempt->database, attempt->context);
    attempt->done = true;
    loop_stop(&attempt->loop);
    return 0;
}

void with_database(const struct place *place, const char *const *migrations,
                   void (*body)(struct database *database, void *context), void *context)
{
    const struct database_options options = options_of(place->file, migrations, count_of(migrations));
    struct attempt attempt = { .task.run = attempt_run, .body = body, .context = context };
    struct fault fault = { .line = 0 };
    struct io *io;
    int r;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&attempt.loop, io, NULL), 0);
    r = database_open(&attempt.loop, &options, &attempt.database, &fault);
    if (r < 0)
        fail_msg("can't open: %s", fault.what);
    assert_int_equal(loop_spawn(&attempt.loop, &attempt.task), 0);
    loop_run(&attempt.loop);
    assert_true(attempt.done);
    database_close(attempt.database);
    loop_done(&attempt.loop);
    io_linux_close(io);
}

int try_open(const char *path, const char *const *migrations, size_t count, struct fault *fault)
{
    const struct database_options options = options_of(path, migrations, count);
    struct database *database;
    struct loop loop;
    struct io *io;
    int r;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    r = database_open(&loop, &options, &database, fault);
    if (r == 0)
        database_close(database);
    loop_done(&loop);
    io_linux_close(io);
    return r;
}

int write_it(struct database *database, int (*work)(struct sql *sql, void *argument), void *argument)
{
    struct transaction transaction = { .work = work, .argument = argument };
    int r;

    arena_init(&transaction.memory, NULL, MIB);
    r = database_write(database, &transaction);
    arena_done(&transaction.memory);
    return r;
}

int read_it(struct database *database, int (*work)(struct sql *sql, void *argument), void *argument)
{
    struct transaction transaction = { .work = work, .argument = argument };
    int r;

    arena_init(&transaction.memory, NULL, MIB);
    r = database_read(database, &transaction);
    arena_done(&transaction.memory);
    return r;
}

int run_text(struct sql *sql, const char *statement)
{
    return sql_run(sql, bytes_of_text(statement), SQL_NO_VALUES);
}

int64_t number_in(struct sql *sql, const char *query)
{
    struct sql_rows *rows;
    int64_t found = -1;

    if (sql_query(sql, bytes_of_text(query), SQL_NO_VALUES, &rows) < 0)
        return -1;
    if (sql_rows_next(rows) == 1)
        found = sql_row_integer(rows, 0);
    sql_rows_end(rows);
    return found;
}

struct text_work {
    const char *statement;
    int changed;
    int64_t number;
};

static int run_statement(struct sql *sql, void *argument)
{
    struct text_work *work = argument;

    work->changed = run_text(sql, work->statement);
    return MIN(work->changed, 0);
}

int write_text(struct database *database, const char *statement)
{
    struct text_work work = { .statement = statement };
    int r = write_it(database, run_statement, &work);

    return r < 0 ? r : work.changed;
}

int read_text(struct database *database, const char *statement)
{
    struct text_work work = { .statement = statement };
    int r = read_it(database, run_statement, &work);

    return r < 0 ? r : work.changed;
}

static int ask_number(struct sql *sql, void *argument)
{
    struct text_work *work = argument;

    work->number = number_in(sql, work->statement);
    return 0;
}

int64_t number_of(struct database *database, const char *query)
{
    struct text_work work = { .statement = query, .number = -1 };

    assert_int_equal(read_it(database, ask_number, &work), 0);
    return work.number;
}
