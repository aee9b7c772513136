#include "app/scale.h"

#include "app/table.h"
#include "base/alloc.h"
#include "supervise/log.h"

#include <jansson.h>
#include <stdio.h>

#define SCALE_FILE_MAX (SERVICES_MAX * (CONF_NAME_MAX + 64)) /* an entry of each service */

static struct scale_choice *find(const struct scales *scales, struct bytes service)
{
    LIST_EACH (&scales->choices, node, next) {
        struct scale_choice *choice = container_of(node, struct scale_choice, node);

        if (bytes_equal(bytes_of_text(choice->service), service))
            return choice;
    }
    return NULL;
}

static void choice_free(struct scale_choice *choice)
{
    list_remove(&choice->node);
    mem_free(choice->service);
    mem_free(choice);
}

static struct scale_choice *choice_add(struct scales *scales, struct bytes service, unsigned scale, unsigned file_scale)
{
    struct scale_choice *choice = mem_zalloc(sizeof(*choice));

    if (!choice)
        return NULL;
    choice->service = mem_copy_text(service.data, service.len);
    if (!choice->service) {
        mem_free(choice);
        return NULL;
    }
    choice->scale = scale;
    choice->file_scale = file_scale;
    list_push_back(&scales->choices, &choice->node);
    return choice;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static bool take_number(json_t *object, const char *key, unsigned *ret)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UNIT_SCALE_MAX)
        return false;
    *ret = (unsigned)json_integer_value(value);
    return true;
}

/* {"orders":{"scale":3,"file":1}}. False: it is nothing of ours. */
static bool take_all(struct scales *scales, json_t *root)
{
    const char *name;
    json_t *entry;
    bool fine = json_is_object(root);

    json_object_foreach(root, name, entry)
    {
        unsigned scale, file_scale;

        fine = fine && take_number(entry, "scale", &scale) && take_number(entry, "file", &file_scale) &&
               choice_add(scales, bytes_of_text(name), scale, file_scale);
    }
    return fine;
}

static int read_file(struct scales *scales)
{
    struct io *io = scales->app->io;
    struct bytes text;
    json_error_t error;
    json_t *root;
    bool fine;
    int r = io->ops->file_read(io, scales->path, SCALE_FILE_MAX, &text);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    root = table_depth_is(text, 2) ? json_loadb(text.data, text.len, 0, &error) : NULL;
    fine = root && take_all(scales, root);
    json_decref(root);
    mem_free((void *)(uintptr_t)text.data);
    return fine ? 0 : -EBADMSG;
}

static int write_file(const struct scales *scales)
{
    struct io *io = scales->app->io;
    char *memory = mem_alloc(SCALE_FILE_MAX);
    struct text text = text_into(memory, memory ? SCALE_FILE_MAX : 0);
    const char *between = "";
    int r = -ENOMEM;

    text_add_char(&text, '{');
    LIST_EACH (&scales->choices, node, next) {
        const struct scale_choice *choice = container_of(node, struct scale_choice, node);

        text_add_format(&text, "%s\n\"%s\":{\"scale\":%u,\"file\":%u}", between, choice->service, choice->scale,
                        choice->file_scale);
        between = ",";
    }
    text_add(&text, BYTES("\n}\n"));
    if (memory && !text.full)
        r = io->ops->file_write(io, scales->path, text_bytes(&text), 0600);
    mem_free(memory);
    return r;
}

void scales_open(struct scales *scales, struct app *app, const char *state, struct log *log)
{
    int len, r;

    scales->app = app;
    list_init(&scales->choices);
    len = snprintf(scales->path, sizeof(scales->path), "%s/scale.json", state);
    r = len < 0 || (size_t)len >= sizeof(scales->path) ? -ENAMETOOLONG : read_file(scales);
    if (r == 0)
        return;
    scales_close(scales);
    log_say(log, "%s can't be used: %s: the numbers of the file hold (weft scale writes it anew)", scales->path,
            app_reason(r));
}

void scales_close(struct scales *scales)
{
    while (!list_empty(&scales->choices))
        choice_free(container_of(scales->choices.next, struct scale_choice, node));
}

/* --- choices --------------------------------------------------------------------------------------------------------
 */

unsigned scales_of(const struct scales *scales, const struct plan_service *plan, bool *ret_chosen)
{
    const struct scale_choice *choice = find(scales, plan->name);
    bool chosen = choice && choice->file_scale == plan->scale;

    *ret_chosen = chosen;
    return chosen ? choice->scale : plan->scale;
}

/* What the file says already needs no choice. */
int scales_choose(struct scales *scales, const struct plan_service *plan, unsigned scale)
{
    struct scale_choice *before = find(scales, plan->name), *choice = NULL;
    int r;

    if (scale != plan->scale) {
        choice = choice_add(scales, plan->name, scale, plan->scale);
        if (!choice)
            return -ENOMEM;
    }
    if (before)
        list_remove(&before->node);
    r = before || choice ? write_file(scales) : 0;
    if (r < 0) {
        if (choice)
            choice_free(choice);
        if (before)
            list_push_back(&scales->choices, &before->node);
        return r;
    }
    if (before)
        choice_free(before);
    return 0;
}

void scales_follow(struct scales *scales, const struct plan *plan, struct log *log)
{
    bool changed = false;
    int r;

    LIST_EACH (&scales->choices, node, next) {
        struct scale_choice *choice = container_of(node, struct scale_choice, node);
        const struct plan_service *service = plan_find(plan, bytes_of_text(choice->service));

        if (service && service->scale == choice->file_scale)
            continue;
        if (service)
            log_say(log, "%s: the file's scale was changed from %u to %u, and counts again instead of %u of weft scale",
                    choice->service, choice->file_scale, service->scale, choice->scale);
        choice_free(choice);
        changed = true;
    }
    r = changed ? write_file(scales) : 0;
    if (r < 0)
        log_say(log, "%s can't be written: %s", scales->path, app_reason(r));
}
