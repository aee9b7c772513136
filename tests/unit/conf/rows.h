/* tests/unit/conf/rows.h - tables of texts that must be refused, and of what must be said about them. */
#ifndef WEFT_TESTS_CONF_ROWS_H
#define WEFT_TESTS_CONF_ROWS_H

#include "try.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct row {
    const char *text;
    const char *faults; /* a line each */
};

static inline void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct try *try = try_load(bytes_of_text(rows[i].text), NULL);
        size_t len = strlen(try->text);

        if (len)
            try->text[len - 1] = '\0'; /* the last line end */
        assert_string_equal(try->text, rows[i].faults);
        assert_int_equal(try->result, -EINVAL);
        assert_null(try->example);
        try_done(try);
    }
}

#endif
