#include "base/civil.h"

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2014), civil_from_days: years begin in
 * March, so that the leap day is a year's last; eras are 400 years of 146097 days. */
struct civil civil_from_days(int64_t days)
{
    uint64_t shifted = (uint64_t)(days + 719468); /* from 0000-03-01, long before 1677 */
    uint64_t era = shifted / 146097;
    unsigned day_of_era = (unsigned)(shifted % 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0: March */
    struct civil civil = { .year = era * 400 + year_of_era, .day = day_of_year - (153 * month + 2) / 5 + 1 };

    civil.month = month < 10 ? month + 3 : month - 9;
    civil.year += civil.month <= 2;
    return civil;
}
