/* The stage `route`: chooses one of its children by host, path and method, see stage/route_table.h. */
#include "stage/route_table.h"

static enum outcome route_run(const struct stage *s, struct exchange *x)
{
    const struct route_conf *conf = s->conf;
    const struct http_head *request = &x->request;
    int found;

    if (!route_path_safe(request->path))
        return OUTCOME_BAD_REQUEST;
    found = route_table_find(s->state, request->authority, request->path, request->method_text);
    if (found < 0)
        return OUTCOME_NO_ROUTE;
    x->route = conf->routes[found].name;
    return stage_run(s->children[found], x);
}

static int route_prepare(struct stage *stage, const struct stage *previous, struct fault *fault)
{
    const struct route_conf *conf = stage->conf;
    struct route_table *table;
    int r;

    if (conf->count != stage->child_count) {
        fault_set(fault, BYTES_FMT ": there must be one way on for each route", BYTES_ARG(stage->path));
        return -EINVAL;
    }
    r = route_table_create(conf, fault, &table);
    if (r == 0)
        stage->state = table;
    return r;
}

static void route_retire(struct stage *stage)
{
    route_table_free(stage->state);
}

const struct stage_type STAGE_ROUTE = {
    .name = "route", .prepare = route_prepare, .run = route_run, .retire = route_retire
};

/* --- settings ------------------------------------------------------------------------------------------- */

static bool is_host_char(char c)
{
    char lower = ascii_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == ':' ||
           c == '[' || c == ']';
}

static int check_host(struct bytes text, struct fault *fault)
{
    struct bytes rest = bytes_starts(text, BYTES("*.")) ? bytes_skip(text, 2) : text;
    bool fine = rest.len > 0 && text.len <= ROUTE_HOST_MAX && rest.data[0] != '.';

    for (size_t i = 0; i < rest.len && fine; i++)
        fine = is_host_char(rest.data[i]);
    if (fine && rest.data[0] != '[')
        fine = bytes_find_char(rest, ':') < 0;
    if (fine)
        return 0;
    fault_set(fault, "must be a host name without port, or *. and one");
    return -EINVAL;
}

static int check_path(struct bytes text, struct fault *fault)
{
    if (text.len > 0 && text.data[0] == '/' && route_path_safe(text) && bytes_find_char(text, '?') < 0 &&
        bytes_find_char(text, '#') < 0)
        return 0;
    fault_set(fault, "must be a path: / first, no query, no dot segments");
    return -EINVAL;
}

static int check_method(struct bytes text, struct fault *fault)
{
    if (http_is_token(text))
        return 0;
    fault_set(fault, "must be a method, such as GET");
    return -EINVAL;
}

static const struct conf_field HOST_FIELD = { .about = "a host name, or *. and one for all names that end so",
                                              .type = CONF_STRING,
                                              .check_text = check_host };
static const struct conf_field METHOD_FIELD = { .about = "a method, in capitals",
                                                .type = CONF_STRING,
                                                .check_text = check_method };

static const struct conf_field MATCH_FIELDS[] = {
    { .key = "path",
      .about = "the request's path, compared as it was sent; unless given: every path",
      .type = CONF_STRING,
      CONF_AT(struct route_match, path),
      .check_text = check_path,
      .example = "/api/orders" },
    { .key = "prefix",
      .about = "the path and everything below it, element by element",
      .type = CONF_BOOL,
      CONF_AT(struct route_match, prefix) },
    { .key = "host",
      .about = "the request's host; unless given: every host",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct route_match, hosts),
      .element = &HOST_FIELD,
      .example = "[shop.example.com, '*.shop.example.com']" },
    { .key = "method",
      .about = "the request's method; unless given: every method",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct route_match, method),
      .element = &METHOD_FIELD,
      .example = "[GET, POST]" },
};

const struct conf_schema ROUTE_MATCH_SCHEMA = { .name = "route-match",
                                                .about = "Which requests a route is for. All that is given must match; "
                                                         "the most specific route wins.",
                                                .fields = MATCH_FIELDS,
                                                .count = ARRAY_LEN(MATCH_FIELDS),
                                                .size = sizeof(struct route_match),
                                                .shorthand = "path" };
