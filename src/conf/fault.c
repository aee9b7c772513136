#include "conf/context.h"

#include <stdarg.h>

#define PATH_SHOWN_MAX 160 /* leaves more than half of a fault to what is wrong */

struct fault *conf_fault(struct conf_context *context, struct conf_place place, const struct conf_path *path,
                         const char *format, ...)
{
    struct fault *fault = fault_list_add(context->faults);
    char memory[PATH_SHOWN_MAX];
    struct text text = text_into(memory, sizeof(memory));
    char what_memory[FAULT_TEXT_MAX];
    struct text what = text_into(what_memory, sizeof(what_memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&what, format, args);
    va_end(args);
    conf_path_write(&text, path);
    fault_at(fault, place.file, place.line, place.column);
    fault_set(fault, BYTES_FMT "%s%s" BYTES_FMT, BYTES_ARG(text_bytes(&text)), text.full ? "..." : "",
              text.len ? ": " : "", BYTES_ARG(text_bytes(&what)));
    return fault;
}

size_t conf_fault_count(const struct conf_context *context)
{
    return context->faults->count + context->faults->dropped - context->faults_before + context->broken;
}

bool conf_faults_full(const struct conf_context *context)
{
    return context->faults->count >= FAULTS_MAX && context->faults->dropped > 0;
}

struct conf_suggestion conf_suggestion_for(struct bytes wanted)
{
    /* Two letters that changed places count as two edits. */
    return (struct conf_suggestion){ .wanted = wanted, .limit = wanted.len < 4 ? 1 : wanted.len < 8 ? 2 : 3 };
}

void conf_suggestion_offer(struct conf_suggestion *suggestion, struct bytes name)
{
    size_t difference = name.len > suggestion->wanted.len ? name.len - suggestion->wanted.len
                                                          : suggestion->wanted.len - name.len;
    unsigned limit = suggestion->best.data ? suggestion->distance - 1 : suggestion->limit;
    unsigned distance;

    if (suggestion->offered++ >= CONF_SUGGEST_MAX || (suggestion->best.data && suggestion->distance == 0))
        return;
    if (difference > limit)
        return;
    distance = bytes_distance(suggestion->wanted, name, limit);
    if (distance > limit || distance >= name.len)
        return;
    suggestion->best = name;
    suggestion->distance = distance;
}

bool conf_suggestion_found(const struct conf_suggestion *suggestion)
{
    return suggestion->best.data != NULL;
}

void conf_suggestion_hint(const struct conf_suggestion *suggestion, const struct text *known, struct fault *fault)
{
    if (conf_suggestion_found(suggestion))
        fault_hint(fault, "did you mean \"" BYTES_FMT "\"?", BYTES_ARG(suggestion->best));
    else if (known && known->len)
        fault_hint(fault, "known: " BYTES_FMT "%s", BYTES_ARG(text_bytes(known)), known->full ? "..." : "");
}
