/* Work on lanes, seen from a fiber: interruption, results, and a lane that is full. */
#include "fiber_help.h"

#include "base/limits.h"
#include "io/lane.h"

#include <semaphore.h>
#include <stdlib.h>

#define MS NS_PER_MS

struct work {
    struct task task;
    struct job job;
    struct lane *lane;
    sem_t go; /* waited for, where `held` */
    bool held;
    int input, output;
    unsigned interrupted;
    int result;
};

static void work_run(struct job *job)
{
    struct work *work = container_of(job, struct work, job);

    while (work->held && sem_wait(&work->go) < 0)
        ;
    work->output = work->input * 2;
}

static void work_interrupt(struct job *job)
{
    struct work *work = container_of(job, struct work, job);

    work->interrupted++;
    (void)sem_post(&work->go);
}

static int work_task(struct task *task)
{
    struct work *work = container_of(task, struct work, task);

    work->result = lane_run(work->lane, &work->job);
    return work->result;
}

static void work_init(struct work *work, struct lane *lane, int input)
{
    *work = (struct work){
        .task.run = work_task, .job = { .run = work_run, .interrupt = work_interrupt }, .lane = lane, .input = input
    };
    assert_int_equal(sem_init(&work->go, 0, 0), 0);
}

static struct lane *lane_of(struct loop *loop, unsigned threads)
{
    struct lane *lane;

    assert_int_equal(loop->io->ops->lane_open(loop->io, "test", threads, &lane), 0);
    return lane;
}

static void plain(struct loop *loop, void *context)
{
    struct lane *lane = lane_of(loop, 2);
    struct work works[20];
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        work_init(&works[i], lane, (int)i);
        assert_int_equal(scope_spawn(&scope, &works[i].task), 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        struct task *done;

        assert_int_equal(scope_wait(&scope, &done), 0);
        assert_int_equal(done->result, 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        assert_int_equal(works[i].output, 2 * i);
        assert_int_equal(works[i].interrupted, 0);
    }
    assert_int_equal(scope_close(&scope), 0);
    loop->io->ops->lane_close(loop->io, lane);
}

static void test_plain(void **state)
{
    try_both(NULL, plain, NULL);
}

/* (1): the scope ends while the job runs. It is interrupted once; its result is there all the same. */
static void interrupted(struct loop *loop, void *context)
{
    for (int why = 0; why < 2; why++) {
        struct lane *lane = lane_of(loop, 1);
        struct scope outer, scope;
        struct work work;

        work_init(&work, lane, 21);
        work.held = true;
        scope_open(&outer, loop_after(loop, why == 0 ? 20 * MS : NS_PER_S));
        scope_open(&scope, TIME_NEVER);
        assert_int_equal(scope_spawn(&scope, &work.task), 0);
        if (why == 0) {
            assert_int_equal(fiber_sleep(10 * NS_PER_S), -ETIME);
        } else {
            assert_int_equal(fiber_sleep(20 * MS), 0);
            scope_cancel(&scope);
        }
        scope_cancel(&scope); /* again: no second interruption */
        assert_int_equal(scope_close(&scope), why == 0 ? -ETIME : -ECANCELED);
        assert_int_equal(work.result, why == 0 ? -ETIME : -ECANCELED);
        assert_int_equal(work.interrupted, 1);
        assert_int_equal(work.output, 42);
        assert_int_equal(scope_close(&outer), 0);
        loop->io->ops->lane_close(loop->io, lane);
    }
}

static void test_interrupted(void **state)
{
    try_linux(NULL, interrupted, NULL);
}

/* The same where the moment is known: a job of 10 ms, its scope ends after 4 ms. */
static void waits_for_the_end(struct loop *loop, void *context)
{
    struct lane *lane = lane_of(loop, 1);
    bool hurried = context != NULL;
    int64_t began = loop->now_ns;
    struct scope scope;
    struct work work;

    work_init(&work, lane, 21);
    if (!hurried)
        work.job.interrupt = NULL;
    scope_open(&scope, began + 4 * MS);
    sim_process_of(loop)->on->world->faults.job_ns = (struct sim_range){ 10 * MS, 10 * MS };
    assert_int_equal(lane_run(lane, &work.job), -ETIME);
    assert_in_range((loop->now_ns - began), 10 * MS, 10 * MS + NS_PER_US);
    assert_int_equal(work.interrupted, hurried ? 1 : 0);
    assert_int_equal(work.output, 42);
    assert_int_equal(scope_close(&scope), 0);
    loop->io->ops->lane_close(loop->io, lane);
}

static void test_waits_for_the_end(void **state)
{
    bool hurried = true;

    try_sim(NULL, waits_for_the_end, NULL);
    try_sim(NULL, waits_for_the_end, &hurried);
}

/* (3): one runs, LANE_JOBS_MAX wait, the next is refused; its fiber goes on at once. */
static void full(struct loop *loop, void *context)
{
    struct work *works = calloc(LANE_JOBS_MAX + 2, sizeof(*works));
    struct lane *lane = lane_of(loop, 1);
    struct work *last = &works[LANE_JOBS_MAX + 1];
    struct scope scope;
    uint64_t turns;

    assert_non_null(works);
    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < LANE_JOBS_MAX + 2; i++) {
        work_init(&works[i], lane, (int)i);
        works[i].held = i == 0 && context;
        if (i <= LANE_JOBS_MAX)
            assert_int_equal(scope_spawn(&scope, &works[i].task), 0);
        if (i == 0 && context) /* until its thread has taken it */
            assert_int_equal(fiber_sleep(50 * MS), 0);
    }
    turns_pass(1);
    turns = loop->turns;
    assert_int_equal(lane_run(lane, &last->job), -EAGAIN);
    assert_int_equal(loop->turns, turns);
    assert_int_equal(last->output, 0);
    (void)sem_post(&works[0].go);
    for (unsigned i = 0; i <= LANE_JOBS_MAX; i++) {
        struct task *done;

        assert_int_equal(scope_wait(&scope, &done), 0);
        assert_ptr_equal(done, &works[i].task); /* one thread: in order */
        assert_int_equal(works[i].output, 2 * i);
    }
    assert_int_equal(lane_run(lane, &last->job), 0);
    assert_int_equal(last->output, 2 * (LANE_JOBS_MAX + 1));
    assert_int_equal(scope_close(&scope), 0);
    loop->io->ops->lane_close(loop->io, lane);
    free(works);
}

static void test_full(void **state)
{
    bool threads = true;

    try_sim(NULL, full, NULL);
    try_linux(NULL, full, &threads);
}

/* A cancellation that comes when the job is done already: nothing is interrupted. */
static void cancelled_too_late(struct loop *loop, void *context)
{
    struct lane *lane = lane_of(loop, 1);
    struct scope scope;
    struct work work;
    int64_t began = loop->now_ns;

    sim_process_of(loop)->on->world->faults.job_ns = (struct sim_range){ 10 * MS, 10 * MS };
    work_init(&work, lane, 1);
    scope_open(&scope, began + 11 * MS);
    assert_int_equal(lane_run(lane, &work.job), 0);
    assert_int_equal(fiber_sleep(5 * MS), -ETIME);
    assert_int_equal(work.interrupted, 0);
    assert_int_equal(scope_close(&scope), 0);
    loop->io->ops->lane_close(loop->io, lane);
}

static void test_cancelled_too_late(void **state)
{
    try_sim(NULL, cancelled_too_late, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_waits_for_the_end),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_cancelled_too_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
