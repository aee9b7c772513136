/* The scenarios of the spine: one table, one run. */
#include "sim/scenarios/spine/spine.h"

#include "sim/scenarios/spine/client.h"
#include "sim/scenarios/spine/stages.h"

#define CLIENTS_MAX 8
#define SMALL_WINDOW 256

/* What one scenario tries. */
struct spine {
    const struct stage_type *chain[5]; /* below the counter, outermost first; ends with NULL */
    const char *kinds;
    uint64_t len_max;
    double leave_chance;
    bool reloads, chaos, tight, gathers;
};

struct play {
    struct world *world;
    const struct spine *spine;
    struct party_plan origins[ORIGINS_MAX], gateway;
    struct client_plan clients[CLIENTS_MAX];
    unsigned client_count, origin_count;
    struct sim_process *gateway_process, *origin_processes[ORIGINS_MAX];
    struct nemesis *nemesis;
    bool quiet;
};

/* The gateway's stages: count -> chain... */
static int build(struct snapshot *snapshot, struct stage *root, void *context)
{
    const struct play *play = context;
    struct stage *before = root;

    for (unsigned i = 0; play->spine->chain[i]; i++) {
        struct stage *stage;
        char path[16];
        struct text text = text_into(path, sizeof(path));
        int r;

        text_add_format(&text, "chain/%u", i);
        r = snapshot_add_stage(snapshot, play->spine->chain[i], NULL, text_bytes(&text), &stage);
        if (r < 0)
            return r;
        before->next = stage;
        before = stage;
    }
    return 0;
}

static void add_gateway(struct play *play)
{
    struct world *world = play->world;
    struct sim_node *node = world_node(world);

    play->gateway.world = world;
    play->gateway.root = &STAGE_COUNT;
    play->gateway.build = build;
    play->gateway.context = play;
    play->gateway.reloads = play->spine->reloads;
    play->gateway.chaos = play->spine->chaos && !play->quiet;
    play->gateway.connections_max = play->spine->tight ? 2 : 0;
    if (play->spine->tight) { /* (g): every pool runs out */
        play->gateway.loop.fibers_max = 6;
        play->gateway.worker = (struct worker_limits){ .exchanges_max = 6, .buffers_max = 12 };
        play->gateway.server.connections_max = 6;
    }
    play->gateway_process = sim_process_add(node, "gateway", party_start, &play->gateway);
    play->gateway_process->gone = party_gone;
    play->gateway_process->may_crash = prng_chance(&world->prng, 0.3);
    for (unsigned i = 0; i < play->client_count; i++)
        play->clients[i].gateway = node;
}

static void add_origins(struct play *play)
{
    for (unsigned i = 0; i < play->origin_count; i++) {
        struct sim_node *node = world_node(play->world);

        play->origins[i] = (struct party_plan){ .world = play->world, .root = &STAGE_ORIGIN };
        play->origin_processes[i] = sim_process_add(node, "origin", party_start, &play->origins[i]);
        play->origin_processes[i]->gone = party_gone;
        play->origin_processes[i]->may_crash = true;
        play->gateway.origins[play->gateway.origin_count++] = node;
        sim_process_start(play->origin_processes[i]);
    }
}

static void add_clients(struct play *play)
{
    const struct spine *spine = play->spine;
    struct world *world = play->world;

    for (unsigned i = 0; i < play->client_count; i++) {
        struct client_plan *client = &play->clients[i];

        client->world = world;
        client->kinds = spine->kinds;
        client->len_max = prng_chance(&world->prng, 0.5) ? spine->len_max : spine->len_max / 16;
        if (world->faults.window.low < SMALL_WINDOW) /* a byte at a time: little is as good as much, and sooner done */
            client->len_max /= 64;
        client->requests = (unsigned)prng_between(&world->prng, 1, 12);
        client->leave_chance = play->quiet ? 0 : spine->leave_chance;
        client->must_work = play->quiet && !spine->tight && !spine->chaos;
        client->gathers = spine->gathers;
        sim_process_start(sim_process_add(world_node(world), "client", client_start, client));
    }
}

static bool clients_ended(struct world *world, void *context)
{
    struct play *play = context;

    for (unsigned i = 0; i < play->client_count; i++)
        if (!play->clients[i].ended)
            return false;
    return !play->nemesis || nemesis_over(play->nemesis);
}

static void run_to(struct world *world, bool (*reached)(struct world *, void *), void *context, int64_t ns,
                   const char *what)
{
    struct world_end end = {
        .until_ns = world->now_ns + ns, .events_max = 4000000, .reached = reached, .context = context
    };
    int r = world_run(world, &end);

    if (r < 0)
        world_fail(world, "%s (%d)", what, r);
}

/* Everybody plays, then everything must end and nothing may be left. */
static void play_all(struct play *play)
{
    struct world *world = play->world;

    run_to(world, clients_ended, play, 3600 * NS_PER_S, "the clients did not end");
    nemesis_destroy(play->nemesis);
    sim_process_stop(play->gateway_process);
    for (unsigned i = 0; i < play->origin_count; i++)
        sim_process_stop(play->origin_processes[i]);
    run_to(world, world_all_ended, NULL, 600 * NS_PER_S, "the servers did not end");
    world_end_processes(world);
}

static void spine_run(struct world *world, const struct spine *spine)
{
    struct play *play = sim_take(sizeof(*play));

    play->world = world;
    play->spine = spine;
    play->quiet = prng_chance(&world->prng, 0.25);
    if (!play->quiet)
        sim_faults_draw(&world->faults, world);
    play->client_count = (unsigned)prng_between(&world->prng, 1, CLIENTS_MAX);
    play->origin_count = (unsigned)prng_between(&world->prng, 1, ORIGINS_MAX);
    add_gateway(play);
    add_origins(play);
    sim_process_start(play->gateway_process);
    add_clients(play);
    if (!play->quiet)
        play->nemesis = nemesis_start(world, (unsigned)prng_below(&world->prng, NEMESIS_ALL + 1),
                                      world->now_ns + prng_between(&world->prng, 1, 20) * NS_PER_S,
                                      (struct sim_range){ 10 * NS_PER_MS, 2 * NS_PER_S });
    play_all(play);
    mem_free(play);
}

#define SPINE(identifier, label, about, ...)                         \
    static const struct spine PLAN_##identifier = { __VA_ARGS__ };   \
    static void run_##identifier(struct world *world, uint64_t seed) \
    {                                                                \
        spine_run(world, &PLAN_##identifier);                        \
    }                                                                \
    const struct scenario SCENARIO_##identifier = { .name = label, .what = about, .run = run_##identifier }

SPINE(PROXY, "proxy", "a gateway passes everything on: bodies both ways, tunnels, clients that leave",
      .chain = { &STAGE_DEADLINE, &STAGE_AGAIN, &STAGE_PROXY }, .kinds = "bbccsdwweEt", .len_max = 200000,
      .leave_chance = 0.2);
SPINE(HEDGE, "hedge", "two forks, the slower is cancelled, the winner's body streams on",
      .chain = { &STAGE_DEADLINE, &STAGE_HEDGE, &STAGE_PROXY }, .kinds = "bcswe", .len_max = 60000, .leave_chance = 0.2,
      .chaos = true);
SPINE(MIRROR, "mirror", "copies go their own way, also with bodies larger than the tee",
      .chain = { &STAGE_DEADLINE, &STAGE_MIRROR, &STAGE_PROXY }, .kinds = "bceEe", .len_max = 300000,
      .leave_chance = 0.2);
SPINE(GATHER, "gather", "a hundred forks with a deadline", .chain = { &STAGE_GATHER, &STAGE_AGAIN, &STAGE_PROXY },
      .kinds = "bcsw", .len_max = 3000, .leave_chance = 0.2, .gathers = true);
SPINE(RELOAD, "reload", "new versions in the middle of everything, stage state inherited",
      .chain = { &STAGE_COUNT, &STAGE_HEDGE, &STAGE_AGAIN, &STAGE_PROXY }, .kinds = "bcsweEt", .len_max = 60000,
      .leave_chance = 0.2, .reloads = true);
SPINE(CHAOS, "chaos", "scopes end at any wait, and versions change",
      .chain = { &STAGE_DEADLINE, &STAGE_AGAIN, &STAGE_MIRROR, &STAGE_PROXY }, .kinds = "bcsdweEt", .len_max = 100000,
      .leave_chance = 0.5, .reloads = true, .chaos = true);
SPINE(TIGHT, "tight", "every pool runs out", .chain = { &STAGE_DEADLINE, &STAGE_HEDGE, &STAGE_MIRROR, &STAGE_PROXY },
      .kinds = "bcsweEt", .len_max = 60000, .leave_chance = 0.2, .tight = true);
