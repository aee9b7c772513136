/* http/date.h - the Date field (RFC 9110, 5.6.7 and 6.6.1). */
#ifndef WEFT_HTTP_DATE_H
#define WEFT_HTTP_DATE_H

#include "exchange/exchange.h"

#define HTTP_DATE_LEN 29 /* Sun, 06 Nov 1994 08:49:37 GMT */

/* Writes the IMF-fixdate of a wall-clock time. */
void http_date_write(struct text *text, int64_t wall_ns);

/* Adds the Date of now. -ENOMEM, -ENOSPC. */
int http_date_add(struct exchange *x, struct http_head *head) MUST_CHECK;

#endif
