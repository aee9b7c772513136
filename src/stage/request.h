/* stage/request.h - the parts of a request that routes and templates ask for. Slices of what came, nothing decoded.
 * An empty slice with data stands for what is there and empty; data is NULL for what is not there. */
#ifndef WEFT_STAGE_REQUEST_H
#define WEFT_STAGE_REQUEST_H

#include "wire/http.h"

struct bytes request_host(struct bytes authority);                            /* without port; brackets of IPv6 stay */
struct bytes request_query(struct bytes query, struct bytes name);            /* the first "name=value" or "name" */
struct bytes request_header(const struct http_head *head, struct bytes name); /* the first field */
struct bytes request_cookie(const struct http_head *head, struct bytes name); /* RFC 6265, 4.2.1: the first one */

#endif
