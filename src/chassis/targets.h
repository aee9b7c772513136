/* chassis/targets.h - addresses that a service calls, and its kept-alive connections to them.
 *
 * (1) Addresses are taken as they are; names are looked up on a lane, and again when the answer is older than
 *     SERVICE_RESOLVE_NS. When that fails, the old answer stays.
 * (2) At most CHASSIS_TARGETS_MAX are kept; the one that was not used for longest makes room. Calls under way go on.
 */
#ifndef WEFT_CHASSIS_TARGETS_H
#define WEFT_CHASSIS_TARGETS_H

#include "base/limits.h"
#include "base/list.h"
#include "exchange/endpoint.h"
#include "io/lane.h"

struct targets {
    struct worker *worker;
    struct lane **lane;    /* of names; opened by the first that needs it */
    struct list_node list; /* the most recently used first */
    unsigned count;
};

void targets_init(struct targets *targets, struct worker *worker, struct lane **lane);
void targets_done(struct targets *targets); /* calls under way keep what they use */

/* Where to carry out an exchange with host and port; valid until the next wait, or as long as an exchange uses it. On a
 * fiber. -ENOENT: no such name; -EREMOTEIO: the name server failed; -ENAMETOOLONG, -ENOMEM, -EAGAIN, -ETIME,
 * -ECANCELED. */
int targets_find(struct targets *targets, struct bytes host, uint16_t port, struct endpoint **ret) MUST_CHECK;

/* It could not be reached: the name's next address is tried from now on. False: it has no other one. */
bool targets_next(struct targets *targets, struct bytes host, uint16_t port, const struct endpoint *failed);

#endif
