#include "rows.h"

#include <setjmp.h>

#include <cmocka.h>

static enum http1_error error_named(const char *name)
{
#define ERROR(identifier, status, text) \
    if (strcmp(name, #identifier) == 0) \
        return HTTP1_##identifier;
#include "wire/http1_errors.def"
#undef ERROR
    return HTTP1_OK;
}

/* The part of a description that a row names: the line after the first for heads, all of it for bodies and errors. */
static void check_wanted(const struct row *row, struct bytes got)
{
    struct bytes want = bytes_of_text(row->want), prefix = BYTES("error "), line;

    if (row->status != 0) {
        assert_int_equal(http1_error_status(error_named(row->want)), row->status);
        assert_true(http1_error_text(error_named(row->want)).len > 0);
    }
    if (bytes_starts(got, prefix) && row->status != 0) {
        got = bytes_skip(got, prefix.len);
    } else if (bytes_starts(got, BYTES("len "))) {
        bytes_split(&got, '\n', &line);
        bytes_split(&got, '\n', &line);
        got = line;
    }
    if (!bytes_equal(got, want))
        fail_msg("%.*s\ngave: %.*s\nnot:  %s", BYTES_ARG(row->input), BYTES_ARG(got), row->want);
}

static void check_pieces(const struct row *row, rows_feed *feed, const void *context, struct bytes whole, size_t first,
                         size_t step, char *memory)
{
    struct text text = text_into(memory, FEED_TEXT_MAX);

    feed(row, context, first, step, &text);
    if (!bytes_equal(text_bytes(&text), whole))
        fail_msg("%.*s\nin pieces of %zu and %zu gave: %.*s\nwhole: %.*s", BYTES_ARG(row->input), first, step,
                 BYTES_ARG(text_bytes(&text)), BYTES_ARG(whole));
}

static bool near_end(size_t place, size_t len)
{
    return len < 1024 || place < 64 || place + 128 > len;
}

void rows_check(const struct row *rows, size_t count, rows_feed *feed, const void *context)
{
    char whole_memory[FEED_TEXT_MAX], memory[FEED_TEXT_MAX];

    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct text whole = text_into(whole_memory, FEED_TEXT_MAX);

        feed(row, context, row->input.len, 1, &whole);
        assert_false(whole.full);
        check_wanted(row, text_bytes(&whole));
        for (size_t step = 1; step <= 3; step++)
            check_pieces(row, feed, context, text_bytes(&whole), 0, step, memory);
        /* Long rows are cut at every place near their ends, and at places without a pattern between. */
        for (size_t first = 0; first < row->input.len; first += near_end(first, row->input.len) ? 1 : 61)
            check_pieces(row, feed, context, text_bytes(&whole), first, row->input.len, memory);
    }
    print_message("%zu rows\n", count);
}
