/* storefront - what the shop's page asks for: it has carts, and asks orders and inventory for the rest.
 *
 *     GET  /api/products             items, with how many were sold lately
 *     GET  /api/carts/{cart}         what is in it, with names and prices
 *     PUT  /api/carts/{cart}/{sku}   {"quantity":2}; 0 takes it out
 *     PUT  /api/orders/{id}          {"cart":ID,"customer":"Ada"}: orders what is in the cart
 *     GET  /api/orders?limit=20      the newest orders
 *     GET  /api/orders/{id}
 *     GET  /api/orders/{id}/events   its states as they come (server-sent events), until the final one
 *     GET  /pictures/{name}          SKU.svg, drawn
 *
 * (1) The page chooses the ids of cart and order. What is in the cart goes over to the order's id in one transaction,
 *     before orders is asked. So an order that is sent again (its answer was lost) is the same order, whatever was put
 *     into the cart meanwhile.
 * (2) A page without what was sold lately is better than none: when orders can't be reached, products come without.
 */
#ifndef WEFT_SHOP_STOREFRONT_H
#define WEFT_SHOP_STOREFRONT_H

#include "weft.h"

#define STOREFRONT_LINES_MAX 50
#define STOREFRONT_EVENTS_MS 4000 /* one stream of events: less than a drain, and the page asks again by itself */

struct storefront {
    struct weft_service *service;
    struct weft_database *database;
};

/* Sets the service up. storefront_done() afterwards, whatever this returns. */
int storefront_init(struct storefront *storefront, const struct weft_options *options);
void storefront_done(struct storefront *storefront);

/* Ids go into the paths of requests to other services: letters, digits and hyphens. */
bool storefront_id_fits(const char *id);

/* picture.c */
weft_handler storefront_picture;

/* cart.c */
weft_handler storefront_cart, storefront_put_line, storefront_checkout;

/* orders.c */
int storefront_pass_on(struct weft_call *call, const struct weft_reply *reply); /* what orders says; 503: nothing */
weft_handler storefront_orders, storefront_order, storefront_events;

#endif
