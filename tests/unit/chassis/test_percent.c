#include "chassis/percent.h"

#include "base/defs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *raw;
    bool plus;
    const char *decoded; /* NULL: refused */
} ROWS[] = {
    { "", false, "" },
    { "plain", false, "plain" },
    { "a%20b", false, "a b" },
    { "a+b", false, "a+b" },
    { "a+b", true, "a b" },
    { "%2B", true, "+" },
    { "%41%62%7a", false, "Abz" },
    { "%c3%B6", false, "\xc3\xb6" },
    { "%2525", false, "%25" }, /* once */
    { "%2F", false, "/" },
    { "%ff", false, "\xff" },
    { "%01", false, "\x01" },
    { "%00", false, NULL },
    { "a%00b", false, NULL },
    { "%", false, NULL },
    { "%4", false, NULL },
    { "%4g", false, NULL },
    { "%g4", false, NULL },
    { "%%41", false, NULL },
};

static void decodes(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct bytes raw = bytes_of_text(ROWS[i].raw), wanted = bytes_of_text(ROWS[i].decoded);
        char memory[32];

        assert_int_equal(percent_fine(raw), ROWS[i].decoded != NULL);
        if (!ROWS[i].decoded)
            continue;
        assert_int_equal(percent_decode(raw, ROWS[i].plus, memory), wanted.len);
        assert_memory_equal(memory, wanted.data, wanted.len);
        assert_true(percent_equal(raw, ROWS[i].plus, wanted));
        assert_false(percent_equal(raw, ROWS[i].plus, BYTES("something else")));
    }
}

static void a_zero_byte_is_refused(void **state)
{
    assert_false(percent_fine(BYTES("a\0b")));
}

static void equal_looks_at_all_of_both(void **state)
{
    assert_false(percent_equal(BYTES("ab"), false, BYTES("a")));
    assert_false(percent_equal(BYTES("a"), false, BYTES("ab")));
    assert_false(percent_equal(BYTES("%61"), false, BYTES("")));
    assert_true(percent_equal(BYTES("%61"), false, BYTES("a")));
    assert_false(percent_equal(BYTES("%61"), false, BYTES("A")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(equal_looks_at_all_of_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
