/* The tables of weft.yaml: the document, and what is too small for a file of its own. */
#include "control/tables.h"

#include "base/map.h"
#include "io/address.h"

/* --- gateway, control ----------------------------------------------------------------------------------------- */

/* localhost is 127.0.0.1 here: nothing is looked up. */
static int parse_listen(struct bytes text, struct address *ret)
{
    char memory[ADDRESS_TEXT_MAX];
    struct text local = text_into(memory, sizeof(memory));
    struct address address;

    if (bytes_starts(text, BYTES("localhost:"))) {
        text_add(&local, BYTES("127.0.0.1"));
        text_add(&local, bytes_skip(text, sizeof("localhost") - 1));
        text = text_bytes(&local);
    }
    if (address_parse(text, &address) < 0 || address.family == ADDRESS_UNIX || address.port == 0)
        return -EINVAL;
    *ret = address;
    return 0;
}

/* http://ADDRESS:PORT, or unix:/PATH. */
static int parse_gateway(struct bytes text, struct address *ret)
{
    struct address address;

    if (bytes_starts(text, BYTES("http://")))
        return parse_listen(bytes_skip(text, 7), ret);
    if (!bytes_starts(text, BYTES("unix:/")) || address_parse(text, &address) < 0)
        return -EINVAL;
    *ret = address;
    return 0;
}

static int check_gateway_listen(struct bytes text, struct fault *fault)
{
    struct address address;

    if (bytes_starts(text, BYTES("https://"))) {
        fault_set(fault, "https is not supported");
        fault_hint(fault, "put http://, and what speaks TLS before it");
        return -EINVAL;
    }
    if (parse_gateway(text, &address) == 0)
        return 0;
    fault_set(fault, "must be http://ADDRESS:PORT with an IP address, or unix:/PATH");
    fault_hint(fault, "http://0.0.0.0:8080 is reached from everywhere, http://127.0.0.1:8080 from this machine");
    return -EINVAL;
}

static int check_control_listen(struct bytes text, struct fault *fault)
{
    struct address address;

    if (bytes_equal(text, BYTES("off")) || parse_listen(text, &address) == 0)
        return 0;
    fault_set(fault, "must be ADDRESS:PORT with an IP address, or off");
    fault_hint(fault, "such as 127.0.0.1:7070");
    return -EINVAL;
}

static int check_gateway(struct conf_check *check, void *value)
{
    struct control_gateway *gateway = value;

    gateway->scheme = BYTES("http");
    return parse_gateway(gateway->listen, &gateway->address);
}

static int check_control(struct conf_check *check, void *value)
{
    struct control_api_settings *control = value;

    if (bytes_equal(control->listen, BYTES("off"))) {
        control->address = (struct address){ .family = ADDRESS_NONE };
        return 0;
    }
    return parse_listen(control->listen, &control->address);
}

static const struct conf_field GATEWAY_FIELDS[] = {
    { .key = "listen",
      .about = "where clients connect: http://ADDRESS:PORT, or unix:/PATH of a socket to be made",
      .type = CONF_ADDRESS,
      .flags = CONF_REQUIRED,
      CONF_AT(struct control_gateway, listen),
      .check_text = check_gateway_listen,
      .example = "http://0.0.0.0:8080" },
    { .key = "name",
      .about = "its name in logs; unless given: gateway, gateway-1, ... by its place in the list",
      .type = CONF_STRING,
      CONF_AT(struct control_gateway, name),
      .check_text = control_check_name,
      .pattern = CONTROL_NAME_PATTERN },
};

static const struct conf_schema GATEWAY_SCHEMA = {
    .name = "gateway",
    .about = "A place where clients connect. Routes that name no gateway are on all of them.",
    .fields = GATEWAY_FIELDS,
    .count = ARRAY_LEN(GATEWAY_FIELDS),
    .size = sizeof(struct control_gateway),
    .place = CONF_GIVEN(struct control_gateway, place),
    .shorthand = "listen",
    .check = check_gateway,
};

static const struct conf_field CONTROL_FIELDS[] = {
    { .key = "listen",
      .about = "ADDRESS:PORT, or off; unless it is written, the next free port up to 7089 is taken where 7070 is not",
      .type = CONF_STRING,
      CONF_AT(struct control_api_settings, listen),
      .given = CONF_GIVEN(struct control_api_settings, written),
      .default_text = "127.0.0.1:7070",
      .check_text = check_control_listen },
};

static const struct conf_schema CONTROL_API_SCHEMA = {
    .name = "control",
    .about = "Where the system can be looked at: /metrics, /readyz, /v1/... for reading. Changes go through the unix "
             "socket of the system's owner.",
    .fields = CONTROL_FIELDS,
    .count = ARRAY_LEN(CONTROL_FIELDS),
    .size = sizeof(struct control_api_settings),
    .shorthand = "listen",
    .check = check_control,
};

/* --- log, clients ----------------------------------------------------------------------------------------------- */

static const struct conf_field LOG_FIELDS[] = {
    { .key = "access",
      .about = "one line of JSON on standard output for each request",
      .type = CONF_BOOL,
      CONF_AT(struct control_log, access),
      .default_text = "true" },
    { .key = "traffic",
      .about = "the exchanges that ended last are remembered, with paths and queries, for weft trace and the dashboard",
      .type = CONF_BOOL,
      CONF_AT(struct control_log, traffic),
      .default_text = "true" },
    { .key = "files",
      .about = "what a service writes is kept in so many files of .weft/logs; the oldest one goes",
      .type = CONF_INTEGER,
      CONF_AT(struct control_log, files),
      .default_text = "4",
      .min = "1",
      .max = TEXT_OF(RECORD_FILES_MAX) },
    { .key = "size",
      .about = "of one of these files",
      .type = CONF_SIZE,
      CONF_AT(struct control_log, size),
      .default_text = "10MiB",
      .min = "64KiB",
      .max = "1GiB" },
};

static const struct conf_schema LOG_SCHEMA = {
    .name = "log",
    .about = "What is written about requests, and how much of what services write is kept.",
    .fields = LOG_FIELDS,
    .count = ARRAY_LEN(LOG_FIELDS),
    .size = sizeof(struct control_log),
};

static const struct conf_field CLIENTS_FIELDS[] = {
    { .key = "head",
      .about = "from the first byte of a request's head to its end",
      .type = CONF_DURATION,
      CONF_AT(struct control_clients, head_ns),
      .default_text = "15s",
      .min = "1ms",
      .max = "1h" },
    { .key = "idle",
      .about = "how long a connection is kept without a request",
      .type = CONF_DURATION,
      CONF_AT(struct control_clients, idle_ns),
      .default_text = "75s",
      .min = "1ms",
      .max = "1d" },
    { .key = "body",
      .about = "between two reads or writes of a body",
      .type = CONF_DURATION,
      CONF_AT(struct control_clients, body_ns),
      .default_text = "60s",
      .min = "1ms",
      .max = "1d" },
    { .key = "connections",
      .about = "of one worker; more are closed at once",
      .type = CONF_INTEGER,
      CONF_AT(struct control_clients, connections),
      .default_text = "200000",
      .min = "1",
      .max = "200000" },
    { .key = "fibers",
      .about = "tasks of one worker: a request under way takes one, a long body on its way to a service another; "
               "requests that find none free wait",
      .type = CONF_INTEGER,
      CONF_AT(struct control_clients, fibers),
      .default_text = "16000",
      .min = "16",
      .max = "16000" },
};

static const struct conf_schema CLIENTS_SCHEMA = {
    .name = "clients",
    .about = "Limits for clients' connections, on all gateways.",
    .fields = CLIENTS_FIELDS,
    .count = ARRAY_LEN(CLIENTS_FIELDS),
    .size = sizeof(struct control_clients),
};

/* --- the document ----------------------------------------------------------------------------------------------- */

static int make_services(struct control_config *config, struct map *names)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->services.count; i++) {
        struct control_service *service = config->services.entries[i].value;

        service->name = config->services.entries[i].name;
        for (size_t k = 0; k < config->policies.count; k++)
            if (service->policy.len > 0 && bytes_equal(config->policies.entries[k].name, service->policy))
                service->settings = config->policies.entries[k].value;
        r = map_put(names, service->name, service);
    }
    return r;
}

/* References are resolved when everything has been read: one to nowhere gets its fault there. */
static int check_document(struct conf_check *check, void *value)
{
    struct control_config *config = value;
    struct control_route *routes = config->routes.items;
    struct map names;
    int r;

    map_init(&names, (struct hash_key){ 0, 0 }, SERVICES_MAX);
    r = make_services(config, &names);
    if (r == 0)
        control_check_needs(check, config, &names);
    if (r == 0)
        r = check_control(check, &config->control); /* it may not be written at all */
    for (size_t i = 0; r == 0 && i < config->routes.count; i++)
        routes[i].service = routes[i].to.text.len > 0 ? map_get(&names, routes[i].to.text) : NULL;
    map_done(&names);
    if (r == 0)
        r = control_name_gateways(check, config);
    if (r == 0)
        control_check_gateways(check, config);
    if (r == 0)
        r = control_check_twins(check, config);
    if (r == 0)
        r = control_place_steps(check, config);
    return r == 0 ? control_name_routes(check, config) : r;
}

static const struct conf_field GATEWAY = { .type = CONF_STRUCT, .schema = &GATEWAY_SCHEMA };
static const struct conf_field POLICY = { .type = CONF_UNIONS, .alternatives = "setting" };
static const struct conf_field SERVICE = { .type = CONF_STRUCT, .schema = &CONTROL_SERVICE_SCHEMA };
static const struct conf_field ROUTE = { .type = CONF_STRUCT, .schema = &CONTROL_ROUTE_SCHEMA };
static const struct conf_field FILE_NAME = { .type = CONF_STRING };

static const struct conf_field FIELDS[] = {
    { .key = "system",
      .about = "its name",
      .type = CONF_STRING,
      CONF_AT(struct control_config, system),
      .default_text = "system",
      .check_text = control_check_name,
      .pattern = CONTROL_NAME_PATTERN },
    { .key = "workers",
      .about = "threads that carry requests; 0: one for each processor. A change needs a restart",
      .type = CONF_INTEGER,
      CONF_AT(struct control_config, workers),
      .default_text = "0",
      .min = "0",
      .max = "255" },
    { .key = "gateway",
      .about = "where clients connect",
      .type = CONF_LIST,
      CONF_AT(struct control_config, gateways),
      .element = &GATEWAY,
      .max = TEXT_OF(CONTROL_GATEWAYS_MAX),
      .example = "[listen: http://0.0.0.0:8080]" },
    { .key = "clients",
      .about = "limits for clients' connections",
      .type = CONF_STRUCT,
      CONF_AT(struct control_config, clients),
      .schema = &CLIENTS_SCHEMA },
    { .key = "policies",
      .about = "named lists of stages, for services and routes. Those of the usual chain (timeout, retry, per-try) "
               "have their "
               "places in it, whatever the order they are written in; the others stand before it, as they are written",
      .type = CONF_MAP,
      CONF_AT(struct control_config, policies),
      .element = &POLICY,
      .declares = "policy",
      .example = "{ call: { limit-body: 1MiB, timeout: 2s, per-try: 500ms } }" },
    { .key = "services",
      .about = "what runs, or is used",
      .type = CONF_MAP,
      CONF_AT(struct control_config, services),
      .element = &SERVICE,
      .declares = "service",
      .max = TEXT_OF(SERVICES_MAX),
      .example = "{ orders: { run: ./orders } }" },
    { .key = "routes",
      .about = "which request goes where; the most specific match wins, then the first one",
      .type = CONF_LIST,
      CONF_AT(struct control_config, routes),
      .element = &ROUTE },
    { .key = "control",
      .about = "where the system can be looked at",
      .type = CONF_STRUCT,
      CONF_AT(struct control_config, control),
      .schema = &CONTROL_API_SCHEMA },
    { .key = "log",
      .about = "what is written about requests",
      .type = CONF_STRUCT,
      CONF_AT(struct control_config, log),
      .schema = &LOG_SCHEMA },
    { .key = "include",
      .about = "further files, which are read as if they stood here",
      .type = CONF_LIST,
      .flags = CONF_SINGLE | CONF_INCLUDE,
      CONF_AT(struct control_config, include),
      .element = &FILE_NAME,
      .example = "services/orders.yaml" },
};

const struct conf_schema CONTROL_SCHEMA = {
    .name = "system",
    .about = "A system: services, and the gateways and routes that lead to them.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct control_config),
    .check = check_document,
};
