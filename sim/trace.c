#include "base/hash.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name, *labels[3];
} KINDS[] = {
#define TRACE(name, text, a, b, c) { text, { a, b, c } },
#include "sim/trace.def"
#undef TRACE
};

int64_t sim_content(struct bytes content)
{
    return (int64_t)(hash_fnv1a(content) >> 1);
}

static void print(struct world *world, enum sim_trace_kind kind, const char *what, const int64_t *numbers)
{
    char line[SIM_TRACE_LINE_MAX];
    struct text text = text_into(line, sizeof(line) - 1);

    text_add_format(&text, "%5" PRId64 ".%09" PRId64 "  %-12s %-10s", world->now_ns / NS_PER_S,
                    world->now_ns % NS_PER_S, world->current ? world->current->name : "-", what);
    for (unsigned i = 0; i < 3; i++)
        if (KINDS[kind].labels[i][0])
            text_add_format(&text, " %s %" PRId64, KINDS[kind].labels[i], numbers[i]);
    line[text.len] = '\0';
    world->trace.print(world->trace.context, line);
}

static void record(struct world *world, enum sim_trace_kind kind, const char *what, const int64_t *numbers)
{
    uint64_t who = world->current ? world->current->number : 0;
    uint64_t hash = world->trace.hash;

    hash = hash_mix64(hash ^ (uint64_t)world->now_ns);
    hash = hash_mix64(hash ^ (who << 8 | (uint64_t)kind));
    for (unsigned i = 0; i < 3; i++)
        hash = hash_mix64(hash + (uint64_t)numbers[i] + 1);
    world->trace.hash = hash;
    world->trace.lines++;
    if (world->trace.print)
        print(world, kind, what, numbers);
}

void world_trace(struct world *world, enum sim_trace_kind kind, int64_t a, int64_t b, int64_t c)
{
    record(world, kind, KINDS[kind].name, (const int64_t[]){ a, b, c });
}

void world_note(struct world *world, const char *text, int64_t a, int64_t b)
{
    record(world, SIM_TRACE_NOTE, text, (const int64_t[]){ sim_content(bytes_of_text(text)), a, b });
}
