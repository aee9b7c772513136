#include "io/linux/internal.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_FIRST 4096 /* for files that don't know their size, as in /proc */

static int open_file(const char *path, int flags, unsigned mode)
{
    int descriptor;

    do {
        descriptor = open(path, flags | O_CLOEXEC, mode);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor < 0 ? -errno : descriptor;
}

/* One byte more than allowed is asked for, to see that there is more. */
static int read_all(int descriptor, size_t first, size_t max, struct bytes *ret)
{
    size_t room = MIN(first, max) + 1, len = 0;
    char *data = mem_alloc(room);
    ssize_t n;
    int r = data ? 0 : -ENOMEM;

    while (r == 0) {
        n = read(descriptor, data + len, room - len);
        if (n == 0)
            break;
        if (n < 0) {
            r = errno == EINTR ? 0 : -errno;
            continue;
        }
        len += (size_t)n;
        if (len > max)
            r = -EFBIG;
        else if (len == room) {
            size_t more = room <= max / 2 ? room * 2 : max + 1;
            char *grown = mem_realloc(data, more);

            r = grown ? 0 : -ENOMEM;
            data = grown ? grown : data;
            room = grown ? more : room;
        }
    }
    if (r < 0)
        mem_free(data);
    else
        *ret = bytes_of(data, len);
    return r;
}

int linux_file_read(struct io *io, const char *path, size_t max, struct bytes *ret)
{
    int descriptor = open_file(path, O_RDONLY | O_NOCTTY, 0), r = 0;
    struct stat status;
    size_t size = READ_FIRST;

    ASSERT(max < SIZE_MAX);
    if (descriptor < 0)
        return descriptor;
    if (fstat(descriptor, &status) < 0)
        r = -errno;
    else if (S_ISDIR(status.st_mode))
        r = -EISDIR;
    else if (S_ISREG(status.st_mode) && status.st_size > 0)
        size = (size_t)status.st_size;
    if (r == 0)
        r = S_ISREG(status.st_mode) && size > max && status.st_size > 0 ? -EFBIG : read_all(descriptor, size, max, ret);
    (void)close(descriptor);
    return r;
}

static int write_all(int descriptor, struct bytes content)
{
    while (content.len > 0) {
        ssize_t n = write(descriptor, content.data, content.len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            content = bytes_skip(content, (size_t)n);
    }
    return 0;
}

static int sync_directory_of(const char *path)
{
    char directory[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? MAX((size_t)(slash - path), (size_t)1) : 1;
    int descriptor, r = 0;

    memcpy(directory, slash ? path : ".", len);
    directory[len] = '\0';
    descriptor = open_file(directory, O_RDONLY | O_DIRECTORY, 0);
    if (descriptor < 0)
        return descriptor;
    if (fsync(descriptor) < 0 && errno != EINVAL) /* EINVAL: a file system without it */
        r = -errno;
    (void)close(descriptor);
    return r;
}

static int write_new(const char *path, struct bytes content, unsigned mode)
{
    int descriptor = open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600), r;

    if (descriptor < 0)
        return descriptor;
    r = write_all(descriptor, content);
    if (r == 0 && fchmod(descriptor, (mode_t)mode) < 0) /* as asked for, whatever the umask */
        r = -errno;
    if (r == 0 && fsync(descriptor) < 0)
        r = -errno;
    if (close(descriptor) < 0 && r == 0 && errno != EINTR)
        r = -errno;
    if (r < 0)
        (void)unlink(path);
    return r;
}

int linux_file_write(struct io *io, const char *path, struct bytes content, unsigned mode)
{
    char temporary[FILE_PATH_MAX];
    struct stat before;
    uint64_t chance;
    int len, r;

    if (mode == 0)
        mode = stat(path, &before) == 0 ? before.st_mode & 0777 : 0644;
    io->ops->entropy(io, &chance, sizeof(chance));
    len = snprintf(temporary, sizeof(temporary), "%s.%016llx", path, (unsigned long long)chance);
    if (len < 0 || (size_t)len >= sizeof(temporary))
        return -ENAMETOOLONG;
    r = write_new(temporary, content, mode);
    if (r < 0)
        return r;
    if (rename(temporary, path) < 0) {
        r = -errno;
        (void)unlink(temporary);
        return r;
    }
    return sync_directory_of(path);
}

int linux_file_append(struct io *io, const char *path, struct bytes content, unsigned mode, uint64_t *ret_size)
{
    int descriptor = open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, mode), r = 0;
    struct stat status;

    if (descriptor < 0)
        return descriptor;
    if (fstat(descriptor, &status) < 0)
        r = -errno;
    else if (!S_ISREG(status.st_mode))
        r = -EINVAL;
    if (r == 0) {
        r = write_all(descriptor, content);
        if (r < 0) /* half a line would spoil the next one */
            (void)!ftruncate(descriptor, status.st_size);
    }
    (void)close(descriptor);
    if (r == 0)
        *ret_size = (uint64_t)status.st_size + content.len;
    return r;
}

int linux_file_rename(struct io *io, const char *from, const char *to)
{
    return rename(from, to) < 0 ? -errno : 0;
}

int linux_directory_list(struct io *io, const char *path, void (*each)(void *user, const char *name), void *user)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    if (!directory)
        return -errno;
    while ((entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(user, entry->d_name);
    (void)closedir(directory);
    return 0;
}

int linux_file_remove(struct io *io, const char *path)
{
    return unlink(path) < 0 ? -errno : 0;
}

int linux_directory_make(struct io *io, const char *path, unsigned mode)
{
    struct stat status;

    if (mkdir(path, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &status) < 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

/* 0, -ETIMEDOUT after DESCRIPTOR_WAIT_NS. */
static int wait_for(int descriptor, short events)
{
    struct pollfd one = { .fd = descriptor, .events = events };
    int n;

    do {
        n = poll(&one, 1, (int)(DESCRIPTOR_WAIT_NS / NS_PER_MS));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return n == 0 ? -ETIMEDOUT : 0;
}

/* A pipe that polls as writable takes PIPE_BUF bytes without blocking, and perhaps no more. */
static size_t write_step(int descriptor, size_t len)
{
    struct stat status;

    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
        return len;
    return MIN(len, (size_t)PIPE_BUF);
}

ssize_t linux_descriptor_write(struct io *io, int descriptor, struct bytes content)
{
    size_t step = write_step(descriptor, content.len), written = 0;

    while (written < content.len) {
        ssize_t n;
        int r = wait_for(descriptor, POLLOUT);

        if (r < 0)
            return r == -ETIMEDOUT && written > 0 ? (ssize_t)written : r;
        n = write(descriptor, content.data + written, MIN(step, content.len - written));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (n > 0)
            written += (size_t)n;
    }
    return (ssize_t)written;
}

void io_linux_last_words(struct bytes text)
{
    (void)linux_descriptor_write(NULL, STDERR_FILENO, text);
}

ssize_t linux_descriptor_read(struct io *io, int descriptor, void *memory, size_t len)
{
    ssize_t n;
    int r;

    do {
        r = wait_for(descriptor, POLLIN);
        if (r < 0)
            return r;
        n = read(descriptor, memory, len);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    return n < 0 ? -errno : n;
}
