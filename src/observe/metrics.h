/* observe/metrics.h - the golden signals of a process: what workers count, and the scrape that reads it.
 *
 *     http_server_request_duration_seconds   histogram; http_request_method, http_response_status_code, http_route,
 *                                             weft_service, weft_gateway, weft_caller, error_type
 *     http_server_active_requests            gauge
 *     http_client_request_duration_seconds   histogram; http_request_method, http_response_status_code, weft_service,
 *                                             server_address, server_port, error_type
 *     weft_outcomes_total{outcome}           exchanges by how they ended, exchange/outcome.def
 *     weft_retries_total{weft_service}       tries after the first
 *     weft_metrics_series, weft_metrics_series_dropped_total
 * and, for each worker and the process, what observe/sources.c lists. Names, units and buckets are OpenTelemetry's
 * (semantic conventions for HTTP metrics) in the form of its Prometheus exporters. error_type is the outcome's name
 * when an exchange failed, else the status code where the conventions call it an error (server: 5xx; client: 4xx and
 * 5xx). weft_gateway is the gateway by which it came in, weft_caller the service that sent it, empty from outside.
 *
 * (1) Counting takes no lock and, but for a key that is new, no memory: see observe/series.h.
 * (2) A scrape runs on another thread, reads with relaxed and acquire loads, and stops nobody. Numbers of different
 *     metrics may be some nanoseconds apart; within a histogram the count is the sum of the buckets.
 * (3) Labels are names of the configuration, numbers and words of ours: a stranger can't make series (who sets
 *     x->caller takes no name that the configuration doesn't have). All the same, OBSERVE_SERIES_MAX bounds them.
 * (4) Everything lives until metrics_free(): reloads and workers that have ended take no counts along.
 * (5) An exchange without a source (a probe, a call of our own) is nobody's request: it is not counted.
 */
#ifndef WEFT_OBSERVE_METRICS_H
#define WEFT_OBSERVE_METRICS_H

#include "exchange/exchange.h"
#include "http/client.h"
#include "http/server.h"
#include "observe/exposition.h"

struct metrics;        /* of a process */
struct metrics_worker; /* of one worker */

/* For workers whose index is below `workers_max`. The io serves metrics_scrape(), on its thread. -ENOMEM. */
int metrics_create(struct io *io, unsigned workers_max, struct metrics **ret) MUST_CHECK;

/* After the last scrape, when all workers are detached. */
void metrics_free(struct metrics *metrics);

/* On the worker's thread: counts for it from now on, and every OBSERVE_SAMPLE_NS looks how much of its pools is in use.
 * The structs of worker and server stay where they are until metrics_free(), ended or not. `server`: NULL if the worker
 * has none. -ENOMEM. */
int metrics_attach(struct metrics *metrics, struct worker *worker, const struct http_server *server,
                   struct metrics_worker **ret) MUST_CHECK;
void metrics_detach(struct metrics_worker *mine); /* on the worker's thread, before its loop goes; counts stay */

/* For worker->observers. */
const struct observer *metrics_observer(struct metrics_worker *mine);

/* An HTTP endpoint whose counts are added up in the worker's. Caller-owned; from the endpoint's birth until it is
 * freed, on the worker's thread. */
struct metrics_endpoint {
    struct list_node node;
    const struct http_endpoint_stats *stats;
};

void metrics_endpoint_add(struct metrics_worker *mine, struct metrics_endpoint *endpoint,
                          const struct http_endpoint_stats *stats);
void metrics_endpoint_remove(struct metrics_worker *mine, struct metrics_endpoint *endpoint);

/* What went from a gateway, or from a service, to a service: the same counts as the scrape's, added up since the start.
 * Requests that no service answered (an answer of ours, no route) go to "". Names live as long as the metrics. */
struct metrics_edge {
    struct bytes from, to;
    bool from_service;
    uint64_t requests, errors, retries; /* errors: those with an error_type */
    struct histogram_sum duration;      /* of HISTOGRAM_HTTP_SECONDS */
};

struct metrics_edges {
    struct metrics_edge *items; /* by `to`, then gateways before services */
    size_t count;
};

/* -ENOMEM. */
int metrics_edges_take(struct metrics *metrics, struct metrics_edges *ret) MUST_CHECK;
void metrics_edges_done(struct metrics_edges *edges);

/* Writes all metrics, and those of `sources` (ends with NULL; may be NULL). On a fiber if the sink waits. -ENOMEM, or
 * what the sink said. */
int metrics_scrape(struct metrics *metrics, const struct metric_source *const *sources,
                   struct metrics_sink *sink) MUST_CHECK;

/* The same into one piece of memory: mem_free(data). -EFBIG: more than OBSERVE_SCRAPE_MAX. */
int metrics_scrape_text(struct metrics *metrics, const struct metric_source *const *sources,
                        struct bytes *ret) MUST_CHECK;

#endif
