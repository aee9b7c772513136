/* stage/template.h - texts with {names} of an exchange in them: keys of limits, values of headers, places of redirects.
 *
 *     {client.address}   the client's address, without port
 *     {request.method} {request.path} {request.query} {request.scheme} {request.id}
 *     {request.host}     of the Host field, without port
 *     {header.NAME}      the first field of that name of the request
 *     {cookie.NAME}      of the request's Cookie fields, as it came
 *     {query.NAME}       the first value of that name, as it came
 *     {path.NAME}        what the route's path has named so
 *     {route} {service} {gateway} {caller} {trace.id}
 *     {{ }}              braces
 *
 * (1) What an exchange does not have is an empty text. Nothing is decoded; enum template_escape tells what is encoded.
 * (2) A template is immutable and lives in the arena that it was parsed into; the text that it was parsed from must
 *     live as long.
 * (3) Expanding takes no malloc: the result lies in the exchange's arena, or is a slice of what the exchange has.
 */
#ifndef WEFT_STAGE_TEMPLATE_H
#define WEFT_STAGE_TEMPLATE_H

#include "base/fault.h"
#include "exchange/exchange.h"

struct template;

/* For `check_text` of a CONF_TEMPLATE: -EINVAL with what is wrong (an unknown name gets a did-you-mean). */
int template_check(struct bytes text, struct fault *fault) MUST_CHECK;

/* For `check` of a schema, with conf_check_arena(). -EINVAL with a fault; -ENOMEM; -ENOSPC: TEMPLATE_PARTS_MAX. */
int template_parse(struct bytes text, struct arena *arena, struct fault *fault, const struct template **ret) MUST_CHECK;

/* -ENOSPC: longer than TEMPLATE_TEXT_MAX; -ENOMEM. */
int template_expand(const struct template *template, struct exchange *x, struct bytes *ret) MUST_CHECK;

/* What the text around is, so that no value can end a string or begin an element there. */
enum template_escape {
    TEMPLATE_PLAIN, /* values as they came */
    TEMPLATE_HTML,  /* & < > " ' become references */
    TEMPLATE_JSON,  /* as in a string of JSON (RFC 8259, 7), without its quotes */
    TEMPLATE_URL,   /* & ; = + are percent-encoded, but in what is of a query already */
};

/* The same, with the values escaped; literals are as they are written. The result always lies in the arena. */
int template_expand_as(const struct template *template, enum template_escape escape, struct exchange *x,
                       struct bytes *ret) MUST_CHECK;

/* Calls `take` for each {path.NAME} in it: the compiler proves that the route's path has them. */
void template_parameters(const struct template *template, void (*take)(void *user, struct bytes name), void *user);

#endif
