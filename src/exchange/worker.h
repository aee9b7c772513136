/* exchange/worker.h - one thread's share of everything: loop, pools, chance, the newest snapshot, observers.
 *
 * (1) A worker owns everything of its exchanges; nothing here is touched by another thread, but for metrics, which are
 *     read with relaxed loads, and the loop's mailbox.
 * (2) Every pool is bounded; running out is an ordinary outcome.
 */
#ifndef WEFT_EXCHANGE_WORKER_H
#define WEFT_EXCHANGE_WORKER_H

#include "base/hash.h"
#include "base/metric.h"
#include "base/pool.h"
#include "base/prng.h"
#include "io/loop.h"

struct exchange;
struct lane;
struct snapshot_view;
struct observer;

struct worker_limits {
    unsigned exchanges_max; /* 0: EXCHANGES_MAX */
    unsigned buffers_max;   /* 0: BUFFERS_MAX */
    unsigned observers_max;
};

struct worker {
    uint32_t magic;
    unsigned index;
    struct loop *loop;
    struct prng prng;
    struct hash_key hash_key;                /* shared by the workers of a process */
    struct pool exchanges;                   /* struct exchange */
    struct pool tees;                        /* struct tee */
    struct pool blocks;                      /* EXCHANGE_BLOCK_SIZE */
    struct pool buffers;                     /* BUFFER_SIZE */
    struct pool bulk_buffers;                /* BULK_BUFFER_SIZE, for bodies that fill a small one */
    struct lane *lane;                       /* see worker_lane(); NULL: nobody has asked for it */
    struct snapshot_view *newest;            /* NULL before the first */
    struct list_node views;                  /* all that are alive here */
    const struct observer *const *observers; /* told at the end of each exchange; ends with NULL */
    void *observers_data;                    /* of whoever set them */
    void *services;                          /* what floor 6 keeps for each worker; opaque here */
    bool draining;                           /* sources close connections after their answer */
    unsigned waiting;                        /* exchanges that wait for what slow clients may hold */
    void (*scarce)(struct worker *worker);   /* NULL, or called when one begins to wait; may not wait */
    void *scarce_data;                       /* of whoever set it */
    struct metric exchanges_started, exchanges_ended;
};

/* The worker's lane for work that blocks and is over soon, such as reading a piece of a file; opened when it is first
 * asked for. What the io says when it can't: -ENOMEM, -EAGAIN. */
int worker_lane(struct worker *worker, struct lane **ret) MUST_CHECK;

/* Sees every exchange once, after its last byte, before its arena goes. May not wait. */
struct observer {
    void (*ended)(const struct observer *observer, struct worker *worker, const struct exchange *x);
};

int worker_init(struct worker *worker, unsigned index, struct loop *loop,
                const struct worker_limits *limits) MUST_CHECK;
void worker_done(struct worker *worker); /* asserts that nothing is out: a leak shows here */

/* An exchange begins or ends to wait for what others hold, such as a connection to a service. */
static inline void worker_scarce(struct worker *worker, bool begins)
{
    if (!begins) {
        worker->waiting--;
        return;
    }
    worker->waiting++;
    if (worker->scarce)
        worker->scarce(worker);
}

/* The worker of the running loop's thread is passed along, never looked up. */

#endif
