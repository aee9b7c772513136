#include "app/style.h"

#include "base/hash.h"

static const char *const BEGIN[STYLES] = {
    [STYLE_PLAIN] = "",           [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",   [STYLE_GOOD] = "\033[32m",
    [STYLE_WARNING] = "\033[33m", [STYLE_BAD] = "\033[1;31m", [STYLE_NAME] = "\033[36m",
};

/* Without red and the two that are hard to read on black or on white. */
static const char *const HUES[] = {
    "\033[36m", "\033[35m", "\033[32m", "\033[33m", "\033[96m", "\033[95m", "\033[92m"
};

bool style_wanted(const struct app *app, int descriptor)
{
    const char *no_color = app_variable(app, BYTES("NO_COLOR")), *kind = app_variable(app, BYTES("TERM"));
    struct terminal_size size;

    if ((no_color && no_color[0]) || (kind && strcmp(kind, "dumb") == 0))
        return false;
    return app->io->ops->terminal(app->io, descriptor, &size) == 0;
}

const char *style_begin(bool on, enum style style)
{
    return on ? BEGIN[style] : "";
}

const char *style_end(bool on)
{
    return on ? "\033[0m" : "";
}

const char *style_name(bool on, struct bytes name)
{
    return on ? HUES[hash_fnv1a(name) % ARRAY_LEN(HUES)] : "";
}

struct terminal_size style_size(const struct app *app)
{
    struct terminal_size size = { 0 };

    if (app->io->ops->terminal(app->io, 1, &size) < 0 || size.columns == 0 || size.rows == 0)
        return (struct terminal_size){ .columns = 80, .rows = 24 };
    return size;
}
