/* shop-audit FOLDER: reads the files of inventory and orders, and checks what must hold whatever has died, when no
 * order is under way any more; the shop may be open. Status 0: all of it holds. 1: it does not, or can't be read. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Each gives the rows that should not be there: what a person reads about them. */
static const struct {
    const char *name, *sql;
} CHECKS[] = {
    { "stock and reserved are what was delivered, and never below zero",
      "SELECT sku || ': stock ' || stock || ' + reserved ' || reserved || ', delivered ' || delivered FROM items"
      " WHERE stock + reserved <> delivered OR stock < 0 OR reserved < 0" },
    { "what is reserved is what reservations hold",
      "SELECT sku || ': reserved ' || reserved || ', held ' || held FROM (SELECT i.sku AS sku, i.reserved AS reserved,"
      " coalesce((SELECT sum(l.quantity) FROM reservation_lines l JOIN reservations r ON r.id = l.reservation"
      " WHERE l.sku = i.sku AND r.state = 'held'), 0) AS held FROM items i) WHERE reserved <> held" },
    { "refused reservations hold nothing",
      "SELECT r.id FROM reservations r JOIN reservation_lines l ON l.reservation = r.id WHERE r.state = 'refused'" },
    { "every order is in a final state",
      "SELECT id || ' is ' || state FROM o.orders WHERE state NOT IN ('confirmed', 'rejected')" },
    { "no order is there twice",
      "SELECT id || ' is there ' || count(*) || ' times' FROM o.orders GROUP BY id HAVING count(*) > 1" },
    { "confirmed orders are held, rejected ones are refused",
      "SELECT o.id || ' is ' || o.state || ', its reservation ' || coalesce(r.state, 'is missing') FROM o.orders o"
      " LEFT JOIN reservations r ON r.id = o.id WHERE o.state IN ('confirmed', 'rejected')"
      " AND coalesce(r.state, '') <> CASE o.state WHEN 'confirmed' THEN 'held' ELSE 'refused' END" },
    { "every reservation belongs to an order",
      "SELECT id FROM reservations WHERE id NOT IN (SELECT id FROM o.orders)" },
    { "what is held is what was ordered",
      "SELECT l.reservation || ': ' || l.sku || ' ' || l.quantity FROM reservation_lines l LEFT JOIN o.order_lines x"
      " ON x.order_id = l.reservation AND x.sku = l.sku WHERE coalesce(x.quantity, 0) <> l.quantity"
      " UNION ALL SELECT x.order_id || ': ' || x.sku || ' was not held' FROM o.order_lines x JOIN o.orders o"
      " ON o.id = x.order_id AND o.state = 'confirmed' LEFT JOIN reservation_lines l"
      " ON l.reservation = x.order_id AND l.sku = x.sku WHERE l.sku IS NULL" },
};

#define CHECK_COUNT (sizeof(CHECKS) / sizeof(CHECKS[0]))
#define SHOWN_MAX 5 /* of the rows of a check */

static int fail(sqlite3 *database, const char *what)
{
    (void)fprintf(stderr, "shop-audit: %s: %s\n", what, database ? sqlite3_errmsg(database) : "no memory");
    sqlite3_close(database);
    return 1;
}

/* Both files as one database: `main` is inventory's, `o` is that of orders. */
static int open_files(const char *folder, sqlite3 **ret)
{
    char path[4096];
    sqlite3_stmt *attach = NULL;
    int r;

    (void)snprintf(path, sizeof(path), "%s/inventory.db", folder);
    r = sqlite3_open_v2(path, ret, SQLITE_OPEN_READWRITE, NULL);
    if (r != SQLITE_OK)
        return r;
    (void)sqlite3_busy_timeout(*ret, 10000);
    (void)snprintf(path, sizeof(path), "%s/orders.db", folder);
    r = sqlite3_prepare_v2(*ret, "ATTACH ? AS o", -1, &attach, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_bind_text(attach, 1, path, -1, SQLITE_TRANSIENT);
    if (r == SQLITE_OK)
        r = sqlite3_step(attach) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
    (void)sqlite3_finalize(attach);
    return r;
}

/* How many rows should not be there; below 0: it can't be read. */
static long check(sqlite3 *database, const char *name, const char *sql)
{
    sqlite3_stmt *statement;
    long found = 0;
    int r = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);

    if (r != SQLITE_OK)
        return -1;
    while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
        if (found == 0)
            (void)printf("BROKEN  %s\n", name);
        if (found++ < SHOWN_MAX)
            (void)printf("        %s\n", (const char *)sqlite3_column_text(statement, 0));
    }
    (void)sqlite3_finalize(statement);
    if (found > SHOWN_MAX)
        (void)printf("        and %ld more\n", found - SHOWN_MAX);
    else if (found == 0 && r == SQLITE_DONE)
        (void)printf("holds   %s\n", name);
    return r == SQLITE_DONE ? found : -1;
}

static long number(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;
    long value = -1;

    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        value = (long)sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return value;
}

int main(int argc, char **argv)
{
    sqlite3 *database = NULL;
    bool broken = false;

    if (argc != 2 || argv[1][0] == '-') {
        (void)fprintf(stderr, "usage: shop-audit FOLDER\nchecks the files inventory.db and orders.db of a shop\n");
        return 2;
    }
    if (open_files(argv[1], &database) != SQLITE_OK)
        return fail(database, argv[1]);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        long found = check(database, CHECKS[i].name, CHECKS[i].sql);

        if (found < 0)
            return fail(database, CHECKS[i].name);
        broken = broken || found > 0;
    }
    (void)printf("%ld orders: %ld confirmed, %ld rejected\n", number(database, "SELECT count(*) FROM o.orders"),
                 number(database, "SELECT count(*) FROM o.orders WHERE state = 'confirmed'"),
                 number(database, "SELECT count(*) FROM o.orders WHERE state = 'rejected'"));
    (void)sqlite3_close(database);
    return broken;
}
