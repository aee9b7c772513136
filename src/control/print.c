#include "control/print.h"

#define SETS_ARENA_MAX (64 * KIB) /* some hundred alternatives */

static const char HEADING[] =
    "# Reference of weft.yaml\n"
    "\n"
    "Every key that a system's file may hold. This text is printed by `weft` from the tables that read the file;\n"
    "`weft schema` prints the same as a JSON Schema for editors.\n"
    "\n"
    "Durations are written `200ms`, `15s`, `1h30m`; sizes `64KiB`; rates `100/s`; shares `20%`; ranges `100ms..1s`.\n"
    "`${NAME}` and `${NAME:-default}` in a value stand for an environment variable. Booleans are `true` and `false`.\n"
    "\n"
    "A command (`run:`) that is written as one text is cut into words at spaces. 'Single quotes' keep everything;\n"
    "\"double quotes\" keep everything but `\\\"` and `\\\\`; a backslash outside of quotes keeps the next character. "
    "No\n"
    "shell is asked: `|`, `&`, `;`, `<`, `>`, `(`, `)`, `$` and the backquote are refused outside of quotes. A list "
    "is\n"
    "taken word by word as it is.\n"
    "\n";

int control_print_schema(const struct control_stages *stages, struct conf_sink *sink)
{
    struct control_sets sets;
    struct arena arena;
    int r;

    arena_init(&arena, NULL, SETS_ARENA_MAX);
    r = control_sets_make(stages, &arena, &sets);
    if (r == 0)
        r = conf_print_json_schema(sink, &CONTROL_SCHEMA, sets.sets, CONTROL_SETS, NULL);
    arena_done(&arena);
    return r;
}

int control_print_reference(const struct control_stages *stages, struct conf_sink *sink)
{
    struct control_sets sets;
    struct arena arena;
    int r;

    arena_init(&arena, NULL, SETS_ARENA_MAX);
    r = control_sets_make(stages, &arena, &sets);
    if (r == 0)
        r = sink->write(sink, bytes_of(HEADING, sizeof(HEADING) - 1));
    if (r == 0)
        r = conf_print_reference(sink, &CONTROL_SCHEMA, sets.sets, CONTROL_SETS);
    arena_done(&arena);
    return r;
}
