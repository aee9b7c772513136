#include "service/resolver.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "io/loop.h"

/* Runs on the lane: it touches its own struct and a [blocks] call of the io, nothing else. */
struct lookup {
    struct job job;
    struct io *io;
    char host[SERVICE_HOST_MAX];
    uint16_t port;
    struct address found[SERVICE_NAME_ADDRESSES_MAX];
    int count; /* of found, or a negative errno */
};

struct place {
    char *host; /* NULL: address */
    uint16_t port;
    unsigned weight;
    struct address *addresses; /* of the last lookup that went well; NULL: none so far */
    unsigned count;
    struct address address;
};

struct resolver {
    struct task task;
    struct list_node node; /* in registry->resolvers */
    struct registry *registry;
    struct service *service; /* NULL once stopped */
    struct scope scope;      /* of the fiber, while `open` */
    bool open, stopped;
    struct lookup lookup;
    unsigned count;
    struct place places[];
};

static void resolver_free(struct resolver *resolver)
{
    for (unsigned i = 0; i < resolver->count; i++) {
        mem_free(resolver->places[i].host);
        mem_free(resolver->places[i].addresses);
    }
    mem_free(resolver);
}

/* --- lookups -------------------------------------------------------------------------------------------- */

static void lookup_run(struct job *job)
{
    struct lookup *lookup = container_of(job, struct lookup, job);

    lookup->count = lookup->io->ops->resolve(lookup->io, lookup->host, lookup->port, lookup->found,
                                             SERVICE_NAME_ADDRESSES_MAX);
}

static int address_compare(const struct address *a, const struct address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->ip, b->ip, sizeof(a->ip));
}

/* Answers come in another order each time: sorted, equal answers make equal sets. */
static void sort_addresses(struct address *addresses, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct address one = addresses[i];
        unsigned at = i;

        for (; at > 0 && address_compare(&addresses[at - 1], &one) > 0; at--)
            addresses[at] = addresses[at - 1];
        addresses[at] = one;
    }
}

static int look_up(struct resolver *resolver, struct place *place)
{
    struct lookup *lookup = &resolver->lookup;
    struct address *addresses;
    size_t size;
    int r;

    lookup->job.run = lookup_run;
    lookup->io = resolver->registry->control->loop->io;
    lookup->port = place->port;
    memcpy(lookup->host, place->host, strlen(place->host) + 1);
    r = lane_run(resolver->registry->lane, &lookup->job);
    if (r < 0 || lookup->count <= 0)
        return r < 0 ? r : lookup->count < 0 ? lookup->count : -ENOENT;
    size = (size_t)lookup->count * sizeof(*addresses);
    addresses = mem_alloc(size);
    if (!addresses)
        return -ENOMEM;
    memcpy(addresses, lookup->found, size);
    sort_addresses(addresses, (unsigned)lookup->count);
    mem_free(place->addresses);
    place->addresses = addresses;
    place->count = (unsigned)lookup->count;
    return 0;
}

/* --- what was found becomes the service's set ---------------------------------------------------------- */

struct gathered {
    struct instance_conf *confs;
    unsigned count, room;
};

/* The same address twice, by two names or one, is one instance. What is more than INSTANCES_MAX is left out. */
static void gather(struct gathered *all, const struct address *address, unsigned weight)
{
    for (unsigned i = 0; i < all->count; i++)
        if (address_equal(&all->confs[i].address, address))
            return;
    if (all->count < all->room)
        all->confs[all->count++] = (struct instance_conf){ .address = *address, .weight = weight };
}

static int set_found(struct service *service, const struct place *places, unsigned count)
{
    struct gathered all = { 0 };
    unsigned room = 0;
    int r;

    for (unsigned i = 0; i < count; i++)
        room += places[i].host ? places[i].count : 1;
    all.room = MIN(room, (unsigned)INSTANCES_MAX);
    all.confs = mem_zalloc_array(MAX(all.room, 1u), sizeof(struct instance_conf));
    if (!all.confs)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        const struct place *place = &places[i];
        const struct address *addresses = place->host ? place->addresses : &place->address;

        for (unsigned k = 0; k < (place->host ? place->count : 1); k++)
            gather(&all, &addresses[k], place->weight);
    }
    r = service_replace_instances(service, all.confs, all.count);
    mem_free(all.confs);
    return r;
}

/* --- the fiber ------------------------------------------------------------------------------------------ */

/* Looks all names up once. True: each has addresses, from now or from before. */
static bool resolve_all(struct resolver *resolver)
{
    bool all = true;

    for (unsigned i = 0; i < resolver->count && !resolver->stopped; i++) {
        struct place *place = &resolver->places[i];

        if (place->host && look_up(resolver, place) < 0 && !place->addresses)
            all = false;
    }
    return all;
}

static int resolver_run(struct task *task)
{
    struct resolver *resolver = container_of(task, struct resolver, task);
    int r = 0;

    scope_open(&resolver->scope, TIME_NEVER);
    resolver->open = true;
    while (!resolver->stopped && r == 0) {
        bool all = resolve_all(resolver);

        if (!resolver->stopped && set_found(resolver->service, resolver->places, resolver->count) < 0)
            all = false;
        r = fiber_sleep(all ? SERVICE_RESOLVE_NS : SERVICE_RESOLVE_AGAIN_NS);
    }
    resolver->open = false;
    (void)scope_close(&resolver->scope);
    resolver_stop(resolver);
    return 0;
}

static void resolver_ended(struct task *task)
{
    struct resolver *resolver = container_of(task, struct resolver, task);

    list_remove(&resolver->node);
    resolver_free(resolver);
}

static int open_lane(struct registry *registry)
{
    struct io *io = registry->control->loop->io;

    return registry->lane ? 0 : io->ops->lane_open(io, "names", 1, &registry->lane);
}

static int copy_targets(struct resolver *resolver, const struct service_target *targets, unsigned count,
                        bool *ret_names)
{
    bool names = false;

    for (unsigned i = 0; i < count; i++) {
        struct place *place = &resolver->places[i];

        place->port = targets[i].port;
        place->weight = targets[i].weight;
        place->address = targets[i].address;
        resolver->count = i + 1;
        if (targets[i].host.len == 0)
            continue;
        names = true;
        if (targets[i].host.len >= SERVICE_HOST_MAX)
            return -ENAMETOOLONG;
        place->host = mem_copy_text(targets[i].host.data, targets[i].host.len);
        if (!place->host)
            return -ENOMEM;
    }
    *ret_names = names;
    return 0;
}

static bool places_equal(const struct place *a, const struct place *b)
{
    if (a->weight != b->weight || !a->host != !b->host)
        return false;
    return a->host ? a->port == b->port && strcmp(a->host, b->host) == 0 : address_equal(&a->address, &b->address);
}

static bool resolvers_equal(const struct resolver *a, const struct resolver *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!places_equal(&a->places[i], &b->places[i]))
            return false;
    return true;
}

/* Takes over what `before` knows of the same names, so that a change elsewhere in the list loses nothing. */
static int inherit(struct resolver *resolver, const struct resolver *before)
{
    for (unsigned i = 0; i < resolver->count * before->count; i++) {
        struct place *place = &resolver->places[i / before->count];
        const struct place *known = &before->places[i % before->count];

        if (!place->host || !known->host || place->addresses || !known->addresses || place->port != known->port ||
            strcmp(place->host, known->host) != 0)
            continue;
        place->addresses = mem_alloc(known->count * sizeof(struct address));
        if (!place->addresses)
            return -ENOMEM;
        memcpy(place->addresses, known->addresses, known->count * sizeof(struct address));
        place->count = known->count;
    }
    return 0;
}

static int begin(struct service *service, struct resolver *resolver)
{
    struct registry *registry = service->registry;
    int r = open_lane(registry);

    if (r == 0 && service->resolver)
        r = inherit(resolver, service->resolver);
    if (r == 0)
        r = loop_spawn(registry->control->loop, &resolver->task);
    if (r < 0)
        return r;
    list_push_back(&registry->resolvers, &resolver->node);
    if (service->resolver)
        resolver_stop(service->resolver);
    service->resolver = resolver;
    return 0;
}

int resolver_start(struct service *service, const struct service_target *targets, unsigned count)
{
    struct resolver *resolver = mem_zalloc(sizeof(*resolver) + count * sizeof(struct place));
    bool names = false;
    int r;

    if (!resolver)
        return -ENOMEM;
    resolver->task = (struct task){ .run = resolver_run, .ended = resolver_ended };
    list_init(&resolver->node);
    resolver->registry = service->registry;
    resolver->service = service;
    r = copy_targets(resolver, targets, count, &names);
    if (r == 0 && names && !(service->resolver && resolvers_equal(resolver, service->resolver))) {
        r = begin(service, resolver);
        if (r == 0)
            return 0;
    } else if (r == 0 && !names) {
        r = set_found(service, resolver->places, resolver->count);
        if (r == 0 && service->resolver)
            resolver_stop(service->resolver);
    }
    resolver_free(resolver);
    return r;
}

void resolver_stop(struct resolver *resolver)
{
    if (resolver->stopped)
        return;
    resolver->stopped = true;
    resolver->service->resolver = NULL;
    resolver->service = NULL;
    if (resolver->open)
        scope_cancel(&resolver->scope);
}

void resolvers_stop(struct registry *registry)
{
    LIST_EACH (&registry->resolvers, node, next)
        resolver_stop(container_of(node, struct resolver, node));
}
