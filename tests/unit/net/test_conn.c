#include "net/conn.h"

#include "base/limits.h"
#include "io/linux/linux.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* (4): a peer that always has more does not keep the others from running. */

#define PIECE (64 * 1024)
#define BURSTS 5

struct reader {
    struct task task, other;
    struct conn conn;
    unsigned turns, longest, since; /* since the other one ran */
    bool over;
};

/* The seam of a socket that is never empty. */
static ssize_t always_more(struct io *io, struct io_socket socket, void *memory, size_t len)
{
    return (ssize_t)len;
}

static int read_much(struct task *task)
{
    struct reader *reader = container_of(task, struct reader, task);
    static char memory[PIECE];

    for (uint64_t count = 0; count < (uint64_t)BURSTS * CONN_BURST_MAX; count += PIECE) {
        assert_int_equal(conn_read(&reader->conn, memory, sizeof(memory), TIME_NEVER), PIECE);
        reader->since++;
        reader->longest = MAX(reader->longest, reader->since);
    }
    reader->over = true;
    return 0;
}

static int count_turns(struct task *task)
{
    struct reader *reader = container_of(task, struct reader, other);

    while (!reader->over) {
        reader->turns++;
        reader->since = 0;
        assert_int_equal(fiber_yield(), 0);
    }
    loop_stop(loop_current());
    return 0;
}

static void nobody_has_the_loop_for_itself(void **state)
{
    struct reader reader = { .task = { .run = read_much }, .other = { .run = count_turns } };
    const struct io_ops *usual;
    struct io_ops ops;
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    usual = io->ops;
    ops = *usual;
    ops.try_read = always_more;
    io->ops = &ops;
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    conn_init(&reader.conn, io, IO_SOCKET_NONE);
    assert_int_equal(loop_spawn(&loop, &reader.task), 0);
    assert_int_equal(loop_spawn(&loop, &reader.other), 0);
    loop_run(&loop);
    assert_true(reader.over);
    assert_int_equal(reader.longest, CONN_BURST_MAX / PIECE);
    assert_int_equal(reader.turns, BURSTS - 1);
    loop_done(&loop);
    io->ops = usual;
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_the_loop_for_itself),
    };

    return cmocka_run_group_tests_name("net/conn", tests, NULL, NULL);
}
