/* http/forward.h - what a proxy changes in the heads that it passes on (RFC 9110, 7.6; RFC 9112, 6.3).
 *
 * Request: hop-by-hop and Connection-nominated fields go; Via, X-Forwarded-For, -Proto, -Host, X-Request-Id and
 * traceparent are set. Response: hop-by-hop fields go, Via is added, Date if it is missing.
 */
#ifndef WEFT_HTTP_FORWARD_H
#define WEFT_HTTP_FORWARD_H

#include "exchange/exchange.h"

/* Writes into *ret, whose fields are in x's arena; x's own head is not changed. -ENOMEM, -ENOSPC. */
int http_forward_request(struct exchange *x, struct bytes host, bool direct, struct http_head *ret) MUST_CHECK;
int http_forward_response(struct exchange *x, struct http_head *ret) MUST_CHECK;

/* Reads trace context and request id of a new exchange, or makes new ones. -ENOMEM.
 *
 * W3C Trace Context, level 1. An exchange is one span, with an id of its own: that is what the endpoint is sent as
 * parent-id, whichever try it is, and what came is x->trace.parent. So a service that passes the traceparent that it
 * got on unchanged links its own calls to the exchange that called it. Without a traceparent, with two or with one that
 * can't be read, a new trace begins, and is marked as sampled. Of the flags, sampled alone is passed on. tracestate is
 * passed on as it came, unless its traceparent could not be read or it has more than HTTP_TRACESTATE_MEMBERS_MAX
 * members: we add none of our own. */
int http_trace_begin(struct exchange *x) MUST_CHECK;

/* Our own token is in Via too often: the request goes round in circles. */
bool http_via_loops(const struct http_head *request);

#endif
