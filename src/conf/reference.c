#include "base/assert.h"
#include "conf/context.h"

#include <errno.h>

static struct conf_kind *find_kind(struct conf_context *context, const char *name)
{
    for (size_t i = 0; i < context->kind_count; i++)
        if (bytes_equal(bytes_of_text(context->kinds[i].name), bytes_of_text(name)))
            return &context->kinds[i];
    return NULL;
}

int conf_declare(struct conf_context *context, const char *kind_name, struct bytes name, const struct conf_place *place,
                 const struct conf_path *path)
{
    struct conf_kind *kind = find_kind(context, kind_name);
    const struct conf_place *before;

    if (!kind) {
        ASSERT(context->kind_count < CONF_KINDS_MAX);
        kind = &context->kinds[context->kind_count++];
        kind->name = kind_name;
        map_init(&kind->names, (struct hash_key){ 0 }, CONF_NODES_MAX);
    }
    before = map_get(&kind->names, name);
    if (before) {
        conf_fault(context, *place, path, "there is a %s \"" BYTES_FMT "\" already, at %s:%u:%u", kind_name,
                   BYTES_ARG(name), before->file, before->line, before->column);
        return 0;
    }
    return map_put(&kind->names, name, (void *)(uintptr_t)place);
}

int conf_refer(struct conf_context *context, const char *kind, struct conf_place place, const struct conf_path *path,
               struct bytes text, const struct conf_set *set)
{
    struct conf_reference *reference = arena_zalloc(&context->scratch, sizeof(*reference));
    char memory[FAULT_TEXT_MAX];
    struct text path_text = text_into(memory, sizeof(memory));

    if (!reference)
        return -ENOMEM;
    conf_path_write(&path_text, path);
    reference->kind = kind;
    reference->set = set;
    reference->text = text;
    reference->place = place;
    *context->references_tail = reference;
    context->references_tail = &reference->next;
    return arena_copy(&context->scratch, text_bytes(&path_text), &reference->path);
}

void conf_resolve(struct conf_context *context)
{
    for (const struct conf_reference *reference = context->references; reference; reference = reference->next) {
        const struct conf_kind *kind = find_kind(context, reference->kind);
        struct conf_path path = { .key = reference->path };
        struct conf_suggestion suggestion = conf_suggestion_for(reference->text);
        struct map_entry *entry = NULL;
        struct fault *fault;

        if (kind && map_get(&kind->names, reference->text))
            continue;
        fault = conf_fault(context, reference->place, &path, "no %s is named \"" BYTES_FMT "\"", reference->kind,
                           BYTES_ARG(bytes_slice(reference->text, 0, CONF_NAME_MAX)));
        if (conf_faults_full(context))
            continue;
        while (kind && (entry = map_next(&kind->names, entry)))
            conf_suggestion_offer(&suggestion, entry->key);
        conf_suggestion_hint(&suggestion, NULL, fault);
        if (!kind)
            fault_hint(fault, "no %s is defined", reference->kind);
        if (reference->set && conf_alternative_find(reference->set, reference->text))
            fault_hint(fault, "as a %s write { " BYTES_FMT ": { ... } }", reference->set->name,
                       BYTES_ARG(reference->text));
    }
}
