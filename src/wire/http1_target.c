/* Request targets (RFC 9112, 3.2) and authorities (RFC 3986, 3.2). */
#include "wire/http_parts.h"

/* A run of the class and valid %XX from `p` on; NULL: a '%' without two hexadecimal digits. */
static const char *scan_encoded(const char *p, const char *end, unsigned classes)
{
    for (;;) {
        p = http_scan(p, end, classes);
        if (p == end || *p != '%')
            return p;
        if (end - p < 3 || !http_char_is(p[1], HTTP_CHAR_HEX) || !http_char_is(p[2], HTTP_CHAR_HEX))
            return NULL;
        p += 3;
    }
}

bool http1_is_path(struct bytes text)
{
    return text.len > 0 && text.data[0] == '/' &&
           scan_encoded(text.data, text.data + text.len, HTTP_CHAR_PATH) == text.data + text.len;
}

bool http1_is_query(struct bytes text)
{
    return text.len == 0 || scan_encoded(text.data, text.data + text.len, HTTP_CHAR_QUERY) == text.data + text.len;
}

/* path-absolute or path-abempty, and query, of the whole text. */
static bool read_path(struct bytes text, struct http_head *head)
{
    const char *end = text.data + text.len, *query = scan_encoded(text.data, end, HTTP_CHAR_PATH);

    if (query == NULL)
        return false;
    head->path = bytes_of(text.data, (size_t)(query - text.data));
    if (query == end)
        return true;
    if (*query++ != '?' || scan_encoded(query, end, HTTP_CHAR_QUERY) != end)
        return false;
    head->query = bytes_of(query, (size_t)(end - query));
    return true;
}

/* 0 to 255 without leading zeros, as RFC 3986 has it; p moves behind it. */
static bool is_octet(const char **p, const char *end)
{
    const char *start = *p;
    unsigned value = 0;

    while (*p < end && *p - start < 3 && http_char_is(**p, HTTP_CHAR_DIGIT))
        value = value * 10 + (unsigned)(*(*p)++ - '0');
    return *p > start && value <= 255 && (*start != '0' || *p - start == 1);
}

static bool is_ipv4(const char *p, const char *end)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0 && (p == end || *p++ != '.'))
            return false;
        if (!is_octet(&p, end))
            return false;
    }
    return p == end;
}

/* RFC 3986, 3.2.2: eight groups of up to four digits; "::" once for one or more of zero; the last two may be IPv4. */
static bool is_ipv6(const char *p, const char *end)
{
    unsigned groups = 0;
    bool gap = false;

    if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
        gap = true;
        p += 2;
    }
    while (p < end) {
        const char *next = http_scan(p, end, HTTP_CHAR_HEX);

        if (next < end && *next == '.') {
            groups += 2;
            return is_ipv4(p, end) && (gap ? groups <= 7 : groups == 8);
        }
        if (next == p || next - p > 4 || ++groups > 8)
            return false;
        if (next == end)
            break;
        if (*next != ':' || next + 1 == end)
            return false;
        p = next + 1;
        if (*p == ':') {
            if (gap)
                return false;
            gap = true;
            p++;
        }
    }
    return gap ? groups <= 7 : groups == 8;
}

/* [":" port]: at most five digits, at most 65535; an empty port is the scheme's (RFC 3986, 3.2.3). */
static bool is_port(const char *p, const char *end, bool needed)
{
    unsigned port = 0;

    if (p == end)
        return !needed;
    if (*p++ != ':' || end - p > 5)
        return false;
    if (p == end)
        return !needed;
    for (; p < end; p++) {
        if (!http_char_is(*p, HTTP_CHAR_DIGIT))
            return false;
        port = port * 10 + (unsigned)(*p - '0');
    }
    return port >= 1 && port <= 65535;
}

bool http1_is_authority(struct bytes text, bool port_needed)
{
    const char *start = text.data, *end = start + text.len, *p = start;

    if (text.len == 0)
        return false;
    if (*p == '[') {
        p = memchr(p, ']', text.len);
        return p != NULL && is_ipv6(start + 1, p) && is_port(p + 1, end, port_needed);
    }
    p = http_scan(p, end, HTTP_CHAR_HOST);
    return p > start && is_port(p, end, port_needed);
}

/* http://authority[/path][?query] */
static enum http1_error read_absolute(struct http_head *head)
{
    struct bytes target = head->target, rest;
    const char *end = target.data + target.len, *p;

    if (target.len >= 7 && bytes_equal_ci(bytes_slice(target, 0, 7), BYTES("http://")))
        head->scheme = bytes_slice(target, 0, 4);
    else if (target.len >= 8 && bytes_equal_ci(bytes_slice(target, 0, 8), BYTES("https://")))
        head->scheme = bytes_slice(target, 0, 5);
    else
        return HTTP1_BAD_TARGET;
    rest = bytes_skip(target, head->scheme.len + 3);
    for (p = rest.data; p < end && *p != '/' && *p != '?';)
        p++;
    head->authority = bytes_of(rest.data, (size_t)(p - rest.data));
    if (!http1_is_authority(head->authority, false) || !read_path(bytes_of(p, (size_t)(end - p)), head))
        return HTTP1_BAD_TARGET;
    if (head->path.len == 0) /* RFC 9112, 3.2.1 and 3.2.4 */
        head->path = head->method == HTTP_OPTIONS && p == end ? BYTES("*") : BYTES("/");
    return HTTP1_OK;
}

enum http1_error http1_read_target(struct http_head *head)
{
    struct bytes target = head->target;

    if (head->method == HTTP_CONNECT) {
        head->authority = target;
        return http1_is_authority(target, true) ? HTTP1_OK : HTTP1_BAD_TARGET;
    }
    if (target.data[0] == '/')
        return read_path(target, head) ? HTTP1_OK : HTTP1_BAD_TARGET;
    if (target.len == 1 && target.data[0] == '*') {
        head->path = target;
        return head->method == HTTP_OPTIONS ? HTTP1_OK : HTTP1_BAD_TARGET;
    }
    return read_absolute(head);
}
