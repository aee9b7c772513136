/* Processes: started with fork(), watched by pidfds.
 *
 * (1) Between fork() and execve() the child calls only what is async-signal-safe; all that needs memory or a search is
 *     done before.
 * (2) spawn returns when execve() has succeeded or failed: its errno comes back through a pipe that it closes.
 * (3) No descriptor but 0, 1, 2 and those asked for reaches the child.
 */
#include "io/linux/internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR 3 /* SD_LISTEN_FDS_START */
#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

/* What the child needs, made before the fork. */
struct plan {
    const struct command *command;
    const struct rlimit *files;
    const char **env;                     /* ours where listen_pid is asked for, else the command's */
    char listen_pid[LISTEN_PID_TEXT_MAX]; /* the child writes its pid here; one of `env` */
    char path[FILE_PATH_MAX];
    int report;   /* where the errno goes */
    pid_t parent; /* who must still be there */
};

/* --- before the fork ---------------------------------------------------------------------------------------- */

static struct bytes env_find(const char *const *env, struct bytes name)
{
    for (; *env; env++) {
        struct bytes entry = bytes_of_text(*env);

        if (bytes_starts(entry, name))
            return bytes_skip(entry, name.len);
    }
    return BYTES_NONE;
}

static int path_join(struct plan *plan, struct bytes directory, struct bytes name)
{
    if (directory.len + name.len + 2 > sizeof(plan->path))
        return -ENAMETOOLONG;
    (void)snprintf(plan->path, sizeof(plan->path), BYTES_FMT "/" BYTES_FMT, BYTES_ARG(directory), BYTES_ARG(name));
    return 0;
}

/* -ENOENT: in no directory. -EACCES: found, but it may not be run. */
static int path_search(struct plan *plan, struct bytes name)
{
    struct bytes rest = env_find(plan->command->env, BYTES("PATH=")), directory;
    struct stat status;
    int result = -ENOENT;

    if (rest.len == 0)
        rest = BYTES(PATH_DEFAULT);
    while (bytes_split(&rest, ':', &directory)) {
        if (directory.len == 0 || directory.data[0] != '/' || path_join(plan, directory, name) < 0)
            continue; /* a relative element would run what lies about in a directory */
        if (stat(plan->path, &status) < 0 || !S_ISREG(status.st_mode))
            continue;
        if (faccessat(AT_FDCWD, plan->path, X_OK, AT_EACCESS) == 0)
            return 0;
        result = -EACCES;
    }
    return result;
}

static int plan_path(struct plan *plan)
{
    struct bytes name = bytes_of_text(plan->command->argv[0]);

    if (name.len == 0)
        return -ENOENT;
    if (bytes_find_char(name, '/') < 0)
        return path_search(plan, name);
    if (name.len >= sizeof(plan->path))
        return -ENAMETOOLONG;
    memcpy(plan->path, name.data, name.len + 1);
    return 0;
}

static int plan_env(struct plan *plan)
{
    const char *const *env = plan->command->env;
    size_t count = 0;

    plan->env = (const char **)env;
    if (!plan->command->listen_pid)
        return 0;
    while (env[count])
        count++;
    plan->env = mem_zalloc_array(count + 2, sizeof(*plan->env));
    if (!plan->env)
        return -ENOMEM;
    count = 0;
    plan->env[count++] = plan->listen_pid;
    for (; *env; env++)
        if (!bytes_starts(bytes_of_text(*env), BYTES("LISTEN_PID=")))
            plan->env[count++] = *env;
    return 0;
}

static void plan_done(struct plan *plan)
{
    if (plan->env && plan->env != (const char **)plan->command->env)
        mem_free(plan->env);
    mem_free(plan);
}

static int plan_make(struct io_linux *io, const struct command *command, struct plan **ret)
{
    struct plan *plan;
    int r;

    if (command->descriptor_count > IO_DESCRIPTORS_MAX)
        return -E2BIG;
    plan = mem_zalloc(sizeof(*plan));
    if (!plan)
        return -ENOMEM;
    plan->command = command;
    plan->files = &io->files_before;
    plan->parent = getpid();
    r = plan_path(plan);
    if (r == 0)
        r = plan_env(plan);
    if (r < 0) {
        plan_done(plan);
        return r;
    }
    *ret = plan;
    return 0;
}

/* --- in the child ------------------------------------------------------------------------------------------- */

NORETURN static void child_fail(const struct plan *plan, int error)
{
    while (write(plan->report, &error, sizeof(error)) < 0 && errno == EINTR)
        ;
    _exit(127);
}

static void child_signals(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int number = 1; number <= 64; number++)
        (void)sigaction(number, &action, NULL); /* fails for those that have no other */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves descriptor `from` above all that will be put in place, so that nothing is overwritten before it was used. */
static int child_move_up(const struct plan *plan, int from)
{
    int moved = fcntl(from, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR + (int)plan->command->descriptor_count);

    if (moved < 0)
        child_fail(plan, errno);
    return moved;
}

static void child_put(const struct plan *plan, int from, int to)
{
    if (dup2(from, to) < 0) /* dup2 leaves close-on-exec behind */
        child_fail(plan, errno);
}

/* Programs expect accept() on what they inherit to wait (sd_listen_fds). */
static void child_block(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);

    if (flags >= 0)
        (void)fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

static void child_descriptors(struct plan *plan)
{
    const struct command *command = plan->command;
    int moved[IO_DESCRIPTORS_MAX], out = -1, err = -1, in;
    unsigned count = command->descriptor_count;

    plan->report = child_move_up(plan, plan->report);
    for (unsigned i = 0; i < count; i++)
        moved[i] = child_move_up(plan, command->descriptors[i]);
    if (command->out >= 0)
        out = child_move_up(plan, command->out);
    if (command->err >= 0)
        err = child_move_up(plan, command->err);
    in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (in < 0)
        child_fail(plan, errno);
    in = child_move_up(plan, in);
    child_put(plan, in, 0);
    if (out >= 0)
        child_put(plan, out, 1);
    if (err >= 0)
        child_put(plan, err, 2);
    for (unsigned i = 0; i < count; i++) {
        child_put(plan, moved[i], FIRST_DESCRIPTOR + (int)i);
        child_block(FIRST_DESCRIPTOR + (int)i);
    }
    if (syscall(SYS_close_range, FIRST_DESCRIPTOR + count, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        child_fail(plan, errno);
}

static void child_listen_pid(struct plan *plan)
{
    static const char NAME[] = "LISTEN_PID=";
    char digits[16], *to = plan->listen_pid + sizeof(NAME) - 1;
    unsigned count = 0, pid = (unsigned)getpid();

    memcpy(plan->listen_pid, NAME, sizeof(NAME) - 1);
    for (; pid > 0; pid /= 10)
        digits[count++] = (char)('0' + pid % 10);
    while (count > 0)
        *to++ = digits[--count];
    *to = '\0';
}

/* "0" is whoever writes it. Before descriptors take their places, and perhaps that of this one. */
static void child_cgroup(const struct plan *plan)
{
    int folder = plan->command->cgroup, descriptor;

    if (folder <= 0)
        return;
    descriptor = openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (descriptor < 0 || write(descriptor, "0", 1) < 0)
        child_fail(plan, errno);
    (void)close(descriptor);
}

static void child_files(const struct plan *plan)
{
    struct rlimit files = *plan->files;

    if (plan->command->files > 0)
        files.rlim_cur = files.rlim_max = MIN((rlim_t)plan->command->files, files.rlim_max);
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

NORETURN static void child_run(struct plan *plan)
{
    const struct command *command = plan->command;

    if (command->new_group && setpgid(0, 0) < 0)
        child_fail(plan, errno);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        child_fail(plan, errno);
    if (getppid() != plan->parent) /* it died before the kernel was told */
        _exit(127);
    child_cgroup(plan);
    child_descriptors(plan);
    child_signals();
    child_files(plan);
    if (command->directory && chdir(command->directory) < 0)
        child_fail(plan, errno);
    if (command->listen_pid)
        child_listen_pid(plan);
    (void)execve(plan->path, (char *const *)command->argv, (char *const *)plan->env);
    child_fail(plan, errno);
}

/* --- in the parent ------------------------------------------------------------------------------------------ */

static void reap_now(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Waits for execve(): 0, or why it failed. */
static int read_report(int descriptor)
{
    int error = 0;
    ssize_t n;

    do {
        n = read(descriptor, &error, sizeof(error));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return n == sizeof(error) ? -error : 0;
}

/* 0: the child runs the command. No signal handler of ours may run in the child: hence all are blocked. */
static int fork_and_exec(struct plan *plan, pid_t *ret_pid)
{
    sigset_t all, before;
    int report[2], r;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    plan->report = report[1];
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        child_run(plan);
    r = pid < 0 ? -errno : 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)close(report[1]);
    if (r == 0)
        r = read_report(report[0]);
    (void)close(report[0]);
    if (r < 0 && pid > 0)
        reap_now(pid);
    if (r == 0)
        *ret_pid = pid;
    return r;
}

static int watch(struct io_linux *io, pid_t pid, struct process *ret)
{
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0), r;
    struct io_socket exited;

    if (descriptor < 0)
        return -errno;
    r = slot_open(io, descriptor, SLOT_PROCESS, 0, 0, &exited);
    if (r < 0) {
        (void)close(descriptor);
        return r;
    }
    ret->pid = pid;
    ret->exited = exited;
    return 0;
}

int linux_process_spawn(struct io *seam, const struct command *command, struct process *ret)
{
    struct io_linux *io = io_linux(seam);
    struct plan *plan;
    pid_t pid = 0;
    int r = plan_make(io, command, &plan);

    if (r < 0)
        return r;
    r = fork_and_exec(plan, &pid);
    plan_done(plan);
    if (r < 0)
        return r;
    r = watch(io, pid, ret);
    if (r < 0) { /* a process that can't be watched must not stay */
        (void)kill(command->new_group ? -pid : pid, SIGKILL);
        reap_now(pid);
    }
    return r;
}

int linux_process_signal(struct io *seam, const struct process *process, int number, bool group)
{
    struct slot *slot = slot_find(io_linux(seam), process->exited);
    long r;

    if (!slot || slot->kind != SLOT_PROCESS)
        return -ESRCH;
    if (group) /* safe: until it is reaped its pid is nobody else's */
        r = kill((pid_t)-process->pid, number);
    else
        r = syscall(SYS_pidfd_send_signal, slot->descriptor, number, NULL, 0);
    return r < 0 ? -errno : 0;
}

/* As waitpid() gives it. */
static int wait_status(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        return (info->si_status & 0xff) << 8;
    return info->si_status | (info->si_code == CLD_DUMPED ? WCOREFLAG : 0);
}

int linux_process_reap(struct io *seam, struct process *process, int *ret_status)
{
    struct io_linux *io = io_linux(seam);
    struct slot *slot = slot_find(io, process->exited);
    siginfo_t info = { 0 };
    int r;

    if (!slot || slot->kind != SLOT_PROCESS)
        return -EBADF;
    do {
        r = waitid(P_PIDFD, (id_t)slot->descriptor, &info, WEXITED | WNOHANG);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    if (info.si_pid == 0) {
        slot->ready &= (uint8_t)~IO_READ;
        return -EAGAIN;
    }
    slot_close(io, slot);
    process->exited = IO_SOCKET_NONE;
    *ret_status = wait_status(&info);
    return 0;
}
