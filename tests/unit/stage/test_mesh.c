/* What comes in by the mesh, and by other gateways: stages `route` and `mesh` between an entrance and services that
 * tell what they see. */
#include "rig.h"
#include "stage/route_table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SERVICES 2
#define LONG_PATH 2000

/* --- the entrance and the services ------------------------------------------------------------------------------- */

struct entrance_conf {
    struct bytes gateway;
};

static enum outcome entrance_run(const struct stage *s, struct exchange *x)
{
    const struct entrance_conf *conf = s->conf;

    x->gateway = conf->gateway;
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

static void ask(struct rig *rig, const struct row *row)
{
    struct rig_call call = { .host = "a.test", .path = row->path, .method = HTTP_GET };

    rig_call(rig, &call);
    if (call.outcome != row->outcome || call.status != row->status ||
        strncmp(call.body, row->body, strlen(row->body)) != 0)
        world_fail(rig->world, "%.40s: outcome %d, status %u, %s", row->path, (int)call.outcome, call.status,
                   call.body);
}

static const struct row BY_MESH[] = {
    { "/orders/x", OUTCOME_OK, 200, "orders /x <> <>" },
    { "/orders", OUTCOME_OK, 200, "orders / <> <>" },
    { "/orders/", OUTCOME_OK, 200, "orders / <> <>" },
    { "/orders//x", OUTCOME_OK, 200, "orders //x <> <>" },
    { "/~web/orders/x/y", OUTCOME_OK, 200, "orders /x/y <web> <>" },
    { "/~web/orders", OUTCOME_OK, 200, "orders / <web> <>" },
    { "/~web/web/~web/x", OUTCOME_OK, 200, "web /~web/x <web> <>" },
    { "/~gone/orders/x", OUTCOME_OK, 200, "orders /x <> <>" },
    { "/~/orders/x", OUTCOME_OK, 200, "orders /x <> <>" },
    { "/Orders/x", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "/", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "/~web", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "/~web/", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "/~web/~web/orders", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "/r", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "*", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "", OUTCOME_OK, 404, "{\"type\":\"urn:weft:outcome:no_route\"" },
    { "/orders/../web", OUTCOME_BAD_REQUEST, 0, "" },
    { "/~web/orders/%2e%2e/x", OUTCOME_BAD_REQUEST, 0, "" },
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
        cmocka_unit_test(gateways_have_routes_alone),
        cmocka_unit_test(costly_requests_are_refused),
        cmocka_unit_test(trees_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
