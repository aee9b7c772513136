/* Migrations: db/migrate.h. */
#include "db_help.h"

#include "base/alloc.h"
#include "db/migrate.h"
#include "faults.h"
#include "io/linux/linux.h"

#include <stdio.h>
#include <stdlib.h>

#define ONE "CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT) STRICT; INSERT INTO notes(text) VALUES ('first');"
#define TWO "ALTER TABLE notes ADD COLUMN size INTEGER NOT NULL DEFAULT 7;"

static void expect(const struct place *place, const char *const *migrations, size_t count, int error, const char *what)
{
    struct fault fault = { .line = 0 };
    char wanted[FAULT_TEXT_MAX];

    assert_int_equal(try_open(place->file, migrations, count, &fault), error);
    if (error == 0)
        return;
    (void)snprintf(wanted, sizeof(wanted), "can't migrate %s: %s", place->file, what);
    assert_string_equal(fault.what, wanted);
}

static void fresh_body(struct database *database, void *context)
{
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 1);
    assert_int_equal(number_of(database, "SELECT count(*) FROM weft_migrations"), 1);
}

static void upgraded_body(struct database *database, void *context)
{
    assert_int_equal(number_of(database, "SELECT sum(size) FROM notes"), 7); /* the first was not applied again */
    assert_int_equal(number_of(database, "SELECT count(*) FROM weft_migrations"), 2);
    assert_int_equal(
        number_of(database, "SELECT count(*) FROM weft_migrations WHERE applied LIKE '20__-__-__T__:__:__Z'"), 2);
}

static void test_each_is_applied_once(void **state)
{
    static const char *const first[] = { ONE, NULL }, *const both[] = { ONE, TWO, NULL };
    struct place place;

    place_make(&place);
    with_database(&place, first, fresh_body, NULL);
    with_database(&place, first, fresh_body, NULL);
    with_database(&place, both, upgraded_body, NULL);
    with_database(&place, both, upgraded_body, NULL);
    place_remove(&place);
}

static void test_changed_and_newer_are_refused(void **state)
{
    static const char *const both[] = { ONE, TWO }, *const changed[] = { ONE " ", TWO };
    struct place place;

    place_make(&place);
    expect(&place, both, 2, 0, "");
    expect(&place, changed, 2, -EEXIST,
           "migration 1: it was changed after this file had got it: leave it as it was, and add a new one");
    expect(&place, both, 1, -EEXIST, "the file was migrated by a newer program, which has more migrations");
    expect(&place, both, 2, 0, "");
    place_remove(&place);
}

static void undone_body(struct database *database, void *context)
{
    assert_int_equal(number_of(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
    assert_int_equal(number_of(database, "SELECT count(*) FROM weft_migrations"), 1);
}

static void test_a_failing_one_does_nothing(void **state)
{
    static const char *const first[] = { ONE, NULL };
    static const struct {
        const char *script;
        int error;
        const char *what;
    } FAILING[] = {
        { "CREATE TABLE half(id INTEGER); INSERT INTO nowhere VALUES (1);", -EINVAL, "no such table: nowhere" },
        { "CREATE TABLE half(id INTEGER); COMMIT; SELEKT 1;", -EACCES, "not authorized" },
        { "CREATE TABLE half(id INTEGER); ATTACH ':memory:' AS other;", -EACCES, "not authorized" },
        { "CREATE TABLE half(id INTEGER); INSERT INTO notes(id, text) VALUES (1, 'again');", -EEXIST,
          "UNIQUE constraint failed: notes.id" },
    };
    struct place place;

    place_make(&place);
    for (unsigned i = 0; i < ARRAY_LEN(FAILING); i++) {
        const char *const scripts[] = { ONE, FAILING[i].script };
        char what[200];

        (void)snprintf(what, sizeof(what), "migration 2: %s", FAILING[i].what);
        expect(&place, scripts, 2, FAILING[i].error, what);
        with_database(&place, first, undone_body, NULL);
    }
    place_remove(&place);
}

static void test_bounds(void **state)
{
    const char **many = mem_zalloc_array(DB_MIGRATIONS_MAX + 1, sizeof(*many));
    char *large = mem_alloc(DB_MIGRATION_TEXT_MAX + 2);
    const char *const larges[] = { large }, *const missing[] = { NULL };
    struct place place;

    assert_non_null(many);
    assert_non_null(large);
    place_make(&place);
    for (unsigned i = 0; i <= DB_MIGRATIONS_MAX; i++)
        many[i] = "SELECT 1";
    expect(&place, many, DB_MIGRATIONS_MAX + 1, -EINVAL, "there are too many migrations");
    expect(&place, missing, 1, -EINVAL, "migration 1: there is no text");
    memset(large, ' ', DB_MIGRATION_TEXT_MAX + 1);
    large[DB_MIGRATION_TEXT_MAX + 1] = '\0';
    expect(&place, larges, 1, -EMSGSIZE, "migration 1: it is too long");
    large[DB_MIGRATION_TEXT_MAX] = '\0';
    expect(&place, larges, 1, 0, "");
    place_remove(&place);
    mem_free(large);
    mem_free(many);
}

static void test_what_can_not_be_opened(void **state)
{
    struct fault fault = { .line = 0 };
    struct place place;
    char path[HELP_PATH_MAX + 32];
    FILE *file;

    place_make(&place);
    (void)snprintf(path, sizeof(path), "%s/none/test.db", place.folder);
    assert_int_equal(try_open(path, NULL, 0, &fault), -EIO);
    assert_non_null(strstr(fault.what, "unable to open database file"));
    assert_non_null(strstr(fault.hint, "folder"));
    file = fopen(place.file, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(fputs("this is no database\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(try_open(place.file, NULL, 0, &fault), -EIO);
    assert_non_null(strstr(fault.what, "file is not a database"));
    assert_int_equal(try_open(":memory:", NULL, 0, &fault), -EINVAL);
    assert_non_null(strstr(fault.what, "write-ahead log"));
    place_remove(&place);
}

/* With one migration. */
static int open_with(const struct place *place, int64_t open_ns, const char *const *migrations, struct fault *fault)
{
    const struct database_options options = { .path = place->file,
                                              .migrations = migrations,
                                              .migration_count = 1,
                                              .readers = 1,
                                              .busy_ns = NS_PER_S,
                                              .open_ns = open_ns };
    struct loop loop = { .now_ns = 0 };
    struct database *database;
    struct io *io;
    int r = io_linux_open(&io);

    if (r < 0)
        return r;
    loop.io = io;
    r = database_open(&loop, &options, &database, fault);
    if (r == 0)
        database_close(database);
    io_linux_close(io);
    return r;
}

static void test_opening_waits_for_others_a_while(void **state)
{
    static const char *const first[] = { ONE };
    struct fault fault = { .line = 0 };
    struct place place;
    sqlite3 *other;

    place_make(&place);
    expect(&place, first, 1, 0, "");
    assert_int_equal(sqlite3_open(place.file, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(open_with(&place, 100 * NS_PER_MS, first, &fault), -EBUSY);
    assert_non_null(strstr(fault.what, "database is locked"));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(open_with(&place, 100 * NS_PER_MS, first, &fault), 0);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    place_remove(&place);
}

static int open_once(void *context)
{
    static const char *const first[] = { ONE };
    struct fault fault = { .line = 0 };

    return open_with(context, NS_PER_S, first, &fault);
}

static void test_no_memory(void **state)
{
    struct place place;

    place_make(&place);
    assert_true(faults_each(open_once, &place) > 1);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_applied_once),
        cmocka_unit_test(test_changed_and_newer_are_refused),
        cmocka_unit_test(test_a_failing_one_does_nothing),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_opening_waits_for_others_a_while),
        cmocka_unit_test(test_what_can_not_be_opened),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("db/migrate", tests, NULL, NULL);
}
