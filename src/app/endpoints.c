/* Where services run: from what the supervisor said to the registry. */
#include "app/serving.h"

#include "base/alloc.h"

/* Those that have a process, and are wanted. */
static bool is_usable(const struct serving_instance *instance)
{
    struct bytes state = bytes_of_text(instance->state);

    return instance->address.family != ADDRESS_NONE &&
           (bytes_equal(state, BYTES("starting")) || bytes_equal(state, BYTES("ready")));
}

int endpoints_apply(struct serving *serving, struct bytes name)
{
    struct service *service = serving->started ? registry_find(&serving->registry, name) : NULL;
    struct instance_conf *confs;
    unsigned room = 0, count = 0;
    int r;

    if (!service)
        return 0; /* known with its version */
    LIST_EACH (&serving->instances, node, next)
        room++;
    confs = mem_zalloc_array(MAX(room, 1u), sizeof(*confs));
    if (!confs)
        return -ENOMEM;
    LIST_EACH (&serving->instances, node, next) {
        const struct serving_instance *instance = container_of(node, struct serving_instance, node);

        if (!bytes_equal(bytes_of_text(instance->service), name) || !is_usable(instance))
            continue;
        confs[count++] = (struct instance_conf){ .name = bytes_of_text(instance->name),
                                                 .address = instance->address,
                                                 .was_ready = bytes_equal(bytes_of_text(instance->state),
                                                                          BYTES("ready")),
                                                 .generation = instance->pid };
    }
    r = service_set_instances(service, confs, count);
    mem_free(confs);
    return r;
}

/* Whether the checks have found out by themselves what the supervisor knew: which instances of the service are ready.
 */
static bool is_settled(struct serving *serving, struct service *service)
{
    unsigned ready = 0;

    LIST_EACH (&serving->instances, node, next) {
        const struct serving_instance *instance = container_of(node, struct serving_instance, node);

        ready += bytes_equal(bytes_of_text(instance->service), service->name) && is_usable(instance) &&
                 bytes_equal(bytes_of_text(instance->state), BYTES("ready"));
    }
    return service_ready_count(service) >= ready;
}

void endpoints_wait(struct serving *serving)
{
    int64_t until_ns = serving->loop.now_ns + ENDPOINTS_WAIT_NS;
    struct service *service = registry_next(&serving->registry, NULL);

    while (service) {
        if (is_settled(serving, service) || serving->loop.now_ns >= until_ns)
            service = registry_next(&serving->registry, service);
        else if (fiber_sleep(WORKER_QUIET_NS) < 0)
            return;
    }
}
