#include "base/assert.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SMALL_MAGIC 0x5ca1ab1eu

struct small {
    uint32_t magic;
};

static void fails(void *context)
{
    int two = 2;

    ASSERT(two == 3);
}

static void hook(const char *message)
{
    fprintf(stderr, "hooked <%s>", message);
}

static void failing_hook(const char *message)
{
    fails(NULL);
}

static void fails_with_hook(void *context)
{
    assert_set_hook(hook);
    fails(NULL);
}

static void fails_in_hook(void *context)
{
    assert_set_hook(failing_hook);
    fails(NULL);
}

static void fails_after_hook_is_gone(void *context)
{
    assert_set_hook(hook);
    assert_set_hook(NULL);
    fails(NULL);
}

static void fails_at_length(void *context)
{
    char condition[PANIC_TEXT_MAX * 2];

    memset(condition, 'c', sizeof(condition) - 1);
    condition[sizeof(condition) - 1] = '\0';
    assert_failed("file.c", 7, "function", condition);
}

static void checks_bad_magic(void *context)
{
    struct small small = { .magic = 1 };

    CHECK_MAGIC(&small, SMALL_MAGIC);
}

static void checks_null(void *context)
{
    struct small *volatile none = NULL;
    struct small *small = none;

    CHECK_MAGIC(small, SMALL_MAGIC);
}

static void says_what_failed_and_aborts(void **state)
{
    faults_dies(fails, NULL, "fails: assertion failed: two == 3\n");
    faults_dies(fails, NULL, "test_assert.c:");
}

static void calls_the_hook_instead(void **state)
{
    faults_dies(fails_with_hook, NULL, "fails: assertion failed: two == 3>");
    faults_dies(fails_with_hook, NULL, "hooked <");
    faults_dies(fails_after_hook_is_gone, NULL, "assertion failed: two == 3\n");
}

static void survives_a_failing_hook(void **state)
{
    faults_dies(fails_in_hook, NULL, "fails: assertion failed: two == 3\n");
}

/* PANIC_TEXT_MAX: the rest of the message is cut. */
static void cuts_a_long_message(void **state)
{
    char expected[PANIC_TEXT_MAX + 1];
    int len = snprintf(expected, sizeof(expected), "file.c:7: function: assertion failed: ");

    memset(expected + len, 'c', sizeof(expected) - (size_t)len);
    expected[PANIC_TEXT_MAX - 1] = '\n';
    expected[PANIC_TEXT_MAX] = '\0';
    faults_dies(fails_at_length, NULL, expected);
}

static void checks_magic(void **state)
{
    struct small small = { .magic = SMALL_MAGIC };

    CHECK_MAGIC(&small, SMALL_MAGIC);
    faults_dies(checks_bad_magic, NULL, "magic == (0x5ca1ab1eu)");
    faults_dies(checks_null, NULL, "!= NULL");
}

/* The harness itself: a run with three allocations meets three failures, then none. */
static int takes_three(void *context)
{
    unsigned *runs = context;
    void *pieces[3] = { mem_alloc(1), mem_alloc(2), mem_alloc(3) };
    int result = pieces[0] && pieces[1] && pieces[2] ? 0 : -1;

    ++*runs;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        mem_free(pieces[i]);
    return result;
}

static void harness_fails_each_allocation(void **state)
{
    unsigned runs = 0;

    assert_int_equal(faults_each(takes_three, &runs), 3);
    assert_int_equal(runs, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_failed_and_aborts),
        cmocka_unit_test(calls_the_hook_instead),
        cmocka_unit_test(survives_a_failing_hook),
        cmocka_unit_test(cuts_a_long_message),
        cmocka_unit_test(checks_magic),
        cmocka_unit_test(harness_fails_each_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
