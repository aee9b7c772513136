#include "app/table.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What the commands would print is gathered here: only descriptor_write is there. */
struct gather {
    struct io io;
    struct io_ops ops;
    char memory[4096];
    struct text text;
};

static ssize_t take(struct io *io, int descriptor, struct bytes content)
{
    struct gather *gather = container_of(io, struct gather, io);

    assert_int_equal(descriptor, 1);
    text_add(&gather->text, content);
    return (ssize_t)content.len;
}

static int terminal(struct io *io, int descriptor, struct terminal_size *ret)
{
    return -ENOTTY;
}

static const struct table_column COLUMNS[] = {
    { "NAME", "name", false }, { "N", "n", false }, { "MORE", "more", true }, { "OK", "ok", false }
};
static const struct table_info TABLE = { "items", COLUMNS, ARRAY_LEN(COLUMNS) };

static const struct {
    const char *json, *out; /* out NULL: it is no such answer */
} ROWS[] = {
    { "{\"items\":[]}", "NAME  N  OK\n" },
    { "{\"items\":[{\"name\":\"web\",\"n\":12,\"ok\":true}]}", "NAME  N   OK\nweb   12  yes\n" },
    { "{\"items\":[{\"name\":\"longer-name\"},{\"n\":-1.5,\"ok\":false}]}",
      "NAME         N       OK\nlonger-name  -       -\n-            -1.500  no\n" },
    { "{\"items\":[{\"name\":\"a\\u001b[2J\"}]}", "NAME   N  OK\na?[2J  -  -\n" },
    { "{\"items\":[{\"name\":\"a\"},{\"more\":\"b\"}]}", "NAME  N  MORE  OK\na     -  -     -\n-     -  b     -\n" },
    { "{\"items\":[7]}", "NAME  N  OK\n-     -  -\n" },
    { "{\"items\":{}}", NULL },
    { "{}", NULL },
    { "[]", NULL },
    { "", NULL },
    { "{\"items\":[", NULL },
};

static void answers_become_tables(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct gather gather = { .ops = { .descriptor_write = take, .terminal = terminal } };
        const struct app app = { .io = &gather.io, .env = (const char *const[]){ NULL } };
        json_error_t error;
        json_t *answer = json_loads(ROWS[i].json, 0, &error);
        struct page page;
        int r;

        gather.io.ops = &gather.ops;
        gather.text = text_into(gather.memory, sizeof(gather.memory));
        page_open(&app, &page);
        r = table_write(&page, &TABLE, answer);
        assert_int_equal(page_print(&page), 0);
        page_done(&page);
        json_decref(answer);
        assert_int_equal(r, ROWS[i].out ? 0 : -EPROTO);
        if (ROWS[i].out && !bytes_equal(text_bytes(&gather.text), bytes_of_text(ROWS[i].out)))
            fail_msg("%s:\n" BYTES_FMT, ROWS[i].json, BYTES_ARG(text_bytes(&gather.text)));
    }
}

static void texts_are_found(void **state)
{
    char *text = table_text(BYTES("{\"detail\":\"a\\nb\"}"), "detail");

    assert_string_equal(text, "a\nb");
    mem_free(text);
    assert_null(table_text(BYTES("{\"detail\":1}"), "detail"));
    assert_null(table_text(BYTES("nothing"), "detail"));
}

static void nesting_has_a_bound(void **state)
{
    assert_true(table_depth_is(BYTES("[[{}]]"), 3));
    assert_false(table_depth_is(BYTES("[[{}]]"), 2));
    assert_true(table_depth_is(BYTES("[][][]"), 1));
    assert_true(table_depth_is(BYTES("[\"[[[\\\"[[\"]"), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_become_tables),
        cmocka_unit_test(texts_are_found),
        cmocka_unit_test(nesting_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
