/* observe/traffic.h - the exchanges that a process has ended last, with their way through the stages.
 *
 * (1) A worker writes a record at the end of each exchange into rings of its own: no lock, no memory, no system call,
 *     whoever reads. See observe/record_ring.h.
 * (2) Of its two rings, one has all; the other one those besides that failed for no fault of their sender's (see
 *     traffic_failed()), and the slowest: a flood of good ones washes the first ring only.
 * (3) Who is among the slowest, observe/slowest.h tells. A tunnel is not slow.
 * (4) Readers copy. A record that they get is whole, and a copy of an exchange comes once, from whichever ring.
 * (5) Texts are cut: TRAFFIC_NAME_MAX, _PATH_MAX, and _TEXTS_MAX of one record together; that is what the last steps
 *     may lack. TRAFFIC_RECENT_SIZE and _KEPT_SIZE bound what a worker remembers.
 * (6) An exchange without a source (a probe, a call of our own) is nobody's request: it has no record.
 */
#ifndef WEFT_OBSERVE_TRAFFIC_H
#define WEFT_OBSERVE_TRAFFIC_H

#include "exchange/exchange.h"

struct traffic;        /* of a process */
struct traffic_worker; /* of one worker */

/* For workers whose index is below `workers_max`. -ENOMEM. */
int traffic_create(unsigned workers_max, struct traffic **ret) MUST_CHECK;

/* When all workers have ended and nobody reads. */
void traffic_free(struct traffic *traffic);

/* On the worker's thread. Records stay until traffic_free(), its end or not. -ENOMEM. */
int traffic_attach(struct traffic *traffic, struct worker *worker, struct traffic_worker **ret) MUST_CHECK;

/* For worker->observers. */
const struct observer *traffic_observer(struct traffic_worker *mine);

/* The service did not do what it was asked for, or nobody could ask it: the outcome is another than ok, or the status
 * is 500 or more. */
static inline bool traffic_failed(enum outcome outcome, unsigned status)
{
    return outcome != OUTCOME_OK || status >= 500;
}

/* --- reading --------------------------------------------------------------------------------------------------- */

/* A step of exchange/step.h. */
struct traffic_step {
    struct bytes stage, path, detail; /* detail: a name, or a number as text; empty: nothing to say */
    unsigned depth, status;
    enum outcome outcome;
    int64_t start_ns, duration_ns; /* start_ns: since the exchange's; both in whole microseconds, at most 71 minutes */
    char number[DECIMAL_TEXT_MAX];
};

/* A copy. Texts live as long as the list. */
struct traffic_exchange {
    unsigned worker;
    uint64_t number;          /* of its worker's, from 1 */
    int64_t start_ns, end_ns; /* loop clock */
    struct trace trace;
    struct bytes request_id, gateway, caller, client, method, authority, route, service, endpoint;
    struct bytes path; /* with the query */
    unsigned minor;    /* of HTTP/1.x */
    unsigned status, attempts;
    enum outcome outcome;
    uint64_t received_bytes, sent_bytes;
    unsigned step_count, steps_dropped;
    const void *steps; /* for traffic_step_at() */
};

/* Writes the index-th step, below step_count, into *ret; its detail may lie in there. */
void traffic_step_at(const struct traffic_exchange *exchange, unsigned index, struct traffic_step *ret);

/* All that is given must fit. All zero: every exchange. */
struct traffic_filter {
    struct bytes service, route;
    bool errors;              /* just those of traffic_failed() */
    int64_t slower_ns;        /* took at least so long */
    uint64_t id_high, id_low; /* of the trace */
};

struct traffic_list {
    struct arena arena;
    struct traffic_exchange **items;
    size_t count, room;
};

/* The newest `max` that the filter lets pass, newest end first; traffic_list_done() afterwards, also on failure. On any
 * thread. -ENOMEM, also above TRAFFIC_LIST_MAX. */
int traffic_read(const struct traffic *traffic, const struct traffic_filter *filter, size_t max,
                 struct traffic_list *list) MUST_CHECK;
void traffic_list_done(struct traffic_list *list);

#endif
