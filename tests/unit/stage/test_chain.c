#include "base/arena.h"
#include "conf/load.h"
#include "stage/stages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Settings of every stage of this folder, and a match. */
struct document {
    struct timeout_conf timeout;
    struct timeout_conf *per_try; /* it has no default: there or not */
    struct retry_conf retry;
    struct balance_conf balance;
    struct respond_conf respond;
    struct route_match match;
};

struct tables {
    struct conf_field fields[6];
    struct conf_schema root;
};

static struct conf_field field(const char *key, size_t offset, size_t size, const struct conf_schema *schema)
{
    return (struct conf_field){
        .key = key, .about = "settings", .type = CONF_STRUCT, .offset = offset, .size = size, .schema = schema
    };
}

#define FIELD_OF(key, member, schema) \
    field(key, offsetof(struct document, member), sizeof(((struct document *)NULL)->member), schema)

static void tables_make(struct tables *tables)
{
    tables->fields[0] = FIELD_OF("timeout", timeout, STAGE_TIMEOUT.schema);
    tables->fields[1] = FIELD_OF("per-try", per_try, STAGE_PER_TRY.schema);
    tables->fields[1].flags = CONF_POINTER;
    tables->fields[2] = FIELD_OF("retry", retry, STAGE_RETRY.schema);
    tables->fields[3] = FIELD_OF("balance", balance, STAGE_BALANCE.schema);
    tables->fields[4] = FIELD_OF("respond", respond, STAGE_RESPOND.schema);
    tables->fields[5] = FIELD_OF("match", match, &ROUTE_MATCH_SCHEMA);
    tables->root = (struct conf_schema){
        .name = "test", .about = "A test.", .fields = tables->fields, .count = 6, .size = sizeof(struct document)
    };
}

static int load(const char *text, struct arena *arena, struct fault_list *faults, struct document **ret)
{
    struct conf_request request = { 0 };
    struct tables tables;
    void *document = NULL;
    int r;

    tables_make(&tables);
    request.schema = &tables.root;
    memset(faults, 0, sizeof(*faults));
    r = conf_load(&request, "weft.yaml", bytes_of_text(text), arena, faults, &document);
    *ret = document;
    return r;
}

static void tables_are_sound(void **state)
{
    struct fault fault = { 0 };
    struct tables tables;

    tables_make(&tables);
    if (conf_schema_check(&tables.root, NULL, 0, &fault) < 0)
        fail_msg("%s", fault.what);
}

/* What the chain takes when nobody says anything is what the tables say. */
static void usual_settings_are_the_defaults(void **state)
{
    struct fault_list *faults = test_malloc(sizeof(*faults));
    const struct timeout_conf *timeout = NULL;
    const struct retry_conf *retry = NULL;
    struct document *document = NULL;
    struct arena arena;

    arena_init(&arena, NULL, MIB);
    assert_int_equal(load("timeout: {}\nper-try: 1s\nretry: {}\n", &arena, faults, &document), 0);
    for (unsigned i = 0; i < STAGE_CHAIN_COUNT; i++) {
        if (STAGE_CHAIN[i].type == &STAGE_TIMEOUT)
            timeout = STAGE_CHAIN[i].conf;
        if (STAGE_CHAIN[i].type == &STAGE_RETRY)
            retry = STAGE_CHAIN[i].conf;
    }
    assert_non_null(timeout);
    assert_non_null(retry);
    assert_int_equal(timeout->limit_ns, document->timeout.limit_ns);
    assert_int_equal(timeout->limit_ns, 15 * NS_PER_S);
    assert_int_equal(retry->attempts, document->retry.attempts);
    assert_int_equal(retry->backoff.low_ns, document->retry.backoff.low_ns);
    assert_int_equal(retry->backoff.high_ns, document->retry.backoff.high_ns);
    assert_true(retry->budget > 0.199 && retry->budget < 0.201);
    assert_true(retry->budget - document->retry.budget < 1e-9 && document->retry.budget - retry->budget < 1e-9);
    assert_true(retry->budget_floor - document->retry.budget_floor < 1e-9);
    assert_true(document->retry.budget_floor - retry->budget_floor < 1e-9);
    assert_int_equal(retry->on.count, document->retry.on.count);
    arena_done(&arena);
    test_free(faults);
}

static void usual_chain_has_its_order(void **state)
{
    static const char *const NAMES[] = { "timeout", "retry", "balance", "per-try", "endpoint" };
    static const bool THERE[] = { true, true, true, false, true };

    assert_int_equal(STAGE_CHAIN_COUNT, ARRAY_LEN(NAMES));
    for (unsigned i = 0; i < STAGE_CHAIN_COUNT; i++) {
        assert_string_equal(STAGE_CHAIN[i].type->name, NAMES[i]);
        assert_int_equal(STAGE_CHAIN[i].conf || STAGE_CHAIN[i].always, THERE[i]);
    }
}

static void settings_are_read(void **state)
{
    struct fault_list *faults = test_malloc(sizeof(*faults));
    struct document *document = NULL;
    struct arena arena;

    arena_init(&arena, NULL, MIB);
    assert_int_equal(load("timeout: 2s\n"
                          "per-try: 500ms\n"
                          "retry: { attempts: 5, backoff: 1ms..2s, on: [unsent, 429], budget: 50%, floor: 1/s }\n"
                          "balance: least-request\n"
                          "respond: { status: 404, headers: { X-Reason: none }, body: nothing here }\n"
                          "match: { path: /a, prefix: true, host: '*.example.com', method: [GET, POST] }\n",
                          &arena, faults, &document),
                     0);
    assert_int_equal(document->timeout.limit_ns, 2 * NS_PER_S);
    assert_int_equal(document->per_try->limit_ns, 500 * NS_PER_MS);
    assert_int_equal(document->retry.attempts, 5);
    assert_int_equal(document->retry.on.count, 2);
    assert_int_equal(document->balance.by, BALANCE_LEAST_REQUEST);
    assert_int_equal(document->respond.status, 404);
    assert_int_equal(document->respond.headers.count, 1);
    assert_true(document->match.prefix && document->match.hosts.count == 1 && document->match.method.count == 2);
    arena_done(&arena);
    test_free(faults);
}

static const char *const BAD[] = {
    "per-try: {}\n",
    "retry: 0\n",
    "retry: 11\n",
    "retry: { on: [sometimes] }\n",
    "retry: { on: [399] }\n",
    "retry: { budget: 101% }\n",
    "balance: random\n",
    "respond: { status: 100 }\n",
    "respond: { headers: { 'x y': z } }\n",
    "respond: { headers: { x: \"a\\nb\" } }\n",
    "match: api\n",
    "match: /a/../b\n",
    "match: '/a?b'\n",
    "match: { host: '*.' }\n",
    "match: { host: 'a.test:80' }\n",
    "match: { host: 'a b' }\n",
    "match: { method: 'G T' }\n",
};

static void bad_settings_are_faults(void **state)
{
    struct fault_list *faults = test_malloc(sizeof(*faults));

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct document *document = NULL;
        struct arena arena;

        arena_init(&arena, NULL, MIB);
        if (load(BAD[i], &arena, faults, &document) != -EINVAL || faults->count != 1)
            fail_msg("%s: %zu faults (%s)", BAD[i], faults->count, faults->count ? faults->faults[0].what : "");
        arena_done(&arena);
    }
    test_free(faults);
}

/* RETRY_ATTEMPTS_MAX is written in the table as text. */
static void bounds_of_the_tables_are_the_named_ones(void **state)
{
    for (size_t i = 0; i < STAGE_RETRY.schema->count; i++)
        if (strcmp(STAGE_RETRY.schema->fields[i].key, "attempts") == 0)
            assert_int_equal(strtol(STAGE_RETRY.schema->fields[i].max, NULL, 10), RETRY_ATTEMPTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound),          cmocka_unit_test(usual_settings_are_the_defaults),
        cmocka_unit_test(usual_chain_has_its_order), cmocka_unit_test(settings_are_read),
        cmocka_unit_test(bad_settings_are_faults),   cmocka_unit_test(bounds_of_the_tables_are_the_named_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
