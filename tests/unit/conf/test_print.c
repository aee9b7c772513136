/* What is printed from the tables, and what happens when it can't be. */
#include "faults.h"
#include "try.h"

#include "base/alloc.h"
#include "conf/schema_print.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct refusing {
    struct conf_sink sink;
    size_t writes, allowed;
};

static int refuse(struct conf_sink *sink, struct bytes part)
{
    struct refusing *refusing = container_of(sink, struct refusing, sink);

    return refusing->writes++ < refusing->allowed ? 0 : -EPIPE;
}

typedef int print_function(struct conf_sink *sink);

static int print_json(struct conf_sink *sink)
{
    return conf_print_json_schema(sink, &EXAMPLE_SCHEMA, EXAMPLE_SETS, EXAMPLE_SET_COUNT, NULL);
}

static int print_markdown(struct conf_sink *sink)
{
    return conf_print_reference(sink, &EXAMPLE_SCHEMA, EXAMPLE_SETS, EXAMPLE_SET_COUNT);
}

static print_function *const PRINTERS[] = { print_json, print_markdown };

static void stops_when_the_sink_fails(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PRINTERS); i++) {
        struct refusing refusing = { .sink.write = refuse, .allowed = SIZE_MAX };
        size_t all;

        assert_int_equal(PRINTERS[i](&refusing.sink), 0);
        all = refusing.writes;
        assert_true(all > 100);
        for (size_t allowed = 0; allowed < all; allowed += 1 + allowed / 4) {
            refusing.writes = 0;
            refusing.allowed = allowed;
            assert_int_equal(PRINTERS[i](&refusing.sink), -EPIPE);
            assert_int_equal(refusing.writes, allowed + 1);
        }
    }
}

static int gather_all(void *context)
{
    print_function *const *print = context;
    struct conf_gather gather;
    int err;

    conf_gather_init(&gather);
    err = (*print)(&gather.sink);
    conf_gather_done(&gather);
    return err;
}

static void survives_every_failed_allocation(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PRINTERS); i++) {
        print_function *print = PRINTERS[i];

        assert_true(faults_each(gather_all, &print) > 2);
    }
}

static int print_small(const struct conf_schema *schema, struct conf_gather *gather, bool json)
{
    static const struct conf_schema none = { .name = "none", .about = "x", .size = 1 };
    static const struct conf_alternative alternatives[] = { { "a", &none, NULL } };
    static const struct conf_set sets[] = { { "used", alternatives, 1 }, { "unused", alternatives, 1 } };

    return json ? conf_print_json_schema(&gather->sink, schema, sets, ARRAY_LEN(sets), "urn:x")
                : conf_print_reference(&gather->sink, schema, sets, ARRAY_LEN(sets));
}

static void prints_the_rare_parts(void **state)
{
    static const struct conf_choice choices[] = { { "one", 1, NULL }, { NULL, 0, NULL } };
    static const struct conf_field fields[] = {
        { .key = "k", .about = "x", .type = CONF_UNION, .flags = CONF_TEXT_FORM, .alternatives = "used" },
        { .key = "l", .about = "x", .type = CONF_ENUM, .choices = choices },
    };
    static const struct conf_schema schema = { .name = "t", .about = "x", .fields = fields, .count = 2, .size = 64 };
    struct conf_gather gather;

    conf_gather_init(&gather);
    assert_int_equal(print_small(&schema, &gather, false), 0);
    assert_true(bytes_find(bytes_of(gather.data, gather.len), BYTES("string, or [one used](#alternatives-of-used)")) >
                0);
    assert_true(bytes_find(bytes_of(gather.data, gather.len), BYTES("unused")) < 0);
    conf_gather_done(&gather);
    assert_int_equal(print_small(&schema, &gather, true), 0);
    assert_true(bytes_find(bytes_of(gather.data, gather.len), BYTES("\"$id\": \"urn:x\"")) > 0);
    assert_true(bytes_find(bytes_of(gather.data, gather.len), BYTES("unused")) < 0);
    conf_gather_done(&gather);
}

static void refuses_texts_that_are_too_long(void **state)
{
    static char about[16 * KIB];
    const struct conf_schema schema = { .name = "t", .about = about, .size = 1 };
    struct conf_gather gather;

    memset(about, 'x', sizeof(about) - 1);
    conf_gather_init(&gather);
    assert_int_equal(print_small(&schema, &gather, true), -ENOSPC);
    conf_gather_done(&gather);
}

static void gathers_no_more_than_it_may(void **state)
{
    static const char piece[4096] = { 'x' };
    struct conf_gather gather;

    conf_gather_init(&gather);
    for (size_t len = 0; len < CONF_PRINT_MAX; len += sizeof(piece))
        assert_int_equal(gather.sink.write(&gather.sink, bytes_of(piece, sizeof(piece))), 0);
    assert_int_equal(gather.sink.write(&gather.sink, BYTES("x")), -ENOSPC);
    assert_int_equal(gather.len, CONF_PRINT_MAX);
    conf_gather_done(&gather);
    assert_null(gather.data);
}

static void refuses_too_many_schemas(void **state)
{
    static const struct conf_field *none = NULL;
    struct conf_schema *schemas = mem_zalloc_array(CONF_SCHEMAS_MAX + 1, sizeof(*schemas));
    struct conf_alternative *alternatives = mem_zalloc_array(CONF_SCHEMAS_MAX, sizeof(*alternatives));
    struct conf_set set = { "all", alternatives, CONF_SCHEMAS_MAX };
    const struct conf_field field = { .key = "k", .about = "x", .type = CONF_UNION, .alternatives = "all" };
    struct conf_gather gather;

    assert_true(schemas && alternatives);
    for (size_t i = 0; i < CONF_SCHEMAS_MAX; i++) {
        schemas[i + 1] = (struct conf_schema){ .name = "n", .about = "x", .fields = none, .size = 1 };
        alternatives[i] = (struct conf_alternative){ .name = "n", .schema = &schemas[i + 1] };
    }
    schemas[0] = (struct conf_schema){ .name = "t", .about = "x", .fields = &field, .count = 1, .size = 64 };
    conf_gather_init(&gather);
    assert_int_equal(conf_print_json_schema(&gather.sink, schemas, &set, 1, NULL), -ENOSPC);
    assert_int_equal(conf_print_reference(&gather.sink, schemas, &set, 1), -ENOSPC);
    assert_int_equal(gather.len, 0);
    set.count--;
    assert_int_equal(conf_print_json_schema(&gather.sink, schemas, &set, 1, NULL), 0);
    conf_gather_done(&gather);
    mem_free(alternatives);
    mem_free(schemas);
}

/* One row of each kind. */
static void writes_the_reference(void **state)
{
    static const char *const lines[] = {
        "## example\n\nA configuration for tests.\n\n| key | type | default | range | description |\n"
        "| --- | --- | --- | --- | --- |\n",
        "| `system` | string | required | 2 to 16 characters | name of the whole; such as `shop` |\n",
        "| `include` | one or a list of string |  |  | further files |\n",
        "| `debug` | boolean | `true` |  | say more |\n",
        "| `memory` | size | `64MiB` | at least 1MiB | bound of all buffers |\n",
        "| `services` | map of [service](#service) |  |  | named code |\n",
        "| `policies` | map of mapping of [stage alternatives](#alternatives-of-stage) |  |  | named stages |\n",
        "| `url` | one or a list of address |  | at most 4 entries | where it can be reached |\n",
        "| `ready` | string |  |  | path of the check \\| asked for with GET; such as `/readyz` |\n",
        "| `balance` | `round-robin`, `least-request` | `least-request` |  | which instance is next; `round-robin`: in "
        "turn; `least-request`: the less busy of two |\n",
        "| `policy` | name of a policy |  |  | how calls may fail |\n",
        "| `to` | name of a service, or [one target](#alternatives-of-target) | required |  | where they end; such as "
        "`orders` |\n",
        "| `fill` | percentage | `150%` | at most 200% | of what is fresh |\n",
        "| `budget` | percentage | `20%` | at most 100% | of the offered requests |\n",
        "A value alone stands for `total`.\n",
        "## none\n\nDoes nothing.\n\nIt has no keys.\n",
        "## Alternatives of stage\n\n| key | value | description |\n| --- | --- | --- |\n"
        "| `limit` | [limit](#limit) | Refuses what is too much. |\n",
    };
    struct conf_gather gather;

    conf_gather_init(&gather);
    assert_int_equal(print_markdown(&gather.sink), 0);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (bytes_find(bytes_of(gather.data, gather.len), bytes_of_text(lines[i])) < 0)
            fail_msg("not in the reference: %s", lines[i]);
    conf_gather_done(&gather);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_when_the_sink_fails),   cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(prints_the_rare_parts),       cmocka_unit_test(refuses_texts_that_are_too_long),
        cmocka_unit_test(gathers_no_more_than_it_may), cmocka_unit_test(refuses_too_many_schemas),
        cmocka_unit_test(writes_the_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
