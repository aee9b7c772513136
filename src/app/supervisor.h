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
 * (4) An instance is started once every service that its own needs has an instance that is ready; what happens to those
 *     later concerns it no more. At the end instances are stopped in the reverse order.
 * (5) Nothing here waits: signals, messages, ends of processes and timers are wakes.
 */
#ifndef WEFT_APP_SUPERVISOR_H
#define WEFT_APP_SUPERVISOR_H

#include "app/app.h"
#include "app/loaded.h"
#include "app/scale.h"
#include "base/hash.h"
#include "io/linux/cgroup.h"
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
    struct address address; /* where it is: the plan's, or another port */
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
    struct record *record; /* of what it writes; NULL: no memory */
    uint64_t kills;        /* for want of memory, in its control group, so far */
    int64_t said_pid;      /* of the process whose start was said last */
    bool fresh;            /* of the pending configuration alone */
    bool outgoing;         /* not wanted by the newest plan */
    bool leaving;          /* the serving process was told; `leave` stops it */
    struct timer leave;
};

/* Whoever waits for the end of an apply. */
struct applicant {
    uint64_t id; /* 0: nobody; SIGHUP */
};

/* A service that is not run by us: how many endpoints the serving process found ready. */
struct outside {
    struct list_node node;
    unsigned ready;
    char name[CONF_NAME_MAX + 1];
};

struct supervisor {
    struct app *app;
    const char *file;   /* weft.yaml */
    const char *folder; /* where it is; services run here */
    const char *state;  /* .weft in it */
    struct loop loop;
    struct log log;
    struct wake signal;
    struct list_node listenings, units, outsides;
    struct recorder recorder;
    struct scales scales;
    struct cgroups cgroups;
    bool cgroups_open;
    struct timer waiting; /* until it is said who waits for whom */
    uint64_t last_id, last_version;
    unsigned workers;       /* running; fixed until the next start */
    struct hash_key secret; /* of this life of the system: what services prove who they are with, see stage/stages.h */
    struct address mesh;    /* where services call each other; ADDRESS_NONE: nothing listens there yet */
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
    int64_t stopping_ns;           /* since when */
    bool stopping_units, choosing; /* choosing: whom to stop next */
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
struct address listening_address(const struct supervisor *supervisor, const struct plan_listener *plan); /* in truth */
void listenings_commit(struct supervisor *supervisor);         /* closes what is not wanted any more */
void listenings_rollback(struct supervisor *supervisor);       /* closes what is fresh */
void listenings_close_gateways(struct supervisor *supervisor); /* the serving process has them still, until it drains */
void listenings_close(struct supervisor *supervisor);

/* units.c, likewise. */
int units_prepare(struct supervisor *supervisor, struct loaded *loaded, struct fault *fault) MUST_CHECK;
void units_commit(struct supervisor *supervisor);
void units_rollback(struct supervisor *supervisor);
void units_stop(struct supervisor *supervisor);          /* those that nobody needs any more; then the next ones */
void units_kill(struct supervisor *supervisor);          /* all, at once */
void units_start_waiting(struct supervisor *supervisor); /* whose needs are there now */
bool units_wait_for(struct supervisor *supervisor, const struct unit *unit, struct text *text); /* and whom, if so */
void units_say_waiting(struct timer *timer);
struct unit *unit_find(struct supervisor *supervisor, struct bytes name); /* NULL: there is none */
void units_leave(struct supervisor *supervisor);                          /* outgoing ones that may go, go */

/* unit.c: one of them. */
int unit_create(struct supervisor *supervisor, struct loaded *loaded, const struct plan_service *plan, unsigned number,
                struct unit **ret) MUST_CHECK;
void unit_free(struct unit *unit);
void unit_leave(struct unit *unit);

/* limits.c: what instances may use. */
void limits_prepare(struct supervisor *supervisor, const struct plan *plan); /* says what can't be enforced */
/* Why the service's limits don't hold, or only in part; empty: they do. */
void limits_write_warning(const struct supervisor *supervisor, const struct plan_service *plan, struct text *text);
int limits_enter(struct unit *unit, int *ret_folder) MUST_CHECK; /* 0: it needs no group */
void limits_leave(struct unit *unit);
bool limits_killed(struct unit *unit); /* it died for want of memory */
void limits_close(struct supervisor *supervisor);

/* scaling.c: weft scale. */
void scaling_begin(struct supervisor *supervisor, uint64_t id, struct bytes service, uint64_t scale);

/* differences.c: weft diff. Tells what an apply would change; nothing is. */
void differences_tell(struct supervisor *supervisor, uint64_t id);

/* courier.c: the serving process and what it is told. */
void courier_start(struct supervisor *supervisor);
void courier_listener(struct supervisor *supervisor, const struct listening *listening);
void courier_unlisten(struct supervisor *supervisor, uint64_t id);
void courier_unit(struct supervisor *supervisor, const struct unit *unit);
void courier_service(struct supervisor *supervisor, const struct plan_service *plan);
void courier_version(struct supervisor *supervisor, const struct loaded *loaded);
void courier_result(struct supervisor *supervisor, uint64_t id, bool ok, struct bytes text);
void courier_drain(struct supervisor *supervisor);

/* reload.c: id 0: nobody waits for the answer. */
void reload_begin(struct supervisor *supervisor, uint64_t id);
void reload_applied(struct supervisor *supervisor, uint64_t version);
void reload_refused(struct supervisor *supervisor, uint64_t version, struct bytes why);
void reload_serving_died(struct supervisor *supervisor);

#endif
