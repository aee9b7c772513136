/* bench/answer.h - follows one HTTP/1.1 answer with a Content-Length through the pieces in which it arrives.
 * Enough for the answers of origin.c as a proxy passes them on; anything else counts as ANSWER_BAD. */
#ifndef WEFT_BENCH_ANSWER_H
#define WEFT_BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_HEAD_MAX 4096 /* origin's head is under 200 bytes; proxies add a few fields */

enum answer_state { ANSWER_MORE, ANSWER_DONE, ANSWER_BAD };

struct answer {
    bool head_done;
    size_t head_length;
    size_t body_left;
    char head[ANSWER_HEAD_MAX];
};

void answer_begin(struct answer *answer);

/* Takes the next `size` bytes. ANSWER_DONE after the last byte of a 200 with exactly `body_expected` bytes of body and
 * nothing behind it. */
enum answer_state answer_feed(struct answer *answer, const char *data, size_t size, size_t body_expected);

#endif
