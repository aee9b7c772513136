/* weft explain: what would become of a request, and why; by the running system, or by its file alone. */
#include "app/client_say.h"
#include "app/fetch.h"
#include "app/grid.h"
#include "app/loaded.h"
#include "app/stages_text.h"
#include "app/table.h"
#include "base/alloc.h"
#include "control/compile.h"
#include "control/explain.h"
#include "wire/http.h"

#define PATH_MAX_LEN HTTP1_LINE_MAX
#define OTHERS_MAX 20 /* routes that don't match, behind the one that does */

/* --- routes ------------------------------------------------------------------------------------------------------ */

static const struct grid_column ROUTE_COLUMNS[] = { { "#", .right = true },
                                                    { "ROUTE", .flexible = true },
                                                    { "WHY", .flexible = true } };

static void add_route(struct grid *grid, const json_t *route)
{
    bool chosen = fetch_flag(route, "chosen"), matches = fetch_flag(route, "matches");
    enum style style = chosen ? STYLE_GOOD : matches ? STYLE_WARNING : STYLE_PLAIN;

    grid_format(grid, STYLE_DIM, "%llu", (unsigned long long)fetch_count(route, "precedence"));
    grid_add(grid, style, fetch_text(route, "name"));
    if (chosen)
        grid_add(grid, style, BYTES("takes it"));
    else if (matches)
        grid_format(grid, style, "matches, but is " BYTES_FMT, BYTES_ARG(fetch_text(route, "reason")));
    else
        grid_add(grid, style, fetch_text(route, "reason"));
}

/* All before the chosen one; behind it those that match, and some of the others. */
static void tell_routes(struct page *page, const json_t *routes)
{
    size_t shown = 0, hidden = 0;
    bool behind = false;
    struct grid grid;

    if (json_array_size(routes) == 0)
        return;
    page_text(page, "\n");
    page_styled(page, STYLE_BOLD, BYTES("routes"));
    page_text(page, ", in order of precedence\n");
    grid_init(&grid, ROUTE_COLUMNS, ARRAY_LEN(ROUTE_COLUMNS));
    for (size_t i = 0; i < json_array_size(routes); i++) {
        const json_t *route = json_array_get(routes, i);

        if (behind && !fetch_flag(route, "matches") && ++shown > OTHERS_MAX) {
            hidden++;
            continue;
        }
        behind |= fetch_flag(route, "chosen");
        add_route(&grid, route);
    }
    grid_write(&grid, page, 2, grid_rows(&grid));
    if (hidden > 0)
        page_format(page, "  and %zu more that don't match (-o json tells why)\n", hidden);
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static void label(struct page *page, const char *name)
{
    page_styled(page, STYLE_BOLD, bytes_of_text(name));
    page_spaces(page, 10 - strlen(name));
}

static void tell_parameters(struct page *page, json_t *parameters)
{
    const char *name, *between = " with ";
    json_t *value;

    json_object_foreach(parameters, name, value)
    {
        page_text(page, between);
        page_plain(page, bytes_of_text(name));
        page_text(page, " = ");
        page_plain(page, bytes_of_text(json_string_value(value)));
        between = ", ";
    }
}

static void tell_target(struct page *page, const json_t *answer)
{
    struct bytes kind = fetch_text(answer, "answer"), caller = fetch_text(answer, "caller");

    if (bytes_equal(kind, BYTES("route"))) {
        label(page, "route");
        page_styled(page, STYLE_GOOD, fetch_text(answer, "route"));
        tell_parameters(page, json_object_get(answer, "parameters"));
        page_text(page, "\n");
    } else if (bytes_equal(kind, BYTES("mesh"))) {
        label(page, "call");
        page_text(page, "of service ");
        page_styled(page, STYLE_GOOD, fetch_text(answer, "service"));
        page_text(page, caller.len ? " by " : " by somebody who does not say its name");
        page_plain(page, caller);
        page_text(page, "\n");
    }
}

/* Of Weft itself, or what the service gets. */
static void tell_answer(struct page *page, const json_t *answer)
{
    uint64_t status = fetch_count(answer, "status");
    struct bytes by = fetch_text(answer, "answered_by"), reason = fetch_text(answer, "reason");
    struct bytes location = fetch_text(answer, "location");
    const json_t *forwarded = json_object_get(answer, "forwarded");
    struct bytes query = fetch_text(forwarded, "query");

    if (forwarded) {
        label(page, "forwards");
        page_plain(page, fetch_text(forwarded, "method"));
        page_text(page, " ");
        page_plain(page, fetch_text(forwarded, "path"));
        page_text(page, query.len ? "?" : "");
        page_plain(page, query);
        page_text(page, " to ");
        page_styled(page, STYLE_GOOD, fetch_text(answer, "service"));
        page_text(page, ", Host ");
        page_plain(page, fetch_text(forwarded, "host"));
        page_text(page, "\n");
        return;
    }
    label(page, "answer");
    page_format(page, "%s%llu " BYTES_FMT "%s", style_begin(page->colours, status >= 400 ? STYLE_BAD : STYLE_GOOD),
                (unsigned long long)status, BYTES_ARG(http_reason((unsigned)status)), style_end(page->colours));
    page_text(page, ", by Weft itself");
    page_text(page, by.len ? ": " : "");
    page_plain(page, by);
    page_text(page, reason.len ? ": " : location.len ? ", to " : "");
    page_plain(page, reason.len ? reason : location);
    page_text(page, "\n");
}

static void tell_request(struct page *page, const json_t *answer)
{
    const json_t *request = json_object_get(answer, "request");

    label(page, "request");
    page_plain(page, fetch_text(request, "method"));
    page_text(page, " ");
    page_plain(page, fetch_text(request, "url"));
    page_text(page, "\n");
    label(page, "gateway");
    page_plain(page, fetch_text(answer, "gateway"));
    page_text(page, ": ");
    page_plain(page, fetch_text(answer, "gateway_reason"));
    page_text(page, "\n");
}

static void tell(struct page *page, const json_t *answer)
{
    const json_t *stages = json_object_get(answer, "stages"), *endpoints = json_object_get(answer, "endpoints");

    tell_request(page, answer);
    tell_target(page, answer);
    tell_answer(page, answer);
    tell_routes(page, json_object_get(answer, "routes"));
    if (json_array_size(stages) > 0) {
        page_text(page, "\n");
        page_styled(page, STYLE_BOLD, BYTES("stages"));
        page_text(page, ", from the outside in\n");
        stages_text(page, stages, 2);
    }
    if (endpoints)
        endpoints_text(page, answer);
    if (!fetch_flag(answer, "running"))
        page_text(page, "\nno system runs: this is what the file says; nothing is known about endpoints\n");
}

static int show(struct app *app, const struct invocation *invocation, const json_t *answer)
{
    struct page page;
    int r;

    if (invocation_format(invocation) == OUTPUT_JSON)
        return fetch_print_object(app, invocation, answer);
    page_open(app, &page);
    tell(&page, answer);
    r = page_print(&page);
    page_done(&page);
    if (r == 0)
        return EXIT_DONE;
    app_error(app, "explain: the answer can't be printed: %s", app_reason(r));
    return EXIT_FAILED;
}

/* --- by the file alone -------------------------------------------------------------------------------------------- */

struct asked {
    const char *method, *url, *gateway;
    struct bytes fields[ARGUMENT_OPTIONS_MAX];
    unsigned field_count;
};

static int compile(const struct loaded *loaded, const struct place *place, struct snapshot **ret, struct fault *fault)
{
    struct snapshot *snapshot;
    int r = snapshot_create(0, &snapshot);

    if (r < 0)
        return r;
    snapshot->folder = bytes_of_text(place->folder);
    r = control_compile(snapshot, loaded->config, fault);
    if (r == 0)
        r = snapshot_seal(snapshot, NULL, fault);
    if (r < 0)
        snapshot_free(snapshot);
    else
        *ret = snapshot;
    return r;
}

static int explain_snapshot(struct app *app, const struct invocation *invocation, struct snapshot *snapshot,
                            const struct asked *asked)
{
    const struct explain_request request = { .method = bytes_of_text(asked->method),
                                             .url = bytes_of_text(asked->url),
                                             .gateway = bytes_of_text(asked->gateway),
                                             .fields = asked->fields,
                                             .field_count = asked->field_count };
    char memory[512];
    struct text why = text_into(memory, sizeof(memory));
    struct answer answer = { 0 };
    json_error_t error;
    json_t *object = NULL;
    int r = explain_alone(app->io, snapshot, &request, &answer, &why), exit_code;

    if (r == 0 && answer.error == 0)
        object = json_loadb(answer.data, answer.len, 0, &error);
    if (object) {
        exit_code = show(app, invocation, object);
    } else if (r == -EINVAL) {
        app_error(app, "explain: " BYTES_FMT, BYTES_ARG(text_bytes(&why)));
        exit_code = EXIT_USAGE;
    } else {
        app_error(app, "explain: the request can't be explained: %s", app_reason(r < 0 ? r : -ENOMEM));
        exit_code = EXIT_FAILED;
    }
    json_decref(object);
    answer_drop(&answer);
    return exit_code;
}

static int explain_loaded(struct app *app, const struct invocation *invocation, const struct loaded *loaded,
                          const struct place *place, const struct asked *asked)
{
    struct fault fault = { 0 };
    struct snapshot *snapshot;
    int exit_code, r = compile(loaded, place, &snapshot, &fault);

    if (r < 0) {
        if (!fault.what[0])
            fault_set(&fault, "explain: %s: %s", place->file, app_reason(r));
        app_fault(app, &fault);
        return EXIT_FAILED;
    }
    exit_code = explain_snapshot(app, invocation, snapshot, asked);
    snapshot_free(snapshot);
    return exit_code;
}

static int explain_file(struct app *app, const struct invocation *invocation, const struct place *place,
                        const struct asked *asked)
{
    struct fault_list *faults = mem_zalloc(sizeof(*faults));
    struct loaded *loaded = NULL;
    int exit_code = EXIT_FAILED;
    int r = faults ? loaded_read(app, place->file, place->folder, place->state, faults, &loaded) : -ENOMEM;

    if (r == 0)
        exit_code = explain_loaded(app, invocation, loaded, place, asked);
    else if (faults)
        app_faults(app, faults);
    else
        app_error(app, "explain: no memory is left");
    loaded_drop(loaded);
    mem_free(faults);
    return exit_code;
}

/* --- by the running system ------------------------------------------------------------------------------------------
 */

static int explain_running(struct app *app, const struct invocation *invocation, const struct asked *asked)
{
    char path[PATH_MAX_LEN];
    struct text text = text_into(path, sizeof(path) - 1);
    json_t *answer;
    int exit_code;

    text_add(&text, BYTES("/v1/explain"));
    fetch_parameter(&text, "method", asked->method);
    fetch_parameter(&text, "url", asked->url);
    if (asked->gateway)
        fetch_parameter(&text, "gateway", asked->gateway);
    for (unsigned i = 0; i < asked->field_count; i++)
        fetch_parameter(&text, "header", asked->fields[i].data);
    if (text.full) {
        app_error(app, "explain: URL and headers are too long to be asked about (%d bytes at most)", PATH_MAX_LEN);
        return EXIT_USAGE;
    }
    path[text.len] = '\0';
    if (fetch_json(app, invocation, path, &answer, &exit_code) < 0)
        return exit_code;
    exit_code = show(app, invocation, answer);
    json_decref(answer);
    return exit_code;
}

static int check_header(const char *value)
{
    const char *colon = strchr(value, ':');

    return colon && colon > value ? 0 : -EINVAL;
}

const struct option_info OPTION_HEADER = { .name = "header",
                                           .letter = 'H',
                                           .value_name = "NAME:VALUE",
                                           .about = "a header field of the request",
                                           .repeated = true,
                                           .check = check_header };
const struct option_info OPTION_GATEWAY = { .name = "gateway",
                                            .value_name = "NAME",
                                            .about = "as if it came in by this one (the one at the URL's port)" };

int command_explain(struct app *app, const struct invocation *invocation)
{
    bool method = invocation->word_count > 1;
    struct asked asked = { .method = method ? invocation->words[0] : "GET",
                           .url = invocation->words[method],
                           .gateway = invocation_value(invocation, &OPTION_GATEWAY) };
    const char *header;
    struct place place;
    int r = place_find(invocation, &place);

    while ((header = invocation_repeated(invocation, &OPTION_HEADER, asked.field_count)) != NULL)
        asked.fields[asked.field_count++] = bytes_of_text(header);
    if (r == 0)
        r = client_try(app, place.socket);
    if (r != -ENOENT && r != -ECONNREFUSED)
        return explain_running(app, invocation, &asked);
    if (invocation_given(invocation, &OPTION_FILE))
        return explain_file(app, invocation, &place, &asked);
    app_error(app, "explain: no system runs at %s: %s (weft up starts one; -f %s explains the file alone)",
              place.socket, app_reason(r), place.file);
    return EXIT_UNREACHABLE;
}
