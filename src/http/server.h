/* http/server.h - HTTP/1 connections of clients as a source of exchanges. One server for each worker.
 *
 * (1) An idle connection is parked: a wake and a timer, no fiber, no buffer. A partial head keeps what has come so far
 * and nothing else. A fiber is taken when a head is complete; when none is free, the connection stays parked and tries
 * again. (2) A connection carries one exchange at a time; pipelined requests wait in its buffer. (3) Every wait for the
 * client has a limit: head_ns from the first byte of a head, idle_ns between requests, body_ns for each read or write
 * of a body. (4) A malformed request is answered (400, 414, 431, 501, 505) with a problem body, and the connection is
 * closed. (5) A client that leaves cancels the work for it. (6) Draining: no new connections but those that wait to be
 * accepted; idle ones on which no request comes within HTTP_DRAIN_IDLE_NS are closed; every answer says Connection:
 * close. (7) Where we close while the client may be sending, only our half is closed at first, and what comes is
 * dropped for HTTP_CLOSING_NS at most: a reset would destroy our answer on its way (RFC 9112, 9.6).
 * (8) When fibers are scarce, requests whose body is still to come leave a quarter of them to the others, and clients
 * that hardly move (HTTP_SLOW_RATE) are dropped. So they are while exchanges wait for a connection to a service.
 */
#ifndef WEFT_HTTP_SERVER_H
#define WEFT_HTTP_SERVER_H

#include "exchange/stage.h"
#include "net/listener.h"

struct http_server_limits {
    int64_t head_ns;          /* 0: HTTP_HEAD_NS */
    int64_t idle_ns;          /* 0: HTTP_IDLE_NS */
    int64_t body_ns;          /* 0: HTTP_BODY_NS */
    unsigned connections_max; /* 0: HTTP_CONNECTIONS_MAX; more are closed at once, and counted */
};

struct http_server_metrics {
    struct metric connections; /* accepted so far */
    struct metric connections_open;
    struct metric active;       /* exchanges that clients wait for or receive */
    struct metric refused;      /* connections_max reached, or no memory */
    struct metric rejected;     /* malformed requests */
    struct metric parked_full;  /* a head was complete, but no fiber or exchange was free at once */
    struct metric slow_clients; /* closed for being slow while fibers were scarce */
};

struct http_server {
    struct worker *worker;
    struct http_server_limits limits;
    struct pool connections;  /* struct http_connection */
    struct pool partials;     /* HTTP_PARTIAL_SIZE: heads that have come in part */
    struct list_node idle;    /* parked connections, the longest idle first */
    struct list_node starved; /* whose request waits for a fiber, in order of arrival */
    struct list_node active;
    struct list_node lingering; /* answered, while their client still sends: see (7) */
    struct timer feeder;        /* looks after the starved when no exchange ends */
    struct list_node listeners;
    struct http_field *scratch; /* HTTP_FIELDS_MAX, for heads being read on the loop's stack */
    struct http_server_metrics metrics;
    bool draining;
};

int http_server_init(struct http_server *server, struct worker *worker,
                     const struct http_server_limits *limits) MUST_CHECK;
/* NULL: the usual ones. For what begins from now on: connections that are there stay. */
void http_server_limit(struct http_server *server, const struct http_server_limits *limits);
void http_server_done(struct http_server *server); /* after draining: asserts that no connection is left */

/* Accepts on the listening socket, which stays the caller's. `gateway` (copied) becomes x->gateway; scheme is "http" or
 * "https". Exchanges run the root stage of the worker's newest snapshot. -ENOMEM. */
struct http_listener;
int http_server_listen(struct http_server *server, struct io_socket socket, struct bytes gateway, struct bytes scheme,
                       struct http_listener **ret) MUST_CHECK;
/* Its connections live on, and so do those that wait to be accepted. */
void http_server_unlisten(struct http_server *server, struct http_listener *listener);

/* It stays open while the server drains, for what requests under way still ask for, until http_server_drain_all(). */
void http_listener_keep(struct http_listener *listener);

/* Paths of its requests may begin with who calls, see http/credential.h. */
void http_listener_take_credentials(struct http_listener *listener);

void http_server_drain(struct http_server *server);
void http_server_drain_all(struct http_server *server);
bool http_server_calm(const struct http_server *server);  /* no connection is left but those of kept listeners */
bool http_server_quiet(const struct http_server *server); /* no connection is left */

/* Closes everything at once: what did not drain in time. Active ones are cancelled and end soon. */
void http_server_abort(struct http_server *server);

#endif
