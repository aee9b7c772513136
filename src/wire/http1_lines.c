/* Lines of a head or trailer section.
 *
 * A line is judged when its line feed is there, and lines are judged in order. What is found does not depend on how
 * the bytes were cut into calls: the quick look at a line only ever says "good" of a whole good line, and everything
 * else goes the slow way, which looks for the line's end first, then at its length, then at its bytes.
 */
#include "wire/http_parts.h"

/* So far a colon is looked for by whole words; what is longer is read byte by byte, to stop at the line's end. */
#define NAME_QUICK_MAX 48

static const char *line_feed(const struct http1_head_reader *reader, struct bytes data, size_t max)
{
    size_t from = reader->scanned, to = MIN(data.len, max);

    return from < to ? memchr(data.data + from, '\n', to - from) : NULL;
}

static enum http1_line bad(struct http1_head_reader *reader, enum http1_error error)
{
    reader->error = error;
    return HTTP1_LINE_BAD;
}

/* No line feed up to offset max: wait for it if there is room. */
static enum http1_line more(struct http1_head_reader *reader, struct bytes data, size_t max, enum http1_error too_large)
{
    if (data.len >= max)
        return bad(reader, too_large);
    reader->scanned = (uint32_t)data.len;
    return HTTP1_LINE_MORE;
}

enum http1_error http1_line_controls(struct bytes line)
{
    const char *end = line.data + line.len, *found = http_scan_text(line.data, end);

    if (found == end)
        return HTTP1_OK;
    return *found == '\r' ? HTTP1_BARE_CR : HTTP1_CONTROL_CHARACTER;
}

/* The line without its CR LF, given its line feed. */
static enum http1_error cut_line(const char *start, const char *feed, struct bytes *ret_line)
{
    enum http1_error error;

    if (feed > start && feed[-1] == '\r') {
        *ret_line = bytes_of(start, (size_t)(feed - 1 - start));
        return HTTP1_OK;
    }
    error = http1_line_controls(bytes_of(start, (size_t)(feed - start)));
    return error != HTTP1_OK ? error : HTTP1_BARE_LF;
}

enum http1_line http1_first_line(struct http1_head_reader *reader, struct bytes data, struct bytes *ret_line)
{
    size_t max = reader->line + HTTP1_LINE_MAX + 2;
    const char *feed = line_feed(reader, data, max);
    enum http1_error error;

    if (feed == NULL)
        return more(reader, data, max, HTTP1_LINE_TOO_LONG);
    error = cut_line(data.data + reader->line, feed, ret_line);
    if (error != HTTP1_OK)
        return bad(reader, error);
    reader->line = reader->scanned = (uint32_t)(feed + 1 - data.data);
    return HTTP1_LINE_THERE;
}

/* Says what is wrong with a whole field line that the quick look did not like. */
static enum http1_error field_error(const char *start, const char *feed)
{
    struct bytes line;
    const char *end, *p;
    enum http1_error error = cut_line(start, feed, &line);

    if (error == HTTP1_OK)
        error = http1_line_controls(line);
    if (error != HTTP1_OK)
        return error;
    if (http_char_is(*start, HTTP_CHAR_BLANK))
        return HTTP1_OBS_FOLD;
    end = line.data + line.len;
    p = http_scan(start, end, HTTP_CHAR_TOKEN);
    if (p > start && p < end && http_char_is(*p, HTTP_CHAR_BLANK)) {
        p = http_scan(p, end, HTTP_CHAR_BLANK);
        if (p < end && *p == ':')
            return HTTP1_SPACE_BEFORE_COLON;
    }
    return HTTP1_BAD_FIELD_NAME;
}

/* A name up to the colon at `colon`: one of those that we know, or a token. Looking it up first is cheaper. */
static inline bool match_name(const char *start, const char *colon, struct http_field *ret_field)
{
    ret_field->name = bytes_of(start, (size_t)(colon - start));
    ret_field->id = http_field_id_of(ret_field->name);
    return ret_field->id != HTTP_FIELD_OTHER || (colon > start && http_all(start, colon, HTTP_CHAR_TOKEN));
}

/* The quick look: takes a good field line in one pass and returns what follows it; NULL: look closer. The first colon
 * may stand in a later line, or far away; the name before it is then none. */
static inline const char *match_field(const char *start, const char *end, struct http_field *ret_field)
{
    const char *p = http_scan_colon(start, end - start > NAME_QUICK_MAX ? start + NAME_QUICK_MAX : end), *value, *next;

    if (p == end || *p != ':')
        p = http_scan(start, end, HTTP_CHAR_TOKEN);
    if (p == end || *p != ':' || !match_name(start, p, ret_field))
        return NULL;
    value = http_scan(p + 1, end, HTTP_CHAR_BLANK);
    p = http_scan_text(value, end);
    if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
        return NULL;
    next = p + 2;
    while (p > value && http_char_is(p[-1], HTTP_CHAR_BLANK))
        p--;
    ret_field->value = bytes_of(value, (size_t)(p - value));
    return next;
}

enum http1_line http1_field_line(struct http1_head_reader *reader, struct bytes data, size_t max,
                                 enum http1_error too_large, struct http_field *ret_field)
{
    const char *start = data.data + reader->line, *end = data.data + data.len, *next = NULL, *feed;
    bool empty = end - start >= 2 && start[0] == '\r' && start[1] == '\n';

    if (reader->scanned > reader->line && line_feed(reader, data, max) == NULL)
        return more(reader, data, max, too_large);
    next = empty ? start + 2 : match_field(start, end, ret_field);
    if (next != NULL && (size_t)(next - data.data) <= max) {
        reader->line = reader->scanned = (uint32_t)(next - data.data);
        return empty ? HTTP1_LINE_END : HTTP1_LINE_THERE;
    }
    feed = line_feed(reader, data, max);
    if (feed == NULL)
        return more(reader, data, max, too_large);
    return bad(reader, field_error(start, feed));
}
