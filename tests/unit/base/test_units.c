#include "base/units.h"

#include "base/limits.h"
#include "base/prng.h"
#include "faults.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bytes b(const char *text)
{
    return bytes_of_text(text);
}

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t ns;
    } ROWS[] = {
        { "0", 0, 0 },
        { "0s", 0, 0 },
        { "200ms", 0, 200 * NS_PER_MS },
        { "15s", 0, 15 * NS_PER_S },
        { "5m", 0, 300 * NS_PER_S },
        { "1h30m", 0, 5400 * NS_PER_S },
        { "2d", 0, 172800 * NS_PER_S },
        { "7us", 0, 7000 },
        { "9ns", 0, 9 },
        { "1d2h3m4s5ms6us7ns", 0, INT64_C(93784005006007) },
        { "90m", 0, 5400 * NS_PER_S },
        { "9223372036854775807ns", 0, INT64_MAX },
        { "9223372036854775808ns", -ERANGE, 0 },
        { "18446744073709551616ns", -ERANGE, 0 },
        { "106752d", -ERANGE, 0 },
        { "106751d", 0, INT64_C(106751) * 86400 * NS_PER_S },
        { "106751d24h", -ERANGE, 0 },
        { "99999999999999999999d5x", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { NULL, -EINVAL, 0 },
        { "00", -EINVAL, 0 },
        { "5", -EINVAL, 0 },
        { "s", -EINVAL, 0 },
        { "1.5s", -EINVAL, 0 },
        { "-1s", -EINVAL, 0 },
        { "1 s", -EINVAL, 0 },
        { "1s ", -EINVAL, 0 },
        { "1S", -EINVAL, 0 },
        { "1min", -EINVAL, 0 },
        { "1w", -EINVAL, 0 },
        { "1m1h", -EINVAL, 0 },
        { "1m1m", -EINVAL, 0 },
        { "1h30", -EINVAL, 0 },
        { "1ns1s", -EINVAL, 0 },
        { "1ns1ns", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        int64_t ns = 4711;

        assert_int_equal(duration_parse(b(ROWS[i].text), &ns), ROWS[i].result);
        assert_int_equal(ns, ROWS[i].result == 0 ? ROWS[i].ns : 4711);
    }
}

static void assert_duration(int64_t ns, const char *expected)
{
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));

    duration_write(&text, ns);
    if (!bytes_equal(text_bytes(&text), b(expected)))
        fail_msg("%.*s, not %s", BYTES_ARG(text_bytes(&text)), expected);
}

static void writes_durations(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } ROWS[] = {
        { 0, "0" },
        { 1, "1ns" },
        { 200 * NS_PER_MS, "200ms" },
        { 1000 * NS_PER_MS, "1s" },
        { 1500 * NS_PER_MS, "1500ms" },
        { 15 * NS_PER_S, "15s" },
        { 60 * NS_PER_S, "1m" },
        { 90 * NS_PER_S, "90s" },
        { 3600 * NS_PER_S, "1h" },
        { 5400 * NS_PER_S, "90m" },
        { 86400 * NS_PER_S, "1d" },
        { 90000 * NS_PER_S, "25h" },
        { 86400 * NS_PER_S + 1, "1d1ns" },
        { 86401 * NS_PER_S, "1d1s" },
        { -5 * NS_PER_S, "-5s" },
        { INT64_MIN, "-9223372036854775808ns" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_duration(ROWS[i].ns, ROWS[i].text);
}

static int64_t random_duration(struct prng *prng)
{
    static const int64_t UNITS[] = {
        1, NS_PER_US, NS_PER_MS, NS_PER_S, 60 * NS_PER_S, 3600 * NS_PER_S, 86400 * NS_PER_S
    };
    int64_t ns = 0;

    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        if (prng_chance(prng, 0.3))
            ns += prng_between(prng, 0, 1000) * UNITS[i];
    }
    return prng_chance(prng, 0.1) ? prng_between(prng, 0, INT64_MAX) : ns;
}

static void durations_read_back(void **state)
{
    struct prng prng;

    prng_seed(&prng, 1);
    for (int n = 0; n < 5000; n++) {
        int64_t ns = random_duration(&prng), back = -1;
        char memory[64];
        struct text text = text_into(memory, sizeof(memory));

        duration_write(&text, ns);
        assert_false(text.full);
        assert_int_equal(duration_parse(text_bytes(&text), &back), 0);
        assert_int_equal(back, ns);
    }
}

static void reads_ranges(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t low_ns, high_ns;
    } ROWS[] = {
        { "100ms..1s", 0, 100 * NS_PER_MS, NS_PER_S },
        { "1s..1s", 0, NS_PER_S, NS_PER_S },
        { "0..1ns", 0, 0, 1 },
        { "2s..1s", -ERANGE, 0, 0 },
        { "999999d..1s", -ERANGE, 0, 0 },
        { "1s..999999d", -ERANGE, 0, 0 },
        { "1s", -EINVAL, 0, 0 },
        { "1s..", -EINVAL, 0, 0 },
        { "..1s", -EINVAL, 0, 0 },
        { "1s.1s", -EINVAL, 0, 0 },
        { "1s...2s", -EINVAL, 0, 0 },
        { "999999d..x", -EINVAL, 0, 0 },
        { "", -EINVAL, 0, 0 },
        { NULL, -EINVAL, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct duration_range range = { 47, 11 };

        assert_int_equal(duration_range_parse(b(ROWS[i].text), &range), ROWS[i].result);
        assert_int_equal(range.low_ns, ROWS[i].result == 0 ? ROWS[i].low_ns : 47);
        assert_int_equal(range.high_ns, ROWS[i].result == 0 ? ROWS[i].high_ns : 11);
    }
}

static void reads_sizes(void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t bytes;
    } ROWS[] = {
        { "0", 0, 0 },
        { "512", 0, 512 },
        { "64KiB", 0, 65536 },
        { "256MiB", 0, UINT64_C(256) << 20 },
        { "1GiB", 0, UINT64_C(1) << 30 },
        { "2TiB", 0, UINT64_C(2) << 40 },
        { "1kB", 0, 1000 },
        { "1MB", 0, 1000000 },
        { "1GB", 0, 1000000000 },
        { "3TB", 0, UINT64_C(3000000000000) },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18446744073709551616", -ERANGE, 0 },
        { "16777215TiB", 0, UINT64_C(16777215) << 40 },
        { "16777216TiB", -ERANGE, 0 },
        { "99999999999999999999kB", -ERANGE, 0 },
        { "99999999999999999999x", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { NULL, -EINVAL, 0 },
        { "KiB", -EINVAL, 0 },
        { "1B", -EINVAL, 0 },
        { "1KB", -EINVAL, 0 },
        { "1k", -EINVAL, 0 },
        { "1kib", -EINVAL, 0 },
        { "1 MiB", -EINVAL, 0 },
        { "1.5MiB", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "1MiB1KiB", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        uint64_t bytes = 4711;

        assert_int_equal(size_parse(b(ROWS[i].text), &bytes), ROWS[i].result);
        assert_int_equal(bytes, ROWS[i].result == 0 ? ROWS[i].bytes : 4711);
    }
}

static void writes_sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } ROWS[] = {
        { 0, "0" },
        { 1, "1" },
        { 512, "512" },
        { 1000, "1kB" },
        { 1024, "1KiB" },
        { 1536, "1536" },
        { 65536, "64KiB" },
        { 1000000, "1MB" },
        { 1048576, "1MiB" },
        { 1024000, "1024kB" },
        { UINT64_C(1) << 40, "1TiB" },
        { UINT64_C(5000000000000), "5TB" },
        { UINT64_MAX, "18446744073709551615" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char memory[32];
        struct text text = text_into(memory, sizeof(memory));
        uint64_t back = 0;

        size_write(&text, ROWS[i].bytes);
        assert_true(bytes_equal(text_bytes(&text), b(ROWS[i].text)));
        assert_int_equal(size_parse(text_bytes(&text), &back), 0);
        assert_int_equal(back, ROWS[i].bytes);
    }
}

/* Rates, percentages and what they have in common: the decimal number. */
struct decimal_row {
    const char *text;
    int result;
    double value;
};

static void assert_decimals(const struct decimal_row *rows, size_t count,
                            int (*parse)(struct bytes text, double *ret_value))
{
    for (size_t i = 0; i < count; i++) {
        double value = 47.11;
        int result = parse(b(rows[i].text), &value);

        if (result != rows[i].result || value != (result == 0 ? rows[i].value : 47.11))
            fail_msg("%s: %d, %.17g", rows[i].text ? rows[i].text : "NULL", result, value);
    }
}

static void reads_rates(void **state)
{
    static const struct decimal_row ROWS[] = {
        { "100/s", 0, 100 },
        { "5000/m", 0, 5000.0 / 60 },
        { "10/h", 0, 10.0 / 3600 },
        { "0.5/s", 0, 0.5 },
        { "007.50/s", 0, 7.5 },
        { "1000000000000/s", 0, RATE_MAX },
        { "1000000000001/s", -ERANGE, 0 },
        { "0.000000001/s", 0, RATE_MIN },
        { "0.0000000009/s", -ERANGE, 0 },
        { "0/s", -ERANGE, 0 },
        { "0.00000000000000000000000000000/s", -ERANGE, 0 },
        { "1.000000000000000000000000000000/s", 0, 1 },        /* DECIMAL_TEXT_MAX characters */
        { "1.0000000000000000000000000000000/s", -ERANGE, 0 }, /* and one more */
        { "", -EINVAL, 0 },
        { NULL, -EINVAL, 0 },
        { "100", -EINVAL, 0 },
        { "100/", -EINVAL, 0 },
        { "/s", -EINVAL, 0 },
        { "100/d", -EINVAL, 0 },
        { "100/sec", -EINVAL, 0 },
        { "-1/s", -EINVAL, 0 },
        { ".5/s", -EINVAL, 0 },
        { "5./s", -EINVAL, 0 },
        { "5,0/s", -EINVAL, 0 },
        { "1.5.1/s", -EINVAL, 0 },
        { "1e3/s", -EINVAL, 0 },
        { "0x10/s", -EINVAL, 0 },
        { "nan/s", -EINVAL, 0 },
        { "1 /s", -EINVAL, 0 },
    };

    assert_decimals(ROWS, ARRAY_LEN(ROWS), rate_parse);
}

static void reads_percentages(void **state)
{
    static const struct decimal_row ROWS[] = {
        { "20%", 0, 0.2 },
        { "0.5%", 0, 0.005 },
        { "0%", 0, 0 },
        { "100%", 0, 1 },
        { "33.3%", 0, 0.333 },
        { "250%", 0, 2.5 },
        { "100000000%", 0, PERCENT_MAX },
        { "100000001%", -ERANGE, 0 },
        { "0.0000000000000000000000000000001%", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { NULL, -EINVAL, 0 },
        { "%", -EINVAL, 0 },
        { "20", -EINVAL, 0 },
        { "20 %", -EINVAL, 0 },
        { "20%%", -EINVAL, 0 },
        { "-1%", -EINVAL, 0 },
    };

    assert_decimals(ROWS, ARRAY_LEN(ROWS), percent_parse);
}

static void assert_decimal_text(void (*write)(struct text *text, double value), double value, const char *expected)
{
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));

    write(&text, value);
    if (!bytes_equal(text_bytes(&text), b(expected)))
        fail_msg("%.*s, not %s", BYTES_ARG(text_bytes(&text)), expected);
}

static void writes_rates_and_percentages(void **state)
{
    assert_decimal_text(rate_write, 100, "100/s");
    assert_decimal_text(rate_write, 5000.0 / 60, "5000/m");
    assert_decimal_text(rate_write, 10.0 / 3600, "10/h");
    assert_decimal_text(rate_write, 0.5, "30/m");
    assert_decimal_text(rate_write, 0.25, "15/m");
    assert_decimal_text(rate_write, 2.5, "2.5/s");
    assert_decimal_text(rate_write, 0.1, "6/m");
    assert_decimal_text(rate_write, RATE_MAX, "1000000000000/s");
    assert_decimal_text(rate_write, RATE_MIN, "0.000000001/s");
    assert_decimal_text(percent_write, 0, "0%");
    assert_decimal_text(percent_write, 0.2, "20%");
    assert_decimal_text(percent_write, 0.005, "0.5%");
    assert_decimal_text(percent_write, 0.00012, "0.012%");
    assert_decimal_text(percent_write, 0.333, "33.3%");
    assert_decimal_text(percent_write, 0.07, "7%");
    assert_decimal_text(percent_write, 1, "100%");
    assert_decimal_text(percent_write, 12.5, "1250%");
    assert_decimal_text(percent_write, PERCENT_MAX, "100000000%");
}

/* Any double in the range, not only those that people write. */
static void rates_and_percentages_read_back(void **state)
{
    struct prng prng;

    prng_seed(&prng, 2);
    for (int n = 0; n < 3000; n++) {
        double value = (1 + prng_unit(&prng)) * pow(10, (double)prng_between(&prng, -8, 5));
        double back = -1;
        char memory[64];
        struct text text = text_into(memory, sizeof(memory));

        rate_write(&text, value);
        assert_false(text.full);
        assert_int_equal(rate_parse(text_bytes(&text), &back), 0);
        assert_true(back == value);
        text.len = 0;
        percent_write(&text, value);
        assert_int_equal(percent_parse(text_bytes(&text), &back), 0);
        assert_true(back == value);
    }
}

/* People's numbers come back as they were written. */
static void plain_percentages_stay(void **state)
{
    for (unsigned tenths = 1; tenths <= 1000; tenths++) {
        char expected[16], memory[64];
        struct text wanted = text_into(expected, sizeof(expected));
        struct text text = text_into(memory, sizeof(memory));
        double fraction = -1;

        text_add_u64(&wanted, tenths / 10);
        if (tenths % 10)
            text_add_format(&wanted, ".%u", tenths % 10);
        text_add_char(&wanted, '%');
        assert_int_equal(percent_parse(text_bytes(&wanted), &fraction), 0);
        percent_write(&text, fraction);
        assert_true(bytes_equal(text_bytes(&text), text_bytes(&wanted)));
    }
}

static void writes_rate(void *context)
{
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));

    rate_write(&text, *(const double *)context);
}

static void writes_percent(void *context)
{
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));

    percent_write(&text, *(const double *)context);
}

static void what_cannot_be_read_is_not_written(void **state)
{
    double rates[] = { 0, 2 * RATE_MAX, (double)NAN };
    double fractions[] = { -0.1, 2 * PERCENT_MAX, (double)NAN };

    for (size_t i = 0; i < ARRAY_LEN(rates); i++)
        faults_dies(writes_rate, &rates[i], "per_second >=");
    for (size_t i = 0; i < ARRAY_LEN(fractions); i++)
        faults_dies(writes_percent, &fractions[i], "fraction >= 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(writes_durations),
        cmocka_unit_test(durations_read_back),
        cmocka_unit_test(reads_ranges),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(writes_sizes),
        cmocka_unit_test(reads_rates),
        cmocka_unit_test(reads_percentages),
        cmocka_unit_test(writes_rates_and_percentages),
        cmocka_unit_test(rates_and_percentages_read_back),
        cmocka_unit_test(plain_percentages_stay),
        cmocka_unit_test(what_cannot_be_read_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
