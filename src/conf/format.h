/* conf/format.h - one way to lay out a YAML text: `weft fmt`.
 *
 * (1) What the text means never changes: the result is read again and compared, event by event, with what was read
 *     before; where they differ, there is no result.
 * (2) Comments stay, before or behind what they stood before or behind. So do the order of keys, quotes, line breaks,
 *     and spaces that line values up behind a key.
 * (3) Two spaces a level, also for a list under its key; one space behind a dash; `{ a: 1, b: [2, 3] }`; no space at
 *     the end of a line; at most one empty line in a row, none at the start and the end; lines end with a line feed.
 * (4) Formatting twice gives what formatting once gave.
 * (5) It does not recurse, and takes time and memory in proportion to the text: CONF_TEXT_MAX, CONF_FORMAT_DEPTH_MAX.
 */
#ifndef WEFT_CONF_FORMAT_H
#define WEFT_CONF_FORMAT_H

#include "base/bytes.h"
#include "base/fault.h"

/* The text as it should look: mem_free(data). -EINVAL: it is no YAML, or can't be laid out without changing what it
 * means; *fault says where and why, `file` is its name there. -ENOMEM; -EFBIG: longer than CONF_TEXT_MAX. */
int conf_format(const char *file, struct bytes text, struct fault *fault, struct bytes *ret) MUST_CHECK;

#endif
