/* The request that is explained: from a URL and lines of fields to a head, by the codec. */
#include "control/explain_parts.h"

#include "base/alloc.h"
#include "http/credential.h"
#include "stage/request.h"

#include <stdarg.h>

int explain_refuse(struct explanation *e, const char *format, ...)
{
    char memory[512];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;
    int r;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    r = arena_copy(e->arena, text_bytes(&text), &e->why);
    return r < 0 ? r : -EINVAL;
}

/* --- the URL ------------------------------------------------------------------------------------------------ */

static bool is_one_line(struct bytes text)
{
    return bytes_find_char(text, '\r') < 0 && bytes_find_char(text, '\n') < 0 && bytes_find_char(text, '\0') < 0;
}

static size_t find_any(struct bytes text, const char *chars)
{
    size_t at = 0;

    while (at < text.len && !strchr(chars, text.data[at]))
        at++;
    return at;
}

static int split_url(struct explanation *e, bool *ret_https)
{
    struct bytes url = e->request->url;
    bool https = bytes_starts(url, BYTES("https://"));
    size_t end;

    if (url.len == 0 || !is_one_line(url))
        return explain_refuse(e, "url must be a URL: http://host/path, or a path");
    if (url.data[0] != '/') {
        if (!https && !bytes_starts(url, BYTES("http://")))
            return explain_refuse(e, "url must begin with http://, https:// or / (is \"" BYTES_FMT "\")",
                                  BYTES_ARG(bytes_slice(url, 0, 100)));
        url = bytes_skip(url, https ? 8 : 7);
        end = find_any(url, "/?#");
        e->authority = bytes_slice(url, 0, end);
        url = bytes_skip(url, end);
        if (e->authority.len == 0 || bytes_find_char(e->authority, '@') >= 0)
            return explain_refuse(e, "url must have a host, without user and password");
    }
    e->target = bytes_slice(url, 0, find_any(url, "#"));
    *ret_https = https;
    return 0;
}

/* --- the gateway -------------------------------------------------------------------------------------------- */

static void list_gateways(const struct control_config *config, struct text *text)
{
    for (size_t i = 0; i < config->gateways.count; i++)
        text_add_format(text, BYTES_FMT ", ", BYTES_ARG(control_gateway_at(config, i)->name));
    text_add(text, BYTES(CONTROL_GATEWAY_MESH));
}

static int unknown_gateway(struct explanation *e)
{
    char memory[256];
    struct text text = text_into(memory, sizeof(memory));

    list_gateways(explain_config(e), &text);
    return explain_refuse(e, "gateway must be one of " BYTES_FMT " (is \"" BYTES_FMT "\")",
                          BYTES_ARG(text_bytes(&text)), BYTES_ARG(bytes_slice(e->request->gateway, 0, CONF_NAME_MAX)));
}

static const struct control_gateway *gateway_named(const struct control_config *config, struct bytes name)
{
    for (size_t i = 0; i < config->gateways.count; i++)
        if (bytes_equal(control_gateway_at(config, i)->name, name))
            return control_gateway_at(config, i);
    return NULL;
}

/* The one at the URL's port; of several that which has its address, too. */
static const struct control_gateway *gateway_at(const struct control_config *config, struct bytes authority,
                                                uint64_t port)
{
    const struct control_gateway *found = NULL;

    for (size_t i = 0; i < config->gateways.count; i++) {
        const struct control_gateway *gateway = control_gateway_at(config, i);

        if (gateway->address.family == ADDRESS_UNIX || gateway->address.port != port)
            continue;
        if (!found || bytes_ends(gateway->listen, authority))
            found = gateway;
    }
    return found;
}

static uint64_t port_of(struct bytes authority, bool https)
{
    struct bytes host = request_host(authority);
    uint64_t port = https ? 443 : 80;

    if (authority.len > host.len + 1 && bytes_to_u64(bytes_skip(authority, host.len + 1), &port) < 0)
        port = 0;
    return port;
}

/* A call by the mesh has the service's name before the path. */
static int call_service(struct explanation *e)
{
    e->x->gateway = BYTES(CONTROL_GATEWAY_MESH);
    e->x->scheme = BYTES("http");
    e->gateway_reason = "the host is a service's name: services call each other by the mesh";
    return arena_format(&e->x->arena, &e->target, "/" BYTES_FMT "%s" BYTES_FMT, BYTES_ARG(e->authority),
                        bytes_starts(e->target, BYTES("/")) ? "" : "/", BYTES_ARG(e->target));
}

static int use_gateway(struct explanation *e, const struct control_gateway *gateway, const char *reason)
{
    ssize_t at = bytes_find(gateway->listen, BYTES("://"));

    e->x->gateway = gateway->name;
    e->x->scheme = gateway->scheme;
    e->gateway_reason = reason;
    if (e->authority.len == 0)
        e->authority = at < 0 || gateway->address.family == ADDRESS_UNIX ? BYTES("localhost")
                                                                         : bytes_skip(gateway->listen, (size_t)at + 3);
    return 0;
}

static int choose_gateway(struct explanation *e, bool https)
{
    const struct control_config *config = explain_config(e);
    const struct control_gateway *gateway = gateway_named(config, e->request->gateway);
    uint64_t port = port_of(e->authority, https);

    if (bytes_equal(e->request->gateway, BYTES(CONTROL_GATEWAY_MESH))) {
        if (control_find_service(config, e->authority))
            return call_service(e);
        e->x->gateway = BYTES(CONTROL_GATEWAY_MESH);
        e->x->scheme = BYTES("http");
        e->authority = e->authority.len ? e->authority : BYTES("localhost");
        e->gateway_reason = "it was asked for";
        return 0;
    }
    if (e->request->gateway.len > 0)
        return gateway ? use_gateway(e, gateway, "it was asked for") : unknown_gateway(e);
    if (control_find_service(config, e->authority))
        return call_service(e);
    if (config->gateways.count == 0)
        return explain_refuse(e, "the system has no gateway: only its services are called, as http://SERVICE/path");
    gateway = e->authority.len ? gateway_at(config, e->authority, port) : NULL;
    if (gateway)
        return use_gateway(e, gateway, "it listens at the URL's port");
    gateway = control_gateway_at(config, 0);
    if (config->gateways.count == 1)
        return use_gateway(e, gateway, "it is the only one");
    if (e->authority.len == 0)
        return use_gateway(e, gateway, "it is the first one");
    return use_gateway(e, gateway, "it is the first one: none listens at the URL's port");
}

/* --- the head ----------------------------------------------------------------------------------------------- */

static bool is_host(struct bytes line)
{
    return line.len >= 5 && bytes_equal_ci(bytes_slice(line, 0, 5), BYTES("host:"));
}

static int write_head(struct explanation *e, struct text *text)
{
    const struct explain_request *request = e->request;
    struct bytes method = request->method.len ? request->method : BYTES("GET");
    bool host = false;

    if (!is_one_line(method))
        return explain_refuse(e, "method must be one word, such as GET or POST");
    for (unsigned i = 0; i < request->field_count; i++)
        host |= is_host(request->fields[i]);
    text_add_format(text, BYTES_FMT " %s", BYTES_ARG(method), bytes_starts(e->target, BYTES("/")) ? "" : "/");
    text_add(text, e->target);
    text_add(text, BYTES(" HTTP/1.1\r\n"));
    if (!host) {
        text_add(text, BYTES("Host: "));
        text_add(text, e->authority);
        text_add(text, BYTES("\r\n"));
    }
    for (unsigned i = 0; i < request->field_count; i++) {
        if (!is_one_line(request->fields[i]) || bytes_find_char(request->fields[i], ':') < 1)
            return explain_refuse(e, "header must be one line: Name: value");
        text_add(text, request->fields[i]);
        text_add(text, BYTES("\r\n"));
    }
    text_add(text, BYTES("\r\n"));
    return text->full ? explain_refuse(e, "method, url and headers must be at most %d bytes", HTTP1_HEAD_MAX) : 0;
}

/* A body that is announced is there, for those who look at its length; nobody reads it. */
static int add_body(struct exchange *x)
{
    struct body_memory *body = arena_alloc(&x->arena, sizeof(*body));

    if (!body)
        return -ENOMEM;
    body_memory_init(body, BYTES_NONE);
    body->body.has_length = x->request.has_content_length;
    body->body.length = x->request.content_length;
    body->body.at_hand = false;
    return exchange_set_request_body(x, &body->body);
}

static int read_head(struct explanation *e, struct bytes head)
{
    struct http1_head_reader reader;
    ssize_t n;
    int r = exchange_head_room(e->x, &e->x->request, HTTP_FIELDS_MAX);

    if (r < 0)
        return r;
    http1_head_start(&reader);
    n = http1_read_request(&reader, head, &e->x->request);
    if (n < 0) {
        e->malformed = reader.error;
        return 0;
    }
    if ((size_t)n != head.len) /* an empty method is read as an empty line */
        return explain_refuse(e, "method must be one word, such as GET or POST");
    if (bytes_equal(e->x->gateway, BYTES(CONTROL_GATEWAY_MESH)))
        http_take_credential(e->x); /* whether it holds is not asked here: whoever may explain may call as anybody */
    return e->x->request.framing == HTTP_BODY_NONE ? 0 : add_body(e->x);
}

int explain_read(struct explanation *e)
{
    struct text text;
    bool https = false;
    int r = split_url(e, &https);

    if (r == 0)
        r = choose_gateway(e, https);
    if (r < 0)
        return r;
    e->memory = mem_alloc(HTTP1_HEAD_MAX);
    if (!e->memory)
        return -ENOMEM;
    text = text_into(e->memory, HTTP1_HEAD_MAX);
    r = write_head(e, &text);
    return r < 0 ? r : read_head(e, text_bytes(&text));
}
