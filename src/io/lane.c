#include "io/lane.h"

#include "io/loop.h"

static void job_done(struct job *job)
{
    job->finished = true;
    (void)fiber_wake(job->waiter);
}

int lane_run(struct lane *lane, struct job *job)
{
    struct loop *loop = loop_current();
    int ended = fiber_scope()->ended, r;

    if (ended)
        return ended;
    job->done = job_done;
    job->waiter = fiber_current();
    job->finished = false;
    r = loop->io->ops->submit(loop->io, lane, job);
    if (r < 0)
        return r;
    while (!job->finished && ended == 0) {
        ended = fiber_park(TIME_NEVER);
        if (ended < 0 && !job->finished && job->interrupt)
            job->interrupt(job);
    }
    while (!job->finished) /* (1): its memory is ours, so it must end before we go on */
        fiber_park_deaf();
    return ended;
}
