/* Scopes: deadlines, cancellation, who ended, and the children that must end first. */
#include "fiber_help.h"

#include "base/alloc.h"
#include "faults.h"
#include "io/fiber_internal.h"
#include "io/stream.h"

#define MS NS_PER_MS

static int64_t after(const struct loop *loop, int64_t ms)
{
    return loop->now_ns + ms * MS;
}

/* --- deadlines ------------------------------------------------------------------------------------------------- */

/* Three nested scopes; then one of them is moved; then a wait in the innermost. Times in ms; 0: none. */
struct deadline_row {
    int64_t given[3];
    int moved, to;
    int64_t seen[3]; /* deadline_ns afterwards */
    int64_t when;    /* the wait ends */
    int who;         /* whose scope_ended() says so */
};

static int64_t ms_time(int64_t began_ns, int64_t ms)
{
    return ms ? began_ns + ms * MS : TIME_NEVER;
}

static void deadline_row(struct loop *loop, const struct deadline_row *row)
{
    int64_t began = loop->now_ns;
    struct scope scopes[3];

    for (int i = 0; i < 3; i++)
        scope_open(&scopes[i], ms_time(began, row->given[i]));
    if (row->moved >= 0)
        scope_set_deadline(&scopes[row->moved], row->to < 0 ? began - 1 : ms_time(began, row->to));
    for (int i = 0; i < 3; i++)
        if (row->to >= 0)
            assert_int_equal(scopes[i].deadline_ns, ms_time(began, row->seen[i]));
    assert_int_equal(fiber_sleep(1000 * MS), -ETIME);
    assert_int_equal(loop->now_ns, began + row->when * MS);
    for (int i = 2; i >= 0; i--) {
        assert_int_equal(scope_ended(&scopes[i]), i == row->who ? -ETIME : 0);
        assert_int_equal(scopes[i].ended, i >= row->who ? -ETIME : 0);
        assert_int_equal(scope_close(&scopes[i]), 0);
    }
}

static void deadlines(struct loop *loop, void *context)
{
    static const struct deadline_row ROWS[] = {
        { { 10, 20, 30 }, -1, 0, { 10, 10, 10 }, 10, 0 },
        { { 30, 20, 10 }, -1, 0, { 30, 20, 10 }, 10, 2 },
        { { 30, 10, 20 }, -1, 0, { 30, 10, 10 }, 10, 1 },
        { { 0, 0, 10 }, -1, 0, { 0, 0, 10 }, 10, 2 },
        { { 0, 10, 0 }, -1, 0, { 0, 10, 10 }, 10, 1 },
        { { 10, 0, 0 }, -1, 0, { 10, 10, 10 }, 10, 0 },
        { { 10, 10, 10 }, -1, 0, { 10, 10, 10 }, 10, 0 }, /* the outermost comes first */
        { { 10, 20, 30 }, 0, 100, { 100, 20, 20 }, 20, 1 },
        { { 10, 30, 20 }, 0, 100, { 100, 30, 20 }, 20, 2 },
        { { 10, 0, 0 }, 0, 100, { 100, 100, 100 }, 100, 0 },
        { { 10, 20, 0 }, 0, 0, { 0, 20, 20 }, 20, 1 },
        { { 50, 40, 30 }, 0, 10, { 10, 10, 10 }, 10, 0 },
        { { 50, 40, 30 }, 1, 10, { 50, 10, 10 }, 10, 1 },
        { { 50, 40, 30 }, 2, 10, { 50, 40, 10 }, 10, 2 },
        { { 50, 40, 30 }, 2, 100, { 50, 40, 40 }, 40, 1 },
        { { 50, 40, 30 }, 1, 100, { 50, 50, 30 }, 30, 2 },
        { { 50, 40, 30 }, 1, 0, { 50, 50, 30 }, 30, 2 },
        { { 50, 40, 30 }, 2, 40, { 50, 40, 40 }, 40, 1 },
        { { 50, 40, 30 }, 0, -1, { 0, 0, 0 }, 0, 0 }, /* in the past: at once */
        { { 50, 40, 30 }, 1, -1, { 0, 0, 0 }, 0, 1 },
        { { 50, 40, 30 }, 2, -1, { 0, 0, 0 }, 0, 2 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        deadline_row(loop, &ROWS[i]);
}

static void test_deadlines(void **state)
{
    try_sim(NULL, deadlines, NULL);
}

/* The same between fibers: the scope that is moved is a parent's, the ones inside belong to a child. */
struct inner {
    struct task task;
    int64_t deadline_ns, ended_ns;
    int result, who;
};

static int inner_run(struct task *task)
{
    struct inner *inner = container_of(task, struct inner, task);
    struct scope scope;

    scope_open(&scope, inner->deadline_ns);
    inner->result = fiber_sleep(TIME_NEVER);
    inner->ended_ns = loop_current()->now_ns;
    inner->who = scope_ended(&scope);
    return scope_close(&scope);
}

static void moved_around_children(struct loop *loop, void *context)
{
    static const struct {
        int64_t first, then, inner, when;
        bool outside;
    } ROWS[] = {
        { 10, 100, 20, 20, false }, { 10, 15, 20, 15, true }, { 100, 10, 20, 10, true },
        { 10, 0, 30, 30, false },   { 0, 10, 0, 10, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        int64_t began = loop->now_ns;
        struct inner inner = { .task.run = inner_run, .deadline_ns = ms_time(began, ROWS[i].inner) };
        struct scope scope;
        struct task *done;
        int r;

        scope_open(&scope, ms_time(began, ROWS[i].first));
        assert_int_equal(scope_spawn(&scope, &inner.task), 0);
        assert_int_equal(fiber_sleep(5 * MS), 0);
        scope_set_deadline(&scope, ms_time(began, ROWS[i].then));
        r = scope_wait(&scope, &done);
        assert_int_equal(r, ROWS[i].outside ? -ETIME : 0);
        assert_int_equal(scope_close(&scope), 0);
        assert_int_equal(inner.result, -ETIME);
        assert_int_equal(inner.who, ROWS[i].outside ? 0 : -ETIME);
        assert_int_equal(inner.ended_ns, began + ROWS[i].when * MS);
    }
}

static void test_moved_around_children(void **state)
{
    try_sim(NULL, moved_around_children, NULL);
}

static void inside_an_ended_one(struct loop *loop, void *context)
{
    struct sleeper sleeper = { .task.run = sleeper_run };
    struct scope outer, scope;

    scope_open(&outer, after(loop, 10));
    assert_int_equal(fiber_sleep(20 * MS), -ETIME);
    scope_open(&scope, after(loop, 10));
    assert_int_equal(scope.ended, -ETIME);
    assert_int_equal(scope_ended(&scope), 0); /* it was the other one */
    assert_true(scope.deadline_ns <= outer.deadline_ns);
    assert_int_equal(scope_spawn(&scope, &sleeper.task), -ETIME);
    scope_cancel(&scope); /* the first end counts */
    scope_set_deadline(&outer, after(loop, 100));
    assert_int_equal(fiber_sleep(MS), -ETIME);
    assert_int_equal(scope_ended(&scope), 0);
    assert_int_equal(scope_close(&scope), 0);
    scope_open_shielded(&scope, 10 * MS);
    assert_int_equal(fiber_sleep(MS), 0);
    assert_int_equal(scope_close(&scope), 0);
    assert_int_equal(scope_ended(&outer), -ETIME);
    assert_int_equal(scope_close(&outer), 0);
}

static void test_inside_an_ended_one(void **state)
{
    try_sim(NULL, inside_an_ended_one, NULL);
}

/* --- shields --------------------------------------------------------------------------------------------------- */

static void shielded(struct loop *loop, void *context)
{
    struct scope outer, shield, inside;
    int64_t began = loop->now_ns;

    scope_open(&outer, after(loop, 10));
    scope_open_shielded(&shield, 30 * MS);
    assert_int_equal(shield.deadline_ns, began + 30 * MS);
    scope_open(&inside, TIME_NEVER);
    assert_int_equal(inside.deadline_ns, began + 30 * MS);
    assert_int_equal(fiber_sleep(20 * MS), 0); /* the outer one's deadline doesn't reach here */
    assert_int_equal(scope_ended(&outer), -ETIME);
    scope_cancel(&outer);
    assert_int_equal(fiber_sleep(100 * MS), -ETIME); /* its own does */
    assert_int_equal(loop->now_ns, began + 30 * MS);
    assert_int_equal(scope_ended(&inside), 0);
    assert_int_equal(scope_ended(&shield), -ETIME);
    assert_int_equal(scope_close(&inside), 0);
    assert_int_equal(scope_close(&shield), 0);
    assert_int_equal(scope_ended(&outer), -ETIME);
    assert_int_equal(scope_close(&outer), 0);

    scope_open(&outer, after(loop, 10));
    scope_open_shielded(&shield, TIME_NEVER); /* no end of its own */
    assert_int_equal(shield.deadline_ns, TIME_NEVER);
    scope_set_deadline(&outer, after(loop, 1)); /* what is outside doesn't move it */
    assert_int_equal(shield.deadline_ns, TIME_NEVER);
    assert_int_equal(fiber_sleep(20 * MS), 0);
    scope_cancel(&shield);
    assert_int_equal(fiber_sleep(20 * MS), -ECANCELED);
    assert_int_equal(scope_ended(&shield), -ECANCELED);
    assert_int_equal(scope_close(&shield), 0);
    assert_int_equal(scope_close(&outer), 0);
}

static void test_shielded(void **state)
{
    try_sim(NULL, shielded, NULL);
}

/* --- cancellation ---------------------------------------------------------------------------------------------- */

/* A child with a child with a child; the middle one may stand behind a shield. */
struct branch {
    struct task task;
    struct branch *below;
    bool shield;
    int64_t ended_ns;
    int result;
};

static int branch_run(struct task *task)
{
    struct branch *branch = container_of(task, struct branch, task);
    struct scope scope;

    if (branch->shield)
        scope_open_shielded(&scope, 50 * MS);
    else
        scope_open(&scope, TIME_NEVER);
    if (branch->below)
        assert_int_equal(scope_spawn(&scope, &branch->below->task), 0);
    branch->result = fiber_sleep(TIME_NEVER);
    branch->ended_ns = loop_current()->now_ns;
    return scope_close(&scope);
}

static void grandchildren(struct loop *loop, void *context)
{
    for (unsigned shield = 0; shield < 4; shield++) { /* which of them has one; 3: none */
        struct branch branches[3] = { { { { 0 } } } };
        struct scope scope;
        int64_t began = loop->now_ns;

        for (unsigned i = 0; i < 3; i++)
            branches[i] = (struct branch){ .task.run = branch_run,
                                           .below = i < 2 ? &branches[i + 1] : NULL,
                                           .shield = i == shield };
        scope_open(&scope, TIME_NEVER);
        assert_int_equal(scope_spawn(&scope, &branches[0].task), 0);
        assert_int_equal(fiber_sleep(10 * MS), 0);
        scope_cancel(&scope);
        scope_cancel(&scope);
        assert_int_equal(scope_close(&scope), 0);
        for (unsigned i = 0; i < 3; i++) {
            bool behind = i >= shield;

            assert_int_equal(branches[i].result, behind ? -ETIME : -ECANCELED);
            assert_in_range((branches[i].ended_ns - began), (behind ? 50 : 10) * MS, (behind ? 51 : 11) * MS);
        }
    }
}

static void test_grandchildren(void **state)
{
    try_sim(NULL, grandchildren, NULL);
}

static void first_end_counts(struct loop *loop, void *context)
{
    struct scope scope;

    scope_open(&scope, after(loop, 10));
    assert_int_equal(fiber_sleep(20 * MS), -ETIME);
    scope_cancel(&scope);
    assert_int_equal(scope_ended(&scope), -ETIME);
    scope_set_deadline(&scope, after(loop, 100)); /* nothing comes back to life */
    assert_int_equal(fiber_sleep(MS), -ETIME);
    assert_int_equal(scope_close(&scope), 0);

    scope_open(&scope, after(loop, 10));
    scope_cancel(&scope);
    assert_int_equal(fiber_sleep(20 * MS), -ECANCELED);
    scope_set_deadline(&scope, loop->now_ns - 1);
    assert_false(timer_is_set(&scope.timer));
    assert_int_equal(scope_ended(&scope), -ECANCELED);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_first_end_counts(void **state)
{
    try_sim(NULL, first_end_counts, NULL);
}

/* A chain of fibers, each with a scope inside the one before. */
#define LEVELS 1000

struct level {
    struct task task;
    struct level *next;
    int result;
};

static int level_run(struct task *task)
{
    struct level *level = container_of(task, struct level, task);
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    if (level->next)
        assert_int_equal(scope_spawn(&scope, &level->next->task), 0);
    level->result = fiber_sleep(TIME_NEVER);
    (void)scope_close(&scope);
    return level->result;
}

static void deep(struct loop *loop, void *context)
{
    for (unsigned how = 0; how < 2; how++) {
        struct level *levels = mem_zalloc(LEVELS * sizeof(*levels));
        int why = how == 0 ? -ETIME : -ECANCELED;
        struct scope scope;
        size_t used;

        assert_non_null(levels);
        for (unsigned i = 0; i < LEVELS; i++)
            levels[i] = (struct level){ .task.run = level_run, .next = i + 1 < LEVELS ? &levels[i + 1] : NULL };
        scope_open(&scope, TIME_NEVER);
        assert_int_equal(scope_spawn(&scope, &levels[0].task), 0);
        turns_pass(LEVELS + 1);
        assert_int_equal(loop->fibers.count, LEVELS + 1);
        scope_set_deadline(&scope, after(loop, 1000)); /* moves all of them */
        if (why == -ETIME)
            assert_int_equal(fiber_sleep(2000 * MS), -ETIME);
        else
            scope_cancel(&scope); /* on this fiber's stack: a word for each level would show */
        used = fiber_pool_stack_highest(&loop->fibers);
        assert_int_equal(scope_close(&scope), why);
        assert_true(used < STACK_SIZE / 4);
        for (unsigned i = 0; i < LEVELS; i++)
            assert_int_equal(levels[i].result, why);
        mem_free(levels);
    }
}

static void test_deep(void **state)
{
    try_sim(NULL, deep, NULL);
}

/* --- hang-up --------------------------------------------------------------------------------------------------- */

struct peer {
    struct task task;
    struct address address;
    bool reset;
};

static int peer_run(struct task *task)
{
    struct peer *peer = container_of(task, struct peer, task);
    struct io *io = loop_current()->io;
    struct io_socket socket;

    assert_int_equal(stream_connect(&peer->address, &socket, TIME_NEVER), 0);
    assert_int_equal(stream_write(socket, BYTES("unread"), TIME_NEVER), 0);
    assert_int_equal(fiber_sleep(20 * MS), 0);
    if (peer->reset)
        io->ops->reset(io, socket);
    else
        io->ops->close(io, socket);
    return 0;
}

static void hangups(struct loop *loop, void *context)
{
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } }, from;
    struct io *io = loop->io;
    struct io_socket listener;

    assert_int_equal(io->ops->listen(io, &address, 8, false, &listener), 0);
    assert_int_equal(io->ops->local_address(io, listener, &address), 0);
    for (unsigned i = 0; i < 4; i++) {
        struct peer peer = { .task.run = peer_run, .address = address, .reset = i % 2 };
        bool stop = i >= 2;
        struct scope outer, scope;
        struct io_socket socket;

        scope_open(&outer, TIME_NEVER);
        assert_int_equal(scope_spawn(&outer, &peer.task), 0);
        assert_int_equal(stream_accept(listener, &socket, &from), 0);
        scope_open(&scope, TIME_NEVER);
        assert_int_equal(scope_cancel_on_hangup(&scope, socket), 0);
        if (stop)
            scope_cancel_on_hangup_stop(&scope);
        assert_int_equal(fiber_sleep(stop ? 60 * MS : 60 * NS_PER_S), stop ? 0 : -ECANCELED);
        assert_int_equal(scope_ended(&scope), stop ? 0 : -ECANCELED);
        assert_int_equal(scope_close(&scope), 0);
        assert_int_equal(scope_ended(&outer), 0);
        assert_int_equal(scope_close(&outer), 0);
        io->ops->close(io, socket);

        scope_open(&scope, TIME_NEVER);
        assert_int_equal(scope_cancel_on_hangup(&scope, socket), -EBADF);
        assert_int_equal(scope_close(&scope), 0);
    }
    io->ops->close(io, listener);
}

static void test_hangups(void **state)
{
    try_both(NULL, hangups, NULL);
}

/* Closing the scope gives the socket's hang-up free for the next one. */
static void hangup_disarmed(struct loop *loop, void *context)
{
    struct io *io = loop->io;
    struct io_socket ours;
    int theirs;

    assert_int_equal(io->ops->pair(io, &ours, &theirs), 0);
    for (unsigned i = 0; i < 3; i++) {
        struct scope scope;

        scope_open(&scope, TIME_NEVER);
        assert_int_equal(scope_cancel_on_hangup(&scope, ours), 0);
        assert_int_equal(fiber_sleep(MS), 0);
        assert_int_equal(scope_close(&scope), 0);
        assert_int_equal(scope.hangup.events, 0);
    }
    io->ops->descriptor_close(io, theirs);
    io->ops->close(io, ours);
}

static void test_hangup_disarmed(void **state)
{
    try_both(NULL, hangup_disarmed, NULL);
}

/* --- children -------------------------------------------------------------------------------------------------- */

static void wait_order(struct loop *loop, void *context)
{
    static const int64_t MILLISECONDS[] = { 30, 10, 40, 20 };
    static const unsigned ORDER[] = { 1, 3, 0, 2 };
    struct sleeper sleepers[ARRAY_LEN(MILLISECONDS)];
    struct scope scope;
    struct task *done = NULL;

    scope_open(&scope, TIME_NEVER);
    assert_int_equal(scope_wait(&scope, &done), -ENOENT);
    for (unsigned i = 0; i < ARRAY_LEN(sleepers); i++)
        sleeper_spawn(&scope, &sleepers[i], MILLISECONDS[i] * MS);
    assert_int_equal(scope_wait(&scope, &done), 0);
    assert_ptr_equal(done, &sleepers[1].task);
    assert_int_equal(fiber_sleep(50 * MS), 0); /* the rest ends meanwhile, and waits in the same order */
    for (unsigned i = 1; i < ARRAY_LEN(sleepers); i++) {
        assert_int_equal(scope_wait(&scope, &done), 0);
        assert_ptr_equal(done, &sleepers[ORDER[i]].task);
        assert_int_equal(done->result, 0);
    }
    done = NULL;
    assert_int_equal(scope_wait(&scope, &done), -ENOENT);
    assert_null(done); /* untouched on failure */
    assert_int_equal(scope_close(&scope), 0);
}

static void test_wait_order(void **state)
{
    try_sim(NULL, wait_order, NULL);
}

static void wait_ends(struct loop *loop, void *context)
{
    struct sleeper sleepers[2];
    struct scope scope;
    struct task *done;

    scope_open(&scope, after(loop, 10));
    sleeper_spawn(&scope, &sleepers[0], 5 * MS);
    sleeper_spawn(&scope, &sleepers[1], 20 * MS);
    assert_int_equal(scope_wait(&scope, &done), 0);
    assert_int_equal(scope_wait(&scope, &done), -ETIME);
    assert_int_equal(scope_wait(&scope, &done), 0); /* it has ended, too: no wait is needed for it */
    assert_int_equal(done->result, -ETIME);
    assert_int_equal(scope_wait(&scope, &done), -ENOENT);
    assert_int_equal(scope_close(&scope), -ETIME);
}

static void test_wait_ends(void **state)
{
    try_sim(NULL, wait_ends, NULL);
}

struct result {
    struct task task;
    int64_t ms;
    int answer;
};

static int result_run(struct task *task)
{
    struct result *result = container_of(task, struct result, task);

    assert_int_equal(fiber_sleep(result->ms * MS), 0);
    return result->answer;
}

static void first_error(struct loop *loop, void *context)
{
    static const struct {
        struct {
            int ms, answer;
        } children[3];
        int error;
    } ROWS[] = {
        { { { 1, 0 }, { 2, 0 }, { 3, 0 } }, 0 },
        { { { 1, 5 }, { 2, 1 }, { 3, 7 } }, 0 }, /* a count is no error */
        { { { 1, 0 }, { 2, -EPIPE }, { 3, 0 } }, -EPIPE },
        { { { 3, -EIO }, { 2, -EPIPE }, { 1, 0 } }, -EPIPE }, /* first in time */
        { { { 1, -EIO }, { 1, -EPIPE }, { 1, 0 } }, -EIO },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct result results[3];
        struct scope scope;

        scope_open(&scope, TIME_NEVER);
        for (unsigned k = 0; k < 3; k++) {
            results[k] = (struct result){ .task.run = result_run,
                                          .ms = ROWS[i].children[k].ms,
                                          .answer = ROWS[i].children[k].answer };
            assert_int_equal(scope_spawn(&scope, &results[k].task), 0);
        }
        assert_int_equal(fiber_sleep(5 * MS), 0);
        assert_int_equal(scope_close(&scope), ROWS[i].error);
    }
}

static void test_first_error(void **state)
{
    try_sim(NULL, first_error, NULL);
}

/* Frees itself, and says so. */
struct transient {
    struct task task;
    unsigned *ended;
    int64_t ms;
};

static int transient_run(struct task *task)
{
    return fiber_sleep(container_of(task, struct transient, task)->ms * MS);
}

static void transient_ended(struct task *task)
{
    struct transient *transient = container_of(task, struct transient, task);

    assert_null(fiber_current()); /* on the loop's stack */
    (*transient->ended)++;
    mem_free(transient);
}

static void transient_spawn(struct scope *scope, unsigned *ended, int64_t ms)
{
    struct transient *transient = mem_zalloc(sizeof(*transient));

    assert_non_null(transient);
    *transient = (struct transient){ .task = { .run = transient_run, .ended = transient_ended },
                                     .ended = ended,
                                     .ms = ms };
    assert_int_equal(scope_spawn(scope, &transient->task), 0);
}

static void transients(struct loop *loop, void *context)
{
    unsigned ended = 0;
    struct sleeper sleeper;
    struct scope scope;
    struct task *done;

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < 5; i++)
        transient_spawn(&scope, &ended, 2 * (i + 1));
    sleeper_spawn(&scope, &sleeper, 5 * MS);
    assert_int_equal(scope_wait(&scope, &done), 0);
    assert_ptr_equal(done, &sleeper.task); /* not one of the others, which ended earlier */
    assert_int_equal(ended, 2);
    assert_int_equal(scope_wait(&scope, &done), -ENOENT); /* after the last of them */
    assert_int_equal(ended, 5);
    transient_spawn(&scope, &ended, 1000);
    transient_spawn(&loop->root, &ended, 1);
    assert_int_equal(fiber_sleep(5 * MS), 0);
    assert_int_equal(ended, 6);
    assert_int_equal(scope_close(&scope), -ECANCELED);
    assert_int_equal(ended, 7);
}

static void test_transients(void **state)
{
    try_sim(NULL, transients, NULL);
}

/* Cleans up behind a shield before it ends. */
struct stubborn {
    struct task task;
    unsigned steps;
};

static int stubborn_run(struct task *task)
{
    struct stubborn *stubborn = container_of(task, struct stubborn, task);
    struct scope shield;

    assert_int_equal(fiber_sleep(TIME_NEVER), -ECANCELED);
    scope_open_shielded(&shield, NS_PER_S);
    for (; stubborn->steps < 10; stubborn->steps++)
        assert_int_equal(fiber_sleep(2 * MS), 0);
    return scope_close(&shield);
}

static void stubborn_children(struct loop *loop, void *context)
{
    struct stubborn stubborn[3] = { { .task.run = stubborn_run },
                                    { .task.run = stubborn_run },
                                    { .task.run = stubborn_run } };
    int64_t began;
    struct scope outer, scope;

    scope_open(&outer, after(loop, 15)); /* passes while the inner one closes: that doesn't hurry it */
    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(scope_spawn(&scope, &stubborn[i].task), 0);
    assert_int_equal(fiber_sleep(5 * MS), 0);
    began = loop->now_ns;
    assert_int_equal(scope_close(&scope), 0);
    assert_true(loop->now_ns >= began + 20 * MS);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(stubborn[i].steps, 10);
    assert_int_equal(fiber_sleep(1), -ETIME);
    assert_int_equal(scope_close(&outer), 0);
}

static void test_stubborn_children(void **state)
{
    try_sim(NULL, stubborn_children, NULL);
}

/* --- misuse ---------------------------------------------------------------------------------------------------- */

static void close_outer_first(struct loop *loop, void *context)
{
    struct scope outer, inner;

    scope_open(&outer, TIME_NEVER);
    scope_open(&inner, TIME_NEVER);
    (void)scope_close(&outer);
}

static void close_twice(struct loop *loop, void *context)
{
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    assert_int_equal(scope_close(&scope), 0);
    (void)scope_close(&scope);
}

static void wait_elsewhere(struct loop *loop, void *context)
{
    struct task *done;

    (void)!scope_wait(&loop->root, &done);
}

static void in_sim(void *body)
{
    try_sim(NULL, *(void (**)(struct loop * loop, void *context)) body, NULL);
}

static void test_misuse(void **state)
{
    void (*bodies[])(struct loop * loop, void *context) = { close_outer_first, close_twice, wait_elsewhere };
    static const char *const MESSAGES[] = { "fiber->scope == scope", "(scope)->magic", "scope->owner == fiber" };

    for (unsigned i = 0; i < ARRAY_LEN(bodies); i++)
        faults_dies(in_sim, (void *)&bodies[i], MESSAGES[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_moved_around_children),
        cmocka_unit_test(test_inside_an_ended_one),
        cmocka_unit_test(test_shielded),
        cmocka_unit_test(test_grandchildren),
        cmocka_unit_test(test_first_end_counts),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_hangups),
        cmocka_unit_test(test_hangup_disarmed),
        cmocka_unit_test(test_wait_order),
        cmocka_unit_test(test_wait_ends),
        cmocka_unit_test(test_first_error),
        cmocka_unit_test(test_transients),
        cmocka_unit_test(test_stubborn_children),
        cmocka_unit_test(test_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
