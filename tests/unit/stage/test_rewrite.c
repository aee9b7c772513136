#include "onion.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The table of ReplacePrefixMatch in the Gateway API, and more. */
static const struct {
    const char *path, *strip, *with, *seen;
} PREFIXES[] = {
    { "/foo/bar", "/foo", "/xyz", "/xyz/bar" },
    { "/foo/bar", "/foo", "/xyz/", "/xyz/bar" },
    { "/foo/bar", "/foo/", "/xyz", "/xyz/bar" },
    { "/foo/bar", "/foo/", "/xyz/", "/xyz/bar" },
    { "/foo", "/foo", "/xyz", "/xyz" },
    { "/foo/", "/foo", "/xyz", "/xyz/" },
    { "/foo/bar", "/foo", "", "/bar" },
    { "/foo/", "/foo", "", "/" },
    { "/foo", "/foo", "", "/" },
    { "/foo/", "/foo", "/", "/" },
    { "/foo", "/foo", "/", "/" },
    { "/foo", "/foo/", "/xyz", "/xyz" },
    { "/foo/bar/", "/foo", "/xyz", "/xyz/bar/" },
    { "/foo//bar", "/foo", "/xyz", "/xyz//bar" },
    { "/foo/bar", "/", "/xyz", "/xyz/foo/bar" },
    { "/", "/", "/xyz", "/xyz/" },
    { "/foo/bar", "/foo/bar", "/a/b/c", "/a/b/c" },
    { "/foo/b%2Fr", "/foo", "/xyz", "/xyz/b%2Fr" },
    { "/foobar", "/foo", "/xyz", "/foobar" },
    { "/other", "/foo", "/xyz", "/other" },
    { "/FOO/bar", "/foo", "/xyz", "/FOO/bar" },
};

static void a_prefix_is_replaced_by_element(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PREFIXES); i++) {
        struct onion onion = { .type = &STAGE_REWRITE, .path = PREFIXES[i].path, .query = "q=1" };
        char yaml[256], seen[256], after[256];

        snprintf(yaml, sizeof(yaml), "{ strip: '%s', prefix: '%s' }", PREFIXES[i].strip, PREFIXES[i].with);
        snprintf(seen, sizeof(seen), "GET shop.test %s?q=1\n", PREFIXES[i].seen);
        snprintf(after, sizeof(after), "GET shop.test %s?q=1", PREFIXES[i].path);
        onion.yaml = yaml;
        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_OK);
        assert_string_equal(onion.seen, seen);
        assert_string_equal(onion.after, after);
    }
}

static const struct onion_field HOST[] = { { "Host", "shop.test" }, { NULL, NULL } };
static const struct onion_field FORWARDED[] = { { "X-Forwarded-Host", "www.test" }, { NULL, NULL } };
static const struct onion_field ODD[] = { { "X-Version", "2&a=+" }, { NULL, NULL } };
static const struct onion_field VERSION[] = { { "X-Version", "v2" }, { NULL, NULL } };

static const struct {
    const char *yaml, *path, *query;
    const struct onion_field *fields;
    const char *seen;
} ROWS[] = {
    { "/new", "/old", "q=1", NULL, "GET shop.test /new?q=1" },
    { "path: \"/{header.x-version}{request.path}\"", "/old", NULL, VERSION, "GET shop.test /v2/old|X-Version: v2" },
    { "{ path: /new, query: '' }", "/old", "q=1", NULL, "GET shop.test /new" },
    { "query: \"was={query.q}\"", "/old", "q=1&r", NULL, "GET shop.test /old?was=1" },
    { "query: \"{request.query}&by={client.address}\"", "/", "a=b", NULL, "GET shop.test /?a=b&by=192.0.2.1" },
    { "query: \"version={header.x-version}&of={request.path}\"", "/a&admin=1", NULL, ODD,
      "GET shop.test /a&admin=1?version=2%26a%3D%2B&of=/a%26admin%3D1|X-Version: 2&a=+" },
    { "host: orders.internal", "/", NULL, HOST,
      "GET orders.internal /|X-Forwarded-Host: shop.test|Host: orders.internal" },
    { "host: 'orders.internal:8080'", "/", NULL, FORWARDED,
      "GET orders.internal:8080 /|X-Forwarded-Host: www.test|Host: orders.internal:8080" },
    { "host: \"{header.x-version}.{request.host}\"", "/", NULL, VERSION,
      "GET v2.shop.test /|X-Version: v2|X-Forwarded-Host: shop.test|Host: v2.shop.test" },
    { "host: '[::1]:80'", "/", NULL, NULL, "GET [::1]:80 /|X-Forwarded-Host: shop.test|Host: [::1]:80" },
    { "{ strip: /a, prefix: \"/{header.x-version}\" }", "/a/b", NULL, VERSION, "GET shop.test /v2/b|X-Version: v2" },
    { "{ strip: /a, prefix: \"{header.none}\" }", "/a/b", NULL, NULL, "GET shop.test /b" },
    { "{ path: \"/{path.id}/of/{caller}\" }", "/a/17", NULL, NULL, "GET shop.test /17/of/web" },
    { "/new", "*", NULL, NULL, "GET shop.test *" },
    { "{ path: /new, host: a.test }", "", NULL, NULL, "GET a.test |X-Forwarded-Host: shop.test|Host: a.test" },
};

static void the_service_sees_something_else(void **state)
{
    static const struct stage_type *const AROUND[] = { NULL, &ONION_TWICE, &ONION_FORKED };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        for (size_t k = 0; k < ARRAY_LEN(AROUND) * 2; k++) {
            struct onion onion = { .type = &STAGE_REWRITE,
                                   .yaml = ROWS[i].yaml,
                                   .path = ROWS[i].path,
                                   .query = ROWS[i].query,
                                   .fields = ROWS[i].fields };
            char seen[1024];

            *(k % 2 ? &onion.outside : &onion.inside) = AROUND[k / 2];
            onion_run(&onion);
            snprintf(seen, sizeof(seen), AROUND[k / 2] ? "%s\n%s\n" : "%s\n", ROWS[i].seen, ROWS[i].seen);
            assert_int_equal(onion.result, OUTCOME_OK);
            assert_string_equal(onion.seen, seen);
        }
    }
}

static void what_came_is_put_back(void **state)
{
    for (unsigned fails = 0; fails < 2; fails++) {
        struct onion onion = { .type = &STAGE_REWRITE,
                               .yaml = "{ path: /new, query: x, host: a.test }",
                               .path = "/old",
                               .query = "",
                               .fields = HOST,
                               .outcome = fails ? OUTCOME_NO_ENDPOINT : OUTCOME_OK };

        onion_run(&onion);
        assert_string_equal(onion.seen, "GET a.test /new?x|X-Forwarded-Host: shop.test|Host: a.test\n");
        assert_int_equal(onion.result, onion.outcome);
        assert_string_equal(onion.after, "GET shop.test /old?|Host: shop.test");
    }
}

/* --- what is unfit -------------------------------------------------------------------------------------------- */

static const struct {
    const char *yaml, *value;
} UNFIT[] = {
    { "path: \"/a/{header.x}\"", "b c" },
    { "path: \"/a/{header.x}\"", ".." },
    { "path: \"/a/{header.x}/b\"", "%2e%2E" },
    { "path: \"/a/{header.x}\"", "b?c" },
    { "path: \"/a/{header.x}\"", "b#c" },
    { "path: \"/a/{header.x}\"", "%zz" },
    { "path: \"/a/{header.x}\"", "\xc3\xbc" },
    { "path: \"{header.x}\"", "a" },
    { "path: \"{header.x}\"", "http://b.test/" },
    { "{ strip: /, prefix: \"{header.x}\" }", "a" },
    { "{ strip: /, prefix: \"/{header.x}\" }", ".." },
    { "query: \"{header.x}\"", "a b" },
    { "query: \"{header.x}\"", "a#b" },
    { "query: \"{header.x}\"", "%4" },
    { "host: \"{header.x}\"", "a b" },
    { "host: \"{header.x}\"", "a/b" },
    { "host: \"{header.x}\"", "user@a" },
    { "host: \"{header.x}\"", "a:b" },
    { "host: \"{header.none}\"", "" },
};

static void what_is_unfit_for_a_request_is_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(UNFIT); i++) {
        const struct onion_field fields[] = { { "X", UNFIT[i].value }, { NULL, NULL } };
        struct onion onion = { .type = &STAGE_REWRITE, .yaml = UNFIT[i].yaml, .fields = fields };

        onion_run(&onion);
        if (onion.result != OUTCOME_BAD_REQUEST || onion.runs > 0)
            fail_msg("row %zu: %s", i, onion.seen);
    }
}

static void a_request_line_has_a_bound(void **state)
{
    static const size_t FITS = HTTP1_LINE_MAX - 12 - 3 - 2; /* GET, /v */
    char *query = calloc(1, HTTP1_LINE_MAX), *path = calloc(1, HTTP1_LINE_MAX);
    struct onion onion = { .type = &STAGE_REWRITE, .yaml = "/v", .query = query };

    assert_true(query && path);
    memset(query, 'q', FITS);
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    query[FITS] = 'q';
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
    memset(path, 'p', REWRITE_PATH_MAX - 1);
    path[0] = '/';
    onion = (struct onion){ .type = &STAGE_REWRITE, .yaml = "{ strip: /, prefix: /v }", .path = path };
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
    path[REWRITE_PATH_MAX - 2] = '\0';
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    free(query);
    free(path);
}

static void without_memory_it_is_overload(void **state)
{
    static const char *const YAMLS[] = {
        "path: \"/{path.id}/x\"",
        "{ strip: /, prefix: \"/a{path.id}\" }",
        "{ host: \"{path.id}.test\", query: \"a={path.id}\" }",
    };

    for (size_t i = 0; i < ARRAY_LEN(YAMLS); i++) {
        struct onion onion = { .type = &STAGE_REWRITE, .yaml = YAMLS[i], .path = "/a/b", .fields = HOST };

        onion_run_short(&onion);
    }
}

/* --- settings ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *yaml, *faults;
} BAD[] = {
    { "{}", "w:2:3: rewrite: changes nothing (write path, prefix, query or host)\n" },
    { "{ path: /a, prefix: /b, strip: /c }", "w:2:23: rewrite.prefix: does not go together with path\n" },
    { "{ path: /a, strip: /c }", "w:2:22: rewrite.strip: goes with prefix, which takes its place\n" },
    { "new", "w:2:3: rewrite: must be a path: / first, no query, no dot segments\n" },
    { "/a?b", "w:2:3: rewrite: must be a path: / first, no query, no dot segments\n" },
    { "/a/../b", "w:2:3: rewrite: must be a path: / first, no query, no dot segments\n" },
    { "'/a b'", "w:2:3: rewrite: must be a path: / first, no query, no dot segments\n" },
    { "path: \"/{path.id}/..\"", "w:2:9: rewrite.path: must be a path: / first, no query, no dot segments\n" },
    { "path: \"/{path.}\"", "w:2:9: rewrite.path: has {path.} without a name behind the dot\n" },
    { "{ prefix: b, strip: /a }", "w:2:13: rewrite.prefix: must be a path: / first, no query, no dot segments\n" },
    { "{ prefix: /b, strip: \"/{path.id}\" }",
      "w:2:24: rewrite.strip: must be a path: / first, no query, no dot segments\n" },
    { "host: a/b", "w:2:9: rewrite.host: must be a host name or an IP address\n" },
    { "host: http://a", "w:2:9: rewrite.host: must be a host name or an IP address\n" },
    { "query: 'a b'", "w:2:10: rewrite.query: must be a query without its ?, percent-encoded where it has to be\n" },
};

static void bad_settings_are_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct settings *settings = settings_load(&STAGE_REWRITE, BAD[i].yaml);

        assert_string_equal(settings->text, BAD[i].faults);
        assert_null(settings->conf);
        settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_is_replaced_by_element), cmocka_unit_test(the_service_sees_something_else),
        cmocka_unit_test(what_came_is_put_back),           cmocka_unit_test(what_is_unfit_for_a_request_is_refused),
        cmocka_unit_test(a_request_line_has_a_bound),      cmocka_unit_test(without_memory_it_is_overload),
        cmocka_unit_test(bad_settings_are_faults),
    };

    return cmocka_run_group_tests_name("stage/rewrite", tests, NULL, NULL);
}
