#include "inventory.h"

#include "schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- items ------------------------------------------------------------------------------------------------------ */

struct item {
    const char *sku, *name;
    int64_t cents, stock, reserved, delivered;
};

static const struct weft_field ITEM_FIELDS[] = {
    WEFT_FIELD_TEXT(struct item, sku),         WEFT_FIELD_TEXT(struct item, name),
    WEFT_FIELD_INTEGER(struct item, cents),    WEFT_FIELD_INTEGER(struct item, stock),
    WEFT_FIELD_INTEGER(struct item, reserved), WEFT_FIELD_INTEGER(struct item, delivered),
};
static const struct weft_shape ITEM = WEFT_SHAPE(struct item, ITEM_FIELDS);

#define ITEM_COLUMNS "sku, name, cents, stock, reserved, delivered"

static struct item read_item(const struct weft_rows *rows)
{
    return (struct item){ .sku = weft_row_text(rows, 0),
                          .name = weft_row_text(rows, 1),
                          .cents = weft_row_integer(rows, 2),
                          .stock = weft_row_integer(rows, 3),
                          .reserved = weft_row_integer(rows, 4),
                          .delivered = weft_row_integer(rows, 5) };
}

static int list_items(struct weft_call *call, void *user)
{
    const struct inventory *inventory = user;
    struct weft_json *answer = weft_object(call), *items = weft_array(call);
    struct weft_rows *rows;
    int r = weft_database_query(call, inventory->database, &rows, "SELECT " ITEM_COLUMNS " FROM items ORDER BY name",
                                WEFT_VALUES());

    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0) {
        struct item item = read_item(rows);

        weft_append(items, weft_json_of(call, &ITEM, &item));
    }
    weft_set(answer, "items", items);
    return weft_answer_value(call, 200, answer);
}

static int answer_item(struct weft_call *call, const struct inventory *inventory)
{
    const char *sku = weft_path_value(call, "sku");
    struct weft_rows *rows;
    struct item item;
    int r = weft_database_query(call, inventory->database, &rows, "SELECT " ITEM_COLUMNS " FROM items WHERE sku = ?",
                                WEFT_VALUES(WEFT_TEXT(sku)));

    if (r < 0)
        return r;
    if (weft_rows_next(rows) == 0)
        return weft_answer_problem(call, 404, "no-such-item", weft_format(call, "there is no item %s", sku));
    item = read_item(rows);
    return weft_answer_shape(call, 200, &ITEM, &item);
}

static int get_item(struct weft_call *call, void *user)
{
    return answer_item(call, user);
}

struct delivery {
    int64_t quantity;
};

static const struct weft_field DELIVERY_FIELDS[] = {
    WEFT_FIELD_INTEGER(struct delivery, quantity, .min = 1, .max = 100000),
};
static const struct weft_shape DELIVERY = WEFT_SHAPE(struct delivery, DELIVERY_FIELDS);

static int deliver(struct weft_call *call, void *user)
{
    const struct inventory *inventory = user;
    struct delivery delivery;
    int r = weft_body_take(call, &DELIVERY, &delivery);

    if (r == 0)
        r = weft_database_run(call, inventory->database,
                              "UPDATE items SET delivered = delivered + ?1, stock = stock + ?1 WHERE sku = ?2",
                              WEFT_VALUES(WEFT_INTEGER(delivery.quantity), WEFT_TEXT(weft_path_value(call, "sku"))));
    return r < 0 ? r : answer_item(call, inventory);
}

/* --- reservations ----------------------------------------------------------------------------------------------- */

struct line {
    const char *sku;
    int64_t quantity;
};

struct request {
    struct line *lines;
    size_t line_count;
};

static const struct weft_field LINE_FIELDS[] = {
    WEFT_FIELD_TEXT(struct line, sku, .min = 1, .max = 40),
    WEFT_FIELD_INTEGER(struct line, quantity, .min = 1, .max = 1000),
};
static const struct weft_shape LINE = WEFT_SHAPE(struct line, LINE_FIELDS);
static const struct weft_field REQUEST_FIELDS[] = {
    WEFT_FIELD_LIST(struct request, lines, line_count, &LINE, .min = 1, .max = INVENTORY_LINES_MAX),
};
static const struct weft_shape REQUEST = WEFT_SHAPE(struct request, REQUEST_FIELDS);

struct reservation {
    const char *id, *state, *reason;
    const char *asked; /* for comparing; not in answers */
    const struct request *request;
    bool made; /* now, not earlier */
};

static const struct weft_field RESERVATION_FIELDS[] = {
    WEFT_FIELD_TEXT(struct reservation, id),
    WEFT_FIELD_TEXT(struct reservation, state),
    WEFT_FIELD_TEXT(struct reservation, reason),
};
static const struct weft_shape RESERVATION = WEFT_SHAPE(struct reservation, RESERVATION_FIELDS);

/* 1: it is there, and read; 0: it is not. */
static int find_reservation(struct weft_sql *sql, struct reservation *reservation)
{
    struct weft_rows *rows;
    int r = weft_sql_query(sql, &rows, "SELECT state, reason, asked FROM reservations WHERE id = ?",
                           WEFT_VALUES(WEFT_TEXT(reservation->id)));

    if (r == 0)
        r = weft_rows_next(rows);
    if (r <= 0)
        return r;
    reservation->state = weft_row_copy(rows, 0);
    reservation->reason = weft_row_copy(rows, 1);
    if (strcmp(weft_row_text(rows, 2), reservation->asked) != 0)
        r = -EEXIST;
    weft_rows_end(rows);
    return r;
}

/* Why it can't be held; "": it can. */
static int look_for_refusal(struct weft_sql *sql, const struct request *request, const char **ret)
{
    const char *refusal = "";

    for (size_t i = 0; i < request->line_count && *refusal == '\0'; i++) {
        int64_t stock = 0;
        int r = weft_sql_integer(sql, &stock, "SELECT stock FROM items WHERE sku = ?",
                                 WEFT_VALUES(WEFT_TEXT(request->lines[i].sku)));

        if (r == -ENOENT)
            refusal = "no such item";
        else if (r < 0)
            return r;
        else if (stock < request->lines[i].quantity)
            refusal = "sold out";
    }
    *ret = refusal;
    return 0;
}

static int hold(struct weft_sql *sql, const struct reservation *reservation)
{
    for (size_t i = 0; i < reservation->request->line_count; i++) {
        const struct line *line = &reservation->request->lines[i];
        int r = weft_sql_run(sql, "UPDATE items SET stock = stock - ?1, reserved = reserved + ?1 WHERE sku = ?2",
                             WEFT_VALUES(WEFT_INTEGER(line->quantity), WEFT_TEXT(line->sku)));

        if (r >= 0)
            r = weft_sql_run(
                sql, "INSERT INTO reservation_lines(reservation, sku, quantity) VALUES (?, ?, ?)",
                WEFT_VALUES(WEFT_TEXT(reservation->id), WEFT_TEXT(line->sku), WEFT_INTEGER(line->quantity)));
        if (r < 0)
            return r;
    }
    return 0;
}

/* On the database's thread, which has the file alone: what is read here stays true until the commit. */
static int decide(struct weft_sql *sql, void *argument)
{
    struct reservation *reservation = argument;
    int r = find_reservation(sql, reservation);

    reservation->made = r == 0;
    if (r != 0)
        return r < 0 ? r : 0;
    r = look_for_refusal(sql, reservation->request, &reservation->reason);
    if (r < 0)
        return r;
    reservation->state = *reservation->reason ? "refused" : "held";
    r = weft_sql_run(sql, "INSERT INTO reservations(id, state, reason, asked) VALUES (?, ?, ?, ?)",
                     WEFT_VALUES(WEFT_TEXT(reservation->id), WEFT_TEXT(reservation->state),
                                 WEFT_TEXT(reservation->reason), WEFT_TEXT(reservation->asked)));
    if (r >= 0 && *reservation->reason == '\0')
        r = hold(sql, reservation);
    return r < 0 ? r : 0;
}

/* No item twice; what they ask for, as a text. NULL: no memory. */
static const char *check_lines(struct weft_call *call, const struct request *request, int *ret)
{
    const char *asked = "";

    for (size_t i = 0; i < request->line_count && asked; i++) {
        for (size_t k = 0; k < i; k++)
            if (strcmp(request->lines[i].sku, request->lines[k].sku) == 0)
                *ret = weft_refuse(call, weft_format(call, "/lines/%zu/sku", i), "%s stands there twice",
                                   request->lines[i].sku);
        asked = weft_format(call, "%s%s%s=%lld", asked, i > 0 ? "," : "", request->lines[i].sku,
                            (long long)request->lines[i].quantity);
    }
    return asked;
}

static int put_reservation(struct weft_call *call, void *user)
{
    const struct inventory *inventory = user;
    struct request request = { 0 };
    struct reservation reservation = { .id = weft_path_value(call, "id"), .request = &request };
    int r = weft_body_take(call, &REQUEST, &request);

    if (r == 0)
        reservation.asked = check_lines(call, &request, &r);
    if (r == 0 && !reservation.asked)
        r = -ENOMEM;
    if (r == 0)
        r = weft_transaction(call, inventory->database, decide, &reservation);
    if (r == -EEXIST)
        return weft_answer_problem(call, 409, "other-reservation", "there is another reservation of that id");
    if (r < 0)
        return r;
    if (reservation.made)
        weft_count(strcmp(reservation.state, "held") == 0 ? inventory->held : inventory->refused, 1);
    return weft_answer_shape(call, reservation.made ? 201 : 200, &RESERVATION, &reservation);
}

static int get_reservation(struct weft_call *call, void *user)
{
    const struct inventory *inventory = user;
    struct reservation reservation = { .id = weft_path_value(call, "id") };
    struct weft_rows *rows;
    int r = weft_database_query(call, inventory->database, &rows, "SELECT state, reason FROM reservations WHERE id = ?",
                                WEFT_VALUES(WEFT_TEXT(reservation.id)));

    if (r < 0)
        return r;
    if (weft_rows_next(rows) == 0)
        return weft_answer_problem(call, 404, "no-such-reservation", "there is no reservation of that id");
    reservation.state = weft_row_text(rows, 0);
    reservation.reason = weft_row_text(rows, 1);
    return weft_answer_shape(call, 200, &RESERVATION, &reservation);
}

/* --- the service ------------------------------------------------------------------------------------------------ */

int inventory_init(struct inventory *inventory, const struct weft_options *options)
{
    const struct weft_database_options database = {
        .migrations = INVENTORY_MIGRATIONS,
        .migration_count = sizeof(INVENTORY_MIGRATIONS) / sizeof(INVENTORY_MIGRATIONS[0]),
    };
    int r;

    *inventory = (struct inventory){ .service = NULL };
    r = weft_service_create(options, &inventory->service);
    if (r < 0)
        return r;
    /* What goes wrong from here on is kept by the service: weft_run() says it. */
    weft_database_open(inventory->service, &database, &inventory->database);
    inventory->held = weft_counter(inventory->service, "reservations_total{state=\"held\"}", "reservations made");
    inventory->refused = weft_counter(inventory->service, "reservations_total{state=\"refused\"}", "");
    weft_route(inventory->service, "GET", "/items", list_items, inventory);
    weft_route(inventory->service, "GET", "/items/{sku}", get_item, inventory);
    weft_route(inventory->service, "POST", "/items/{sku}/deliveries", deliver, inventory);
    weft_route(inventory->service, "PUT", "/reservations/{id}", put_reservation, inventory);
    weft_route(inventory->service, "GET", "/reservations/{id}", get_reservation, inventory);
    return 0;
}

void inventory_done(struct inventory *inventory)
{
    weft_service_free(inventory->service);
}
