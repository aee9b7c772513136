#include "http/date.h"

#include "base/civil.h"

static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char *const DAYS[] = { "Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun" };

struct date {
    uint64_t year, month, day, hour, minute, second;
    bool short_year; /* of two digits */
};

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(const struct date *date)
{
    int64_t year = (int64_t)date->year - (date->month <= 2); /* years begin in March: the leap day is the last */
    int64_t month = ((int64_t)date->month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + (int64_t)date->day - 1;

    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static bool take(struct bytes *rest, const char *text)
{
    struct bytes part = bytes_of_text(text);

    if (!bytes_starts(*rest, part))
        return false;
    *rest = bytes_skip(*rest, part.len);
    return true;
}

static bool take_digits(struct bytes *rest, size_t count, uint64_t *ret)
{
    struct bytes digits = bytes_slice(*rest, 0, count);

    *rest = bytes_skip(*rest, count);
    return digits.len == count && bytes_to_u64(digits, ret) == 0;
}

static bool take_month(struct bytes *rest, struct date *date)
{
    for (unsigned i = 0; rest->len >= 3 && i < 12; i++) {
        if (memcmp(rest->data, MONTHS + (size_t)3 * i, 3) != 0)
            continue;
        date->month = i + 1;
        *rest = bytes_skip(*rest, 3);
        return true;
    }
    return false;
}

static bool take_time(struct bytes *rest, struct date *date)
{
    return take_digits(rest, 2, &date->hour) && take(rest, ":") && take_digits(rest, 2, &date->minute) &&
           take(rest, ":") && take_digits(rest, 2, &date->second);
}

/* "06 Nov 1994 08:49:37 GMT" or "06-Nov-94 08:49:37 GMT" */
static bool take_rest(struct bytes rest, struct date *date)
{
    const char *between = date->short_year ? "-" : " ";

    return take_digits(&rest, 2, &date->day) && take(&rest, between) && take_month(&rest, date) &&
           take(&rest, between) && take_digits(&rest, date->short_year ? 2 : 4, &date->year) && take(&rest, " ") &&
           take_time(&rest, date) && take(&rest, " GMT") && rest.len == 0;
}

/* "Nov  6 08:49:37 1994" */
static bool take_asctime(struct bytes rest, struct date *date)
{
    if (!take_month(&rest, date) || !take(&rest, " ") || !take_digits(&rest, take(&rest, " ") ? 1 : 2, &date->day))
        return false;
    return take(&rest, " ") && take_time(&rest, date) && take(&rest, " ") && take_digits(&rest, 4, &date->year) &&
           rest.len == 0;
}

static bool read_form(struct bytes text, struct date *date)
{
    for (unsigned i = 0; i < ARRAY_LEN(DAYS); i++) {
        struct bytes rest = text;

        if (text.len < 3 || memcmp(text.data, DAYS[i], 3) != 0)
            continue;
        rest = bytes_skip(text, 3);
        if (take(&rest, ", "))
            return take_rest(rest, date);
        if (take(&rest, " "))
            return take_asctime(rest, date);
        date->short_year = true;
        rest = text;
        return take(&rest, DAYS[i]) && take(&rest, "day, ") && take_rest(rest, date);
    }
    return false;
}

/* The century that brings the year closest: at most fifty years ahead. */
static void complete_year(struct date *date, int64_t now_ns)
{
    uint64_t this_year = civil_from_days(now_ns / NS_PER_S / 86400).year;

    date->year += this_year / 100 * 100;
    if (date->year > this_year + 50)
        date->year -= 100;
    else if (date->year + 50 < this_year)
        date->year += 100;
}

static bool is_real(const struct date *date)
{
    static const uint8_t LENGTHS[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (date->year % 4 == 0 && date->year % 100 != 0) || date->year % 400 == 0;

    if (date->day == 0 || date->day > LENGTHS[date->month - 1] || (date->month == 2 && date->day == 29 && !leap))
        return false;
    return date->hour < 24 && date->minute < 60 && date->second <= 60; /* a leap second */
}

int http_date_read(struct bytes text, int64_t now_ns, int64_t *ret_seconds)
{
    struct date date = { 0 };

    if (!read_form(text, &date))
        return -EINVAL;
    if (date.short_year)
        complete_year(&date, now_ns);
    if (!is_real(&date))
        return -EINVAL;
    *ret_seconds = days_of(&date) * 86400 + (int64_t)(date.hour * 3600 + date.minute * 60 + date.second);
    return 0;
}
