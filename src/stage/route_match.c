/* `match:` of a route. */
#include "stage/regex.h"
#include "stage/route_path.h"

/* A number of base/limits.h as the tables write it. */
#define STRINGIFY(number) #number
#define TEXT_OF(number) STRINGIFY(number)

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

static int check_method(struct bytes text, struct fault *fault)
{
    bool small = false;

    for (size_t i = 0; i < text.len; i++)
        small |= text.data[i] >= 'a' && text.data[i] <= 'z';
    if (http_is_token(text) && !small)
        return 0;
    fault_set(fault, "must be a method, such as GET");
    if (small)
        fault_hint(fault, "they are written in capitals");
    return -EINVAL;
}

static const struct conf_field HOST_FIELD = { .about = "a host name, or *. and one for all names that end so",
                                              .type = CONF_STRING,
                                              .check_text = check_host };
static const struct conf_field METHOD_FIELD = { .about = "a method, in capitals",
                                                .type = CONF_STRING,
                                                .check_text = check_method };

static int check_regex(struct bytes text, struct fault *fault)
{
    struct regex *regex = NULL;
    int r = regex_compile(text, fault, &regex);

    regex_free(regex);
    return r;
}

static int check_query_name(struct conf_check *check, const struct conf_map *query)
{
    for (size_t i = 0; i < query->count; i++) {
        struct bytes name = query->entries[i].name;

        if (bytes_find_char(name, '&') >= 0 || bytes_find_char(name, '=') >= 0 || bytes_find_char(name, '#') >= 0)
            conf_check_fault(check, "query", "\"" BYTES_FMT "\" can't be the name of a parameter", BYTES_ARG(name));
    }
    return 0;
}

static int check_match(struct conf_check *check, void *value)
{
    struct route_match *match = value;

    if (conf_check_given(check, "regex") && conf_check_given(check, "path"))
        fault_hint(conf_check_fault(check, "regex", "can't stand beside path"), "an expression is for the whole path");
    if (conf_check_given(check, "regex") && conf_check_given(check, "prefix"))
        fault_hint(conf_check_fault(check, "prefix", "can't stand beside regex"), "write .* at the end of it");
    if (match->prefix && bytes_ends(match->path, BYTES("...}")))
        fault_hint(conf_check_fault(check, "prefix", "can't be true where the path ends with {name...}"),
                   "either of them takes all below the path");
    if (conf_check_given(check, "prefix") && !conf_check_given(check, "path") && !conf_check_given(check, "regex"))
        fault_hint(conf_check_fault(check, "prefix", "is for a path"), "without one, every path matches");
    return check_query_name(check, &match->query);
}

/* --- values --------------------------------------------------------------------------------------------- */

static int check_value(struct conf_check *check, void *value)
{
    const struct route_value *wanted = value;

    if (wanted->has_exact + wanted->has_regex + wanted->has_present != 1)
        fault_hint(conf_check_fault(check, NULL, "must have one of exact, regex and present"),
                   "a text alone is meant exactly");
    return 0;
}

static const struct conf_field VALUE_FIELDS[] = {
    { .key = "exact",
      .about = "the value itself",
      .type = CONF_STRING,
      CONF_AT(struct route_value, exact),
      .given = CONF_GIVEN(struct route_value, has_exact),
      .example = "\"yes\"" },
    { .key = "regex",
      .about = "a regular expression (PCRE2) for the whole value",
      .type = CONF_STRING,
      CONF_AT(struct route_value, regex),
      .given = CONF_GIVEN(struct route_value, has_regex),
      .check_text = check_regex,
      .example = "v[0-9]+" },
    { .key = "present",
      .about = "true: it must be there, whatever it is; false: it must not",
      .type = CONF_BOOL,
      CONF_AT(struct route_value, present),
      .given = CONF_GIVEN(struct route_value, has_present) },
};

static const struct conf_schema VALUE_SCHEMA = { .name = "route-value",
                                                 .about = "What a header field or a query parameter must be, as it was "
                                                          "sent: one of exact, regex and present.",
                                                 .fields = VALUE_FIELDS,
                                                 .count = ARRAY_LEN(VALUE_FIELDS),
                                                 .size = sizeof(struct route_value),
                                                 .shorthand = "exact",
                                                 .check = check_value };

/* --- match ---------------------------------------------------------------------------------------------- */

static const struct conf_field VALUE_FIELD = { .type = CONF_STRUCT, .schema = &VALUE_SCHEMA };

static const struct conf_field MATCH_FIELDS[] = {
    { .key = "path",
      .about = "the request's path, compared as it was sent (but /%61 is /a); {id} takes one element, {rest...} at the "
               "end all that is "
               "left; unless given: every path",
      .type = CONF_STRING,
      CONF_AT(struct route_match, path),
      .check_text = route_path_check,
      .example = "/api/orders" },
    { .key = "prefix",
      .about = "the path and everything below it, element by element",
      .type = CONF_BOOL,
      CONF_AT(struct route_match, prefix) },
    { .key = "regex",
      .about = "a regular expression (PCRE2) for the whole path, instead of path; it stands behind paths and prefixes, "
               "and before what takes every path",
      .type = CONF_STRING,
      CONF_AT(struct route_match, regex),
      .check_text = check_regex,
      .example = "/v[0-9]+/.*" },
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
    { .key = "header",
      .about = "header fields of the request, each of which must match; of several of one name any may",
      .type = CONF_MAP,
      CONF_AT(struct route_match, header),
      .element = &VALUE_FIELD,
      .names = CONF_NAMES_TOKEN,
      .max = TEXT_OF(ROUTE_VALUES_MAX),
      .example = "{ X-Canary: \"yes\", X-Debug: { present: true } }" },
    { .key = "query",
      .about = "query parameters of the request, each of which must match; of several of one name the first counts",
      .type = CONF_MAP,
      CONF_AT(struct route_match, query),
      .element = &VALUE_FIELD,
      .names = CONF_NAMES_ANY,
      .max = TEXT_OF(ROUTE_VALUES_MAX),
      .example = "{ version: { regex: \"[12]\" } }" },
};

const struct conf_schema ROUTE_MATCH_SCHEMA = { .name = "route-match",
                                                .about = "Which requests a route is for. All that is given must match; "
                                                         "the most specific route wins: by host, then path, "
                                                         "method, number of headers and of query parameters.",
                                                .fields = MATCH_FIELDS,
                                                .count = ARRAY_LEN(MATCH_FIELDS),
                                                .size = sizeof(struct route_match),
                                                .shorthand = "path",
                                                .check = check_match };
