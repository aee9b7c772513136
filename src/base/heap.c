#include "base/heap.h"

#include "base/assert.h"

void heap_init(struct heap *heap)
{
    *heap = (struct heap){ 0 };
}

void heap_node_init(struct heap_node *node)
{
    *node = (struct heap_node){ 0 };
}

bool heap_linked(const struct heap_node *node)
{
    return node->prev != NULL;
}

static inline bool comes_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

/* The later of two roots becomes the first child of the other, which is returned; its own next and prev are
 * the caller's to set. */
static inline struct heap_node *join(struct heap_node *a, struct heap_node *b)
{
    struct heap_node *winner = comes_before(a, b) ? a : b;
    struct heap_node *loser = winner == a ? b : a;

    loser->next = winner->child;
    if (loser->next)
        loser->next->prev = loser;
    loser->prev = winner;
    winner->child = loser;
    return winner;
}

/* Two passes over the siblings, as in the paper: joins pairs from the left, then the pairs from the right. */
static struct heap_node *join_siblings(struct heap_node *first)
{
    struct heap_node *pairs = NULL; /* the rightmost first, linked by next */
    struct heap_node *root;

    while (first) {
        struct heap_node *a = first;
        struct heap_node *b = a->next;
        struct heap_node *pair = a;

        first = b ? b->next : NULL;
        if (b)
            pair = join(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    root = pairs;
    if (!root)
        return NULL;
    pairs = root->next;
    while (pairs) {
        struct heap_node *pair = pairs;

        pairs = pair->next;
        root = join(root, pair);
    }
    return root;
}

static void set_root(struct heap *heap, struct heap_node *root)
{
    heap->root = root;
    if (root) {
        root->next = NULL;
        root->prev = root;
    }
}

void heap_insert(struct heap *heap, struct heap_node *node, int64_t key)
{
    ASSERT(!heap_linked(node));
    node->child = NULL;
    node->key = key;
    node->order = heap->order++;
    heap->count++;
    set_root(heap, heap->root ? join(heap->root, node) : node);
}

/* Takes a node that is no root, with what is under it, out of its siblings. */
static void cut(struct heap_node *node)
{
    if (node->prev->child == node)
        node->prev->child = node->next;
    else
        node->prev->next = node->next;
    if (node->next)
        node->next->prev = node->prev;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    struct heap_node *rest;

    if (!heap_linked(node))
        return;
    ASSERT(heap->count > 0);
    rest = join_siblings(node->child);
    if (node == heap->root) {
        set_root(heap, rest);
    } else {
        cut(node);
        if (rest)
            set_root(heap, join(heap->root, rest));
    }
    heap->count--;
    heap_node_init(node);
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->root;
}
