#include "app/top.h"

#include "app/fetch.h"
#include "app/golden.h"
#include "app/grid.h"
#include "app/stages_text.h"
#include "base/units.h"

#define SATURATED_PERCENT 80 /* from here on it is told in another colour */

void top_sample_release(struct top_sample *sample)
{
    json_decref(sample->status);
    json_decref(sample->topology);
    json_decref(sample->endpoints);
    *sample = (struct top_sample){ .at_ns = 0 };
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

static const json_t *edges_of(const struct top_sample *sample)
{
    return json_object_get(sample->topology, "edges");
}

static void set_text(json_t *object, const char *key, struct bytes text)
{
    (void)json_object_set_new(object, key, json_stringn(text.data ? text.data : "", text.len));
}

static void set_count(json_t *object, const char *key, uint64_t count)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)count));
}

static void set_real(json_t *object, const char *key, double value)
{
    (void)json_object_set_new(object, key, json_real(value));
}

static void set_golden(json_t *object, const struct golden *golden, double seconds)
{
    double p50 = golden_quantile_ms(golden, 0.5), p99 = golden_quantile_ms(golden, 0.99);

    set_count(object, "requests", golden->requests);
    set_real(object, "per_second", seconds > 0 ? (double)golden->requests / seconds : 0);
    set_count(object, "errors", golden->errors);
    set_real(object, "errors_percent", golden_error_percent(golden));
    set_count(object, "retries", golden->retries);
    if (p50 >= 0)
        set_real(object, "p50_ms", p50);
    if (p99 >= 0)
        set_real(object, "p99_ms", p99);
}

/* What came in from outside, or to one service. */
static struct golden sum_of(const struct top_sample *now, const struct top_sample *before, const struct bytes *service)
{
    struct golden golden = { 0 };

    for (size_t i = 0; i < json_array_size(edges_of(now)); i++) {
        const json_t *edge = json_array_get(edges_of(now), i);
        bool outside = bytes_equal(fetch_text(edge, "from_kind"), BYTES("gateway"));

        if (service ? bytes_equal(fetch_text(edge, "to"), *service) : outside)
            golden_add(&golden, edge, golden_same_edge(edges_of(before), edge));
    }
    return golden;
}

static uint64_t active_of(const struct top_sample *now, const struct bytes *service)
{
    const json_t *endpoints = json_object_get(now->endpoints, "endpoints");
    uint64_t active = 0;

    for (size_t i = 0; i < json_array_size(endpoints); i++) {
        const json_t *endpoint = json_array_get(endpoints, i);

        if (!service || bytes_equal(fetch_text(endpoint, "service"), *service))
            active += fetch_count(endpoint, "active");
    }
    return active;
}

static json_t *compute_services(const struct top_sample *now, const struct top_sample *before, double seconds)
{
    const json_t *nodes = json_object_get(now->topology, "nodes");
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        struct bytes name = fetch_text(node, "name");
        struct golden golden = sum_of(now, before, &name);
        json_t *service;

        if (!bytes_equal(fetch_text(node, "kind"), BYTES("service")))
            continue;
        service = json_object();
        set_text(service, "name", name);
        set_text(service, "state", fetch_text(node, "state"));
        set_count(service, "ready", fetch_count(node, "ready"));
        set_count(service, "endpoints", fetch_count(node, "endpoints"));
        set_golden(service, &golden, seconds);
        set_count(service, "active", active_of(now, &name));
        set_count(service, "restarts", fetch_count(node, "restarts"));
        (void)json_array_append_new(list, service);
    }
    return list;
}

static json_t *compute_calls(const struct top_sample *now, const struct top_sample *before, double seconds)
{
    static const char *const KEYS[] = { "from", "from_kind", "to", "to_kind" };
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(edges_of(now)); i++) {
        const json_t *edge = json_array_get(edges_of(now), i);
        struct golden golden = { 0 };
        json_t *call = json_object();

        golden_add(&golden, edge, golden_same_edge(edges_of(before), edge));
        for (size_t k = 0; k < ARRAY_LEN(KEYS); k++)
            set_text(call, KEYS[k], fetch_text(edge, KEYS[k]));
        set_golden(call, &golden, seconds);
        (void)json_array_append_new(list, call);
    }
    return list;
}

static json_t *compute_instances(const struct top_sample *now)
{
    const json_t *endpoints = json_object_get(now->endpoints, "endpoints");
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(endpoints); i++) {
        const json_t *endpoint = json_array_get(endpoints, i);
        uint64_t active = fetch_count(endpoint, "active"), limit = fetch_count(endpoint, "limit");
        json_t *instance = json_object();

        set_text(instance, "service", fetch_text(endpoint, "service"));
        set_text(instance, "name", fetch_text(endpoint, "name"));
        set_text(instance, "state", fetch_flag(endpoint, "ejected") ? BYTES("ejected") : fetch_text(endpoint, "state"));
        set_count(instance, "active", active);
        set_count(instance, "limit", limit);
        set_real(instance, "saturation_percent", limit ? 100.0 * (double)active / (double)limit : 0);
        set_count(instance, "restarts", fetch_count(endpoint, "restarts"));
        (void)json_array_append_new(list, instance);
    }
    return list;
}

json_t *top_compute(const struct top_sample *now, const struct top_sample *before)
{
    double seconds = (double)(now->at_ns - before->at_ns) / (double)NS_PER_S;
    struct golden golden = sum_of(now, before, NULL);
    json_t *top = json_object();

    set_text(top, "system", fetch_text(now->status, "system"));
    set_count(top, "version", fetch_count(now->status, "config"));
    set_count(top, "uptime_seconds", fetch_count(now->status, "uptime_seconds"));
    set_real(top, "seconds", seconds);
    set_golden(top, &golden, seconds);
    set_count(top, "active", active_of(now, NULL));
    (void)json_object_set_new(top, "services", compute_services(now, before, seconds));
    (void)json_object_set_new(top, "calls", compute_calls(now, before, seconds));
    (void)json_object_set_new(top, "instances", compute_instances(now));
    return top;
}

/* --- for people ----------------------------------------------------------------------------------------------------
 */

static const struct grid_column SERVICES[] = { { "SERVICE", .flexible = true },
                                               { "STATE" },
                                               { "READY", .right = true },
                                               { "REQ/S", .right = true },
                                               { "ERRORS", .right = true },
                                               { "P50 MS", .right = true },
                                               { "P99 MS", .right = true },
                                               { "ACTIVE", .right = true },
                                               { "RETRIES", .right = true, .optional = true },
                                               { "RESTARTS", .right = true, .optional = true } };

static const struct grid_column CALLS[] = { { "FROM", .flexible = true },
                                            { "TO", .flexible = true },
                                            { "REQ/S", .right = true },
                                            { "ERRORS", .right = true },
                                            { "P50 MS", .right = true },
                                            { "P99 MS", .right = true },
                                            { "RETRIES", .right = true, .optional = true } };

static const struct grid_column INSTANCES[] = {
    { "INSTANCE", .flexible = true }, { "STATE" },
    { "ACTIVE", .right = true },      { "LIMIT", .right = true, .optional = true },
    { "USED", .right = true },        { "RESTARTS", .right = true, .optional = true }
};

static void add_ms(struct grid *grid, const json_t *object, const char *key)
{
    if (json_object_get(object, key))
        grid_format(grid, STYLE_PLAIN, "%.1f", fetch_number(object, key));
    else
        grid_add(grid, STYLE_PLAIN, BYTES_NONE);
}

static void add_count(struct grid *grid, const json_t *object, const char *key)
{
    grid_format(grid, STYLE_PLAIN, "%llu", (unsigned long long)fetch_count(object, key));
}

static void add_golden(struct grid *grid, const json_t *object)
{
    double errors = fetch_number(object, "errors_percent");

    grid_format(grid, STYLE_PLAIN, "%.1f", fetch_number(object, "per_second"));
    grid_format(grid, errors > 0 ? STYLE_BAD : STYLE_PLAIN, "%.1f%%", errors);
    add_ms(grid, object, "p50_ms");
    add_ms(grid, object, "p99_ms");
}

static void write_services(struct page *page, const json_t *list)
{
    struct grid grid;

    grid_init(&grid, SERVICES, ARRAY_LEN(SERVICES));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *service = json_array_get(list, i);

        grid_add(&grid, STYLE_NAME, fetch_text(service, "name"));
        grid_add(&grid, state_style(fetch_text(service, "state")), fetch_text(service, "state"));
        grid_format(&grid, STYLE_PLAIN, "%llu/%llu", (unsigned long long)fetch_count(service, "ready"),
                    (unsigned long long)fetch_count(service, "endpoints"));
        add_golden(&grid, service);
        add_count(&grid, service, "active");
        add_count(&grid, service, "retries");
        add_count(&grid, service, "restarts");
    }
    grid_write(&grid, page, 0, grid_rows(&grid));
}

static void write_calls(struct page *page, const json_t *list)
{
    struct grid grid;

    grid_init(&grid, CALLS, ARRAY_LEN(CALLS));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *call = json_array_get(list, i);
        struct bytes to = fetch_text(call, "to");

        grid_format(&grid, STYLE_NAME, BYTES_FMT "%s", BYTES_ARG(fetch_text(call, "from")),
                    bytes_equal(fetch_text(call, "from_kind"), BYTES("gateway")) ? " (gateway)" : "");
        grid_add(&grid, to.len ? STYLE_NAME : STYLE_DIM, to.len ? to : BYTES("(weft itself)"));
        add_golden(&grid, call);
        add_count(&grid, call, "retries");
    }
    grid_write(&grid, page, 0, grid_rows(&grid));
}

static void write_instances(struct page *page, const json_t *list)
{
    struct grid grid;

    grid_init(&grid, INSTANCES, ARRAY_LEN(INSTANCES));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *instance = json_array_get(list, i);
        double used = fetch_number(instance, "saturation_percent");

        grid_add(&grid, STYLE_PLAIN, fetch_text(instance, "name"));
        grid_add(&grid, state_style(fetch_text(instance, "state")), fetch_text(instance, "state"));
        add_count(&grid, instance, "active");
        add_count(&grid, instance, "limit");
        grid_format(&grid, used >= SATURATED_PERCENT ? STYLE_BAD : STYLE_PLAIN, "%.0f%%", used);
        add_count(&grid, instance, "restarts");
    }
    grid_write(&grid, page, 0, grid_rows(&grid));
}

/* One line, the more important the earlier: what does not fit is cut. */
static void write_title(struct page *page, const json_t *top)
{
    struct bytes system = page_cut(fetch_text(top, "system"), page->width);
    char memory[256];
    struct text text = text_into(memory, sizeof(memory));

    text_add_format(&text, ": %.1f req/s, %.1f%% errors, %llu active, over %.1f s, up ",
                    fetch_number(top, "per_second"), fetch_number(top, "errors_percent"),
                    (unsigned long long)fetch_count(top, "active"), fetch_number(top, "seconds"));
    duration_write(&text, (int64_t)fetch_count(top, "uptime_seconds") * NS_PER_S);
    text_add_format(&text, ", version %llu", (unsigned long long)fetch_count(top, "version"));
    page_styled(page, STYLE_BOLD, system);
    page_plain(page, page_cut(text_bytes(&text), page->width - page_columns(system)));
    page_text(page, "\n\n");
}

void top_write(struct page *page, const json_t *top)
{
    write_title(page, top);
    write_services(page, json_object_get(top, "services"));
    page_text(page, "\n");
    write_calls(page, json_object_get(top, "calls"));
    page_text(page, "\n");
    write_instances(page, json_object_get(top, "instances"));
}
