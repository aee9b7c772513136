#include "conf/dotenv.h"

#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static bool variable(void *user, struct bytes name, struct bytes *ret)
{
    if (!bytes_equal(name, BYTES("HOME")))
        return false;
    *ret = BYTES("/srv/weft");
    return true;
}

static const struct conf_source SOURCE = { .variable = variable };

/* Entries as "NAME=value|", or faults, a line each. */
static const struct {
    const char *text, *result;
} ROWS[] = {
    { "", "" },
    { "\n\n  \n\t\r\n", "" },
    { "# nothing\n   # more\n", "" },
    { "A=1", "A=1|" },
    { "A=1\n", "A=1|" },
    { "A=1\r\nB=2\r\n", "A=1|B=2|" },
    { "\xef\xbb\xbf"
      "A=1\n",
      "A=1|" },
    { "A=\n", "A=|" },
    { "A=   \n", "A=|" },
    { "A= # nothing\n", "A=|" },
    { "A=#nothing\n", "A=|" },
    { "A=a#b\n", "A=a#b|" },
    { "A=a #b\n", "A=a|" },
    { "A=a\t# b\n", "A=a|" },
    { "A=a b  \n", "A=a b|" },
    { "A = b\n", "A=b|" },
    { "  A=b\n", "A=b|" },
    { "export A=b\n", "A=b|" },
    { "export\tA=b\n", "A=b|" },
    { "exported=b\n", "exported=b|" },
    { "export=b\n", "export=b|" },
    { "export =b\n", "export=b|" },
    { "_a9=b=c==\n", "_a9=b=c==|" },
    { "A='a $HOME \\n \"b\" #c' # d\n", "A=a $HOME \\n \"b\" #c|" },
    { "A=\"a 'b' #c\" # d\n", "A=a 'b' #c|" },
    { "A=\"\\n\\r\\t\\\"\\\\\\$HOME\\x\"\n", "A=\n\r\t\"\\$HOME\\x|" },
    { "A=\\n\n", "A=\\n|" },
    { "A=it's\n", "A=it's|" },
    { "A='one\ntwo'\nB=3\n", "A=one\ntwo|B=3|" },
    { "A=\"one\ntwo\"\n", "A=one\ntwo|" },
    { "A=''\nB=\"\"\n", "A=|B=|" },
    { "A=$HOME/x\n", "A=/srv/weft/x|" },
    { "A=${HOME}x\n", "A=/srv/weftx|" },
    { "A=\"$HOME\"\n", "A=/srv/weft|" },
    { "A=1\nB=$A$A\n", "A=1|B=11|" },
    { "A=1\nA=2\nB=$A\n", "A=1|A=2|B=2|" },
    { "HOME=mine\nA=$HOME\n", "HOME=mine|A=/srv/weft|" },
    { "A=${NO:-default}\n", "A=default|" },
    { "N=\nA=${N:-default}\n", "N=|A=default|" },
    { "A=${HOME:-default}\n", "A=/srv/weft|" },
    { "A=${NO:-}\n", "A=|" },
    { "A=pa$$HOME\n", "A=pa$HOME|" },
    { "A=5$ and $5\n", "A=5$ and $5|" },
    { "A=$\n", "A=$|" },
    { "A\n",
      ".env:1: must be NAME=value (names are letters, digits and _, no digit first; a comment begins with #)\n" },
    { "A=1\n=x\n",
      ".env:2: must be NAME=value (names are letters, digits and _, no digit first; a comment begins with #)\n" },
    { "9A=1\n",
      ".env:1: must be NAME=value (names are letters, digits and _, no digit first; a comment begins with #)\n" },
    { "A-B=1\n",
      ".env:1: must be NAME=value (names are letters, digits and _, no digit first; a comment begins with #)\n" },
    { "A: 1\n",
      ".env:1: must be NAME=value (names are letters, digits and _, no digit first; a comment begins with #)\n" },
    { "export\n",
      ".env:1: must be NAME=value (names are letters, digits and _, no digit first; a comment begins with #)\n" },
    { "A='x\nB=2\n", ".env:1: a quote ' is not closed\n" },
    { "\nA=\"x\nB=2\n", ".env:2: a quote \" is not closed\n" },
    { "A='x'y\n",
      ".env:1: something follows the closing quote (put quotes around all of it; a comment begins with #)\n" },
    { "A='x\ny' z\nB='1'2\n",
      ".env:2: something follows the closing quote (put quotes around all of it; a comment begins with #)\n"
      ".env:3: something follows the closing quote (put quotes around all of it; a comment begins with #)\n" },
    { "A=$NO\nB=1\n", ".env:1: variable NO is not set (set it, or write ${NAME:-default}; $$ is a dollar sign)\n" },
    { "A=${NO}\n", ".env:1: variable NO is not set (set it, or write ${NAME:-default}; $$ is a dollar sign)\n" },
    { "A=${HOME\n", ".env:1: \"${\" without \"}\"\n" },
    { "A=${HOME\nB=}\n", ".env:1: \"${\" without \"}\"\n" },
    { "A=${}\n", ".env:1: a variable is written $NAME, ${NAME} or ${NAME:-default}\n" },
    { "A=${HOME-x}\n", ".env:1: a variable is written $NAME, ${NAME} or ${NAME:-default}\n" },
    { "A=${B C}\n", ".env:1: a variable is written $NAME, ${NAME} or ${NAME:-default}\n" },
};

struct
try {
    struct arena arena;
    struct fault_list faults;
    struct dotenv found;
    int result;
};

static void try_read(struct try *try, struct bytes text)
{
    memset(try, 0, sizeof(*try));
    arena_init(&try->arena, NULL, MIB);
    try->result = dotenv_read(".env", text, &SOURCE, &try->arena, &try->faults, &try->found);
}

static void write_result(const struct try *try, struct text *text)
{
    for (size_t i = 0; i < try->found.count; i++) {
        const struct dotenv_entry *entry = &try->found.entries[i];

        text_add_format(text, BYTES_FMT "=" BYTES_FMT "|", BYTES_ARG(entry->name), BYTES_ARG(entry->value));
        assert_int_equal(entry->value.data[entry->value.len], 0);
    }
    for (size_t i = 0; i < try->faults.count; i++) {
        char line[1024];

        fault_write(&try->faults.faults[i], line, sizeof(line));
        text_add_format(text, "%s\n", line);
    }
}

static void texts_become_variables(void **state)
{
    static struct try try;

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char memory[2048];
        struct text text = text_into(memory, sizeof(memory));

        try_read(&try, bytes_of_text(ROWS[i].text));
        write_result(&try, &text);
        assert_int_equal(try.result, try.faults.count > 0 ? -EINVAL : 0);
        if (!bytes_equal(text_bytes(&text), bytes_of_text(ROWS[i].result)))
            fail_msg("row %zu: '" BYTES_FMT "' instead of '%s'", i, BYTES_ARG(text_bytes(&text)), ROWS[i].result);
        arena_done(&try.arena);
    }
}

static void the_last_value_counts(void **state)
{
    static struct try try;
    struct bytes value;

    try_read(&try, BYTES("A=1\nB=2\nA=3\n"));
    assert_true(dotenv_find(&try.found, BYTES("A"), &value) && bytes_equal(value, BYTES("3")));
    assert_false(dotenv_find(&try.found, BYTES("C"), &value));
    arena_done(&try.arena);
}

static void values_are_bounded(void **state)
{
    static char text[CONF_SCALAR_MAX + 16];
    static struct try try;

    memset(text, 'x', sizeof(text));
    memcpy(text, "A=", 2);
    try_read(&try, bytes_of(text, CONF_SCALAR_MAX + 2));
    assert_int_equal(try.result, 0);
    arena_done(&try.arena);
    try_read(&try, bytes_of(text, CONF_SCALAR_MAX + 3));
    assert_int_equal(try.result, -EINVAL);
    assert_string_equal(try.faults.faults[0].what, "the value is too long (64 KiB at most)");
    arena_done(&try.arena);
    try_read(&try, bytes_of("A=a\0b\n", 6));
    assert_string_equal(try.faults.faults[0].what, "the value holds a zero byte");
    arena_done(&try.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_variables),
        cmocka_unit_test(the_last_value_counts),
        cmocka_unit_test(values_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
