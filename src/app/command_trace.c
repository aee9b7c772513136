/* weft trace: the exchanges of a trace as a waterfall, or the newest traces. */
#include "app/fetch.h"
#include "app/grid.h"
#include "app/stages_text.h"
#include "base/alloc.h"

#define ID_LEN 32
#define ID_START_MIN 4
#define LISTED_MAX 25      /* traces without an ID: a screen */
#define DEPTH_SHOWN_MAX 32 /* of calls within calls; deeper ones stand no further to the right */
#define WIDTH_UNBOUND 120  /* of a waterfall that goes to no terminal */
#define LABEL_MIN 24
#define LABEL_MAX 64
#define NUMBERS_WIDTH 30 /* "12345.678 ms  200 upstream_" behind the bars */
#define BAR_MIN 10

/* --- the waterfall ----------------------------------------------------------------------------------------------- */

struct waterfall {
    struct page *page;
    const json_t *exchanges;
    bool *told;
    double total_ms;
    unsigned label_width, bar_width;
};

static void put_bar(struct waterfall *w, enum style style, char c, double start_ms, double duration_ms)
{
    double scale = w->total_ms > 0 ? (double)w->bar_width / w->total_ms : 0;
    unsigned from = MIN((unsigned)(start_ms * scale), w->bar_width - 1);
    unsigned len = MAX((unsigned)(duration_ms * scale + 0.5), 1u);
    char memory[WIDTH_UNBOUND * 4];

    len = MIN(MIN(len, w->bar_width - from), (unsigned)sizeof(memory));
    memset(memory, c, len);
    page_text(w->page, "|");
    page_spaces(w->page, from);
    page_styled(w->page, style, bytes_of(memory, len));
    page_spaces(w->page, w->bar_width - from - len);
    page_text(w->page, "|");
}

static void put_label(struct waterfall *w, enum style style, unsigned indent, struct bytes text)
{
    unsigned room = w->label_width - MIN(indent, w->label_width / 2);
    size_t columns = page_columns(text);

    page_spaces(w->page, w->label_width - room);
    page_styled(w->page, style, page_cut(text, room - 1));
    page_spaces(w->page, room - MIN(columns, (size_t)room - 1));
}

static enum style style_of(struct bytes outcome, uint64_t status)
{
    if (!bytes_equal(outcome, BYTES("ok")) || status >= 500)
        return STYLE_BAD;
    return status >= 400 ? STYLE_WARNING : STYLE_GOOD;
}

static void put_result(struct waterfall *w, double duration_ms, struct bytes outcome, uint64_t status)
{
    page_format(w->page, " %9.3f ms  ", duration_ms);
    if (status > 0)
        page_format(w->page, "%llu ", (unsigned long long)status);
    if (!bytes_equal(outcome, BYTES("ok")))
        page_styled(w->page, STYLE_BAD, outcome);
    page_text(w->page, "\n");
}

static void put_step(struct waterfall *w, const json_t *step, double offset_ms, unsigned indent)
{
    struct bytes outcome = fetch_text(step, "outcome"), stage = fetch_text(step, "stage");
    struct bytes detail = fetch_text(step, "detail");
    bool try = bytes_equal(stage, BYTES("per-try")), tries = bytes_equal(stage, BYTES("retry"));
    char memory[256];
    struct text label = text_into(memory, sizeof(memory));

    text_add(&label, stage);
    if (detail.len > 0)
        text_add_format(&label, "%s" BYTES_FMT "%s", try ? " try " : " ", BYTES_ARG(detail),
                        !tries                            ? ""
                        : bytes_equal(detail, BYTES("1")) ? " try"
                                                          : " tries");
    put_label(w, STYLE_DIM, indent + (unsigned)fetch_count(step, "depth"), text_bytes(&label));
    put_bar(w, bytes_equal(outcome, BYTES("ok")) ? STYLE_DIM : STYLE_BAD, '-',
            offset_ms + fetch_number(step, "start_ms"), fetch_number(step, "duration_ms"));
    put_result(w, fetch_number(step, "duration_ms"), outcome, fetch_count(step, "status"));
}

static void put_exchange(struct waterfall *w, const json_t *exchange, unsigned depth)
{
    struct bytes service = fetch_text(exchange, "service"), outcome = fetch_text(exchange, "outcome");
    const json_t *steps = json_object_get(exchange, "steps");
    double offset_ms = fetch_number(exchange, "offset_ms"), duration_ms = fetch_number(exchange, "duration_ms");
    uint64_t status = fetch_count(exchange, "status"), dropped = fetch_count(exchange, "steps_dropped");
    unsigned indent = 2 * MIN(depth, (unsigned)DEPTH_SHOWN_MAX);
    char memory[512];
    struct text label = text_into(memory, sizeof(memory));

    text_add_format(&label, BYTES_FMT " " BYTES_FMT " " BYTES_FMT, BYTES_ARG(service.len ? service : BYTES("weft")),
                    BYTES_ARG(fetch_text(exchange, "method")),
                    BYTES_ARG(bytes_slice(fetch_text(exchange, "path"), 0, 300)));
    put_label(w, STYLE_BOLD, indent, text_bytes(&label));
    put_bar(w, style_of(outcome, status), '=', offset_ms, duration_ms);
    put_result(w, duration_ms, outcome, status);
    for (size_t i = 0; i < json_array_size(steps); i++)
        put_step(w, json_array_get(steps, i), offset_ms, indent + 2);
    if (dropped > 0)
        page_format(w->page, "%*s... and %llu more steps that were not kept\n", (int)indent + 2, "",
                    (unsigned long long)dropped);
}

static bool has_parent(const struct waterfall *w, const json_t *exchange)
{
    struct bytes parent = fetch_text(exchange, "parent_id");

    return parent.len > 0 && fetch_named(w->exchanges, "span_id", parent) != NULL;
}

/* The calls that this one has made, in the order in which they began; each once, whatever the ids say. Depth is bounded
 * by the number of exchanges of one answer, and the stack by the bound here. */
static void put_tree(struct waterfall *w, size_t index, unsigned depth)
{
    const json_t *exchange = json_array_get(w->exchanges, index);
    struct bytes span = fetch_text(exchange, "span_id");

    w->told[index] = true;
    put_exchange(w, exchange, depth);
    for (size_t i = 0; depth < DEPTH_SHOWN_MAX && i < json_array_size(w->exchanges); i++)
        if (!w->told[i] && bytes_equal(fetch_text(json_array_get(w->exchanges, i), "parent_id"), span))
            put_tree(w, i, depth + 1);
}

static void measure(struct waterfall *w)
{
    unsigned width = MIN(w->page->width, (unsigned)WIDTH_UNBOUND * 2);

    if (w->page->width == PAGE_WIDTH_UNBOUND)
        width = WIDTH_UNBOUND;
    w->label_width = MIN(MAX(width * 2 / 5, (unsigned)LABEL_MIN), (unsigned)LABEL_MAX);
    w->bar_width = width > w->label_width + NUMBERS_WIDTH + BAR_MIN ? width - w->label_width - NUMBERS_WIDTH : BAR_MIN;
    for (size_t i = 0; i < json_array_size(w->exchanges); i++) {
        const json_t *exchange = json_array_get(w->exchanges, i);
        double end_ms = fetch_number(exchange, "offset_ms") + fetch_number(exchange, "duration_ms");

        w->total_ms = MAX(w->total_ms, end_ms);
    }
}

static int tell_trace(struct page *page, const json_t *answer)
{
    struct waterfall w = { .page = page, .exchanges = json_object_get(answer, "exchanges") };
    size_t count = json_array_size(w.exchanges);
    const json_t *first = json_array_get(w.exchanges, 0);

    w.told = mem_zalloc_array(MAX(count, (size_t)1), sizeof(*w.told));
    if (!w.told)
        return -ENOMEM;
    measure(&w);
    page_styled(page, STYLE_BOLD, BYTES("trace "));
    page_plain(page, fetch_text(answer, "trace_id"));
    page_format(page, ", %zu exchange%s in %.3f ms, ended ", count, count == 1 ? "" : "s", w.total_ms);
    page_plain(page, fetch_text(first, "time"));
    page_text(page, "\n");
    for (size_t i = 0; i < count; i++)
        if (!w.told[i] && !has_parent(&w, json_array_get(w.exchanges, i)))
            put_tree(&w, i, 0);
    for (size_t i = 0; i < count; i++) /* in a circle, which only forged ids make, or too deep */
        if (!w.told[i])
            put_tree(&w, i, 0);
    mem_free(w.told);
    return 0;
}

/* --- the newest traces ------------------------------------------------------------------------------------------- */

static const struct grid_column COLUMNS[] = {
    { "TRACE" },
    { "TIME" },
    { "METHOD" },
    { "PATH", .flexible = true },
    { "SERVICE", .flexible = true },
    { "EXCHANGES", .right = true, .optional = true },
    { "STATUS", .right = true },
    { "MS", .right = true },
};

static bool seen_before(const json_t *exchanges, size_t upto, struct bytes id)
{
    for (size_t i = 0; i < upto; i++)
        if (bytes_equal(fetch_text(json_array_get(exchanges, i), "trace_id"), id))
            return true;
    return false;
}

/* The one that came from outside, or else the newest; and how many there are. */
static const json_t *find_root(const json_t *exchanges, struct bytes id, unsigned *ret_count)
{
    const json_t *root = NULL;

    *ret_count = 0;
    for (size_t i = 0; i < json_array_size(exchanges); i++) {
        const json_t *exchange = json_array_get(exchanges, i);

        if (!bytes_equal(fetch_text(exchange, "trace_id"), id))
            continue;
        ++*ret_count;
        if (!root || fetch_text(exchange, "caller").len == 0)
            root = exchange;
    }
    return root;
}

static void add_trace(struct grid *grid, const json_t *exchanges, struct bytes id)
{
    unsigned count;
    const json_t *root = find_root(exchanges, id, &count);
    uint64_t status = fetch_count(root, "status");

    grid_add(grid, STYLE_NAME, bytes_slice(id, 0, 12));
    grid_add(grid, STYLE_DIM, bytes_slice(fetch_text(root, "time"), 11, 23));
    grid_add(grid, STYLE_PLAIN, fetch_text(root, "method"));
    grid_add(grid, STYLE_PLAIN, fetch_text(root, "path"));
    grid_add(grid, STYLE_PLAIN, fetch_text(root, "service"));
    grid_format(grid, STYLE_PLAIN, "%u", count);
    grid_format(grid, style_of(fetch_text(root, "outcome"), status), "%llu", (unsigned long long)status);
    grid_format(grid, STYLE_PLAIN, "%.1f", fetch_number(root, "duration_ms"));
}

static int tell_newest(struct page *page, const json_t *answer)
{
    const json_t *exchanges = json_object_get(answer, "exchanges");
    struct grid grid;

    if (!fetch_flag(answer, "recording"))
        page_text(page, "exchanges are not recorded: log.traffic is false\n");
    grid_init(&grid, COLUMNS, ARRAY_LEN(COLUMNS));
    for (size_t i = 0; i < json_array_size(exchanges) && grid_rows(&grid) < LISTED_MAX; i++) {
        struct bytes id = fetch_text(json_array_get(exchanges, i), "trace_id");

        if (!seen_before(exchanges, i, id))
            add_trace(&grid, exchanges, id);
    }
    grid_write(&grid, page, 0, grid_rows(&grid));
    return 0;
}

/* --- which one ---------------------------------------------------------------------------------------------------- */

static bool is_id(const char *text)
{
    size_t len = strlen(text);

    return len >= ID_START_MIN && len <= ID_LEN && strspn(text, "0123456789abcdefABCDEF") == len;
}

static bool starts(struct bytes id, const char *start)
{
    return bytes_equal_ci(bytes_slice(id, 0, strlen(start)), bytes_of_text(start));
}

/* The whole id of the one that begins so. 0, or told. */
static int find_whole(struct app *app, const char *start, const json_t *exchanges, char ret[ID_LEN + 1])
{
    struct bytes found = BYTES_NONE;

    for (size_t i = 0; i < json_array_size(exchanges); i++) {
        struct bytes id = fetch_text(json_array_get(exchanges, i), "trace_id");

        if (id.len != ID_LEN || !starts(id, start) || bytes_equal(id, found))
            continue;
        if (found.len > 0) {
            app_error(app, "trace: several traces begin with %s: " BYTES_FMT " and " BYTES_FMT " (give more digits)",
                      start, BYTES_ARG(found), BYTES_ARG(id));
            return -EEXIST;
        }
        found = id;
    }
    if (found.len == 0) {
        app_error(app, "trace: no recent exchange is of a trace that begins with %s (weft trace lists the newest ones)",
                  start);
        return -ENOENT;
    }
    memcpy(ret, found.data, ID_LEN);
    ret[ID_LEN] = '\0';
    return 0;
}

static int find_id(struct app *app, const struct invocation *invocation, char ret[ID_LEN + 1], int *ret_exit)
{
    const char *start = invocation->words[0];
    json_t *answer;
    int r;

    if (!is_id(start)) {
        app_error(app, "trace: a trace's id is %d hexadecimal digits, of which %d may do (is '%s')", ID_LEN,
                  ID_START_MIN, start);
        *ret_exit = EXIT_USAGE;
        return -EINVAL;
    }
    if (strlen(start) == ID_LEN) {
        memcpy(ret, start, ID_LEN + 1);
        return 0;
    }
    if (fetch_json(app, invocation, "/v1/traffic?limit=1000", &answer, ret_exit) < 0)
        return -EINVAL;
    r = find_whole(app, start, json_object_get(answer, "exchanges"), ret);
    json_decref(answer);
    *ret_exit = EXIT_FAILED;
    return r;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

int command_trace(struct app *app, const struct invocation *invocation)
{
    bool one = invocation->word_count > 0;
    char path[64 + ID_LEN] = "/v1/traffic?limit=1000", id[ID_LEN + 1];
    struct text text = text_into(path, sizeof(path) - 1);
    struct page page;
    json_t *answer;
    int r, exit_code = EXIT_DONE;

    if (one) {
        if (find_id(app, invocation, id, &exit_code) < 0)
            return exit_code;
        text_add_format(&text, "/v1/traces/%s", id);
        path[text.len] = '\0';
    }
    if (invocation_format(invocation) == OUTPUT_JSON)
        return fetch_print(app, invocation, path);
    if (fetch_json(app, invocation, path, &answer, &exit_code) < 0)
        return exit_code;
    page_open(app, &page);
    r = one ? tell_trace(&page, answer) : tell_newest(&page, answer);
    if (r == 0)
        r = page_print(&page);
    page_done(&page);
    json_decref(answer);
    if (r < 0)
        app_error(app, "trace: the answer can't be printed: %s", app_reason(r));
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
