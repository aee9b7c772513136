/* supervise/child.h - a process of ours that is kept running: struct lifecycle with a process, a timer and its output.
 *
 * (1) It lives on one loop, without a fiber: wakes and a timer feed the lifecycle.
 * (2) Before a dead leader is reaped, what it left in its process group is killed, and what it had written is taken:
 *     a restart never meets its predecessor's children.
 * (3) What it writes to standard output and standard error is told apart, and in order within each of them alone.
 * (4) ops->changed() is the last thing that happens to an event; in LIFECYCLE_GONE it may free the child.
 */
#ifndef WEFT_SUPERVISE_CHILD_H
#define WEFT_SUPERVISE_CHILD_H

#include "supervise/lifecycle.h"
#include "supervise/log.h"
#include "supervise/output.h"
#include "supervise/recorder.h"

struct child;

struct child_ops {
    /* Starts the process; `out` and `err` are where it should write (-1: ours). */
    int (*spawn)(struct child *child, int out, int err, struct process *ret);
    void (*changed)(struct child *child);
    /* What it wrote, besides that it is in the log; may be NULL. */
    void (*said)(struct child *child, enum record_stream stream, struct bytes line);
    /* It has ended by `status`: adds what else is known about why (" (out of memory)"); may be NULL. */
    void (*ended)(struct child *child, struct text *text);
};

/* The last lines that a process wrote, for who asks why it died. */
struct child_tail {
    char lines[CHILD_TAIL_LINES][CHILD_TAIL_LINE_MAX];
    uint8_t len[CHILD_TAIL_LINES];
    unsigned count; /* so far; line n is at n % CHILD_TAIL_LINES */
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
    struct output out, err;
    bool captured;   /* its output is ours to read */
    int status;      /* wait status of the last process */
    int spawn_error; /* why the last one could not be started; 0: it could */
    int64_t started_ns, ended_ns;
    int64_t crashing_ns; /* when the first of life.backoff.failures processes was started */
    struct child_tail tail;
    char last_exit[CHILD_EXIT_MAX]; /* "ended with status 1 0.2 s after its start"; empty: none has ended yet */
};

void child_init(struct child *child, const struct child_ops *ops, struct loop *loop, struct log *log, struct bytes name,
                bool captured, unsigned free_restarts);
void child_start(struct child *child);
void child_stop(struct child *child);             /* SIGTERM, then SIGKILL after STOP_GRACE_NS */
void child_kill(struct child *child, int number); /* a signal to its group; what follows is the lifecycle's affair */
void child_ready(struct child *child, bool ready);
void child_hung(struct child *child); /* SIGTERM, then SIGKILL after STOP_GRACE_NS, and it is started anew */

/* It dies again and again: CRASH_LOOP_DEATHS times or more without RESTART_HEALTHY_NS between. */
bool child_crash_loops(const struct child *child);

/* "ended with status 3", "was killed by signal 9" */
void child_describe_end(struct text *text, int status);

#endif
