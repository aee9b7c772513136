/* tests/unit/wire/feed.h - gives a message to a reader of the codec in pieces, and writes down what came out.
 *
 * The first call sees `first` bytes, each further one `step` more, always in a new copy of exactly the bytes that are
 * there: what reads past the end or remembers an address is found by the sanitizers. What is written down is complete,
 * so that two texts are equal only if the two readings were.
 */
#ifndef WEFT_TESTS_FEED_H
#define WEFT_TESTS_FEED_H

#include "wire/http1.h"

#define FEED_TEXT_MAX (64 * KIB)

const char *feed_error_name(enum http1_error error);

/* One line: method, scheme, path, query, authority or status and reason; version; framing; flags. */
void feed_describe(struct text *text, const struct http_head *head, bool request);

/* Each prints "len ...", the head and its fields, or "more", or "error NAME". */
void feed_request(struct bytes input, size_t first, size_t step, struct text *text);
void feed_response(struct bytes input, enum http_method method, size_t first, size_t step, struct text *text);

/* Prints "done used ... [body] trailers", or "open [body]", or "error NAME". */
void feed_body(const struct http_head *head, struct bytes input, bool trailers, size_t first, size_t step,
               struct text *text);

#endif
