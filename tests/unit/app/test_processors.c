#include "app/processors.h"

#include "base/limits.h"
#include "io/linux/linux.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *list;
    unsigned count;
} ROWS[] = {
    { "0", 1 },
    { "0-3", 4 },
    { "\t0-3 ", 4 },
    { "0-3,8", 5 },
    { "1,3,5", 3 },
    { "0-1,4-5", 4 },
    { "", 0 },
    { "x", 0 },
    { "3-1", 0 },
    { "1-", 0 },
    { "-1", 0 },
    { "1,,2", 0 },
    { "1-2-3", 0 },
    { "0-4294967294", 4294967295u },
    { "0-99999999999", 0 },
};

static void lists_are_counted(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        if (processors_in_list(bytes_of_text(ROWS[i].list)) != ROWS[i].count)
            fail_msg("%s: %u", ROWS[i].list, processors_in_list(bytes_of_text(ROWS[i].list)));
}

static void this_machine_has_some(void **state)
{
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_in_range(processors_count(io), 1, WORKERS_MAX);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_counted),
        cmocka_unit_test(this_machine_has_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
