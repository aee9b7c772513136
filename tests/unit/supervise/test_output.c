#include "supervise/output.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct gather {
    struct line_cutter cutter;
    char memory[4 * OUTPUT_LINE_MAX];
    struct text text;
    unsigned lines;
};

static void take(struct line_cutter *cutter, struct bytes line)
{
    struct gather *gather = container_of(cutter, struct gather, cutter);

    assert_true(line.len <= OUTPUT_LINE_MAX);
    text_add(&gather->text, line);
    text_add_char(&gather->text, '|');
    gather->lines++;
}

static void gather_init(struct gather *gather)
{
    gather->text = text_into(gather->memory, sizeof(gather->memory));
    gather->lines = 0;
    line_cutter_init(&gather->cutter, take);
}

static const struct {
    const char *in, *out;
} ROWS[] = {
    { "", "" },
    { "a\n", "a|" },
    { "a\nb\n", "a|b|" },
    { "a\n\nb", "a||b|" },
    { "\n", "|" },
    { "a\r\nb\r\n", "a|b|" },
    { "t\tab", "t\tab|" },
    { "\x1b[2Jx\x7f\n", "?[2Jx?|" },
    { "\xc3\xa4\n", "\xc3\xa4|" },
    { "\xc2\x9b"
      "2Jx\xc2\x80\xc2\xa0\n",
      "?2Jx?\xc2\xa0|" },
};

/* The same whether it comes at once or byte by byte. */
static void lines_are_cut(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        for (int single = 0; single < 2; single++) {
            struct bytes in = bytes_of_text(ROWS[i].in);
            struct gather gather;

            gather_init(&gather);
            for (size_t k = 0; single && k < in.len; k++)
                line_cutter_add(&gather.cutter, bytes_slice(in, k, k + 1));
            if (!single)
                line_cutter_add(&gather.cutter, in);
            line_cutter_end(&gather.cutter);
            assert_true(bytes_equal(text_bytes(&gather.text), bytes_of_text(ROWS[i].out)));
        }
}

static void long_lines_become_several(void **state)
{
    static char line[OUTPUT_LINE_MAX + 1];

    memset(line, 'x', sizeof(line));
    for (size_t len = OUTPUT_LINE_MAX - 1; len <= OUTPUT_LINE_MAX + 1; len++) {
        struct gather gather;

        gather_init(&gather);
        line_cutter_add(&gather.cutter, bytes_of(line, len));
        line_cutter_add(&gather.cutter, BYTES("\n"));
        assert_int_equal(gather.lines, len > OUTPUT_LINE_MAX ? 2 : 1);
        line_cutter_add(&gather.cutter, BYTES("\n"));
        assert_int_equal(gather.lines, len > OUTPUT_LINE_MAX ? 3 : 2); /* an empty line stays one */
        line_cutter_end(&gather.cutter);
        assert_int_equal(gather.text.len, len + gather.lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut),
        cmocka_unit_test(long_lines_become_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
