/* stage/route_table.h - routes, compiled for looking up.
 *
 * (1) Precedence as the Kubernetes Gateway API has it, and where it says nothing: the more literal first. In this
 * order: host     an exact one; the longest suffix ("*.example.com": one or more labels before it); every host. path
 * element by element from the left: as it is before {name} before {name...} before the end of a prefix. So an exact
 * path goes before all others and a longer prefix before a shorter one; "/orders/new" before
 *                "/orders/{id}" before the prefix "/orders", and the prefix "/orders/7" before "/orders/{id}". Then
 *                regular expressions. Then what takes every path: no path, the prefix "/", "/{name...}".
 *       method   routes that name some before those that don't.
 *       headers  the more, the earlier; then query parameters, likewise; then the order in the file.
 *     Where no route of the more specific host or path matches in full, the next less specific one is looked at. A
 * route for some gateways is not there for requests of others, and no more specific for it. (2) Hosts are compared
 * without regard to case, port and final dot. Methods and query parameters are compared as bytes, exactly as
 * they came; so are paths, but for needless escapes ("/%61" is "/a", route_path_plain()). Nothing else is decoded or
 * folded: "//", "%2F" and "/a/" differ from "/", "/" and "/a". A prefix "/a" or
 * "/a/" matches "/a", "/a/" and "/a/b", not "/ab". Of header fields of one name any may have the value; of query
 * parameters of one name the first counts. (3) A path with a dot segment is refused before it is looked up
 * (route_path_safe): the service would resolve it and see another path than the one that was routed. That holds for "."
 * and ".." however their dots are written
 *     (%2E), and also where '\', %2F, %5C, ';' or %3B ends the segment, since some services take those for separators.
 * (4) A lookup allocates nothing. It takes one hash for each label of the host and for each element of the path, as far
 *     as routes go (both ways where an element is literal in one route and a {name} in another); expressions, headers
 *     and query parameters are looked at where host and path matched only.
 * (5) An expression that takes too long (stage/regex.h) decides nothing: the lookup fails, and the request is refused.
 *     Another route might be one with fewer checks.
 * (6) route_table_explain() runs the very lookup, without stopping at the first match: what it says is what happens.
 */
#ifndef WEFT_STAGE_ROUTE_TABLE_H
#define WEFT_STAGE_ROUTE_TABLE_H

#include "stage/regex.h"
#include "stage/route_path.h"
#include "wire/http.h"

struct route_table;

/* What a lookup looks at: authority, path, query, method_text and fields of the head. Paths that do not start with '/'
 * (OPTIONS *, CONNECT) match routes for every path only. */
struct route_request {
    struct bytes gateway; /* the name of the one it came in by */
    const struct http_head *head;
};

struct route_found {
    unsigned route;                            /* index into the conf's routes */
    unsigned count;                            /* of values */
    struct bytes values[ROUTE_PARAMETERS_MAX]; /* slices of the path, as they came, in the order of their names */
};

/* The conf must live as long. -ENOMEM; -EINVAL with a fault; -ENOSPC, with a fault: ROUTES_MAX, ROUTE_GATEWAYS_MAX,
 * ROUTE_REGEXES_MAX. */
int route_table_create(const struct route_conf *conf, struct fault *fault, struct route_table **ret) MUST_CHECK;
void route_table_free(struct route_table *table); /* NULL is fine */

bool route_table_has_regex(const struct route_table *table); /* then a lookup needs memory for them */

/* The names that values of that route belong to. */
const struct bytes *route_table_parameters(const struct route_table *table, unsigned route, unsigned *ret_count);

/* 0; -ENOENT: no route matches; -E2BIG: see (5). `memory` may be NULL where there is no expression. */
int route_table_find(const struct route_table *table, const struct route_request *request, struct regex_memory *memory,
                     struct route_found *ret) MUST_CHECK;

/* --- for people ----------------------------------------------------------------------------------------- */

/* One route, as it stands to a request. Its texts live until the callback returns. */
struct route_verdict {
    unsigned route;      /* index into the conf's routes */
    unsigned precedence; /* from 1: its place in the order */
    bool matches;        /* all that it asks for holds */
    bool chosen;         /* it is the one that the lookup finds */
    struct bytes reason; /* why not: "path is not /orders", "method is not POST", "less specific than orders";
                          * empty for the chosen one */
};

/* Calls `take` for every route in order of precedence. Returns what route_table_find() would return, with *ret, or
 * -ENOMEM, when nothing was called. Takes memory and time for all routes: for people who ask, not for requests. Whoever
 * explains a request asks route_path_safe() first, as the stage does.
 *
 *     struct http_head head = { .method_text = ..., .authority = ..., .path = ..., .query = ..., .fields = ... };
 *     const struct stage *stage = snapshot_find(snapshot, &STAGE_ROUTE, BYTES(ROUTE_STAGE_PATH));
 *     r = route_table_explain(stage->state, &(struct route_request){ gateway, &head }, take, user, &found);
 */
int route_table_explain(const struct route_table *table, const struct route_request *request,
                        void (*take)(void *user, const struct route_verdict *verdict), void *user,
                        struct route_found *ret) MUST_CHECK;

/* Calls `take` for the index of every route in order of precedence; one with several hosts stands where its most
 * specific host does. -ENOMEM. */
int route_table_each(const struct route_table *table, void (*take)(void *user, unsigned route), void *user) MUST_CHECK;

/* The path of the stage in a snapshot; its `state` is the table, its `conf` a struct route_conf. */
#define ROUTE_STAGE_PATH "routes"

#endif
