/* tests/fuzz/http1_check.h - what the HTTP/1 targets share. */
#ifndef WEFT_FUZZ_HTTP1_CHECK_H
#define WEFT_FUZZ_HTTP1_CHECK_H

#include "../unit/wire/feed.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Ends the process with both texts when they differ. */
static inline void check_equal(const char *what, const struct text *a, const struct text *b)
{
    if (a->full || b->full || bytes_equal(text_bytes(a), text_bytes(b)))
        return;
    fprintf(stderr, "%s\n--- one:\n%.*s\n--- other:\n%.*s\n", what, BYTES_ARG(text_bytes(a)), BYTES_ARG(text_bytes(b)));
    abort();
}

static inline void check_true(const char *what, bool good)
{
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* How an input is cut: its first two bytes say it, so that the fuzzer can steer it. */
struct cut {
    size_t first, step;
    struct bytes rest;
};

static inline struct cut cut_of(const uint8_t *data, size_t len)
{
    struct cut cut = { .first = data[0], .step = (size_t)data[1] + 1 };

    cut.rest = bytes_of(data + 2, len - 2);
    return cut;
}

/* Errors of framing: those that the plain reading finds too. */
static inline bool is_framing_error(enum http1_error error)
{
    switch (error) {
    case HTTP1_BAD_CONTENT_LENGTH:
    case HTTP1_SEVERAL_CONTENT_LENGTHS:
    case HTTP1_LENGTH_AND_ENCODING:
    case HTTP1_BAD_TRANSFER_ENCODING:
    case HTTP1_UNKNOWN_TRANSFER_ENCODING:
    case HTTP1_TRANSFER_ENCODING_IN_1_0:
    case HTTP1_BODY_IN_CONNECT: return true;
    default: return false;
    }
}

#endif
