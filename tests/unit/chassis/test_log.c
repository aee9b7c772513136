#include "chassis/log.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "faults.h"
#include "io/linux/linux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct log_rig {
    struct io *io;
    struct loop loop;
    struct json_log log;
    int (*run)(struct task *task);
    struct task task;
    int file;
    uint64_t added, dropped; /* lines */
};

static struct bytes line_of(char memory[32], uint64_t number)
{
    struct text text = text_into(memory, 32);

    text_add_format(&text, "{\"line\":%06llu}", (unsigned long long)number);
    return text_bytes(&text);
}

/* More lines than there is room for, before the writer has had a turn; and one when it has. */
static int add_lines(struct task *task)
{
    struct log_rig *rig = container_of(task, struct log_rig, task);
    char memory[32];

    while (rig->log.dropped < 3)
        json_log_line(&rig->log, line_of(memory, rig->added++));
    rig->dropped = rig->log.dropped;
    while (rig->log.dropped > 0 && fiber_sleep(NS_PER_MS) == 0)
        ;
    json_log_line(&rig->log, line_of(memory, rig->added++));
    loop_stop(&rig->loop);
    return 0;
}

/* The loop is stopped in the very turn in which the writer has written one buffer and would begin the next one. */
static int add_a_last_line(struct task *task)
{
    struct log_rig *rig = container_of(task, struct log_rig, task);
    char memory[32];

    json_log_line(&rig->log, line_of(memory, rig->added++));
    assert_int_equal(fiber_yield(), 0); /* the writer's turn */
    while (lseek(rig->file, 0, SEEK_END) == 0)
        (void)usleep(1000);
    (void)usleep(20000); /* its thread has told so by now */
    json_log_line(&rig->log, line_of(memory, rig->added++));
    assert_int_equal(fiber_yield(), 0);
    loop_stop(&rig->loop);
    return 0;
}

static int run(void *context)
{
    struct log_rig *rig = context;
    int r;

    assert_int_equal(io_linux_open(&rig->io), 0);
    assert_int_equal(loop_init(&rig->loop, rig->io, NULL), 0);
    r = json_log_open(&rig->log, &rig->loop, rig->file);
    rig->task = (struct task){ .run = rig->run };
    if (r == 0)
        assert_int_equal(loop_spawn(&rig->loop, &rig->task), 0);
    else
        loop_stop(&rig->loop);
    loop_run(&rig->loop);
    json_log_close(&rig->log);
    json_log_close(&rig->log);
    json_log_line(&rig->log, BYTES("late")); /* nothing happens */
    loop_done(&rig->loop);
    io_linux_close(rig->io);
    return r;
}

static void lines_without_room_are_dropped_and_counted(void **state)
{
    struct log_rig rig = { .run = add_lines, .file = memfd_create("log", MFD_CLOEXEC) };
    char memory[32], *content = mem_alloc(2 * CHASSIS_LOG_BUFFER_MAX);
    struct bytes rest, line;
    uint64_t kept;
    ssize_t len;

    assert_true(rig.file >= 0);
    assert_int_equal(run(&rig), 0);
    assert_int_equal(rig.dropped, 3);
    kept = rig.added - 1 - rig.dropped;
    len = pread(rig.file, content, 2 * CHASSIS_LOG_BUFFER_MAX, 0);
    assert_true(len > 0);
    rest = bytes_of(content, (size_t)len);
    for (uint64_t i = 0; i < kept; i++) {
        assert_true(bytes_split(&rest, '\n', &line));
        assert_true(bytes_equal(line, line_of(memory, i)));
    }
    assert_true(bytes_split(&rest, '\n', &line));
    assert_true(bytes_find(line, BYTES("\"message\":\"3 lines were dropped: nobody read them\"}")) > 0);
    assert_true(bytes_split(&rest, '\n', &line));
    assert_true(bytes_equal(line, line_of(memory, rig.added - 1)));
    assert_int_equal(rest.len, 0);
    mem_free(content);
    (void)close(rig.file);
}

static void the_last_line_is_written(void **state)
{
    struct log_rig rig = { .run = add_a_last_line, .file = memfd_create("log", MFD_CLOEXEC) };
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

static int open_and_close(void *context)
{
    struct io *io = context;
    struct loop loop;
    struct json_log log;
    int r;

    assert_int_equal(loop_init(&loop, io, NULL), 0);
    r = json_log_open(&log, &loop, -1);
    loop_stop(&loop);
    loop_run(&loop);
    json_log_close(&log);
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
        cmocka_unit_test(memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
