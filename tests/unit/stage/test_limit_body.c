#include "onion.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *yaml, *body;
    bool length; /* is said beforehand */
    size_t zeros;
    enum outcome result;
    unsigned runs;
    const char *seen;
} ROWS[] = {
    { "5", NULL, false, 0, OUTCOME_OK, 1, "GET shop.test /\n" },
    { "5", "", false, 0, OUTCOME_OK, 1, "GET shop.test /|\n" },
    { "5", "12345", false, 0, OUTCOME_OK, 1, "GET shop.test /|12345\n" },
    { "5", "123456", false, 0, OUTCOME_BODY_TOO_LARGE, 1, "GET shop.test /|12345\n" },
    { "5", "12345", true, 0, OUTCOME_OK, 1, "GET shop.test /|12345\n" },
    { "5", "123456", true, 0, OUTCOME_BODY_TOO_LARGE, 0, "" },
    { "0", "", true, 0, OUTCOME_OK, 1, "GET shop.test /|\n" },
    { "0", "1", true, 0, OUTCOME_BODY_TOO_LARGE, 0, "" },
    { "0", "1", false, 0, OUTCOME_BODY_TOO_LARGE, 1, "GET shop.test /|\n" },
    { "{}", "", true, MIB, OUTCOME_OK, 1, NULL },
    { "{}", "", true, MIB + 1, OUTCOME_BODY_TOO_LARGE, 0, "" },
    { "{}", "", false, MIB, OUTCOME_OK, 1, NULL },
    { "{}", "", false, MIB + 1, OUTCOME_BODY_TOO_LARGE, 1, NULL },
    { "{ max: 2MiB }", "", false, 2 * MIB, OUTCOME_OK, 1, NULL },
};

static void bodies_are_bounded(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct onion onion = { .type = &STAGE_LIMIT_BODY,
                               .yaml = ROWS[i].yaml,
                               .body = ROWS[i].body,
                               .length = ROWS[i].length,
                               .zeros = ROWS[i].zeros };

        onion_run(&onion);
        if (onion.result != ROWS[i].result || onion.runs != ROWS[i].runs)
            fail_msg("row %zu: %s after %u runs", i, outcome_info(onion.result)->name.data, onion.runs);
        if (ROWS[i].seen)
            assert_string_equal(onion.seen, ROWS[i].seen);
    }
}

static const struct {
    const struct stage_type *outside, *inside;
    const char *body, *seen;
    enum outcome result;
} AROUND[] = {
    { &ONION_TWICE, NULL, "12345", "GET shop.test /|12345\nGET shop.test /|12345\n", OUTCOME_OK },
    { NULL, &ONION_TWICE, "12345", "GET shop.test /|12345\nGET shop.test /|12345\n", OUTCOME_OK },
    { &ONION_FORKED, NULL, "12345", "GET shop.test /|12345\nGET shop.test /|12345\n", OUTCOME_OK },
    { NULL, &ONION_FORKED, "12345", "GET shop.test /|12345\nGET shop.test /|12345\n", OUTCOME_OK },
    /* the second time it is known to be too large */
    { &ONION_TWICE, NULL, "123456", "GET shop.test /|12345\n", OUTCOME_BODY_TOO_LARGE },
    { NULL, &ONION_TWICE, "123456", "GET shop.test /|12345\nGET shop.test /|12345\n", OUTCOME_BODY_TOO_LARGE },
    { &ONION_FORKED, NULL, "123456", "GET shop.test /|12345\n", OUTCOME_BODY_TOO_LARGE },
    { NULL, &ONION_FORKED, "123456", "GET shop.test /|12345\n", OUTCOME_BODY_TOO_LARGE },
};

static void every_reader_is_bounded(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(AROUND); i++) {
        struct onion onion = { .type = &STAGE_LIMIT_BODY,
                               .yaml = "5",
                               .body = AROUND[i].body,
                               .outside = AROUND[i].outside,
                               .inside = AROUND[i].inside };

        onion_run(&onion);
        if (onion.result != AROUND[i].result)
            fail_msg("row %zu: %s", i, outcome_info(onion.result)->name.data);
        assert_string_equal(onion.seen, AROUND[i].seen);
    }
}

static const struct {
    const char *yaml, *faults;
} BAD[] = {
    { "5B", "w:2:3: limit-body: must be a size, found \"5B\" (such as 64KiB, 256MiB or 1GB)\n" },
    { "{ max: -1 }", "w:2:10: limit-body.max: must be a size, found \"-1\" (such as 64KiB, 256MiB or 1GB)\n" },
    { "{ min: 1MiB }", "w:2:5: limit-body: unknown key \"min\" (known: max)\n" },
};

static void bad_settings_are_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct settings *settings = settings_load(&STAGE_LIMIT_BODY, BAD[i].yaml);

        assert_string_equal(settings->text, BAD[i].faults);
        assert_null(settings->conf);
        settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_bounded),
        cmocka_unit_test(every_reader_is_bounded),
        cmocka_unit_test(bad_settings_are_faults),
    };

    return cmocka_run_group_tests_name("stage/limit-body", tests, NULL, NULL);
}
