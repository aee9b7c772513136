#include "stage/files.h"

/* Numbers beyond 64 bits lie beyond every file, which is all that matters. */
static bool read_number(struct bytes text, uint64_t *ret)
{
    int r = bytes_to_u64(text, ret);

    if (r == -ERANGE)
        *ret = UINT64_MAX;
    return r == 0 || r == -ERANGE;
}

/* "5-9", "5-", "-3". False: malformed. *ret has no length when it lies outside. */
static bool read_range(struct bytes text, uint64_t size, struct files_range *ret)
{
    ssize_t dash = bytes_find_char(text, '-');
    struct bytes first = bytes_slice(text, 0, dash < 0 ? 0 : (size_t)dash);
    struct bytes last = bytes_skip(text, (size_t)dash + 1);
    uint64_t from = 0, to = UINT64_MAX;

    if (dash < 0 || (last.len > 0 && !read_number(last, &to)))
        return false;
    if (first.len == 0) { /* the last so many */
        to = MIN(to, size);
        *ret = (struct files_range){ size - to, to };
        return last.len > 0;
    }
    if (!read_number(first, &from) || to < from)
        return false;
    *ret = (struct files_range){ from, 0 };
    if (from < size)
        ret->len = MIN(to, size - 1) - from + 1;
    return true;
}

static bool overlap(const struct files_range *a, const struct files_range *b)
{
    return a->from < b->from + b->len && b->from < a->from + a->len;
}

/* Several ranges cost a head each: those that overlap, or of which nothing is saved, are no honest wish (RFC 9110,
 * 14.2). */
static bool worth_it(const struct files_range *ranges, int count, uint64_t size)
{
    uint64_t sum = 0;

    for (int i = 0; i < count; i++) {
        sum += ranges[i].len;
        for (int k = 0; k < i; k++)
            if (overlap(&ranges[i], &ranges[k]))
                return false;
    }
    return count == 1 || sum < size;
}

int files_ranges(struct bytes value, uint64_t size, struct files_range *ranges)
{
    struct bytes rest, element;
    unsigned seen = 0;
    int count = 0;

    if (value.len < 6 || !bytes_equal_ci(bytes_slice(value, 0, 6), BYTES("bytes=")))
        return 0;
    rest = bytes_skip(value, 6);
    while (http_list_next(&rest, &element)) {
        struct files_range range;

        if (++seen > FILES_RANGES_MAX || !read_range(element, size, &range))
            return 0;
        if (range.len > 0)
            ranges[count++] = range;
    }
    if (seen == 0)
        return 0;
    if (count == 0)
        return -ERANGE;
    return worth_it(ranges, count, size) ? count : 0;
}
