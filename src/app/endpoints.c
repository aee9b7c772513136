/* Where services run: from what the supervisor said to the registry. */
#include "app/serving.h"

#include "base/alloc.h"

static bool is_leaving(const struct serving_instance *instance)
{
    return bytes_equal(bytes_of_text(instance->state), BYTES("leaving"));
}

/* Those that have a process. */
static bool is_usable(const struct serving_instance *instance)
{
    struct bytes state = bytes_of_text(instance->state);

    return instance->address.family != ADDRESS_NONE &&
           (bytes_equal(state, BYTES("starting")) || bytes_equal(state, BYTES("ready")) || is_leaving(instance));
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
                                                 .leaving = is_leaving(instance),
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

/* --- those that leave -------------------------------------------------------------------------------------------- */

static struct instance *find_instance(const struct serving *serving, const struct serving_instance *told)
{
    const struct service *service = registry_find(&serving->registry, bytes_of_text(told->service));

    for (unsigned i = 0; service && service->set && i < service->set->count; i++) {
        struct instance *instance = service->set->entries[i].instance;

        if (bytes_equal(instance->name, bytes_of_text(told->name)) && instance->generation == told->pid)
            return instance;
    }
    return NULL;
}

/* Nobody asks it any more. For a moment a worker may still do who has not looked at it lately. */
static bool has_left(const struct serving *serving, const struct serving_instance *told)
{
    const struct instance *instance = find_instance(serving, told);

    return !instance ||
           (serving->loop.now_ns - told->leaving_ns >= UNIT_LEAVE_MIN_NS && instance_active(instance) == 0);
}

void endpoints_look_leaving(struct timer *timer)
{
    struct serving *serving = container_of(timer, struct serving, leaving);
    bool more = false;

    LIST_EACH (&serving->instances, node, next) {
        struct serving_instance *told = container_of(node, struct serving_instance, node);
        const struct message left = { .type = MESSAGE_LEFT, .name = bytes_of_text(told->name), .pid = told->pid };

        if (!is_leaving(told) || told->left)
            continue;
        told->left = serving->started && has_left(serving, told);
        if (told->left)
            serving_send(serving, &left);
        else
            more = true;
    }
    if (more)
        timer_set(&serving->loop, timer, serving->loop.now_ns + WORKER_QUIET_NS);
}

/* --- the first start ------------------------------------------------------------------------------------------- */

/* Whether nothing will become ready, since nothing of it shall run. */
static bool is_empty(const struct serving *serving, struct bytes service)
{
    LIST_EACH (&serving->runs, node, next) {
        const struct serving_run *run = container_of(node, struct serving_run, node);

        if (bytes_equal(bytes_of_text(run->service), service))
            return run->scale == 0;
    }
    return false;
}

/* Whether a route leads to a service of which nobody is ready yet. Empty: none does. */
static struct bytes unready_target(const struct serving *serving, const struct control_config *config)
{
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct control_service *target = control_route_at(config, i)->service;
        const struct service *service = target ? registry_find(&serving->registry, target->name) : NULL;

        if (service && service_ready_count(service) == 0 && !is_empty(serving, target->name))
            return target->name;
    }
    return BYTES_NONE;
}

static void say_unready(struct serving *serving, const struct control_config *config)
{
    for (size_t i = 0; i < config->services.count; i++) {
        const struct control_service *service = control_service_at(config, i);
        const struct service *known = registry_find(&serving->registry, service->name);

        if (known && service_ready_count(known) == 0 && !is_empty(serving, service->name))
            log_say(&serving->log, "gateways are opened although no instance of " BYTES_FMT " is ready yet",
                    BYTES_ARG(service->name));
    }
}

void endpoints_wait_first(struct serving *serving)
{
    const struct control_config *config = serving->newest->system;
    int64_t until_ns = serving->loop.now_ns + READY_WAIT_NS;

    while (unready_target(serving, config).len > 0) {
        if (serving->loop.now_ns >= until_ns) {
            say_unready(serving, config);
            return;
        }
        if (serving->drain_wanted || fiber_sleep(WORKER_QUIET_NS) < 0)
            return;
    }
}
