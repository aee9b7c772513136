/* http/upstream.h - one connection to an endpoint, and the pool of them. Private to http/; the laws are in
 * http/client.h.
 *
 *   (new) --connected--> BUSY --answer read to its end--> IDLE --taken--> BUSY
 *   BUSY --closed unfinished, or the peer won't go on--> closed        IDLE --peer closes, too old, surplus--> closed
 */
#ifndef WEFT_HTTP_UPSTREAM_H
#define WEFT_HTTP_UPSTREAM_H

#include "http/client.h"
#include "net/conn.h"
#include "wire/http1.h"

struct http_endpoint {
    struct endpoint endpoint;
    struct worker *worker;
    struct http_endpoint_conf conf;
    struct http_endpoint_stats stats;
    struct list_node idle;             /* the most recently used first */
    struct list_node waiters;          /* exchanges that wait for a connection, in order */
    struct list_node waiters_to_come;  /* those whose body is still to come */
    unsigned open, waiting;            /* connections; exchanges that wait */
    unsigned to_come, waiting_to_come; /* of these, for a body that is still to come; see (7) */
    uint64_t order;                    /* of the next that waits */
    int64_t learned_idle_ns;           /* how long the peer lets a connection idle; TIME_NEVER: not known */
    bool retired;
    struct http_field *scratch; /* HTTP_FIELDS_MAX: heads that come in one piece are read here */
    char names[];
};

struct upstream {
    struct conn conn;
    struct http_endpoint *owner;
    struct list_node node; /* in owner->idle */
    struct wake wake;
    struct timer timer;
    int64_t idle_since_ns;
    bool reused;  /* it has carried an answer before */
    bool to_come; /* BUSY: with a request whose body was still to come */
};

struct upstream_wish {
    bool repeatable; /* the request may be sent twice */
    bool fresh;      /* a new one, not an idle one */
    bool to_come;    /* the request's body is still to come */
};

/* A connection for an exchange: an idle one if that will do, else a new one; waits for one when too many are open.
 * OUTCOME_OK, or why there is none. On a fiber. */
enum outcome upstream_take(struct http_endpoint *owner, const struct upstream_wish *wish, struct upstream **ret);
void upstream_release(struct upstream *upstream); /* back to the pool; any context */
void upstream_close(struct upstream *upstream);
void upstream_settle(struct http_endpoint *owner); /* frees a retired owner that nobody uses */

/* sender.c - sends a request body while the answer is read. Lives in the arena of the exchange. */
struct sender {
    struct task task;
    struct scope scope;
    struct body *from;
    struct upstream *to;
    struct http_head *trailers; /* of the request, filled once its body has ended; NULL: none */
    int64_t limit_ns;
    bool chunked, tunnel;
    bool started, finished, stopped;
    bool sent_all;       /* the peer got all of the request */
    enum outcome failed; /* OK, or what the request's own body died of */
    struct fiber *joiner;
};

/* Starts it in x's scope. -EAGAIN: no fiber. */
int sender_start(struct sender *sender, struct exchange *x, struct upstream *to, struct body *from, bool chunked,
                 bool tunnel, int64_t limit_ns) MUST_CHECK;
/* Makes it end, and waits until it has. */
void sender_stop(struct sender *sender);

/* response_body.c - takes over the connection. `sender` may be NULL. */
struct response_start {
    struct upstream *upstream;
    struct sender *sender;
    char *memory; /* the buffer that holds the head; x's, not the body's */
    size_t size, start, end;
};
int response_body_create(struct exchange *x, const struct response_start *start) MUST_CHECK;

#endif
