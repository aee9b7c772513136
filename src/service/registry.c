#include "service/service.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "io/loop.h"
#include "service/post.h"
#include "service/probe.h"
#include "service/resolver.h"

/* --- the registry --------------------------------------------------------------------------------------- */

static void registry_tend(struct timer *timer);

int registry_init(struct registry *registry, struct worker *control, unsigned worker_max,
                  const struct service_dialer *dialer)
{
    if (worker_max > SERVICE_WORKERS_MAX)
        return -ENOSPC;
    *registry = (struct registry){
        .magic = REGISTRY_MAGIC, .control = control, .dialer = dialer, .rules = &HEALTH_RULES, .worker_max = worker_max
    };
    atomic_init(&registry->traffic, 0);
    registry->workers = mem_zalloc_array(MAX(worker_max, 1u), sizeof(struct worker_services));
    if (!registry->workers)
        return -ENOMEM;
    map_init(&registry->names, control->hash_key, SERVICES_MAX);
    list_init(&registry->services);
    list_init(&registry->gone);
    list_init(&registry->probes);
    list_init(&registry->resolvers);
    timer_init(&registry->again, registry_tend);
    return 0;
}

int registry_add_worker(struct registry *registry, struct worker *worker)
{
    struct worker_services *services;

    CHECK_MAGIC(registry, REGISTRY_MAGIC);
    ASSERT(list_empty(&registry->services) && list_empty(&registry->gone));
    if (registry->worker_count >= registry->worker_max)
        return -ENOSPC;
    services = &registry->workers[registry->worker_count++];
    services->worker = worker;
    services->loop = worker->loop;
    services->registry = registry;
    services->dialer = registry->dialer;
    map_init(&services->views, worker->hash_key, 2 * SERVICES_MAX); /* removed ones may still be attached to */
    worker->services = services;
    if (worker != registry->control)
        atomic_fetch_add_explicit(&registry->traffic, 1, memory_order_relaxed);
    return 0;
}

static void service_free(struct service *service)
{
    for (unsigned i = 0; i < service->post_count; i++)
        service_post_done(&service->posts[i]);
    if (service->set)
        endpoint_set_drop(service->set);
    if (service->farewell)
        endpoint_set_drop(service->farewell);
    list_remove(&service->node);
    mem_free(service->settings_text);
    service->magic = 0;
    mem_free(service);
}

static void services_free(struct list_node *services)
{
    LIST_EACH (services, node, next)
        service_free(container_of(node, struct service, node));
}

void registry_stop(struct registry *registry)
{
    CHECK_MAGIC(registry, REGISTRY_MAGIC);
    registry->stopping = true;
    timer_stop(registry->control->loop, &registry->again);
    resolvers_stop(registry);
    probes_stop(registry);
}

bool registry_quiet(const struct registry *registry)
{
    return list_empty(&registry->probes) && list_empty(&registry->resolvers);
}

void registry_done(struct registry *registry)
{
    struct io *io = registry->control->loop->io;

    CHECK_MAGIC(registry, REGISTRY_MAGIC);
    ASSERT(registry->stopping && registry_quiet(registry));
    for (unsigned i = 0; i < registry->worker_count; i++)
        ASSERT(registry->workers[i].stopped);
    services_free(&registry->services);
    services_free(&registry->gone);
    map_done(&registry->names);
    if (registry->lane)
        io->ops->lane_close(io, registry->lane);
    mem_free(registry->workers);
    registry->magic = 0;
}

/* --- what could not be done at once --------------------------------------------------------------------- */

static void tend_later(struct registry *registry)
{
    struct loop *loop = registry->control->loop;

    if (!registry->stopping && !timer_is_set(&registry->again))
        timer_set(loop, &registry->again, loop->now_ns + SERVICE_POST_AGAIN_NS);
}

/* Whether all letters have been posted. */
static bool tend_posts(struct service *service)
{
    bool sent = true;

    for (unsigned i = 0; i < service->post_count; i++)
        if (service->posts[i].unsent && !service_post_again(&service->posts[i]))
            sent = false;
    return sent;
}

static bool service_idle(const struct service *service)
{
    for (unsigned i = 0; i < service->post_count; i++)
        if (!service_post_idle(&service->posts[i]))
            return false;
    return true;
}

/* Starts the checks of the instances that have none. False: some could not be started. */
static bool tend_probes(struct service *service)
{
    bool started = true;

    for (unsigned i = 0; service->set && i < service->set->count; i++) {
        struct instance *instance = service->set->entries[i].instance;

        if (instance->leaving)
            continue;
        if (!instance->probe && probe_start(service, instance, &PROBE_READY) < 0)
            started = false;
        if (!instance->live_probe && instance->settings.live.len && probe_start(service, instance, &PROBE_LIVE) < 0)
            started = false;
    }
    return started;
}

static void registry_tend(struct timer *timer)
{
    struct registry *registry = container_of(timer, struct registry, again);
    bool all = true;

    LIST_EACH (&registry->services, node, next) {
        struct service *service = container_of(node, struct service, node);

        all = tend_posts(service) && all;
        all = tend_probes(service) && all;
    }
    LIST_EACH (&registry->gone, node, next) {
        struct service *service = container_of(node, struct service, node);

        if (tend_posts(service) && service_idle(service))
            service_free(service);
        else
            all = false;
    }
    if (!all)
        tend_later(registry);
}

/* --- sets ----------------------------------------------------------------------------------------------- */

static struct endpoint_set *set_create(struct bytes name, unsigned room)
{
    struct endpoint_set *set = mem_zalloc(sizeof(*set) + room * sizeof(struct set_entry) + name.len);
    char *text;

    if (!set)
        return NULL;
    atomic_init(&set->uses, 1);
    text = (char *)&set->entries[room];
    if (name.len > 0)
        memcpy(text, name.data, name.len);
    set->service = bytes_of(text, name.len);
    return set;
}

/* An instance of the newest set that is as wanted, or a new one that takes over the state of one at the same place. */
static int find_instance(const struct service *service, const struct instance_conf *conf, unsigned hint,
                         struct instance **ret)
{
    const struct endpoint_set *set = service->set;
    const struct instance *place = NULL;
    struct instance *made;
    int r;

    for (unsigned i = 0; set && i < set->count; i++) {
        struct instance *instance = set->entries[(hint + i) % set->count].instance;

        if (instance_same(instance, conf, &service->settings)) {
            instance_use(instance);
            *ret = instance;
            return 0;
        }
        if (instance_same_place(instance, conf))
            place = instance;
    }
    r = instance_create(service->registry->control->loop, service->name, conf, &service->settings, &made);
    if (r < 0)
        return r;
    r = instance_count_workers(made, service->registry->worker_max);
    if (r < 0) {
        instance_drop(made);
        return r;
    }
    if (place)
        atomic_store_explicit(&made->ready, atomic_load_explicit(&place->ready, memory_order_relaxed),
                              memory_order_relaxed);
    *ret = made;
    return 0;
}

static int fill_set(const struct service *service, const struct instance_conf *instances, unsigned count,
                    struct endpoint_set *set)
{
    uint64_t sum = 0;

    set->uniform = true;
    for (unsigned i = 0; i < count; i++) {
        struct set_entry *entry = &set->entries[i];
        int r = find_instance(service, &instances[i], i, &entry->instance);

        if (r < 0)
            return r;
        set->count = i + 1;
        if (instances[i].leaving)
            instance_leave(entry->instance);
        entry->weight = MIN(MAX(instances[i].weight, 1u), (unsigned)INSTANCE_WEIGHT_MAX);
        entry->upto = sum += entry->weight;
        if (entry->weight != set->entries[0].weight)
            set->uniform = false;
    }
    return 0;
}

static bool sets_equal(const struct endpoint_set *a, const struct endpoint_set *b)
{
    if (!a || a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (a->entries[i].instance != b->entries[i].instance || a->entries[i].weight != b->entries[i].weight)
            return false;
    return true;
}

static void post_everywhere(struct service *service, struct endpoint_set *set)
{
    struct registry *registry = service->registry;

    for (unsigned i = 0; i < service->post_count && !registry->stopping; i++)
        if (!service_post_set(&service->posts[i], set))
            tend_later(registry);
}

/* Ends the checks of the instances of the old set that are not in the new one. */
static void leave_set(struct endpoint_set *old, const struct endpoint_set *new)
{
    for (unsigned i = 0; i < new->count; i++)
        new->entries[i].instance->mark = new->version;
    for (unsigned i = 0; i < old->count; i++) {
        struct instance *instance = old->entries[i].instance;

        if (instance->mark != new->version)
            probes_stop_of(instance);
    }
    endpoint_set_drop(old);
}

static void publish(struct service *service, struct endpoint_set *set)
{
    struct endpoint_set *old = service->set;

    set->version = ++service->version;
    service->set = set;
    post_everywhere(service, set);
    if (old)
        leave_set(old, set);
    if (!service->registry->stopping && !tend_probes(service))
        tend_later(service->registry);
}

int service_replace_instances(struct service *service, const struct instance_conf *instances, unsigned count)
{
    struct endpoint_set *set;
    int r;

    CHECK_MAGIC(service, SERVICE_MAGIC);
    if (count > INSTANCES_MAX)
        return -ENOSPC;
    set = set_create(service->name, count);
    if (!set)
        return -ENOMEM;
    r = fill_set(service, instances, count, set);
    if (r < 0 || sets_equal(service->set, set)) {
        endpoint_set_drop(set);
        return r;
    }
    publish(service, set);
    return 0;
}

int service_set_instances(struct service *service, const struct instance_conf *instances, unsigned count)
{
    int r = service_replace_instances(service, instances, count);

    if (r == 0 && service->resolver)
        resolver_stop(service->resolver);
    return r;
}

/* --- services ------------------------------------------------------------------------------------------- */

struct service *registry_find(const struct registry *registry, struct bytes name)
{
    return map_get(&registry->names, name);
}

struct service *registry_next(const struct registry *registry, struct service *previous)
{
    struct list_node *next = previous ? previous->node.next : registry->services.next;

    return next == &registry->services ? NULL : container_of(next, struct service, node);
}

static struct service *service_create(struct registry *registry, struct bytes name)
{
    size_t size = sizeof(struct service) + registry->worker_count * sizeof(struct service_post);
    struct service *service = mem_aligned(SERVICE_CACHE_LINE, size + name.len);
    char *text;

    if (!service)
        return NULL;
    memset(service, 0, size);
    list_init(&service->node);
    service->farewell = set_create(name, 0);
    if (!service->farewell) {
        mem_free(service);
        return NULL;
    }
    service->farewell->gone = true;
    service->magic = SERVICE_MAGIC;
    service->registry = registry;
    service->post_count = registry->worker_count;
    for (unsigned i = 0; i < service->post_count; i++)
        service_post_init(&service->posts[i], &registry->workers[i]);
    text = (char *)&service->posts[service->post_count];
    memcpy(text, name.data, name.len);
    service->name = bytes_of(text, name.len);
    return service;
}

/* Makes the instances of the newest set anew, with the service's settings of now. */
static int renew_instances(struct service *service)
{
    const struct endpoint_set *set = service->set;
    struct instance_conf *confs;
    int r;

    if (!set || set->count == 0)
        return 0;
    confs = mem_zalloc_array(set->count, sizeof(*confs));
    if (!confs)
        return -ENOMEM;
    for (unsigned i = 0; i < set->count; i++) {
        const struct instance *instance = set->entries[i].instance;

        confs[i] = (struct instance_conf){ .was_ready = instance->was_ready,
                                           .leaving = instance->leaving,
                                           .name = instance->name,
                                           .address = instance->address,
                                           .weight = set->entries[i].weight,
                                           .generation = instance->generation };
    }
    r = service_replace_instances(service, confs, set->count);
    mem_free(confs);
    return r;
}

static int replace_settings(struct service *service, const struct service_settings *settings)
{
    struct service_settings before = service->settings;
    char *text_before = service->settings_text;
    int r;

    service->settings_text = mem_alloc(service_settings_size(settings) + 1);
    if (!service->settings_text) {
        service->settings_text = text_before;
        return -ENOMEM;
    }
    service->settings = service_settings_put(settings, service->settings_text);
    r = renew_instances(service);
    if (r < 0) {
        mem_free(service->settings_text);
        service->settings = before;
        service->settings_text = text_before;
        return r;
    }
    mem_free(text_before);
    return 0;
}

static int service_add(struct registry *registry, struct bytes name, const struct service_settings *settings,
                       struct service **ret)
{
    struct service *service = service_create(registry, name);
    int r;

    if (!service)
        return -ENOMEM;
    r = replace_settings(service, settings);
    if (r == 0)
        r = map_put(&registry->names, service->name, service);
    if (r < 0) {
        service_free(service);
        return r;
    }
    list_push_back(&registry->services, &service->node);
    *ret = service;
    return 0;
}

int registry_set(struct registry *registry, struct bytes name, const struct service_settings *settings,
                 struct service **ret)
{
    struct service *service = registry_find(registry, name);
    int r = 0;

    CHECK_MAGIC(registry, REGISTRY_MAGIC);
    if (!service)
        return service_add(registry, name, settings, ret);
    if (!service_settings_equal(&service->settings, settings))
        r = replace_settings(service, settings);
    if (r == 0)
        *ret = service;
    return r;
}

void registry_remove(struct registry *registry, struct service *service)
{
    struct endpoint_set *farewell = service->farewell;

    CHECK_MAGIC(service, SERVICE_MAGIC);
    if (service->resolver)
        resolver_stop(service->resolver);
    (void)map_remove(&registry->names, service->name);
    list_remove(&service->node);
    list_push_back(&registry->gone, &service->node);
    service->farewell = NULL;
    publish(service, farewell);
    tend_later(registry);
}

unsigned service_ready_count(const struct service *service)
{
    unsigned ready = 0;

    for (unsigned i = 0; service->set && i < service->set->count; i++)
        if (instance_ready(service->set->entries[i].instance))
            ready++;
    return ready;
}

int service_set_targets(struct service *service, const struct service_target *targets, unsigned count)
{
    if (count > SERVICE_TARGETS_MAX)
        return -ENOSPC;
    return resolver_start(service, targets, count);
}
