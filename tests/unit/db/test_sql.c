/* Statements, values, rows and errors within a transaction: db/sql.h. */
#include "db_help.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>

static const char *const SCHEMA[] = {
    "CREATE TABLE items(sku TEXT PRIMARY KEY, stock INTEGER NOT NULL CHECK (stock >= 0)) STRICT;"
    "CREATE TABLE lines(id INTEGER PRIMARY KEY, sku TEXT REFERENCES items(sku)) STRICT;"
    "CREATE TABLE late(sku TEXT REFERENCES items(sku) DEFERRABLE INITIALLY DEFERRED) STRICT;"
    "CREATE TABLE any(value ANY);"
    "CREATE TRIGGER no_pans BEFORE INSERT ON items WHEN new.sku = 'pan' BEGIN SELECT RAISE(ABORT, 'no pans'); END;"
    "INSERT INTO items VALUES ('cup', 10), ('pot', 3);",
    NULL,
};

static void in_shop(void (*body)(struct database *database, void *context), void *context)
{
    struct place place;

    place_make(&place);
    with_database(&place, SCHEMA, body, context);
    place_remove(&place);
}

/* --- values and rows ----------------------------------------------------------------------------------------- */

struct seen {
    int changed, next, after;
    unsigned columns, columns_after;
    int64_t id, integer, integer_of_text, beyond;
    double number;
    bool same_text, same_bytes, null_is_null, empty_text, empty_bytes;
    enum sql_kind kinds[6];
};

static const struct sql_value VALUES[] = {
    { .kind = SQL_INTEGER, .integer = INT64_MIN },
    { .kind = SQL_NUMBER, .number = 0.5 },
    { .kind = SQL_TEXT, .bytes = { "caf\xc3\xa9", 5 } },
    { .kind = SQL_BYTES, .bytes = { "a\0b", 3 } },
    { .kind = SQL_NULL },
    { .kind = SQL_TEXT, .bytes = { "12", 2 } },
};

static int look_at_values(struct sql *sql, void *argument)
{
    struct seen *seen = argument;
    struct sql_rows *rows;
    int r = sql_query(sql, BYTES("SELECT ?, ?, ?, ?, ?, ?"), (struct sql_values){ VALUES, 6 }, &rows);

    if (r < 0)
        return r;
    seen->columns_after = sql_row_columns(rows); /* there is no row yet */
    seen->next = sql_rows_next(rows);
    seen->columns = sql_row_columns(rows);
    for (unsigned i = 0; i < 6; i++)
        seen->kinds[i] = sql_row_kind(rows, i);
    seen->integer = sql_row_integer(rows, 0);
    seen->number = sql_row_number(rows, 1);
    seen->same_text = bytes_equal(sql_row_text(rows, 2), VALUES[2].bytes) && sql_row_text(rows, 2).data[5] == '\0';
    seen->same_bytes = bytes_equal(sql_row_bytes(rows, 3), VALUES[3].bytes);
    seen->null_is_null = !sql_row_text(rows, 4).data && sql_row_integer(rows, 4) == 0;
    seen->integer_of_text = sql_row_integer(rows, 5);
    seen->beyond = sql_row_integer(rows, 6);
    seen->after = sql_rows_next(rows);
    seen->columns_after += sql_row_columns(rows);
    return sql_rows_next(rows); /* the end, ever after */
}

static int look_at_empty(struct sql *sql, void *argument)
{
    const struct sql_value values[] = { { .kind = SQL_TEXT }, { .kind = SQL_BYTES } };
    struct seen *seen = argument;
    struct sql_rows *rows;
    int r = sql_query(sql, BYTES("SELECT ?, ? ; "), (struct sql_values){ values, 2 }, &rows);

    if (r < 0 || sql_rows_next(rows) != 1)
        return -EPROTO;
    seen->empty_text = sql_row_kind(rows, 0) == SQL_TEXT && sql_row_text(rows, 0).data &&
                       sql_row_text(rows, 0).len == 0;
    seen->empty_bytes = sql_row_kind(rows, 1) == SQL_BYTES && sql_row_bytes(rows, 1).len == 0;
    return 0; /* the rows end with the transaction */
}

static void values_body(struct database *database, void *context)
{
    const enum sql_kind kinds[] = { SQL_INTEGER, SQL_NUMBER, SQL_TEXT, SQL_BYTES, SQL_NULL, SQL_TEXT };
    struct seen seen = { .next = -1 };

    assert_int_equal(read_it(database, look_at_values, &seen), 0);
    assert_int_equal(seen.next, 1);
    assert_int_equal(seen.after, 0);
    assert_int_equal(seen.columns, 6);
    assert_int_equal(seen.columns_after, 0);
    assert_memory_equal(seen.kinds, kinds, sizeof(kinds));
    assert_true(seen.integer == INT64_MIN);
    assert_true(fabs(seen.number - 0.5) < 1e-9);
    assert_true(seen.same_text && seen.same_bytes && seen.null_is_null);
    assert_int_equal(seen.integer_of_text, 12);
    assert_int_equal(seen.beyond, 0);
    assert_int_equal(write_it(database, look_at_empty, &seen), 0);
    assert_true(seen.empty_text && seen.empty_bytes);
}

static void test_values_come_back(void **state)
{
    in_shop(values_body, NULL);
}

static int count_changes(struct sql *sql, void *argument)
{
    int *counts = argument;

    counts[0] = run_text(sql, "UPDATE items SET stock = stock + 1");
    counts[1] = run_text(sql, "SELECT * FROM items");
    counts[2] = run_text(sql, "UPDATE items SET stock = 0 WHERE sku = 'lid'");
    counts[3] = run_text(sql, "CREATE TABLE more(id INTEGER PRIMARY KEY)");
    counts[4] = run_text(sql, "INSERT INTO more VALUES (41), (42) RETURNING id");
    counts[5] = (int)sql_last_id(sql);
    return 0;
}

static void counts_body(struct database *database, void *context)
{
    const int wanted[] = { 2, 0, 0, 0, 2, 42 };
    int counts[6] = { -1 };

    assert_int_equal(write_it(database, count_changes, counts), 0);
    assert_memory_equal(counts, wanted, sizeof(wanted));
    assert_int_equal(number_of(database, "SELECT count(*) FROM more"), 2);
}

static void test_changes_are_counted(void **state)
{
    in_shop(counts_body, NULL);
}

/* --- errors -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *statement;
    int error;
} WRONG[] = {
    { "INSERT INTO items VALUES ('cup', 1)", -EEXIST },
    { "INSERT INTO lines VALUES (1, 'lid')", -ENOENT },
    { "INSERT INTO late VALUES ('lid')", -ENOENT }, /* at the end of the transaction */
    { "UPDATE items SET stock = -1", -ERANGE },
    { "INSERT INTO items VALUES ('lid', NULL)", -ERANGE },
    { "INSERT INTO items VALUES ('lid', 'many')", -ERANGE },
    { "INSERT INTO items VALUES ('pan', 1)", -ERANGE },
    { "SELEKT 1", -EINVAL },
    { "SELECT * FROM nowhere", -EINVAL },
    { "SELECT \"cup\"", -EINVAL }, /* no column of that name: not taken for a text */
    { "SELECT 1; SELECT 2", -EINVAL },
    { "", -EINVAL },
    { "-- nothing", -EINVAL },
    { "SELECT ?", -EINVAL },
    { "BEGIN", -EACCES },
    { "COMMIT", -EACCES },
    { "ROLLBACK", -EACCES },
    { "SAVEPOINT mine", -EACCES },
    { "RELEASE weft", -EACCES },
    { "ATTACH ':memory:' AS other", -EACCES },
    { "PRAGMA synchronous = OFF", -EACCES },
    { "SELECT zeroblob(16777217)", -EMSGSIZE },
};

static void errors_body(struct database *database, void *context)
{
    for (unsigned i = 0; i < ARRAY_LEN(WRONG); i++) {
        int r = write_text(database, WRONG[i].statement);

        if (r != WRONG[i].error)
            fail_msg("%s: %d instead of %d", WRONG[i].statement, r, WRONG[i].error);
    }
    assert_int_equal(read_text(database, "UPDATE items SET stock = 1"), -EROFS);
    assert_int_equal(number_of(database, "SELECT sum(stock) FROM items"), 13);
    assert_int_equal(number_of(database, "SELECT count(*) FROM lines"), 0);
    assert_int_equal(number_of(database, "PRAGMA synchronous"), 2); /* FULL */
}

static void test_errors_have_their_numbers(void **state)
{
    in_shop(errors_body, NULL);
}

struct told {
    char first[200], none[8], reason[FAULT_TEXT_MAX];
};

static int ask_reason(struct sql *sql, void *argument)
{
    struct told *told = argument;

    (void)snprintf(told->none, sizeof(told->none), "%s", sql_reason(sql));
    if (run_text(sql, "INSERT INTO items VALUES ('cup', 1)") != -EEXIST)
        return -EPROTO;
    (void)snprintf(told->first, sizeof(told->first), "%s", sql_reason(sql));
    return run_text(sql, "INSERT INTO items VALUES ('lid', 1)") == 1 ? 0 : -EPROTO; /* it goes on */
}

static void reason_body(struct database *database, void *context)
{
    struct transaction transaction = { .work = ask_reason };
    struct told told = { .first = "" };

    transaction.argument = &told;
    arena_init(&transaction.memory, NULL, 1024);
    assert_int_equal(database_write(database, &transaction), 0);
    assert_string_equal(told.none, "");
    assert_string_equal(told.first, "UNIQUE constraint failed: items.sku (INSERT INTO items VALUES ('cup', 1))");
    assert_int_equal(number_of(database, "SELECT count(*) FROM items"), 3);
    assert_int_equal(transaction.failed, -EEXIST);
    assert_string_equal(transaction.reason, told.first);
}

static void test_reasons_name_the_statement(void **state)
{
    in_shop(reason_body, NULL);
}

/* --- bounds -------------------------------------------------------------------------------------------------- */

static int too_many_values(struct sql *sql, void *argument)
{
    struct sql_value values[DB_VALUES_MAX + 1] = { { .kind = SQL_NULL } };
    char memory[DB_VALUES_MAX * 3 + 32];
    struct text text = text_into(memory, sizeof(memory));
    int *results = argument;

    for (unsigned count = DB_VALUES_MAX; count <= DB_VALUES_MAX + 1; count++) {
        text.len = 0;
        text_add(&text, BYTES("SELECT ?"));
        for (unsigned i = 1; i < count; i++)
            text_add(&text, BYTES(",?"));
        results[count - DB_VALUES_MAX] = sql_run(sql, text_bytes(&text), (struct sql_values){ values, count });
    }
    return 0;
}

static int deep_expressions(struct sql *sql, void *argument)
{
    char memory[DB_EXPRESSION_DEPTH_MAX * 4 + 32];
    struct text text = text_into(memory, sizeof(memory));
    int *results = argument;

    for (unsigned depth = DB_EXPRESSION_DEPTH_MAX; depth <= DB_EXPRESSION_DEPTH_MAX + 1; depth++) {
        text.len = 0;
        text_add(&text, BYTES("SELECT 1"));
        for (unsigned i = 1; i < depth; i++)
            text_add(&text, BYTES("+1"));
        results[depth - DB_EXPRESSION_DEPTH_MAX] = sql_run(sql, text_bytes(&text), SQL_NO_VALUES);
    }
    return 0;
}

static int long_statement(struct sql *sql, void *argument)
{
    char *memory = mem_alloc(DB_STATEMENT_TEXT_MAX + 1);
    int *results = argument;

    if (!memory)
        return -ENOMEM;
    memset(memory, ' ', DB_STATEMENT_TEXT_MAX + 1);
    memcpy(memory, "SELECT 1", 8);
    results[0] = sql_run(sql, bytes_of(memory, DB_STATEMENT_TEXT_MAX), SQL_NO_VALUES);
    results[1] = sql_run(sql, bytes_of(memory, DB_STATEMENT_TEXT_MAX + 1), SQL_NO_VALUES);
    mem_free(memory);
    return 0;
}

static int large_value(struct sql *sql, void *argument)
{
    struct sql_value value = { .kind = SQL_BYTES };
    char *memory = mem_zalloc(DB_VALUE_SIZE_MAX + 1);
    int *results = argument;

    if (!memory)
        return -ENOMEM;
    value.bytes = bytes_of(memory, DB_VALUE_SIZE_MAX - 100); /* a row takes some more than its value */
    results[0] = sql_run(sql, BYTES("INSERT INTO any VALUES (?)"), (struct sql_values){ &value, 1 }) - 1;
    value.bytes.len = DB_VALUE_SIZE_MAX + 1;
    results[1] = sql_run(sql, BYTES("INSERT INTO any VALUES (?)"), (struct sql_values){ &value, 1 });
    mem_free(memory);
    return 0;
}

static int many_rows_open(struct sql *sql, void *argument)
{
    struct sql_rows *rows[DB_ROWS_OPEN_MAX + 1];
    int *results = argument, r = 0;

    for (unsigned i = 0; i < DB_ROWS_OPEN_MAX && r == 0; i++) {
        r = sql_query(sql, BYTES("SELECT sku FROM items"), SQL_NO_VALUES, &rows[i]);
        if (r == 0)
            r = sql_rows_next(rows[i]) == 1 ? 0 : -EPROTO;
    }
    results[0] = r;
    results[1] = sql_query(sql, BYTES("SELECT 1"), SQL_NO_VALUES, &rows[DB_ROWS_OPEN_MAX]);
    sql_rows_end(rows[3]);
    return sql_query(sql, BYTES("SELECT 1"), SQL_NO_VALUES, &rows[3]);
}

static int many_statements(struct sql *sql, void *argument)
{
    int *results = argument;
    char statement[64];

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3 * DB_STATEMENTS_MAX; i++) {
            (void)snprintf(statement, sizeof(statement), "SELECT %d", i);
            if (number_in(sql, statement) != i)
                return -EPROTO;
        }
    results[0] = 0;
    results[1] = -E2BIG; /* there is no such thing as too many */
    return 0;
}

static void bounds_body(struct database *database, void *context)
{
    static const struct {
        int (*work)(struct sql *sql, void *argument);
        int beyond;
    } BOUNDS[] = {
        { too_many_values, -EINVAL }, { deep_expressions, -EINVAL }, { long_statement, -EMSGSIZE },
        { large_value, -EMSGSIZE },   { many_rows_open, -EMFILE },   { many_statements, -E2BIG },
    };

    for (unsigned i = 0; i < ARRAY_LEN(BOUNDS); i++) {
        int results[2] = { 1, 1 };

        assert_int_equal(write_it(database, BOUNDS[i].work, results), 0);
        assert_int_equal(results[0], 0);
        assert_int_equal(results[1], BOUNDS[i].beyond);
    }
}

static void test_bounds(void **state)
{
    in_shop(bounds_body, NULL);
}

static int carry_too_much(struct sql *sql, void *argument)
{
    bool *nothing = argument;

    if (run_text(sql, "DELETE FROM items") != 2)
        return -EPROTO;
    *nothing = sql_alloc(sql, 2 * MIB) == NULL;
    if (run_text(sql, "DELETE FROM lines") != -ENOMEM)
        return -EPROTO;
    return 0; /* it does not look */
}

static int carry(struct sql *sql, void *argument)
{
    const char **copy = argument;

    *copy = sql_copy(sql, BYTES("carried"));
    return 0;
}

static void memory_body(struct database *database, void *context)
{
    struct transaction transaction = { .work = carry };
    const char *copy = NULL;
    bool nothing = false;

    assert_int_equal(write_it(database, carry_too_much, &nothing), -ENOMEM);
    assert_true(nothing);
    assert_int_equal(number_of(database, "SELECT count(*) FROM items"), 2);
    arena_init(&transaction.memory, NULL, MIB);
    transaction.argument = &copy;
    assert_int_equal(database_read(database, &transaction), 0);
    assert_string_equal(copy, "carried");
    arena_done(&transaction.memory);
}

static void test_memory_is_the_callers(void **state)
{
    in_shop(memory_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_come_back),
        cmocka_unit_test(test_changes_are_counted),
        cmocka_unit_test(test_errors_have_their_numbers),
        cmocka_unit_test(test_reasons_name_the_statement),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_memory_is_the_callers),
    };

    return cmocka_run_group_tests_name("db/sql", tests, NULL, NULL);
}
