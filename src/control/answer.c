#include "control/answer.h"

#include "base/alloc.h"

#include <stdarg.h>

#define ROOM_FIRST 4096
#define SHORT_MAX 512
#define JSON_GROWTH 6 /* a byte becomes \u00XX at worst; one that is no UTF-8 becomes three */

/* --- gathering --------------------------------------------------------------------------------------------------- */

static bool make_room(struct answer *answer, size_t more)
{
    size_t room = MAX(answer->room, (size_t)ROOM_FIRST);
    char *grown;

    if (answer->error < 0)
        return false;
    if (more > CONTROL_ANSWER_MAX - answer->len) {
        answer->error = -EFBIG;
        return false;
    }
    if (answer->data && answer->room - answer->len >= more)
        return true;
    while (room - answer->len < more)
        room *= 2;
    grown = mem_realloc(answer->data, room);
    if (!grown) {
        answer->error = -ENOMEM;
        return false;
    }
    answer->data = grown;
    answer->room = room;
    return true;
}

void answer_add(struct answer *answer, struct bytes part)
{
    if (part.len == 0 || !make_room(answer, part.len))
        return;
    memcpy(answer->data + answer->len, part.data, part.len);
    answer->len += part.len;
}

void answer_text(struct answer *answer, const char *text)
{
    answer_add(answer, bytes_of_text(text));
}

void answer_format(struct answer *answer, const char *format, ...)
{
    char memory[SHORT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    answer_add(answer, text_bytes(&text));
}

void answer_json(struct answer *answer, struct bytes value)
{
    struct text text;

    if (value.len > CONTROL_ANSWER_MAX / JSON_GROWTH)
        answer->error = answer->error < 0 ? answer->error : -EFBIG;
    if (!make_room(answer, value.len * JSON_GROWTH + 2))
        return;
    text = text_into(answer->data + answer->len, answer->room - answer->len);
    text_add_json(&text, value);
    answer->len += text.len;
}

void answer_member(struct answer *answer, const char *key)
{
    if (answer->len > 0 && answer->data[answer->len - 1] != '{')
        answer_text(answer, ",");
    answer_json(answer, bytes_of_text(key));
    answer_text(answer, ":");
}

void answer_number(struct answer *answer, const char *key, uint64_t value)
{
    answer_member(answer, key);
    answer_format(answer, "%llu", (unsigned long long)value);
}

void answer_string(struct answer *answer, const char *key, struct bytes value)
{
    answer_member(answer, key);
    answer_json(answer, value);
}

void answer_bool(struct answer *answer, const char *key, bool value)
{
    answer_member(answer, key);
    answer_text(answer, value ? "true" : "false");
}

void answer_words(struct answer *answer, const char *key, const struct bytes *words, size_t count)
{
    answer_member(answer, key);
    answer_text(answer, "[");
    for (size_t i = 0; i < count; i++) {
        answer_text(answer, i ? "," : "");
        answer_json(answer, words[i]);
    }
    answer_text(answer, "]");
}

/* --- sending ----------------------------------------------------------------------------------------------------- */

struct answer_body {
    struct body body;
    char *data;
    struct bytes rest;
};

static int read_body(struct body *body, struct bytes *ret_chunk)
{
    struct answer_body *mine = container_of(body, struct answer_body, body);

    if (mine->rest.len == 0)
        return 0;
    *ret_chunk = mine->rest;
    mine->rest = BYTES_NONE;
    return 1;
}

static void close_body(struct body *body, enum outcome why)
{
    mem_free(container_of(body, struct answer_body, body)->data);
}

static const struct body_ops ANSWER_OPS = { .read = read_body, .close = close_body };

void answer_drop(struct answer *answer)
{
    mem_free(answer->data);
    *answer = (struct answer){ 0 };
}

int answer_send(struct answer *answer, struct exchange *x, unsigned status, struct bytes content_type)
{
    struct answer_body *mine = arena_alloc(&x->arena, sizeof(*mine));
    int r = answer->error < 0 ? answer->error : mine ? 0 : -ENOMEM;

    if (r == 0)
        r = exchange_answer(x, status, content_type, BYTES_NONE);
    if (r < 0 || answer->len == 0) {
        answer_drop(answer);
        return r;
    }
    *mine = (struct answer_body){
        .body = { .ops = &ANSWER_OPS, .has_length = true, .at_hand = true, .length = answer->len },
        .data = answer->data,
        .rest = bytes_of(answer->data, answer->len),
    };
    *answer = (struct answer){ 0 };
    x->response.framing = HTTP_BODY_LENGTH;
    x->response.content_length = mine->body.length;
    x->response_body = &mine->body;
    return 0;
}
