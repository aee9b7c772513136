#include "settle.h"

#include "schema.h"

#include <errno.h>
#include <string.h>

#define RESERVE_MS 1500
#define LATE_MS 2000 /* by then its own handler has given up */
#define BATCH 20     /* orders of one round of the task */

struct reservation {
    const char *state, *reason;
};

static const char *const STATES[] = { "held", "refused", NULL };
static const struct weft_field RESERVATION_FIELDS[] = {
    WEFT_FIELD_TEXT(struct reservation, state, .choices = STATES),
    WEFT_FIELD_TEXT(struct reservation, reason),
};
static const struct weft_shape RESERVATION = WEFT_SHAPE_OPEN(struct reservation, RESERVATION_FIELDS);

/* The same request again is the same reservation, so Weft may repeat it as often as it likes. */
static int reserve(struct weft_call *call, const char *id, const char *asked, struct reservation *ret)
{
    const struct weft_content content = { "application/json", asked, strlen(asked) };
    const struct weft_request_options options = { .timeout_ms = RESERVE_MS };
    struct weft_reply reply = weft_request_with(call, "PUT", weft_format(call, "http://inventory/reservations/%s", id),
                                                &content, &options);

    if (reply.status == 200 || reply.status == 201)
        return weft_reply_take(call, &reply, &RESERVATION, ret);
    weft_log(call, WEFT_WARNING, "order %s is not settled: inventory: %s (status %u)", id, reply.reason, reply.status);
    return reply.error < 0 ? reply.error : -EIO;
}

int settle_order(struct weft_call *call, const struct orders *orders, const char *id, const char *asked,
                 const char **ret_state, const char **ret_reason)
{
    struct reservation reservation;
    const char *state;
    int r = reserve(call, id, asked, &reservation);

    if (r < 0)
        return r;
    state = strcmp(reservation.state, "held") == 0 ? "confirmed" : "rejected";
    /* Somebody else may have been faster: what inventory says is the same for both. */
    r = weft_database_run(call, orders->database,
                          "UPDATE orders SET state = ?, reason = ?, settled_ms = " ORDERS_NOW_MS
                          " WHERE id = ? AND state = 'placed'",
                          WEFT_VALUES(WEFT_TEXT(state), WEFT_TEXT(reservation.reason), WEFT_TEXT(id)));
    if (r < 0)
        return r;
    if (r > 0)
        weft_count(strcmp(state, "confirmed") == 0 ? orders->confirmed : orders->rejected, 1);
    *ret_state = state;
    *ret_reason = reservation.reason;
    return 0;
}

int settle_late(struct weft_call *call, void *user)
{
    const struct orders *orders = user;
    const char *state, *reason;
    struct weft_rows *rows;
    int r = weft_database_query(call, orders->database, &rows,
                                "SELECT id, asked FROM orders WHERE state = 'placed'"
                                " AND placed_ms < " ORDERS_NOW_MS " - ? ORDER BY placed_ms LIMIT ?",
                                WEFT_VALUES(WEFT_INTEGER(LATE_MS), WEFT_INTEGER(BATCH)));

    if (r < 0)
        return r;
    while (weft_rows_next(rows) > 0) {
        r = settle_order(call, orders, weft_row_text(rows, 0), weft_row_text(rows, 1), &state, &reason);
        if (r < 0)
            return 0; /* inventory is away: it was said already, and the next round tries again */
        weft_count(orders->settled_late, 1);
        weft_log(call, WEFT_INFO, "order %s is %s, late", weft_row_text(rows, 0), state);
    }
    return 0;
}
