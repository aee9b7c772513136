#include "base/bytes.h"

#include "base/limits.h"

#include <errno.h>
#include <limits.h>

static uint64_t load8(const char *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

bool bytes_equal_ci(struct bytes a, struct bytes b)
{
    size_t i = 0;

    if (a.len != b.len)
        return false;
    for (; i + 8 <= a.len; i += 8) {
        if (ascii_lower8(load8(a.data + i)) != ascii_lower8(load8(b.data + i)))
            return false;
    }
    for (; i < a.len; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    }
    return true;
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = MIN(a.len, b.len);
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool bytes_starts(struct bytes whole, struct bytes prefix)
{
    return prefix.len <= whole.len && bytes_equal(bytes_slice(whole, 0, prefix.len), prefix);
}

bool bytes_ends(struct bytes whole, struct bytes suffix)
{
    return suffix.len <= whole.len && bytes_equal(bytes_skip(whole, whole.len - suffix.len), suffix);
}

ssize_t bytes_find(struct bytes whole, struct bytes part)
{
    const char *found;

    if (part.len == 0)
        return 0;
    if (part.len > whole.len)
        return -1;
    found = memmem(whole.data, whole.len, part.data, part.len);
    return found ? found - whole.data : -1;
}

ssize_t bytes_find_char(struct bytes whole, char c)
{
    const char *found = whole.len > 0 ? memchr(whole.data, c, whole.len) : NULL;

    return found ? found - whole.data : -1;
}

struct bytes bytes_slice(struct bytes whole, size_t from, size_t to)
{
    if (!whole.data) /* nothing may be added to NULL, not even 0 */
        return whole;
    to = MIN(to, whole.len);
    from = MIN(from, to);
    return bytes_of(whole.data + from, to - from);
}

struct bytes bytes_skip(struct bytes whole, size_t count)
{
    if (!whole.data)
        return whole;
    count = MIN(count, whole.len);
    return bytes_of(whole.data + count, whole.len - count);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct bytes bytes_trim(struct bytes whole)
{
    size_t from = 0;
    size_t to = whole.len;

    while (from < to && is_blank(whole.data[from]))
        from++;
    while (to > from && is_blank(whole.data[to - 1]))
        to--;
    return bytes_slice(whole, from, to);
}

bool bytes_split(struct bytes *rest, char c, struct bytes *ret_part)
{
    ssize_t at;

    if (!rest->data)
        return false;
    at = bytes_find_char(*rest, c);
    if (at < 0) {
        *ret_part = *rest;
        *rest = BYTES_NONE;
        return true;
    }
    *ret_part = bytes_slice(*rest, 0, (size_t)at);
    *rest = bytes_skip(*rest, (size_t)at + 1);
    return true;
}

int bytes_to_u64(struct bytes text, uint64_t *ret)
{
    uint64_t value = 0;
    bool too_large = false;

    if (text.len == 0)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';

        if (digit > 9)
            return -EINVAL;
        too_large |= __builtin_mul_overflow(value, 10, &value);
        too_large |= __builtin_add_overflow(value, digit, &value);
    }
    if (too_large)
        return -ERANGE;
    *ret = value;
    return 0;
}

/* One row of Wagner and Fischer's table (1974) at a time: costs[j] is the distance of a's first i bytes from
 * b's first j. */
unsigned bytes_distance(struct bytes a, struct bytes b, unsigned limit)
{
    unsigned far = limit < UINT_MAX ? limit + 1 : limit;
    unsigned costs[BYTES_DISTANCE_MAX + 1];

    if (a.len > BYTES_DISTANCE_MAX || b.len > BYTES_DISTANCE_MAX)
        return far;
    for (unsigned j = 0; j <= b.len; j++)
        costs[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = costs[0];

        costs[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned change = diagonal + (a.data[i - 1] != b.data[j - 1]);
            unsigned gap = MIN(costs[j], costs[j - 1]) + 1;

            diagonal = costs[j];
            costs[j] = MIN(change, gap);
        }
    }
    return MIN(costs[b.len], far);
}
