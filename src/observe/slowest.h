/* observe/slowest.h - who is among the slowest, at a glance: a mark that rises to whoever exceeds it, and falls by an
 * eighth each second. So after one that took an hour the usual slow ones have their turn again in minutes, and of a
 * steady flood a few a second pass. */
#ifndef WEFT_OBSERVE_SLOWEST_H
#define WEFT_OBSERVE_SLOWEST_H

#include "base/defs.h"

/* Starts as all zeros. */
struct slowest {
    int64_t mark_ns;
    int64_t fell_ns; /* when the mark last fell */
};

/* Times may not go back between calls. */
bool slowest_passes(struct slowest *slowest, int64_t took_ns, int64_t now_ns);

#endif
