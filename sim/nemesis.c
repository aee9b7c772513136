/* Who makes things go wrong: one act after the other, until it is over. */
#include "sim/world.h"

#include "base/assert.h"

#define DOWN_MAX_MS 3000  /* how long a killed process stays away */
#define PAUSE_MAX_MS 2000 /* longer than the patience of most deadlines */

struct nemesis {
    struct sim_event act;
    struct world *world;
    unsigned acts;
    int64_t until_ns;
    struct sim_range pause_ns;
    bool over;
};

static void act_cut(struct world *world)
{
    unsigned count = world->node_count;
    uint64_t side = prng_next(&world->prng);
    unsigned from = (unsigned)prng_below(&world->prng, count), to = (unsigned)prng_below(&world->prng, count);

    if (prng_chance(&world->prng, 0.4)) {
        world_heal(world);
    } else if (prng_chance(&world->prng, 0.5)) { /* in one direction only */
        world_cut(world, from, to, true);
    } else {
        for (unsigned i = 0; i < count; i++)
            for (unsigned j = 0; j < count; j++)
                if ((side >> i & 1) != (side >> j & 1))
                    world_cut(world, i, j, true);
    }
}

/* One of the running processes; NULL: there is none. */
static struct sim_process *process_draw(struct world *world, bool may_crash)
{
    struct sim_process *found = NULL;
    uint64_t count = 0;

    LIST_EACH (&world->processes, node, next) {
        struct sim_process *process = container_of(node, struct sim_process, node);

        if (process->state == SIM_PROCESS_RUNNING && (process->may_crash || !may_crash) &&
            prng_below(&world->prng, ++count) == 0)
            found = process;
    }
    return found;
}

static void restart_plan(struct world *world, struct sim_process *process)
{
    world_after(world, &process->restart, prng_between(&world->prng, 0, DOWN_MAX_MS) * NS_PER_MS);
}

static void act_kill(struct world *world)
{
    struct sim_process *process = process_draw(world, true);

    if (!process)
        return;
    sim_process_kill(process, SIM_KILL);
    restart_plan(world, process);
}

static bool may_go_dark(struct world *world, const struct sim_node *node)
{
    bool any = false;

    LIST_EACH (&world->processes, at, next) {
        const struct sim_process *process = container_of(at, struct sim_process, node);

        if (process->on != node || process->state != SIM_PROCESS_RUNNING)
            continue;
        if (!process->may_crash)
            return false;
        any = true;
    }
    return any;
}

static void act_power(struct world *world)
{
    struct sim_node *node = world->nodes[prng_below(&world->prng, world->node_count)];

    if (node->down) {
        sim_node_power(node, true);
        return;
    }
    if (!may_go_dark(world, node))
        return;
    sim_node_power(node, false);
    LIST_EACH (&world->processes, at, next) {
        struct sim_process *process = container_of(at, struct sim_process, node);

        if (process->on == node && process->state == SIM_PROCESS_KILLED)
            restart_plan(world, process);
    }
}

static void act_pause(struct world *world)
{
    struct sim_process *process = process_draw(world, false);

    if (process)
        sim_process_pause(process, prng_between(&world->prng, 1, PAUSE_MAX_MS) * NS_PER_MS);
}

static void act(struct nemesis *nemesis)
{
    struct world *world = nemesis->world;
    unsigned choice = 1u << prng_below(&world->prng, 6);

    switch (choice & nemesis->acts) {
    case NEMESIS_CUT: act_cut(world); break;
    case NEMESIS_RESET: (void)world_reset_one(world); break;
    case NEMESIS_PAUSE: act_pause(world); break;
    case NEMESIS_HANG: (void)world_hang_one(world); break;
    case NEMESIS_KILL: act_kill(world); break;
    case NEMESIS_POWER: act_power(world); break;
    default: break; /* not this one's way */
    }
}

static void nemesis_end(struct nemesis *nemesis)
{
    struct world *world = nemesis->world;

    nemesis->over = true;
    world_calm(world);
    for (unsigned i = 0; i < world->node_count; i++)
        sim_node_power(world->nodes[i], true);
    LIST_EACH (&world->processes, node, next) {
        struct sim_process *process = container_of(node, struct sim_process, node);

        if (process->state == SIM_PROCESS_KILLED && process->may_crash)
            world_after(world, &process->restart, 0);
    }
}

static void nemesis_run(struct world *world, struct sim_event *event)
{
    struct nemesis *nemesis = container_of(event, struct nemesis, act);

    if (world->now_ns >= nemesis->until_ns) {
        nemesis_end(nemesis);
        return;
    }
    act(nemesis);
    world_at(world, event, MIN(nemesis->until_ns, world->now_ns + world_draw(world, &nemesis->pause_ns)));
}

struct nemesis *nemesis_start(struct world *world, unsigned acts, int64_t until_ns, struct sim_range pause_ns)
{
    struct nemesis *nemesis = sim_take(sizeof(*nemesis));

    ASSERT(world->node_count > 0 && pause_ns.low > 0);
    nemesis->world = world;
    nemesis->acts = acts;
    nemesis->until_ns = until_ns;
    nemesis->pause_ns = pause_ns;
    nemesis->act.run = nemesis_run;
    heap_node_init(&nemesis->act.node);
    world_after(world, &nemesis->act, world_draw(world, &pause_ns));
    return nemesis;
}

bool nemesis_over(const struct nemesis *nemesis)
{
    return nemesis->over;
}

void nemesis_destroy(struct nemesis *nemesis)
{
    if (!nemesis)
        return;
    world_cancel(nemesis->world, &nemesis->act);
    mem_free(nemesis);
}
