/* What the file of orders holds. A new step is added at the end; those that are there never change. */
#ifndef WEFT_SHOP_ORDERS_SCHEMA_H
#define WEFT_SHOP_ORDERS_SCHEMA_H

#define ORDERS_NOW_MS "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

static const char *const ORDERS_MIGRATIONS[] __attribute__((unused)) = {
    "CREATE TABLE orders("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE,"
    " customer TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('placed', 'confirmed', 'rejected')),"
    " reason TEXT NOT NULL DEFAULT '',"
    " asked TEXT NOT NULL," /* the lines as inventory is asked for them, in JSON */
    " placed_ms INTEGER NOT NULL,"
    " settled_ms INTEGER) STRICT;"
    "CREATE INDEX orders_unsettled ON orders(placed_ms) WHERE state = 'placed';"
    "CREATE TABLE order_lines("
    " order_id TEXT NOT NULL REFERENCES orders(id),"
    " sku TEXT NOT NULL,"
    " quantity INTEGER NOT NULL CHECK (quantity > 0),"
    " PRIMARY KEY (order_id, sku)) STRICT, WITHOUT ROWID;",
};

#endif
