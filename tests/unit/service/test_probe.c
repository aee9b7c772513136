#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum health_state state_of(const struct service *service)
{
    return (enum health_state)atomic_load(&service->set->entries[0].instance->ready);
}

/* Which answers count as ready. */
static const struct {
    unsigned status;
    bool ready;
} STATUSES[] = {
    { 200, true },  { 204, true },  { 302, true },  { 399, true },
    { 400, false }, { 404, false }, { 500, false }, { 503, false },
};

static void statuses(struct rig *rig)
{
    for (unsigned i = 0; i < ARRAY_LEN(STATUSES); i++) {
        struct service *service;

        rig_plan(rig, 100)->check_status = STATUSES[i].status;
        service = rig_service(rig, "orders", 100, 1, "/readyz?full=1");
        if ((state_of(service) == HEALTH_READY) != STATUSES[i].ready)
            world_fail(rig->world, "status %u: is %s", STATUSES[i].status, health_name(state_of(service)));
        RIG_CHECK(rig, strcmp(rig_plan(rig, 100)->check_target, "/readyz?full=1") == 0);
        if (!STATUSES[i].ready)
            RIG_CHECK(rig, atomic_load(&service->set->entries[0].instance->last_error) == (int)STATUSES[i].status);
        registry_remove(&rig->registry, service);
        rig_sleep(50 * NS_PER_MS);
    }
}

static void status_of_the_answer_decides(void **state)
{
    rig_run(statuses, 1, NULL);
}

struct changes {
    unsigned count;
    enum health_state last;
};

static void changed(struct registry *registry, struct service *service, struct instance *instance)
{
    struct changes *changes = registry->changed_data;

    changes->count++;
    changes->last = (enum health_state)atomic_load(&instance->ready);
}

static void cadence(struct rig *rig)
{
    struct changes changes = { 0, HEALTH_STARTING };
    struct rig_plan *plan = rig_plan(rig, 100);
    struct service *service;
    unsigned checks;

    rig->registry.changed = changed;
    rig->registry.changed_data = &changes;
    plan->check_status = 1;
    service = rig_service(rig, "orders", 100, 1, "/ready");
    rig_sleep(900 * NS_PER_MS);
    RIG_CHECK(rig, plan->checks >= 19 && plan->checks <= 21); /* every 50 ms for a second */
    RIG_CHECK(rig, atomic_load(&service->set->entries[0].instance->last_error) == -ECONNREFUSED);
    RIG_CHECK(rig, changes.count == 0 && state_of(service) == HEALTH_STARTING);
    plan->check_status = 200;
    rig_sleep(60 * NS_PER_MS);
    RIG_CHECK(rig, changes.count == 1 && changes.last == HEALTH_READY);
    checks = plan->checks;
    rig_sleep(20 * NS_PER_S);
    RIG_CHECK(rig, plan->checks - checks >= 9 && plan->checks - checks <= 11); /* every 2 s, give or take a tenth */
    plan->check_status = 503;
    rig_sleep(2200 * NS_PER_MS);
    RIG_CHECK(rig, state_of(service) == HEALTH_READY);
    rig_sleep(4400 * NS_PER_MS);
    RIG_CHECK(rig, state_of(service) == HEALTH_UNREADY && changes.count == 2);
    plan->check_status = 200;
    rig_sleep(4500 * NS_PER_MS);
    RIG_CHECK(rig, state_of(service) == HEALTH_READY && changes.count == 3);
}

static void checks_keep_their_cadence(void **state)
{
    rig_run(cadence, 1, NULL);
}

static void slow(struct rig *rig)
{
    struct rig_plan *plan = rig_plan(rig, 100);
    struct service *service;

    plan->delay_ns = 5 * NS_PER_S;
    service = rig_service(rig, "orders", 100, 1, "/ready");
    rig_sleep(10500 * NS_PER_MS);
    RIG_CHECK(rig, state_of(service) == HEALTH_STARTING);
    RIG_CHECK(rig, plan->checks >= 10 && plan->checks <= 11); /* a second and 50 ms each */
    RIG_CHECK(rig, atomic_load(&service->set->entries[0].instance->last_error) == -ETIMEDOUT);
}

static void slow_answers_are_failures(void **state)
{
    rig_run(slow, 1, NULL);
}

/* Without a path: able to connect is enough. */
static void connecting(struct rig *rig)
{
    struct io *io = rig->control_loop->io;
    struct address address = sim_address(rig->node, 100);
    struct service *service = rig_service(rig, "orders", 100, 1, "");
    struct io_socket listener;

    RIG_CHECK(rig, state_of(service) == HEALTH_STARTING);
    RIG_CHECK(rig, atomic_load(&service->set->entries[0].instance->last_error) == -ECONNREFUSED);
    RIG_CHECK(rig, io->ops->listen(io, &address, 8, false, &listener) == 0);
    rig_sleep(70 * NS_PER_MS);
    RIG_CHECK(rig, state_of(service) == HEALTH_READY);
    RIG_CHECK(rig, rig_plan(rig, 100)->checks == 0);
    io->ops->close(io, listener);
    rig_sleep(7 * NS_PER_S);
    RIG_CHECK(rig, state_of(service) == HEALTH_UNREADY);
}

static void connecting_is_enough_without_a_path(void **state)
{
    rig_run(connecting, 1, NULL);
}

/* --- liveness ---------------------------------------------------------------------------------------------- */

static void count_failed(struct registry *registry, struct service *service, struct instance *instance)
{
    ++*(unsigned *)registry->changed_data;
}

static enum live_state live_of(const struct service *service)
{
    return (enum live_state)atomic_load(&service->set->entries[0].instance->live);
}

static struct service *live_service(struct rig *rig, bool was_ready, unsigned *failed)
{
    const struct service_settings settings = { .ready = BYTES("/ready"),
                                               .ready_rules = { .every_ns = 500 * NS_PER_MS, .failures = 2 },
                                               .live = BYTES("/livez"),
                                               .live_rules = { .every_ns = NS_PER_S, .failures = 2 } };
    struct instance_conf conf = rig_instance(rig, "orders-0", 100);
    struct service *service = NULL;

    conf.was_ready = was_ready;
    rig->registry.failed = count_failed;
    rig->registry.changed_data = failed;
    RIG_CHECK(rig, registry_set(&rig->registry, BYTES("orders"), &settings, &service) == 0);
    RIG_CHECK(rig, service_set_instances(service, &conf, 1) == 0);
    return service;
}

/* Never while it starts; then every `every`, and told after `failures` in a row, again after as many more. */
static void liveness(struct rig *rig)
{
    struct rig_plan *plan = rig_plan(rig, 100);
    unsigned failed = 0;
    struct service *service;

    plan->check_status = 503;
    plan->live_status = 500;
    service = live_service(rig, false, &failed);
    rig_sleep(10 * NS_PER_S);
    RIG_CHECK(rig, plan->live_checks == 0 && failed == 0 && live_of(service) == LIVE_OK);
    plan->check_status = 200;
    plan->live_status = 200;
    rig_sleep(5 * NS_PER_S);
    RIG_CHECK(rig, state_of(service) == HEALTH_READY && plan->live_checks >= 4 && plan->live_checks <= 6);
    plan->live_status = 500;
    rig_sleep(1150 * NS_PER_MS);
    RIG_CHECK(rig, live_of(service) == LIVE_FAILING && failed == 0);
    plan->live_status = 200; /* one failure is forgotten by a success */
    rig_sleep(1200 * NS_PER_MS);
    RIG_CHECK(rig, live_of(service) == LIVE_OK);
    plan->live_status = 500;
    rig_sleep(4400 * NS_PER_MS);
    RIG_CHECK(rig, failed == 2);
    RIG_CHECK(rig, atomic_load(&service->set->entries[0].instance->live_error) == 500);
    RIG_CHECK(rig, state_of(service) == HEALTH_READY); /* readiness is another thing */
}

static void liveness_is_checked_once_it_was_ready(void **state)
{
    rig_run(liveness, 1, NULL);
}

/* It was ready before we came (another process of ours died): it may hang since. */
static void inherited(struct rig *rig)
{
    struct rig_plan *plan = rig_plan(rig, 100);
    unsigned failed = 0;

    plan->check_status = 503;
    plan->live_status = 1;
    (void)live_service(rig, true, &failed);
    rig_sleep(3500 * NS_PER_MS);
    RIG_CHECK(rig, failed >= 1);
}

static void liveness_of_what_was_ready_before_us(void **state)
{
    rig_run(inherited, 1, NULL);
}

/* `every` and `failures` of the readiness check. */
static void own_rules(struct rig *rig)
{
    struct rig_plan *plan = rig_plan(rig, 100);
    unsigned failed = 0, checks;
    struct service *service = live_service(rig, false, &failed);

    rig_sleep(200 * NS_PER_MS);
    RIG_CHECK(rig, state_of(service) == HEALTH_READY);
    checks = plan->checks;
    rig_sleep(5 * NS_PER_S);
    RIG_CHECK(rig, plan->checks - checks >= 9 && plan->checks - checks <= 11);
    plan->check_status = 503;
    rig_sleep(1200 * NS_PER_MS);
    RIG_CHECK(rig, state_of(service) == HEALTH_UNREADY);
}

static void rules_may_be_ones_own(void **state)
{
    rig_run(own_rules, 1, NULL);
}

/* One that leaves is neither ready nor checked, and stays so when it is told of again. */
static void leaving(struct rig *rig)
{
    struct instance_conf confs[] = { rig_instance(rig, "orders-100", 100), rig_instance(rig, "orders-101", 101) };
    struct service *service = rig_service(rig, "orders", 100, 2, "/ready");
    const struct instance *gone = service->set->entries[1].instance;
    unsigned checks;

    RIG_CHECK(rig, service_ready_count(service) == 2);
    confs[1].leaving = true;
    RIG_CHECK(rig, service_set_instances(service, confs, 2) == 0);
    RIG_CHECK(rig, service->set->entries[1].instance == gone); /* what is under way is counted on */
    RIG_CHECK(rig, service_ready_count(service) == 1 && instance_active(gone) == 0);
    checks = rig_plan(rig, 101)->checks;
    rig_sleep(10 * NS_PER_S);
    RIG_CHECK(rig, rig_plan(rig, 101)->checks == checks && rig_plan(rig, 100)->checks > 3);
    RIG_CHECK(rig, service_ready_count(service) == 1);
}

static void who_leaves_is_neither_ready_nor_checked(void **state)
{
    rig_run(leaving, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_of_the_answer_decides),
        cmocka_unit_test(checks_keep_their_cadence),
        cmocka_unit_test(slow_answers_are_failures),
        cmocka_unit_test(connecting_is_enough_without_a_path),
        cmocka_unit_test(liveness_is_checked_once_it_was_ready),
        cmocka_unit_test(liveness_of_what_was_ready_before_us),
        cmocka_unit_test(rules_may_be_ones_own),
        cmocka_unit_test(who_leaves_is_neither_ready_nor_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
