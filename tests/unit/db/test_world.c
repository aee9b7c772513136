/* A database in the simulated world, whose lanes run a job at the moment at which it would have ended. */
#include "db_help.h"

#include "../io/fiber_help.h"

static const char *const SCHEMA[] = { "CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT) STRICT;" };

struct client {
    struct task task;
    struct database *database;
    int result;
};

static int add_note(struct sql *sql, void *argument)
{
    return MIN(run_text(sql, "INSERT INTO notes(text) VALUES ('a note')"), 0);
}

static int client_run(struct task *task)
{
    struct client *client = container_of(task, struct client, task);

    client->result = write_it(client->database, add_note, NULL);
    return 0;
}

static void many_write(struct database *database)
{
    struct client clients[20] = { { .result = -EPROTO } };
    struct scope scope;
    struct task *task;

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < ARRAY_LEN(clients); i++) {
        clients[i] = (struct client){ .task.run = client_run, .database = database, .result = -EPROTO };
        assert_int_equal(scope_spawn(&scope, &clients[i].task), 0);
    }
    while (scope_wait(&scope, &task) == 0)
        ;
    (void)scope_close(&scope);
    for (unsigned i = 0; i < ARRAY_LEN(clients); i++)
        assert_int_equal(clients[i].result, 0);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), ARRAY_LEN(clients));
    assert_int_equal(database_commits(database), 2);
}

static void world_body(struct loop *loop, void *context)
{
    const struct place *place = context;
    const struct database_options options = { .path = place->file,
                                              .migrations = SCHEMA,
                                              .migration_count = 1,
                                              .readers = 2,
                                              .busy_ns = NS_PER_S,
                                              .open_ns = NS_PER_S };
    struct fault fault = { .line = 0 };
    struct database *database;
    struct scope scope;

    assert_int_equal(database_open(loop, &options, &database, &fault), 0);
    many_write(database);
    scope_open(&scope, loop->now_ns + 1); /* over before any job can have ended */
    assert_int_equal(write_it(database, add_note, NULL), -ETIME);
    (void)scope_close(&scope);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 20);
    database_close(database);
}

static void test_runs_in_both_worlds(void **state)
{
    struct place place;

    place_make(&place);
    try_sim(NULL, world_body, &place);
    place_remove(&place);
    place_make(&place);
    try_linux(NULL, world_body, &place);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_runs_in_both_worlds) };

    return cmocka_run_group_tests_name("db/world", tests, NULL, NULL);
}
