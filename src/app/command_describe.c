/* weft describe: all that is known about a service or a route, from several answers of the control API. */
#include "app/fetch.h"
#include "app/golden.h"
#include "app/grid.h"
#include "app/stages_text.h"
#include "base/units.h"

#define PATH_TEXT_MAX 1024

/* What is asked for; each member NULL until it has come. */
struct described {
    struct app *app;
    const struct invocation *invocation;
    struct bytes name;
    json_t *services, *routes, *endpoints, *topology, *status, *way;
};

static int get(struct described *d, const char *path, json_t **ret, int *ret_exit)
{
    return fetch_json(d->app, d->invocation, path, ret, ret_exit);
}

static void release(struct described *d)
{
    json_decref(d->services);
    json_decref(d->routes);
    json_decref(d->endpoints);
    json_decref(d->topology);
    json_decref(d->status);
    json_decref(d->way);
}

static void label(struct page *page, const char *name)
{
    page_styled(page, STYLE_BOLD, bytes_of_text(name));
    page_spaces(page, 11 - strlen(name));
}

static void title(struct page *page, const char *name)
{
    page_text(page, "\n");
    page_styled(page, STYLE_BOLD, bytes_of_text(name));
    page_text(page, "\n");
}

static void put_words(struct page *page, const json_t *words)
{
    for (size_t i = 0; i < json_array_size(words); i++) {
        page_text(page, i ? ", " : "");
        page_plain(page, bytes_of_text(json_string_value(json_array_get(words, i))));
    }
    page_text(page, "\n");
}

/* --- a service: what it is ---------------------------------------------------------------------------------------- */

static void tell_limits(struct page *page, const json_t *limits)
{
    char memory[128];
    struct text text = text_into(memory, sizeof(memory));
    const char *between = "";

    if (fetch_count(limits, "memory") > 0) {
        text_add(&text, BYTES("memory "));
        size_write(&text, fetch_count(limits, "memory"));
        between = ", ";
    }
    if (fetch_number(limits, "cpu") > 0) {
        text_add_format(&text, "%scpu %g", between, fetch_number(limits, "cpu"));
        between = ", ";
    }
    if (fetch_count(limits, "files") > 0)
        text_add_format(&text, "%sfiles %llu", between, (unsigned long long)fetch_count(limits, "files"));
    label(page, "limits");
    page_plain(page, text_bytes(&text));
    page_text(page, "\n");
}

static void tell_scale(struct page *page, const json_t *service)
{
    label(page, "scale");
    page_format(page, "%llu", (unsigned long long)fetch_count(service, "scale"));
    if (json_object_get(service, "scale_file"))
        page_format(page, " by weft scale; the file says %llu", (unsigned long long)fetch_count(service, "scale_file"));
    page_format(page, ", %llu restarts\n", (unsigned long long)fetch_count(service, "restarts"));
}

static void tell_service(struct page *page, const json_t *service)
{
    struct bytes warning = fetch_text(service, "warning"), policy = fetch_text(service, "policy");
    uint64_t ready = fetch_count(service, "ready"), endpoints = fetch_count(service, "endpoints");
    bool run = json_object_get(service, "run") != NULL;

    label(page, "service");
    page_styled(page, STYLE_NAME, fetch_text(service, "name"));
    page_text(page, "\n");
    label(page, run ? "run" : "url");
    if (run) {
        page_plain(page, fetch_text(service, "run"));
        page_text(page, "\n");
    } else {
        put_words(page, json_object_get(service, "url"));
    }
    label(page, "ready");
    page_format(page, "%s%llu of %llu%s\n",
                style_begin(page->colours, ready < endpoints || !ready ? STYLE_BAD : STYLE_GOOD),
                (unsigned long long)ready, (unsigned long long)endpoints, style_end(page->colours));
    if (run)
        tell_scale(page, service);
    label(page, "balance");
    page_plain(page, fetch_text(service, "balance"));
    page_text(page, "\n");
    label(page, "policy");
    page_plain(page, policy.len ? policy : BYTES("none: the usual"));
    page_text(page, "\n");
    if (json_array_size(json_object_get(service, "needs")) > 0) {
        label(page, "needs");
        put_words(page, json_object_get(service, "needs"));
    }
    if (json_object_get(service, "limits"))
        tell_limits(page, json_object_get(service, "limits"));
    if (warning.len > 0) {
        label(page, "warning");
        page_styled(page, STYLE_WARNING, warning);
        page_text(page, "\n");
    }
}

/* --- instances ---------------------------------------------------------------------------------------------------- */

static const struct grid_column INSTANCE_COLUMNS[] = {
    { "INSTANCE", .flexible = true },
    { "STATE" },
    { "LIVE", .optional = true },
    { "PROCESS", .optional = true },
    { "PID", .right = true, .optional = true },
    { "RESTARTS", .right = true },
    { "ACTIVE", .right = true },
    { "CHECKS", .right = true, .optional = true },
    { "FAILED", .right = true, .optional = true },
    { "ERROR", .flexible = true, .optional = true },
    { "WAITS FOR", .flexible = true, .optional = true },
    { "LAST EXIT", .flexible = true, .optional = true },
    { "ADDRESS", .flexible = true, .optional = true },
};

static void add_count(struct grid *grid, const json_t *object, const char *key)
{
    if (json_object_get(object, key))
        grid_format(grid, STYLE_PLAIN, "%llu", (unsigned long long)fetch_count(object, key));
    else
        grid_add(grid, STYLE_PLAIN, BYTES_NONE);
}

static void add_instance(struct grid *grid, const json_t *endpoint)
{
    struct bytes state = fetch_flag(endpoint, "ejected") ? BYTES("ejected") : fetch_text(endpoint, "state");

    grid_add(grid, STYLE_PLAIN, fetch_text(endpoint, "name"));
    grid_add(grid, state_style(state), state);
    grid_add(grid, state_style(fetch_text(endpoint, "live")), fetch_text(endpoint, "live"));
    grid_add(grid, STYLE_PLAIN, fetch_text(endpoint, "process"));
    add_count(grid, endpoint, "pid");
    add_count(grid, endpoint, "restarts");
    add_count(grid, endpoint, "active");
    add_count(grid, endpoint, "checks");
    add_count(grid, endpoint, "checks_failed");
    grid_add(grid, STYLE_WARNING, fetch_text(endpoint, "last_error"));
    grid_add(grid, STYLE_WARNING, fetch_text(endpoint, "waits_for"));
    grid_add(grid, STYLE_PLAIN, fetch_text(endpoint, "last_exit"));
    grid_add(grid, STYLE_DIM, fetch_text(endpoint, "address"));
}

static void tell_instances(struct page *page, const struct described *d)
{
    const json_t *endpoints = json_object_get(d->endpoints, "endpoints");
    struct grid grid;

    title(page, "instances");
    grid_init(&grid, INSTANCE_COLUMNS, ARRAY_LEN(INSTANCE_COLUMNS));
    for (size_t i = 0; i < json_array_size(endpoints); i++)
        if (bytes_equal(fetch_text(json_array_get(endpoints, i), "service"), d->name))
            add_instance(&grid, json_array_get(endpoints, i));
    grid_write(&grid, page, 2, grid_rows(&grid));
}

/* --- who leads and calls there ------------------------------------------------------------------------------------ */

static void tell_routes(struct page *page, const struct described *d)
{
    const json_t *routes = json_object_get(d->routes, "routes");
    bool any = false;

    title(page, "routes that lead to it");
    for (size_t i = 0; i < json_array_size(routes); i++) {
        const json_t *route = json_array_get(routes, i);

        if (!bytes_equal(fetch_text(route, "to"), d->name) ||
            !bytes_equal(fetch_text(route, "to_kind"), BYTES("service")))
            continue;
        any = true;
        page_text(page, "  ");
        page_plain(page, fetch_text(route, "name"));
        page_text(page, "\n");
    }
    if (!any)
        page_text(page, "  none: only other services call it, by the mesh\n");
}

static const struct grid_column CALLER_COLUMNS[] = {
    { "CALLER", .flexible = true }, { "REQUESTS", .right = true }, { "REQ/S", .right = true },
    { "ERRORS", .right = true },    { "RETRIES", .right = true },  { "P50 MS", .right = true },
    { "P99 MS", .right = true },
};

static void add_ms(struct grid *grid, double ms)
{
    if (ms < 0)
        grid_add(grid, STYLE_PLAIN, BYTES_NONE);
    else
        grid_format(grid, STYLE_PLAIN, "%.1f", ms);
}

static void add_caller(struct grid *grid, const json_t *edge, double uptime_s)
{
    struct golden golden = { 0 };
    double errors;

    golden_add(&golden, edge, NULL);
    errors = golden_error_percent(&golden);
    grid_format(grid, STYLE_PLAIN, BYTES_FMT " " BYTES_FMT, BYTES_ARG(fetch_text(edge, "from_kind")),
                BYTES_ARG(fetch_text(edge, "from")));
    grid_format(grid, STYLE_PLAIN, "%llu", (unsigned long long)golden.requests);
    grid_format(grid, STYLE_PLAIN, "%.2f", uptime_s > 0 ? (double)golden.requests / uptime_s : 0);
    grid_format(grid, errors > 0 ? STYLE_BAD : STYLE_PLAIN, "%llu (%.1f%%)", (unsigned long long)golden.errors, errors);
    grid_format(grid, STYLE_PLAIN, "%llu", (unsigned long long)golden.retries);
    add_ms(grid, golden_quantile_ms(&golden, 0.5));
    add_ms(grid, golden_quantile_ms(&golden, 0.99));
}

static void tell_callers(struct page *page, const struct described *d)
{
    const json_t *edges = json_object_get(d->topology, "edges");
    double uptime_s = fetch_number(d->status, "uptime_seconds");
    struct grid grid;

    title(page, "who has called it, since the start");
    grid_init(&grid, CALLER_COLUMNS, ARRAY_LEN(CALLER_COLUMNS));
    for (size_t i = 0; i < json_array_size(edges); i++)
        if (bytes_equal(fetch_text(json_array_get(edges, i), "to"), d->name))
            add_caller(&grid, json_array_get(edges, i), uptime_s);
    grid_write(&grid, page, 2, grid_rows(&grid));
}

/* --- the commands --------------------------------------------------------------------------------------------------
 */

static int no_such(struct described *d, const json_t *list)
{
    const char *kind = d->invocation->words[0], *name = d->invocation->words[1];
    char memory[512];
    struct text hint = text_into(memory, sizeof(memory));

    fetch_suggest(list, "name", name, &hint);
    app_error(d->app, "describe: there is no %s %s (" BYTES_FMT ")", kind, name, BYTES_ARG(text_bytes(&hint)));
    return EXIT_FAILED;
}

static int print(struct described *d, struct page *page)
{
    int r = page_print(page);

    page_done(page);
    if (r == 0)
        return EXIT_DONE;
    app_error(d->app, "describe: the answer can't be printed: %s", app_reason(r));
    return EXIT_FAILED;
}

static int get_service(struct described *d, json_t **ret_service, int *ret_exit)
{
    char path[PATH_TEXT_MAX], url[CONF_NAME_MAX + 16];
    struct text text = text_into(path, sizeof(path) - 1), place = text_into(url, sizeof(url) - 1);

    if (get(d, "/v1/services", &d->services, ret_exit) < 0)
        return -EPROTO;
    *ret_service = fetch_named(json_object_get(d->services, "services"), "name", d->name);
    if (!*ret_service) {
        *ret_exit = no_such(d, json_object_get(d->services, "services"));
        return -ENOENT;
    }
    text_add_format(&place, "http://" BYTES_FMT "/", BYTES_ARG(d->name));
    url[place.len] = '\0';
    text_add(&text, BYTES("/v1/explain"));
    fetch_parameter(&text, "url", url);
    path[text.len] = '\0';
    if (get(d, path, &d->way, ret_exit) < 0 || get(d, "/v1/endpoints", &d->endpoints, ret_exit) < 0 ||
        get(d, "/v1/routes", &d->routes, ret_exit) < 0 || get(d, "/v1/topology", &d->topology, ret_exit) < 0 ||
        get(d, "/v1/status", &d->status, ret_exit) < 0)
        return -EPROTO;
    return 0;
}

/* All that was found, in one object: members as the control API has them. */
static int print_json(struct described *d, json_t *first, const char *key)
{
    json_t *object = json_object(), *endpoints = json_array(), *edges = json_array();
    const json_t *from = json_object_get(d->endpoints, "endpoints"), *calls = json_object_get(d->topology, "edges");
    int exit_code;

    for (size_t i = 0; i < json_array_size(from); i++)
        if (bytes_equal(fetch_text(json_array_get(from, i), "service"), d->name))
            (void)json_array_append(endpoints, json_array_get(from, i));
    for (size_t i = 0; i < json_array_size(calls); i++)
        if (bytes_equal(fetch_text(json_array_get(calls, i), "to"), d->name))
            (void)json_array_append(edges, json_array_get(calls, i));
    (void)json_object_set(object, key, first);
    (void)json_object_set(object, "stages", json_object_get(d->way, "stages"));
    (void)json_object_set_new(object, "endpoints", endpoints);
    (void)json_object_set_new(object, "edges", edges);
    exit_code = fetch_print_object(d->app, d->invocation, object);
    json_decref(object);
    return exit_code;
}

static int describe_service(struct described *d)
{
    json_t *service;
    struct page page;
    int exit_code;

    if (get_service(d, &service, &exit_code) < 0)
        return exit_code;
    if (invocation_format(d->invocation) == OUTPUT_JSON)
        return print_json(d, service, "service");
    page_open(d->app, &page);
    tell_service(&page, service);
    title(&page, "stages of every way to it, from the outside in");
    stages_text(&page, json_object_get(d->way, "stages"), 2);
    tell_instances(&page, d);
    tell_routes(&page, d);
    tell_callers(&page, d);
    return print(d, &page);
}

static void tell_match(struct page *page, const json_t *route)
{
    static const struct {
        const char *key, *label;
    } LISTS[] = { { "gateways", "gateways" }, { "hosts", "hosts" }, { "methods", "methods" } };
    struct bytes path = fetch_text(route, "path");

    for (size_t i = 0; i < ARRAY_LEN(LISTS); i++) {
        const json_t *list = json_object_get(route, LISTS[i].key);

        label(page, LISTS[i].label);
        if (json_array_size(list) > 0)
            put_words(page, list);
        else
            page_text(page, "all\n");
    }
    label(page, "path");
    page_plain(page, path.len ? path : BYTES("all"));
    page_text(page, " (");
    page_plain(page, fetch_text(route, "path_kind"));
    page_text(page, fetch_flag(route, "prefix") ? ", and below it)\n" : ")\n");
}

static void tell_values(struct page *page, const json_t *values, const char *name)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *value = json_array_get(values, i);

        label(page, name);
        page_plain(page, fetch_text(value, "name"));
        page_text(page, " ");
        page_plain(page, fetch_text(value, "kind"));
        page_text(page, " ");
        page_plain(page, fetch_text(value, "value"));
        page_text(page, "\n");
    }
}

static int describe_route(struct described *d)
{
    char path[PATH_TEXT_MAX];
    struct text text = text_into(path, sizeof(path) - 1);
    const json_t *route;
    struct page page;
    int exit_code;

    text_add(&text, BYTES("/v1/routes"));
    fetch_parameter(&text, "name", d->invocation->words[1]);
    path[text.len] = '\0';
    if (get(d, path, &d->way, &exit_code) < 0)
        return exit_code;
    route = fetch_named(json_object_get(d->way, "routes"), "name", d->name);
    if (!route && get(d, "/v1/routes", &d->routes, &exit_code) < 0)
        return exit_code;
    if (!route)
        return no_such(d, json_object_get(d->routes, "routes"));
    if (invocation_format(d->invocation) == OUTPUT_JSON)
        return fetch_print_object(d->app, d->invocation, route);
    page_open(d->app, &page);
    label(&page, "route");
    page_styled(&page, STYLE_NAME, d->name);
    page_text(&page, "\n");
    tell_match(&page, route);
    tell_values(&page, json_object_get(route, "headers"), "header");
    tell_values(&page, json_object_get(route, "query"), "query");
    label(&page, "to");
    page_plain(&page, fetch_text(route, "to_kind"));
    page_text(&page, " ");
    page_plain(&page, fetch_text(route, "to"));
    page_text(&page, "\n");
    title(&page, "stages, from the outside in");
    stages_text(&page, json_object_get(route, "way"), 2);
    return print(d, &page);
}

int command_describe(struct app *app, const struct invocation *invocation)
{
    struct described described = { .app = app, .invocation = invocation, .name = bytes_of_text(invocation->words[1]) };
    int exit_code = strcmp(invocation->words[0], "service") == 0 ? describe_service(&described)
                                                                 : describe_route(&described);

    release(&described);
    return exit_code;
}
