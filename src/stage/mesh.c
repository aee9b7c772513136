/* The stage `mesh`: services call each other by the first element of the path, see stage/stages.h. */
#include "base/alloc.h"
#include "base/map.h"
#include "http/problem.h"
#include "stage/route_path.h"

/* name -> its place in the conf's list */
struct mesh_table {
    struct map names;
};

/* Cuts the first element off: "/orders/x" gives "orders" and "/x"; nothing is left of "/orders". */
static bool take_element(struct bytes *path, struct bytes *ret)
{
    struct bytes rest = bytes_skip(*path, 1);
    ssize_t slash = bytes_find_char(rest, '/');

    if (path->len == 0 || path->data[0] != '/')
        return false;
    *ret = slash < 0 ? rest : bytes_slice(rest, 0, (size_t)slash);
    *path = slash < 0 ? BYTES_NONE : bytes_skip(rest, (size_t)slash);
    return true;
}

static const struct bytes *find_name(const struct stage *mesh, struct bytes name)
{
    const struct mesh_table *table = mesh->state;

    return map_get(&table->names, name);
}

int mesh_find(const struct stage *mesh, struct bytes path, struct mesh_call *ret)
{
    const struct mesh_conf *conf = mesh->conf;
    const struct bytes *caller = NULL, *service;
    struct bytes name = BYTES_NONE;

    if (!route_path_safe(path))
        return -EBADMSG;
    if (take_element(&path, &name) && bytes_starts(name, BYTES("~"))) {
        caller = find_name(mesh, bytes_skip(name, 1));
        name = BYTES_NONE;
        (void)take_element(&path, &name);
    }
    service = find_name(mesh, name);
    *ret = (struct mesh_call){ .caller = caller ? *caller : BYTES_NONE,
                               .service = name,
                               .path = path.len ? path : BYTES("/"),
                               .next = service ? mesh->children[service - conf->services] : NULL };
    return service ? 0 : -ENOENT;
}

static enum outcome refuse(struct exchange *x, struct bytes name)
{
    char memory[256];
    struct text detail = text_into(memory, sizeof(memory));

    text_add_format(&detail,
                    "there is no service \"" BYTES_FMT "\" in weft.yaml: services are called as $WEFT_URL/NAME/path, "
                    "with the name of a service before the path",
                    BYTES_ARG(bytes_slice(name, 0, CONF_NAME_MAX)));
    return http_problem(x, OUTCOME_NO_ROUTE, text_bytes(&detail)) < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static enum outcome mesh_run(const struct stage *s, struct exchange *x)
{
    struct mesh_call call;
    int r = mesh_find(s, x->request.path, &call);

    if (r == -EBADMSG)
        return OUTCOME_BAD_REQUEST;
    x->caller = BYTES_NONE;
    if (arena_copy(&x->arena, call.caller, &x->caller) < 0) /* a tunnel lets go of the snapshot that has the name */
        return OUTCOME_OVERLOAD;
    if (r < 0)
        return refuse(x, call.service);
    if (x->shared_request && exchange_own_request(x) < 0)
        return OUTCOME_OVERLOAD;
    x->request.path = call.path;
    return stage_run(call.next, x);
}

static int mesh_prepare(struct stage *stage, const struct stage *previous, struct fault *fault)
{
    const struct mesh_conf *conf = stage->conf;
    struct mesh_table *table;
    int r = 0;

    if (conf->count != stage->child_count) {
        fault_set(fault, BYTES_FMT ": there must be one way on for each service", BYTES_ARG(stage->path));
        return -EINVAL;
    }
    table = mem_zalloc(sizeof(*table));
    if (!table)
        return -ENOMEM;
    map_init(&table->names, (struct hash_key){ 0, 0 }, SERVICES_MAX); /* strangers look up, but never insert */
    for (unsigned i = 0; r == 0 && i < conf->count; i++)
        r = map_put(&table->names, conf->services[i], (void *)(uintptr_t)&conf->services[i]);
    if (r < 0) {
        map_done(&table->names);
        mem_free(table);
        return r;
    }
    stage->state = table;
    return 0;
}

static void mesh_retire(struct stage *stage)
{
    struct mesh_table *table = stage->state;

    if (!table) /* its preparation failed */
        return;
    map_done(&table->names);
    mem_free(table);
}

const struct stage_type STAGE_MESH = {
    .name = "mesh", .prepare = mesh_prepare, .run = mesh_run, .retire = mesh_retire
};
