/* From `placed` to a final state: see orders.h, (2). */
#ifndef WEFT_SHOP_ORDERS_SETTLE_H
#define WEFT_SHOP_ORDERS_SETTLE_H

#include "orders.h"

/* Asks inventory to reserve what the order needs, and keeps what it said. *ret_state and *ret_reason are then the
 * final ones. Negative: nobody knows yet, the order stays placed. [waits] */
int settle_order(struct weft_call *call, const struct orders *orders, const char *id, const char *asked,
                 const char **ret_state, const char **ret_reason);

/* The task: settles what has been placed for too long. */
int settle_late(struct weft_call *call, void *user);

#endif
