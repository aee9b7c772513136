/* base/text.h - writing text into memory that is already there, with a bound.
 *
 * Writing past the end sets `full` and drops the rest, and all that comes later: one check at the end is
 * enough. What stands in data[0..len) is always valid; it is not zero-terminated.
 */
#ifndef WEFT_BASE_TEXT_H
#define WEFT_BASE_TEXT_H

#include "base/bytes.h"

#include <stdarg.h>

struct text {
    char *data;
    size_t len, max;
    bool full; /* something did not fit */
};

static inline struct text text_into(void *memory, size_t max)
{
    return (struct text){ .data = memory, .max = max };
}

static inline struct bytes text_bytes(const struct text *text)
{
    return (struct bytes){ text->data, text->len };
}

void text_add(struct text *text, struct bytes part);
void text_add_char(struct text *text, char c);
void text_add_u64(struct text *text, uint64_t value); /* decimal */
void text_add_i64(struct text *text, int64_t value);
void text_add_hex(struct text *text, uint64_t value, unsigned digits); /* lower case; at least 1..16 digits */
void text_add_seconds(struct text *text, int64_t ns);                  /* "0.001234", 6 decimals, cut */

/* A part of more than 511 bytes is written in place and needs room for one byte besides, the C library's zero. */
void text_add_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_add_vformat(struct text *text, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* A JSON string with its quotes: control characters, quote and backslash escaped (RFC 8259, 7); bytes that
 * are no UTF-8 become U+FFFD, so that the line always parses. */
void text_add_json(struct text *text, struct bytes value);

/* RFC 3339 in UTC with milliseconds: 2026-11-21T08:30:00.123Z. wall_ns counts from 1970. */
void text_add_time(struct text *text, int64_t wall_ns);

#endif
