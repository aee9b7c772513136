/* Links, pipes and rights below a folder; and the way without openat2(). */
#include "linux_help.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    int error;          /* of openat2() */
    unsigned calls;     /* so far */
    unsigned fail_most; /* so many of them fail with it */
} kernel;

long __real_syscall(long number, long a, long b, long c, long d);
long __wrap_syscall(long number, long a, long b, long c, long d);

long __wrap_syscall(long number, long a, long b, long c, long d)
{
    if (number == SYS_openat2 && kernel.error && kernel.calls++ < kernel.fail_most) {
        errno = kernel.error;
        return -1;
    }
    return __real_syscall(number, a, b, c, d);
}

static char directory[64];

static const char *in_directory(const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

/* root/ is served; secret lies beside it. */
static void make_tree(struct io *io)
{
    assert_int_equal(mkdir(in_directory("root"), 0700), 0);
    assert_int_equal(mkdir(in_directory("root/folder"), 0700), 0);
    assert_int_equal(io->ops->file_write(io, in_directory("secret"), BYTES("secret"), 0600), 0);
    assert_int_equal(io->ops->file_write(io, in_directory("root/file"), BYTES("file"), 0600), 0);
    assert_int_equal(io->ops->file_write(io, in_directory("root/folder/file"), BYTES("below"), 0600), 0);
    assert_int_equal(symlink("file", in_directory("root/link")), 0);
    assert_int_equal(symlink("folder", in_directory("root/way")), 0);
    assert_int_equal(symlink("../secret", in_directory("root/out")), 0);
    assert_int_equal(symlink("..", in_directory("root/up")), 0);
    assert_int_equal(symlink("/etc/passwd", in_directory("root/absolute")), 0);
    assert_int_equal(symlink("loop", in_directory("root/loop")), 0);
    assert_int_equal(symlink("/proc/self/root", in_directory("root/magic")), 0);
    assert_int_equal(mkfifo(in_directory("root/pipe"), 0600), 0);
}

static int setup(void **state)
{
    kernel.error = 0;
    help_directory_make(directory, sizeof(directory));
    return 0;
}

static int teardown(void **state)
{
    static const char *const NAMES[] = { "root/folder/file", "root/file",     "root/link", "root/way",
                                         "root/out",         "root/up",       "root/loop", "root/pipe",
                                         "root/magic",       "root/absolute", "secret" };

    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
        assert_int_equal(unlink(in_directory(NAMES[i])), 0);
    assert_int_equal(rmdir(in_directory("root/folder")), 0);
    assert_int_equal(rmdir(in_directory("root")), 0);
    help_directory_remove(directory);
    return 0;
}

static const struct {
    const char *path;
    int64_t size; /* or a negative errno */
    int64_t walking;
} ROWS[] = {
    { "file", 4, 4 },
    { "folder/file", 5, 5 },
    { "folder//file", 5, 5 },
    { "./file", 4, 4 },
    { "link", 4, -ELOOP },
    { "way/file", 5, -ENOTDIR },
    { "out", -EXDEV, -ELOOP },
    { "up/secret", -EXDEV, -ENOTDIR },
    { "up/root/file", -EXDEV, -ENOTDIR },
    { "absolute", -EXDEV, -ELOOP },
    { "loop", -ELOOP, -ELOOP },
    { "magic/etc/passwd", -EXDEV, -ENOTDIR },
    { "pipe", -EINVAL, -EINVAL },
    { "none", -ENOENT, -ENOENT },
    { "file/below", -ENOTDIR, -ENOTDIR },
    { "../secret", -EXDEV, -EXDEV },
    { "", -ENOENT, -ENOENT },
};

static void check_rows(struct io *io, int folder, bool walking)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        int64_t wanted = walking ? ROWS[i].walking : ROWS[i].size;
        struct io_file file = { .file = -7 };
        int r = io->ops->file_open(io, folder, ROWS[i].path, &file);

        if ((wanted < 0 && r != wanted) || (wanted >= 0 && (r != 0 || (int64_t)file.size != wanted)))
            fail_msg("%s%s: %d", ROWS[i].path, walking ? ", walking" : "", r);
        if (r == 0)
            io->ops->file_close(io, file.file);
        else
            assert_int_equal(file.file, -7); /* untouched */
    }
}

static void links_stay_below(void **state)
{
    struct io *io = help_open();
    unsigned before;
    int folder = -1;

    make_tree(io);
    assert_int_equal(io->ops->folder_open(io, in_directory("root"), &folder), 0);
    before = help_descriptor_count();
    check_rows(io, folder, false);
    assert_int_equal(help_descriptor_count(), before);
    io->ops->file_close(io, folder);
    io_linux_close(io);
}

static void without_openat2_no_link_is_followed(void **state)
{
    static const int ERRORS[] = { ENOSYS, EPERM };
    struct io *io = help_open();
    struct io_file file;
    unsigned before;
    char name[FILE_NAME_MAX + 2];
    int folder = -1;

    make_tree(io);
    memset(name, 'n', sizeof(name));
    name[FILE_NAME_MAX + 1] = '\0';
    assert_int_equal(io->ops->folder_open(io, in_directory("root"), &folder), 0);
    before = help_descriptor_count();
    for (size_t i = 0; i < ARRAY_LEN(ERRORS); i++) {
        kernel.error = ERRORS[i];
        kernel.calls = 0;
        kernel.fail_most = UINT32_MAX;
        check_rows(io, folder, true);
        assert_int_equal(io->ops->file_open(io, folder, name, &file), -ENAMETOOLONG);
        assert_int_equal(io->ops->file_open(io, folder, "folder", &file), 0);
        assert_int_equal(file.file, IO_FILE_FOLDER);
    }
    assert_int_equal(help_descriptor_count(), before);
    io->ops->file_close(io, folder);
    io_linux_close(io);
}

/* FILE_OPEN_TRIES: while folders are renamed, the kernel asks us to come again. */
static void a_race_is_tried_again(void **state)
{
    struct io *io = help_open();
    struct io_file file;
    int folder = -1;

    make_tree(io);
    assert_int_equal(io->ops->folder_open(io, in_directory("root"), &folder), 0);
    kernel.error = EAGAIN;
    kernel.calls = 0;
    kernel.fail_most = FILE_OPEN_TRIES - 1;
    assert_int_equal(io->ops->file_open(io, folder, "file", &file), 0);
    assert_int_equal(kernel.calls, FILE_OPEN_TRIES);
    io->ops->file_close(io, file.file);
    kernel.calls = 0;
    kernel.fail_most = FILE_OPEN_TRIES;
    assert_int_equal(io->ops->file_open(io, folder, "file", &file), -EAGAIN);
    io->ops->file_close(io, folder);
    io_linux_close(io);
}

/* A file may shrink and grow while it is open. */
static void reads_end_where_the_file_does(void **state)
{
    struct io *io = help_open();
    struct io_file file;
    char memory[16];
    int folder = -1;

    make_tree(io);
    assert_int_equal(io->ops->folder_open(io, in_directory("root"), &folder), 0);
    assert_int_equal(io->ops->file_open(io, folder, "folder/file", &file), 0);
    assert_int_equal(truncate(in_directory("root/folder/file"), 2), 0);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, sizeof(memory), 0), 2);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, sizeof(memory), 2), 0);
    assert_int_equal(truncate(in_directory("root/folder/file"), 9), 0);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, sizeof(memory), 2), 7);
    assert_int_equal(io->ops->file_read_at(io, folder, memory, sizeof(memory), 0), -EBADF); /* no file */
    io->ops->file_close(io, file.file);
    io->ops->file_close(io, folder);
    io_linux_close(io);
}

/* Nanoseconds since 1970 end in 2262, and begin in 1677. */
static void times_are_bounded(void **state)
{
    static const struct {
        int64_t seconds, wanted_ns;
    } TIMES[] = {
        { 5, 5 * NS_PER_S },
        { -5, -5 * NS_PER_S },
        { INT64_C(9223372035), INT64_C(9223372035) * NS_PER_S },
        { INT64_C(12000000000), INT64_C(9223372035) * NS_PER_S },
    };
    struct io *io = help_open();
    struct io_file file;
    int folder = -1;

    make_tree(io);
    assert_int_equal(io->ops->folder_open(io, in_directory("root"), &folder), 0);
    for (size_t i = 0; i < ARRAY_LEN(TIMES); i++) {
        struct timespec times[2] = { { .tv_sec = TIMES[i].seconds }, { .tv_sec = TIMES[i].seconds } };
        struct stat status;

        assert_int_equal(utimensat(AT_FDCWD, in_directory("root/file"), times, 0), 0);
        assert_int_equal(stat(in_directory("root/file"), &status), 0);
        if (status.st_mtim.tv_sec != TIMES[i].seconds)
            continue; /* this file system can't say so */
        assert_int_equal(io->ops->file_open(io, folder, "file", &file), 0);
        assert_int_equal(file.modified_ns, TIMES[i].wanted_ns);
        io->ops->file_close(io, file.file);
    }
    io->ops->file_close(io, folder);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(links_stay_below, setup, teardown),
        cmocka_unit_test_setup_teardown(without_openat2_no_link_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_race_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_end_where_the_file_does, setup, teardown),
        cmocka_unit_test_setup_teardown(times_are_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
