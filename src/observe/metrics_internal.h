/* observe/metrics_internal.h - what metrics.c, scrape.c and sources.c share. */
#ifndef WEFT_OBSERVE_METRICS_INTERNAL_H
#define WEFT_OBSERVE_METRICS_INTERNAL_H

#include "observe/metrics.h"
#include "observe/series.h"

/* Copies of what only the worker may read, at most OBSERVE_SAMPLE_NS old. */
struct metrics_sampled {
    struct metric fibers, fibers_highest, fibers_refused;
    struct metric exchanges, exchanges_highest, exchanges_refused;
    struct metric buffers, buffers_highest, buffers_refused;
    struct metric bulk_buffers, bulk_buffers_highest, bulk_buffers_refused;
    struct metric blocks, blocks_highest, blocks_refused;
    struct http_endpoint_stats endpoints;
};

struct metrics_worker {
    struct observer observer;
    struct worker *worker;
    const struct http_server *server;
    struct series_table table;
    struct metric outcomes[OUTCOME_COUNT];
    struct metrics_sampled sampled;
    struct timer sampler;
    struct list_node endpoints;
    struct http_endpoint_stats endpoints_gone; /* counts of those that were removed */
};

struct metrics {
    struct io *io;
    int64_t started_ns; /* since 1970 */
    struct series_admission admission;
    unsigned workers_max;
    _Atomic(struct metrics_worker *) workers[]; /* by index; NULL: not attached yet */
};

/* The next attached worker from *at on, or NULL; *at moves behind it. */
struct metrics_worker *metrics_next_worker(struct metrics *metrics, unsigned *at);

/* edges.c: the series of all workers; equal keys are neighbours. */
struct metrics_view {
    const struct series **series;
    size_t count, room;
};

int metrics_view_take(struct metrics_view *view, struct metrics *metrics, enum series_kind kind) MUST_CHECK;
void metrics_view_done(struct metrics_view *view);

/* sources.c */
void metrics_write_workers(struct metrics *metrics, struct metrics_writer *writer);
void metrics_write_process(struct metrics *metrics, struct metrics_writer *writer);

#endif
