/* Every bound of the HTTP/1 codec, reached exactly and exceeded by one. */
#include "rows.h"

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#define INPUT_MAX (HTTP1_HEAD_MAX + 1024)

static void pad(struct text *text, size_t count)
{
    while (count-- > 0)
        text_add_char(text, 'a');
}

static void feed_as_request(const struct row *row, const void *context, size_t first, size_t step, struct text *text)
{
    feed_request(row->input, first, step, text);
}

static void feed_as_response(const struct row *row, const void *context, size_t first, size_t step, struct text *text)
{
    feed_response(row->input, HTTP_GET, first, step, text);
}

static void feed_as_chunks(const struct row *row, const void *context, size_t first, size_t step, struct text *text)
{
    const struct http_head head = { .framing = HTTP_BODY_CHUNKED };

    feed_body(&head, row->input, true, first, step, text);
}

/* error NULL: good, whatever comes out; else the name of the error. */
static void check(const struct text *input, rows_feed *feed, const char *error, unsigned status)
{
    char output[FEED_TEXT_MAX];
    struct text text = text_into(output, sizeof(output));
    struct row row = { .input = text_bytes(input), .want = error, .status = status };
    struct bytes line, rest;

    assert_false(input->full);
    feed(&row, NULL, input->len, 1, &text);
    rest = text_bytes(&text);
    assert_int_equal(bytes_starts(rest, BYTES("error ")), error != NULL);
    if (error == NULL) {
        if (bytes_starts(rest, BYTES("len "))) { /* the row wants the second line then, else all */
            assert_true(bytes_split(&rest, '\n', &line));
            assert_true(bytes_split(&rest, '\n', &line));
            rest = line;
        }
        row.want = rest.data;
        output[rest.data + rest.len - output] = '\0';
    }
    rows_check(&row, 1, feed, NULL);
}

/* "GET /aaa HTTP/1.1" of len bytes after some empty lines. */
static void check_request_line(unsigned empty, size_t len, const char *error, unsigned status)
{
    char memory[INPUT_MAX];
    struct text text = text_into(memory, sizeof(memory));

    while (empty-- > 0)
        text_add(&text, BYTES("\r\n"));
    text_add(&text, BYTES("GET /"));
    pad(&text, len - 14);
    text_add(&text, BYTES(" HTTP/1.1\r\nHost: a\r\n\r\n"));
    check(&text, feed_as_request, error, status);
}

static void request_line(void **state)
{
    check_request_line(0, HTTP1_LINE_MAX, NULL, 0);
    check_request_line(2, HTTP1_LINE_MAX, NULL, 0);
    check_request_line(0, HTTP1_LINE_MAX + 1, "LINE_TOO_LONG", 414);
    check_request_line(2, HTTP1_LINE_MAX + 1, "LINE_TOO_LONG", 414);
}

static void status_line(void **state)
{
    for (size_t more = 0; more < 2; more++) {
        char memory[INPUT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        text_add(&text, BYTES("HTTP/1.1 200 "));
        pad(&text, HTTP1_LINE_MAX + more - text.len);
        text_add(&text, BYTES("\r\n\r\n"));
        check(&text, feed_as_response, more ? "LINE_TOO_LONG" : NULL, more ? 414 : 0);
    }
}

/* A head of len bytes whose last field line takes all that is left. */
static void fill_head(struct text *text, size_t len)
{
    text_add(text, BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: "));
    pad(text, len - text->len - 4);
    text_add(text, BYTES("\r\n\r\n"));
    assert_int_equal(text->len, len);
}

static void head(void **state)
{
    for (size_t more = 0; more < 3; more++) {
        char memory[INPUT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        fill_head(&text, HTTP1_HEAD_MAX + more);
        check(&text, feed_as_request, more ? "HEAD_TOO_LARGE" : NULL, more ? 431 : 0);
    }
}

/* Whoever has a buffer of HTTP1_HEAD_MAX hears of a head that is too large when the buffer is full, not later. */
static void refuses_at_once(void **state)
{
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_head read = { .fields = fields, .field_max = HTTP_FIELDS_MAX };
    struct http1_head_reader reader;
    char memory[INPUT_MAX];
    struct text text = text_into(memory, sizeof(memory));

    fill_head(&text, HTTP1_HEAD_MAX + 1);
    http1_head_start(&reader);
    assert_int_equal(http1_read_request(&reader, bytes_of(memory, HTTP1_HEAD_MAX - 1), &read), 0);
    assert_int_equal(http1_read_request(&reader, bytes_of(memory, HTTP1_HEAD_MAX), &read), -EPROTO);
    assert_int_equal(reader.error, HTTP1_HEAD_TOO_LARGE);

    text = text_into(memory, sizeof(memory));
    pad(&text, HTTP1_LINE_MAX + 2);
    http1_head_start(&reader);
    assert_int_equal(http1_read_request(&reader, bytes_of(memory, HTTP1_LINE_MAX + 1), &read), 0);
    assert_int_equal(http1_read_request(&reader, bytes_of(memory, HTTP1_LINE_MAX + 2), &read), -EPROTO);
    assert_int_equal(reader.error, HTTP1_LINE_TOO_LONG);
}

static void fields(void **state)
{
    for (unsigned more = 0; more < 2; more++) {
        char memory[INPUT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        text_add(&text, BYTES("GET / HTTP/1.1\r\nHost: a\r\n"));
        for (unsigned i = 1; i < HTTP_FIELDS_MAX + more; i++)
            text_add(&text, BYTES("X: y\r\n"));
        text_add(&text, BYTES("\r\n"));
        check(&text, feed_as_request, more ? "TOO_MANY_FIELDS" : NULL, more ? 431 : 0);
    }
}

/* A caller with room for less gets less. */
static void fields_of_caller(void **state)
{
    struct bytes data = BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");

    for (unsigned room = 0; room < 3; room++) {
        struct http_field few[2];
        struct http_head read = { .fields = few, .field_max = room };
        struct http1_head_reader reader;
        ssize_t got;

        http1_head_start(&reader);
        got = http1_read_request(&reader, data, &read);
        assert_int_equal(got, room == 2 ? (ssize_t)data.len : -EPROTO);
        assert_int_equal(reader.error, room == 2 ? HTTP1_OK : HTTP1_TOO_MANY_FIELDS);
    }
}

static void connection_options(void **state)
{
    for (unsigned more = 0; more < 2; more++) {
        char memory[INPUT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        text_add(&text, BYTES("GET / HTTP/1.1\r\nHost: a\r\nConnection: a\r\nConnection: a"));
        for (unsigned i = 2; i < HTTP_CONNECTION_OPTIONS_MAX + more; i++)
            text_add(&text, BYTES(",,a"));
        text_add(&text, BYTES("\r\n\r\n"));
        check(&text, feed_as_request, more ? "BAD_CONNECTION" : NULL, more ? 400 : 0);
    }
}

static void chunk_line(void **state)
{
    for (size_t more = 0; more < 2; more++) {
        char memory[INPUT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        text_add(&text, BYTES("1;"));
        pad(&text, HTTP1_CHUNK_LINE_MAX - 2 + more);
        text_add(&text, BYTES("\r\nx\r\n0;"));
        pad(&text, HTTP1_CHUNK_LINE_MAX - 2);
        text_add(&text, BYTES("\r\n\r\n"));
        check(&text, feed_as_chunks, more ? "BAD_CHUNK_EXTENSION" : NULL, more ? 400 : 0);
    }
}

static void trailers(void **state)
{
    for (size_t more = 0; more < 2; more++) {
        char memory[INPUT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        text_add(&text, BYTES("0\r\nX: "));
        pad(&text, HTTP1_TRAILERS_MAX - 7 + more);
        text_add(&text, BYTES("\r\n\r\n"));
        assert_int_equal(text.len, 3 + HTTP1_TRAILERS_MAX + more);
        check(&text, feed_as_chunks, more ? "TRAILERS_TOO_LARGE" : NULL, more ? 431 : 0);
    }
}

static void trailer_fields(void **state)
{
    for (unsigned more = 0; more < 2; more++) {
        char memory[INPUT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        text_add(&text, BYTES("0\r\n"));
        for (unsigned i = 0; i < HTTP1_TRAILER_FIELDS_MAX + more; i++)
            text_add(&text, BYTES("X: y\r\n"));
        text_add(&text, BYTES("\r\n"));
        check(&text, feed_as_chunks, more ? "TRAILERS_TOO_LARGE" : NULL, more ? 431 : 0);
    }
}

/* Fields that are dropped take no room of the caller; one more than there is room for is refused. */
static void trailer_fields_of_caller(void **state)
{
    const struct http_head chunked = { .framing = HTTP_BODY_CHUNKED };
    static const struct {
        struct bytes data;
        bool good;
    } rows[] = {
        { ROW_BYTES("0\r\nX: y\r\n\r\n"), true },
        { ROW_BYTES("0\r\nX: y\r\nCookie: a\r\n\r\n"), true },
        { ROW_BYTES("0\r\nX: y\r\nX: y\r\n\r\n"), false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_field field;
        struct http_head kept = { .fields = &field, .field_max = 1 };
        struct http1_body_reader reader;
        struct bytes chunk;
        size_t used;

        http1_body_start(&reader, &chunked);
        assert_int_equal(http1_read_body(&reader, rows[i].data, &kept, &chunk, &used), rows[i].good ? 0 : -EPROTO);
        assert_int_equal(reader.error, rows[i].good ? HTTP1_OK : HTTP1_TRAILERS_TOO_LARGE);
        assert_int_equal(kept.field_count, rows[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_line),
        cmocka_unit_test(status_line),
        cmocka_unit_test(head),
        cmocka_unit_test(refuses_at_once),
        cmocka_unit_test(fields),
        cmocka_unit_test(fields_of_caller),
        cmocka_unit_test(connection_options),
        cmocka_unit_test(chunk_line),
        cmocka_unit_test(trailers),
        cmocka_unit_test(trailer_fields),
        cmocka_unit_test(trailer_fields_of_caller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
