/* docs/reference.md, which is given as the argument, is what the tables say. */
#include "try.h"

#include "base/alloc.h"
#include "control/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FILE_MAX (1024 * 1024)

static const char *path;

static void the_reference_is_up_to_date(void **state)
{
    char *memory = test_malloc(FILE_MAX);
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(memory, 1, FILE_MAX, file) : 0;
    struct conf_gather gather;

    if (file)
        fclose(file);
    conf_gather_init(&gather);
    assert_int_equal(control_print_reference(&STAGES, &gather.sink), 0);
    if (!bytes_equal(bytes_of(memory, len), bytes_of(gather.data, gather.len)))
        fail_msg("%s is not what the tables say: write it anew by\n"
                 "    build/debug/tests/unit/control/test-control-print markdown >docs/reference.md",
                 path);
    conf_gather_done(&gather);
    test_free(memory);
}

static void the_tables_are_sound(void **state)
{
    struct fault fault = { 0 };
    struct control_sets sets;
    struct arena arena;

    arena_init(&arena, NULL, MIB);
    assert_int_equal(control_sets_make(&STAGES, &arena, &sets), 0);
    if (conf_schema_check(&CONTROL_SCHEMA, sets.sets, CONTROL_SETS, &fault) < 0)
        fail_msg("%s", fault.what);
    arena_done(&arena);
}

static const struct conf_field *field_of(const struct conf_schema *schema, const char *key)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->fields[i].key, key) == 0)
            return &schema->fields[i];
    fail_msg("%s has no %s", schema->name, key);
    return NULL;
}

static void assert_text(const char *text, long number)
{
    uint64_t value;

    assert_int_equal(bytes_to_u64(bytes_of_text(text), &value), 0);
    assert_int_equal(value, number);
}

static void assert_duration(const char *text, int64_t ns)
{
    int64_t value;

    assert_int_equal(duration_parse(bytes_of_text(text), &value), 0);
    assert_int_equal(value, ns);
}

/* Bounds and defaults that the tables write as text are those of base/limits.h. */
static void numbers_of_the_tables_are_the_named_ones(void **state)
{
    const struct conf_schema *service = field_of(&CONTROL_SCHEMA, "services")->element->schema;
    const struct conf_schema *clients = field_of(&CONTROL_SCHEMA, "clients")->schema;
    const struct conf_field *scale = field_of(service, "scale");
    uint64_t most;

    assert_text(field_of(&CONTROL_SCHEMA, "workers")->max, WORKERS_MAX);
    assert_text(field_of(&CONTROL_SCHEMA, "gateway")->max, CONTROL_GATEWAYS_MAX);
    assert_text(field_of(&CONTROL_SCHEMA, "services")->max, SERVICES_MAX);
    assert_text(field_of(service, "url")->max, SERVICE_TARGETS_MAX);
    assert_text(field_of(clients, "connections")->max, HTTP_CONNECTIONS_MAX);
    assert_text(field_of(clients, "connections")->default_text, HTTP_CONNECTIONS_MAX);
    assert_text(field_of(clients, "fibers")->max, FIBERS_MAX);
    assert_text(field_of(clients, "fibers")->default_text, FIBERS_MAX);
    assert_duration(field_of(clients, "head")->default_text, HTTP_HEAD_NS);
    assert_duration(field_of(clients, "idle")->default_text, HTTP_IDLE_NS);
    assert_duration(field_of(clients, "body")->default_text, HTTP_BODY_NS);
    assert_int_equal(bytes_to_u64(bytes_of_text(scale->max), &most), 0);
    assert_true(most <= INSTANCES_MAX);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_up_to_date),
        cmocka_unit_test(the_tables_are_sound),
        cmocka_unit_test(numbers_of_the_tables_are_the_named_ones),
    };

    path = argc > 1 ? argv[1] : "docs/reference.md";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
