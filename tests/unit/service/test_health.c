#include "service/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Results of checks ('+' fine, '-' not) and the state after each ('s' starting, 'r' ready, 'u' unready). */
static const struct {
    const char *results, *states;
} ROWS[] = {
    { "+", "r" },                     /* the first success is enough */
    { "----------+", "ssssssssssr" }, /* failures before it don't count */
    { "+--+--+--", "rrrrrrrrr" },     /* two in a row are not three */
    { "+---", "rrru" },               /* fall */
    { "+---+", "rrruu" },             /* one success is not two */
    { "+---++", "rrruur" },           /* rise */
    { "+---+-+-++", "rrruuuuuur" },
    { "+---++--+---", "rrruurrrrrru" }, /* a success in between starts the count anew */
    { "+-----++", "rrruuuur" },
};

static char letter(enum health_state state)
{
    return health_name(state)[0];
}

static void states_follow_results(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct health health = { HEALTH_STARTING, 0 };

        for (size_t k = 0; ROWS[i].results[k]; k++) {
            enum health_state before = health.state;
            bool changed = health_note(&health, &HEALTH_RULES, ROWS[i].results[k] == '+');

            if (letter(health.state) != ROWS[i].states[k])
                fail_msg("%s: %c after %zu, not %c", ROWS[i].results, letter(health.state), k + 1, ROWS[i].states[k]);
            assert_int_equal(changed, before != health.state);
        }
        assert_int_equal(strlen(ROWS[i].results), strlen(ROWS[i].states));
    }
}

static void checks_are_fast_until_the_first_success(void **state)
{
    struct health health = { HEALTH_STARTING, 0 };

    assert_int_equal(health_pause_ns(&health, &HEALTH_RULES), 50 * NS_PER_MS);
    (void)health_note(&health, &HEALTH_RULES, false);
    assert_int_equal(health_pause_ns(&health, &HEALTH_RULES), 50 * NS_PER_MS);
    (void)health_note(&health, &HEALTH_RULES, true);
    assert_int_equal(health_pause_ns(&health, &HEALTH_RULES), 2 * NS_PER_S);
    for (int i = 0; i < 3; i++)
        (void)health_note(&health, &HEALTH_RULES, false);
    assert_int_equal(health.state, HEALTH_UNREADY);
    assert_int_equal(health_pause_ns(&health, &HEALTH_RULES), 2 * NS_PER_S);
}

static void rules_are_those_of_the_manual(void **state)
{
    assert_int_equal(HEALTH_RULES.fall, 3);
    assert_int_equal(HEALTH_RULES.rise, 2);
    assert_int_equal(HEALTH_RULES.timeout_ns, NS_PER_S);
    assert_string_equal(health_name(HEALTH_STARTING), "starting");
    assert_string_equal(health_name(HEALTH_READY), "ready");
    assert_string_equal(health_name(HEALTH_UNREADY), "unready");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_follow_results),
        cmocka_unit_test(checks_are_fast_until_the_first_success),
        cmocka_unit_test(rules_are_those_of_the_manual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
