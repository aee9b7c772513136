#include "stage/place.h"

#include "stage/request.h"
#include "stage/route_table.h"
#include "wire/http1.h"

static struct bytes without_slash(struct bytes path)
{
    return bytes_ends(path, BYTES("/")) ? bytes_slice(path, 0, path.len - 1) : path;
}

int place_replace_prefix(struct exchange *x, struct bytes path, struct bytes strip, struct bytes with,
                         struct bytes *ret)
{
    struct bytes rest;
    struct text text;

    strip = without_slash(strip);
    with = without_slash(with);
    rest = bytes_skip(path, strip.len);
    if (!bytes_starts(path, strip) || (rest.len > 0 && rest.data[0] != '/'))
        return -ENOENT;
    if (with.len + rest.len == 0) {
        *ret = BYTES("/");
        return 0;
    }
    if (with.len == 0) {
        *ret = rest;
        return 0;
    }
    if (with.len + rest.len > REWRITE_PATH_MAX)
        return -ENOSPC;
    text = text_into(arena_alloc(&x->arena, with.len + rest.len), with.len + rest.len);
    if (!text.data)
        return -ENOMEM;
    text_add(&text, with);
    text_add(&text, rest);
    *ret = text_bytes(&text);
    return 0;
}

/* --- settings ------------------------------------------------------------------------------------------- */

static bool has_names(struct bytes text)
{
    return bytes_find_char(text, '{') >= 0 || bytes_find_char(text, '}') >= 0;
}

static int refuse(struct fault *fault, const char *what)
{
    fault_set(fault, "%s", what);
    return -EINVAL;
}

int place_check_path(struct bytes text, struct fault *fault)
{
    static const char what[] = "must be a path: / first, no query, no dot segments";

    if (text.len == 0 || (text.data[0] != '/' && text.data[0] != '{') || bytes_find_char(text, '?') >= 0 ||
        bytes_find_char(text, '#') >= 0 || !route_path_safe(text))
        return refuse(fault, what);
    if (has_names(text))
        return template_check(text, fault);
    return http1_is_path(text) ? 0 : refuse(fault, what);
}

int place_check_prefix(struct bytes text, struct fault *fault)
{
    return text.len == 0 ? 0 : place_check_path(text, fault);
}

int place_check_strip(struct bytes text, struct fault *fault)
{
    if (http1_is_path(text) && route_path_safe(text))
        return 0;
    return refuse(fault, "must be a path: / first, no query, no dot segments");
}

int place_check_host(struct bytes text, struct fault *fault)
{
    if (has_names(text))
        return template_check(text, fault);
    return http1_is_authority(text, false) ? 0 : refuse(fault, "must be a host name or an IP address");
}

void place_check_parts(struct conf_check *check)
{
    if (conf_check_given(check, "path") && conf_check_given(check, "prefix"))
        conf_check_fault(check, "prefix", "does not go together with path");
    if (conf_check_given(check, "strip") && !conf_check_given(check, "prefix"))
        conf_check_fault(check, "strip", "goes with prefix, which takes its place");
}

struct bytes place_split_port(struct bytes authority, unsigned *ret_port)
{
    struct bytes host = request_host(authority);
    uint64_t port = 0;

    *ret_port = 0;
    if (authority.len > host.len + 1 && bytes_to_u64(bytes_skip(authority, host.len + 1), &port) == 0)
        *ret_port = (unsigned)port;
    return host;
}
