#include "base/units.h"

#include "base/assert.h"
#include "base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DOUBLE_DIGITS 17 /* decimal digits that tell every double apart */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Cuts the leading digits off *rest. */
static struct bytes take_digits(struct bytes *rest)
{
    struct bytes digits;
    size_t len = 0;

    while (len < rest->len && is_digit(rest->data[len]))
        len++;
    digits = bytes_slice(*rest, 0, len);
    *rest = bytes_skip(*rest, len);
    return digits;
}

/* --- durations ----------------------------------------------------------------------------------- */

struct duration_unit {
    const char *name;
    int64_t ns;
};

/* Largest first. */
static const struct duration_unit DURATION_UNITS[] = {
    { "d", 86400 * NS_PER_S },
    { "h", 3600 * NS_PER_S },
    { "m", 60 * NS_PER_S },
    { "s", NS_PER_S },
    { "ms", NS_PER_MS },
    { "us", NS_PER_US },
    { "ns", 1 },
};

/* Cuts the leading letters off *rest and finds the unit of that name from `first` on; ARRAY_LEN: none. */
static size_t take_duration_unit(struct bytes *rest, size_t first)
{
    struct bytes name;
    size_t len = 0;

    while (len < rest->len && !is_digit(rest->data[len]))
        len++;
    name = bytes_slice(*rest, 0, len);
    *rest = bytes_skip(*rest, len);
    while (first < ARRAY_LEN(DURATION_UNITS) && !bytes_equal(name, bytes_of_text(DURATION_UNITS[first].name)))
        first++;
    return first;
}

int duration_parse(struct bytes text, int64_t *ret_ns)
{
    struct bytes rest = text;
    size_t next_unit = 0; /* each at most once, the largest first */
    bool too_large = false;
    int64_t total = 0;

    if (bytes_equal(text, BYTES("0"))) {
        *ret_ns = 0;
        return 0;
    }
    if (text.len == 0)
        return -EINVAL;
    while (rest.len > 0) {
        uint64_t count = 0;
        int64_t part;
        int error = bytes_to_u64(take_digits(&rest), &count);
        size_t unit = take_duration_unit(&rest, next_unit);

        if (error == -EINVAL || unit == ARRAY_LEN(DURATION_UNITS))
            return -EINVAL;
        next_unit = unit + 1;
        too_large |= error < 0;
        too_large |= __builtin_mul_overflow(count, DURATION_UNITS[unit].ns, &part);
        too_large |= __builtin_add_overflow(total, part, &total);
    }
    if (too_large)
        return -ERANGE;
    *ret_ns = total;
    return 0;
}

int duration_range_parse(struct bytes text, struct duration_range *ret)
{
    ssize_t dots = bytes_find(text, BYTES(".."));
    struct duration_range range;
    int low_error, high_error;

    if (dots < 0)
        return -EINVAL;
    low_error = duration_parse(bytes_slice(text, 0, (size_t)dots), &range.low_ns);
    high_error = duration_parse(bytes_skip(text, (size_t)dots + 2), &range.high_ns);
    if (low_error == -EINVAL || high_error == -EINVAL)
        return -EINVAL;
    if (low_error < 0 || high_error < 0 || range.low_ns > range.high_ns)
        return -ERANGE;
    *ret = range;
    return 0;
}

/* Writes ns with the units of the set alone (bit i: unit i), without parts of 0. False: they can't say it. */
static bool write_with_units(struct text *text, uint64_t ns, unsigned set)
{
    for (size_t i = 0; i < ARRAY_LEN(DURATION_UNITS); i++) {
        uint64_t unit = (uint64_t)DURATION_UNITS[i].ns;

        if (!(set & 1u << i) || ns < unit)
            continue;
        text_add_u64(text, ns / unit);
        text_add(text, bytes_of_text(DURATION_UNITS[i].name));
        ns %= unit;
    }
    return ns == 0;
}

/* Which units make the shortest text is not plain to see (90s, 1d1h, 25h30m): there are 127 sets to try.
 * Large units come in the low bits, so that of equally short texts the one of larger units wins. */
void duration_write(struct text *text, int64_t ns)
{
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    char best_memory[64], try_memory[64];
    struct text best = text_into(best_memory, sizeof(best_memory));

    if (ns == 0) {
        text_add_char(text, '0');
        return;
    }
    for (unsigned set = 1; set < 1u << ARRAY_LEN(DURATION_UNITS); set++) {
        struct text try = text_into(try_memory, sizeof(try_memory));

        if (!write_with_units(&try, magnitude, set) || (best.len > 0 && try.len >= best.len))
            continue;
        best.len = 0;
        text_add(&best, text_bytes(&try));
    }
    if (ns < 0)
        text_add_char(text, '-');
    text_add(text, text_bytes(&best));
}

/* --- sizes --------------------------------------------------------------------------------------- */

struct size_unit {
    const char *name;
    uint64_t bytes;
};

/* Largest first: of equally short texts that of the larger unit wins. */
static const struct size_unit SIZE_UNITS[] = {
    { "TiB", UINT64_C(1) << 40 },   { "TB", UINT64_C(1000000000000) }, { "GiB", UINT64_C(1) << 30 },
    { "GB", UINT64_C(1000000000) }, { "MiB", UINT64_C(1) << 20 },      { "MB", UINT64_C(1000000) },
    { "KiB", UINT64_C(1) << 10 },   { "kB", UINT64_C(1000) },          { "", 1 },
};

int size_parse(struct bytes text, uint64_t *ret_bytes)
{
    struct bytes rest = text;
    struct bytes digits = take_digits(&rest);
    uint64_t count = 0;
    int error = bytes_to_u64(digits, &count);

    if (error == -EINVAL)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(SIZE_UNITS); i++) {
        uint64_t bytes;

        if (!bytes_equal(rest, bytes_of_text(SIZE_UNITS[i].name)))
            continue;
        if (error < 0 || __builtin_mul_overflow(count, SIZE_UNITS[i].bytes, &bytes))
            return -ERANGE;
        *ret_bytes = bytes;
        return 0;
    }
    return -EINVAL;
}

static size_t size_text_len(uint64_t bytes, const struct size_unit *unit)
{
    char memory[32];
    struct text text = text_into(memory, sizeof(memory));

    text_add_u64(&text, bytes / unit->bytes);
    return text.len + strlen(unit->name);
}

void size_write(struct text *text, uint64_t bytes)
{
    const struct size_unit *best = &SIZE_UNITS[ARRAY_LEN(SIZE_UNITS) - 1];

    for (size_t i = ARRAY_LEN(SIZE_UNITS) - 1; bytes > 0 && i-- > 0;) {
        const struct size_unit *unit = &SIZE_UNITS[i];

        if (bytes % unit->bytes == 0 && size_text_len(bytes, unit) <= size_text_len(bytes, best))
            best = unit;
    }
    text_add_u64(text, bytes / best->bytes);
    text_add(text, bytes_of_text(best->name));
}

/* --- decimal fractions --------------------------------------------------------------------------- */

/* digits[0..count) as a whole number, times ten to the power of `exponent`. Without a decimal point, which
 * the C library would write and read as the locale says. */
struct decimal {
    char digits[DECIMAL_TEXT_MAX];
    size_t count;
    int exponent;
};

/* "12", "0.5": digits on both sides of a point, or no point. */
static int decimal_parse(struct bytes text, struct decimal *ret)
{
    struct bytes fraction = text;
    struct bytes whole = take_digits(&fraction);

    if (whole.len == 0)
        return -EINVAL;
    if (fraction.len > 0) {
        struct bytes rest = bytes_skip(fraction, 1);
        bool is_point = fraction.data[0] == '.';

        fraction = take_digits(&rest);
        if (!is_point || fraction.len == 0 || rest.len > 0)
            return -EINVAL;
    }
    if (text.len > DECIMAL_TEXT_MAX)
        return -ERANGE;
    memcpy(ret->digits, whole.data, whole.len);
    if (fraction.len > 0)
        memcpy(ret->digits + whole.len, fraction.data, fraction.len);
    ret->count = whole.len + fraction.len;
    ret->exponent = -(int)fraction.len;
    return 0;
}

static double decimal_value(const struct decimal *decimal)
{
    char memory[DECIMAL_TEXT_MAX + 16];

    snprintf(memory, sizeof(memory), "%.*se%d", (int)decimal->count, decimal->digits, decimal->exponent);
    return strtod(memory, NULL); /* the nearest double, as glibc promises */
}

/* The first `count` digits of value, rounded. */
static struct decimal decimal_round(double value, unsigned count)
{
    struct decimal decimal = { .count = 0 };
    char memory[DECIMAL_TEXT_MAX + 16];
    const char *c;

    snprintf(memory, sizeof(memory), "%.*e", (int)count - 1, value);
    for (c = memory; *c != 'e'; c++) {
        if (is_digit(*c))
            decimal.digits[decimal.count++] = *c;
    }
    decimal.exponent = (int)strtol(c + 1, NULL, 10) - (int)count + 1;
    return decimal;
}

static void decimal_write(struct text *text, const struct decimal *decimal)
{
    int point = (int)decimal->count + decimal->exponent; /* digits before it */

    if (point <= 0)
        text_add(text, BYTES("0."));
    for (int i = point; i < 0; i++)
        text_add_char(text, '0');
    for (int i = 0; i < (int)decimal->count; i++) {
        if (i > 0 && i == point)
            text_add_char(text, '.');
        text_add_char(text, decimal->digits[i]);
    }
    for (int i = (int)decimal->count; i < point; i++)
        text_add_char(text, '0');
}

/* --- rates and percentages ----------------------------------------------------------------------- */

struct rate_unit {
    char name;
    double seconds;
};

static const struct rate_unit RATE_UNITS[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };

int rate_parse(struct bytes text, double *ret_per_second)
{
    ssize_t slash = bytes_find_char(text, '/');
    const struct rate_unit *unit = NULL;
    struct decimal decimal;
    double rate;
    int error;

    if (slash < 0 || text.len != (size_t)slash + 2)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(RATE_UNITS); i++) {
        if (text.data[slash + 1] == RATE_UNITS[i].name)
            unit = &RATE_UNITS[i];
    }
    if (!unit)
        return -EINVAL;
    error = decimal_parse(bytes_slice(text, 0, (size_t)slash), &decimal);
    if (error < 0)
        return error;
    rate = decimal_value(&decimal) / unit->seconds;
    if (!(rate >= RATE_MIN && rate <= RATE_MAX))
        return -ERANGE;
    *ret_per_second = rate;
    return 0;
}

void rate_write(struct text *text, double per_second)
{
    char best_memory[DECIMAL_TEXT_MAX + 16], try_memory[DECIMAL_TEXT_MAX + 16];
    struct text best = text_into(best_memory, sizeof(best_memory));

    ASSERT(per_second >= RATE_MIN && per_second <= RATE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(RATE_UNITS); i++) {
        for (unsigned count = 1; count <= DOUBLE_DIGITS; count++) {
            struct decimal decimal = decimal_round(per_second * RATE_UNITS[i].seconds, count);
            struct text try = text_into(try_memory, sizeof(try_memory));

            if (decimal_value(&decimal) / RATE_UNITS[i].seconds != per_second)
                continue;
            decimal_write(&try, &decimal);
            text_add_char(&try, '/');
            text_add_char(&try, RATE_UNITS[i].name);
            if (best.len == 0 || try.len < best.len) {
                best.len = 0;
                text_add(&best, text_bytes(&try));
            }
            break;
        }
    }
    text_add(text, text_bytes(&best));
}

/* The two places are moved in decimal: dividing the double by 100 would leave values that no text gives. */
int percent_parse(struct bytes text, double *ret_fraction)
{
    struct decimal decimal;
    double fraction;
    int error;

    if (!bytes_ends(text, BYTES("%")))
        return -EINVAL;
    error = decimal_parse(bytes_slice(text, 0, text.len - 1), &decimal);
    if (error < 0)
        return error;
    decimal.exponent -= 2;
    fraction = decimal_value(&decimal);
    if (fraction > PERCENT_MAX)
        return -ERANGE;
    *ret_fraction = fraction;
    return 0;
}

void percent_write(struct text *text, double fraction)
{
    struct decimal decimal = { .digits = "0", .count = 1 };

    ASSERT(fraction >= 0 && fraction <= PERCENT_MAX);
    for (unsigned count = 1; count <= DOUBLE_DIGITS; count++) {
        decimal = decimal_round(fraction, count);
        if (decimal_value(&decimal) == fraction)
            break;
    }
    decimal.exponent = fraction > 0 ? decimal.exponent + 2 : 0;
    decimal_write(text, &decimal);
    text_add_char(text, '%');
}
