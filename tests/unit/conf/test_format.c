#include "base/alloc.h"
#include "base/limits.h"
#include "conf/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A text, and how it should look; NULL: as it is. */
static const struct {
    const char *text, *result;
} ROWS[] = {
    { "", NULL },
    { "\n\n", "" },
    { "a: 1\n", NULL },
    { "a: 1", "a: 1\n" },
    { "a: 1  \n\n\n\nb: 2\t\n\n", "a: 1\n\nb: 2\n" },
    { "\xef\xbb\xbf"
      "a: 1\r\nb: 2\r\n",
      "a: 1\nb: 2\n" },
    /* levels */
    { "a:\n    b:\n        c: 1\n    d: 2\ne: 3\n", "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n" },
    { "a:\n b:\n  c: 1\n d: 2\n", "a:\n  b:\n    c: 1\n  d: 2\n" },
    { "a:\n- 1\n- 2\nb: 3\n", "a:\n  - 1\n  - 2\nb: 3\n" },
    { "a:\n    - 1\n    - 2\n", "a:\n  - 1\n  - 2\n" },
    { "a:\n-   b: 1\n    c: 2\n-   d: 3\n", "a:\n  - b: 1\n    c: 2\n  - d: 3\n" },
    { "- - 1\n  - 2\n- - 3\n", NULL },
    { "-   -   1\n    -   2\n", "- - 1\n  - 2\n" },
    { "- a:\n  - b\n  c: d\n", "- a:\n    - b\n  c: d\n" },
    { "a:\n-\n  b: 1\n", "a:\n  -\n    b: 1\n" },
    { "   a: 1\n   b: 2\n", "a: 1\nb: 2\n" },
    { "---\n  a: 1\n", "---\na: 1\n" },
    { "-1\n", NULL },
    { "- -1\n", NULL },
    /* spaces that line values up */
    { "a:    1\nbcd:  2\n", NULL },
    /* comments */
    { "# one\n\n# two\na: 1 # three\n# four\n", NULL },
    { "a:\n    # one\n    b: 1\n    # two\n# three\nc: 1\n", "a:\n  # one\n  b: 1\n  # two\n# three\nc: 1\n" },
    { "a:\n# one\n- 1\n# two\n- 2\n# three\nb: 1\n", "a:\n  # one\n  - 1\n  # two\n  - 2\n# three\nb: 1\n" },
    { "a: {b: 1} # c\n", "a: { b: 1 } # c\n" },
    { "a: [1,2]     # c\n", "a: [1, 2]     # c\n" },
    { "a: [1, # one\n  2] # two\n", "a: [1, # one\n  2] # two\n" },
    { "a: '#1'\nb: x#y\n", NULL },
    /* braces and brackets */
    { "a: {b: 1,c: 2}\n", "a: { b: 1, c: 2 }\n" },
    { "a: {   b: 1   ,   c : 2   }\n", "a: { b: 1, c: 2 }\n" },
    { "a: {}\nb: [ ]\nc: {  }\nd: []\n", "a: {}\nb: []\nc: {}\nd: []\n" },
    { "a: [ 1,2 , 3 ]\n", "a: [1, 2, 3]\n" },
    { "a: [{b: 1},{c: [1]}]\n", "a: [ { b: 1 }, { c: [1] } ]\n" },
    { "a: [b: 1,c: {d: 1}]\n", "a: [ b: 1, c: { d: 1 } ]\n" },
    { "a: [b: 1]\n", "a: [ b: 1 ]\n" },
    { "a: [{b: 1},c]\n", "a: [ { b: 1 }, c ]\n" },
    { "a: [[1],[2]]\n", "a: [ [1], [2] ]\n" },
    { "a: { b: \"x,  y\", c: 'z: { }' }\n", NULL },
    { "a: {b: 1,\n     c: 2\n}\n", "a: { b: 1,\n  c: 2\n}\n" },
    { "a:\n    b: [\n1,\n    2,\n  [ 3 ]\n    ]\n", "a:\n  b: [\n    1,\n    2,\n    [3]\n  ]\n" },
    { "{a: 1}\n", "{ a: 1 }\n" },
    { "a: { \xc3\xa9: 1,b: \xe2\x82\xac,c: 2 }\n", "a: { \xc3\xa9: 1, b: \xe2\x82\xac, c: 2 }\n" },
    { "a: { b: http://x:80/,c: 1 }\n", "a: { b: http://x:80/, c: 1 }\n" },
    { "a: [a, b]: c\n", "!" },
    /* texts of several lines */
    { "a: |\n      x\n        y\n\n      z\nb: 1\n", "a: |\n  x\n    y\n\n  z\nb: 1\n" },
    { "a:\n    b: |\n     x   \n\n\n\n    c: 1\n", "a:\n  b: |\n    x   \n\n  c: 1\n" },
    { "a: |+\n  x\n\n\nb: 1\n", NULL },
    { "a: >-\n    x\n    y\n# c\nb: 1\n", "a: >-\n  x\n  y\n# c\nb: 1\n" },
    { "a:\n     b: |2\n         x\n       y\n", "a:\n  b: |2\n      x\n    y\n" },
    { "a: |\n  # no comment\n  - no item\n", NULL },
    { "- |\n   x\n- |\n   y\n", "- |\n    x\n- |\n    y\n" },
    { "a: x\n   y\n\n   z\nb: 1\n", "a: x\n  y\n\n  z\nb: 1\n" },
    { "a: \"x\n y\\\n  z\"\nb: 1\n", "a: \"x\n  y\\\n  z\"\nb: 1\n" },
    { "a: {b: \"x\n      y\",c: 1}\n", "a: { b: \"x\n  y\", c: 1 }\n" },
    /* anchors, tags, aliases */
    { "a: &x {b: 1}\nc: *x\n", "a: &x { b: 1 }\nc: *x\n" },
    { "a: &x\n    b: 1\nc: !t\n    - 1\n", "a: &x\n  b: 1\nc: !t\n  - 1\n" },
    /* what is no YAML */
    { "a: [1\n", "!" },
    { "a: 'b\n", "!" },
    { "a: 1\n b: 2\n", "!" },
    { "a: 1\n\xef\xbb\xbf", "!" },
    { "a: 1\rb: 2\n", "!" },
    { "a: 1\xe2\x80\xa8", "!" },
};

static void texts_are_laid_out(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const char *wanted = ROWS[i].result ? ROWS[i].result : ROWS[i].text;
        struct fault fault = { 0 };
        struct bytes first, second;
        int r = conf_format("weft.yaml", bytes_of_text(ROWS[i].text), &fault, &first);

        if (wanted[0] == '!') {
            assert_int_equal(r, -EINVAL);
            assert_true(fault.what[0] != '\0');
            continue;
        }
        if (r < 0)
            fail_msg("row %zu: %s\n%s", i, fault.what, ROWS[i].text);
        if (!bytes_equal(first, bytes_of_text(wanted)))
            fail_msg("row %zu:\n%s-- became\n" BYTES_FMT "-- not\n%s", i, ROWS[i].text, BYTES_ARG(first), wanted);
        assert_int_equal(conf_format("weft.yaml", first, &fault, &second), 0); /* (4) */
        if (!bytes_equal(first, second))
            fail_msg("row %zu: a second time\n" BYTES_FMT, i, BYTES_ARG(second));
        mem_free((void *)(uintptr_t)first.data);
        mem_free((void *)(uintptr_t)second.data);
    }
}

static char *repeat(const char *part, size_t count)
{
    size_t len = strlen(part);
    char *text = malloc(len * count + 1);

    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, part, len);
    text[len * count] = '\0';
    return text;
}

static void bounds_are_kept(void **state)
{
    char *open = repeat("[", CONF_FORMAT_DEPTH_MAX + 1), *close = repeat("]", CONF_FORMAT_DEPTH_MAX + 1);
    char *deep = malloc(2 * CONF_FORMAT_DEPTH_MAX + 3), *items = repeat("- ", CONF_FORMAT_DEPTH_MAX + 1);
    char *large = repeat("a", CONF_TEXT_MAX + 1);
    struct fault fault = { 0 };
    struct bytes result;

    assert_non_null(deep);
    (void)snprintf(deep, 2 * CONF_FORMAT_DEPTH_MAX + 3, "%s%s", open, close);
    assert_int_equal(conf_format("f", bytes_of_text(deep), &fault, &result), -EINVAL);
    assert_non_null(strstr(fault.what, "128 levels"));
    assert_int_equal(conf_format("f", bytes_of_text(items), &fault, &result), -EINVAL);
    assert_int_equal(conf_format("f", bytes_of_text(large), &fault, &result), -EFBIG);
    free(open);
    free(close);
    free(deep);
    free(items);
    free(large);
}

static void many_lines_within_brackets_have_an_end(void **state)
{
    char *open = repeat("[", CONF_FORMAT_DEPTH_MAX), *lines = repeat("\n1,", 300000), *close = repeat("]", 128);
    size_t len = strlen(open) + strlen(lines) + strlen(close);
    char *text = malloc(len + 2);
    struct fault fault = { 0 };
    struct bytes result;

    assert_non_null(text);
    (void)snprintf(text, len + 2, "%s%s%s", open, lines, close);
    assert_int_equal(conf_format("f", bytes_of_text(text), &fault, &result), -EINVAL); /* CONF_FORMAT_MAX */
    assert_non_null(strstr(fault.what, "longer than"));
    free(open);
    free(lines);
    free(close);
    free(text);
}

static void no_memory_is_told(void **state)
{
    struct bytes text = BYTES("a:\n- b: {c: 1}\n- |\n  x\n"), result;
    struct fault fault = { 0 };

    for (int64_t n = 0;; n++) {
        int r;

        (void)mem_fail_after(n);
        r = conf_format("f", text, &fault, &result);
        if (!mem_fail_after(-1)) {
            assert_int_equal(r, 0);
            mem_free((void *)(uintptr_t)result.data);
            break;
        }
        assert_int_equal(r, -ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_laid_out),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(many_lines_within_brackets_have_an_end),
        cmocka_unit_test(no_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
