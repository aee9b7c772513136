#include "linux_help.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a disk that fails on demand ------------------------------------------------------------------------------ */

static struct {
    int fsync_error, rename_error, write_error;
    unsigned fsyncs;
    unsigned writes_fine; /* before write_error counts */
} disk;

int __real_fsync(int descriptor);
int __wrap_fsync(int descriptor);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
ssize_t __real_write(int descriptor, const void *memory, size_t len);
ssize_t __wrap_write(int descriptor, const void *memory, size_t len);

int __wrap_fsync(int descriptor)
{
    disk.fsyncs++;
    errno = disk.fsync_error;
    return disk.fsync_error ? -1 : __real_fsync(descriptor);
}

int __wrap_rename(const char *from, const char *to)
{
    errno = disk.rename_error;
    return disk.rename_error ? -1 : __real_rename(from, to);
}

ssize_t __wrap_write(int descriptor, const void *memory, size_t len)
{
    if (disk.writes_fine > 0) {
        disk.writes_fine--;
        return __real_write(descriptor, memory, MIN(len, (size_t)1000));
    }
    errno = disk.write_error;
    return disk.write_error ? -1 : __real_write(descriptor, memory, MIN(len, (size_t)1000)); /* in pieces */
}

static char directory[64];

static const char *in_directory(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int setup(void **state)
{
    help_directory_make(directory, sizeof(directory));
    return 0;
}

static int teardown(void **state)
{
    help_directory_remove(directory); /* fails if something was left behind in a folder */
    return 0;
}

static void check_content(struct io *io, const char *path, struct bytes expected)
{
    struct bytes content;

    assert_int_equal(io->ops->file_read(io, path, 1 << 20, &content), 0);
    assert_true(bytes_equal(content, expected));
    mem_free((void *)content.data);
}

static unsigned files_in_directory(void)
{
    char command[128];
    FILE *list;
    unsigned count = 0;

    (void)snprintf(command, sizeof(command), "ls -A %s | wc -l", directory);
    list = popen(command, "r");
    assert_non_null(list);
    assert_int_equal(fscanf(list, "%u", &count), 1);
    (void)pclose(list);
    return count;
}

/* --- whole files ------------------------------------------------------------------------------------------------ */

static void test_write_and_read(void **state)
{
    static char big[300000];
    struct io *io = help_open();
    struct stat status;

    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 13);
    disk.fsyncs = 0;
    assert_int_equal(io->ops->file_write(io, in_directory("a"), bytes_of(big, sizeof(big)), 0640), 0);
    assert_int_equal(disk.fsyncs, 2); /* the file and its directory */
    check_content(io, in_directory("a"), bytes_of(big, sizeof(big)));
    assert_int_equal(stat(in_directory("a"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(io->ops->file_write(io, in_directory("a"), BYTES("short"), 0666), 0);
    check_content(io, in_directory("a"), BYTES("short"));
    assert_int_equal(stat(in_directory("a"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0666); /* whatever the umask */
    assert_int_equal(io->ops->file_write(io, in_directory("a"), BYTES_NONE, 0600), 0);
    check_content(io, in_directory("a"), BYTES_NONE);
    assert_int_equal(files_in_directory(), 1);
    assert_int_equal(io->ops->file_remove(io, in_directory("a")), 0);
    assert_int_equal(io->ops->file_remove(io, in_directory("a")), -ENOENT);
    assert_int_equal(chdir(directory), 0);
    assert_int_equal(io->ops->file_write(io, "bare", BYTES("name"), 0600), 0);
    check_content(io, in_directory("bare"), BYTES("name"));
    assert_int_equal(chdir("/"), 0);
    io_linux_close(io);
}

/* However writing fails, the old content stands and nothing lies about. */
static void test_failed_write_changes_nothing(void **state)
{
    struct io *io = help_open();
    static char long_path[FILE_PATH_MAX + 1];
    static int *const faults[] = { &disk.write_error, &disk.fsync_error, &disk.rename_error };

    assert_int_equal(io->ops->file_write(io, in_directory("a"), BYTES("old"), 0600), 0);
    for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
        *faults[i] = ENOSPC;
        assert_int_equal(io->ops->file_write(io, in_directory("a"), BYTES("new"), 0600), -ENOSPC);
        *faults[i] = 0;
        check_content(io, in_directory("a"), BYTES("old"));
        assert_int_equal(files_in_directory(), 1);
    }
    assert_int_equal(io->ops->file_write(io, in_directory("no/such"), BYTES("new"), 0600), -ENOENT);
    memset(long_path, 'x', sizeof(long_path) - 1);
    assert_int_equal(io->ops->file_write(io, long_path, BYTES("new"), 0600), -ENAMETOOLONG);
    io_linux_close(io);
}

static void test_read_bounds(void **state)
{
    struct io *io = help_open();
    struct bytes content = BYTES("untouched");

    assert_int_equal(io->ops->file_write(io, in_directory("a"), BYTES("0123456789"), 0600), 0);
    assert_int_equal(io->ops->file_read(io, in_directory("a"), 9, &content), -EFBIG);
    assert_int_equal(io->ops->file_read(io, in_directory("none"), 9, &content), -ENOENT);
    assert_int_equal(io->ops->file_read(io, directory, 9, &content), -EISDIR);
    assert_int_equal(io->ops->file_read(io, "/proc/self/status", 20, &content), -EFBIG); /* its size is said to be 0 */
    assert_true(bytes_equal(content, BYTES("untouched")));
    assert_int_equal(io->ops->file_read(io, in_directory("a"), 10, &content), 0);
    assert_int_equal(content.len, 10);
    mem_free((void *)content.data);
    assert_int_equal(io->ops->file_read(io, "/proc/self/status", 1 << 20, &content), 0);
    assert_true(bytes_starts(content, BYTES("Name:")));
    mem_free((void *)content.data);
    assert_int_equal(io->ops->file_read(io, "/proc/kallsyms", 6000, &content), -EFBIG); /* grows on the way */
    io_linux_close(io);
}

static void test_directories(void **state)
{
    struct io *io = help_open();
    struct stat status;

    assert_int_equal(io->ops->directory_make(io, in_directory("sub"), 0700), 0);
    assert_int_equal(stat(in_directory("sub"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(io->ops->directory_make(io, in_directory("sub"), 0700), 0);
    assert_int_equal(io->ops->directory_make(io, in_directory("none/sub"), 0700), -ENOENT);
    assert_int_equal(rmdir(in_directory("sub")), 0);
    assert_int_equal(io->ops->file_write(io, in_directory("sub"), BYTES_NONE, 0600), 0);
    assert_int_equal(io->ops->directory_make(io, in_directory("sub"), 0700), -ENOTDIR);
    io_linux_close(io);
}

static void test_no_memory(void **state)
{
    struct io *io = help_open();
    struct bytes content = BYTES("untouched");
    unsigned before = help_descriptor_count();
    struct io *other = NULL;

    mem_fail_after(0);
    assert_int_equal(io->ops->file_read(io, "/proc/self/status", 1 << 20, &content), -ENOMEM);
    mem_fail_after(0);
    assert_int_equal(io_linux_open(&other), -ENOMEM);
    mem_fail_after(-1);
    assert_true(bytes_equal(content, BYTES("untouched")));
    assert_null(other);
    assert_int_equal(help_descriptor_count(), before);
    io_linux_close(io);
}

/* --- descriptors ------------------------------------------------------------------------------------------------ */

struct reader {
    int descriptor;
    size_t len;
};

static void *read_slowly(void *context)
{
    struct reader *reader = context;
    char memory[3000];
    ssize_t n;

    while ((n = read(reader->descriptor, memory, sizeof(memory))) > 0) {
        reader->len += (size_t)n;
        usleep(500);
    }
    return NULL;
}

static void check_slow_reader(struct io *io, int flags)
{
    static char big[200000];
    struct reader reader = { 0 };
    pthread_t thread;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(fcntl(ends[1], F_SETFL, flags) == 0);
    reader.descriptor = ends[0];
    assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
    assert_int_equal(io->ops->descriptor_write(io, ends[1], bytes_of(big, sizeof(big))), sizeof(big));
    close(ends[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(reader.len, sizeof(big));
    close(ends[0]);
}

static void test_descriptor_write(void **state)
{
    static char big[200000];
    struct io *io = help_open();
    int64_t start = help_now(io);
    int ends[2], file;
    ssize_t n;

    check_slow_reader(io, 0);
    check_slow_reader(io, O_NONBLOCK);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    n = io->ops->descriptor_write(io, ends[1], bytes_of(big, sizeof(big))); /* nobody reads */
    assert_true(n > 0 && (size_t)n < sizeof(big));
    assert_true(help_now(io) >= start + DESCRIPTOR_WAIT_NS);
    assert_int_equal(io->ops->descriptor_write(io, ends[1], BYTES("x")), -ETIMEDOUT);
    close(ends[0]);
    assert_int_equal(io->ops->descriptor_write(io, ends[1], BYTES("x")), -EPIPE); /* and no SIGPIPE */
    close(ends[1]);
    file = open(in_directory("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(io->ops->descriptor_write(io, file, bytes_of(big, sizeof(big))), sizeof(big));
    assert_int_equal(lseek(file, 0, SEEK_CUR), sizeof(big));
    close(file);
    assert_int_equal(io->ops->descriptor_write(io, 9999, BYTES("x")), -EBADF);
    io_linux_close(io);
}

static void test_descriptor_read(void **state)
{
    struct io *io = help_open();
    char memory[8];
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(io->ops->descriptor_read(io, ends[0], memory, sizeof(memory)), -ETIMEDOUT);
    assert_int_equal(write(ends[1], "bytes", 5), 5);
    assert_int_equal(io->ops->descriptor_read(io, ends[0], memory, sizeof(memory)), 5);
    close(ends[1]);
    assert_int_equal(io->ops->descriptor_read(io, ends[0], memory, sizeof(memory)), 0);
    assert_int_equal(io->ops->descriptor_read(io, 9999, memory, sizeof(memory)), -EBADF);
    close(ends[0]);
    io_linux_close(io);
}

static void test_resolve(void **state)
{
    static char long_label[100];
    struct io *io = help_open();
    struct address list[8], address;

    assert_int_equal(io->ops->resolve(io, "127.0.0.1", 8080, list, 8), 1);
    assert_int_equal(address_parse(BYTES("127.0.0.1:8080"), &address), 0);
    assert_true(address_equal(&list[0], &address));
    assert_int_equal(io->ops->resolve(io, "::1", 80, list, 8), 1);
    assert_int_equal(address_parse(BYTES("[::1]:80"), &address), 0);
    assert_true(address_equal(&list[0], &address));
    assert_true(io->ops->resolve(io, "localhost", 80, list, 8) >= 1); /* from /etc/hosts */
    assert_int_equal(io->ops->resolve(io, "localhost", 80, list, 1), 1);
    memset(long_label, 'x', sizeof(long_label) - 1); /* no name may have such a label: nobody is asked */
    assert_true(io->ops->resolve(io, long_label, 80, list, 8) < 0);
    io_linux_close(io);
}

/* --- appending, renaming, listing ------------------------------------------------------------------------------- */

static void test_append(void **state)
{
    static char big[2500];
    struct io *io;
    uint64_t size = 7;

    assert_int_equal(io_linux_open(&io), 0);
    memset(big, 'x', sizeof(big));
    assert_int_equal(io->ops->file_append(io, in_directory("log"), BYTES("one\n"), 0600, &size), 0);
    assert_int_equal(size, 4);
    assert_int_equal(io->ops->file_append(io, in_directory("log"), BYTES("two\n"), 0600, &size), 0);
    assert_int_equal(size, 8);
    /* a full disk leaves no half line */
    disk.writes_fine = 1;
    disk.write_error = ENOSPC;
    assert_int_equal(io->ops->file_append(io, in_directory("log"), bytes_of(big, sizeof(big)), 0600, &size), -ENOSPC);
    disk.write_error = 0;
    assert_int_equal(size, 8);
    check_content(io, in_directory("log"), BYTES("one\ntwo\n"));
    assert_int_equal(io->ops->file_append(io, in_directory("no/log"), BYTES("x"), 0600, &size), -ENOENT);
    assert_int_equal(symlink("log", in_directory("link")), 0);
    assert_int_equal(io->ops->file_append(io, in_directory("link"), BYTES("x"), 0600, &size), -ELOOP);
    assert_int_equal(unlink(in_directory("link")), 0);
    io_linux_close(io);
}

static void count_name(void *user, const char *name)
{
    unsigned *count = user;

    assert_true(strcmp(name, "a") == 0 || strcmp(name, "b") == 0);
    ++*count;
}

static void test_rename_and_list(void **state)
{
    struct io *io;
    char from[128];
    unsigned count = 0;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(io->ops->file_write(io, in_directory("a"), BYTES("1"), 0600), 0);
    assert_int_equal(io->ops->file_write(io, in_directory("b"), BYTES("2"), 0600), 0);
    assert_int_equal(io->ops->directory_list(io, directory, count_name, &count), 0);
    assert_int_equal(count, 2);
    (void)snprintf(from, sizeof(from), "%s", in_directory("a"));
    assert_int_equal(io->ops->file_rename(io, from, in_directory("b")), 0);
    check_content(io, in_directory("b"), BYTES("1"));
    assert_int_equal(io->ops->file_rename(io, from, in_directory("b")), -ENOENT);
    assert_int_equal(io->ops->directory_list(io, in_directory("none"), count_name, &count), -ENOENT);
    io_linux_close(io);
}

static void test_mode_of_the_replaced_file_is_kept(void **state)
{
    struct io *io = help_open();
    char path[] = "/tmp/weft-mode-XXXXXX";
    struct stat status;
    int descriptor = mkstemp(path);

    assert_true(descriptor >= 0);
    assert_int_equal(fchmod(descriptor, 0640), 0);
    (void)close(descriptor);
    assert_int_equal(io->ops->file_write(io, path, BYTES("new"), 0), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(io->ops->file_write(io, path, BYTES("new"), 0), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_int_equal(unlink(path), 0);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_write_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directories, setup, teardown),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test_setup_teardown(test_append, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rename_and_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_descriptor_write, setup, teardown),
        cmocka_unit_test(test_descriptor_read),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_mode_of_the_replaced_file_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
