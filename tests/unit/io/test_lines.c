/* Lines for a reader that may be slow, on Linux: files and pipes. */
#include "io/lines.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "faults.h"
#include "io/linux/linux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE (128 * 1024)
#define LINE_LEN 16     /* with its line feed */
#define PIPE_LINES 6000 /* more than a pipe holds, less than SIZE */

_Static_assert(PIPE_LINES *LINE_LEN > 65536 && PIPE_LINES * LINE_LEN < SIZE, "see above");

struct lines_rig {
    struct io *io;
    struct loop loop;
    struct lines lines;
    int (*run)(struct task *task);
    struct task task;
    int file, reader;
    uint64_t added, dropped; /* lines */
};

static struct bytes line_of(char memory[32], uint64_t number)
{
    struct text text = text_into(memory, 32);

    text_add_format(&text, "{\"line\":%06llu}", (unsigned long long)number);
    return text_bytes(&text);
}

static void say(const struct lines *lines, uint64_t dropped, struct text *text)
{
    text_add_format(text, "%llu dropped\n", (unsigned long long)dropped);
}

static void add(struct lines_rig *rig, struct bytes line)
{
    const struct bytes parts[] = { bytes_slice(line, 0, 3), bytes_skip(line, 3) };

    lines_add(&rig->lines, parts, ARRAY_LEN(parts));
}

/* More lines than there is room for, before the writer has had a turn; and one when it has. */
static int add_lines(struct task *task)
{
    struct lines_rig *rig = container_of(task, struct lines_rig, task);
    char memory[32];

    while (rig->lines.dropped < 3)
        add(rig, line_of(memory, rig->added++));
    rig->dropped = rig->lines.dropped;
    while (rig->lines.dropped > 0 && fiber_sleep(NS_PER_MS) == 0)
        ;
    add(rig, line_of(memory, rig->added++));
    loop_stop(&rig->loop);
    return 0;
}

/* The loop is stopped in the very turn in which the writer has written one buffer and would begin the next one. */
static int add_a_last_line(struct task *task)
{
    struct lines_rig *rig = container_of(task, struct lines_rig, task);
    char memory[32];

    add(rig, line_of(memory, rig->added++));
    assert_int_equal(fiber_yield(), 0); /* the writer's turn */
    while (lseek(rig->file, 0, SEEK_END) == 0)
        (void)usleep(1000);
    (void)usleep(20000); /* its thread has told so by now */
    add(rig, line_of(memory, rig->added++));
    assert_int_equal(fiber_yield(), 0);
    loop_stop(&rig->loop);
    return 0;
}

static int fill_a_pipe(struct task *task)
{
    struct lines_rig *rig = container_of(task, struct lines_rig, task);
    char memory[32];

    while (rig->added < PIPE_LINES)
        add(rig, line_of(memory, rig->added++));
    assert_int_equal(fiber_yield(), 0);
    loop_stop(&rig->loop);
    return 0;
}

/* Longer than one write waits. */
static int let_the_reader_rest(struct task *task)
{
    struct lines_rig *rig = container_of(task, struct lines_rig, task);
    char memory[32], found[LINE_LEN];

    while (rig->added < PIPE_LINES)
        add(rig, line_of(memory, rig->added++));
    assert_int_equal(fiber_sleep(DESCRIPTOR_WAIT_NS + NS_PER_S / 2), 0);
    for (uint64_t i = 0; i < PIPE_LINES; i++) {
        assert_int_equal(read(rig->reader, found, sizeof(found)), sizeof(found));
        assert_true(bytes_equal(bytes_of(found, LINE_LEN - 1), line_of(memory, i)) && found[LINE_LEN - 1] == '\n');
    }
    loop_stop(&rig->loop);
    return 0;
}

static int run(void *context)
{
    struct lines_rig *rig = context;
    int r;

    assert_int_equal(io_linux_open(&rig->io), 0);
    assert_int_equal(loop_init(&rig->loop, rig->io, NULL), 0);
    r = lines_open(&rig->lines, &rig->loop, rig->file, SIZE, say);
    rig->task = (struct task){ .run = rig->run };
    if (r == 0)
        assert_int_equal(loop_spawn(&rig->loop, &rig->task), 0);
    else
        loop_stop(&rig->loop);
    loop_run(&rig->loop);
    lines_close(&rig->lines);
    lines_close(&rig->lines);
    add(rig, BYTES("late")); /* nothing happens */
    loop_done(&rig->loop);
    io_linux_close(rig->io);
    return r;
}

static void lines_without_room_are_dropped_and_counted(void **state)
{
    struct lines_rig rig = { .run = add_lines, .file = memfd_create("log", MFD_CLOEXEC) };
    char memory[32], *content = mem_alloc(2 * SIZE);
    struct bytes rest, line;
    uint64_t kept;
    ssize_t len;

    assert_true(rig.file >= 0);
    assert_int_equal(run(&rig), 0);
    assert_int_equal(rig.dropped, 3);
    kept = rig.added - 1 - rig.dropped;
    len = pread(rig.file, content, 2 * SIZE, 0);
    assert_true(len > 0);
    rest = bytes_of(content, (size_t)len);
    for (uint64_t i = 0; i < kept; i++) {
        assert_true(bytes_split(&rest, '\n', &line));
        assert_true(bytes_equal(line, line_of(memory, i)));
    }
    assert_true(bytes_split(&rest, '\n', &line));
    assert_true(bytes_equal(line, BYTES("3 dropped")));
    assert_true(bytes_split(&rest, '\n', &line));
    assert_true(bytes_equal(line, line_of(memory, rig.added - 1)));
    assert_int_equal(rest.len, 0);
    mem_free(content);
    (void)close(rig.file);
}

static void the_last_line_is_written(void **state)
{
    struct lines_rig rig = { .run = add_a_last_line, .file = memfd_create("log", MFD_CLOEXEC) };
    char memory[32], content[128];
    struct bytes rest;
    ssize_t len;

    assert_true(rig.file >= 0);
    assert_int_equal(run(&rig), 0);
    len = pread(rig.file, content, sizeof(content), 0);
    rest = bytes_of(content, len > 0 ? (size_t)len : 0);
    for (uint64_t i = 0; i < 2; i++) {
        struct bytes line;

        assert_true(bytes_split(&rest, '\n', &line));
        assert_true(bytes_equal(line, line_of(memory, i)));
    }
    assert_int_equal(rest.len, 0);
    (void)close(rig.file);
}

static void rig_with_pipe(struct lines_rig *rig, int (*task_run)(struct task *task))
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    *rig = (struct lines_rig){ .run = task_run, .reader = ends[0], .file = ends[1] };
}

static void a_reader_may_rest(void **state)
{
    struct lines_rig rig;

    rig_with_pipe(&rig, let_the_reader_rest);
    assert_int_equal(run(&rig), 0);
    assert_int_equal(rig.lines.dropped, 0);
    (void)close(rig.reader);
    (void)close(rig.file);
}

static void a_reader_that_is_stuck_holds_up_no_end(void **state)
{
    struct lines_rig rig;

    rig_with_pipe(&rig, fill_a_pipe);
    assert_int_equal(run(&rig), 0);
    assert_true(rig.lines.writing.len > 0); /* it misses them */
    (void)close(rig.reader);
    (void)close(rig.file);
}

static void a_reader_that_has_gone_is_no_matter(void **state)
{
    struct lines_rig rig;

    rig_with_pipe(&rig, fill_a_pipe);
    (void)close(rig.reader);
    assert_int_equal(run(&rig), 0);
    assert_int_equal(rig.lines.writing.len + rig.lines.filling.len, 0);
    (void)close(rig.file);
}

static int open_and_close(void *context)
{
    struct io *io = context;
    struct loop loop;
    struct lines lines;
    int r;

    assert_int_equal(loop_init(&loop, io, NULL), 0);
    r = lines_open(&lines, &loop, -1, SIZE, say);
    loop_stop(&loop);
    loop_run(&loop);
    lines_close(&lines);
    loop_done(&loop);
    return r;
}

static void memory_may_run_out(void **state)
{
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_true(faults_each(open_and_close, io) >= 3);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_without_room_are_dropped_and_counted),
        cmocka_unit_test(the_last_line_is_written),
        cmocka_unit_test(a_reader_may_rest),
        cmocka_unit_test(a_reader_that_is_stuck_holds_up_no_end),
        cmocka_unit_test(a_reader_that_has_gone_is_no_matter),
        cmocka_unit_test(memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
