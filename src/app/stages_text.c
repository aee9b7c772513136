#include "app/stages_text.h"

/* --- stages ------------------------------------------------------------------------------------------------------ */

static const struct grid_column STAGE_COLUMNS[] = { { "STAGE" },
                                                    { "SETTINGS", .flexible = true },
                                                    { "PATH", .flexible = true, .optional = true } };

/* What a stage is all about needs no name: "timeout 5s". */
static bool is_alone(json_t *settings)
{
    static const char *const KEYS[] = { "limit", "by", "max", "attempts" };

    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++)
        if (json_object_size(settings) == 1 && json_object_get(settings, KEYS[i]))
            return true;
    return false;
}

static void add_settings(struct grid *grid, json_t *settings)
{
    bool alone = is_alone(settings);
    struct answer text = { 0 };
    const char *key;
    json_t *value;

    json_object_foreach(settings, key, value)
    {
        answer_text(&text, text.len ? ", " : "");
        answer_text(&text, alone ? "" : key);
        answer_text(&text, alone ? "" : " ");
        answer_text(&text, json_string_value(value));
    }
    grid_add(grid, STYLE_PLAIN, bytes_of(text.data, text.len));
    grid->failed |= text.error < 0;
    answer_drop(&text);
}

void stages_text(struct page *page, const json_t *stages, unsigned indent)
{
    struct grid grid;

    grid_init(&grid, STAGE_COLUMNS, ARRAY_LEN(STAGE_COLUMNS));
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);

        grid_add(&grid, STYLE_NAME, fetch_text(stage, "stage"));
        add_settings(&grid, json_object_get(stage, "settings"));
        grid_add(&grid, STYLE_DIM, fetch_text(stage, "path"));
    }
    grid_write(&grid, page, indent, grid_rows(&grid));
}

/* --- endpoints --------------------------------------------------------------------------------------------------- */

enum style state_style(struct bytes state)
{
    static const struct bytes GOOD[] = { BYTES("ready"), BYTES("ok"), BYTES("running"), BYTES("external") };
    static const struct bytes BAD[] = { BYTES("unready"), BYTES("down"), BYTES("failing"), BYTES("failed") };

    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
        if (bytes_equal(state, GOOD[i]))
            return STYLE_GOOD;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        if (bytes_equal(state, BAD[i]))
            return STYLE_BAD;
    return STYLE_WARNING;
}

static const struct grid_column ENDPOINT_COLUMNS[] = { { "ENDPOINT", .flexible = true },
                                                       { "STATE" },
                                                       { "ACTIVE", .right = true },
                                                       { "WEIGHT", .right = true, .optional = true },
                                                       { "SCORE", .right = true },
                                                       { "CHOSEN", .flexible = true },
                                                       { "ADDRESS", .flexible = true, .optional = true } };

static void add_endpoint(struct grid *grid, const json_t *endpoint)
{
    bool chosen = fetch_flag(endpoint, "chosen");
    struct bytes reason = fetch_text(endpoint, "reason");

    grid_add(grid, STYLE_PLAIN, fetch_text(endpoint, "name"));
    grid_add(grid, state_style(fetch_text(endpoint, "state")), fetch_text(endpoint, "state"));
    grid_format(grid, STYLE_PLAIN, "%llu", (unsigned long long)fetch_count(endpoint, "active"));
    grid_format(grid, STYLE_PLAIN, "%llu", (unsigned long long)fetch_count(endpoint, "weight"));
    grid_format(grid, STYLE_PLAIN, "%.4g", fetch_number(endpoint, "score"));
    if (reason.len > 0)
        grid_format(grid, chosen ? STYLE_WARNING : STYLE_BAD, "%s, " BYTES_FMT, chosen ? "yes" : "no",
                    BYTES_ARG(reason));
    else
        grid_add(grid, chosen ? STYLE_GOOD : STYLE_WARNING, chosen ? BYTES("yes") : BYTES("no, others are better"));
    grid_add(grid, STYLE_DIM, fetch_text(endpoint, "address"));
}

void endpoints_text(struct page *page, const json_t *answer)
{
    const json_t *endpoints = json_object_get(answer, "endpoints");
    struct grid grid;

    page_text(page, "\n");
    page_styled(page, STYLE_BOLD, BYTES("endpoints"));
    page_text(page, " of ");
    page_plain(page, fetch_text(answer, "service"));
    if (json_array_size(endpoints) == 0) {
        page_text(page, ": none, so the answer now would be 503\n");
        return;
    }
    page_text(page, "; score is the ");
    page_plain(page, fetch_text(answer, "score_is"));
    page_text(page, "\n");
    grid_init(&grid, ENDPOINT_COLUMNS, ARRAY_LEN(ENDPOINT_COLUMNS));
    for (size_t i = 0; i < json_array_size(endpoints); i++)
        add_endpoint(&grid, json_array_get(endpoints, i));
    grid_write(&grid, page, 2, grid_rows(&grid));
}
