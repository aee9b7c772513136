/* inventory - what the shop has: items, and reservations of them.
 *
 *     GET  /items                     all items
 *     GET  /items/{sku}               one
 *     POST /items/{sku}/deliveries    {"quantity":50}: more of it has come
 *     PUT  /reservations/{id}         {"lines":[{"sku","quantity"}]}: holds all of it, or nothing
 *     GET  /reservations/{id}
 *
 * (1) Of each item, stock + reserved = delivered, and neither is ever below zero: the table says so (CHECK), so that no
 *     path through the code can break it.
 * (2) A reservation is decided once. The same PUT again gives the same answer, whichever instance gets it and however
 *     often: whoever does not know whether it was heard asks again.
 */
#ifndef WEFT_SHOP_INVENTORY_H
#define WEFT_SHOP_INVENTORY_H

#include "weft.h"

#define INVENTORY_LINES_MAX 50

struct inventory {
    struct weft_service *service;
    struct weft_database *database;
    struct weft_metric *held, *refused;
};

/* Sets the service up. inventory_done() afterwards, whatever this returns. */
int inventory_init(struct inventory *inventory, const struct weft_options *options);
void inventory_done(struct inventory *inventory);

#endif
