/* http/client.h - an HTTP/1 endpoint: where exchanges are carried out over kept-alive connections. One object for each
 * worker and address; see exchange/endpoint.h.
 *
 * (1) Idle connections are kept last in, first out, so that the surplus ages and is closed; at most connections_max are
 *     open, idle or not. When all are busy, at most HTTP_WAITERS_MAX exchanges wait for one, in order.
 * (2) A connection that the peer closed while it was idle is dropped at once (its wake sees it). When the peer's close
 *     crosses our request and no byte of an answer has come, the request is sent once more on a fresh connection, if
 *     it is idempotent or had not been sent at all: it never becomes the client's error.
 * (3) The peer's idle timeout is learned: after it closed a connection that had been idle for t, ours are closed after
 *     3/4 t (a limit that grows again as long as the peer does not close first), and requests that may not be repeated
 *     avoid connections that have been idle for longer than half of it.
 * (4) An answer is read with the same strictness as a request; what is malformed is OUTCOME_UPSTREAM_PROTOCOL, and
 *     the connection is closed.
 * (5) The request body is sent while the answer is read: an early answer is passed on at once.
 * (6) The head of the answer lives in a buffer that x holds until its end.
 * (7) Requests whose body is still to come (tunnels among them) get three quarters of the connections, and of the
 * places to wait for one: slow clients shall not keep the others out. While anybody waits, the worker knows
 *     (worker_scarce()), and its server drops clients that hardly move.
 */
#ifndef WEFT_HTTP_CLIENT_H
#define WEFT_HTTP_CLIENT_H

#include "exchange/endpoint.h"

struct http_endpoint_conf {
    struct bytes name; /* copied */
    struct address address;
    struct bytes host;        /* the Host to send; empty: the client's. Copied */
    unsigned connections_max; /* 0: HTTP_UPSTREAM_CONNECTIONS_MAX */
    int64_t connect_ns;       /* 0: HTTP_CONNECT_NS */
    int64_t idle_ns;          /* of a connection in the pool; 0: HTTP_UPSTREAM_IDLE_NS */
    int64_t body_ns;          /* between two reads or writes of a body; 0: HTTP_BODY_NS */
    bool direct;              /* this is a call of our own (a probe): no forwarding fields are added */
};

struct http_endpoint_stats {
    struct metric connects, connect_failures, reuses, replays, idle_closed_by_peer, protocol_errors;
};

/* A new endpoint with one use (the creator's); endpoint_drop() gives it back, and when its last exchange has ended and
 * its connections are closed, it is freed. -ENOMEM. */
int http_endpoint_create(struct worker *worker, const struct http_endpoint_conf *conf,
                         struct endpoint **ret) MUST_CHECK;

/* Closes the idle connections and keeps none from now on: the endpoint leaves its set. Exchanges under way go on. */
void http_endpoint_retire(struct endpoint *endpoint);

const struct http_endpoint_stats *http_endpoint_stats(const struct endpoint *endpoint);
unsigned http_endpoint_open_connections(const struct endpoint *endpoint);

#endif
