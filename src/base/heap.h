/* base/heap.h - intrusive pairing heap, smallest key first (Fredman, Sedgewick, Sleator, Tarjan, 1986).
 *
 * (1) No function allocates or fails: a timer can always be armed.
 * (2) Insert is O(1); take and remove are O(log n) amortised.
 * (3) Equal keys leave in the order in which they were inserted (the simulator depends on it).
 * A node is in at most one heap; heap_linked() tells.
 */
#ifndef WEFT_BASE_HEAP_H
#define WEFT_BASE_HEAP_H

#include "base/defs.h"

struct heap_node {
    struct heap_node *child, *next,
        *prev; /* prev: the previous sibling, or the parent of a first child; a root's: itself */
    int64_t key;
    uint64_t order; /* set by insert: breaks ties */
};

struct heap {
    struct heap_node *root;
    uint64_t order;
    size_t count;
};

void heap_init(struct heap *heap);
void heap_node_init(struct heap_node *node);
bool heap_linked(const struct heap_node *node);
void heap_insert(struct heap *heap, struct heap_node *node, int64_t key); /* node must not be in a heap */
void heap_remove(struct heap *heap, struct heap_node *node);              /* does nothing if it is in none */
struct heap_node *heap_first(const struct heap *heap);                    /* NULL when empty; stays in */

#endif
