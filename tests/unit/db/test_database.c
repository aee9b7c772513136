/* Transactions of many fibers on one database: db/database.h. */
#include "db_help.h"

#include "base/alloc.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *const SCHEMA[] = {
    "CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT;"
    "CREATE TABLE links(id INTEGER REFERENCES notes(id) DEFERRABLE INITIALLY DEFERRED) STRICT;",
    NULL,
};

#define NOTE(text) ((char[]){ text })
#define ENDLESS "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) "

static void on_notes(void (*body)(struct database *database, void *context), void *context)
{
    struct place place;

    place_make(&place);
    with_database(&place, SCHEMA, body, context);
    place_remove(&place);
}

/* Holds the thread that writes, or one that reads, until the test lets go. */
static int hold(struct sql *sql, void *argument)
{
    atomic_int *state = argument;

    atomic_store(state, 1);
    while (atomic_load(state) == 1)
        (void)sqlite3_sleep(1);
    return 0;
}

static void wait_held(const atomic_int *state)
{
    while (atomic_load(state) == 0)
        assert_int_equal(fiber_sleep(NS_PER_MS), 0);
}

/* A transaction on a fiber of its own. */
struct client {
    struct task task;
    struct database *database;
    int (*work)(struct sql *sql, void *argument);
    void *argument;
    int64_t limit_ns; /* 0: none */
    bool reads, done;
    int result;
};

static int client_run(struct task *task)
{
    struct client *client = container_of(task, struct client, task);
    struct scope scope;

    scope_open(&scope, client->limit_ns ? loop_after(loop_current(), client->limit_ns) : TIME_NEVER);
    client->result = (client->reads ? read_it : write_it)(client->database, client->work, client->argument);
    client->done = true;
    (void)scope_close(&scope);
    return 0;
}

static void client_start(struct client *client, struct scope *scope, struct database *database,
                         int (*work)(struct sql *sql, void *argument), void *argument)
{
    client->task.run = client_run;
    client->database = database;
    client->work = work;
    client->argument = argument;
    assert_int_equal(scope_spawn(scope, &client->task), 0);
}

static void all_ended(struct scope *scope)
{
    struct task *task;

    while (scope_wait(scope, &task) == 0)
        ;
}

static int add_note(struct sql *sql, void *argument)
{
    const struct sql_value value = { .kind = argument ? SQL_TEXT : SQL_NULL, .bytes = bytes_of_text(argument) };

    return MIN(sql_run(sql, BYTES("INSERT INTO notes(text) VALUES (?)"), (struct sql_values){ &value, 1 }), 0);
}

static int add_then_fail(struct sql *sql, void *argument)
{
    int r = add_note(sql, argument);

    return r < 0 ? r : -EHOSTDOWN;
}

/* Wrong at the end of the transaction only. */
static int link_to_nothing(struct sql *sql, void *argument)
{
    int r = add_note(sql, argument);

    return r < 0 ? r : MIN(run_text(sql, "INSERT INTO links VALUES (1000)"), 0);
}

static int add_endlessly(struct sql *sql, void *argument)
{
    return MIN(run_text(sql, ENDLESS "INSERT INTO notes(text) SELECT 'n' || i FROM n"), 0);
}

static int look_endlessly(struct sql *sql, void *argument)
{
    return MIN(run_text(sql, ENDLESS "SELECT max(i) FROM n"), 0);
}

/* --- one at a time ------------------------------------------------------------------------------------------- */

static void alone_body(struct database *database, void *context)
{
    uint64_t before = database_commits(database);

    assert_int_equal(write_it(database, add_note, NOTE("one")), 0);
    assert_int_equal(write_it(database, add_then_fail, NOTE("two")), -EHOSTDOWN);
    assert_int_equal(write_it(database, add_note, NOTE("one")), -EEXIST);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 1);
    assert_int_equal(database_commits(database) - before, 1);
}

static void test_commits_or_does_nothing(void **state)
{
    on_notes(alone_body, NULL);
}

static void readers_body(struct database *database, void *context)
{
    atomic_int held = 0;
    struct client writer = { .done = false };
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    client_start(&writer, &scope, database, hold, &held);
    wait_held(&held);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 0); /* beside one that writes */
    assert_false(writer.done);
    atomic_store(&held, 2);
    all_ended(&scope);
    assert_int_equal(writer.result, 0);
    (void)scope_close(&scope);
}

static void test_reads_beside_a_writer(void **state)
{
    on_notes(readers_body, NULL);
}

/* --- groups -------------------------------------------------------------------------------------------------- */

static void group_body(struct database *database, void *context)
{
    static const char *const TEXTS[] = { "a", "b", "c", "d", "a", "e", "f", "g", "h", "i" };
    struct client first = { .done = false }, clients[ARRAY_LEN(TEXTS)] = { { .done = false } };
    atomic_int held = 0;
    struct scope scope;
    uint64_t before;

    scope_open(&scope, TIME_NEVER);
    client_start(&first, &scope, database, hold, &held);
    wait_held(&held);
    before = database_commits(database);
    for (unsigned i = 0; i < ARRAY_LEN(TEXTS); i++)
        client_start(&clients[i], &scope, database,
                     i == 2   ? add_then_fail
                     : i == 7 ? link_to_nothing
                              : add_note,
                     (void *)(uintptr_t)TEXTS[i]);
    assert_int_equal(fiber_sleep(2 * NS_PER_MS), 0);
    atomic_store(&held, 2);
    all_ended(&scope);
    for (unsigned i = 0; i < ARRAY_LEN(TEXTS); i++)
        assert_int_equal(clients[i].result, i == 2 ? -EHOSTDOWN : i == 4 ? -EEXIST : i == 7 ? -ENOENT : 0);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), ARRAY_LEN(TEXTS) - 3);
    assert_int_equal(number_of(database, "SELECT count(*) FROM links"), 0);
    assert_int_equal(database_commits(database) - before, 2); /* the holder's and one for all others */
    (void)scope_close(&scope);
}

static void test_those_that_wait_share_a_commit(void **state)
{
    on_notes(group_body, NULL);
}

static void broken_body(struct database *database, void *context)
{
    struct client first = { .done = false }, before = { .done = false }, after = { .done = false };
    struct client endless = { .limit_ns = 300 * NS_PER_MS };
    atomic_int held = 0;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    client_start(&first, &scope, database, hold, &held);
    wait_held(&held);
    client_start(&before, &scope, database, add_note, NOTE("before"));
    client_start(&endless, &scope, database, add_endlessly, NULL);
    client_start(&after, &scope, database, add_note, NOTE("after"));
    assert_int_equal(fiber_sleep(2 * NS_PER_MS), 0);
    atomic_store(&held, 2);
    all_ended(&scope);
    assert_int_equal(endless.result, -ETIME);
    assert_int_equal(before.result, -EAGAIN); /* SQLite took it back with the interrupted change */
    assert_int_equal(after.result, 0);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 1);
    (void)scope_close(&scope);
}

static void test_an_interrupted_change_breaks_its_group(void **state)
{
    on_notes(broken_body, NULL);
}

static void many_body(struct database *database, void *context)
{
    const unsigned count = DB_WAITING_MAX + 1;
    struct client *clients = mem_zalloc_array(count, sizeof(*clients)), first = { .done = false };
    unsigned refused = 0;
    atomic_int held = 0;
    struct scope scope;
    uint64_t before;

    assert_non_null(clients);
    scope_open(&scope, TIME_NEVER);
    client_start(&first, &scope, database, hold, &held);
    wait_held(&held);
    before = database_commits(database);
    for (unsigned i = 0; i < count; i++)
        client_start(&clients[i], &scope, database, add_note, NULL);
    assert_int_equal(fiber_sleep(5 * NS_PER_MS), 0);
    atomic_store(&held, 2);
    all_ended(&scope);
    for (unsigned i = 0; i < count; i++)
        refused += clients[i].result == -EAGAIN;
    assert_int_equal(refused, 1);
    assert_int_equal(clients[count - 1].result, -EAGAIN);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), DB_WAITING_MAX);
    assert_int_equal(database_commits(database) - before, 1 + DB_WAITING_MAX / DB_GROUP_MAX);
    (void)scope_close(&scope);
    mem_free(clients);
}

static void test_waiting_and_groups_are_bounded(void **state)
{
    on_notes(many_body, NULL);
}

/* --- the end of whoever waits -------------------------------------------------------------------------------- */

static void expect_stopped(struct database *database, bool reads, int (*work)(struct sql *sql, void *argument))
{
    struct client client = { .limit_ns = 50 * NS_PER_MS, .reads = reads };
    int64_t started = loop_clock(loop_current());
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    client_start(&client, &scope, database, work, NULL);
    all_ended(&scope);
    (void)scope_close(&scope);
    assert_int_equal(client.result, -ETIME);
    assert_true(loop_clock(loop_current()) - started < 5 * NS_PER_S);
}

static int add_after_the_end(struct sql *sql, void *argument)
{
    (void)sqlite3_sleep(100); /* nothing that could be interrupted */
    return add_note(sql, NOTE("late")) < 0 ? 0 : -EPROTO;
}

static void stopped_body(struct database *database, void *context)
{
    expect_stopped(database, true, look_endlessly);
    expect_stopped(database, false, look_endlessly);
    expect_stopped(database, false, add_endlessly);
    expect_stopped(database, false, add_after_the_end);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 0);
    assert_int_equal(write_it(database, add_note, NOTE("it goes on")), 0);
}

static void test_the_end_interrupts(void **state)
{
    on_notes(stopped_body, NULL);
}

static void queued_body(struct database *database, void *context)
{
    struct client first = { .done = false }, waits = { .limit_ns = 20 * NS_PER_MS };
    atomic_int held = 0;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    client_start(&first, &scope, database, hold, &held);
    wait_held(&held);
    client_start(&waits, &scope, database, add_note, NOTE("never"));
    assert_int_equal(fiber_sleep(60 * NS_PER_MS), 0);
    assert_true(waits.done); /* it does not wait for its turn */
    assert_int_equal(waits.result, -ETIME);
    atomic_store(&held, 2);
    all_ended(&scope);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 0);
    (void)scope_close(&scope);
}

static void gone_body(struct database *database, void *context)
{
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    scope_cancel(&scope);
    assert_int_equal(write_it(database, add_note, NOTE("never")), -ECANCELED);
    assert_int_equal(read_it(database, add_note, NOTE("never")), -ECANCELED);
    (void)scope_close(&scope);
}

static void test_nobody_waits_beyond_the_end(void **state)
{
    on_notes(queued_body, NULL);
    on_notes(gone_body, NULL);
}

/* --- others that have the file ------------------------------------------------------------------------------- */

static sqlite3 *other_open(const struct place *place)
{
    sqlite3 *other;

    assert_int_equal(sqlite3_open(place->file, &other), SQLITE_OK);
    return other;
}

static void other_does(sqlite3 *other, const char *script)
{
    assert_int_equal(sqlite3_exec(other, script, NULL, NULL, NULL), SQLITE_OK);
}

static void busy_body(struct database *database, void *context)
{
    struct client late = { .limit_ns = 60 * NS_PER_MS }, patient = { .done = false };
    sqlite3 *other = other_open(context);
    int64_t started = loop_clock(loop_current());
    struct scope scope;

    other_does(other, "BEGIN IMMEDIATE");
    assert_int_equal(write_it(database, add_note, NOTE("never")), -EBUSY);
    assert_in_range(loop_clock(loop_current()) - started, HELP_BUSY_NS, 10 * HELP_BUSY_NS);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 0); /* who reads is not held up */
    scope_open(&scope, TIME_NEVER);
    client_start(&late, &scope, database, add_note, NOTE("never"));
    client_start(&patient, &scope, database, add_note, NOTE("patient"));
    assert_int_equal(fiber_sleep(120 * NS_PER_MS), 0);
    assert_true(late.done && !patient.done);
    assert_int_equal(late.result, -ETIME);
    other_does(other, "COMMIT");
    all_ended(&scope);
    assert_int_equal(patient.result, 0);
    (void)scope_close(&scope);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 1);
}

static void test_waits_for_others_but_not_for_ever(void **state)
{
    struct place place;

    place_make(&place);
    with_database(&place, SCHEMA, busy_body, &place);
    place_remove(&place);
}

/* Goes on as if nothing had happened. */
static int overlook_a_full_disk(struct sql *sql, void *argument)
{
    int *results = argument;

    results[0] = add_note(sql, NOTE("before"));
    results[1] = run_text(sql, ENDLESS "INSERT INTO notes(text) SELECT 'n' || i FROM n");
    results[2] = add_note(sql, NOTE("after"));
    return 0;
}

static void expect_overlooking_in_vain(struct database *database)
{
    int results[3] = { 1, 1, 1 };

    assert_int_equal(write_it(database, overlook_a_full_disk, results), -ENOSPC);
    assert_int_equal(results[0], 0);
    assert_int_equal(results[1], -ENOSPC);
    assert_int_equal(results[2], -ENOSPC);
}

static void full_body(struct database *database, void *context)
{
    struct client first = { .done = false }, small = { .done = false }, large = { .done = false };
    atomic_int held = 0;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    client_start(&first, &scope, database, hold, &held);
    wait_held(&held);
    client_start(&large, &scope, database, add_endlessly, NULL);
    assert_int_equal(fiber_sleep(2 * NS_PER_MS), 0);
    atomic_store(&held, 2);
    all_ended(&scope);
    client_start(&small, &scope, database, add_note, NOTE("small"));
    all_ended(&scope);
    expect_overlooking_in_vain(database);
    assert_int_equal(large.result, -ENOSPC);
    assert_int_equal(small.result, 0);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 1);
    (void)scope_close(&scope);
}

static void test_a_full_disk_undoes_and_goes_on(void **state)
{
    static const char *const small[] = { "CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT;"
                                         "PRAGMA max_page_count = 20;",
                                         NULL };
    struct place place;

    place_make(&place);
    with_database(&place, small, full_body, NULL);
    place_remove(&place);
}

/* The log can't grow: what was written to it until now is all that fits. */
static void log_limit(const struct place *place, bool limited)
{
    struct rlimit limit;
    char path[HELP_PATH_MAX + 32];
    struct stat found;

    (void)snprintf(path, sizeof(path), "%s-wal", place->file);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limited ? (rlim_t)found.st_size + 100 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void commit_fails_body(struct database *database, void *context)
{
    struct client first = { .done = false }, clients[3] = { { .done = false } };
    uint64_t before = database_commits(database);
    atomic_int held = 0;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    client_start(&first, &scope, database, hold, &held);
    wait_held(&held);
    for (unsigned i = 0; i < ARRAY_LEN(clients); i++)
        client_start(&clients[i], &scope, database, i == 1 ? add_then_fail : add_note, NULL);
    assert_int_equal(fiber_sleep(2 * NS_PER_MS), 0);
    log_limit(context, true);
    atomic_store(&held, 2);
    all_ended(&scope);
    (void)scope_close(&scope);
    log_limit(context, false);
    for (unsigned i = 0; i < ARRAY_LEN(clients); i++)
        assert_int_equal(clients[i].result, i == 1 ? -EHOSTDOWN : -EIO);
    assert_int_equal(database_commits(database) - before, 1); /* the holder's, which had nothing to write */
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 0);
    assert_int_equal(write_it(database, add_note, NOTE("fine again")), 0);
    assert_int_equal(number_of(database, "SELECT count(*) FROM notes"), 1);
}

static void test_a_failed_commit_is_told_to_all(void **state)
{
    struct place place;

    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    place_make(&place);
    with_database(&place, SCHEMA, commit_fails_body, &place);
    place_remove(&place);
}

/* --- readers ------------------------------------------------------------------------------------------------- */

static void all_readers_body(struct database *database, void *context)
{
    struct client clients[2] = { { .reads = true }, { .reads = true } },
                  third = { .reads = true, .limit_ns = 30 * NS_PER_MS };
    atomic_int held[2] = { 0, 0 };
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < 2; i++)
        client_start(&clients[i], &scope, database, hold, &held[i]);
    for (unsigned i = 0; i < 2; i++)
        wait_held(&held[i]); /* side by side */
    client_start(&third, &scope, database, add_note, NULL);
    assert_int_equal(fiber_sleep(60 * NS_PER_MS), 0);
    assert_true(third.done); /* it does not wait for its turn */
    for (unsigned i = 0; i < 2; i++)
        atomic_store(&held[i], 2);
    all_ended(&scope);
    assert_int_equal(third.result, -ETIME);
    assert_int_equal(clients[0].result, 0);
    assert_int_equal(clients[1].result, 0);
    (void)scope_close(&scope);
}

static void test_readers_run_side_by_side(void **state)
{
    on_notes(all_readers_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_or_does_nothing),
        cmocka_unit_test(test_reads_beside_a_writer),
        cmocka_unit_test(test_those_that_wait_share_a_commit),
        cmocka_unit_test(test_an_interrupted_change_breaks_its_group),
        cmocka_unit_test(test_waiting_and_groups_are_bounded),
        cmocka_unit_test(test_the_end_interrupts),
        cmocka_unit_test(test_nobody_waits_beyond_the_end),
        cmocka_unit_test(test_waits_for_others_but_not_for_ever),
        cmocka_unit_test(test_a_full_disk_undoes_and_goes_on),
        cmocka_unit_test(test_a_failed_commit_is_told_to_all),
        cmocka_unit_test(test_readers_run_side_by_side),
    };

    return cmocka_run_group_tests_name("db/database", tests, NULL, NULL);
}
