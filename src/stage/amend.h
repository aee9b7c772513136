/* stage/amend.h - changing the head of a request for the way inwards only.
 *
 *     struct amend amend;
 *     int r = amend_open(x, 2, &amend);
 *
 *     if (r == 0) {
 *         ... change x->request, its fields too ...
 *         outcome = stage_next(s, x);
 *     }
 *     amend_close(x, &amend);
 *
 * (1) Whoever is outside, and whoever looks at the exchange at its end, sees the head that the client sent; a stage
 * that runs again (a retry outside) begins with that. (2) The fields are changed in a table of x's own, in its arena:
 * what a fork shares with its parent is not touched. (3) A head has at most AMEND_FIELDS_MAX fields afterwards, however
 * many stages add to it.
 */
#ifndef WEFT_STAGE_AMEND_H
#define WEFT_STAGE_AMEND_H

#include "exchange/exchange.h"

/* Behind these a fork and the endpoint still have their HTTP_FIELDS_ADDED_MAX. */
#define AMEND_FIELDS_MAX (HTTP_FIELDS_MAX + HTTP_FIELDS_ADDED_MAX)

struct amend {
    struct http_head head; /* as it was */
    bool shared;
};

/* Room for `added` more fields. -ENOSPC: (3); -ENOMEM. To be closed in any case. */
int amend_open(struct exchange *x, unsigned added, struct amend *ret) MUST_CHECK;
void amend_close(struct exchange *x, const struct amend *amend);

/* What a failure to change the request means: -ENOMEM is ours, all else is the request's. */
static inline enum outcome amend_outcome(int error)
{
    return error == -ENOMEM ? OUTCOME_OVERLOAD : OUTCOME_BAD_REQUEST;
}

/* A table of its own for any head of x, with what it holds and room for `added` more. -ENOSPC, -ENOMEM. */
int amend_head(struct exchange *x, unsigned added, struct http_head *head) MUST_CHECK;

#endif
