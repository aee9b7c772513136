/* Databases behind handlers: include/weft.h, "databases". */
#include "rig.h"

#include "base/limits.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_and_rolls_back),
    };

    return cmocka_run_group_tests_name("chassis/database", tests, NULL, NULL);
}
