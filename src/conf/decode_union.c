#include "base/assert.h"
#include "conf/context.h"

#include <errno.h>

#define KNOWN_TEXT_MAX 160 /* names listed in a hint */

static const struct conf_set *set_of(const struct conf_context *context, const struct conf_field *field)
{
    const struct conf_request *request = context->request;
    const struct conf_set *set = conf_set_find(request->sets, request->set_count, field->alternatives);

    ASSERT(set);
    return set;
}

static void list_names(const struct conf_set *set, struct text *text)
{
    for (size_t i = 0; i < set->count; i++)
        text_add_format(text, "%s%s", i ? ", " : "", set->alternatives[i].name);
}

CONF_COLD static void unknown_alternative(struct conf_context *context, const struct conf_set *set,
                                          const struct conf_entry *entry, const struct conf_path *path)
{
    struct conf_suggestion suggestion = conf_suggestion_for(entry->key);
    char memory[KNOWN_TEXT_MAX];
    struct text known = text_into(memory, sizeof(memory));
    struct fault *fault;

    fault = conf_fault(context, entry->place, path, "unknown %s \"" BYTES_FMT "\"", set->name,
                       BYTES_ARG(bytes_slice(entry->key, 0, CONF_NAME_MAX)));
    for (size_t i = 0; i < set->count && !conf_faults_full(context); i++)
        conf_suggestion_offer(&suggestion, bytes_of_text(set->alternatives[i].name));
    list_names(set, &known);
    conf_suggestion_hint(&suggestion, &known, fault);
}

static int decode_alternative(struct conf_context *context, const struct conf_set *set, const struct conf_entry *entry,
                              const struct conf_path *path, struct conf_union *into)
{
    const struct conf_alternative *alternative = conf_alternative_find(set, entry->key);
    struct conf_field field = { .type = CONF_STRUCT, .flags = CONF_POINTER };
    struct conf_path inner = { .parent = path, .key = entry->key };

    if (!alternative) {
        unknown_alternative(context, set, entry, path);
        return 0;
    }
    field.schema = alternative->schema;
    into->alternative = alternative;
    into->place = entry->place;
    return conf_decode_value(context, &field, entry->value, &inner, &into->value);
}

static int decode_text_form(struct conf_context *context, const struct conf_field *field, const struct conf_set *set,
                            struct conf_node *node, const struct conf_path *path, struct conf_union *into)
{
    int err;

    into->place = node->place;
    if (!node->text.len) {
        conf_fault(context, node->place, path, "must not be empty");
        return 0;
    }
    err = conf_keep_text(context, node, &into->text);
    if (!err && field->reference)
        err = conf_refer(context, field->reference, node->place, path, into->text, set);
    return err;
}

/* Neither a mapping with one key nor, where that is fine, a text. */
CONF_COLD static void refuse_form(struct conf_context *context, const struct conf_field *field,
                                  const struct conf_set *set, const struct conf_node *node,
                                  const struct conf_path *path)
{
    const char *or_text = field->flags & CONF_TEXT_FORM ? "a name or " : "";
    char memory[FAULT_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct fault *fault;

    if (node->kind == CONF_NODE_MAP && node->count > 1)
        text_add_format(&text, "%zu keys", node->count);
    else if (node->kind == CONF_NODE_MAP)
        text_add(&text, BYTES("an empty mapping"));
    else
        conf_node_describe(&text, node);
    fault = conf_fault(context, node->place, path, "must be %sa mapping with one key that names a %s, found " BYTES_FMT,
                       or_text, set->name, BYTES_ARG(text_bytes(&text)));
    text = text_into(memory, KNOWN_TEXT_MAX);
    if (node->kind == CONF_NODE_MAP && node->count > 1) {
        fault_hint(fault, "one mapping holds one %s", set->name);
    } else if (node->kind == CONF_NODE_SCALAR && conf_alternative_find(set, node->text)) {
        fault_hint(fault, "write { " BYTES_FMT ": {} }", BYTES_ARG(node->text));
    } else {
        list_names(set, &text);
        fault_hint(fault, "known: " BYTES_FMT, BYTES_ARG(text_bytes(&text)));
    }
}

int conf_decode_union(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                      const struct conf_path *path, struct conf_union *into)
{
    const struct conf_set *set = set_of(context, field);

    if (node->kind == CONF_NODE_MAP && node->count == 1)
        return decode_alternative(context, set, node->first, path, into);
    if (node->kind == CONF_NODE_SCALAR && field->flags & CONF_TEXT_FORM)
        return decode_text_form(context, field, set, node, path, into);
    refuse_form(context, field, set, node, path);
    return 0;
}

int conf_decode_unions(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, struct conf_list *into)
{
    const struct conf_set *set = set_of(context, field);
    struct conf_union *unions;
    size_t index = 0;
    int err = 0;

    if (node->kind != CONF_NODE_MAP && node->kind != CONF_NODE_NOTHING) {
        conf_fault_type(context, field, node, path);
        return 0;
    }
    conf_check_count(context, field, node->place, path, "its number of entries ", node->count);
    if (!node->count)
        return 0;
    unions = arena_zalloc(context->arena, node->count * sizeof(*unions));
    if (!unions)
        return -ENOMEM;
    for (struct conf_entry *entry = node->first; entry && !err; entry = entry->next, index++)
        err = decode_alternative(context, set, entry, path, &unions[index]);
    *into = (struct conf_list){ unions, node->count };
    return err;
}
