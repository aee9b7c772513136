#include "wire/http.h"
#include "wire/http_parts.h"

static const struct bytes METHODS[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = { "GET", 3 },         [HTTP_HEAD] = { "HEAD", 4 },     [HTTP_POST] = { "POST", 4 },
    [HTTP_PUT] = { "PUT", 3 },         [HTTP_DELETE] = { "DELETE", 6 }, [HTTP_CONNECT] = { "CONNECT", 7 },
    [HTTP_OPTIONS] = { "OPTIONS", 7 }, [HTTP_TRACE] = { "TRACE", 5 },   [HTTP_PATCH] = { "PATCH", 5 },
};

struct bytes http_method_name(enum http_method method)
{
    return METHODS[method];
}

enum http_method http_method_of(struct bytes name)
{
    for (unsigned method = HTTP_OTHER + 1; method < HTTP_METHOD_COUNT; method++) {
        if (METHODS[method].len == name.len && memcmp(METHODS[method].data, name.data, name.len) == 0)
            return (enum http_method)method;
    }
    return HTTP_OTHER;
}

bool http_method_safe(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS || method == HTTP_TRACE;
}

bool http_method_idempotent(enum http_method method)
{
    return http_method_safe(method) || method == HTTP_PUT || method == HTTP_DELETE;
}

struct bytes http_reason(unsigned status)
{
    switch (status) { /* RFC 9110, 15 and the IANA registry */
    case 100: return BYTES("Continue");
    case 101: return BYTES("Switching Protocols");
    case 102: return BYTES("Processing");
    case 103: return BYTES("Early Hints");
    case 200: return BYTES("OK");
    case 201: return BYTES("Created");
    case 202: return BYTES("Accepted");
    case 203: return BYTES("Non-Authoritative Information");
    case 204: return BYTES("No Content");
    case 205: return BYTES("Reset Content");
    case 206: return BYTES("Partial Content");
    case 300: return BYTES("Multiple Choices");
    case 301: return BYTES("Moved Permanently");
    case 302: return BYTES("Found");
    case 303: return BYTES("See Other");
    case 304: return BYTES("Not Modified");
    case 307: return BYTES("Temporary Redirect");
    case 308: return BYTES("Permanent Redirect");
    case 400: return BYTES("Bad Request");
    case 401: return BYTES("Unauthorized");
    case 402: return BYTES("Payment Required");
    case 403: return BYTES("Forbidden");
    case 404: return BYTES("Not Found");
    case 405: return BYTES("Method Not Allowed");
    case 406: return BYTES("Not Acceptable");
    case 407: return BYTES("Proxy Authentication Required");
    case 408: return BYTES("Request Timeout");
    case 409: return BYTES("Conflict");
    case 410: return BYTES("Gone");
    case 411: return BYTES("Length Required");
    case 412: return BYTES("Precondition Failed");
    case 413: return BYTES("Content Too Large");
    case 414: return BYTES("URI Too Long");
    case 415: return BYTES("Unsupported Media Type");
    case 416: return BYTES("Range Not Satisfiable");
    case 417: return BYTES("Expectation Failed");
    case 421: return BYTES("Misdirected Request");
    case 422: return BYTES("Unprocessable Content");
    case 425: return BYTES("Too Early");
    case 426: return BYTES("Upgrade Required");
    case 428: return BYTES("Precondition Required");
    case 429: return BYTES("Too Many Requests");
    case 431: return BYTES("Request Header Fields Too Large");
    case 451: return BYTES("Unavailable For Legal Reasons");
    case 500: return BYTES("Internal Server Error");
    case 501: return BYTES("Not Implemented");
    case 502: return BYTES("Bad Gateway");
    case 503: return BYTES("Service Unavailable");
    case 504: return BYTES("Gateway Timeout");
    case 505: return BYTES("HTTP Version Not Supported");
    case 507: return BYTES("Insufficient Storage");
    case 508: return BYTES("Loop Detected");
    case 511: return BYTES("Network Authentication Required");
    default: return BYTES("");
    }
}

bool http_is_token(struct bytes text)
{
    return text.len > 0 && http_scan(text.data, text.data + text.len, HTTP_CHAR_TOKEN) == text.data + text.len;
}

bool http_is_field_value(struct bytes text)
{
    return text.len == 0 || http_scan_text(text.data, text.data + text.len) == text.data + text.len;
}

bool http_list_next(struct bytes *rest, struct bytes *ret_element)
{
    while (rest->len > 0) {
        const char *end = rest->data + rest->len, *p = rest->data, *close;
        struct bytes element;

        while (p < end && *p != ',') {
            if (*p++ != '"')
                continue;
            /* A comma within a quoted string (RFC 9110, 5.6.4) does not separate; a quote that never closes is an
             * ordinary byte, so that it can't hide what follows. */
            for (close = p; close < end && *close != '"'; close++)
                close += *close == '\\' && close + 1 < end;
            if (close < end)
                p = close + 1;
        }
        element = bytes_trim(bytes_of(rest->data, (size_t)(p - rest->data)));
        *rest = p < end ? bytes_of(p + 1, (size_t)(end - p - 1)) : BYTES_NONE;
        if (element.len > 0) {
            *ret_element = element;
            return true;
        }
    }
    return false;
}
