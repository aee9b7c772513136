/* Files that include files. */
#include "try.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct row {
    const char *text;
    const char *faults;
    struct try_file files[4];
};

static const struct row BAD_ROWS[] = {
    { "system: shop\ninclude: [ a.yaml ]\n", "w:2:12: include[0]: can't read a.yaml: no such file\n", { { 0 } } },
    { "system: shop\ninclude: a*.yaml\n",
      "w:2:10: include: can't read a*.yaml: no such file (patterns are not supported: list the files)\n",
      { { 0 } } },
    { "system: shop\ninclude: [ a ]\n", "w:2:12: include[0]: can't read a: permission denied\n", { { "a", NULL } } },
    { "system: shop\ninclude: [ ./w ]\n", "w:2:12: include[0]: w includes itself, by way of w\n", { { 0 } } },
    { "system: shop\ninclude: [ d/a ]\n",
      "d/c:1:10: include: d/b includes itself, by way of d/c\n",
      { { "d/a", "include: b\n" }, { "d/b", "include: ../d/./c\n" }, { "d/c", "include: b\n" } } },
    { "system: shop\ninclude: [ a, b ]\n",
      "w:2:15: include[1]: b is included already, at a:1:10\n",
      { { "a", "include: b\n" }, { "b", "" } } },
    { "system: shop\ninclude: [ '', a/, '${NOPE}', [] ]\n",
      "w:2:12: include[0]: must be the path of a file\nw:2:16: include[1]: must be the path of a file\n"
      "w:2:20: include[2]: variable NOPE is not set (set it, or write ${NOPE:-default})\n"
      "w:2:31: include[3]: must be a string, found a list\n",
      { { 0 } } },
    { "system: shop\ninclude: { a: b }\n", "w:2:10: include: must be a string, found a mapping\n", { { 0 } } },
    { "system: shop\ninclude: a\nservices: { x: {} }\n",
      "a:2:3: services.x: defined twice, first at w:3:13\n",
      { { "a", "services:\n  x: {}\n" } } },
    { "system: shop\ninclude: [ a, b ]\n",
      "b:1:13: services.x: defined twice, first at a:1:13\n",
      { { "a", "services: { x: {} }" }, { "b", "services: { x: {} }" } } },
    { "system: shop\ninclude: a\n", "a:1:1: system: defined twice, first at w:1:1\n", { { "a", "system: shop\n" } } },
    { "system: shop\ninclude: a\n",
      "a:1:1: must be a mapping, found a list (write lines of \"name: value\", without \"- \" before them)\n",
      { { "a", "- x\n" } } },
    { "system: shop\ninclude: a\n",
      "a:1:1: variable NOPE is not set (set it, or write ${NOPE:-default})\n",
      { { "a", "${NOPE}\n" } } },
    { "system: shop\ninclude: a\nroutes: [ { match: { path: /x }, to: somewhere } ]\n",
      "a:1:1: yaml: while parsing a block node: did not find expected node content\n",
      { { "a", "}\n" } } },
    { "system: shop\ninclude: a\nxx: 1\n",
      "w:3:1: unknown key \"xx\" (known: system, include, debug, memory, listen, services, policies, routes, labels, "
      "jobs)\n"
      "a:1:1: unknown key \"xx\" (known: system, include, debug, memory, listen, services, policies, routes, labels, "
      "jobs)\n",
      { { "a", "xx: 1\n" } } },
    { "include: a\nservices: []\n",
      "w:1:1: missing key \"system\" (such as system: shop)\nw:2:11: services: must be a mapping, found a list (write "
      "lines of \"name: value\", without \"- \" before them)\n",
      { { "a", "services: { a: {} }\n" } } },
    { "include: a\nsystem: shop\n",
      "a:1:11: services: must be a mapping, found \"x\"\nb:1:23: services.a.scale: must be an integer, found \"x\"\n",
      { { "a", "services: x\ninclude: b" }, { "b", "services: {a: {scale: x}}\n" } } },
    { "include: a\nsystem: shop\nroutes: [ { match: { path: x }, to: a } ]\n",
      "w:3:28: routes[0].match.path: must begin with a slash (such as /healthz)\n"
      "a:1:34: routes[1].to: no service is named \"b\"\n",
      { { "a", "routes: [{match: {path: /x}, to: b}]\nservices: {a: }" } } },
    { "- x\n",
      "w:1:1: must be a mapping, found a list (write lines of \"name: value\", without \"- \" before them)\n",
      { { 0 } } },
};

static void refuses(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD_ROWS); i++) {
        struct try *try = try_load(bytes_of_text(BAD_ROWS[i].text), BAD_ROWS[i].files);

        assert_string_equal(try->text, BAD_ROWS[i].faults);
        assert_int_equal(try->result, -EINVAL);
        try_done(try);
    }
}

static void puts_files_together(void **state)
{
    static const struct try_file files[] = {
        { "/etc/a", "include: [ b, d/c ]\nservices: &s { a: { run: [x] } }\nlisten: [ a:1 ]\nlabels: { k: v }\n" },
        { "/etc/b", "debug: false\nservices:\n  b:\n" },
        { "/etc/d/c", "# nothing\n" },
        { "x/y", "services:\nroutes:\n- { match: { path: /x }, to: a }\n" },
        { 0 },
    };
    static const char *const names[] = { "z", "a", "b" };
    struct try *try = try_load(BYTES("system: shop\n"
                                     "include: [ /etc/../etc//a, ./x/q/../y ]\n"
                                     "routes: [ { match: { path: /w }, to: b } ]\n"
                                     "listen: [ w:1 ]\n"
                                     "services: { z: }\n"),
                               files);
    const struct example *example = try->example;
    const struct example_route *route;

    assert_string_equal(try->text, "");
    assert_false(example->debug);
    assert_int_equal(example->services.count, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(example->services.entries[i].name.data, names[i]);
    assert_string_equal(example->services.entries[1].place.file, "/etc/a");
    assert_int_equal(example->routes.count, 2);
    route = (const struct example_route *)example->routes.items + 1;
    assert_string_equal(route->to.place.file, "x/y");
    assert_int_equal(example->listen.count, 2);
    assert_string_equal(((struct bytes *)example->listen.items)[1].data, "a:1");
    assert_int_equal(example->include.count, 4); /* of all files */
    try_done(try);
}

static void finds_files_beside_the_including_one(void **state)
{
    static const struct {
        const char *file, *include, *path;
    } rows[] = {
        { "w", "a", "a" },
        { "d/w", "a", "d/a" },
        { "d/w", "../a", "a" },
        { "d/w", "../../a", "../a" },
        { "../w", "../a", "../../a" },
        { "/w", "../a", "/a" },
        { "/d/w", "./e/../a", "/d/a" },
        { "d/w", "/a", "/a" },
        { "./d/./w", "a", "d/a" },
        { "d//e/w", "../../a", "a" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct conf_request request = { .schema = &EXAMPLE_SCHEMA, .sets = EXAMPLE_SETS, .set_count = 2 };
        const struct try_file files[] = { { rows[i].path, "system: shop\n" }, { 0 } };
        char memory[64];
        struct text text = text_into(memory, sizeof(memory));
        static struct fault_list faults;
        struct arena arena;
        void *result;

        text_add_format(&text, "include: %s\n", rows[i].include);
        request.source.read = try_read;
        request.source.user = (void *)(uintptr_t)files;
        arena_init(&arena, NULL, TRY_ARENA_MAX);
        assert_int_equal(conf_load(&request, rows[i].file, text_bytes(&text), &arena, &faults, &result), 0);
        arena_done(&arena);
    }
}

static int read_nothing(void *user, const char *path, struct arena *arena, struct bytes *ret_text)
{
    return *(int *)user;
}

static void says_why_a_file_can_not_be_read(void **state)
{
    static const struct {
        int err;
        const char *what;
    } rows[] = {
        { -ENOENT, "include: can't read a: no such file" },
        { -EACCES, "include: can't read a: permission denied" },
        { -EPERM, "include: can't read a: permission denied" },
        { -EISDIR, "include: can't read a: it is a directory" },
        { -EFBIG, "include: can't read a: it is too large" },
        { -ENOTDIR, "include: can't read a: a part of the path is no directory" },
        { -ELOOP, "include: can't read a: too many symbolic links" },
        { -EIO, "include: can't read a: error 5" },
        { 0, "include: can't be used here" },
        { -ENOMEM, "not enough memory to read the configuration" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct conf_request request = { .schema = &EXAMPLE_SCHEMA, .sets = EXAMPLE_SETS, .set_count = 2 };
        struct fault_list faults = { 0 };
        struct arena arena;
        int err = rows[i].err;
        void *result;

        request.source.read = err ? read_nothing : NULL;
        request.source.user = &err;
        arena_init(&arena, NULL, TRY_ARENA_MAX);
        assert_int_equal(conf_load(&request, "w", BYTES("system: shop\ninclude: a\n"), &arena, &faults, &result),
                         err == -ENOMEM ? err : -EINVAL);
        assert_int_equal(faults.count, 1);
        assert_string_equal(faults.faults[0].what, rows[i].what);
        arena_done(&arena);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(puts_files_together),
        cmocka_unit_test(finds_files_beside_the_including_one),
        cmocka_unit_test(says_why_a_file_can_not_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
