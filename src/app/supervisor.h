/* app/supervisor.h - `weft up`: the process that holds the listening sockets and the children. Single-threaded.
 *
 *   guard (the process that was called) -> supervisor -> serving process
 *                                                     -> services
 *
 * (1) Listening sockets and services live as long as the configuration wants them; the serving process may die and
 *     come back beneath them.
 * (2) A configuration is `pending` from the moment it was found good until every worker lives in it; then it is
 *     `current`, and what only the one before needed is removed. If it is refused, what only it needed is removed.
 * (3) What was pending when the serving process died is given up, but for the first configuration.
 * (4) Nothing here waits: signals, messages, ends of processes and timers are wakes.
 */
#ifndef WEFT_APP_SUPERVISOR_H
#define WEFT_APP_SUPERVISOR_H

#include "app/app.h"
#include "app/loaded.h"
#include "supervise/child.h"
#include "supervise/link.h"

struct supervisor;

/* A listening socket of a gateway, for one worker. */
struct listening {
    struct list_node node;
    uint64_t id;
    struct loaded *loaded; /* its texts */
    const struct plan_listener *plan;
    unsigned worker;
    struct io_socket socket;
    bool wanted; /* by the newest plan */
    bool fresh;  /* by the pending one alone */
};

/* An instance of a service. */
struct unit {
    struct list_node node;
    struct child child;
    struct supervisor *supervisor;
    struct loaded *loaded;
    const struct plan_service *plan;
    unsigned number;
    char name[UNIT_NAME_MAX];
    char path[ADDRESS_TEXT_MAX]; /* of its unix socket; empty: it has a port */
    struct io_socket socket;     /* none: it has a port */
    struct address address;
    int64_t said_pid; /* of the process whose start was said last */
    bool fresh;       /* of the pending configuration alone */
    bool outgoing;    /* not wanted by the newest plan */
    bool leaving;     /* the serving process was told; `leave` stops it */
    struct timer leave;
};

/* Whoever waits for the end of an apply. */
struct applicant {
    uint64_t id; /* 0: nobody; SIGHUP */
};

struct supervisor {
    struct app *app;
    const char *file;   /* weft.yaml */
    const char *folder; /* where it is; services run here */
    const char *state;  /* .weft in it */
    struct loop loop;
    struct log log;
    struct wake signal;
    struct list_node listenings, units;
    uint64_t last_id, last_version;
    unsigned workers;    /* running; fixed until the next start */
    struct address mesh; /* where services call each other; ADDRESS_NONE: nothing listens there yet */
    struct loaded *current, *pending;
    struct applicant applicant;
    bool apply_again; /* SIGHUP came while one was pending */
    struct timer apply_limit;
    struct timer reaper;
    /* courier.c */
    struct child serving;
    struct link link;
    bool introduced; /* the serving process has been told everything */
    /* shutdown */
    bool stopping;
    int64_t stopping_ns; /* since when */
    bool stopping_units;
    struct timer drain_limit;
    int exit_code;
};

/* Runs until it is stopped; enum exit_code. `folder`: where the file is; `state`: .weft. */
int supervisor_run(struct app *app, const char *file, const char *folder, const char *state);
void supervisor_stop(struct supervisor *supervisor);        /* drains, then stops all; twice: hurries */
void supervisor_fail(struct supervisor *supervisor);        /* stops all, with EXIT_FAILED */
void supervisor_stopped_one(struct supervisor *supervisor); /* a child has gone: are we done? */

/* listening.c. The plan's listeners are opened; -errno with *fault, and nothing has changed. */
int listenings_prepare(struct supervisor *supervisor, struct loaded *loaded, struct fault *fault) MUST_CHECK;
const struct address *listening_address(const struct supervisor *supervisor, const struct plan_listener *plan);
void listenings_commit(struct supervisor *supervisor);         /* closes what is not wanted any more */
void listenings_rollback(struct supervisor *supervisor);       /* closes what is fresh */
void listenings_close_gateways(struct supervisor *supervisor); /* the serving process has them still, until it drains */
void listenings_close(struct supervisor *supervisor);

/* units.c, likewise. */
int units_prepare(struct supervisor *supervisor, struct loaded *loaded, struct fault *fault) MUST_CHECK;
void units_commit(struct supervisor *supervisor);
void units_rollback(struct supervisor *supervisor);
void units_stop(struct supervisor *supervisor, bool at_once);
struct unit *unit_find(struct supervisor *supervisor, struct bytes name); /* NULL: there is none */
void units_leave(struct supervisor *supervisor);                          /* outgoing ones that may go, go */

/* unit.c: one of them. */
int unit_create(struct supervisor *supervisor, struct loaded *loaded, const struct plan_service *plan, unsigned number,
                struct unit **ret) MUST_CHECK;
void unit_free(struct unit *unit);
void unit_leave(struct unit *unit);

/* courier.c: the serving process and what it is told. */
void courier_start(struct supervisor *supervisor);
void courier_listener(struct supervisor *supervisor, const struct listening *listening);
void courier_unlisten(struct supervisor *supervisor, uint64_t id);
void courier_unit(struct supervisor *supervisor, const struct unit *unit);
void courier_version(struct supervisor *supervisor, const struct loaded *loaded);
void courier_result(struct supervisor *supervisor, uint64_t id, bool ok, struct bytes text);
void courier_drain(struct supervisor *supervisor);

/* reload.c: id 0: nobody waits for the answer. */
void reload_begin(struct supervisor *supervisor, uint64_t id);
void reload_applied(struct supervisor *supervisor, uint64_t version);
void reload_refused(struct supervisor *supervisor, uint64_t version, struct bytes why);
void reload_serving_died(struct supervisor *supervisor);

#endif
