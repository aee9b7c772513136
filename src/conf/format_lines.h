/* conf/format_lines.h - what stands where in a YAML text. Inside of conf/ only.
 *
 * libyaml's scanner says which lines go on with what began on an earlier one, and where braces, brackets and commas
 * stand; all else is seen from the text itself.
 */
#ifndef WEFT_CONF_FORMAT_LINES_H
#define WEFT_CONF_FORMAT_LINES_H

#include "base/bytes.h"
#include "base/fault.h"

enum format_line_kind {
    FORMAT_PLAIN,  /* begins with a key, an item, or something of its own */
    FORMAT_BLOCK,  /* inside a literal or folded scalar: its text */
    FORMAT_FOLDED, /* inside a plain or quoted scalar of several lines: the indentation means nothing */
    FORMAT_FLOW,   /* inside { } or [ ] */
};

/* A brace, bracket or comma, or the colon of a flow mapping. */
struct format_mark {
    uint32_t line, byte; /* from 0 */
    char what;           /* { } [ ] , : */
    uint16_t depth;      /* of flow around it: 1 is the outermost; that of the collection that it opens or closes */
    bool tight;          /* [ and ]: what is next to it on the inside is no brace or bracket */
};

struct format_line {
    struct bytes text; /* without its end */
    enum format_line_kind kind;
    uint16_t flow;       /* FORMAT_FLOW: how many collections are open where it begins */
    bool opens_explicit; /* a block scalar begins here that tells its indentation by a digit */
};

struct format_lines {
    struct format_line *lines;
    size_t count;
    struct format_mark *marks; /* in the order of the text */
    size_t mark_count;
};

/* -EINVAL with a fault; -ENOMEM. The lines borrow the text. */
int format_lines_read(const char *file, struct bytes text, struct fault *fault, struct format_lines *ret) MUST_CHECK;
void format_lines_free(struct format_lines *lines);

/* Whether both mean the same: -EINVAL if they don't, or the second can't be read; -ENOMEM. */
int format_same(struct bytes a, struct bytes b) MUST_CHECK;

#endif
