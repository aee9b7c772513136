/* Reading bodies: RFC 9112, 6 and 7. Chunk-size lines are read a byte at a time, since no buffer is kept for them. */
#include "wire/http_parts.h"

#include <errno.h>

enum chunk_state {
    SIZE_START, /* no digit yet */
    SIZE,
    BLANKS, /* after a size or a value: an extension must follow */
    NAME_START,
    NAME,
    NAME_BLANKS, /* after a name: its value or another extension must follow */
    VALUE_START,
    VALUE,
    QUOTED,
    ESCAPED,
    QUOTED_END,
    LINE_FEED,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
};

#define CHUNK_DIGITS_MAX 16 /* of a 64-bit number: more are zeros or too much */

void http1_body_start(struct http1_body_reader *reader, const struct http_head *head)
{
    *reader = (struct http1_body_reader){ .framing = head->framing };
    reader->left = head->framing == HTTP_BODY_LENGTH ? head->content_length : 0;
    reader->done = head->framing == HTTP_BODY_NONE || (head->framing == HTTP_BODY_LENGTH && reader->left == 0);
    reader->trailer.first_done = true; /* it has no first line */
}

static enum http1_error size_digit(struct http1_body_reader *reader, char c)
{
    if (reader->line_len > CHUNK_DIGITS_MAX || reader->left > HTTP_LENGTH_MAX >> 4)
        return HTTP1_BAD_CHUNK_SIZE;
    reader->left = reader->left << 4 | http_hex_value(c);
    reader->state = SIZE;
    return HTTP1_OK;
}

/* What may stand behind a size or a value. */
static enum http1_error after_whole(struct http1_body_reader *reader, char c, enum http1_error otherwise)
{
    if (c == '\r')
        reader->state = LINE_FEED;
    else if (c == ';')
        reader->state = NAME_START;
    else if (http_char_is(c, HTTP_CHAR_BLANK))
        reader->state = BLANKS;
    else
        return otherwise;
    return HTTP1_OK;
}

static enum http1_error quoted_byte(struct http1_body_reader *reader, char c)
{
    if (http_char_is(c, HTTP_CHAR_CONTROL))
        return HTTP1_BAD_CHUNK_EXTENSION;
    if (reader->state == ESCAPED)
        reader->state = QUOTED;
    else if (c == '\\')
        reader->state = ESCAPED;
    else if (c == '"')
        reader->state = QUOTED_END;
    return HTTP1_OK;
}

/* *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) (RFC 9112, 7.1.1) */
static enum http1_error extension_byte(struct http1_body_reader *reader, char c)
{
    const bool token = http_char_is(c, HTTP_CHAR_TOKEN), blank = http_char_is(c, HTTP_CHAR_BLANK);
    unsigned next = reader->state;

    switch (reader->state) {
    case NAME_START:
    case VALUE_START:
        if (token)
            next++;
        else if (c == '"' && next == VALUE_START)
            next = QUOTED;
        else if (!blank)
            return HTTP1_BAD_CHUNK_EXTENSION;
        break;
    case NAME:
    case NAME_BLANKS:
    case BLANKS:
        if (c == ';')
            next = NAME_START;
        else if (c == '=' && next != BLANKS)
            next = VALUE_START;
        else if (c == '\r' && next == NAME)
            next = LINE_FEED;
        else if (blank)
            next = next == BLANKS ? BLANKS : NAME_BLANKS;
        else if (!token || next != NAME)
            return HTTP1_BAD_CHUNK_EXTENSION;
        break;
    case VALUE:
        if (token)
            break;
        return after_whole(reader, c, HTTP1_BAD_CHUNK_EXTENSION);
    case QUOTED_END: return after_whole(reader, c, HTTP1_BAD_CHUNK_EXTENSION);
    default: return quoted_byte(reader, c);
    }
    reader->state = (uint8_t)next;
    return HTTP1_OK;
}

/* A byte of a chunk-size line. A line feed without its CR is refused in every state. */
static enum http1_error size_line_byte(struct http1_body_reader *reader, char c)
{
    if (reader->state == LINE_FEED) {
        if (c != '\n')
            return HTTP1_BARE_CR;
        reader->line_len = 0;
        reader->state = reader->left > 0 ? DATA : TRAILER;
        return HTTP1_OK;
    }
    if (c == '\n')
        return HTTP1_BARE_LF;
    if (reader->line_len++ == HTTP1_CHUNK_LINE_MAX && c != '\r')
        return HTTP1_BAD_CHUNK_EXTENSION;
    if (reader->state > SIZE)
        return extension_byte(reader, c);
    if (http_char_is(c, HTTP_CHAR_HEX))
        return size_digit(reader, c);
    return reader->state == SIZE ? after_whole(reader, c, HTTP1_BAD_CHUNK_SIZE) : HTTP1_BAD_CHUNK_SIZE;
}

/* Checks a trailer field and keeps it, if it may be there and somebody wants it (RFC 9110, 6.5). */
static enum http1_error take_trailer(const struct http_field *field, struct http_head *trailers)
{
    unsigned flags = http_field_flags(field->id);

    if ((flags & HTTP_FIELD_IS_NOTRAILER) && (flags & (HTTP_FIELD_IS_HOP | HTTP_FIELD_IS_ONCE)))
        return HTTP1_BAD_TRAILER;
    if (trailers == NULL || (flags & HTTP_FIELD_IS_NOTRAILER))
        return HTTP1_OK;
    if (trailers->field_count == trailers->field_max)
        return HTTP1_TRAILERS_TOO_LARGE;
    trailers->fields[trailers->field_count++] = *field;
    trailers->known |= UINT64_C(1) << field->id;
    return HTTP1_OK;
}

static enum http1_line trailer_lines(struct http1_head_reader *lines, struct bytes data, struct http_head *trailers)
{
    struct http_field field;
    enum http1_line line;

    for (;;) {
        line = http1_field_line(lines, data, HTTP1_TRAILERS_MAX, HTTP1_TRAILERS_TOO_LARGE, &field);
        if (line != HTTP1_LINE_THERE)
            return line;
        if (lines->field_count++ == HTTP1_TRAILER_FIELDS_MAX)
            lines->error = HTTP1_TRAILERS_TOO_LARGE;
        else
            lines->error = take_trailer(&field, trailers);
        if (lines->error != HTTP1_OK)
            return HTTP1_LINE_BAD;
    }
}

/* The section is used up when its end is there. As with heads, one that came in pieces is then read once more. */
static enum http1_error read_trailers(struct http1_body_reader *reader, struct bytes data, struct http_head *trailers,
                                      size_t *used)
{
    bool resumed = reader->trailer.line > 0;
    unsigned count = trailers != NULL ? trailers->field_count : 0;
    uint64_t known = trailers != NULL ? trailers->known : 0;
    enum http1_line line = trailer_lines(&reader->trailer, data, trailers);

    if (line == HTTP1_LINE_END) {
        *used += reader->trailer.line;
        reader->done = true;
        if (!resumed || trailers == NULL)
            return HTTP1_OK;
        reader->trailer = (struct http1_head_reader){ .first_done = true };
    }
    if (trailers != NULL) {
        trailers->field_count = count;
        trailers->known = known;
    }
    if (line == HTTP1_LINE_END)
        line = trailer_lines(&reader->trailer, data, trailers);
    return line == HTTP1_LINE_BAD ? reader->trailer.error : HTTP1_OK;
}

static enum http1_error data_end_byte(struct http1_body_reader *reader, char c)
{
    if (c != (reader->state == DATA_CR ? '\r' : '\n'))
        return HTTP1_BAD_CHUNK_END;
    reader->state = reader->state == DATA_CR ? DATA_LF : SIZE_START;
    return HTTP1_OK;
}

/* Framing up to data, data, and framing up to the next data. */
static enum http1_error read_chunks(struct http1_body_reader *reader, struct bytes data, struct http_head *trailers,
                                    struct bytes *chunk, size_t *used)
{
    enum http1_error error = HTTP1_OK;

    while (error == HTTP1_OK && *used < data.len) {
        if (reader->state == TRAILER)
            return read_trailers(reader, bytes_skip(data, *used), trailers, used);
        if (reader->state == DATA) {
            if (chunk->len > 0)
                return HTTP1_OK;
            *chunk = bytes_of(data.data + *used, MIN(reader->left, data.len - *used));
            *used += chunk->len;
            reader->left -= chunk->len;
            if (reader->left == 0)
                reader->state = DATA_CR;
        } else if (reader->state == DATA_CR || reader->state == DATA_LF) {
            error = data_end_byte(reader, data.data[(*used)++]);
        } else {
            error = size_line_byte(reader, data.data[(*used)++]);
        }
    }
    return error;
}

int http1_read_body(struct http1_body_reader *reader, struct bytes data, struct http_head *trailers,
                    struct bytes *ret_chunk, size_t *ret_used)
{
    struct bytes chunk = BYTES_NONE;
    size_t used = 0;

    if (reader->error != HTTP1_OK)
        return -EPROTO;
    if (!reader->done) {
        if (reader->framing == HTTP_BODY_CHUNKED) {
            reader->error = read_chunks(reader, data, trailers, &chunk, &used);
            if (reader->error != HTTP1_OK)
                return -EPROTO;
        } else {
            chunk = data;
            if (reader->framing == HTTP_BODY_LENGTH) {
                chunk.len = MIN(reader->left, data.len);
                reader->left -= chunk.len;
                reader->done = reader->left == 0;
            }
            used = chunk.len;
        }
    }
    *ret_chunk = chunk;
    *ret_used = used;
    return 0;
}

int http1_body_end(struct http1_body_reader *reader)
{
    if (reader->error == HTTP1_OK && (reader->framing == HTTP_BODY_UNTIL_CLOSE || reader->framing == HTTP_BODY_TUNNEL))
        reader->done = true;
    if (reader->done)
        return 0;
    if (reader->error == HTTP1_OK)
        reader->error = HTTP1_EARLY_END;
    return -EPROTO;
}
