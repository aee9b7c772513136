/* What two texts mean, and where they differ. */
#include "conf/meaning.h"

#include "faults.h"
#include "try.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BASE "system: shop\n"

struct told {
    struct conf_differences differences;
    struct text text;
    char memory[64 * 1024];
};

static void found(struct conf_differences *differences, const struct conf_difference *difference)
{
    static const char *const SIGNS[] = {
        [CONF_ADDED] = "+", [CONF_REMOVED] = "-", [CONF_CHANGED] = "~", [CONF_MOVED] = ">"
    };
    struct told *told = container_of(differences, struct told, differences);

    text_add_format(&told->text, "%s " BYTES_FMT ":", SIGNS[difference->change], BYTES_ARG(difference->path));
    if (difference->before.len)
        text_add_format(&told->text, " " BYTES_FMT, BYTES_ARG(difference->before));
    if (difference->after.len)
        text_add_format(&told->text, " -> " BYTES_FMT, BYTES_ARG(difference->after));
    text_add_char(&told->text, '\n');
}

static int compare(struct bytes before, struct bytes after, struct told *told)
{
    struct try *first = try_load(before, NULL), *second = try_load(after, NULL);
    struct conf_meaning *a = NULL, *b = NULL;
    struct arena arena;
    int r;

    assert_string_equal(first->text, "");
    assert_string_equal(second->text, "");
    told->differences.found = found;
    told->text = text_into(told->memory, sizeof(told->memory) - 1);
    arena_init(&arena, NULL, TRY_ARENA_MAX);
    r = conf_meaning_make(&EXAMPLE_SCHEMA, first->example, &arena, &a);
    if (r == 0)
        r = conf_meaning_make(&EXAMPLE_SCHEMA, second->example, &arena, &b);
    if (r == 0)
        r = conf_meaning_compare(a, b, &told->differences);
    told->memory[told->text.len] = '\0';
    arena_done(&arena);
    try_done(first);
    try_done(second);
    return r;
}

static void test_differences(void **state)
{
    static const struct {
        const char *before, *after, *told;
    } ROWS[] = {
        /* (1) what is written otherwise and means the same */
        { "debug: true", "memory: 64MiB", "" },
        { "memory: 65536KiB", "", "" },
        { "services: { a: { timeout: 15s, scale: 1 } }", "services: { a: { timeout: { total: 15000ms } } }", "" },
        { "services: { a: { run: x }, b: { run: y } }", "services: { b: { run: y }, a: { run: x } }", "" },
        { "services: { a: { url: 'http://x:1' } }", "services: { a: { url: ['http://x:1'] } }", "" },
        { "labels: { x: '${NAME}' }", "labels: { x: shop }", "" },
        { "listen: []", "", "" },
        { "services: { a: { retry: {} } }", "services: { a: { retry: { attempts: 3, budget: 20% } } }", "" },
        /* values */
        { "", "debug: false", "~ debug: true -> false\n" },
        { "memory: 1GiB", "", "~ memory: 1GiB -> 64MiB\n" },
        { "services: { a: { scale: 2 } }", "services: { a: { scale: 0 } }", "~ services.a.scale: 2 -> 0\n" },
        { "services: { a: {} }", "services: { a: { balance: round-robin, weight: 0.5 } }",
          "~ services.a.balance: least-request -> round-robin\n~ services.a.weight: 1 -> 0.5\n" },
        { "services: { a: {} }", "services: { a: { ready: /up } }", "+ services.a.ready: -> /up\n" },
        { "services: { a: { ready: /up } }", "services: { a: {} }", "- services.a.ready: /up\n" },
        { "services: { a: { retry: { backoff: 1ms..1s } } }", "services: { a: { retry: { budget: 1% } } }",
          "~ services.a.retry.backoff: 1ms..1s -> 100ms..1s\n~ services.a.retry.budget: 20% -> 1%\n" },
        { "labels: { x: '' }", "labels: { x: 'a b' }", "~ labels.x: \"\" -> \"a b\"\n" },
        /* mappings */
        { "services: { a: {} }", "services: { a: {}, b: { run: ./b, scale: 8, weight: 1.0 } }",
          "+ services.b: -> { run: ./b, scale: 8 }\n" },
        { "services: { a: { retry: {} }, b: {} }", "services: { b: {} }", "- services.a: { retry: {} }\n" },
        { "labels: { a: x }", "", "- labels: { a: x }\n" },
        { "services: { a: {} }", "services: { a: { environment: { A: '1' } } }",
          "+ services.a.environment: -> { A: 1 }\n" },
        { "services: { a: { environment: { A: '1' } } }", "services: { a: { environment: { B: '1' } } }",
          "- services.a.environment.A: 1\n+ services.a.environment.B: -> 1\n" },
        /* (2) lists */
        { "listen: ['a:1', 'b:1', 'c:1']", "listen: ['a:1', 'x:1', 'b:1', 'c:1']", "+ listen[1]: -> x:1\n" },
        { "listen: ['a:1', 'b:1', 'c:1']", "listen: ['b:1', 'c:1']", "- listen[0]: a:1\n" },
        { "listen: ['a:1', 'b:1', 'c:1']", "listen: ['a:1', 'x:1', 'c:1']", "~ listen[1]: b:1 -> x:1\n" },
        { "listen: ['a:1', 'b:1', 'c:1']", "listen: ['b:1', 'c:1', 'a:1']", "- listen[0]: a:1\n+ listen[2]: -> a:1\n" },
        { "listen: ['a:1', 'b:1', 'c:1', 'd:1']", "listen: ['x:1', 'c:1', 'y:1']",
          "~ listen[0]: a:1 -> x:1\n- listen[1]: b:1\n~ listen[2]: d:1 -> y:1\n" },
        { "services: { a: { run: x } }", "services: { a: { run: [x, -v] } }", "~ services.a.run: x -> [x, -v]\n" },
        { "services: { a: { run: x } }", "services: { a: { run: [y] } }", "~ services.a.run: x -> [y]\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct told *told = calloc(1, sizeof(*told));
        char before[1024], after[1024];
        int a = snprintf(before, sizeof(before), BASE "%s\n", ROWS[i].before);
        int b = snprintf(after, sizeof(after), BASE "%s\n", ROWS[i].after);

        assert_int_equal(compare(bytes_of(before, (size_t)a), bytes_of(after, (size_t)b), told), 0);
        assert_string_equal(told->memory, ROWS[i].told);
        free(told);
    }
}

/* Routes and stages have alternatives, and the stages of policies an order. */
static void test_alternatives(void **state)
{
    static const struct {
        const char *before, *after, *told;
    } ROWS[] = {
        { "[ cache: { size: 1MiB }, limit: { rate: 5/s } ]", "[ limit: { rate: 5/s }, cache: { size: 1MiB } ]",
          "> routes[1].stages[0]: routes[1].stages[1]\n" },
        { "[ limit: { rate: 5/s } ]", "[ cache: { size: 1MiB }, limit: { rate: 6/s } ]",
          "~ routes[1].stages[1].limit.rate: 5/s -> 6/s\n+ routes[1].stages[0]: -> { cache: { size: 1MiB } }\n" },
        { "[ cache: { size: 1MiB } ]", "[ cache: { size: 1MiB }, limit: { rate: 5/s } ]",
          "+ routes[1].stages[1]: -> { limit: { rate: 5/s } }\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct told *told = calloc(1, sizeof(*told));
        char before[1024], after[1024];
        static const char FORMAT[] = BASE "services: { a: {}, b: {} }\nroutes:\n  - { match: { path: /x }, to: a }\n"
                                          "  - { match: { path: /y }, to: b, stages: %s }\n";
        int a = snprintf(before, sizeof(before), FORMAT, ROWS[i].before);
        int b = snprintf(after, sizeof(after), FORMAT, ROWS[i].after);

        assert_int_equal(compare(bytes_of(before, (size_t)a), bytes_of(after, (size_t)b), told), 0);
        assert_string_equal(told->memory, ROWS[i].told);
        free(told);
    }
}

static void test_order_of_unions(void **state)
{
    struct told *told = calloc(1, sizeof(*told));

    assert_int_equal(compare(BYTES(BASE "policies: { p: { cache: { size: 1MiB }, limit: { rate: 5/s } } }\n"),
                             BYTES(BASE "policies: { p: { limit: { rate: 5/s }, cache: { size: 1MiB } } }\n"), told),
                     0);
    assert_string_equal(told->memory, "~ policies.p (order): cache, limit -> limit, cache\n");
    free(told);
}

/* A target of another kind is another value, not a key that went and one that came. */
static void test_other_alternative(void **state)
{
    struct told *told = calloc(1, sizeof(*told));

    assert_int_equal(
        compare(BYTES(BASE "services: { a: {} }\nroutes: [ { match: { path: /x }, to: a } ]\n"),
                BYTES(BASE "services: { a: {} }\nroutes: [ { match: { path: /x }, to: { gather: { from: a } } } ]\n"),
                told),
        0);
    assert_string_equal(told->memory, "~ routes[0].to: a -> { gather: { from: a } }\n");
    free(told);
}

/* CONF_DIFFERENCE_TEXT_MAX: cut, but never within a character. */
static void test_long_values(void **state)
{
    struct told *told = calloc(1, sizeof(*told));
    struct text text = text_into(malloc(4096), 4096);

    text_add(&text, BYTES(BASE "labels: { x: \"a"));
    for (unsigned i = 0; i < CONF_DIFFERENCE_TEXT_MAX; i++)
        text_add(&text, BYTES("\xc3\xa9"));
    text_add(&text, BYTES("\" }\n"));
    assert_int_equal(compare(BYTES(BASE "labels: { x: b }\n"), text_bytes(&text), told), 0);
    assert_true(bytes_ends(text_bytes(&told->text), BYTES("\xc3\xa9...\n")));
    assert_true(told->text.len <= CONF_DIFFERENCE_TEXT_MAX + sizeof("~ labels.x: b -> \n"));
    free(text.data);
    free(told);
}

/* CONF_COMPARE_CELLS_MAX: what lies beyond is still found, by place. */
static void test_many_items(void **state)
{
    enum { ITEMS = 1100 };
    struct told *told = calloc(1, sizeof(*told));
    struct text before = text_into(malloc(65536), 65536), after = text_into(malloc(65536), 65536);

    text_add(&before, BYTES(BASE "listen:\n"));
    text_add(&after, BYTES(BASE "listen:\n"));
    for (unsigned i = 0; i < ITEMS; i++) {
        text_add_format(&before, "- a:%u\n", 1 + i);
        text_add_format(&after, "- b:%u\n", 1 + i);
    }
    assert_true((size_t)ITEMS * ITEMS > CONF_COMPARE_CELLS_MAX);
    assert_int_equal(compare(text_bytes(&before), text_bytes(&after), told), 0);
    assert_true(bytes_starts(text_bytes(&told->text), BYTES("~ listen[0]: a:1 -> b:1\n")));
    assert_true(bytes_find(text_bytes(&told->text), BYTES("\n~ listen[1099]: a:1100 -> b:1100\n")) > 0);
    free(before.data);
    free(after.data);
    free(told);
}

struct loaded_pair {
    struct try *first, *second;
    struct told *told;
};

static int compare_loaded(void *context)
{
    const struct loaded_pair *pair = context;
    struct conf_meaning *a = NULL, *b = NULL;
    struct arena arena;
    int r;

    pair->told->text.len = 0;
    arena_init(&arena, NULL, TRY_ARENA_MAX);
    r = conf_meaning_make(&EXAMPLE_SCHEMA, pair->first->example, &arena, &a);
    if (r == 0)
        r = conf_meaning_make(&EXAMPLE_SCHEMA, pair->second->example, &arena, &b);
    if (r == 0)
        r = conf_meaning_compare(a, b, &pair->told->differences);
    arena_done(&arena);
    return r;
}

static void test_without_memory(void **state)
{
    struct told *told = calloc(1, sizeof(*told));
    struct loaded_pair pair = {
        .first = try_load(BYTES(BASE "listen: ['a:1', 'b:1']\nservices: { a: {}, b: {} }\n"), NULL),
        .second = try_load(BYTES(BASE "listen: ['b:1', 'x:1']\nservices: { b: { run: x } }\n"), NULL),
        .told = told,
    };

    told->differences.found = found;
    told->text = text_into(told->memory, sizeof(told->memory));
    assert_true(faults_each(compare_loaded, &pair) > 3);
    try_done(pair.first);
    try_done(pair.second);
    free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences),     cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_order_of_unions), cmocka_unit_test(test_other_alternative),
        cmocka_unit_test(test_long_values),     cmocka_unit_test(test_many_items),
        cmocka_unit_test(test_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
