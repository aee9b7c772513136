#include "control/words.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Words are joined by a bar; NULL: refused, and `what` says why. */
static const struct {
    const char *line, *words, *what;
} ROWS[] = {
    { "./orders", "./orders", NULL },
    { "  ./orders \t -v\n--name  x  ", "./orders|-v|--name|x", NULL },
    { "a 'b c' \"d e\"", "a|b c|d e", NULL },
    { "a b'c d'e", "a|bc de", NULL },
    { "a '' \"\"", "a||", NULL },
    { "a 'b\\n\"$HOME|'", "a|b\\n\"$HOME|", NULL },
    { "a \"b\\\"c\\\\d\\n\"", "a|b\"c\\d\\n", NULL },
    { "a b\\ c \\'d \\$HOME \\|", "a|b c|'d|$HOME||", NULL },
    { "a *.txt ~ ? # {x} =", "a|*.txt|~|?|#|{x}|=", NULL },
    { "a --x=\"1;2\"", "a|--x=1;2", NULL },
    { "", NULL, "must name a program" },
    { " \t\n", NULL, "must name a program" },
    { "''", NULL, "must name a program" },
    { "'' x", NULL, "must name a program" },
    { "a 'b", NULL, "a quote ' is not closed" },
    { "a \"b\\\"", NULL, "a quote \" is not closed" },
    { "a \"b\\", NULL, "a quote \" is not closed" },
    { "a \\", NULL, "nothing follows the last backslash" },
    { "a | b", NULL, "holds |, but is not run by a shell" },
    { "a && b", NULL, "holds &, but is not run by a shell" },
    { "a; b", NULL, "holds ;, but is not run by a shell" },
    { "a <b", NULL, "holds <, but is not run by a shell" },
    { "a >b", NULL, "holds >, but is not run by a shell" },
    { "(a)", NULL, "holds (, but is not run by a shell" },
    { "a)", NULL, "holds ), but is not run by a shell" },
    { "a $HOME", NULL, "holds $, but is not run by a shell" },
    { "a `b`", NULL, "holds `, but is not run by a shell" },
};

static void lines_become_words(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char memory[256];
        struct text joined = text_into(memory, sizeof(memory));
        const char *const *words = NULL;
        struct fault fault = { 0 };
        struct arena arena;
        int r;

        arena_init(&arena, NULL, MIB);
        r = words_split(bytes_of_text(ROWS[i].line), &arena, &fault, &words);
        assert_int_equal(r, ROWS[i].words ? 0 : -EINVAL);
        for (size_t w = 0; words && words[w]; w++) {
            text_add(&joined, w ? BYTES("|") : BYTES_NONE);
            text_add(&joined, bytes_of_text(words[w]));
        }
        if (ROWS[i].words && !bytes_equal(text_bytes(&joined), bytes_of_text(ROWS[i].words)))
            fail_msg("%s: " BYTES_FMT, ROWS[i].line, BYTES_ARG(text_bytes(&joined)));
        if (ROWS[i].what)
            assert_string_equal(fault.what, ROWS[i].what);
        arena_done(&arena);
    }
}

/* As many words as the room was counted for. */
static void short_words_find_room(void **state)
{
    char line[1001];
    const char *const *words = NULL;
    struct arena arena;
    size_t count = 0;

    for (size_t i = 0; i < sizeof(line); i++)
        line[i] = i % 2 ? ' ' : 'a';
    arena_init(&arena, NULL, MIB);
    assert_int_equal(words_split(bytes_of(line, sizeof(line)), &arena, NULL, &words), 0);
    while (words[count])
        count++;
    assert_int_equal(count, 501);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_words),
        cmocka_unit_test(short_words_find_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
