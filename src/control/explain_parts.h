/* control/explain_parts.h - the parts of control/explain.h. Inside of it only. */
#ifndef WEFT_CONTROL_EXPLAIN_PARTS_H
#define WEFT_CONTROL_EXPLAIN_PARTS_H

#include "control/explain.h"
#include "wire/http1.h"

struct explanation {
    const struct explain_world *world;
    const struct explain_request *request;
    struct exchange *x; /* the request; on its own, told to nobody */
    struct answer *answer;
    char *memory; /* of the request's head */
    struct bytes authority, target;
    const char *gateway_reason;
    enum http1_error malformed; /* what the codec said */
    const struct stage *first;  /* of the way to its answer; NULL: it goes none */
    struct bytes why;           /* of -EINVAL, in the arena of who asks */
    struct arena *arena;
};

static inline const struct control_config *explain_config(const struct explanation *e)
{
    return e->world->snapshot->system;
}

/* explain_request.c: sets the gateway, and reads the head as the codec does. -EINVAL with e->why; -ENOMEM. */
int explain_read(struct explanation *e) MUST_CHECK;
int explain_refuse(struct explanation *e, const char *format, ...) MUST_CHECK PRINTF_LIKE(2, 3); /* -EINVAL, -ENOMEM */

/* explain_trial.c: runs what answers by the request alone. Adds "status", "answered_by", "location" of an answer that
 * it got, or "forwarded" of what the service would get. -ENOMEM. */
int explain_trial(struct explanation *e) MUST_CHECK;

/* explain_endpoints.c */
void explain_endpoints(const struct explanation *e, const struct stage *balance);

#endif
