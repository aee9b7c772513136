/* Carts, and how they become orders: see storefront.h, (1). */
#include "storefront.h"

#include <errno.h>
#include <string.h>

/* --- what is in it ---------------------------------------------------------------------------------------------- */

struct line {
    const char *sku;
    int64_t quantity;
};

static const struct weft_field LINE_FIELDS[] = {
    WEFT_FIELD_TEXT(struct line, sku),
    WEFT_FIELD_INTEGER(struct line, quantity),
};
static const struct weft_shape LINE = WEFT_SHAPE(struct line, LINE_FIELDS);

static const struct weft_json *find_item(const struct weft_json *items, const char *sku)
{
    for (size_t i = 0; i < weft_json_length(items); i++) {
        const char *name = weft_json_string(weft_json_get(weft_json_at(items, i), "sku"));

        if (name && strcmp(name, sku) == 0)
            return weft_json_at(items, i);
    }
    return NULL;
}

static int no_prices(struct weft_call *call)
{
    return weft_answer_problem(call, 503, "no-inventory", "the shop can't see its prices now; try again");
}

/* NULL: inventory can't be reached. */
static const struct weft_json *ask_items(struct weft_call *call)
{
    struct weft_reply reply = weft_request(call, "GET", "http://inventory/items", NULL);
    const struct weft_json *answer;

    if (reply.status != 200 || weft_reply_json(call, &reply, &answer) < 0)
        return NULL;
    return weft_json_get(answer, "items");
}

static int answer_cart(struct weft_call *call, const struct storefront *storefront, const struct weft_json *items)
{
    struct weft_json *answer = weft_object(call), *lines = weft_array(call);
    struct weft_rows *rows;
    int64_t total = 0;
    int r = weft_database_query(call, storefront->database, &rows,
                                "SELECT sku, quantity FROM cart_lines WHERE cart = ? ORDER BY sku",
                                WEFT_VALUES(WEFT_TEXT(weft_path_value(call, "cart"))));

    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0) {
        const struct weft_json *item = find_item(items, weft_row_text(rows, 0));
        int64_t cents = weft_json_integer(weft_json_get(item, "cents"));
        struct weft_json *line = weft_object(call);

        weft_set_text(line, "sku", weft_row_text(rows, 0));
        weft_set_text(line, "name", weft_json_string(weft_json_get(item, "name")));
        weft_set_integer(line, "quantity", weft_row_integer(rows, 1));
        weft_set_integer(line, "cents", cents);
        weft_append(lines, line);
        total += cents * weft_row_integer(rows, 1);
    }
    weft_set(answer, "lines", lines);
    weft_set_integer(answer, "cents", total);
    return weft_answer_value(call, 200, answer);
}

int storefront_cart(struct weft_call *call, void *user)
{
    const struct weft_json *items = ask_items(call);

    return items ? answer_cart(call, user, items) : no_prices(call);
}

struct change {
    int64_t quantity;
};

static const struct weft_field CHANGE_FIELDS[] = {
    WEFT_FIELD_INTEGER(struct change, quantity, .min = 0, .max = 99),
};
static const struct weft_shape CHANGE = WEFT_SHAPE(struct change, CHANGE_FIELDS);

struct putting {
    const char *cart, *sku;
    int64_t quantity;
};

static int put_line(struct weft_sql *sql, void *argument)
{
    const struct putting *putting = argument;
    int64_t lines = 0;
    int r;

    if (putting->quantity == 0)
        r = weft_sql_run(sql, "DELETE FROM cart_lines WHERE cart = ? AND sku = ?",
                         WEFT_VALUES(WEFT_TEXT(putting->cart), WEFT_TEXT(putting->sku)));
    else
        r = weft_sql_run(
            sql,
            "INSERT INTO cart_lines(cart, sku, quantity) VALUES (?1, ?2, ?3)"
            " ON CONFLICT DO UPDATE SET quantity = ?3",
            WEFT_VALUES(WEFT_TEXT(putting->cart), WEFT_TEXT(putting->sku), WEFT_INTEGER(putting->quantity)));
    if (r >= 0)
        r = weft_sql_integer(sql, &lines, "SELECT count(*) FROM cart_lines WHERE cart = ?",
                             WEFT_VALUES(WEFT_TEXT(putting->cart)));
    return r < 0 ? r : lines > STOREFRONT_LINES_MAX ? -E2BIG : 0;
}

int storefront_put_line(struct weft_call *call, void *user)
{
    const struct storefront *storefront = user;
    struct putting putting = { .cart = weft_path_value(call, "cart"), .sku = weft_path_value(call, "sku") };
    const struct weft_json *items;
    struct change change;
    int r = weft_body_take(call, &CHANGE, &change);

    if (r < 0)
        return r;
    if (!storefront_id_fits(putting.cart))
        return weft_answer_problem(call, 400, "cart", "a cart's id has 8 to 64 letters, digits and hyphens");
    items = ask_items(call);
    if (!items)
        return no_prices(call);
    if (change.quantity > 0 && !find_item(items, putting.sku))
        return weft_answer_problem(call, 404, "no-such-item", "there is no such item");
    putting.quantity = change.quantity;
    r = weft_transaction(call, storefront->database, put_line, &putting);
    if (r == -E2BIG)
        return weft_answer_problem(call, 409, "cart-full",
                                   weft_format(call, "a cart takes %d different items", STOREFRONT_LINES_MAX));
    return r < 0 ? r : answer_cart(call, storefront, items);
}

/* --- checkout --------------------------------------------------------------------------------------------------- */

struct request {
    const char *cart, *customer;
};

static const struct weft_field REQUEST_FIELDS[] = {
    WEFT_FIELD_TEXT(struct request, cart, .min = 8, .max = 64),
    WEFT_FIELD_TEXT(struct request, customer, .min = 1, .max = 80),
};
static const struct weft_shape REQUEST = WEFT_SHAPE(struct request, REQUEST_FIELDS);

/* What goes to orders: of this request, or of the one that came first. */
struct checkout {
    const char *id, *cart, *customer;
    struct line *lines;
    size_t line_count;
};

static const struct weft_field CHECKOUT_FIELDS[] = {
    WEFT_FIELD_TEXT(struct checkout, customer),
    WEFT_FIELD_LIST(struct checkout, lines, line_count, &LINE),
};
static const struct weft_shape CHECKOUT = WEFT_SHAPE(struct checkout, CHECKOUT_FIELDS);

/* 1: it was made before, and is read; 0: it was not. */
static int find_checkout(struct weft_sql *sql, struct checkout *checkout)
{
    struct weft_rows *rows;
    int r = weft_sql_query(sql, &rows, "SELECT cart, customer FROM checkouts WHERE order_id = ?",
                           WEFT_VALUES(WEFT_TEXT(checkout->id)));

    if (r == 0)
        r = weft_rows_next(rows);
    if (r <= 0)
        return r;
    if (strcmp(weft_row_text(rows, 0), checkout->cart) != 0)
        r = -EEXIST;
    checkout->customer = weft_row_copy(rows, 1);
    weft_rows_end(rows);
    return r;
}

/* What is in the cart belongs to the order from now on. -ENODATA: there is nothing in it. */
static int empty_cart(struct weft_sql *sql, const struct checkout *checkout)
{
    int r = weft_sql_run(
        sql, "INSERT INTO checkouts(order_id, cart, customer) VALUES (?, ?, ?)",
        WEFT_VALUES(WEFT_TEXT(checkout->id), WEFT_TEXT(checkout->cart), WEFT_TEXT(checkout->customer)));

    if (r >= 0)
        r = weft_sql_run(sql,
                         "INSERT INTO checkout_lines(order_id, sku, quantity)"
                         " SELECT ?, sku, quantity FROM cart_lines WHERE cart = ?",
                         WEFT_VALUES(WEFT_TEXT(checkout->id), WEFT_TEXT(checkout->cart)));
    if (r == 0)
        return -ENODATA;
    if (r > 0)
        r = weft_sql_run(sql, "DELETE FROM cart_lines WHERE cart = ?", WEFT_VALUES(WEFT_TEXT(checkout->cart)));
    return r < 0 ? r : 0;
}

static int check_out(struct weft_sql *sql, void *argument)
{
    struct checkout *checkout = argument;
    struct weft_rows *rows;
    int r = find_checkout(sql, checkout);

    if (r == 0)
        r = empty_cart(sql, checkout);
    if (r < 0)
        return r;
    checkout->lines = weft_sql_alloc(sql, STOREFRONT_LINES_MAX * sizeof(*checkout->lines));
    if (!checkout->lines)
        return -ENOMEM;
    r = weft_sql_query(sql, &rows, "SELECT sku, quantity FROM checkout_lines WHERE order_id = ? ORDER BY sku LIMIT ?",
                       WEFT_VALUES(WEFT_TEXT(checkout->id), WEFT_INTEGER(STOREFRONT_LINES_MAX)));
    while (r == 0 && (r = weft_rows_next(rows)) > 0) {
        checkout->lines[checkout->line_count++] = (struct line){ .sku = weft_row_copy(rows, 0),
                                                                 .quantity = weft_row_integer(rows, 1) };
        r = 0;
    }
    return r;
}

int storefront_checkout(struct weft_call *call, void *user)
{
    const struct storefront *storefront = user;
    struct checkout checkout = { .id = weft_path_value(call, "id") };
    struct request request;
    struct weft_reply reply;
    int r = weft_body_take(call, &REQUEST, &request);

    if (r < 0)
        return r;
    if (!storefront_id_fits(checkout.id))
        return weft_answer_problem(call, 400, "id", "an order's id has 8 to 64 letters, digits and hyphens");
    checkout.cart = request.cart;
    checkout.customer = request.customer;
    r = weft_transaction(call, storefront->database, check_out, &checkout);
    if (r == -ENODATA)
        return weft_answer_problem(call, 409, "cart-empty", "there is nothing in the cart");
    if (r == -EEXIST)
        return weft_answer_problem(call, 409, "order-taken", "there is another order of that id");
    if (r < 0)
        return r;
    reply = weft_request_with(call, "PUT", weft_format(call, "http://orders/orders/%s", checkout.id), NULL,
                              &(struct weft_request_options){ .json = weft_json_of(call, &CHECKOUT, &checkout) });
    return storefront_pass_on(call, &reply);
}
