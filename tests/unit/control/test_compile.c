#include "control/compile.h"

#include "base/alloc.h"
#include "try.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct built {
    struct control_try *try;
    struct snapshot *snapshot;
    struct fault fault;
};

static int build(struct built *built, const char *yaml)
{
    int r;

    *built = (struct built){ .try = control_try(bytes_of_text(yaml)) };
    if (built->try->result != 0)
        fail_msg("%s", built->try->text);
    assert_int_equal(snapshot_create(1, &built->snapshot), 0);
    r = control_compile(built->snapshot, built->try->config, &built->fault);
    if (r == 0)
        r = snapshot_seal(built->snapshot, NULL, &built->fault);
    return r;
}

static void unbuild(struct built *built)
{
    snapshot_free(built->snapshot);
    control_try_done(built->try);
}

static void compile(struct built *built, const char *yaml)
{
    if (build(built, yaml) < 0)
        fail_msg("%s", built->fault.what);
}

/* The paths from a stage on, joined by spaces. */
static void assert_way(const struct stage *stage, const char *paths)
{
    char memory[1024];
    struct text text = text_into(memory, sizeof(memory));

    for (; stage; stage = stage->next) {
        text_add(&text, text.len ? BYTES(" ") : BYTES_NONE);
        text_add(&text, stage->path);
    }
    if (!bytes_equal(text_bytes(&text), bytes_of_text(paths)))
        fail_msg("'" BYTES_FMT "' instead of '%s'", BYTES_ARG(text_bytes(&text)), paths);
}

static const struct stage *find(const struct built *built, const struct stage_type *type, const char *path)
{
    const struct stage *stage = snapshot_find(built->snapshot, type, bytes_of_text(path));

    if (!stage)
        fail_msg("there is no %s", path);
    return stage;
}

static void a_service_without_policy_has_the_usual_chain(void **state)
{
    const struct stage_slot *slot;
    const struct balance_conf *balance;
    struct built built;

    compile(&built, "services: { orders: { run: ./orders, balance: least-request } }\n"
                    "routes: [ { match: /a, to: orders } ]\n");
    assert_ptr_equal(built.snapshot->system, built.try->config);
    assert_ptr_equal(built.snapshot->root->type, &STAGE_ROUTE);
    assert_int_equal(built.snapshot->root->child_count, 1);
    assert_way(built.snapshot->root, "routes mesh");
    assert_way(built.snapshot->root->children[0],
               "services/orders/timeout services/orders/retry services/orders/balance services/orders/endpoint");
    for (slot = STAGE_CHAIN; slot < STAGE_CHAIN + STAGE_CHAIN_COUNT; slot++) {
        if (slot->type == &STAGE_TIMEOUT)
            assert_ptr_equal(find(&built, &STAGE_TIMEOUT, "services/orders/timeout")->conf, slot->conf);
        if (slot->type == &STAGE_RETRY)
            assert_ptr_equal(find(&built, &STAGE_RETRY, "services/orders/retry")->conf, slot->conf);
    }
    balance = find(&built, &STAGE_BALANCE, "services/orders/balance")->conf;
    assert_true(bytes_equal(balance->service, BYTES("orders")) && balance->by == BALANCE_LEAST_REQUEST);
    unbuild(&built);
}

static void a_policy_changes_what_it_names(void **state)
{
    const struct timeout_conf *timeout, *per_try;
    const struct retry_conf *retry;
    struct built built;

    compile(&built, "policies: { call: { per-try: 500ms, timeout: 2s } }\n"
                    "services: { orders: { run: ./orders, policy: call } }\n"
                    "routes: [ { to: orders } ]\n");
    assert_way(built.snapshot->root->children[0],
               "services/orders/timeout services/orders/retry services/orders/balance services/orders/per-try "
               "services/orders/endpoint");
    timeout = find(&built, &STAGE_TIMEOUT, "services/orders/timeout")->conf;
    per_try = find(&built, &STAGE_PER_TRY, "services/orders/per-try")->conf;
    retry = find(&built, &STAGE_RETRY, "services/orders/retry")->conf;
    assert_int_equal(timeout->limit_ns, 2 * NS_PER_S);
    assert_int_equal(per_try->limit_ns, NS_PER_S / 2);
    assert_int_equal(retry->attempts, 3);
    unbuild(&built);
}

/* In a service: the chain keeps its order, the rest stands before it as it is written. */
static void a_policy_may_hold_any_stage(void **state)
{
    const struct limit_body_conf *limit;
    struct built built;

    compile(&built, "policies: { call: { per-try: 500ms, headers: {}, timeout: 2s, limit-body: 5, rewrite: /x } }\n"
                    "services: { orders: { run: ./orders, policy: call }, stock: { run: ./stock, policy: call } }\n"
                    "routes: [ { match: /a, to: orders }, { match: /b, to: stock } ]\n");
    assert_way(built.snapshot->root->children[0],
               "services/orders/headers services/orders/limit-body services/orders/rewrite services/orders/timeout "
               "services/orders/retry services/orders/balance services/orders/per-try services/orders/endpoint");
    assert_way(built.snapshot->root->children[1],
               "services/stock/headers services/stock/limit-body services/stock/rewrite services/stock/timeout "
               "services/stock/retry services/stock/balance services/stock/per-try services/stock/endpoint");
    limit = find(&built, &STAGE_LIMIT_BODY, "services/orders/limit-body")->conf;
    assert_int_equal(limit->max, 5);
    unbuild(&built);
}

/* In a route, where it has no chain: the same order. */
static void a_route_may_name_policies(void **state)
{
    struct built built;

    compile(&built, "policies:\n"
                    "  a: { per-try: 500ms, headers: {}, retry: 2, limit-body: 5, timeout: 2s }\n"
                    "  none: {}\n"
                    "routes:\n"
                    "  - { match: /a, stages: [ headers: {}, policy: a, policy: none, timeout: 1s, policy: a ],\n"
                    "      to: { respond: 200 } }\n"
                    "  - { match: /b, stages: [ policy: none ], to: { respond: 200 } }\n");
    assert_way(built.snapshot->root->children[0],
               "routes//a/headers routes//a/headers-2 routes//a/limit-body routes//a/timeout routes//a/retry "
               "routes//a/per-try routes//a/timeout-2 routes//a/headers-3 routes//a/limit-body-2 routes//a/timeout-3 "
               "routes//a/retry-2 routes//a/per-try-2 routes//a/respond");
    assert_way(built.snapshot->root->children[1], "routes//b/respond");
    unbuild(&built);
}

static struct bytes strip_of(const struct built *built, const char *path)
{
    const struct rewrite_conf *conf = find(built, &STAGE_REWRITE, path)->conf;

    return conf->strip;
}

/* Each route fills in its own, also into what a policy gives to several. */
static void a_prefix_is_the_route_s(void **state)
{
    const struct redirect_conf *redirect;
    struct built built;

    compile(&built, "policies: { p: { rewrite: { prefix: /new } }, q: { rewrite: { prefix: /new, strip: /own } } }\n"
                    "routes:\n"
                    "  - { match: { path: /a, prefix: true }, stages: [ policy: p ], to: { respond: 200 } }\n"
                    "  - { match: { path: /b/, prefix: true }, stages: [ policy: p ], to: { respond: 200 } }\n"
                    "  - { name: all, stages: [ policy: p ], to: { redirect: { prefix: /x } } }\n"
                    "  - { match: /c, stages: [ policy: q, rewrite: /d ], to: { respond: 200 } }\n");
    assert_true(bytes_equal(strip_of(&built, "routes//a/*/rewrite"), BYTES("/a")));
    assert_true(bytes_equal(strip_of(&built, "routes//b/*/rewrite"), BYTES("/b/")));
    assert_true(bytes_equal(strip_of(&built, "routes/all/rewrite"), BYTES("/")));
    assert_true(bytes_equal(strip_of(&built, "routes//c/rewrite"), BYTES("/own")));
    assert_true(bytes_equal(strip_of(&built, "routes//c/rewrite-2"), BYTES_NONE));
    redirect = find(&built, &STAGE_REDIRECT, "routes/all/redirect")->conf;
    assert_true(bytes_equal(redirect->strip, BYTES("/")));
    unbuild(&built);
}

/* Invariants (1) and (3) of compile.h. */
static void routes_share_the_chain_of_a_service(void **state)
{
    const struct stage *const *ways;
    struct built built;

    compile(&built, "services: { orders: { run: ./orders }, unused: { run: ./unused } }\n"
                    "routes:\n"
                    "  - { match: /a, to: orders }\n"
                    "  - { match: /b, to: orders, stages: [ timeout: 1s ] }\n"
                    "  - { match: /c, to: orders, stages: [ timeout: 3s, retry: 2, timeout: 1s ] }\n");
    ways = built.snapshot->root->children;
    assert_ptr_equal(ways[1]->next, ways[0]);
    assert_way(ways[1], "routes//b/timeout services/orders/timeout services/orders/retry services/orders/balance "
                        "services/orders/endpoint");
    assert_ptr_equal(ways[2]->next->next->next, ways[0]);
    assert_true(bytes_equal(ways[2]->path, BYTES("routes//c/timeout")));
    assert_true(bytes_equal(ways[2]->next->path, BYTES("routes//c/retry")));
    assert_true(bytes_equal(ways[2]->next->next->path, BYTES("routes//c/timeout-2")));
    assert_int_equal(built.snapshot->stage_count, 1 + 4 + 1 + 3 + 1 + 4); /* the mesh, and the way to `unused` */
    unbuild(&built);
}

static void targets_end_the_way(void **state)
{
    const struct respond_conf *respond;
    struct built built;

    compile(&built, "routes: [ { name: teapot, stages: [ { timeout: 1s } ], to: { respond: 418 } } ]\n");
    assert_way(built.snapshot->root->children[0], "routes/teapot/timeout routes/teapot/respond");
    respond = find(&built, &STAGE_RESPOND, "routes/teapot/respond")->conf;
    assert_int_equal(respond->status, 418);
    unbuild(&built);
    compile(&built, "");
    assert_int_equal(built.snapshot->root->child_count, 0);
    unbuild(&built);
}

/* Invariant (3) of compile.h: the mesh leads to every service, by the chain that routes lead to. */
static void mesh_leads_to_every_service(void **state)
{
    const struct mesh_conf *conf;
    const struct stage *mesh;
    struct built built;

    compile(&built, "services: { orders: { run: ./orders }, lonely: { url: http://h } }\n"
                    "routes: [ { match: /a, to: orders } ]\n");
    mesh = find(&built, &STAGE_MESH, "mesh");
    conf = mesh->conf;
    assert_ptr_equal(built.snapshot->root->next, mesh);
    assert_int_equal(mesh->child_count, 2);
    assert_true(bytes_equal(conf->services[1], BYTES("lonely")));
    assert_ptr_equal(mesh->children[0], built.snapshot->root->children[0]);
    assert_way(mesh->children[1], "services/lonely/timeout services/lonely/retry services/lonely/balance "
                                  "services/lonely/endpoint");
    unbuild(&built);
}

static void routes_know_their_gateways(void **state)
{
    const struct route_conf *conf;
    const struct bytes *names;
    struct built built;

    compile(&built, "gateway: [ { listen: http://0.0.0.0:80, name: public }, http://0.0.0.0:81 ]\n"
                    "routes: [ { to: { respond: 200 }, gateway: [gateway-1, public] },\n"
                    "          { match: /x, to: { respond: 200 } } ]\n");
    conf = built.snapshot->root->conf;
    names = conf->routes[0].gateways.items;
    assert_int_equal(conf->routes[0].gateways.count, 2);
    assert_true(bytes_equal(names[0], BYTES("gateway-1")) && bytes_equal(names[1], BYTES("public")));
    assert_int_equal(conf->routes[1].gateways.count, 0);
    unbuild(&built);
}

/* A reload that moves a route keeps its paths. */
static void paths_do_not_depend_on_the_order(void **state)
{
    struct built built;

    compile(&built, "routes: [ { match: /b, to: { respond: 201 } }, { match: /a, to: { respond: 200 } } ]\n");
    assert_way(built.snapshot->root->children[0], "routes//b/respond");
    assert_way(built.snapshot->root->children[1], "routes//a/respond");
    unbuild(&built);
}

/* Every service, with a policy that uses all of the usual chain, and routes besides: STAGES_MAX. */
static void too_many_stages_are_refused(void **state)
{
    size_t room = MIB;
    char *memory = test_malloc(room);
    struct text text = text_into(memory, room);
    struct built built;

    text_add(&text, BYTES("policies: { p: { per-try: 1s } }\nservices:\n"));
    for (unsigned i = 0; i < SERVICES_MAX; i++)
        text_add_format(&text, " s%u: { run: s, policy: p }\n", i);
    text_add(&text, BYTES("routes:\n"));
    for (unsigned i = 0; i < STAGES_MAX - SERVICES_MAX * 5; i++)
        text_add_format(&text, "- { to: { respond: 200 }, match: /%u }\n", i);
    text_add_char(&text, '\0');
    assert_false(text.full);
    assert_int_equal(build(&built, memory), -ENOSPC);
    assert_string_equal(built.fault.what, "routes and services need more than 24576 stages");
    unbuild(&built);
    test_free(memory);
}

/* What only compiling finds is found by proving too, before anything runs. */
static void proof_refuses_what_would_be_refused(void **state)
{
    size_t room = MIB;
    char *memory = test_malloc(room);
    struct text text = text_into(memory, room);
    struct fault fault = { 0 };
    struct control_try *try;

    text_add(&text, BYTES("routes:\n"));
    for (unsigned i = 0; i < ROUTE_REGEXES_MAX; i++)
        text_add_format(&text, "- { to: { respond: 200 }, match: { regex: /a%u } }\n", i);
    try = control_try(text_bytes(&text));
    assert_int_equal(try->result, 0);
    assert_int_equal(control_prove(try->config, &fault), 0);
    control_try_done(try);
    text_add(&text, BYTES("- { to: { respond: 200 }, match: { regex: /b } }\n"));
    assert_false(text.full);
    try = control_try(text_bytes(&text));
    assert_int_equal(try->result, 0);
    assert_int_equal(control_prove(try->config, &fault), -ENOSPC);
    assert_string_equal(fault.what, "more than 1000 routes have a path by regular expression");
    control_try_done(try);
    test_free(memory);
}

/* Whatever allocation fails: -ENOMEM, somebody is told, and nothing is left behind. */
static int build_without(int64_t allocation, bool *ret_fired)
{
    static const char yaml[] =
        "policies: { call: { per-try: 1s, rewrite: { strip: /a, prefix: \"/{caller}\" } } }\n"
        "services: { a: { run: ./a b, policy: call, env: { A: b } }, b: { url: http://h } }\n"
        "gateway: [ http://0.0.0.0:80, http://0.0.0.0:81 ]\n"
        "routes: [ { to: a, stages: [ timeout: 1s, policy: call, rewrite: { prefix: /x } ] }, { match: /b, to: b } ]\n";
    struct snapshot *snapshot = NULL;
    struct control_try *try;
    struct fault fault = { 0 };
    int r;

    mem_fail_after(allocation);
    try = control_try(bytes_of_text(yaml));
    r = try->result;
    assert_true(r == 0 || (r == -ENOMEM && try->faults.count > 0));
    if (r == 0)
        r = snapshot_create(1, &snapshot);
    if (r == 0) {
        r = control_compile(snapshot, try->config, &fault);
        assert_true(r == 0 || (r == -ENOMEM && fault.what[0]));
    }
    if (r == 0)
        r = snapshot_seal(snapshot, NULL, &fault);
    if (r == 0)
        r = control_prove(try->config, &fault);
    *ret_fired = mem_fail_after(-1);
    if (snapshot)
        snapshot_free(snapshot);
    control_try_done(try);
    return r;
}

static void failed_allocations_are_survived(void **state)
{
    bool fired = true;

    for (int64_t n = 0; fired; n++) {
        int64_t live = mem_stats().live;
        int r = build_without(n, &fired);

        assert_int_equal(r, fired ? -ENOMEM : 0);
        assert_int_equal(mem_stats().live, live);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_without_policy_has_the_usual_chain),
        cmocka_unit_test(a_policy_changes_what_it_names),
        cmocka_unit_test(a_policy_may_hold_any_stage),
        cmocka_unit_test(a_route_may_name_policies),
        cmocka_unit_test(a_prefix_is_the_route_s),
        cmocka_unit_test(routes_share_the_chain_of_a_service),
        cmocka_unit_test(targets_end_the_way),
        cmocka_unit_test(mesh_leads_to_every_service),
        cmocka_unit_test(routes_know_their_gateways),
        cmocka_unit_test(paths_do_not_depend_on_the_order),
        cmocka_unit_test(too_many_stages_are_refused),
        cmocka_unit_test(proof_refuses_what_would_be_refused),
        cmocka_unit_test(failed_allocations_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
