#include "service/probe.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io/stream.h"

#define CHECK_FIELDS 4            /* of the request's head */
#define CHECK_BODY_MAX (64 * KIB) /* of an answer: a longer one costs the connection */

struct probe {
    struct task task;
    struct list_node node; /* in registry->probes */
    struct registry *registry;
    struct service *service; /* NULL once stopped */
    struct instance *instance;
    struct endpoint *endpoint; /* NULL: connecting is enough */
    struct health health;
    struct scope scope;   /* of the fiber, while `open` */
    struct fiber *asleep; /* between two checks */
    bool open, asked, stopped;
};

/* --- one check -------------------------------------------------------------------------------------------- */

static int build_request(struct exchange *x, const struct instance *instance)
{
    struct http_head *head = &x->request;
    struct bytes path = instance->settings.ready;
    ssize_t question = bytes_find_char(path, '?');
    int r = exchange_head_room(x, head, CHECK_FIELDS);

    if (r < 0)
        return r;
    head->method = HTTP_GET;
    head->method_text = BYTES("GET");
    head->target = path;
    head->path = question < 0 ? path : bytes_slice(path, 0, (size_t)question);
    head->query = question < 0 ? BYTES_NONE : bytes_skip(path, (size_t)question + 1);
    head->authority = instance->settings.host;
    if (head->authority.len == 0)
        head->authority = instance->address.family == ADDRESS_UNIX ? BYTES("localhost") : instance->text;
    head->minor = 1;
    head->keep_alive = true;
    x->service = instance->service;
    x->scheme = BYTES("http");
    r = http_head_add(head, HTTP_FIELD_HOST, head->authority);
    return r < 0 ? r : http_head_add_named(head, BYTES("User-Agent"), BYTES("weft-check"));
}

/* Reads what is left of the answer, so that the connection can be used again. */
static void finish_answer(struct exchange *x)
{
    struct bytes chunk;
    size_t count = 0;

    while (x->response_body && count < CHECK_BODY_MAX && body_read(x->response_body, &chunk) == 1)
        count += chunk.len;
}

/* 0: it was carried out; *ret_status is the answer's, or a negative errno. */
static int ask_for_status(struct probe *probe, struct scope *scope, int *ret_status)
{
    struct worker *control = probe->registry->control;
    struct exchange *x;
    enum outcome outcome = OUTCOME_INTERNAL;
    int r = exchange_create(control, NULL, scope, &x);

    if (r < 0)
        return r;
    x->detached = true; /* no line in the log, no request in the metrics */
    x->deadline_ns = scope->deadline_ns;
    r = build_request(x, probe->instance);
    if (r == 0)
        r = exchange_use_endpoint(x, probe->endpoint);
    if (r == 0) {
        outcome = probe->endpoint->ops->run(probe->endpoint, x);
        *ret_status = outcome == OUTCOME_OK ? (int)x->response.status : scope_ended(scope) ? -ETIMEDOUT : -ECONNREFUSED;
        finish_answer(x);
    }
    exchange_end(x, outcome);
    return r;
}

static int connect_once(struct probe *probe, int *ret_status)
{
    struct io *io = probe->registry->control->loop->io;
    struct io_socket socket;
    int r = stream_connect(&probe->instance->address, &socket, TIME_NEVER);

    *ret_status = r == -ETIME ? -ETIMEDOUT : r;
    if (r == 0)
        io->ops->close(io, socket);
    return 0;
}

/* 1: it is fine; 0: it is not; negative: not known (2). */
static int check(struct probe *probe, int *ret_status)
{
    struct loop *loop = probe->registry->control->loop;
    struct scope scope;
    int status = 0, r;

    scope_open(&scope, loop->now_ns + probe->registry->rules->timeout_ns);
    r = probe->endpoint ? ask_for_status(probe, &scope, &status) : connect_once(probe, &status);
    (void)scope_close(&scope);
    if (r < 0 || probe->stopped || status == -ECANCELED)
        return -ECANCELED;
    *ret_status = status;
    return probe->endpoint ? status >= 200 && status < 400 : status == 0;
}

/* --- the fiber -------------------------------------------------------------------------------------------- */

static void note(struct probe *probe, bool success, int status)
{
    struct instance *instance = probe->instance;
    struct registry *registry = probe->registry;
    int64_t now_ns = registry->control->loop->now_ns;

    atomic_fetch_add_explicit(&instance->checks, 1, memory_order_relaxed);
    if (success) {
        instance_clear(instance);
    } else {
        atomic_fetch_add_explicit(&instance->checks_failed, 1, memory_order_relaxed);
        atomic_store_explicit(&instance->last_error, status, memory_order_relaxed);
        atomic_store_explicit(&instance->last_error_ns, now_ns, memory_order_relaxed);
    }
    if (!health_note(&probe->health, registry->rules, success))
        return;
    atomic_store_explicit(&instance->ready, (int)probe->health.state, memory_order_relaxed);
    atomic_store_explicit(&instance->changed_ns, now_ns, memory_order_relaxed);
    if (registry->changed)
        registry->changed(registry, probe->service, instance);
}

/* Until the next check is due or asked for. The slow ones drift apart by a tenth, so that a thousand instances are
 * not checked in the same instant. */
static int rest(struct probe *probe)
{
    struct worker *control = probe->registry->control;
    int64_t pause_ns = health_pause_ns(&probe->health, probe->registry->rules), due_ns;
    int r = 0;

    if (probe->health.state != HEALTH_STARTING)
        pause_ns += prng_between(&control->prng, -pause_ns / 10, pause_ns / 10);
    due_ns = control->loop->now_ns + pause_ns;
    probe->asleep = fiber_current();
    while (!probe->asked && r == 0)
        r = fiber_park(due_ns);
    probe->asleep = NULL;
    probe->asked = false;
    return r == -ETIMEDOUT ? 0 : r;
}

static int probe_run(struct task *task)
{
    struct probe *probe = container_of(task, struct probe, task);

    scope_open(&probe->scope, TIME_NEVER);
    probe->open = true;
    while (!probe->stopped) {
        int status = 0, r = check(probe, &status);

        if (r >= 0)
            note(probe, r == 1, status);
        if (rest(probe) < 0)
            break;
    }
    probe->open = false;
    (void)scope_close(&probe->scope);
    if (!probe->stopped)
        probe_stop(probe); /* the loop ends */
    if (probe->endpoint) {
        probe->registry->dialer->retire(probe->endpoint);
        endpoint_drop(probe->endpoint);
    }
    return 0;
}

static void probe_ended(struct task *task)
{
    struct probe *probe = container_of(task, struct probe, task);

    list_remove(&probe->node);
    instance_drop(probe->instance);
    mem_free(probe);
}

int probe_start(struct service *service, struct instance *instance)
{
    struct registry *registry = service->registry;
    struct probe *probe = mem_zalloc(sizeof(*probe));
    int r = 0;

    ASSERT(!instance->probe);
    if (!probe)
        return -ENOMEM;
    probe->task = (struct task){ .run = probe_run, .ended = probe_ended };
    list_init(&probe->node);
    probe->registry = registry;
    probe->service = service;
    probe->instance = instance;
    probe->health.state = (enum health_state)atomic_load_explicit(&instance->ready, memory_order_relaxed);
    if (instance->settings.ready.len)
        r = registry->dialer->create(registry->dialer, registry->control, instance, true, &probe->endpoint);
    if (r == 0) {
        r = loop_spawn(registry->control->loop, &probe->task);
        if (r < 0 && probe->endpoint) {
            registry->dialer->retire(probe->endpoint);
            endpoint_drop(probe->endpoint);
        }
    }
    if (r < 0) {
        mem_free(probe);
        return r;
    }
    instance_use(instance);
    instance->probe = probe;
    list_push_back(&registry->probes, &probe->node);
    return 0;
}

void probe_stop(struct probe *probe)
{
    if (probe->stopped)
        return;
    probe->stopped = true;
    probe->service = NULL;
    probe->instance->probe = NULL;
    if (probe->open)
        scope_cancel(&probe->scope);
}

void probe_ask(struct probe *probe)
{
    probe->asked = true;
    if (probe->asleep)
        fiber_wake(probe->asleep);
}

void probes_stop(struct registry *registry)
{
    LIST_EACH (&registry->probes, node, next)
        probe_stop(container_of(node, struct probe, node));
}
