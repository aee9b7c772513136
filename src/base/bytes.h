/* base/bytes.h - a borrowed run of bytes. Never owns, never ends in zero by promise; an empty one may
 * have a NULL pointer. All comparisons are of bytes; the _ci ones fold ASCII letters only. */
#ifndef WEFT_BASE_BYTES_H
#define WEFT_BASE_BYTES_H

#include "base/defs.h"

#include <string.h>

struct bytes {
    const char *data;
    size_t len;
};

#define BYTES(literal) ((struct bytes){ "" literal, sizeof(literal) - 1 })
#define BYTES_NONE ((struct bytes){ NULL, 0 })
#define BYTES_FMT "%.*s" /* printf("%.*s", BYTES_ARG(b)) */
#define BYTES_ARG(b) ((int)(b).len), ((b).data)

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){ data, len };
}

/* NULL becomes empty. */
static inline struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){ text, text ? strlen(text) : 0 };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ascii_lower() of eight bytes at once; other bytes, also those over 0x7f, stay. The sums reach bit 7 of a
 * byte only for what is at least 'A' and for what is over 'Z': where they differ stands a capital. */
static inline uint64_t ascii_lower8(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = word & (ones * 0x7f);
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t over_z = low + ones * (0x7f - 'Z');
    uint64_t capital = (from_a ^ over_z) & ~word & (ones * 0x80);

    return word | (capital >> 2);
}

bool bytes_equal_ci(struct bytes a, struct bytes b);
int bytes_compare(struct bytes a, struct bytes b); /* like memcmp, then by length */
bool bytes_starts(struct bytes whole, struct bytes prefix);
bool bytes_ends(struct bytes whole, struct bytes suffix);
ssize_t bytes_find(struct bytes whole, struct bytes part);            /* offset, or -1 */
ssize_t bytes_find_char(struct bytes whole, char c);                  /* offset, or -1 */
struct bytes bytes_slice(struct bytes whole, size_t from, size_t to); /* clamped to the whole */
struct bytes bytes_skip(struct bytes whole, size_t count);            /* clamped */
struct bytes bytes_trim(struct bytes whole);                          /* without spaces and tabs at both ends */

/* Cuts the part before the first `c` off *rest and returns it; without a `c` the whole rest. False when
 * *rest had been used up before (its data is NULL then). "a,,b" gives "a", "", "b". */
bool bytes_split(struct bytes *rest, char c, struct bytes *ret_part);

/* Decimal digits only, no sign, no space. -EINVAL or -ERANGE; *ret is untouched on failure. */
int bytes_to_u64(struct bytes text, uint64_t *ret) MUST_CHECK;

/* Edits needed to turn one into the other (Levenshtein), at most `limit` + 1; inputs over
 * BYTES_DISTANCE_MAX bytes count as far apart. For did-you-mean. */
unsigned bytes_distance(struct bytes a, struct bytes b, unsigned limit);

#endif
