/* io/lane.h - work that blocks (SQLite, files, names) runs on a lane: a few named threads and a bounded queue.
 *
 * (1) lane_run() returns only after job->run has returned, also when the fiber's scope ends: then
 *     job->interrupt is called, once, from the fiber's thread, and should make run() return soon.
 * (2) run() is on another thread: it may touch the job's own struct and what it owns, and the [blocks] calls
 *     of its io, nothing else of the loop.
 * (3) At most LANE_JOBS_MAX jobs wait on a lane: lane_run() is -EAGAIN then.
 */
#ifndef WEFT_IO_LANE_H
#define WEFT_IO_LANE_H

#include "io/io.h"

struct job {
    void (*run)(struct job *job);
    void (*interrupt)(struct job *job); /* NULL: it can't be hurried */
    void (*done)(struct job *job);      /* set by lane_run(): on the loop's stack of who submitted */
    struct job *next;                   /* private to the io */
    void *owner;                        /* private to the io */
    struct fiber *waiter;               /* private to lane_run() */
    bool finished;                      /* private to lane_run() */
};

/* Runs the job on the lane and waits for it. 0, -EAGAIN (full), or -ETIME / -ECANCELED when the scope ended
 * while the job ran (it has ended all the same, and its results are valid). */
int lane_run(struct lane *lane, struct job *job) MUST_CHECK;

#endif
