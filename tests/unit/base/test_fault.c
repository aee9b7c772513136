#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

static void writes_what_is_known(void **state)
{
    static const struct {
        const char *file;
        unsigned line, column;
        const char *what, *hint, *expected;
    } ROWS[] = {
        { "weft.yaml", 12, 5, "scale: too large", "is 5000", "weft.yaml:12:5: scale: too large (is 5000)" },
        { "weft.yaml", 12, 5, "scale: too large", NULL, "weft.yaml:12:5: scale: too large" },
        { "weft.yaml", 12, 0, "scale: too large", NULL, "weft.yaml:12: scale: too large" },
        { "weft.yaml", 0, 5, "can't be read", NULL, "weft.yaml: can't be read" },
        { NULL, 3, 4, "wrong", NULL, "3:4: wrong" },
        { "", 0, 0, "wrong", "right", "wrong (right)" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct fault fault = { 0 };
        char memory[256];
        size_t wanted = strlen(ROWS[i].expected);

        fault_at(&fault, ROWS[i].file, ROWS[i].line, ROWS[i].column);
        fault_set(&fault, "%s", ROWS[i].what);
        if (ROWS[i].hint)
            fault_hint(&fault, "%s", ROWS[i].hint);
        assert_int_equal(fault_write(&fault, memory, sizeof(memory)), wanted);
        assert_string_equal(memory, ROWS[i].expected);
        assert_int_equal(fault_write(&fault, memory, wanted), wanted);
        assert_int_equal(strlen(memory), wanted - 1);
        assert_int_equal(fault_write(&fault, memory, 1), wanted);
        assert_string_equal(memory, "");
        assert_int_equal(fault_write(&fault, NULL, 0), wanted);
    }
}

static void no_fault_is_wanted(void **state)
{
    fault_set(NULL, "%d", 1);
    fault_hint(NULL, "%d", 1);
    fault_at(NULL, "file", 1, 1);
}

static void text_of_length(char *memory, size_t len, const char *end)
{
    memset(memory, 'x', len);
    memcpy(memory + len - strlen(end), end, strlen(end));
    memory[len] = '\0';
}

/* FAULT_TEXT_MAX and FAULT_HINT_MAX, with their zero. */
static void long_texts_are_cut(void **state)
{
    char text[FAULT_TEXT_MAX * 2];
    struct fault fault = { 0 };

    text_of_length(text, FAULT_TEXT_MAX - 1, "end");
    fault_set(&fault, "%s", text);
    assert_string_equal(fault.what, text);
    text_of_length(text, FAULT_TEXT_MAX, "end");
    fault_set(&fault, "%s", text);
    text_of_length(text, FAULT_TEXT_MAX - 1, "...");
    assert_string_equal(fault.what, text);
    text_of_length(text, FAULT_HINT_MAX - 1, "end");
    fault_hint(&fault, "%s", text);
    assert_string_equal(fault.hint, text);
    text_of_length(text, FAULT_HINT_MAX, "end");
    fault_hint(&fault, "%s", text);
    text_of_length(text, FAULT_HINT_MAX - 1, "...");
    assert_string_equal(fault.hint, text);
}

/* A euro sign is three bytes: wherever the cut falls, it stands whole or not at all. */
static void characters_are_not_cut(void **state)
{
    const size_t room = FAULT_TEXT_MAX - 4; /* before the dots and the zero */

    for (size_t before = room - 5; before < room + 3; before++) {
        size_t kept = before < room && before + 3 > room ? before : room;
        char text[FAULT_TEXT_MAX * 2];
        struct fault fault = { 0 };

        text_of_length(text, before + 23, "");
        memcpy(text + before, "\xe2\x82\xac", 3);
        fault_set(&fault, "%s", text);
        memcpy(text + kept, "...", 4);
        assert_string_equal(fault.what, text);
    }
}

static void nothing_but_continuations(void **state)
{
    char text[FAULT_TEXT_MAX * 2];
    struct fault fault = { 0 };

    memset(text, '\x80', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    fault_set(&fault, "%s", text);
    assert_string_equal(fault.what, "...");
    fault_at(&fault, text, 0, 0);
    assert_string_equal(fault.file, "...");
}

static void what_cannot_be_formatted_is_empty(void **state)
{
    struct fault fault = { .what = "before" };

    fault_set(&fault, "%lc", (wint_t)0xd800); /* a surrogate: no character */
    assert_string_equal(fault.what, "");
}

/* FAULT_FILE_MAX: the end of a path is kept. */
static void long_files_keep_their_end(void **state)
{
    char text[FAULT_FILE_MAX * 2];
    struct fault fault = { 0 };

    text_of_length(text, FAULT_FILE_MAX - 1, "/end");
    fault_at(&fault, text, 1, 1);
    assert_string_equal(fault.file, text);
    text_of_length(text, FAULT_FILE_MAX, "/end");
    fault_at(&fault, text, 1, 1);
    assert_int_equal(strlen(fault.file), FAULT_FILE_MAX - 1);
    assert_memory_equal(fault.file, "...x", 4);
    assert_string_equal(fault.file + FAULT_FILE_MAX - 5, "/end");
    memcpy(text, "xxx\xe2\x82\xac", 6); /* kept: from the fifth byte on, inside the character */
    fault_at(&fault, text, 1, 1);
    assert_int_equal(strlen(fault.file), FAULT_FILE_MAX - 3);
    assert_memory_equal(fault.file, "...x", 4);
}

/* FAULTS_MAX. */
static void list_counts_what_it_drops(void **state)
{
    struct fault_list list = { 0 };

    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        struct fault *fault = fault_list_add(&list);

        assert_ptr_equal(fault, &list.faults[i]);
        fault_set(fault, "fault %u", i);
        fault_hint(fault, "hint");
    }
    for (unsigned i = 0; i < 3; i++) {
        struct fault *fault = fault_list_add(&list);

        assert_non_null(fault);
        assert_string_equal(fault->what, "");
        fault_set(fault, "dropped");
    }
    assert_int_equal(list.count, FAULTS_MAX);
    assert_int_equal(list.dropped, 3);
    assert_string_equal(list.faults[0].what, "fault 0");
    assert_string_equal(list.faults[FAULTS_MAX - 1].what, "fault 63");
}

static void list_entries_come_cleared(void **state)
{
    struct fault_list list = { 0 };

    fault_set(&list.faults[0], "old");
    fault_hint(&list.faults[0], "old");
    assert_string_equal(fault_list_add(&list)->hint, "");
    assert_string_equal(list.faults[0].what, "");
}

/* The longest fault that there is. */
static void longest_fault_is_written_whole(void **state)
{
    char memory[FAULT_FILE_MAX + FAULT_TEXT_MAX + FAULT_HINT_MAX + 64];
    char text[FAULT_TEXT_MAX * 2];
    struct fault fault = { 0 };
    size_t len;

    text_of_length(text, sizeof(text) - 1, "");
    fault_at(&fault, text, 4294967295u, 4294967295u);
    fault_set(&fault, "%s", text);
    fault_hint(&fault, "%s", text);
    len = fault_write(&fault, memory, sizeof(memory));
    assert_int_equal(len, strlen(memory));
    assert_int_equal(len, FAULT_FILE_MAX - 1 + FAULT_TEXT_MAX - 1 + FAULT_HINT_MAX - 1 + 3 + 2 * 10 + 1 + 3);
    assert_int_equal(memory[len - 1], ')');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_is_known),      cmocka_unit_test(no_fault_is_wanted),
        cmocka_unit_test(long_texts_are_cut),        cmocka_unit_test(characters_are_not_cut),
        cmocka_unit_test(nothing_but_continuations), cmocka_unit_test(what_cannot_be_formatted_is_empty),
        cmocka_unit_test(long_files_keep_their_end), cmocka_unit_test(list_counts_what_it_drops),
        cmocka_unit_test(list_entries_come_cleared), cmocka_unit_test(longest_fault_is_written_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
