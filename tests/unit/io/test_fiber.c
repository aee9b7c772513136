/* Fibers: their order, the ends of their waits, their bounds and their stacks. */
#include "fiber_help.h"

#include "base/limits.h"
#include "faults.h"
#include "io/channel.h"
#include "io/fiber_internal.h"
#include "io/lane.h"
#include "io/linux/linux.h"
#include "io/stream.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- order --------------------------------------------------------------------------------------------------- */

struct writer {
    struct task task;
    char *out, letter;
};

static int writer_run(struct task *task)
{
    struct writer *writer = container_of(task, struct writer, task);

    for (unsigned i = 0; i < 3; i++) {
        writer->out[strlen(writer->out)] = (char)(writer->letter + i);
        assert_int_equal(fiber_yield(), 0);
    }
    return 0;
}

static void yield_order(struct loop *loop, void *context)
{
    struct writer writers[3];
    struct scope scope;
    char out[16] = "";

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < 3; i++) {
        writers[i] = (struct writer){ .task.run = writer_run, .out = out, .letter = "aAx"[i] };
        assert_int_equal(scope_spawn(&scope, &writers[i].task), 0);
        assert_string_equal(out, ""); /* a child first runs in the next turn */
    }
    assert_int_equal(fiber_yield(), 0);
    assert_string_equal(out, "aAx");
    assert_int_equal(fiber_yield(), 0);
    assert_string_equal(out, "aAxbBy");
    turns_pass(2);
    assert_string_equal(out, "aAxbBycCz");
    assert_int_equal(scope_close(&scope), 0);
}

static void test_yield_order(void **state)
{
    try_both(NULL, yield_order, NULL);
}

static void sleeps(struct loop *loop, void *context)
{
    static const int64_t ROWS[] = { 2, 10, NS_PER_US, NS_PER_MS, 10 * NS_PER_MS + 1, 20 * NS_PER_MS };
    bool exact = context != NULL;

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        int64_t due = loop->now_ns + ROWS[i];

        assert_int_equal(fiber_sleep(ROWS[i]), 0);
        assert_true(exact ? loop->now_ns == due : loop->now_ns >= due);
        due = loop->now_ns + ROWS[i];
        assert_int_equal(fiber_sleep_until(due), 0);
        assert_true(exact ? loop->now_ns == due : loop->now_ns >= due);
    }
}

static void test_sleeps(void **state)
{
    bool exact = true;

    try_sim(NULL, sleeps, &exact);
    try_linux(NULL, sleeps, NULL);
}

static void no_sleep(struct loop *loop, void *context)
{
    static const int64_t ROWS[] = { 0, -1, INT64_MIN / 2 };
    uint64_t turns = loop->turns;

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_int_equal(fiber_sleep(ROWS[i]), 0);
    assert_int_equal(fiber_sleep_until(loop->now_ns), 0);
    assert_int_equal(fiber_sleep_until(0), 0);
    assert_int_equal(fiber_park(loop->now_ns), -ETIMEDOUT);
    assert_int_equal(loop->turns, turns);
}

static void test_no_sleep(void **state)
{
    try_sim(NULL, no_sleep, NULL);
}

static void endless_sleeps(struct loop *loop, void *context)
{
    static const int64_t ROWS[] = { TIME_NEVER, TIME_NEVER - 1, TIME_NEVER / 2 };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        int64_t due = loop->now_ns + NS_PER_S;
        struct scope scope;

        scope_open(&scope, due);
        assert_int_equal(fiber_sleep(ROWS[i]), -ETIME);
        assert_int_equal(loop->now_ns, due);
        assert_int_equal(scope_close(&scope), 0);
    }
}

static void test_endless_sleeps(void **state)
{
    try_sim(NULL, endless_sleeps, NULL);
}

/* --- how waits end --------------------------------------------------------------------------------------------- */

/* What a waiting fiber is given, and what somebody does to it meanwhile; ms from the beginning, 0: not at all. */
struct ends_row {
    int64_t limit, deadline, outer_deadline, cancel, wake;
    int result;
    int64_t when;
};

struct waiter {
    struct task task;
    const struct ends_row *row;
    struct io_socket socket; /* that is never ready; none: fiber_park() */
    struct scope *scope;     /* where it waits */
    struct fiber *fiber;
    int64_t began_ns, ended_ns;
    int result;
};

static int64_t time_of(int64_t began_ns, int64_t ms)
{
    return ms ? began_ns + ms * NS_PER_MS : TIME_NEVER;
}

static int waiter_run(struct task *task)
{
    struct waiter *waiter = container_of(task, struct waiter, task);
    int64_t limit = time_of(waiter->began_ns, waiter->row->limit);
    struct scope scope;

    scope_open(&scope, time_of(waiter->began_ns, waiter->row->deadline));
    waiter->scope = &scope;
    waiter->fiber = fiber_current();
    waiter->result = io_socket_is(waiter->socket) ? fiber_wait_socket(waiter->socket, IO_READ, limit)
                                                  : fiber_park(limit);
    waiter->ended_ns = loop_current()->now_ns;
    waiter->fiber = NULL;
    return scope_close(&scope);
}

static void ends_row(struct loop *loop, const struct ends_row *row, struct io_socket socket)
{
    struct waiter waiter = { .task.run = waiter_run, .row = row, .socket = socket, .began_ns = loop->now_ns };
    struct scope scope;

    scope_open(&scope, time_of(waiter.began_ns, row->outer_deadline));
    assert_int_equal(scope_spawn(&scope, &waiter.task), 0);
    for (int64_t ms = 1; ms <= 20; ms++) {
        struct scope shield; /* this side goes on when the other is over */

        scope_open_shielded(&shield, NS_PER_S);
        assert_int_equal(fiber_sleep_until(waiter.began_ns + ms * NS_PER_MS), 0);
        assert_int_equal(scope_close(&shield), 0);
        if (ms == row->cancel && waiter.fiber)
            scope_cancel(waiter.scope);
        if (ms == row->wake && waiter.fiber)
            fiber_wake(waiter.fiber);
    }
    assert_int_equal(scope_close(&scope), 0);
    assert_int_equal(waiter.result, row->result);
    assert_in_range((waiter.ended_ns - waiter.began_ns), row->when * NS_PER_MS, row->when * NS_PER_MS + NS_PER_US);
}

static void ends(struct loop *loop, void *context)
{
    static const struct ends_row ROWS[] = {
        { .limit = 5, .result = -ETIMEDOUT, .when = 5 },
        { .deadline = 5, .result = -ETIME, .when = 5 },
        { .outer_deadline = 5, .result = -ETIME, .when = 5 },
        { .cancel = 5, .result = -ECANCELED, .when = 5 },
        { .wake = 5, .result = 0, .when = 5 },
        { .limit = 4, .deadline = 5, .cancel = 6, .wake = 7, .result = -ETIMEDOUT, .when = 4 },
        { .limit = 5, .deadline = 4, .cancel = 6, .wake = 7, .result = -ETIME, .when = 4 },
        { .limit = 5, .deadline = 6, .outer_deadline = 4, .cancel = 6, .wake = 7, .result = -ETIME, .when = 4 },
        { .limit = 6, .deadline = 7, .cancel = 5, .wake = 8, .result = -ECANCELED, .when = 5 },
        { .limit = 6, .deadline = 7, .cancel = 8, .wake = 5, .result = 0, .when = 5 },
        { .limit = 5, .deadline = 5, .result = -ETIME, .when = 5 },  /* the scope was there first */
        { .cancel = 5, .wake = 5, .result = -ECANCELED, .when = 5 }, /* the first reason counts */
    };
    struct io_socket listener;
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 }, .port = 1000 };

    assert_int_equal(loop->io->ops->listen(loop->io, &address, 8, false, &listener), 0);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        ends_row(loop, &ROWS[i], IO_SOCKET_NONE);
        if (!ROWS[i].wake) /* a wait for a socket says 0 to a stray wake */
            ends_row(loop, &ROWS[i], listener);
    }
    loop->io->ops->close(loop->io, listener);
}

static void test_ends_of_waits(void **state)
{
    try_sim(NULL, ends, NULL);
}

static void nothing_run(struct job *job)
{
}

/* (3): in a scope that has ended, every kind of wait fails at once, without a switch. */
static void ended_scope(struct loop *loop, int why)
{
    struct job job = { .run = nothing_run };
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 }, .port = 1000 }, peer;
    struct io_socket listener, accepted;
    void *ring[1], *item = NULL;
    struct channel channel;
    struct scope scope;
    struct lane *lane;
    uint64_t turns;

    assert_int_equal(loop->io->ops->listen(loop->io, &address, 8, false, &listener), 0);
    assert_int_equal(loop->io->ops->lane_open(loop->io, "lane", 1, &lane), 0);
    channel_init(&channel, ring, 1);
    scope_open(&scope, loop->now_ns + (why == -ETIME ? 5 : 50) * NS_PER_MS);
    if (why == -ECANCELED)
        scope_cancel(&scope);
    assert_int_equal(fiber_sleep(10 * NS_PER_MS), why);
    turns = loop->turns;
    assert_int_equal(fiber_sleep(1), why);
    assert_int_equal(fiber_sleep(0), why);
    assert_int_equal(fiber_sleep_until(0), why);
    assert_int_equal(fiber_yield(), why);
    assert_int_equal(fiber_park(TIME_NEVER), why);
    assert_int_equal(fiber_park(0), why);
    assert_int_equal(fiber_wait_socket(listener, IO_READ, TIME_NEVER), why);
    assert_int_equal(stream_accept(listener, &accepted, &peer), why);
    assert_int_equal(channel_receive(&channel, &item), why);
    assert_int_equal(channel_try_send(&channel, ring), 0);
    assert_int_equal(channel_send(&channel, ring), why);
    assert_int_equal(lane_run(lane, &job), why);
    assert_int_equal(loop->turns, turns);
    assert_int_equal(scope_close(&scope), 0);
    loop->io->ops->lane_close(loop->io, lane);
    loop->io->ops->close(loop->io, listener);
}

static void ended_scopes(struct loop *loop, void *context)
{
    ended_scope(loop, -ETIME);
    ended_scope(loop, -ECANCELED);
}

static void test_ended_scope(void **state)
{
    try_both(NULL, ended_scopes, NULL);
}

struct parker {
    struct task task;
    struct fiber *fiber;
    unsigned parks, ended;
    bool deaf;
};

static int parker_run(struct task *task)
{
    struct parker *parker = container_of(task, struct parker, task);

    parker->fiber = fiber_current();
    for (unsigned i = 0; i < parker->parks; i++) {
        if (parker->deaf)
            fiber_park_deaf();
        else
            assert_int_equal(fiber_park(TIME_NEVER), 0);
        parker->ended++;
    }
    return 0;
}

static void wakes(struct loop *loop, void *context)
{
    struct parker parker = { .task.run = parker_run, .parks = 3 };
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    assert_int_equal(scope_spawn(&scope, &parker.task), 0);
    turns_pass(1);
    for (unsigned i = 0; i < 3; i++) {
        fiber_wake(parker.fiber);
        fiber_wake(parker.fiber); /* once is enough */
        assert_int_equal(parker.ended, i);
        turns_pass(3);
        assert_int_equal(parker.ended, i + 1);
    }
    fiber_wake(fiber_current()); /* it isn't parked: nothing is remembered */
    assert_int_equal(fiber_park(loop->now_ns + NS_PER_MS), -ETIMEDOUT);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_wakes(void **state)
{
    try_both(NULL, wakes, NULL);
}

static void deaf(struct loop *loop, void *context)
{
    struct parker parker = { .task.run = parker_run, .parks = 2, .deaf = true };
    struct scope scope;

    scope_open(&scope, loop->now_ns + 5 * NS_PER_MS);
    assert_int_equal(scope_spawn(&scope, &parker.task), 0);
    assert_int_equal(fiber_sleep(10 * NS_PER_MS), -ETIME);
    scope_cancel(&scope);
    assert_int_equal(parker.ended, 0);
    fiber_wake(parker.fiber);
    assert_int_equal(parker.ended, 0);
    fiber_wake(parker.fiber);
    {
        struct scope shield;

        scope_open_shielded(&shield, NS_PER_S);
        turns_pass(2);
        assert_int_equal(parker.ended, 1);
        fiber_wake(parker.fiber);
        turns_pass(2);
        assert_int_equal(parker.ended, 2);
        assert_int_equal(scope_close(&shield), 0);
    }
    assert_int_equal(scope_close(&scope), 0);
}

static void test_deaf(void **state)
{
    try_sim(NULL, deaf, NULL);
}

/* --- the pool -------------------------------------------------------------------------------------------------- */

#define FEW 3

static void bounded(struct loop *loop, void *context)
{
    struct sleeper sleepers[FEW];
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    for (unsigned round = 0; round < 3; round++) {
        struct sleeper one_more = { .task.run = sleeper_run };

        for (unsigned i = 0; i < FEW - 1; i++) /* the body itself is one */
            sleeper_spawn(&scope, &sleepers[i], NS_PER_MS);
        assert_int_equal(scope_spawn(&scope, &one_more.task), -EAGAIN);
        assert_int_equal(loop_spawn(loop, &one_more.task), -EAGAIN);
        assert_int_equal(loop->fibers.count, FEW);
        assert_int_equal(loop->fibers.count_highest, FEW);
        assert_int_equal(loop->fibers.refused, 2 * (round + 1));
        for (unsigned i = 0; i < FEW - 1; i++) {
            struct task *task;

            assert_int_equal(scope_wait(&scope, &task), 0);
        }
        assert_int_equal(loop->fibers.count, 1);
    }
    assert_int_equal(scope_close(&scope), 0);
}

static void test_bounded(void **state)
{
    const struct loop_limits limits = { .fibers_max = FEW };

    try_both(&limits, bounded, NULL);
}

#ifdef WEFT_TSAN
#define MOST FIBERS_MAX_TSAN
#else
#define MOST FIBERS_MAX
#endif

static void many(struct loop *loop, void *context)
{
    struct sleeper *sleepers = calloc(MOST, sizeof(*sleepers));
    struct scope scope;

    assert_non_null(sleepers);
    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < MOST - 1; i++)
        sleeper_spawn(&scope, &sleepers[i], 0);
    sleepers[MOST - 1].task.run = sleeper_run;
    assert_int_equal(scope_spawn(&scope, &sleepers[MOST - 1].task), -EAGAIN);
    turns_pass(1); /* all have begun */
    assert_int_equal(loop->fibers.count, MOST);
    assert_int_equal(scope_close(&scope), -ECANCELED);
    for (unsigned i = 0; i < MOST - 1; i++)
        assert_int_equal(sleepers[i].result, -ECANCELED);
    assert_int_equal(loop->fibers.count, 1);
    assert_int_equal(loop->fibers.count_highest, MOST);
    assert_int_equal(loop->fibers.idle_count, FIBER_STACKS_KEEP);
    free(sleepers);
}

/* Real stacks with their guard pages: as many mappings as there may be. */
static void test_fibers_max(void **state)
{
    try_linux(NULL, many, NULL);
}

struct place {
    struct task task;
    uintptr_t at; /* of a local variable */
};

static int place_run(struct task *task)
{
    struct place *place = container_of(task, struct place, task);

    place->at = (uintptr_t)fiber_current();
    return 0;
}

static void stacks(struct loop *loop, void *context)
{
    struct place places[2 * FIBER_STACKS_KEEP];
    uintptr_t warm = 0;
    struct scope scope;
    struct task *task;

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < 5; i++) { /* one after the other: on the same stack */
        struct place place = { .task.run = place_run };

        assert_int_equal(scope_spawn(&scope, &place.task), 0);
        assert_int_equal(scope_wait(&scope, &task), 0);
        assert_true(warm == 0 || warm == place.at);
        warm = place.at;
    }
    assert_int_equal(loop->fibers.idle_count, 1);
    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        places[i] = (struct place){ .task.run = place_run };
        assert_int_equal(scope_spawn(&scope, &places[i].task), 0);
    }
    assert_int_equal(loop->fibers.idle_count, 0);
    turns_pass(1);
    assert_int_equal(loop->fibers.idle_count, FIBER_STACKS_KEEP);
    fiber_pool_trim(&loop->fibers, FIBER_STACKS_KEEP + 1);
    assert_int_equal(loop->fibers.idle_count, FIBER_STACKS_KEEP);
    fiber_pool_trim(&loop->fibers, 2);
    assert_int_equal(loop->fibers.idle_count, 2);
    fiber_pool_trim(&loop->fibers, 0);
    assert_int_equal(loop->fibers.idle_count, 0);
    assert_true(loop->fibers.all.next->next == &loop->fibers.all); /* ours alone */
    assert_int_equal(scope_close(&scope), 0);
}

static void test_stacks(void **state)
{
    try_both(NULL, stacks, NULL);
}

static void keep_few(struct loop *loop, void *context)
{
    struct sleeper sleepers[5];
    struct scope scope;
    struct task *done;

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < ARRAY_LEN(sleepers); i++)
        sleeper_spawn(&scope, &sleepers[i], 1);
    for (unsigned i = 0; i < ARRAY_LEN(sleepers); i++)
        assert_int_equal(scope_wait(&scope, &done), 0);
    assert_int_equal(loop->fibers.idle_count, 2);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_keep_few(void **state)
{
    const struct loop_limits limits = { .stacks_keep = 2 };

    try_both(&limits, keep_few, NULL);
}

static void *no_stack(struct io *io, size_t size)
{
    return NULL;
}

static void out_of_stacks(struct loop *loop, void *context)
{
    const struct io_ops *usual = loop->io->ops;
    struct io_ops without = *usual;
    struct sleeper first, second = { .task.run = sleeper_run };
    struct scope scope;
    struct task *task;

    without.stack_map = no_stack;
    scope_open(&scope, TIME_NEVER);
    sleeper_spawn(&scope, &first, 1);
    assert_int_equal(scope_wait(&scope, &task), 0);
    loop->io->ops = &without;
    sleeper_spawn(&scope, &first, 1); /* an idle one is left */
    assert_int_equal(scope_spawn(&scope, &second.task), -EAGAIN);
    loop->io->ops = usual;
    assert_int_equal(loop->fibers.refused, 1);
    assert_int_equal(loop->fibers.count, 2);
    assert_int_equal(scope_wait(&scope, &task), 0);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_out_of_stacks(void **state)
{
    try_both(NULL, out_of_stacks, NULL);
}

/* --- stacks ---------------------------------------------------------------------------------------------------- */

#define EATEN (24 * 1024)

struct eater {
    struct task task;
    size_t size;
};

static int eater_run(struct task *task)
{
    struct eater *eater = container_of(task, struct eater, task);
    volatile char memory[EATEN];

    for (size_t i = sizeof(memory); i-- > sizeof(memory) - eater->size;)
        memory[i] = 1;
    return memory[sizeof(memory) - 1] ? 0 : -EIO;
}

static void high_water(struct loop *loop, void *context)
{
    struct eater eater = { .task.run = eater_run, .size = EATEN };
    size_t before = fiber_pool_stack_highest(&loop->fibers), after;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    assert_in_range(before, 64, STACK_SIZE / 4);
    assert_int_equal(scope_spawn(&scope, &eater.task), 0);
    turns_pass(1);
    after = fiber_pool_stack_highest(&loop->fibers);
    assert_in_range(after, EATEN, EATEN + STACK_SIZE / 4);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_high_water(void **state)
{
    try_both(NULL, high_water, NULL);
}

/* Deep enough for any stack, unless something stops it. */
static __attribute__((noinline)) unsigned dig(unsigned depth)
{
    volatile char frame[512];

    frame[0] = (char)depth;
    if (depth == 0)
        return 0;
    return dig(depth - 1) + (unsigned char)frame[0];
}

static void overflow(struct loop *loop, void *context)
{
    struct rlimit no_core = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGSEGV, SIG_DFL); /* not to the sanitizer */
    (void)dig(100 * (STACK_SIZE / 512));
}

/* (4): whoever runs over the end of a stack meets the guard page and not somebody else's memory. */
static void test_overflow(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            (i == 0 ? try_sim : try_linux)(NULL, overflow, NULL);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSEGV);
    }
}

/* The last bytes above the guard page are usable: nothing but ours lies in between. */
static void to_the_brim(struct loop *loop, void *context)
{
    const struct fiber *fiber = fiber_current();
    volatile char *low = fiber->stack;
    char here;

    assert_true((uintptr_t)&here > (uintptr_t)low && (uintptr_t)&here < (uintptr_t)fiber);
    assert_true((uintptr_t)(fiber + 1) <= (uintptr_t)low + STACK_SIZE);
    assert_true(fiber->stack_size >= FIBER_STACK_SIZE - 2 * KIB); /* the rest is the struct itself */
    assert_int_equal(low[0], 0);
    low[0] = 1;
    assert_int_equal(fiber_pool_stack_highest(&loop->fibers), fiber->stack_size);
    low[0] = 0;
}

static void test_to_the_brim(void **state)
{
    try_both(NULL, to_the_brim, NULL);
}

/* Series whose terms are kept in registers over the switches. */
struct series {
    struct task task;
    double factor, sum;
    uint64_t whole;
};

static int series_run(struct task *task)
{
    struct series *series = container_of(task, struct series, task);
    double term = 1, sum = 0, sign = 1, factor = series->factor;
    uint64_t a = 1, b = (uint64_t)(factor * 100), c = 3;

    for (unsigned i = 0; i < 200; i++) {
        sum += sign * term;
        term *= factor;
        sign = -sign;
        a = a * 6364136223846793005U + b;
        c ^= a >> 7;
        assert_int_equal(fiber_yield(), 0);
    }
    series->sum = sum;
    series->whole = a ^ c;
    return 0;
}

static void registers(struct loop *loop, void *context)
{
    struct series series[8];
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < ARRAY_LEN(series); i++) {
        series[i] = (struct series){ .task.run = series_run, .factor = 0.1 * (i + 1) };
        assert_int_equal(scope_spawn(&scope, &series[i].task), 0);
    }
    turns_pass(250);
    for (unsigned i = 0; i < ARRAY_LEN(series); i++) {
        uint64_t a = 1, b = (uint64_t)(series[i].factor * 100), c = 3;
        double sum = 1 / (1 + series[i].factor);

        for (unsigned k = 0; k < 200; k++) {
            a = a * 6364136223846793005U + b;
            c ^= a >> 7;
        }
        assert_true(series[i].whole == (a ^ c));
        assert_true(series[i].sum > sum - 1e-9 && series[i].sum < sum + 1e-9);
    }
    assert_int_equal(scope_close(&scope), 0);
}

static void test_registers(void **state)
{
    try_both(NULL, registers, NULL);
}

/* --- misuse ---------------------------------------------------------------------------------------------------- */

static void test_outside(void **state)
{
    assert_null(fiber_current());
    assert_null(loop_current());
}

static void leaves_scope_open(struct loop *loop, void *context)
{
    scope_open(context, TIME_NEVER);
}

static void run_leaves_scope_open(void *context)
{
    struct scope scope;

    try_sim(NULL, leaves_scope_open, &scope);
}

static void park_nowhere(void *context)
{
    assert_int_equal(fiber_park(TIME_NEVER), 0);
}

static void test_misuse(void **state)
{
    faults_dies(run_leaves_scope_open, NULL, "fiber->scope == fiber->born");
    faults_dies(park_nowhere, NULL, "fiber != NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yield_order),    cmocka_unit_test(test_sleeps),        cmocka_unit_test(test_no_sleep),
        cmocka_unit_test(test_endless_sleeps), cmocka_unit_test(test_ends_of_waits), cmocka_unit_test(test_ended_scope),
        cmocka_unit_test(test_wakes),          cmocka_unit_test(test_deaf),          cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_fibers_max),     cmocka_unit_test(test_stacks),        cmocka_unit_test(test_keep_few),
        cmocka_unit_test(test_out_of_stacks),  cmocka_unit_test(test_high_water),    cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_to_the_brim),    cmocka_unit_test(test_registers),     cmocka_unit_test(test_outside),
        cmocka_unit_test(test_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
