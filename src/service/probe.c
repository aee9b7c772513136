#include "service/probe.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io/stream.h"

#define CHECK_FIELDS 4            /* of the request's head */
#define CHECK_BODY_MAX (64 * KIB) /* of an answer: a longer one costs the connection */

struct probe_kind {
    size_t place; /* of the pointer to its probe in the instance */
    struct bytes (*path)(const struct service_settings *settings);
    const struct check_rules *(*rules)(const struct service_settings *settings);
    struct health_rules usual;                 /* where the settings say nothing; all 0: the registry's */
    bool (*wanted)(const struct probe *probe); /* now */
    void (*note)(struct probe *probe, bool success, int status);
};

struct probe {
    struct task task;
    struct list_node node; /* in registry->probes */
    const struct probe_kind *kind;
    struct bytes path; /* of the instance's settings; empty: connecting is enough */
    struct health_rules rules;
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

static int build_request(struct exchange *x, const struct probe *probe)
{
    const struct instance *instance = probe->instance;
    struct http_head *head = &x->request;
    struct bytes path = probe->path;
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
    r = build_request(x, probe);
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

    scope_open(&scope, loop->now_ns + probe->rules.timeout_ns);
    r = probe->endpoint ? ask_for_status(probe, &scope, &status) : connect_once(probe, &status);
    (void)scope_close(&scope);
    if (r < 0 || probe->stopped || status == -ECANCELED)
        return -ECANCELED;
    *ret_status = status;
    return probe->endpoint ? status >= 200 && status < 400 : status == 0;
}

/* --- the fiber -------------------------------------------------------------------------------------------- */

static void note_ready(struct probe *probe, bool success, int status)
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
    if (!health_note(&probe->health, &probe->rules, success))
        return;
    atomic_store_explicit(&instance->ready, (int)probe->health.state, memory_order_relaxed);
    atomic_store_explicit(&instance->changed_ns, now_ns, memory_order_relaxed);
    if (registry->changed)
        registry->changed(registry, probe->service, instance);
}

static void note_live(struct probe *probe, bool success, int status)
{
    struct instance *instance = probe->instance;
    struct registry *registry = probe->registry;

    atomic_store_explicit(&instance->live, success ? LIVE_OK : LIVE_FAILING, memory_order_relaxed);
    if (success) {
        probe->health.streak = 0;
        return;
    }
    atomic_store_explicit(&instance->live_error, status, memory_order_relaxed);
    if (++probe->health.streak < probe->rules.fall)
        return;
    probe->health.streak = 0;
    if (registry->failed)
        registry->failed(registry, probe->service, instance);
}

/* Until the next check is due or asked for. The slow ones drift apart by a tenth, so that a thousand instances are
 * not checked in the same instant. */
static int rest(struct probe *probe)
{
    struct worker *control = probe->registry->control;
    int64_t pause_ns = health_pause_ns(&probe->health, &probe->rules), due_ns;
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

static struct probe **place_of(struct instance *instance, const struct probe_kind *kind)
{
    return (struct probe **)(void *)((char *)instance + kind->place);
}

static void probe_stop(struct probe *probe)
{
    if (probe->stopped)
        return;
    probe->stopped = true;
    probe->service = NULL;
    *place_of(probe->instance, probe->kind) = NULL;
    if (probe->open)
        scope_cancel(&probe->scope);
}

static int probe_run(struct task *task)
{
    struct probe *probe = container_of(task, struct probe, task);

    scope_open(&probe->scope, TIME_NEVER);
    probe->open = true;
    while (!probe->stopped) {
        int status = 0, r = probe->kind->wanted(probe) ? check(probe, &status) : -EAGAIN;

        if (r >= 0)
            probe->kind->note(probe, r == 1, status);
        if (rest(probe) < 0)
            break;
    }
    probe->open = false;
    (void)scope_close(&probe->scope);
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

/* --- the kinds -------------------------------------------------------------------------------------------- */

static struct bytes ready_path(const struct service_settings *settings)
{
    return settings->ready;
}

static const struct check_rules *ready_rules(const struct service_settings *settings)
{
    return &settings->ready_rules;
}

static bool ready_wanted(const struct probe *probe)
{
    return true;
}

const struct probe_kind PROBE_READY = { .place = offsetof(struct instance, probe),
                                        .path = ready_path,
                                        .rules = ready_rules,
                                        .wanted = ready_wanted,
                                        .note = note_ready };

static struct bytes live_path(const struct service_settings *settings)
{
    return settings->live;
}

static const struct check_rules *live_rules(const struct service_settings *settings)
{
    return &settings->live_rules;
}

static bool live_wanted(const struct probe *probe)
{
    const struct instance *instance = probe->instance;

    return instance->was_ready || atomic_load_explicit(&instance->ready, memory_order_relaxed) != (int)HEALTH_STARTING;
}

const struct probe_kind PROBE_LIVE = {
    .place = offsetof(struct instance, live_probe),
    .path = live_path,
    .rules = live_rules,
    .usual = { .fall = 3, .rise = 1, .fast_ns = 10 * NS_PER_S, .slow_ns = 10 * NS_PER_S, .timeout_ns = NS_PER_S },
    .wanted = live_wanted,
    .note = note_live
};

static void set_rules(struct probe *probe)
{
    const struct check_rules *rules = probe->kind->rules(&probe->instance->settings);

    probe->rules = probe->kind->usual.fall ? probe->kind->usual : *probe->registry->rules;
    if (rules->every_ns)
        probe->rules.slow_ns = rules->every_ns;
    if (rules->timeout_ns)
        probe->rules.timeout_ns = rules->timeout_ns;
    if (rules->failures)
        probe->rules.fall = rules->failures;
}

/* --- life ------------------------------------------------------------------------------------------------- */

int probe_start(struct service *service, struct instance *instance, const struct probe_kind *kind)
{
    struct registry *registry = service->registry;
    struct probe *probe = mem_zalloc(sizeof(*probe));
    int r = 0;

    ASSERT(!*place_of(instance, kind));
    if (!probe)
        return -ENOMEM;
    probe->task = (struct task){ .run = probe_run, .ended = probe_ended };
    list_init(&probe->node);
    probe->registry = registry;
    probe->service = service;
    probe->instance = instance;
    probe->kind = kind;
    probe->path = kind->path(&instance->settings);
    set_rules(probe);
    if (kind->usual.fall)
        probe->health.state = HEALTH_READY; /* one pace from the beginning */
    else
        probe->health.state = (enum health_state)atomic_load_explicit(&instance->ready, memory_order_relaxed);
    if (probe->path.len)
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
    *place_of(instance, kind) = probe;
    list_push_back(&registry->probes, &probe->node);
    return 0;
}

void probes_stop_of(struct instance *instance)
{
    if (instance->probe)
        probe_stop(instance->probe);
    if (instance->live_probe)
        probe_stop(instance->live_probe);
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
