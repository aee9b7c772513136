/* service/post.h - endpoint sets on their way to the workers. Inside of service/ only.
 *
 * `pending` is all of the protocol. The control loop puts the newest set in; if nothing was there, it posts the letter.
 * The worker takes what is there: from that moment the letter may be posted again. So each side makes one exchange, and
 * the worker touches the post no more after its own, but for the metrics. A worker without memory for the set puts it
 * back, unless a newer one has come, and runs the letter again by a timer.
 */
#ifndef WEFT_SERVICE_POST_H
#define WEFT_SERVICE_POST_H

#include "service/service.h"

void service_post_init(struct service_post *post, struct worker_services *to);

/* Takes one use of the set. False: the mailbox was full; call service_post_again() later. */
bool service_post_set(struct service_post *post, struct endpoint_set *set);
bool service_post_again(struct service_post *post);

/* Whether nothing is on its way. */
bool service_post_idle(const struct service_post *post);
void service_post_done(struct service_post *post); /* the worker's loop no longer runs */

#endif
