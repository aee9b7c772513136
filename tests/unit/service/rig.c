#include "rig.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "exchange/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- endpoints by plan ------------------------------------------------------------------------------------ */

struct fake {
    struct endpoint endpoint;
    struct rig *rig;
    struct rig_plan *plan;
    bool check, retired;
    struct address address;
};

static enum outcome fake_check(struct fake *fake, struct exchange *x)
{
    struct rig_plan *plan = fake->plan;
    bool live = bytes_equal(x->request.target, BYTES("/livez"));
    unsigned status = live ? plan->live_status : plan->check_status;

    if (live)
        plan->live_checks++;
    else
        plan->checks++;
    snprintf(plan->check_target, sizeof(plan->check_target), "%.*s", BYTES_ARG(x->request.target));
    if (plan->delay_ns && fiber_sleep(plan->delay_ns) < 0)
        return OUTCOME_TIMEOUT;
    if (status == 1)
        return OUTCOME_CONNECT_FAILED;
    return exchange_answer(x, status ? status : 200, BYTES("text/plain"), BYTES("state")) < 0 ? OUTCOME_INTERNAL
                                                                                              : OUTCOME_OK;
}

static enum outcome fake_run(struct endpoint *endpoint, struct exchange *x)
{
    struct fake *fake = container_of(endpoint, struct fake, endpoint);
    struct rig_plan *plan = fake->plan;
    int r;

    if (fake->check)
        return fake_check(fake, x);
    plan->calls++;
    r = plan->delay_ns ? fiber_sleep(plan->delay_ns) : 0;
    if (r < 0)
        return outcome_of_error(r, OUTCOME_INTERNAL);
    if (plan->outcome != OUTCOME_OK)
        return plan->outcome;
    r = exchange_answer(x, plan->status ? plan->status : 200, BYTES("text/plain"), endpoint->name);
    if (r == 0 && plan->retry_after)
        r = http_head_add(&x->response, HTTP_FIELD_RETRY_AFTER, bytes_of_text(plan->retry_after));
    return r < 0 ? OUTCOME_INTERNAL : OUTCOME_OK;
}

static const struct endpoint_ops FAKE_OPS = { .run = fake_run };

static void fake_unused(struct endpoint *endpoint)
{
    struct fake *fake = container_of(endpoint, struct fake, endpoint);

    RIG_CHECK(fake->rig, fake->retired && endpoint->in_flight == 0);
    if (!fake->check)
        fake->plan->freed++;
    mem_free(fake);
}

static int fake_create(const struct service_dialer *dialer, struct worker *worker, const struct instance *instance,
                       bool check, struct endpoint **ret)
{
    struct rig *rig = container_of(dialer, struct rig, dialer);
    struct fake *fake = mem_zalloc(sizeof(*fake));

    if (!fake)
        return -ENOMEM;
    fake->rig = rig;
    fake->plan = rig_plan(rig, instance->address.port);
    fake->check = check;
    fake->endpoint.ops = &FAKE_OPS;
    fake->endpoint.name = instance->name; /* a member holds its instance as long as its endpoint */
    fake->endpoint.uses = 1;
    fake->endpoint.unused = fake_unused;
    if (!check)
        fake->plan->made++;
    *ret = &fake->endpoint;
    return 0;
}

static void fake_retire(struct endpoint *endpoint)
{
    struct fake *fake = container_of(endpoint, struct fake, endpoint);

    fake->retired = true;
    if (!fake->check)
        fake->plan->retired++;
}

/* --- the process ------------------------------------------------------------------------------------------ */

static void stop_loop(struct loop *loop)
{
    loop_stop(loop);
    sim_loop_wake(loop);
}

static void take_down(struct rig *rig)
{
    registry_stop(&rig->registry);
    for (unsigned i = 0; i < 1000 && !registry_quiet(&rig->registry); i++)
        rig_sleep(10 * NS_PER_MS);
    RIG_CHECK(rig, registry_quiet(&rig->registry));
    rig_sleep(NS_PER_S); /* letters arrive */
    for (unsigned i = 0; i < rig->worker_count; i++) {
        worker_leave_all(&rig->workers[i]);
        if (rig->workers[i].services)
            worker_services_stop(&rig->workers[i]);
    }
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 0);
    registry_done(&rig->registry);
    for (unsigned i = 0; i < rig->worker_count; i++) {
        worker_done(&rig->workers[i]);
        stop_loop(rig->worker_loops[i]);
    }
    worker_done(&rig->control);
    stop_loop(rig->control_loop);
}

static int control_run(struct task *task)
{
    struct rig *rig = container_of(task, struct rig, task);

    rig->body(rig);
    take_down(rig);
    return 0;
}

static int rig_start(struct sim_process *process, void *context)
{
    struct rig *rig = context;
    int r;

    rig->control_loop = sim_process_loop(process, NULL);
    ASSERT(rig->control_loop);
    r = worker_init(&rig->control, 0, rig->control_loop, NULL);
    if (r == 0)
        r = registry_init(&rig->registry, &rig->control, rig->worker_count, rig->real ? rig->real : &rig->dialer);
    for (unsigned i = 0; r == 0 && i < rig->worker_count; i++) {
        rig->worker_loops[i] = sim_process_loop(process, NULL);
        ASSERT(rig->worker_loops[i]);
        r = worker_init(&rig->workers[i], i + 1, rig->worker_loops[i], NULL);
        if (r == 0)
            r = registry_add_worker(&rig->registry, &rig->workers[i]);
    }
    rig->task.run = control_run;
    return r < 0 ? r : loop_spawn(rig->control_loop, &rig->task);
}

static void run(void (*body)(struct rig *rig), unsigned workers, void *user, const struct service_dialer *real)
{
    struct world_end end = { .until_ns = 3600 * NS_PER_S, .reached = world_all_ended };
    struct rig *rig = test_calloc(1, sizeof(*rig));
    int r;

    rig->dialer = (struct service_dialer){ .create = fake_create, .retire = fake_retire };
    rig->body = body;
    rig->user = user;
    rig->real = real;
    rig->worker_count = workers;
    list_init(&rig->snapshots);
    rig->world = world_create(7);
    rig->node = world_node(rig->world);
    rig->process = sim_process_add(rig->node, "weft", rig_start, rig);
    sim_process_start(rig->process);
    r = world_run(rig->world, &end);
    if (rig->world->failed)
        print_error("%s\n", rig->world->failure);
    assert_false(rig->world->failed);
    assert_int_equal(r, 0);
    world_end_processes(rig->world);
    world_destroy(rig->world);
    test_free(rig);
}

void rig_run(void (*body)(struct rig *rig), unsigned workers, void *user)
{
    run(body, workers, user, NULL);
}

void rig_run_real(void (*body)(struct rig *rig), unsigned workers, const struct service_dialer *dialer)
{
    run(body, workers, NULL, dialer);
}

/* --- services --------------------------------------------------------------------------------------------- */

struct rig_plan *rig_plan(struct rig *rig, unsigned port)
{
    return &rig->plans[port % RIG_PLANS];
}

void rig_sleep(int64_t ns)
{
    if (fiber_sleep(ns) < 0)
        ASSERT(!"the test's own fiber was cancelled");
}

struct instance_conf rig_instance(struct rig *rig, const char *name, unsigned port)
{
    return (struct instance_conf){ .name = bytes_of_text(name), .address = sim_address(rig->node, (uint16_t)port) };
}

int rig_set(struct rig *rig, struct service *service, unsigned first, unsigned count)
{
    struct instance_conf confs[RIG_PLANS];
    char names[RIG_PLANS][32];

    ASSERT(count <= RIG_PLANS);
    for (unsigned i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "%.*s-%u", BYTES_ARG(service->name), first + i);
        confs[i] = rig_instance(rig, names[i], first + i);
    }
    return service_set_instances(service, confs, count);
}

struct service *rig_service(struct rig *rig, const char *name, unsigned first, unsigned count, const char *ready)
{
    struct service_settings settings = { .ready = bytes_of_text(ready) };
    struct service *service = NULL;
    int r = registry_set(&rig->registry, bytes_of_text(name), &settings, &service);

    if (r == 0)
        r = rig_set(rig, service, first, count);
    ASSERT(r == 0);
    rig_sleep(100 * NS_PER_MS);
    return service;
}

/* --- work on a worker ------------------------------------------------------------------------------------- */

static void task_start(struct rig *rig, unsigned worker, struct task *task)
{
    int r = loop_spawn(rig->worker_loops[worker], task);

    ASSERT(r == 0);
    sim_loop_wake(rig->worker_loops[worker]);
}

struct on_worker {
    struct task task;
    struct task *inner;
    bool over;
};

static int on_worker_run(struct task *task)
{
    struct on_worker *work = container_of(task, struct on_worker, task);

    work->inner->result = work->inner->run(work->inner);
    work->over = true;
    return 0;
}

void rig_on_worker(struct rig *rig, unsigned worker, struct task *task)
{
    struct on_worker work = { .task = { .run = on_worker_run }, .inner = task };

    task_start(rig, worker, &work.task);
    while (!work.over)
        rig_sleep(NS_PER_MS);
    rig_sleep(NS_PER_MS); /* the fiber has ended too: `work` goes */
}

struct snapshot *rig_snapshot(struct rig *rig, const struct rig_stage *stages, unsigned count)
{
    struct snapshot *snapshot = NULL;
    struct stage *outer = NULL, *stage;
    struct fault fault = { 0 };
    char path[32];
    int r = snapshot_create(++rig->version, &snapshot);

    ASSERT(r == 0);
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%u", i);
        r = snapshot_add_stage(snapshot, stages[i].type, stages[i].conf, bytes_of_text(path), &stage);
        ASSERT(r == 0);
        if (outer)
            outer->next = stage;
        else
            snapshot->root = stage;
        outer = stage;
    }
    r = snapshot_seal(snapshot, NULL, &fault);
    if (r < 0)
        world_fail(rig->world, "%s", fault.what);
    list_push_back(&rig->snapshots, &snapshot->node);
    for (unsigned i = 0; r == 0 && i < rig->worker_count; i++)
        r = worker_enter(&rig->workers[i], snapshot);
    RIG_CHECK(rig, r == 0);
    return snapshot;
}

static void text_copy(char *into, size_t max, struct bytes from)
{
    snprintf(into, max, "%.*s", BYTES_ARG(from));
}

static void take_answer(struct rig_call *call, struct exchange *x)
{
    struct bytes chunk;

    call->status = x->response.status;
    call->retries = x->retries;
    call->attempts = x->attempts;
    text_copy(call->route, sizeof(call->route), x->route);
    text_copy(call->content_type, sizeof(call->content_type), http_head_value(&x->response, HTTP_FIELD_CONTENT_TYPE));
    if (x->endpoint)
        text_copy(call->endpoint, sizeof(call->endpoint), x->endpoint->name);
    if (call->outcome == OUTCOME_OK && x->response_body && body_read(x->response_body, &chunk) == 1)
        text_copy(call->body, sizeof(call->body), chunk);
}

static int call_run(struct task *task)
{
    struct rig_call *call = container_of(task, struct rig_call, task);
    struct worker *worker = &call->rig->workers[call->worker];
    struct scope scope;
    struct exchange *x;
    int r;

    call->began_ns = worker->loop->now_ns;
    scope_open(&scope, call->limit_ns ? call->began_ns + call->limit_ns : TIME_NEVER);
    r = exchange_create(worker, NULL, &scope, &x);
    if (r == 0)
        r = exchange_head_room(x, &x->request, 4);
    ASSERT(r == 0);
    x->deadline_ns = scope.deadline_ns;
    x->request.method = call->method ? call->method : HTTP_GET;
    x->request.method_text = http_method_name(x->request.method);
    x->request.authority = bytes_of_text(call->host);
    x->request.path = bytes_of_text(call->path ? call->path : "/");
    if (call->idempotency_key)
        r = http_head_add(&x->request, HTTP_FIELD_IDEMPOTENCY_KEY, bytes_of_text(call->idempotency_key));
    ASSERT(r == 0);
    call->outcome = stage_run(x->view->snapshot->root, x);
    take_answer(call, x);
    exchange_end(x, call->outcome);
    (void)scope_close(&scope);
    call->ended_ns = worker->loop->now_ns;
    return 0;
}

void rig_call_start(struct rig *rig, struct rig_call *call)
{
    call->rig = rig;
    call->ended_ns = 0;
    call->task = (struct task){ .run = call_run };
    task_start(rig, call->worker, &call->task);
}

void rig_call(struct rig *rig, struct rig_call *call)
{
    rig_call_start(rig, call);
    while (!call->ended_ns)
        rig_sleep(NS_PER_MS / 4);
    rig_sleep(NS_PER_MS / 4);
}
