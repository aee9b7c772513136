/* Several processes on one file, as the instances of a service are. */
#include "db_help.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 4
#define INCREMENTS 40

static const char *const SCHEMA[] = {
    "CREATE TABLE counter(value INTEGER NOT NULL) STRICT; INSERT INTO counter VALUES (0);",
    "CREATE TABLE log(value INTEGER PRIMARY KEY) STRICT;",
    "ALTER TABLE log ADD COLUMN who INTEGER;",
    NULL,
};

/* Reads, decides, writes: right only if nobody else comes between. */
static int increment(struct sql *sql, void *argument)
{
    const int64_t *who = argument;
    int64_t value = number_in(sql, "SELECT value FROM counter");
    const struct sql_value values[] = { { .kind = SQL_INTEGER, .integer = value + 1 },
                                        { .kind = SQL_INTEGER, .integer = *who } };
    int r = sql_run(sql, BYTES("UPDATE counter SET value = ?"), (struct sql_values){ values, 1 });

    if (r == 1)
        r = sql_run(sql, BYTES("INSERT INTO log(value, who) VALUES (?, ?)"), (struct sql_values){ values, 2 });
    return MIN(r, 0);
}

/* Patient: with a slow disk and so many others its turn may come late. */
static void increment_body(struct database *database, void *context)
{
    for (unsigned i = 0; i < INCREMENTS; i++) {
        int r;

        do
            r = write_it(database, increment, context);
        while (r == -EBUSY);
        if (r < 0)
            _exit(1);
    }
}

static pid_t child_start(const struct place *place, void (*body)(struct database *database, void *context),
                         void *context)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child > 0)
        return child;
    with_database(place, SCHEMA, body, context);
    _exit(0);
}

static void all_body(struct database *database, void *context)
{
    const int64_t *wanted = context;

    assert_int_equal(number_of(database, "SELECT value FROM counter"), *wanted);
    assert_int_equal(number_of(database, "SELECT count(*) FROM log"), *wanted);
    assert_int_equal(number_of(database, "SELECT count(*) FROM weft_migrations"), 3);
}

/* All migrate the same new file, too. */
static void test_nothing_is_lost(void **state)
{
    int64_t who[CHILDREN], wanted = CHILDREN * INCREMENTS;
    pid_t children[CHILDREN];
    struct place place;

    place_make(&place);
    for (unsigned i = 0; i < CHILDREN; i++) {
        who[i] = i;
        children[i] = child_start(&place, increment_body, &who[i]);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    with_database(&place, SCHEMA, all_body, &wanted);
    place_remove(&place);
}

/* Says each commit that it was told of. */
static void say_body(struct database *database, void *context)
{
    const int *to = context;
    int64_t who = 0;

    while (write_it(database, increment, &who) == 0)
        if (write(*to, "+", 1) != 1)
            _exit(1);
    _exit(1);
}

/* The last one may have been committed and not told any more. */
static void killed_body(struct database *database, void *context)
{
    int64_t *told = context, value = number_of(database, "SELECT value FROM counter");

    assert_in_range(value, *told, *told + 1);
    assert_int_equal(number_of(database, "SELECT count(*) FROM log"), value);
    assert_int_equal(number_of(database, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
                     1);
    *told = value;
}

static void test_what_was_told_outlives_a_kill(void **state)
{
    int64_t told = 0;
    struct place place;

    place_make(&place);
    for (unsigned round = 0; round < 3; round++) {
        int pipes[2], status = -1;
        pid_t child;
        char said[64];
        ssize_t n;

        assert_int_equal(pipe(pipes), 0);
        child = child_start(&place, say_body, &pipes[1]);
        (void)close(pipes[1]);
        for (unsigned i = 0; i < 10 + 7 * round; i++) {
            assert_int_equal(read(pipes[0], said, 1), 1);
            told++;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while ((n = read(pipes[0], said, sizeof(said))) > 0)
            told += n;
        (void)close(pipes[0]);
        with_database(&place, SCHEMA, killed_body, &told);
    }
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_what_was_told_outlives_a_kill),
    };

    return cmocka_run_group_tests_name("db/processes", tests, NULL, NULL);
}
