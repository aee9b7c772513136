#include "rig.h"
#include "stage/stages.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct respond_conf ORDERS = { .status = 201 }, CATALOG = { .status = 202 };

static struct route_entry entry_of(int index)
{
    return index == 0 ? (struct route_entry){ BYTES("orders"), { .path = BYTES("/orders"), .prefix = true } }
                      : (struct route_entry){ BYTES("catalog"), { .path = BYTES("/catalog") } };
}

/* A root that routes to two answers. */
static int build(struct rig *rig, struct route_entry *entries, struct route_conf *conf, const struct stage **children)
{
    struct snapshot *snapshot = NULL;
    struct stage *root = NULL, *child = NULL;
    struct fault fault = { 0 };
    int r = snapshot_create(1, &snapshot);

    for (int i = 0; r == 0 && i < 2; i++) {
        entries[i] = entry_of(i);
        r = snapshot_add_stage(snapshot, &STAGE_RESPOND, i == 0 ? &ORDERS : &CATALOG, entries[i].name, &child);
        children[i] = child;
    }
    *conf = (struct route_conf){ entries, 2 };
    if (r == 0)
        r = snapshot_add_stage(snapshot, &STAGE_ROUTE, conf, BYTES("routes"), &root);
    if (r < 0)
        return r;
    root->children = children;
    root->child_count = 1;
    snapshot->root = root;
    RIG_CHECK(rig, snapshot_seal(snapshot, NULL, &fault) == -EINVAL && fault.what[0]); /* a way on is missing */
    snapshot->stage_count = 3;
    root->child_count = 2;
    r = snapshot_seal(snapshot, NULL, &fault);
    list_push_back(&rig->snapshots, &snapshot->node);
    return r < 0 ? r : worker_enter(&rig->workers[0], snapshot);
}

static const struct {
    const char *path;
    enum outcome outcome;
    unsigned status;
    const char *route;
} CALLS[] = {
    { "/orders/7", OUTCOME_OK, 201, "orders" },
    { "/catalog", OUTCOME_OK, 202, "catalog" },
    { "/catalog/", OUTCOME_NO_ROUTE, 0, "" },
    { "/else", OUTCOME_NO_ROUTE, 0, "" },
    { "/orders/../catalog", OUTCOME_BAD_REQUEST, 0, "" },
    { "/orders/%2e%2E/x", OUTCOME_BAD_REQUEST, 0, "" },
    { "/%6frders/7", OUTCOME_OK, 201, "orders" },
    { "/c%61t%41log", OUTCOME_NO_ROUTE, 0, "" },
    { "/c%61talo%67", OUTCOME_OK, 202, "catalog" },
    { "/orders%2F7", OUTCOME_NO_ROUTE, 0, "" },
    { "/orders/%", OUTCOME_OK, 201, "orders" },
    { "/orders/%6", OUTCOME_OK, 201, "orders" },
};

static void ways(struct rig *rig)
{
    struct route_entry entries[2];
    const struct stage *children[2];
    struct route_conf conf;

    RIG_CHECK(rig, build(rig, entries, &conf, children) == 0);
    for (size_t i = 0; i < ARRAY_LEN(CALLS); i++) {
        struct rig_call call = { .host = "a.test", .path = CALLS[i].path };

        rig_call(rig, &call);
        if (call.outcome != CALLS[i].outcome || call.status != CALLS[i].status ||
            strcmp(call.route, CALLS[i].route) != 0)
            world_fail(rig->world, "%s: outcome %d, status %u, route %s", CALLS[i].path, (int)call.outcome, call.status,
                       call.route);
    }
    worker_leave_all(&rig->workers[0]); /* the table goes with its snapshot, before `entries` do */
    (void)snapshots_sweep(&rig->snapshots);
}

static void request_takes_its_route(void **state)
{
    rig_run(ways, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(request_takes_its_route) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
