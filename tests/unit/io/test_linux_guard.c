#include "linux_help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- a power that fails and a clock that leaps, on demand ------------------------------------------------------ */

static struct {
    bool powerless;     /* kill() does nothing */
    unsigned strangers; /* pids given to kill() that are no child of ours */
    unsigned leaps_ms;  /* added to the clock at each look */
    int64_t leapt_ms;
} world;

int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);
int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);

int __wrap_kill(pid_t pid, int number)
{
    siginfo_t info;

    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        world.strangers++;
    return world.powerless ? 0 : __real_kill(pid, number);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
    int r = __real_clock_gettime(id, ret);

    world.leapt_ms += world.leaps_ms;
    ret->tv_sec += world.leapt_ms / 1000;
    return r;
}

/* --- processes ------------------------------------------------------------------------------------------------- */

static pid_t fork_checked(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    return pid;
}

/* A process in a session of its own, whose parent has gone, that holds `descriptor` open for ever. */
static void leave_orphan(int descriptor)
{
    pid_t middle = fork_checked();

    if (middle == 0) {
        if (fork() == 0) {
            (void)setsid();
            (void)signal(SIGTERM, SIG_IGN);
            if (fork() == 0)
                (void)write(descriptor, "x", 1);
            for (;;)
                (void)pause();
        }
        _exit(0);
    }
    (void)waitpid(middle, NULL, 0);
}

static int wait_for_exit(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_kills_descendants(void **state)
{
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork_checked();
    if (pid == 0) {
        char c;
        int count;

        (void)alarm(20);
        if (io_linux_become_subreaper() < 0)
            _exit(100);
        leave_orphan(ends[1]);
        if (read(ends[0], &c, 1) != 1)
            _exit(101);
        count = io_linux_kill_descendants();
        if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
            _exit(102);
        _exit(count < 0 ? 103 : count);
    }
    close(ends[1]);
    status = wait_for_exit(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2); /* the orphan and its child */
    help_wait_end(ends[0]);
    close(ends[0]);
}

/* More than a reading of the list of children holds. */
static void test_kills_many(void **state)
{
    pid_t pid = fork_checked();
    int status;

    if (pid == 0) {
        int count;

        (void)alarm(20);
        for (unsigned i = 0; i < 900; i++) {
            pid_t child = fork();

            if (child < 0)
                _exit(101);
            if (child == 0)
                for (;;)
                    (void)pause();
        }
        count = io_linux_kill_descendants();
        _exit(count != 900 ? 102 : world.strangers != 0 ? 103 : 0);
    }
    status = wait_for_exit(pid);
    assert_int_equal(status, 0);
}

static void test_gives_up_in_the_end(void **state)
{
    pid_t pid = fork_checked();
    int status;

    if (pid == 0) {
        pid_t child = fork();
        int r;

        (void)alarm(20);
        if (child == 0)
            for (;;)
                (void)pause();
        world.powerless = true;
        world.leaps_ms = 1000;
        world.leapt_ms = 0;
        r = io_linux_kill_descendants(); /* GUARD_KILL_NS, in leaps */
        (void)__real_kill(child, SIGKILL);
        _exit(r == -ETIMEDOUT && world.leapt_ms >= GUARD_KILL_NS / NS_PER_MS ? 0 : 1);
    }
    status = wait_for_exit(pid);
    assert_int_equal(status, 0);
}

/* --- the guard ------------------------------------------------------------------------------------------------ */

/* Starts a guard; `run` is what it guards. The guard exits as what it guarded did: 128 + number if by a signal. */
static pid_t guard_start(void (*run)(int descriptor), int descriptor)
{
    pid_t pid = fork_checked();
    int status, r;

    if (pid > 0)
        return pid;
    (void)alarm(20);
    r = io_linux_fork_guarded(&status);
    if (r == 0) {
        (void)alarm(20);
        run(descriptor);
        _exit(99);
    }
    _exit(r < 0 ? 100 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void die_with_orphans(int descriptor)
{
    leave_orphan(descriptor);
    leave_orphan(descriptor);
    (void)raise(SIGKILL);
}

static void test_guard_leaves_no_orphan(void **state)
{
    int ends[2], status;
    pid_t guard;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    guard = guard_start(die_with_orphans, ends[1]);
    close(ends[1]);
    status = wait_for_exit(guard);
    assert_int_equal(WEXITSTATUS(status), 128 + SIGKILL);
    help_wait_end(ends[0]);
    close(ends[0]);
}

static void exit_by_signal_number(int descriptor)
{
    sigset_t set;
    int number;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)write(descriptor, "x", 1);
    number = sigwaitinfo(&set, NULL);
    _exit(number < 0 ? 98 : 10 + number);
}

static void test_guard_passes_signals_on(void **state)
{
    static const int numbers[] = { SIGTERM, SIGHUP, SIGINT };

    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        int ends[2], status;
        pid_t guard;
        char c;

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        guard = guard_start(exit_by_signal_number, ends[1]);
        assert_int_equal(read(ends[0], &c, 1), 1);
        assert_int_equal(kill(guard, numbers[i]), 0);
        status = wait_for_exit(guard);
        assert_int_equal(WEXITSTATUS(status), 10 + numbers[i]);
        close(ends[0]);
        close(ends[1]);
    }
}

static void exit_after_orphans(int descriptor)
{
    leave_orphan(descriptor);
    _exit(5);
}

static void test_guard_hands_the_status_on(void **state)
{
    int ends[2], status;
    pid_t guard;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    guard = guard_start(exit_after_orphans, ends[1]);
    close(ends[1]);
    status = wait_for_exit(guard);
    assert_int_equal(WEXITSTATUS(status), 5);
    help_wait_end(ends[0]);
    close(ends[0]);
}

static void say_signal(int descriptor)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)write(descriptor, "r", 1);
    if (sigwaitinfo(&set, NULL) == SIGTERM)
        (void)write(descriptor, "t", 1);
    _exit(0);
}

static void test_guard_that_dies(void **state)
{
    int ends[2];
    pid_t guard;
    char c;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    guard = guard_start(say_signal, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &c, 1), 1);
    assert_int_equal(kill(guard, SIGKILL), 0);
    (void)wait_for_exit(guard);
    assert_int_equal(read(ends[0], &c, 1), 1);
    assert_int_equal(c, 't');
    help_wait_end(ends[0]);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills_descendants),       cmocka_unit_test(test_kills_many),
        cmocka_unit_test(test_gives_up_in_the_end),     cmocka_unit_test(test_guard_leaves_no_orphan),
        cmocka_unit_test(test_guard_passes_signals_on), cmocka_unit_test(test_guard_hands_the_status_on),
        cmocka_unit_test(test_guard_that_dies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
