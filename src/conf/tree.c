/* The tree is built on a stack of CONF_DEPTH_MAX frames, not by recursion. */
#include "conf/tree.h"

#include <errno.h>

struct frame {
    struct conf_node *node;
    struct anchor *anchor;
    struct conf_path path; /* of the entry being read */
    bool has_key;
    bool dropping; /* the value of a key that was refused */
    bool dropped;  /* an entry is missing */
    struct conf_place key_place;
};

struct anchor {
    struct conf_node *node;
    bool open; /* its end has not been read yet */
};

struct conf_tree {
    struct conf_context *context;
    const char *file;
    struct map anchors;
    struct frame frames[CONF_DEPTH_MAX];
    unsigned depth;
    struct conf_node *root; /* NULL until it is complete */
};

static const struct conf_path *path_of(const struct conf_tree *tree)
{
    const struct frame *top = tree->depth ? &tree->frames[tree->depth - 1] : NULL;

    if (!top)
        return NULL;
    /* Between two entries of a map we are at the map itself. */
    return top->node->kind == CONF_NODE_MAP && !top->has_key ? top->path.parent : &top->path;
}

static bool expects_key(const struct conf_tree *tree)
{
    const struct frame *top = tree->depth ? &tree->frames[tree->depth - 1] : NULL;

    return top && top->node->kind == CONF_NODE_MAP && !top->has_key;
}

/* Every node counts, an alias as many as it stands for: "billion laughs" end here. */
static int count_nodes(struct conf_tree *tree, size_t weight, struct conf_place place)
{
    struct conf_context *context = tree->context;

    if (weight <= CONF_NODES_MAX && context->nodes <= CONF_NODES_MAX - weight) {
        context->nodes += weight;
        return 0;
    }
    fault_hint(conf_fault(context, place, path_of(tree), "more than %d values", CONF_NODES_MAX),
               "aliases count as often as they are used");
    return -EINVAL;
}

static int check_depth(struct conf_tree *tree, unsigned height, struct conf_place place)
{
    if (tree->depth + height <= CONF_DEPTH_MAX)
        return 0;
    conf_fault(tree->context, place, NULL, "nested deeper than %d levels", CONF_DEPTH_MAX);
    return -EINVAL;
}

/* The node is complete, or at least known: it becomes the root, an item, or the value of the pending key. */
static int attach(struct conf_tree *tree, struct conf_node *node, struct conf_place place)
{
    struct frame *top = tree->depth ? &tree->frames[tree->depth - 1] : NULL;
    struct conf_entry *entry;

    if (!top) {
        tree->root = node;
        return 0;
    }
    if (top->dropping) {
        top->dropping = top->has_key = false;
        top->dropped = true;
        return 0;
    }
    entry = arena_zalloc(&tree->context->scratch, sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    entry->value = node;
    entry->key = top->has_key ? top->path.key : BYTES_NONE;
    entry->place = top->has_key ? top->key_place : place;
    top->has_key = false;
    top->path.index++;
    top->node->weight = MIN(top->node->weight + node->weight, (size_t)CONF_NODES_MAX + 1);
    top->node->height = MAX(top->node->height, node->height + 1);
    conf_node_append(top->node, entry);
    return 0;
}

static int new_node(struct conf_tree *tree, enum conf_node_kind kind, struct conf_place place, struct conf_node **ret)
{
    struct conf_node *node;
    int err = count_nodes(tree, 1, place);

    if (!err)
        err = check_depth(tree, 1, place);
    if (err)
        return err;
    node = arena_zalloc(&tree->context->scratch, sizeof(*node));
    if (!node)
        return -ENOMEM;
    node->kind = kind;
    node->place = place;
    node->weight = node->height = 1;
    *ret = node;
    return 0;
}

/* Notes what `name` stands for. The map borrows the name, so it is copied. */
static int set_anchor(struct conf_tree *tree, struct bytes name, struct conf_node *node, struct anchor **ret)
{
    struct arena *scratch = &tree->context->scratch;
    struct anchor *anchor;
    struct bytes key;
    int err;

    if (!name.len)
        return 0;
    err = arena_copy(scratch, name, &key);
    anchor = err ? NULL : arena_zalloc(scratch, sizeof(*anchor));
    if (!anchor)
        return -ENOMEM;
    anchor->node = node;
    /* Replacing keeps the first key, which lives as long. */
    err = map_put(&tree->anchors, key, anchor);
    if (err)
        return err;
    *ret = anchor;
    return 0;
}

static int refuse_tag(struct conf_tree *tree, const struct conf_token *token)
{
    struct bytes core = BYTES("tag:yaml.org,2002:"), tag = token->tag;
    bool is_core = bytes_starts(tag, core);

    if (!tag.len)
        return 0;
    tag = bytes_slice(is_core ? bytes_skip(tag, core.len) : tag, 0, CONF_NAME_MAX);
    fault_hint(conf_fault(tree->context, token->place, path_of(tree), "tags are not supported"),
               "remove \"%s" BYTES_FMT "\"", is_core ? "!!" : "", BYTES_ARG(tag));
    return -EINVAL;
}

static int read_key(struct conf_tree *tree, const struct conf_token *token)
{
    struct frame *top = &tree->frames[tree->depth - 1];
    struct conf_place place = token->place;
    struct bytes key = token->text;
    int err;

    if (token->anchor.len) {
        conf_fault(tree->context, place, path_of(tree), "a key can't have an anchor");
        return -EINVAL;
    }
    if (bytes_find_char(key, '\0') >= 0) {
        conf_fault(tree->context, place, path_of(tree), "a key can't hold a zero byte");
        return -EINVAL;
    }
    if (key.len > CONF_KEY_MAX) {
        conf_fault(tree->context, place, path_of(tree), "a key can't be longer than %d bytes", CONF_KEY_MAX);
        return -EINVAL;
    }
    if (token->plain && bytes_equal(key, BYTES("<<"))) {
        top->dropping = true;
        fault_hint(conf_fault(tree->context, place, path_of(tree), "merge keys are not supported"),
                   "give the shared part a name and refer to it, or use an alias for a whole value");
    }
    err = arena_copy(&tree->context->scratch, key, &top->path.key);
    if (err)
        return err;
    top->has_key = true;
    top->key_place = place;
    return 0;
}

static bool is_nothing(const struct conf_token *token)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    if (!token->plain)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (bytes_equal(token->text, bytes_of_text(words[i])))
            return true;
    return false;
}

static int fill_scalar(struct conf_tree *tree, const struct conf_token *token, struct conf_node *node)
{
    struct conf_context *context = tree->context;
    struct bytes text;
    int err;

    node->quoted = !token->plain;
    if (is_nothing(token))
        return 0;
    node->kind = CONF_NODE_SCALAR;
    err = conf_substitute(context, node->place, path_of(tree), token->text, &text, &node->substituted);
    if (!err && bytes_find_char(text, '\0') >= 0) {
        conf_fault(context, node->place, path_of(tree), "must not hold a zero byte");
        err = -EINVAL;
    }
    node->broken = err == -EINVAL;
    if (err)
        return node->broken ? 0 : err;
    return arena_copy(&context->scratch, text, &node->text);
}

/* Long texts count more: looking at one again for each alias is work too. */
static int weigh_text(struct conf_tree *tree, struct conf_node *node)
{
    size_t more = node->text.len / CONF_NODE_TEXT;

    node->weight += more;
    return count_nodes(tree, more, node->place);
}

int conf_tree_scalar(struct conf_tree *tree, const struct conf_token *token)
{
    struct conf_node *node = NULL;
    struct anchor *anchor;
    int err = refuse_tag(tree, token);

    if (err)
        return err;
    if (expects_key(tree))
        return read_key(tree, token);
    err = new_node(tree, CONF_NODE_NOTHING, token->place, &node);
    if (!err)
        err = fill_scalar(tree, token, node);
    if (!err)
        err = weigh_text(tree, node);
    if (!err)
        err = set_anchor(tree, token->anchor, node, &anchor);
    return err ? err : attach(tree, node, token->place);
}

int conf_tree_alias(struct conf_tree *tree, const struct conf_token *token)
{
    const struct anchor *anchor = map_get(&tree->anchors, token->text);
    struct conf_place place = token->place;
    int err;

    if (expects_key(tree)) {
        conf_fault(tree->context, place, path_of(tree), "a key can't be an alias");
        return -EINVAL;
    }
    if (!anchor || anchor->open) {
        conf_fault(tree->context, place, path_of(tree),
                   anchor ? "alias *" BYTES_FMT " refers to what surrounds it"
                          : "alias *" BYTES_FMT " refers to no anchor before it",
                   BYTES_ARG(bytes_slice(token->text, 0, CONF_NAME_MAX)));
        return -EINVAL;
    }
    err = count_nodes(tree, anchor->node->weight, place);
    if (!err)
        err = check_depth(tree, anchor->node->height, place);
    return err ? err : attach(tree, anchor->node, place);
}

int conf_tree_start(struct conf_tree *tree, enum conf_node_kind kind, const struct conf_token *token)
{
    struct conf_place place = token->place;
    struct conf_node *node = NULL;
    struct frame *frame;
    int err = refuse_tag(tree, token);

    if (err)
        return err;
    if (expects_key(tree)) {
        fault_hint(conf_fault(tree->context, place, path_of(tree), "a key can't be a list or a mapping"),
                   "text that begins with { or [ needs quotes");
        return -EINVAL;
    }
    err = new_node(tree, kind, place, &node);
    if (err)
        return err;
    frame = &tree->frames[tree->depth];
    *frame = (struct frame){ .node = node, .path.parent = path_of(tree), .key_place = place };
    err = set_anchor(tree, token->anchor, node, &frame->anchor);
    if (err)
        return err;
    if (frame->anchor)
        frame->anchor->open = true;
    tree->depth++;
    return 0;
}

/* Takes entries out whose key was there before. */
static int drop_duplicates(struct conf_tree *tree, struct conf_node *node)
{
    struct conf_entry *entry = node->first;
    struct map keys;
    int err = 0;

    if (node->kind != CONF_NODE_MAP || node->count < 2)
        return 0;
    map_init(&keys, (struct hash_key){ 0 }, node->count);
    node->first = NULL;
    node->count = 0;
    for (struct conf_entry *next; entry && !err; entry = next) {
        const struct conf_entry *before = map_get(&keys, entry->key);

        next = entry->next;
        if (before) {
            conf_fault(tree->context, entry->place, path_of(tree), "duplicate key \"" BYTES_FMT "\", first at line %u",
                       BYTES_ARG(bytes_slice(entry->key, 0, CONF_NAME_MAX)), before->place.line);
            continue;
        }
        conf_node_append(node, entry);
        err = map_put(&keys, entry->key, entry);
    }
    map_done(&keys);
    return err;
}

int conf_tree_end(struct conf_tree *tree)
{
    struct frame *top = &tree->frames[tree->depth - 1];
    int err = drop_duplicates(tree, top->node);

    if (top->anchor)
        top->anchor->open = false;
    /* Nobody can tell what would be missing in it. */
    top->node->broken = top->dropped && top->node->count == 0;
    tree->depth--;
    return err ? err : attach(tree, top->node, top->node->place);
}

int conf_tree_new(struct conf_context *context, const char *file, struct conf_tree **ret)
{
    struct conf_tree *tree = arena_zalloc(&context->scratch, sizeof(*tree));

    if (!tree)
        return -ENOMEM;
    tree->context = context;
    tree->file = file;
    map_init(&tree->anchors, (struct hash_key){ 0 }, CONF_NODES_MAX);
    *ret = tree;
    return 0;
}

int conf_tree_root(struct conf_tree *tree, struct conf_node **ret)
{
    int err = 0;

    if (!tree->root)
        err = new_node(tree, CONF_NODE_NOTHING, (struct conf_place){ tree->file, 1, 1 }, &tree->root);
    if (!err)
        *ret = tree->root;
    return err;
}

void conf_tree_done(struct conf_tree *tree)
{
    map_done(&tree->anchors);
}
