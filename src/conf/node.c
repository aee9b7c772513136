#include "conf/node.h"

#define SHOWN_MAX 40 /* characters of a text in a message: enough to find it */

void conf_node_append(struct conf_node *node, struct conf_entry *entry)
{
    entry->next = NULL;
    if (!node->first)
        node->first = entry;
    else
        *node->tail = entry;
    node->tail = &entry->next;
    node->count++;
}

struct conf_entry *conf_node_find(const struct conf_node *map, struct bytes key)
{
    for (struct conf_entry *entry = map->first; entry; entry = entry->next)
        if (entry->key.data && bytes_equal(entry->key, key))
            return entry;
    return NULL;
}

void conf_path_write(struct text *text, const struct conf_path *path)
{
    if (!path)
        return;
    conf_path_write(text, path->parent);
    if (!path->key.data) {
        text_add_format(text, "[%zu]", path->index);
        return;
    }
    if (text->len)
        text_add_char(text, '.');
    text_add(text, path->key);
}

/* Line ends and other control characters would spoil the one line that a fault is. */
static void describe_text(struct text *text, struct bytes value)
{
    size_t shown = 0, at = 0;

    text_add_char(text, '"');
    for (; at < value.len && shown < SHOWN_MAX; shown++) {
        unsigned char c = (unsigned char)value.data[at];

        if (c < 0x20 || c == 0x7f)
            text_add_char(text, ' ');
        else
            text_add_char(text, (char)c);
        at++;
        while (at < value.len && ((unsigned char)value.data[at] & 0xc0) == 0x80)
            text_add_char(text, value.data[at++]);
    }
    if (at < value.len)
        text_add(text, BYTES("..."));
    text_add_char(text, '"');
}

void conf_node_describe(struct text *text, const struct conf_node *node)
{
    switch (node->kind) {
    case CONF_NODE_NOTHING: text_add(text, BYTES("nothing")); break;
    case CONF_NODE_LIST: text_add(text, BYTES("a list")); break;
    case CONF_NODE_MAP: text_add(text, BYTES("a mapping")); break;
    case CONF_NODE_SCALAR: describe_text(text, node->text); break;
    }
}
