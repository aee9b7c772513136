/* exchange/exchange.h - one request and its one response. The spine: no protocol name and no feature name in here.
 *
 * (1) A stage either answers (OUTCOME_OK, response head set) or fails with an outcome, never both.
 * (2) Bodies are pulled, see body.h.
 * (3) What a stage takes for the life of the exchange (a slot, a count, a budget) it gives back in an ending, which
 * runs once, with the FINAL outcome, after the last body byte, last in first out. (4) Only the source finalises:
 * outcome, log line, metrics. Forks are finalised by who forked them and yield no line. (5) Nothing outlives the arena.
 * (6) One worker from birth to end.
 * (7) x->deadline_ns bounds every wait for x until the head of the answer is there; an idle limit bounds the body and
 * tunnels.
 *
 *   born (exchange_create, exchange_fork) -> running (stage_run) -> answered (response head set) -> streaming ->
 *   ended (exchange_end: bodies closed, observers told, endings run, arena given back)
 */
#ifndef WEFT_EXCHANGE_EXCHANGE_H
#define WEFT_EXCHANGE_EXCHANGE_H

#include "base/arena.h"
#include "base/list.h"
#include "exchange/body.h"
#include "exchange/outcome.h"
#include "exchange/step.h"
#include "exchange/tee.h"
#include "exchange/worker.h"
#include "wire/http.h"

#define EXCHANGE_MAGIC 0xe8c4a96eu

struct endpoint;
struct exchange;
struct endpoint_ending;
struct snapshot_view;
struct source;
struct stage;
struct stage_local;

/* Where an exchange comes from: an HTTP connection, a probe, a flow, a test. */
struct source_ops {
    const char *name;
    /* The answer's head says that the connection becomes a tunnel: a body of the raw bytes from the client, in the
     * arena of x. NULL: this source can't. */
    int (*tunnel)(struct source *source, struct exchange *x, struct body **ret);
    /* Sends an interim answer (100, 103) if the client can take one. NULL: dropped. */
    int (*interim)(struct source *source, struct exchange *x, const struct http_head *head);
};

struct source {
    const struct source_ops *ops;
};

/* Caller-owned memory that lives as long as the exchange, usually in its arena or in a local block. */
struct ending {
    struct ending *next;
    void (*run)(struct ending *ending, struct exchange *x, enum outcome outcome);
    struct stage_local *local; /* kept alive until the ending has run; set by exchange_at_end_local() */
};

/* W3C trace context. An exchange is one span: its forks and all its tries share it, and tell themselves apart as steps
 * (exchange/step.h). Endpoints are sent `span`, so what they call on our behalf has it as parent. */
struct trace {
    uint64_t id_high, id_low; /* trace-id; both 0: none yet */
    uint64_t span, parent;    /* parent 0: the trace begins here */
    bool sampled;             /* passed on; we record either way */
};

/* Times of the exchange's steps, loop clock; 0: not reached. */
struct exchange_times {
    int64_t start_ns; /* the head of the request had been read */
    int64_t sent_ns;  /* the last try was handed to its endpoint */
    int64_t head_ns;  /* the head of its answer was there */
};

/* A part of the path that its route has named: "/orders/{id}". */
struct exchange_parameter {
    struct bytes name, value; /* the value as it came, not decoded */
};

struct exchange {
    uint32_t magic;
    enum outcome outcome; /* so far; final in endings and observers */
    struct worker *worker;
    struct snapshot_view *view; /* pinned; NULL after exchange_release_snapshot() */
    struct exchange *parent;    /* of a fork */
    struct source *source;      /* NULL in a fork that has none */
    struct scope *scope;        /* opened by the source, closed after both bodies have ended */
    struct ending *endings;
    struct arena arena;
    int64_t deadline_ns;
    struct bytes gateway;                        /* the name of the listener it came in by */
    struct bytes request_id;                     /* X-Request-Id, the client's or a new one */
    struct bytes route;                          /* its name; empty: none */
    struct bytes service;                        /* its name; empty: none */
    struct bytes client;                         /* the client's address without port, as text */
    struct bytes caller;                         /* the service that called; empty: it came from outside */
    struct bytes credential;                     /* what proves who calls, for stages alone: it is told to nobody */
    const struct exchange_parameter *parameters; /* of the route's path; in the arena, or longer-lived */
    unsigned parameter_count;
    struct bytes scheme;                              /* of the client's connection: http, https */
    struct endpoint_ending *endpoint_use;             /* private: who gives it back */
    struct endpoint *endpoint;                        /* chosen by a balance stage; NULL: none yet */
    uint16_t attempts;                                /* tries sent so far */
    uint16_t retries;                                 /* tries after the first */
    uint16_t tried_count;                             /* of tried; when it is full, the oldest is overwritten */
    const struct endpoint *tried[EXCHANGE_TRIED_MAX]; /* of earlier tries: compared, never followed */
    bool detached;                                    /* a copy on its own: no line, no metrics, its tee is another's */
    bool answered;       /* the first byte of the answer may have left: no retry any more */
    bool shared_request; /* the request head belongs to the parent: exchange_own_request() before writing */
    struct http_head request, response;
    struct http_head *request_trailers, *response_trailers; /* filled when the body has ended; NULL: none */
    struct body *request_body;                              /* NULL: empty */
    struct body *response_body;                             /* NULL: empty */
    struct tee *tee;                                        /* of the request body, shared with forks; NULL: no body */
    struct tee_reader *reader; /* this exchange's reader of it, in the arena: it moves up with a winner */
    struct trace trace;
    struct exchange_times times;
    uint64_t received_bytes, sent_bytes; /* of bodies, from and to the client; counted by the source */
    struct steps steps;                  /* last: its list is not cleared at birth */
};

/* A new exchange pinned to the worker's newest snapshot. The heads have room for HTTP_FIELDS_MAX fields once
 * exchange_head_room() has been called. -EAGAIN: EXCHANGES_MAX are in use or there is no memory (OUTCOME_OVERLOAD). */
int exchange_create(struct worker *worker, struct source *source, struct scope *scope,
                    struct exchange **ret) MUST_CHECK;

/* Room for fields of a head, in the arena. -ENOMEM. */
int exchange_head_room(struct exchange *x, struct http_head *head, unsigned fields) MUST_CHECK;

/* Gives x the body that its source reads; it goes through a tee from here on. -ENOMEM. */
int exchange_set_request_body(struct exchange *x, struct body *source) MUST_CHECK;

/* Ends the exchange with its final outcome: closes the bodies, tells the observers (not for forks; x->endpoint is still
 * there), runs the endings, gives the memory back. x is gone afterwards. On a fiber. */
void exchange_end(struct exchange *x, enum outcome outcome);

/* Gives a new exchange back that was never run: it has no bodies and no endings, and nobody is told. */
void exchange_discard(struct exchange *x);

void exchange_at_end(struct exchange *x, struct ending *ending);

/* The same for an ending that touches the stage's local block only: it stays valid after the snapshot was let go. */
void exchange_at_end_local(struct exchange *x, struct ending *ending, const struct stage *stage);

/* Drops the answer and makes the request readable from its start again. -ENOBUFS: more of the body has been sent than
 * the tee could keep; -EALREADY: the answer has begun to leave. */
int exchange_rewind(struct exchange *x) MUST_CHECK;
bool exchange_replayable(const struct exchange *x);

/* A child with an arena of its own and the same request, to be run in a scope of the caller: hedge, gather. The request
 * head is shared until exchange_own_request(). -EAGAIN as exchange_create(); -ENOBUFS as exchange_rewind(). */
int exchange_fork(struct exchange *x, struct exchange **ret_child) MUST_CHECK;

/* Makes the request head writable: a copy in x's own arena. -ENOMEM. */
int exchange_own_request(struct exchange *x) MUST_CHECK;

/* The winner's answer, body, endings and arena move up into the parent; the winner is gone. */
void exchange_adopt(struct exchange *parent, struct exchange *winner);

/* A copy that lives on its own in the worker's scope (mirror): its own copy of the head; its body is a reader of x's
 * tee, which keeps the tee's source waiting for nobody: when the original is done, what was not kept is lost (-ENOBUFS,
 * or an end if all had been kept). -EAGAIN, -ENOBUFS, -ENOMEM. */
int exchange_detach(struct exchange *x, struct exchange **ret_copy) MUST_CHECK;

/* A tunnel lets go of its snapshot: names are copied, local blocks stay alive through their endings. -ENOMEM: it keeps
 * it. */
int exchange_release_snapshot(struct exchange *x) MUST_CHECK;

/* A complete answer from memory: status, content type, text. For respond stages, problems and the control API. The
 * content is copied. -ENOMEM. */
int exchange_answer(struct exchange *x, unsigned status, struct bytes content_type, struct bytes content) MUST_CHECK;

#endif
