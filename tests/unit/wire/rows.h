/* tests/unit/wire/rows.h - rows of messages, each fed whole, byte by byte, and cut at every place. */
#ifndef WEFT_TESTS_ROWS_H
#define WEFT_TESTS_ROWS_H

#include "feed.h"

struct row {
    struct bytes input;
    const char *want;        /* the line of feed_describe() or the text of feed_body(); of a bad one the error's name */
    unsigned status;         /* of a bad one; else 0 */
    enum http_method method; /* that a response answers */
};

#define ROW_BYTES(text)           \
    {                             \
        "" text, sizeof(text) - 1 \
    }
#define GOOD(text, ...)              \
    {                                \
        ROW_BYTES(text), __VA_ARGS__ \
    }
#define BAD(text, error, code)                  \
    {                                           \
        ROW_BYTES(text), #error, code, HTTP_GET \
    }

/* Feeds one input in the given pieces. */
typedef void rows_feed(const struct row *row, const void *context, size_t first, size_t step, struct text *text);

/* Fails the running test when a row gives something else than it wants, or something that depends on the pieces.
 * Prints how many rows there were. */
void rows_check(const struct row *rows, size_t count, rows_feed *feed, const void *context);

#endif
