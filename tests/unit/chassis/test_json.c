/* JSON in and out of handlers, without sockets. */
#include "chassis/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct weft_service *create(void)
{
    struct weft_service *service;
    const struct weft_options options = { .name = "test", .address_only = true, .keep_signals = true };

    assert_int_equal(weft_service_create(&options, &service), 0);
    return service;
}

static unsigned post(struct weft_service *service, const char *type, const void *body, size_t len,
                     struct weft_test_answer *ret)
{
    const struct weft_test_request request = {
        .path = "/", .method = "POST", .type = type, .body = body, .body_len = len
    };

    assert_int_equal(weft_test(service, &request, ret), 0);
    return ret->status;
}

static bool has(const struct weft_test_answer *answer, const char *part)
{
    if (!strstr(answer->body.data, part))
        printf("%s has no %s\n", answer->body.data, part);
    return strstr(answer->body.data, part) != NULL;
}

/* What came goes back. */
static int echo(struct weft_call *call, void *user)
{
    const struct weft_json *body, *again;
    int r = weft_body_json(call, &body);

    if (r < 0)
        return r;
    if (weft_body_json(call, &again) < 0 || again != body)
        return -EIO;
    return weft_answer_value(call, 200, body);
}

static void what_is_json_comes_back(void **state)
{
    static const char *const TEXTS[] = {
        "{}",
        "[]",
        "null",
        "true",
        "-9223372036854775808",
        "9223372036854775807",
        "0.1",
        "1e+100",
        "\"\"",
        "\"a\\\"\\\\/ \\n\xc3\xa9\xf0\x9f\x98\x80\"",
        "{\"b\":[1,2,{\"a\":null}],\"a\":{\"c\":false}}",
        "[[[[[[[[]]]]]]]]",
    };
    struct weft_service *service = create();

    assert_int_equal(weft_route(service, "POST", "/", echo, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        struct weft_test_answer answer;

        assert_int_equal(post(service, "application/json", TEXTS[i], strlen(TEXTS[i]), &answer), 200);
        assert_string_equal(answer.body.data, TEXTS[i]);
        assert_string_equal(answer.type, "application/json");
        weft_test_free(&answer);
    }
    weft_service_free(service);
}

static void what_is_none_is_refused(void **state)
{
    static const struct {
        const char *type, *body;
        unsigned status;
        const char *says;
    } CASES[] = {
        { "application/json", "", 400, "no-body" },
        { "text/plain", "{}", 415, "unsupported-media-type" },
        { "application/jsonx", "{}", 415, "unsupported-media-type" },
        { "+json", "{}", 415, "unsupported-media-type" },
        { NULL, "{}", 415, "unsupported-media-type" },
        { "application/json", "{", 400, "line 1, column 1" },
        { "application/json", "{\"a\":1,\n \"b\" 2}", 400, "line 2, column 6" },
        { "application/json", "{\"a\":1,\"a\":2}", 400, "duplicate" },
        { "application/json", "[1] 2", 400, "end of file expected" },
        { "application/json", "\"\\u0000\"", 400, "malformed-json" },
        { "application/json", "{\"\\u0000\":1}", 400, "malformed-json" },
        { "application/json", "\"\xc3(\"", 400, "unable to decode byte" },
        { "application/json", "\"\xed\xa0\x80\"", 400, "unable to decode byte" },
        { "application/json", "\"\\ud800\"", 400, "malformed-json" },
        { "application/json", "9223372036854775808", 400, "too big integer" },
        { "application/json", "1e400", 400, "real number overflow" },
        { "application/json", "01", 400, "malformed-json" },
        { "application/json", "NaN", 400, "malformed-json" },
        { "application/json", "[1,]", 400, "malformed-json" },
        { "application/json", "'a'", 400, "malformed-json" },
        { "application/json", "\"\\", 400, "malformed-json" },
        { "application/json", "\xef\xbb\xbf{}", 400, "malformed-json" },
    };
    struct weft_service *service = create();

    assert_int_equal(weft_route(service, "POST", "/", echo, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct weft_test_answer answer;

        assert_int_equal(post(service, CASES[i].type, CASES[i].body, strlen(CASES[i].body), &answer), CASES[i].status);
        assert_true(has(&answer, CASES[i].says));
        assert_string_equal(answer.type, "application/problem+json");
        weft_test_free(&answer);
    }
    weft_service_free(service);
}

static void types_that_are_json(void **state)
{
    static const char *const TYPES[] = { "application/json; charset=utf-8", "Application/JSON", "application/ld+json",
                                         "application/problem+JSON ;x=y" };
    struct weft_service *service = create();

    assert_int_equal(weft_route(service, "POST", "/", echo, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        struct weft_test_answer answer;

        assert_int_equal(post(service, TYPES[i], "1", 1, &answer), 200);
        weft_test_free(&answer);
    }
    weft_service_free(service);
}

/* A zero byte in the text is no text either. */
static void zeros_are_refused(void **state)
{
    struct weft_service *service = create();
    struct weft_test_answer answer;

    assert_int_equal(weft_route(service, "POST", "/", echo, NULL), 0);
    assert_int_equal(post(service, "application/json", "\"a\0b\"", 5, &answer), 400);
    weft_test_free(&answer);
    weft_service_free(service);
}

static char *repeat(const char *part, size_t count, const char *end, size_t *ret_len)
{
    size_t len = strlen(part);
    char *text = malloc(count * len + strlen(end) + 1);

    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, part, len);
    memcpy(text + count * len, end, strlen(end) + 1);
    *ret_len = strlen(text);
    return text;
}

struct hostile {
    const char *part;
    size_t count;
    const char *end;
    unsigned status;
};

static void bounds_hold(void **state)
{
    static const struct hostile CASES[] = {
        { "[", WEFT_JSON_DEPTH_MAX, "", 400 },
        { "[", WEFT_JSON_DEPTH_MAX + 1, "", 413 },
        { "[", 1000000, "", 413 },
        { "{\"a\":", 200000, "", 413 },
        { "\"[\"", 300000, "", 400 }, /* texts, not lists */
        { "[0,", 1, "[[[]]]]", 200 },
        { "0,", WEFT_JSON_VALUES_MAX, "", 413 },
        { "9", 1000000, "", 400 },
        { "0.", 1, "1", 200 },
    };
    struct weft_service *service = create();

    assert_int_equal(weft_route(service, "POST", "/", echo, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct weft_test_answer answer;
        size_t len;
        char *text = repeat(CASES[i].part, CASES[i].count, CASES[i].end, &len);

        assert_int_equal(post(service, "application/json", text, len, &answer), CASES[i].status);
        weft_test_free(&answer);
        free(text);
    }
    weft_service_free(service);
}

/* The largest that is taken: as many values as may be, as deep as may be, one text of nearly a mebibyte. */
static void the_largest_fit_memory_and_stack(void **state)
{
    struct weft_service *service = create();
    char deep_memory[8 * WEFT_JSON_DEPTH_MAX], *deep = deep_memory, *many, *text;
    struct text deep_text;
    struct weft_test_answer answer;
    size_t len, highest;

    assert_int_equal(weft_route(service, "POST", "/", echo, NULL), 0);
    deep_text = text_into(deep, sizeof(deep_memory) - 1);
    for (int i = 1; i < WEFT_JSON_DEPTH_MAX; i++)
        text_add(&deep_text, BYTES("{\"a\":"));
    text_add(&deep_text, BYTES("{}"));
    for (int i = 1; i < WEFT_JSON_DEPTH_MAX; i++)
        text_add_char(&deep_text, '}');
    assert_false(deep_text.full);
    deep[deep_text.len] = '\0';
    assert_int_equal(post(service, "application/json", deep, strlen(deep), &answer), 200);
    assert_string_equal(answer.body.data, deep);
    weft_test_free(&answer);
    many = repeat("{},", (WEFT_JSON_VALUES_MAX - 3) / 2, "1]", &len);
    many[0] = '[';
    many[1] = '0';
    many[2] = ',';
    assert_int_equal(post(service, "application/json", many, len, &answer), 200);
    weft_test_free(&answer);
    text = repeat("\xc3\xa9", WEFT_BODY_MAX / 2 - 1, "\"", &len);
    text[0] = ' ';
    text[1] = '"';
    assert_int_equal(post(service, "application/json", text, len, &answer), 200);
    assert_int_equal(answer.body.len, len - 1);
    weft_test_free(&answer);
    highest = fiber_pool_stack_highest(&service->worker.loop->fibers);
    printf("the stack was used up to %zu bytes\n", highest);
    assert_true(highest > 1000);
    assert_true(highest < FIBER_STACK_SIZE / 2);
    weft_service_free(service);
    free(many);
    free(text);
}

/* --- readers and builders ------------------------------------------------------------------------------------- */

static int read_all(struct weft_call *call, void *user)
{
    const char *text = "{\"t\":\"x\",\"i\":-3,\"n\":1.5,\"b\":true,\"z\":null,\"l\":[1,\"two\"],\"o\":{\"k\":\"v\"}}",
               *why = NULL;
    const struct weft_json *v, *none;
    bool fine;

    if (weft_json_parse(call, text, strlen(text), &v, &why) < 0)
        return -EIO;
    fine = weft_json_kind(v) == WEFT_JSON_OBJECT && weft_json_length(v) == 7 &&
           strcmp(weft_json_string(weft_json_get(v, "t")), "x") == 0 && weft_json_length(weft_json_get(v, "t")) == 1 &&
           weft_json_integer(weft_json_get(v, "i")) == -3 && weft_json_number(weft_json_get(v, "i")) == -3.0 &&
           weft_json_number(weft_json_get(v, "n")) == 1.5 && weft_json_integer(weft_json_get(v, "n")) == 0 &&
           weft_json_bool(weft_json_get(v, "b")) && weft_json_kind(weft_json_get(v, "z")) == WEFT_JSON_NULL &&
           weft_json_length(weft_json_get(v, "l")) == 2 &&
           weft_json_integer(weft_json_at(weft_json_get(v, "l"), 0)) == 1 &&
           strcmp(weft_json_string(weft_json_at(weft_json_get(v, "l"), 1)), "two") == 0 &&
           !weft_json_at(weft_json_get(v, "l"), 2) && strcmp(weft_json_name(v, 1), "i") == 0 &&
           weft_json_at(v, 1) == weft_json_get(v, "i") && !weft_json_name(v, 7);
    none = weft_json_get(v, "nothing");
    fine = fine && !none && weft_json_kind(none) == WEFT_JSON_NONE && !weft_json_get(none, "a") &&
           !weft_json_at(none, 0) && !weft_json_string(none) && weft_json_integer(none) == 0 &&
           weft_json_number(none) == 0 && !weft_json_bool(none) && weft_json_length(none) == 0 &&
           !weft_json_name(none, 0) && !weft_json_get(v, NULL);
    fine = fine && weft_json_parse(call, "[", 1, &v, &why) == -EBADMSG && strncmp(why, "line 1", 6) == 0;
    return weft_answer_text(call, fine ? 204 : 500, NULL, "");
}

static int build(struct weft_call *call, void *user)
{
    struct weft_json *object = weft_object(call), *list = weft_array(call);

    weft_append_integer(list, 1);
    weft_append_number(list, 0.25);
    weft_append_text(list, "x\"\x01\xff");
    weft_append_text(list, NULL);
    weft_append(list, weft_object(call));
    for (int i = 0; i < 20; i++)
        weft_append_integer(list, i);
    weft_set_text(object, "text", "one");
    weft_set_text(object, "text", "two"); /* replaced */
    weft_set_integer(object, "integer", INT64_MIN);
    weft_set_number(object, "tenth", 0.1);
    weft_set_number(object, "third", 1.0 / 3);
    weft_set_bool(object, "yes", true);
    weft_set_null(object, "nothing");
    weft_set(object, "list", list);
    return weft_answer_value(call, 201, object);
}

static int build_wrong(struct weft_call *call, void *user)
{
    struct weft_json *object = weft_object(call), *list = weft_array(call), *loop = weft_array(call),
                     *deep = weft_array(call);
    struct weft_bytes text;
    bool fine;

    weft_set_integer(list, "a", 1); /* a list has no names */
    fine = weft_json_write(call, list, &text) == -EINVAL;
    weft_set(object, "list", list); /* it spreads */
    fine = fine && weft_answer_value(call, 200, object) == -EINVAL;
    object = weft_object(call);
    weft_set_number(object, "n", 1.0 / 0.0);
    fine = fine && weft_json_write(call, object, &text) == -EINVAL;
    object = weft_object(call);
    weft_set(object, "n", NULL);
    fine = fine && weft_json_write(call, object, &text) == -ENOMEM;
    weft_append(loop, loop);
    fine = fine && weft_json_write(call, loop, &text) == -ELOOP;
    for (int i = 1; i < WEFT_JSON_DEPTH_MAX; i++) {
        struct weft_json *outer = weft_array(call);

        weft_append(outer, deep);
        deep = outer;
    }
    fine = fine && weft_json_write(call, deep, &text) == 0 && text.len == 2 * WEFT_JSON_DEPTH_MAX;
    list = weft_array(call);
    weft_append(list, deep);
    fine = fine && weft_json_write(call, list, &text) == -ELOOP;
    weft_set_text(NULL, "a", "b"); /* and all take NULL */
    weft_set_bool(NULL, "a", true);
    weft_append_text(NULL, "b");
    fine = fine && weft_answer_value(call, 200, NULL) == -ENOMEM && !weft_object(NULL);
    return weft_answer_text(call, fine ? 204 : 500, NULL, "");
}

/* A value within itself many times over ends where the memory of the call does. */
static int build_bomb(struct weft_call *call, void *user)
{
    struct weft_json *value = weft_array(call);
    struct weft_bytes text;

    for (int i = 1; i < WEFT_JSON_DEPTH_MAX; i++) {
        struct weft_json *outer = weft_array(call);

        weft_append(outer, value);
        weft_append(outer, value);
        value = outer;
    }
    return weft_json_write(call, value, &text) == -ENOMEM ? weft_answer_text(call, 204, NULL, "") : -EIO;
}

static void values_are_read_and_built(void **state)
{
    struct weft_service *service = create();
    struct weft_test_answer answer;

    assert_int_equal(weft_route(service, "GET", "/read", read_all, NULL), 0);
    assert_int_equal(weft_route(service, "GET", "/build", build, NULL), 0);
    assert_int_equal(weft_route(service, "GET", "/wrong", build_wrong, NULL), 0);
    assert_int_equal(weft_route(service, "GET", "/bomb", build_bomb, NULL), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/read" }, &answer), 0);
    assert_int_equal(answer.status, 204);
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/build" }, &answer), 0);
    assert_int_equal(answer.status, 201);
    assert_string_equal(
        answer.body.data,
        "{\"text\":\"two\",\"integer\":-9223372036854775808,\"tenth\":0.1,\"third\":0.3333333333333333,"
        "\"yes\":true,\"nothing\":null,\"list\":[1,0.25,\"x\\\"\\u0001\xef\xbf\xbd\",null,{},0,1,2,3,4,5,6,7,"
        "8,9,10,11,12,13,14,15,16,17,18,19]}");
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/wrong" }, &answer), 0);
    assert_int_equal(answer.status, 204);
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/bomb" }, &answer), 0);
    assert_int_equal(answer.status, 204);
    weft_test_free(&answer);
    weft_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_comes_back),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(types_that_are_json),
        cmocka_unit_test(zeros_are_refused),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(the_largest_fit_memory_and_stack),
        cmocka_unit_test(values_are_read_and_built),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
