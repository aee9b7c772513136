/* exchange/endpoint.h - the innermost end of the onion, as a worker sees it: where an exchange is carried out.
 *
 * One object for each worker and endpoint of a service. A balance stage chooses it, the endpoint stage calls it; what
 * is behind it (HTTP/1 over TCP, a script, the simulator) is its own affair.
 */
#ifndef WEFT_EXCHANGE_ENDPOINT_H
#define WEFT_EXCHANGE_ENDPOINT_H

#include "exchange/exchange.h"

struct endpoint_ops {
    /* Sends the request of x and returns when the head of the answer is there, as a stage does. Waits. */
    enum outcome (*run)(struct endpoint *endpoint, struct exchange *x);
};

struct endpoint {
    const struct endpoint_ops *ops;
    struct bytes name;                         /* instance, for logs: "orders-2"; lives as long as the endpoint */
    struct bytes address;                      /* as text */
    unsigned in_flight;                        /* exchanges of this worker, from choice to ending */
    struct metric *active;                     /* the same, for other threads to read; NULL: nobody does */
    unsigned uses;                             /* who points here: set, exchanges. The owner frees it at 0 */
    void (*unused)(struct endpoint *endpoint); /* called when uses falls to 0 */
    void *user;                                /* of whoever made it */
};

/* Makes it x's endpoint for the life of x (or until another is chosen): counts, and lets go in an ending. -ENOMEM. */
int exchange_use_endpoint(struct exchange *x, struct endpoint *endpoint) MUST_CHECK;
void endpoint_drop(struct endpoint *endpoint); /* uses - 1 */

#endif
