/* Lanes: a mutex, a queue and a few threads each.
 *
 * (1) A job is in one place at a time: in the lane's queue, with a thread, or in the done list of the io that
 *     submitted it. Who puts it into the next place doesn't touch it any more.
 * (2) A lane's threads end only when its queue is empty.
 */
#include "io/linux/internal.h"

#include "base/alloc.h"
#include "io/lane.h"

#include <errno.h>
#include <stdio.h>

struct lane {
    struct list_node node; /* among the lanes of who opened it */
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct job *first, *last; /* those that wait */
    unsigned waiting;
    bool closing;
    unsigned thread_count;
    pthread_t threads[LANE_THREADS_MAX];
};

/* The io may go as soon as it has seen the job done: hence `completing`, for which io_linux_close() waits. */
static void hand_back(struct job *job)
{
    struct io_linux *io = job->owner;

    (void)atomic_fetch_add_explicit(&io->completing, 1, memory_order_relaxed);
    job->next = atomic_load_explicit(&io->done, memory_order_relaxed);
    while (
        !atomic_compare_exchange_weak_explicit(&io->done, &job->next, job, memory_order_release, memory_order_relaxed))
        ;
    linux_poll_notify(&io->io);
    (void)atomic_fetch_sub_explicit(&io->completing, 1, memory_order_release);
}

/* Waits for a job. NULL: the lane closes and none is left. */
static struct job *next_job(struct lane *lane)
{
    struct job *job;

    (void)pthread_mutex_lock(&lane->mutex);
    while (!lane->first && !lane->closing)
        (void)pthread_cond_wait(&lane->work, &lane->mutex);
    job = lane->first;
    if (job) {
        lane->first = job->next;
        if (!lane->first)
            lane->last = NULL;
        lane->waiting--;
    }
    (void)pthread_mutex_unlock(&lane->mutex);
    return job;
}

static void *lane_main(void *context)
{
    struct lane *lane = context;
    struct job *job;

    while ((job = next_job(lane)) != NULL) {
        job->run(job);
        hand_back(job);
    }
    return NULL;
}

static void lane_end(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->mutex);
    lane->closing = true;
    (void)pthread_cond_broadcast(&lane->work);
    (void)pthread_mutex_unlock(&lane->mutex);
    for (unsigned i = 0; i < lane->thread_count; i++)
        (void)pthread_join(lane->threads[i], NULL);
    (void)pthread_cond_destroy(&lane->work);
    (void)pthread_mutex_destroy(&lane->mutex);
    mem_free(lane);
}

int linux_lane_open(struct io *seam, const char *name, unsigned threads, struct lane **ret)
{
    struct io_linux *io = io_linux(seam);
    struct lane *lane;

    if (threads == 0 || threads > LANE_THREADS_MAX)
        return -EINVAL;
    if (io->lane_count == LANES_MAX)
        return -ENOSPC;
    lane = mem_zalloc(sizeof(*lane));
    if (!lane)
        return -ENOMEM;
    (void)pthread_mutex_init(&lane->mutex, NULL); /* neither fails on Linux with default attributes */
    (void)pthread_cond_init(&lane->work, NULL);
    for (; lane->thread_count < threads; lane->thread_count++) {
        int r = linux_thread_create(name, LANE_STACK_SIZE, lane_main, lane, &lane->threads[lane->thread_count]);

        if (r < 0) {
            lane_end(lane);
            return r;
        }
    }
    list_push_back(&io->lanes, &lane->node);
    io->lane_count++;
    *ret = lane;
    return 0;
}

void linux_lane_close(struct io *seam, struct lane *lane)
{
    struct io_linux *io = io_linux(seam);

    list_remove(&lane->node);
    io->lane_count--;
    lane_end(lane);
}

int linux_lane_submit(struct io *seam, struct lane *lane, struct job *job)
{
    struct io_linux *io = io_linux(seam);
    int r = -EAGAIN;

    job->owner = io;
    job->next = NULL;
    (void)pthread_mutex_lock(&lane->mutex);
    ASSERT(!lane->closing);
    if (lane->waiting < LANE_JOBS_MAX) {
        if (lane->last)
            lane->last->next = job;
        else
            lane->first = job;
        lane->last = job;
        lane->waiting++;
        (void)pthread_cond_signal(&lane->work);
        r = 0;
    }
    (void)pthread_mutex_unlock(&lane->mutex);
    if (r == 0)
        io->jobs++;
    return r;
}

unsigned linux_lane_jobs_done(struct io_linux *io)
{
    struct job *job, *first = NULL;
    unsigned count = 0;

    if (!atomic_load_explicit(&io->done, memory_order_relaxed))
        return 0;
    job = atomic_exchange_explicit(&io->done, NULL, memory_order_acquire);
    while (job) { /* the list has the last one first */
        struct job *next = job->next;

        job->next = first;
        first = job;
        job = next;
    }
    while (first) {
        job = first;
        first = job->next;
        io->jobs--;
        job->done(job);
        count++;
    }
    return count;
}
