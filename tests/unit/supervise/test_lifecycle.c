#include "supervise/lifecycle.h"

#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T LIFECYCLE_DO_TERMINATE
#define K LIFECYCLE_DO_KILL
#define S LIFECYCLE_DO_SPAWN
#define C LIFECYCLE_DO_TELL

enum { IDLE, STARTING, READY, RESTARTING, BACKING_OFF, STOPPING, KILLED, GONE };
enum { START, START_FAILED, BECAME_READY, BECAME_UNREADY, HUNG, EXITED, STOP, TIME };

/* Every state and every event: what comes of it, and what is to be done. */
static const struct {
    int state, actions;
} TABLE[LIFECYCLE_STATES][LIFECYCLE_EVENTS] = {
    [IDLE] = { { STARTING, S | C },
               { IDLE, 0 },
               { IDLE, 0 },
               { IDLE, 0 },
               { IDLE, 0 },
               { IDLE, 0 },
               { GONE, C },
               { IDLE, 0 } },
    [STARTING] = { { STARTING, 0 },
                   { BACKING_OFF, C },
                   { READY, C },
                   { STARTING, 0 },
                   { RESTARTING, T | C },
                   { BACKING_OFF, C },
                   { STOPPING, T | C },
                   { STARTING, 0 } },
    [READY] = { { READY, 0 },
                { BACKING_OFF, C },
                { READY, 0 },
                { STARTING, C },
                { RESTARTING, T | C },
                { BACKING_OFF, C },
                { STOPPING, T | C },
                { READY, 0 } },
    [RESTARTING] = { { RESTARTING, 0 },
                     { RESTARTING, 0 },
                     { RESTARTING, 0 },
                     { RESTARTING, 0 },
                     { RESTARTING, 0 },
                     { BACKING_OFF, C },
                     { STOPPING, T | C },
                     { RESTARTING, K | C } },
    [BACKING_OFF] = { { BACKING_OFF, 0 },
                      { BACKING_OFF, 0 },
                      { BACKING_OFF, 0 },
                      { BACKING_OFF, 0 },
                      { BACKING_OFF, 0 },
                      { BACKING_OFF, 0 },
                      { GONE, C },
                      { STARTING, S | C } },
    [STOPPING] = { { STOPPING, 0 },
                   { STOPPING, 0 },
                   { STOPPING, 0 },
                   { STOPPING, 0 },
                   { STOPPING, 0 },
                   { GONE, C },
                   { STOPPING, 0 },
                   { KILLED, K | C } },
    [KILLED] = { { KILLED, 0 },
                 { KILLED, 0 },
                 { KILLED, 0 },
                 { KILLED, 0 },
                 { KILLED, 0 },
                 { GONE, C },
                 { KILLED, 0 },
                 { KILLED, 0 } },
    [GONE] = { { GONE, 0 }, { GONE, 0 }, { GONE, 0 }, { GONE, 0 }, { GONE, 0 }, { GONE, 0 }, { GONE, 0 }, { GONE, 0 } },
};

static void every_event_in_every_state(void **state)
{
    for (int s = 0; s < LIFECYCLE_STATES; s++)
        for (int e = 0; e < LIFECYCLE_EVENTS; e++) {
            struct lifecycle life;
            unsigned actions;

            lifecycle_init(&life, 0);
            life.state = (enum lifecycle_state)s;
            actions = lifecycle_event(&life, (enum lifecycle_event)e, NS_PER_S);
            if ((int)life.state != TABLE[s][e].state || (int)actions != TABLE[s][e].actions)
                fail_msg("state %d, event %d: state %d, actions %u", s, e, life.state, actions);
        }
}

static void times_are_wanted_where_they_mean_something(void **state)
{
    struct lifecycle life;

    lifecycle_init(&life, 0);
    assert_int_equal(life.due_ns, TIME_NEVER);
    assert_true(lifecycle_event(&life, LIFECYCLE_START, 5 * NS_PER_S) & S);
    assert_int_equal(life.due_ns, TIME_NEVER);
    assert_int_equal(lifecycle_event(&life, LIFECYCLE_EXITED, 6 * NS_PER_S), C);
    assert_int_equal(life.due_ns, 7 * NS_PER_S);
    assert_true(lifecycle_event(&life, LIFECYCLE_TIME, 7 * NS_PER_S) & S);
    assert_int_equal(life.restarts, 1);
    assert_int_equal(lifecycle_event(&life, LIFECYCLE_STOP, 8 * NS_PER_S), T | C);
    assert_int_equal(life.due_ns, 8 * NS_PER_S + STOP_GRACE_NS);
    assert_int_equal(lifecycle_event(&life, LIFECYCLE_TIME, life.due_ns), K | C);
    assert_int_equal(life.due_ns, TIME_NEVER);
    assert_int_equal(lifecycle_event(&life, LIFECYCLE_EXITED, 30 * NS_PER_S), C);
    assert_int_equal(life.state, LIFECYCLE_GONE);
}

static void readiness_counts_for_the_back_off(void **state)
{
    struct lifecycle life;

    lifecycle_init(&life, 0);
    (void)!lifecycle_event(&life, LIFECYCLE_START, NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_EXITED, 2 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_TIME, 3 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_EXITED, 4 * NS_PER_S);
    assert_int_equal(life.wait_ns, 2 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_TIME, 6 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_BECAME_READY, 7 * NS_PER_S);
    assert_int_equal(life.ready_ns, 7 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_EXITED, 17 * NS_PER_S);
    assert_int_equal(life.wait_ns, NS_PER_S);
    assert_int_equal(life.ready_ns, 0);
}

/* A hung process gets as long to end as one that is stopped; what was healthy before it hung starts anew at once. */
static void hung_ones_are_killed_in_time(void **state)
{
    struct lifecycle life;

    lifecycle_init(&life, 0);
    (void)!lifecycle_event(&life, LIFECYCLE_START, NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_EXITED, 2 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_TIME, 3 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_BECAME_READY, 4 * NS_PER_S);
    (void)!lifecycle_event(&life, LIFECYCLE_BECAME_UNREADY, 4 * NS_PER_S + RESTART_HEALTHY_NS);
    assert_int_equal(lifecycle_event(&life, LIFECYCLE_HUNG, 30 * NS_PER_S), T | C);
    assert_int_equal(life.due_ns, 30 * NS_PER_S + STOP_GRACE_NS);
    assert_int_equal(lifecycle_event(&life, LIFECYCLE_TIME, life.due_ns), K | C);
    assert_int_equal(life.due_ns, TIME_NEVER);
    assert_int_equal(lifecycle_event(&life, LIFECYCLE_EXITED, 41 * NS_PER_S), C);
    assert_int_equal(life.wait_ns, RESTART_FIRST_NS);
    assert_true(lifecycle_event(&life, LIFECYCLE_TIME, 42 * NS_PER_S) & S);
    assert_int_equal(life.restarts, 2);
}

/* (1) and (2): random events against a process that exists or doesn't. */
static void a_process_exists_where_the_header_says_so(void **state)
{
    struct prng prng;

    prng_seed(&prng, 7);
    for (int run = 0; run < 2000; run++) {
        struct lifecycle life;
        bool process = false, stopped = false;
        int64_t now_ns = 0;

        lifecycle_init(&life, (unsigned)(run % 3));
        for (int i = 0; i < 60; i++) {
            enum lifecycle_event event = (enum lifecycle_event)(prng_next(&prng) % LIFECYCLE_EVENTS);
            unsigned actions;

            if ((event == LIFECYCLE_EXITED && !process) || event == LIFECYCLE_START_FAILED)
                continue;
            stopped = stopped || event == LIFECYCLE_STOP;
            actions = lifecycle_event(&life, event, now_ns += NS_PER_S);
            if (event == LIFECYCLE_EXITED)
                process = false;
            if (actions & S) {
                assert_false(process || stopped);
                process = prng_next(&prng) % 4 != 0;
                if (!process)
                    (void)!lifecycle_event(&life, LIFECYCLE_START_FAILED, now_ns);
            }
            assert_int_equal(lifecycle_has_process(life.state), process);
        }
        if (!stopped)
            (void)!lifecycle_event(&life, LIFECYCLE_STOP, now_ns);
        (void)!lifecycle_event(&life, LIFECYCLE_EXITED, now_ns);
        assert_int_equal(life.state, LIFECYCLE_GONE);
    }
}

static void states_have_names(void **state)
{
    for (int i = 0; i < LIFECYCLE_STATES; i++)
        for (int k = 0; k < i; k++)
            assert_false(bytes_equal(lifecycle_state_name((enum lifecycle_state)i),
                                     lifecycle_state_name((enum lifecycle_state)k)));
    assert_true(bytes_equal(lifecycle_state_name(LIFECYCLE_BACKING_OFF), BYTES("backing-off")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_state),
        cmocka_unit_test(times_are_wanted_where_they_mean_something),
        cmocka_unit_test(readiness_counts_for_the_back_off),
        cmocka_unit_test(hung_ones_are_killed_in_time),
        cmocka_unit_test(a_process_exists_where_the_header_says_so),
        cmocka_unit_test(states_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
