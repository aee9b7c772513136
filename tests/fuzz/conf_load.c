/* Any text is loaded by the tables of the unit tests' example: it must come to an end within its bounds, answer with
 * faults or with a struct but never with both, and answer the same when it is asked again. Further files are cut from
 * the text itself: what follows a line "%%%" can be included under the names 1, 2, ... */
#include "example.h"

#include "base/alloc.h"
#include "base/assert.h"

#include <errno.h>

#define ARENA_MAX (64 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct bytes SEPARATOR = { "\n%%%\n", 5 };

/* The n-th part of the text; false when there are fewer. */
static bool cut(struct bytes whole, size_t number, struct bytes *ret)
{
    ssize_t end;

    while (number-- > 0) {
        end = bytes_find(whole, SEPARATOR);
        if (end < 0)
            return false;
        whole = bytes_skip(whole, (size_t)end + SEPARATOR.len);
    }
    end = bytes_find(whole, SEPARATOR);
    *ret = bytes_slice(whole, 0, end < 0 ? whole.len : (size_t)end);
    return true;
}

static int read_part(void *user, const char *path, struct arena *arena, struct bytes *ret_text)
{
    const struct bytes *whole = user;
    uint64_t number;

    if (bytes_to_u64(bytes_of_text(path), &number) < 0 || number == 0 || number > 9)
        return -ENOENT;
    return cut(*whole, number, ret_text) ? 0 : -EACCES;
}

static bool variable(void *user, struct bytes name, struct bytes *ret_value)
{
    if (name.len > 2)
        return false;
    *ret_value = name.len > 1 ? BYTES("") : BYTES("42");
    return true;
}

static int load(struct bytes whole, struct arena *arena, struct fault_list *faults, void **ret)
{
    struct conf_request request = {
        .schema = &EXAMPLE_SCHEMA,
        .sets = EXAMPLE_SETS,
        .set_count = EXAMPLE_SET_COUNT,
        .source = { .read = read_part, .variable = variable, .user = &whole },
    };
    struct bytes text;

    ASSERT(cut(whole, 0, &text));
    return conf_load(&request, "fuzz", text, arena, faults, ret);
}

static void check_faults(const struct fault_list *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        ASSERT(faults->faults[i].what[0] != '\0');
        ASSERT(faults->faults[i].file[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes whole = bytes_of(data, size);
    struct fault_list *first = mem_zalloc(sizeof(*first)), *second = mem_zalloc(sizeof(*second));
    void *first_result = NULL, *second_result = NULL;
    struct arena first_arena, second_arena;
    int first_err, second_err;

    ASSERT(first && second);
    arena_init(&first_arena, NULL, ARENA_MAX);
    arena_init(&second_arena, NULL, ARENA_MAX);
    first_err = load(whole, &first_arena, first, &first_result);
    second_err = load(whole, &second_arena, second, &second_result);
    ASSERT(first_err == 0 || first_err == -EINVAL || first_err == -ENOMEM);
    ASSERT((first_err == 0) == (first->count == 0));
    ASSERT((first_err == 0) == (first_result != NULL));
    check_faults(first);
    ASSERT(first_err == second_err && memcmp(first, second, sizeof(*first)) == 0);
    arena_done(&first_arena);
    arena_done(&second_arena);
    mem_free(first);
    mem_free(second);
    return 0;
}
