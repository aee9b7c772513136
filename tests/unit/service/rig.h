/* tests/unit/service/rig.h - services in a simulated process: a control loop, some workers, and endpoints that do what
 * a test plans for them, in simulated time.
 *
 * rig_run() runs `body` on a fiber of the control loop, then takes everything down; a leak fails. In a body,
 * RIG_CHECK() notes the first failure and goes on: cmocka's own asserts would jump off the fiber's stack.
 */
#ifndef WEFT_TESTS_SERVICE_RIG_H
#define WEFT_TESTS_SERVICE_RIG_H

#include "exchange/snapshot.h"
#include "service/service.h"
#include "sim/world.h"

#define RIG_WORKERS_MAX 2
#define RIG_PLANS 64

/* What the endpoint objects of one port do; by port % RIG_PLANS. */
struct rig_plan {
    enum outcome outcome; /* of a call, after delay_ns */
    unsigned status;      /* of the answer; 0: 200 */
    const char *retry_after;
    int64_t delay_ns;
    unsigned check_status;         /* of the answer to a readiness check; 0: 200; 1: it can't connect */
    unsigned live_status;          /* likewise, of /livez */
    unsigned calls, checks;        /* so far */
    unsigned live_checks;          /* of /livez; not among `checks` */
    unsigned made, retired, freed; /* endpoint objects for traffic */
    char check_target[64];         /* of the last check */
};

struct rig {
    struct service_dialer dialer;
    struct world *world;
    struct sim_node *node;
    struct sim_process *process;
    unsigned worker_count;
    struct loop *control_loop, *worker_loops[RIG_WORKERS_MAX];
    struct worker control, workers[RIG_WORKERS_MAX];
    struct registry registry;
    struct rig_plan plans[RIG_PLANS];
    struct task task;
    void (*body)(struct rig *rig);
    struct list_node snapshots;
    uint64_t version;
    void *user;
    const struct service_dialer *real; /* NULL: endpoints by plan */
};

void rig_run(void (*body)(struct rig *rig), unsigned workers, void *user);
void rig_run_real(void (*body)(struct rig *rig), unsigned workers, const struct service_dialer *dialer);

#define RIG_CHECK(rig, condition)                                                                 \
    do {                                                                                          \
        if (!(condition))                                                                         \
            world_fail((rig)->world, "%s:%d: %s: does not hold", __FILE__, __LINE__, #condition); \
    } while (0)

struct rig_plan *rig_plan(struct rig *rig, unsigned port);
struct instance_conf rig_instance(struct rig *rig, const char *name, unsigned port);

/* The service with instances "name-0" at port `first` and so on, ready at once (their checks succeed by now). */
struct service *rig_service(struct rig *rig, const char *name, unsigned first, unsigned count, const char *ready);
int rig_set(struct rig *rig, struct service *service, unsigned first, unsigned count);
void rig_sleep(int64_t ns);

/* Starts a task on a worker's loop and waits until it has ended. */
void rig_on_worker(struct rig *rig, unsigned worker, struct task *task);

/* A snapshot of stages one inside the other, which the workers enter. The last one is the innermost. */
struct rig_stage {
    const struct stage_type *type;
    const void *conf;
};

struct snapshot *rig_snapshot(struct rig *rig, const struct rig_stage *stages, unsigned count);

/* One request through the root stage of the worker's newest snapshot, on a fiber of the worker. */
struct rig_call {
    struct task task;
    struct rig *rig;
    unsigned worker;
    enum http_method method;
    const char *host, *path;
    const char *idempotency_key;
    int64_t limit_ns; /* 0: none. x->deadline_ns and a scope */
    enum outcome outcome;
    unsigned status, retries, attempts;
    int64_t began_ns, ended_ns;
    char endpoint[32], route[32], body[64], content_type[64];
};

void rig_call(struct rig *rig, struct rig_call *call);       /* waits */
void rig_call_start(struct rig *rig, struct rig_call *call); /* doesn't; ended_ns != 0 when it is over */

#endif
