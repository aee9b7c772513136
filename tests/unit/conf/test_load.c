/* Good texts, and what becomes of them. */
#include "faults.h"
#include "try.h"

#include "base/alloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WHOLE                                                                            \
    "system: ${NAME}\n"                                                                  \
    "debug: false\n"                                                                     \
    "memory: 2GiB\n"                                                                     \
    "listen: [ \"127.0.0.1:80\", unix:/run/x.sock, \"http://[::1]:8080/x\" ]\n"          \
    "policies:\n"                                                                        \
    "  call: { timeout: 2s, limit: { rate: 90/m, by: \"{{{header.x-user}}}\" } }\n"      \
    "  none:\n"                                                                          \
    "services:\n"                                                                        \
    "  orders:\n"                                                                        \
    "    run: [ ./orders, --port, 8080 ]\n"                                              \
    "    scale: \"${N}\"\n"                                                              \
    "    ready: /readyz\n"                                                               \
    "    balance: round-robin\n"                                                         \
    "    environment: { B: yes, A: \"\" }\n"                                             \
    "    timeout: { total: 1h, idle: 1ms }\n"                                            \
    "    retry: { backoff: 200ms..2s, budget: 0.5% }\n"                                  \
    "    tls: { certificate: c, key: k }\n"                                              \
    "    policy: call\n"                                                                 \
    "    weight: 2.5e0\n"                                                                \
    "  credit: { run: ./credit, url: host:1, timeout: 3s, retry: 5 }\n"                  \
    "  empty:\n"                                                                         \
    "routes:\n"                                                                          \
    "  - match: { path: /a, prefix: true, method: [ GET, PUT ], headers: { X-A: 1 } }\n" \
    "    stages: [ { limit: 5/s }, { cache: { size: 64MiB, fill: 20% } }, { none: } ]\n" \
    "    to: orders\n"                                                                   \
    "  - match: { path: /b, method: POST }\n"                                            \
    "    to: { split: { parts: [ { to: credit, weight: 9 },\n"                           \
    "                            { to: { gather: { from: empty } } } ] } }\n"            \
    "labels: { \"a b\": c }\n"

static struct try *load_whole(void)
{
    struct try *try = try_load(BYTES(WHOLE), NULL);

    assert_string_equal(try->text, "");
    assert_int_equal(try->result, 0);
    return try;
}

static void assert_bytes(struct bytes bytes, const char *text)
{
    assert_non_null(bytes.data);
    assert_int_equal(bytes.len, strlen(text));
    assert_string_equal(bytes.data, text); /* zero-terminated */
}

static void *item(const struct conf_list *list, size_t index, size_t size)
{
    assert_true(index < list->count);
    return (char *)list->items + index * size;
}

static struct bytes text_item(const struct conf_list *list, size_t index)
{
    return *(struct bytes *)item(list, index, sizeof(struct bytes));
}

static const struct conf_map_entry *entry(const struct conf_map *map, size_t index, const char *name)
{
    assert_true(index < map->count);
    assert_bytes(map->entries[index].name, name);
    return &map->entries[index];
}

static void reads_scalars(void **state)
{
    struct try *try = load_whole();
    const struct example *example = try->example;

    assert_bytes(example->system, "shop");
    assert_false(example->debug);
    assert_int_equal(example->memory, (uint64_t)2 << 30);
    assert_int_equal(example->listen.count, 3);
    assert_bytes(text_item(&example->listen, 0), "127.0.0.1:80");
    assert_bytes(text_item(&example->listen, 2), "http://[::1]:8080/x");
    assert_bytes(*(struct bytes *)entry(&example->labels, 0, "a b")->value, "c");
    try_done(try);
}

static void reads_services(void **state)
{
    struct try *try = load_whole();
    const struct example_service *orders = entry(&try->example->services, 0, "orders")->value;
    const struct example_service *credit = entry(&try->example->services, 1, "credit")->value;

    assert_int_equal(orders->run.count, 3);
    assert_bytes(text_item(&orders->run, 2), "8080");
    assert_int_equal(orders->scale, 2);
    assert_true(orders->scale_given && !credit->scale_given);
    assert_bytes(orders->ready, "/readyz");
    assert_int_equal(orders->balance, EXAMPLE_ROUND_ROBIN);
    assert_bytes(*(struct bytes *)entry(&orders->environment, 0, "B")->value, "yes");
    assert_bytes(*(struct bytes *)entry(&orders->environment, 1, "A")->value, "");
    assert_true(orders->timeout.total_ns == 3600 * NS_PER_S && orders->timeout.idle_ns == NS_PER_MS);
    assert_true(orders->retry->attempts == 3 && orders->retry->window_ns == 10 * NS_PER_S);
    assert_true(orders->retry->backoff.low_ns == 200 * NS_PER_MS && orders->retry->backoff.high_ns == 2 * NS_PER_S);
    assert_true(orders->retry->budget == 0.005);
    assert_bytes(orders->tls->key, "k");
    assert_bytes(orders->policy, "call");
    assert_true(orders->weight == 2.5);
    assert_bytes(text_item(&credit->run, 0), "./credit");
    assert_bytes(text_item(&credit->url, 0), "host:1");
    assert_true(credit->timeout.total_ns == 3 * NS_PER_S && credit->timeout.idle_ns == 0);
    assert_int_equal(credit->retry->attempts, 5);
    try_done(try);
}

static void fills_in_defaults(void **state)
{
    struct try *try = load_whole();
    const struct example_service *empty = entry(&try->example->services, 2, "empty")->value;
    struct try *least = try_load(BYTES("system: ab\n"), NULL);

    assert_int_equal(empty->scale, 1);
    assert_false(empty->scale_given);
    assert_int_equal(empty->balance, EXAMPLE_LEAST_REQUEST);
    assert_int_equal(empty->timeout.total_ns, 15 * NS_PER_S);
    assert_null(empty->retry);
    assert_null(empty->tls);
    assert_int_equal(empty->policy.len, 0);
    assert_int_equal(empty->run.count, 0);
    assert_null(empty->run.items);
    assert_true(empty->weight == 1.0);
    assert_string_equal(least->text, "");
    assert_true(least->example->debug);
    assert_int_equal(least->example->memory, 64 * MIB);
    try_done(least);
    try_done(try);
}

static void reads_unions(void **state)
{
    struct try *try = load_whole();
    const struct example_route *first = item(&try->example->routes, 0, sizeof(*first));
    const struct example_route *second = item(&try->example->routes, 1, sizeof(*second));
    const struct conf_union *stage = item(&first->stages, 0, sizeof(*stage));
    const struct example_limit *limit = stage->value;
    const struct example_cache *cache = ((struct conf_union *)item(&first->stages, 1, sizeof(*stage)))->value;
    const struct example_split *split = second->to.value;
    const struct example_split_part *part = item(&split->parts, 1, sizeof(*part));
    const struct example_gather *gather = part->to.value;

    assert_string_equal(stage->alternative->name, "limit");
    assert_string_equal(stage->alternative->user, "a limit");
    assert_true(limit->rate == 5.0 && limit->burst == 0);
    assert_bytes(limit->by, "{client.address}");
    assert_true(cache->size == 64 * MIB && cache->fill == 0.2);
    assert_int_equal(first->stages.count, 3);
    assert_null(first->to.alternative);
    assert_bytes(first->to.text, "orders");
    assert_true(first->match.prefix && first->match.method.count == 2);
    assert_bytes(*(struct bytes *)entry(&first->match.headers, 0, "X-A")->value, "1");
    assert_bytes(text_item(&second->match.method, 0), "POST");
    assert_string_equal(second->to.alternative->name, "split");
    assert_int_equal(part->weight, 1);
    assert_string_equal(part->to.alternative->name, "gather");
    assert_bytes(gather->from, "empty");
    assert_true(gather->quorum == 1.0 && !gather->otherwise.alternative && !gather->otherwise.text.len);
    try_done(try);
}

static void reads_several_unions(void **state)
{
    struct try *try = load_whole();
    const struct conf_list *call = entry(&try->example->policies, 0, "call")->value;
    const struct conf_list *none = entry(&try->example->policies, 1, "none")->value;
    const struct conf_union *first = item(call, 0, sizeof(*first));
    const struct conf_union *second = item(call, 1, sizeof(*second));

    assert_int_equal(call->count, 2);
    assert_int_equal(none->count, 0);
    assert_string_equal(first->alternative->name, "timeout");
    assert_int_equal(((const struct example_timeout *)first->value)->total_ns, 2 * NS_PER_S);
    assert_true(((const struct example_limit *)second->value)->rate == 1.5);
    assert_bytes(((const struct example_limit *)second->value)->by, "{{{header.x-user}}}");
    try_done(try);
}

static void remembers_places(void **state)
{
    struct try *try = load_whole();
    const struct conf_map_entry *orders = entry(&try->example->services, 0, "orders");
    const struct example_service *service = orders->value;
    const struct example_route *route = item(&try->example->routes, 0, sizeof(*route));

    assert_string_equal(orders->place.file, "w");
    assert_true(orders->place.line == 9 && orders->place.column == 3);
    assert_true(service->place.line == 10 && service->place.column == 5);
    assert_true(route->to.place.line == 25 && route->to.place.column == 9);
    try_done(try);
}

static void puts_variables_in(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        { "${NAME}", "shop" },
        { "a${NAME}b${N}c", "ashopb2c" },
        { "${NOPE:-}", "" },
        { "${NOPE:-x y}", "x y" },
        { "${EMPTY}", "" },
        { "${EMPTY:-d}", "d" },
        { "${NAME:-d}", "shop" },
        { "$${NAME}", "${NAME}" },
        { "$$${NAME}", "$${NAME}" },
        { "$NAME $ { $$", "$NAME $ { $$" },
        { "${LIST}", "[a, b]" },
        { "'${NAME}'", "shop" },
        { "\"${NAME}\\n\"", "shop\n" },
        { "~${EMPTY}", "~" },
        { "| \n   ${NAME}\n   x", "shop\nx" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char memory[256];
        struct text text = text_into(memory, sizeof(memory));
        struct try *try;

        text_add_format(&text, "system: shop\nlabels:\n  a: %s\n", rows[i].text);
        try = try_load(text_bytes(&text), NULL);
        assert_string_equal(try->text, "");
        /* A literal block keeps its last line end. */
        if (rows[i].text[0] == '|')
            assert_memory_equal(((struct bytes *)try->example->labels.entries[0].value)->data, rows[i].value, 6);
        else
            assert_bytes(*(struct bytes *)try->example->labels.entries[0].value, rows[i].value);
        try_done(try);
    }
}

static void takes_aliases(void **state)
{
    struct try *try = try_load(BYTES("system: &s shop\n"
                                     "labels: { a: *s }\n"
                                     "services:\n"
                                     "  a: &a { run: x, scale: 3 }\n"
                                     "  b: *a\n"
                                     "listen: [ &l a:1, *l, &l b:2, *l ]\n"),
                               NULL);
    const struct example_service *a, *b;

    assert_string_equal(try->text, "");
    a = entry(&try->example->services, 0, "a")->value;
    b = entry(&try->example->services, 1, "b")->value;
    assert_true(a != b && b->scale == 3);
    assert_bytes(text_item(&b->run, 0), "x");
    assert_bytes(text_item(&try->example->listen, 1), "a:1");
    assert_bytes(text_item(&try->example->listen, 3), "b:2");
    assert_bytes(*(struct bytes *)try->example->labels.entries[0].value, "shop");
    try_done(try);
}

static void takes_odd_but_fine_texts(void **state)
{
    static const char *const texts[] = {
        "\xef\xbb\xbfsystem: shop\n",
        "%YAML 1.1\n---\nsystem: shop\n...\n",
        "---\nsystem: shop\n",
        "{system: shop}",
        "system: shop\r\ndebug: true\r\n",
        "# x\n\n\nsystem: shop # y\n",
        "\"system\": \"shop\"\n",
        "? system\n: shop\n",
        "system: |-\n  shop\n",
        "system: >-\n  shop\n  and co\n",
        "include:\nsystem: shop\n",
        "include: []\nsystem: 12345\n",
        "system: true\n",
        "system: \xc3\xa4\xe2\x82\xac\n",
        "services: {}\nsystem: ab\nroutes:\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct try *try = try_load(bytes_of_text(texts[i]), NULL);

        assert_string_equal(try->text, "");
        assert_non_null(try->example);
        try_done(try);
    }
}

/* `context`: how long a value that only takes up memory is. Arenas take a block for many pieces; the longer the value,
 * the earlier the piece for which a new block is wanted. */
static int load_with_failures(void *context)
{
    size_t padding = *(const size_t *)context;
    static char memory[32 * KIB];
    struct text text = text_into(memory, sizeof(memory));
    static const struct try_file files[] = { { "i", "services: { more: { run: y } }\nlisten: [ z:1 ]\n" }, { 0 } };
    struct try *try;
    int result;

    text_add(&text, BYTES("jobs: { pad: \""));
    for (size_t i = 0; i < padding; i++)
        text_add_char(&text, 'p');
    text_add(&text, BYTES("\" }\ninclude: i\n" WHOLE));
    assert_false(text.full);
    try = try_load(text_bytes(&text), files);
    result = try->result;
    if (result == -ENOMEM)
        assert_string_equal(try->text, "w: not enough memory to read the configuration\n");
    else
        assert_string_equal(try->text, "");
    assert_true(!try->example == (result < 0));
    try_done(try);
    return result;
}

static void survives_every_failed_allocation(void **state)
{
    for (size_t padding = 0; padding < 16 * KIB; padding += 464)
        assert_true(faults_each(load_with_failures, &padding) > 10);
}

static void needs_no_includes(void **state)
{
    static const struct conf_schema schema = { .name = "none", .about = "Nothing.", .size = 1 };
    struct conf_request request = { .schema = &schema };
    struct fault_list *faults = mem_zalloc(sizeof(*faults));
    struct arena arena;
    void *result;

    assert_non_null(faults);
    arena_init(&arena, NULL, TRY_ARENA_MAX);
    assert_int_equal(conf_load(&request, "w", BYTES("{}\n"), &arena, faults, &result), 0);
    assert_int_equal(conf_load(&request, "w", BYTES("include: x\n"), &arena, faults, &result), -EINVAL);
    assert_string_equal(faults->faults[0].what, "unknown key \"include\"");
    arena_done(&arena);
    mem_free(faults);
}

static void adds_to_a_list_with_faults(void **state)
{
    struct conf_request request = { .schema = &EXAMPLE_SCHEMA, .sets = EXAMPLE_SETS, .set_count = EXAMPLE_SET_COUNT };
    struct fault_list *faults = mem_zalloc(sizeof(*faults));
    struct arena arena;
    void *result = &arena;

    assert_non_null(faults);
    fault_set(fault_list_add(faults), "an older fault");
    arena_init(&arena, NULL, TRY_ARENA_MAX);
    assert_int_equal(conf_load(&request, "w", BYTES("system: ${NAME}\n"), &arena, faults, &result), -EINVAL);
    assert_ptr_equal(result, &arena); /* untouched */
    assert_int_equal(faults->count, 2);
    assert_string_equal(faults->faults[0].what, "an older fault");
    assert_string_equal(faults->faults[1].what, "system: variable NAME is not set");
    assert_int_equal(conf_load(&request, "w", BYTES("system: shop\n"), &arena, faults, &result), 0);
    assert_int_equal(faults->count, 2);
    arena_done(&arena);
    mem_free(faults);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_scalars),
        cmocka_unit_test(reads_services),
        cmocka_unit_test(fills_in_defaults),
        cmocka_unit_test(reads_unions),
        cmocka_unit_test(reads_several_unions),
        cmocka_unit_test(remembers_places),
        cmocka_unit_test(puts_variables_in),
        cmocka_unit_test(takes_aliases),
        cmocka_unit_test(takes_odd_but_fine_texts),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(needs_no_includes),
        cmocka_unit_test(adds_to_a_list_with_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
