#include "try.h"

#include <errno.h>
#include <stdlib.h>

int try_read(void *user, const char *path, struct arena *arena, struct bytes *ret_text)
{
    const struct try_file *file = user;

    for (; file && file->path; file++) {
        struct bytes text = bytes_of_text(file->text);

        if (strcmp(file->path, path) == 0)
            return file->text ? arena_copy(arena, text, ret_text) : -EACCES;
    }
    return -ENOENT;
}

bool try_variable(void *user, struct bytes name, struct bytes *ret_value)
{
    static const struct {
        const char *name, *value;
    } variables[] = { { "NAME", "shop" }, { "N", "2" }, { "EMPTY", "" }, { "LIST", "[a, b]" } };

    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        if (bytes_equal(name, bytes_of_text(variables[i].name))) {
            *ret_value = bytes_of_text(variables[i].value);
            return true;
        }
    }
    return false;
}

static void write_faults(struct try *try)
{
    struct text all = text_into(try->text, sizeof(try->text) - 1);

    for (size_t i = 0; i < try->faults.count; i++) {
        char line[1024];
        size_t len = fault_write(&try->faults.faults[i], line, sizeof(line));

        text_add(&all, bytes_of(line, MIN(len, sizeof(line))));
        text_add_char(&all, '\n');
    }
    if (try->faults.dropped)
        text_add_format(&all, "and %zu more\n", try->faults.dropped);
    try->text[all.len] = '\0';
}

/* The C library's calloc, so that the failures a test asks for hit the code under test alone. */
struct try *try_load(struct bytes text, const struct try_file *files)
{
    struct try *try = calloc(1, sizeof(*try));
    struct conf_request request = {
        .schema = &EXAMPLE_SCHEMA,
        .sets = EXAMPLE_SETS,
        .set_count = EXAMPLE_SET_COUNT,
        .source = { .read = try_read, .variable = try_variable, .user = (void *)(uintptr_t)files },
    };
    void *result = NULL;

    if (!try)
        abort();
    arena_init(&try->arena, NULL, TRY_ARENA_MAX);
    try->result = conf_load(&request, "w", text, &try->arena, &try->faults, &result);
    try->example = result;
    write_faults(try);
    return try;
}

void try_done(struct try *try)
{
    arena_done(&try->arena);
    free(try);
}
