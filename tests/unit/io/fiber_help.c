#include "fiber_help.h"

#include "io/linux/linux.h"

#define WORLD_LIMIT_NS (1000 * NS_PER_S)

struct attempt {
    struct task task;
    struct loop *loop;
    const struct loop_limits *limits;
    void (*body)(struct loop *loop, void *context);
    void *context;
    bool done;
};

static int attempt_run(struct task *task)
{
    struct attempt *attempt = container_of(task, struct attempt, task);

    attempt->body(attempt->loop, attempt->context);
    attempt->done = true;
    loop_stop(attempt->loop);
    return 0;
}

static int attempt_start(struct sim_process *process, void *context)
{
    struct attempt *attempt = context;

    attempt->loop = sim_process_loop(process, attempt->limits);
    assert_non_null(attempt->loop);
    return loop_spawn(attempt->loop, &attempt->task);
}

void try_sim(const struct loop_limits *limits, void (*body)(struct loop *loop, void *context), void *context)
{
    struct attempt attempt = { .task.run = attempt_run, .limits = limits, .body = body, .context = context };
    struct world *world = world_create(1);
    struct world_end end = { .until_ns = WORLD_LIMIT_NS, .events_max = 10000000, .reached = world_all_ended };

    world->faults.turn_ns = (struct sim_range){ 1, 1 };
    sim_process_start(sim_process_add(world_node(world), "try", attempt_start, &attempt));
    if (world_run(world, &end) < 0)
        fail_msg("the world ended early: %s", world->failed ? world->failure : "nothing moves");
    assert_true(attempt.done);
    world_destroy(world);
}

void try_linux(const struct loop_limits *limits, void (*body)(struct loop *loop, void *context), void *context)
{
    struct attempt attempt = { .task.run = attempt_run, .body = body, .context = context };
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, limits), 0);
    attempt.loop = &loop;
    assert_int_equal(loop_spawn(&loop, &attempt.task), 0);
    loop_run(&loop);
    assert_true(attempt.done);
    assert_null(heap_first(&loop.timers));
    loop_done(&loop);
    io_linux_close(io);
}

void try_both(const struct loop_limits *limits, void (*body)(struct loop *loop, void *context), void *context)
{
    try_sim(limits, body, context);
    try_linux(limits, body, context);
}

int sleeper_run(struct task *task)
{
    struct sleeper *sleeper = container_of(task, struct sleeper, task);

    sleeper->result = fiber_sleep(sleeper->ns ? sleeper->ns : TIME_NEVER);
    sleeper->ended_ns = loop_current()->now_ns;
    sleeper->ended = true;
    return sleeper->result;
}

void sleeper_spawn(struct scope *scope, struct sleeper *sleeper, int64_t ns)
{
    *sleeper = (struct sleeper){ .task.run = sleeper_run, .ns = ns };
    assert_int_equal(scope_spawn(scope, &sleeper->task), 0);
}

void turns_pass(unsigned count)
{
    while (count-- > 0)
        assert_int_equal(fiber_yield(), 0);
}
