/* Parts of a handler side by side. */
#include "chassis/service.h"

struct group {
    struct scope scope;
    enum weft_together how;
    int first; /* the first failure; 0: none */
};

struct part_task {
    struct task task;
    struct group *group;
    struct weft_call *call;
    struct weft_part *part;
};

static void part_ended(struct group *group, struct weft_part *part, int result)
{
    part->result = result;
    if (result >= 0 || group->first < 0)
        return;
    group->first = result;
    if (group->how == WEFT_STOP_AT_A_FAILURE)
        scope_cancel(&group->scope);
}

static int part_run(struct task *task)
{
    struct part_task *part = container_of(task, struct part_task, task);

    part_ended(part->group, part->part, part->part->run(part->call, part->part->user));
    return 0;
}

static bool fine(struct weft_part *parts, size_t count, int timeout_ms)
{
    if ((!parts && count > 0) || count > WEFT_PARTS_MAX || timeout_ms < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!parts[i].run)
            return false;
    return true;
}

/* Children that were started are joined by scope_close(), also when the waits of this fiber fail. */
static void run_all(struct weft_call *call, struct group *group, struct part_task *tasks, struct weft_part *parts,
                    size_t count)
{
    struct task *done;

    for (size_t i = 0; i < count; i++) {
        int r;

        tasks[i] = (struct part_task){ .task = { .run = part_run }, .group = group, .call = call, .part = &parts[i] };
        r = scope_spawn(&group->scope, &tasks[i].task);
        if (r < 0)
            part_ended(group, &parts[i], r);
    }
    while (scope_wait(&group->scope, &done) == 0)
        ;
}

int weft_together(struct weft_call *call, struct weft_part *parts, size_t count, int timeout_ms, enum weft_together how)
{
    struct group group = { .how = how };
    struct part_task *tasks;

    if (!call_is(call) || !fine(parts, count, timeout_ms))
        return -EINVAL;
    tasks = arena_alloc(&call->memory, MAX(count, (size_t)1) * sizeof(*tasks));
    if (!tasks)
        return -ENOMEM;
    scope_open(&group.scope,
               timeout_ms > 0 ? loop_after(call->service->worker.loop, timeout_ms * NS_PER_MS) : TIME_NEVER);
    run_all(call, &group, tasks, parts, count);
    (void)scope_close(&group.scope);
    return group.first;
}

/* --- requests ------------------------------------------------------------------------------------------------- */

static int request_run(struct weft_call *call, void *user)
{
    struct weft_outgoing *out = user;

    out->reply = weft_request_with(call, out->method, out->url, out->content, &out->options);
    return out->reply.error;
}

int weft_request_all(struct weft_call *call, struct weft_outgoing *requests, size_t count, int timeout_ms)
{
    struct weft_part *parts;
    int r;

    if (!call_is(call) || (!requests && count > 0) || count > WEFT_PARTS_MAX)
        return -EINVAL;
    parts = arena_zalloc(&call->memory, MAX(count, (size_t)1) * sizeof(*parts));
    if (!parts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        requests[i].reply = (struct weft_reply){ .error = 0 };
        parts[i] = (struct weft_part){ .run = request_run, .user = &requests[i] };
    }
    r = weft_together(call, parts, count, timeout_ms, WEFT_ALL_TO_THE_END);
    for (size_t i = 0; i < count; i++)
        if (parts[i].result < 0 && requests[i].reply.error == 0) /* it never had a fiber */
            requests[i].reply = reply_failed(parts[i].result);
    for (size_t i = 0; i < count; i++)
        if (parts[i].result < 0)
            return parts[i].result;
    return r;
}
