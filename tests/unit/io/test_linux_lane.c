#include "linux_help.h"

#include "io/lane.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct work {
    struct job job;
    sem_t *started, *may_end; /* NULL: doesn't tell, doesn't wait */
    pthread_t ran_on, done_on;
    bool ran, done;
    unsigned order, *next_order;
};

static void work_run(struct job *job)
{
    struct work *work = container_of(job, struct work, job);

    work->ran_on = pthread_self();
    if (work->started)
        (void)sem_post(work->started);
    while (work->may_end && sem_wait(work->may_end) < 0)
        ;
    work->ran = true;
}

static void work_done(struct job *job)
{
    struct work *work = container_of(job, struct work, job);

    assert_true(work->ran);
    work->done_on = pthread_self();
    work->done = true;
    if (work->next_order)
        work->order = (*work->next_order)++;
}

static void work_init(struct work *work)
{
    *work = (struct work){ .job = { .run = work_run, .done = work_done } };
}

static void wait_done(struct io *io, struct work *works, unsigned count)
{
    int64_t until = help_now(io) + WAIT_NS;

    for (unsigned i = 0; i < count; i++) {
        while (!works[i].done) {
            assert_true(help_now(io) < until);
            assert_true(io->ops->poll(io, until) >= 0);
        }
    }
}

static void test_runs_elsewhere_ends_here(void **state)
{
    struct io *io = help_open();
    struct lane *lane;
    struct work works[50];
    unsigned next = 0;

    assert_int_equal(io->ops->lane_open(io, "one thread", 1, &lane), 0);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        work_init(&works[i]);
        works[i].next_order = &next;
        assert_int_equal(io->ops->submit(io, lane, &works[i].job), 0);
    }
    wait_done(io, works, ARRAY_LEN(works));
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        assert_false(pthread_equal(works[i].ran_on, pthread_self()));
        assert_true(pthread_equal(works[i].done_on, pthread_self()));
        assert_int_equal(works[i].order, i); /* one thread keeps the order */
    }
    io->ops->lane_close(io, lane);
    io_linux_close(io);
}

static void test_threads_of_a_lane(void **state)
{
    struct io *io = help_open();
    struct lane *lane = NULL;
    struct work works[LANE_THREADS_MAX];
    sem_t started, may_end;

    assert_int_equal(io->ops->lane_open(io, "none", 0, &lane), -EINVAL);
    assert_int_equal(io->ops->lane_open(io, "many", LANE_THREADS_MAX + 1, &lane), -EINVAL);
    assert_null(lane);
    assert_int_equal(io->ops->lane_open(io, "a name longer than the kernel takes", LANE_THREADS_MAX, &lane), 0);
    assert_int_equal(sem_init(&started, 0, 0), 0);
    assert_int_equal(sem_init(&may_end, 0, 0), 0);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        work_init(&works[i]);
        works[i].started = &started;
        works[i].may_end = &may_end;
        assert_int_equal(io->ops->submit(io, lane, &works[i].job), 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(works); i++)
        assert_int_equal(sem_wait(&started), 0); /* all run at the same time */
    for (unsigned i = 0; i < ARRAY_LEN(works); i++)
        assert_int_equal(sem_post(&may_end), 0);
    wait_done(io, works, ARRAY_LEN(works));
    io->ops->lane_close(io, lane);
    io_linux_close(io);
    (void)sem_destroy(&started);
    (void)sem_destroy(&may_end);
}

static void test_full_lane(void **state)
{
    static struct work works[LANE_JOBS_MAX + 2];
    struct io *io = help_open();
    struct lane *lane;
    sem_t started, may_end;

    assert_int_equal(sem_init(&started, 0, 0), 0);
    assert_int_equal(sem_init(&may_end, 0, 0), 0);
    assert_int_equal(io->ops->lane_open(io, "full", 1, &lane), 0);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++)
        work_init(&works[i]);
    works[0].started = &started;
    works[0].may_end = &may_end;
    assert_int_equal(io->ops->submit(io, lane, &works[0].job), 0);
    assert_int_equal(sem_wait(&started), 0); /* it runs, so it waits no more */
    for (unsigned i = 1; i <= LANE_JOBS_MAX; i++)
        assert_int_equal(io->ops->submit(io, lane, &works[i].job), 0);
    assert_int_equal(io->ops->submit(io, lane, &works[LANE_JOBS_MAX + 1].job), -EAGAIN);
    assert_int_equal(sem_post(&may_end), 0);
    wait_done(io, works, LANE_JOBS_MAX + 1);
    assert_false(works[LANE_JOBS_MAX + 1].ran);
    assert_int_equal(io->ops->submit(io, lane, &works[LANE_JOBS_MAX + 1].job), 0); /* there is room again */
    wait_done(io, works, LANE_JOBS_MAX + 2);
    io->ops->lane_close(io, lane);
    io_linux_close(io);
    (void)sem_destroy(&started);
    (void)sem_destroy(&may_end);
}

static void test_lanes_of_an_io(void **state)
{
    struct io *io = help_open();
    struct lane *lanes[LANES_MAX], *more;

    for (unsigned i = 0; i < LANES_MAX; i++)
        assert_int_equal(io->ops->lane_open(io, "lane", 1, &lanes[i]), 0);
    assert_int_equal(io->ops->lane_open(io, "lane", 1, &more), -ENOSPC);
    io->ops->lane_close(io, lanes[3]);
    assert_int_equal(io->ops->lane_open(io, "lane", 1, &lanes[3]), 0);
    for (unsigned i = 0; i < LANES_MAX; i++)
        io->ops->lane_close(io, lanes[i]);
    io_linux_close(io);
}

/* Closing waits for what was submitted; its end is told by the next poll(). */
static void test_close_finishes_the_queue(void **state)
{
    struct io *io = help_open();
    struct lane *lane;
    struct work works[20];

    assert_int_equal(io->ops->lane_open(io, "close", 2, &lane), 0);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        work_init(&works[i]);
        assert_int_equal(io->ops->submit(io, lane, &works[i].job), 0);
    }
    io->ops->lane_close(io, lane);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        assert_true(works[i].ran);
        assert_false(works[i].done);
    }
    assert_int_equal(io->ops->poll(io, TIME_NEVER), ARRAY_LEN(works)); /* does not wait */
    wait_done(io, works, ARRAY_LEN(works));
    io_linux_close(io);
}

/* --- threads ---------------------------------------------------------------------------------------------------- */

#define ROUNDS 300

struct worker {
    struct lane *lane;
    char name[16];
    size_t stack_size;
    bool blocked;
    unsigned done;
};

/* An io of its own, gone as soon as its jobs are, while the lane's threads may still be about to notify it. */
static void worker_run(void *context)
{
    struct worker *worker = context;
    pthread_attr_t attributes;
    sigset_t mask;

    assert_int_equal(pthread_getname_np(pthread_self(), worker->name, sizeof(worker->name)), 0);
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    assert_int_equal(pthread_attr_getstacksize(&attributes, &worker->stack_size), 0);
    (void)pthread_attr_destroy(&attributes);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    worker->blocked = sigismember(&mask, SIGTERM) == 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct io *io = help_open();
        struct work works[3];

        for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
            work_init(&works[i]);
            assert_int_equal(io->ops->submit(io, worker->lane, &works[i].job), 0);
        }
        wait_done(io, works, ARRAY_LEN(works));
        for (unsigned i = 0; i < ARRAY_LEN(works); i++)
            worker->done += pthread_equal(works[i].done_on, pthread_self()) != 0;
        io_linux_close(io);
    }
}

static void test_workers_share_a_lane(void **state)
{
    struct io *io = help_open();
    struct worker workers[3] = { 0 };
    void *threads[3];
    struct lane *lane;

    assert_int_equal(io->ops->lane_open(io, "shared", 2, &lane), 0);
    for (unsigned i = 0; i < 3; i++) {
        workers[i].lane = lane;
        assert_int_equal(io->ops->thread_start(io, "worker with a name", worker_run, &workers[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        io->ops->thread_join(io, threads[i]);
        assert_int_equal(workers[i].done, 3 * ROUNDS);
        assert_true(workers[i].blocked);
        assert_true(workers[i].stack_size >= THREAD_STACK_SIZE);
    }
    io->ops->lane_close(io, lane);
    io_linux_close(io);
}

static void stack_of_lane(struct job *job)
{
    struct work *work = container_of(job, struct work, job);
    pthread_attr_t attributes;
    size_t size = 0;

    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    assert_int_equal(pthread_attr_getstacksize(&attributes, &size), 0);
    (void)pthread_attr_destroy(&attributes);
    work->ran = size >= LANE_STACK_SIZE;
}

static void test_stack_of_a_lane(void **state)
{
    struct io *io = help_open();
    struct lane *lane;
    struct work work;

    assert_int_equal(io->ops->lane_open(io, "stack", 1, &lane), 0);
    work_init(&work);
    work.job.run = stack_of_lane;
    assert_int_equal(io->ops->submit(io, lane, &work.job), 0);
    wait_done(io, &work, 1);
    io->ops->lane_close(io, lane);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_elsewhere_ends_here),
        cmocka_unit_test(test_threads_of_a_lane),
        cmocka_unit_test(test_full_lane),
        cmocka_unit_test(test_lanes_of_an_io),
        cmocka_unit_test(test_close_finishes_the_queue),
        cmocka_unit_test(test_workers_share_a_lane),
        cmocka_unit_test(test_stack_of_a_lane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
