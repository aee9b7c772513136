/* Real threads: workers choose endpoints and mark them while the control loop changes sets, services and settings. What
 * is looked for are data races (the TSan build), use after free (the ASan build) and endpoints that are never given
 * back. */
#include "base/alloc.h"
#include "base/assert.h"
#include "exchange/snapshot.h"
#include "io/linux/linux.h"
#include "service/service.h"
#include "stage/stages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define WORKERS 2
#define CALLERS 4  /* fibers of a worker */
#define ROUNDS 150 /* of changes */

struct rig;

struct caller {
    struct task task;
    struct hand *hand;
    unsigned number;
};

/* A worker's thread. */
struct hand {
    struct rig *rig;
    struct loop loop;
    struct worker worker;
    struct letter enter, stop;
    struct caller callers[CALLERS];
    void *thread;
    uint64_t calls;
    unsigned callers_left;
    atomic_bool up, stopping, quiet, released; /* released: nobody posts to it any more */
};

struct rig {
    struct service_dialer dialer;
    struct io *io;
    struct loop loop;
    struct worker control;
    struct registry registry;
    struct snapshot *snapshot;
    struct hand hands[WORKERS];
    struct task task;
    atomic_uint made, freed;
};

struct fake {
    struct endpoint endpoint;
    struct rig *rig;
    const struct instance *instance;
    unsigned calls;
};

static enum outcome fake_run(struct endpoint *endpoint, struct exchange *x)
{
    struct fake *fake = container_of(endpoint, struct fake, endpoint);

    if (x->detached)
        return OUTCOME_CONNECT_FAILED; /* checks always fail: instances are made ready by hand */
    if (fiber_yield() < 0)
        return OUTCOME_CANCELED;
    if (++fake->calls % 7 == 0)
        return OUTCOME_CONNECT_FAILED;
    return exchange_answer(x, 200, BYTES("text/plain"), fake->endpoint.name) < 0 ? OUTCOME_INTERNAL : OUTCOME_OK;
}

static const struct endpoint_ops FAKE_OPS = { .run = fake_run };

static void fake_unused(struct endpoint *endpoint)
{
    struct fake *fake = container_of(endpoint, struct fake, endpoint);

    atomic_fetch_add(&fake->rig->freed, 1);
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
    fake->endpoint.ops = &FAKE_OPS;
    fake->endpoint.name = instance->name;
    fake->endpoint.uses = 1;
    fake->endpoint.unused = fake_unused;
    atomic_fetch_add(&rig->made, 1);
    *ret = &fake->endpoint;
    return 0;
}

static void fake_retire(struct endpoint *endpoint)
{
}

/* --- a worker --------------------------------------------------------------------------------------------- */

static void call_once(struct hand *hand)
{
    struct scope scope;
    struct exchange *x;
    enum outcome outcome;

    scope_open(&scope, TIME_NEVER);
    if (exchange_create(&hand->worker, NULL, &scope, &x) == 0) {
        x->request.method = HTTP_GET;
        x->request.path = BYTES("/");
        outcome = stage_run(x->view->snapshot->root, x);
        exchange_end(x, outcome);
        hand->calls++;
    }
    (void)scope_close(&scope);
}

static int caller_run(struct task *task)
{
    struct caller *caller = container_of(task, struct caller, task);
    struct hand *hand = caller->hand;

    while (!atomic_load(&hand->stopping)) {
        if (hand->worker.newest)
            call_once(hand);
        if (fiber_sleep(NS_PER_MS / 4) < 0)
            break;
    }
    if (--hand->callers_left == 0) {
        worker_leave_all(&hand->worker);
        worker_services_stop(&hand->worker);
        atomic_store(&hand->quiet, true);
    }
    return 0;
}

static void hand_enter(struct letter *letter, struct loop *loop)
{
    struct hand *hand = container_of(letter, struct hand, enter);
    int r = worker_enter(&hand->worker, hand->rig->snapshot);

    ASSERT(r == 0);
}

static void hand_stop(struct letter *letter, struct loop *loop)
{
    loop_stop(loop);
}

static void hand_run(void *context)
{
    struct hand *hand = context;
    struct io *io;
    int r = io_linux_open(&io);

    ASSERT(r == 0);
    r = loop_init(&hand->loop, io, NULL);
    if (r == 0)
        r = worker_init(&hand->worker, 1, &hand->loop, NULL);
    hand->callers_left = CALLERS;
    for (unsigned i = 0; r == 0 && i < CALLERS; i++) {
        hand->callers[i] = (struct caller){ .task.run = caller_run, .hand = hand, .number = i };
        r = loop_spawn(&hand->loop, &hand->callers[i].task);
    }
    ASSERT(r == 0);
    atomic_store(&hand->up, true);
    loop_run(&hand->loop);
    while (!atomic_load(&hand->released)) /* whoever posted last may still be waking us */
        (void)io->ops->poll(io, io->ops->now_ns(io) + NS_PER_MS);
    worker_done(&hand->worker);
    loop_done(&hand->loop);
    io_linux_close(io);
}

/* --- the control loop --------------------------------------------------------------------------------------- */

static void wait_for(atomic_bool *flag)
{
    while (!atomic_load(flag))
        if (fiber_sleep(NS_PER_MS) < 0)
            return;
}

static void change(struct rig *rig, struct service *service, unsigned round)
{
    struct instance_conf confs[8];
    char names[8][16];
    unsigned count = 1 + round % 7, first = round / 3 % 5;
    int r;

    for (unsigned i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "orders-%u", first + i);
        confs[i] = (struct instance_conf){ .name = bytes_of_text(names[i]),
                                           .address = { ADDRESS_IP4, (uint16_t)(first + i + 1), { { 127, 0, 0, 1 } } },
                                           .weight = 1 + round % 2 * i };
    }
    r = service_set_instances(service, confs, count);
    ASSERT(r == 0);
    for (unsigned i = 0; i < count; i++)
        atomic_store_explicit(&service->set->entries[i].instance->ready, HEALTH_READY, memory_order_relaxed);
}

static void change_all(struct rig *rig)
{
    struct service *service = NULL, *other = NULL;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct service_settings settings = { .ready = BYTES("/ready"), .connect_ns = round / 20 };
        int r = registry_set(&rig->registry, BYTES("orders"), &settings, &service);

        if (r == 0)
            r = registry_set(&rig->registry, BYTES("other"), &settings, &other);
        ASSERT(r == 0);
        change(rig, service, round);
        change(rig, other, round + 1);
        if (round % 10 == 9)
            registry_remove(&rig->registry, other);
        if (round % 50 == 49)
            registry_remove(&rig->registry, service);
        if (round % 3 == 0 && fiber_sleep(2 * NS_PER_MS) < 0)
            return;
    }
}

static int control_run(struct task *task)
{
    struct rig *rig = container_of(task, struct rig, task);
    int r = 0;

    for (unsigned i = 0; i < WORKERS; i++) {
        wait_for(&rig->hands[i].up);
        r = registry_add_worker(&rig->registry, &rig->hands[i].worker);
        if (r == 0)
            r = loop_post(&rig->hands[i].loop, &rig->hands[i].enter);
        ASSERT(r == 0);
    }
    change_all(rig);
    registry_stop(&rig->registry);
    for (unsigned i = 0; i < WORKERS; i++) {
        atomic_store(&rig->hands[i].stopping, true);
        wait_for(&rig->hands[i].quiet);
        r = loop_post(&rig->hands[i].loop, &rig->hands[i].stop);
        ASSERT(r == 0);
        atomic_store(&rig->hands[i].released, true);
    }
    while (!registry_quiet(&rig->registry) && r == 0)
        r = fiber_sleep(NS_PER_MS);
    for (unsigned i = 0; i < WORKERS; i++)
        rig->io->ops->thread_join(rig->io, rig->hands[i].thread);
    if (fiber_sleep(NS_PER_MS) == 0) /* what they asked for has arrived */
        loop_stop(&rig->loop);
    return 0;
}

static void start(struct rig *rig)
{
    static const struct retry_conf retry = {
        .attempts = 3, .backoff = { 0, NS_PER_MS }, .budget = 1, .budget_floor = 100
    };
    static const struct balance_conf balance = { .service = { "orders", 6 } };
    static const struct {
        const struct stage_type *type;
        const void *conf;
    } stages[] = { { &STAGE_ENDPOINT, NULL }, { &STAGE_BALANCE, &balance }, { &STAGE_RETRY, &retry } };
    struct fault fault = { 0 };
    struct stage *stage = NULL;
    char path[8];

    assert_int_equal(snapshot_create(1, &rig->snapshot), 0);
    snapshot_hold(rig->snapshot);
    for (unsigned i = 0; i < ARRAY_LEN(stages); i++) {
        struct stage *inner = stage;

        snprintf(path, sizeof(path), "%u", i);
        assert_int_equal(snapshot_add_stage(rig->snapshot, stages[i].type, stages[i].conf, bytes_of_text(path), &stage),
                         0);
        stage->next = inner;
    }
    rig->snapshot->root = stage;
    assert_int_equal(snapshot_seal(rig->snapshot, NULL, &fault), 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct hand *hand = &rig->hands[i];

        hand->rig = rig;
        hand->enter.run = hand_enter;
        hand->stop.run = hand_stop;
        assert_int_equal(rig->io->ops->thread_start(rig->io, "worker", hand_run, hand, &hand->thread), 0);
    }
}

static void sets_change_under_running_workers(void **state)
{
    struct rig *rig = test_calloc(1, sizeof(*rig));

    rig->dialer = (struct service_dialer){ .create = fake_create, .retire = fake_retire };
    assert_int_equal(io_linux_open(&rig->io), 0);
    assert_int_equal(loop_init(&rig->loop, rig->io, NULL), 0);
    assert_int_equal(worker_init(&rig->control, 0, &rig->loop, NULL), 0);
    assert_int_equal(registry_init(&rig->registry, &rig->control, WORKERS, &rig->dialer), 0);
    start(rig);
    rig->task.run = control_run;
    assert_int_equal(loop_spawn(&rig->loop, &rig->task), 0);
    loop_run(&rig->loop);
    registry_done(&rig->registry);
    worker_done(&rig->control);
    loop_done(&rig->loop);
    io_linux_close(rig->io);
    snapshot_release(rig->snapshot);
    snapshot_free(rig->snapshot);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_true(rig->hands[i].calls > 100);
    assert_true(atomic_load(&rig->made) > ROUNDS);
    assert_int_equal(atomic_load(&rig->made), atomic_load(&rig->freed));
    test_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sets_change_under_running_workers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
