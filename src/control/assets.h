/* control/assets.h - the dashboard's files, which are a part of the program, and how they are answered.
 *
 * web/build.py makes the table when Weft is built. Without node and npm it has a plain page that says so.
 *
 * (1) Every file is there as it is and, where that is smaller, packed by gzip; clients get what they accept.
 * (2) Files are only kept by browsers together with their ETag and asked for again each time, so a new Weft is seen at
 *     once. If-None-Match is answered by 304 (RFC 9110, 13.1.2).
 * (3) A page may load from its own origin only and has no inline script or style (Content Security Policy); texts
 *     can't become HTML (Trusted Types).
 */
#ifndef WEFT_CONTROL_ASSETS_H
#define WEFT_CONTROL_ASSETS_H

#include "exchange/exchange.h"

struct asset {
    struct bytes path, type;
    struct bytes tag, packed_tag; /* entity tags, with their quotes */
    struct bytes plain, packed;   /* packed: empty if it would not be smaller */
};

extern const struct asset CONTROL_ASSETS[];
extern const size_t CONTROL_ASSETS_COUNT;

/* NULL: there is none at that path. */
const struct asset *assets_find(struct bytes path);

/* Answers x with it: 200 or 304. -ENOMEM. */
int assets_answer(const struct asset *asset, struct exchange *x) MUST_CHECK;

#endif
