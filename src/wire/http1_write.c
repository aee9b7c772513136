/* Writing heads and chunk framing. Each piece goes into the text with one check for room. */
#include "base/assert.h"
#include "wire/http_parts.h"

/* Room for len more bytes at the end of what is written, or NULL: then the rest is dropped. */
static inline char *take_room(struct text *text, size_t len)
{
    char *room = text->data + text->len;

    if (text->full || text->max - text->len < len) {
        text->full = true;
        return NULL;
    }
    text->len += len;
    return room;
}

static inline char *put(char *to, struct bytes part)
{
    if (part.len > 0)
        memcpy(to, part.data, part.len);
    return to + part.len;
}

static inline void write_field(struct text *text, struct bytes name, struct bytes value)
{
    char *to = take_room(text, name.len + value.len + 4);

    if (to == NULL)
        return;
    to = put(to, name);
    *to++ = ':';
    *to++ = ' ';
    to = put(to, value);
    *to++ = '\r';
    *to = '\n';
}

static inline void write_part(struct text *text, struct bytes part)
{
    char *to = take_room(text, part.len);

    if (to != NULL)
        put(to, part);
}

/* Connection, Content-Length, Transfer-Encoding, Upgrade are not copied: they are written from the head's meaning. */
#define WRITTEN_FROM_MEANING                                                           \
    (UINT64_C(1) << HTTP_FIELD_CONNECTION | UINT64_C(1) << HTTP_FIELD_CONTENT_LENGTH | \
     UINT64_C(1) << HTTP_FIELD_TRANSFER_ENCODING | UINT64_C(1) << HTTP_FIELD_UPGRADE)

static void write_fields(struct text *text, const struct http_head *head, uint64_t skipped)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];

        if (!(skipped >> field->id & 1))
            write_field(text, field->name, field->value);
    }
}

static void write_connection(struct text *text, const struct http_head *head)
{
    bool tunnel = head->framing == HTTP_BODY_TUNNEL;

    if (head->upgrade && http_head_has(head, HTTP_FIELD_UPGRADE)) {
        write_part(text, head->keep_alive || tunnel ? BYTES("Connection: upgrade\r\n")
                                                    : BYTES("Connection: upgrade, close\r\n"));
        write_fields(text, head, ~(UINT64_C(1) << HTTP_FIELD_UPGRADE));
    } else if (head->minor == 0 && head->keep_alive) {
        write_part(text, BYTES("Connection: keep-alive\r\n"));
    } else if (head->minor > 0 && !head->keep_alive && !tunnel) {
        write_part(text, BYTES("Connection: close\r\n"));
    }
}

static void write_length(struct text *text, uint64_t length)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + length % 10);
        length /= 10;
    } while (length > 0);
    write_field(text, BYTES("Content-Length"), bytes_of(digits + at, sizeof(digits) - at));
}

static void write_framing(struct text *text, const struct http_head *head, bool zero)
{
    if (head->framing == HTTP_BODY_CHUNKED) {
        ASSERT(head->minor > 0);
        write_part(text, BYTES("Transfer-Encoding: chunked\r\n"));
    } else if (head->framing == HTTP_BODY_LENGTH || head->has_content_length) {
        write_length(text, head->content_length);
    } else if (zero && head->framing == HTTP_BODY_NONE) {
        write_length(text, 0);
    }
}

static void write_target(struct text *text, const struct http_head *head)
{
    if (head->method == HTTP_CONNECT) {
        write_part(text, head->authority);
        return;
    }
    write_part(text, head->path);
    if (head->query.data != NULL) {
        write_part(text, BYTES("?"));
        write_part(text, head->query);
    }
}

void http1_write_request(struct text *text, const struct http_head *head)
{
    uint64_t skipped = WRITTEN_FROM_MEANING;

    ASSERT(head->framing == HTTP_BODY_NONE || head->framing == HTTP_BODY_LENGTH || head->framing == HTTP_BODY_CHUNKED);
    write_part(text, head->method == HTTP_OTHER ? head->method_text : http_method_name(head->method));
    write_part(text, BYTES(" "));
    write_target(text, head);
    write_part(text, head->minor > 0 ? BYTES(" HTTP/1.1\r\n") : BYTES(" HTTP/1.0\r\n"));
    if (head->authority.len > 0) {
        write_field(text, http_field_name(HTTP_FIELD_HOST), head->authority);
        skipped |= UINT64_C(1) << HTTP_FIELD_HOST;
    }
    write_fields(text, head, skipped);
    write_framing(text, head, false);
    write_connection(text, head);
    write_part(text, BYTES("\r\n"));
}

void http1_write_response(struct text *text, const struct http_head *head, enum http_method method)
{
    struct bytes reason = head->reason.len > 0 ? head->reason : http_reason(head->status);
    const char status[3] = { (char)('0' + head->status / 100), (char)('0' + head->status / 10 % 10),
                             (char)('0' + head->status % 10) };
    bool tunnel = method == HTTP_CONNECT && head->status / 100 == 2;

    ASSERT(head->status >= 100 && head->status <= 599);
    write_part(text, head->minor > 0 ? BYTES("HTTP/1.1 ") : BYTES("HTTP/1.0 "));
    write_part(text, bytes_of(status, sizeof(status)));
    write_part(text, BYTES(" "));
    write_part(text, reason);
    write_part(text, BYTES("\r\n"));
    write_fields(text, head, WRITTEN_FROM_MEANING);
    /* RFC 9110, 8.6 and RFC 9112, 6.1: neither field in a 1xx, a 204 or an answer that opens a tunnel. */
    if (head->status >= 200 && head->status != 204 && !tunnel)
        write_framing(text, head, method != HTTP_HEAD && head->status != 304);
    if (head->status >= 200 || head->status == 101)
        write_connection(text, head);
    write_part(text, BYTES("\r\n"));
}

size_t http1_write_chunk_head(char *memory, uint64_t len)
{
    unsigned digits = len > 0 ? (unsigned)(67 - __builtin_clzll(len)) / 4 : 1;

    for (unsigned i = digits; i-- > 0; len >>= 4)
        memory[i] = "0123456789abcdef"[len & 15];
    memory[digits] = '\r';
    memory[digits + 1] = '\n';
    return digits + 2;
}

void http1_write_last_chunk(struct text *text, const struct http_head *trailers)
{
    write_part(text, BYTES("0\r\n"));
    if (trailers != NULL)
        write_fields(text, trailers, 0);
    write_part(text, BYTES("\r\n"));
}
