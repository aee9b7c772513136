/* stage/place.h - the parts of a URL that rewrite and redirect put together anew. */
#ifndef WEFT_STAGE_PLACE_H
#define WEFT_STAGE_PLACE_H

#include "stage/stages.h"

/* The path with `with` in the place of the prefix `strip`, element by element; slashes at the end of both don't count
 * (Gateway API, ReplacePrefixMatch). In x's arena, or a slice. -ENOENT: the path is not below `strip`; -ENOSPC:
 * REWRITE_PATH_MAX; -ENOMEM. */
int place_replace_prefix(struct exchange *x, struct bytes path, struct bytes strip, struct bytes with,
                         struct bytes *ret) MUST_CHECK;

/* For `check_text` of a path, a prefix or a host that may hold {names}: what of it is written is looked at here, what
 * comes out for a request when it has come. */
int place_check_path(struct bytes text, struct fault *fault) MUST_CHECK;
int place_check_prefix(struct bytes text, struct fault *fault) MUST_CHECK; /* may be empty */
int place_check_strip(struct bytes text, struct fault *fault) MUST_CHECK;  /* no {names} */
int place_check_host(struct bytes text, struct fault *fault) MUST_CHECK;

/* For `check` of the whole: `path` and `prefix` don't go together, and `strip` only with `prefix`. */
void place_check_parts(struct conf_check *check);

/* host[:port] taken apart; *ret_port is 0 if there is none. */
struct bytes place_split_port(struct bytes authority, unsigned *ret_port);

#endif
