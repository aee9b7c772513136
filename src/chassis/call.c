/* The one stage of a service: finds the route, runs its handler on a fiber, and waits for the head of the answer. */
#include "chassis/service.h"

#include "chassis/percent.h"
#include "http/problem.h"

#include <stdio.h>

bool call_is(const struct weft_call *call)
{
    return call && call->magic == CHASSIS_CALL_MAGIC;
}

bool call_asked(const struct weft_call *call)
{
    return call_is(call) && call->x;
}

/* --- the handler --------------------------------------------------------------------------------------------- */

static int handler_run(struct task *task)
{
    struct weft_call *call = container_of(task, struct weft_call, task);

    scope_open(&call->scope, call->x->worker->loop->now_ns + call->service->timeout_ns);
    call->started = true;
    if (call->closed)
        scope_cancel(&call->scope);
    call->result = call->route->handler(call, call->route->user);
    (void)scope_close(&call->scope);
    return 0;
}

/* On the loop's stack, when the fiber is gone. */
static void handler_ended(struct task *task)
{
    struct weft_call *call = container_of(task, struct weft_call, task);

    call->ended = true;
    if (call->asker)
        fiber_wake(call->asker);
}

void call_join(struct weft_call *call)
{
    call->closed = true;
    if (!call->ended && call->started)
        scope_cancel(&call->scope);
    call->asker = fiber_current();
    while (!call->ended)
        fiber_park_deaf();
    call->asker = NULL;
}

/* A handler that has answered may not be needed any more, but its answer leaves only when it has returned. */
static enum outcome wait_for_head(struct weft_call *call)
{
    int r = 0;

    call->asker = fiber_current();
    while (r == 0 && !call->ended && call->state != CALL_STREAMING)
        r = fiber_park(TIME_NEVER);
    call->asker = NULL;
    if (r < 0) {
        call_join(call);
        return outcome_of_error(r, OUTCOME_INTERNAL);
    }
    return call->state == CALL_OPEN ? call_failed(call, call->result) : OUTCOME_OK;
}

/* --- the call ------------------------------------------------------------------------------------------------ */

struct call_ending {
    struct ending ending;
    struct weft_call call;
};

static void call_ended(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    struct weft_call *call = &container_of(ending, struct call_ending, ending)->call;

    call->magic = 0;
    arena_done(&call->memory);
}

char *call_text(struct weft_call *call, struct bytes text)
{
    return arena_text(&call->memory, text);
}

char *call_vformat(struct weft_call *call, const char *format, va_list args)
{
    char part[512]; /* most texts are shorter and are formatted once */
    va_list again;
    char *memory;
    int len;

    va_copy(again, args);
    len = vsnprintf(part, sizeof(part), format, args);
    memory = len < 0 ? NULL : arena_alloc(&call->memory, (size_t)len + 1);
    if (memory && (size_t)len < sizeof(part))
        memcpy(memory, part, (size_t)len + 1);
    else if (memory)
        (void)vsnprintf(memory, (size_t)len + 1, format, again);
    va_end(again);
    return memory;
}

static int take_values(struct weft_call *call, const struct routed *routed)
{
    for (unsigned i = 0; i < routed->count; i++) {
        char *memory;

        if (routed->route->elements[i].kind == ELEMENT_LITERAL)
            continue;
        memory = arena_alloc(&call->memory, routed->values[i].len + 1);
        if (!memory)
            return -ENOMEM;
        call->values[i] = bytes_of(memory, percent_decode(routed->values[i], false, memory));
        memory[call->values[i].len] = '\0';
    }
    return 0;
}

static int take_texts(struct weft_call *call)
{
    const struct exchange *x = call->x;
    struct text trace = text_into(call->trace_id, sizeof(call->trace_id) - 1);

    call->trace = x->trace;
    text_add_hex(&trace, x->trace.id_high, 16);
    text_add_hex(&trace, x->trace.id_low, 16);
    call->method = call_text(call, x->request.method_text);
    call->path = call_text(call, x->request.path);
    call->query = x->request.query.data ? call_text(call, x->request.query) : NULL;
    call->request_id = call_text(call, x->request_id);
    call->client = call_text(call, x->client);
    if (!call->method || !call->path || !call->request_id || !call->client)
        return -ENOMEM;
    return x->request.query.data && !call->query ? -ENOMEM : 0;
}

static int call_create(struct weft_service *service, struct exchange *x, const struct routed *routed,
                       struct weft_call **ret)
{
    struct call_ending *made = arena_zalloc(&x->arena, sizeof(*made));
    struct weft_call *call = made ? &made->call : NULL;
    int r;

    if (!call)
        return -ENOMEM;
    call->magic = CHASSIS_CALL_MAGIC;
    call->service = service;
    call->x = x;
    call->route = routed->route;
    call->task = (struct task){ .run = handler_run, .ended = handler_ended };
    arena_init(&call->memory, NULL, WEFT_CALL_MEMORY_MAX + 4 * service->body_max);
    made->ending.run = call_ended;
    exchange_at_end(x, &made->ending);
    r = take_texts(call);
    if (r == 0)
        r = take_values(call, routed);
    if (r < 0)
        return r;
    *ret = call;
    return 0;
}

static enum outcome call_handler(struct weft_service *service, struct exchange *x, const struct routed *routed)
{
    struct weft_call *call;
    int r = call_create(service, x, routed, &call);

    if (r < 0)
        return OUTCOME_OVERLOAD;
    if (x->tee)
        tee_stop_keeping(x->tee); /* nobody sends the request again */
    r = scope_spawn(x->scope, &call->task);
    if (r < 0)
        return outcome_of_error(r, OUTCOME_OVERLOAD);
    return wait_for_head(call);
}

/* --- what is built in ---------------------------------------------------------------------------------------- */

static enum outcome answer_problem(struct exchange *x, unsigned status, const char *type, const char *detail)
{
    int r = http_problem_of(x, status, bytes_of_text(type), bytes_of_text(detail));

    return r < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static enum outcome answer_not_allowed(struct exchange *x, struct bytes allowed)
{
    struct bytes value;
    int r = http_problem_of(x, 405, BYTES("method-not-allowed"), BYTES("this path has other methods: see Allow"));

    if (r == 0)
        r = arena_copy(&x->arena, allowed, &value);
    if (r == 0)
        r = http_head_add_named(&x->response, BYTES("Allow"), value);
    return r < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

/* Needs no fiber of its own: it is asked to know whether there are any. */
static enum outcome answer_live(struct exchange *x)
{
    int r = exchange_answer(x, 200, BYTES("text/plain; charset=utf-8"), BYTES("ok\n"));

    if (r == 0)
        r = http_head_add(&x->response, HTTP_FIELD_CACHE_CONTROL, BYTES("no-store"));
    return r < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static enum outcome answer_built_in(struct weft_service *service, struct exchange *x)
{
    const struct routed ready = { .route = &READY_ROUTE }, metrics = { .route = &METRICS_ROUTE };

    if (x->request.method != HTTP_GET && x->request.method != HTTP_HEAD)
        return answer_not_allowed(x, BYTES("GET, HEAD"));
    if (x->request.path.data[1] == 'l')
        return answer_live(x);
    return call_handler(service, x, x->request.path.data[1] == 'r' ? &ready : &metrics);
}

bool path_is_built_in(struct bytes path)
{
    return bytes_equal(path, BYTES("/livez")) || bytes_equal(path, BYTES("/readyz")) ||
           bytes_equal(path, BYTES("/metrics"));
}

static enum outcome chassis_run(const struct stage *s, struct exchange *x)
{
    struct weft_service *service = (struct weft_service *)(uintptr_t)s->conf;
    struct bytes path = x->request.path;
    char allowed[CHASSIS_ROUTES_MAX * 4];
    struct text text = text_into(allowed, sizeof(allowed));
    struct routed routed;

    if (path_is_built_in(path))
        return answer_built_in(service, x);
    if (!percent_fine(path) || !percent_fine(x->request.query))
        return answer_problem(x, 400, "bad-request", "the target can't be decoded, or has a zero byte");
    routes_find(&service->routes, x->request.method_text, path, &routed);
    if (routed.route) {
        x->route = bytes_of(routed.route->texts + routed.route->method.len, routed.route->pattern_len);
        return call_handler(service, x, &routed);
    }
    if (!routed.path_known)
        return answer_problem(x, 404, "not-found", "there is nothing at this path");
    routes_allowed(&service->routes, path, &text);
    return answer_not_allowed(x, text_bytes(&text));
}

const struct stage_type CHASSIS_STAGE = { .name = "service", .run = chassis_run };
