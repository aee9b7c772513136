/* service/service.h - the services of the system and where they run: the registry, on the control loop.
 *
 * (1) Only the control loop touches a registry. Workers see its endpoint sets through their views (service/view.h).
 * (2) A change makes a new set and posts it to each worker. The letter is part of the service, one for each worker, so
 *     posting needs no memory; while it is on its way, only the newest set counts. When a worker's mailbox is full, it
 *     is tried again after SERVICE_POST_AGAIN_NS.
 * (3) Letters of one sender arrive in order: who makes the services known first and posts the snapshot that names them
 *     afterwards, has them there in time. Remove services after the workers have left the snapshots that name them.
 * (4) Each instance is checked by fibers of the control loop as long as it is in its service's set. A new instance
 *     is not ready before its first successful check; one that replaces an instance at the same address with the
 *     same generation (changed settings) takes over its state.
 * (5) Endpoints given by name are resolved on a lane, at once and then every SERVICE_RESOLVE_NS. When that fails, the
 *     last result stays; before the first result it is tried again after SERVICE_RESOLVE_AGAIN_NS.
 *
 *     registry_init(&registry, control, workers, NULL);
 *     registry_add_worker(&registry, worker);      for each, after worker_init(), before its first snapshot
 *     registry_set(&registry, name, &settings, &service);
 *     service_set_instances(service, ...)          run: services, whenever processes come and go
 *     service_set_targets(service, ...)            url: services, once for each configuration
 */
#ifndef WEFT_SERVICE_SERVICE_H
#define WEFT_SERVICE_SERVICE_H

#include "base/list.h"
#include "exchange/worker.h"
#include "io/lane.h"
#include "service/view.h"

#define REGISTRY_MAGIC 0x4e9157e4u
#define SERVICE_MAGIC 0x5e471ceu

#define SERVICE_CACHE_LINE 64

struct resolver;

/* A set on its way to one worker. NULL: no letter is on its way. */
struct service_post {
    alignas(SERVICE_CACHE_LINE) struct letter letter; /* each worker counts in lines of its own */
    struct worker_services *to;
    _Atomic(struct endpoint_set *) pending;
    struct timer again; /* of the worker, which had no memory for the set */
    bool unsent;        /* the mailbox was full; control loop only */
    struct service_metrics metrics;
};

struct service {
    uint32_t magic;
    struct registry *registry;
    struct bytes name;
    struct service_settings settings; /* its texts are its own */
    char *settings_text;
    struct endpoint_set *set;      /* the newest; NULL before the first */
    struct endpoint_set *farewell; /* made beforehand, so that removing needs no memory */
    uint64_t version;
    struct resolver *resolver; /* NULL: no targets */
    uint64_t mark;             /* for its owner: the configuration that named it last */
    void *owner;               /* for its owner */
    struct list_node node;     /* in registry->services or ->gone, in the order in which they were added */
    unsigned post_count;
    struct service_post posts[]; /* one for each worker */
};

struct registry {
    uint32_t magic;
    struct worker *control;
    const struct service_dialer *dialer;
    const struct health_rules *rules; /* HEALTH_RULES, unless a test says otherwise */
    struct worker_services *workers;
    unsigned worker_count, worker_max;
    atomic_uint traffic; /* workers that are not the control loop's */
    struct map names;    /* name -> struct service */
    struct list_node services, gone;
    struct list_node probes, resolvers; /* fibers of the control loop */
    struct lane *lane;                  /* of names; opened by the first that needs one */
    struct timer again;                 /* unsent letters, services to free, probes to start */
    bool stopping;
    /* Called on the control loop when an instance became ready or unready. May be NULL; may not wait. */
    void (*changed)(struct registry *registry, struct service *service, struct instance *instance);
    /* Likewise, when so many liveness checks in a row have failed that it should be started anew. */
    void (*failed)(struct registry *registry, struct service *service, struct instance *instance);
    void *changed_data;
};

/* Room for worker_max workers. `dialer`: SERVICE_DIALER_HTTP. -ENOMEM; -ENOSPC: SERVICE_WORKERS_MAX. */
int registry_init(struct registry *registry, struct worker *control, unsigned worker_max,
                  const struct service_dialer *dialer) MUST_CHECK;

/* Sets worker->services. The control worker may be one of them. Before any service is added. -ENOSPC. */
int registry_add_worker(struct registry *registry, struct worker *worker) MUST_CHECK;

/* Ends the probes and resolvers, and posts nothing from now on: to be called before the first worker's loop ends. They
 * are gone when registry_quiet(). */
void registry_stop(struct registry *registry);
bool registry_quiet(const struct registry *registry);

/* Frees everything. After registry_quiet() and worker_services_stop() of every worker, when their loops no longer
 * run and the control loop has had a turn since. [blocks] on the lane of names. */
void registry_done(struct registry *registry);

/* The service of that name, made if it is new; its settings are replaced. A change of settings makes new instances.
 * -ENOMEM; -ENOSPC: SERVICES_MAX. */
int registry_set(struct registry *registry, struct bytes name, const struct service_settings *settings,
                 struct service **ret) MUST_CHECK;
struct service *registry_find(const struct registry *registry, struct bytes name);        /* NULL: there is none */
struct service *registry_next(const struct registry *registry, struct service *previous); /* NULL starts and ends */
void registry_remove(struct registry *registry, struct service *service); /* it is gone for the caller */

/* Where it runs now: all of it, in order; names must differ. Instances that stay the same are kept. Nothing is posted
 * when nothing changed. Targets are forgotten. -ENOMEM: the old set stays; -ENOSPC: INSTANCES_MAX. */
int service_set_instances(struct service *service, const struct instance_conf *instances, unsigned count) MUST_CHECK;

/* Where it runs, by address or by name; `host` is looked up unless `address` is set. A name with several addresses
 * gives several instances, which are named by their address. The same targets again change nothing. */
struct service_target {
    struct bytes host; /* "api.example.com", copied; empty: address */
    uint16_t port;
    struct address address;
    unsigned weight; /* of each address; 0: 1 */
};

int service_set_targets(struct service *service, const struct service_target *targets,
                        unsigned count) MUST_CHECK; /* -ENOMEM, -ENOSPC, -EAGAIN: no fiber is free */

/* Ready instances of the newest set. */
unsigned service_ready_count(const struct service *service);

#endif
