#include "control/compile.h"

#include "stage/route_table.h"

struct compiler {
    struct snapshot *snapshot;
    const struct control_config *config;
    struct map chains; /* name of a service -> its outermost stage */
};

static struct arena *arena_of(const struct compiler *compiler)
{
    return &compiler->snapshot->arena;
}

/* Hangs a new stage behind the one before: *place is where the way goes on. */
static int add(struct compiler *compiler, const struct stage_type *type, const void *conf, struct bytes path,
               const struct stage ***place)
{
    struct stage *stage;
    int r = snapshot_add_stage(compiler->snapshot, type, conf, path, &stage);

    if (r == 0) {
        **place = stage;
        *place = &stage->next;
    }
    return r;
}

/* --- services ---------------------------------------------------------------------------------------------------- */

/* What the policy says about the slot, or else what the slot has by itself. */
static const void *settings_of(const struct control_service *service, const struct stage_slot *slot)
{
    const struct conf_union *settings = service->settings ? service->settings->items : NULL;

    for (size_t i = 0; settings && i < service->settings->count; i++)
        if (settings[i].alternative->user == slot->type)
            return settings[i].value;
    return slot->conf;
}

static int add_slot(struct compiler *compiler, const struct control_service *service, const struct stage_slot *slot,
                    const struct stage ***place)
{
    const void *conf = settings_of(service, slot);
    struct balance_conf *balance;
    struct bytes path;
    int r = arena_format(arena_of(compiler), &path, "services/" BYTES_FMT "/%s", BYTES_ARG(service->name),
                         slot->type->name);

    if (r == 0 && slot->type == &STAGE_BALANCE) {
        balance = arena_zalloc(arena_of(compiler), sizeof(*balance));
        if (!balance)
            return -ENOMEM;
        *balance = (struct balance_conf){ .by = service->balance, .service = service->name };
        conf = balance;
    }
    if (r == 0 && (conf || slot->always))
        r = add(compiler, slot->type, conf, path, place);
    return r;
}

/* What the policy has besides: it stands before the chain, as it is written. */
static int add_before_chain(struct compiler *compiler, const struct control_service *service,
                            const struct stage ***place)
{
    const struct conf_union *settings = service->settings ? service->settings->items : NULL;
    int r = 0;

    for (size_t i = 0; settings && r == 0 && i < service->settings->count; i++) {
        const struct stage_type *type = settings[i].alternative->user;
        struct bytes path;

        if (!control_step_before_chain(&settings[i]))
            continue;
        r = arena_format(arena_of(compiler), &path, "services/" BYTES_FMT "/%s", BYTES_ARG(service->name), type->name);
        if (r == 0)
            r = add(compiler, type, settings[i].value, path, place);
    }
    return r;
}

static int find_chain(struct compiler *compiler, const struct control_service *service, const struct stage **ret)
{
    const struct stage *first = map_get(&compiler->chains, service->name), **place = &first;
    int r = 0;

    if (!first) {
        r = add_before_chain(compiler, service, &place);
        for (unsigned i = 0; r == 0 && i < STAGE_CHAIN_COUNT; i++)
            r = add_slot(compiler, service, &STAGE_CHAIN[i], &place);
        if (r == 0)
            r = map_put(&compiler->chains, service->name, (void *)(uintptr_t)first);
    }
    if (r == 0)
        *ret = first;
    return r;
}

/* --- routes ------------------------------------------------------------------------------------------------------ */

/* `number`: how many of this type stand before it in the route. */
static int route_path(struct compiler *compiler, const struct control_route *route, const char *type, unsigned number,
                      struct bytes *ret)
{
    if (number == 0)
        return arena_format(arena_of(compiler), ret, "routes/" BYTES_FMT "/%s", BYTES_ARG(route->name), type);
    return arena_format(arena_of(compiler), ret, "routes/" BYTES_FMT "/%s-%u", BYTES_ARG(route->name), type,
                        number + 1);
}

static int add_steps(struct compiler *compiler, const struct control_route *route, const struct stage ***place)
{
    const struct conf_union *steps = route->steps.items;
    int r = 0;

    for (size_t i = 0; r == 0 && i < route->steps.count; i++) {
        const struct stage_type *type = steps[i].alternative->user;
        unsigned number = 0;
        struct bytes path;

        for (size_t k = 0; k < i; k++)
            number += steps[k].alternative->user == type;
        r = route_path(compiler, route, type->name, number, &path);
        if (r == 0)
            r = add(compiler, type, steps[i].value, path, place);
    }
    return r;
}

static int add_route(struct compiler *compiler, const struct control_route *route, const struct stage **ret)
{
    const struct stage **place = ret;
    const struct stage_type *target;
    struct bytes path;
    int r = add_steps(compiler, route, &place);

    if (r < 0 || route->service)
        return r < 0 ? r : find_chain(compiler, route->service, place);
    target = route->to.alternative->user;
    r = route_path(compiler, route, target->name, 0, &path);
    return r == 0 ? add(compiler, target, route->to.value, path, &place) : r;
}

/* --- the mesh ---------------------------------------------------------------------------------------------------- */

static int add_mesh(struct compiler *compiler, const struct stage **ret)
{
    const struct control_config *config = compiler->config;
    size_t count = config->services.count;
    struct mesh_conf *conf = arena_zalloc(arena_of(compiler), sizeof(*conf));
    struct bytes *names = arena_zalloc(arena_of(compiler), MAX(count, (size_t)1) * sizeof(*names));
    const struct stage **children = arena_zalloc(arena_of(compiler), MAX(count, (size_t)1) * sizeof(*children));
    struct stage *mesh;
    int r;

    if (!conf || !names || !children)
        return -ENOMEM;
    *conf = (struct mesh_conf){ .services = names, .count = (unsigned)count };
    r = snapshot_add_stage(compiler->snapshot, &STAGE_MESH, conf, BYTES("mesh"), &mesh);
    for (size_t i = 0; r == 0 && i < count; i++) {
        names[i] = control_service_at(config, i)->name;
        r = find_chain(compiler, control_service_at(config, i), &children[i]);
    }
    if (r < 0)
        return r;
    mesh->children = children;
    mesh->child_count = (unsigned)count;
    *ret = mesh;
    return 0;
}

static int add_root(struct compiler *compiler)
{
    const struct control_config *config = compiler->config;
    size_t count = config->routes.count;
    struct route_conf *conf = arena_zalloc(arena_of(compiler), sizeof(*conf));
    struct route_entry *entries = arena_zalloc(arena_of(compiler), MAX(count, (size_t)1) * sizeof(*entries));
    const struct stage **children = arena_zalloc(arena_of(compiler), MAX(count, (size_t)1) * sizeof(*children));
    struct stage *root;
    int r;

    if (!conf || !entries || !children)
        return -ENOMEM;
    *conf = (struct route_conf){ .routes = entries, .count = (unsigned)count };
    r = snapshot_add_stage(compiler->snapshot, &STAGE_ROUTE, conf, BYTES(ROUTE_STAGE_PATH), &root);
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct control_route *route = control_route_at(config, i);

        entries[i] = (struct route_entry){ .name = route->name, .match = route->match, .gateways = route->gateways };
        r = add_route(compiler, route, &children[i]);
    }
    if (r < 0)
        return r;
    root->children = children;
    root->child_count = (unsigned)count;
    r = add_mesh(compiler, &root->next);
    if (r < 0)
        return r;
    compiler->snapshot->root = root;
    return 0;
}

int control_compile(struct snapshot *snapshot, const struct control_config *config, struct fault *fault)
{
    struct compiler compiler = { .snapshot = snapshot, .config = config };
    int r;

    map_init(&compiler.chains, (struct hash_key){ 0, 0 }, SERVICES_MAX);
    r = add_root(&compiler);
    map_done(&compiler.chains);
    if (r == -ENOSPC)
        fault_set(fault, "routes and services need more than %d stages", STAGES_MAX);
    else if (r < 0)
        fault_set(fault, "not enough memory for the routes");
    if (r == 0)
        snapshot->system = config;
    return r;
}

int control_prove(const struct control_config *config, struct fault *fault)
{
    struct snapshot *snapshot = NULL;
    int r = snapshot_create(0, &snapshot);

    if (r == 0)
        r = control_compile(snapshot, config, fault);
    if (r == 0)
        r = snapshot_seal(snapshot, NULL, fault);
    if (r == -ENOMEM)
        fault_set(fault, "not enough memory to compile the configuration");
    if (snapshot)
        snapshot_free(snapshot);
    return r;
}
