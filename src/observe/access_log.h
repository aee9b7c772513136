/* observe/access_log.h - one JSON object a line for each exchange, written beside the request path.
 *
 *     {"time":"2026-11-21T08:30:00.123Z","trace_id":"...","span_id":"...","parent_id":"...","request_id":"...",
 *      "method":"GET","authority":"shop.example","path":"/orders?id=7","protocol":"HTTP/1.1","route":"orders",
 *      "service":"orders","endpoint":"orders-2","status":200,"outcome":"ok","flags":"-","bytes_received":0,
 *      "bytes_sent":1024,"duration_ms":1.234,"upstream_ms":1.102,"attempts":1,"client":"10.0.0.9",
 *      "user_agent":"curl/8.5","gateway":"web","caller":"storefront"}
 *
 * `time` is the exchange's end. `parent_id` is the span that the request named in its traceparent, `caller` the service
 * that sent it: empty where it came from outside. `flags` is the mark of exchange/outcome.def. A text that is unknown
 * is empty; upstream_ms is the time from sending the last try to the head of its answer, and null when none came;
 * status is 0 when no answer was begun. Texts are cut at OBSERVE_LOG_PATH_MAX, _AGENT_MAX and _NAME_MAX bytes; what is
 * no UTF-8 becomes U+FFFD.
 *
 * (1) A worker copies its line into a ring of its own and goes on: no lock, no system call, no memory, whoever reads.
 *     A timer of the worker calls the writer OBSERVE_LOG_FLUSH_NS after the first line, earlier when the ring is half
 *     full.
 * (2) A line that does not fit is dropped and counted; the next one that fits comes after {"dropped":N}.
 * (3) One job on a lane writes for all rings. A ring's lines keep their order; lines of different rings never mix.
 * (4) When the reader has gone (-EPIPE and the like), what is there is dropped and counted, and more is tried later.
 * (5) An exchange without a source (a probe, a call of our own) has no line.
 */
#ifndef WEFT_OBSERVE_ACCESS_LOG_H
#define WEFT_OBSERVE_ACCESS_LOG_H

#include "exchange/exchange.h"
#include "observe/exposition.h"

struct access_log;      /* of a process */
struct access_log_ring; /* of one worker */

/* On the control loop's thread, which runs the writer on a fiber of its root scope. `descriptor`: where lines go, 1 for
 * stdout; it stays the caller's. -ENOMEM, -EAGAIN (no fiber), or what lane_open() said. */
int access_log_create(struct loop *control, int descriptor, unsigned workers_max, struct access_log **ret) MUST_CHECK;

/* On the worker's thread. worker->index is below workers_max. -ENOMEM. */
int access_log_attach(struct access_log *log, struct worker *worker, struct access_log_ring **ret) MUST_CHECK;

/* On the worker's thread, before its loop goes. Lines that are there are still written. */
void access_log_detach(struct access_log_ring *ring);

/* For worker->observers. */
const struct observer *access_log_observer(struct access_log_ring *ring);

/* On the control loop's thread, after its loop_run() and before its loop_done(), when all workers are detached and have
 * ended: writes what is left, as far as the reader takes it, and frees everything. [blocks] as long as a write does:
 * DESCRIPTOR_WAIT_NS when the reader is stuck. */
void access_log_close(struct access_log *log);

/* Lines so far, of all workers; any thread. weft_access_log_lines_total and weft_access_log_dropped_total of a scrape
 * are made of them: two sources, ended by NULL, that live as long as the log. */
uint64_t access_log_lines(struct access_log *log);
uint64_t access_log_dropped(struct access_log *log);
const struct metric_source *const *access_log_sources(struct access_log *log);

#endif
