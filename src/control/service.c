/* `services:`, one of them. */
#include "control/tables.h"
#include "control/words.h"
#include "io/address.h"

#define HTTP_PORT 80

/* --- addresses --------------------------------------------------------------------------------------------- */

static int refuse_url(struct fault *fault, const char *what, const char *hint)
{
    fault_set(fault, "%s", what);
    fault_hint(fault, "%s", hint);
    return -EINVAL;
}

static bool is_host_name(struct bytes host)
{
    bool fine = host.len > 0 && host.len <= SERVICE_HOST_MAX && host.data[0] != '.' && host.data[0] != '-';

    for (size_t i = 0; i < host.len && fine; i++) {
        char c = ascii_lower(host.data[i]);

        fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    }
    return fine;
}

/* Cuts ":8080" off; without one it is 80. Brackets of IPv6 stay. */
static int take_port(struct bytes *rest, uint16_t *ret_port)
{
    uint64_t port = HTTP_PORT;
    size_t at = rest->len;

    while (at > 0 && rest->data[at - 1] != ':' && rest->data[at - 1] != ']')
        at--;
    if (at > 0 && rest->data[at - 1] == ':') {
        if (bytes_to_u64(bytes_skip(*rest, at), &port) < 0 || port < 1 || port > UINT16_MAX)
            return -EINVAL;
        *rest = bytes_slice(*rest, 0, at - 1);
    }
    *ret_port = (uint16_t)port;
    return 0;
}

static int parse_host(struct bytes host, uint16_t port, struct service_target *ret)
{
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct service_target target = { .port = port };

    text_add_format(&text, BYTES_FMT ":%u", BYTES_ARG(bytes_slice(host, 0, sizeof(memory))), port);
    if (!text.full && address_parse(text_bytes(&text), &target.address) == 0) {
        *ret = target;
        return 0;
    }
    target.address = (struct address){ .family = ADDRESS_NONE };
    if (!is_host_name(host))
        return -EINVAL;
    target.host = host;
    *ret = target;
    return 0;
}

static int parse_url(struct bytes text, struct fault *fault, struct service_target *ret)
{
    static const char such[] = "such as http://10.0.0.5:9000 or http://api.example.com";
    struct bytes rest = bytes_skip(text, 7);
    ssize_t slash;
    uint16_t port;

    if (bytes_starts(text, BYTES("https://")))
        return refuse_url(fault, "https is not supported", "put http:// and a port without TLS");
    if (!bytes_starts(text, BYTES("http://")))
        return refuse_url(fault, "must begin with http://", such);
    slash = bytes_find_char(rest, '/');
    if (slash >= 0 && (size_t)slash + 1 < rest.len)
        return refuse_url(fault, "must have no path", "requests keep theirs; write scheme, host and port only");
    if (slash >= 0)
        rest = bytes_slice(rest, 0, (size_t)slash);
    if (bytes_find_char(rest, '@') >= 0)
        return refuse_url(fault, "must have no user and password", such);
    if (take_port(&rest, &port) < 0)
        return refuse_url(fault, "its port must be between 1 and 65535", such);
    if (parse_host(rest, port, ret) < 0)
        return refuse_url(fault, "must have a host name or an IP address", such);
    return 0;
}

static int check_url(struct bytes text, struct fault *fault)
{
    struct service_target target;

    return parse_url(text, fault, &target);
}

static int check_path(struct bytes text, struct fault *fault)
{
    bool fine = text.len > 0 && text.data[0] == '/';

    for (size_t i = 0; i < text.len && fine; i++)
        fine = text.data[i] > ' ' && text.data[i] < 0x7f && text.data[i] != '#';
    if (fine)
        return 0;
    fault_set(fault, "must be a path, such as /readyz");
    return -EINVAL;
}

static int check_present(struct bytes text, struct fault *fault)
{
    if (text.len > 0)
        return 0;
    fault_set(fault, "must not be empty");
    return -EINVAL;
}

/* --- what comes of it --------------------------------------------------------------------------------------- */

static bool is_ours(struct bytes name)
{
    static const char *const OURS[] = { "PORT",         "LISTEN_FDS", "LISTEN_PID",   "LISTEN_FDNAMES",
                                        "WEFT_SERVICE", "WEFT_URL",   "WEFT_INSTANCE" };

    for (size_t i = 0; i < ARRAY_LEN(OURS); i++)
        if (bytes_equal(name, bytes_of_text(OURS[i])))
            return true;
    return false;
}

static int make_argv(struct conf_check *check, struct control_service *service)
{
    const struct bytes *words = service->run.items;
    const char **argv;
    struct fault fault = { 0 };
    int r;

    if (service->run.single) {
        r = words_split(words[0], conf_check_arena(check), &fault, &service->argv);
        if (r == -EINVAL)
            fault_hint(conf_check_fault(check, "run", "%s", fault.what), "%s", fault.hint);
        return r == -ENOMEM ? r : 0;
    }
    argv = arena_zalloc(conf_check_arena(check), (service->run.count + 1) * sizeof(*argv));
    if (!argv)
        return -ENOMEM;
    for (size_t i = 0; i < service->run.count; i++)
        argv[i] = words[i].data;
    if (service->run.count == 0 || words[0].len == 0)
        conf_check_fault(check, "run", "must name a program");
    service->argv = argv;
    return 0;
}

static int make_environment(struct conf_check *check, struct control_service *service)
{
    struct arena *arena = conf_check_arena(check);
    const char **environment = arena_zalloc(arena, (service->env.count + 1) * sizeof(*environment));

    if (!environment)
        return -ENOMEM;
    for (size_t i = 0; i < service->env.count; i++) {
        const struct conf_map_entry *entry = &service->env.entries[i];
        const struct bytes *value = entry->value;
        struct bytes both;

        if (is_ours(entry->name))
            conf_check_fault(check, "env", BYTES_FMT " is set by Weft itself", BYTES_ARG(entry->name));
        if (arena_format(arena, &both, BYTES_FMT "=" BYTES_FMT, BYTES_ARG(entry->name), BYTES_ARG(*value)) < 0)
            return -ENOMEM;
        environment[i] = both.data;
    }
    service->environment = environment;
    return 0;
}

static int make_targets(struct conf_check *check, struct control_service *service)
{
    const struct bytes *urls = service->url.items;
    struct service_target *targets;

    if (service->url.count == 0) {
        conf_check_fault(check, "url", "must have at least one address");
        return 0;
    }
    targets = arena_zalloc(conf_check_arena(check), service->url.count * sizeof(*targets));
    if (!targets)
        return -ENOMEM;
    for (size_t i = 0; i < service->url.count; i++) {
        struct fault ignored = { 0 }; /* check_url() was content */
        int r = parse_url(urls[i], &ignored, &targets[i]);

        if (r < 0)
            return r;
    }
    service->targets = targets;
    service->target_count = (unsigned)service->url.count;
    return 0;
}

static void refuse_without_run(struct conf_check *check)
{
    static const char *const KEYS[] = { "scale", "live", "needs", "env", "env-file", "limits", "directory", "port" };

    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++)
        if (conf_check_given(check, KEYS[i]))
            fault_hint(conf_check_fault(check, KEYS[i], "is for services that are started by run"),
                       "one with url runs elsewhere");
}

static int check_service(struct conf_check *check, void *value)
{
    struct control_service *service = value;
    bool run = conf_check_given(check, "run"), url = conf_check_given(check, "url");
    int r;

    if (run == url) {
        fault_hint(conf_check_fault(check, NULL, run ? "has both run and url" : "has neither run nor url"),
                   "run starts it, url says where it runs already");
        return 0;
    }
    if (url) {
        refuse_without_run(check);
        return make_targets(check, service);
    }
    r = make_argv(check, service);
    return r == 0 ? make_environment(check, service) : r;
}

/* --- the table ------------------------------------------------------------------------------------------------ */

static const struct conf_field WORD = { .about = "a word of the command", .type = CONF_STRING };
static const struct conf_field URL = { .about = "where it runs", .type = CONF_ADDRESS, .check_text = check_url };
static const struct conf_field NEED = { .about = "a service", .type = CONF_STRING, .reference = "service" };
static const struct conf_field ENV_FILE = { .about = "a file of NAME=value",
                                            .type = CONF_STRING,
                                            .check_text = check_present };
static const struct conf_field VALUE = { .about = "its value", .type = CONF_STRING };

static int check_check(struct conf_check *check, void *value)
{
    const struct control_check *written = value;

    if (written->path.len == 0)
        fault_hint(conf_check_fault(check, NULL, "needs a path"), "such as { path: /readyz, every: 5s }");
    return 0;
}

static const struct conf_field CHECK_FIELDS[] = {
    { .key = "path",
      .about = "a GET of it must be answered with a status from 200 to 399",
      .type = CONF_STRING,
      CONF_AT(struct control_check, path),
      .check_text = check_path,
      .example = "/readyz" },
    { .key = "every",
      .about = "from the end of a check to the next one; unless given: 2s for ready, 10s for live",
      .type = CONF_DURATION,
      CONF_AT(struct control_check, every_ns),
      .min = "10ms",
      .max = "1h" },
    { .key = "timeout",
      .about = "for the answer; without one in time the check has failed",
      .type = CONF_DURATION,
      CONF_AT(struct control_check, timeout_ns),
      .default_text = "1s",
      .min = "1ms",
      .max = "1m" },
    { .key = "failures",
      .about = "so many failed checks in a row count",
      .type = CONF_INTEGER,
      CONF_AT(struct control_check, failures),
      .default_text = "3",
      .min = "1",
      .max = "100" },
};

static const struct conf_schema CHECK_SCHEMA = {
    .name = "check",
    .about =
        "A check of each instance of a service. `ready`: who fails gets no requests, and lives on; until its first "
        "success an instance is checked every 50ms, and after failures two successes in a row are wanted. `live`: "
        "who fails is started anew (SIGTERM, then SIGKILL after 10s); it begins once the instance has been ready, "
        "and should look at the process alone, never at what it needs.",
    .fields = CHECK_FIELDS,
    .count = ARRAY_LEN(CHECK_FIELDS),
    .size = sizeof(struct control_check),
    .shorthand = "path",
    .check = check_check,
};

static const struct conf_field LIMITS_FIELDS[] = {
    { .key = "memory",
      .about = "all that an instance and what it starts may use; who wants more is killed",
      .type = CONF_SIZE,
      CONF_AT(struct control_limits, memory),
      .min = "1MiB",
      .example = "256MiB" },
    { .key = "cpu",
      .about = "of one processor; 250% are two and a half. Who wants more waits",
      .type = CONF_PERCENT,
      CONF_AT(struct control_limits, cpu),
      .min = "1%",
      .max = "100000%",
      .example = "50%" },
    { .key = "files",
      .about = "files and connections that a process may have open at a time",
      .type = CONF_INTEGER,
      CONF_AT(struct control_limits, files),
      .min = "16",
      .max = "1048576",
      .example = "1024" },
};

static const struct conf_schema LIMITS_SCHEMA = {
    .name = "limits",
    .about =
        "What each instance of a service may use. `memory` and `cpu` need a control group of version 2 that belongs "
        "to the system's owner; where there is none, weft up says so and the service runs without them.",
    .fields = LIMITS_FIELDS,
    .count = ARRAY_LEN(LIMITS_FIELDS),
    .size = sizeof(struct control_limits),
};

static const struct conf_field FIELDS[] = {
    { .key = "run",
      .about = "the command that starts an instance: a text that is cut into words, or a list of words",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct control_service, run),
      .element = &WORD,
      .example = "./orders --verbose" },
    { .key = "url",
      .about = "where it runs, if it is not started by Weft: http://HOST[:PORT]; names are looked up again and again",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct control_service, url),
      .element = &URL,
      .max = TEXT_OF(SERVICE_TARGETS_MAX),
      .example = "[http://10.0.0.5:9000, http://10.0.0.6:9000]" },
    { .key = "scale",
      .about = "how many instances run, unless weft scale has said otherwise since this was written",
      .type = CONF_INTEGER,
      CONF_AT(struct control_service, scale),
      .default_text = "1",
      .min = "0",
      .max = "1000" },
    { .key = "ready",
      .about =
          "a path that answers 200 to 399 when an instance can take requests, or how to check that; unless given, "
          "being able to connect counts: with the socket that Weft hands over, that is as soon as its process runs",
      .type = CONF_STRUCT,
      CONF_AT(struct control_service, ready),
      .schema = &CHECK_SCHEMA,
      .example = "/readyz" },
    { .key = "live",
      .about =
          "a path that answers 200 to 399 as long as an instance works at all, or how to check that; unless given, "
          "only its process counts",
      .type = CONF_STRUCT,
      CONF_AT(struct control_service, live),
      .schema = &CHECK_SCHEMA,
      .example = "{ path: /livez, every: 5s }" },
    { .key = "needs",
      .about = "services of which an instance must be ready before instances of this one are started; they are stopped "
               "in the reverse order",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct control_service, needs),
      .element = &NEED,
      .max = TEXT_OF(CONTROL_NEEDS_MAX),
      .example = "[inventory]" },
    { .key = "policy",
      .about = "name of the policy for requests to it; unless given, the defaults of timeout and retry hold",
      .type = CONF_STRING,
      CONF_AT(struct control_service, policy),
      .reference = "policy" },
    { .key = "balance",
      .about = "how an instance is chosen",
      .type = CONF_ENUM,
      CONF_AT(struct control_service, balance),
      .default_text = "round-robin",
      .choices = BALANCE_CHOICES },
    { .key = "env",
      .about = "environment variables; above those of env-file, and those that weft up has itself",
      .type = CONF_MAP,
      CONF_AT(struct control_service, env),
      .element = &VALUE,
      .names = CONF_NAMES_VARIABLE,
      .example = "{ LOG_LEVEL: info }" },
    { .key = "env-file",
      .about = "files of environment variables, a NAME=value a line; the last one counts that sets a variable",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct control_service, env_files),
      .element = &ENV_FILE,
      .max = TEXT_OF(CONTROL_ENV_FILES_MAX),
      .example = ".env.orders" },
    { .key = "limits",
      .about = "what each instance may use",
      .type = CONF_STRUCT,
      CONF_AT(struct control_service, limits),
      .schema = &LIMITS_SCHEMA,
      .example = "{ memory: 256MiB, cpu: 50%, files: 1024 }" },
    { .key = "directory",
      .about = "where it is started; unless given, where the file is",
      .type = CONF_STRING,
      CONF_AT(struct control_service, directory),
      .check_text = check_present,
      .example = "services/orders" },
    { .key = "port",
      .about = "it gets the variable PORT and listens there by itself, instead of being handed a listening socket",
      .type = CONF_BOOL,
      CONF_AT(struct control_service, port),
      .default_text = "false" },
    { .key = "connections",
      .about = "at most so many connections of one worker to one instance; unless given: 1024",
      .type = CONF_INTEGER,
      CONF_AT(struct control_service, connections),
      .min = "1",
      .max = "65536" },
};

const struct conf_schema CONTROL_SERVICE_SCHEMA = {
    .name = "service",
    .about = "A service: one program in one or more instances. It has either `run` or `url`.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct control_service),
    .place = CONF_GIVEN(struct control_service, place),
    .check = check_service,
};
