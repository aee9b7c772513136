#include "storefront.h"

#include <string.h>

static const char *const MIGRATIONS[] = {
    "CREATE TABLE cart_lines("
    " cart TEXT NOT NULL,"
    " sku TEXT NOT NULL,"
    " quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 99),"
    " PRIMARY KEY (cart, sku)) STRICT, WITHOUT ROWID;"
    /* Which cart became which order, and what was in it: an order that is sent again is found here. */
    "CREATE TABLE checkouts("
    " order_id TEXT PRIMARY KEY,"
    " cart TEXT NOT NULL,"
    " customer TEXT NOT NULL) STRICT;"
    "CREATE TABLE checkout_lines("
    " order_id TEXT NOT NULL REFERENCES checkouts(order_id),"
    " sku TEXT NOT NULL,"
    " quantity INTEGER NOT NULL,"
    " PRIMARY KEY (order_id, sku)) STRICT, WITHOUT ROWID;",
};

bool storefront_id_fits(const char *id)
{
    size_t len = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    return len >= 8 && len <= 64 && id[len] == '\0';
}

/* --- products --------------------------------------------------------------------------------------------------- */

static int64_t sold_of(const struct weft_json *popular, const char *sku)
{
    for (size_t i = 0; i < weft_json_length(popular); i++) {
        const struct weft_json *one = weft_json_at(popular, i);
        const char *name = weft_json_string(weft_json_get(one, "sku"));

        if (name && strcmp(name, sku) == 0)
            return weft_json_integer(weft_json_get(one, "sold"));
    }
    return 0;
}

static struct weft_json *product(struct weft_call *call, const struct weft_json *item, const struct weft_json *popular)
{
    const char *sku = weft_json_string(weft_json_get(item, "sku"));
    struct weft_json *product = weft_object(call);

    weft_set_text(product, "sku", sku);
    weft_set_text(product, "name", weft_json_string(weft_json_get(item, "name")));
    weft_set_integer(product, "cents", weft_json_integer(weft_json_get(item, "cents")));
    weft_set_integer(product, "stock", weft_json_integer(weft_json_get(item, "stock")));
    weft_set_text(product, "picture", weft_format(call, "/pictures/%s.svg", sku ? sku : ""));
    weft_set_integer(product, "sold", sku ? sold_of(popular, sku) : 0);
    return product;
}

static int list_products(struct weft_call *call, void *user)
{
    struct weft_outgoing asked[] = {
        { .method = "GET", .url = "http://inventory/items" },
        { .method = "GET", .url = "http://orders/popular", .options = { .timeout_ms = 500 } },
    };
    struct weft_json *answer = weft_object(call), *products = weft_array(call);
    const struct weft_json *items = NULL, *popular = NULL;

    (void)weft_request_all(call, asked, 2, 0); /* each is looked at by itself */
    if (asked[0].reply.status != 200 || weft_reply_json(call, &asked[0].reply, &items) < 0)
        return weft_answer_problem(call, 503, "no-inventory", "the shop can't see its shelves now; try again");
    if (asked[1].reply.status == 200)
        (void)weft_reply_json(call, &asked[1].reply, &popular);
    items = weft_json_get(items, "items");
    for (size_t i = 0; i < weft_json_length(items); i++)
        weft_append(products, product(call, weft_json_at(items, i), weft_json_get(popular, "popular")));
    weft_set(answer, "products", products);
    return weft_answer_value(call, 200, answer);
}

/* --- the service ------------------------------------------------------------------------------------------------ */

int storefront_init(struct storefront *storefront, const struct weft_options *options)
{
    const struct weft_database_options database = { .migrations = MIGRATIONS,
                                                    .migration_count = sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]) };
    struct weft_service *service;
    int r;

    *storefront = (struct storefront){ .service = NULL };
    r = weft_service_create(options, &service);
    if (r < 0)
        return r;
    storefront->service = service;
    /* What goes wrong from here on is kept by the service: weft_run() says it. */
    weft_database_open(service, &database, &storefront->database);
    weft_route(service, "GET", "/api/products", list_products, storefront);
    weft_route(service, "GET", "/api/carts/{cart}", storefront_cart, storefront);
    weft_route(service, "PUT", "/api/carts/{cart}/{sku}", storefront_put_line, storefront);
    weft_route(service, "GET", "/api/orders", storefront_orders, storefront);
    weft_route(service, "PUT", "/api/orders/{id}", storefront_checkout, storefront);
    weft_route(service, "GET", "/api/orders/{id}", storefront_order, storefront);
    weft_route(service, "GET", "/api/orders/{id}/events", storefront_events, storefront);
    weft_route(service, "GET", "/pictures/{name}", storefront_picture, storefront);
    return 0;
}

void storefront_done(struct storefront *storefront)
{
    weft_service_free(storefront->service);
}
