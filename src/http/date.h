/* http/date.h - dates in fields (RFC 9110, 5.6.7) and the Date field (6.6.1). */
#ifndef WEFT_HTTP_DATE_H
#define WEFT_HTTP_DATE_H

#include "exchange/exchange.h"

#define HTTP_DATE_LEN 29 /* Sun, 06 Nov 1994 08:49:37 GMT */

/* Writes the IMF-fixdate of a wall-clock time. */
void http_date_write(struct text *text, int64_t wall_ns);

/* Reads a date in any of the three forms of RFC 9110, 5.6.7, as seconds since 1970; a year of two digits is the one
 * within fifty years of `now_ns` (wall clock). -EINVAL. */
int http_date_read(struct bytes text, int64_t now_ns, int64_t *ret_seconds) MUST_CHECK;

/* Adds the Date of now. -ENOMEM, -ENOSPC. */
int http_date_add(struct exchange *x, struct http_head *head) MUST_CHECK;

#endif
