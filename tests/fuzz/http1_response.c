/* Response heads: whole and in pieces the same; framing as the plain reading has it. */
#include "http1_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum http_method METHODS[] = { HTTP_GET, HTTP_HEAD, HTTP_CONNECT, HTTP_POST };
    static char memory[2][FEED_TEXT_MAX];
    struct text whole = text_into(memory[0], FEED_TEXT_MAX), pieces = text_into(memory[1], FEED_TEXT_MAX);
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_head head = { .fields = fields, .field_max = HTTP_FIELDS_MAX };
    struct http1_head_reader reader;
    enum http_method method;
    unsigned long long length = 0;
    struct cut cut;
    ssize_t got;

    if (len < 3)
        return 0;
    method = METHODS[data[0] % ARRAY_LEN(METHODS)];
    cut = cut_of(data + 1, len - 1);
    feed_response(cut.rest, method, cut.rest.len, 1, &whole);
    feed_response(cut.rest, method, cut.first, cut.step, &pieces);
    check_equal("response in pieces", &whole, &pieces);
    http1_head_start(&reader);
    got = http1_read_response(&reader, cut.rest, method, &head);
    if (got > 0)
        check_true("two ends", (size_t)got == head_length(cut.rest));
    if (got > 0 || is_framing_error(reader.error))
        check_framing(&head, reader.error,
                      plain_response_framing(cut.rest.data, head_length(cut.rest), method == HTTP_HEAD,
                                             method == HTTP_CONNECT, &length),
                      length);
    return 0;
}
