/* app/serving.h - `weft serve`: the process that carries the traffic. Started by the supervisor, with the channel to it
 * as descriptor 3.
 *
 * (1) Worker 0 is the control loop: the channel, the registry of services with its checks, and the control API. Workers
 *     1..N carry exchanges.
 * (2) What takes long is done by one fiber, the conductor, one thing at a time: a version, listeners to close, the end.
 * (3) A version is taken in this order: compile, make services known, let every worker enter, open listeners, answer.
 *     What fails before the first worker has entered changes nothing.
 * (4) At most SNAPSHOTS_LIVE_MAX versions are alive; another one is refused until exchanges of old ones have ended.
 * (5) When the supervisor is gone, the process ends soon: SHORT_DRAIN_NS.
 */
#ifndef WEFT_APP_SERVING_H
#define WEFT_APP_SERVING_H

#include "app/app.h"
#include "app/workers.h"
#include "control/api.h"
#include "observe/access_log.h"
#include "observe/traffic.h"
#include "supervise/link.h"
#include "supervise/log.h"

/* A file of a version. */
struct serving_text {
    struct list_node node;
    char *name, *content;
    size_t len;
};

/* A version that is being sent, or waits to be taken. */
struct serving_version {
    uint64_t version;
    unsigned count;
    struct list_node texts; /* struct serving_text, in the order sent: the main file first */
};

/* A listening socket that waits for the next version, or to be closed. */
struct serving_listener {
    struct list_node node;
    uint64_t id;
    unsigned worker;
    int descriptor;
    char *name, *scheme;
};

/* What the supervisor said about an instance. Control loop only. */
struct serving_instance {
    struct list_node node;
    char *service, *name, *state;
    struct address address;
    char *place; /* the address, as text */
    uint64_t pid, restarts;
    char *note;
    int64_t leaving_ns; /* since when it leaves; 0: it does not */
    bool left;          /* and that was told */
};

/* What it said about a service that it runs. */
struct serving_run {
    struct list_node node;
    char *service, *warning;
    uint64_t scale;
    bool chosen;
};

/* Where a listener is. */
struct serving_place {
    uint64_t id;                    /* 0: nowhere */
    char address[ADDRESS_TEXT_MAX]; /* as text; empty: nowhere */
};

/* Somebody who waits for a RESULT. On the stack of a fiber. */
struct serving_question {
    struct list_node node;
    uint64_t id;
    struct fiber *fiber;
    bool answered, ok;
    char *text; /* mem_free() it; NULL: none came */
    size_t len;
};

struct serving {
    struct app *app;
    struct loop loop;
    struct log log;
    struct link link;
    struct workers workers;
    struct registry registry;
    struct metrics *metrics;
    struct traffic *traffic;
    struct access_log *access_log;
    struct access_log_ring **rings;
    bool started;
    bool first; /* nobody has ever been ready: it is the system's start */
    int64_t since_ns;
    uint64_t pid;           /* our own */
    struct hash_key secret; /* the system's */
    char *folder;
    char *logs;                             /* what services write is kept there */
    struct serving_place control_places[2]; /* where the control API listens, and did until just before */
    /* the control API */
    struct control_api_host host;
    struct control_api_conf api;
    struct control_sources sources;
    /* configuration */
    struct serving_version incoming;
    struct list_node live; /* snapshots */
    struct snapshot *newest, *control;
    struct timer sweep;
    struct list_node opening, closing; /* struct serving_listener */
    struct list_node instances, runs, questions;
    struct timer leaving; /* until those that leave have no requests any more */
    uint64_t last_question;
    /* the conductor */
    struct task conductor;
    struct fiber *idle;
    struct snapshot *compiled; /* waits for the conductor; NULL: none */
    bool drain_wanted, drained;
    int64_t drain_limit_ns;
    int exit_code;
};

int serving_run(struct app *app);
int serving_start(struct serving *serving, const struct message *start) MUST_CHECK;
void serving_lost(struct serving *serving, const char *what, int error); /* can't go on: ends soon, is started anew */

/* serving_link.c */
extern const struct link_ops SERVING_LINK_OPS;
void serving_send(struct serving *serving, const struct message *message);
void serving_wake(struct serving *serving); /* the conductor has something to do */
void serving_text_free(struct serving_version *version);
void serving_listener_free(struct serving *serving, struct serving_listener *listener);
void serving_forget(struct serving *serving); /* frees what was said */

/* On a fiber of the control loop: asks the supervisor ("apply", "diff", "down", scale); the message gets its id here.
 * 0, and question->ok and its text; -EPIPE, -ETIMEDOUT, -ECANCELED. */
int serving_ask(struct serving *serving, struct message *message, struct serving_question *question) MUST_CHECK;

/* serving_apply.c */
void serving_compile(struct serving *serving, uint64_t version); /* what came in; on the loop's own stack */
void serving_apply(struct serving *serving);                     /* what was compiled; on the conductor's fiber */
void serving_sweep(struct timer *timer);
void serving_leave(struct serving *serving); /* frees the snapshots, when nothing runs any more */

/* serving_control.c: the control API on the control worker. */
int serving_control_start(struct serving *serving) MUST_CHECK;
void serving_control_stop(struct serving *serving); /* when nothing runs any more */

/* serving_drain.c: on the conductor's fiber. True: everything has ended, and can be freed. */
bool serving_drain(struct serving *serving);

/* endpoints.c: tells the registry where services run. */
int endpoints_apply(struct serving *serving, struct bytes service) MUST_CHECK;

/* Tells the supervisor of instances that leave and have no requests under way any more. */
void endpoints_look_leaving(struct timer *timer);

/* On the conductor's fiber, before listeners are opened: a process that was started anew waits until its own checks
 * know what the one before knew, ENDPOINTS_WAIT_NS at most, so that who is queued already isn't told that nobody is
 * ready. */
void endpoints_wait(struct serving *serving);

/* Likewise, at the start of the system: until every service that a route leads to has been ready, READY_WAIT_NS at
 * most; then it is said who was not. */
void endpoints_wait_first(struct serving *serving);

#endif
