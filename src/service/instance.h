/* service/instance.h - one place where a service runs, as the whole process sees it. Shared by all threads.
 *
 * (1) What it is (name, address, settings) never changes; it is counted, and freed by the last instance_drop().
 * (2) How it is doing is in atomics: written by the probe (control loop) and by workers, read with relaxed loads.
 *     A stale value costs one exchange a detour, nothing else; so health never goes through the configuration.
 * (3) Two sources are kept apart. Probes decide whether it is ready (service/health.h). Exchanges that could not
 *     connect eject it for EJECT_FIRST_NS, doubling up to EJECT_MAX_NS while it goes on failing; failures during an
 *     ejection count as the same one. The next success or successful probe clears it.
 */
#ifndef WEFT_SERVICE_INSTANCE_H
#define WEFT_SERVICE_INSTANCE_H

#include "base/metric.h"
#include "exchange/outcome.h"
#include "io/address.h"
#include "io/mail.h"
#include "service/health.h"

#include <stdatomic.h>

#define INSTANCE_MAGIC 0x1a57a4ceu

struct loop;
struct probe;

/* How a check is made. All zero: the usual, see service/health.h. */
struct check_rules {
    int64_t every_ns, timeout_ns;
    unsigned failures; /* in a row that count */
};

/* How endpoints of a service are spoken to. All zero: the usual. Texts are borrowed for the call. */
struct service_settings {
    struct bytes ready; /* path of the readiness check; empty: being able to connect is enough */
    struct check_rules ready_rules;
    struct bytes live; /* path of the liveness check; empty: there is none */
    struct check_rules live_rules;
    struct bytes host;        /* the Host to send; empty: the client's */
    unsigned connections_max; /* as struct http_endpoint_conf */
    int64_t connect_ns;
    int64_t idle_ns;
    int64_t body_ns;
};

struct instance_conf {
    struct bytes name; /* "orders-0"; empty: the address */
    struct address address;
    unsigned weight;     /* 0: 1. At most INSTANCE_WEIGHT_MAX */
    uint64_t generation; /* differs when a process was started anew at the same address: health starts afresh */
    bool was_ready;      /* somebody has seen it ready: its liveness is checked before we have */
    bool leaving;        /* it gets no requests any more, and is not checked; those under way are counted on */
};

/* Exchanges under way of one worker, in a line of its own. */
struct instance_count {
    alignas(64) struct metric active;
};

/* What liveness checks say. */
enum live_state {
    LIVE_OFF, /* there are none */
    LIVE_OK,
    LIVE_FAILING, /* the last one failed */
};

struct instance {
    uint32_t magic;
    atomic_uint uses;
    struct bytes service, name, text; /* text: the address */
    struct address address;
    uint64_t generation;
    struct service_settings settings; /* its texts are its own */

    /* (2) */
    atomic_int ready;                 /* enum health_state */
    atomic_uint ejections;            /* in a row */
    _Atomic int64_t ejected_until_ns; /* loop time; 0: it is not */
    _Atomic int64_t changed_ns;       /* when `ready` last changed, loop time */
    atomic_int last_error;            /* of the last failed check: errno below 0, status above; 0: none */
    atomic_int last_outcome;          /* enum outcome of the last exchange that could not connect */
    _Atomic int64_t last_error_ns, last_outcome_ns;
    _Atomic uint64_t checks, checks_failed;
    atomic_int live;       /* enum live_state */
    atomic_int live_error; /* of the last failed liveness check, like last_error */

    /* A worker asks for a check at once. The letter is on its way while `asked` is set. */
    atomic_bool asked;
    struct letter ask;
    struct loop *control;
    bool was_ready;           /* when it was made */
    bool leaving;             /* control loop only: for good */
    struct probe *probe;      /* control loop only; NULL: not being checked */
    struct probe *live_probe; /* likewise, of its liveness */
    uint64_t mark;            /* control loop only: the last set that it was in */

    struct instance_count *counts; /* one for each worker; NULL: nobody counts */
    unsigned count_room;
};

/* A new one with one use. Weight is the set's affair. -ENOMEM. */
int instance_create(struct loop *control, struct bytes service, const struct instance_conf *conf,
                    const struct service_settings *settings, struct instance **ret) MUST_CHECK;
void instance_use(struct instance *instance);  /* any thread */
void instance_drop(struct instance *instance); /* any thread */

/* Before it is shared: room for the counts of so many workers. -ENOMEM. */
int instance_count_workers(struct instance *instance, unsigned workers) MUST_CHECK;
struct metric *instance_count_at(struct instance *instance, unsigned worker); /* NULL: there is no room for it */
uint64_t instance_active(const struct instance *instance); /* exchanges under way, of all workers; any thread */

/* Copies the settings; their texts go to `place`, which has room for service_settings_size() bytes. */
struct service_settings service_settings_put(const struct service_settings *settings, char *place);
size_t service_settings_size(const struct service_settings *settings);
bool service_settings_equal(const struct service_settings *a, const struct service_settings *b);

/* The same address and generation. */
bool instance_same_place(const struct instance *instance, const struct instance_conf *conf);

/* The same place, spoken to in the same way, of the same generation: it need not be replaced. */
bool instance_same(const struct instance *instance, const struct instance_conf *conf,
                   const struct service_settings *settings);

static inline bool instance_ready(const struct instance *instance)
{
    return atomic_load_explicit(&instance->ready, memory_order_relaxed) == HEALTH_READY;
}

static inline bool instance_ejected(const struct instance *instance, int64_t now_ns)
{
    return atomic_load_explicit(&instance->ejected_until_ns, memory_order_relaxed) > now_ns;
}

void instance_leave(struct instance *instance); /* control loop: see struct instance_conf. Twice is fine */

/* An exchange could not connect. True: it is ejected from now on (and was not before); a check is asked for. */
bool instance_eject(struct instance *instance, enum outcome outcome, int64_t now_ns);
void instance_clear(struct instance *instance); /* an exchange or a check went well */

struct bytes live_name(enum live_state state); /* "off", "ok", "failing" */

/* How long the n-th ejection in a row (from 1) lasts. */
int64_t instance_eject_ns(unsigned ejection);

#endif
