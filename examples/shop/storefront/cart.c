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

static int answer_cart(struct weft_call *call, const struct storefront *storefront)
{
    struct weft_reply reply = weft_request(call, "GET", "http://inventory/items", NULL);
    struct weft_json *answer = weft_object(call), *lines = weft_array(call);
    const struct weft_json *items = NULL;
    struct weft_rows *rows;
    int64_t total = 0;
    int r;

    if (reply.status != 200 || weft_reply_json(call, &reply, &items) < 0)
        return weft_answer_problem(call, 503, "no-inventory", "the shop can't see its prices now; try again");
    r = weft_database_query(call, storefront->database, &rows,
                            "SELECT sku, quantity FROM cart_lines WHERE cart = ? ORDER BY sku",
                            WEFT_VALUES(WEFT_TEXT(weft_path_value(call, "cart"))));
    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0) {
        const struct weft_json *item = find_item(weft_json_get(items, "items"), weft_row_text(rows, 0));
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
    return answer_cart(call, user);
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
    struct change change;
    int r = weft_body_take(call, &CHANGE, &change);

    if (r < 0)
        return r;
    if (strlen(putting.cart) > 64 || strlen(putting.sku) > 40)
        return weft_answer_problem(call, 400, "name", "names of carts and items are shorter");
    putting.quantity = change.quantity;
    r = weft_transaction(call, storefront->database, put_line, &putting);
    if (r == -E2BIG)
        return weft_answer_problem(call, 409, "cart-full", "a cart takes 50 different items");
    return r < 0 ? r : answer_cart(call, storefront);
}

/* --- checkout --------------------------------------------------------------------------------------------------- */

struct checkout {
    const char *order, *customer;
};

static const struct weft_field CHECKOUT_FIELDS[] = {
    WEFT_FIELD_TEXT(struct checkout, order, .min = 8, .max = 64),
    WEFT_FIELD_TEXT(struct checkout, customer, .min = 1, .max = 80),
};
static const struct weft_shape CHECKOUT = WEFT_SHAPE(struct checkout, CHECKOUT_FIELDS);

struct leaving {
    struct checkout checkout;
    const char *cart;
    struct line lines[STOREFRONT_LINES_MAX];
    size_t line_count;
    const char *body; /* what was made of it earlier; NULL: nothing yet */
};

/* The checkout as it was sent before, or what is in the cart now. */
static int read_cart(struct weft_sql *sql, void *argument)
{
    struct leaving *leaving = argument;
    struct weft_rows *rows;
    int r = weft_sql_query(sql, &rows, "SELECT body FROM checkouts WHERE order_id = ? AND cart = ?",
                           WEFT_VALUES(WEFT_TEXT(leaving->checkout.order), WEFT_TEXT(leaving->cart)));

    if (r == 0)
        r = weft_rows_next(rows);
    if (r > 0) {
        leaving->body = weft_row_copy(rows, 0);
        weft_rows_end(rows);
        return 0;
    }
    if (r == 0)
        r = weft_sql_query(sql, &rows, "SELECT sku, quantity FROM cart_lines WHERE cart = ? ORDER BY sku",
                           WEFT_VALUES(WEFT_TEXT(leaving->cart)));
    while (r == 0 && (r = weft_rows_next(rows)) > 0) {
        if (leaving->line_count == STOREFRONT_LINES_MAX)
            return -E2BIG;
        leaving->lines[leaving->line_count++] = (struct line){ .sku = weft_row_copy(rows, 0),
                                                               .quantity = weft_row_integer(rows, 1) };
        r = 0;
    }
    return r;
}

/* From now on the order exists, whatever happens: what was in the cart belongs to it. */
static int keep_checkout(struct weft_sql *sql, void *argument)
{
    const struct leaving *leaving = argument;
    int r = weft_sql_run(
        sql, "INSERT INTO checkouts(order_id, cart, body) VALUES (?, ?, ?)",
        WEFT_VALUES(WEFT_TEXT(leaving->checkout.order), WEFT_TEXT(leaving->cart), WEFT_TEXT(leaving->body)));

    if (r >= 0)
        r = weft_sql_run(sql, "DELETE FROM cart_lines WHERE cart = ?", WEFT_VALUES(WEFT_TEXT(leaving->cart)));
    return r < 0 ? r : 0;
}

static int write_body(struct weft_call *call, struct leaving *leaving)
{
    struct weft_json *body = weft_object(call), *lines = weft_array(call);
    struct weft_bytes text;
    int r;

    for (size_t i = 0; i < leaving->line_count; i++)
        weft_append(lines, weft_json_of(call, &LINE, &leaving->lines[i]));
    weft_set_text(body, "customer", leaving->checkout.customer);
    weft_set(body, "lines", lines);
    r = weft_json_write(call, body, &text);
    if (r == 0)
        leaving->body = text.data;
    return r;
}

static int pass_on(struct weft_call *call, const struct weft_reply *reply)
{
    if (reply->status == 0)
        return weft_answer_problem(call, 503, "no-orders", "your order is kept, but could not be sent; try again");
    return weft_answer(call, reply->status, weft_reply_header(reply, "Content-Type"), reply->body.data,
                       reply->body.len);
}

int storefront_checkout(struct weft_call *call, void *user)
{
    const struct storefront *storefront = user;
    struct leaving *leaving = weft_alloc(call, sizeof(*leaving));
    struct weft_content content = { .type = "application/json" };
    struct weft_reply reply;
    int r = leaving ? weft_body_take(call, &CHECKOUT, &leaving->checkout) : -ENOMEM;

    if (r < 0)
        return r;
    if (!storefront_id_fits(leaving->checkout.order))
        return weft_refuse(call, "/order", "must be made of letters, digits and hyphens");
    leaving->cart = weft_path_value(call, "cart");
    r = weft_read_transaction(call, storefront->database, read_cart, leaving);
    if (r == 0 && !leaving->body) {
        if (leaving->line_count == 0)
            return weft_answer_problem(call, 409, "cart-empty", "there is nothing in the cart");
        r = write_body(call, leaving);
        if (r == 0)
            r = weft_transaction(call, storefront->database, keep_checkout, leaving);
    }
    if (r == -EEXIST)
        return weft_answer_problem(call, 409, "order-taken", "there is another checkout with that order");
    if (r < 0)
        return r;
    content.data = leaving->body;
    content.len = strlen(leaving->body);
    reply = weft_request(call, "PUT", weft_format(call, "http://orders/orders/%s", leaving->checkout.order), &content);
    return pass_on(call, &reply);
}
