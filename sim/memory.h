/* sim/memory.h - memory by simulated process, so that a crash can drop all of it.
 *
 * A second implementation of base/alloc.h: each piece has a head that links it into the list of the process whose
 * code is running. Nothing of what is simulated knows. The linker finds this one first, since libraries are named
 * from the top floor down and this archive comes before that of base/; both at once would be a link error.
 *
 * (1) A process that ends by itself must have given everything back: what is left is a leak, and the world fails.
 * (2) A process that is killed never runs again; sim_memory_drop() frees what it held.
 * (3) The world's own memory belongs to no process, also when it is taken inside a call of one: sim_take().
 * Counters and mem_fail_after() of base/alloc.h work as ever, for what is simulated alone. Memory that libraries take
 * with malloc() is not seen.
 */
#ifndef WEFT_SIM_MEMORY_H
#define WEFT_SIM_MEMORY_H

#include "base/alloc.h"
#include "base/list.h"

struct sim_memory {
    struct list_node pieces;
    uint64_t count;
    size_t bytes;
};

void sim_memory_init(struct sim_memory *memory);

/* From now on what is taken belongs to `memory`; NULL: to no process. Returns who was charged before. */
struct sim_memory *sim_memory_enter(struct sim_memory *memory);

/* Frees every piece. Returns how many there were. */
uint64_t sim_memory_drop(struct sim_memory *memory);

/* All zero, of the world. The world ends the program when there is no memory: it is a test. Freed by mem_free(). */
void *sim_take(size_t size) MUST_CHECK;

#endif
