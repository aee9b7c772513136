/* What was read, written and read again means the same, but for what the writer must leave out. */
#include "http1_check.h"

#define FIELDS_ROOM (HTTP_FIELDS_MAX + 8)

/* Field lines that the writer copies. */
static void describe_copied(struct text *text, const struct http_head *head, bool request)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];

        if (field->id == HTTP_FIELD_CONNECTION || field->id == HTTP_FIELD_CONTENT_LENGTH ||
            field->id == HTTP_FIELD_TRANSFER_ENCODING || field->id == HTTP_FIELD_UPGRADE ||
            (request && field->id == HTTP_FIELD_HOST))
            continue;
        text_add(text, BYTES("\n"));
        text_add(text, field->name);
        text_add(text, BYTES(": "));
        text_add(text, field->value);
    }
}

/* RFC 9110, 8.6: no length in these; and an interim answer says nothing of the connection. */
static void leave_out(struct http_head *head, enum http_method method)
{
    bool tunnel = method == HTTP_CONNECT && head->status / 100 == 2;

    if (head->status < 200 || head->status == 204 || tunnel) {
        head->has_content_length = false;
        head->content_length = 0;
    }
    if (head->status < 200 && head->status != 101)
        head->keep_alive = head->minor > 0;
    if (head->reason.len == 0)
        head->reason = http_reason(head->status);
    /* An interim answer does not say it; others that were read as upgrading are written so. */
    if (head->status < 200 && head->status != 101)
        head->upgrade = false;
}

static void compare(struct http_head *first, struct http_head *second, bool request, enum http_method method)
{
    static char memory[2][FEED_TEXT_MAX];
    struct text one = text_into(memory[0], FEED_TEXT_MAX), other = text_into(memory[1], FEED_TEXT_MAX);

    first->scheme = second->scheme = BYTES_NONE; /* an absolute target is written in origin form */
    if (!request) {
        leave_out(first, method);
        leave_out(second, method);
    }
    feed_describe(&one, first, request);
    feed_describe(&other, second, request);
    describe_copied(&one, first, request);
    describe_copied(&other, second, request);
    check_equal("written and read again", &one, &other);
}

static void check_chunks(struct bytes body)
{
    static char memory[FEED_TEXT_MAX], read[FEED_TEXT_MAX], want[FEED_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory)), got = text_into(read, sizeof(read)),
                wanted = text_into(want, sizeof(want));
    const struct http_head head = { .framing = HTTP_BODY_CHUNKED };
    struct bytes rest = body;

    while (rest.len > 0) {
        struct bytes chunk = bytes_slice(rest, 0, 1 + (uint8_t)rest.data[0]);
        char line[HTTP1_CHUNK_HEAD_MAX];

        text_add(&text, bytes_of(line, http1_write_chunk_head(line, chunk.len)));
        text_add(&text, chunk);
        text_add(&text, BYTES("\r\n"));
        rest = bytes_skip(rest, chunk.len);
    }
    http1_write_last_chunk(&text, NULL);
    feed_body(&head, text_bytes(&text), true, text.len, 1, &got);
    text_add_format(&wanted, "done %zu [", text.len);
    text_add(&wanted, body);
    text_add(&wanted, BYTES("]"));
    check_equal("chunks written and read again", &wanted, &got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum http_method METHODS[] = { HTTP_GET, HTTP_HEAD, HTTP_CONNECT, HTTP_POST };
    static char written[2 * HTTP1_HEAD_MAX];
    struct text text = text_into(written, sizeof(written));
    struct http_field fields[2][FIELDS_ROOM];
    struct http_head heads[2] = { { .fields = fields[0], .field_max = FIELDS_ROOM },
                                  { .fields = fields[1], .field_max = FIELDS_ROOM } };
    struct http1_head_reader reader;
    enum http_method method;
    struct bytes input;
    bool request;
    ssize_t got;

    if (len < 1 || len > FEED_TEXT_MAX / 8)
        return 0;
    request = (data[0] & 4) == 0;
    method = METHODS[data[0] % ARRAY_LEN(METHODS)];
    input = bytes_of(data + 1, len - 1);
    check_chunks(input);
    http1_head_start(&reader);
    got = request ? http1_read_request(&reader, input, &heads[0])
                  : http1_read_response(&reader, input, method, &heads[0]);
    if (got <= 0 || heads[0].field_count > HTTP_FIELDS_MAX - 4)
        return 0;
    if (request)
        http1_write_request(&text, &heads[0]);
    else
        http1_write_response(&text, &heads[0], method);
    check_true("written whole", !text.full);
    if (text.len > HTTP1_HEAD_MAX || bytes_find(text_bytes(&text), BYTES("\r\n")) > HTTP1_LINE_MAX)
        return 0; /* a blank behind each colon, a filled-in reason */
    http1_head_start(&reader);
    got = request ? http1_read_request(&reader, text_bytes(&text), &heads[1])
                  : http1_read_response(&reader, text_bytes(&text), method, &heads[1]);
    check_true("read again whole", got == (ssize_t)text.len);
    compare(&heads[0], &heads[1], request, method);
    return 0;
}
