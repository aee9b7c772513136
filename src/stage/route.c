/* The stage `route`: chooses one of its children, see stage/route_table.h. */
#include "stage/route_table.h"

/* Made where there are expressions, once for each worker, and kept over reloads. */
struct route_local {
    struct regex_memory *memory;
};

static int set_parameters(const struct route_table *table, const struct route_found *found, struct exchange *x)
{
    struct exchange_parameter *parameters;
    const struct bytes *names;
    unsigned count;

    x->parameter_count = 0;
    names = route_table_parameters(table, found->route, &count);
    if (count == 0)
        return 0;
    parameters = arena_alloc(&x->arena, count * sizeof(*parameters));
    if (!parameters)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        parameters[i] = (struct exchange_parameter){ names[i], found->values[i] };
    x->parameters = parameters;
    x->parameter_count = count;
    return 0;
}

static enum outcome run_routes(const struct stage *s, struct exchange *x)
{
    const struct route_request request = { .gateway = x->gateway, .head = &x->request };
    const struct route_conf *conf = s->conf;
    const struct route_local *local;
    struct route_found found;
    int r;

    if (!route_path_safe(x->request.path))
        return OUTCOME_BAD_REQUEST;
    local = stage_local(s, x);
    r = route_table_find(s->state, &request, local->memory, &found);
    if (r < 0)
        return r == -ENOENT ? OUTCOME_NO_ROUTE : OUTCOME_BAD_REQUEST;
    if (set_parameters(s->state, &found, x) < 0)
        return OUTCOME_OVERLOAD;
    x->route = conf->routes[found.route].name;
    return stage_run(s->children[found.route], x);
}

/* The service gets the path that was routed. Whoever looks at the exchange afterwards sees what the client sent; of a
 * service's call, what the other service got: the rest of that path was for us. */
static enum outcome route_run(const struct stage *s, struct exchange *x)
{
    struct bytes sent = x->request.path;
    enum outcome outcome;

    if (route_path_plain(&x->arena, sent, &x->request.path) < 0)
        return OUTCOME_OVERLOAD;
    if (bytes_equal(x->gateway, BYTES(MESH_GATEWAY)))
        return s->next ? stage_next(s, x) : OUTCOME_NO_ROUTE;
    outcome = run_routes(s, x);
    x->request.path = sent;
    return outcome;
}

static int route_prepare(struct stage *stage, const struct stage *previous, struct fault *fault)
{
    const struct route_conf *conf = stage->conf;
    struct route_table *table;
    int r;

    if (conf->count != stage->child_count) {
        fault_set(fault, BYTES_FMT ": there must be one way on for each route", BYTES_ARG(stage->path));
        return -EINVAL;
    }
    r = route_table_create(conf, fault, &table);
    if (r == 0)
        stage->state = table;
    return r;
}

static void route_retire(struct stage *stage)
{
    route_table_free(stage->state);
}

static int route_local_start(const struct stage *stage, struct worker *worker, void *memory)
{
    struct route_local *local = memory;

    return local->memory || !route_table_has_regex(stage->state) ? 0 : regex_memory_create(&local->memory);
}

static void route_local_stop(struct worker *worker, void *memory)
{
    regex_memory_free(((struct route_local *)memory)->memory);
}

const struct stage_type STAGE_ROUTE = { .name = "route",
                                        .local_size = sizeof(struct route_local),
                                        .prepare = route_prepare,
                                        .run = route_run,
                                        .retire = route_retire,
                                        .local_start = route_local_start,
                                        .local_stop = route_local_stop };
