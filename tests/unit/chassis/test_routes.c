#include "chassis/routes.h"

#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int handler(struct weft_call *call, void *user)
{
    return 0;
}

static int add(struct routes *routes, const char *method, const char *pattern)
{
    const char *why = NULL;
    int r = routes_add(routes, bytes_of_text(method), bytes_of_text(pattern), handler, (void *)(uintptr_t)pattern,
                       &why);

    assert_int_equal(why != NULL, r == -EINVAL);
    return r;
}

/* In an order that is not that of precedence. */
static const char *const ROUTES[][2] = {
    { "GET", "/{rest...}" },    { "GET", "/a/{x}" }, { "GET", "/" },         { "GET", "/{y}/b" },
    { "GET", "/a/b" },          { "POST", "/a/b" },  { "DELETE", "/a/{x}" }, { "*", "/any/{x}/of" },
    { "GET", "/any/{x}/of" },   { "HEAD", "/head" }, { "GET", "/head" },     { "GET", "/with%20space/{x}" },
    { "GET", "/f/{a}/{b...}" }, { "PUT", "/put" },   { "GET", "/slash/" },
};

static const struct {
    const char *method, *path, *pattern; /* NULL: none */
    const char *values[3];
    bool path_known;
} FINDS[] = {
    { "GET", "/", "/", { "" }, true },
    { "GET", "/a/b", "/a/b", { "", "" }, true },
    { "GET", "/%61/%62", "/a/b", { "", "" }, true },
    { "POST", "/a/b", "/a/b", { "", "" }, true },
    { "DELETE", "/a/b", "/a/{x}", { "", "b" }, true }, /* the literal ones don't have the method */
    { "GET", "/a/c%2Fd", "/a/{x}", { "", "c%2Fd" }, true },
    { "GET", "/c/b", "/{y}/b", { "c", "" }, true },
    { "GET", "/c/d", "/{rest...}", { "c/d" }, true },
    { "GET", "/a/", "/{rest...}", { "a/" }, true }, /* a value is not empty */
    { "GET", "/slash", "/{rest...}", { "slash" }, true },
    { "GET", "/slash/", "/slash/", { "", "" }, true },
    { "GET", "/f/1/", "/f/{a}/{b...}", { "", "1", "" }, true },
    { "GET", "/f/1/2/3", "/f/{a}/{b...}", { "", "1", "2/3" }, true },
    { "GET", "/f/1", "/{rest...}", { "f/1" }, true },
    { "GET", "/any/1/of", "/any/{x}/of", { "", "1", "" }, true },
    { "PATCH", "/any/1/of", "/any/{x}/of", { "", "1", "" }, true },
    { "HEAD", "/a/b", "/a/b", { "", "" }, true },
    { "HEAD", "/head", "/head", { "" }, true },
    { "POST", "/put", NULL, { NULL }, true },
    { "POST", "/c/d", NULL, { NULL }, true },
    { "get", "/a/b", NULL, { NULL }, true },
    { "GET", "*", NULL, { NULL }, false },
    { "GET", "", NULL, { NULL }, false },
};

static void the_more_literal_route_goes_first(void **state)
{
    struct routes routes = { .count = 0 };

    for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++)
        assert_int_equal(add(&routes, ROUTES[i][0], ROUTES[i][1]), 0);
    for (size_t i = 0; i < ARRAY_LEN(FINDS); i++) {
        struct routed routed;

        routes_find(&routes, bytes_of_text(FINDS[i].method), bytes_of_text(FINDS[i].path), &routed);
        if ((routed.route == NULL) != (FINDS[i].pattern == NULL) || routed.path_known != FINDS[i].path_known)
            fail_msg("%s %s", FINDS[i].method, FINDS[i].path);
        if (!routed.route)
            continue;
        assert_string_equal(routed.route->user, FINDS[i].pattern);
        for (unsigned v = 0; v < routed.count; v++)
            assert_true(bytes_equal(routed.values[v], bytes_of_text(FINDS[i].values[v])));
    }
    routes_free(&routes);
}

static void no_path_is_known_without_a_rest(void **state)
{
    struct routes routes = { .count = 0 };
    struct routed routed;

    assert_int_equal(add(&routes, "GET", "/a"), 0);
    routes_find(&routes, BYTES("GET"), BYTES("/b"), &routed);
    assert_false(routed.path_known);
    routes_free(&routes);
}

static void allow_lists_each_method_once(void **state)
{
    struct routes routes = { .count = 0 };
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));

    assert_int_equal(add(&routes, "GET", "/a"), 0);
    assert_int_equal(add(&routes, "POST", "/{x}"), 0);
    assert_int_equal(add(&routes, "GET", "/{x}"), 0);
    assert_int_equal(add(&routes, "PUT", "/b"), 0);
    routes_allowed(&routes, BYTES("/a"), &text);
    assert_true(bytes_equal(text_bytes(&text), BYTES("GET, HEAD, POST")));
    routes_free(&routes);
}

static const struct {
    const char *method, *pattern;
} BAD[] = {
    { "", "/" },         { "GE T", "/" },     { "GET", "" },          { "GET", "a" },     { "GET", "/{}" },
    { "GET", "/{a" },    { "GET", "/a}" },    { "GET", "/x{a}" },     { "GET", "/{a}x" }, { "GET", "/{a}/{a}" },
    { "GET", "/{a b}" }, { "GET", "/{...}" }, { "GET", "/{a...}/b" }, { "GET", "/a?b" },  { "**", "/{}" },
};

static void bad_patterns_are_refused(void **state)
{
    struct routes routes = { .count = 0 };
    const char *why = NULL;

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        assert_int_equal(add(&routes, BAD[i].method, BAD[i].pattern), -EINVAL);
    assert_int_equal(routes_add(&routes, BYTES("GET"), BYTES("/"), NULL, NULL, &why), -EINVAL);
    assert_int_equal(routes.count, 0);
}

static void the_same_twice_is_refused(void **state)
{
    struct routes routes = { .count = 0 };

    assert_int_equal(add(&routes, "GET", "/a/{x}"), 0);
    assert_int_equal(add(&routes, "GET", "/a/{y}"), -EEXIST);
    assert_int_equal(add(&routes, "GET", "/a/{y...}"), 0);
    assert_int_equal(add(&routes, "PUT", "/a/{y}"), 0);
    assert_int_equal(add(&routes, "GET", "/b/{x}"), 0);
    routes_free(&routes);
}

static void bounds_are_kept(void **state)
{
    struct routes routes = { .count = 0 };
    char pattern[CHASSIS_PATTERN_MAX + 2], name[CHASSIS_NAME_MAX + 5];
    struct text text = text_into(pattern, sizeof(pattern));
    struct routed routed;

    for (unsigned i = 0; i < CHASSIS_ELEMENTS_MAX; i++)
        text_add(&text, BYTES("/a"));
    pattern[text.len] = '\0';
    assert_int_equal(add(&routes, "GET", pattern), 0);
    routes_find(&routes, BYTES("GET"), text_bytes(&text), &routed);
    assert_non_null(routed.route);
    text_add(&text, BYTES("/a"));
    pattern[text.len] = '\0';
    routes_find(&routes, BYTES("GET"), text_bytes(&text), &routed);
    assert_null(routed.route);
    assert_int_equal(add(&routes, "GET", pattern), -EINVAL);
    memset(pattern, 'x', sizeof(pattern));
    pattern[0] = '/';
    pattern[CHASSIS_PATTERN_MAX + 1] = '\0';
    assert_int_equal(add(&routes, "GET", pattern), -EINVAL);
    pattern[CHASSIS_PATTERN_MAX] = '\0';
    assert_int_equal(add(&routes, "GET", pattern), 0);
    memset(name, 'n', sizeof(name));
    memcpy(name, "/{", 2);
    memcpy(name + 2 + CHASSIS_NAME_MAX, "}", 2);
    assert_int_equal(add(&routes, "GET", name), 0);
    memcpy(name + 2 + CHASSIS_NAME_MAX, "n}", 3);
    assert_int_equal(add(&routes, "GET", name), -EINVAL);
    for (unsigned i = routes.count; i < CHASSIS_ROUTES_MAX; i++) {
        (void)snprintf(pattern, sizeof(pattern), "/r/%u", i);
        assert_int_equal(add(&routes, "GET", pattern), 0);
    }
    assert_int_equal(add(&routes, "GET", "/one-more"), -ENOSPC);
    routes_free(&routes);
}

static int without_memory(void *context)
{
    struct routes routes = { .count = 0 };
    int r = add(&routes, "GET", "/a");

    routes_free(&routes);
    return r;
}

static void memory_may_run_out(void **state)
{
    assert_int_equal(faults_each(without_memory, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_literal_route_goes_first),
        cmocka_unit_test(no_path_is_known_without_a_rest),
        cmocka_unit_test(allow_lists_each_method_once),
        cmocka_unit_test(bad_patterns_are_refused),
        cmocka_unit_test(the_same_twice_is_refused),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
