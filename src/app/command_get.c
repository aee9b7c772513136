/* weft get: what runs, the routes, and what went through, as tables. */
#include "app/fetch.h"
#include "app/grid.h"
#include "app/stages_text.h"
#include "app/table.h"
#include "base/alloc.h"
#include "base/units.h"

#define PATH_TEXT_MAX 2048
#define TRACE_SHOWN 12 /* digits: weft trace takes the start of an id */

/* --- routes ------------------------------------------------------------------------------------------------------ */

static const struct grid_column ROUTE_COLUMNS[] = {
    { "NAME", .flexible = true },
    { "GATEWAY", .flexible = true, .optional = true },
    { "HOST", .flexible = true, .optional = true },
    { "PATH", .flexible = true },
    { "METHOD" },
    { "MORE", .flexible = true, .optional = true },
    { "STAGES", .flexible = true, .optional = true },
    { "TO" },
};

static void join(struct text *text, const json_t *words)
{
    for (size_t i = 0; i < json_array_size(words); i++) {
        text_add(text, text->len ? BYTES(",") : BYTES_NONE);
        text_add(text, bytes_of_text(json_string_value(json_array_get(words, i))));
    }
}

static void add_joined(struct grid *grid, const json_t *words)
{
    char memory[1024];
    struct text text = text_into(memory, sizeof(memory));

    join(&text, words);
    grid_add(grid, STYLE_PLAIN, text_bytes(&text));
}

static void add_path(struct grid *grid, const json_t *route)
{
    struct bytes path = fetch_text(route, "path");
    bool regex = bytes_equal(fetch_text(route, "path_kind"), BYTES("regex"));

    if (path.len == 0)
        grid_add(grid, STYLE_PLAIN, BYTES("*"));
    else
        grid_format(grid, STYLE_PLAIN, "%s" BYTES_FMT "%s", regex ? "~ " : "", BYTES_ARG(path),
                    !fetch_flag(route, "prefix")   ? ""
                    : bytes_ends(path, BYTES("/")) ? "*"
                                                   : "/*");
}

/* "X-A=1", "?page~[0-9]+", "!X-B" */
static void join_values(struct text *text, const json_t *values, const char *sign)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *value = json_array_get(values, i);
        struct bytes kind = fetch_text(value, "kind");
        bool exact = bytes_equal(kind, BYTES("exact")), regex = bytes_equal(kind, BYTES("regex"));

        text_add(text, text->len ? BYTES(" ") : BYTES_NONE);
        text_add(text, bytes_equal(kind, BYTES("absent")) ? BYTES("!") : BYTES_NONE);
        text_add(text, bytes_of_text(sign));
        text_add(text, fetch_text(value, "name"));
        text_add(text, exact ? BYTES("=") : regex ? BYTES("~") : BYTES_NONE);
        text_add(text, exact || regex ? fetch_text(value, "value") : BYTES_NONE);
    }
}

static void add_route(struct grid *grid, const json_t *route)
{
    char memory[1024];
    struct text more = text_into(memory, sizeof(memory));

    grid_add(grid, STYLE_PLAIN, fetch_text(route, "name"));
    add_joined(grid, json_object_get(route, "gateways"));
    add_joined(grid, json_object_get(route, "hosts"));
    add_path(grid, route);
    if (json_array_size(json_object_get(route, "methods")) == 0)
        grid_add(grid, STYLE_PLAIN, BYTES("*"));
    else
        add_joined(grid, json_object_get(route, "methods"));
    join_values(&more, json_object_get(route, "headers"), "");
    join_values(&more, json_object_get(route, "query"), "?");
    grid_add(grid, STYLE_PLAIN, text_bytes(&more));
    add_joined(grid, json_object_get(route, "stages"));
    grid_add(grid, bytes_equal(fetch_text(route, "to_kind"), BYTES("service")) ? STYLE_PLAIN : STYLE_DIM,
             fetch_text(route, "to"));
}

static void tell_routes(struct page *page, const json_t *answer)
{
    const json_t *routes = json_object_get(answer, "routes");
    struct grid grid;

    grid_init(&grid, ROUTE_COLUMNS, ARRAY_LEN(ROUTE_COLUMNS));
    for (size_t i = 0; i < json_array_size(routes); i++)
        add_route(&grid, json_array_get(routes, i));
    grid_write(&grid, page, 0, grid_rows(&grid));
}

/* --- traffic ----------------------------------------------------------------------------------------------------- */

static const struct grid_column TRAFFIC_COLUMNS[] = {
    { "TIME" },
    { "METHOD" },
    { "PATH", .flexible = true },
    { "ROUTE", .flexible = true, .optional = true },
    { "SERVICE", .optional = true },
    { "ENDPOINT", .flexible = true, .optional = true },
    { "STATUS", .right = true },
    { "MARK" },
    { "MS", .right = true },
    { "TRACE" },
};

static void add_exchange(struct grid *grid, const json_t *exchange)
{
    struct bytes time = fetch_text(exchange, "time"), mark = fetch_text(exchange, "mark");
    uint64_t status = fetch_count(exchange, "status");
    enum style style = status >= 500 || status == 0 ? STYLE_BAD : status >= 400 ? STYLE_WARNING : STYLE_GOOD;

    grid_add(grid, STYLE_DIM, bytes_slice(time, 11, 23));
    grid_add(grid, STYLE_PLAIN, fetch_text(exchange, "method"));
    grid_add(grid, STYLE_PLAIN, fetch_text(exchange, "path"));
    grid_add(grid, STYLE_PLAIN, fetch_text(exchange, "route"));
    grid_add(grid, STYLE_PLAIN, fetch_text(exchange, "service"));
    grid_add(grid, STYLE_PLAIN, fetch_text(exchange, "endpoint"));
    grid_format(grid, style, "%llu", (unsigned long long)status);
    grid_add(grid, bytes_equal(mark, BYTES("-")) ? STYLE_PLAIN : STYLE_BAD, mark);
    grid_format(grid, STYLE_PLAIN, "%.1f", fetch_number(exchange, "duration_ms"));
    grid_add(grid, STYLE_DIM, bytes_slice(fetch_text(exchange, "trace_id"), 0, TRACE_SHOWN));
}

static void tell_traffic(struct page *page, const json_t *answer)
{
    const json_t *exchanges = json_object_get(answer, "exchanges");
    struct grid grid;

    if (!fetch_flag(answer, "recording"))
        page_text(page, "exchanges are not recorded: log.traffic is false\n");
    grid_init(&grid, TRAFFIC_COLUMNS, ARRAY_LEN(TRAFFIC_COLUMNS));
    for (size_t i = 0; i < json_array_size(exchanges); i++)
        add_exchange(&grid, json_array_get(exchanges, i));
    grid_write(&grid, page, 0, grid_rows(&grid));
}

/* --- filters ------------------------------------------------------------------------------------------------------ */

static int check_slower(const char *value)
{
    int64_t ns;

    return duration_parse(bytes_of_text(value), &ns) < 0 || ns > 3600 * NS_PER_S ? -EINVAL : 0;
}

static int check_limit(const char *value)
{
    uint64_t number;

    return bytes_to_u64(bytes_of_text(value), &number) < 0 || number < 1 || number > CONTROL_TRAFFIC_MAX ? -EINVAL : 0;
}

const struct option_info OPTION_SERVICE = { .name = "service",
                                            .value_name = "NAME",
                                            .about = "traffic: of this service alone" };
const struct option_info OPTION_ROUTE = { .name = "route",
                                          .value_name = "NAME",
                                          .about = "traffic: of this route alone" };
const struct option_info OPTION_ERRORS = { .name = "errors", .about = "traffic: what failed alone" };
const struct option_info OPTION_SLOWER = { .name = "slower",
                                           .value_name = "DURATION",
                                           .about = "traffic: what took at least so long, as 100ms",
                                           .check = check_slower };
const struct option_info OPTION_LIMIT = { .name = "limit",
                                          .value_name = "N",
                                          .about = "traffic: the newest N, 1000 at most; unless given: 100",
                                          .check = check_limit };

static const struct option_info *const FILTERS[] = { &OPTION_SERVICE, &OPTION_ROUTE, &OPTION_ERRORS, &OPTION_SLOWER,
                                                     &OPTION_LIMIT };

/* 0, or -EINVAL: told. */
static int traffic_path(struct app *app, const struct invocation *invocation, struct text *path)
{
    const char *slower = invocation_value(invocation, &OPTION_SLOWER);
    const char *service = invocation_value(invocation, &OPTION_SERVICE);
    const char *route = invocation_value(invocation, &OPTION_ROUTE);
    const char *limit = invocation_value(invocation, &OPTION_LIMIT);
    char ms[40];
    struct text text = text_into(ms, sizeof(ms) - 1);
    int64_t ns = 0;

    if (slower && duration_parse(bytes_of_text(slower), &ns) == 0) {
        text_add_format(&text, "%lld.%06lld", (long long)(ns / NS_PER_MS), (long long)(ns % NS_PER_MS));
        ms[text.len] = '\0';
        fetch_parameter(path, "slower_ms", ms);
    }
    if (service)
        fetch_parameter(path, "service", service);
    if (route)
        fetch_parameter(path, "route", route);
    if (invocation_given(invocation, &OPTION_ERRORS))
        fetch_parameter(path, "errors", "true");
    if (limit)
        fetch_parameter(path, "limit", limit);
    if (!path->full)
        return 0;
    app_error(app, "get: the names of service and route are too long");
    return -EINVAL;
}

static int refuse_filters(struct app *app, const struct invocation *invocation)
{
    for (size_t i = 0; i < ARRAY_LEN(FILTERS); i++) {
        if (!invocation_given(invocation, FILTERS[i]))
            continue;
        app_error(app, "get: --%s goes with get traffic, not with get %s", FILTERS[i]->name, invocation->words[0]);
        return -EINVAL;
    }
    return 0;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

struct view {
    const char *name, *path;
    const struct table_info *table; /* or else */
    void (*tell)(struct page *page, const json_t *answer);
};

static const struct view VIEWS[] = {
    { "services", "/v1/services", &TABLE_SERVICES, NULL },
    { "endpoints", "/v1/endpoints", &TABLE_ENDPOINTS, NULL },
    { "routes", "/v1/routes", NULL, tell_routes },
    { "traffic", "/v1/traffic", NULL, tell_traffic },
};

static int show(struct app *app, const struct view *view, const json_t *answer)
{
    struct page page;
    int r;

    page_open(app, &page);
    if (view->table) {
        r = table_write(&page, view->table, answer);
    } else {
        view->tell(&page, answer);
        r = 0;
    }
    r = r < 0 ? r : page_print(&page);
    page_done(&page);
    if (r == 0)
        return EXIT_DONE;
    if (r == -EPROTO)
        app_error(app, "get: the system's answer was not understood (is it of another version?)");
    else
        app_error(app, "get: the answer can't be printed: %s", app_reason(r));
    return EXIT_FAILED;
}

int command_get(struct app *app, const struct invocation *invocation)
{
    const struct view *view = VIEWS;
    char path[PATH_TEXT_MAX];
    struct text text = text_into(path, sizeof(path) - 1);
    json_t *answer;
    int exit_code;

    while (strcmp(view->name, invocation->words[0]) != 0) /* the table of commands has the same names */
        view++;
    text_add(&text, bytes_of_text(view->path));
    if ((view->tell == tell_traffic ? traffic_path(app, invocation, &text) : refuse_filters(app, invocation)) < 0)
        return EXIT_USAGE;
    path[text.len] = '\0';
    if (invocation_format(invocation) == OUTPUT_JSON)
        return fetch_print(app, invocation, path);
    if (fetch_json(app, invocation, path, &answer, &exit_code) < 0)
        return exit_code;
    exit_code = show(app, view, answer);
    json_decref(answer);
    return exit_code;
}
