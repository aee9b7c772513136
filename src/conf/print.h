/* conf/print.h - what both printers share. Inside of conf/ only. */
#ifndef WEFT_CONF_PRINT_H
#define WEFT_CONF_PRINT_H

#include "conf/context.h"
#include "conf/schema_print.h"

#define PRINT_PIECE_MAX 8192  /* one text of a table, with escapes */
#define PRINT_DEPTH_MAX 64    /* open objects and arrays */
#define PRINT_INDENT_SPACES 2 /* a level, in JSON */

struct printer {
    struct conf_sink *sink;
    int err; /* sticky: nothing is written after a failure */
    struct conf_walk walk;
    unsigned depth;               /* JSON: levels that are open */
    bool filled[PRINT_DEPTH_MAX]; /* whether something stands in them */
};

int printer_new(struct conf_sink *sink, const struct conf_schema *root, const struct conf_set *sets, size_t set_count,
                struct printer **ret) MUST_CHECK;
int printer_end(struct printer *printer) MUST_CHECK; /* frees it; its error */

void print_bytes(struct printer *printer, struct bytes text);
void print_text(struct printer *printer, const char *text);
void print_format(struct printer *printer, const char *format, ...) PRINTF_LIKE(2, 3);

/* JSON: commas, line ends and indentation come by themselves. */
void print_open(struct printer *printer, const char *key, char bracket); /* key NULL: an item */
void print_close(struct printer *printer, char bracket);
void print_string(struct printer *printer, const char *key, const char *value);
void print_raw(struct printer *printer, const char *key, const char *value); /* a number, true, ... */

/* Whether any schema that is printed uses the set in this way. */
bool print_uses_set(const struct printer *printer, const struct conf_set *set, enum conf_type type);

#endif
