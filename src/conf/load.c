#include "conf/load.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "conf/context.h"

#include <errno.h>

/* Steps find faults in their own order; people read them in the order of the text. Stays stable for faults of
 * one place. Files keep the order in which they were mentioned first. */
static size_t file_rank(const struct fault_list *faults, size_t from, const struct fault *fault)
{
    size_t at = from;

    while (strcmp(faults->faults[at].file, fault->file) != 0)
        at++;
    return at;
}

static bool in_order(const struct fault *a, const struct fault *b)
{
    return a->line < b->line || (a->line == b->line && a->column <= b->column);
}

static void sort_faults(struct fault_list *faults, size_t from)
{
    for (size_t i = from + 1; i < faults->count; i++) {
        struct fault fault = faults->faults[i];
        size_t rank = file_rank(faults, from, &fault), at = i;

        while (at > from) {
            const struct fault *before = &faults->faults[at - 1];
            size_t before_rank = file_rank(faults, from, before);

            if (before_rank < rank || (before_rank == rank && in_order(before, &fault)))
                break;
            faults->faults[at] = *before;
            at--;
        }
        faults->faults[at] = fault;
    }
}

static int load(struct conf_context *context, const char *file, struct bytes text, void **ret)
{
    const struct conf_schema *schema = context->request->schema;
    const struct conf_node *main_root;
    struct conf_node *root = NULL;
    void *into;
    int err;

    err = conf_include(context, file, text);
    if (err)
        return err;
    err = conf_merge(context, &root);
    if (err)
        return err;
    /* Without the main file's text everything would seem to be missing. */
    main_root = context->files[0].root;
    if (!main_root || main_root->kind == CONF_NODE_SCALAR || main_root->kind == CONF_NODE_LIST)
        return 0;
    into = arena_zalloc(context->arena, schema->size);
    if (!into)
        return -ENOMEM;
    err = conf_decode_struct(context, schema, root, NULL, into);
    if (err)
        return err;
    /* What could not be read may hold what is referred to. */
    if (!context->unread)
        conf_resolve(context);
    *ret = into;
    return 0;
}

int conf_load(const struct conf_request *request, const char *file, struct bytes text, struct arena *arena,
              struct fault_list *faults, void **ret)
{
    struct conf_context *context = mem_zalloc(sizeof(*context));
    size_t kept = faults->count;
    void *result = NULL;
    int err = -ENOMEM;

    if (context) {
        context->request = request;
        context->arena = arena;
        context->faults = faults;
        context->faults_before = faults->count + faults->dropped;
        context->references_tail = &context->references;
        arena_init(&context->scratch, NULL, CONF_SCRATCH_MAX);
        err = load(context, file, text, &result);
        for (size_t i = 0; i < context->kind_count; i++)
            map_done(&context->kinds[i].names);
        if (!err && conf_fault_count(context))
            err = -EINVAL;
        arena_done(&context->scratch);
        mem_free(context);
    }
    if (err == -ENOMEM) {
        struct fault *fault = fault_list_add(faults);

        fault_set(fault, "not enough memory to read the configuration");
        fault_at(fault, file, 0, 0);
    }
    sort_faults(faults, kept);
    ASSERT(err || result);
    if (!err)
        *ret = result;
    return err;
}
