#include "sim/scenarios/spine/party.h"

#include "base/hash.h"
#include "http/connection.h"

char spine_byte(uint64_t seed, uint64_t at)
{
    return (char)(hash_mix64(seed * 31 + at / 8) >> at % 8 * 8);
}

struct party *party_of(const struct exchange *x)
{
    return container_of(x->worker, struct party, worker);
}

static int make_endpoints(struct party *party, const struct party_plan *plan)
{
    for (unsigned i = 0; i < plan->origin_count; i++) {
        struct http_endpoint_conf conf = { .name = BYTES("origin"),
                                           .address = sim_address(plan->origins[i], SPINE_PORT),
                                           .connections_max = plan->connections_max };
        int r = http_endpoint_create(&party->worker, &conf, &party->endpoints[i]);

        if (r < 0)
            return r;
        party->endpoint_count++;
    }
    return 0;
}

static int publish(struct party *party, const struct party_plan *plan)
{
    struct snapshot *snapshot;
    struct stage *root;
    int r = snapshot_create(++party->version, &snapshot);

    if (r < 0)
        return r;
    r = snapshot_add_stage(snapshot, plan->root, plan, BYTES("root"), &root);
    snapshot->root = root;
    if (r == 0 && plan->build)
        r = plan->build(snapshot, root, plan->context);
    if (r == 0)
        r = snapshot_seal(snapshot, NULL, NULL);
    if (r == 0)
        r = worker_enter(&party->worker, snapshot);
    if (r < 0) {
        snapshot_free(snapshot);
        return r;
    }
    list_push_back(&party->snapshots, &snapshot->node);
    if (snapshots_sweep(&party->snapshots) > SNAPSHOTS_LIVE_MAX)
        world_fail(party->world, "more than SNAPSHOTS_LIVE_MAX versions are alive");
    return 0;
}

/* Ends the scope of an exchange that is under way, as anything may at any time. */
static void cancel_one(struct party *party)
{
    uint64_t skip = prng_below(&party->world->prng, 4);

    LIST_EACH (&party->server.active, node, next) {
        struct http_connection *c = container_of(node, struct http_connection, node);

        if (!c->x || !c->x->scope)
            continue;
        scope_cancel(c->x->scope);
        if (skip-- == 0)
            return;
    }
}

static int party_trouble(struct task *task)
{
    struct party *party = container_of(task, struct party, trouble);
    struct prng *prng = &party->world->prng;

    while (fiber_sleep(prng_between(prng, 1, 400) * NS_PER_MS) == 0) {
        if (party->plan->reloads && prng_chance(prng, 0.5) && publish(party, party->plan) < 0)
            world_fail(party->world, "a reload failed");
        if (party->plan->chaos)
            cancel_one(party);
    }
    return 0;
}

/* Until the loop is stopped; then everything goes in order. */
static int party_live(struct task *task)
{
    struct party *party = container_of(task, struct party, life);
    struct io *io = party->loop->io;
    struct scope scope;

    (void)!fiber_sleep_until(TIME_NEVER);
    party->up = false;
    scope_open_shielded(&scope, 60 * NS_PER_S);
    http_server_abort(&party->server);
    while (!http_server_quiet(&party->server) || party->worker.exchanges.out > 0)
        if (fiber_sleep(NS_PER_MS) < 0)
            break;
    if (!http_server_quiet(&party->server) || party->worker.exchanges.out > 0)
        world_fail(party->world, "%zu connections and %zu exchanges outlive their server",
                   party->server.connections.out, party->worker.exchanges.out);
    for (unsigned i = 0; i < party->endpoint_count; i++)
        endpoint_drop(party->endpoints[i]);
    http_server_done(&party->server);
    io->ops->close(io, party->socket);
    worker_done(&party->worker);
    if (snapshots_sweep(&party->snapshots) > 0)
        world_fail(party->world, "a snapshot is still held");
    scope_close(&scope);
    return 0;
}

static void task_ended(struct party *party)
{
    if (--party->tasks == 0)
        mem_free(party);
}

static void life_ended(struct task *task)
{
    task_ended(container_of(task, struct party, life));
}

static void trouble_ended(struct task *task)
{
    task_ended(container_of(task, struct party, trouble));
}

int party_start(struct sim_process *process, void *context)
{
    struct party_plan *plan = context;
    struct address address = sim_address(process->on, SPINE_PORT);
    struct loop *loop = sim_process_loop(process, &plan->loop);
    struct party *party = mem_zalloc(sizeof(*party));
    int r;

    if (!loop || !party)
        return -ENOMEM;
    party->plan = plan;
    party->world = plan->world;
    party->loop = loop;
    party->life = (struct task){ .run = party_live, .ended = life_ended };
    list_init(&party->snapshots);
    r = worker_init(&party->worker, 0, loop, &plan->worker);
    if (r == 0)
        r = http_server_init(&party->server, &party->worker, &plan->server);
    if (r == 0)
        r = make_endpoints(party, plan);
    if (r == 0)
        r = publish(party, plan);
    if (r == 0)
        r = loop->io->ops->listen(loop->io, &address, 64, false, &party->socket);
    if (r == 0)
        r = http_server_listen(&party->server, party->socket, BYTES("sim"), BYTES("http"), &party->listener);
    if (r < 0)
        return r;
    party->up = true;
    plan->party = party;
    party->trouble = (struct task){ .run = party_trouble, .ended = trouble_ended };
    party->tasks = 2;
    r = loop_spawn(loop, &party->trouble);
    return r < 0 ? r : loop_spawn(loop, &party->life);
}

void party_gone(struct sim_process *process, void *context)
{
    struct party_plan *plan = context;

    plan->party = NULL;
}
