#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void same_again(struct rig *rig)
{
    struct service_settings settings = { 0 };
    struct service *service = rig_service(rig, "orders", 100, 3, NULL), *again = NULL;
    struct endpoint_set *set = service->set;

    RIG_CHECK(rig, rig_set(rig, service, 100, 3) == 0);
    RIG_CHECK(rig, registry_set(&rig->registry, BYTES("orders"), &settings, &again) == 0);
    RIG_CHECK(rig, again == service && service->set == set && service->version == 1);
}

static void nothing_changes_without_a_change(void **state)
{
    rig_run(same_again, 1, NULL);
}

/* Other settings make new instances, which keep their state: a reload must not take a service away. */
static void settings_change(struct rig *rig)
{
    struct service_settings settings = { .ready = BYTES("/other"), .connect_ns = 5 };
    struct service *service = rig_service(rig, "orders", 100, 2, "/ready");
    struct instance *before = service->set->entries[0].instance;

    instance_use(before);
    RIG_CHECK(rig, service_ready_count(service) == 2);
    RIG_CHECK(rig, registry_set(&rig->registry, BYTES("orders"), &settings, &service) == 0);
    RIG_CHECK(rig, service->set->entries[0].instance != before);
    RIG_CHECK(rig, service_ready_count(service) == 2 && service->set->count == 2);
    RIG_CHECK(rig, bytes_equal(service->set->entries[1].instance->settings.ready, BYTES("/other")));
    RIG_CHECK(rig, !before->probe);
    rig_sleep(50 * NS_PER_MS);
    RIG_CHECK(rig, strcmp(rig_plan(rig, 100)->check_target, "/other") == 0);
    RIG_CHECK(rig, rig_plan(rig, 100)->made == 2 && rig_plan(rig, 100)->freed == 1);
    instance_drop(before);
}

static void changed_settings_keep_the_state(void **state)
{
    rig_run(settings_change, 1, NULL);
}

/* A process that was started anew at the same address is ready when its check says so, not before. */
static void restart(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 1, "/ready");
    struct instance_conf conf = rig_instance(rig, "orders-100", 100);

    rig_plan(rig, 100)->check_status = 503;
    conf.generation = 1;
    RIG_CHECK(rig, service_ready_count(service) == 1);
    RIG_CHECK(rig, service_set_instances(service, &conf, 1) == 0);
    RIG_CHECK(rig, service_ready_count(service) == 0);
    rig_sleep(200 * NS_PER_MS);
    RIG_CHECK(rig, service_ready_count(service) == 0);
    rig_plan(rig, 100)->check_status = 200;
    rig_sleep(60 * NS_PER_MS);
    RIG_CHECK(rig, service_ready_count(service) == 1);
}

static void another_generation_starts_afresh(void **state)
{
    rig_run(restart, 1, NULL);
}

static void order(struct rig *rig)
{
    struct service *a = rig_service(rig, "a", 100, 1, NULL), *b = rig_service(rig, "b", 101, 1, NULL);
    struct service *c = rig_service(rig, "c", 102, 0, NULL);

    RIG_CHECK(rig, registry_next(&rig->registry, NULL) == a && registry_next(&rig->registry, a) == b);
    RIG_CHECK(rig, registry_next(&rig->registry, b) == c && !registry_next(&rig->registry, c));
    registry_remove(&rig->registry, b);
    RIG_CHECK(rig, registry_next(&rig->registry, a) == c);
    RIG_CHECK(rig, registry_find(&rig->registry, BYTES("c")) == c && !registry_find(&rig->registry, BYTES("b")));
}

static void services_keep_their_order(void **state)
{
    rig_run(order, 1, NULL);
}

static void bounds(struct rig *rig)
{
    struct service_settings settings = { 0 };
    struct service *service = rig_service(rig, "orders", 100, 1, NULL), *more;
    struct instance_conf *confs = mem_zalloc_array(INSTANCES_MAX + 1, sizeof(*confs));
    struct service_target *targets = mem_zalloc_array(SERVICE_TARGETS_MAX + 1, sizeof(*targets));
    struct worker extra;
    struct registry large;
    char name[16];
    int r = 0;

    RIG_CHECK(rig, service_set_instances(service, confs, INSTANCES_MAX + 1) == -ENOSPC);
    RIG_CHECK(rig, service_set_targets(service, targets, SERVICE_TARGETS_MAX + 1) == -ENOSPC);
    RIG_CHECK(rig, service->version == 1);
    confs[0] = rig_instance(rig, "orders-0", 100);
    confs[0].weight = INSTANCE_WEIGHT_MAX + 1;
    RIG_CHECK(rig, service_set_instances(service, confs, 1) == 0);
    RIG_CHECK(rig, service->set->entries[0].weight == INSTANCE_WEIGHT_MAX);
    for (unsigned i = 1; i < SERVICES_MAX && r == 0; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        r = registry_set(&rig->registry, bytes_of_text(name), &settings, &more);
    }
    RIG_CHECK(rig, r == 0);
    RIG_CHECK(rig, registry_set(&rig->registry, BYTES("more"), &settings, &more) == -ENOSPC);
    RIG_CHECK(rig, registry_set(&rig->registry, BYTES("s1"), &settings, &more) == 0);
    while ((more = registry_next(&rig->registry, NULL)) != NULL)
        registry_remove(&rig->registry, more);
    rig_sleep(100 * NS_PER_MS);
    RIG_CHECK(rig, list_empty(&rig->registry.gone));
    extra = rig->workers[0];
    RIG_CHECK(rig, registry_add_worker(&rig->registry, &extra) == -ENOSPC);
    RIG_CHECK(rig, registry_init(&large, &rig->control, SERVICE_WORKERS_MAX + 1, &rig->dialer) == -ENOSPC);
    mem_free(confs);
    mem_free(targets);
}

static void bounds_are_refused_beyond(void **state)
{
    rig_run(bounds, 1, NULL);
}

/* The n-th allocation of a change fails: nothing has changed. */
static void no_memory(struct rig *rig)
{
    struct service_settings settings = { .ready = BYTES("/ready") };
    struct service *service = rig_service(rig, "orders", 100, 1, "/ready"), *other = NULL;
    struct endpoint_set *set = service->set;
    bool met = true;
    int r;

    for (unsigned n = 0; met && n < 100; n++) {
        mem_fail_after((int64_t)n);
        r = rig_set(rig, service, 100, 3);
        met = mem_fail_after(-1);
        RIG_CHECK(rig, r == 0 || (met && r == -ENOMEM && service->set == set));
        met = met && r < 0; /* a check that could not be started is started later: no failure */
    }
    rig_sleep(100 * NS_PER_MS);
    RIG_CHECK(rig, service->set->count == 3 && service_ready_count(service) == 3);
    settings.connect_ns = 7;
    met = true;
    for (unsigned n = 0; met && n < 100; n++) {
        mem_fail_after((int64_t)n);
        r = registry_set(&rig->registry, BYTES("orders"), &settings, &other);
        met = mem_fail_after(-1) && r < 0;
        RIG_CHECK(rig, r == 0 || (r == -ENOMEM && service->settings.connect_ns == 0));
    }
    met = true;
    for (unsigned n = 0; met && n < 100; n++) {
        mem_fail_after((int64_t)n);
        r = registry_set(&rig->registry, BYTES("another"), &settings, &other);
        met = mem_fail_after(-1);
        RIG_CHECK(rig, r == (met ? -ENOMEM : 0) && !registry_find(&rig->registry, BYTES("another")) == met);
    }
}

static void failed_changes_change_nothing(void **state)
{
    rig_run(no_memory, 1, NULL);
}

/* No fiber is free for a check: it is started later. */
static void probes_later(struct rig *rig)
{
    struct service_settings settings = { .ready = BYTES("/ready") };
    struct service *service = NULL;
    unsigned max = rig->control_loop->fibers.max;

    RIG_CHECK(rig, registry_set(&rig->registry, BYTES("orders"), &settings, &service) == 0);
    rig->control_loop->fibers.max = rig->control_loop->fibers.count + 1;
    RIG_CHECK(rig, rig_set(rig, service, 100, 3) == 0);
    rig_sleep(200 * NS_PER_MS);
    RIG_CHECK(rig, service_ready_count(service) == 1);
    rig->control_loop->fibers.max = max;
    rig_sleep(200 * NS_PER_MS);
    RIG_CHECK(rig, service_ready_count(service) == 3);
}

static void checks_wait_for_a_free_fiber(void **state)
{
    rig_run(probes_later, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_without_a_change), cmocka_unit_test(changed_settings_keep_the_state),
        cmocka_unit_test(another_generation_starts_afresh), cmocka_unit_test(services_keep_their_order),
        cmocka_unit_test(bounds_are_refused_beyond),        cmocka_unit_test(failed_changes_change_nothing),
        cmocka_unit_test(checks_wait_for_a_free_fiber),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
