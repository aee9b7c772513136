/* base/civil.h - days since 1970 to a date of the Gregorian calendar, without the C library's time functions. */
#ifndef WEFT_BASE_CIVIL_H
#define WEFT_BASE_CIVIL_H

#include "base/defs.h"

struct civil {
    uint64_t year;
    unsigned month, day; /* from 1 */
};

struct civil civil_from_days(int64_t days); /* of 1970-01-01 on; any that an int64_t of nanoseconds can name */

#endif
