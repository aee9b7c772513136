#include "linux_help.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a parent that dies between fork() and the child's first look, on demand ------------------------------------ */

static bool orphaned;

pid_t __real_getppid(void);
pid_t __wrap_getppid(void);

pid_t __wrap_getppid(void)
{
    return orphaned ? 1 : __real_getppid();
}

static const char *const ENV[] = { "PATH=relative::/usr/bin:/bin", "NAME=value", NULL };

/* A shell that runs `script`; what it says goes to *ret_out, a pipe. */
static void shell_start(struct io *io, struct command command, const char *script, int *ret_out, struct process *ret)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    command.argv = argv;
    command.env = command.env ? command.env : ENV;
    command.out = ends[1];
    command.err = -1;
    assert_int_equal(io->ops->spawn(io, &command, ret), 0);
    close(ends[1]);
    *ret_out = ends[0];
}

static int process_wait(struct io *io, struct process *process)
{
    struct watch watch;
    int status = -1;

    watch_init(&watch, process->exited);
    watch_arm(io, &watch, IO_READ);
    watch_wait(io, &watch, 1);
    assert_int_equal(io->ops->process_reap(io, process, &status), 0);
    assert_false(io_socket_is(process->exited));
    return status;
}

static size_t read_output(int descriptor, char *memory, size_t max)
{
    struct pollfd one = { .fd = descriptor, .events = POLLIN };
    size_t len = 0;
    ssize_t n;

    do {
        assert_int_equal(poll(&one, 1, (int)(WAIT_NS / NS_PER_MS)), 1);
        n = read(descriptor, memory + len, max - 1 - len);
        assert_true(n >= 0);
        len += (size_t)n;
    } while (n > 0);
    memory[len] = '\0';
    close(descriptor);
    return len;
}

/* Runs a script to its end: its wait status, and what it said. */
static int shell_run(struct io *io, struct command command, const char *script, char *ret_output, size_t max)
{
    struct process process;
    int out;

    shell_start(io, command, script, &out, &process);
    (void)read_output(out, ret_output, max);
    return process_wait(io, &process);
}

/* --- starting ------------------------------------------------------------------------------------------------- */

static void test_exit_status(void **state)
{
    struct io *io = help_open();
    unsigned before = help_descriptor_count();
    struct process process;
    char output[64];
    int out, status = 77;

    status = shell_run(io, (struct command){ 0 }, "echo $NAME; exit 7", output, sizeof(output));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_string_equal(output, "value\n");

    shell_start(io, (struct command){ 0 }, "exec sleep 100", &out, &process);
    status = 77;
    assert_int_equal(io->ops->process_reap(io, &process, &status), -EAGAIN);
    assert_int_equal(status, 77);
    assert_int_equal(io->ops->process_signal(io, &process, SIGTERM, false), 0);
    status = process_wait(io, &process);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_int_equal(io->ops->process_signal(io, &process, SIGTERM, false), -ESRCH); /* its pid may be another's now */
    assert_int_equal(io->ops->process_signal(io, &process, SIGTERM, true), -ESRCH);
    assert_int_equal(io->ops->process_reap(io, &process, &status), -EBADF);
    close(out);
    assert_int_equal(help_descriptor_count(), before);
    io_linux_close(io);
}

static void check_spawn_fails(struct io *io, const char *program, const char *directory, int error)
{
    const char *const argv[] = { program, NULL };
    struct command command = { .argv = argv, .env = ENV, .directory = directory, .out = -1, .err = -1 };
    struct process process = { .pid = 77 };
    unsigned before = help_descriptor_count();

    print_message("%s in %s\n", program, directory ? directory : "ours");
    assert_int_equal(io->ops->spawn(io, &command, &process), error);
    assert_int_equal(process.pid, 77);
    assert_int_equal(help_descriptor_count(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and no zombie */
    assert_int_equal(errno, ECHILD);
}

static void file_make(const char *path, const char *content, unsigned mode)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, content, strlen(content)), (ssize_t)strlen(content));
    close(descriptor);
}

static void test_spawn_errors(void **state)
{
    struct io *io = help_open();
    static char long_path[FILE_PATH_MAX + 2], long_name[FILE_PATH_MAX + 2];
    char directory[64], plain[96], text[96], path[128];
    const char *env[] = { path, NULL }, *argv[] = { "plain", NULL };
    struct command command = { .argv = argv, .env = env, .out = -1, .err = -1 };
    struct process process;

    memset(long_path, '/', sizeof(long_path) - 1);
    memset(long_name, 'x', sizeof(long_name) - 1);
    help_directory_make(directory, sizeof(directory));
    (void)snprintf(plain, sizeof(plain), "%s/plain", directory);
    (void)snprintf(text, sizeof(text), "%s/text", directory);
    (void)snprintf(path, sizeof(path), "PATH=/no/such:%s", directory);
    file_make(plain, "#!/bin/sh\n", 0644);
    file_make(text, "neither a program nor a script\n", 0755);

    check_spawn_fails(io, "no-such-program-anywhere", NULL, -ENOENT);
    check_spawn_fails(io, "/no/such/program", NULL, -ENOENT);
    check_spawn_fails(io, "", NULL, -ENOENT);
    check_spawn_fails(io, plain, NULL, -EACCES);
    check_spawn_fails(io, directory, NULL, -EACCES);
    check_spawn_fails(io, text, NULL, -ENOEXEC);
    check_spawn_fails(io, "sh", "/no/such/directory", -ENOENT);
    check_spawn_fails(io, "sh", plain, -ENOTDIR);
    check_spawn_fails(io, long_path, NULL, -ENAMETOOLONG);
    check_spawn_fails(io, long_name, NULL, -ENOENT);
    assert_int_equal(io->ops->spawn(io, &command, &process), -EACCES); /* found in PATH, not executable */
    command.descriptor_count = IO_DESCRIPTORS_MAX + 1;
    assert_int_equal(io->ops->spawn(io, &command, &process), -E2BIG);
    command.descriptor_count = 0;
    command.out = 9999;
    argv[0] = "/bin/sh";
    assert_int_equal(io->ops->spawn(io, &command, &process), -EBADF);
    help_directory_remove(directory);
    io_linux_close(io);
}

static void test_directory_and_path(void **state)
{
    struct io *io = help_open();
    const char *const no_path[] = { "NAME=value", NULL };
    char directory[64], program[96], output[128], expected[80];

    help_directory_make(directory, sizeof(directory));
    (void)snprintf(program, sizeof(program), "%s/sh", directory);
    file_make(program, "#!/bin/sh\necho wrong\n", 0755); /* in the working directory, which PATH must not reach */
    assert_int_equal(chdir(directory), 0);
    assert_int_equal(shell_run(io, (struct command){ .directory = "/" }, "pwd", output, sizeof(output)), 0);
    assert_string_equal(output, "/\n");
    (void)snprintf(expected, sizeof(expected), "%s\n", directory);
    assert_int_equal(shell_run(io, (struct command){ .env = no_path }, "pwd", output, sizeof(output)), 0);
    assert_string_equal(output, expected);
    assert_int_equal(chdir("/"), 0);
    help_directory_remove(directory);
    io_linux_close(io);
}

/* --- what a child is given ------------------------------------------------------------------------------------ */

/* Sources that lie where others are to be put. */
static void test_descriptors(void **state)
{
    struct io *io;
    int in[2], back[2], descriptors[3], out;
    struct process process;
    struct rlimit before;
    char output[128];

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(pipe(in), 0); /* without close-on-exec: inherited by mistake */
    assert_int_equal(pipe(back), 0);
    io = help_open();
    assert_int_equal(write(in[1], "told\n", 5), 5);
    descriptors[0] = back[1];
    descriptors[1] = in[0];
    descriptors[2] = in[0];
    assert_true(in[0] < 3 + 3); /* so they do overlap */
    shell_start(io, (struct command){ .descriptors = descriptors, .descriptor_count = 3, .listen_pid = true },
                "read x <&4; echo $x >&3; [ \"$LISTEN_PID\" = $$ ] && echo pid; ls /proc/$$/fd; :", &out, &process);
    (void)read_output(out, output, sizeof(output));
    assert_string_equal(output, "pid\n0\n1\n2\n3\n4\n5\n");
    assert_int_equal(process_wait(io, &process), 0);
    close(back[1]);
    (void)read_output(back[0], output, sizeof(output));
    assert_string_equal(output, "told\n");
    close(in[0]);
    close(in[1]);
    io_linux_close(io);
}

static void test_most_descriptors(void **state)
{
    struct io *io = help_open();
    int descriptors[IO_DESCRIPTORS_MAX];
    unsigned lines = 0;
    char output[256];

    for (unsigned i = 0; i < IO_DESCRIPTORS_MAX; i++)
        descriptors[i] = 2;
    assert_int_equal(shell_run(io,
                               (struct command){ .descriptors = descriptors, .descriptor_count = IO_DESCRIPTORS_MAX },
                               "ls /proc/$$/fd; :", output, sizeof(output)),
                     0);
    for (const char *c = output; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 3 + IO_DESCRIPTORS_MAX);
    io_linux_close(io);
}

static void test_listen_pid_is_replaced(void **state)
{
    const char *const env[] = { "LISTEN_PID=1", "LISTEN_FDS=2", "PATH=/usr/bin:/bin", NULL };
    struct io *io = help_open();
    char output[128];

    assert_int_equal(shell_run(io, (struct command){ .env = env, .listen_pid = true },
                               "[ $LISTEN_PID = $$ ] && echo $LISTEN_FDS; env | grep -c LISTEN_PID", output,
                               sizeof(output)),
                     0);
    assert_string_equal(output, "2\n1\n");
    assert_int_equal(shell_run(io, (struct command){ .env = env }, "echo $LISTEN_PID", output, sizeof(output)), 0);
    assert_string_equal(output, "1\n"); /* as given */
    io_linux_close(io);
}

static void test_signals_and_limits_are_fresh(void **state)
{
    struct rlimit before, low;
    struct io_socket signals;
    struct io *io;
    char output[512], expected[512];
    int status;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = (struct rlimit){ 256, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    io = help_open();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(low.rlim_cur, before.rlim_max); /* ours is raised */
    assert_int_equal(io->ops->signals(io, UINT64_C(1) << (SIGTERM - 1), &signals), 0);
    (void)signal(SIGUSR1, SIG_IGN);

    status = shell_run(io, (struct command){ 0 },
                       "ulimit -n; grep -E 'Sig(Blk|Ign)' /proc/self/status | grep -vc 0000000000000000", output,
                       sizeof(output));
    assert_int_equal(status, 1 << 8); /* grep found no line to count */
    (void)snprintf(expected, sizeof(expected), "256\n0\n");
    assert_string_equal(output, expected);
    (void)shell_run(io, (struct command){ .files = 100 }, "ulimit -n; ulimit -Hn", output, sizeof(output));
    assert_string_equal(output, "100\n100\n");
    status = shell_run(io, (struct command){ 0 }, "kill -TERM $$; exit 3", output, sizeof(output));
    assert_true(WIFSIGNALED(status));
    status = shell_run(io, (struct command){ 0 }, "read x || echo end", output, sizeof(output));
    assert_string_equal(output, "end\n"); /* 0 is /dev/null */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    io_linux_close(io);
}

static void test_error_output(void **state)
{
    const char *const argv[] = { "/bin/sh", "-c", "echo out; echo err >&2", NULL };
    struct io *io = help_open();
    struct command command = { .argv = argv, .env = ENV };
    struct process process;
    char output[64];
    int out[2], err[2];

    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    command.out = out[1];
    command.err = err[1];
    assert_int_equal(io->ops->spawn(io, &command, &process), 0);
    close(out[1]);
    close(err[1]);
    (void)read_output(out[0], output, sizeof(output));
    assert_string_equal(output, "out\n");
    (void)read_output(err[0], output, sizeof(output));
    assert_string_equal(output, "err\n");
    assert_int_equal(process_wait(io, &process), 0);
    io_linux_close(io);
}

/* --- ending ------------------------------------------------------------------------------------------------- */

static void test_group_is_killed(void **state)
{
    struct io *io = help_open();
    struct process process;
    char c;
    int out;

    shell_start(io, (struct command){ .new_group = true }, "sleep 100 & sleep 100 & echo; wait", &out, &process);
    assert_int_equal(read(out, &c, 1), 1); /* all are started */
    assert_int_equal(getpgid((pid_t)process.pid), process.pid);
    assert_int_equal(io->ops->process_signal(io, &process, SIGKILL, true), 0);
    help_wait_end(out); /* the sleeps held it open */
    assert_int_equal(process_wait(io, &process), SIGKILL);
    close(out);
    io_linux_close(io);
}

/* The child ends when its parent does, however that ends. */
static void test_child_dies_with_parent(void **state)
{
    int ends[2];
    pid_t parent;
    char c;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        const char *const argv[] = { "/bin/sh", "-c", "echo; exec sleep 100", NULL };
        struct command command = { .argv = argv, .env = ENV, .out = ends[1], .err = -1 };
        struct process process;
        struct io *io;

        if (io_linux_open(&io) == 0 && io->ops->spawn(io, &command, &process) == 0)
            (void)pause();
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &c, 1), 1);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    help_wait_end(ends[0]);
    close(ends[0]);
}

static void test_child_is_born_an_orphan(void **state)
{
    struct io *io = help_open();
    char output[64];
    int status;

    orphaned = true;
    status = shell_run(io, (struct command){ 0 }, "echo ran", output, sizeof(output));
    orphaned = false;
    assert_string_equal(output, "");
    assert_int_equal(WEXITSTATUS(status), 127);
    io_linux_close(io);
}

static void test_signals(void **state)
{
    struct io *io = help_open();
    struct io_socket signals;
    struct watch watch;
    uint64_t mask = UINT64_C(1) << (SIGUSR1 - 1) | UINT64_C(1) << (SIGUSR2 - 1);

    assert_int_equal(io->ops->signals(io, mask, &signals), 0);
    assert_int_equal(io->ops->try_signal(io, signals), -EAGAIN);
    for (unsigned i = 1; i <= 3; i++) {
        watch_init(&watch, signals);
        watch_arm(io, &watch, IO_READ);
        assert_int_equal(kill(getpid(), SIGUSR2), 0);
        assert_int_equal(kill(getpid(), SIGUSR1), 0);
        watch_wait(io, &watch, 1);
        assert_int_equal(io->ops->try_signal(io, signals), SIGUSR1);
        assert_int_equal(io->ops->try_signal(io, signals), SIGUSR2);
        assert_int_equal(io->ops->try_signal(io, signals), -EAGAIN);
    }
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors), /* first: it wants low numbers */
        cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_spawn_errors),
        cmocka_unit_test(test_directory_and_path),
        cmocka_unit_test(test_most_descriptors),
        cmocka_unit_test(test_listen_pid_is_replaced),
        cmocka_unit_test(test_signals_and_limits_are_fresh),
        cmocka_unit_test(test_error_output),
        cmocka_unit_test(test_group_is_killed),
        cmocka_unit_test(test_child_dies_with_parent),
        cmocka_unit_test(test_child_is_born_an_orphan),
        cmocka_unit_test(test_signals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
