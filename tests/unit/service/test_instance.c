#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void ejections_double_up_to_a_limit(void **state)
{
    static const int64_t SECONDS[] = { 1, 2, 4, 8, 16, 30, 30, 30 };

    for (unsigned i = 0; i < ARRAY_LEN(SECONDS); i++)
        assert_int_equal(instance_eject_ns(i + 1), SECONDS[i] * NS_PER_S);
    assert_int_equal(instance_eject_ns(4000000), EJECT_MAX_NS);
    assert_int_equal(instance_eject_ns(1), EJECT_FIRST_NS);
}

/* Failures of exchanges that were under way together are one ejection; only one that comes later doubles it. */
static void eject(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 1, "/ready");
    struct instance *instance = service->set->entries[0].instance;
    int64_t now = rig->control_loop->now_ns;
    unsigned checks;

    RIG_CHECK(rig, instance_ready(instance) && !instance_ejected(instance, now));
    rig_plan(rig, 100)->check_status = 500; /* or the check that follows would clear it */
    checks = rig_plan(rig, 100)->checks;
    RIG_CHECK(rig, instance_eject(instance, OUTCOME_CONNECT_FAILED, now));
    RIG_CHECK(rig, !instance_eject(instance, OUTCOME_CONNECT_TIMEOUT, now + 1));
    RIG_CHECK(rig, instance_ejected(instance, now) && instance_ejected(instance, now + NS_PER_S - 1));
    RIG_CHECK(rig, !instance_ejected(instance, now + NS_PER_S));
    RIG_CHECK(rig, atomic_load(&instance->last_outcome) == OUTCOME_CONNECT_TIMEOUT);
    RIG_CHECK(rig, instance_ready(instance)); /* probes alone decide that */
    rig_sleep(20 * NS_PER_MS);
    RIG_CHECK(rig, rig_plan(rig, 100)->checks == checks + 1); /* a check was made at once */
    RIG_CHECK(rig, instance_eject(instance, OUTCOME_CONNECT_FAILED, now + NS_PER_S));
    RIG_CHECK(rig,
              instance_ejected(instance, now + 3 * NS_PER_S - 1) && !instance_ejected(instance, now + 3 * NS_PER_S));
    instance_clear(instance);
    RIG_CHECK(rig, !instance_ejected(instance, now + NS_PER_S));
    RIG_CHECK(rig, instance_eject(instance, OUTCOME_CONNECT_FAILED, now + NS_PER_S)); /* from the beginning */
    RIG_CHECK(rig, !instance_ejected(instance, now + 2 * NS_PER_S));
}

static void ejection_is_counted_once(void **state)
{
    rig_run(eject, 1, NULL);
}

static void check_clears(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 1, "/ready");
    struct instance *instance = service->set->entries[0].instance;

    RIG_CHECK(rig, instance_eject(instance, OUTCOME_CONNECT_FAILED, rig->control_loop->now_ns));
    rig_sleep(20 * NS_PER_MS);
    RIG_CHECK(rig, !instance_ejected(instance, rig->control_loop->now_ns));
}

static void successful_check_clears_an_ejection(void **state)
{
    rig_run(check_clears, 1, NULL);
}

/* The instance leaves its set, and all who use it, while the request for a check is on its way. */
static void ask_and_leave(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 2, "/ready");
    struct instance *instance = service->set->entries[1].instance;

    RIG_CHECK(rig, instance_eject(instance, OUTCOME_CONNECT_FAILED, rig->control_loop->now_ns));
    RIG_CHECK(rig, rig_set(rig, service, 100, 1) == 0);
    rig_sleep(NS_PER_S);
    RIG_CHECK(rig, rig_plan(rig, 101)->made == 1 && rig_plan(rig, 101)->freed == 1);
}

static void letter_keeps_its_instance(void **state)
{
    rig_run(ask_and_leave, 1, NULL);
}

static void sameness(struct rig *rig)
{
    struct service_settings settings = { .ready = BYTES("/r"), .host = BYTES("h") }, other;
    struct instance_conf conf = rig_instance(rig, "orders-0", 100), changed;
    struct instance *instance = NULL;
    int r = instance_create(rig->control_loop, BYTES("orders"), &conf, &settings, &instance);

    RIG_CHECK(rig, r == 0 && instance_same(instance, &conf, &settings));
    changed = conf;
    changed.generation = 1;
    RIG_CHECK(rig, !instance_same(instance, &changed, &settings) && !instance_same_place(instance, &changed));
    changed = rig_instance(rig, "orders-1", 100);
    RIG_CHECK(rig, !instance_same(instance, &changed, &settings) && instance_same_place(instance, &changed));
    changed = rig_instance(rig, "orders-0", 101);
    RIG_CHECK(rig, !instance_same(instance, &changed, &settings) && !instance_same_place(instance, &changed));
    other = settings;
    other.connect_ns = 5;
    RIG_CHECK(rig, !instance_same(instance, &conf, &other));
    other = settings;
    other.host = BYTES("i");
    RIG_CHECK(rig, !instance_same(instance, &conf, &other));
    instance_drop(instance);
    conf.name = BYTES_NONE;
    r = instance_create(rig->control_loop, BYTES("orders"), &conf, &settings, &instance);
    RIG_CHECK(rig, r == 0 && bytes_equal(instance->name, BYTES("10.0.0.1:100")));
    RIG_CHECK(rig, instance_same(instance, &conf, &settings));
    instance_drop(instance);
}

static void instances_are_compared_by_place_and_settings(void **state)
{
    rig_run(sameness, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ejections_double_up_to_a_limit),
        cmocka_unit_test(ejection_is_counted_once),
        cmocka_unit_test(successful_check_clears_an_ejection),
        cmocka_unit_test(letter_keeps_its_instance),
        cmocka_unit_test(instances_are_compared_by_place_and_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
