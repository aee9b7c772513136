#include "app/grid.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A terminal of so many columns; 0: none. What is written is gathered. */
struct screen {
    struct io io;
    struct io_ops ops;
    unsigned columns;
    char memory[4096];
    struct text text;
    const char *env[2];
    struct app app;
};

static ssize_t take(struct io *io, int descriptor, struct bytes content)
{
    struct screen *screen = container_of(io, struct screen, io);

    assert_int_equal(descriptor, 1);
    text_add(&screen->text, content);
    return (ssize_t)content.len;
}

static int terminal(struct io *io, int descriptor, struct terminal_size *ret)
{
    const struct screen *screen = container_of(io, struct screen, io);

    if (screen->columns == 0)
        return -ENOTTY;
    *ret = (struct terminal_size){ .columns = screen->columns, .rows = 24 };
    return 0;
}

static void screen_open(struct screen *screen, unsigned columns, const char *env)
{
    *screen = (struct screen){ .ops = { .descriptor_write = take, .terminal = terminal },
                               .columns = columns,
                               .env = { env, NULL } };
    screen->io.ops = &screen->ops;
    screen->app = (struct app){ .io = &screen->io, .env = screen->env };
    screen->text = text_into(screen->memory, sizeof(screen->memory));
}

static void shows(struct screen *screen, struct page *page, const char *expected)
{
    assert_int_equal(page_print(page), 0);
    page_done(page);
    if (!bytes_equal(text_bytes(&screen->text), bytes_of_text(expected)))
        fail_msg("expected\n%s\ngot\n" BYTES_FMT, expected, BYTES_ARG(text_bytes(&screen->text)));
}

static const struct grid_column COLUMNS[] = { { "NAME", .flexible = true },
                                              { "N", .right = true },
                                              { "MORE", .flexible = true, .optional = true },
                                              { "END", .right = true } };

static void fill(struct grid *grid)
{
    static const char *const CELLS[] = { "a-name-that-is-long", "5", "something optional", "77", "b", "1234", "", "" };

    grid_init(grid, COLUMNS, ARRAY_LEN(COLUMNS));
    for (size_t i = 0; i < ARRAY_LEN(CELLS); i++)
        grid_add(grid, STYLE_GOOD, bytes_of_text(CELLS[i]));
    assert_int_equal(grid_rows(grid), 2);
}

static const struct {
    unsigned columns;
    const char *out;
} WIDTHS[] = {
    { 0, "NAME                    N  MORE                END\n"
         "a-name-that-is-long     5  something optional   77\n"
         "b                    1234  -                     -\n" },
    { 50, "NAME                    N  MORE                END\n"
          "a-name-that-is-long     5  something optional   77\n"
          "b                    1234  -                     -\n" },
    { 47, "NAME                    N  MORE             END\n"
          "a-name-that-is-long     5  something opti~   77\n"
          "b                    1234  -                  -\n" },
    { 37, "NAME             N  MORE          END\n"
          "a-name-that~     5  something o~   77\n"
          "b             1234  -               -\n" },
    { 36, "NAME             N  END\n"
          "a-name-that~     5   77\n"
          "b             1234    -\n" },
    { 23, "NAME             N  END\n"
          "a-name-that~     5   77\n"
          "b             1234    -\n" },
    { 22, "NAME             N  EN\n"
          "a-name-that~     5   7\n"
          "b             1234    \n" },
    { 15, "NAME           \n"
          "a-name-that~   \n"
          "b             1\n" },
    { 1, "N\n"
         "a\n"
         "b\n" },
};

static void tables_fit_the_terminal(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(WIDTHS); i++) {
        struct screen screen;
        struct page page;
        struct grid grid;

        screen_open(&screen, WIDTHS[i].columns, "NO_COLOR=1");
        page_open(&screen.app, &page);
        fill(&grid);
        grid_write(&grid, &page, 0, SIZE_MAX);
        shows(&screen, &page, WIDTHS[i].out);
    }
}

static void optional_columns_need_a_cell(void **state)
{
    struct screen screen;
    struct page page;
    struct grid grid;

    screen_open(&screen, 0, NULL);
    page_open(&screen.app, &page);
    grid_init(&grid, COLUMNS, ARRAY_LEN(COLUMNS));
    for (unsigned i = 0; i < 8; i++)
        grid_format(&grid, STYLE_PLAIN, "%s", i % 4 == 2 ? "" : "x");
    grid_write(&grid, &page, 2, 1);
    shows(&screen, &page, "  NAME  N  END\n  x     x    x\n");
}

static void only_terminals_get_colours(void **state)
{
    struct screen screen;
    struct page page;

    screen_open(&screen, 80, "TERM=xterm");
    page_open(&screen.app, &page);
    page_styled(&page, STYLE_BOLD, BYTES("a"));
    page_styled(&page, STYLE_PLAIN, BYTES("b"));
    shows(&screen, &page, "\033[1ma\033[0mb");
    screen_open(&screen, 0, "TERM=xterm");
    page_open(&screen.app, &page);
    page_styled(&page, STYLE_BOLD, BYTES("a"));
    shows(&screen, &page, "a");
}

static void control_characters_move_nothing(void **state)
{
    struct screen screen;
    struct page page;

    screen_open(&screen, 0, NULL);
    page_open(&screen.app, &page);
    page_plain(&page, BYTES("a\033[2J\nb\x7f\xc2\x9b"
                            "c\xc3\xa9"));
    shows(&screen, &page, "a?[2J?b??c\xc3\xa9");
}

static void characters_are_counted_not_bytes(void **state)
{
    assert_int_equal(page_columns(BYTES("h\xc3\xa9llo")), 5);
    assert_true(bytes_equal(page_cut(BYTES("h\xc3\xa9llo"), 2), BYTES("h\xc3\xa9")));
    assert_true(bytes_equal(page_cut(BYTES("ab"), 5), BYTES("ab")));
    assert_int_equal(page_cut(BYTES("ab"), 0).len, 0);
}

static void memory_may_be_short(void **state)
{
    for (int n = 0; n < 64; n++) {
        struct screen screen;
        struct page page;
        struct grid grid;
        bool fired;
        int r;

        screen_open(&screen, 0, NULL);
        page_open(&screen.app, &page);
        (void)mem_fail_after(n);
        grid_init(&grid, COLUMNS, ARRAY_LEN(COLUMNS));
        for (unsigned i = 0; i < 400; i++)
            grid_format(&grid, STYLE_PLAIN, "%0100u", i);
        grid_write(&grid, &page, 0, SIZE_MAX);
        r = page_print(&page);
        fired = mem_fail_after(-1);
        assert_int_equal(r, fired ? -ENOMEM : 0);
        page_done(&page);
        if (!fired)
            return;
    }
    fail_msg("it never had enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_fit_the_terminal),          cmocka_unit_test(optional_columns_need_a_cell),
        cmocka_unit_test(only_terminals_get_colours),       cmocka_unit_test(control_characters_move_nothing),
        cmocka_unit_test(characters_are_counted_not_bytes), cmocka_unit_test(memory_may_be_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
