#include "feed.h"

#include "base/alloc.h"
#include "base/assert.h"

const char *feed_error_name(enum http1_error error)
{
    switch (error) {
    case HTTP1_OK: return "OK";
#define ERROR(identifier, status, text) \
    case HTTP1_##identifier:            \
        return #identifier;
#include "wire/http1_errors.def"
#undef ERROR
    }
    return "?";
}

static void add_part(struct text *text, const char *before, struct bytes part)
{
    if (part.data != NULL) {
        text_add(text, bytes_of_text(before));
        text_add(text, part);
    }
}

void feed_describe(struct text *text, const struct http_head *head, bool request)
{
    static const char *const FRAMING[] = { "none", "length", "chunked", "until-close", "tunnel" };

    if (request) {
        ASSERT(head->method == http_method_of(head->method_text));
        text_add(text, head->method_text);
        add_part(text, " ", head->scheme);
        add_part(text, " ", head->path);
        add_part(text, "?", head->query);
        add_part(text, " @", head->authority);
    } else {
        text_add_u64(text, head->status);
        add_part(text, " ", head->reason);
    }
    text_add_format(text, " 1.%u %s", head->minor, FRAMING[head->framing]);
    if (head->has_content_length)
        text_add_format(text, "=%llu", (unsigned long long)head->content_length);
    else
        ASSERT(head->content_length == 0);
    text_add_format(text, "%s%s%s", head->keep_alive ? " keep" : " close", head->expect_continue ? " expect" : "",
                    head->upgrade ? " upgrade" : "");
}

static void describe_fields(struct text *text, const struct http_head *head)
{
    uint64_t known = 0;

    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];

        ASSERT(field->id == http_field_id_of(field->name));
        ASSERT(http_is_token(field->name) && http_is_field_value(field->value));
        known |= UINT64_C(1) << field->id;
        text_add_format(text, "\n%u[", field->id);
        text_add(text, field->name);
        text_add(text, BYTES("]=["));
        text_add(text, field->value);
        text_add(text, BYTES("]"));
    }
    ASSERT(known == head->known);
}

static char *copy_of(struct bytes from)
{
    char *copy = mem_alloc(from.len + (from.len == 0));

    ASSERT(copy != NULL);
    if (from.len > 0)
        memcpy(copy, from.data, from.len);
    return copy;
}

static void feed_head(struct bytes input, bool request, enum http_method method, size_t first, size_t step,
                      struct text *text)
{
    struct http_field fields[HTTP_FIELDS_MAX + 4];
    struct http_head head = { .fields = fields, .field_max = ARRAY_LEN(fields) };
    struct http1_head_reader reader;
    size_t len = MIN(first, input.len);

    ASSERT(step > 0);
    http1_head_start(&reader);
    for (;; len = MIN(len + step, input.len)) {
        char *copy = copy_of(bytes_of(input.data, len));
        ssize_t got = request ? http1_read_request(&reader, bytes_of(copy, len), &head)
                              : http1_read_response(&reader, bytes_of(copy, len), method, &head);

        if (got > 0) {
            ASSERT((size_t)got <= len);
            text_add_format(text, "len %zd ", got);
            text_add(text, bytes_slice(head.target, 0, request ? head.target.len : 0));
            text_add(text, BYTES("\n"));
            feed_describe(text, &head, request);
            describe_fields(text, &head);
        } else if (got < 0) {
            ASSERT(reader.error != HTTP1_OK);
            text_add_format(text, "error %s", feed_error_name(reader.error));
        } else if (len == input.len) {
            text_add(text, BYTES("more"));
        }
        mem_free(copy);
        if (got != 0 || len == input.len)
            return;
    }
}

void feed_request(struct bytes input, size_t first, size_t step, struct text *text)
{
    feed_head(input, true, HTTP_OTHER, first, step, text);
}

void feed_response(struct bytes input, enum http_method method, size_t first, size_t step, struct text *text)
{
    feed_head(input, false, method, first, step, text);
}

/* What the reader takes of these bytes, until it takes no more. The slices of trailers are described at once. */
static int read_some(struct http1_body_reader *reader, struct bytes data, struct http_head *trailers, size_t *used,
                     struct text *body, struct text *text)
{
    for (;;) {
        struct bytes chunk = BYTES_NONE;
        size_t taken = 0;
        int result = http1_read_body(reader, bytes_skip(data, *used), trailers, &chunk, &taken);

        if (result < 0) {
            ASSERT(reader->error != HTTP1_OK);
            return result;
        }
        ASSERT(taken >= chunk.len && *used + taken <= data.len);
        text_add(body, chunk);
        *used += taken;
        if (reader->done && trailers != NULL)
            describe_fields(text, trailers);
        if (reader->done || taken == 0)
            return 0;
    }
}

void feed_body(const struct http_head *head, struct bytes input, bool trailers, size_t first, size_t step,
               struct text *text)
{
    struct http_field fields[HTTP1_TRAILER_FIELDS_MAX];
    struct http_head kept = { .fields = fields, .field_max = ARRAY_LEN(fields) };
    struct http1_body_reader reader;
    size_t from = 0, len = MIN(first, input.len), used;
    char *collected = mem_alloc(FEED_TEXT_MAX), *names = mem_alloc(FEED_TEXT_MAX);
    struct text body = text_into(collected, FEED_TEXT_MAX), trailer = text_into(names, FEED_TEXT_MAX);

    ASSERT(collected != NULL && names != NULL);
    http1_body_start(&reader, head);
    for (;; len = MIN(len + step, input.len)) {
        char *copy = copy_of(bytes_slice(input, from, len));
        int result;

        used = 0;
        result = read_some(&reader, bytes_of(copy, len - from), trailers ? &kept : NULL, &used, &body, &trailer);
        mem_free(copy);
        from += used;
        if (result < 0 || reader.done || len == input.len)
            break;
    }
    ASSERT(!body.full);
    if (reader.error != HTTP1_OK) {
        text_add_format(text, "error %s", feed_error_name(reader.error));
    } else {
        text_add_format(text, reader.done ? "done %zu [" : "open [", from);
        text_add(text, text_bytes(&body));
        text_add(text, BYTES("]"));
        text_add(text, text_bytes(&trailer));
    }
    mem_free(collected);
    mem_free(names);
}
