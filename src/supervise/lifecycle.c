#include "supervise/lifecycle.h"

void lifecycle_init(struct lifecycle *life, unsigned free_restarts)
{
    *life = (struct lifecycle){ .state = LIFECYCLE_IDLE, .due_ns = TIME_NEVER };
    backoff_init(&life->backoff, free_restarts);
}

bool lifecycle_has_process(enum lifecycle_state state)
{
    return state == LIFECYCLE_STARTING || state == LIFECYCLE_READY || state == LIFECYCLE_RESTARTING ||
           state == LIFECYCLE_STOPPING || state == LIFECYCLE_KILLED;
}

struct bytes lifecycle_state_name(enum lifecycle_state state)
{
    static const struct bytes NAMES[LIFECYCLE_STATES] = {
        [LIFECYCLE_IDLE] = BYTES("idle"),         [LIFECYCLE_STARTING] = BYTES("starting"),
        [LIFECYCLE_READY] = BYTES("ready"),       [LIFECYCLE_BACKING_OFF] = BYTES("backing-off"),
        [LIFECYCLE_STOPPING] = BYTES("stopping"), [LIFECYCLE_KILLED] = BYTES("killed"),
        [LIFECYCLE_GONE] = BYTES("gone"),         [LIFECYCLE_RESTARTING] = BYTES("restarting"),
    };

    return NAMES[state];
}

static unsigned enter(struct lifecycle *life, enum lifecycle_state state, int64_t due_ns, unsigned actions)
{
    life->state = state;
    life->due_ns = due_ns;
    if (state != LIFECYCLE_READY)
        life->ready_ns = 0;
    return actions | LIFECYCLE_DO_TELL;
}

static unsigned start(struct lifecycle *life, bool again)
{
    life->restarts += again;
    return enter(life, LIFECYCLE_STARTING, TIME_NEVER, LIFECYCLE_DO_SPAWN);
}

/* The process has ended by itself, or there never was one. */
static unsigned died(struct lifecycle *life, int64_t now_ns)
{
    life->wait_ns = backoff_failed(&life->backoff, now_ns, life->ready_ns);
    return enter(life, LIFECYCLE_BACKING_OFF, now_ns + life->wait_ns, 0);
}

static unsigned running(struct lifecycle *life, enum lifecycle_event event, int64_t now_ns)
{
    switch (event) {
    case LIFECYCLE_START_FAILED:
    case LIFECYCLE_EXITED: return died(life, now_ns);
    case LIFECYCLE_STOP: return enter(life, LIFECYCLE_STOPPING, now_ns + STOP_GRACE_NS, LIFECYCLE_DO_TERMINATE);
    case LIFECYCLE_BECAME_READY:
        if (life->state == LIFECYCLE_READY)
            return 0;
        life->ready_ns = now_ns;
        return enter(life, LIFECYCLE_READY, TIME_NEVER, 0);
    case LIFECYCLE_BECAME_UNREADY:
        if (life->state != LIFECYCLE_READY)
            return 0;
        backoff_unready(&life->backoff, now_ns, life->ready_ns);
        return enter(life, LIFECYCLE_STARTING, TIME_NEVER, 0);
    case LIFECYCLE_HUNG:
        backoff_unready(&life->backoff, now_ns, life->ready_ns);
        return enter(life, LIFECYCLE_RESTARTING, now_ns + STOP_GRACE_NS, LIFECYCLE_DO_TERMINATE);
    default: return 0;
    }
}

static unsigned restarting(struct lifecycle *life, enum lifecycle_event event, int64_t now_ns)
{
    switch (event) {
    case LIFECYCLE_EXITED: return died(life, now_ns);
    case LIFECYCLE_STOP: return enter(life, LIFECYCLE_STOPPING, now_ns + STOP_GRACE_NS, LIFECYCLE_DO_TERMINATE);
    case LIFECYCLE_TIME: return enter(life, LIFECYCLE_RESTARTING, TIME_NEVER, LIFECYCLE_DO_KILL);
    default: return 0;
    }
}

static unsigned ending(struct lifecycle *life, enum lifecycle_event event)
{
    if (event == LIFECYCLE_EXITED)
        return enter(life, LIFECYCLE_GONE, TIME_NEVER, 0);
    if (event == LIFECYCLE_TIME && life->state == LIFECYCLE_STOPPING)
        return enter(life, LIFECYCLE_KILLED, TIME_NEVER, LIFECYCLE_DO_KILL);
    return 0;
}

unsigned lifecycle_event(struct lifecycle *life, enum lifecycle_event event, int64_t now_ns)
{
    switch (life->state) {
    case LIFECYCLE_IDLE:
        if (event == LIFECYCLE_START)
            return start(life, false);
        return event == LIFECYCLE_STOP ? enter(life, LIFECYCLE_GONE, TIME_NEVER, 0) : 0;
    case LIFECYCLE_STARTING:
    case LIFECYCLE_READY: return running(life, event, now_ns);
    case LIFECYCLE_RESTARTING: return restarting(life, event, now_ns);
    case LIFECYCLE_BACKING_OFF:
        if (event == LIFECYCLE_TIME)
            return start(life, true);
        return event == LIFECYCLE_STOP ? enter(life, LIFECYCLE_GONE, TIME_NEVER, 0) : 0;
    case LIFECYCLE_STOPPING:
    case LIFECYCLE_KILLED: return ending(life, event);
    default: return 0;
    }
}
