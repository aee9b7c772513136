#include "base/text.h"

#include "faults.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#include <cmocka.h>

#define MEMORY 2048

/* Adds the i-th row of a table. */
typedef void (*add_row)(struct text *text, size_t i);

/* Whatever room there is: what fits is written and `full` says whether that was all; nothing past the room. */
static void assert_text(add_row add, size_t i, const char *expected)
{
    size_t len = strlen(expected);

    for (size_t max = 0; max <= len + 3; max++) {
        char memory[MEMORY];
        struct text text = text_into(memory, max);

        memset(memory, '#', sizeof(memory));
        add(&text, i);
        assert_int_equal(text.full, max < len);
        assert_int_equal(text.len, MIN(max, len));
        assert_memory_equal(memory, expected, text.len);
        for (size_t at = max; at < len + 10; at++)
            assert_int_equal(memory[at], '#');
        assert_true(bytes_equal(text_bytes(&text), bytes_of(memory, text.len)));
    }
}

static void add_several(struct text *text, size_t i)
{
    text_add(text, BYTES("ab"));
    text_add(text, BYTES_NONE);
    text_add_char(text, 'c');
    text_add(text, BYTES("def"));
}

static void adds_bytes(void **state)
{
    assert_text(add_several, 0, "abcdef");
}

/* Once full, a text takes nothing that would still fit. */
static void full_stays_full(void **state)
{
    char memory[4];
    struct text text = text_into(memory, sizeof(memory));

    text.full = true;
    text_add(&text, BYTES("a"));
    text_add_char(&text, 'a');
    text_add_u64(&text, 1);
    text_add_format(&text, "%d", 1);
    text_add_json(&text, BYTES("a"));
    assert_int_equal(text.len, 0);
    assert_true(text.full);
}

static const struct {
    uint64_t value;
    const char *text;
} NUMBERS[] = {
    { 0, "0" },
    { 9, "9" },
    { 10, "10" },
    { 99, "99" },
    { 100, "100" },
    { 101, "101" },
    { 999, "999" },
    { 1000, "1000" },
    { 123456, "123456" },
    { 1000000, "1000000" },
    { UINT64_MAX, "18446744073709551615" },
};

static void add_u64_row(struct text *text, size_t i)
{
    text_add_u64(text, NUMBERS[i].value);
}

static void adds_u64(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++)
        assert_text(add_u64_row, i, NUMBERS[i].text);
}

/* The C library's answer, over numbers of all lengths. */
static void u64_agrees_with_printf(void **state)
{
    for (uint64_t value = 1; value < UINT64_MAX / 3; value = value * 3 + 1) {
        char memory[32], expected[32];
        struct text text = text_into(memory, sizeof(memory));

        snprintf(expected, sizeof(expected), "%" PRIu64, value);
        text_add_u64(&text, value);
        assert_true(bytes_equal(text_bytes(&text), bytes_of_text(expected)));
    }
}

static const struct {
    int64_t value;
    const char *text;
} SIGNED[] = {
    { 0, "0" }, { -1, "-1" }, { 42, "42" }, { INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" },
};

static void add_i64_row(struct text *text, size_t i)
{
    text_add_i64(text, SIGNED[i].value);
}

static void adds_i64(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(SIGNED); i++)
        assert_text(add_i64_row, i, SIGNED[i].text);
}

static const struct {
    uint64_t value;
    unsigned digits;
    const char *text;
} HEX[] = {
    { 0, 0, "0" },
    { 0, 1, "0" },
    { 0, 4, "0000" },
    { 0x1f, 1, "1f" },
    { 0xabcdef, 8, "00abcdef" },
    { UINT64_MAX, 16, "ffffffffffffffff" },
    { 0x123456789abcdef0, 16, "123456789abcdef0" },
};

static void add_hex_row(struct text *text, size_t i)
{
    text_add_hex(text, HEX[i].value, HEX[i].digits);
}

static void adds_hex(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(HEX); i++)
        assert_text(add_hex_row, i, HEX[i].text);
}

static void adds_too_much_hex(void *context)
{
    char memory[32];
    struct text text = text_into(memory, sizeof(memory));

    text_add_hex(&text, 0, 17);
}

static void hex_digits_are_bounded(void **state)
{
    faults_dies(adds_too_much_hex, NULL, "digits <= sizeof(buffer)");
}

static const struct {
    int64_t ns;
    const char *text;
} SECONDS[] = {
    { 0, "0.000000" },
    { 1234000, "0.001234" },
    { 1234999, "0.001234" },
    { 999, "0.000000" },
    { -999, "0.000000" },
    { -1000, "-0.000001" },
    { 61 * NS_PER_S, "61.000000" },
    { INT64_MAX, "9223372036.854775" },
    { INT64_MIN, "-9223372036.854775" },
};

static void add_seconds_row(struct text *text, size_t i)
{
    text_add_seconds(text, SECONDS[i].ns);
}

static void adds_seconds(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(SECONDS); i++)
        assert_text(add_seconds_row, i, SECONDS[i].text);
}

static void add_format_row(struct text *text, size_t i)
{
    text_add_format(text, "%s=%d;", "key", 7);
    text_add_format(text, "%s", "");
}

static void adds_formats(void **state)
{
    assert_text(add_format_row, 0, "key=7;");
}

/* A long part is written in place, where vsnprintf wants room for a zero besides. */
static void adds_long_formats(void **state)
{
    static const size_t WIDTHS[] = { 511, 512, 513, 1000 };

    for (size_t i = 0; i < ARRAY_LEN(WIDTHS); i++) {
        for (size_t max = 0; max < WIDTHS[i] + 3; max++) {
            bool in_place = WIDTHS[i] >= 512;
            size_t kept = in_place && max <= WIDTHS[i] ? (max > 0 ? max - 1 : 0) : MIN(max, WIDTHS[i]);
            char memory[MEMORY];
            struct text text = text_into(memory, max);

            memset(memory, '#', sizeof(memory));
            text_add_format(&text, "%0*d", (int)WIDTHS[i], 0);
            assert_int_equal(text.len, kept);
            assert_int_equal(text.full, kept < WIDTHS[i]);
            for (size_t at = 0; at < kept; at++)
                assert_int_equal(memory[at], '0');
            for (size_t at = max; at < WIDTHS[i] + 10; at++)
                assert_int_equal(memory[at], '#');
        }
    }
}

static void what_cannot_be_formatted_is_missing(void **state)
{
    char memory[32];
    struct text text = text_into(memory, sizeof(memory));

    text_add_format(&text, "%lc", (wint_t)0xd800); /* a surrogate: no character */
    assert_true(text.full);
    assert_int_equal(text.len, 0);
}

#define FFFD "\xef\xbf\xbd"

/* Among them the examples of the Unicode Standard, 3.9, tables 3-8 to 3-11: what one U+FFFD stands for. */
static const struct {
    struct bytes value;
    const char *json;
} JSON[] = {
    { { NULL, 0 }, "\"\"" },
    { { "plain", 5 }, "\"plain\"" },
    { { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
    { { "\n\r\t\b\f\0\x1f\x7f", 8 }, "\"\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\x7f\"" },
    { { "/<>&'", 5 }, "\"/<>&'\"" },
    { { "\xc3\xa4", 2 }, "\"\xc3\xa4\"" },
    { { "\xe2\x82\xac", 3 }, "\"\xe2\x82\xac\"" },
    { { "\xf0\x9f\x98\x80!", 5 }, "\"\xf0\x9f\x98\x80!\"" },
    { { "\xed\x9f\xbf\xee\x80\x80", 6 }, "\"\xed\x9f\xbf\xee\x80\x80\"" },
    { { "\xf4\x8f\xbf\xbf", 4 }, "\"\xf4\x8f\xbf\xbf\"" },
    { { "\xc3", 1 }, "\"" FFFD "\"" },
    { { "\xc3(", 2 }, "\"" FFFD "(\"" },
    { { "\x80", 1 }, "\"" FFFD "\"" },
    { { "\xff", 1 }, "\"" FFFD "\"" },
    { { "\xe2\x82", 2 }, "\"" FFFD "\"" },
    { { "\xe2\x82"
        "a",
        3 },
      "\"" FFFD "a\"" },
    { { "\xf0\x9f\x98", 3 }, "\"" FFFD "\"" },
    { { "\xf0\x9f\x98"
        "a",
        4 },
      "\"" FFFD "a\"" },
    { { "\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9 }, "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\"" },
    { { "\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9 }, "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\"" },
    { { "\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9 }, "\"" FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B\"" },
    { { "\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9 }, "\"" FFFD FFFD FFFD FFFD "A\"" },
};

static void add_json_row(struct text *text, size_t i)
{
    text_add_json(text, JSON[i].value);
}

static void adds_json(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(JSON); i++)
        assert_text(add_json_row, i, JSON[i].json);
}

/* All code points pass, but for the surrogates. */
static void json_keeps_all_characters(void **state)
{
    for (unsigned point = 0x80; point < 0x110000; point++) {
        unsigned char utf8[4];
        char memory[16];
        struct text text = text_into(memory, sizeof(memory));
        size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        bool surrogate = point >= 0xd800 && point < 0xe000;

        for (size_t i = 1; i < len; i++)
            utf8[i] = (unsigned char)(0x80 | (point >> (6 * (len - 1 - i)) & 0x3f));
        utf8[0] = (unsigned char)(0xf00 >> len | point >> (6 * (len - 1)));
        text_add_json(&text, bytes_of(utf8, len));
        if (surrogate) {
            assert_int_equal(text.len, 2 + 9);
        } else {
            assert_int_equal(text.len, 2 + len);
            assert_memory_equal(memory + 1, utf8, len);
        }
    }
}

/* Made with Python's datetime, which knows the calendar by another way. */
static const struct {
    int64_t ns;
    const char *text;
} TIMES[] = {
    { 0, "1970-01-01T00:00:00.000Z" },
    { 999999, "1970-01-01T00:00:00.000Z" },
    { -1, "1969-12-31T23:59:59.999Z" },
    { -86400 * NS_PER_S, "1969-12-31T00:00:00.000Z" },
    { INT64_C(68169600000000000), "1972-02-29T00:00:00.000Z" },
    { INT64_C(951782399999999999), "2000-02-28T23:59:59.999Z" },
    { INT64_C(951782400000000000), "2000-02-29T00:00:00.000Z" },
    { INT64_C(1709164800000000000), "2024-02-29T00:00:00.000Z" },
    { INT64_C(1795250000123456789), "2026-11-21T08:33:20.123Z" },
    { INT64_C(4102444800000000000), "2100-01-01T00:00:00.000Z" },
    { INT64_C(4107542399999000000), "2100-02-28T23:59:59.999Z" },
    { INT64_MIN, "1677-09-21T00:12:43.145Z" },
    { INT64_MAX, "2262-04-11T23:47:16.854Z" },
};

static void add_time_row(struct text *text, size_t i)
{
    text_add_time(text, TIMES[i].ns);
}

static void adds_times(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(TIMES); i++)
        assert_text(add_time_row, i, TIMES[i].text);
}

/* Every day from 1678 to 2261 follows the day before it, by the rule of the Gregorian calendar. */
static void days_follow_each_other(void **state)
{
    static const unsigned DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned year = 1678, month = 1, day = 1;

    for (int64_t number = -106650; year < 2262; number++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        char memory[32], expected[48];
        struct text text = text_into(memory, sizeof(memory));

        snprintf(expected, sizeof(expected), "%04u-%02u-%02uT00:00:00.000Z", year, month, day);
        text_add_time(&text, number * 86400 * NS_PER_S);
        assert_true(bytes_equal(text_bytes(&text), bytes_of_text(expected)));
        if (++day > DAYS[month - 1] + (leap && month == 2)) {
            day = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_bytes),
        cmocka_unit_test(full_stays_full),
        cmocka_unit_test(adds_u64),
        cmocka_unit_test(u64_agrees_with_printf),
        cmocka_unit_test(adds_i64),
        cmocka_unit_test(adds_hex),
        cmocka_unit_test(hex_digits_are_bounded),
        cmocka_unit_test(adds_seconds),
        cmocka_unit_test(adds_formats),
        cmocka_unit_test(adds_long_formats),
        cmocka_unit_test(what_cannot_be_formatted_is_missing),
        cmocka_unit_test(adds_json),
        cmocka_unit_test(json_keeps_all_characters),
        cmocka_unit_test(adds_times),
        cmocka_unit_test(days_follow_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
