#include "io/linux/cgroup.h"

#include "io/linux/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_GROUP "weft"
#define MOUNTS_MAX 65536 /* of /proc/self/mountinfo: containers have a hundred mounts */
#define PERIOD_US 100000 /* of cpu.max; the kernel's own default */

/* --- files of the kernel ---------------------------------------------------------------------------------------- */

static int join(char memory[FILE_PATH_MAX], const char *folder, const char *name)
{
    int len = snprintf(memory, FILE_PATH_MAX, "%s/%s", folder, name);

    return len < 0 || len >= FILE_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* An empty text when it can't be read. */
static struct bytes read_at(int folder, const char *name, char *memory, size_t max)
{
    int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;

    if (descriptor < 0)
        return BYTES_NONE;
    while (len < max && ((n = read(descriptor, memory + len, max - len)) > 0 || (n < 0 && errno == EINTR)))
        len += n > 0 ? (size_t)n : 0;
    (void)close(descriptor);
    return bytes_of(memory, len);
}

static int write_at(int folder, const char *name, const char *text)
{
    int descriptor = openat(folder, name, O_WRONLY | O_CLOEXEC), r = 0;

    if (descriptor < 0)
        return -errno;
    if (write(descriptor, text, strlen(text)) < 0)
        r = -errno;
    (void)close(descriptor);
    return r;
}

static int open_folder(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return descriptor < 0 ? -errno : descriptor;
}

/* --- where we are --------------------------------------------------------------------------------------------------
 */

/* The line "0::/user.slice/..." of /proc/self/cgroup. */
static struct bytes own_group(struct bytes text)
{
    struct bytes line;

    while (bytes_split(&text, '\n', &line))
        if (bytes_starts(line, BYTES("0::/")))
            return bytes_skip(line, 3);
    return BYTES_NONE;
}

/* Where a cgroup2 file system is mounted: "36 25 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw". */
static struct bytes mount_point(struct bytes text)
{
    struct bytes line, field = BYTES_NONE;

    while (bytes_split(&text, '\n', &line)) {
        if (bytes_find(line, BYTES(" - cgroup2 ")) < 0)
            continue;
        for (unsigned i = 0; i < 5; i++)
            if (!bytes_split(&line, ' ', &field))
                return BYTES_NONE;
        return field;
    }
    return BYTES_NONE;
}

static void because(struct cgroups *cgroups, const char *why)
{
    cgroups->path[0] = '\0';
    cgroups->memory = cgroups->cpu = false;
    (void)snprintf(cgroups->why, sizeof(cgroups->why), "%s", why);
}

static bool has_word(struct bytes text, struct bytes word)
{
    struct bytes line, part;

    while (bytes_split(&text, '\n', &line))
        while (bytes_split(&line, ' ', &part))
            if (bytes_equal(part, word))
                return true;
    return false;
}

/* --- preparing -----------------------------------------------------------------------------------------------------
 */

/* Puts us and the companion into a group of our own. */
static int move_ourselves(int folder, int64_t companion)
{
    char pid[32];
    int own, r = 0;

    if (mkdirat(folder, OWN_GROUP, 0755) < 0 && errno != EEXIST)
        return -errno;
    own = openat(folder, OWN_GROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0)
        return -errno;
    if (companion > 0) {
        (void)snprintf(pid, sizeof(pid), "%lld", (long long)companion);
        r = write_at(own, "cgroup.procs", pid);
    }
    if (r == 0)
        r = write_at(own, "cgroup.procs", "0");
    (void)close(own);
    return r;
}

/* Back to where we were. */
static void move_back(int folder, int64_t companion)
{
    char pid[32];

    if (companion > 0) {
        (void)snprintf(pid, sizeof(pid), "%lld", (long long)companion);
        (void)write_at(folder, "cgroup.procs", pid);
    }
    (void)write_at(folder, "cgroup.procs", "0");
    (void)unlinkat(folder, OWN_GROUP, AT_REMOVEDIR);
}

static void divide(struct cgroups *cgroups, int folder, int64_t companion)
{
    char memory[1024];
    struct bytes controllers = read_at(folder, "cgroup.controllers", memory, sizeof(memory));
    bool may_memory = has_word(controllers, BYTES("memory")), may_cpu = has_word(controllers, BYTES("cpu"));

    if (!may_memory && !may_cpu) {
        because(cgroups,
                "the control group has no memory and cpu controller (start weft with systemd-run --user --scope "
                "-p Delegate=yes)");
        return;
    }
    if (faccessat(folder, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0 || move_ourselves(folder, companion) < 0) {
        because(cgroups, "the control group belongs to somebody else (start weft with systemd-run --user --scope -p "
                         "Delegate=yes)");
        return;
    }
    cgroups->memory = may_memory && write_at(folder, "cgroup.subtree_control", "+memory") == 0;
    cgroups->cpu = may_cpu && write_at(folder, "cgroup.subtree_control", "+cpu") == 0;
    if (!cgroups->memory && !cgroups->cpu) {
        move_back(folder, companion);
        because(cgroups, "other processes are in the control group (start weft with systemd-run --user --scope -p "
                         "Delegate=yes)");
    } else if (!cgroups->memory)
        (void)snprintf(cgroups->why, sizeof(cgroups->why), "the control group has no memory controller");
    else if (!cgroups->cpu)
        (void)snprintf(cgroups->why, sizeof(cgroups->why), "the control group has no cpu controller");
}

void io_linux_cgroups_open_at(struct cgroups *cgroups, const char *path, int64_t companion)
{
    int folder = open_folder(path);

    *cgroups = (struct cgroups){ .memory = false };
    if (folder < 0) {
        because(cgroups, "the control group can't be opened");
        return;
    }
    (void)snprintf(cgroups->path, sizeof(cgroups->path), "%s", path);
    divide(cgroups, folder, companion);
    (void)close(folder);
}

void io_linux_cgroups_open(struct cgroups *cgroups, int64_t companion)
{
    char groups[4096], mounts[MOUNTS_MAX], path[FILE_PATH_MAX];
    struct bytes group = own_group(read_at(AT_FDCWD, "/proc/self/cgroup", groups, sizeof(groups)));
    struct bytes mount = mount_point(read_at(AT_FDCWD, "/proc/self/mountinfo", mounts, sizeof(mounts)));
    int len = snprintf(path, sizeof(path), BYTES_FMT BYTES_FMT, BYTES_ARG(mount),
                       BYTES_ARG(bytes_equal(group, BYTES("/")) ? BYTES_NONE : group));

    if (group.len == 0 || mount.len == 0 || len < 0 || (size_t)len >= sizeof(path)) {
        *cgroups = (struct cgroups){ .memory = false };
        because(cgroups, "this machine has no control groups of version 2");
        return;
    }
    io_linux_cgroups_open_at(cgroups, path, companion);
}

/* --- groups of processes ---------------------------------------------------------------------------------------------
 */

static int set_limits(const struct cgroups *cgroups, int folder, const struct process_limits *limits)
{
    char text[64];
    int r = 0;

    if (cgroups->memory && limits->memory > 0) {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)limits->memory);
        r = write_at(folder, "memory.max", text);
        if (r == 0)
            (void)write_at(folder, "memory.swap.max", "0"); /* or it would only become slow; not everywhere */
        if (r == 0)
            r = write_at(folder, "memory.oom.group", "1");
    }
    if (r == 0 && cgroups->cpu && limits->cpu_ppm > 0) {
        (void)snprintf(text, sizeof(text), "%llu %d",
                       (unsigned long long)MAX(limits->cpu_ppm * PERIOD_US / 1000000, UINT64_C(1000)), PERIOD_US);
        r = write_at(folder, "cpu.max", text);
    }
    return r;
}

int io_linux_cgroup_make(const struct cgroups *cgroups, const char *name, const struct process_limits *limits,
                         int *ret_folder)
{
    char path[FILE_PATH_MAX];
    int folder, r = join(path, cgroups->path, name);

    if (r < 0 || !cgroups->path[0])
        return r < 0 ? r : -ENOTSUP;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return -errno;
    folder = open_folder(path);
    if (folder < 0)
        return folder;
    r = set_limits(cgroups, folder, limits);
    if (r < 0)
        (void)close(folder);
    else
        *ret_folder = folder;
    return r;
}

void io_linux_cgroup_remove(const struct cgroups *cgroups, const char *name)
{
    char path[FILE_PATH_MAX];

    if (cgroups->path[0] && join(path, cgroups->path, name) == 0)
        (void)rmdir(path);
}

uint64_t io_linux_cgroup_kills(const struct cgroups *cgroups, const char *name)
{
    char group[FILE_PATH_MAX], path[FILE_PATH_MAX], memory[1024];
    struct bytes text, line;
    uint64_t count = 0;

    if (!cgroups->path[0] || join(group, cgroups->path, name) < 0 || join(path, group, "memory.events") < 0)
        return 0;
    text = read_at(AT_FDCWD, path, memory, sizeof(memory));
    while (bytes_split(&text, '\n', &line))
        if (bytes_starts(line, BYTES("oom_kill ")) && bytes_to_u64(bytes_skip(line, 9), &count) < 0)
            count = 0;
    return count;
}

/* We go back to where we were, so that our group can be removed. */
void io_linux_cgroups_close(struct cgroups *cgroups)
{
    int folder = cgroups->path[0] ? open_folder(cgroups->path) : -1;

    if (folder < 0)
        return;
    if (cgroups->memory)
        (void)write_at(folder, "cgroup.subtree_control", "-memory");
    if (cgroups->cpu)
        (void)write_at(folder, "cgroup.subtree_control", "-cpu");
    (void)write_at(folder, "cgroup.procs", "0");
    (void)close(folder);
    io_linux_cgroup_remove(cgroups, OWN_GROUP); /* fails while the guard is in it */
    cgroups->path[0] = '\0';
}

int64_t io_linux_parent(void)
{
    return getppid();
}
