#include "sim/internal.h"

#include <stdarg.h>
#include <stdio.h>

#define WORLD_BEGIN_NS NS_PER_S /* 0 is no time, so that a forgotten one shows */

struct world *world_create(uint64_t seed)
{
    struct world *world = sim_take(sizeof(*world));

    world->seed = seed;
    world->now_ns = WORLD_BEGIN_NS;
    prng_seed(&world->prng, seed);
    heap_init(&world->events);
    list_init(&world->processes);
    list_init(&world->checks);
    list_init(&world->connections);
    list_init(&world->stacks);
    sim_faults_calm(&world->faults);
    return world;
}

static void node_destroy(struct sim_node *node)
{
    ASSERT(list_empty(&node->listeners));
    sim_files_done(node);
    mem_free(node);
}

void world_end_processes(struct world *world)
{
    LIST_EACH (&world->processes, node, next) {
        struct sim_process *process = container_of(node, struct sim_process, node);

        if (process->state == SIM_PROCESS_RUNNING)
            sim_process_kill(process, SIM_KILL);
        world_cancel(world, &process->restart);
    }
}

void world_destroy(struct world *world)
{
    struct list_node *at;

    world_end_processes(world);
    ASSERT(world->end_count == 0 && world->connection_count == 0);
    while ((at = list_pop_front(&world->processes)) != NULL)
        mem_free(container_of(at, struct sim_process, node));
    for (unsigned i = 0; i < world->node_count; i++)
        node_destroy(world->nodes[i]);
    sim_stacks_done(world);
    mem_free(world);
}

static int64_t skew(struct world *world, int64_t most)
{
    return most ? prng_between(&world->prng, -most, most) : 0;
}

struct sim_node *world_node(struct world *world)
{
    struct sim_node *node;
    unsigned number = world->node_count + 1;

    ASSERT(world->node_count < SIM_NODES_MAX);
    node = sim_take(sizeof(*node));
    node->world = world;
    node->index = world->node_count;
    node->ip[0] = 10;
    node->ip[3] = (uint8_t)number;
    node->next_port = 32768;
    node->boot_ns = world->now_ns;
    node->clock_ns = NS_PER_S + (int64_t)prng_below(&world->prng, 1000) * NS_PER_S;
    node->drift_ppm = skew(world, world->faults.drift_ppm);
    node->wall_ns = INT64_C(1767225600) * NS_PER_S + skew(world, world->faults.wall_skew_ns); /* 2026-01-01 */
    node->slowness = (double)world_draw(world, &world->faults.slowness_percent) / 100.0;
    list_init(&node->files);
    list_init(&node->listeners);
    world->nodes[world->node_count++] = node;
    return node;
}

/* --- time ---------------------------------------------------------------------------------------------------- */

void world_at(struct world *world, struct sim_event *event, int64_t at_ns)
{
    ASSERT(event->run != NULL);
    heap_remove(&world->events, &event->node);
    heap_insert(&world->events, &event->node, MAX(at_ns, world->now_ns));
}

void world_after(struct world *world, struct sim_event *event, int64_t delay_ns)
{
    world_at(world, event, delay_ns >= TIME_NEVER - world->now_ns ? TIME_NEVER : world->now_ns + delay_ns);
}

void world_cancel(struct world *world, struct sim_event *event)
{
    heap_remove(&world->events, &event->node);
}

void world_check(struct world *world, struct world_check *check)
{
    list_push_back(&world->checks, &check->node);
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list args;

    if (world->failed)
        return;
    world->failed = true;
    va_start(args, format);
    vsnprintf(world->failure, sizeof(world->failure), format, args);
    va_end(args);
    world_trace(world, SIM_TRACE_FAIL, 0, 0, 0);
}

static void checks_run(struct world *world)
{
    LIST_EACH (&world->checks, node, next) {
        struct world_check *check = container_of(node, struct world_check, node);

        check->run(world, check);
    }
}

int world_run(struct world *world, const struct world_end *end)
{
    uint64_t budget = end->events_max ? end->events_max : UINT64_MAX;
    struct heap_node *first;

    for (;;) {
        if (world->failed)
            return -EIO;
        if (end->reached && end->reached(world, end->context))
            return 0;
        first = heap_first(&world->events);
        if (!first && end->reached)
            return -EDEADLK;
        if (!first || first->key > end->until_ns) {
            world->now_ns = MAX(world->now_ns, end->until_ns);
            return end->reached ? -ETIMEDOUT : 0;
        }
        if (budget-- == 0)
            return -E2BIG;
        world->now_ns = first->key;
        heap_remove(&world->events, first);
        world->event_count++;
        container_of(first, struct sim_event, node)->run(world, container_of(first, struct sim_event, node));
        ASSERT(!world->current);
        checks_run(world);
    }
}

bool world_all_ended(struct world *world, void *context)
{
    LIST_EACH (&world->processes, node, next) {
        const struct sim_process *process = container_of(node, struct sim_process, node);

        if (process->state == SIM_PROCESS_RUNNING || heap_linked(&process->restart.node))
            return false;
    }
    return true;
}

/* --- chance, and the network as the rest sees it ----------------------------------------------------------------- */

int64_t world_draw(struct world *world, const struct sim_range *range)
{
    return range->low == range->high ? range->low : prng_between(&world->prng, range->low, range->high);
}

bool world_chance(struct world *world, double probability)
{
    return probability > 0 && prng_chance(&world->prng, probability);
}

void world_count(struct world *world, enum sim_fault fault)
{
    world->fault_counts[fault]++;
}

bool world_blocked(struct world *world, const struct sim_node *from, const struct sim_node *to)
{
    return to->down || (from != to && world->cut[from->index][to->index]);
}

int64_t world_latency(struct world *world, const struct sim_node *from, const struct sim_node *to)
{
    int64_t ns;

    if (from == to)
        return world_draw(world, &world->faults.local_ns);
    ns = world_draw(world, &world->faults.latency_ns);
    if (world_chance(world, world->faults.delay_chance)) {
        world_count(world, SIM_FAULT_DELAY);
        ns += world_draw(world, &world->faults.delay_ns);
    }
    return ns;
}

void world_cut(struct world *world, unsigned from, unsigned to, bool cut)
{
    ASSERT(from < world->node_count && to < world->node_count);
    if (world->cut[from][to] == cut)
        return;
    world->cut[from][to] = cut;
    if (cut)
        world_count(world, SIM_FAULT_CUT);
    world_trace(world, SIM_TRACE_CUT, from, to, cut);
}

void world_heal(struct world *world)
{
    world_trace(world, SIM_TRACE_HEAL, 0, 0, 0);
    memset(world->cut, 0, sizeof(world->cut));
}

static struct sim_end *listener_draw(struct world *world)
{
    struct sim_end *found = NULL;
    uint64_t count = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        LIST_EACH (&world->nodes[i]->listeners, node, next)
            if (prng_below(&world->prng, ++count) == 0)
                found = container_of(node, struct sim_end, listening);
    return found;
}

bool world_hang_one(struct world *world)
{
    struct sim_end *listener = listener_draw(world);

    if (!listener || listener->hung)
        return false;
    world_count(world, SIM_FAULT_HUNG);
    world_trace(world, SIM_TRACE_HANG, listener->number, 0, 0);
    listener->hung = true;
    return true;
}

void world_calm(struct world *world)
{
    world_heal(world);
    sim_faults_calm(&world->faults);
    for (unsigned i = 0; i < world->node_count; i++)
        LIST_EACH (&world->nodes[i]->listeners, node, next) {
            struct sim_end *listener = container_of(node, struct sim_end, listening);

            listener->hung = false;
            sim_end_notify(listener);
        }
}

bool world_reset_one(struct world *world)
{
    uint64_t choice;

    if (world->connection_count == 0)
        return false;
    choice = prng_below(&world->prng, world->connection_count);
    LIST_EACH (&world->connections, node, next)
        if (choice-- == 0) {
            sim_connection_break(container_of(node, struct sim_connection, node));
            return true;
        }
    return false;
}
