#include "onion.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *yaml;
    unsigned status;
    const char *answer, *content;
    uint64_t content_len;
    bool has_content_len;
} ROWS[] = {
    { "body: hello", 200, "Content-Type: text/plain; charset=utf-8", "hello", 5, true },
    { "{ body: '{{}}', headers: { content-type: application/json } }", 200, "content-type: application/json", "{}", 2,
      true },
    { "{ body: '{{\"id\":\"{request.id}\"}}', type: json }", 200, "Content-Type: application/json",
      "{\"id\":\"the-id\"}", 15, true },
    { "{ body: <p>hello</p>, type: html }", 200, "Content-Type: text/html; charset=utf-8", "<p>hello</p>", 12, true },
    { "{ body: '<a title=\"{header.x}\">{header.x}</a> &amp; {caller}', type: html }", 200,
      "Content-Type: text/html; charset=utf-8",
      "<a title=\"&lt;&#39;a&#39; &amp; &#34;\\b&#34;&gt;\">&lt;&#39;a&#39; &amp; &#34;\\b&#34;&gt;</a> &amp; web", 102,
      true },
    { "{ body: '{{\"x\":\"{header.x}\",\"id\":{path.id},\"none\":\"{header.none}\"}}', type: json }", 200,
      "Content-Type: application/json", "{\"x\":\"<'a' & \\\"\\\\b\\\">\",\"id\":17,\"none\":\"\"}", 41, true },
    { "{ body: '{header.x}', type: text }", 200, "Content-Type: text/plain; charset=utf-8", "<'a' & \"\\b\">", 12,
      true },
    { "404", 404, "", "", 0, true },
    { "{ status: 204 }", 204, "", "", 0, false },
    { "{ status: 304, headers: { ETag: '\"a\"' } }", 304, "ETag: \"a\"", "", 0, false },
    { "{ headers: { X-Path: \"{request.path}\", X-None: \"{query.none}\" }, body: \"{request.method} "
      "{client.address}\" }",
      200, "X-Path: /a|Content-Type: text/plain; charset=utf-8", "GET 192.0.2.1", 13, true },
    { "{ body: \"{query.none}\" }", 200, "", "", 0, true },
};

static const struct onion_field ODD[] = { { "X", "<'a' & \"\\b\">" }, { NULL, NULL } };

static void answer_is_as_configured(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct onion onion = {
            .type = &STAGE_RESPOND, .yaml = ROWS[i].yaml, .innermost = true, .path = "/a", .fields = ODD
        };

        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_OK);
        assert_int_equal(onion.status, ROWS[i].status);
        assert_string_equal(onion.answer, ROWS[i].answer);
        assert_string_equal(onion.content, ROWS[i].content);
        assert_int_equal(onion.content_len, ROWS[i].content_len);
        assert_int_equal(onion.has_content_len, ROWS[i].has_content_len);
    }
}

static void a_retry_gets_the_same_answer(void **state)
{
    struct onion onion = { .type = &STAGE_RESPOND,
                           .yaml = "{ headers: { X-Path: \"{request.path}\" }, body: hello }",
                           .innermost = true,
                           .outside = &ONION_TWICE };

    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    assert_string_equal(onion.answer, "X-Path: /|Content-Type: text/plain; charset=utf-8");
    assert_string_equal(onion.content, "hello");
}

/* A body larger than any block of the exchange's arena, and as many headers as may be given. */
static void large_answers_are_not_copied(void **state)
{
    size_t size = 60 * KIB;
    char *yaml = calloc(1, size + 4096);
    struct text text = text_into(yaml, size + 4095);
    struct onion onion = { .type = &STAGE_RESPOND, .yaml = yaml, .innermost = true };

    assert_non_null(yaml);
    text_add_format(&text, "{ headers: {");
    for (unsigned i = 0; i < 64; i++)
        text_add_format(&text, " x-%u: y,", i);
    text_add_format(&text, " }, body: ");
    memset(yaml + text.len, 'x', size);
    text.len += size;
    text_add(&text, BYTES(" }"));
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    assert_int_equal(onion.content_len, size);
    assert_int_equal(onion.content[0], 'x');
    assert_non_null(strstr(onion.answer, "x-63: y"));
    free(yaml);
}

static void what_the_request_makes_unfit_is_refused(void **state)
{
    char *path = calloc(1, TEMPLATE_TEXT_MAX + 2);
    struct onion onion = { .type = &STAGE_RESPOND,
                           .yaml = "{ headers: { X-Path: \"{request.path}\" } }",
                           .innermost = true,
                           .path = "/a\r\nSet-Cookie: evil" };

    assert_non_null(path);
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
    memset(path, 'p', TEMPLATE_TEXT_MAX + 1);
    onion.path = path;
    onion.yaml = "body: \"{request.path}\"";
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
    path[TEMPLATE_TEXT_MAX] = '\0';
    for (unsigned html = 0; html < 2; html++) { /* it fits; escaped it doesn't */
        onion.yaml = html ? "{ body: \"{request.path}\", type: html }" : "{ body: \"{request.path}\", type: json }";
        path[9] = 'p';
        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_OK);
        path[9] = '"';
        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
    }
    free(path);
}

static void without_memory_it_is_overload(void **state)
{
    static const char *const YAMLS[] = {
        "{ body: plain, headers: { X: y } }",
        "{ body: \"a{path.id}\", headers: { X: \"y{path.id}\" } }",
        "{ body: \"a{path.id}\", type: html }",
    };

    for (size_t i = 0; i < ARRAY_LEN(YAMLS); i++) {
        struct onion onion = { .type = &STAGE_RESPOND, .yaml = YAMLS[i], .innermost = true };

        onion_run_short(&onion);
    }
}

static const struct {
    const char *yaml, *faults;
} BAD[] = {
    { "{ headers: { 'x y': z } }",
      "w:2:16: respond.headers: \"x y\" is no name for this (letters, digits and !#$%&'*+-.^_`|~)\n" },
    { "{ headers: { x: \"a\\nb\" } }", "w:2:19: respond.headers.x: must not hold control characters\n" },
    { "{ headers: { Content-Length: 5 } }",
      "w:2:16: respond.headers: the field \"Content-Length\" follows from the body\n" },
    { "{ headers: { connection: close } }",
      "w:2:16: respond.headers: the field \"connection\" belongs to a single connection\n" },
    { "{ headers: { Transfer-Encoding: chunked } }",
      "w:2:16: respond.headers: the field \"Transfer-Encoding\" belongs to a single connection\n" },
    { "{ headers: { A: 1, a: 2 } }",
      "w:2:22: respond.headers: the field \"a\" is there already; names are compared without regard to case\n" },
    { "{ status: 204, body: b }", "w:2:24: respond.body: an answer of status 204 has none\n" },
    { "{ status: 304, body: b }", "w:2:24: respond.body: an answer of status 304 has none\n" },
    { "{ body: \"{request.pth}\" }",
      "w:2:11: respond.body: has {request.pth}, which is not known (did you mean {request.path}?)\n" },
    { "{ body: b, type: xml }", "w:2:20: respond.type: must be one of text, html, json, found \"xml\"\n" },
    { "199", "w:2:3: respond: must be between 200 and 599 (is 199)\n" },
};

static void bad_settings_are_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct settings *settings = settings_load(&STAGE_RESPOND, BAD[i].yaml);

        assert_string_equal(settings->text, BAD[i].faults);
        assert_null(settings->conf);
        settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_is_as_configured),       cmocka_unit_test(a_retry_gets_the_same_answer),
        cmocka_unit_test(large_answers_are_not_copied),  cmocka_unit_test(what_the_request_makes_unfit_is_refused),
        cmocka_unit_test(without_memory_it_is_overload), cmocka_unit_test(bad_settings_are_faults),
    };

    return cmocka_run_group_tests_name("stage/respond", tests, NULL, NULL);
}
