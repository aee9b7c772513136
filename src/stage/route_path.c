#include "stage/route_path.h"

/* --- patterns ------------------------------------------------------------------------------------------- */

static bool is_name(struct bytes text)
{
    if (text.len == 0 || text.len > CONF_NAME_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

static struct route_element element_of(struct bytes part)
{
    struct route_element element = { .kind = ROUTE_ELEMENT_LITERAL, .text = part };

    if (!bytes_starts(part, BYTES("{")))
        return element;
    element.text = bytes_slice(part, 1, part.len - 1);
    element.kind = ROUTE_ELEMENT_PARAMETER;
    if (bytes_ends(element.text, BYTES("..."))) {
        element.kind = ROUTE_ELEMENT_REST;
        element.text.len -= 3;
    }
    return element;
}

static int refuse(struct fault *fault, const char *what)
{
    fault_set(fault, "%s", what);
    return -EINVAL;
}

static int check_element(struct bytes part, struct fault *fault)
{
    if (bytes_equal(part, BYTES("*")) || bytes_equal(part, BYTES("**"))) {
        fault_hint(fault,
                   "prefix: true takes all that is below a path, {name} one element, {name...} all that is left");
        return refuse(fault, "has an element of stars, which would mean itself");
    }
    if (bytes_find_char(part, '{') < 0 && bytes_find_char(part, '}') < 0)
        return 0;
    if (part.len < 2 || part.data[0] != '{' || part.data[part.len - 1] != '}')
        return refuse(fault, "has an element that is neither plain nor one {name}");
    if (!is_name(element_of(part).text))
        return refuse(fault, "has a name in braces that is not letters, digits, '_' or '-', 63 at most");
    return 0;
}

/* There are ROUTE_PARAMETERS_MAX at most: each is compared with those before it. */
static int check_names(struct bytes path, struct fault *fault)
{
    struct bytes names[ROUTE_PARAMETERS_MAX], rest = bytes_skip(path, 1), part;
    unsigned count = 0;

    while (bytes_split(&rest, '/', &part)) {
        struct route_element element = element_of(part);

        if (element.kind == ROUTE_ELEMENT_LITERAL)
            continue;
        for (unsigned i = 0; i < count; i++)
            if (bytes_equal(names[i], element.text)) {
                fault_set(fault, "has {" BYTES_FMT "} twice", BYTES_ARG(element.text));
                return -EINVAL;
            }
        if (count == ROUTE_PARAMETERS_MAX) {
            fault_set(fault, "has more than %d names in braces", ROUTE_PARAMETERS_MAX);
            return -EINVAL;
        }
        names[count++] = element.text;
        if (element.kind == ROUTE_ELEMENT_REST && rest.data)
            return refuse(fault, "has an element behind {name...}, which takes all that is left");
    }
    return 0;
}

/* --- needless escapes ------------------------------------------------------------------------ */

static int hex_value(char c)
{
    char lower = ascii_lower(c);

    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* What the escape at `at` stands for, if that is a character that needs none; else 0. */
static char needless(struct bytes path, size_t at)
{
    int high, low;
    char c;

    if (path.data[at] != '%' || path.len - at < 3)
        return 0;
    high = hex_value(path.data[at + 1]);
    low = hex_value(path.data[at + 2]);
    c = high < 0 || low < 0 ? '\0' : (char)(high * 16 + low);
    return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                   c == '_' || c == '~'
               ? c
               : 0;
}

static bool has_needless(struct bytes path)
{
    ssize_t at = bytes_find_char(path, '%'); /* few paths have any */

    for (; at >= 0 && (size_t)at < path.len; at++)
        if (needless(path, (size_t)at))
            return true;
    return false;
}

int route_path_plain(struct arena *arena, struct bytes path, struct bytes *ret)
{
    char *plain;
    size_t len = 0;

    if (!has_needless(path)) {
        *ret = path;
        return 0;
    }
    plain = arena_alloc(arena, path.len);
    if (!plain)
        return -ENOMEM;
    for (size_t at = 0; at < path.len; at++) {
        char c = needless(path, at);

        plain[len++] = c ? c : path.data[at];
        at += c ? 2 : 0;
    }
    *ret = bytes_of(plain, len);
    return 0;
}

/* --- the path of a route ----------------------------------------------------------------------------------- */

int route_path_check(struct bytes path, struct fault *fault)
{
    struct bytes rest = bytes_skip(path, 1), part;
    unsigned count = 0;
    int r = 0;

    if (has_needless(path))
        return refuse(fault, "has an escape for a character that needs none: requests are compared without them");
    if (path.len == 0 || path.data[0] != '/' || !route_path_safe(path) || bytes_find_char(path, '?') >= 0 ||
        bytes_find_char(path, '#') >= 0)
        return refuse(fault, "must be a path: / first, no query, no dot segments");
    while (r == 0 && bytes_split(&rest, '/', &part)) {
        r = check_element(part, fault);
        if (++count > ROUTE_ELEMENTS_MAX) {
            fault_set(fault, "has more than %d elements", ROUTE_ELEMENTS_MAX);
            r = -EINVAL;
        }
    }
    return r < 0 ? r : check_names(path, fault);
}

struct bytes route_path_start(const struct route_match *match)
{
    struct bytes rest = bytes_skip(match->path, 1);

    if (match->path.len == 0)
        return BYTES_NONE;
    if (match->prefix && bytes_ends(match->path, BYTES("/"))) {
        if (rest.len == 0)
            return BYTES_NONE;
        rest.len--;
    }
    return rest;
}

bool route_path_next(struct bytes *rest, struct route_element *ret)
{
    struct bytes part;

    if (!bytes_split(rest, '/', &part))
        return false;
    *ret = element_of(part);
    return true;
}

bool route_path_names(const struct route_match *match, struct bytes name)
{
    struct bytes rest = route_path_start(match);
    struct route_element element;

    while (route_path_next(&rest, &element))
        if (element.kind != ROUTE_ELEMENT_LITERAL && bytes_equal(element.text, name))
            return true;
    return false;
}

/* --- dot segments --------------------------------------------------------------------------------------- */

/* The character at `at` and its length as written; escapes of the characters that matter here are decoded. */
static char decoded(struct bytes path, size_t at, size_t *ret_len)
{
    char c = path.data[at];

    *ret_len = 1;
    if (c != '%' || path.len - at < 3)
        return c;
    if (path.data[at + 1] == '2' && ascii_lower(path.data[at + 2]) == 'e')
        c = '.';
    else if (path.data[at + 1] == '2' && ascii_lower(path.data[at + 2]) == 'f')
        c = '/';
    else if (path.data[at + 1] == '5' && ascii_lower(path.data[at + 2]) == 'c')
        c = '\\';
    else if (path.data[at + 1] == '3' && ascii_lower(path.data[at + 2]) == 'b')
        c = ';';
    else
        return c;
    *ret_len = 3;
    return c;
}

bool route_path_safe(struct bytes path)
{
    unsigned dots = 0; /* of the segment, as long as it has nothing else */
    bool other = true; /* it has, or there was no segment yet */
    size_t len;

    for (size_t at = 0; at < path.len; at += len) {
        char c = decoded(path, at, &len);
        bool separator = c == '/' || c == '\\';

        if ((separator || c == ';') && !other && (dots == 1 || dots == 2))
            return false;
        if (separator) {
            dots = 0;
            other = false;
        } else if (c == '.') {
            dots++;
        } else {
            other = true;
        }
    }
    return other || (dots != 1 && dots != 2);
}
