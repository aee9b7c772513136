/* base/units.h - the quantities of weft.yaml, read and written in one way everywhere.
 *
 * duration   200ms 15s 5m 1h30m 2d; units ns us ms s m h d, each at most once, largest first; no fractions;
 *            a bare 0 is fine, any other bare number is not. Result in nanoseconds.
 * size       512 64KiB 256MiB 1GiB 2TiB (powers of 1024) and kB MB GB TB (powers of 1000). Result in bytes.
 * rate       100/s 5000/m 10/h 0.5/s; result in events per second, as a double > 0.
 *            Between RATE_MIN and RATE_MAX.
 * percent    20% 0.5%; result as a fraction (0.2), up to PERCENT_MAX: that it is at most 100%, unless a schema
 *            says otherwise, is the schema's check.
 * range      100ms..1s: two durations, the first not after the second.
 * Parsers return 0, -EINVAL (not of this form) or -ERANGE, and leave *ret untouched on failure. Writers print
 * the shortest form that reads back to the same value; a negative duration gets a minus sign and is for the eye only.
 */
#ifndef WEFT_BASE_UNITS_H
#define WEFT_BASE_UNITS_H

#include "base/text.h"

struct duration_range {
    int64_t low_ns, high_ns;
};

int duration_parse(struct bytes text, int64_t *ret_ns) MUST_CHECK;
int size_parse(struct bytes text, uint64_t *ret_bytes) MUST_CHECK;
int rate_parse(struct bytes text, double *ret_per_second) MUST_CHECK;
int percent_parse(struct bytes text, double *ret_fraction) MUST_CHECK;
int duration_range_parse(struct bytes text, struct duration_range *ret) MUST_CHECK;

void duration_write(struct text *text, int64_t ns);
void size_write(struct text *text, uint64_t bytes);
void rate_write(struct text *text, double per_second);
void percent_write(struct text *text, double fraction);

#endif
