/* app/workers.h - the threads of the serving process. Worker 0 is the control worker: it has no thread of its own, and
 * no public listener.
 *
 * (1) Each has its io, loop, worker and HTTP server; nobody else touches them while its loop runs, but by letters.
 * (2) A round asks every worker for something and returns when all have answered: no worker waits to answer, so it is
 *     short. One round at a time, on a fiber of the control loop.
 * (3) Workers are set up and taken down by the control thread; between, they belong to their own.
 */
#ifndef WEFT_APP_WORKERS_H
#define WEFT_APP_WORKERS_H

#include "exchange/snapshot.h"
#include "exchange/worker.h"
#include "http/server.h"
#include "observe/metrics.h"
#include "service/service.h"

struct workers;
struct worker_thread;

/* What a worker is asked to do, on its own loop's stack; may not wait. 0 or a negative errno. */
typedef int worker_order(struct worker_thread *thread, void *context);

struct worker_thread {
    struct workers *workers;
    unsigned index;
    struct io *io;     /* NULL: the control loop's */
    struct loop own;   /* not of worker 0 */
    struct loop *loop; /* the own one, or the control loop */
    struct worker worker;
    struct http_server server;
    unsigned fibers_max; /* as the loop was made with */
    int enter_result;    /* of `observe` */
    struct metrics_worker *metrics;
    const struct observer *observers[4];         /* ends with NULL: the metrics, and those of the next that are on */
    const struct observer *traffic, *access_log; /* NULL: there is none */
    struct list_node listeners;                  /* struct worker_listener, listeners.c */
    struct timer watch;                          /* while draining: looks whether it is quiet */
    struct timer tidy;                           /* gives memory back after a burst */
    uint64_t frees_seen, frees_trimmed;          /* of this thread: at the last look, and when memory was given back */
    uint64_t ended_seen;                         /* exchanges; none since the last look: it is calm */
    struct timer retry;                          /* when the control loop's mailbox is full */
    atomic_bool quiet;                           /* no connection is left, but for those of the mesh at first */
    bool closing;                                /* the mesh drains too */

    void *thread; /* NULL: not started */
    /* of the round under way */
    struct letter letter;
    worker_order *order;
    void *context;
    int result;
};

struct workers {
    struct loop *control;
    struct metrics *metrics;
    struct registry *registry;
    unsigned count; /* with worker 0 */
    struct worker_thread **threads;
    /* of the round under way */
    struct fiber *waiter;
    unsigned waiting;
    /* Makes the observers of a worker, on its thread. May be NULL. */
    int (*observe)(struct worker_thread *thread, void *user);
    void (*unobserve)(struct worker_thread *thread, void *user);
    void *user;
};

/* `count` workers beside worker 0, which uses the control loop. A failure is the end of the process. */
int workers_init(struct workers *workers, struct loop *control, unsigned count) MUST_CHECK;

/* After registry and observers have been set: starts the threads. */
int workers_start(struct workers *workers) MUST_CHECK;

/* On a fiber of the control loop: every worker (from `first` on) follows the order. The first failure, or 0. */
int workers_round(struct workers *workers, unsigned first, worker_order *order, void *context);
int workers_ask(struct workers *workers, unsigned index, worker_order *order, void *context); /* just one */

bool workers_quiet(const struct workers *workers, unsigned first); /* after WORKER_DRAIN */

/* Orders. */
int worker_order_drain(struct worker_thread *thread, void *unused); /* but the mesh: requests under way may need it */
int worker_order_drain_mesh(struct worker_thread *thread, void *unused);
int worker_order_abort(struct worker_thread *thread, void *unused);
int worker_order_stop(struct worker_thread *thread, void *unused); /* its loop ends */

struct worker_enter {
    struct snapshot *snapshot;
    struct http_server_limits limits; /* for what begins from now on */
    unsigned fibers_max;              /* no more than the loop was made with */
    bool traffic, access_log;         /* whether exchanges are remembered, and written */
};

int worker_order_enter(struct worker_thread *thread, void *worker_enter);

/* listeners.c */
struct worker_listen {
    uint64_t id;
    int descriptor; /* owned by the worker from then on, also on failure */
    struct bytes gateway, scheme;
};

int worker_order_listen(struct worker_thread *thread, void *worker_listen);
int worker_order_unlisten(struct worker_thread *thread, void *id);     /* uint64_t *; unknown: nothing */
void worker_forget_listeners(struct worker_thread *thread, bool mesh); /* the server stops them; the mesh's too? */

/* After worker_order_stop and the end of the control loop: waits for the threads. [blocks] Then nothing runs any more.
 */
void workers_join(struct workers *workers);

/* After workers_join() and registry_done(): frees everything. */
void workers_done(struct workers *workers);

#endif
