/* chassis/routes.h - which handler a request is for.
 *
 * (1) A pattern is a path of elements: literal ones, "{name}" (one element that is not empty) and at the end
 *     "{name...}" (all that is left, at least an empty element: "/files/{rest...}" takes "/files/", not "/files").
 * (2) Routes are kept in order of precedence: element by element a literal comes before a value, and that before a
 * rest; those that are alike, in the order in which they were added. The first one that has path and method is taken.
 * (3) Literal elements are compared with the decoded ones of the path. Nothing else is folded: "/a/" is not "/a".
 */
#ifndef WEFT_CHASSIS_ROUTES_H
#define WEFT_CHASSIS_ROUTES_H

#include "base/limits.h"
#include "base/text.h"
#include "weft.h"

enum element_kind { ELEMENT_LITERAL, ELEMENT_VALUE, ELEMENT_REST };

struct element {
    enum element_kind kind;
    struct bytes text; /* the literal, or the name */
};

struct route {
    struct bytes method; /* "*": every one */
    weft_handler *handler;
    void *user;
    unsigned count;
    struct element elements[CHASSIS_ELEMENTS_MAX];
    size_t pattern_len;
    char texts[]; /* method, then pattern */
};

struct routes {
    struct route *list[CHASSIS_ROUTES_MAX];
    unsigned count;
};

/* -EINVAL: *ret_why says what is wrong; -EEXIST, -ENOSPC, -ENOMEM. */
int routes_add(struct routes *routes, struct bytes method, struct bytes pattern, weft_handler *handler, void *user,
               const char **ret_why) MUST_CHECK;
void routes_free(struct routes *routes);

struct routed {
    const struct route *route; /* NULL: none */
    bool path_known;           /* another method would have one: 405 */
    unsigned count;
    struct bytes values[CHASSIS_ELEMENTS_MAX]; /* by element of the pattern, as they came; empty for literals */
};

/* `path` is percent_fine(). HEAD finds routes for GET where it has none of its own. */
void routes_find(const struct routes *routes, struct bytes method, struct bytes path, struct routed *ret);

/* The methods for a path, as Allow has them: "GET, HEAD, POST". */
void routes_allowed(const struct routes *routes, struct bytes path, struct text *text);

#endif
