/* supervise/backoff.h - how long to wait before what died is started again. Pure.
 *
 * (1) RESTART_FIRST_NS, doubled at each failure, RESTART_MAX_NS at most; never giving up.
 * (2) What was ready for RESTART_HEALTHY_NS without a break starts from the beginning.
 * (3) `free` failures within RESTART_WINDOW_NS cost nothing: the serving process comes back at once, twice.
 */
#ifndef WEFT_SUPERVISE_BACKOFF_H
#define WEFT_SUPERVISE_BACKOFF_H

#include "base/limits.h"

#include "base/defs.h"

struct backoff {
    unsigned failures; /* in a row */
    unsigned free;     /* of these that cost no wait */
    int64_t first_ns;  /* when the first of the free ones was */
};

void backoff_init(struct backoff *backoff, unsigned free);

/* It is not ready any more at now_ns, though it lives on, and had been since ready_ns: (2). */
void backoff_unready(struct backoff *backoff, int64_t now_ns, int64_t ready_ns);

/* It has died at now_ns, and had been ready since ready_ns (0: it was not). Returns how long to wait. */
int64_t backoff_failed(struct backoff *backoff, int64_t now_ns, int64_t ready_ns);

#endif
