/* control/query.h - the parameters of a request's query: "a=1&b=x%20y". A plus is a space, as forms and curl's
 * --data-urlencode write it (WHATWG URL, application/x-www-form-urlencoded). */
#ifndef WEFT_CONTROL_QUERY_H
#define WEFT_CONTROL_QUERY_H

#include "base/arena.h"

struct query {
    struct bytes rest;
    struct arena *arena; /* for what is decoded */
};

static inline struct query query_of(struct bytes text, struct arena *arena)
{
    return (struct query){ .rest = text, .arena = arena };
}

/* The next parameter, decoded; one without a value has an empty one. 1: there was one. 0: no more. -EINVAL: a % without
 * two hexadecimal digits. -ENOMEM. */
int query_next(struct query *query, struct bytes *ret_name, struct bytes *ret_value) MUST_CHECK;

#endif
