/* supervise/child.h - a process of ours that is kept running: struct lifecycle with a process, a timer and its output.
 *
 * (1) It lives on one loop, without a fiber: wakes and a timer feed the lifecycle.
 * (2) Before a dead leader is reaped, what it left in its process group is killed, and what it had written is taken:
 *     a restart never meets its predecessor's children.
 * (3) ops->changed() is the last thing that happens to an event; in LIFECYCLE_GONE it may free the child.
 */
#ifndef WEFT_SUPERVISE_CHILD_H
#define WEFT_SUPERVISE_CHILD_H

#include "supervise/lifecycle.h"
#include "supervise/log.h"
#include "supervise/output.h"

struct child;

struct child_ops {
    /* Starts the process; `out` is where it should write (-1: ours). */
    int (*spawn)(struct child *child, int out, struct process *ret);
    void (*changed)(struct child *child);
};

struct child {
    const struct child_ops *ops;
    struct loop *loop;
    struct log *log;
    struct bytes name; /* borrowed */
    struct lifecycle life;
    struct process process;
    struct wake exited;
    struct timer timer;
    struct output output;
    bool captured;   /* its output is ours to read */
    int status;      /* wait status of the last process */
    int spawn_error; /* why the last one could not be started; 0: it could */
};

void child_init(struct child *child, const struct child_ops *ops, struct loop *loop, struct log *log, struct bytes name,
                bool captured, unsigned free_restarts);
void child_start(struct child *child);
void child_stop(struct child *child);             /* SIGTERM, then SIGKILL after STOP_GRACE_NS */
void child_kill(struct child *child, int number); /* a signal to its group; what follows is the lifecycle's affair */
void child_ready(struct child *child, bool ready);
void child_hung(struct child *child); /* SIGTERM, then SIGKILL after STOP_GRACE_NS, and it is started anew */

/* "ended with status 3", "was killed by signal 9" */
void child_describe_end(struct text *text, int status);

#endif
