/* Turns of a loop: what runs in which order, when the next one is wanted, and how a loop ends. */
#include "fiber_help.h"

#include "faults.h"
#include "io/linux/linux.h"

#define MS NS_PER_MS

/* --- a turn ---------------------------------------------------------------------------------------------------- */

struct note {
    struct task task;
    struct timer timer;
    struct letter letter;
    struct loop *loop;
    char *out;
    char name;
    struct note *spawns; /* started or posted by this one */
};

static void note(struct note *self)
{
    assert_ptr_equal(loop_current(), self->loop);
    self->out[strlen(self->out)] = self->name;
}

static int note_task(struct task *task)
{
    struct note *self = container_of(task, struct note, task);

    note(self);
    if (self->spawns)
        assert_int_equal(loop_spawn(self->loop, &self->spawns->task), 0);
    return 0;
}

static void note_timer(struct timer *timer)
{
    struct note *self = container_of(timer, struct note, timer);

    note(self);
    if (self->spawns)
        assert_int_equal(loop_spawn(self->loop, &self->spawns->task), 0);
}

static void note_letter(struct letter *letter, struct loop *loop)
{
    struct note *self = container_of(letter, struct note, letter);

    assert_ptr_equal(loop, self->loop);
    assert_null(fiber_current());
    note(self);
    if (self->spawns)
        assert_int_equal(loop_post(loop, &self->spawns->letter), 0);
}

static void note_init(struct note *self, struct loop *loop, char *out, char name)
{
    *self = (struct note){ .task.run = note_task, .letter.run = note_letter, .loop = loop, .out = out, .name = name };
    timer_init(&self->timer, note_timer);
}

/* (2): timers, letters, then the fibers that are ready by then; what those start comes in the next turn. */
static void test_turn(void **state)
{
    struct note notes[8];
    char out[16] = "";
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(notes); i++)
        note_init(&notes[i], &loop, out, (char)('a' + i));
    assert_int_equal(loop_spawn(&loop, &notes[0].task), 0);
    notes[0].spawns = &notes[1];
    assert_int_equal(loop_post(&loop, &notes[2].letter), 0);
    notes[2].spawns = &notes[3];
    timer_set(&loop, &notes[4].timer, loop.now_ns);
    notes[4].spawns = &notes[5];
    timer_set(&loop, &notes[6].timer, loop.now_ns + 1000 * NS_PER_S);
    assert_int_equal(loop_spawn(&loop, &notes[7].task), 0);
    assert_true(loop_turn(&loop, 0) <= loop.now_ns); /* more is ready */
    assert_string_equal(out, "ecahf");
    assert_int_equal(loop.turns, 1);
    assert_int_equal(loop_turn(&loop, 0), notes[6].timer.node.key); /* nothing before the timer */
    assert_string_equal(out, "ecahfdb");
    timer_stop(&loop, &notes[6].timer);
    assert_int_equal(loop_turn(&loop, 0), TIME_NEVER);
    assert_null(loop_current());
    assert_false(loop_idle(&loop));
    loop_done(&loop);
    io_linux_close(io);
}

/* A letter that was posted after the letters were looked at asks for another turn. */
static int post_task(struct task *task)
{
    struct note *self = container_of(task, struct note, task);

    return loop_post(self->loop, &self->letter);
}

static void test_posted_in_a_turn(void **state)
{
    struct note letter;
    char out[16] = "";
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    note_init(&letter, &loop, out, 'x');
    letter.task.run = post_task;
    assert_int_equal(loop_spawn(&loop, &letter.task), 0);
    assert_true(loop_turn(&loop, 0) <= loop.now_ns);
    assert_string_equal(out, "");
    assert_int_equal(loop_turn(&loop, TIME_NEVER), TIME_NEVER); /* notified: it doesn't wait */
    assert_string_equal(out, "x");
    loop_done(&loop);
    io_linux_close(io);
}

/* --- the time of a loop ---------------------------------------------------------------------------------------- */

static void clocks(struct loop *loop, void *context)
{
    int64_t now = loop->now_ns;

    assert_true(loop_clock(loop) >= now);
    assert_int_equal(loop->now_ns, now); /* it stands still within a turn */
    assert_int_equal(fiber_sleep(MS), 0);
    assert_true(loop->now_ns >= now + MS);
    assert_int_equal(loop_after(loop, 5), loop->now_ns + 5);
    assert_int_equal(loop_after(loop, -5), loop->now_ns - 5);
    assert_int_equal(loop_after(loop, TIME_NEVER), TIME_NEVER);
    assert_int_equal(loop_after(loop, TIME_NEVER - loop->now_ns), TIME_NEVER);
    assert_int_equal(loop_after(loop, TIME_NEVER - loop->now_ns - 1), TIME_NEVER - 1);
}

static void test_clocks(void **state)
{
    try_both(NULL, clocks, NULL);
}

/* --- the end --------------------------------------------------------------------------------------------------- */

static int stop_run(struct task *task)
{
    struct loop *loop = loop_current();
    struct scope shield;

    loop_stop(loop);
    loop_stop(loop);
    assert_int_equal(fiber_sleep(MS), -ECANCELED);
    assert_int_equal(loop_spawn(loop, task), -ECANCELED); /* nothing new begins */
    scope_open_shielded(&shield, NS_PER_S);
    assert_int_equal(fiber_sleep(10 * MS), 0);
    assert_false(loop_idle(loop)); /* (5): its last child is still running */
    assert_int_equal(scope_close(&shield), 0);
    return 0;
}

static void test_stop(void **state)
{
    struct task stop = { .run = stop_run };
    struct sleeper sleepers[3];
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(sleepers); i++)
        sleeper_spawn(&loop.root, &sleepers[i], 0);
    assert_int_equal(loop_spawn(&loop, &stop), 0);
    loop_run(&loop);
    assert_true(loop_idle(&loop));
    for (unsigned i = 0; i < ARRAY_LEN(sleepers); i++)
        assert_int_equal(sleepers[i].result, -ECANCELED);
    loop_run(&loop); /* nothing is left to run */
    loop_done(&loop);
    io_linux_close(io);
}

/* What a crash leaves: fibers that never return, and their stacks. */
static void test_abandon(void **state)
{
    struct sleeper sleepers[5];
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(sleepers); i++)
        sleeper_spawn(&loop.root, &sleepers[i], 0);
    for (unsigned i = 0; i < 3; i++)
        (void)loop_turn(&loop, 0);
    assert_int_equal(loop.fibers.count, ARRAY_LEN(sleepers));
    loop_abandon(&loop);
    assert_int_equal(loop.fibers.count, 0);
    for (unsigned i = 0; i < ARRAY_LEN(sleepers); i++)
        assert_false(sleepers[i].ended);
    io_linux_close(io);
}

static void done_too_early(void *context)
{
    struct sleeper sleeper;
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    sleeper_spawn(&loop.root, &sleeper, 0);
    loop_done(&loop);
}

static void turn_within(struct loop *loop, void *context)
{
    (void)loop_turn(loop, 0);
}

static void turn_in_a_turn(void *context)
{
    try_sim(NULL, turn_within, NULL);
}

static void test_misuse(void **state)
{
    faults_dies(done_too_early, NULL, "loop->fibers.count == 0");
    faults_dies(turn_in_a_turn, NULL, "!loop->running");
}

/* --- two loops ------------------------------------------------------------------------------------------------- */

/* Loops of one thread take turns; fibers of each find their own. */
static void test_two_loops(void **state)
{
    struct loop loops[2];
    struct note notes[2];
    struct io *ios[2];
    char out[16] = "";

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(io_linux_open(&ios[i]), 0);
        assert_int_equal(loop_init(&loops[i], ios[i], NULL), 0);
        note_init(&notes[i], &loops[i], out, (char)('a' + i));
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(loop_spawn(&loops[i], &notes[i].task), 0);
    for (unsigned i = 2; i-- > 0;)
        (void)loop_turn(&loops[i], 0);
    assert_string_equal(out, "ba");
    for (unsigned i = 0; i < 2; i++) {
        loop_done(&loops[i]);
        io_linux_close(ios[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turn),      cmocka_unit_test(test_posted_in_a_turn), cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_stop),      cmocka_unit_test(test_abandon),          cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_two_loops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
