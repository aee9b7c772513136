/* conf/node.h - what a YAML text says, before anybody knows what it means. Inside of conf/ only.
 *
 * (1) Nodes live in the load's scratch arena, and none is changed once its file has been read.
 * (2) Aliases share nodes: a tree is in truth a graph without cycles; `weight` and `height` count what it would
 *     be as a tree.
 * (3) An empty plain scalar, ~ and null are CONF_NODE_NOTHING.
 */
#ifndef WEFT_CONF_NODE_H
#define WEFT_CONF_NODE_H

#include "base/arena.h"
#include "conf/schema.h"

enum conf_node_kind { CONF_NODE_NOTHING, CONF_NODE_SCALAR, CONF_NODE_LIST, CONF_NODE_MAP };

struct conf_node {
    enum conf_node_kind kind;
    bool quoted;      /* scalar: a string whatever it looks like */
    bool substituted; /* scalar: a variable was put in */
    bool broken;      /* has a fault already: nothing more is said about its value */
    bool kept;        /* scalar: `text` is in the arena of the results already */
    unsigned height;  /* 1: no children */
    size_t weight;    /* nodes under it and itself, aliases counted as often as they are used */
    size_t count;     /* items or entries */
    struct conf_place place;
    struct bytes text; /* scalar */
    struct conf_entry *first, **tail;
};

/* An item of a list (no key) or an entry of a map. */
struct conf_entry {
    struct conf_entry *next;
    struct bytes key;
    struct conf_place place; /* of the key, or of the item */
    struct conf_node *value;
};

/* Where we are, for people: linked from the inside out, on the stack. */
struct conf_path {
    const struct conf_path *parent;
    struct bytes key; /* data NULL: an item */
    size_t index;
};

void conf_node_append(struct conf_node *node, struct conf_entry *entry);
struct conf_entry *conf_node_find(const struct conf_node *map, struct bytes key); /* NULL: none */

/* "services.orders.on[2]"; empty at the root. */
void conf_path_write(struct text *text, const struct conf_path *path);

/* For messages: nothing, a list, a mapping, "text" (shortened). */
void conf_node_describe(struct text *text, const struct conf_node *node);

#endif
