#include "feed.h"

#include <setjmp.h>

#include <cmocka.h>

static struct bytes text_of(const char *text)
{
    return bytes_of_text(text);
}

static void check_request(struct http_head *head, const char *want)
{
    char memory[1024];
    struct text text = text_into(memory, sizeof(memory));

    http1_write_request(&text, head);
    assert_false(text.full);
    if (!bytes_equal(text_bytes(&text), text_of(want)))
        fail_msg("wrote: %.*s\nnot: %s", BYTES_ARG(text_bytes(&text)), want);
    /* With less room nothing is written past it, and one byte less is always too little. */
    for (size_t room = 0; room < text.len; room++) {
        char small[1024];
        struct text cut = text_into(small, room);

        memset(small, '~', sizeof(small));
        http1_write_request(&cut, head);
        assert_true(cut.full);
        assert_true(cut.len <= room);
        assert_int_equal(small[room], '~');
        assert_memory_equal(small, memory, cut.len);
    }
}

static void check_response(struct http_head *head, enum http_method method, const char *want)
{
    char memory[1024];
    struct text text = text_into(memory, sizeof(memory));

    http1_write_response(&text, head, method);
    assert_false(text.full);
    if (!bytes_equal(text_bytes(&text), text_of(want)))
        fail_msg("wrote: %.*s\nnot: %s", BYTES_ARG(text_bytes(&text)), want);
}

/* A usual request, and what is changed in it. */
#define CHECK_REQUEST(changes, want)                                                                        \
    do {                                                                                                    \
        struct http_head head = {                                                                           \
            .method = HTTP_GET, .minor = 1, .keep_alive = true, .authority = BYTES("a"), .path = BYTES("/") \
        };                                                                                                  \
        changes;                                                                                            \
        check_request(&head, want);                                                                         \
    } while (0)

static void writes_requests(void **state)
{
    struct http_field fields[] = {
        { BYTES("Host"), BYTES("other"), HTTP_FIELD_HOST },
        { BYTES("x-Y"), BYTES("z"), HTTP_FIELD_OTHER },
        { BYTES("Connection"), BYTES("x-y"), HTTP_FIELD_CONNECTION },
        { BYTES("content-length"), BYTES("99"), HTTP_FIELD_CONTENT_LENGTH },
        { BYTES("Transfer-Encoding"), BYTES("gzip"), HTTP_FIELD_TRANSFER_ENCODING },
        { BYTES("upgrade"), BYTES("websocket"), HTTP_FIELD_UPGRADE },
        { BYTES("Empty"), BYTES_NONE, HTTP_FIELD_OTHER },
    };
    const uint64_t known = UINT64_C(1) << HTTP_FIELD_UPGRADE | UINT64_C(1) << HTTP_FIELD_HOST;

    CHECK_REQUEST(, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_REQUEST(head.keep_alive = false, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK_REQUEST(head.minor = 0, "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    CHECK_REQUEST(head.minor = 0; head.keep_alive = false, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    CHECK_REQUEST(head.path = BYTES("/b"); head.query = BYTES("c=d"), "GET /b?c=d HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_REQUEST(head.query = BYTES(""), "GET /? HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_REQUEST(head.target = BYTES("http://x/y?z"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_REQUEST(head.method = HTTP_OPTIONS; head.path = BYTES("*"), "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_REQUEST(head.method = HTTP_CONNECT; head.authority = BYTES("a:1");
                  head.path = BYTES_NONE, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    CHECK_REQUEST(head.method = HTTP_OTHER; head.method_text = BYTES("BREW"), "BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_REQUEST(head.framing = HTTP_BODY_LENGTH;
                  head.content_length = UINT64_MAX,
                  "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n");
    CHECK_REQUEST(head.has_content_length = true, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    CHECK_REQUEST(head.framing = HTTP_BODY_CHUNKED, "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK_REQUEST(head.fields = fields; head.field_count = 7;
                  head.known = known, "GET / HTTP/1.1\r\nHost: a\r\nx-Y: z\r\nEmpty: \r\n\r\n");
    CHECK_REQUEST(head.fields = fields; head.field_count = 2;
                  head.authority = BYTES_NONE, "GET / HTTP/1.1\r\nHost: other\r\nx-Y: z\r\n\r\n");
    CHECK_REQUEST(
        head.fields = fields; head.field_count = 7; head.known = known;
        head.upgrade = true,
        "GET / HTTP/1.1\r\nHost: a\r\nx-Y: z\r\nEmpty: \r\nConnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    CHECK_REQUEST(
        head.fields = fields; head.field_count = 7; head.known = known; head.upgrade = true;
        head.keep_alive = false,
        "GET / HTTP/1.1\r\nHost: a\r\nx-Y: z\r\nEmpty: \r\nConnection: upgrade, close\r\nupgrade: websocket\r\n\r\n");
    CHECK_REQUEST(head.upgrade = true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

/* A usual response, and what is changed in it. */
#define CHECK_RESPONSE(changes, method, want)                                      \
    do {                                                                           \
        struct http_head head = { .status = 200, .minor = 1, .keep_alive = true }; \
        changes;                                                                   \
        check_response(&head, method, want);                                       \
    } while (0)

static void writes_responses(void **state)
{
    struct http_field fields[] = {
        { BYTES("Content-Length"), BYTES("99"), HTTP_FIELD_CONTENT_LENGTH },
        { BYTES("Server"), BYTES("x"), HTTP_FIELD_SERVER },
        { BYTES("Upgrade"), BYTES("websocket"), HTTP_FIELD_UPGRADE },
    };

    CHECK_RESPONSE(, HTTP_GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK_RESPONSE(head.fields = fields;
                   head.field_count = 3, HTTP_GET, "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n");
    CHECK_RESPONSE(head.reason = BYTES("Fine"); head.has_content_length = true; head.content_length = 5;
                   head.framing = HTTP_BODY_LENGTH, HTTP_GET, "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\n");
    CHECK_RESPONSE(head.framing = HTTP_BODY_CHUNKED, HTTP_GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK_RESPONSE(head.framing = HTTP_BODY_UNTIL_CLOSE;
                   head.keep_alive = false, HTTP_GET, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    CHECK_RESPONSE(head.status = 567, HTTP_GET, "HTTP/1.1 567 \r\nContent-Length: 0\r\n\r\n");
    CHECK_RESPONSE(head.minor = 0, HTTP_GET, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    CHECK_RESPONSE(head.minor = 0; head.framing = HTTP_BODY_UNTIL_CLOSE;
                   head.keep_alive = false, HTTP_GET, "HTTP/1.0 200 OK\r\n\r\n");
    CHECK_RESPONSE(head.has_content_length = true;
                   head.content_length = 5, HTTP_HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    CHECK_RESPONSE(, HTTP_HEAD, "HTTP/1.1 200 OK\r\n\r\n");
    CHECK_RESPONSE(head.status = 304, HTTP_GET, "HTTP/1.1 304 Not Modified\r\n\r\n");
    CHECK_RESPONSE(head.status = 304; head.has_content_length = true;
                   head.content_length = 5, HTTP_GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
    CHECK_RESPONSE(head.status = 204; head.has_content_length = true, HTTP_GET, "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK_RESPONSE(head.status = 204;
                   head.keep_alive = false, HTTP_GET, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    CHECK_RESPONSE(head.status = 100; head.keep_alive = false, HTTP_GET, "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK_RESPONSE(head.framing = HTTP_BODY_TUNNEL; head.keep_alive = false, HTTP_CONNECT, "HTTP/1.1 200 OK\r\n\r\n");
    CHECK_RESPONSE(head.status = 407, HTTP_CONNECT,
                   "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    CHECK_RESPONSE(
        head.status = 101; head.framing = HTTP_BODY_TUNNEL; head.keep_alive = false; head.upgrade = true;
        head.fields = fields; head.field_count = 3;
        head.known = UINT64_C(1) << HTTP_FIELD_UPGRADE, HTTP_GET,
        "HTTP/1.1 101 Switching Protocols\r\nServer: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

static void writes_chunks(void **state)
{
    static const struct {
        uint64_t len;
        const char *want;
    } rows[] = {
        { 0, "0\r\n" },    { 1, "1\r\n" },         { 15, "f\r\n" },        { 16, "10\r\n" },
        { 255, "ff\r\n" }, { 0x1a2b, "1a2b\r\n" }, { 65536, "10000\r\n" }, { UINT64_MAX, "ffffffffffffffff\r\n" },
    };
    struct http_field fields[] = {
        { BYTES("X"), BYTES("y"), HTTP_FIELD_OTHER },
        { BYTES("Date"), BYTES("now"), HTTP_FIELD_DATE },
    };
    struct http_head trailers = { .fields = fields, .field_count = 2 };
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char line[HTTP1_CHUNK_HEAD_MAX];
        size_t len = http1_write_chunk_head(line, rows[i].len);

        assert_true(bytes_equal(bytes_of(line, len), text_of(rows[i].want)));
    }
    for (unsigned digit = 1; digit < 16; digit++) { /* both sides of every change in the number of digits */
        char line[HTTP1_CHUNK_HEAD_MAX];

        assert_int_equal(http1_write_chunk_head(line, UINT64_C(1) << 4 * digit), digit + 3);
        assert_int_equal(http1_write_chunk_head(line, (UINT64_C(1) << 4 * digit) - 1), digit + 2);
    }
    http1_write_last_chunk(&text, NULL);
    assert_true(bytes_equal(text_bytes(&text), BYTES("0\r\n\r\n")));
    text.len = 0;
    http1_write_last_chunk(&text, &trailers);
    assert_true(bytes_equal(text_bytes(&text), BYTES("0\r\nX: y\r\nDate: now\r\n\r\n")));
}

/* What is read, written and read again means the same. */
static void round_trips(void **state)
{
    static const char *const REQUESTS[] = {
        "GET /a?b HTTP/1.1\r\nHost: a:1\r\nX: y\r\nX: z\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 7\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nConnection: x, upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(REQUESTS); i++) {
        struct http_field fields[2][8];
        struct http_head heads[2] = { { .fields = fields[0], .field_max = 8 },
                                      { .fields = fields[1], .field_max = 8 } };
        char written[512], described[2][512];
        struct text text = text_into(written, sizeof(written));
        struct http1_head_reader reader;

        http1_head_start(&reader);
        assert_true(http1_read_request(&reader, text_of(REQUESTS[i]), &heads[0]) > 0);
        http1_write_request(&text, &heads[0]);
        http1_head_start(&reader);
        assert_int_equal(http1_read_request(&reader, text_bytes(&text), &heads[1]), text.len);
        heads[0].scheme = BYTES_NONE; /* an absolute target is written in origin form */
        for (unsigned k = 0; k < 2; k++) {
            struct text line = text_into(described[k], sizeof(described[k]));

            feed_describe(&line, &heads[k], true);
            text_add_char(&line, '\0');
        }
        assert_string_equal(described[0], described[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_requests),
        cmocka_unit_test(writes_responses),
        cmocka_unit_test(writes_chunks),
        cmocka_unit_test(round_trips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
