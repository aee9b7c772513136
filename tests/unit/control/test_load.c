#include "try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What is refused, and the very words. */
static const struct {
    const char *yaml, *faults;
} ROWS[] = {
#include "load_rows.def"
};

static void refusals_say_where_and_why(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct control_try *try = control_try(bytes_of_text(ROWS[i].yaml));

        if (try->result != -EINVAL || strcmp(try->text, ROWS[i].faults) != 0)
            fail_msg("row %zu:\n%s---\n%s--- instead of\n%s", i, ROWS[i].yaml, try->text, ROWS[i].faults);
        assert_null(try->config);
        control_try_done(try);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(refusals_say_where_and_why) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
