#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The name has these last bytes of 10.0.0.x now. Ends with 0. */
static void name_is(struct rig *rig, const char *name, const uint8_t *hosts)
{
    struct sim_name *entry = NULL;

    for (unsigned i = 0; i < rig->world->name_count; i++)
        if (strcmp(rig->world->names[i].name, name) == 0)
            entry = &rig->world->names[i];
    if (entry)
        entry->count = 0;
    for (; *hosts; hosts++) {
        struct address address = { .family = ADDRESS_IP4, .ip = { 10, 0, 0, *hosts } };

        world_name(rig->world, name, &address);
    }
}

/* The hosts of the set, in its order, as a number: 10.0.0.2 and 10.0.0.3 are 23. */
static unsigned hosts_of(const struct service *service)
{
    unsigned hosts = 0;

    for (unsigned i = 0; service->set && i < service->set->count; i++)
        hosts = hosts * 10 + service->set->entries[i].instance->address.ip[3];
    return hosts;
}

static struct service *by_targets(struct rig *rig, const struct service_target *targets, unsigned count)
{
    struct service_settings settings = { .ready = BYTES("/ready") };
    struct service *service = NULL;

    RIG_CHECK(rig, registry_set(&rig->registry, BYTES("catalog"), &settings, &service) == 0);
    RIG_CHECK(rig, service_set_targets(service, targets, count) == 0);
    return service;
}

static void names(struct rig *rig)
{
    const struct service_target targets[] = { { .host = BYTES("catalog.test"), .port = 9000, .weight = 5 } };
    struct service *service;
    uint64_t version;

    name_is(rig, "catalog.test", (const uint8_t[]){ 4, 2, 3, 2, 0 });
    service = by_targets(rig, targets, 1);
    rig_sleep(NS_PER_S);
    RIG_CHECK(rig, hosts_of(service) == 234); /* sorted, each once */
    RIG_CHECK(rig, bytes_equal(service->set->entries[0].instance->name, BYTES("10.0.0.2:9000")));
    RIG_CHECK(rig, service->set->entries[2].weight == 5);
    version = service->version;
    name_is(rig, "catalog.test", (const uint8_t[]){ 3, 2, 4, 0 });
    rig_sleep(31 * NS_PER_S);
    RIG_CHECK(rig, service->version == version); /* another order is no change */
    name_is(rig, "catalog.test", (const uint8_t[]){ 5, 3, 0 });
    rig_sleep(31 * NS_PER_S);
    RIG_CHECK(rig, hosts_of(service) == 35 && service_ready_count(service) == 2);
    name_is(rig, "catalog.test", (const uint8_t[]){ 0 });
    rig_sleep(31 * NS_PER_S);
    RIG_CHECK(rig, hosts_of(service) == 35); /* no answer: the last one stays */
}

static void names_are_looked_up_again(void **state)
{
    rig_run(names, 1, NULL);
}

static void unknown_first(struct rig *rig)
{
    const struct service_target targets[] = { { .host = BYTES("late.test"), .port = 9000 },
                                              { .address = sim_address(rig->node, 9000) } };
    struct service *service = by_targets(rig, targets, 2);

    rig_sleep(NS_PER_S / 2);
    RIG_CHECK(rig, hosts_of(service) == 1); /* what is known is there already */
    name_is(rig, "late.test", (const uint8_t[]){ 7, 0 });
    rig_sleep(2 * NS_PER_S);
    RIG_CHECK(rig, hosts_of(service) == 71);
}

static void unknown_name_is_tried_again_soon(void **state)
{
    rig_run(unknown_first, 1, NULL);
}

/* A reload: the same targets again, then other ones, then instances. */
static void reload(struct rig *rig)
{
    const struct service_target both[] = { { .host = BYTES("a.test"), .port = 80 },
                                           { .host = BYTES("b.test"), .port = 80 } };
    struct service *service;
    struct resolver *resolver;

    name_is(rig, "a.test", (const uint8_t[]){ 2, 0 });
    name_is(rig, "b.test", (const uint8_t[]){ 3, 0 });
    service = by_targets(rig, both, 2);
    rig_sleep(NS_PER_S);
    resolver = service->resolver;
    RIG_CHECK(rig, hosts_of(service) == 23);
    RIG_CHECK(rig, service_set_targets(service, both, 2) == 0 && service->resolver == resolver);
    name_is(rig, "b.test", (const uint8_t[]){ 0 });
    RIG_CHECK(rig, service_set_targets(service, &both[1], 1) == 0 && service->resolver != resolver);
    rig_sleep(NS_PER_S);
    RIG_CHECK(rig, hosts_of(service) == 3); /* what was known of the name is not lost */
    RIG_CHECK(rig, rig_set(rig, service, 100, 2) == 0 && !service->resolver);
    rig_sleep(61 * NS_PER_S);
    RIG_CHECK(rig, hosts_of(service) == 11);
    RIG_CHECK(rig, service_set_targets(service, both, 1) == 0);
    registry_remove(&rig->registry, service); /* while it is being looked up */
    rig_sleep(NS_PER_S);
    RIG_CHECK(rig, list_empty(&rig->registry.gone) && list_empty(&rig->registry.resolvers));
}

static void targets_may_change(void **state)
{
    rig_run(reload, 1, NULL);
}

static void fixed(struct rig *rig)
{
    const struct service_target targets[] = { { .address = sim_address(rig->node, 1) },
                                              { .address = sim_address(rig->node, 2) },
                                              { .address = sim_address(rig->node, 1) } };
    char host[SERVICE_HOST_MAX + 1];
    struct service_target long_name = { .host = { host, SERVICE_HOST_MAX }, .port = 1 };
    struct service *service = by_targets(rig, targets, 3);

    memset(host, 'a', sizeof(host));
    RIG_CHECK(rig, !service->resolver && !rig->registry.lane);
    RIG_CHECK(rig, service->set->count == 2 && service->set->entries[1].instance->address.port == 2);
    RIG_CHECK(rig, service_set_targets(service, &long_name, 1) == -ENAMETOOLONG);
    RIG_CHECK(rig, service->set->count == 2);
}

static void addresses_need_no_lookup(void **state)
{
    rig_run(fixed, 1, NULL);
}

/* A name with more addresses than are taken. */
static int resolve_many(struct io *io, const char *host, uint16_t port, struct address *ret, unsigned max)
{
    for (unsigned i = 0; i < max; i++)
        ret[i] = (struct address){ .family = ADDRESS_IP4, .port = port, .ip = { 10, 1, 0, (uint8_t)i } };
    return (int)max;
}

static void many(struct rig *rig)
{
    const struct service_target target = { .host = BYTES("many.test"), .port = 80 };
    struct io *io = rig->control_loop->io;
    const struct io_ops *ops = io->ops;
    struct io_ops with_many = *ops;
    struct service *service;

    with_many.resolve = resolve_many;
    io->ops = &with_many;
    service = by_targets(rig, &target, 1);
    rig_sleep(NS_PER_S);
    RIG_CHECK(rig, service->set && service->set->count == SERVICE_NAME_ADDRESSES_MAX);
    io->ops = ops;
}

static void addresses_of_a_name_are_bounded(void **state)
{
    rig_run(many, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_looked_up_again),
        cmocka_unit_test(unknown_name_is_tried_again_soon),
        cmocka_unit_test(targets_may_change),
        cmocka_unit_test(addresses_need_no_lookup),
        cmocka_unit_test(addresses_of_a_name_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
