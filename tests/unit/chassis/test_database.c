/* Databases behind handlers: include/weft.h, "databases". */
#include "rig.h"

#include "base/limits.h"
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_MAX 256

static const char *const ITEMS[] = {
    "CREATE TABLE items(sku TEXT PRIMARY KEY, stock INTEGER NOT NULL CHECK (stock >= 0)) STRICT;"
    "INSERT INTO items VALUES ('cup', 10), ('pot', 3);",
};

/* What handlers see. */
struct shop {
    struct rig *rig;
    struct weft_database *database;
    char folder[FILE_MAX], file[FILE_MAX + 16];
    int seen;
};

static void make_folder(struct shop *shop)
{
    (void)snprintf(shop->folder, sizeof(shop->folder), "%s/weft-database-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(shop->folder));
    (void)snprintf(shop->file, sizeof(shop->file), "%s/shop.db", shop->folder);
}

static void remove_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    char path[FILE_MAX + 300];
    struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(directory);
    assert_int_equal(rmdir(folder), 0);
}

static void shop_create(struct shop *shop, const struct weft_options *options)
{
    const struct weft_database_options chosen = { .path = NULL, .migrations = ITEMS, .migration_count = 1 };
    struct weft_database_options with_path = chosen;

    *shop = (struct shop){ .seen = 1 };
    make_folder(shop);
    with_path.path = shop->file;
    shop->rig = rig_create(options);
    assert_int_equal(weft_database_open(shop->rig->service, &with_path, &shop->database), 0);
}

static void shop_end(struct shop *shop)
{
    char path[FILE_MAX + 32];

    assert_int_equal(rig_stop(shop->rig), 0);
    (void)snprintf(path, sizeof(path), "%s-wal", shop->file);
    assert_int_not_equal(access(path, F_OK), 0); /* closed in order: the log was taken over into the file */
    rig_free(shop->rig);
    remove_folder(shop->folder);
}

static int64_t stock_of(const struct shop *shop, const char *sku)
{
    sqlite3 *handle;
    sqlite3_stmt *statement;
    int64_t stock = -1;

    assert_int_equal(sqlite3_open(shop->file, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, "SELECT stock FROM items WHERE sku = ?", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, sku, -1, SQLITE_STATIC), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        stock = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    return stock;
}

/* --- a transaction ------------------------------------------------------------------------------------------- */

struct take {
    const char *sku;
    int64_t count, left;
};

static int take_items(struct weft_sql *sql, void *argument)
{
    struct take *take = argument;
    int r = weft_sql_run(sql, "UPDATE items SET stock = stock - ? WHERE sku = ?",
                         WEFT_VALUES(WEFT_INTEGER(take->count), WEFT_TEXT(take->sku)));

    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    return weft_sql_integer(sql, &take->left, "SELECT stock FROM items WHERE sku = ?",
                            WEFT_VALUES(WEFT_TEXT(take->sku)));
}

static int take(struct weft_call *call, void *user)
{
    const struct shop *shop = user;
    struct take take = { .sku = weft_path_value(call, "sku"), .count = 4 };
    int r = weft_transaction(call, shop->database, take_items, &take);

    if (r == -ERANGE)
        return weft_answer_problem(call, 409, "sold-out", "there are not so many");
    if (r == -ENOENT)
        return weft_answer_problem(call, 404, "no-such-item", "there is no such item");
    return r < 0 ? r : weft_answer_format(call, 200, NULL, "%lld left\n", (long long)take.left);
}

static void test_commits_and_rolls_back(void **state)
{
    struct shop shop;

    shop_create(&shop, NULL);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/take/{sku}", take, &shop), 0);
    rig_start(shop.rig);
    assert_int_equal(rig_get(shop.rig, "/take/cup"), 200);
    assert_string_equal(rig_body(shop.rig), "6 left\n");
    assert_int_equal(rig_get(shop.rig, "/take/cup"), 200);
    assert_int_equal(rig_get(shop.rig, "/take/cup"), 409);
    assert_int_equal(rig_get(shop.rig, "/take/pan"), 404);
    assert_int_equal(stock_of(&shop, "cup"), 2);
    shop_end(&shop);
}

/* --- single statements --------------------------------------------------------------------------------------- */

static int add(struct weft_call *call, void *user)
{
    const struct shop *shop = user;
    int r = weft_database_run(call, shop->database, "INSERT INTO items VALUES (?, ?)",
                              WEFT_VALUES(WEFT_TEXT(weft_path_value(call, "sku")), WEFT_INTEGER(1)));

    if (r == -EEXIST)
        return weft_answer_problem(call, 409, "known-item", "it is there already");
    return r < 0 ? r : weft_answer_format(call, 201, NULL, "%d added\n", r);
}

static int list(struct weft_call *call, void *user)
{
    const struct shop *shop = user;
    struct weft_rows *rows;
    const char *text = "";
    int r = weft_database_query(call, shop->database, &rows, "SELECT sku, stock, NULL, 0.5 FROM items ORDER BY sku",
                                WEFT_VALUES());

    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0) {
        bool fine = weft_row_columns(rows) == 4 && weft_row_null(rows, 2) && !weft_row_null(rows, 1) &&
                    !weft_row_text(rows, 2) && weft_row_number(rows, 3) > 0.4 && weft_row_integer(rows, 7) == 0 &&
                    weft_row_bytes(rows, 0).len == 3 && weft_row_copy(rows, 0) == weft_row_text(rows, 0);

        text = weft_format(call, "%s%s=%s%s ", text, weft_row_text(rows, 0), weft_row_text(rows, 1), fine ? "" : "?");
    }
    return weft_rows_next(rows) == 0 && weft_row_columns(rows) == 0 ? weft_answer_text(call, 200, NULL, text) : -EPROTO;
}

/* As many as asked for. */
static int numbers(struct weft_call *call, void *user)
{
    const struct shop *shop = user;
    struct weft_rows *rows;
    int64_t sum = 0;
    int r = weft_database_query(
        call, shop->database, &rows,
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < CAST(? AS INTEGER)) "
        "SELECT i FROM n",
        WEFT_VALUES(WEFT_TEXT(weft_path_value(call, "count"))));

    if (r == -EMSGSIZE)
        return weft_answer_problem(call, 413, "too-many", "there are too many rows");
    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0)
        sum += weft_row_integer(rows, 0);
    return weft_answer_format(call, 200, NULL, "%lld", (long long)sum);
}

static void test_single_statements(void **state)
{
    struct shop shop;
    char path[64];

    shop_create(&shop, NULL);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/add/{sku}", add, &shop), 0);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/list", list, &shop), 0);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/numbers/{count}", numbers, &shop), 0);
    rig_start(shop.rig);
    assert_int_equal(rig_get(shop.rig, "/add/lid"), 201);
    assert_string_equal(rig_body(shop.rig), "1 added\n");
    assert_int_equal(rig_get(shop.rig, "/add/lid"), 409);
    assert_int_equal(rig_get(shop.rig, "/list"), 200);
    assert_string_equal(rig_body(shop.rig), "cup=10 lid=1 pot=3 ");
    (void)snprintf(path, sizeof(path), "/numbers/%d", WEFT_ROWS_MAX);
    assert_int_equal(rig_get(shop.rig, path), 200);
    assert_string_equal(rig_body(shop.rig), "50005000");
    (void)snprintf(path, sizeof(path), "/numbers/%d", WEFT_ROWS_MAX + 1);
    assert_int_equal(rig_get(shop.rig, path), 413);
    shop_end(&shop);
}

/* --- carried out of a transaction ---------------------------------------------------------------------------- */

struct item {
    struct item *next;
    const char *sku;
};

struct carried {
    struct weft_call *call;
    struct weft_database *database;
    struct item *first;
    const char *note, *reason;
    unsigned wrong;
};

static int carry(struct weft_sql *sql, void *argument)
{
    struct carried *carried = argument;
    struct item **last = &carried->first;
    struct weft_rows *rows, *inner;
    int64_t count = 0;
    int r = weft_sql_query(sql, &rows, "SELECT sku FROM items ORDER BY sku DESC", WEFT_VALUES());

    if (r < 0)
        return r;
    while ((r = weft_rows_next(rows)) > 0) {
        *last = weft_sql_alloc(sql, sizeof(**last));
        if (!*last)
            return -ENOMEM;
        (*last)->sku = weft_row_copy(rows, 0);
        last = &(*last)->next;
        carried->wrong += weft_sql_query(sql, &inner, "SELECT 1", WEFT_VALUES()) != 0 || weft_rows_next(inner) != 1 ||
                          weft_row_integer(inner, 0) != 1;
        weft_rows_end(inner); /* forty of them */
    }
    carried->note = weft_sql_copy(sql, "carried");
    carried->wrong += weft_sql_copy(sql, NULL) != NULL;
    carried->wrong += weft_sql_integer(sql, &count, "SELECT 1 WHERE 0", WEFT_VALUES()) != -ENOENT;
    carried->wrong += weft_sql_run(sql, "UPDATE items SET stock = 0", WEFT_VALUES()) != -EROFS;
    carried->reason = weft_sql_copy(sql, weft_sql_reason(sql));
    carried->wrong += weft_transaction(carried->call, carried->database, carry, carried) != -EINVAL; /* not from here */
    return r;
}

static int show(struct weft_call *call, void *user)
{
    const struct shop *shop = user;
    struct carried carried = { .call = call, .database = shop->database };
    int r = weft_read_transaction(call, shop->database, carry, &carried);
    unsigned count = 0;

    for (const struct item *item = carried.first; item; item = item->next)
        count += strlen(item->sku) == 3;
    return r < 0
               ? r
               : weft_answer_format(call, 200, NULL, "%s %u %u %s", carried.note, count, carried.wrong, carried.reason);
}

static void test_rows_are_carried_out(void **state)
{
    static const char *const many[] = {
        "CREATE TABLE items(sku TEXT PRIMARY KEY, stock INTEGER) STRICT;"
        "WITH RECURSIVE n(i) AS (VALUES(100) UNION ALL SELECT i + 1 FROM n WHERE i < 139) "
        "INSERT INTO items SELECT CAST(i AS TEXT), 1 FROM n;",
    };
    struct weft_database_options options = { .migrations = many, .migration_count = 1, .readers = 1 };
    struct shop shop = { .seen = 0 };

    make_folder(&shop);
    options.path = shop.file;
    shop.rig = rig_create(NULL);
    assert_int_equal(weft_database_open(shop.rig->service, &options, &shop.database), 0);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/show", show, &shop), 0);
    rig_start(shop.rig);
    assert_int_equal(rig_get(shop.rig, "/show"), 200);
    assert_string_equal(rig_body(shop.rig), "carried 40 0 attempt to write a readonly database (UPDATE items SET stock "
                                            "= 0)");
    shop_end(&shop);
}

static int all_kinds(struct weft_sql *sql, void *argument)
{
    unsigned *wrong = argument;
    struct weft_rows *rows;
    int r = weft_sql_query(
        sql, &rows, "SELECT ?, ?, ?, ?, ?",
        WEFT_VALUES(WEFT_NUMBER(0.25), WEFT_BYTES("a\0b", 3), WEFT_NULL, WEFT_TEXT(NULL), WEFT_TEXT("text")));

    if (r < 0)
        return r;
    *wrong += weft_row_columns(rows) != 0 || weft_row_text(rows, 0) != NULL; /* there is no row yet */
    *wrong += weft_rows_next(rows) != 1 || weft_row_columns(rows) != 5;
    *wrong += weft_row_number(rows, 0) < 0.24 || weft_row_number(rows, 0) > 0.26 || weft_row_integer(rows, 0) != 0;
    *wrong += weft_row_bytes(rows, 1).len != 3 || memcmp(weft_row_bytes(rows, 1).data, "a\0b", 3) != 0;
    *wrong += !weft_row_null(rows, 2) || !weft_row_null(rows, 3) || weft_row_null(rows, 4) || !weft_row_null(rows, 5);
    *wrong += strcmp(weft_row_text(rows, 4), "text") != 0 || weft_row_copy(rows, 2) != NULL;
    weft_rows_end(rows);
    *wrong += weft_rows_next(rows) != 0 || !weft_row_null(rows, 4);
    return 0;
}

static int kinds(struct weft_call *call, void *user)
{
    const struct shop *shop = user;
    unsigned wrong = 0;
    int r = weft_transaction(call, shop->database, all_kinds, &wrong);

    return r < 0 ? r : weft_answer_format(call, 200, NULL, "%u", wrong);
}

static void test_all_kinds_of_values(void **state)
{
    struct weft_database *late;
    struct shop shop;

    shop_create(&shop, NULL);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/", kinds, &shop), 0);
    rig_start(shop.rig);
    assert_int_equal(rig_get(shop.rig, "/"), 200);
    assert_string_equal(rig_body(shop.rig), "0");
    assert_int_equal(rig_stop(shop.rig), 0);
    assert_int_equal(weft_database_open(shop.rig->service, NULL, &late), -EBUSY); /* it has run */
    rig_free(shop.rig);
    remove_folder(shop.folder);
}

/* --- the end of a call --------------------------------------------------------------------------------------- */

static int endless_work(struct weft_sql *sql, void *argument)
{
    int64_t highest;

    return weft_sql_integer(sql, &highest,
                            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
                            WEFT_VALUES());
}

static int endless(struct weft_call *call, void *user)
{
    struct shop *shop = user;

    shop->seen = strcmp(weft_path(call), "/read") == 0 ? weft_read_transaction(call, shop->database, endless_work, NULL)
                                                       : weft_transaction(call, shop->database, endless_work, NULL);
    return shop->seen;
}

static void test_the_time_of_a_call_ends_its_sql(void **state)
{
    const struct weft_options options = { .name = "test", .timeout_ms = 100 };
    struct shop shop;

    shop_create(&shop, &options);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/{kind}", endless, &shop), 0);
    rig_start(shop.rig);
    assert_int_equal(rig_get(shop.rig, "/read"), 504);
    assert_int_equal(shop.seen, -ETIME);
    assert_int_equal(rig_get(shop.rig, "/write"), 504);
    assert_int_equal(shop.seen, -ETIME);
    shop_end(&shop);
}

/* --- readiness ----------------------------------------------------------------------------------------------- */

static void test_who_can_not_read_is_not_ready(void **state)
{
    static const char request[] = "GET /read HTTP/1.1\r\nHost: test\r\n\r\n";
    const struct weft_options service = { .name = "test", .timeout_ms = 4000 };
    struct weft_database_options options = { .readers = 1 };
    struct shop shop = { .seen = 0 };
    int connection;

    make_folder(&shop);
    options.path = shop.file;
    shop.rig = rig_create(&service);
    assert_int_equal(weft_database_open(shop.rig->service, &options, &shop.database), 0);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/{kind}", endless, &shop), 0);
    rig_start(shop.rig);
    assert_int_equal(rig_get(shop.rig, "/readyz"), 200);
    assert_string_equal(rig_body(shop.rig), "{\"status\":\"ok\",\"checks\":{\"database\":\"ok\"}}");
    connection = rig_connect(shop.rig);
    rig_send(connection, request, sizeof(request) - 1); /* the one thread that reads has no time for others */
    (void)usleep(1200 * 1000);                          /* the first answer is kept for a second */
    assert_int_equal(rig_get(shop.rig, "/readyz"), 503);
    assert_non_null(strstr(rig_body(shop.rig), "shop.db can't be read: Timer expired"));
    (void)close(connection); /* which ends it */
    (void)usleep(1200 * 1000);
    assert_int_equal(rig_get(shop.rig, "/readyz"), 200);
    assert_int_equal(shop.seen, -ECANCELED);
    shop_end(&shop);
}

static int always_ready(struct weft_call *call, void *user)
{
    return 0;
}

static void test_the_name_of_the_check_is_taken(void **state)
{
    struct weft_database_options options = { .readers = 1 };
    struct shop shop = { .seen = 0 };

    make_folder(&shop);
    options.path = shop.file;
    shop.rig = rig_create(NULL);
    assert_int_equal(weft_check(shop.rig->service, "database", always_ready, NULL), 0);
    assert_int_equal(weft_database_open(shop.rig->service, &options, &shop.database), -EEXIST);
    assert_non_null(strstr(weft_fault(shop.rig->service), "check database: there already"));
    rig_free(shop.rig);
    remove_folder(shop.folder);
}

/* --- without a socket ---------------------------------------------------------------------------------------- */

static void test_handlers_have_their_database_in_tests(void **state)
{
    const struct weft_test_request requests[] = { { .path = "/take/cup" },
                                                  { .path = "/take/cup" },
                                                  { .path = "/take/cup" } };
    struct weft_test_answer answers[3];
    unsigned taken = 0, sold_out = 0;
    struct shop shop;

    shop_create(&shop, NULL);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/take/{sku}", take, &shop), 0);
    assert_int_equal(weft_test_all(shop.rig->service, requests, 3, answers), 0);
    for (unsigned i = 0; i < 3; i++) {
        taken += answers[i].status == 200;
        sold_out += answers[i].status == 409;
        weft_test_free(&answers[i]);
    }
    assert_int_equal(taken, 2);
    assert_int_equal(sold_out, 1);
    assert_int_equal(stock_of(&shop, "cup"), 2);
    rig_free(shop.rig);
    remove_folder(shop.folder);
}

/* --- what programs get wrong --------------------------------------------------------------------------------- */

static int wrong_work(struct weft_sql *sql, void *argument)
{
    struct weft_value values[DB_VALUES_MAX + 1] = { WEFT_NULL };
    struct weft_values many = { values, DB_VALUES_MAX + 1 };
    unsigned *wrong = argument;
    struct weft_rows *rows;
    int64_t number;

    *wrong += weft_sql_run(sql, NULL, WEFT_VALUES()) != -EINVAL;
    *wrong += weft_sql_run(NULL, "SELECT 1", WEFT_VALUES()) != -EINVAL;
    *wrong += weft_sql_run(sql, "SELECT 1", many) != -EINVAL;
    *wrong += weft_sql_query(sql, NULL, "SELECT 1", WEFT_VALUES()) != -EINVAL;
    *wrong += weft_sql_query(sql, &rows, "SELECT 1", many) != -EINVAL;
    *wrong += weft_sql_integer(sql, NULL, "SELECT 1", WEFT_VALUES()) != -EINVAL;
    *wrong += weft_sql_integer(sql, &number, "SELECT ?", WEFT_VALUES()) != -EINVAL;
    *wrong += weft_rows_next(NULL) != -EINVAL;
    weft_rows_end(NULL);
    *wrong += weft_row_columns(NULL) != 0 || !weft_row_null(NULL, 0) || weft_row_text(NULL, 0) != NULL;
    *wrong += weft_sql_alloc(NULL, 1) != NULL || weft_sql_last_id(NULL) != 0;
    return 0;
}

static int mistakes(struct weft_call *call, void *user)
{
    const struct shop *shop = user;
    struct weft_rows *rows;
    unsigned wrong = 0;

    wrong += weft_transaction(call, shop->database, NULL, NULL) != -EINVAL;
    wrong += weft_transaction(call, NULL, wrong_work, &wrong) != -EINVAL;
    wrong += weft_transaction(NULL, shop->database, wrong_work, &wrong) != -EINVAL;
    wrong += weft_read_transaction(call, shop->database, NULL, NULL) != -EINVAL;
    wrong += weft_database_run(call, shop->database, NULL, WEFT_VALUES()) != -EINVAL;
    wrong += weft_database_query(call, shop->database, NULL, "SELECT 1", WEFT_VALUES()) != -EINVAL;
    wrong += weft_database_query(call, shop->database, &rows, "SELECT 1 FROM nowhere", WEFT_VALUES()) != -EINVAL;
    wrong += weft_transaction(call, shop->database, wrong_work, &wrong) != 0;
    return weft_answer_format(call, 200, NULL, "%u", wrong);
}

static void test_mistakes_are_answered(void **state)
{
    struct weft_database *late;
    struct shop shop;

    shop_create(&shop, NULL);
    assert_int_equal(weft_database_open(NULL, NULL, &late), -EINVAL);
    assert_int_equal(weft_database_open(shop.rig->service, NULL, NULL), -EINVAL);
    assert_int_equal(weft_route(shop.rig->service, "GET", "/", mistakes, &shop), 0);
    rig_start(shop.rig);
    assert_int_equal(rig_get(shop.rig, "/"), 200);
    assert_string_equal(rig_body(shop.rig), "0");
    shop_end(&shop);
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static void refused(const struct weft_database_options *options, int error, const char *fault)
{
    struct rig *rig = rig_create(NULL);
    struct weft_database *database;

    assert_int_equal(weft_database_open(rig->service, options, &database), error);
    assert_non_null(strstr(weft_fault(rig->service), fault));
    assert_int_equal(weft_run(rig->service), 1);
    rig_free(rig);
}

static void test_a_service_does_not_start_without_its_database(void **state)
{
    static const char *const broken[] = { "CREATE TABLE half(id INTEGER); SELEKT 1;" };
    struct weft_database_options options = { .migrations = broken, .migration_count = 1 };
    struct shop shop;
    char far[FILE_PATH_MAX + 2];

    make_folder(&shop);
    options.path = shop.file;
    refused(&options, -EINVAL, "migration 1: near \"SELEKT\": syntax error");
    options = (struct weft_database_options){ .path = shop.file, .readers = DB_READERS_MAX + 1 };
    refused(&options, -EINVAL, "at most 8 readers");
    options = (struct weft_database_options){ .path = shop.file, .migration_count = 1 };
    refused(&options, -EINVAL, "its options make no sense");
    options = (struct weft_database_options){ .path = shop.file, .busy_ms = -1 };
    refused(&options, -EINVAL, "its options make no sense");
    options = (struct weft_database_options){ .path = "/nowhere/shop.db" };
    refused(&options, -EIO, "can't open /nowhere/shop.db: unable to open database file (is its folder there");
    memset(far, 'x', sizeof(far));
    far[0] = '/';
    far[sizeof(far) - 1] = '\0';
    options = (struct weft_database_options){ .path = far };
    refused(&options, -ENAMETOOLONG, "its path is too long");
    remove_folder(shop.folder);
}

static void expect_file(const struct shop *shop, const char *name)
{
    char path[FILE_MAX + 32];

    (void)snprintf(path, sizeof(path), "%s/%s", shop->folder, name);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_files_are_in_the_folder_for_data(void **state)
{
    const struct weft_database_options other = { .path = "other.db", .readers = DB_READERS_MAX };
    const struct weft_options options = { .name = "orders" };
    struct weft_database *database, *second;
    struct shop shop;

    make_folder(&shop);
    assert_int_equal(setenv("WEFT_DATA", shop.folder, 1), 0);
    shop.rig = rig_create(&options);
    assert_int_equal(weft_database_open(shop.rig->service, NULL, &database), 0);
    assert_int_equal(weft_database_open(shop.rig->service, &other, &second), 0);
    expect_file(&shop, "orders.db");
    expect_file(&shop, "other.db");
    rig_free(shop.rig); /* it has never run */
    assert_int_equal(unsetenv("WEFT_DATA"), 0);
    remove_folder(shop.folder);
}

static void test_so_many_of_one_thread(void **state)
{
    struct weft_database *database;
    struct shop shop;
    char path[FILE_MAX + 32];
    unsigned count;
    int r = 0;

    make_folder(&shop);
    shop.rig = rig_create(NULL);
    for (count = 0; r == 0 && count < LANES_MAX; count++) {
        const struct weft_database_options options = { .path = path, .readers = 1 };

        (void)snprintf(path, sizeof(path), "%s/%u.db", shop.folder, count);
        r = weft_database_open(shop.rig->service, &options, &database);
    }
    assert_int_equal(r, -EMFILE);
    assert_int_equal(count, CHASSIS_DATABASES_MAX + 1);
    assert_non_null(strstr(weft_fault(shop.rig->service), "at most 7"));
    rig_free(shop.rig);
    remove_folder(shop.folder);
}

static int open_and_free(void *context)
{
    const struct weft_options options = { .name = "test", .address_only = true, .keep_signals = true };
    const struct weft_database_options file = { .path = context, .migrations = ITEMS, .migration_count = 1 };
    struct weft_database *database;
    struct weft_service *service;
    int r = weft_service_create(&options, &service);

    if (r < 0)
        return r;
    r = weft_database_open(service, &file, &database);
    weft_service_free(service);
    return r;
}

static void test_no_memory(void **state)
{
    struct shop shop;

    make_folder(&shop);
    assert_true(faults_each(open_and_free, shop.file) > 2);
    remove_folder(shop.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_and_rolls_back),
        cmocka_unit_test(test_single_statements),
        cmocka_unit_test(test_rows_are_carried_out),
        cmocka_unit_test(test_all_kinds_of_values),
        cmocka_unit_test(test_the_time_of_a_call_ends_its_sql),
        cmocka_unit_test(test_who_can_not_read_is_not_ready),
        cmocka_unit_test(test_the_name_of_the_check_is_taken),
        cmocka_unit_test(test_handlers_have_their_database_in_tests),
        cmocka_unit_test(test_mistakes_are_answered),
        cmocka_unit_test(test_a_service_does_not_start_without_its_database),
        cmocka_unit_test(test_files_are_in_the_folder_for_data),
        cmocka_unit_test(test_so_many_of_one_thread),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("chassis/database", tests, NULL, NULL);
}
