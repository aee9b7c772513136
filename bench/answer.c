#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void answer_begin(struct answer *answer)
{
    answer->head_done = false;
    answer->head_length = 0;
    answer->body_left = 0;
}

/* The value of Content-Length in head[0..length), which ends with the empty line; -1 when there is none. */
static long content_length(const char *head, size_t length)
{
    static const char name[] = "\r\ncontent-length:";
    const char *end = head + length;
    const char *line = memchr(head, '\r', length);

    while (line != NULL && (size_t)(end - line) > sizeof name) {
        if (strncasecmp(line, name, sizeof name - 1) == 0)
            return strtol(line + sizeof name - 1, NULL, 10); /* ends at the CR at the latest */
        line = memchr(line + 1, '\r', (size_t)(end - line) - 1);
    }
    return -1;
}

static enum answer_state take_body(struct answer *answer, size_t size)
{
    if (size > answer->body_left)
        return ANSWER_BAD;
    answer->body_left -= size;
    return answer->body_left == 0 ? ANSWER_DONE : ANSWER_MORE;
}

enum answer_state answer_feed(struct answer *answer, const char *data, size_t size, size_t body_expected)
{
    size_t before = answer->head_length;
    size_t taken = size < sizeof answer->head - before ? size : sizeof answer->head - before;
    size_t head;
    const char *blank;

    if (answer->head_done)
        return take_body(answer, size);
    memcpy(answer->head + before, data, taken);
    answer->head_length += taken;
    blank = memmem(answer->head, answer->head_length, "\r\n\r\n", 4);
    if (blank == NULL)
        return answer->head_length < sizeof answer->head ? ANSWER_MORE : ANSWER_BAD;
    head = (size_t)(blank + 4 - answer->head);
    if (head < 12 || memcmp(answer->head, "HTTP/1.1 200", 12) != 0 ||
        content_length(answer->head, head) != (long)body_expected)
        return ANSWER_BAD;
    answer->head_done = true;
    answer->body_left = body_expected;
    return take_body(answer, size - (head - before));
}
