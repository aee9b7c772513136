/* supervise/lifecycle.h - what an instance of a service, or the serving process, goes through. Pure: events in, things
 * to do out.
 *
 *   IDLE --start--> STARTING --ready--> READY --exited--> BACKING_OFF --time--> STARTING ...
 *   STARTING, READY --hung--> RESTARTING --exited--> BACKING_OFF
 *   any --stop--> STOPPING --time--> KILLED --exited--> GONE
 *
 * (1) A process exists in STARTING, READY, RESTARTING, STOPPING and KILLED, and in no other state.
 * (2) Whatever the order of events, an instance that was told to stop ends in GONE and never starts again.
 * (3) `due_ns` is when the next LIFECYCLE_TIME is wanted; TIME_NEVER: not at all.
 */
#ifndef WEFT_SUPERVISE_LIFECYCLE_H
#define WEFT_SUPERVISE_LIFECYCLE_H

#include "base/bytes.h"
#include "supervise/backoff.h"

enum lifecycle_state {
    LIFECYCLE_IDLE,
    LIFECYCLE_STARTING, /* its process runs, but is not ready yet, or not any more */
    LIFECYCLE_READY,
    LIFECYCLE_RESTARTING,  /* was asked to end since it hangs, and is killed if it doesn't */
    LIFECYCLE_BACKING_OFF, /* has died, or could not be started */
    LIFECYCLE_STOPPING,    /* was asked to end */
    LIFECYCLE_KILLED,      /* was not asked any more */
    LIFECYCLE_GONE,
    LIFECYCLE_STATES,
};

enum lifecycle_event {
    LIFECYCLE_START,
    LIFECYCLE_START_FAILED, /* after LIFECYCLE_DO_SPAWN: there is no process */
    LIFECYCLE_BECAME_READY,
    LIFECYCLE_BECAME_UNREADY,
    LIFECYCLE_HUNG, /* its liveness checks fail */
    LIFECYCLE_EXITED,
    LIFECYCLE_STOP,
    LIFECYCLE_TIME, /* due_ns has come */
    LIFECYCLE_EVENTS,
};

/* What is to be done, in this order. */
enum lifecycle_action {
    LIFECYCLE_DO_TERMINATE = 1, /* SIGTERM */
    LIFECYCLE_DO_KILL = 2,      /* SIGKILL, to all it forked */
    LIFECYCLE_DO_SPAWN = 4,
    LIFECYCLE_DO_TELL = 8, /* the state has changed */
};

struct lifecycle {
    enum lifecycle_state state;
    struct backoff backoff;
    int64_t due_ns;
    int64_t ready_ns;  /* since when it is ready; 0: it is not */
    int64_t wait_ns;   /* of the last back-off */
    uint64_t restarts; /* processes after the first */
};

void lifecycle_init(struct lifecycle *life, unsigned free_restarts);

/* Takes the event at now_ns; returns enum lifecycle_action bits. An event that does not fit the state does nothing. */
unsigned lifecycle_event(struct lifecycle *life, enum lifecycle_event event, int64_t now_ns) MUST_CHECK;

bool lifecycle_has_process(enum lifecycle_state state);
struct bytes lifecycle_state_name(enum lifecycle_state state); /* "backing-off" */

#endif
