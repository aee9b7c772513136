/* What comes in by the mesh, and by other gateways: stages `route` and `mesh` between an entrance and services that
 * tell what they see. */
#include "http/credential.h"
#include "rig.h"
#include "stage/route_table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SERVICES 2
#define LONG_PATH 2000

static const struct hash_key SECRET = { 0x0123456789abcdef, 0xfedcba9876543210 };

/* --- the entrance and the services ------------------------------------------------------------------------------- */

struct entrance_conf {
    struct bytes gateway;
};

static enum outcome entrance_run(const struct stage *s, struct exchange *x)
{
    const struct entrance_conf *conf = s->conf;

    x->gateway = conf->gateway;
    if (bytes_equal(x->gateway, BYTES(MESH_GATEWAY)))
        http_take_credential(x);
    return stage_next(s, x);
}

static const struct stage_type ENTRANCE = { .name = "entrance", .run = entrance_run };

/* Answers "NAME path caller route id=7,rest=x". */
static enum outcome tell_run(const struct stage *s, struct exchange *x)
{
    const struct bytes *name = s->conf;
    char memory[256];
    struct text text = text_into(memory, sizeof(memory));

    text_add_format(&text, BYTES_FMT " " BYTES_FMT " <" BYTES_FMT "> <" BYTES_FMT ">", BYTES_ARG(*name),
                    BYTES_ARG(bytes_slice(x->request.path, 0, 24)), BYTES_ARG(x->caller), BYTES_ARG(x->route));
    for (unsigned i = 0; i < x->parameter_count; i++)
        text_add_format(&text, " " BYTES_FMT "=" BYTES_FMT, BYTES_ARG(x->parameters[i].name),
                        BYTES_ARG(x->parameters[i].value));
    return exchange_answer(x, 200, BYTES_NONE, text_bytes(&text)) < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static const struct stage_type TELL = { .name = "tell", .run = tell_run };

static const struct bytes NAMES[SERVICES] = { BYTES("orders"), BYTES("web") };

static const struct route_entry ROUTES[] = {
    { BYTES("one"), { .path = BYTES("/orders/{id}") } },
    { BYTES("rest"), { .path = BYTES("/{a}/lines/{more...}") } },
    { BYTES("regex"), { .regex = BYTES("/r/(x+x+)+[yz]") } },
    { BYTES("plain"), { .path = BYTES("/r"), .prefix = true } },
};

#define ROUTE_COUNT ARRAY_LEN(ROUTES)

struct tree {
    struct snapshot *snapshot;
    struct entrance_conf entrance;
    struct route_conf routes;
    struct mesh_conf mesh;
    const struct stage *services[SERVICES], *ways[ROUTE_COUNT];
    struct stage *route;
};

static void add(struct rig *rig, struct tree *tree, const struct stage_type *type, const void *conf, struct bytes path,
                struct stage **ret)
{
    RIG_CHECK(rig, snapshot_add_stage(tree->snapshot, type, conf, path, ret) == 0);
}

static void plant(struct rig *rig, struct tree *tree, const char *gateway, const struct route_entry *routes,
                  unsigned count)
{
    struct stage *entrance, *stage, *mesh;
    struct fault fault = { 0 };

    *tree = (struct tree){ .entrance.gateway = bytes_of_text(gateway) };
    tree->routes = (struct route_conf){ routes, count };
    tree->mesh = (struct mesh_conf){ NAMES, SERVICES };
    RIG_CHECK(rig, snapshot_create(++rig->version, &tree->snapshot) == 0);
    tree->snapshot->secret = &SECRET;
    add(rig, tree, &ENTRANCE, &tree->entrance, BYTES("entrance"), &entrance);
    add(rig, tree, &STAGE_ROUTE, &tree->routes, BYTES("routes"), &tree->route);
    add(rig, tree, &STAGE_MESH, &tree->mesh, BYTES("mesh"), &mesh);
    for (unsigned i = 0; i < SERVICES; i++) {
        add(rig, tree, &TELL, &NAMES[i], NAMES[i], &stage);
        tree->services[i] = stage;
    }
    for (unsigned i = 0; i < count; i++)
        tree->ways[i] = tree->services[i % SERVICES];
    mesh->children = tree->services;
    mesh->child_count = SERVICES;
    tree->route->children = tree->ways;
    tree->route->child_count = count;
    tree->route->next = mesh;
    entrance->next = tree->route;
    tree->snapshot->root = entrance;
    RIG_CHECK(rig, snapshot_seal(tree->snapshot, NULL, &fault) == 0);
    list_push_back(&rig->snapshots, &tree->snapshot->node);
    RIG_CHECK(rig, worker_enter(&rig->workers[0], tree->snapshot) == 0);
}

static void fell(struct rig *rig)
{
    worker_leave_all(&rig->workers[0]);
    (void)snapshots_sweep(&rig->snapshots);
}

/* --- rows ------------------------------------------------------------------------------------------------------ */

struct row {
    const char *path;
    enum outcome outcome;
    unsigned status;
    const char *body; /* how it begins */
};

/* "/@web/x" becomes "/~web-KEY/x", with the right key. */
static void write_path(char memory[256], const char *path)
{
    struct text text = text_into(memory, 255);

    while (*path) {
        size_t len = strcspn(path, "@"), name_len = path[len] ? strcspn(path + len + 1, "/") : 0;

        text_add(&text, bytes_of(path, len));
        path += len;
        if (!*path)
            break;
        text_add_char(&text, '~');
        mesh_write_credential(&text, &SECRET, bytes_of(path + 1, name_len));
        path += 1 + name_len;
    }
    memory[text.len] = '\0';
}

static void ask(struct rig *rig, const struct row *row)
{
    char path[256];
    struct rig_call call = { .host = "a.test", .path = path, .method = HTTP_GET };

    write_path(path, row->path);
    rig_call(rig, &call);
    if (call.outcome != row->outcome || call.status != row->status ||
        strncmp(call.body, row->body, strlen(row->body)) != 0)
        world_fail(rig->world, "%.40s: outcome %d, status %u, %s", row->path, (int)call.outcome, call.status,
                   call.body);
}

#define NOT_FOUND OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\""
#define DENIED OUTCOME_OK, 403, "{\"type\":\"urn:weft:outcome:denied\""

static const struct row BY_MESH[] = {
    { "/@web/orders/x", OUTCOME_OK, 200, "orders /x <web> <>" },
    { "/@web/orders", OUTCOME_OK, 200, "orders / <web> <>" },
    { "/@web/orders/", OUTCOME_OK, 200, "orders / <web> <>" },
    { "/@web/orders//x", OUTCOME_OK, 200, "orders //x <web> <>" },
    { "/@orders/orders/x/y", OUTCOME_OK, 200, "orders /x/y <orders> <>" },
    { "/@web/web/~web/x", OUTCOME_OK, 200, "web /~web/x <web> <>" },
    { "/@gone/orders/x", OUTCOME_OK, 200, "orders /x <> <>" }, /* its last instances drain */
    { "/@web/Orders/x", NOT_FOUND },
    { "/@web", NOT_FOUND },
    { "/@web/", NOT_FOUND },
    { "/@web/@web/orders", NOT_FOUND },
    { "/@web/r", NOT_FOUND },
    { "/@web/orders/../web", OUTCOME_BAD_REQUEST, 0, "" },
    { "/@web/orders/%2e%2e/x", OUTCOME_BAD_REQUEST, 0, "" },
};

/* Those without a key, and with one that is none: all get the same answer. */
static const struct row STRANGERS[] = {
    { "/", DENIED },
    { "", DENIED },
    { "*", DENIED },
    { "/orders", DENIED },
    { "/orders/x", DENIED },
    { "/nobody/x", DENIED },
    { "/orders/../web", DENIED },
    { "/~", DENIED },
    { "/~/orders/x", DENIED },
    { "/~web", DENIED },
    { "/~web/orders/x", DENIED },
    { "/~web-/orders/x", DENIED },
    { "/~web-00000000000000000000000000000000/orders/x", DENIED },
    { "/~-00000000000000000000000000000000/orders/x", DENIED },
    { "/~00000000000000000000000000000000/orders/x", DENIED },
    { "/x/@web/orders/x", DENIED },
    { "//@web/orders/x", DENIED },
};

static void by_mesh(struct rig *rig)
{
    struct tree tree;

    plant(rig, &tree, MESH_GATEWAY, ROUTES, ROUTE_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(BY_MESH); i++)
        ask(rig, &BY_MESH[i]);
    fell(rig);
}

static void mesh_leads_to_services_by_name(void **state)
{
    rig_run(by_mesh, 1, NULL);
}

static void strangers(struct rig *rig)
{
    struct tree tree;

    plant(rig, &tree, MESH_GATEWAY, ROUTES, ROUTE_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(STRANGERS); i++)
        ask(rig, &STRANGERS[i]);
    fell(rig);
}

static void strangers_are_refused(void **state)
{
    rig_run(strangers, 1, NULL);
}

/* Invariant (2): a mesh without a secret, such as that of a file that is checked, lets nobody in. */
static void secretless(struct rig *rig)
{
    const struct row refused = { "/@web/orders/x", DENIED };
    struct tree tree;

    plant(rig, &tree, MESH_GATEWAY, ROUTES, ROUTE_COUNT);
    tree.snapshot->secret = NULL;
    ask(rig, &refused);
    fell(rig);
}

static void without_a_secret_nobody_gets_in(void **state)
{
    rig_run(secretless, 1, NULL);
}

static bool holds(const struct hash_key *secret, const char *text, size_t len)
{
    struct bytes name = BYTES("untouched");
    bool held = mesh_credential_holds(secret, bytes_of(text, len), &name);

    if (!held)
        assert_true(bytes_equal(name, BYTES("untouched")));
    return held;
}

/* Invariant (1): one bit more or less, another name, another secret: none of it is the key. */
static void keys_are_of_one_service_and_system(void **state)
{
    static const struct hash_key OTHERS[] = { { 0x0123456789abcdef, 0xfedcba9876543211 },
                                              { 0x0123456789abcdee, 0xfedcba9876543210 },
                                              { 0, 0 } };
    char memory[MESH_CREDENTIAL_MAX + 1], web[MESH_CREDENTIAL_MAX];
    struct text text = text_into(memory, sizeof(memory)), other = text_into(web, sizeof(web));
    struct bytes name;

    mesh_write_credential(&text, &SECRET, BYTES("orders"));
    assert_int_equal(text.len, strlen("orders-") + 32);
    assert_true(mesh_credential_holds(&SECRET, text_bytes(&text), &name));
    assert_true(bytes_equal(name, BYTES("orders")));
    assert_true(bytes_equal(mesh_credential_name(text_bytes(&text)), BYTES("orders")));
    assert_true(bytes_equal(mesh_credential_name(BYTES("orders")), BYTES("orders")));
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++)
        assert_false(holds(&OTHERS[i], memory, text.len));
    for (size_t len = 0; len < text.len; len++)
        assert_false(holds(&SECRET, memory, len));
    memory[text.len] = '0';
    assert_false(holds(&SECRET, memory, text.len + 1));
    for (size_t i = 0; i < text.len * 8; i++) {
        memory[i / 8] = (char)(memory[i / 8] ^ 1 << i % 8);
        assert_false(holds(&SECRET, memory, text.len));
        memory[i / 8] = (char)(memory[i / 8] ^ 1 << i % 8);
    }
    mesh_write_credential(&other, &SECRET, BYTES("web"));
    memcpy(memory + strlen("orders-"), web + strlen("web-"), 32);
    assert_false(holds(&SECRET, memory, text.len));
}

/* The longest name has a key, and a longer one has none. */
static void names_are_bounded(void **state)
{
    char name[CONF_NAME_MAX + 1], memory[MESH_CREDENTIAL_MAX + 1];
    struct text longest = text_into(memory, sizeof(memory)), longer = text_into(memory, sizeof(memory));

    memset(name, 'n', sizeof(name));
    mesh_write_credential(&longest, &SECRET, bytes_of(name, CONF_NAME_MAX));
    assert_int_equal(longest.len, MESH_CREDENTIAL_MAX);
    assert_true(holds(&SECRET, memory, longest.len));
    mesh_write_credential(&longer, &SECRET, bytes_of(name, sizeof(name)));
    assert_false(longer.full);
    assert_false(holds(&SECRET, memory, longer.len));
}

static const struct {
    const char *path, *credential, *rest;
} CREDENTIALS[] = {
    { "/~a-1/x/y", "a-1", "/x/y" },
    { "/~a", "a", "/" },
    { "/~a/", "a", "/" },
    { "/~", "", "/" },
    { "/%7Ea/x", "a", "/x" },
    { "/%7ea/x", "a", "/x" },
    { "/~~a/x", "~a", "/x" },
    { "/~a//x", "a", "//x" },
    { "/a/~b", "", "/a/~b" },
    { "//~a/x", "", "//~a/x" },
    { "/%7Fa", "", "/%7Fa" },
    { "*", "", "*" },
    { "", "", "" },
    { "/", "", "/" },
    { "~a/x", "", "~a/x" },
    { "/%7", "", "/%7" },
};

static void credentials_leave_the_path(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(CREDENTIALS); i++) {
        struct exchange x = { .request = { .path = bytes_of_text(CREDENTIALS[i].path) } };

        http_take_credential(&x);
        if (!bytes_equal(x.credential, bytes_of_text(CREDENTIALS[i].credential)) ||
            !bytes_equal(x.request.path, bytes_of_text(CREDENTIALS[i].rest)))
            fail_msg("%s", CREDENTIALS[i].path);
    }
}

static const struct row BY_GATEWAY[] = {
    { "/orders/7", OUTCOME_OK, 200, "orders /orders/7 <> <one> id=7" },
    { "/orders/a%20b", OUTCOME_OK, 200, "orders /orders/a%20b <> <one> id=a%20b" },
    { "/x/lines/", OUTCOME_OK, 200, "web /x/lines/ <> <rest> a=x more=" },
    { "/x/lines/1//2", OUTCOME_OK, 200, "web /x/lines/1//2 <> <rest> a=x more=1//2" },
    { "/r/x", OUTCOME_OK, 200, "web /r/x <> <plain>" },
    { "/web/x", OUTCOME_NO_ROUTE, 0, "" },
    { "/~web/orders/x", OUTCOME_NO_ROUTE, 0, "" },
};

static void by_gateway(struct rig *rig)
{
    struct tree tree;

    plant(rig, &tree, "public", ROUTES, ROUTE_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(BY_GATEWAY); i++)
        ask(rig, &BY_GATEWAY[i]);
    fell(rig);
}

static void gateways_have_routes_alone(void **state)
{
    rig_run(by_gateway, 1, NULL);
}

/* An expression that takes too long decides nothing: the prefix behind it is not tried. */
static void costly(struct rig *rig)
{
    static const struct route_entry entries[] = {
        { BYTES("regex"), { .regex = BYTES("/r/(x+x+)+[yz]") } },
        { BYTES("every"), { .prefix = false } },
    };
    static char path[LONG_PATH + 1] = "/r/";
    const struct row refused = { path, OUTCOME_BAD_REQUEST, 0, "" };
    const struct row fine = { "/r/xxxy", OUTCOME_OK, 200, "orders /r/xxxy <> <regex>" };
    const struct row other = { "/r/xx", OUTCOME_OK, 200, "web /r/xx <> <every>" };
    struct tree tree;

    memset(path + 3, 'x', 60);
    plant(rig, &tree, "public", entries, ARRAY_LEN(entries));
    ask(rig, &fine);
    ask(rig, &refused);
    ask(rig, &other);
    fell(rig);
}

static void costly_requests_are_refused(void **state)
{
    rig_run(costly, 1, NULL);
}

/* A mesh without a way on for each service is refused; a route without a mesh has none. */
static void trees_are_checked(void **state)
{
    static const struct mesh_conf conf = { NAMES, SERVICES };
    struct stage stage = { .type = &STAGE_MESH, .path = BYTES("mesh"), .conf = &conf, .child_count = 1 };
    struct fault fault = { 0 };
    struct exchange x = { .gateway = BYTES(MESH_GATEWAY), .request = { .path = BYTES("/orders") } };
    struct stage alone = { .type = &STAGE_ROUTE, .path = BYTES("routes") };

    assert_int_equal(STAGE_MESH.prepare(&stage, NULL, &fault), -EINVAL);
    assert_string_equal(fault.what, "mesh: there must be one way on for each service");
    STAGE_MESH.retire(&stage);
    assert_int_equal(STAGE_ROUTE.run(&alone, &x), OUTCOME_NO_ROUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mesh_leads_to_services_by_name),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(without_a_secret_nobody_gets_in),
        cmocka_unit_test(keys_are_of_one_service_and_system),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(credentials_leave_the_path),
        cmocka_unit_test(gateways_have_routes_alone),
        cmocka_unit_test(costly_requests_are_refused),
        cmocka_unit_test(trees_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
