/* service/view.h - the endpoints of a service, as one worker sees them.
 *
 * (1) An endpoint set is immutable, versioned and counted across threads. A change makes a new one, which comes to each
 *     worker in a letter (service/service.h); when two changes meet on the way, just the newer one arrives.
 * (2) A worker keeps one view for each service that a stage of it is attached to, or that has sent a set, whichever
 *     comes first. It belongs to its worker alone.
 * (3) In a view each entry of the set has a member: the worker's own endpoint object. A member whose instance stays
 *     in the set stays, with its connections; one that leaves is retired, and exchanges under way finish on it.
 * (4) Whoever waits while using a member holds it by a use: sets change under waiting fibers.
 */
#ifndef WEFT_SERVICE_VIEW_H
#define WEFT_SERVICE_VIEW_H

#include "base/map.h"
#include "base/metric.h"
#include "exchange/endpoint.h"
#include "service/instance.h"

struct registry;
struct service;

struct set_entry {
    struct instance *instance; /* one use */
    unsigned weight;
    uint64_t upto; /* sum of the weights up to and with this one */
};

struct endpoint_set {
    atomic_uint uses;
    uint64_t version; /* 1, 2, ... of its service */
    struct bytes service;
    bool gone;    /* the last one: the service has been removed */
    bool uniform; /* all weights are equal */
    unsigned count;
    struct set_entry entries[];
};

void endpoint_set_use(struct endpoint_set *set);  /* any thread */
void endpoint_set_drop(struct endpoint_set *set); /* any thread */

/* How endpoint objects are made: SERVICE_DIALER_HTTP, or a test's own. */
struct service_dialer {
    /* `check`: for the readiness checks of the control loop, not for traffic. -ENOMEM. */
    int (*create)(const struct service_dialer *dialer, struct worker *worker, const struct instance *instance,
                  bool check, struct endpoint **ret);
    void (*retire)(struct endpoint *endpoint); /* keeps no idle connection; the use is dropped by the caller */
};

extern const struct service_dialer SERVICE_DIALER_HTTP;

/* Written by one worker, read by anybody. They live as long as the service. */
struct service_metrics {
    struct metric chosen;          /* endpoints given to exchanges */
    struct metric ejections;       /* passive: an endpoint could not be connected to */
    struct metric panics;          /* all ready endpoints were ejected, so one of those was used */
    struct metric empty;           /* none was ready */
    struct metric retries;         /* tries after the first, counted by the retry stage */
    struct metric retries_refused; /* by the retry budget */
};

struct member {
    struct endpoint *endpoint; /* one use */
    struct instance *instance; /* one use */
    unsigned uses;             /* of this worker: the view's, and those who wait (4) */
    bool stays;                /* private, while sets change */
};

struct service_view {
    struct worker *worker;
    struct bytes name;
    unsigned attached;        /* stages' local blocks */
    struct endpoint_set *set; /* NULL before the first one came */
    struct member **members;  /* one for each entry of the set, in its order */
    uint64_t cursor;          /* of round-robin */
    struct service_metrics *metrics;
    struct service_metrics own_metrics; /* until the service is known */
    char text[];                        /* of the name */
};

/* What this floor keeps for each worker: worker->services. Made by registry_add_worker(). */
struct worker_services {
    struct worker *worker;
    struct loop *loop; /* of the worker: sets are posted to it */
    struct registry *registry;
    const struct service_dialer *dialer;
    struct map views; /* name -> struct service_view */
    bool stopped;     /* worker_services_stop() was called */
};

/* On the worker. Attaching makes the view if there is none; each attach needs a detach. -ENOMEM, -ENOSPC. */
int service_view_attach(struct worker *worker, struct bytes name, struct service_view **ret) MUST_CHECK;
void service_view_detach(struct service_view *view);
struct service_view *service_view_find(struct worker *worker, struct bytes name); /* NULL: there is none */

static inline unsigned service_view_count(const struct service_view *view)
{
    return view->set ? view->set->count : 0;
}

void member_use(struct member *member);
void member_drop(struct member *member);

/* Workers that carry traffic, at least 1: what is bounded for the process is divided by it. */
unsigned service_worker_count(const struct worker *worker);

/* On the worker, after worker_leave_all(): gives all views back. Letters that still come are dropped. */
void worker_services_stop(struct worker *worker);

/* Takes a set, and its use, that has come to this worker; `metrics` are the service's for it. -ENOMEM, -ENOSPC: the set
 * is still the caller's, and the view is as it was. For service/ only. */
int service_view_take(struct worker_services *services, struct endpoint_set *set,
                      struct service_metrics *metrics) MUST_CHECK;

#endif
