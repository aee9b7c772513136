/* Every allocation of io/linux fails once; whatever had been made until then must be given back. */
#include "base/alloc.h"
#include "faults.h"
#include "linux_help.h"

#include "io/lane.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_open(void *context)
{
    struct io *io;
    int r = io_linux_open(&io);

    if (r == 0)
        io_linux_close(io);
    return r;
}

static int run_sockets(void *context)
{
    struct io_socket ours;
    struct io *io;
    int theirs, r = io_linux_open(&io);

    if (r < 0)
        return r;
    r = io->ops->pair(io, &ours, &theirs);
    if (r == 0) {
        struct io_socket listener, client;
        struct address address = help_loopback();

        (void)close(theirs);
        r = io->ops->listen(io, &address, 8, false, &listener);
        if (r == 0)
            r = io->ops->local_address(io, listener, &address);
        if (r == 0)
            r = io->ops->try_connect(io, &address, &client);
    }
    io_linux_close(io);
    return r;
}

static int run_lanes(void *context)
{
    struct lane *lane;
    struct io *io;
    int r = io_linux_open(&io);

    if (r < 0)
        return r;
    r = io->ops->lane_open(io, "lane", 2, &lane);
    if (r == 0)
        io->ops->lane_close(io, lane);
    io_linux_close(io);
    return r;
}

static void run_nothing(void *context)
{
}

static int run_thread(void *context)
{
    struct io *io;
    void *thread;
    int r = io_linux_open(&io);

    if (r < 0)
        return r;
    r = io->ops->thread_start(io, "thread", run_nothing, NULL, &thread);
    if (r == 0)
        io->ops->thread_join(io, thread);
    io_linux_close(io);
    return r;
}

static int run_file(void *context)
{
    struct bytes content;
    struct io *io;
    int r = io_linux_open(&io);

    if (r < 0)
        return r;
    r = io->ops->file_read(io, "/proc/self/smaps", 1 << 22, &content); /* its size is unknown: it grows */
    if (r == 0)
        mem_free((void *)content.data);
    io_linux_close(io);
    return r;
}

static int run_process(void *context)
{
    static const char *const argv[] = { "/bin/sh", "-c", "exit 0", NULL };
    static const char *const env[] = { "LISTEN_PID=1", NULL };
    const struct command command = { .argv = argv, .env = env, .out = -1, .err = -1, .listen_pid = true };
    struct process process;
    struct watch watch;
    struct io *io;
    int status = 0, r = io_linux_open(&io);

    if (r < 0)
        return r;
    r = io->ops->spawn(io, &command, &process);
    if (r == 0) {
        watch_init(&watch, process.exited);
        watch_arm(io, &watch, IO_READ);
        watch_wait(io, &watch, 1);
        r = io->ops->process_reap(io, &process, &status);
    }
    io_linux_close(io);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* one that could not be watched was reaped */
    return r;
}

static void check(int (*run)(void *context), unsigned at_least)
{
    unsigned before = help_descriptor_count();

    assert_true(faults_each(run, NULL) >= at_least);
    assert_int_equal(help_descriptor_count(), before);
}

static void test_open(void **state)
{
    check(run_open, 1);
}

static void test_sockets(void **state)
{
    check(run_sockets, 2);
}

static void test_lanes(void **state)
{
    check(run_lanes, 2);
}

static void test_thread(void **state)
{
    check(run_thread, 2);
}

static void test_file(void **state)
{
    check(run_file, 3);
}

static void test_process(void **state)
{
    check(run_process, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),   cmocka_unit_test(test_sockets), cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_thread), cmocka_unit_test(test_file),    cmocka_unit_test(test_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
