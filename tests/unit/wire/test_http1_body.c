#include "rows.h"

#include <setjmp.h>

#include <cmocka.h>

/* "x" as one chunk, then what is tested; a last chunk with this trailer section. */
#define AFTER(text) "1\r\nx\r\n" text
#define TRAILERS(lines) "1\r\nx\r\n0\r\n" lines "\r\n"

static const struct row CHUNKED_ROWS[] = {
    GOOD("0\r\n\r\n", "done 5 []"),
    GOOD("0\r\n\r\nGET / HTTP/1.1\r\n", "done 5 []"),
    GOOD("5\r\nhello\r\n0\r\n\r\n", "done 15 [hello]"),
    GOOD("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "done 26 [hello world]"),
    GOOD("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n00\r\n\r\n", "done 24 [abc]"),
    GOOD("a\r\n0123456789\r\n0\r\n\r\n", "done 20 [0123456789]"),
    GOOD("A\r\n0123456789\r\n0\r\n\r\n", "done 20 [0123456789]"),
    GOOD("0000000000000002\r\n\r\n\r\n0000000000000000\r\n\r\n", "done 42 [\r\n]"),
    GOOD("7fffffffffffffff\r\nabc", "open [abc]"),
    GOOD("", "open []"),
    GOOD("5", "open []"),
    GOOD("5\r\nhel", "open [hel]"),
    GOOD("5\r\nhello\r", "open [hello]"),
    GOOD("5\r\nhello\r\n0\r\n", "open [hello]"),
    GOOD("5\r\nhello\r\n0\r\nX: y\r\n", "open [hello]"),
    /* extensions */
    GOOD("1;ab=cd;ef\r\nx\r\n0\r\n\r\n", "done 20 [x]"),
    GOOD("1;a\r\nx\r\n0;b\r\n\r\n", "done 15 [x]"),
    GOOD("1;a=b;c;d=\"e;\\\"\\\\ \t\xff\"\r\nx\r\n0\r\n\r\n", "done 31 [x]"),
    GOOD("1 \t; \ta \t= \tb \t; \tc\r\nx\r\n0\r\n\r\n", "done 29 [x]"),
    GOOD("1;a=\"\"\r\nx\r\n0 ;a=\"b\" ;c\r\n\r\n", "done 26 [x]"),
    /* sizes */
    BAD("\r\nx", BAD_CHUNK_SIZE, 400),
    BAD(";a\r\nx", BAD_CHUNK_SIZE, 400),
    BAD(" 1\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("+1\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("-1\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("0x1\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("1h\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("1_0\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("g\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("1\0\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("1,\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("8000000000000000\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("ffffffffffffffff\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("00000000000000001\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("10000000000000000\r\nx", BAD_CHUNK_SIZE, 400),
    BAD("fffffffffffffffff\r\nx", BAD_CHUNK_SIZE, 400),
    BAD(AFTER("\r\n"), BAD_CHUNK_SIZE, 400),
    BAD(AFTER("z\r\n"), BAD_CHUNK_SIZE, 400),
    BAD("1\nx\n0\n\n", BARE_LF, 400),
    BAD("\n1\r\nx", BARE_LF, 400),
    BAD("1;a\nx", BARE_LF, 400),
    BAD("1;\nx", BARE_LF, 400),
    BAD("1;a=\nx", BARE_LF, 400),
    BAD("1;a=b\nx", BARE_LF, 400),
    BAD("1;a=\"\n\"\r\nx", BARE_LF, 400),
    BAD("1 \nx", BARE_LF, 400),
    BAD("1\rx", BARE_CR, 400),
    BAD("1\r\r\nx", BARE_CR, 400),
    BAD("1;a\r;\r\nx", BARE_CR, 400),
    BAD("1 \r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1\t\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1 a\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1; \r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;;a\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;=a\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=;b\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a==b\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=b=c\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a b\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=b c\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a \r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=b \r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=\"b\"c\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=\"b\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=\"b\\\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=\"\0\"\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=\"\x7f\"\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a=b\"c\"\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;\0\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;a\0\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;(\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1;\xff\r\nx", BAD_CHUNK_EXTENSION, 400),
    BAD("1\r\nxx\r\n", BAD_CHUNK_END, 400),
    BAD("1\r\nx\n", BAD_CHUNK_END, 400),
    BAD("1\r\nx\rx", BAD_CHUNK_END, 400),
    BAD("2\r\nx\r\n0\r\n\r\n", BAD_CHUNK_END, 400),
    /* trailers */
    GOOD(TRAILERS("X: y\r\n"), "done 17 [x]\n0[X]=[y]"),
    GOOD(TRAILERS("grpc-status: 0\r\ngrpc-message:\r\n") "rest", "done 42 [x]\n0[grpc-status]=[0]\n0[grpc-message]=[]"),
    GOOD(TRAILERS("Cookie: a\r\nAuthorization: b\r\nX: y\r\nSet-Cookie: c\r\n"), "done 61 [x]\n0[X]=[y]"),
    BAD(TRAILERS("Content-Length: 5\r\n"), BAD_TRAILER, 400),
    BAD(TRAILERS("Transfer-Encoding: chunked\r\n"), BAD_TRAILER, 400),
    BAD(TRAILERS("X: y\r\nHost: a\r\n"), BAD_TRAILER, 400),
    BAD(TRAILERS("connection: close\r\n"), BAD_TRAILER, 400),
    BAD(TRAILERS("Upgrade: x\r\n"), BAD_TRAILER, 400),
    BAD(TRAILERS("TE: x\r\n"), BAD_TRAILER, 400),
    BAD(TRAILERS("X\r\n"), BAD_FIELD_NAME, 400),
    BAD(TRAILERS(": x\r\n"), BAD_FIELD_NAME, 400),
    BAD(TRAILERS("X : y\r\n"), SPACE_BEFORE_COLON, 400),
    BAD(TRAILERS(" X: y\r\n"), OBS_FOLD, 400),
    BAD(TRAILERS("X: y\r\n z\r\n"), OBS_FOLD, 400),
    BAD(TRAILERS("X: y\n"), BARE_LF, 400),
    BAD(TRAILERS("X: \ry\r\n"), BARE_CR, 400),
    BAD(TRAILERS("X: \0\r\n"), CONTROL_CHARACTER, 400),
    BAD("0\r\n\n", BARE_LF, 400),
    BAD("0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BAD_FIELD_NAME, 400),
};

static const struct row LENGTH_ROWS[] = {
    /* five bytes */
    GOOD("", "open []"),
    GOOD("hell", "open [hell]"),
    GOOD("hello", "done 5 [hello]"),
    GOOD("hello world", "done 5 [hello]"),
};

static const struct row CLOSE_ROWS[] = {
    GOOD("", "open []"),
    GOOD("hello world\r\n\r\n", "open [hello world\r\n\r\n]"),
};

static const struct row NONE_ROWS[] = {
    GOOD("", "done 0 []"),
    GOOD("hello", "done 0 []"),
};

struct reading {
    struct http_head head;
    bool trailers;
};

static void feed(const struct row *row, const void *context, size_t first, size_t step, struct text *text)
{
    const struct reading *reading = context;

    feed_body(&reading->head, row->input, reading->trailers, first, step, text);
}

static void reads_chunked(void **state)
{
    struct reading reading = { .head = { .framing = HTTP_BODY_CHUNKED }, .trailers = true };

    rows_check(CHUNKED_ROWS, ARRAY_LEN(CHUNKED_ROWS), feed, &reading);
}

/* Trailers that nobody wants are checked all the same: what follows them must stand in the same place. */
static void drops_trailers(void **state)
{
    struct reading reading = { .head = { .framing = HTTP_BODY_CHUNKED } };

    for (size_t i = 0; i < ARRAY_LEN(CHUNKED_ROWS); i++) {
        char want[256];
        struct text text = text_into(want, sizeof(want) - 1);
        struct bytes all = bytes_of_text(CHUNKED_ROWS[i].want);
        ssize_t end = bytes_find(all, BYTES("\n0["));
        struct row row = CHUNKED_ROWS[i];

        text_add(&text, bytes_slice(all, 0, end < 0 ? all.len : (size_t)end));
        want[text.len] = '\0';
        row.want = want;
        rows_check(&row, 1, feed, &reading);
    }
}

static void reads_length(void **state)
{
    struct reading reading = { .head = { .framing = HTTP_BODY_LENGTH, .content_length = 5 } };

    rows_check(LENGTH_ROWS, ARRAY_LEN(LENGTH_ROWS), feed, &reading);
}

static void reads_until_close(void **state)
{
    struct reading reading = { .head = { .framing = HTTP_BODY_UNTIL_CLOSE } };

    rows_check(CLOSE_ROWS, ARRAY_LEN(CLOSE_ROWS), feed, &reading);
    reading.head.framing = HTTP_BODY_TUNNEL;
    rows_check(CLOSE_ROWS, ARRAY_LEN(CLOSE_ROWS), feed, &reading);
}

static void reads_none(void **state)
{
    struct reading reading = { .head = { .framing = HTTP_BODY_NONE } };

    rows_check(NONE_ROWS, ARRAY_LEN(NONE_ROWS), feed, &reading);
}

/* A chunk, its end and the end of the body come out of one call when they are there. */
static void takes_framing_along(void **state)
{
    struct http_head head = { .framing = HTTP_BODY_CHUNKED };
    struct http1_body_reader reader;
    struct bytes data = BYTES("5\r\nhello\r\n0\r\n\r\nnext"), chunk;
    size_t used;

    http1_body_start(&reader, &head);
    assert_int_equal(http1_read_body(&reader, data, NULL, &chunk, &used), 0);
    assert_true(reader.done);
    assert_int_equal(used, 15);
    assert_ptr_equal(chunk.data, data.data + 3);
    assert_int_equal(chunk.len, 5);
    assert_int_equal(http1_read_body(&reader, bytes_skip(data, used), NULL, &chunk, &used), 0);
    assert_int_equal(used, 0);
    assert_int_equal(chunk.len, 0);
}

/* After an error nothing more is read, and the end of the connection changes nothing. */
static void stays_refused(void **state)
{
    struct http_head head = { .framing = HTTP_BODY_CHUNKED };
    struct http1_body_reader reader;
    struct bytes chunk;
    size_t used;

    http1_body_start(&reader, &head);
    assert_true(http1_read_body(&reader, BYTES("x"), NULL, &chunk, &used) < 0);
    assert_true(http1_read_body(&reader, BYTES("0\r\n\r\n"), NULL, &chunk, &used) < 0);
    assert_true(http1_body_end(&reader) < 0);
    assert_int_equal(reader.error, HTTP1_BAD_CHUNK_SIZE);
}

static void ends(void **state)
{
    static const struct {
        enum http_framing framing;
        struct bytes data;
        bool good;
    } rows[] = {
        { HTTP_BODY_NONE, ROW_BYTES(""), true },
        { HTTP_BODY_LENGTH, ROW_BYTES("ab"), true },
        { HTTP_BODY_LENGTH, ROW_BYTES("a"), false },
        { HTTP_BODY_LENGTH, ROW_BYTES(""), false },
        { HTTP_BODY_CHUNKED, ROW_BYTES(""), false },
        { HTTP_BODY_CHUNKED, ROW_BYTES("0\r\n"), false },
        { HTTP_BODY_CHUNKED, ROW_BYTES("0\r\n\r\n"), true },
        { HTTP_BODY_UNTIL_CLOSE, ROW_BYTES("abc"), true },
        { HTTP_BODY_UNTIL_CLOSE, ROW_BYTES(""), true },
        { HTTP_BODY_TUNNEL, ROW_BYTES(""), true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_head head = { .framing = rows[i].framing, .content_length = 2 };
        struct http1_body_reader reader;
        struct bytes chunk;
        size_t used;

        http1_body_start(&reader, &head);
        assert_int_equal(http1_read_body(&reader, rows[i].data, NULL, &chunk, &used), 0);
        assert_int_equal(http1_body_end(&reader) == 0, rows[i].good);
        assert_int_equal(reader.done, rows[i].good);
        assert_int_equal(reader.error, rows[i].good ? HTTP1_OK : HTTP1_EARLY_END);
        assert_int_equal(http1_read_body(&reader, BYTES("x"), NULL, &chunk, &used) == 0, rows[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_chunked), cmocka_unit_test(drops_trailers),
        cmocka_unit_test(reads_length),  cmocka_unit_test(reads_until_close),
        cmocka_unit_test(reads_none),    cmocka_unit_test(takes_framing_along),
        cmocka_unit_test(ends),          cmocka_unit_test(stays_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
