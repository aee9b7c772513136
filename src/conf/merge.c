/* Files put together, key by key of the root. Nodes of the files are not changed: they may be shared by
 * aliases. */
#include "base/alloc.h"
#include "conf/context.h"

#include <errno.h>

struct merge {
    struct conf_context *context;
    struct conf_node *into;
    struct map *names; /* for each field of the root, if it is a map: its names so far */
};

static int append(struct merge *merge, struct conf_node *node, const struct conf_entry *entry, struct conf_node *value)
{
    struct conf_entry *copy = arena_alloc(&merge->context->scratch, sizeof(*copy));

    if (!copy)
        return -ENOMEM;
    *copy = *entry;
    copy->value = value;
    conf_node_append(node, copy);
    return 0;
}

/* The root's own node for a key whose values are put together. */
static int container(struct merge *merge, const struct conf_entry *entry, struct conf_node **ret)
{
    struct conf_entry *before = conf_node_find(merge->into, entry->key);
    struct conf_node *node;
    int err;

    if (before) {
        *ret = before->value;
        return 0;
    }
    node = arena_zalloc(&merge->context->scratch, sizeof(*node));
    if (!node)
        return -ENOMEM;
    node->place = entry->value->place;
    err = append(merge, merge->into, entry, node);
    if (!err)
        *ret = node;
    return err;
}

static int merge_map(struct merge *merge, const struct conf_entry *entry, struct conf_node *into, struct map *names)
{
    struct conf_path path = { .key = entry->key };
    int err = 0;

    for (struct conf_entry *item = entry->value->first; item && !err; item = item->next) {
        const struct conf_entry *before = map_get(names, item->key);
        struct conf_path inner = { .parent = &path, .key = item->key };

        if (before) {
            conf_fault(merge->context, item->place, &inner, "defined twice, first at %s:%u:%u", before->place.file,
                       before->place.line, before->place.column);
            continue;
        }
        err = map_put(names, item->key, item);
        if (!err)
            err = append(merge, into, item, item->value);
    }
    return err;
}

static int merge_list(struct merge *merge, const struct conf_entry *entry, struct conf_node *into)
{
    struct conf_entry alone = { .value = entry->value, .place = entry->value->place };
    struct conf_entry *item = entry->value->kind == CONF_NODE_LIST ? entry->value->first : &alone;
    int err = 0;

    for (; item && !err; item = item->next)
        err = append(merge, into, item, item->value);
    return err;
}

/* One of its kind: the first file that has it wins, the others are told. */
static int merge_single(struct merge *merge, const struct conf_entry *entry)
{
    bool known = conf_schema_field(merge->context->request->schema, entry->key);
    const struct conf_entry *before = known ? conf_node_find(merge->into, entry->key) : NULL;
    struct conf_path path = { .key = entry->key };

    if (!before)
        return append(merge, merge->into, entry, entry->value);
    conf_fault(merge->context, entry->place, &path, "defined twice, first at %s:%u:%u", before->place.file,
               before->place.line, before->place.column);
    return 0;
}

static int merge_entry(struct merge *merge, const struct conf_entry *entry)
{
    const struct conf_schema *schema = merge->context->request->schema;
    const struct conf_field *field = conf_schema_field(schema, entry->key);
    enum conf_type type = field ? field->type : 0;
    enum conf_node_kind kind = entry->value->kind;
    enum conf_node_kind wanted = type == CONF_MAP ? CONF_NODE_MAP : CONF_NODE_LIST;
    bool alone = type == CONF_LIST && field->flags & CONF_SINGLE && kind != CONF_NODE_NOTHING;
    struct conf_node *into;
    int err;

    if (type != CONF_MAP && type != CONF_LIST)
        return merge_single(merge, entry);
    /* What has the wrong shape goes on as it is, to be refused by the decoder. */
    if (kind != wanted && kind != CONF_NODE_NOTHING && !alone)
        return append(merge, merge->into, entry, entry->value);
    err = container(merge, entry, &into);
    if (err || kind == CONF_NODE_NOTHING)
        return err;
    if (into->kind != CONF_NODE_NOTHING && into->kind != wanted)
        return append(merge, merge->into, entry, entry->value);
    into->kind = wanted;
    return type == CONF_MAP ? merge_map(merge, entry, into, &merge->names[field - schema->fields])
                            : merge_list(merge, entry, into);
}

static int merge_file(struct merge *merge, const struct conf_file *file)
{
    const struct conf_field mapping = { .type = CONF_STRUCT, .schema = merge->context->request->schema };
    int err = 0;

    if (!file->root || file->root->kind == CONF_NODE_NOTHING)
        return 0;
    if (file->root->kind != CONF_NODE_MAP) {
        if (file->root->broken)
            merge->context->broken++;
        else
            conf_fault_type(merge->context, &mapping, file->root, NULL);
        return 0;
    }
    for (const struct conf_entry *entry = file->root->first; entry && !err; entry = entry->next)
        err = merge_entry(merge, entry);
    return err;
}

int conf_merge(struct conf_context *context, struct conf_node **ret)
{
    const struct conf_schema *schema = context->request->schema;
    struct merge merge = { .context = context };
    struct conf_node *alone = context->file_count == 1 ? context->files[0].root : NULL;
    int err = 0;

    if (alone && (alone->kind == CONF_NODE_MAP || alone->kind == CONF_NODE_NOTHING)) {
        *ret = alone;
        return 0;
    }
    merge.into = arena_zalloc(&context->scratch, sizeof(*merge.into));
    merge.names = arena_zalloc(&context->scratch, schema->count * sizeof(*merge.names));
    if (!merge.into || !merge.names)
        return -ENOMEM;
    merge.into->kind = CONF_NODE_MAP;
    merge.into->place = context->files[0].root ? context->files[0].root->place : context->files[0].place;
    for (size_t i = 0; i < schema->count; i++)
        map_init(&merge.names[i], (struct hash_key){ 0 }, CONF_NODES_MAX);
    for (size_t i = 0; i < context->file_count && !err; i++)
        err = merge_file(&merge, &context->files[i]);
    for (size_t i = 0; i < schema->count; i++)
        map_done(&merge.names[i]);
    if (!err)
        *ret = merge.into;
    return err;
}
