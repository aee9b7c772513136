#include "chassis/url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *text, *authority, *host, *path, *query; /* query NULL: none */
    uint16_t port;
    bool names_service;
} FINE[] = {
    { "http://credit/holds", "credit", "credit", "/holds", NULL, 80, true },
    { "http://credit", "credit", "credit", "", NULL, 80, true },
    { "HTTP://credit/?a=%20b", "credit", "credit", "/", "a=%20b", 80, true },
    { "http://credit?", "credit", "credit", "", "", 80, true },
    { "http://credit:80/", "credit:80", "credit", "/", NULL, 80, false },
    { "http://10.0.0.1/a", "10.0.0.1", "10.0.0.1", "/a", NULL, 80, false },
    { "http://127.0.0.1:9000/a/b;c?d=e/f?g", "127.0.0.1:9000", "127.0.0.1", "/a/b;c", "d=e/f?g", 9000, false },
    { "http://api.example.com/a#part", "api.example.com", "api.example.com", "/a", NULL, 80, false },
    { "http://[::1]:8080/", "[::1]:8080", "[::1]", "/", NULL, 8080, false },
    { "http://[::1]/", "[::1]", "[::1]", "/", NULL, 80, false },
    { "http://a:65535", "a:65535", "a", "", NULL, 65535, false },
};

static void good_ones_are_taken_apart(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(FINE); i++) {
        struct url url;

        assert_int_equal(url_parse(bytes_of_text(FINE[i].text), &url), 0);
        assert_true(bytes_equal(url.authority, bytes_of_text(FINE[i].authority)));
        assert_true(bytes_equal(url.host, bytes_of_text(FINE[i].host)));
        assert_true(bytes_equal(url.path, bytes_of_text(FINE[i].path)));
        assert_true(bytes_equal(url.query, bytes_of_text(FINE[i].query)));
        assert_int_equal(url.query.data != NULL, FINE[i].query != NULL);
        assert_int_equal(url.port, FINE[i].port);
        assert_int_equal(url_names_service(&url), FINE[i].names_service);
    }
}

static const char *const BAD[] = {
    "",          "http",         "http://",        "http:///a",         "https://a/",      "ftp://a/",
    "//a/",      "/a",           "http://a b/",    "http://a/b c",      "http://a/\r\nX:", "http://a/%0",
    "http://u@", "http://u@a/",  "http://a:/",     "http://a:0/",       "http://a:65536/", "http://a:8x/",
    "http://:8", "http://[::1/", "http://[::1]8/", "http://[]/",        "http://a/\"",     "http://a/?b c",
    "http://a:", "http://a/%00", "http://a/\x7f",  "http://a/\xc3\xb6", "http://a%62/",    "http://a/?<",
    "http://#a",
};

static void bad_ones_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct url url = { .port = 7 };

        if (url_parse(bytes_of_text(BAD[i]), &url) != -EINVAL)
            fail_msg("taken: %s", BAD[i]);
        assert_int_equal(url.port, 7); /* untouched */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_taken_apart),
        cmocka_unit_test(bad_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
