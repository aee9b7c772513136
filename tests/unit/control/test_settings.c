#include "control/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* --- a struct with a field of each type --------------------------------------------------------------------- */

struct inner {
    struct bytes name;
    int64_t count;
};

struct all {
    bool flag, has_text;
    int64_t integer, duration;
    uint64_t size;
    struct duration_range range;
    double rate, percent, number;
    struct bytes text, quoted;
    int choice;
    struct conf_list words, unions;
    struct conf_map map;
    struct inner inner;
    const struct inner *pointer;
    struct conf_union one, other;
};

static const struct conf_choice CHOICES[] = { { "first", 1, "" }, { "second", 2, "" }, { NULL, 0, NULL } };
static const struct conf_field WORD = { .type = CONF_STRING };

static const struct conf_field INNER_FIELDS[] = {
    { .key = "name", .type = CONF_STRING, CONF_AT(struct inner, name) },
    { .key = "count", .type = CONF_INTEGER, CONF_AT(struct inner, count) },
};
static const struct conf_schema INNER = {
    .name = "inner", .fields = INNER_FIELDS, .count = ARRAY_LEN(INNER_FIELDS), .size = sizeof(struct inner)
};

static const struct conf_field FIELDS[] = {
    { .key = "flag", .type = CONF_BOOL, CONF_AT(struct all, flag) },
    { .key = "integer", .type = CONF_INTEGER, CONF_AT(struct all, integer) },
    { .key = "duration", .type = CONF_DURATION, CONF_AT(struct all, duration) },
    { .key = "size", .type = CONF_SIZE, CONF_AT(struct all, size) },
    { .key = "range", .type = CONF_DURATION_RANGE, CONF_AT(struct all, range) },
    { .key = "rate", .type = CONF_RATE, CONF_AT(struct all, rate) },
    { .key = "percent", .type = CONF_PERCENT, CONF_AT(struct all, percent) },
    { .key = "number", .type = CONF_NUMBER, CONF_AT(struct all, number) },
    { .key = "text", .type = CONF_STRING, CONF_AT(struct all, text), .given = CONF_GIVEN(struct all, has_text) },
    { .key = "quoted", .type = CONF_TEMPLATE, CONF_AT(struct all, quoted) },
    { .key = "choice", .type = CONF_ENUM, CONF_AT(struct all, choice), .choices = CHOICES },
    { .key = "words", .type = CONF_LIST, CONF_AT(struct all, words), .element = &WORD },
    { .key = "map", .type = CONF_MAP, CONF_AT(struct all, map), .element = &WORD },
    { .key = "inner", .type = CONF_STRUCT, CONF_AT(struct all, inner), .schema = &INNER },
    { .key = "pointer", .type = CONF_STRUCT, .flags = CONF_POINTER, CONF_AT(struct all, pointer), .schema = &INNER },
    { .key = "one", .type = CONF_UNION, CONF_AT(struct all, one) },
    { .key = "other", .type = CONF_UNION, CONF_AT(struct all, other) },
    { .key = "unions", .type = CONF_UNIONS, CONF_AT(struct all, unions) },
};
static const struct conf_schema SCHEMA = {
    .name = "all", .fields = FIELDS, .count = ARRAY_LEN(FIELDS), .size = sizeof(struct all)
};

static void writes(const struct conf_schema *schema, const void *conf, const char *expected)
{
    struct answer answer = { 0 };

    answer_text(&answer, "{");
    settings_add(&answer, "s", schema, conf);
    answer_text(&answer, "}");
    assert_int_equal(answer.error, 0);
    if (!bytes_equal(bytes_of(answer.data, answer.len), bytes_of_text(expected)))
        fail_msg("expected\n%s\ngot\n" BYTES_FMT, expected, BYTES_ARG(bytes_of(answer.data, answer.len)));
    answer_drop(&answer);
}

/* --- tests -------------------------------------------------------------------------------------------------- */

static void what_was_not_written_says_nothing(void **state)
{
    const struct all none = { .flag = false };

    writes(&SCHEMA, &none, "{\"s\":{}}");
    writes(NULL, &none, "{\"s\":{}}");
    writes(&SCHEMA, NULL, "{\"s\":{}}");
}

static void values_have_the_units_of_the_file(void **state)
{
    struct bytes words[] = { BYTES("a"), BYTES("b c"), BYTES("") }, values[] = { BYTES("v"), BYTES("x: y") };
    struct conf_map_entry entries[] = { { .name = BYTES("X-A"), .value = &values[0] },
                                        { .name = BYTES("X-B"), .value = &values[1] } };
    struct inner inner = { .name = BYTES("n") };
    const struct conf_alternative alternative = { .name = "kind", .schema = &INNER };
    struct conf_union unions[] = { { .alternative = &alternative, .value = &inner } };
    const struct all all = { .flag = true,
                             .integer = -3,
                             .duration = 90 * NS_PER_S,
                             .size = 64 * 1024,
                             .range = { 25 * NS_PER_MS, NS_PER_S },
                             .rate = 100,
                             .percent = 0.2,
                             .number = 0.5,
                             .text = BYTES("plain, as it is"),
                             .quoted = BYTES("a\"b"),
                             .choice = 2,
                             .words = { words, 3, false },
                             .map = { entries, 2 },
                             .inner = { .count = 4 },
                             .pointer = &inner,
                             .one = unions[0],
                             .other = { .text = BYTES("orders") },
                             .unions = { unions, 1, false } };

    writes(&SCHEMA, &all,
           "{\"s\":{\"flag\":\"true\",\"integer\":\"-3\",\"duration\":\"90s\",\"size\":\"64KiB\",\"range\":"
           "\"25ms..1s\",\"rate\":\"100/s\",\"percent\":\"20%\",\"number\":\"0.5\",\"text\":\"plain, as it is\","
           "\"quoted\":\"a\\\"b\",\"choice\":\"second\",\"words\":\"[a, \\\"b c\\\", \\\"\\\"]\",\"map\":"
           "\"{ X-A: v, X-B: \\\"x: y\\\" }\",\"inner\":\"{ count: 4 }\",\"pointer\":\"{ name: n }\",\"one\":"
           "\"{ kind: { name: n } }\",\"other\":\"orders\",\"unions\":\"[{ kind: { name: n } }]\"}}");
}

static void an_empty_text_may_be_meant(void **state)
{
    const struct all all = { .has_text = true };

    writes(&SCHEMA, &all, "{\"s\":{\"text\":\"\\\"\\\"\"}}");
}

static const char *const SECRETS[] = { "Authorization", "proxy-authorization", "Cookie",      "Set-Cookie",
                                       "X-Api-Key",     "X-Auth-Token",        "DB_PASSWORD", "secret" };

static void secrets_are_not_shown(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(SECRETS); i++) {
        struct bytes value = BYTES("hunter2");
        struct conf_map_entry entry = { .name = bytes_of_text(SECRETS[i]), .value = &value };
        const struct all all = { .map = { &entry, 1 } };
        char expected[128];

        (void)snprintf(expected, sizeof(expected), "{\"s\":{\"map\":\"{ %s: (hidden) }\"}}", SECRETS[i]);
        writes(&SCHEMA, &all, expected);
    }
}

static void long_values_are_cut(void **state)
{
    static const char END[] = "xxx...\"}}";
    char memory[CONTROL_SETTING_MAX + 1] = "";
    struct all all = { .text = bytes_of(memory, CONTROL_SETTING_MAX) };
    struct answer answer = { 0 };
    size_t whole;

    memset(memory, 'x', sizeof(memory));
    answer_text(&answer, "{");
    settings_add(&answer, "s", &SCHEMA, &all);
    whole = answer.len;
    assert_true(bytes_ends(bytes_of(answer.data, answer.len), BYTES("xxx\"}")));
    answer_drop(&answer);
    answer = (struct answer){ 0 };
    all.text.len++;
    answer_text(&answer, "{");
    settings_add(&answer, "s", &SCHEMA, &all);
    answer_text(&answer, "}");
    assert_true(answer.len <= whole + sizeof(END));
    assert_true(bytes_ends(bytes_of(answer.data, answer.len), bytes_of_text("...\"}}")));
    answer_drop(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_written_says_nothing),
        cmocka_unit_test(values_have_the_units_of_the_file),
        cmocka_unit_test(an_empty_text_may_be_meant),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(long_values_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
