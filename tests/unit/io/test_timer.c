/* Timers of a loop: their order, and what their functions may do to others. */
#include "fiber_help.h"

#include "io/timer.h"

#define MS NS_PER_MS

struct alarm {
    struct timer timer;
    struct loop *loop;
    char *out, letter;
    int64_t due_ns;
    int64_t ran_ns;
    unsigned runs;
    void (*also)(struct alarm *alarm);
    struct alarm *other;
};

static void alarm_run(struct timer *timer)
{
    struct alarm *alarm = container_of(timer, struct alarm, timer);

    assert_null(fiber_current());
    assert_false(timer_is_set(timer)); /* one-shot */
    assert_true(alarm->loop->now_ns >= alarm->due_ns);
    alarm->ran_ns = alarm->loop->now_ns;
    alarm->runs++;
    if (alarm->out)
        alarm->out[strlen(alarm->out)] = alarm->letter;
    if (alarm->also)
        alarm->also(alarm);
}

static void alarm_set(struct alarm *alarm, int64_t due_ns)
{
    alarm->due_ns = due_ns;
    timer_set(alarm->loop, &alarm->timer, due_ns);
}

static void alarm_init(struct alarm *alarm, struct loop *loop, char *out, char letter)
{
    *alarm = (struct alarm){ .loop = loop, .out = out, .letter = letter };
    timer_init(&alarm->timer, alarm_run);
    assert_false(timer_is_set(&alarm->timer));
}

static void order(struct loop *loop, void *context)
{
    static const int64_t DUE[] = { 5, 1, 3, 1, 9, 3, 3, 2 };
    struct alarm alarms[ARRAY_LEN(DUE)];
    bool exact = context != NULL;
    int64_t began = loop->now_ns;
    char out[16] = "";

    for (unsigned i = 0; i < ARRAY_LEN(DUE); i++) {
        alarm_init(&alarms[i], loop, out, (char)('a' + i));
        alarm_set(&alarms[i], began + DUE[i] * MS);
        assert_true(timer_is_set(&alarms[i].timer));
    }
    assert_int_equal(fiber_sleep(10 * MS), 0);
    assert_string_equal(out, "bdhcfgae"); /* equal times: as they were set */
    for (unsigned i = 0; i < ARRAY_LEN(DUE); i++) {
        assert_int_equal(alarms[i].runs, 1);
        if (exact)
            assert_int_equal(alarms[i].ran_ns, began + DUE[i] * MS);
    }
}

static void test_order(void **state)
{
    bool exact = true;

    try_sim(NULL, order, &exact);
    try_linux(NULL, order, NULL);
}

static void moved(struct loop *loop, void *context)
{
    struct alarm alarms[5];
    int64_t began = loop->now_ns;
    char out[16] = "";

    for (unsigned i = 0; i < ARRAY_LEN(alarms); i++) {
        alarm_init(&alarms[i], loop, out, (char)('a' + i));
        alarm_set(&alarms[i], began + (i + 1) * MS);
    }
    alarm_set(&alarms[0], began + 7 * MS); /* later */
    alarm_set(&alarms[4], began + MS);     /* earlier */
    timer_stop(loop, &alarms[1].timer);
    timer_stop(loop, &alarms[1].timer); /* twice is fine */
    timer_set(loop, &alarms[2].timer, TIME_NEVER);
    assert_false(timer_is_set(&alarms[1].timer));
    assert_false(timer_is_set(&alarms[2].timer));
    assert_int_equal(fiber_sleep(10 * MS), 0);
    assert_string_equal(out, "eda");
    timer_set(loop, &alarms[2].timer, TIME_NEVER);
    assert_false(timer_is_set(&alarms[2].timer));
    alarm_set(&alarms[1], began); /* set again; in the past: in the next turn */
    assert_int_equal(alarms[1].runs, 0);
    turns_pass(1);
    assert_int_equal(alarms[1].runs, 1);
}

static void test_moved(void **state)
{
    try_both(NULL, moved, NULL);
}

static void stop_other(struct alarm *alarm)
{
    timer_stop(alarm->loop, &alarm->other->timer);
}

static void move_other(struct alarm *alarm)
{
    alarm_set(alarm->other, alarm->loop->now_ns + 5 * MS);
}

static void in_run(struct loop *loop, void *context)
{
    struct alarm alarms[4];
    int64_t began = loop->now_ns;
    char out[16] = "";

    for (unsigned i = 0; i < ARRAY_LEN(alarms); i++) {
        alarm_init(&alarms[i], loop, out, (char)('a' + i));
        alarm_set(&alarms[i], began + MS); /* all are due in the same turn */
    }
    alarms[0].also = stop_other;
    alarms[0].other = &alarms[1];
    alarms[2].also = move_other;
    alarms[2].other = &alarms[3];
    assert_int_equal(fiber_sleep(3 * MS), 0);
    assert_string_equal(out, "ac");
    assert_int_equal(fiber_sleep(5 * MS), 0);
    assert_string_equal(out, "acd");
}

static void test_in_run(void **state)
{
    try_sim(NULL, in_run, NULL);
}

#define AGAIN 100

static void set_again(struct alarm *alarm)
{
    if (alarm->runs < AGAIN)
        alarm_set(alarm, 0); /* as far in the past as can be */
}

static void letter_run(struct letter *letter, struct loop *loop)
{
}

/* A timer that is always due runs once a turn, and keeps nobody else from running. */
static void eager(struct loop *loop, void *context)
{
    struct letter letter = { .run = letter_run };
    struct alarm alarms[3];
    struct sleeper sleeper;
    struct scope scope;

    alarm_init(&alarms[0], loop, NULL, 0);
    alarm_init(&alarms[1], loop, NULL, 0);
    alarm_init(&alarms[2], loop, NULL, 0);
    alarms[0].also = set_again;
    alarms[1].also = set_again;
    scope_open(&scope, TIME_NEVER);
    sleeper_spawn(&scope, &sleeper, 1);
    assert_int_equal(loop_post(loop, &letter), 0);
    alarm_set(&alarms[0], 0);
    alarm_set(&alarms[1], 0);
    alarm_set(&alarms[2], loop->now_ns + 1);
    for (unsigned i = 1; i <= 5; i++) {
        assert_int_equal(fiber_yield(), 0);
        assert_int_equal(alarms[0].runs, i);
        assert_int_equal(alarms[1].runs, i);
    }
    assert_int_equal(alarms[2].runs, 1);
    assert_true(sleeper.ended);
    turns_pass(AGAIN);
    assert_int_equal(alarms[0].runs, AGAIN);
    assert_int_equal(alarms[1].runs, AGAIN);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_eager(void **state)
{
    try_both(NULL, eager, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_in_run),
        cmocka_unit_test(test_eager),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
