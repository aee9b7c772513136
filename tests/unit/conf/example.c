#include "example.h"

#include <errno.h>

static int check_path(struct bytes text, struct fault *fault)
{
    if (bytes_starts(text, BYTES("/")))
        return 0;
    fault_set(fault, "must begin with a slash");
    fault_hint(fault, "such as /healthz");
    return -EINVAL;
}

static const struct conf_field TIMEOUT_FIELDS[] = {
    { .key = "total",
      .type = CONF_DURATION,
      CONF_AT(struct example_timeout, total_ns),
      .default_text = "15s",
      .min = "1ms",
      .max = "1h",
      .about = "from the first byte of the request to the last of the answer's head" },
    { .key = "idle", .type = CONF_DURATION, CONF_AT(struct example_timeout, idle_ns), .about = "between two chunks" },
};

static const struct conf_schema TIMEOUT_SCHEMA = {
    .name = "timeout",
    .about = "How long an exchange may take.",
    .fields = TIMEOUT_FIELDS,
    .count = ARRAY_LEN(TIMEOUT_FIELDS),
    .size = sizeof(struct example_timeout),
    .shorthand = "total",
};

static int check_retry(struct conf_check *check, void *value)
{
    const struct example_retry *retry = value;
    bool *seen = arena_alloc(conf_check_arena(check), sizeof(*seen));

    if (!seen)
        return -ENOMEM;
    if (retry->backoff.high_ns > retry->window_ns)
        fault_hint(conf_check_fault(check, "backoff", "must end within the window"), "make the window longer");
    if (conf_check_given(check, "budget") && retry->attempts == 1)
        conf_check_fault(check, NULL, "a budget needs at least 2 attempts");
    return 0;
}

static const struct conf_field RETRY_FIELDS[] = {
    { .key = "attempts",
      .type = CONF_INTEGER,
      CONF_AT(struct example_retry, attempts),
      .default_text = "3",
      .min = "1",
      .max = "10",
      .about = "tries, the first one included" },
    { .key = "backoff",
      .type = CONF_DURATION_RANGE,
      CONF_AT(struct example_retry, backoff),
      .default_text = "100ms..1s",
      .min = "1ms",
      .max = "1m",
      .about = "waits between tries" },
    { .key = "budget",
      .type = CONF_PERCENT,
      CONF_AT(struct example_retry, budget),
      .default_text = "20%",
      .about = "of the offered requests" },
    { .key = "window",
      .type = CONF_DURATION,
      CONF_AT(struct example_retry, window_ns),
      .default_text = "10s",
      .min = "1s",
      .about = "over which the budget counts" },
};

static const struct conf_schema RETRY_SCHEMA = {
    .name = "retry",
    .about = "Tries again what may be tried again.",
    .fields = RETRY_FIELDS,
    .count = ARRAY_LEN(RETRY_FIELDS),
    .size = sizeof(struct example_retry),
    .shorthand = "attempts",
    .check = check_retry,
};

static const struct conf_field TLS_FIELDS[] = {
    { .key = "certificate",
      .type = CONF_STRING,
      .flags = CONF_REQUIRED,
      CONF_AT(struct example_tls, certificate),
      .min = "1",
      .example = "shop.pem",
      .about = "file with the certificate chain" },
    { .key = "key",
      .type = CONF_STRING,
      .flags = CONF_REQUIRED,
      CONF_AT(struct example_tls, key),
      .about = "file with the private key" },
};

static const struct conf_schema TLS_SCHEMA = {
    .name = "tls",
    .about = "Identity of a service.",
    .fields = TLS_FIELDS,
    .count = ARRAY_LEN(TLS_FIELDS),
    .size = sizeof(struct example_tls),
};

static const struct conf_choice BALANCES[] = {
    { "round-robin", EXAMPLE_ROUND_ROBIN, "in turn" },
    { "least-request", EXAMPLE_LEAST_REQUEST, "the less busy of two" },
    { NULL, 0, NULL },
};

static const struct conf_field STRING = { .type = CONF_STRING };
static const struct conf_field WORD = { .type = CONF_STRING, .min = "1", .max = "8" };
static const struct conf_field ADDRESS = { .type = CONF_ADDRESS };
static const struct conf_field STAGE = { .type = CONF_UNION, .alternatives = "stage" };
static const struct conf_field STAGES = { .type = CONF_UNIONS, .alternatives = "stage", .max = "3" };

static const struct conf_field SERVICE_FIELDS[] = {
    { .key = "run",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      .element = &STRING,
      CONF_AT(struct example_service, run),
      .example = "./orders",
      .about = "command and its arguments" },
    { .key = "url",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      .element = &ADDRESS,
      CONF_AT(struct example_service, url),
      .max = "4",
      .about = "where it can be reached" },
    { .key = "scale",
      .type = CONF_INTEGER,
      CONF_AT(struct example_service, scale),
      .given = CONF_GIVEN(struct example_service, scale_given),
      .default_text = "1",
      .min = "0",
      .max = "1000",
      .about = "number of instances" },
    { .key = "ready",
      .type = CONF_STRING,
      CONF_AT(struct example_service, ready),
      .check_text = check_path,
      .pattern = "^/",
      .example = "/readyz",
      .about = "path of the check | asked for with GET" },
    { .key = "balance",
      .type = CONF_ENUM,
      CONF_AT(struct example_service, balance),
      .choices = BALANCES,
      .default_text = "least-request",
      .about = "which instance is next" },
    { .key = "environment",
      .type = CONF_MAP,
      .element = &STRING,
      .names = CONF_NAMES_VARIABLE,
      CONF_AT(struct example_service, environment),
      .max = "2",
      .about = "further variables" },
    { .key = "timeout",
      .type = CONF_STRUCT,
      .schema = &TIMEOUT_SCHEMA,
      CONF_AT(struct example_service, timeout),
      .about = "bounds of an exchange" },
    { .key = "retry",
      .type = CONF_STRUCT,
      .flags = CONF_POINTER,
      .schema = &RETRY_SCHEMA,
      CONF_AT(struct example_service, retry),
      .about = "whether to try again" },
    { .key = "tls",
      .type = CONF_STRUCT,
      .flags = CONF_POINTER,
      .schema = &TLS_SCHEMA,
      CONF_AT(struct example_service, tls),
      .about = "its identity" },
    { .key = "policy",
      .type = CONF_STRING,
      .reference = "policy",
      CONF_AT(struct example_service, policy),
      .about = "how calls may fail" },
    { .key = "weight",
      .type = CONF_NUMBER,
      CONF_AT(struct example_service, weight),
      .default_text = "1.0",
      .min = "0.1",
      .max = "100",
      .about = "share of the traffic" },
};

static const struct conf_schema SERVICE_SCHEMA = {
    .name = "service",
    .about = "Named code.",
    .fields = SERVICE_FIELDS,
    .count = ARRAY_LEN(SERVICE_FIELDS),
    .size = sizeof(struct example_service),
    .place = CONF_GIVEN(struct example_service, place),
};

static const struct conf_field MATCH_FIELDS[] = {
    { .key = "path",
      .type = CONF_STRING,
      .flags = CONF_REQUIRED,
      .check_text = check_path,
      CONF_AT(struct example_match, path),
      .example = "/api/orders",
      .about = "the path" },
    { .key = "prefix", .type = CONF_BOOL, CONF_AT(struct example_match, prefix), .about = "and all below it" },
    { .key = "method",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      .element = &WORD,
      CONF_AT(struct example_match, method),
      .min = "1",
      .about = "one of these methods" },
    { .key = "headers",
      .type = CONF_MAP,
      .element = &STRING,
      .names = CONF_NAMES_TOKEN,
      CONF_AT(struct example_match, headers),
      .about = "fields and their values" },
};

static const struct conf_schema MATCH_SCHEMA = {
    .name = "match",
    .about = "Which requests are meant.",
    .fields = MATCH_FIELDS,
    .count = ARRAY_LEN(MATCH_FIELDS),
    .size = sizeof(struct example_match),
};

static const struct conf_field ROUTE_FIELDS[] = {
    { .key = "match",
      .type = CONF_STRUCT,
      .flags = CONF_REQUIRED,
      .schema = &MATCH_SCHEMA,
      CONF_AT(struct example_route, match),
      .about = "requests" },
    { .key = "stages",
      .type = CONF_LIST,
      .element = &STAGE,
      CONF_AT(struct example_route, stages),
      .about = "what they pass through" },
    { .key = "to",
      .type = CONF_UNION,
      .flags = CONF_REQUIRED | CONF_TEXT_FORM,
      .alternatives = "target",
      .reference = "service",
      CONF_AT(struct example_route, to),
      .example = "orders",
      .about = "where they end" },
};

static const struct conf_schema ROUTE_SCHEMA = {
    .name = "route",
    .about = "Requests to a service.",
    .fields = ROUTE_FIELDS,
    .count = ARRAY_LEN(ROUTE_FIELDS),
    .size = sizeof(struct example_route),
};

static const struct conf_field SERVICE = { .type = CONF_STRUCT, .schema = &SERVICE_SCHEMA };
static const struct conf_field ROUTE = { .type = CONF_STRUCT, .schema = &ROUTE_SCHEMA };

static const struct conf_field ROOT_FIELDS[] = {
    { .key = "system",
      .type = CONF_STRING,
      .flags = CONF_REQUIRED,
      CONF_AT(struct example, system),
      .min = "2",
      .max = "16",
      .example = "shop",
      .about = "name of the whole" },
    { .key = "include",
      .type = CONF_LIST,
      .flags = CONF_SINGLE | CONF_INCLUDE,
      .element = &STRING,
      CONF_AT(struct example, include),
      .about = "further files" },
    { .key = "debug", .type = CONF_BOOL, CONF_AT(struct example, debug), .default_text = "true", .about = "say more" },
    { .key = "memory",
      .type = CONF_SIZE,
      CONF_AT(struct example, memory),
      .default_text = "64MiB",
      .min = "1MiB",
      .about = "bound of all buffers" },
    { .key = "listen",
      .type = CONF_LIST,
      .element = &ADDRESS,
      CONF_AT(struct example, listen),
      .about = "where requests come in" },
    { .key = "services",
      .type = CONF_MAP,
      .element = &SERVICE,
      .declares = "service",
      CONF_AT(struct example, services),
      .about = "named code" },
    { .key = "policies",
      .type = CONF_MAP,
      .element = &STAGES,
      .declares = "policy",
      CONF_AT(struct example, policies),
      .about = "named stages" },
    { .key = "routes",
      .type = CONF_LIST,
      .element = &ROUTE,
      CONF_AT(struct example, routes),
      .about = "requests to services" },
    { .key = "labels",
      .type = CONF_MAP,
      .element = &STRING,
      .names = CONF_NAMES_ANY,
      CONF_AT(struct example, labels),
      .about = "anything" },
    { .key = "jobs",
      .type = CONF_MAP,
      .element = &STRING,
      .declares = "service",
      CONF_AT(struct example, jobs),
      .about = "what runs once" },
};

const struct conf_schema EXAMPLE_SCHEMA = {
    .name = "example",
    .about = "A configuration for tests.",
    .fields = ROOT_FIELDS,
    .count = ARRAY_LEN(ROOT_FIELDS),
    .size = sizeof(struct example),
};

static const struct conf_field LIMIT_FIELDS[] = {
    { .key = "rate",
      .type = CONF_RATE,
      .flags = CONF_REQUIRED,
      CONF_AT(struct example_limit, rate),
      .max = "1000/s",
      .example = "100/s",
      .about = "requests in the long run" },
    { .key = "burst", .type = CONF_INTEGER, CONF_AT(struct example_limit, burst), .min = "1", .about = "at once" },
    { .key = "by",
      .type = CONF_TEMPLATE,
      CONF_AT(struct example_limit, by),
      .default_text = "{client.address}",
      .about = "what is counted" },
};

static const struct conf_schema LIMIT_SCHEMA = {
    .name = "limit",
    .about = "Refuses what is too much.",
    .fields = LIMIT_FIELDS,
    .count = ARRAY_LEN(LIMIT_FIELDS),
    .size = sizeof(struct example_limit),
    .shorthand = "rate",
};

static const struct conf_field CACHE_FIELDS[] = {
    { .key = "size",
      .type = CONF_SIZE,
      CONF_AT(struct example_cache, size),
      .default_text = "16MiB",
      .min = "1MiB",
      .max = "1GiB",
      .about = "memory for answers" },
    { .key = "fill",
      .type = CONF_PERCENT,
      CONF_AT(struct example_cache, fill),
      .default_text = "150%",
      .max = "200%",
      .about = "of what is fresh" },
    { .key = "ttl", .type = CONF_DURATION, CONF_AT(struct example_cache, ttl_ns), .about = "how long they are good" },
};

static const struct conf_schema CACHE_SCHEMA = {
    .name = "cache",
    .about = "Answers what was answered before.",
    .fields = CACHE_FIELDS,
    .count = ARRAY_LEN(CACHE_FIELDS),
    .size = sizeof(struct example_cache),
};

static const struct conf_schema NONE_SCHEMA = { .name = "none", .about = "Does nothing.", .size = 1 };

static const struct conf_field GATHER_FIELDS[] = {
    { .key = "from",
      .type = CONF_STRING,
      .flags = CONF_REQUIRED,
      .reference = "service",
      CONF_AT(struct example_gather, from),
      .about = "whose shards are asked" },
    { .key = "quorum",
      .type = CONF_PERCENT,
      CONF_AT(struct example_gather, quorum),
      .default_text = "100%",
      .min = "1%",
      .about = "of the answers that must come" },
    { .key = "otherwise",
      .type = CONF_UNION,
      .flags = CONF_TEXT_FORM,
      .alternatives = "target",
      .reference = "service",
      CONF_AT(struct example_gather, otherwise),
      .about = "where to go when they do not" },
};

static const struct conf_schema GATHER_SCHEMA = {
    .name = "gather",
    .about = "Asks many, answers once.",
    .fields = GATHER_FIELDS,
    .count = ARRAY_LEN(GATHER_FIELDS),
    .size = sizeof(struct example_gather),
};

static const struct conf_field PART_FIELDS[] = {
    { .key = "to",
      .type = CONF_UNION,
      .flags = CONF_REQUIRED | CONF_TEXT_FORM,
      .alternatives = "target",
      .reference = "service",
      CONF_AT(struct example_split_part, to),
      .about = "where this part goes" },
    { .key = "weight",
      .type = CONF_INTEGER,
      CONF_AT(struct example_split_part, weight),
      .default_text = "1",
      .min = "-1",
      .about = "its share" },
};

static const struct conf_schema PART_SCHEMA = {
    .name = "part",
    .about = "A share of the requests.",
    .fields = PART_FIELDS,
    .count = ARRAY_LEN(PART_FIELDS),
    .size = sizeof(struct example_split_part),
};

static const struct conf_field PART = { .type = CONF_STRUCT, .schema = &PART_SCHEMA };

static const struct conf_field SPLIT_FIELDS[] = {
    { .key = "parts",
      .type = CONF_LIST,
      .flags = CONF_REQUIRED,
      .element = &PART,
      CONF_AT(struct example_split, parts),
      .min = "1",
      .max = "3",
      .about = "the parts" },
};

static const struct conf_schema SPLIT_SCHEMA = {
    .name = "split",
    .about = "Deals requests out.",
    .fields = SPLIT_FIELDS,
    .count = ARRAY_LEN(SPLIT_FIELDS),
    .size = sizeof(struct example_split),
};

static const struct conf_alternative STAGE_ALTERNATIVES[] = {
    { "limit", &LIMIT_SCHEMA, "a limit" },
    { "cache", &CACHE_SCHEMA, NULL },
    { "timeout", &TIMEOUT_SCHEMA, NULL },
    { "none", &NONE_SCHEMA, NULL },
};

static const struct conf_alternative TARGET_ALTERNATIVES[] = {
    { "gather", &GATHER_SCHEMA, NULL },
    { "split", &SPLIT_SCHEMA, NULL },
};

const struct conf_set EXAMPLE_SETS[EXAMPLE_SET_COUNT] = {
    { "stage", STAGE_ALTERNATIVES, ARRAY_LEN(STAGE_ALTERNATIVES) },
    { "target", TARGET_ALTERNATIVES, ARRAY_LEN(TARGET_ALTERNATIVES) },
};
