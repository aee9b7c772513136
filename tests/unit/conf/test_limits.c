/* Every bound of conf/ in base/limits.h is reached here: the last that fits, and the first that does not. */
#include "try.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT_MAX ((size_t)4 * CONF_TEXT_MAX)

struct building {
    char *memory;
    struct text text;
};

static struct building building_new(void)
{
    struct building building = { .memory = malloc(TEXT_MAX) };

    assert_non_null(building.memory);
    building.text = text_into(building.memory, TEXT_MAX);
    return building;
}

static void repeat(struct text *text, const char *part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(text, bytes_of_text(part));
}

/* Loads what was built and frees it. `fault` NULL: it is fine; "": whatever it says; else that is in it. */
static void expect(struct building *building, const struct try_file *files, const char *fault)
{
    struct try *try;

    assert_false(building->text.full);
    try = try_load(text_bytes(&building->text), files);
    if (!fault)
        assert_string_equal(try->text, "");
    else if (!strstr(try->text, fault))
        assert_string_equal(try->text, fault);
    assert_int_equal(try->result == 0, fault == NULL);
    try_done(try);
    free(building->memory);
}

static void bounds_text(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\n#"));
        repeat(&building.text, "x", CONF_TEXT_MAX - building.text.len + over);
        expect(&building, NULL, over ? "w: the file is longer than 1048576 bytes (split it with include)" : NULL);
    }
}

/* Root, system, list and its items are nodes. */
static void bounds_nodes(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\nservices: { a: { run: ["));
        repeat(&building.text, "x,", CONF_NODES_MAX - 5 + over);
        text_add(&building.text, BYTES("] } }\n"));
        expect(&building, NULL, over ? "more than 100000 values" : NULL);
    }
}

static void bounds_nodes_of_all_files(void **state)
{
    struct building building = building_new(), other = building_new();
    struct try_file files[] = { { "a", other.memory }, { 0 } };

    text_add(&building.text, BYTES("include: a\nsystem: shop\nservices: { a: { run: ["));
    repeat(&building.text, "x,", CONF_NODES_MAX / 2);
    text_add(&building.text, BYTES("] } }\n"));
    text_add(&other.text, BYTES("services: { b: { run: ["));
    repeat(&other.text, "x,", CONF_NODES_MAX / 2);
    text_add(&other.text, BYTES("] } }\n"));
    text_add_char(&other.text, '\0');
    expect(&building, files, "a:1:100004: services.b.run[49990]: more than 100000 values");
    free(other.memory);
}

/* Ten times ten times ten ...: a few lines that stand for more nodes than there are atoms. */
static void bounds_what_aliases_multiply(void **state)
{
    struct building building = building_new();

    text_add(&building.text, BYTES("system: shop\na0: &a0 lol\n"));
    for (int i = 1; i < 40; i++) {
        text_add_format(&building.text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            text_add_format(&building.text, "*a%d,", i - 1);
        text_add(&building.text, BYTES("]\n"));
    }
    expect(&building, NULL, "w:7:38: a5[7]: more than 100000 values (aliases count as often as they are used)");
}

static void multiplied_texts_are_kept_once(void **state)
{
    struct building building = building_new();

    text_add(&building.text, BYTES("system: shop\nlabels: { a: &a "));
    repeat(&building.text, "y", 60000);
    text_add(&building.text, BYTES(" }\nservices: { a: { run: ["));
    repeat(&building.text, "*a ,", 1500);
    text_add(&building.text, BYTES("] } }\n"));
    expect(&building, NULL, NULL); /* 90 MB in an arena of 8 MiB, were it not so */
}

/* A text of 60,000 bytes counts as 59 nodes. */
static void bounds_multiplied_texts(void **state)
{
    struct building building = building_new();

    text_add(&building.text, BYTES("system: shop\nlabels: { a: &a "));
    repeat(&building.text, "y", 60 * CONF_NODE_TEXT - 1440);
    text_add(&building.text, BYTES(" }\nservices: { a: { run: ["));
    repeat(&building.text, "*a ,", CONF_NODES_MAX / 59);
    text_add(&building.text, BYTES("] } }\n"));
    expect(&building, NULL, "more than 100000 values");
}

/* The root is a level, and so is the innermost scalar. */
static void bounds_depth(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();
        size_t gathers = (CONF_DEPTH_MAX - 4) / 2;

        text_add(&building.text, BYTES("system: shop\nservices: { a: }\nroutes: [ { match: { path: /x }, to: "));
        repeat(&building.text, "{ gather: { from: a, otherwise: ", gathers);
        text_add(&building.text, over ? BYTES("{ gather: { from: a } }") : BYTES("a"));
        repeat(&building.text, "} }", gathers);
        text_add(&building.text, BYTES(" } ]\n"));
        expect(&building, NULL, over ? "nested deeper than 64 levels" : NULL);
    }
}

static void bounds_depth_of_anything(void **state)
{
    static const char *const openings[] = { "[", "{a: ", "- ", "? ", "[{a: " };

    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        struct building building = building_new();

        repeat(&building.text, openings[i], 100000);
        expect(&building, NULL, "");
    }
}

static void bounds_depth_behind_aliases(void **state)
{
    struct building building = building_new();

    text_add(&building.text, BYTES("a0: &a0 x\n"));
    for (int i = 1; i < 70; i++)
        text_add_format(&building.text, "a%d: &a%d [ *a%d ]\n", i, i, i - 1);
    expect(&building, NULL, "w:64:13: nested deeper than 64 levels");
}

static void bounds_scalars(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\nlabels: { a: "));
        repeat(&building.text, "x", CONF_SCALAR_MAX + over);
        text_add(&building.text, BYTES(" }\n"));
        expect(&building, NULL, over ? "w:2:14: labels.a: must not be longer than 65536 bytes" : NULL);
    }
}

static void bounds_substituted_scalars(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\nlabels: { a: '"));
        repeat(&building.text, "${NAME}", CONF_SCALAR_MAX / 4);
        text_add(&building.text, over ? BYTES("x' }\n") : BYTES("' }\n"));
        expect(&building, NULL, over ? "w:2:14: labels.a: must not be longer than 65536 bytes" : NULL);
    }
}

static bool long_variable(void *user, struct bytes name, struct bytes *ret_value)
{
    *ret_value = bytes_of_text(user);
    return true;
}

static void runs_out_of_scratch(void **state)
{
    struct conf_request request = { .schema = &EXAMPLE_SCHEMA, .sets = EXAMPLE_SETS, .set_count = EXAMPLE_SET_COUNT };
    struct building building = building_new();
    struct fault_list faults = { 0 };
    char *value = malloc(CONF_SCALAR_MAX);
    struct arena arena;
    void *result;

    assert_non_null(value);
    memset(value, 'x', CONF_SCALAR_MAX - 1);
    value[CONF_SCALAR_MAX - 1] = '\0';
    request.source.variable = long_variable;
    request.source.user = value;
    text_add(&building.text, BYTES("system: shop\nlisten:\n"));
    repeat(&building.text, " - ${A}\n", CONF_SCRATCH_MAX / CONF_SCALAR_MAX);
    arena_init(&arena, NULL, TRY_ARENA_MAX);
    assert_int_equal(conf_load(&request, "w", text_bytes(&building.text), &arena, &faults, &result), -ENOMEM);
    assert_string_equal(faults.faults[0].what, "not enough memory to read the configuration");
    arena_done(&arena);
    free(value);
    free(building.memory);
}

static void bounds_keys(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\nlabels: { ? "));
        repeat(&building.text, "k", CONF_KEY_MAX + over);
        text_add(&building.text, BYTES(" : v }\n"));
        expect(&building, NULL, over ? "w:2:13: labels: a key can't be longer than 256 bytes" : NULL);
    }
}

static void bounds_names(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\nservices: { "));
        repeat(&building.text, "n", CONF_NAME_MAX + over);
        text_add(&building.text, BYTES(": {} }\n"));
        expect(&building, NULL, over ? "is no name for this" : NULL);
    }
}

static void bounds_paths(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\ninclude: "));
        repeat(&building.text, "p", CONF_PATH_MAX + over);
        text_add_char(&building.text, '\n');
        expect(&building, NULL, over ? "include: must be the path of a file" : "include: can't read pp");
    }
}

struct numbered {
    uint64_t last;   /* file that includes no other */
    bool one_by_one; /* each includes the next; or the first all */
};

static int read_numbered(void *user, const char *path, struct arena *arena, struct bytes *ret_text)
{
    const struct numbered *numbered = user;
    uint64_t number = 0;

    if (bytes_to_u64(bytes_of_text(path), &number) < 0)
        return -ENOENT;
    if (!numbered->one_by_one || number >= numbered->last) {
        *ret_text = BYTES_NONE;
        return 0;
    }
    return arena_format(arena, ret_text, "include: %u\n", (unsigned)number + 1);
}

static void load_numbered(const struct numbered *numbered, struct bytes text, const char *fault)
{
    struct conf_request request = { .schema = &EXAMPLE_SCHEMA, .sets = EXAMPLE_SETS, .set_count = EXAMPLE_SET_COUNT };
    struct fault_list faults = { 0 };
    struct arena arena;
    void *result;

    request.source.read = read_numbered;
    request.source.user = (void *)(uintptr_t)numbered;
    arena_init(&arena, NULL, TRY_ARENA_MAX);
    assert_int_equal(conf_load(&request, "0", text, &arena, &faults, &result), fault ? -EINVAL : 0);
    assert_int_equal(faults.count, fault != NULL);
    if (fault)
        assert_string_equal(faults.faults[0].what, fault);
    arena_done(&arena);
}

static void bounds_depth_of_includes(void **state)
{
    struct numbered numbered = { .last = CONF_INCLUDE_DEPTH_MAX, .one_by_one = true };

    load_numbered(&numbered, BYTES("system: shop\ninclude: 1\n"), NULL);
    numbered.last++;
    load_numbered(&numbered, BYTES("system: shop\ninclude: 1\n"), "include: files include files deeper than 8 levels");
}

static void bounds_files(void **state)
{
    struct numbered numbered = { .last = 0 };

    for (int over = 0; over < 2; over++) {
        struct building building = building_new();

        text_add(&building.text, BYTES("system: shop\ninclude:\n"));
        for (int i = 1; i < CONF_FILES_MAX + over; i++)
            text_add_format(&building.text, "- %d\n", i);
        load_numbered(&numbered, text_bytes(&building.text), over ? "include[255]: more than 256 files" : NULL);
        free(building.memory);
    }
}

static void bounds_directives(void **state)
{
    for (size_t over = 0; over < 2; over++) {
        struct building building = building_new();

        for (size_t i = 0; i < CONF_DIRECTIVES_MAX + over; i++)
            text_add_format(&building.text, "%%TAG !%zu! x\n", i);
        text_add(&building.text, BYTES("---\nsystem: shop\n"));
        expect(&building, NULL, over ? "w:17:1: more than 16 lines that begin with %TAG" : NULL);
    }
}

static void bounds_faults(void **state)
{
    struct building building = building_new();
    struct try *try;

    text_add(&building.text, BYTES("system: shop\n"));
    for (int i = 0; i < 3000; i++)
        text_add_format(&building.text, "k%d: 1\n", i);
    try = try_load(text_bytes(&building.text), NULL);
    assert_int_equal(try->faults.count, FAULTS_MAX);
    assert_int_equal(try->faults.dropped, 3000 - FAULTS_MAX);
    try_done(try);
    free(building.memory);
}

static void bounds_faults_of_references(void **state)
{
    struct building building = building_new();
    struct try *try;

    text_add(&building.text, BYTES("system: shop\nservices: { b: }\nroutes:\n"));
    repeat(&building.text, "- { match: { path: /x }, to: a }\n", 1000);
    try = try_load(text_bytes(&building.text), NULL);
    assert_int_equal(try->faults.count, FAULTS_MAX);
    assert_int_equal(try->faults.dropped, 1000 - FAULTS_MAX);
    assert_string_equal(try->faults.faults[FAULTS_MAX - 1].what, "routes[63].to: no service is named \"a\"");
    try_done(try);
    free(building.memory);
}

/* The name that is meant is the last of too many, then the last of just enough. */
static void bounds_suggestions(void **state)
{
    for (int over = 0; over < 2; over++) {
        struct building building = building_new();
        struct try *try;

        text_add(&building.text, BYTES("system: shop\nservices:\n"));
        for (int i = 0; i < (over ? 40 : 1) * CONF_SUGGEST_MAX; i++)
            text_add_format(&building.text, " s%d:\n", i);
        text_add(&building.text, BYTES(" wanted:\nroutes: [ { match: { path: /x }, to: wantde } ]\n"));
        try = try_load(text_bytes(&building.text), NULL);
        assert_int_equal(try->faults.count, 1);
        if (over)
            assert_string_equal(try->faults.faults[0].hint, "");
        try_done(try);
        free(building.memory);
    }
}

static void bounds_the_arena_of_results(void **state)
{
    struct conf_request request = { .schema = &EXAMPLE_SCHEMA, .sets = EXAMPLE_SETS, .set_count = EXAMPLE_SET_COUNT };
    struct bytes text = BYTES(
        "system: shop\nservices: { a: { run: [ x, y ], retry: 3 } }\nlisten: [ a:1 ]\n"
        "policies: { p: { cache: } }\nroutes: [ { match: { path: /x }, to: { gather: { from: a } } } ]\n");
    size_t needed = 0;

    for (size_t max = 0; max < 64 * KIB && !needed; max += 32) {
        struct fault_list faults = { 0 };
        struct arena arena;
        void *result;
        int err;

        arena_init(&arena, NULL, max);
        err = conf_load(&request, "w", text, &arena, &faults, &result);
        assert_true(err == 0 || err == -ENOMEM);
        if (err == 0)
            needed = max;
        arena_done(&arena);
    }
    assert_in_range(needed, 512, 4096);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_text),
        cmocka_unit_test(bounds_nodes),
        cmocka_unit_test(bounds_nodes_of_all_files),
        cmocka_unit_test(bounds_what_aliases_multiply),
        cmocka_unit_test(multiplied_texts_are_kept_once),
        cmocka_unit_test(bounds_multiplied_texts),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(bounds_depth_of_anything),
        cmocka_unit_test(bounds_depth_behind_aliases),
        cmocka_unit_test(bounds_scalars),
        cmocka_unit_test(bounds_substituted_scalars),
        cmocka_unit_test(runs_out_of_scratch),
        cmocka_unit_test(bounds_keys),
        cmocka_unit_test(bounds_names),
        cmocka_unit_test(bounds_paths),
        cmocka_unit_test(bounds_depth_of_includes),
        cmocka_unit_test(bounds_files),
        cmocka_unit_test(bounds_directives),
        cmocka_unit_test(bounds_faults),
        cmocka_unit_test(bounds_faults_of_references),
        cmocka_unit_test(bounds_suggestions),
        cmocka_unit_test(bounds_the_arena_of_results),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
