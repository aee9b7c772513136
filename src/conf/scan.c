/* What no text may hold is found before libyaml sees it: its own messages about characters give no line. */
#include "conf/context.h"

#include <errno.h>

struct scan {
    struct bytes rest;
    unsigned line, column;
    unsigned directives; /* lines that begin with %TAG */
};

/* One character off the front. False: no UTF-8 (RFC 3629: no overlong forms, no surrogates). */
static bool scan_character(struct scan *scan, uint32_t *ret)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char lead = (unsigned char)scan->rest.data[0];
    unsigned len = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
    uint32_t character = len == 1 ? lead : lead & (0x7fu >> len);

    if (len == 0 || len > scan->rest.len)
        return false;
    for (unsigned i = 1; i < len; i++) {
        unsigned char c = (unsigned char)scan->rest.data[i];

        if ((c & 0xc0) != 0x80)
            return false;
        character = character << 6 | (c & 0x3fu);
    }
    if (character < least[len] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return false;
    scan->rest = bytes_skip(scan->rest, len);
    *ret = character;
    return true;
}

/* YAML 1.1, 5.1: c-printable. */
static bool is_printable(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c != 0x7f && (c < 0x80 || c > 0x9f || c == 0x85) && c != 0xfeff && c != 0xfffe && c != 0xffff;
}

static void scan_advance(struct scan *scan, uint32_t c)
{
    bool newline = c == '\n' || (c == '\r' && !bytes_starts(scan->rest, BYTES("\n"))) || c == 0x85 || c == 0x2028 ||
                   c == 0x2029;

    if (newline) {
        scan->line++;
        scan->column = 1;
    } else {
        scan->column++;
    }
}

/* libyaml compares each with all before it, for what is refused anyway. */
static bool too_many_directives(struct conf_context *context, struct scan *scan, struct conf_place place)
{
    if (scan->column != 1 || !bytes_starts(scan->rest, BYTES("%TAG")) || ++scan->directives <= CONF_DIRECTIVES_MAX)
        return false;
    conf_fault(context, place, NULL, "more than %d lines that begin with %%TAG", CONF_DIRECTIVES_MAX);
    return true;
}

int conf_scan(struct conf_context *context, const char *file, struct bytes text)
{
    struct scan scan = { .rest = text, .line = 1, .column = 1 };

    if (text.len > CONF_TEXT_MAX) {
        struct fault *fault = conf_fault(context, (struct conf_place){ .file = file }, NULL,
                                         "the file is longer than %d bytes", CONF_TEXT_MAX);

        fault_hint(fault, "split it with include");
        return -EINVAL;
    }
    while (scan.rest.len) {
        struct conf_place place = { file, scan.line, scan.column };
        uint32_t c;

        if (too_many_directives(context, &scan, place))
            return -EINVAL;
        if (!scan_character(&scan, &c)) {
            fault_hint(conf_fault(context, place, NULL, "byte 0x%02x is not UTF-8", (unsigned char)scan.rest.data[0]),
                       "save the file as UTF-8");
            return -EINVAL;
        }
        if (!is_printable(c)) {
            fault_hint(conf_fault(context, place, NULL, "character U+%04X is not allowed", c),
                       "in double quotes it can be written as an escape");
            return -EINVAL;
        }
        scan_advance(&scan, c);
    }
    return 0;
}
