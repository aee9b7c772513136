/* Machines' clocks, processes, and the turns of their loops. */
#include "sim/internal.h"

#include <stdio.h>

struct sim_process *world_enter(struct world *world, struct sim_process *process)
{
    struct sim_process *before = world->current;

    world->current = process;
    (void)sim_memory_enter(process ? &process->memory : NULL);
    return before;
}

void world_leave(struct world *world, struct sim_process *before)
{
    (void)world_enter(world, before);
}

/* --- clocks ------------------------------------------------------------------------------------------------------ */

#define PPM INT64_C(1000000)

int64_t sim_clock(const struct sim_node *node, int64_t at_ns)
{
    int64_t elapsed = at_ns - node->boot_ns;

    return node->clock_ns + elapsed + elapsed / PPM * node->drift_ppm + elapsed % PPM * node->drift_ppm / PPM;
}

int64_t sim_clock_reverse(const struct sim_node *node, int64_t clock_ns)
{
    __int128 elapsed = ((__int128)clock_ns - node->clock_ns) * PPM / (PPM + node->drift_ppm);
    int64_t at;

    if (elapsed < 0)
        return node->boot_ns;
    if (elapsed >= (__int128)TIME_NEVER / 4)
        return TIME_NEVER;
    at = node->boot_ns + (int64_t)elapsed;
    while (sim_clock(node, at) < clock_ns)
        at++;
    while (at > node->boot_ns && sim_clock(node, at - 1) >= clock_ns)
        at--;
    return at;
}

struct address sim_address(const struct sim_node *node, uint16_t port)
{
    struct address address = { .family = ADDRESS_IP4, .port = port };

    memcpy(address.ip, node->ip, sizeof(node->ip));
    return address;
}

/* --- turns ------------------------------------------------------------------------------------------------------- */

static struct sim_loop *loop_of(const struct loop *loop)
{
    return sim_loop_of(loop->io);
}

static int64_t turn_cost(const struct sim_process *process)
{
    struct world *world = process->on->world;
    int64_t ns = (int64_t)((double)world_draw(world, &world->faults.turn_ns) * process->on->slowness);

    return MAX(ns, 1); /* time moves on, whatever a loop does */
}

void sim_loop_wake(struct loop *loop)
{
    struct sim_loop *woken = loop_of(loop);
    struct world *world = woken->process->on->world;
    int64_t at;

    if (woken->turning || woken->ended) /* a turn plans the next one itself */
        return;
    if (heap_linked(&woken->turn.node) && woken->turn.node.key <= world->now_ns + 1)
        return;
    at = world->now_ns + turn_cost(woken->process);
    if (!heap_linked(&woken->turn.node) || at < woken->turn.node.key)
        world_at(world, &woken->turn, at);
}

static void turn_plan(struct sim_loop *loop, int64_t next)
{
    struct world *world = loop->process->on->world;
    bool at_once = next <= loop->loop.now_ns || !list_empty(&loop->due) || !list_empty(&loop->finished);
    int64_t earliest = world->now_ns + turn_cost(loop->process);
    int64_t at = at_once ? earliest : next == TIME_NEVER ? TIME_NEVER : sim_clock_reverse(loop->process->on, next);

    if (at < TIME_NEVER)
        world_at(world, &loop->turn, MAX(at, earliest));
}

static void turn_run(struct world *world, struct sim_event *event)
{
    struct sim_loop *loop = container_of(event, struct sim_loop, turn);
    struct sim_process *process = loop->process;
    struct sim_process *before;
    int64_t next;

    if (process->paused_until_ns > world->now_ns) {
        world_at(world, event, process->paused_until_ns);
        return;
    }
    before = world_enter(world, process);
    world_trace(world, SIM_TRACE_TURN, (int64_t)loop->loop.turns, loop->number, 0);
    loop->turning = true;
    next = loop_turn(&loop->loop, 0);
    loop->turning = false;
    world_leave(world, before);
    if (loop_idle(&loop->loop)) {
        loop->ended = true;
        sim_process_turned(process);
    } else {
        turn_plan(loop, next);
    }
}

/* --- life and death ------------------------------------------------------------------------------------------------
 */

static void restart_run(struct world *world, struct sim_event *event)
{
    struct sim_process *process = container_of(event, struct sim_process, restart);

    if (process->on->down) {
        world_after(world, event, NS_PER_S);
        return;
    }
    world_count(world, SIM_FAULT_RESTART);
    sim_process_start(process);
}

struct sim_process *sim_process_add(struct sim_node *node, const char *name,
                                    int (*start)(struct sim_process *process, void *context), void *context)
{
    struct sim_process *process = sim_take(sizeof(*process));

    process->on = node;
    process->number = ++node->world->process_count;
    snprintf(process->name, sizeof(process->name), "%s", name);
    process->start = start;
    process->context = context;
    process->sockets_max = SOCKETS_MAX;
    process->restart.run = restart_run;
    heap_node_init(&process->restart.node);
    list_init(&process->loops);
    list_init(&process->lanes);
    list_init(&process->handles);
    sim_memory_init(&process->memory);
    list_push_back(&node->world->processes, &process->node);
    return process;
}

struct loop *sim_process_loop(struct sim_process *process, const struct loop_limits *limits)
{
    struct sim_loop *loop = sim_take(sizeof(*loop));

    loop->io.ops = &SIM_IO_OPS;
    loop->process = process;
    loop->turn.run = turn_run;
    heap_node_init(&loop->turn.node);
    list_init(&loop->due);
    list_init(&loop->finished);
    LIST_EACH (&process->loops, node, next)
        loop->number++;
    if (loop_init(&loop->loop, &loop->io, limits) < 0) {
        mem_free(loop);
        return NULL;
    }
    list_push_back(&process->loops, &loop->node);
    sim_loop_wake(&loop->loop);
    return &loop->loop;
}

struct sim_process *sim_process_of(const struct loop *loop)
{
    return loop_of(loop)->process;
}

void sim_process_start(struct sim_process *process)
{
    struct world *world = process->on->world;
    struct sim_process *before;
    int r;

    ASSERT(process->state != SIM_PROCESS_RUNNING && !process->on->down);
    world_cancel(world, &process->restart);
    process->state = SIM_PROCESS_RUNNING;
    process->starts++;
    process->paused_until_ns = 0;
    before = world_enter(world, process);
    world_trace(world, SIM_TRACE_START, process->starts, 0, 0);
    r = process->start(process, process->context);
    world_leave(world, before);
    if (r < 0)
        world_fail(world, "%s: start failed with %d", process->name, r);
    else if (list_empty(&process->loops))
        world_fail(world, "%s: start made no loop", process->name);
}

void sim_process_stop(struct sim_process *process)
{
    world_cancel(process->on->world, &process->restart);
    if (process->state != SIM_PROCESS_RUNNING)
        return;
    LIST_EACH (&process->loops, node, next) {
        struct sim_loop *loop = container_of(node, struct sim_loop, node);

        loop_stop(&loop->loop);
        sim_loop_wake(&loop->loop);
    }
}

static unsigned descriptors_close(struct sim_process *process, bool vanish)
{
    unsigned count = 0;

    for (unsigned i = 0; i < SIM_DESCRIPTORS_MAX; i++) {
        if (!process->descriptors[i])
            continue;
        sim_end_release(process->descriptors[i], vanish);
        process->descriptors[i] = NULL;
        count++;
    }
    return count;
}

/* Everything that a kernel takes from a process that is no more. */
static void process_clear(struct sim_process *process, bool vanish)
{
    struct world *world = process->on->world;
    struct list_node *node;

    sim_lanes_done(process);
    (void)descriptors_close(process, vanish);
    sim_handles_done(process);
    while ((node = list_pop_front(&process->loops)) != NULL) {
        struct sim_loop *loop = container_of(node, struct sim_loop, node);

        loop->ended = true;
        world_cancel(world, &loop->turn);
        sim_loop_jobs_done(loop);
        sim_loop_sockets_done(loop, vanish);
        mem_free(loop);
    }
}

static void leaks_check(struct sim_process *process)
{
    struct world *world = process->on->world;
    unsigned descriptors = 0;

    LIST_EACH (&process->loops, node, next) {
        const struct sim_loop *loop = container_of(node, struct sim_loop, node);

        if (loop->open_sockets)
            world_fail(world, "%s ended with %u sockets open", process->name, loop->open_sockets);
    }
    for (unsigned i = 0; i < SIM_DESCRIPTORS_MAX; i++)
        descriptors += process->descriptors[i] != NULL;
    if (descriptors)
        world_fail(world, "%s ended with %u descriptors open", process->name, descriptors);
    if (!list_empty(&process->handles))
        world_fail(world, "%s ended with a file open", process->name);
    if (!list_empty(&process->lanes))
        world_fail(world, "%s ended with a lane open", process->name);
    if (process->memory.count)
        world_fail(world, "%s ended with %zu bytes in %llu pieces not freed", process->name, process->memory.bytes,
                   (unsigned long long)process->memory.count);
}

void sim_process_turned(struct sim_process *process)
{
    struct world *world = process->on->world;
    struct sim_process *before;

    LIST_EACH (&process->loops, node, next)
        if (!container_of(node, struct sim_loop, node)->ended)
            return;
    before = world_enter(world, process);
    LIST_EACH (&process->loops, node, next)
        loop_done(&container_of(node, struct sim_loop, node)->loop);
    if (process->gone)
        process->gone(process, process->context);
    world_trace(world, SIM_TRACE_END, (int64_t)process->memory.count, 0, 0);
    world_leave(world, before);
    leaks_check(process);
    process_clear(process, false);
    sim_memory_drop(&process->memory);
    process->state = SIM_PROCESS_ENDED;
}

void sim_process_kill(struct sim_process *process, enum sim_kill how)
{
    struct world *world = process->on->world;
    struct sim_process *before;
    uint64_t pieces;

    ASSERT(!world->current);
    if (process->state != SIM_PROCESS_RUNNING)
        return;
    world_count(world, how == SIM_POWER ? SIM_FAULT_POWER : SIM_FAULT_KILL);
    LIST_EACH (&process->loops, node, next)
        loop_abandon(&container_of(node, struct sim_loop, node)->loop);
    if (process->gone)
        process->gone(process, process->context);
    process_clear(process, how == SIM_POWER);
    pieces = sim_memory_drop(&process->memory);
    before = world_enter(world, process);
    world_trace(world, SIM_TRACE_KILL, how, (int64_t)pieces, 0);
    world_leave(world, before);
    process->state = SIM_PROCESS_KILLED;
}

void sim_process_pause(struct sim_process *process, int64_t ns)
{
    struct world *world = process->on->world;

    world_count(world, SIM_FAULT_PAUSE);
    world_trace(world, SIM_TRACE_PAUSE, ns, process->number, 0);
    process->paused_until_ns = world->now_ns + ns;
}

void sim_node_power(struct sim_node *node, bool on)
{
    struct world *world = node->world;

    if (node->down == !on)
        return;
    world_trace(world, SIM_TRACE_POWER, on, node->index, 0);
    node->down = !on;
    if (on)
        return;
    LIST_EACH (&world->processes, at, next) {
        struct sim_process *process = container_of(at, struct sim_process, node);

        if (process->on == node)
            sim_process_kill(process, SIM_POWER);
    }
}
