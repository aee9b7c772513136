#include "base/text.h"

#include "base/civil.h"

#include "base/assert.h"

#include <stdio.h>

#define U64_DIGITS_MAX 20 /* of 18446744073709551615 */

void text_add(struct text *text, struct bytes part)
{
    size_t room = text->max - text->len;

    if (unlikely(text->full))
        return;
    if (unlikely(part.len > room)) {
        text->full = true;
        part.len = room;
    }
    if (part.len == 0)
        return;
    memcpy(text->data + text->len, part.data, part.len);
    text->len += part.len;
}

void text_add_char(struct text *text, char c)
{
    if (unlikely(text->full || text->len == text->max)) {
        text->full = true;
        return;
    }
    text->data[text->len++] = c;
}

static const char DIGIT_PAIRS[] = "0001020304050607080910111213141516171819"
                                  "2021222324252627282930313233343536373839"
                                  "4041424344454647484950515253545556575859"
                                  "6061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

/* Writes from the end backwards, two digits a division, at least `digits` of them; returns the start. */
static char *write_decimal(char *end, uint64_t value, size_t digits)
{
    char *start = end;

    while (value >= 100) {
        start -= 2;
        memcpy(start, &DIGIT_PAIRS[value % 100 * 2], 2);
        value /= 100;
    }
    if (value >= 10) {
        start -= 2;
        memcpy(start, &DIGIT_PAIRS[value * 2], 2);
    } else {
        *--start = (char)('0' + value);
    }
    while ((size_t)(end - start) < digits)
        *--start = '0';
    return start;
}

static void add_decimal(struct text *text, uint64_t value, size_t digits)
{
    char buffer[U64_DIGITS_MAX];
    char *end = buffer + sizeof(buffer);
    char *start = write_decimal(end, value, digits);

    text_add(text, bytes_of(start, (size_t)(end - start)));
}

void text_add_u64(struct text *text, uint64_t value)
{
    add_decimal(text, value, 1);
}

/* Without the overflow that -INT64_MIN would be. */
static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

void text_add_i64(struct text *text, int64_t value)
{
    if (value < 0)
        text_add_char(text, '-');
    add_decimal(text, magnitude(value), 1);
}

void text_add_hex(struct text *text, uint64_t value, unsigned digits)
{
    char buffer[16];
    char *end = buffer + sizeof(buffer);
    char *start = end;

    ASSERT(digits <= sizeof(buffer));
    do {
        *--start = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0 || (size_t)(end - start) < digits);
    text_add(text, bytes_of(start, (size_t)(end - start)));
}

void text_add_seconds(struct text *text, int64_t ns)
{
    uint64_t us = magnitude(ns) / (uint64_t)NS_PER_US;

    if (ns < 0 && us > 0)
        text_add_char(text, '-');
    add_decimal(text, us / 1000000, 1);
    text_add_char(text, '.');
    add_decimal(text, us % 1000000, 6);
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_add_vformat(text, format, args);
    va_end(args);
}

void text_add_vformat(struct text *text, const char *format, va_list args)
{
    char part[512]; /* vsnprintf wants room for a zero, which the text need not have */
    size_t room = text->max - text->len;
    va_list again;
    int len;

    if (text->full)
        return;
    va_copy(again, args);
    len = vsnprintf(part, sizeof(part), format, args);
    if (len < 0) {
        text->full = true; /* what can't be written is missing, as if it had not fit */
    } else if ((size_t)len < sizeof(part)) {
        text_add(text, bytes_of(part, (size_t)len));
    } else if (room > 0) {
        vsnprintf(text->data + text->len, room, format, again);
        text->full = (size_t)len >= room;
        text->len += MIN((size_t)len, room - 1);
    } else {
        text->full = true;
    }
    va_end(again);
}

static bool is_between(char c, unsigned low, unsigned high)
{
    unsigned byte = (unsigned char)c;

    return byte >= low && byte <= high;
}

/* What may follow a lead byte: the Unicode Standard, table 3-7 (no overlong forms, no surrogates). */
struct utf8_lead {
    unsigned char first, last;        /* lead bytes */
    unsigned char second, second_end; /* the second byte; later ones are 80..BF */
    unsigned char len;
};

static const struct utf8_lead UTF8_LEADS[] = {
    { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
    { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* The length of the character at the start; *ret_valid false: of the longest part that could have become one,
 * which is what one U+FFFD stands for (the Unicode Standard, 3.9). */
static size_t utf8_length(struct bytes rest, bool *ret_valid)
{
    size_t i = 0;
    size_t len = 1;

    *ret_valid = false;
    while (i < ARRAY_LEN(UTF8_LEADS) && !is_between(rest.data[0], UTF8_LEADS[i].first, UTF8_LEADS[i].last))
        i++;
    if (i == ARRAY_LEN(UTF8_LEADS))
        return 1;
    if (rest.len < 2 || !is_between(rest.data[1], UTF8_LEADS[i].second, UTF8_LEADS[i].second_end))
        return 1;
    for (len = 2; len < UTF8_LEADS[i].len; len++) {
        if (len == rest.len || !is_between(rest.data[len], 0x80, 0xbf))
            return len;
    }
    *ret_valid = true;
    return len;
}

static void add_escape(struct text *text, char c)
{
    switch (c) {
    case '"': text_add(text, BYTES("\\\"")); break;
    case '\\': text_add(text, BYTES("\\\\")); break;
    case '\n': text_add(text, BYTES("\\n")); break;
    case '\r': text_add(text, BYTES("\\r")); break;
    case '\t': text_add(text, BYTES("\\t")); break;
    default: text_add(text, BYTES("\\u")); text_add_hex(text, (unsigned char)c, 4);
    }
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

void text_add_json(struct text *text, struct bytes value)
{
    size_t at = 0;

    text_add_char(text, '"');
    while (at < value.len && !text->full) {
        size_t from = at;
        bool valid;

        while (at < value.len && is_plain(value.data[at]))
            at++;
        text_add(text, bytes_of(value.data + from, at - from));
        if (at == value.len)
            break;
        if ((unsigned char)value.data[at] < 0x80) {
            add_escape(text, value.data[at++]);
        } else {
            size_t len = utf8_length(bytes_skip(value, at), &valid);

            text_add(text, valid ? bytes_slice(value, at, at + len) : BYTES("\xef\xbf\xbd"));
            at += len;
        }
    }
    text_add_char(text, '"');
}

void text_add_time(struct text *text, int64_t wall_ns)
{
    int64_t ms = wall_ns / NS_PER_MS - (wall_ns % NS_PER_MS < 0); /* towards the past, also before 1970 */
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    uint64_t in_day = (uint64_t)(ms - days * 86400000);
    struct civil civil = civil_from_days(days);

    add_decimal(text, civil.year, 4); /* an int64_t of ns spans 1677 to 2262 */
    text_add_char(text, '-');
    add_decimal(text, civil.month, 2);
    text_add_char(text, '-');
    add_decimal(text, civil.day, 2);
    text_add_char(text, 'T');
    add_decimal(text, in_day / 3600000, 2);
    text_add_char(text, ':');
    add_decimal(text, in_day / 60000 % 60, 2);
    text_add_char(text, ':');
    add_decimal(text, in_day / 1000 % 60, 2);
    text_add_char(text, '.');
    add_decimal(text, in_day % 1000, 3);
    text_add_char(text, 'Z');
}
