/* Files below a folder, in both worlds. What only Linux has, such as links, is in test_linux_folders.c. */
#include "fiber_help.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BIG 100000

static const struct {
    const char *path;
    int result; /* 0: a file of `size` bytes, or a folder (IO_FILE_FOLDER) */
    int64_t size;
} ROWS[] = {
    { "a", 0, 5 },
    { "below/b", 0, BIG },
    { "below//b", 0, BIG },
    { "below", 0, IO_FILE_FOLDER },
    { "below/", 0, IO_FILE_FOLDER },
    { "none", -ENOENT, 0 },
    { "none/a", -ENOENT, 0 },
    { "", -ENOENT, 0 },
    { "a/", -ENOTDIR, 0 },
    { "a/b", -ENOTDIR, 0 },
    { "a/b/c", -ENOTDIR, 0 },
    { "..", -EXDEV, 0 },
    { "../a", -EXDEV, 0 },
    { "below/../a", -EXDEV, 0 },
    { "below/..", -EXDEV, 0 },
    { "/a", -EXDEV, 0 },
    { "a..", -ENOENT, 0 },
};

struct place {
    char folder[64], file[80];
};

static const char *in_place(struct place *place, const char *name)
{
    (void)snprintf(place->file, sizeof(place->file), "%s/%s", place->folder, name);
    return place->file;
}

static void setup(struct io *io, struct place *place)
{
    static char big[BIG];

    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/weft-folders-%d", (int)getpid());
    assert_int_equal(io->ops->directory_make(io, place->folder, 0700), 0);
    assert_int_equal(io->ops->directory_make(io, in_place(place, "below"), 0700), 0);
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7 + i / 256);
    assert_int_equal(io->ops->file_write(io, in_place(place, "a"), BYTES("first"), 0600), 0);
    assert_int_equal(io->ops->file_write(io, in_place(place, "below/b"), bytes_of(big, BIG), 0600), 0);
}

static void teardown(struct io *io, struct place *place)
{
    assert_int_equal(io->ops->file_remove(io, in_place(place, "a")), 0);
    assert_int_equal(io->ops->file_remove(io, in_place(place, "below/b")), 0);
    (void)rmdir(in_place(place, "below")); /* of Linux alone */
    (void)rmdir(place->folder);
}

static void paths(struct loop *loop, void *context)
{
    struct io *io = loop->io;
    struct place place;
    struct io_file file;
    int folder = -1;

    setup(io, &place);
    assert_int_equal(io->ops->folder_open(io, in_place(&place, "none"), &folder), -ENOENT);
    assert_int_equal(io->ops->folder_open(io, in_place(&place, "a"), &folder), -ENOTDIR);
    assert_int_equal(io->ops->folder_open(io, place.folder, &folder), 0);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        int r = io->ops->file_open(io, folder, ROWS[i].path, &file);

        if (r != ROWS[i].result)
            fail_msg("%s on %s: %d", ROWS[i].path, io->ops->name, r);
        if (r == 0 && ROWS[i].size == IO_FILE_FOLDER) {
            assert_int_equal(file.file, IO_FILE_FOLDER);
            assert_int_equal(file.size, 0);
        } else if (r == 0) {
            assert_int_equal(file.size, ROWS[i].size);
            io->ops->file_close(io, file.file);
        }
    }
    io->ops->file_close(io, folder);
    teardown(io, &place);
}

static void paths_stay_below(void **state)
{
    try_both(NULL, paths, NULL);
}

/* A file that is replaced stays what it was for who has it open; its time tells the new one from it. */
static void reading(struct loop *loop, void *context)
{
    struct io *io = loop->io;
    struct place place;
    struct io_file file, again;
    char memory[16];
    int folder = -1;

    setup(io, &place);
    assert_int_equal(io->ops->folder_open(io, place.folder, &folder), 0);
    assert_int_equal(io->ops->file_open(io, folder, "a", &file), 0);
    assert_true(llabs(file.modified_ns - io->ops->wall_ns(io)) < 60 * NS_PER_S);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, sizeof(memory), 0), 5);
    assert_memory_equal(memory, "first", 5);
    assert_int_equal(fiber_sleep(20 * NS_PER_MS), 0);
    assert_int_equal(io->ops->file_write(io, in_place(&place, "a"), BYTES("other content"), 0600), 0);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, 3, 2), 3);
    assert_memory_equal(memory, "rst", 3);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, sizeof(memory), 5), 0);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, sizeof(memory), UINT64_C(1) << 40), 0);
    assert_int_equal(io->ops->file_open(io, folder, "a", &again), 0);
    assert_int_equal(again.size, 13);
    assert_true(again.modified_ns > file.modified_ns);
    io->ops->file_close(io, again.file);
    io->ops->file_close(io, file.file);
    assert_int_equal(io->ops->file_open(io, folder, "below/b", &file), 0);
    assert_int_equal(io->ops->file_read_at(io, file.file, memory, 1, BIG - 1), 1);
    assert_int_equal((unsigned char)memory[0], (unsigned char)((BIG - 1) * 7 + (BIG - 1) / 256));
    io->ops->file_close(io, file.file);
    io->ops->file_close(io, folder);
    teardown(io, &place);
}

static void open_files_stay_what_they_were(void **state)
{
    try_both(NULL, reading, NULL);
}

static void opens(struct loop *loop, void *context)
{
    struct io *io = loop->io;
    struct place place;
    struct io_file file;
    char name[FILE_NAME_MAX + 2];
    int folder = -1;

    setup(io, &place);
    memset(name, 'n', sizeof(name));
    name[FILE_NAME_MAX + 1] = '\0';
    assert_int_equal(io->ops->folder_open(io, place.folder, &folder), 0);
    assert_int_equal(io->ops->file_open(io, folder, name, &file), -ENAMETOOLONG);
    name[FILE_NAME_MAX] = '\0';
    assert_int_equal(io->ops->file_open(io, folder, name, &file), -ENOENT);
    io->ops->file_close(io, folder);
    teardown(io, &place);
}

static void names_are_bounded(void **state)
{
    try_both(NULL, opens, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_stay_below),
        cmocka_unit_test(open_files_stay_what_they_were),
        cmocka_unit_test(names_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
