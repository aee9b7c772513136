/* control/explain.h - what would become of a request, and why: for people.
 *
 * (1) Whatever is decided is decided by the code that carries traffic: the codec reads the request, the route table
 *     finds the route, the mesh the service; the stages that answer or change a request by what it says alone (headers,
 *     rewrite, redirect, limit-body, respond, files) are run on a copy of it, with an end in the place of the service.
 *     No service is called, nothing is counted and nothing is logged.
 * (2) It speaks of the snapshot that it is given: the one that the workers live in, or, for a file, one that was made
 * of it. Where nothing runs there is no registry, and so nothing is said about endpoints. (3) The request has no body
 * but the length that its Content-Length says. It is as if it came by the gateway that its URL leads to: a host that is
 * the name of a service, without a port, is a call by the mesh; else the gateway at the URL's port; else the first one.
 */
#ifndef WEFT_CONTROL_EXPLAIN_H
#define WEFT_CONTROL_EXPLAIN_H

#include "control/answer.h"
#include "control/config.h"
#include "exchange/snapshot.h"

struct explain_request {
    struct bytes method;        /* empty: GET */
    struct bytes url;           /* http://host[:port]/path?query, or /path?query: then the host is the gateway's */
    struct bytes gateway;       /* its name; empty: found by the URL */
    const struct bytes *fields; /* "Name: value" */
    unsigned field_count;
};

struct explain_world {
    struct snapshot *snapshot;       /* its `system` is the config */
    const struct registry *registry; /* NULL: nothing runs */
};

/* Adds an object as in api.h, /v1/explain. Waits, where files are looked at. `x` is whoever asks: memory and scope. 0;
 * -EINVAL: what was asked for is no request, *ret_why (in x's arena) says why and what is allowed; -ENOMEM. */
int explain(const struct explain_world *world, const struct explain_request *request, struct exchange *x,
            struct answer *answer, struct bytes *ret_why) MUST_CHECK;

/* The same for a file without a running system, on a loop and a worker of its own. [blocks] */
int explain_alone(struct io *io, struct snapshot *snapshot, const struct explain_request *request,
                  struct answer *answer, struct text *why) MUST_CHECK;

/* Adds what a worker needs to explain to the snapshot that it lives in: local blocks of stages that are run. -ENOMEM.
 */
int explain_prepare(struct snapshot *snapshot) MUST_CHECK;

/* A member with the stages of a way, from the outside in. */
void explain_stages(const char *key, const struct stage *first, struct answer *answer);

#endif
