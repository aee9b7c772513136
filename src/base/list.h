/* base/list.h - intrusive circular doubly linked list. The head is a node of its own. A node that is in
 * no list points to itself, so list_remove() may be called twice. */
#ifndef WEFT_BASE_LIST_H
#define WEFT_BASE_LIST_H

#include "base/defs.h"

struct list_node {
    struct list_node *next, *prev;
};

#define LIST_INIT(name)  \
    {                    \
        &(name), &(name) \
    }

static inline void list_init(struct list_node *node)
{
    node->next = node->prev = node;
}

static inline bool list_empty(const struct list_node *head)
{
    return head->next == head;
}

static inline bool list_linked(const struct list_node *node)
{
    return node->next != node;
}

static inline void list_insert_between(struct list_node *node, struct list_node *prev, struct list_node *next)
{
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
}

static inline void list_push_back(struct list_node *head, struct list_node *node)
{
    list_insert_between(node, head->prev, head);
}

static inline void list_push_front(struct list_node *head, struct list_node *node)
{
    list_insert_between(node, head, head->next);
}

static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The first node, taken out; NULL when the list is empty. */
static inline struct list_node *list_pop_front(struct list_node *head)
{
    struct list_node *node = head->next;

    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

/* Moves all nodes of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_move_all(struct list_node *to, struct list_node *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* `next_name` keeps the walk valid when the body removes `name`. */
#define LIST_EACH(head, name, next_name)                                                   \
    for (struct list_node *name = (head)->next, *next_name = name->next; (name) != (head); \
         (name) = (next_name), (next_name) = (name)->next)

#endif
