/* Reading heads.
 *
 * A head that is there as a whole, as most are, is read in one pass. One that comes in pieces is checked line by line
 * as it comes; since the bytes may have moved meanwhile and nothing but offsets is kept, it is read once more from its
 * start when its end is there. So each byte is looked at twice at most, however small the pieces are.
 */
#include "base/assert.h"
#include "wire/http_parts.h"

#include <errno.h>

static const struct {
    unsigned status;
    struct bytes text;
} ERRORS[] = {
    [HTTP1_OK] = { 200, { "", 0 } },
#define ERROR(identifier, code, words) [HTTP1_##identifier] = { code, { words, sizeof(words) - 1 } },
#include "wire/http1_errors.def"
#undef ERROR
};

unsigned http1_error_status(enum http1_error error)
{
    return ERRORS[error].status;
}

struct bytes http1_error_text(enum http1_error error)
{
    return ERRORS[error].text;
}

void http1_head_start(struct http1_head_reader *reader)
{
    *reader = (struct http1_head_reader){ 0 };
}

/* All but the array of fields. In two parts, each small enough for the compiler to clear it with a few moves. */
static void reset_head(struct http_head *head)
{
    memset(head, 0, offsetof(struct http_head, status));
    memset(&head->status, 0, offsetof(struct http_head, fields) - offsetof(struct http_head, status));
    head->field_count = 0;
}

/* "HTTP/1.1" as the whole text. */
static enum http1_error read_version(struct bytes text, struct http_head *head, enum http1_error malformed)
{
    const char *p = text.data;

    if (text.len != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.')
        return malformed;
    if (!http_char_is(p[5], HTTP_CHAR_DIGIT) || !http_char_is(p[7], HTTP_CHAR_DIGIT))
        return malformed;
    if (p[5] != '1' || p[7] > '1')
        return HTTP1_BAD_VERSION;
    head->minor = (uint8_t)(p[7] - '0');
    return HTTP1_OK;
}

/* METHOD SP TARGET SP HTTP/1.x (RFC 9112, 3) */
static enum http1_error read_request_line(struct bytes line, struct http_head *head)
{
    const char *end = line.data + line.len, *p = http_scan(line.data, end, HTTP_CHAR_TOKEN), *target;
    enum http1_error error;

    if (p == end)
        return HTTP1_BAD_REQUEST_LINE;
    if (p == line.data || *p != ' ')
        return HTTP1_BAD_METHOD;
    head->method_text = bytes_of(line.data, (size_t)(p - line.data));
    head->method = http_method_of(head->method_text);
    target = p + 1;
    p = target < end ? memchr(target, ' ', (size_t)(end - target)) : NULL;
    if (p == NULL || p == target)
        return HTTP1_BAD_REQUEST_LINE;
    head->target = bytes_of(target, (size_t)(p - target));
    error = read_version(bytes_of(p + 1, (size_t)(end - p - 1)), head, HTTP1_BAD_REQUEST_LINE);
    return error != HTTP1_OK ? error : http1_read_target(head);
}

/* HTTP/1.x SP 3DIGIT [SP [reason]] (RFC 9112, 4). The second space is often left out; nothing can be confused then. */
static enum http1_error read_status_line(struct bytes line, struct http_head *head)
{
    const char *p = line.data;
    enum http1_error error = read_version(bytes_slice(line, 0, 8), head, HTTP1_BAD_STATUS_LINE);

    if (error != HTTP1_OK)
        return error;
    if (line.len < 12 || p[8] != ' ' || (line.len > 12 && p[12] != ' '))
        return HTTP1_BAD_STATUS_LINE;
    for (unsigned i = 9; i < 12; i++) {
        if (!http_char_is(p[i], HTTP_CHAR_DIGIT))
            return HTTP1_BAD_STATUS_LINE;
        head->status = head->status * 10 + (unsigned)(p[i] - '0');
    }
    if (head->status < 100 || head->status > 599)
        return HTTP1_BAD_STATUS_LINE;
    head->reason = bytes_skip(line, 13);
    return HTTP1_OK;
}

/* The first line; before a request line up to two empty ones are skipped, which is what an offset of up to 4 says. */
static enum http1_line read_first(struct http1_head_reader *reader, struct bytes data, bool request,
                                  struct http_head *head)
{
    struct bytes text;
    enum http1_line line;
    enum http1_error controls;

    do {
        line = http1_first_line(reader, data, &text);
        if (line != HTTP1_LINE_THERE)
            return line;
    } while (request && text.len == 0 && reader->line <= 4);
    reader->error = request ? read_request_line(text, head) : read_status_line(text, head);
    if (reader->error != HTTP1_OK || !request) {
        controls = http1_line_controls(text);
        if (controls != HTTP1_OK)
            reader->error = controls;
    }
    if (reader->error != HTTP1_OK)
        return HTTP1_LINE_BAD;
    reader->first_done = true;
    return HTTP1_LINE_THERE;
}

/* From the reader's line on, to the end of the head or of the data. */
static enum http1_line read_lines(struct http1_head_reader *reader, struct bytes data, bool request,
                                  struct http_head *head)
{
    unsigned max = MIN(head->field_max, HTTP_FIELDS_MAX);
    enum http1_line line;
    struct http_field field;

    reset_head(head);
    if (!reader->first_done) {
        line = read_first(reader, data, request, head);
        if (line != HTTP1_LINE_THERE)
            return line;
    }
    for (;;) {
        line = http1_field_line(reader, data, HTTP1_HEAD_MAX, HTTP1_HEAD_TOO_LARGE, &field);
        if (line != HTTP1_LINE_THERE)
            return line;
        if (reader->field_count == max) {
            reader->error = HTTP1_TOO_MANY_FIELDS;
            return HTTP1_LINE_BAD;
        }
        reader->field_count++;
        head->known |= UINT64_C(1) << field.id;
        head->fields[head->field_count++] = field;
    }
}

/* The length of the head with all its lines read into `head`, or 0, or -EPROTO. */
static ssize_t read_head(struct http1_head_reader *reader, struct bytes data, bool request, struct http_head *head)
{
    bool resumed = reader->line > 0;
    enum http1_line line;

    if (reader->error != HTTP1_OK)
        return -EPROTO;
    if (data.len == 0)
        return 0;
    line = read_lines(reader, data, request, head);
    if (line == HTTP1_LINE_END && resumed) {
        http1_head_start(reader);
        line = read_lines(reader, data, request, head);
        ASSERT(line == HTTP1_LINE_END);
    }
    if (line == HTTP1_LINE_BAD)
        return -EPROTO;
    return line == HTTP1_LINE_END ? (ssize_t)reader->line : 0;
}

ssize_t http1_read_request(struct http1_head_reader *reader, struct bytes data, struct http_head *head)
{
    ssize_t len = read_head(reader, data, true, head);

    if (len > 0)
        reader->error = http1_finish_request(head);
    return reader->error != HTTP1_OK ? -EPROTO : len;
}

ssize_t http1_read_response(struct http1_head_reader *reader, struct bytes data, enum http_method method,
                            struct http_head *head)
{
    ssize_t len = read_head(reader, data, false, head);

    if (len > 0)
        reader->error = http1_finish_response(head, method);
    return reader->error != HTTP1_OK ? -EPROTO : len;
}
