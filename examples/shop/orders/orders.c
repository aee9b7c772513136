#include "orders.h"

#include "schema.h"
#include "settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 100

/* --- shapes ----------------------------------------------------------------------------------------------------- */

struct line {
    const char *sku;
    int64_t quantity;
};

struct request {
    const char *customer;
    struct line *lines;
    size_t line_count;
};

struct order {
    const char *id, *customer, *state, *reason;
    struct line *lines;
    size_t line_count;
    int64_t placed_ms, settled_ms;
};

static const struct weft_field LINE_FIELDS[] = {
    WEFT_FIELD_TEXT(struct line, sku, .min = 1, .max = 40),
    WEFT_FIELD_INTEGER(struct line, quantity, .min = 1, .max = 99),
};
static const struct weft_shape LINE = WEFT_SHAPE(struct line, LINE_FIELDS);
static const struct weft_field REQUEST_FIELDS[] = {
    WEFT_FIELD_TEXT(struct request, customer, .min = 1, .max = 80),
    WEFT_FIELD_LIST(struct request, lines, line_count, &LINE, .min = 1, .max = ORDERS_LINES_MAX),
};
static const struct weft_shape REQUEST = WEFT_SHAPE(struct request, REQUEST_FIELDS);
static const struct weft_field ORDER_FIELDS[] = {
    WEFT_FIELD_TEXT(struct order, id),
    WEFT_FIELD_TEXT(struct order, customer),
    WEFT_FIELD_TEXT(struct order, state),
    WEFT_FIELD_TEXT(struct order, reason),
    WEFT_FIELD_LIST(struct order, lines, line_count, &LINE),
    WEFT_FIELD_INTEGER(struct order, placed_ms),
    WEFT_FIELD_INTEGER(struct order, settled_ms),
};
static const struct weft_shape ORDER = WEFT_SHAPE(struct order, ORDER_FIELDS);

/* --- reading ---------------------------------------------------------------------------------------------------- */

struct reading {
    const char *id;
    struct order order;
    bool found;
};

static int read_lines(struct weft_sql *sql, struct order *order)
{
    struct weft_rows *rows;
    int r;

    order->lines = weft_sql_alloc(sql, ORDERS_LINES_MAX * sizeof(*order->lines));
    if (!order->lines)
        return -ENOMEM;
    r = weft_sql_query(sql, &rows, "SELECT sku, quantity FROM order_lines WHERE order_id = ? LIMIT ?",
                       WEFT_VALUES(WEFT_TEXT(order->id), WEFT_INTEGER(ORDERS_LINES_MAX)));
    while (r == 0 && (r = weft_rows_next(rows)) > 0) {
        order->lines[order->line_count++] = (struct line){ .sku = weft_row_copy(rows, 0),
                                                           .quantity = weft_row_integer(rows, 1) };
        r = 0;
    }
    return r;
}

static int read_order(struct weft_sql *sql, void *argument)
{
    struct reading *reading = argument;
    struct order *order = &reading->order;
    struct weft_rows *rows;
    int r = weft_sql_query(sql, &rows,
                           "SELECT id, customer, state, reason, placed_ms, settled_ms FROM orders WHERE id = ?",
                           WEFT_VALUES(WEFT_TEXT(reading->id)));

    if (r == 0)
        r = weft_rows_next(rows);
    if (r <= 0)
        return r;
    *order = (struct order){ .id = weft_row_copy(rows, 0),
                             .customer = weft_row_copy(rows, 1),
                             .state = weft_row_copy(rows, 2),
                             .reason = weft_row_copy(rows, 3),
                             .placed_ms = weft_row_integer(rows, 4),
                             .settled_ms = weft_row_integer(rows, 5) };
    weft_rows_end(rows);
    reading->found = true;
    return read_lines(sql, order);
}

static int answer_order(struct weft_call *call, const struct orders *orders, const char *id, unsigned status)
{
    struct reading reading = { .id = id };
    int r = weft_read_transaction(call, orders->database, read_order, &reading);

    if (r < 0)
        return r;
    if (!reading.found)
        return weft_answer_problem(call, 404, "no-such-order", "there is no order of that id");
    return weft_answer_shape(call, status, &ORDER, &reading.order);
}

static int get_order(struct weft_call *call, void *user)
{
    return answer_order(call, user, weft_path_value(call, "id"), 200);
}

static int list_orders(struct weft_call *call, void *user)
{
    const struct orders *orders = user;
    const char *limit = weft_query_value(call, "limit");
    char *end = NULL;
    long count = limit ? strtol(limit, &end, 10) : 20;
    struct weft_json *answer = weft_object(call), *list = weft_array(call);
    struct weft_rows *rows;
    int r;

    if (count < 1 || count > LIST_MAX || (end && *end != '\0'))
        return weft_answer_problem(call, 400, "limit", "limit is a number from 1 to 100");
    r = weft_database_query(call, orders->database, &rows,
                            "SELECT id, customer, state, reason, placed_ms FROM orders ORDER BY number DESC LIMIT ?",
                            WEFT_VALUES(WEFT_INTEGER(count)));
    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0) {
        struct weft_json *order = weft_object(call);

        weft_set_text(order, "id", weft_row_text(rows, 0));
        weft_set_text(order, "customer", weft_row_text(rows, 1));
        weft_set_text(order, "state", weft_row_text(rows, 2));
        weft_set_text(order, "reason", weft_row_text(rows, 3));
        weft_set_integer(order, "placed_ms", weft_row_integer(rows, 4));
        weft_append(list, order);
    }
    weft_set(answer, "orders", list);
    return weft_answer_value(call, 200, answer);
}

/* Of the newest thousand orders: what people want today. */
static int list_popular(struct weft_call *call, void *user)
{
    const struct orders *orders = user;
    struct weft_json *answer = weft_object(call), *list = weft_array(call);
    struct weft_rows *rows;
    int r = weft_database_query(call, orders->database, &rows,
                                "SELECT sku, sum(quantity) AS sold FROM order_lines JOIN"
                                " (SELECT id FROM orders WHERE state = 'confirmed' ORDER BY number DESC LIMIT 1000)"
                                " ON order_id = id GROUP BY sku ORDER BY sold DESC, sku LIMIT 20",
                                WEFT_VALUES());

    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0) {
        struct weft_json *item = weft_object(call);

        weft_set_text(item, "sku", weft_row_text(rows, 0));
        weft_set_integer(item, "sold", weft_row_integer(rows, 1));
        weft_append(list, item);
    }
    weft_set(answer, "popular", list);
    return weft_answer_value(call, 200, answer);
}

/* --- ordering --------------------------------------------------------------------------------------------------- */

/* It goes into the path of requests to inventory. */
static bool id_fits(const char *id)
{
    size_t len = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    return len >= 8 && len <= 64 && id[len] == '\0';
}

struct placing {
    const char *id, *asked;
    const struct request *request;
    bool made;         /* now, not earlier */
    const char *state; /* another one than `placed`: of an order that was there */
};

/* 1: it is there; 0: it is not. */
static int find_order(struct weft_sql *sql, struct placing *placing)
{
    struct weft_rows *rows;
    int r = weft_sql_query(sql, &rows, "SELECT state, asked, customer FROM orders WHERE id = ?",
                           WEFT_VALUES(WEFT_TEXT(placing->id)));

    if (r == 0)
        r = weft_rows_next(rows);
    if (r <= 0)
        return r;
    placing->state = weft_row_copy(rows, 0);
    if (strcmp(weft_row_text(rows, 1), placing->asked) != 0 ||
        strcmp(weft_row_text(rows, 2), placing->request->customer) != 0)
        r = -EEXIST;
    weft_rows_end(rows);
    return r;
}

static int place(struct weft_sql *sql, void *argument)
{
    struct placing *placing = argument;
    const struct request *request = placing->request;
    int r = find_order(sql, placing);

    placing->made = r == 0;
    if (r != 0)
        return r < 0 ? r : 0;
    r = weft_sql_run(sql,
                     "INSERT INTO orders(id, customer, state, asked, placed_ms)"
                     " VALUES (?, ?, 'placed', ?, " ORDERS_NOW_MS ")",
                     WEFT_VALUES(WEFT_TEXT(placing->id), WEFT_TEXT(request->customer), WEFT_TEXT(placing->asked)));
    for (size_t i = 0; r >= 0 && i < request->line_count; i++)
        r = weft_sql_run(sql, "INSERT INTO order_lines(order_id, sku, quantity) VALUES (?, ?, ?)",
                         WEFT_VALUES(WEFT_TEXT(placing->id), WEFT_TEXT(request->lines[i].sku),
                                     WEFT_INTEGER(request->lines[i].quantity)));
    return r < 0 ? r : 0;
}

/* The request as it goes to inventory. An item that stands there twice is a fault. */
static int write_asked(struct weft_call *call, const struct request *request, const char **ret)
{
    struct weft_json *asked = weft_object(call), *lines = weft_array(call);
    struct weft_bytes text;
    int r = 0;

    for (size_t i = 0; i < request->line_count; i++) {
        for (size_t k = 0; k < i; k++)
            if (strcmp(request->lines[i].sku, request->lines[k].sku) == 0)
                r = weft_refuse(call, weft_format(call, "/lines/%zu/sku", i), "%s stands there twice",
                                request->lines[i].sku);
        weft_append(lines, weft_json_of(call, &LINE, &request->lines[i]));
    }
    weft_set(asked, "lines", lines);
    if (r == 0)
        r = weft_json_write(call, asked, &text);
    if (r == 0)
        *ret = text.data;
    return r;
}

static int put_order(struct weft_call *call, void *user)
{
    const struct orders *orders = user;
    struct request request = { 0 };
    struct placing placing = { .id = weft_path_value(call, "id"), .request = &request, .state = "placed" };
    const char *reason;
    int r = weft_body_take(call, &REQUEST, &request);

    if (r == 0 && !id_fits(placing.id))
        return weft_answer_problem(call, 400, "id", "an order's id has 8 to 64 letters, digits and hyphens");
    if (r == 0)
        r = write_asked(call, &request, &placing.asked);
    if (r == 0)
        r = weft_transaction(call, orders->database, place, &placing);
    if (r == -EEXIST)
        return weft_answer_problem(call, 409, "other-order", "there is another order of that id");
    if (r < 0)
        return r;
    if (strcmp(placing.state, "placed") == 0)
        r = settle_order(call, orders, placing.id, placing.asked, &placing.state, &reason);
    /* 202: it is kept, and will be settled; look again. Where our own time is up, reading it fails, too. */
    return answer_order(call, orders, placing.id, r < 0 ? 202 : placing.made ? 201 : 200);
}

/* --- the service ------------------------------------------------------------------------------------------------ */

int orders_init(struct orders *orders, const struct weft_options *options)
{
    const struct weft_database_options database = {
        .migrations = ORDERS_MIGRATIONS,
        .migration_count = sizeof(ORDERS_MIGRATIONS) / sizeof(ORDERS_MIGRATIONS[0]),
    };
    int r;

    *orders = (struct orders){ .service = NULL };
    r = weft_service_create(options, &orders->service);
    if (r < 0)
        return r;
    /* What goes wrong from here on is kept by the service: weft_run() says it. */
    weft_database_open(orders->service, &database, &orders->database);
    orders->confirmed = weft_counter(orders->service, "orders_total{state=\"confirmed\"}", "orders settled");
    orders->rejected = weft_counter(orders->service, "orders_total{state=\"rejected\"}", "");
    orders->settled_late = weft_counter(orders->service, "orders_settled_late_total", "orders settled by the task");
    weft_route(orders->service, "GET", "/orders", list_orders, orders);
    weft_route(orders->service, "GET", "/orders/{id}", get_order, orders);
    weft_route(orders->service, "PUT", "/orders/{id}", put_order, orders);
    weft_route(orders->service, "GET", "/popular", list_popular, orders);
    weft_every(orders->service, "settle", 500, settle_late, orders);
    return 0;
}

void orders_done(struct orders *orders)
{
    weft_service_free(orders->service);
}
