#include "rows.h"

#include <setjmp.h>

#include <cmocka.h>

#define OK_WITH(lines) "HTTP/1.1 200 OK\r\n" lines "\r\n"

static const struct row GOOD_ROWS[] = {
    GOOD(OK_WITH(""), "200 OK 1.1 until-close close", 0, HTTP_GET),
    GOOD(OK_WITH("Content-Length: 0\r\n"), "200 OK 1.1 none=0 keep", 0, HTTP_GET),
    GOOD(OK_WITH("Content-Length: 5\r\n") "hello", "200 OK 1.1 length=5 keep", 0, HTTP_GET),
    GOOD(OK_WITH("Content-Length: 5\r\nConnection: close\r\n"), "200 OK 1.1 length=5 close", 0, HTTP_GET),
    GOOD(OK_WITH("Transfer-Encoding: chunked\r\n"), "200 OK 1.1 chunked keep", 0, HTTP_POST),
    GOOD(OK_WITH("Transfer-Encoding: Chunked\r\nConnection: close\r\n"), "200 OK 1.1 chunked close", 0, HTTP_GET),
    GOOD(OK_WITH("Host: a\r\nHost: b c\r\nExpect: 100-continue\r\n"), "200 OK 1.1 until-close close", 0, HTTP_GET),
    GOOD("HTTP/1.1 200 \r\n\r\n", "200  1.1 until-close close", 0, HTTP_GET),
    GOOD("HTTP/1.1 200\r\n\r\n", "200  1.1 until-close close", 0, HTTP_GET),
    GOOD("HTTP/1.1 404  Not\tFound \xc3\xa4 \r\n\r\n", "404  Not\tFound \xc3\xa4  1.1 until-close close", 0, HTTP_GET),
    GOOD("HTTP/1.1 599 x\r\nContent-Length: 1\r\n\r\n", "599 x 1.1 length=1 keep", 0, HTTP_GET),
    GOOD("HTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n", "205 x 1.1 none=0 keep", 0, HTTP_GET),
    GOOD("HTTP/1.0 200 x\r\nContent-Length: 1\r\n\r\n", "200 x 1.0 length=1 close", 0, HTTP_GET),
    GOOD("HTTP/1.0 200 x\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", "200 x 1.0 length=1 keep", 0,
         HTTP_GET),
    GOOD("HTTP/1.0 200 x\r\nConnection: keep-alive\r\n\r\n", "200 x 1.0 until-close close", 0, HTTP_GET),
    /* ended by their head (RFC 9112, 6.3) */
    GOOD(OK_WITH("Content-Length: 5\r\n"), "200 OK 1.1 none=5 keep", 0, HTTP_HEAD),
    GOOD(OK_WITH("Transfer-Encoding: chunked\r\n"), "200 OK 1.1 none keep", 0, HTTP_HEAD),
    GOOD(OK_WITH(""), "200 OK 1.1 none keep", 0, HTTP_HEAD),
    GOOD("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", "304 x 1.1 none=5 keep", 0, HTTP_GET),
    GOOD("HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n", "304 x 1.1 none keep", 0, HTTP_GET),
    GOOD("HTTP/1.1 204 x\r\n\r\n", "204 x 1.1 none keep", 0, HTTP_GET),
    GOOD("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", "204 x 1.1 none=0 keep", 0, HTTP_GET),
    GOOD("HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", "204 x 1.1 none=5 close", 0, HTTP_GET),
    GOOD("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", "204 x 1.1 none close", 0, HTTP_GET),
    GOOD("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", "100 Continue 1.1 none keep", 0, HTTP_POST),
    GOOD("HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n", "103 x 1.1 none=5 close", 0, HTTP_GET),
    GOOD("HTTP/1.1 199 x\r\nTransfer-Encoding: chunked\r\n\r\n", "199 x 1.1 none close", 0, HTTP_GET),
    /* tunnels */
    GOOD("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "101 x 1.1 tunnel close upgrade", 0,
         HTTP_GET),
    GOOD(OK_WITH(""), "200 OK 1.1 tunnel close", 0, HTTP_CONNECT),
    GOOD(OK_WITH("Content-Length: 5\r\n"), "200 OK 1.1 tunnel=5 close", 0, HTTP_CONNECT),
    GOOD("HTTP/1.1 407 x\r\nContent-Length: 5\r\n\r\n", "407 x 1.1 length=5 keep", 0, HTTP_CONNECT),
    /* what is not complete */
    GOOD("", "more", 0, HTTP_GET),
    GOOD("HTTP/1.1 200 OK\r\nX: y\r\n", "more", 0, HTTP_GET),
};

static const struct row BAD_ROWS[] = {
    BAD("\r\nHTTP/1.1 200 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 \r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 20\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 20 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 2000 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 200OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 200\tOK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1  200 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1\t200 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 099 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 000 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 600 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 999 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 +20 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 2x0 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.1 -01 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("http/1.1 200 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("ICY 200 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("<html>\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.10 200 OK\r\n\r\n", BAD_STATUS_LINE, 502),
    BAD("HTTP/1.2 200 OK\r\n\r\n", BAD_VERSION, 505),
    BAD("HTTP/2.0 200 OK\r\n\r\n", BAD_VERSION, 505),
    BAD("HTTP/1.1 200 O\rK\r\n\r\n", BARE_CR, 400),
    BAD("HTTP/1.1 200 OK\n\n", BARE_LF, 400),
    BAD("HTTP/1.1 200 O\0K\r\n\r\n", CONTROL_CHARACTER, 400),
    BAD("HTTP/1.1 200 O\x7fK\r\n\r\n", CONTROL_CHARACTER, 400),
    BAD(OK_WITH("X: y\n"), BARE_LF, 400),
    BAD(OK_WITH("X: \ry\r\n"), BARE_CR, 400),
    BAD(OK_WITH("X: \x01\r\n"), CONTROL_CHARACTER, 400),
    BAD(OK_WITH("X: y\r\n z\r\n"), OBS_FOLD, 400),
    BAD(OK_WITH("X : y\r\n"), SPACE_BEFORE_COLON, 400),
    BAD(OK_WITH("X\r\n"), BAD_FIELD_NAME, 400),
    BAD(OK_WITH("Connection: a b\r\n"), BAD_CONNECTION, 400),
    BAD(OK_WITH("Content-Length: 5\r\nContent-Length: 5\r\n"), SEVERAL_CONTENT_LENGTHS, 400),
    BAD(OK_WITH("Content-Length: 5, 5\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(OK_WITH("Content-Length: -1\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(OK_WITH("Content-Length: 9223372036854775808\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(OK_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), LENGTH_AND_ENCODING, 400),
    BAD(OK_WITH("Transfer-Encoding: gzip\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(OK_WITH("Transfer-Encoding: gzip, chunked\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(OK_WITH("Transfer-Encoding: chunked, gzip\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", TRANSFER_ENCODING_IN_1_0, 400),
    BAD("HTTP/1.1 204 x\r\nContent-Length: x\r\n\r\n", BAD_CONTENT_LENGTH, 400),
    BAD("HTTP/1.1 304 x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", SEVERAL_CONTENT_LENGTHS, 400),
};

static void feed(const struct row *row, const void *context, size_t first, size_t step, struct text *text)
{
    feed_response(row->input, row->method, first, step, text);
}

static void takes_good_responses(void **state)
{
    rows_check(GOOD_ROWS, ARRAY_LEN(GOOD_ROWS), feed, NULL);
}

static void refuses_bad_responses(void **state)
{
    rows_check(BAD_ROWS, ARRAY_LEN(BAD_ROWS), feed, NULL);
}

/* Three digits from 100 to 599 and nothing else. */
static void knows_every_status(void **state)
{
    for (unsigned status = 0; status < 1000; status++) {
        char input[64], output[256];
        struct text response = text_into(input, sizeof(input)), text = text_into(output, sizeof(output));

        text_add_format(&response, "HTTP/1.1 %03u x\r\n\r\n", status);
        feed_response(text_bytes(&response), HTTP_GET, response.len, 1, &text);
        assert_int_equal(bytes_starts(text_bytes(&text), BYTES("len ")), status >= 100 && status <= 599);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_good_responses),
        cmocka_unit_test(refuses_bad_responses),
        cmocka_unit_test(knows_every_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
