#include "chassis/routes.h"

#include "base/alloc.h"
#include "chassis/percent.h"
#include "wire/http.h"

/* --- patterns ------------------------------------------------------------------------------------------------ */

static bool is_name(struct bytes text)
{
    if (text.len == 0 || text.len > CHASSIS_NAME_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

static const char *parse_element(struct bytes text, struct element *ret)
{
    *ret = (struct element){ .kind = ELEMENT_LITERAL, .text = text };
    if (bytes_find_char(text, '{') < 0 && bytes_find_char(text, '}') < 0)
        return bytes_find_char(text, '?') < 0 ? NULL : "a pattern has no query";
    if (!bytes_starts(text, BYTES("{")) || !bytes_ends(text, BYTES("}")))
        return "an element is literal or one {name}, not both";
    text = bytes_slice(text, 1, text.len - 1);
    ret->kind = bytes_ends(text, BYTES("...")) ? ELEMENT_REST : ELEMENT_VALUE;
    ret->text = ret->kind == ELEMENT_REST ? bytes_slice(text, 0, text.len - 3) : text;
    return is_name(ret->text) ? NULL : "a name in braces has 1 to 63 letters, digits, '_' or '-'";
}

static bool is_named_twice(const struct route *route, const struct element *element)
{
    for (unsigned i = 0; i < route->count; i++)
        if (route->elements[i].kind != ELEMENT_LITERAL && bytes_equal(route->elements[i].text, element->text))
            return true;
    return false;
}

/* What is wrong with the pattern, or NULL. */
static const char *parse_pattern(struct route *route, struct bytes pattern)
{
    struct bytes rest = bytes_skip(pattern, 1), part;

    if (!bytes_starts(pattern, BYTES("/")))
        return "a pattern starts with '/'";
    if (rest.len == 0) { /* "/" is one empty element */
        route->elements[route->count++] = (struct element){ .kind = ELEMENT_LITERAL, .text = BYTES("") };
        return NULL;
    }
    while (bytes_split(&rest, '/', &part)) {
        struct element element;
        const char *why = parse_element(part, &element);

        if (why)
            return why;
        if (route->count == CHASSIS_ELEMENTS_MAX)
            return "a pattern has at most 32 elements";
        if (route->count > 0 && route->elements[route->count - 1].kind == ELEMENT_REST)
            return "{name...} is the last element";
        if (element.kind != ELEMENT_LITERAL && is_named_twice(route, &element))
            return "a name stands once in a pattern";
        route->elements[route->count++] = element;
    }
    return NULL;
}

/* Negative: a goes first. */
static int compare(const struct route *a, const struct route *b)
{
    for (unsigned i = 0; i < MIN(a->count, b->count); i++)
        if (a->elements[i].kind != b->elements[i].kind)
            return (int)a->elements[i].kind - (int)b->elements[i].kind;
    return 0;
}

static bool same(const struct route *a, const struct route *b)
{
    if (a->count != b->count || !bytes_equal(a->method, b->method))
        return false;
    for (unsigned i = 0; i < a->count; i++) {
        const struct element *one = &a->elements[i], *other = &b->elements[i];

        if (one->kind != other->kind || (one->kind == ELEMENT_LITERAL && !bytes_equal(one->text, other->text)))
            return false;
    }
    return true;
}

static int insert(struct routes *routes, struct route *route)
{
    unsigned at = 0;

    for (unsigned i = 0; i < routes->count; i++)
        if (same(routes->list[i], route))
            return -EEXIST;
    if (routes->count == CHASSIS_ROUTES_MAX)
        return -ENOSPC;
    while (at < routes->count && compare(routes->list[at], route) <= 0)
        at++;
    memmove(&routes->list[at + 1], &routes->list[at], (routes->count - at) * sizeof(routes->list[0]));
    routes->list[at] = route;
    routes->count++;
    return 0;
}

int routes_add(struct routes *routes, struct bytes method, struct bytes pattern, weft_handler *handler, void *user,
               const char **ret_why)
{
    struct route *route;
    const char *why = NULL;
    int r;

    if (!bytes_equal(method, BYTES("*")) && (!http_is_token(method) || method.len > CHASSIS_NAME_MAX))
        why = "that is no method";
    else if (pattern.len > CHASSIS_PATTERN_MAX)
        why = "a pattern has at most 512 bytes";
    else if (!handler)
        why = "there is no handler";
    if (why) {
        *ret_why = why;
        return -EINVAL;
    }
    route = mem_zalloc(sizeof(*route) + method.len + pattern.len);
    if (!route)
        return -ENOMEM;
    memcpy(route->texts, method.data, method.len);
    memcpy(route->texts + method.len, pattern.data, pattern.len);
    route->method = bytes_of(route->texts, method.len);
    route->pattern_len = pattern.len;
    route->handler = handler;
    route->user = user;
    why = parse_pattern(route, bytes_of(route->texts + method.len, pattern.len));
    r = why ? -EINVAL : insert(routes, route);
    if (r < 0)
        mem_free(route);
    if (why)
        *ret_why = why;
    return r;
}

void routes_free(struct routes *routes)
{
    for (unsigned i = 0; i < routes->count; i++)
        mem_free(routes->list[i]);
    routes->count = 0;
}

/* --- requests ------------------------------------------------------------------------------------------------ */

/* The elements of a path. What comes behind the last one that a pattern could have stays in one piece, and counts as
 * one more, so that only a rest can have it. */
struct elements {
    unsigned count;
    struct bytes list[CHASSIS_ELEMENTS_MAX + 1];
};

static bool split_path(struct bytes path, struct elements *elements)
{
    struct bytes rest = bytes_skip(path, 1);

    elements->count = 0;
    if (!bytes_starts(path, BYTES("/")))
        return false;
    for (;;) {
        ssize_t slash = elements->count < CHASSIS_ELEMENTS_MAX ? bytes_find_char(rest, '/') : -1;

        elements->list[elements->count++] = slash < 0 ? rest : bytes_slice(rest, 0, (size_t)slash);
        if (slash < 0)
            return true;
        rest = bytes_skip(rest, (size_t)slash + 1);
    }
}

static bool has_path(const struct route *route, const struct elements *elements)
{
    const struct element *last = &route->elements[route->count - 1];

    if (last->kind == ELEMENT_REST ? elements->count < route->count : elements->count != route->count)
        return false;
    for (unsigned i = 0; i < route->count; i++) {
        const struct element *element = &route->elements[i];

        if (element->kind == ELEMENT_LITERAL && !percent_equal(elements->list[i], false, element->text))
            return false;
        if (element->kind == ELEMENT_VALUE && elements->list[i].len == 0)
            return false;
    }
    return true;
}

static bool has_method(const struct route *route, struct bytes method)
{
    return bytes_equal(route->method, method) || bytes_equal(route->method, BYTES("*"));
}

static void take_values(const struct route *route, const struct elements *elements, struct routed *ret)
{
    const struct bytes *last = &elements->list[elements->count - 1];

    ret->route = route;
    ret->count = route->count;
    for (unsigned i = 0; i < route->count; i++) {
        ret->values[i] = route->elements[i].kind == ELEMENT_LITERAL ? BYTES_NONE : elements->list[i];
        if (route->elements[i].kind == ELEMENT_REST)
            ret->values[i].len = (size_t)(last->data + last->len - ret->values[i].data);
    }
}

static void find(const struct routes *routes, struct bytes method, const struct elements *elements, struct routed *ret)
{
    for (unsigned i = 0; i < routes->count && !ret->route; i++) {
        const struct route *route = routes->list[i];

        if (!has_path(route, elements))
            continue;
        ret->path_known = true;
        if (has_method(route, method))
            take_values(route, elements, ret);
    }
}

void routes_find(const struct routes *routes, struct bytes method, struct bytes path, struct routed *ret)
{
    struct elements elements;

    ret->route = NULL;
    ret->path_known = false;
    ret->count = 0;
    if (!split_path(path, &elements))
        return;
    find(routes, method, &elements, ret);
    if (!ret->route && bytes_equal(method, BYTES("HEAD")))
        find(routes, BYTES("GET"), &elements, ret);
}

static void add_method(struct text *text, struct bytes method)
{
    struct bytes rest = text_bytes(text), element;

    while (http_list_next(&rest, &element))
        if (bytes_equal(element, method))
            return;
    if (text->len > 0)
        text_add(text, BYTES(", "));
    text_add(text, method);
}

void routes_allowed(const struct routes *routes, struct bytes path, struct text *text)
{
    struct elements elements;

    if (!split_path(path, &elements))
        return;
    for (unsigned i = 0; i < routes->count; i++) {
        if (!has_path(routes->list[i], &elements))
            continue;
        add_method(text, routes->list[i]->method);
        if (bytes_equal(routes->list[i]->method, BYTES("GET")))
            add_method(text, BYTES("HEAD"));
    }
}
