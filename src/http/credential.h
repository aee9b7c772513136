/* http/credential.h - who calls, said by the path: http://HOST/~CREDENTIAL/path, for callers that know how to call a
 * URL and nothing else.
 *
 * (1) x->credential is taken out of the path at birth, before anybody looks at it: no log, record, problem or service
 *     sees it, however the exchange ends.
 * (2) Whether it proves anything is for a stage to say.
 */
#ifndef WEFT_HTTP_CREDENTIAL_H
#define WEFT_HTTP_CREDENTIAL_H

#include "exchange/exchange.h"

/* If the path's first element begins with "~" or "%7E", which is the same (RFC 3986, 2.3), the element goes: what is
 * behind the "~" becomes x->credential, and "/" is the path if nothing is left. The head must be x's own. */
void http_take_credential(struct exchange *x);

#endif
