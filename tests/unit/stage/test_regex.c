#include "stage/regex.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct regex *compiled(const char *pattern)
{
    struct fault fault = { 0 };
    struct regex *regex = NULL;

    if (regex_compile(bytes_of_text(pattern), &fault, &regex) < 0)
        fail_msg("%s: %s", pattern, fault.what);
    return regex;
}

static int match(const char *pattern, struct bytes text)
{
    struct regex *regex = compiled(pattern);
    struct regex_memory *memory = NULL;
    int r;

    assert_int_equal(regex_memory_create(&memory), 0);
    r = regex_match(regex, memory, text);
    regex_memory_free(memory);
    regex_free(regex);
    return r;
}

static const struct {
    const char *pattern, *text;
    int result;
} ROWS[] = {
    { "a", "a", 1 },
    { "a", "ab", 0 }, /* the whole text */
    { "a", "ba", 0 },
    { "a|ab", "ab", 1 },
    { "^a$", "a", 1 },
    { "a$", "a\n", 0 },
    { "a.c", "a\nc", 1 },
    { "/v[0-9]+/.*", "/v12/x/y", 1 },
    { "/v[0-9]+/.*", "/v/x", 0 },
    { ".*", "", 1 },
    { ".+", "", 0 },
    { "(?i)abc", "aBC", 1 },
    { "abc", "aBC", 0 },
    { "(a|b){3}", "aba", 1 },
    { "(?=.*x)(?=.*y).*", "ayx", 1 },
    { "\\d{1,3}", "1234", 0 },
    { "\xc3\xa4", "\xc3\xa4", 1 }, /* bytes, whatever they mean */
    { "..", "\xc3\xa4", 1 },
    { ".", "\xff", 1 },
    { "[a-z]++x", "abcx", 0 }, /* takes all, gives nothing back */
};

static void matches_the_whole_text(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        if (match(ROWS[i].pattern, bytes_of_text(ROWS[i].text)) != ROWS[i].result)
            fail_msg("%s, %s: must be %d", ROWS[i].pattern, ROWS[i].text, ROWS[i].result);
    assert_int_equal(match(".*", BYTES_NONE), 1);
    assert_int_equal(match("a.b", bytes_of("a\0b", 3)), 1);
}

static const struct {
    const char *pattern, *what;
} BAD[] = {
    { "", "must have between 1 and 512 characters" },
    { "a(b", "is no regular expression: missing closing parenthesis, at character 4" },
    { "[a", "is no regular expression: missing terminating ] for character class, at character 3" },
    { "*", "is no regular expression: quantifier does not follow a repeatable item, at character 1" },
    { "(a)\\1", "is no regular expression: reference to non-existent subpattern, at character 5" },
    { "(*UTF)a", "is no regular expression: using UTF is disabled by the application, at character 7" },
};

static void bad_ones_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct fault fault = { 0 };
        struct regex *regex = NULL;

        assert_int_equal(regex_compile(bytes_of_text(BAD[i].pattern), &fault, &regex), -EINVAL);
        assert_string_equal(fault.what, BAD[i].what);
        assert_null(regex);
    }
}

/* REGEX_TEXT_MAX and REGEX_DEPTH_MAX are reached and passed. */
static void size_is_bounded(void **state)
{
    char text[REGEX_TEXT_MAX + 2];
    struct fault fault = { 0 };
    struct regex *regex = NULL;

    memset(text, 'a', sizeof(text));
    assert_int_equal(regex_compile(bytes_of(text, REGEX_TEXT_MAX), &fault, &regex), 0);
    regex_free(regex);
    assert_int_equal(regex_compile(bytes_of(text, REGEX_TEXT_MAX + 1), &fault, &regex), -EINVAL);
    memset(text, '(', REGEX_DEPTH_MAX + 1);
    memset(text + REGEX_DEPTH_MAX + 1, ')', REGEX_DEPTH_MAX + 1);
    assert_int_equal(regex_compile(bytes_of(text + 1, REGEX_DEPTH_MAX * 2), &fault, &regex), 0);
    regex_free(regex);
    assert_int_equal(regex_compile(bytes_of(text, REGEX_DEPTH_MAX * 2 + 2), &fault, &regex), -EINVAL);
    assert_string_equal(fault.what, "is no regular expression: parentheses are too deeply nested, at character 34");
}

/* (2) and (3): REGEX_STEPS_MAX, REGEX_HEAP_KIB; what follows is not spoilt by it. */
static void time_and_memory_are_bounded(void **state)
{
    static char many[8192];
    struct regex *steps = compiled("(x+x+)+[yz]"), *heap = compiled("(?:a|b)*[cd]"), *fine = compiled("[a-z/]*/last");
    struct regex_memory *memory = NULL;
    struct mem_stats before;

    memset(many, 'x', sizeof(many));
    assert_int_equal(regex_memory_create(&memory), 0);
    before = mem_stats();
    assert_int_equal(regex_match(steps, memory, bytes_of(many, 60)), -E2BIG);
    memset(many, 'a', sizeof(many));
    assert_int_equal(regex_match(heap, memory, bytes_of(many, 2000)), -E2BIG); /* 6,000 steps */
    for (unsigned i = 0; i < 3; i++) {
        memcpy(many + sizeof(many) - 5, "/last", 5);
        assert_int_equal(regex_match(fine, memory, bytes_of(many, sizeof(many))), 1);
        many[sizeof(many) - 1] = '!';
        assert_int_equal(regex_match(fine, memory, bytes_of(many, 1000)), 0);
        assert_int_equal(regex_match(heap, memory, bytes_of("ababc", 5)), 1);
        assert_int_equal(regex_match(steps, memory, bytes_of("xxxy", 4)), 1);
    }
    assert_int_equal(mem_stats().allocations, before.allocations);
    regex_memory_free(memory);
    regex_free(steps);
    regex_free(heap);
    regex_free(fine);
}

static void memory_may_end(void **state)
{
    bool met = true;
    unsigned n;

    for (n = 0; met; n++) {
        struct regex_memory *memory = NULL;
        struct regex *regex = NULL;
        int64_t live = mem_stats().live;
        int r;

        mem_fail_after(n);
        r = regex_compile(BYTES("a(b|c)*[d-f]{2,9}"), NULL, &regex);
        if (r == 0)
            r = regex_memory_create(&memory);
        met = mem_fail_after(-1);
        assert_int_equal(r, met ? -ENOMEM : 0);
        regex_memory_free(memory);
        regex_free(regex);
        assert_int_equal(mem_stats().live, live);
    }
    assert_true(n > 3);
    regex_free(NULL);
    regex_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_whole_text), cmocka_unit_test(bad_ones_are_refused),
        cmocka_unit_test(size_is_bounded),        cmocka_unit_test(time_and_memory_are_bounded),
        cmocka_unit_test(memory_may_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
