/* Files below a folder that no path leads out of. */
#include "io/linux/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) /* a pipe without a writer must not hold us */

int linux_folder_open(struct io *io, const char *path, int *ret)
{
    int descriptor;

    do {
        descriptor = open(path, FOLDER_FLAGS);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        return -errno;
    *ret = descriptor;
    return 0;
}

/* Linux 5.6. It follows links, as long as they stay below. */
static int open_beneath(int folder, const char *path)
{
    struct open_how how = { .flags = FILE_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    long descriptor = -1;

    for (unsigned i = 0; i < FILE_OPEN_TRIES; i++) {
        descriptor = syscall(SYS_openat2, folder, path, &how, sizeof(how));
        if (descriptor >= 0 || (errno != EINTR && errno != EAGAIN))
            break;
    }
    return descriptor < 0 ? -errno : (int)descriptor;
}

/* Opens one element, following no link. `at` is closed, unless it is the folder itself. */
static int open_element(int folder, int at, struct bytes element, bool last)
{
    char name[FILE_NAME_MAX + 1];
    int descriptor = -1, r = -ENAMETOOLONG;

    if (element.len <= FILE_NAME_MAX) {
        memcpy(name, element.data, element.len);
        name[element.len] = '\0';
        descriptor = openat(at, name, (last ? FILE_FLAGS : FOLDER_FLAGS) | O_NOFOLLOW);
        r = descriptor < 0 ? -errno : descriptor;
    }
    if (at != folder)
        (void)close(at);
    return r;
}

/* Where there is no openat2(): an older kernel, or a sandbox that forbids it. */
static int open_walking(int folder, struct bytes path)
{
    struct bytes element;
    int at = folder;

    while (at >= 0 && bytes_split(&path, '/', &element)) {
        if (element.len > 0)
            at = open_element(folder, at, element, path.data == NULL);
    }
    return at == folder ? -ENOENT : at;
}

/* ".." is never needed below a folder, and without it both ways are the same. */
static bool leads_out(struct bytes path)
{
    struct bytes element;

    if (bytes_starts(path, BYTES("/")))
        return true;
    while (bytes_split(&path, '/', &element))
        if (bytes_equal(element, BYTES("..")))
            return true;
    return false;
}

/* Times beyond what nanoseconds can count are the first and the last ones. */
static int64_t time_of(const struct timespec *time)
{
    int64_t seconds = MIN(MAX((int64_t)time->tv_sec, INT64_MIN / NS_PER_S + 1), INT64_MAX / NS_PER_S - 1);

    return seconds * NS_PER_S + time->tv_nsec;
}

int linux_file_open(struct io *io, int folder, const char *path, struct io_file *ret)
{
    struct stat status;
    int descriptor, r = 0;

    if (leads_out(bytes_of_text(path)))
        return -EXDEV;
    descriptor = open_beneath(folder, path);
    if (descriptor == -ENOSYS || descriptor == -EPERM)
        descriptor = open_walking(folder, bytes_of_text(path));
    if (descriptor < 0)
        return descriptor == -ENXIO ? -EINVAL : descriptor; /* a socket */
    if (fstat(descriptor, &status) < 0)
        r = -errno;
    else if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        r = -EINVAL;
    if (r < 0 || S_ISDIR(status.st_mode))
        (void)close(descriptor);
    if (r == 0 && S_ISDIR(status.st_mode))
        *ret = (struct io_file){ .file = IO_FILE_FOLDER };
    else if (r == 0)
        *ret = (struct io_file){ descriptor, (uint64_t)status.st_size, time_of(&status.st_mtim) };
    return r;
}

ssize_t linux_file_read_at(struct io *io, int file, void *memory, size_t len, uint64_t from)
{
    size_t count = 0;

    while (count < len) {
        ssize_t n = pread(file, (char *)memory + count, len - count, (off_t)(from + count));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        count += (size_t)n;
    }
    return (ssize_t)count;
}

void linux_file_close(struct io *io, int file)
{
    (void)close(file);
}
