/* http/problem.h - the answer that we give when an exchange failed: a problem body (RFC 9457) and Proxy-Status
 * (RFC 9209), both from exchange/outcome.def. */
#ifndef WEFT_HTTP_PROBLEM_H
#define WEFT_HTTP_PROBLEM_H

#include "exchange/exchange.h"

/* Sets x's answer for the outcome, dropping what was there. `detail`: what happened in particular, or empty. -ENOMEM.
 */
int http_problem(struct exchange *x, enum outcome outcome, struct bytes detail) MUST_CHECK;

/* A problem of a service or of the control API: type is a short word ("credit-refused"). -ENOMEM. */
int http_problem_of(struct exchange *x, unsigned status, struct bytes type, struct bytes detail) MUST_CHECK;

#endif
