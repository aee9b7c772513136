/* Files of environment variables: whatever bytes come, there are entries or faults, and entries read again the same. */
#include "conf/dotenv.h"

#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX (256 * 1024)

static void check_true(const char *what, bool holds)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* The entries in single quotes; false: one holds such a quote. */
static bool write_again(const struct dotenv *found, struct text *text)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct dotenv_entry *entry = &found->entries[i];

        if (bytes_find_char(entry->value, '\'') >= 0)
            return false;
        text_add(text, entry->name);
        text_add(text, BYTES("='"));
        text_add(text, entry->value);
        text_add(text, BYTES("'\n"));
    }
    return !text->full;
}

static void check_again(const struct dotenv *found, struct arena *arena, struct fault_list *faults)
{
    static char memory[TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct dotenv again = { 0 };

    if (!write_again(found, &text))
        return;
    check_true("what was read can't be read again",
               dotenv_read("again", text_bytes(&text), NULL, arena, faults, &again) == 0);
    check_true("another number of entries", again.count == found->count);
    for (size_t i = 0; i < found->count; i++)
        check_true("another entry", bytes_equal(found->entries[i].name, again.entries[i].name) &&
                                        bytes_equal(found->entries[i].value, again.entries[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fault_list faults;
    struct dotenv found = { 0 };
    struct arena arena;
    int r;

    faults.count = faults.dropped = 0;
    arena_init(&arena, NULL, 64 * MIB);
    r = dotenv_read(".env", bytes_of(data, len), NULL, &arena, &faults, &found);
    check_true("faults and result differ", (r == 0) == (faults.count == 0) || r == -ENOMEM);
    for (size_t i = 0; i < faults.count; i++)
        check_true("a fault without a line", faults.faults[i].line > 0);
    if (r == 0)
        check_again(&found, &arena, &faults);
    arena_done(&arena);
    return 0;
}
