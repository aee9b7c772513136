/* The stage `redirect`: an answer that sends the client to another place (Gateway API, HTTPRequestRedirectFilter).
 *
 * (1) Parts that are not written are the request's: scheme, host, port, path; the query always is. A scheme without
 * port brings its own port along, and a port that is the scheme's is not written. (2) `to` is the whole place as it
 * comes out, without the request's query. (3) What a URI can't hold is percent-encoded, so no byte of the request can
 * end the field; '%' stays. A place that came out as "//..." because of what the request holds would lead to a
 * stranger's host: OUTCOME_BAD_REQUEST. (4) As a step, a request that is at the place already goes on: what is left of
 * it is not asked for again.
 */
#include "stage/place.h"
#include "stage/request.h"
#include "stage/route_table.h"
#include "wire/http1.h"

struct target {
    struct bytes scheme, host;
    unsigned port; /* 0: the scheme's */
    struct bytes path, query;
};

/* A Location may be as long as the request line that it was made of: it lies in a buffer until the exchange ends. */
struct location {
    struct ending ending;
    struct text text;
};

static void location_ended(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    pool_give(&x->worker->buffers, container_of(ending, struct location, ending)->text.data);
}

static int location_create(struct exchange *x, struct location **ret)
{
    struct location *location = arena_alloc(&x->arena, sizeof(*location));
    char *memory = location ? pool_take(&x->worker->buffers) : NULL;

    if (!memory)
        return -ENOMEM;
    *location = (struct location){ .ending = { .run = location_ended }, .text = text_into(memory, LOCATION_MAX) };
    exchange_at_end(x, &location->ending);
    *ret = location;
    return 0;
}

/* --- where to ------------------------------------------------------------------------------------------- */

static bool is_uri_char(char c)
{
    return c > ' ' && c < 0x7f && bytes_find_char(BYTES("\"<>\\^`{|}"), c) < 0;
}

static void add_encoded(struct text *text, struct bytes part)
{
    static const char HEX[] = "0123456789ABCDEF";

    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = (uint8_t)part.data[i];

        if (is_uri_char(part.data[i])) {
            text_add_char(text, part.data[i]);
            continue;
        }
        text_add_char(text, '%');
        text_add_char(text, HEX[c >> 4]);
        text_add_char(text, HEX[c & 15]);
    }
}

static unsigned usual_port(struct bytes scheme)
{
    return bytes_equal(scheme, BYTES("https")) ? 443 : 80;
}

static struct target place_of(const struct exchange *x)
{
    const struct http_head *request = &x->request;
    struct target target = { .scheme = x->scheme.len ? x->scheme : BYTES("http"),
                             .path = request->path,
                             .query = request->query };

    target.host = place_split_port(request->authority, &target.port);
    if (target.port == usual_port(target.scheme))
        target.port = 0;
    return target;
}

static int replace_host(const struct redirect_conf *conf, struct exchange *x, struct target *target)
{
    struct bytes host;
    unsigned port;
    int r = written_expand(&conf->host_made, x, &host);

    if (r < 0 || !http1_is_authority(host, false))
        return r < 0 ? r : -EINVAL;
    target->host = place_split_port(host, &port);
    if (port > 0)
        target->port = port;
    return 0;
}

static int replace_path(const struct redirect_conf *conf, struct exchange *x, struct target *target)
{
    struct bytes with;
    int r;

    if (!conf->has_prefix)
        return written_expand(&conf->path_made, x, &target->path);
    r = written_expand(&conf->prefix_made, x, &with);
    if (r == 0)
        r = place_replace_prefix(x, target->path, conf->strip, with, &target->path);
    return r == -ENOENT ? 0 : r;
}

/* The scheme's own port comes along; but a step takes who has the scheme already for being there, at whatever port. */
static void replace_scheme(const struct redirect_conf *conf, bool step, struct target *target)
{
    struct bytes scheme = conf->scheme == REDIRECT_SCHEME_HTTPS ? BYTES("https") : BYTES("http");

    if (!step || !bytes_equal(scheme, target->scheme))
        target->port = 0;
    target->scheme = scheme;
}

static int replace_parts(const struct redirect_conf *conf, struct exchange *x, bool step, struct target *target)
{
    int r = 0;

    if (conf->scheme != REDIRECT_SCHEME_SAME)
        replace_scheme(conf, step, target);
    if (conf->host.len > 0)
        r = replace_host(conf, x, target);
    if (conf->port > 0)
        target->port = (unsigned)conf->port;
    if (target->port == usual_port(target->scheme))
        target->port = 0;
    if (r == 0 && (conf->path.len > 0 || conf->has_prefix))
        r = replace_path(conf, x, target);
    return r;
}

static bool same_place(const struct target *a, const struct target *b)
{
    return bytes_equal(a->scheme, b->scheme) && bytes_equal_ci(a->host, b->host) && a->port == b->port &&
           bytes_equal(a->path, b->path);
}

/* Without a host (HTTP/1.0) only a path can be said. */
static int write_target(const struct target *target, struct text *text)
{
    if (target->host.len > 0) {
        add_encoded(text, target->scheme);
        text_add(text, BYTES("://"));
        add_encoded(text, target->host);
        if (target->port > 0)
            text_add_format(text, ":%u", target->port);
    } else if (bytes_starts(target->path, BYTES("//"))) {
        return -EINVAL;
    }
    add_encoded(text, target->path);
    if (target->query.data) {
        text_add_char(text, '?');
        add_encoded(text, target->query);
    }
    return 0;
}

/* 1: there already. */
static int write_parts(const struct redirect_conf *conf, struct exchange *x, bool step, struct text *text)
{
    struct target here = place_of(x), there = here;
    int r = replace_parts(conf, x, step, &there);

    if (r < 0)
        return r;
    if (!bytes_starts(there.path, BYTES("/")))
        return -EINVAL; /* "*", CONNECT: no place to go to */
    return step && same_place(&here, &there) ? 1 : write_target(&there, text);
}

static bool leads_to_a_host(struct bytes place)
{
    return place.len >= 2 && (place.data[0] == '/' || place.data[0] == '\\') &&
           (place.data[1] == '/' || place.data[1] == '\\');
}

static bool skip(struct bytes *rest, struct bytes part)
{
    bool there = rest->len >= part.len && bytes_equal_ci(bytes_slice(*rest, 0, part.len), part);

    if (there)
        *rest = bytes_skip(*rest, part.len);
    return there;
}

/* Whether the place is the one that was asked for, with its host or without. */
static bool is_here(const struct exchange *x, struct bytes place)
{
    const struct http_head *request = &x->request;

    if (!bytes_starts(place, BYTES("/")) &&
        !(skip(&place, x->scheme) && skip(&place, BYTES("://")) && skip(&place, request->authority)))
        return false;
    if (!bytes_starts(place, request->path))
        return false;
    place = bytes_skip(place, request->path.len);
    if (!request->query.data)
        return place.len == 0;
    return skip(&place, BYTES("?")) && bytes_equal(place, request->query);
}

/* 1: there already. */
static int write_whole(const struct redirect_conf *conf, struct exchange *x, bool step, struct text *text)
{
    struct bytes place;
    int r = written_expand(&conf->to_made, x, &place);

    if (r < 0)
        return r;
    if (place.len == 0 || (leads_to_a_host(place) && !leads_to_a_host(conf->to)))
        return -EINVAL;
    if (step && is_here(x, place))
        return 1;
    add_encoded(text, place);
    return 0;
}

static int answer(const struct redirect_conf *conf, struct exchange *x, const struct location *location)
{
    int r = exchange_answer(x, (unsigned)conf->status, BYTES_NONE, BYTES_NONE);

    return r < 0 ? r : http_head_add(&x->response, HTTP_FIELD_LOCATION, text_bytes(&location->text));
}

static enum outcome redirect_run(const struct stage *s, struct exchange *x)
{
    const struct redirect_conf *conf = s->conf;
    struct location *location;
    int r = location_create(x, &location);

    if (r < 0)
        return OUTCOME_OVERLOAD;
    r = conf->to.len > 0 ? write_whole(conf, x, s->next != NULL, &location->text)
                         : write_parts(conf, x, s->next != NULL, &location->text);
    if (r > 0)
        return stage_next(s, x);
    if (r == 0 && location->text.full)
        r = -ENOSPC;
    if (r == 0)
        r = answer(conf, x, location);
    if (r < 0)
        return r == -ENOMEM ? OUTCOME_OVERLOAD : OUTCOME_BAD_REQUEST;
    return OUTCOME_OK;
}

/* --- settings ------------------------------------------------------------------------------------------- */

static int check_to(struct bytes text, struct fault *fault)
{
    if (text.len == 0 || !http_is_field_value(text)) {
        fault_set(fault, "must be a URL or a path");
        return -EINVAL;
    }
    return template_check(text, fault);
}

static int make_parts(struct conf_check *check, struct redirect_conf *conf)
{
    int r = written_text_make(check, conf->to, &conf->to_made);

    if (r == 0)
        r = written_text_make(check, conf->host, &conf->host_made);
    if (r == 0)
        r = written_text_make(check, conf->path, &conf->path_made);
    return r < 0 ? r : written_text_make(check, conf->prefix, &conf->prefix_made);
}

static int check_redirect(struct conf_check *check, void *value)
{
    static const char *const PARTS[] = { "scheme", "host", "port", "path", "prefix" };
    struct redirect_conf *conf = value;
    const char *part = NULL;

    for (size_t i = 0; i < ARRAY_LEN(PARTS) && !part; i++)
        part = conf_check_given(check, PARTS[i]) ? PARTS[i] : NULL;
    if (part && conf->to.len > 0)
        conf_check_fault(check, part, "does not go together with to, which is the whole place");
    if (!part && conf->to.len == 0)
        fault_hint(conf_check_fault(check, NULL, "leads nowhere"), "write to, or scheme, host, port, path, prefix");
    if (conf->status == 304 || conf->status == 305 || conf->status == 306)
        conf_check_fault(check, "status", "must be 301, 302, 303, 307 or 308 (is %d)", (int)conf->status);
    place_check_parts(check);
    return make_parts(check, conf);
}

static const struct conf_choice SCHEMES[] = {
    { .name = "http", .value = REDIRECT_SCHEME_HTTP, .about = "without TLS" },
    { .name = "https", .value = REDIRECT_SCHEME_HTTPS, .about = "with TLS" },
    { .name = NULL },
};

static const struct conf_field FIELDS[] = {
    { .key = "status",
      .about = "301 and 308 are for good and are kept by clients, 302 and 307 are for this time; with 307 and 308 the "
               "method "
               "stays, 303 asks for GET",
      .type = CONF_INTEGER,
      CONF_AT(struct redirect_conf, status),
      .default_text = "302",
      .min = "301",
      .max = "308" },
    { .key = "to",
      .about = "the whole place, a URL or a path; for the request's query write ?{request.query}",
      .type = CONF_TEMPLATE,
      CONF_AT(struct redirect_conf, to),
      .check_text = check_to,
      .example = "\"https://shop.example.com/orders/{path.id}\"" },
    { .key = "scheme",
      .about = "http or https, with its own port; unless given: that of the connection to the gateway",
      .type = CONF_ENUM,
      CONF_AT(struct redirect_conf, scheme),
      .choices = SCHEMES },
    { .key = "host",
      .about = "the host; unless given: the request's",
      .type = CONF_TEMPLATE,
      CONF_AT(struct redirect_conf, host),
      .check_text = place_check_host,
      .example = "shop.example.com" },
    { .key = "port",
      .about = "the port; unless given: that of scheme or host if they are given with one, else the request's",
      .type = CONF_INTEGER,
      CONF_AT(struct redirect_conf, port),
      .min = "1",
      .max = "65535",
      .example = "8443" },
    { .key = "path",
      .about = "the whole path; the query stays",
      .type = CONF_TEMPLATE,
      CONF_AT(struct redirect_conf, path),
      .check_text = place_check_path,
      .example = "\"/orders/{path.id}\"" },
    { .key = "prefix",
      .about = "what takes the place of the prefix that the route has matched, or of `strip`; the query stays",
      .type = CONF_TEMPLATE,
      CONF_AT(struct redirect_conf, prefix),
      .given = CONF_GIVEN(struct redirect_conf, has_prefix),
      .check_text = place_check_prefix,
      .example = "/v2" },
    { .key = "strip",
      .about =
          "the prefix that is replaced, element by element; unless given: the route's. A path that is not below it "
          "stays",
      .type = CONF_STRING,
      CONF_AT(struct redirect_conf, strip),
      .check_text = place_check_strip,
      .example = "/v1" },
};

static const struct conf_schema REDIRECT_SCHEMA = {
    .name = "redirect",
    .about = "Sends the client to another place. Among `stages`, a request that is at the place already goes on.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct redirect_conf),
    .check = check_redirect,
    .shorthand = "to",
};

const struct stage_type STAGE_REDIRECT = { .name = "redirect", .schema = &REDIRECT_SCHEMA, .run = redirect_run };
