/* Work lanes without threads: a job's run() is called at the moment at which it would have ended. */
#include "sim/internal.h"

struct lane {
    struct list_node node; /* in process->lanes */
    struct sim_loop *loop;
    unsigned threads, busy, waiting;
    struct list_node queue;   /* of job_run */
    struct list_node running; /* of job_run */
};

/* One job on its way through a lane. */
struct job_run {
    struct list_node node;
    struct lane *lane;
    struct job *job;
    struct sim_event ending;
};

static void ending_run(struct world *world, struct sim_event *event);

int sim_lane_open(struct io *io, const char *name, unsigned threads, struct lane **ret)
{
    struct sim_loop *loop = sim_loop_of(io);
    struct lane *lane;
    unsigned count = 0;

    if (threads == 0 || threads > LANE_THREADS_MAX)
        return -EINVAL;
    LIST_EACH (&loop->process->lanes, node, next)
        count++;
    if (count >= LANES_MAX)
        return -EAGAIN;
    lane = sim_take(sizeof(*lane));
    lane->loop = loop;
    lane->threads = threads;
    list_init(&lane->queue);
    list_init(&lane->running);
    list_push_back(&loop->process->lanes, &lane->node);
    *ret = lane;
    return 0;
}

static int64_t job_time(struct world *world, const struct sim_node *node)
{
    int64_t ns = world_draw(world, &world->faults.job_ns);

    if (world_chance(world, world->faults.slow_job_chance)) {
        world_count(world, SIM_FAULT_SLOW_JOB);
        ns += world_draw(world, &world->faults.slow_job_ns);
    }
    return (int64_t)((double)ns * node->slowness);
}

static void lane_begin(struct lane *lane, struct job_run *run)
{
    struct sim_node *node = lane->loop->process->on;
    int64_t ns = job_time(node->world, node);

    lane->busy++;
    list_push_back(&lane->running, &run->node);
    world_trace(node->world, SIM_TRACE_JOB, ns, 0, 0);
    world_after(node->world, &run->ending, ns);
}

int sim_submit(struct io *io, struct lane *lane, struct job *job)
{
    struct job_run *run;

    ASSERT(lane->loop == sim_loop_of(io));
    if (lane->busy >= lane->threads && lane->waiting >= LANE_JOBS_MAX)
        return -EAGAIN;
    run = sim_take(sizeof(*run));
    run->lane = lane;
    run->job = job;
    run->ending.run = ending_run;
    heap_node_init(&run->ending.node);
    if (lane->busy < lane->threads) {
        lane_begin(lane, run);
    } else {
        lane->waiting++;
        list_push_back(&lane->queue, &run->node);
    }
    return 0;
}

/* The job's run() sees neither loop nor fiber: as on a thread of its own. */
static void job_end(struct job_run *run)
{
    struct sim_loop *loop = run->lane->loop;
    struct world *world = loop->process->on->world;
    struct sim_process *before = world_enter(world, loop->process);

    run->job->run(run->job);
    world_leave(world, before);
    list_remove(&run->node);
    list_push_back(&loop->finished, &run->node);
}

static void ending_run(struct world *world, struct sim_event *event)
{
    struct job_run *run = container_of(event, struct job_run, ending);
    struct lane *lane = run->lane;
    struct list_node *next;

    job_end(run);
    lane->busy--;
    next = list_pop_front(&lane->queue);
    if (next) {
        lane->waiting--;
        lane_begin(lane, container_of(next, struct job_run, node));
    }
    sim_loop_wake(&lane->loop->loop);
}

unsigned sim_jobs_finish(struct sim_loop *loop)
{
    struct list_node *node;
    unsigned count = 0;

    while ((node = list_pop_front(&loop->finished)) != NULL) {
        struct job_run *run = container_of(node, struct job_run, node);
        struct job *job = run->job;

        mem_free(run);
        job->done(job);
        count++;
    }
    return count;
}

static void runs_drop(struct world *world, struct list_node *list)
{
    struct list_node *node;

    while ((node = list_pop_front(list)) != NULL) {
        struct job_run *run = container_of(node, struct job_run, node);

        world_cancel(world, &run->ending);
        mem_free(run);
    }
}

/* [blocks]: whatever is left is done now. Their done() runs in the next poll. */
void sim_lane_close(struct io *io, struct lane *lane)
{
    struct world *world = sim_world_of(io);

    list_move_all(&lane->running, &lane->queue);
    while (!list_empty(&lane->running)) {
        struct job_run *run = container_of(lane->running.next, struct job_run, node);

        world_cancel(world, &run->ending);
        job_end(run);
    }
    list_remove(&lane->node);
    mem_free(lane);
}

void sim_lanes_done(struct sim_process *process)
{
    struct world *world = process->on->world;

    while (!list_empty(&process->lanes)) {
        struct lane *lane = container_of(process->lanes.next, struct lane, node);

        runs_drop(world, &lane->queue);
        runs_drop(world, &lane->running);
        list_remove(&lane->node);
        mem_free(lane);
    }
}

void sim_loop_jobs_done(struct sim_loop *loop)
{
    runs_drop(loop->process->on->world, &loop->finished);
}
