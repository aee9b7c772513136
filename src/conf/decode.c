#include "base/assert.h"
#include "conf/context.h"

#include <errno.h>
#include <stdarg.h>

#define KNOWN_TEXT_MAX 160 /* names listed in a hint */

/* "run:./orders" is a key as long as no space follows the colon. */
static bool hint_space(const struct conf_schema *schema, struct bytes key, struct fault *fault)
{
    ssize_t at = bytes_find_char(key, ':');

    if (at < 0 || !conf_schema_field(schema, bytes_slice(key, 0, (size_t)at)))
        return false;
    fault_hint(fault, "a space must follow the colon: \"" BYTES_FMT ": ...\"", (int)at, key.data);
    return true;
}

CONF_COLD static void unknown_key(struct conf_context *context, const struct conf_schema *schema,
                                  const struct conf_entry *entry, const struct conf_path *path)
{
    struct conf_suggestion suggestion = conf_suggestion_for(entry->key);
    char memory[KNOWN_TEXT_MAX];
    struct text known = text_into(memory, sizeof(memory));
    struct fault *fault;

    fault = conf_fault(context, entry->place, path, "unknown key \"" BYTES_FMT "\"",
                       BYTES_ARG(bytes_slice(entry->key, 0, CONF_NAME_MAX)));
    if (hint_space(schema, entry->key, fault))
        return;
    for (size_t i = 0; i < schema->count && !conf_faults_full(context); i++) {
        text_add_format(&known, "%s%s", i ? ", " : "", schema->fields[i].key);
        conf_suggestion_offer(&suggestion, bytes_of_text(schema->fields[i].key));
    }
    conf_suggestion_hint(&suggestion, &known, fault);
}

static int decode_field(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                        const struct conf_path *path, void *into)
{
    if (field->given)
        *(bool *)((char *)into + field->given - 1) = true;
    return conf_decode_value(context, field, node, path, (char *)into + field->offset);
}

static int decode_entries(struct conf_context *context, const struct conf_schema *schema, struct conf_node *node,
                          const struct conf_path *path, void *into)
{
    int err = 0;

    for (struct conf_entry *entry = node->first; entry && !err; entry = entry->next) {
        const struct conf_field *field = conf_schema_field(schema, entry->key);
        struct conf_path inner = { .parent = path, .key = entry->key };

        if (field)
            err = decode_field(context, field, entry->value, &inner, into);
        else
            unknown_key(context, schema, entry, path);
    }
    return err;
}

CONF_COLD static void require_keys(struct conf_context *context, const struct conf_schema *schema,
                                   const struct conf_node *node, const struct conf_path *path,
                                   const struct conf_field *written)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct conf_field *field = &schema->fields[i];
        struct fault *fault;

        if (!(field->flags & CONF_REQUIRED) || field == written ||
            (node->kind == CONF_NODE_MAP && conf_node_find(node, bytes_of_text(field->key))))
            continue;
        fault = conf_fault(context, node->place, path, "missing key \"%s\"", field->key);
        if (field->example)
            fault_hint(fault, "such as %s: %s", field->key, field->example);
    }
}

static int run_check(struct conf_context *context, const struct conf_schema *schema, const struct conf_node *node,
                     const struct conf_path *path, void *into)
{
    struct conf_check check = { .context = context, .schema = schema, .node = node, .path = path };

    return schema->check ? schema->check(&check, into) : 0;
}

int conf_decode_struct(struct conf_context *context, const struct conf_schema *schema, struct conf_node *node,
                       const struct conf_path *path, void *into)
{
    const struct conf_field mapping = { .type = CONF_STRUCT, .schema = schema };
    const struct conf_field *field = NULL;
    size_t trouble = conf_fault_count(context);
    int err = 0;

    conf_defaults(schema, into);
    if (schema->place)
        memcpy((char *)into + schema->place - 1, &node->place, sizeof(node->place));
    if (node->kind == CONF_NODE_MAP) {
        err = decode_entries(context, schema, node, path, into);
    } else if (node->kind != CONF_NODE_NOTHING && schema->shorthand) {
        field = conf_schema_field(schema, bytes_of_text(schema->shorthand));
        ASSERT(field);
        err = decode_field(context, field, node, path, into);
    } else if (node->kind != CONF_NODE_NOTHING) {
        conf_fault_type(context, &mapping, node, path);
        return 0;
    }
    if (err)
        return err;
    require_keys(context, schema, node, path, field);
    return conf_fault_count(context) == trouble ? run_check(context, schema, node, path, into) : 0;
}

static int decode_struct_field(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                               const struct conf_path *path, void *into)
{
    void *value = into;

    ASSERT(into != NULL);
    if (field->flags & CONF_POINTER) {
        value = arena_zalloc(context->arena, field->schema->size);
        if (!value)
            return -ENOMEM;
        memcpy(into, &value, sizeof(value));
    }
    return conf_decode_struct(context, field->schema, node, path, value);
}

static int decode_list(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, struct conf_list *into)
{
    size_t size = conf_field_size(field->element);
    struct conf_entry alone = { .value = node };
    struct conf_entry *item = &alone;
    size_t count = 1, index = 0;
    char *items;
    int err = 0;

    if (node->kind == CONF_NODE_LIST || node->kind == CONF_NODE_NOTHING) {
        count = node->count;
        item = node->first;
    } else if (!(field->flags & CONF_SINGLE)) {
        struct fault *fault = conf_fault_type(context, field, node, path);

        fault_hint(fault, "write [...] or lines that begin with \"- \"");
        return 0;
    }
    conf_check_count(context, field, node->place, path, "its number of items ", count);
    items = count ? arena_zalloc(context->arena, count * size) : NULL;
    if (count && !items)
        return -ENOMEM;
    for (; item && !err; item = item->next, index++) {
        struct conf_path inner = { .parent = path, .index = index };

        err = conf_decode_value(context, field->element, item->value, item == &alone ? path : &inner,
                                items + index * size);
    }
    ASSERT(into != NULL);
    *into = (struct conf_list){ items, count, .single = count && node->kind != CONF_NODE_LIST };
    return err;
}

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

static int decode_name(struct conf_context *context, const struct conf_field *field, const struct conf_entry *entry,
                       const struct conf_path *path, struct conf_map_entry *into)
{
    char *name = arena_text(context->arena, entry->key);

    if (!name)
        return -ENOMEM;
    into->name = bytes_of(name, entry->key.len);
    into->place = entry->place;
    if (!conf_name_ok(field->names, into->name)) {
        bool ascii = is_ascii(into->name);

        fault_hint(conf_fault(context, entry->place, path, "\"" BYTES_FMT "\" is no name for this",
                              BYTES_ARG(bytes_slice(entry->key, 0, CONF_NAME_MAX + 1))),
                   "%s%s", ascii ? "" : "it holds characters that may look like others, or like spaces; write ",
                   conf_names_phrase(field->names));
        return 0;
    }
    return field->declares ? conf_declare(context, field->declares, into->name, &into->place, path) : 0;
}

static int decode_map(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                      const struct conf_path *path, struct conf_map *into)
{
    size_t size = conf_field_size(field->element), index = 0;
    struct conf_map_entry *entries;
    char *values;

    if (node->kind != CONF_NODE_MAP && node->kind != CONF_NODE_NOTHING) {
        conf_fault_type(context, field, node, path);
        return 0;
    }
    conf_check_count(context, field, node->place, path, "its number of entries ", node->count);
    if (!node->count)
        return 0;
    entries = arena_zalloc(context->arena, node->count * sizeof(*entries));
    values = entries ? arena_zalloc(context->arena, node->count * size) : NULL;
    if (!values)
        return -ENOMEM;
    for (struct conf_entry *entry = node->first; entry; entry = entry->next, index++) {
        struct conf_path inner = { .parent = path, .key = entry->key };
        int err = decode_name(context, field, entry, path, &entries[index]);

        entries[index].value = values + index * size;
        if (!err)
            err = conf_decode_value(context, field->element, entry->value, &inner, entries[index].value);
        if (err)
            return err;
    }
    ASSERT(into != NULL);
    *into = (struct conf_map){ entries, node->count };
    return 0;
}

int conf_decode_value(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                      const struct conf_path *path, void *into)
{
    if (node->broken) {
        context->broken++;
        return 0;
    }
    switch (field->type) {
    case CONF_STRUCT: return decode_struct_field(context, field, node, path, into);
    case CONF_LIST: return decode_list(context, field, node, path, into);
    case CONF_MAP: return decode_map(context, field, node, path, into);
    case CONF_UNION: return conf_decode_union(context, field, node, path, into);
    case CONF_UNIONS: return conf_decode_unions(context, field, node, path, into);
    default: return conf_decode_scalar(context, field, node, path, into);
    }
}

struct fault *conf_check_fault(struct conf_check *check, const char *key, const char *format, ...)
{
    const struct conf_node *map = check->node->kind == CONF_NODE_MAP ? check->node : NULL;
    const struct conf_entry *entry = key && map ? conf_node_find(map, bytes_of_text(key)) : NULL;
    struct conf_path inner = { .parent = check->path, .key = bytes_of_text(key) };
    char memory[FAULT_TEXT_MAX];
    struct text what = text_into(memory, sizeof(memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&what, format, args);
    va_end(args);
    return conf_fault(check->context, entry ? entry->value->place : check->node->place, entry ? &inner : check->path,
                      BYTES_FMT, BYTES_ARG(text_bytes(&what)));
}

bool conf_check_given(const struct conf_check *check, const char *key)
{
    const struct conf_node *node = check->node;

    if (node->kind == CONF_NODE_MAP)
        return conf_node_find(node, bytes_of_text(key)) != NULL;
    return node->kind != CONF_NODE_NOTHING && bytes_equal(bytes_of_text(key), bytes_of_text(check->schema->shorthand));
}

struct arena *conf_check_arena(struct conf_check *check)
{
    return check->context->arena;
}
