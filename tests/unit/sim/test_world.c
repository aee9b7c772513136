/* The world itself: events, time, processes, memory, and that a seed is all there is to it. */
#include "base/assert.h"
#include "io/stream.h"
#include "rig.h"
#include "sim/scenario.h"
#include "sim/scenarios/echo.h"
#include "sim/scenarios/scopes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Those of the world itself; what is built on it has tests of its own. */
const struct scenario *const SCENARIOS[] = { &SCENARIO_ECHO, &SCENARIO_SCOPES, NULL };

/* --- events ------------------------------------------------------------------------------------------------------ */

struct mark {
    struct sim_event event;
    char *out, letter;
};

static void mark_run(struct world *world, struct sim_event *event)
{
    struct mark *mark = container_of(event, struct mark, event);

    mark->out[strlen(mark->out)] = mark->letter;
}

static void events_run_in_order(void **state)
{
    static const struct {
        char letter;
        int64_t at;
    } ROWS[] = { { 'e', 30 }, { 'b', 20 }, { 'c', 20 }, { 'a', 10 }, { 'd', 20 }, { 'x', 25 } };
    struct world *world = world_create(1);
    struct world_end end = { .until_ns = world->now_ns + 100 };
    struct mark marks[ARRAY_LEN(ROWS)];
    char out[16] = "";

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        marks[i] = (struct mark){ .event = { .run = mark_run }, .out = out, .letter = ROWS[i].letter };
        heap_node_init(&marks[i].event.node);
        world_after(world, &marks[i].event, ROWS[i].at);
    }
    world_after(world, &marks[5].event, 90); /* moves it */
    world_cancel(world, &marks[0].event);
    assert_int_equal(world_run(world, &end), 0);
    assert_string_equal(out, "abcdx");
    assert_int_equal(world->now_ns, end.until_ns);
    assert_int_equal(world->event_count, 5);
    world_destroy(world);
}

static void tick_run(struct world *world, struct sim_event *event)
{
    world_after(world, event, NS_PER_MS);
}

static bool never(struct world *world, void *context)
{
    return false;
}

static void count_check(struct world *world, struct world_check *check)
{
    if (world->event_count == 7)
        world_fail(world, "seven is %s", "too much");
}

static void runs_end_in_every_way(void **state)
{
    struct world *world = world_create(1);
    struct world_check check = { .run = count_check };
    struct sim_event tick = { .run = tick_run };
    struct world_end end = { .reached = never, .until_ns = world->now_ns + NS_PER_S };

    heap_node_init(&tick.node);
    assert_int_equal(world_run(world, &end), -EDEADLK);
    world_after(world, &tick, 0);
    end.events_max = 3;
    assert_int_equal(world_run(world, &end), -E2BIG);
    end.events_max = 0;
    end.until_ns = world->now_ns + 2 * NS_PER_MS;
    assert_int_equal(world_run(world, &end), -ETIMEDOUT);
    world_check(world, &check);
    end.until_ns = TIME_NEVER;
    assert_int_equal(world_run(world, &end), -EIO);
    assert_string_equal(world->failure, "seven is too much");
    world_fail(world, "later ones are dropped");
    assert_string_equal(world->failure, "seven is too much");
    world_cancel(world, &tick);
    world_destroy(world);
}

/* --- clocks ---------------------------------------------------------------------------------------------------------
 */

static void clocks_can_be_reversed(void **state)
{
    static const int64_t PPMS[] = { 0, 1, -1, 500, -500, 100000, -100000, 1234, -77777 };
    static const int64_t AFTER[] = { 0, 1, 2, 999, 1000000, 1000001, 12345678901, 360000 * NS_PER_S };

    for (size_t i = 0; i < ARRAY_LEN(PPMS); i++) {
        struct sim_node node = { .boot_ns = 1000, .clock_ns = 5000, .drift_ppm = PPMS[i] };

        for (size_t j = 0; j < ARRAY_LEN(AFTER); j++) {
            int64_t at = sim_clock_reverse(&node, node.clock_ns + AFTER[j]);

            assert_true(sim_clock(&node, at) >= node.clock_ns + AFTER[j]);
            assert_true(at == node.boot_ns || sim_clock(&node, at - 1) < node.clock_ns + AFTER[j]);
        }
        assert_int_equal(sim_clock_reverse(&node, 0), node.boot_ns);
        assert_int_equal(sim_clock_reverse(&node, TIME_NEVER), TIME_NEVER);
    }
}

static void machines_disagree_about_the_time(void **state)
{
    struct sim_faults faults;
    struct rig *rig;
    int64_t wall, now_a, now_b;

    sim_faults_calm(&faults);
    faults.wall_skew_ns = 3600 * NS_PER_S;
    faults.drift_ppm = 1000;
    rig = rig_open(3, &faults);
    now_a = rig->a.io->ops->now_ns(rig->a.io);
    now_b = rig->b.io->ops->now_ns(rig->b.io);
    wall = rig->a.io->ops->wall_ns(rig->a.io) - rig->b.io->ops->wall_ns(rig->b.io);
    assert_true(wall > NS_PER_S || wall < -NS_PER_S);
    rig_wait(rig, 1000 * 1000);
    now_a = rig->a.io->ops->now_ns(rig->a.io) - now_a;
    now_b = rig->b.io->ops->now_ns(rig->b.io) - now_b;
    assert_int_not_equal(now_a, now_b);
    assert_in_range(now_a, 999 * NS_PER_S, 1001 * NS_PER_S);
    assert_in_range(now_b, 999 * NS_PER_S, 1001 * NS_PER_S);
    rig_close(rig);
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

enum leak { NOTHING, MEMORY, SOCKET, DESCRIPTOR, LANE, WAITS };

struct program {
    struct task task;
    enum leak leak;
    struct loop *loop;
    int64_t slept_ns;
    unsigned gone;
};

static int program_run(struct task *task)
{
    struct program *program = container_of(task, struct program, task);
    struct io *io = program->loop->io;
    struct address address = sim_address(sim_process_of(program->loop)->on, 1);
    struct io_socket socket;
    struct lane *lane;
    int64_t began = program->loop->now_ns;
    void *memory = mem_alloc(100), *grown;
    int descriptor, r = 0;

    assert_non_null(memory);
    grown = mem_realloc(memory, 200);
    assert_non_null(grown);
    if (program->leak != MEMORY && program->leak != WAITS)
        mem_free(grown);
    if (program->leak == SOCKET)
        r = io->ops->listen(io, &address, 1, false, &socket);
    if (program->leak == DESCRIPTOR) {
        r = io->ops->pair(io, &socket, &descriptor);
        io->ops->close(io, socket);
    }
    if (program->leak == LANE)
        r = io->ops->lane_open(io, "lane", 1, &lane);
    assert_int_equal(r, 0);
    if (fiber_sleep(program->leak == WAITS ? 3600 * NS_PER_S : 5 * NS_PER_MS) == 0)
        program->slept_ns = program->loop->now_ns - began;
    loop_stop(program->loop);
    return 0;
}

static int program_start(struct sim_process *process, void *context)
{
    struct program *program = context;

    program->loop = sim_process_loop(process, NULL);
    program->task = (struct task){ .run = program_run };
    return program->loop ? loop_spawn(program->loop, &program->task) : -ENOMEM;
}

static void program_gone(struct sim_process *process, void *context)
{
    struct program *program = context;

    program->gone++;
}

static void processes_must_leave_nothing(void **state)
{
    static const struct {
        enum leak leak;
        const char *failure; /* NULL: none */
    } ROWS[] = {
        { NOTHING, NULL },
        { MEMORY, "p ended with 200 bytes in 1 pieces not freed" },
        { SOCKET, "p ended with 1 sockets open" },
        { DESCRIPTOR, "p ended with 1 descriptors open" },
        { LANE, "p ended with a lane open" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct world *world = world_create(1);
        struct world_end end = { .reached = world_all_ended, .until_ns = TIME_NEVER };
        struct program program = { .leak = ROWS[i].leak };
        struct sim_process *process = sim_process_add(world_node(world), "p", program_start, &program);
        int64_t live = mem_stats().live;

        process->gone = program_gone;
        sim_process_start(process);
        assert_int_equal(world_run(world, &end), ROWS[i].failure ? -EIO : 0);
        assert_string_equal(world->failure, ROWS[i].failure ? ROWS[i].failure : "");
        assert_int_equal(process->state, SIM_PROCESS_ENDED);
        assert_in_range(program.slept_ns, 5 * NS_PER_MS, 6 * NS_PER_MS);
        assert_int_equal(program.gone, 1);
        assert_int_equal(mem_stats().live, live);
        world_destroy(world);
    }
}

static void a_killed_process_leaves_nothing(void **state)
{
    struct world *world = world_create(1);
    struct world_end end = { .until_ns = world->now_ns + NS_PER_S };
    struct program program = { .leak = WAITS };
    struct sim_process *process = sim_process_add(world_node(world), "p", program_start, &program);
    int64_t live = mem_stats().live;

    process->gone = program_gone;
    for (unsigned times = 1; times <= 3; times++) {
        sim_process_start(process);
        assert_int_equal(world_run(world, &end), 0);
        end.until_ns += NS_PER_S;
        assert_int_equal(process->memory.count, 1);
        assert_int_equal(process->memory.bytes, 200);
        sim_process_kill(process, SIM_KILL);
        assert_int_equal(process->state, SIM_PROCESS_KILLED);
        assert_int_equal(mem_stats().live, live);
        assert_int_equal(program.gone, times);
        assert_int_equal(process->starts, times);
    }
    assert_int_equal(program.slept_ns, 0); /* no more code of it ran */
    world_destroy(world);
}

static void a_paused_process_waits(void **state)
{
    struct world *world = world_create(1);
    struct world_end end = { .reached = world_all_ended, .until_ns = TIME_NEVER };
    struct program program = { .leak = NOTHING };
    struct sim_process *process = sim_process_add(world_node(world), "p", program_start, &program);

    sim_process_start(process);
    end.until_ns = world->now_ns + NS_PER_MS;
    assert_int_equal(world_run(world, &end), -ETIMEDOUT);
    sim_process_pause(process, NS_PER_S);
    end.until_ns = TIME_NEVER;
    assert_int_equal(world_run(world, &end), 0);
    assert_in_range(program.slept_ns, NS_PER_S, 2 * NS_PER_S);
    assert_int_equal(world->fault_counts[SIM_FAULT_PAUSE], 1);
    world_destroy(world);
}

static void a_stopped_process_ends(void **state)
{
    struct world *world = world_create(1);
    struct world_end end = { .reached = world_all_ended, .until_ns = TIME_NEVER };
    struct program program = { .leak = WAITS };
    struct sim_process *process = sim_process_add(world_node(world), "p", program_start, &program);

    sim_process_start(process);
    sim_process_stop(process);
    assert_int_equal(world_run(world, &end), -EIO);
    assert_int_equal(process->state, SIM_PROCESS_ENDED);
    assert_string_equal(world->failure, "p ended with 200 bytes in 1 pieces not freed"); /* it did not clean up */
    world_destroy(world);
}

/* The worlds' own memory does not count, whoever's code runs. */
static void failing_allocations_are_the_program_s(void **state)
{
    struct world *world = world_create(1);
    struct program program = { .leak = NOTHING };
    struct sim_process *process = sim_process_add(world_node(world), "p", program_start, &program);
    uint64_t before = mem_stats().allocations;

    mem_fail_after(0);
    sim_process_start(process);
    assert_false(mem_fail_after(-1));
    assert_int_equal(mem_stats().allocations, before);
    assert_false(world->failed);
    world_destroy(world);
}

/* --- a seed is all there is ------------------------------------------------------------------------------------------
 */

static void equal_seeds_give_equal_worlds(void **state)
{
    for (unsigned i = 0; SCENARIOS[i]; i++) {
        uint64_t hashes[10];

        for (uint64_t seed = 0; seed < ARRAY_LEN(hashes); seed++) {
            struct scenario_result first, second;

            scenario_run(SCENARIOS[i], seed, NULL, &first);
            scenario_run(SCENARIOS[i], seed, NULL, &second);
            assert_int_equal(first.hash, second.hash);
            assert_int_equal(first.events, second.events);
            assert_int_equal(first.ns, second.ns);
            hashes[seed] = first.hash;
            for (uint64_t other = 0; other < seed; other++)
                assert_int_not_equal(hashes[other], hashes[seed]);
        }
    }
}

static void anything_that_differs_shows_in_the_trace(void **state)
{
    static const int64_t ROWS[][3] = { { 1, 2, 3 }, { 1, 2, 4 }, { 1, 3, 2 }, { 2, 1, 3 }, { 0, 0, 0 } };
    uint64_t hashes[ARRAY_LEN(ROWS) + 3];
    struct world *world;

    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        const int64_t *row = ROWS[i < ARRAY_LEN(ROWS) ? i : 0];

        world = world_create(1);
        if (i == ARRAY_LEN(ROWS))
            world->now_ns++;
        if (i == ARRAY_LEN(ROWS) + 1)
            world_trace(world, SIM_TRACE_READ, row[0], row[1], row[2]);
        else if (i == ARRAY_LEN(ROWS) + 2)
            world_note(world, "text", row[0], row[1]);
        else
            world_trace(world, SIM_TRACE_WRITE, row[0], row[1], row[2]);
        hashes[i] = world->trace.hash;
        world_destroy(world);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(hashes[i], hashes[j]);
    }
}

static void collect(void *context, const char *line)
{
    char *out = context;

    snprintf(out, SIM_TRACE_LINE_MAX, "%s", line);
}

static void traces_can_be_read(void **state)
{
    char line[SIM_TRACE_LINE_MAX] = "";
    struct rig *rig = rig_open(1, NULL);

    rig->world->trace.print = collect;
    rig->world->trace.context = line;
    world_trace(rig->world, SIM_TRACE_ARRIVE, 7, 1, 512);
    assert_string_equal(line, "    1.000000000  -            arrive     connection 7 side 1 bytes 512");
    world_note(rig->world, "round", -5, 2);
    assert_non_null(strstr(line, "round"));
    assert_non_null(strstr(line, "a -5 b 2"));
    rig_close(rig);
}

/* --- scenarios ---------------------------------------------------------------------------------------------------- */

static void scenarios_are_found_by_name(void **state)
{
    assert_ptr_equal(scenario_find("echo"), &SCENARIO_ECHO);
    assert_null(scenario_find("nothing"));
}

/* A server that loses a byte now and then must be caught; most seeds do so. */
static void a_lost_byte_is_found(void **state)
{
    unsigned caught = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world *world = world_create(seed);

        echo_run(world, true);
        caught += world->failed;
        if (world->failed)
            assert_non_null(strstr(world->failure, "is not what was sent"));
        world_destroy(world);
    }
    print_message("  %u of 20 seeds\n", caught);
    assert_true(caught >= 10);
}

/* The weather that seeds draw brings every kind of fault; slow jobs wait for a scenario with lanes. */
static void every_fault_happens(void **state)
{
    uint64_t counts[SIM_FAULT_COUNT] = { 0 };

    for (uint64_t seed = 1; seed <= 80; seed++) {
        struct scenario_result result;

        scenario_run(&SCENARIO_ECHO, seed, NULL, &result);
        assert_string_equal(result.failure, "");
        for (unsigned fault = 0; fault < SIM_FAULT_COUNT; fault++)
            counts[fault] += result.fault_counts[fault];
    }
    for (unsigned fault = 0; fault < SIM_FAULT_COUNT; fault++) {
        print_message("  %-12s %llu\n", sim_fault_name((enum sim_fault)fault), (unsigned long long)counts[fault]);
        assert_true(counts[fault] > 0 || fault == SIM_FAULT_SLOW_JOB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_run_in_order),
        cmocka_unit_test(runs_end_in_every_way),
        cmocka_unit_test(clocks_can_be_reversed),
        cmocka_unit_test(machines_disagree_about_the_time),
        cmocka_unit_test(processes_must_leave_nothing),
        cmocka_unit_test(a_killed_process_leaves_nothing),
        cmocka_unit_test(a_paused_process_waits),
        cmocka_unit_test(a_stopped_process_ends),
        cmocka_unit_test(failing_allocations_are_the_program_s),
        cmocka_unit_test(equal_seeds_give_equal_worlds),
        cmocka_unit_test(anything_that_differs_shows_in_the_trace),
        cmocka_unit_test(traces_can_be_read),
        cmocka_unit_test(scenarios_are_found_by_name),
        cmocka_unit_test(a_lost_byte_is_found),
        cmocka_unit_test(every_fault_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
