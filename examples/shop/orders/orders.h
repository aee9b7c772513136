/* orders - who ordered what, and what became of it.
 *
 *     PUT  /orders/{id}     {"customer":"Ada","lines":[{"sku","quantity"}]}: orders, and has it reserved
 *     GET  /orders/{id}
 *     GET  /orders?limit=20 the newest ones
 *     GET  /popular         what is bought most: [{"sku","sold"}]
 *
 *     placed --reserved--> confirmed
 *            --refused---> rejected
 *
 * (1) The customer chooses the id, so that an order whose answer was lost can be sent again: the same PUT again is the
 *     same order. Another order of the same id is refused (409).
 * (2) `placed` is on the disk before inventory is asked, and inventory decides once for each id. So whatever dies in
 *     between, asking again finds the truth; a task asks for what has been `placed` for too long.
 * (3) `confirmed` and `rejected` are final.
 */
#ifndef WEFT_SHOP_ORDERS_H
#define WEFT_SHOP_ORDERS_H

#include "weft.h"

#define ORDERS_LINES_MAX 50

struct orders {
    struct weft_service *service;
    struct weft_database *database;
    struct weft_metric *confirmed, *rejected, *settled_late;
};

/* Sets the service up. orders_done() afterwards, whatever this returns. */
int orders_init(struct orders *orders, const struct weft_options *options);
void orders_done(struct orders *orders);

#endif
