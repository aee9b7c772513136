#include "base/text.h"
#include "http/date.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW (INT64_C(1795237200) * NS_PER_S) /* Sat, 21 Nov 2026 05:00:00 GMT */

static const struct {
    const char *text;
    int64_t seconds;
    int result;
} ROWS[] = {
    { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777, 0 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777, 0 },
    { "Sun Nov  6 08:49:37 1994", 784111777, 0 },
    { "Wed Nov 16 08:49:37 1994", 784975777, 0 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0, 0 },
    { "Wed, 31 Dec 1969 23:59:59 GMT", -1, 0 },
    { "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000, 0 },
    { "Fri, 01 Mar 2024 00:00:00 GMT", 1709251200, 0 },
    { "Tue, 29 Feb 2000 00:00:00 GMT", 951782400, 0 },
    { "Fri, 31 Dec 2100 23:59:60 GMT", 4133980800, 0 },
    { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799, 0 },
    { "Saturday, 21-Nov-76 05:00:00 GMT", 3373160400, 0 }, /* fifty years ahead: 2076 */
    { "Saturday, 21-Nov-77 05:00:00 GMT", 248936400, 0 },  /* more: 1977 */
    { "Saturday, 21-Nov-26 05:00:00 GMT", 1795237200, 0 },
    { "Thu, 29 Feb 2023 12:00:00 GMT", 0, -EINVAL },
    { "Thu, 29 Feb 2100 12:00:00 GMT", 0, -EINVAL },
    { "Thu, 31 Apr 2023 12:00:00 GMT", 0, -EINVAL },
    { "Thu, 00 Apr 2023 12:00:00 GMT", 0, -EINVAL },
    { "Sun, 06 Nov 1994 24:00:00 GMT", 0, -EINVAL },
    { "Sun, 06 Nov 1994 08:60:37 GMT", 0, -EINVAL },
    { "Sun, 06 Nov 1994 08:49:61 GMT", 0, -EINVAL },
    { "Sun, 06 Nov 1994 08:49:37 UTC", 0, -EINVAL },
    { "Sun, 06 Nov 1994 08:49:37 GMT ", 0, -EINVAL },
    { "Sun, 06 Nov 1994 08:49:37", 0, -EINVAL },
    { "Sun, 6 Nov 1994 08:49:37 GMT", 0, -EINVAL },
    { "Sun, 06-Nov-1994 08:49:37 GMT", 0, -EINVAL },
    { "Sunday, 06 Nov 94 08:49:37 GMT", 0, -EINVAL },
    { "Sundae, 06-Nov-94 08:49:37 GMT", 0, -EINVAL },
    { "sun, 06 Nov 1994 08:49:37 GMT", 0, -EINVAL },
    { "Sun, 06 nov 1994 08:49:37 GMT", 0, -EINVAL },
    { "Sun, +6 Nov 1994 08:49:37 GMT", 0, -EINVAL },
    { "Sun Nov 6 08:49:37 1994", 0, -EINVAL },
    { "Sun Nov  6 08:49:37 94", 0, -EINVAL },
    { "784111777", 0, -EINVAL },
    { "0", 0, -EINVAL },
    { "Su", 0, -EINVAL },
    { "", 0, -EINVAL },
};

static void dates_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        int64_t seconds = 0;
        int r = http_date_read(bytes_of_text(ROWS[i].text), NOW, &seconds);

        if (r != ROWS[i].result || seconds != ROWS[i].seconds)
            fail_msg("%s: %d, %lld", ROWS[i].text, r, (long long)seconds);
    }
}

/* What is written is read again, through two hundred years. */
static void dates_come_back(void **state)
{
    for (int64_t seconds = 0; seconds < INT64_C(8000000000); seconds += 86399 * 3) {
        char memory[HTTP_DATE_LEN];
        struct text text = text_into(memory, sizeof(memory));
        int64_t read = -1;

        http_date_write(&text, seconds * NS_PER_S);
        assert_false(text.full);
        assert_int_equal(http_date_read(text_bytes(&text), NOW, &read), 0);
        assert_int_equal(read, seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(dates_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
