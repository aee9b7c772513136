#include "onion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *yaml, *scheme, *host, *path, *query;
    unsigned status;
    const char *location;
} ROWS[] = {
    /* the whole place */
    { "https://new.test/", "http", "shop.test", "/a", "q=1", 302, "https://new.test/" },
    { "to: \"https://new.test{request.path}?{request.query}\"", "http", "shop.test", "/a", "q=1", 302,
      "https://new.test/a?q=1" },
    { "{ to: /login, status: 303 }", "http", "shop.test", "/a", NULL, 303, "/login" },
    { "to: //cdn.test/x", "http", "shop.test", "/a", NULL, 302, "//cdn.test/x" },
    { "to: \"/u/{header.x}\"", "http", "shop.test", "/a", NULL, 302, "/u/a%20b%22%3C%C3%BC%3E%0D%0AX:1%25" },
    /* parts: Gateway API, HTTPRequestRedirect */
    { "scheme: https", "http", "shop.test", "/a", "q=1", 302, "https://shop.test/a?q=1" },
    { "{ scheme: https, status: 301 }", "http", "shop.test:8080", "/a", NULL, 301, "https://shop.test/a" },
    { "{ scheme: https, port: 8443 }", "http", "shop.test:8080", "/a", NULL, 302, "https://shop.test:8443/a" },
    { "{ scheme: https, port: 443 }", "http", "shop.test:8080", "/a", NULL, 302, "https://shop.test/a" },
    { "{ scheme: http, port: 80 }", "https", "shop.test", "/a", NULL, 302, "http://shop.test/a" },
    { "{ scheme: http, port: 443 }", "https", "shop.test", "/a", NULL, 302, "http://shop.test:443/a" },
    { "port: 8443", "https", "shop.test", "/a", NULL, 302, "https://shop.test:8443/a" },
    { "port: 80", "http", "shop.test:8080", "/a", NULL, 302, "http://shop.test/a" },
    { "host: new.test", "http", "shop.test:8080", "/a", "", 302, "http://new.test:8080/a?" },
    { "host: new.test", "http", "shop.test:80", "/a", NULL, 302, "http://new.test/a" },
    { "host: 'new.test:81'", "http", "shop.test:8080", "/a", NULL, 302, "http://new.test:81/a" },
    { "{ host: 'new.test:81', port: 82 }", "http", "shop.test", "/a", NULL, 302, "http://new.test:82/a" },
    { "{ host: '[::1]', scheme: https }", "http", "shop.test:80", "/a", NULL, 302, "https://[::1]/a" },
    { "host: \"www.{request.host}\"", "http", "shop.test:81", "/a", NULL, 302, "http://www.shop.test:81/a" },
    { "path: /b", "http", "shop.test", "/a", "q=1", 302, "http://shop.test/b?q=1" },
    { "{ path: \"/b{request.path}\", status: 308 }", "http", "shop.test", "/a", NULL, 308, "http://shop.test/b/a" },
    { "{ strip: /a, prefix: /b, status: 307 }", "http", "shop.test", "/a/c", "q", 307, "http://shop.test/b/c?q" },
    { "{ strip: /a, prefix: '' }", "http", "shop.test", "/a", NULL, 302, "http://shop.test/" },
    { "{ strip: /x, prefix: /b, scheme: https }", "http", "shop.test", "/a", NULL, 302, "https://shop.test/a" },
    { "scheme: https", "http", "shop.test", "//evil.test/", NULL, 302, "https://shop.test//evil.test/" },
    { "path: /b", "http", "-", "/a", NULL, 302, "/b" },
};

static const struct onion_field ODD[] = { { "X", "a b\"<\xc3\xbc>%0D%0AX:1%25" }, { NULL, NULL } };

static void run(struct onion *onion, size_t i)
{
    *onion = (struct onion){ .type = &STAGE_REDIRECT,
                             .yaml = ROWS[i].yaml,
                             .innermost = true,
                             .scheme = ROWS[i].scheme,
                             .host = ROWS[i].host,
                             .path = ROWS[i].path,
                             .query = ROWS[i].query,
                             .fields = ODD };
}

static void the_client_is_sent_elsewhere(void **state)
{
    static const struct stage_type *const AROUND[] = { NULL, &ONION_TWICE, &ONION_FORKED };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        for (size_t k = 0; k < ARRAY_LEN(AROUND) + 1; k++) {
            struct onion onion;
            char answer[256];

            run(&onion, i);
            if (k < ARRAY_LEN(AROUND))
                onion.outside = AROUND[k];
            else
                onion.innermost = false; /* as a step */
            onion_run(&onion);
            snprintf(answer, sizeof(answer), "Location: %s", ROWS[i].location);
            assert_int_equal(onion.result, OUTCOME_OK);
            assert_int_equal(onion.status, ROWS[i].status);
            assert_string_equal(onion.answer, answer);
            assert_int_equal(onion.content_len, 0);
            assert_true(onion.has_content_len);
            assert_int_equal(onion.runs, 0);
        }
}

/* Bytes that no field can hold come from the request itself. */
static void control_characters_are_encoded(void **state)
{
    struct onion onion = { .type = &STAGE_REDIRECT,
                           .yaml = "to: \"https://new.test{request.path}\"",
                           .innermost = true,
                           .path = "/a\r\nSet-Cookie: evil\x7f\x01" };

    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    assert_string_equal(onion.answer, "Location: https://new.test/a%0D%0ASet-Cookie:%20evil%7F%01");
}

static const struct {
    const char *yaml, *scheme, *host, *path;
} THERE[] = {
    { "scheme: https", "https", "shop.test:8443", "/a" },
    { "{ scheme: https, host: shop.test }", "https", "SHOP.test:443", "/a" },
    { "host: shop.test", "http", "shop.test:80", "/a" },
    { "{ host: shop.test, port: 80 }", "http", "shop.test", "/a" },
    { "path: /a", "http", "shop.test", "/a" },
    { "{ strip: /x, prefix: /y }", "http", "shop.test", "/a" },
    { "/a?q=1", "http", "shop.test", "/a" },
    { "HTTP://Shop.test:81/a?q=1", "http", "shop.test:81", "/a" },
    { "to: \"https://shop.test{request.path}?{request.query}\"", "https", "shop.test", "/a" },
};

static void a_step_lets_pass_who_is_there(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(THERE); i++) {
        struct onion onion = { .type = &STAGE_REDIRECT,
                               .yaml = THERE[i].yaml,
                               .scheme = THERE[i].scheme,
                               .host = THERE[i].host,
                               .path = THERE[i].path,
                               .query = "q=1" };

        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_OK);
        if (onion.status != 200)
            fail_msg("row %zu: %s", i, onion.answer);
        onion.innermost = true; /* as a target it must say something */
        onion_run(&onion);
        assert_int_equal(onion.status, 302);
    }
}

/* Nearly there is not there. */
static void a_step_sends_on_who_is_not(void **state)
{
    static const char *const PLACES[] = { "/a",
                                          "/a?q=12",
                                          "/a?q=",
                                          "/A?q=1",
                                          "/a/?q=1",
                                          "https://shop.test/a?q=1",
                                          "http://shop.test:80/a?q=1",
                                          "http://shop.test/a",
                                          "http:/a?q=1",
                                          "http://shop.tes",
                                          "a?q=1" };

    for (size_t i = 0; i < ARRAY_LEN(PLACES); i++) {
        struct onion onion = { .type = &STAGE_REDIRECT, .yaml = PLACES[i], .path = "/a", .query = "q=1" };
        char answer[64];

        onion_run(&onion);
        snprintf(answer, sizeof(answer), "Location: %s", PLACES[i]);
        assert_int_equal(onion.status, 302);
        assert_string_equal(onion.answer, answer);
    }
}

static const struct {
    const char *yaml, *host, *path, *value;
} UNFIT[] = {
    { "to: \"{request.path}/\"", "shop.test", "//evil.test", "" },
    { "to: \"{header.x}\"", "shop.test", "/", "/\\evil.test" },
    { "to: \"{header.x}\"", "shop.test", "/", "" },
    { "path: \"/{header.x}\"", "-", "/", "/evil.test" },
    { "path: \"{header.x}\"", "shop.test", "/", "evil" },
    { "host: \"{header.x}\"", "shop.test", "/", "evil.test/" },
    { "host: \"{header.x}\"", "shop.test", "/", "a@evil.test" },
    { "host: \"{header.x}\"", "shop.test", "/", "" },
    { "scheme: https", "shop.test", "*", "" },
    { "scheme: https", "shop.test:80", "", "" },
};

static void a_stranger_cannot_choose_the_place(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(UNFIT); i++) {
        const struct onion_field fields[] = { { "X", UNFIT[i].value }, { NULL, NULL } };
        struct onion onion = { .type = &STAGE_REDIRECT,
                               .yaml = UNFIT[i].yaml,
                               .innermost = true,
                               .host = UNFIT[i].host,
                               .path = UNFIT[i].path,
                               .fields = fields };

        onion_run(&onion);
        if (onion.result != OUTCOME_BAD_REQUEST)
            fail_msg("row %zu: %s", i, onion.answer);
    }
}

static void a_location_has_a_bound(void **state)
{
    static const size_t FITS = LOCATION_MAX - sizeof("https://shop.test/?") + 1;
    char *query = calloc(1, FITS + 2);
    struct onion onion = { .type = &STAGE_REDIRECT, .yaml = "scheme: https", .innermost = true, .query = query };

    assert_non_null(query);
    memset(query, 'q', FITS);
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    assert_int_equal(strlen(onion.answer), LOCATION_MAX + strlen("Location: "));
    query[FITS] = 'q';
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
    free(query);
}

static void without_memory_it_is_overload(void **state)
{
    static const char *const YAMLS[] = {
        "to: \"/a/{path.id}\"",
        "{ host: \"{path.id}.test\", strip: /, prefix: \"/a{path.id}\" }",
        "path: \"/{path.id}/a\"",
    };

    for (size_t i = 0; i < ARRAY_LEN(YAMLS); i++) {
        struct onion onion = { .type = &STAGE_REDIRECT, .yaml = YAMLS[i], .innermost = true };

        onion_run_short(&onion);
    }
}

/* --- settings ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *yaml, *faults;
} BAD[] = {
    { "{}", "w:2:3: redirect: leads nowhere (write to, or scheme, host, port, path, prefix)\n" },
    { "{ status: 301 }", "w:2:3: redirect: leads nowhere (write to, or scheme, host, port, path, prefix)\n" },
    { "{ to: /a, status: 300 }", "w:2:21: redirect.status: must be between 301 and 308 (is 300)\n" },
    { "{ to: /a, status: 304 }", "w:2:21: redirect.status: must be 301, 302, 303, 307 or 308 (is 304)\n" },
    { "{ to: /a, status: 305 }", "w:2:21: redirect.status: must be 301, 302, 303, 307 or 308 (is 305)\n" },
    { "{ to: /a, status: 306 }", "w:2:21: redirect.status: must be 301, 302, 303, 307 or 308 (is 306)\n" },
    { "{ to: /a, port: 80 }", "w:2:19: redirect.port: does not go together with to, which is the whole place\n" },
    { "{ path: /a, prefix: /b }", "w:2:23: redirect.prefix: does not go together with path\n" },
    { "{ path: /a, strip: /b }", "w:2:22: redirect.strip: goes with prefix, which takes its place\n" },
    { "{ scheme: ftp }", "w:2:13: redirect.scheme: must be one of http, https, found \"ftp\"\n" },
    { "{ port: 0 }", "w:2:11: redirect.port: must be between 1 and 65535 (is 0)\n" },
    { "{ host: a b }", "w:2:11: redirect.host: must be a host name or an IP address\n" },
    { "to: ''", "w:2:7: redirect.to: must be a URL or a path\n" },
    { "to: \"/{path.id\"", "w:2:7: redirect.to: has a \"{\" without its \"}\" (write {{ for the character itself)\n" },
};

static void bad_settings_are_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct settings *settings = settings_load(&STAGE_REDIRECT, BAD[i].yaml);

        assert_string_equal(settings->text, BAD[i].faults);
        assert_null(settings->conf);
        settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_sent_elsewhere),       cmocka_unit_test(control_characters_are_encoded),
        cmocka_unit_test(a_step_lets_pass_who_is_there),      cmocka_unit_test(a_step_sends_on_who_is_not),
        cmocka_unit_test(a_stranger_cannot_choose_the_place), cmocka_unit_test(a_location_has_a_bound),
        cmocka_unit_test(without_memory_it_is_overload),      cmocka_unit_test(bad_settings_are_faults),
    };

    return cmocka_run_group_tests_name("stage/redirect", tests, NULL, NULL);
}
