/* What else the seam offers: lanes, files, names, pairs with descriptors, signals, and faults by hand. */
#include "io/lane.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OPS(host) ((host).io->ops)

/* --- lanes ---------------------------------------------------------------------------------------------------------
 */

struct work {
    struct job job;
    unsigned *order;
    unsigned ran, done; /* when, counted from 1 */
};

static void work_run(struct job *job)
{
    struct work *work = container_of(job, struct work, job);

    assert_null(loop_current()); /* as on another thread */
    work->ran = ++*work->order;
}

static void work_done(struct job *job)
{
    struct work *work = container_of(job, struct work, job);

    assert_non_null(loop_current());
    work->done = ++*work->order;
}

static void work_init(struct work *work, unsigned *order)
{
    *work = (struct work){ .job = { .run = work_run, .done = work_done }, .order = order };
}

static void lanes_run_jobs_in_order(void **state)
{
    struct rig *rig = rig_open(1, NULL);
    struct work works[10];
    struct lane *lane;
    unsigned order = 0;

    assert_int_equal(OPS(rig->a)->lane_open(rig->a.io, "lane", 1, &lane), 0);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        work_init(&works[i], &order);
        assert_int_equal(OPS(rig->a)->submit(rig->a.io, lane, &works[i].job), 0);
    }
    assert_int_equal(order, 0);
    rig_wait(rig, 100);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        assert_true(works[i].done > works[i].ran && works[i].ran > 0);
        assert_true(i == 0 || works[i].ran > works[i - 1].ran);
    }
    OPS(rig->a)->lane_close(rig->a.io, lane);
    rig_close(rig);
}

static void lanes_have_bounds(void **state)
{
    static struct work works[LANE_JOBS_MAX + 3];
    struct rig *rig = rig_open(2, NULL);
    struct lane *lanes[LANES_MAX + 1];
    unsigned order = 0, count = 0;

    for (unsigned i = 0; i < LANES_MAX; i++)
        assert_int_equal(OPS(rig->a)->lane_open(rig->a.io, "lane", 2, &lanes[i]), 0);
    assert_int_equal(OPS(rig->a)->lane_open(rig->a.io, "lane", 2, &lanes[LANES_MAX]), -EAGAIN);
    assert_int_equal(OPS(rig->a)->lane_open(rig->a.io, "lane", LANE_THREADS_MAX + 1, &lanes[LANES_MAX]), -EINVAL);
    for (;; count++) {
        work_init(&works[count], &order);
        if (OPS(rig->a)->submit(rig->a.io, lanes[0], &works[count].job) < 0)
            break;
    }
    assert_int_equal(count, LANE_JOBS_MAX + 2);   /* those that wait, and one on each thread */
    OPS(rig->a)->lane_close(rig->a.io, lanes[0]); /* [blocks] until they have ended */
    assert_int_equal(order, count);
    rig_wait(rig, 10);
    assert_int_equal(order, 2 * count);
    rig_close(rig);
}

static void jobs_may_be_slow(void **state)
{
    struct sim_faults faults;
    struct work work;
    struct lane *lane;
    struct rig *rig;
    unsigned order = 0;

    sim_faults_calm(&faults);
    faults.slow_job_chance = 1;
    faults.slow_job_ns = (struct sim_range){ NS_PER_S, NS_PER_S };
    rig = rig_open(3, &faults);
    work_init(&work, &order);
    assert_int_equal(OPS(rig->a)->lane_open(rig->a.io, "lane", 1, &lane), 0);
    assert_int_equal(OPS(rig->a)->submit(rig->a.io, lane, &work.job), 0);
    rig_wait(rig, 900);
    assert_int_equal(order, 0);
    rig_wait(rig, 200);
    assert_int_equal(order, 2);
    assert_int_equal(rig->world->fault_counts[SIM_FAULT_SLOW_JOB], 1);
    rig_close(rig);
}

static void killing_drops_jobs(void **state)
{
    struct rig *rig = rig_open(4, NULL);
    struct work works[3];
    struct lane *lane;
    unsigned order = 0;

    assert_int_equal(OPS(rig->a)->lane_open(rig->a.io, "lane", 1, &lane), 0);
    for (unsigned i = 0; i < ARRAY_LEN(works); i++) {
        work_init(&works[i], &order);
        assert_int_equal(OPS(rig->a)->submit(rig->a.io, lane, &works[i].job), 0);
    }
    sim_process_kill(rig->a.process, SIM_KILL);
    rig_wait(rig, 1000);
    assert_int_equal(order, 0);
    rig_close(rig);
}

/* --- files and names ------------------------------------------------------------------------------------------------
 */

static void files_belong_to_a_machine(void **state)
{
    struct rig *rig = rig_open(10, NULL);
    struct bytes got;

    assert_int_equal(OPS(rig->a)->directory_make(rig->a.io, "/d", 0700), 0);
    assert_int_equal(OPS(rig->a)->file_write(rig->a.io, "/d/f", BYTES("first"), 0600), 0);
    assert_int_equal(OPS(rig->a)->file_write(rig->a.io, "/d/f", BYTES("second"), 0600), 0);
    assert_int_equal(OPS(rig->b)->file_read(rig->b.io, "/d/f", 100, &got), -ENOENT);
    assert_int_equal(OPS(rig->a)->file_read(rig->a.io, "/d/f", 5, &got), -EFBIG);
    sim_process_kill(rig->a.process, SIM_POWER);
    sim_process_start(rig->a.process);
    assert_int_equal(OPS(rig->a)->file_read(rig->a.io, "/d/f", 6, &got), 0);
    assert_true(bytes_equal(got, BYTES("second")));
    mem_free((void *)(uintptr_t)got.data);
    assert_int_equal(OPS(rig->a)->file_remove(rig->a.io, "/d/f"), 0);
    assert_int_equal(OPS(rig->a)->file_remove(rig->a.io, "/d/f"), -ENOENT);
    rig_close(rig);
}

static void names_have_addresses(void **state)
{
    struct rig *rig = rig_open(11, NULL);
    struct address a = sim_address(rig->a.node, 0), b = sim_address(rig->b.node, 0), got[4];

    world_name(rig->world, "two", &a);
    world_name(rig->world, "two", &b);
    world_name(rig->world, "one", &b);
    assert_int_equal(OPS(rig->a)->resolve(rig->a.io, "two", 80, got, 4), 2);
    b.port = 80;
    assert_true(address_equal(&got[1], &b));
    assert_int_equal(OPS(rig->a)->resolve(rig->a.io, "two", 80, got, 1), 1);
    assert_int_equal(OPS(rig->a)->resolve(rig->a.io, "one", 80, got, 4), 1);
    assert_int_equal(OPS(rig->a)->resolve(rig->a.io, "localhost", 80, got, 4), 1);
    assert_int_equal(got[0].ip[0], 127);
    assert_int_equal(OPS(rig->a)->resolve(rig->a.io, "none", 80, got, 4), -ENOENT);
    rig_close(rig);
}

/* --- pairs, descriptors, signals
 * --------------------------------------------------------------------------------------- */

static int second_start(struct sim_process *process, void *context)
{
    struct rig_host *host = context;

    host->loop = sim_process_loop(process, NULL);
    host->io = host->loop->io;
    return 0;
}

/* A second process on machine b, with a pair between the two. */
static void pair_open(struct rig *rig, struct rig_host *second, struct io_socket *ret_ours,
                      struct io_socket *ret_theirs)
{
    int descriptor, given;

    second->node = rig->b.node;
    second->process = sim_process_add(rig->b.node, "second", second_start, second);
    sim_process_start(second->process);
    assert_int_equal(OPS(rig->b)->pair(rig->b.io, ret_ours, &descriptor), 0);
    given = sim_descriptor_give(rig->b.process, descriptor, second->process);
    assert_int_equal(given, 3);
    OPS(rig->b)->descriptor_close(rig->b.io, descriptor);
    assert_int_equal(sim_descriptor_give(rig->b.process, descriptor, second->process), -EBADF);
    assert_int_equal(OPS(*second)->adopt(second->io, given, ret_theirs), 0);
    assert_int_equal(OPS(*second)->adopt(second->io, given, ret_theirs), -EBADF);
}

static void pairs_carry_messages(void **state)
{
    struct rig *rig = rig_open(20, NULL);
    struct io_socket ours, theirs;
    struct rig_host second;
    int descriptors[IO_DESCRIPTORS_MAX];
    unsigned count, sent = 0;
    char buffer[16];

    pair_open(rig, &second, &ours, &theirs);
    assert_int_equal(OPS(second)->try_receive(second.io, theirs, buffer, 16, descriptors, &count), -EAGAIN);
    while (OPS(rig->b)->try_send(rig->b.io, ours, BYTES("hello"), NULL, 0) == 5)
        sent++;
    assert_in_range(sent, 1, 100);
    for (unsigned i = 0; i < sent; i++) {
        assert_int_equal(OPS(second)->try_receive(second.io, theirs, buffer, 16, descriptors, &count), 5);
        assert_int_equal(count, 0);
    }
    assert_int_equal(OPS(rig->b)->try_send(rig->b.io, ours, BYTES("last"), NULL, 0), 4);
    OPS(rig->b)->close(rig->b.io, ours);
    assert_int_equal(OPS(second)->try_receive(second.io, theirs, buffer, 2, descriptors, &count), 2);
    assert_int_equal(OPS(second)->try_receive(second.io, theirs, buffer, 2, descriptors, &count), 0);
    assert_int_equal(OPS(second)->try_send(second.io, theirs, BYTES("x"), NULL, 0), -EPIPE);
    rig_close(rig);
}

/* One process makes the listener, another one serves it, and goes on when the first has been killed. */
static void listeners_can_be_handed_over(void **state)
{
    struct rig *rig = rig_open(21, NULL);
    struct address to = sim_address(rig->b.node, RIG_PORT);
    struct io_socket ours, theirs, listener, client, accepted;
    struct rig_host second;
    int descriptors[IO_DESCRIPTORS_MAX], descriptor;
    unsigned count;
    char byte;

    pair_open(rig, &second, &ours, &theirs);
    rig_listen(rig, 4);
    descriptor = OPS(rig->b)->descriptor_of(rig->b.io, rig->listener);
    assert_true(descriptor >= 0);
    assert_int_equal(OPS(rig->b)->try_send(rig->b.io, ours, BYTES("L"), &descriptor, 1), 1);
    assert_int_equal(OPS(second)->try_receive(second.io, theirs, &byte, 1, descriptors, &count), 1);
    assert_int_equal(count, 1);
    assert_int_equal(OPS(second)->adopt(second.io, descriptors[0], &listener), 0);
    sim_process_kill(rig->b.process, SIM_KILL);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &client), 0);
    rig_wait(rig, 10);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, client), 0);
    assert_int_equal(OPS(second)->try_accept(second.io, listener, &accepted, NULL), 0);
    assert_int_equal(OPS(second)->try_receive(second.io, theirs, &byte, 1, descriptors, &count), 0); /* it is gone */
    rig_close(rig);
}

static void descriptors_have_bounds(void **state)
{
    struct rig *rig = rig_open(22, NULL);
    struct io_socket ours;
    unsigned count = 0;
    int descriptor;

    while (OPS(rig->b)->pair(rig->b.io, &ours, &descriptor) == 0)
        count++;
    assert_int_equal(count, SIM_DESCRIPTORS_MAX - 3);
    assert_int_equal(OPS(rig->b)->pair(rig->b.io, &ours, &descriptor), -EMFILE);
    rig_close(rig);
}

static void signals_arrive(void **state)
{
    struct rig *rig = rig_open(23, NULL);
    struct io_socket socket, other;
    struct rig_wake wake;

    assert_false(sim_process_signal(rig->a.process, 15));
    assert_int_equal(OPS(rig->a)->signals(rig->a.io, UINT64_C(1) << 14 | 1, &socket), 0);
    assert_int_equal(OPS(rig->a)->signals(rig->a.io, 1, &other), -EBUSY);
    assert_int_equal(OPS(rig->a)->try_signal(rig->a.io, socket), -EAGAIN);
    rig_wake_init(&wake, &rig->a, socket);
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &wake.wake, IO_READ), 0);
    assert_true(sim_process_signal(rig->a.process, 15));
    assert_true(sim_process_signal(rig->a.process, 1));
    assert_false(sim_process_signal(rig->a.process, 2));
    rig_wait(rig, 10);
    assert_int_equal(wake.runs, 1);
    assert_int_equal(OPS(rig->a)->try_signal(rig->a.io, socket), 1);
    assert_int_equal(OPS(rig->a)->try_signal(rig->a.io, socket), 15);
    assert_int_equal(OPS(rig->a)->try_signal(rig->a.io, socket), -EAGAIN);
    rig_close(rig);
}

static void some_things_are_not_simulated(void **state)
{
    struct rig *rig = rig_open(24, NULL);
    struct command command = { 0 };
    struct process process = { 0 };
    void *thread;
    int status;

    assert_int_equal(OPS(rig->a)->spawn(rig->a.io, &command, &process), -ENOTSUP);
    assert_int_equal(OPS(rig->a)->process_signal(rig->a.io, &process, 9, false), -ENOTSUP);
    assert_int_equal(OPS(rig->a)->process_reap(rig->a.io, &process, &status), -ENOTSUP);
    assert_int_equal(OPS(rig->a)->thread_start(rig->a.io, "t", NULL, NULL, &thread), -ENOTSUP);
    assert_int_equal(OPS(rig->a)->descriptor_write(rig->a.io, 1, BYTES("out")), 3);
    assert_int_equal(OPS(rig->a)->descriptor_write(rig->a.io, 7, BYTES("out")), -EBADF);
    rig_close(rig);
}

/* --- faults by hand
 * ------------------------------------------------------------------------------------------------------ */

static void cuts_hold_bytes_back_until_healed(void **state)
{
    static const struct {
        unsigned from, to;
        bool a_to_b, b_to_a; /* what gets through */
    } ROWS[] = { { 0, 1, false, true }, { 1, 0, true, false }, { 0, 0, true, true } };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig *rig = rig_open(30, NULL);
        struct io_socket a, b;
        char byte;

        rig_connect(rig, &a, &b);
        world_cut(rig->world, ROWS[i].from, ROWS[i].to, true);
        assert_int_equal(rig_write(&rig->a, a, "a"), 1);
        assert_int_equal(rig_write(&rig->b, b, "b"), 1);
        rig_wait(rig, 20000);
        assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, &byte, 1), ROWS[i].a_to_b ? 1 : -EAGAIN);
        assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), ROWS[i].b_to_a ? 1 : -EAGAIN);
        world_heal(rig->world);
        rig_wait(rig, 5000);
        assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, &byte, 1), ROWS[i].a_to_b ? -EAGAIN : 1);
        assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), ROWS[i].b_to_a ? -EAGAIN : 1);
        rig_close(rig);
    }
}

static void resets_reach_both_sides(void **state)
{
    struct rig *rig = rig_open(31, NULL);
    struct io_socket a, b;
    char byte;

    assert_false(world_reset_one(rig->world));
    rig_connect(rig, &a, &b);
    assert_true(world_reset_one(rig->world));
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), -ECONNRESET);
    assert_int_equal(rig_write(&rig->b, b, "x"), -ECONNRESET);
    assert_int_equal(rig_write(&rig->b, b, "x"), -EPIPE);
    rig_close(rig);
}

static void hung_listeners_accept_later(void **state)
{
    struct rig *rig = rig_open(32, NULL);
    struct address to = sim_address(rig->b.node, RIG_PORT);
    struct io_socket client, accepted;
    struct rig_wake wake;

    assert_false(world_hang_one(rig->world));
    rig_listen(rig, 4);
    assert_true(world_hang_one(rig->world));
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &client), 0);
    rig_wake_init(&wake, &rig->b, rig->listener);
    assert_int_equal(OPS(rig->b)->arm(rig->b.io, &wake.wake, IO_READ), 0);
    rig_wait(rig, 10);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, client), 0);
    assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, rig->listener, &accepted, NULL), -EAGAIN);
    assert_int_equal(wake.runs, 0);
    world_calm(rig->world);
    rig_wait(rig, 10);
    assert_int_equal(wake.runs, 1);
    assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, rig->listener, &accepted, NULL), 0);
    rig_close(rig);
}

static void refuses_by_chance(void **state)
{
    struct sim_faults faults;
    struct address to;
    struct io_socket client;
    struct rig *rig;

    sim_faults_calm(&faults);
    faults.refuse_chance = 1;
    rig = rig_open(33, &faults);
    to = sim_address(rig->b.node, RIG_PORT);
    rig_listen(rig, 4);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &client), 0);
    rig_wait(rig, 10);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, client), -ECONNREFUSED);
    rig_close(rig);
}

/* Every act of the nemesis, alone; when it is over, all is well again and what was killed runs. */
static void the_nemesis_cleans_up(void **state)
{
    static const struct {
        enum nemesis_act act;
        enum sim_fault shows;
    } ROWS[] = {
        { NEMESIS_CUT, SIM_FAULT_CUT },   { NEMESIS_RESET, SIM_FAULT_RESET }, { NEMESIS_PAUSE, SIM_FAULT_PAUSE },
        { NEMESIS_HANG, SIM_FAULT_HUNG }, { NEMESIS_KILL, SIM_FAULT_KILL },   { NEMESIS_POWER, SIM_FAULT_POWER },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig *rig = rig_open(40, NULL);
        struct world *world = rig->world;
        struct io_socket a, b;
        struct nemesis *nemesis;

        rig_connect(rig, &a, &b);
        rig->b.process->may_crash = true;
        nemesis = nemesis_start(world, ROWS[i].act, world->now_ns + 60 * NS_PER_S,
                                (struct sim_range){ NS_PER_MS, NS_PER_S });
        rig_wait(rig, 59 * 1000);
        assert_false(nemesis_over(nemesis));
        rig_wait(rig, 10 * 1000);
        assert_true(nemesis_over(nemesis));
        for (unsigned fault = SIM_FAULT_HUNG; fault < SIM_FAULT_SLOW_JOB; fault++) {
            bool restarts = ROWS[i].act == NEMESIS_KILL || ROWS[i].act == NEMESIS_POWER;
            bool follows = restarts && (fault == SIM_FAULT_RESTART || fault == SIM_FAULT_RESET);

            if (!follows)
                assert_int_equal(world->fault_counts[fault] > 0, fault == (unsigned)ROWS[i].shows);
        }
        assert_int_equal(rig->a.process->state, SIM_PROCESS_RUNNING);
        assert_int_equal(rig->b.process->state, SIM_PROCESS_RUNNING);
        assert_false(rig->b.node->down);
        assert_false(world->cut[0][1] || world->cut[1][0]);
        nemesis_destroy(nemesis);
        rig_close(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_run_jobs_in_order),
        cmocka_unit_test(lanes_have_bounds),
        cmocka_unit_test(jobs_may_be_slow),
        cmocka_unit_test(killing_drops_jobs),
        cmocka_unit_test(files_belong_to_a_machine),
        cmocka_unit_test(names_have_addresses),
        cmocka_unit_test(pairs_carry_messages),
        cmocka_unit_test(listeners_can_be_handed_over),
        cmocka_unit_test(descriptors_have_bounds),
        cmocka_unit_test(signals_arrive),
        cmocka_unit_test(some_things_are_not_simulated),
        cmocka_unit_test(cuts_hold_bytes_back_until_healed),
        cmocka_unit_test(resets_reach_both_sides),
        cmocka_unit_test(hung_listeners_accept_later),
        cmocka_unit_test(refuses_by_chance),
        cmocka_unit_test(the_nemesis_cleans_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
