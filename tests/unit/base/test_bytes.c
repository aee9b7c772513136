#include "base/bytes.h"

#include "base/limits.h"
#include "base/prng.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bytes b(const char *text)
{
    return bytes_of_text(text);
}

static void makes(void **state)
{
    struct bytes literal = BYTES("a\0b");

    assert_int_equal(literal.len, 3);
    assert_int_equal(b(NULL).len, 0);
    assert_null(b(NULL).data);
    assert_int_equal(b("abc").len, 3);
    assert_true(bytes_equal(BYTES_NONE, BYTES("")));
    assert_false(bytes_equal(BYTES("a"), BYTES("b")));
    assert_false(bytes_equal(BYTES("a"), BYTES("ab")));
}

/* The folding of eight bytes agrees with that of one, for every byte in every place. */
static void lower8_agrees_with_lower(void **state)
{
    for (unsigned value = 0; value < 256; value++) {
        for (unsigned place = 0; place < 8; place++) {
            unsigned char in[8] = { 'Z', '@', '[', 0xff, 'a', 'A', 0x80, 0 };
            unsigned char out[8];
            uint64_t word;

            in[place] = (unsigned char)value;
            memcpy(&word, in, 8);
            word = ascii_lower8(word);
            memcpy(out, &word, 8);
            for (unsigned i = 0; i < 8; i++)
                assert_int_equal(out[i], (unsigned char)ascii_lower((char)in[i]));
        }
    }
}

static void equal_ci(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } ROWS[] = {
        { "", "", true },
        { "a", "A", true },
        { "a", "b", false },
        { "@", "`", false },
        { "[", "{", false },
        { "Content-Length", "content-length", true },
        { "CONTENT-LENGTH", "content-lengtj", false },
        { "Xontent-length", "content-length", false },
        { "content-length", "content-length2", false },
        { "\xc4pfel-und-birnen", "\xe4pfel-und-birnen", false }, /* ASCII letters only */
        { "12345678", "12345678", true },
        { "ABCDEFGHIJKLMNOP", "abcdefghijklmnop", true },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        assert_int_equal(bytes_equal_ci(b(ROWS[i].a), b(ROWS[i].b)), ROWS[i].equal);
        assert_int_equal(bytes_equal_ci(b(ROWS[i].b), b(ROWS[i].a)), ROWS[i].equal);
    }
    assert_true(bytes_equal_ci(BYTES_NONE, BYTES("")));
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void compare(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } ROWS[] = { { "", "", 0 },     { "", "a", -1 },       { "a", "a", 0 }, { "a", "b", -1 }, { "ab", "a", 1 },
                 { "ab", "b", -1 }, { "\xff", "\x01", 1 }, { "a", "A", 1 }, { NULL, "", 0 },  { NULL, "a", -1 } };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        assert_int_equal(sign(bytes_compare(b(ROWS[i].a), b(ROWS[i].b))), ROWS[i].order);
        assert_int_equal(sign(bytes_compare(b(ROWS[i].b), b(ROWS[i].a))), -ROWS[i].order);
    }
}

static void starts_and_ends(void **state)
{
    static const struct {
        const char *whole, *part;
        bool starts, ends;
    } ROWS[] = { { "abc", "", true, true },    { "abc", "ab", true, false },    { "abc", "bc", false, true },
                 { "abc", "abc", true, true }, { "abc", "abcd", false, false }, { "", "", true, true },
                 { NULL, "", true, true },     { NULL, "a", false, false },     { "abc", NULL, true, true } };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        assert_int_equal(bytes_starts(b(ROWS[i].whole), b(ROWS[i].part)), ROWS[i].starts);
        assert_int_equal(bytes_ends(b(ROWS[i].whole), b(ROWS[i].part)), ROWS[i].ends);
    }
}

static void finds(void **state)
{
    assert_int_equal(bytes_find(b("abcabc"), b("ca")), 2);
    assert_int_equal(bytes_find(b("abcabc"), b("abc")), 0);
    assert_int_equal(bytes_find(b("abcabc"), b("abd")), -1);
    assert_int_equal(bytes_find(b("ab"), b("abc")), -1);
    assert_int_equal(bytes_find(b("ab"), b("")), 0);
    assert_int_equal(bytes_find(BYTES_NONE, BYTES_NONE), 0);
    assert_int_equal(bytes_find(BYTES_NONE, b("a")), -1);
    assert_int_equal(bytes_find(BYTES("a\0b"), BYTES("\0b")), 1);
    assert_int_equal(bytes_find_char(b("abc"), 'c'), 2);
    assert_int_equal(bytes_find_char(b("abc"), 'd'), -1);
    assert_int_equal(bytes_find_char(b(""), 'd'), -1);
    assert_int_equal(bytes_find_char(BYTES_NONE, 'd'), -1);
}

static void slices(void **state)
{
    static const struct {
        size_t from, to;
        const char *slice;
    } ROWS[] = { { 0, 6, "abcdef" }, { 0, SIZE_MAX, "abcdef" },
                 { 2, 4, "cd" },     { 4, 2, "" },
                 { 6, 6, "" },       { 7, 9, "" },
                 { 5, 9, "f" },      { SIZE_MAX, SIZE_MAX, "" } };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_true(bytes_equal(bytes_slice(b("abcdef"), ROWS[i].from, ROWS[i].to), b(ROWS[i].slice)));
    assert_null(bytes_slice(BYTES_NONE, 1, 2).data);
    assert_true(bytes_equal(bytes_skip(b("abc"), 1), b("bc")));
    assert_true(bytes_equal(bytes_skip(b("abc"), 3), b("")));
    assert_true(bytes_equal(bytes_skip(b("abc"), SIZE_MAX), b("")));
    assert_null(bytes_skip(BYTES_NONE, 5).data);
}

static void trims(void **state)
{
    static const struct {
        const char *whole, *trimmed;
    } ROWS[] = { { "", "" },           { " ", "" },       { "\t \t", "" },  { "a", "a" },
                 { "  a b\t", "a b" }, { "a\n ", "a\n" }, { "\va", "\va" }, { NULL, NULL } };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_true(bytes_equal(bytes_trim(b(ROWS[i].whole)), b(ROWS[i].trimmed)));
}

static void splits(void **state)
{
    static const struct {
        const char *whole;
        size_t count;
        const char *parts[4];
    } ROWS[] = {
        { "a,,b", 3, { "a", "", "b" } }, { "a", 1, { "a" } },      { "", 1, { "" } },
        { ",", 2, { "", "" } },          { "a,", 2, { "a", "" } }, { NULL, 0, { NULL } },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct bytes rest = b(ROWS[i].whole);
        struct bytes part = BYTES("untouched");
        size_t count = 0;

        for (; bytes_split(&rest, ',', &part); count++) {
            assert_true(count < ROWS[i].count);
            assert_true(bytes_equal(part, b(ROWS[i].parts[count])));
            part = BYTES("untouched");
        }
        assert_int_equal(count, ROWS[i].count);
        assert_true(bytes_equal(part, BYTES("untouched")));
    }
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } ROWS[] = {
        { "0", 0, 0 },
        { "42", 0, 42 },
        { "00042", 0, 42 },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18446744073709551616", -ERANGE, 0 },
        { "18446744073709551620", -ERANGE, 0 },
        { "99999999999999999999999", -ERANGE, 0 },
        { "99999999999999999999999x", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { NULL, -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "+1", -EINVAL, 0 },
        { " 1", -EINVAL, 0 },
        { "1 ", -EINVAL, 0 },
        { "1/", -EINVAL, 0 },
        { "1:", -EINVAL, 0 },
        { "\xb1", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        uint64_t value = 4711;

        assert_int_equal(bytes_to_u64(b(ROWS[i].text), &value), ROWS[i].result);
        assert_int_equal(value, ROWS[i].result == 0 ? ROWS[i].value : 4711);
    }
}

static void measures_distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } ROWS[] = {
        { "", "", 0 },
        { "", "abc", 3 },
        { "abc", "abc", 0 },
        { "abc", "abd", 1 },
        { "abc", "ac", 1 },
        { "kitten", "sitting", 3 },
        { "saturday", "sunday", 3 },
        { "timeuot", "timeout", 2 },
        { "abcdef", "fedcba", 6 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        for (unsigned limit = 0; limit < 9; limit++) {
            unsigned expected = MIN(ROWS[i].distance, limit + 1);

            assert_int_equal(bytes_distance(b(ROWS[i].a), b(ROWS[i].b), limit), expected);
            assert_int_equal(bytes_distance(b(ROWS[i].b), b(ROWS[i].a), limit), expected);
        }
    }
}

static void distance_is_bounded(void **state)
{
    char longest[BYTES_DISTANCE_MAX + 1] = { 0 };
    struct bytes fits = bytes_of(longest, BYTES_DISTANCE_MAX);
    struct bytes too_long = bytes_of(longest, BYTES_DISTANCE_MAX + 1);

    assert_int_equal(bytes_distance(fits, fits, 3), 0);
    assert_int_equal(bytes_distance(fits, BYTES(""), 1000), BYTES_DISTANCE_MAX);
    assert_int_equal(bytes_distance(too_long, too_long, 3), 4);
    assert_int_equal(bytes_distance(fits, too_long, 1000), 1001);
    assert_int_equal(bytes_distance(too_long, fits, 1000), 1001);
    assert_int_equal(bytes_distance(too_long, fits, UINT_MAX), UINT_MAX);
    assert_int_equal(bytes_distance(fits, fits, UINT_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes),
        cmocka_unit_test(lower8_agrees_with_lower),
        cmocka_unit_test(equal_ci),
        cmocka_unit_test(compare),
        cmocka_unit_test(finds),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(slices),
        cmocka_unit_test(trims),
        cmocka_unit_test(splits),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(measures_distance),
        cmocka_unit_test(distance_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
