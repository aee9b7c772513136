/* Bodies: whole and in pieces the same; chunks as the plain decoder has them. */
#include "http1_check.h"
#include "http1_framing.h"

static void check_plain(struct bytes input, const struct text *whole)
{
    static char copy[FEED_TEXT_MAX], body[FEED_TEXT_MAX], memory[FEED_TEXT_MAX];
    struct text want = text_into(memory, sizeof(memory)), got = *whole;
    size_t body_len, used;

    if (!bytes_starts(text_bytes(whole), BYTES("done ")) || input.len >= sizeof(copy))
        return;
    memcpy(copy, input.data, input.len);
    copy[input.len] = '\0';
    check_true("done, but not for the plain decoder", plain_unchunk(copy, input.len, body, &body_len, &used));
    text_add_format(&want, "done %zu [", used);
    text_add(&want, bytes_of(body, body_len));
    text_add(&want, BYTES("]"));
    got.len = MIN(got.len, want.len); /* the trailers follow */
    check_equal("chunks", &want, &got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char memory[2][FEED_TEXT_MAX];
    struct text whole = text_into(memory[0], FEED_TEXT_MAX), pieces = text_into(memory[1], FEED_TEXT_MAX);
    struct http_head head = { .framing = HTTP_BODY_CHUNKED };
    bool trailers;
    struct cut cut;

    if (len < 3 || len > FEED_TEXT_MAX / 8)
        return 0;
    trailers = (data[0] & 1) != 0;
    if ((data[0] & 14) == 14) {
        head.framing = (enum http_framing)(data[0] >> 4 & 3);
        head.content_length = head.framing == HTTP_BODY_LENGTH ? 1 + (data[0] >> 6) * 16u : 0;
    }
    cut = cut_of(data + 1, len - 1);
    feed_body(&head, cut.rest, trailers, cut.rest.len, 1, &whole);
    feed_body(&head, cut.rest, trailers, cut.first, cut.step, &pieces);
    check_equal("body in pieces", &whole, &pieces);
    if (head.framing == HTTP_BODY_CHUNKED)
        check_plain(cut.rest, &whole);
    return 0;
}
