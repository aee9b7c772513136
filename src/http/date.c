#include "http/date.h"

#include "base/civil.h"

static const char DAYS[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void add_two(struct text *text, unsigned value)
{
    text_add_char(text, (char)('0' + value / 10));
    text_add_char(text, (char)('0' + value % 10));
}

void http_date_write(struct text *text, int64_t wall_ns)
{
    int64_t seconds = wall_ns / NS_PER_S;
    int64_t days = seconds / 86400;
    unsigned of_day = (unsigned)(seconds % 86400);
    struct civil civil = civil_from_days(days);

    text_add(text, bytes_of(DAYS + days % 7 * 3, 3));
    text_add(text, BYTES(", "));
    add_two(text, civil.day);
    text_add_char(text, ' ');
    text_add(text, bytes_of(MONTHS + (civil.month - 1) * 3, 3));
    text_add_char(text, ' ');
    text_add_u64(text, (uint64_t)civil.year);
    text_add_char(text, ' ');
    add_two(text, of_day / 3600);
    text_add_char(text, ':');
    add_two(text, of_day / 60 % 60);
    text_add_char(text, ':');
    add_two(text, of_day % 60);
    text_add(text, BYTES(" GMT"));
}

int http_date_add(struct exchange *x, struct http_head *head)
{
    struct io *io = x->worker->loop->io;
    struct text text = text_into(arena_alloc(&x->arena, 32), 32);

    if (!text.data)
        return -ENOMEM;
    http_date_write(&text, io->ops->wall_ns(io));
    return http_head_add(head, HTTP_FIELD_DATE, text_bytes(&text));
}
