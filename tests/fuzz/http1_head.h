/* tests/fuzz/http1_head.h - one reading of a head against the plain reading of its framing. */
#ifndef WEFT_FUZZ_HTTP1_HEAD_H
#define WEFT_FUZZ_HTTP1_HEAD_H

#include "http1_check.h"
#include "http1_framing.h"

static inline void check_framing(const struct http_head *head, enum http1_error error, enum plain_framing plain,
                                 unsigned long long length)
{
    static const enum plain_framing SAME[] = {
        [HTTP_BODY_NONE] = PLAIN_NONE,       [HTTP_BODY_LENGTH] = PLAIN_LENGTH,
        [HTTP_BODY_CHUNKED] = PLAIN_CHUNKED, [HTTP_BODY_UNTIL_CLOSE] = PLAIN_UNTIL_CLOSE,
        [HTTP_BODY_TUNNEL] = PLAIN_TUNNEL,
    };

    if (error != HTTP1_OK) {
        check_true("refused for its framing, but framed well", plain == PLAIN_REFUSED);
        return;
    }
    check_true("two framings", plain == SAME[head->framing]);
    if (head->framing == HTTP_BODY_LENGTH)
        check_true("two lengths", head->content_length == length);
}

/* The length of the head at the start of the data: up to the first empty line behind a first line. */
static inline size_t head_length(struct bytes data)
{
    size_t from = 0;
    ssize_t end;

    while (bytes_starts(bytes_skip(data, from), BYTES("\r\n")))
        from += 2;
    end = bytes_find(bytes_skip(data, from), BYTES("\r\n\r\n"));
    return end < 0 ? data.len : from + (size_t)end + 4;
}

#endif
