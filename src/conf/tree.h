/* conf/tree.h - nodes out of a sequence of tokens, within the bounds of a load. Inside of conf/ only.
 *
 * Each step returns 0; -EINVAL after a fault that leaves the rest without a meaning; -ENOMEM. Faults that concern one
 * value only are recorded, and the tree grows on.
 */
#ifndef WEFT_CONF_TREE_H
#define WEFT_CONF_TREE_H

#include "conf/context.h"

struct conf_token {
    struct conf_place place;
    struct bytes text;        /* of a scalar; the name of an alias */
    struct bytes anchor, tag; /* empty: none */
    bool plain;               /* scalar: without quotes */
};

struct conf_tree;

int conf_tree_new(struct conf_context *context, const char *file, struct conf_tree **ret) MUST_CHECK;
int conf_tree_scalar(struct conf_tree *tree, const struct conf_token *token) MUST_CHECK;
int conf_tree_alias(struct conf_tree *tree, const struct conf_token *token) MUST_CHECK;
int conf_tree_start(struct conf_tree *tree, enum conf_node_kind kind, const struct conf_token *token) MUST_CHECK;
int conf_tree_end(struct conf_tree *tree) MUST_CHECK;
int conf_tree_root(struct conf_tree *tree, struct conf_node **ret) MUST_CHECK; /* CONF_NODE_NOTHING when empty */
void conf_tree_done(struct conf_tree *tree);

#endif
