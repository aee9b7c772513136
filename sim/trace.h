/* sim/trace.h - what happened, in one number that two runs can compare, and in lines that a person can read. */
#ifndef WEFT_SIM_TRACE_H
#define WEFT_SIM_TRACE_H

#include "base/bytes.h"

struct world;

enum sim_trace_kind {
#define TRACE(name, text, a, b, c) SIM_TRACE_##name,
#include "sim/trace.def"
#undef TRACE
};

struct sim_trace {
    uint64_t hash; /* of every line so far */
    uint64_t lines;
    void (*print)(void *context, const char *line); /* NULL: nobody reads */
    void *context;
};

#define SIM_TRACE_LINE_MAX 256

/* Whoever's code runs is named; kinds and their numbers stand in trace.def. */
void world_trace(struct world *world, enum sim_trace_kind kind, int64_t a, int64_t b, int64_t c);

/* The same for scenarios: the text becomes part of the hash. */
void world_note(struct world *world, const char *text, int64_t a, int64_t b);

/* Content as a number for a trace line; 63 bits. */
int64_t sim_content(struct bytes content);

#endif
