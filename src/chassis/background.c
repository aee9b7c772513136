/* Calls that nobody has asked for, and the tasks that run again and again. */
#include "base/alloc.h"
#include "chassis/service.h"

/* --- a run ---------------------------------------------------------------------------------------------------- */

static int name_call(struct weft_call *call)
{
    struct prng *prng = &call->service->worker.prng;
    char id[32];
    struct text request_id = text_into(id, sizeof(id)), trace_id = text_into(call->trace_id, 32);

    call->trace = (struct trace){
        .id_high = prng_next(prng), .id_low = prng_next(prng) | 1, .span = prng_next(prng) | 1, .sampled = true
    };
    text_add_hex(&trace_id, call->trace.id_high, 16);
    text_add_hex(&trace_id, call->trace.id_low, 16);
    text_add_hex(&request_id, prng_next(prng), 16);
    text_add_hex(&request_id, prng_next(prng), 16);
    call->request_id = call_text(call, text_bytes(&request_id));
    return call->request_id ? 0 : -ENOMEM;
}

static void copy_why(const struct weft_call *call, struct background_why *why)
{
    struct bytes text = bytes_slice(bytes_of_text(call->why), 0, CHASSIS_WHY_MAX);

    if (text.len > 0)
        memcpy(why->text, text.data, text.len);
    why->text[text.len] = '\0';
}

int background_run(struct weft_service *service, weft_handler *run, void *user, int64_t limit_ns,
                   struct background_why *ret_why)
{
    struct weft_call *call = mem_zalloc(sizeof(*call));
    int r;

    ret_why->text[0] = '\0';
    if (!call)
        return -ENOMEM;
    call->magic = CHASSIS_CALL_MAGIC;
    call->service = service;
    call->method = call->path = call->client = "";
    arena_init(&call->memory, NULL, WEFT_CALL_MEMORY_MAX + 4 * service->body_max);
    scope_open(&call->scope, loop_after(service->worker.loop, limit_ns));
    r = name_call(call);
    if (r == 0)
        r = run(call, user);
    (void)scope_close(&call->scope);
    copy_why(call, ret_why);
    call->magic = 0;
    arena_done(&call->memory);
    mem_free(call);
    return r;
}

const char *background_reason(int error, const struct background_why *why)
{
    if (why->text[0] != '\0')
        return why->text;
    switch (error) {
    case -ETIME: return "its time was up";
    case -ECANCELED: return "it was stopped";
    case -ECONNREFUSED: return "nobody listens there";
    case -EAGAIN: return "there is no room for it now";
    default:
        return error < 0 && strerrordesc_np(-error) ? strerrordesc_np(-error) : "it gave a number that is no errno";
    }
}

int weft_because(struct weft_call *call, int error, const char *format, ...)
{
    va_list args;

    if (!call_is(call) || !format)
        return error;
    va_start(args, format);
    call->why = call_vformat(call, format, args);
    va_end(args);
    return error;
}

/* --- tasks ---------------------------------------------------------------------------------------------------- */

static struct periodic *find(const struct weft_service *service, const char *name)
{
    LIST_EACH (&service->tasks, node, next) {
        struct periodic *periodic = container_of(node, struct periodic, node);

        if (strcmp(periodic->name, name) == 0)
            return periodic;
    }
    return NULL;
}

static int add(struct weft_service *service, const char *name, int interval_ms, weft_handler *task, void *user)
{
    struct periodic *periodic = mem_zalloc(sizeof(*periodic));

    if (!periodic)
        return -ENOMEM;
    memcpy(periodic->name, name, strlen(name) + 1);
    periodic->service = service;
    periodic->run = task;
    periodic->user = user;
    periodic->interval_ns = interval_ms * NS_PER_MS;
    list_push_back(&service->tasks, &periodic->node);
    service->task_count++;
    return 0;
}

int weft_every(struct weft_service *service, const char *name, int interval_ms, weft_handler *task, void *user)
{
    int r = service_open_for(service, "task", name);

    if (r < 0)
        return r;
    if (interval_ms < 1 || !task)
        return service_fault(service, -EINVAL, "task %s: it has an interval of at least 1 ms, and a function", name);
    if (find(service, name))
        return service_fault(service, -EEXIST, "task %s: there already", name);
    if (service->task_count == WEFT_TASKS_MAX)
        return service_fault(service, -ENOSPC, "task %s: a service has at most %d", name, WEFT_TASKS_MAX);
    r = add(service, name, interval_ms, task, user);
    return r < 0 ? service_fault(service, r, "task %s: there is no memory", name) : 0;
}

static int run_once(struct periodic *periodic)
{
    struct weft_service *service = periodic->service;
    struct background_why why;
    char memory[CHASSIS_WHY_MAX + CHASSIS_NAME_MAX + 32];
    struct text message = text_into(memory, sizeof(memory));
    int r = background_run(service, periodic->run, periodic->user, service->timeout_ns, &why);

    if (r == 0 || (r == -ECANCELED && service->chassis->draining))
        return r;
    text_add_format(&message, "the task %s failed: %s", periodic->name, background_reason(r, &why));
    service_log(service, WEFT_ERROR, NULL, NULL, text_bytes(&message), BYTES_NONE);
    return r;
}

/* Until the next run is due. 0; -ECANCELED: there is none. */
static int wait_for_next(struct periodic *periodic)
{
    struct prng *prng = &periodic->service->worker.prng;
    const struct chassis *chassis = periodic->service->chassis;
    int64_t spread_ns = (int64_t)prng_below(prng, (uint64_t)periodic->interval_ns / 10 + 1);
    int64_t due_ns = loop_after(&chassis->loop, periodic->interval_ns + spread_ns);
    int r = fiber_yield(); /* one that hurries itself leaves others their turn */

    periodic->sleeping = fiber_current();
    while (r == 0 && !periodic->hurried && !chassis->draining)
        r = fiber_park(due_ns);
    periodic->sleeping = NULL;
    return r == -ETIMEDOUT ? 0 : r;
}

static int periodic_run(struct task *task)
{
    struct periodic *periodic = container_of(task, struct periodic, task);
    const struct chassis *chassis = periodic->service->chassis;

    while (!chassis->draining) {
        periodic->hurried = false;
        (void)run_once(periodic);
        if (wait_for_next(periodic) < 0)
            break;
    }
    return 0;
}

static void periodic_ended(struct task *task)
{
    container_of(task, struct periodic, task)->alive = false;
}

int tasks_start(struct weft_service *service)
{
    LIST_EACH (&service->tasks, node, next) {
        struct periodic *periodic = container_of(node, struct periodic, node);
        int r;

        periodic->task = (struct task){ .run = periodic_run, .ended = periodic_ended };
        r = scope_spawn(&service->chassis->background, &periodic->task);
        if (r < 0)
            return r;
        periodic->alive = true;
    }
    return 0;
}

static void wake(const struct periodic *periodic)
{
    if (periodic->sleeping)
        (void)fiber_wake(periodic->sleeping);
}

void tasks_drain(struct weft_service *service)
{
    LIST_EACH (&service->tasks, node, next)
        wake(container_of(node, struct periodic, node));
}

bool tasks_alive(const struct weft_service *service)
{
    LIST_EACH (&service->tasks, node, next)
        if (container_of(node, struct periodic, node)->alive)
            return true;
    return false;
}

int weft_hurry(struct weft_service *service, const char *name)
{
    struct periodic *periodic = service_is(service) && name ? find(service, name) : NULL;

    if (!periodic)
        return -ENOENT;
    periodic->hurried = true;
    wake(periodic);
    return 0;
}

int tasks_run_once(struct weft_service *service, const char *name)
{
    struct periodic *periodic = find(service, name);

    return periodic ? run_once(periodic) : -ENOENT;
}

void tasks_free(struct weft_service *service)
{
    LIST_EACH (&service->tasks, node, next) {
        list_remove(node);
        mem_free(container_of(node, struct periodic, node));
    }
}
