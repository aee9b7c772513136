/* stage/route_path.h - the paths of routes, element by element.
 *
 *     /orders            elements as they are
 *     /orders/{id}       {id} takes any one element that is not empty
 *     /files/{rest...}   at the end: takes everything from there, also nothing and slashes
 *
 * (1) A name in braces has letters, digits, '_' or '-', stands once, and takes a whole element.
 * (2) "/" alone is one empty element; the last slash of a prefix is ignored.
 */
#ifndef WEFT_STAGE_ROUTE_PATH_H
#define WEFT_STAGE_ROUTE_PATH_H

#include "stage/stages.h"

/* In order of precedence, see stage/route_table.h. */
enum route_element_kind {
    ROUTE_ELEMENT_LITERAL,
    ROUTE_ELEMENT_PARAMETER,
    ROUTE_ELEMENT_REST,
};

struct route_element {
    enum route_element_kind kind;
    struct bytes text; /* as it must be; the name without braces and dots */
};

/* Is `path` one of a route? -EINVAL with what is wrong. */
int route_path_check(struct bytes path, struct fault *fault) MUST_CHECK;

/* Start with the rest of route_path_start(); false at the end. The path has been checked. */
struct bytes route_path_start(const struct route_match *match);
bool route_path_next(struct bytes *rest, struct route_element *ret);

/* The path with those escapes decoded that stand for characters which need none (RFC 3986, 2.3 and 6.2.2.2): "/%61" is
 * "/a", and whoever reads it may take the one for the other. All other escapes stay as they are. The path itself where
 * there is nothing to decode, else a copy in the arena. -ENOMEM. */
int route_path_plain(struct arena *arena, struct bytes path, struct bytes *ret) MUST_CHECK;

/* Whether the path of a request has no dot segments: see stage/route_table.h (3). */
bool route_path_safe(struct bytes path);

/* Whether the route's path has a parameter of that name, for {path.NAME}. */
bool route_path_names(const struct route_match *match, struct bytes name);

#endif
