/* service/health.h - is an instance ready? The state machine of its readiness checks, without any I/O.
 *
 * (1) An instance starts as STARTING, is checked every `fast_ns`, and is READY with its first success.
 * (2) From then on it is checked every `slow_ns`. `fall` failures in a row make it UNREADY, `rise` successes in a row
 *     make it READY again.
 * (3) What exchanges find out (passive marking) is kept apart, see service/instance.h: it never changes this state.
 */
#ifndef WEFT_SERVICE_HEALTH_H
#define WEFT_SERVICE_HEALTH_H

#include "base/defs.h"

enum health_state {
    HEALTH_STARTING, /* never ready so far */
    HEALTH_READY,
    HEALTH_UNREADY, /* was ready once */
};

struct health_rules {
    unsigned fall, rise;
    int64_t fast_ns, slow_ns; /* from the end of a check to the next one */
    int64_t timeout_ns;       /* of one check */
};

/* fall 3, rise 2, 50 ms, 2 s, 1 s. */
extern const struct health_rules HEALTH_RULES;

struct health {
    enum health_state state;
    unsigned streak; /* results in a row that speak against the state */
};

/* Takes the result of a check. True: the state has changed. */
bool health_note(struct health *health, const struct health_rules *rules, bool success);

/* How long to wait before the next check. */
int64_t health_pause_ns(const struct health *health, const struct health_rules *rules);

const char *health_name(enum health_state state); /* "starting", "ready", "unready" */

#endif
