#include "rows.h"

#include <setjmp.h>

#include <cmocka.h>

/* A request with these field lines; one with this target; one with this Host. */
#define LINES(lines) "POST / HTTP/1.1\r\nHost: a\r\n" lines "\r\n"
#define TARGET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HOST(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"
#define TAIL "\r\nHost: a\r\n\r\n"

static const struct row GOOD_ROWS[] = {
    GOOD("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / @a 1.1 none keep"),
    GOOD("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n", "GET / @a 1.1 none keep"),
    GOOD("GET / HTTP/1.1\r\nHost: a\r\n\r\n\0\n\n\r\r", "GET / @a 1.1 none keep"),
    GOOD("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / @a 1.1 none keep"),
    GOOD("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / @a 1.1 none keep"),
    GOOD("GET / HTTP/1.1\r\nhOST: A.example:8080\r\n\r\n", "GET / @A.example:8080 1.1 none keep"),
    GOOD("GET / HTTP/1.1\r\nX:\r\nY: \t \r\nHost:\t a \t\r\n\r\n", "GET / @a 1.1 none keep"),
    GOOD("GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\xff\x80 b\tc\r\n\r\n", "GET / @a 1.1 none keep"),
    GOOD("GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n", "GET / @a 1.1 none keep"),
    GOOD("GET / HTTP/1.1\r\nHost: a\r\nX: a:b: c\r\nX: a\r\n\r\n", "GET / @a 1.1 none keep"),
    GOOD(LINES("X-Name-That-Is-Longer-Than-What-Is-Looked-At-By-Whole-Words-Of-Sixteen: y\r\n"),
         "POST / @a 1.1 none keep"),
    /* what is not complete */
    GOOD("", "more"),
    GOOD("\r\n", "more"),
    GOOD("\r", "more"),
    GOOD("GET / HTTP/1.1\r\nHost: a\r\n\r", "more"),
    GOOD("GET / HTTP/1.1\r\nHost: a\r\nX\0 :", "more"), /* a line is judged when it is there */
    /* methods */
    GOOD("HEAD / HTTP/1.1" TAIL, "HEAD / @a 1.1 none keep"),
    GOOD("PUT / HTTP/1.1" TAIL, "PUT / @a 1.1 none keep"),
    GOOD("DELETE / HTTP/1.1" TAIL, "DELETE / @a 1.1 none keep"),
    GOOD("PATCH / HTTP/1.1" TAIL, "PATCH / @a 1.1 none keep"),
    GOOD("TRACE / HTTP/1.1" TAIL, "TRACE / @a 1.1 none keep"),
    GOOD("get / HTTP/1.1" TAIL, "get / @a 1.1 none keep"),
    GOOD("M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1" TAIL, "M-SEARCH!#$%&'*+.^_`|~ / @a 1.1 none keep"),
    /* targets */
    GOOD(TARGET("/a/b;c=1/d,e:f@g!$&'()*+=-._~"), "GET /a/b;c=1/d,e:f@g!$&'()*+=-._~ @a 1.1 none keep"),
    GOOD(TARGET("//a//"), "GET //a// @a 1.1 none keep"),
    GOOD(TARGET("/../a/./b"), "GET /../a/./b @a 1.1 none keep"),
    GOOD(TARGET("/a?"), "GET /a? @a 1.1 none keep"),
    GOOD(TARGET("/a?b=c&d=/e?f:@"), "GET /a?b=c&d=/e?f:@ @a 1.1 none keep"),
    GOOD(TARGET("/%41%fF?%00%2f"), "GET /%41%fF?%00%2f @a 1.1 none keep"),
    GOOD(TARGET("http://b"), "GET http / @b 1.1 none keep"),
    GOOD(TARGET("http://b/"), "GET http / @b 1.1 none keep"),
    GOOD(TARGET("HTTPS://b.example:443/c?d"), "GET HTTPS /c?d @b.example:443 1.1 none keep"),
    GOOD(TARGET("http://b?"), "GET http /? @b 1.1 none keep"),
    GOOD(TARGET("http://b?c/d"), "GET http /?c/d @b 1.1 none keep"),
    GOOD(TARGET("http://[::1]:80/c"), "GET http /c @[::1]:80 1.1 none keep"),
    GOOD("OPTIONS * HTTP/1.1" TAIL, "OPTIONS * @a 1.1 none keep"),
    GOOD("OPTIONS /a HTTP/1.1" TAIL, "OPTIONS /a @a 1.1 none keep"),
    GOOD("OPTIONS http://b HTTP/1.1" TAIL, "OPTIONS http * @b 1.1 none keep"),
    GOOD("OPTIONS http://b/ HTTP/1.1" TAIL, "OPTIONS http / @b 1.1 none keep"),
    GOOD("OPTIONS http://b? HTTP/1.1" TAIL, "OPTIONS http /? @b 1.1 none keep"),
    GOOD("CONNECT b:443 HTTP/1.1" TAIL, "CONNECT @b:443 1.1 none keep"),
    GOOD("CONNECT [::1]:65535 HTTP/1.1" TAIL, "CONNECT @[::1]:65535 1.1 none keep"),
    GOOD("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\nContent-Length: 0\r\n\r\n", "CONNECT @b:1 1.1 none=0 keep"),
    /* hosts */
    GOOD(HOST("a:"), "GET / @a: 1.1 none keep"),
    GOOD(HOST("a:00080"), "GET / @a:00080 1.1 none keep"),
    GOOD(HOST("a:65535"), "GET / @a:65535 1.1 none keep"),
    GOOD(HOST("127.0.0.1:1"), "GET / @127.0.0.1:1 1.1 none keep"),
    GOOD(HOST("a_b-c.~!$&'()*+,;="), "GET / @a_b-c.~!$&'()*+,;= 1.1 none keep"),
    GOOD(HOST("[::]"), "GET / @[::] 1.1 none keep"),
    GOOD(HOST("[1:2:3:4:5:6:7:8]"), "GET / @[1:2:3:4:5:6:7:8] 1.1 none keep"),
    GOOD(HOST("[1:2:3:4:5:6:7::]"), "GET / @[1:2:3:4:5:6:7::] 1.1 none keep"),
    GOOD(HOST("[::2:3:4:5:6:7:8]"), "GET / @[::2:3:4:5:6:7:8] 1.1 none keep"),
    GOOD(HOST("[2001:dB8::FFFF]:8080"), "GET / @[2001:dB8::FFFF]:8080 1.1 none keep"),
    GOOD(HOST("[1:2:3:4:5::1.2.3.4]"), "GET / @[1:2:3:4:5::1.2.3.4] 1.1 none keep"),
    GOOD(HOST("[::ffff:1.2.3.4]"), "GET / @[::ffff:1.2.3.4] 1.1 none keep"),
    GOOD(HOST("[1:2:3:4:5:6:255.0.10.249]"), "GET / @[1:2:3:4:5:6:255.0.10.249] 1.1 none keep"),
    /* versions and persistence (RFC 9112, 9.3) */
    GOOD("GET / HTTP/1.0\r\n\r\n", "GET / 1.0 none close"),
    GOOD("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / @a 1.0 none close"),
    GOOD("GET http://b/ HTTP/1.0\r\n\r\n", "GET http / @b 1.0 none close"),
    GOOD("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / 1.0 none keep"),
    GOOD("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET / 1.0 none close"),
    GOOD("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "GET / 1.0 none close"),
    GOOD("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", "GET / 1.0 none close"),
    GOOD(LINES("Connection: close\r\n"), "POST / @a 1.1 none close"),
    GOOD(LINES("Connection: CLOSE\r\n"), "POST / @a 1.1 none close"),
    GOOD(LINES("Connection: keep-alive\r\nConnection: x ,close\r\n"), "POST / @a 1.1 none close"),
    GOOD(LINES("Connection: ,, close ,\r\n"), "POST / @a 1.1 none close"),
    GOOD(LINES("Connection: closed\r\n"), "POST / @a 1.1 none keep"),
    GOOD(LINES("Connection:\r\n"), "POST / @a 1.1 none keep"),
    GOOD(LINES("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "POST / @a 1.1 none keep upgrade"),
    GOOD(LINES("Connection: Upgrade\r\n"), "POST / @a 1.1 none keep"),
    GOOD(LINES("Upgrade: websocket\r\n"), "POST / @a 1.1 none keep"),
    GOOD(LINES("Expect: 100-Continue\r\nContent-Length: 1\r\n"), "POST / @a 1.1 length=1 keep expect"),
    GOOD(LINES("Expect: 200-ok\r\n"), "POST / @a 1.1 none keep"),
    /* framing (RFC 9112, 6.3) */
    GOOD(LINES("Content-Length: 0\r\n"), "POST / @a 1.1 none=0 keep"),
    GOOD(LINES("Content-Length: 5\r\n"), "POST / @a 1.1 length=5 keep"),
    GOOD(LINES("content-length:\t007 \r\n"), "POST / @a 1.1 length=7 keep"),
    GOOD(LINES("Content-Length: 9223372036854775807\r\n"), "POST / @a 1.1 length=9223372036854775807 keep"),
    GOOD(LINES("Transfer-Encoding: chunked\r\n"), "POST / @a 1.1 chunked keep"),
    GOOD(LINES("tRANSFER-eNCODING:CHUNKed  \r\n"), "POST / @a 1.1 chunked keep"),
    GOOD(LINES("Content_Length: 5\r\nTransfer_Encoding: chunked\r\n"), "POST / @a 1.1 none keep"),
};

static const struct row FIRST_LINE_ROWS[] = {
    BAD("GE(T / HTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD("G\xc3T / HTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD("GET: / HTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD(" GET / HTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD("\tGET / HTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD("GET\t/\tHTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD("/ HTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD("\"GET\" / HTTP/1.1" TAIL, BAD_METHOD, 400),
    BAD("GET\0 / HTTP/1.1" TAIL, CONTROL_CHARACTER, 400),
    BAD("GET\x7f / HTTP/1.1" TAIL, CONTROL_CHARACTER, 400),
    BAD("\x16\x03\x01\x02\r\n\r\n", CONTROL_CHARACTER, 400),
    BAD("GET\r\n\r\n", BAD_REQUEST_LINE, 400),
    BAD("GET \r\n\r\n", BAD_REQUEST_LINE, 400),
    BAD("GET /\r\n\r\n", BAD_REQUEST_LINE, 400),
    BAD("GET / \r\n\r\n", BAD_REQUEST_LINE, 400),
    BAD("GET  / HTTP/1.1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET /  HTTP/1.1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP/1.1 " TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET /a b HTTP/1.1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / http/1.1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP/11" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP/1.10" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP/1,1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP/a.1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP/1.b" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP1.11" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / XXXX/1.1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / " TAIL, BAD_REQUEST_LINE, 400),
    BAD("\r\n\r\n\r\nGET / HTTP/1.1" TAIL, BAD_REQUEST_LINE, 400),
    BAD("GET / HTTP/1.2" TAIL, BAD_VERSION, 505),
    BAD("GET / HTTP/2.0" TAIL, BAD_VERSION, 505),
    BAD("GET / HTTP/0.9" TAIL, BAD_VERSION, 505),
    BAD("GET / HTTP/9.9" TAIL, BAD_VERSION, 505),
    BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD_VERSION, 505),
    BAD("\nGET / HTTP/1.1" TAIL, BARE_LF, 400),
    BAD("\rGET / HTTP/1.1" TAIL, BARE_CR, 400),
    BAD("GET / HTTP/1.1\nHost: a\n\n", BARE_LF, 400),
    BAD("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", BARE_CR, 400),
    BAD("GET /\r HTTP/1.1" TAIL, BARE_CR, 400),
    BAD("GET /\0 HTTP/1.1" TAIL, CONTROL_CHARACTER, 400),
    BAD("GET /\x01 HTTP/1.1" TAIL, CONTROL_CHARACTER, 400),
    BAD("GET /\x7f HTTP/1.1" TAIL, CONTROL_CHARACTER, 400),
};

static const struct row TARGET_ROWS[] = {
    BAD(TARGET("/a\tb"), BAD_TARGET, 400),
    BAD(TARGET("/\x80"), BAD_TARGET, 400),
    BAD(TARGET("/\xc3\xa4"), BAD_TARGET, 400),
    BAD(TARGET("/#"), BAD_TARGET, 400),
    BAD(TARGET("/?#a"), BAD_TARGET, 400),
    BAD(TARGET("/\""), BAD_TARGET, 400),
    BAD(TARGET("/<"), BAD_TARGET, 400),
    BAD(TARGET("/>"), BAD_TARGET, 400),
    BAD(TARGET("/\\"), BAD_TARGET, 400),
    BAD(TARGET("/^"), BAD_TARGET, 400),
    BAD(TARGET("/`"), BAD_TARGET, 400),
    BAD(TARGET("/{"), BAD_TARGET, 400),
    BAD(TARGET("/|"), BAD_TARGET, 400),
    BAD(TARGET("/}"), BAD_TARGET, 400),
    BAD(TARGET("/["), BAD_TARGET, 400),
    BAD(TARGET("/]"), BAD_TARGET, 400),
    BAD(TARGET("/?\""), BAD_TARGET, 400),
    BAD(TARGET("/?["), BAD_TARGET, 400),
    BAD(TARGET("/?\xff"), BAD_TARGET, 400),
    BAD(TARGET("/%"), BAD_TARGET, 400),
    BAD(TARGET("/%4"), BAD_TARGET, 400),
    BAD(TARGET("/%4g"), BAD_TARGET, 400),
    BAD(TARGET("/%g4"), BAD_TARGET, 400),
    BAD(TARGET("/%%41"), BAD_TARGET, 400),
    BAD(TARGET("/?%4"), BAD_TARGET, 400),
    BAD(TARGET("/?%zz"), BAD_TARGET, 400),
    BAD(TARGET("a"), BAD_TARGET, 400),
    BAD(TARGET("?a"), BAD_TARGET, 400),
    BAD(TARGET("a/b"), BAD_TARGET, 400),
    BAD(TARGET("*"), BAD_TARGET, 400),
    BAD(TARGET("**"), BAD_TARGET, 400),
    BAD(TARGET("*/"), BAD_TARGET, 400),
    BAD(TARGET("b:443"), BAD_TARGET, 400),
    BAD(TARGET("ftp://b/"), BAD_TARGET, 400),
    BAD(TARGET("http:/b/"), BAD_TARGET, 400),
    BAD(TARGET("http:b"), BAD_TARGET, 400),
    BAD(TARGET("http://"), BAD_TARGET, 400),
    BAD(TARGET("http:///a"), BAD_TARGET, 400),
    BAD(TARGET("http://?a"), BAD_TARGET, 400),
    BAD(TARGET("http://:80/"), BAD_TARGET, 400),
    BAD(TARGET("http://u@b/"), BAD_TARGET, 400),
    BAD(TARGET("http://u:p@b/"), BAD_TARGET, 400),
    BAD(TARGET("http://b:x/"), BAD_TARGET, 400),
    BAD(TARGET("http://b#a"), BAD_TARGET, 400),
    BAD(TARGET("http://b\\@c/"), BAD_TARGET, 400),
    BAD(TARGET("http://b/#"), BAD_TARGET, 400),
    BAD(TARGET("https:/"), BAD_TARGET, 400),
    BAD("OPTIONS *a HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT / HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT b HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT b: HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT b:0 HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT b:65536 HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT :443 HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT http://b:443 HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT u@b:443 HTTP/1.1" TAIL, BAD_TARGET, 400),
    BAD("CONNECT * HTTP/1.1" TAIL, BAD_TARGET, 400),
};

static const struct row HOST_ROWS[] = {
    BAD("GET / HTTP/1.1\r\n\r\n", NO_HOST, 400),
    BAD("GET http://b/ HTTP/1.1\r\n\r\n", NO_HOST, 400),
    BAD("CONNECT b:1 HTTP/1.1\r\n\r\n", NO_HOST, 400),
    BAD("GET / HTTP/1.1\r\nHosts: a\r\n\r\n", NO_HOST, 400),
    BAD(LINES("Host: a\r\n"), SEVERAL_HOSTS, 400),
    BAD(LINES("X: y\r\nhost: b\r\n"), SEVERAL_HOSTS, 400),
    BAD("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", SEVERAL_HOSTS, 400),
    BAD("GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n", BAD_HOST, 400),
    BAD("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", BAD_HOST, 400),
    BAD(HOST(""), BAD_HOST, 400),
    BAD(HOST(" "), BAD_HOST, 400),
    BAD(HOST("a b"), BAD_HOST, 400),
    BAD(HOST("a, b"), BAD_HOST, 400),
    BAD(HOST("u@a"), BAD_HOST, 400),
    BAD(HOST("u:p@a"), BAD_HOST, 400),
    BAD(HOST("a/"), BAD_HOST, 400),
    BAD(HOST("a?"), BAD_HOST, 400),
    BAD(HOST("a#"), BAD_HOST, 400),
    BAD(HOST("a\\b"), BAD_HOST, 400),
    BAD(HOST("a\xc3\xa4"), BAD_HOST, 400),
    BAD(HOST("%61"), BAD_HOST, 400),
    BAD(HOST("<a>"), BAD_HOST, 400),
    BAD(HOST("\"a\""), BAD_HOST, 400),
    BAD(HOST("http://a"), BAD_HOST, 400),
    BAD(HOST(":80"), BAD_HOST, 400),
    BAD(HOST("a:0"), BAD_HOST, 400),
    BAD(HOST("a:65536"), BAD_HOST, 400),
    BAD(HOST("a:000080"), BAD_HOST, 400),
    BAD(HOST("a:8o"), BAD_HOST, 400),
    BAD(HOST("a:-1"), BAD_HOST, 400),
    BAD(HOST("a:80:80"), BAD_HOST, 400),
    BAD(HOST("::1"), BAD_HOST, 400),
    BAD(HOST("["), BAD_HOST, 400),
    BAD(HOST("[]"), BAD_HOST, 400),
    BAD(HOST("[::1"), BAD_HOST, 400),
    BAD(HOST("[::1]a"), BAD_HOST, 400),
    BAD(HOST("[::1]80"), BAD_HOST, 400),
    BAD(HOST("a[::1]"), BAD_HOST, 400),
    BAD(HOST("[:]"), BAD_HOST, 400),
    BAD(HOST("[:::]"), BAD_HOST, 400),
    BAD(HOST("[1:2:3:4:5:6:7]"), BAD_HOST, 400),
    BAD(HOST("[1:2:3:4:5:6:7:8:9]"), BAD_HOST, 400),
    BAD(HOST("[1:2:3:4:5:6:7:8::]"), BAD_HOST, 400),
    BAD(HOST("[1:2:3:4::5:6:7:8]"), BAD_HOST, 400),
    BAD(HOST("[1::2::3]"), BAD_HOST, 400),
    BAD(HOST("[12345::]"), BAD_HOST, 400),
    BAD(HOST("[1:]"), BAD_HOST, 400),
    BAD(HOST("[:1]"), BAD_HOST, 400),
    BAD(HOST("[g::]"), BAD_HOST, 400),
    BAD(HOST("[::1.2.3]"), BAD_HOST, 400),
    BAD(HOST("[::1.2.3.4.5]"), BAD_HOST, 400),
    BAD(HOST("[::1.2.3.256]"), BAD_HOST, 400),
    BAD(HOST("[::1.2.3.04]"), BAD_HOST, 400),
    BAD(HOST("[::1.2.3.]"), BAD_HOST, 400),
    BAD(HOST("[::.1.2.3]"), BAD_HOST, 400),
    BAD(HOST("[1.2.3.4]"), BAD_HOST, 400),
    BAD(HOST("[1:2:3:4:5:6:7:1.2.3.4]"), BAD_HOST, 400),
    BAD(HOST("[fe80::1%25eth0]"), BAD_HOST, 400),
    BAD(HOST("[fe80::1%eth0]"), BAD_HOST, 400),
    BAD(HOST("[v1.a]"), BAD_HOST, 400),
};

static const struct row FIELD_ROWS[] = {
    BAD(LINES("X-Name-That-Is-Longer-Than-What-Is-Looked-At-By-Whole-Words-Of-Sixteen\r\nY: z\r\n"), BAD_FIELD_NAME,
        400),
    BAD(LINES("X-Name-That-Is-Longer-Than-What-Is-Looked-At-By-Whole-Words-Of-Sixteen(: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES(": x\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X Y: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X \r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X(: y\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X\xc3\xa4: y\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("\xff: y\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X/Y: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("[X]: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("{X}: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X@: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("\"X\": z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X;: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X,Y: z\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X=y\r\n"), BAD_FIELD_NAME, 400),
    BAD(LINES("X : y\r\n"), SPACE_BEFORE_COLON, 400),
    BAD(LINES("X\t: y\r\n"), SPACE_BEFORE_COLON, 400),
    BAD(LINES("Content-Length : 5\r\n"), SPACE_BEFORE_COLON, 400),
    BAD(LINES("Transfer-Encoding  \t: chunked\r\n"), SPACE_BEFORE_COLON, 400),
    BAD(LINES(" X: y\r\n"), OBS_FOLD, 400),
    BAD(LINES("\tX: y\r\n"), OBS_FOLD, 400),
    BAD(LINES("X: y\r\n z\r\n"), OBS_FOLD, 400),
    BAD(LINES("X: y\r\n\t\r\n"), OBS_FOLD, 400),
    BAD(LINES("X: y\r\n \r\n"), OBS_FOLD, 400),
    BAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n", OBS_FOLD, 400),
    BAD(LINES("X: y\n"), BARE_LF, 400),
    BAD(LINES("X: y\nZ: a\r\n"), BARE_LF, 400),
    BAD("GET / HTTP/1.1\r\nHost: a\r\n\nX", BARE_LF, 400),
    BAD("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", BARE_CR, 400),
    BAD("GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n", BARE_CR, 400),
    BAD(LINES("X: y\r\r\n"), BARE_CR, 400),
    BAD(LINES("X: \ry\r\n"), BARE_CR, 400),
    BAD(LINES("X: y\rZ: a\r\n"), BARE_CR, 400),
    BAD(LINES("\rX: y\r\n"), BARE_CR, 400),
    BAD(LINES("X\r: y\r\n"), BARE_CR, 400),
    BAD(LINES("X:\r y\r\n"), BARE_CR, 400),
    BAD(LINES("X: \0\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: 0123456789abcdef0123456789\0\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: 0123456789abcdef\x0b"
              "0123456789\r\n"),
        CONTROL_CHARACTER, 400),
    BAD(LINES("X: \x01\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: \x08\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: \x0b\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: \x0c\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: \x1f\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: \x7f\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X\0: y\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("\0: y\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X\x7f: y\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X\x0b: y\r\n"), CONTROL_CHARACTER, 400),
    BAD(LINES("X: y\0\n"), CONTROL_CHARACTER, 400), /* the first of two faults */
    BAD(LINES("Connection: close;x\r\n"), BAD_CONNECTION, 400),
    BAD(LINES("Connection: \"close\"\r\n"), BAD_CONNECTION, 400),
    BAD(LINES("Connection: a b\r\n"), BAD_CONNECTION, 400),
    BAD(LINES("Connection: a\r\nConnection: b, (\r\n"), BAD_CONNECTION, 400),
};

static const struct row FRAMING_ROWS[] = {
    BAD(LINES("Content-Length: 5\r\nContent-Length: 5\r\n"), SEVERAL_CONTENT_LENGTHS, 400),
    BAD(LINES("Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n"), SEVERAL_CONTENT_LENGTHS, 400),
    BAD(LINES("Content-Length: 1, 1\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 1,\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length:\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: +1\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: -1\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 0x1\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 1_0\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 1 0\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 1.0\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 1e3\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: \"1\"\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 1;\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: \xb2\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 9223372036854775808\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 18446744073709551616\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 18446744073709551621\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 99999999999999999999999999\r\n"), BAD_CONTENT_LENGTH, 400),
    BAD(LINES("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), LENGTH_AND_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), LENGTH_AND_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"), LENGTH_AND_ENCODING, 400),
    BAD("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", TRANSFER_ENCODING_IN_1_0, 400),
    BAD("POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n", TRANSFER_ENCODING_IN_1_0, 400),
    BAD(LINES("Transfer-Encoding: chunked, chunked\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked, gzip\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked, identity\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: gzip, chunked, gzip\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked;a=b\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked ;\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: ,chunked\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked,\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding:\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: ,\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: \"chunked\"\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chunked\xff\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: chun ked\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: =chunked\r\n"), BAD_TRANSFER_ENCODING, 400),
    BAD(LINES("Transfer-Encoding: identity\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(LINES("Transfer-Encoding: gzip\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(LINES("Transfer-Encoding: gzip, chunked\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(LINES("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(LINES("Transfer-Encoding: xchunked\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(LINES("Transfer-Encoding: chunke\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD(LINES("Transfer-Encoding: foo;q=\"a,b\", chunked\r\n"), UNKNOWN_TRANSFER_ENCODING, 501),
    BAD("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\nContent-Length: 1\r\n\r\n", BODY_IN_CONNECT, 400),
    BAD("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\nTransfer-Encoding: chunked\r\n\r\n", BODY_IN_CONNECT, 400),
};

static void feed(const struct row *row, const void *context, size_t first, size_t step, struct text *text)
{
    feed_request(row->input, first, step, text);
}

static void takes_good_requests(void **state)
{
    rows_check(GOOD_ROWS, ARRAY_LEN(GOOD_ROWS), feed, NULL);
}

static void refuses_bad_first_lines(void **state)
{
    rows_check(FIRST_LINE_ROWS, ARRAY_LEN(FIRST_LINE_ROWS), feed, NULL);
}

static void refuses_bad_targets(void **state)
{
    rows_check(TARGET_ROWS, ARRAY_LEN(TARGET_ROWS), feed, NULL);
}

static void refuses_bad_hosts(void **state)
{
    rows_check(HOST_ROWS, ARRAY_LEN(HOST_ROWS), feed, NULL);
}

static void refuses_bad_fields(void **state)
{
    rows_check(FIELD_ROWS, ARRAY_LEN(FIELD_ROWS), feed, NULL);
}

static void refuses_ambiguous_framing(void **state)
{
    rows_check(FRAMING_ROWS, ARRAY_LEN(FRAMING_ROWS), feed, NULL);
}

/* Every byte in every kind of place: taken exactly where the grammar of RFC 9110, 5.6.2 and RFC 3986 has it. */
static void knows_every_byte(void **state)
{
    static const char TOKEN[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char PATH[] = "!$&'()*+,;=:@/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    for (unsigned value = 0; value < 256; value++) {
        const char c = (char)value;
        const bool token = c != 0 && strchr(TOKEN, c) != NULL, path = c != 0 && strchr(PATH, c) != NULL;
        const struct {
            const char *before, *after;
            bool good;
        } places[] = {
            { "G", "T / HTTP/1.1\r\nHost: a\r\n\r\n", token },
            { "GET /a", "b HTTP/1.1\r\nHost: a\r\n\r\n", path || c == '?' },
            { "GET /?a", "b HTTP/1.1\r\nHost: a\r\n\r\n", path || c == '?' },
            { "GET / HTTP/1.1\r\nHost: a\r\nX", "Y: z\r\n\r\n", token || c == ':' },
            { "GET / HTTP/1.1\r\nHost: a\r\nX: y", "z\r\n\r\n", c == '\t' || (value >= 32 && value != 127) },
            { "GET / HTTP/1.1\r\nHost: a", "b\r\n\r\n", path && strchr(":@/", c) == NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
            char input[64], output[512];
            struct text text = text_into(output, sizeof(output));
            struct text request = text_into(input, sizeof(input));

            text_add(&request, bytes_of_text(places[i].before));
            text_add_char(&request, c);
            text_add(&request, bytes_of_text(places[i].after));
            feed_request(text_bytes(&request), request.len, 1, &text);
            if (bytes_starts(text_bytes(&text), BYTES("len ")) != places[i].good)
                fail_msg("byte %u in place %zu: %.*s", value, i, BYTES_ARG(text_bytes(&text)));
        }
    }
}

/* After an error the reader says the same again, whatever it is given. */
static void stays_refused(void **state)
{
    struct http_field fields[4];
    struct http_head head = { .fields = fields, .field_max = 4 };
    struct http1_head_reader reader;

    http1_head_start(&reader);
    assert_true(http1_read_request(&reader, BYTES("GET\r\n"), &head) < 0);
    assert_true(http1_read_request(&reader, BYTES("GET / HTTP/1.0\r\n\r\n"), &head) < 0);
    assert_int_equal(reader.error, HTTP1_BAD_REQUEST_LINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_good_requests), cmocka_unit_test(refuses_bad_first_lines),
        cmocka_unit_test(refuses_bad_targets), cmocka_unit_test(refuses_bad_hosts),
        cmocka_unit_test(refuses_bad_fields),  cmocka_unit_test(refuses_ambiguous_framing),
        cmocka_unit_test(knows_every_byte),    cmocka_unit_test(stays_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
