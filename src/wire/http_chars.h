/* wire/http_chars.h - what each byte may be in HTTP/1, and fast scans over runs of them. */
#ifndef WEFT_WIRE_HTTP_CHARS_H
#define WEFT_WIRE_HTTP_CHARS_H

#include "base/bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum http_char {
    HTTP_CHAR_TOKEN = 1,    /* tchar (RFC 9110, 5.6.2) */
    HTTP_CHAR_PATH = 2,     /* pchar but '%', and '/' (RFC 3986, 3.3) */
    HTTP_CHAR_QUERY = 4,    /* the same and '?' (RFC 3986, 3.4) */
    HTTP_CHAR_HOST = 8,     /* reg-name but '%' (RFC 3986, 3.2.2) */
    HTTP_CHAR_HEX = 16,     /* of either case */
    HTTP_CHAR_DIGIT = 32,   /* 0 to 9 */
    HTTP_CHAR_CONTROL = 64, /* 0 to 31 but tab, and 127 */
    HTTP_CHAR_BLANK = 128,  /* space and tab */
};

extern const uint8_t http_chars[256];

static inline bool http_char_is(char c, unsigned classes)
{
    return (http_chars[(uint8_t)c] & classes) != 0;
}

/* The first byte from `from` on that is not of the class, or end. */
static inline const char *http_scan(const char *from, const char *end, unsigned classes)
{
    while (from < end && http_char_is(*from, classes))
        from++;
    return from;
}

/* The first colon, or end. */
static inline const char *http_scan_colon(const char *from, const char *end)
{
#if defined(__SSE2__)
    const __m128i colon = _mm_set1_epi8(':');

    for (; end - from >= 16; from += 16) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)from);
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, colon));

        if (found != 0)
            return from + __builtin_ctz(found);
    }
#endif
    while (from < end && *from != ':')
        from++;
    return from;
}

/* Whether all are of the class: without a branch for each byte. Not empty. */
static inline bool http_all(const char *from, const char *end, unsigned classes)
{
    unsigned common = classes;

    while (from < end)
        common &= http_chars[(uint8_t)*from++];
    return common == classes;
}

/* The first control character other than tab, or end. */
static inline const char *http_scan_text(const char *from, const char *end)
{
#if defined(__SSE2__)
    const __m128i low = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);

    for (; end - from >= 16; from += 16) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)from);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(text, low), text);
        unsigned found;

        control = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(text, tab), control), _mm_cmpeq_epi8(text, del));
        found = (unsigned)_mm_movemask_epi8(control);
        if (found != 0)
            return from + __builtin_ctz(found);
    }
#endif
    while (from < end && !http_char_is(*from, HTTP_CHAR_CONTROL))
        from++;
    return from;
}

/* 0 to 15; only for HTTP_CHAR_HEX. */
static inline unsigned http_hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : ascii_lower(c) - 'a' + 10);
}

#endif
