#include "control/query.h"

static int digit_of(char c)
{
    char lower = ascii_lower(c);

    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int decode(struct arena *arena, struct bytes from, struct bytes *ret)
{
    char *to = arena_alloc(arena, MAX(from.len, (size_t)1));
    size_t len = 0;

    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < from.len; i++) {
        char c = from.data[i];

        if (c == '%') {
            int high = i + 1 < from.len ? digit_of(from.data[i + 1]) : -1;
            int low = i + 2 < from.len ? digit_of(from.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        to[len++] = c;
    }
    *ret = bytes_of(to, len);
    return 0;
}

int query_next(struct query *query, struct bytes *ret_name, struct bytes *ret_value)
{
    struct bytes part = BYTES_NONE, name, value;
    int r;

    while (part.len == 0) /* "a=1&&b=2" has two */
        if (!bytes_split(&query->rest, '&', &part))
            return 0;
    (void)bytes_split(&part, '=', &name);
    r = decode(query->arena, name, &name);
    if (r == 0)
        r = decode(query->arena, part, &value);
    if (r < 0)
        return r;
    *ret_name = name;
    *ret_value = value;
    return 1;
}
