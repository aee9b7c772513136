#include "onion.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct onion_field SENT[] = {
    { "Host", "shop.test" }, { "X-A", "1" }, { "x-b", "2" }, { "X-a", "3" }, { "Cookie", "id=7" }, { NULL, NULL },
};

static const struct onion_field ANSWERED[] = {
    { "Server", "core" }, { "X-Powered-By", "c" }, { "Set-Cookie", "a=1" }, { "Set-Cookie", "b=2" }, { NULL, NULL },
};

static const struct {
    const char *yaml, *seen, *answer;
} ROWS[] = {
    { "{}", "GET shop.test /|Host: shop.test|X-A: 1|x-b: 2|X-a: 3|Cookie: id=7\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2" },
    { "request: { set: { x-a: new } }", "GET shop.test /|Host: shop.test|x-b: 2|Cookie: id=7|x-a: new\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2" },
    { "request: { add: { X-A: 4 } }", "GET shop.test /|Host: shop.test|X-A: 1|x-b: 2|X-a: 3|Cookie: id=7|X-A: 4\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2" },
    { "request: { remove: [X-B, cookie, X-None] }", "GET shop.test /|Host: shop.test|X-A: 1|X-a: 3\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2" },
    { "request: { remove: X-B, set: { X-A: s }, add: { X-B: a, X-A: b } }",
      "GET shop.test /|Host: shop.test|Cookie: id=7|X-A: s|X-B: a|X-A: b\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2" },
    { "request: { remove: [X-A], set: { X-B: \"{header.x-a}{header.x-b}\", X-C: \"{cookie.id} of {client.address}\" } "
      "}",
      "GET shop.test /|Host: shop.test|Cookie: id=7|X-B: 12|X-C: 7 of 192.0.2.1\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2" },
    { "request: { set: { X-A: \"{header.none}\", x-b: '' }, add: { X-D: \"{query.none}\" } }",
      "GET shop.test /|Host: shop.test|Cookie: id=7\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2" },
    { "response: { set: { server: weft }, add: { set-cookie: c=3, X-Id: \"{request.id}\" }, remove: X-Powered-By }",
      "GET shop.test /|Host: shop.test|X-A: 1|x-b: 2|X-a: 3|Cookie: id=7\n",
      "Set-Cookie: a=1|Set-Cookie: b=2|server: weft|set-cookie: c=3|X-Id: the-id" },
    { "{ request: { remove: X-A }, response: { set: { X-A: \"{header.x-a}\" } } }",
      "GET shop.test /|Host: shop.test|x-b: 2|Cookie: id=7\n",
      "Server: core|X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2|X-A: 1" },
};

static const char SENT_TEXT[] = "GET shop.test /|Host: shop.test|X-A: 1|x-b: 2|X-a: 3|Cookie: id=7";

static void fields_are_changed_both_ways(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct onion onion = { .type = &STAGE_HEADERS, .yaml = ROWS[i].yaml, .fields = SENT, .answers = ANSWERED };

        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_OK);
        assert_string_equal(onion.seen, ROWS[i].seen);
        assert_string_equal(onion.answer, ROWS[i].answer);
        assert_string_equal(onion.after, SENT_TEXT);
        assert_string_equal(onion.content, "core");
    }
}

/* Whatever runs it, however often: the service sees one change, the log none. */
static void every_run_begins_with_what_came(void **state)
{
    static const struct stage_type *const AROUND[] = { &ONION_TWICE, &ONION_FORKED };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        for (size_t k = 0; k < 2 * ARRAY_LEN(AROUND); k++) {
            struct onion onion = {
                .type = &STAGE_HEADERS, .yaml = ROWS[i].yaml, .fields = SENT, .answers = ANSWERED, .body = "b"
            };
            char seen[2 * 256];
            int len = (int)strlen(ROWS[i].seen) - 1;

            if (k < ARRAY_LEN(AROUND))
                onion.outside = AROUND[k];
            else
                onion.inside = AROUND[k - ARRAY_LEN(AROUND)];
            onion_run(&onion);
            snprintf(seen, sizeof(seen), "%.*s|b\n%.*s|b\n", len, ROWS[i].seen, len, ROWS[i].seen);
            assert_int_equal(onion.result, OUTCOME_OK);
            assert_string_equal(onion.seen, seen);
            assert_string_equal(onion.answer, ROWS[i].answer);
            assert_string_equal(onion.after, SENT_TEXT);
        }
    }
}

static void a_failure_passes_and_puts_back(void **state)
{
    struct onion onion = { .type = &STAGE_HEADERS,
                           .yaml = "{ request: { set: { X-A: new } }, response: { set: { X: y } } }",
                           .fields = SENT,
                           .outcome = OUTCOME_CONNECT_FAILED };

    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_CONNECT_FAILED);
    assert_string_equal(onion.after, SENT_TEXT);
}

/* --- what can't be carried -------------------------------------------------------------------------------- */

static void nothing_is_smuggled_into_a_request(void **state)
{
    static const char *const PATHS[] = { "/a\r\nX-Evil: 1", "/a\n", "/a\x01", "/a\x7f" };

    for (size_t i = 0; i < ARRAY_LEN(PATHS); i++) {
        struct onion onion = { .type = &STAGE_HEADERS,
                               .yaml = "request: { set: { X-Path: \"at {request.path}\" } }",
                               .path = PATHS[i] };

        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
        assert_int_equal(onion.runs, 0);
        onion.yaml = "response: { set: { Server: \"{request.path}\", X: y } }";
        onion.answers = ANSWERED;
        onion_run(&onion);
        assert_int_equal(onion.result, OUTCOME_OK);
        assert_string_equal(onion.answer, "X-Powered-By: c|Set-Cookie: a=1|Set-Cookie: b=2|X: y");
    }
}

static void a_value_has_a_bound(void **state)
{
    char *path = calloc(1, TEMPLATE_TEXT_MAX + 2);
    struct onion onion = { .type = &STAGE_HEADERS,
                           .yaml = "request: { set: { X-Path: \"{request.path}\" } }",
                           .path = path };

    assert_non_null(path);
    memset(path, 'p', TEMPLATE_TEXT_MAX);
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    path[TEMPLATE_TEXT_MAX] = 'p';
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_BAD_REQUEST);
    onion.yaml = "response: { set: { X-Path: \"{request.path}\", Y: z } }";
    onion_run(&onion);
    assert_int_equal(onion.result, OUTCOME_OK);
    assert_string_equal(onion.answer, "Y: z");
    free(path);
}

/* A full head takes HTTP_FIELDS_ADDED_MAX fields more, and no further one. */
static void a_head_has_a_bound(void **state)
{
    struct settings *settings;
    char yaml[2048];
    struct text text = text_into(yaml, sizeof(yaml) - 1);
    struct headers_edit *edit;

    text_add_format(&text, "request: { set: {");
    for (unsigned i = 0; i < HEADERS_EDITS_MAX; i++)
        text_add_format(&text, " x-set-%u: s,", i);
    text_add_format(&text, " }, add: {");
    for (unsigned i = 0; i < HEADERS_EDITS_MAX; i++)
        text_add_format(&text, " x-add-%u: a,", i);
    text_add_format(&text, " } }");
    yaml[text.len] = '\0';
    settings = settings_load(&STAGE_HEADERS, yaml);
    assert_string_equal(settings->text, "");
    edit = &((struct headers_conf *)settings->conf)->request;
    for (unsigned adds = 0; adds < 2; adds++) {
        struct onion onion = { .type = &STAGE_HEADERS, .conf = settings->conf, .more_fields = HTTP_FIELDS_MAX };

        edit->add_fields.count = adds;
        onion_run(&onion);
        assert_int_equal(onion.result, adds ? OUTCOME_BAD_REQUEST : OUTCOME_OK);
        assert_int_equal(onion.runs, 1 - adds);
    }
    settings_free(settings);
}

static void without_memory_it_is_overload(void **state)
{
    static const char *const YAMLS[] = {
        "request: { set: { X-A: \"{header.x-a}{path.id}\" }, add: { X-B: b } }",
        "response: { set: { X-A: \"{header.x-a}{path.id}\" }, remove: Server }",
    };

    for (size_t i = 0; i < ARRAY_LEN(YAMLS); i++) {
        struct onion onion = { .type = &STAGE_HEADERS, .yaml = YAMLS[i], .fields = SENT, .answers = ANSWERED };

        onion_run_short(&onion);
    }
}

/* --- settings ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *yaml, *faults;
} BAD[] = {
    { "request: { set: { Host: a.test } }",
      "w:2:21: headers.request.set: the field \"Host\" is a matter of the stage rewrite: { host: ... }\n" },
    { "request: { add: { content-length: 5 } }",
      "w:2:21: headers.request.add: the field \"content-length\" follows from the body\n" },
    { "request: { remove: [Transfer-Encoding] }",
      "w:2:22: headers.request.remove: the field \"Transfer-Encoding\" belongs to a single connection\n" },
    { "response: { set: { Connection: close } }",
      "w:2:22: headers.response.set: the field \"Connection\" belongs to a single connection\n" },
    { "response: { set: { Trailer: X } }",
      "w:2:22: headers.response.set: the field \"Trailer\" belongs to a single connection\n" },
    { "request: { set: { Expect: 100-continue } }",
      "w:2:21: headers.request.set: the field \"Expect\" is answered by Weft\n" },
    { "request: { remove: traceparent }",
      "w:2:22: headers.request.remove: the field \"traceparent\" is set by Weft for each service\n" },
    { "request: { set: { x-request-id: 1 } }",
      "w:2:21: headers.request.set: the field \"x-request-id\" is set by Weft for each service\n" },
    { "response: { remove: [Date] }",
      "w:2:23: headers.response.remove: the field \"Date\" is in each answer of Weft\n" },
    { "request: { set: { X-A: 1, x-a: 2 } }",
      "w:2:29: headers.request.set: the field \"x-a\" is there already; names are compared without regard to case\n" },
    { "request: { set: { X-A: 1 }, remove: x-a }",
      "w:2:39: headers.request.remove: the field \"x-a\" is set, too; that alone takes out what came\n" },
    { "request: { set: { X-A: \"{heder.x}\" } }",
      "w:2:26: headers.request.set.X-A: has {heder.x}, which is not known (did you mean {header.x}?)\n" },
    { "request: { set: { X-A: \"a\\nb\" } }", "w:2:26: headers.request.set.X-A: must not hold control characters\n" },
    { "request: { set: { X-A: \"{header.x\" } }",
      "w:2:26: headers.request.set.X-A: has a \"{\" without its \"}\" (write {{ for the character itself)\n" },
    { "request: { remove: 'a b' }", "w:2:22: headers.request.remove: must be the name of a header field\n" },
    { "requst: {}", "w:2:3: headers: unknown key \"requst\" (did you mean \"request\"?)\n" },
};

static void bad_settings_are_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct settings *settings = settings_load(&STAGE_HEADERS, BAD[i].yaml);

        assert_string_equal(settings->text, BAD[i].faults);
        assert_null(settings->conf);
        settings_free(settings);
    }
}

/* What other stages have added counts, too. */
static void an_answer_s_head_has_a_bound(void **state)
{
    for (unsigned less = 0; less < 3; less++) {
        struct onion onion = { .type = &STAGE_HEADERS,
                               .yaml = "response: { add: { X: y } }",
                               .more_answers = HTTP_FIELDS_MAX + HTTP_FIELDS_ADDED_MAX + 1 - less };

        onion_run(&onion);
        assert_int_equal(onion.result, less == 2 ? OUTCOME_OK : OUTCOME_UPSTREAM_PROTOCOL);
        assert_int_equal(onion.runs, 1);
    }
}

/* However little memory there is for what is read: -ENOMEM, and a fault that says so. */
static void settings_may_lack_memory(void **state)
{
    static const struct {
        const struct stage_type *type;
        const char *yaml;
    } READ[] = {
        { &STAGE_HEADERS, "{ request: { set: { X: \"a{caller}\" } }, response: { add: { X: y }, remove: [Z] } }" },
        { &STAGE_REWRITE, "{ prefix: \"/{caller}\", strip: /a, host: \"{caller}.test\", query: \"{caller}\" }" },
        { &STAGE_REDIRECT, "{ path: \"/{caller}\", host: \"{caller}.test\" }" },
        { &STAGE_RESPOND, "{ body: \"a{caller}\", headers: { X: \"y{caller}\" } }" },
        { &STAGE_LIMIT_BODY, "1MiB" },
    };

    for (size_t i = 0; i < ARRAY_LEN(READ); i++) {
        bool enough = false;

        for (size_t max = 16; !enough; max += 16) {
            struct settings *settings = settings_load_within(READ[i].type, READ[i].yaml, max);

            enough = settings->conf != NULL;
            assert_int_equal(settings->faults.count, !enough);
            if (!enough)
                assert_non_null(strstr(settings->text, "memory"));
            assert_true(max < 64 * KIB);
            settings_free(settings);
        }
    }
}

/* HEADERS_EDITS_MAX is written in the tables as text. */
static void bounds_of_the_tables_are_the_named_ones(void **state)
{
    const struct conf_schema *edit = STAGE_HEADERS.schema->fields[0].schema;

    for (size_t i = 0; i < edit->count; i++)
        assert_int_equal(strtol(edit->fields[i].max, NULL, 10), HEADERS_EDITS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_changed_both_ways),
        cmocka_unit_test(every_run_begins_with_what_came),
        cmocka_unit_test(a_failure_passes_and_puts_back),
        cmocka_unit_test(nothing_is_smuggled_into_a_request),
        cmocka_unit_test(a_value_has_a_bound),
        cmocka_unit_test(a_head_has_a_bound),
        cmocka_unit_test(without_memory_it_is_overload),
        cmocka_unit_test(bad_settings_are_faults),
        cmocka_unit_test(an_answer_s_head_has_a_bound),
        cmocka_unit_test(settings_may_lack_memory),
        cmocka_unit_test(bounds_of_the_tables_are_the_named_ones),
    };

    return cmocka_run_group_tests_name("stage/headers", tests, NULL, NULL);
}
