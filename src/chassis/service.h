/* chassis/service.h - what is behind include/weft.h. Private to chassis/.
 *
 * (1) A thread (struct chassis) has a loop and the services that live on it; a service has a worker, an HTTP server and
 * a snapshot of one stage, which never changes. (2) A call is an exchange whose handler runs on a fiber of its own, in
 * the exchange's scope; the connection's fiber waits for the head of the answer and then reads the answer's body, which
 * the handler may still be writing. (3) The handler's fiber has ended before the exchange does: whoever stops waiting
 * for it cancels and joins it. (4) Nothing of a call outlives its ending. (5) A call without an exchange is one of the
 * background, see chassis/background.h: nobody has asked for it, and it can't answer.
 */
#ifndef WEFT_CHASSIS_SERVICE_H
#define WEFT_CHASSIS_SERVICE_H

#include "base/fault.h"
#include "chassis/background.h"
#include "chassis/routes.h"
#include "chassis/targets.h"
#include "exchange/snapshot.h"
#include "http/server.h"
#include "io/lines.h"
#include "observe/metrics.h"
#include "weft.h"

#define CHASSIS_SERVICE_MAGIC 0x3e471ce5u
#define CHASSIS_CALL_MAGIC 0xca11ca11u

#define STANDARD_OUTPUT 1
#define STANDARD_ERROR 2

/* One thread. */
struct chassis {
    struct io *io;
    struct loop loop;
    struct list_node services;
    unsigned uses;            /* services; the last one to go frees it */
    struct lines log;         /* open while it runs */
    struct lane *names;       /* looks names up; opened by the first that needs one */
    struct io_socket signals; /* none: they are left alone */
    struct wake signalled;
    unsigned signals_seen;
    atomic_bool stop;
    struct letter stop_letter;
    struct task task;
    struct fiber *fiber;         /* of the task, which waits for the end */
    struct task background_task; /* its fiber has the scope of tasks and checks; (5) */
    struct scope background;
    bool background_open, background_gone;
    bool testing; /* weft_test() is under way, or was: the log goes to standard error */
    bool started, draining, ended;
    int code;
};

struct weft_service {
    uint32_t magic;
    struct chassis *chassis;
    struct list_node node; /* in chassis->services */
    struct worker worker;
    struct http_server server;
    struct snapshot *snapshot;
    struct list_node snapshots;
    struct routes routes;
    struct targets targets;
    struct io_socket socket;
    struct http_listener *listener;
    struct list_node databases; /* of struct weft_database */
    bool ready, address_only, log_access;
    struct readiness readiness;
    struct list_node tasks; /* of struct periodic */
    unsigned task_count;
    struct list_node own_metrics; /* of struct weft_metric */
    unsigned own_metric_count;
    struct list_node fakes; /* of struct fake */
    unsigned fake_count;
    struct metrics *metrics;
    struct metrics_worker *metrics_worker;
    struct observer access;
    const struct observer *observers[3];
    size_t body_max;
    int64_t timeout_ns, drain_ns;
    struct bytes gateway; /* $WEFT_URL: "127.0.0.1:8080"; empty: none */
    char name[CHASSIS_NAME_MAX + 1], instance[CHASSIS_NAME_MAX + 1];
    char gateway_text[CHASSIS_URL_MAX];
    char wanted[ADDRESS_TEXT_MAX];  /* options' address */
    char address[ADDRESS_TEXT_MAX]; /* where it listens */
    char fault[FAULT_TEXT_MAX];     /* the first */
};

/* How far the answer has come. */
enum call_state {
    CALL_OPEN,      /* nothing yet */
    CALL_ANSWERED,  /* complete; it leaves when the handler has returned */
    CALL_STREAMING, /* the head may have left; the handler writes the body */
};

struct weft_call {
    uint32_t magic;
    struct weft_service *service;
    struct exchange *x;        /* NULL: of the background */
    const struct route *route; /* the same */
    struct trace trace;
    struct arena memory; /* what is given out */
    struct scope scope;  /* of the handler, within x's */
    struct task task;
    bool started, ended; /* the handler's fiber */
    int result;          /* what it returned */
    struct fiber *asker; /* the connection's fiber, when it waits for the handler */
    enum call_state state;
    struct http_field *headers; /* CHASSIS_HEADERS_MAX; NULL: none yet */
    unsigned header_count;
    size_t header_size;
    struct body_memory whole;

    /* the handler writes, the connection's fiber reads */
    struct body stream;
    struct fiber *writer; /* waits until its part has been passed on */
    struct bytes part;    /* to be read */
    bool given;           /* part is in the reader's hands */
    bool closed;          /* nobody reads any more */

    bool body_read, body_whole, body_too_large;
    bool body_busy; /* a fiber is reading it */
    struct weft_bytes body;
    const struct weft_json *json;              /* the body; NULL: not read yet */
    struct refusal *refusal;                   /* what is wrong with it; NULL: nothing so far */
    const char *why;                           /* weft_because(); NULL: nothing was said */
    struct bytes values[CHASSIS_ELEMENTS_MAX]; /* of the path's parameters, decoded */
    char trace_id[33];
    const char *method, *path, *query, *request_id, *client;
};

extern const struct stage_type CHASSIS_STAGE; /* call.c */

/* What is built in, as routes. */
extern const struct route READY_ROUTE;   /* ready.c */
extern const struct route METRICS_ROUTE; /* metrics.c */

bool service_is(const struct weft_service *service);
bool call_is(const struct weft_call *call);
bool call_asked(const struct weft_call *call); /* it is one, and of a request */

/* tools.c: a line of the log; `fields` is JSON, ",\"name\":value...". */
void service_log(struct weft_service *service, enum weft_level level, const char *trace_id, const char *request_id,
                 struct bytes message, struct bytes fields);
void service_log_dropped(const struct lines *lines, uint64_t dropped, struct text *text);

/* access.c: a line of the log for each answer. */
void access_observer_init(struct observer *observer);

/* metrics.c: what is measured about a service, from its birth on. -ENOMEM. */
int service_metrics_open(struct weft_service *service) MUST_CHECK;
void service_metrics_close(struct weft_service *service);

/* run.c: where tasks and checks of the background live, for the running fiber. */
void background_open(struct chassis *chassis);
void background_close(struct chassis *chassis);

/* service.c: whether a setting may still be made; keeps the fault. */
int service_open_for(struct weft_service *service, const char *what, const char *name) MUST_CHECK;

/* A name of a check, a task, a fake: letters, digits, '-', '_', '.'; at most CHASSIS_NAME_MAX. */
bool service_name_fine(const char *name);

/* Keeps the first fault for weft_run(); returns `error`. */
int service_fault(struct weft_service *service, int error, const char *format, ...) PRINTF_LIKE(3, 4);

/* database.c: nobody waits for them any more. */
void service_databases_close(struct weft_service *service);
void service_databases_free(struct weft_service *service);

bool path_is_built_in(struct bytes path); /* call.c */

/* answer.c: the problem for a handler that did not answer. OUTCOME_OK, or the outcome that is one. */
enum outcome call_failed(struct weft_call *call, int error);
/* json_body.c: the problem of call->refusal. */
int call_refuse(struct weft_call *call) MUST_CHECK;
/* answer.c: all of the answer's head but its framing. -EINVAL, -EALREADY, -ENOMEM. */
int call_begin(struct weft_call *call, unsigned status, const char *type) MUST_CHECK;
void call_join(struct weft_call *call); /* call.c: cancels and joins the handler */

/* request.c: all of a body; -EMSGSIZE: more than body_max. NULL: empty. */
int call_read_whole(struct weft_call *call, struct body *body, struct weft_bytes *ret) MUST_CHECK;

/* json_build.c */
int call_answer_json(struct weft_call *call, unsigned status, const char *type,
                     const struct weft_json *value) MUST_CHECK;
/* answer.c: weft_answer() with content that is in the call's memory. */
int call_answer(struct weft_call *call, unsigned status, const char *type, struct bytes content) MUST_CHECK;

/* Fields of an answer as texts. */
struct weft_reply_head {
    unsigned count;
    struct {
        const char *name, *value;
    } fields[];
};

/* reply.c: -ENOMEM. */
int reply_head_copy(struct arena *memory, const struct http_head *head, const struct weft_reply_head **ret) MUST_CHECK;
const char *reply_head_find(const struct weft_reply_head *head, const char *name); /* NULL: there is none */
struct weft_reply reply_failed(int error);                                         /* outgoing.c */

/* A zero-terminated copy in the call's memory; NULL: no room. */
char *call_text(struct weft_call *call, struct bytes text);
char *call_vformat(struct weft_call *call, const char *format, va_list args) PRINTF_LIKE(2, 0);

#endif
