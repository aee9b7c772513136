/* stage/route_table.h - routes, compiled for looking up: host, then path, then method.
 *
 * (1) Precedence as the Kubernetes Gateway API has it: an exact host before the longest matching suffix
 * ("*.example.com", one or more labels) before routes for every host; within a host, an exact path before the longest
 * prefix before routes for every path; then routes that name methods before those that don't; then the order in the
 * file. When no route of the more specific host or path matches in full, the next less specific one is looked at. (2)
 * Hosts are compared without regard to case, port and final dot. Paths and methods are compared as bytes, exactly as
 *     they came: nothing is decoded or folded, so "//", "%2F" and "/a/" differ from "/", "/" and "/a". A prefix "/a" or
 *     "/a/" matches "/a", "/a/" and "/a/b", not "/ab".
 * (3) A path with a dot segment is refused before it is looked up (route_path_safe): the service would resolve it and
 *     see another path than the one that was routed. That holds for "." and ".." however their dots are written
 *     (%2E), and also where '\', %2F, %5C, ';' or %3B ends the segment, since some services take those for separators.
 * (4) A lookup allocates nothing; it takes one hash for each label of the host and for each element of the path, as far
 *     as routes go.
 */
#ifndef WEFT_STAGE_ROUTE_TABLE_H
#define WEFT_STAGE_ROUTE_TABLE_H

#include "base/fault.h"
#include "stage/stages.h"

struct route_table;

int route_table_create(const struct route_conf *conf, struct fault *fault,
                       struct route_table **ret) MUST_CHECK; /* -ENOMEM, -EINVAL with a fault, -ENOSPC: ROUTES_MAX */
void route_table_free(struct route_table *table);            /* NULL is fine */

/* The index of the route, or -1. `authority` is host[:port]; paths that do not start with '/' (OPTIONS *, CONNECT)
 * match routes for every path only. */
int route_table_find(const struct route_table *table, struct bytes authority, struct bytes path, struct bytes method);

bool route_path_safe(struct bytes path); /* (3) */

#endif
