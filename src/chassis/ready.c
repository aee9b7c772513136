/* /readyz: named checks, run side by side, and what they said. */
#include "base/alloc.h"
#include "chassis/service.h"

static struct check *find(const struct readiness *readiness, const char *name)
{
    for (unsigned i = 0; i < readiness->count; i++)
        if (strcmp(readiness->checks[i]->name, name) == 0)
            return readiness->checks[i];
    return NULL;
}

int weft_check(struct weft_service *service, const char *name, weft_handler *run, void *user)
{
    struct readiness *readiness;
    struct check *check;
    int r = service_open_for(service, "check", name);

    if (r < 0)
        return r;
    readiness = &service->readiness;
    if (!run || strcmp(name, "service") == 0)
        return service_fault(service, -EINVAL, "check %s: it has a function, and another name than \"service\"", name);
    if (find(readiness, name))
        return service_fault(service, -EEXIST, "check %s: there already", name);
    if (readiness->count == WEFT_CHECKS_MAX)
        return service_fault(service, -ENOSPC, "check %s: a service has at most %d", name, WEFT_CHECKS_MAX);
    check = mem_zalloc(sizeof(*check));
    if (!check)
        return service_fault(service, -ENOMEM, "check %s: there is no memory", name);
    memcpy(check->name, name, strlen(name) + 1);
    check->service = service;
    check->run = run;
    check->user = user;
    readiness->checks[readiness->count++] = check;
    return 0;
}

void readiness_free(struct readiness *readiness)
{
    for (unsigned i = 0; i < readiness->count; i++)
        mem_free(readiness->checks[i]);
}

/* --- a round of all ------------------------------------------------------------------------------------------- */

struct waiter {
    struct list_node node;
    struct fiber *fiber;
};

static int check_run(struct task *task)
{
    struct check *check = container_of(task, struct check, task);

    check->result = background_run(check->service, check->run, check->user, CHASSIS_CHECK_NS, &check->why);
    return 0;
}

static int round_run(struct task *task)
{
    struct readiness *readiness = container_of(task, struct readiness, task);
    struct scope scope;
    struct task *done;

    scope_open(&scope, TIME_NEVER); /* each check has a limit */
    for (unsigned i = 0; i < readiness->count; i++) {
        struct check *check = readiness->checks[i];
        int r;

        check->task = (struct task){ .run = check_run };
        check->why.text[0] = '\0';
        r = scope_spawn(&scope, &check->task);
        if (r < 0)
            check->result = r;
    }
    while (scope_wait(&scope, &done) == 0)
        ;
    (void)scope_close(&scope);
    return 0;
}

static void round_ended(struct task *task)
{
    struct readiness *readiness = container_of(task, struct readiness, task);

    readiness->running = false;
    readiness->fresh_until_ns = loop_current()->now_ns + CHASSIS_READY_FRESH_NS;
    LIST_EACH (&readiness->waiting, node, next)
        (void)fiber_wake(container_of(node, struct waiter, node)->fiber);
}

/* Starts a round or joins the one that is under way. It does not end with who asked for it. */
static int wait_for_round(struct weft_service *service)
{
    struct readiness *readiness = &service->readiness;
    struct waiter waiter = { .fiber = fiber_current() };
    int r = 0;

    if (!service->chassis->background_open)
        return -ECANCELED;
    if (!readiness->running) {
        readiness->task = (struct task){ .run = round_run, .ended = round_ended };
        r = scope_spawn(&service->chassis->background, &readiness->task);
        if (r < 0)
            return r;
        readiness->running = true;
    }
    list_push_back(&readiness->waiting, &waiter.node);
    while (r == 0 && readiness->running)
        r = fiber_park(TIME_NEVER);
    list_remove(&waiter.node);
    return r;
}

/* --- the answer ----------------------------------------------------------------------------------------------- */

static const char *service_state(const struct weft_service *service)
{
    if (service->worker.draining)
        return "draining";
    return service->ready ? NULL : "not ready";
}

static int answer(struct weft_call *call, const char *state)
{
    const struct readiness *readiness = &call->service->readiness;
    struct weft_json *all = weft_object(call), *checks = weft_object(call);
    bool fine = !state;

    if (state)
        weft_set_text(checks, "service", state);
    for (unsigned i = 0; i < readiness->count; i++) {
        const struct check *check = readiness->checks[i];

        if (readiness->fresh_until_ns == 0)
            break; /* the service leaves before it ever looked */
        weft_set_text(checks, check->name, check->result == 0 ? "ok" : background_reason(check->result, &check->why));
        fine = fine && check->result == 0;
    }
    weft_set_text(all, "status", fine ? "ok" : "failing");
    weft_set(all, "checks", checks);
    return call_answer_json(call, fine ? 200 : 503, "application/json", all);
}

static int ready_handler(struct weft_call *call, void *user)
{
    struct weft_service *service = call->service;
    struct readiness *readiness = &service->readiness;
    const char *state = service_state(service);
    int r = 0;

    if (!state && readiness->count > 0 && call->x->worker->loop->now_ns >= readiness->fresh_until_ns)
        r = wait_for_round(service);
    if (r == 0)
        r = weft_header_add(call, "Cache-Control", "no-store");
    return r < 0 ? r : answer(call, service_state(service));
}

const struct route READY_ROUTE = { .handler = ready_handler };
