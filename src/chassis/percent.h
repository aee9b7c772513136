/* chassis/percent.h - percent-encoded parts of a request's target (RFC 3986, 2.1). */
#ifndef WEFT_CHASSIS_PERCENT_H
#define WEFT_CHASSIS_PERCENT_H

#include "base/bytes.h"

/* Whether each '%' has two hexadecimal digits behind it that do not make a zero byte, and no byte is a zero. The others
 * ask for this to be so. */
bool percent_fine(struct bytes raw);

/* Writes raw.len bytes at most; returns how many. `plus`: '+' is a space, as in queries. */
size_t percent_decode(struct bytes raw, bool plus, char *to);

/* Whether raw, decoded, is the text. */
bool percent_equal(struct bytes raw, bool plus, struct bytes text);

#endif
