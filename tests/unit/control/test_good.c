/* What is accepted, and what is made of it. */
#include "try.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct control_try *accept(const char *yaml)
{
    struct control_try *try = control_try(bytes_of_text(yaml));

    if (try->result != 0)
        fail_msg("%s", try->text);
    return try;
}

static void assert_bytes(struct bytes bytes, const char *text)
{
    if (!bytes_equal(bytes, bytes_of_text(text)))
        fail_msg("'" BYTES_FMT "' instead of '%s'", BYTES_ARG(bytes), text);
    assert_true(!bytes.data || bytes.data[bytes.len] == '\0');
}

static void assert_words(const char *const *words, const char *joined)
{
    char memory[512];
    struct text text = text_into(memory, sizeof(memory));

    for (size_t i = 0; words[i]; i++) {
        text_add(&text, i ? BYTES("|") : BYTES_NONE);
        text_add(&text, bytes_of_text(words[i]));
    }
    if (!bytes_equal(text_bytes(&text), bytes_of_text(joined)))
        fail_msg("'" BYTES_FMT "' instead of '%s'", BYTES_ARG(text_bytes(&text)), joined);
}

static void assert_address(const struct address *address, const char *as)
{
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));

    address_write(&text, address);
    if (!bytes_equal(text_bytes(&text), bytes_of_text(as)))
        fail_msg("'" BYTES_FMT "' instead of '%s'", BYTES_ARG(text_bytes(&text)), as);
}

static void an_empty_file_has_all_defaults(void **state)
{
    struct control_try *try = accept("");
    const struct control_config *config = try->config;
    struct http_server_limits limits = control_server_limits(config);

    assert_bytes(config->system, "system");
    assert_int_equal(config->workers, 0);
    assert_true(config->log.access);
    assert_address(&config->control.address, "127.0.0.1:7070");
    assert_int_equal(limits.head_ns, HTTP_HEAD_NS);
    assert_int_equal(limits.idle_ns, HTTP_IDLE_NS);
    assert_int_equal(limits.body_ns, HTTP_BODY_NS);
    assert_int_equal(limits.connections_max, HTTP_CONNECTIONS_MAX);
    assert_int_equal(config->gateways.count + config->services.count + config->routes.count, 0);
    control_try_done(try);
}

static void listeners_become_addresses(void **state)
{
    struct control_try *try = accept("control: { listen: localhost:7071 }\n"
                                     "gateway:\n"
                                     "  - listen: http://0.0.0.0:${PORT}\n"
                                     "  - listen: http://[::1]:8080\n"
                                     "    name: six\n"
                                     "  - http://localhost:9090\n");
    const struct control_config *config = try->config;

    assert_address(&config->control.address, "127.0.0.1:7071");
    assert_int_equal(config->gateways.count, 3);
    assert_bytes(control_gateway_at(config, 0)->name, "gateway");
    assert_bytes(control_gateway_at(config, 1)->name, "six");
    assert_bytes(control_gateway_at(config, 2)->name, "gateway-2");
    assert_address(&control_gateway_at(config, 0)->address, "0.0.0.0:8080");
    assert_address(&control_gateway_at(config, 1)->address, "[::1]:8080");
    assert_address(&control_gateway_at(config, 2)->address, "127.0.0.1:9090");
    assert_bytes(control_gateway_at(config, 0)->scheme, "http");
    control_try_done(try);
    try = accept("control: { listen: off }\n");
    assert_int_equal(try->config->control.address.family, ADDRESS_NONE);
    control_try_done(try);
}

static void services_are_read(void **state)
{
    struct control_try *try = accept(
        "policies:\n"
        "  call: { timeout: 2s, per-try: 500ms }\n"
        "services:\n"
        "  orders: { run: \"./orders -v 'a b'\", scale: 2, ready: /readyz, live: { path: /livez, every: 5s, failures: "
        "7 }, policy: call, port: true,\n"
        "            env: { A: 1, B: 'x y' }, directory: sub, connections: 9, balance: least-request }\n"
        "  credit: { run: [\"./credit -v\", a b], needs: [orders, catalog], env-file: .env.credit,\n"
        "            limits: { memory: 64MiB, cpu: 150%, files: 100 } }\n"
        "  catalog: { url: [\"http://10.0.0.5:9000\", http://api.example.com, \"http://[::1]/\"] }\n");
    const struct control_config *config = try->config;
    const struct control_service *orders = control_find_service(config, BYTES("orders"));
    const struct control_service *credit = control_find_service(config, BYTES("credit"));
    const struct control_service *catalog = control_find_service(config, BYTES("catalog"));
    struct service_settings settings = control_service_settings(orders);

    assert_null(control_find_service(config, BYTES("order")));
    assert_words(orders->argv, "./orders|-v|a b");
    assert_words(orders->environment, "A=1|B=x y");
    assert_int_equal(orders->scale, 2);
    assert_true(orders->port && orders->balance == BALANCE_LEAST_REQUEST);
    assert_bytes(orders->directory, "sub");
    assert_bytes(orders->name, "orders");
    assert_bytes(settings.ready, "/readyz");
    assert_int_equal(settings.ready_rules.every_ns, 0);
    assert_int_equal(settings.ready_rules.timeout_ns, NS_PER_S);
    assert_bytes(settings.live, "/livez");
    assert_int_equal(settings.live_rules.every_ns, 5 * NS_PER_S);
    assert_int_equal(settings.live_rules.failures, 7);
    assert_int_equal(settings.connections_max, 9);
    assert_int_equal(orders->settings->count, 2);
    assert_words(credit->argv, "./credit -v|a b");
    assert_words(credit->environment, "");
    assert_int_equal(credit->scale, 1);
    assert_int_equal(credit->needs.count, 2);
    assert_bytes(((const struct bytes *)credit->needs.items)[1], "catalog");
    assert_int_equal(credit->env_files.count, 1);
    assert_int_equal(credit->limits.memory, 64 * MIB);
    assert_true(credit->limits.cpu > 1.49 && credit->limits.cpu < 1.51);
    assert_int_equal(credit->limits.files, 100);
    assert_int_equal(config->log.files, 4);
    assert_int_equal(config->log.size, 10 * MIB);
    assert_null(credit->settings);
    assert_int_equal(control_service_settings(credit).connections_max, 0);
    assert_null(catalog->argv);
    assert_int_equal(catalog->target_count, 3);
    assert_address(&catalog->targets[0].address, "10.0.0.5:9000");
    assert_int_equal(catalog->targets[0].host.len, 0);
    assert_true(bytes_equal(catalog->targets[1].host, BYTES("api.example.com")) && catalog->targets[1].port == 80);
    assert_address(&catalog->targets[2].address, "[::1]:80");
    control_try_done(try);
}

static void routes_get_names(void **state)
{
    static const char *const NAMES[] = { "/api/orders", "own",           "/api/orders-2", "/catalog/*",         "/*",
                                         "/*-2",        "/api/orders-3", "a.test/*",      "*.example.com/x/y/*" };
    struct control_try *try = accept(
        "services: { orders: { run: ./orders } }\n"
        "routes:\n"
        "  - { match: /api/orders, to: orders }\n"
        "  - { name: own, match: /own, to: orders }\n"
        "  - { match: { path: /api/orders, method: POST }, to: orders }\n"
        "  - { match: { path: /catalog, prefix: true }, to: orders }\n"
        "  - { match: { path: /, prefix: true }, to: orders }\n"
        "  - { to: { respond: 404 } }\n"
        "  - { match: { path: /api/orders, method: PUT }, to: orders }\n"
        "  - { match: { host: a.test }, to: orders }\n"
        "  - { match: { host: '*.example.com', path: /x/y/, prefix: true }, to: orders }\n");

    assert_int_equal(try->config->routes.count, ARRAY_LEN(NAMES));
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const struct control_route *route = control_route_at(try->config, i);

        assert_bytes(route->name, NAMES[i]);
        assert_true(route->service == (i == 5 ? NULL : control_service_at(try->config, 0)));
    }
    control_try_done(try);
}

/* CONTROL_ROUTE_NAME_MAX: long paths that differ at their end only still get different names. */
static void long_names_are_cut(void **state)
{
    char yaml[1024];
    struct text text = text_into(yaml, sizeof(yaml) - 1);
    struct control_try *try;

    text_add(&text, BYTES("routes:\n"));
    for (unsigned i = 0; i < 2; i++) {
        text_add(&text, BYTES("  - { to: { respond: 200 }, match: /"));
        for (unsigned k = 0; k < 200; k++)
            text_add_char(&text, 'x');
        text_add_format(&text, "%u }\n", i);
    }
    yaml[text.len] = '\0';
    try = accept(yaml);
    assert_true(control_route_at(try->config, 0)->name.len <= CONTROL_ROUTE_NAME_MAX);
    assert_true(bytes_ends(control_route_at(try->config, 1)->name, BYTES("-2")));
    assert_true(control_route_at(try->config, 1)->name.len <= CONTROL_ROUTE_NAME_MAX);
    control_try_done(try);
}

static void included_files_count(void **state)
{
    struct control_try *try = accept("include: more.yaml\nservices: { orders: { run: ./orders } }\n"
                                     "routes: [ { to: more } ]\n");

    assert_int_equal(try->config->services.count, 2);
    assert_bytes(control_route_at(try->config, 0)->service->name, "more");
    control_try_done(try);
}

static void refuse(const struct text *yaml, const char *faults)
{
    struct control_try *try = control_try(text_bytes(yaml));

    assert_false(yaml->full);
    assert_int_equal(try->result, -EINVAL);
    assert_string_equal(try->text, faults);
    control_try_done(try);
}

/* CONTROL_GATEWAYS_MAX, CONTROL_STEPS_MAX, SERVICE_TARGETS_MAX, SERVICES_MAX, CONTROL_NEEDS_MAX,
 * CONTROL_ENV_FILES_MAX. */
static void one_more_than_the_bound_is_refused(void **state)
{
    size_t room = 256 * KIB;
    char *memory = test_malloc(room);
    struct text text = text_into(memory, room);

    text_add(&text, BYTES("gateway:\n"));
    for (unsigned i = 0; i <= CONTROL_GATEWAYS_MAX; i++)
        text_add_format(&text, "  - http://0.0.0.0:%u\n", 8000 + i);
    refuse(&text, "w:2:3: gateway: its number of items must be at most 64 (is 65)\n");
    text = text_into(memory, room);
    text_add(&text, BYTES("routes:\n- to: { respond: 200 }\n  stages:\n"));
    for (unsigned i = 0; i <= CONTROL_STEPS_MAX; i++)
        text_add(&text, BYTES("  - timeout: 1s\n"));
    refuse(&text, "w:4:3: routes[0].stages: its number of items must be at most 16 (is 17)\n");
    text = text_into(memory, room);
    text_add(&text, BYTES("services:\n  a:\n    url:\n"));
    for (unsigned i = 0; i <= SERVICE_TARGETS_MAX; i++)
        text_add_format(&text, "    - http://10.0.0.1:%u\n", 8000 + i);
    refuse(&text, "w:4:5: services.a.url: its number of items must be at most 256 (is 257)\n");
    text = text_into(memory, room);
    text_add(&text, BYTES("services:\n"));
    for (unsigned i = 0; i <= SERVICES_MAX; i++)
        text_add_format(&text, "  a%u: { run: x }\n", i);
    refuse(&text, "w:2:3: services: its number of entries must be at most 4096 (is 4097)\n");
    text = text_into(memory, room);
    text_add(&text, BYTES("services:\n  a:\n    run: x\n    needs:\n"));
    for (unsigned i = 0; i <= CONTROL_NEEDS_MAX; i++)
        text_add_format(&text, "    - b%u\n", i);
    for (unsigned i = 0; i <= CONTROL_NEEDS_MAX; i++)
        text_add_format(&text, "  b%u: { run: x }\n", i);
    refuse(&text, "w:5:5: services.a.needs: its number of items must be at most 32 (is 33)\n");
    text = text_into(memory, room);
    text_add(&text, BYTES("services:\n  a:\n    run: x\n    env-file:\n"));
    for (unsigned i = 0; i <= CONTROL_ENV_FILES_MAX; i++)
        text_add_format(&text, "    - %u.env\n", i);
    refuse(&text, "w:5:5: services.a.env-file: its number of items must be at most 16 (is 17)\n");
    test_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_has_all_defaults),
        cmocka_unit_test(listeners_become_addresses),
        cmocka_unit_test(services_are_read),
        cmocka_unit_test(routes_get_names),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(included_files_count),
        cmocka_unit_test(one_more_than_the_bound_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
