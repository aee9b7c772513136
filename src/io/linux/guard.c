/* A small process above the supervisor: see linux.h. */
#include "io/linux/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN_TEXT_MAX 4096 /* some 500 pids at a time; the rest are met in the next round */
#define GUARD_ROUND_NS (2 * NS_PER_MS)

int io_linux_become_subreaper(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* The pids of our children. The single thread of this process has started or inherited all of them. */
static ssize_t read_children(char *text, size_t max)
{
    int descriptor = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (descriptor < 0)
        return -errno;
    do {
        n = read(descriptor, text, max);
    } while (n < 0 && errno == EINTR);
    n = n < 0 ? -errno : n;
    (void)close(descriptor);
    return n;
}

/* What a child leaves behind becomes ours when it is reaped, so that one level at a time is enough. */
static int kill_children(void)
{
    char text[CHILDREN_TEXT_MAX];
    ssize_t n = read_children(text, sizeof(text));
    struct bytes rest, word;
    uint64_t pid;

    if (n < 0)
        return (int)n;
    rest = bytes_of(text, (size_t)n);
    while (bytes_split(&rest, ' ', &word)) {
        if (rest.data == NULL) /* the last one may be cut short, and a part of a pid is another's */
            break;
        if (bytes_to_u64(word, &pid) == 0 && pid > 1)
            (void)kill((pid_t)pid, SIGKILL);
    }
    return 0;
}

static int64_t guard_clock(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* Reaps what has ended. True: there are no children any more. */
static bool reap_ended(int *count)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) != 0) {
        if (pid > 0)
            ++*count;
        else if (errno != EINTR)
            return errno == ECHILD;
    }
    return false;
}

int io_linux_kill_descendants(void)
{
    const struct timespec pause = { .tv_nsec = GUARD_ROUND_NS };
    int64_t until = guard_clock() + GUARD_KILL_NS;
    int count = 0, r;

    while (!reap_ended(&count)) {
        if (guard_clock() >= until)
            return -ETIMEDOUT;
        r = kill_children();
        if (r < 0)
            return r;
        (void)nanosleep(&pause, NULL);
    }
    return count;
}

int io_linux_reap_orphans(bool (*is_ours)(void *user, int64_t pid), void *user)
{
    siginfo_t info = { 0 };

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
            if (errno == EINTR)
                continue;
            return errno == ECHILD ? 0 : -errno;
        }
        if (info.si_pid == 0)
            return 0;
        if (is_ours(user, info.si_pid))
            return -EBUSY;
        (void)waitpid(info.si_pid, NULL, WNOHANG);
    }
}

/* Passes signals on until the child has ended; reaps the orphans that came to us meanwhile. */
static int guard_run(pid_t child, const sigset_t *signals)
{
    siginfo_t info;
    int number, status;
    pid_t pid;

    for (;;) {
        number = sigwaitinfo(signals, &info);
        if (number > 0 && number != SIGCHLD && info.si_code <= 0) /* a process sent it, not a terminal */
            (void)kill(child, number);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == child)
                return status;
    }
}

int io_linux_fork_guarded(int *ret_status)
{
    sigset_t signals, before;
    pid_t guard = getpid(), child;
    int r = io_linux_become_subreaper();

    if (r < 0)
        return r;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigaddset(&signals, SIGCHLD);
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, children would vanish unreaped */
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    child = fork();
    if (child < 0) {
        r = -errno;
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return r;
    }
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != guard)
            (void)raise(SIGTERM); /* taken when the mask is lifted */
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return 0;
    }
    *ret_status = guard_run(child, &signals);
    r = io_linux_kill_descendants();
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return r < 0 && r != -ETIMEDOUT ? r : 1;
}
