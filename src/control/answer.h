/* control/answer.h - an answer that is too large for an exchange's arena: gathered in memory that grows, and given back
 * when its body is closed. */
#ifndef WEFT_CONTROL_ANSWER_H
#define WEFT_CONTROL_ANSWER_H

#include "exchange/exchange.h"

/* Starts as all zeros. The first error stays, and nothing is added after it: -ENOMEM, or -EFBIG above
 * CONTROL_ANSWER_MAX. */
struct answer {
    char *data;
    size_t len, room;
    int error;
};

void answer_add(struct answer *answer, struct bytes part);
void answer_text(struct answer *answer, const char *text);
void answer_format(struct answer *answer, const char *format, ...) PRINTF_LIKE(2, 3); /* short ones: numbers */
void answer_json(struct answer *answer, struct bytes value);                          /* a string with its quotes */

/* {"a":1,"b":"x"}: commas come by themselves. */
void answer_member(struct answer *answer, const char *key); /* what follows is its value */
void answer_number(struct answer *answer, const char *key, uint64_t value);
void answer_string(struct answer *answer, const char *key, struct bytes value);
void answer_bool(struct answer *answer, const char *key, bool value);
void answer_words(struct answer *answer, const char *key, const struct bytes *words, size_t count); /* "a":["x","y"] */

/* Makes it x's answer and takes its memory, also on failure: the answer's error, or -ENOMEM. */
int answer_send(struct answer *answer, struct exchange *x, unsigned status, struct bytes content_type) MUST_CHECK;
void answer_drop(struct answer *answer);

#endif
