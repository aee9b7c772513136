/* http/problem.h - the answer that we give when an exchange failed: a problem body (RFC 9457) and Proxy-Status
 * (RFC 9209), both from exchange/outcome.def.
 *
 * Proxy-Status says who failed. An answer of ours has `weft; error=...; details="..."`, the outcome's token and name;
 * a failure that a service answered by itself (5xx) is passed on with `weft; received-status=...` behind what it says
 * already. Other answers are passed on without: there is nothing to tell. */
#ifndef WEFT_HTTP_PROBLEM_H
#define WEFT_HTTP_PROBLEM_H

#include "exchange/exchange.h"

/* Sets x's answer for the outcome, dropping what was there. `detail`: what happened in particular, or empty. -ENOMEM.
 */
int http_problem(struct exchange *x, enum outcome outcome, struct bytes detail) MUST_CHECK;

/* Notes in x's answer that this status has come from the endpoint. Where there is no room for it, it is left out. */
void http_note_received(struct exchange *x);

/* A problem of a service or of the control API: type is a short word ("credit-refused"). -ENOMEM. */
int http_problem_of(struct exchange *x, unsigned status, struct bytes type, struct bytes detail) MUST_CHECK;

#endif
