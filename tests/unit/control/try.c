#include "try.h"

#include <stdlib.h>

#define ARENA_MAX (64 * MIB)

static int read_file(void *user, const char *path, struct arena *arena, struct bytes *ret)
{
    if (strcmp(path, "more.yaml") != 0)
        return -ENOENT;
    *ret = BYTES("services:\n  more: { run: ./more }\n");
    return 0;
}

static bool variable(void *user, struct bytes name, struct bytes *ret)
{
    *ret = BYTES("8080");
    return bytes_equal(name, BYTES("PORT"));
}

/* The C library's calloc, so that failures a test asks for hit the code under test alone. */
struct control_try *control_try(struct bytes text)
{
    const struct control_request request = { .stages = &STAGES, .source = { .read = read_file, .variable = variable } };
    struct control_try *try = calloc(1, sizeof(*try));
    struct text all;

    if (!try)
        abort();
    arena_init(&try->arena, NULL, ARENA_MAX);
    try->result = control_load(&request, "w", text, &try->arena, &try->faults, &try->config);
    all = text_into(try->text, sizeof(try->text) - 1);
    for (size_t i = 0; i < try->faults.count; i++) {
        char line[1024];
        size_t len = fault_write(&try->faults.faults[i], line, sizeof(line));

        text_add(&all, bytes_of(line, MIN(len, sizeof(line) - 1)));
        text_add_char(&all, '\n');
    }
    try->text[all.len] = '\0';
    return try;
}

void control_try_done(struct control_try *try)
{
    arena_done(&try->arena);
    free(try);
}
