/* Streams: all of it gets through, however it is cut; limits, ends and messages. */
#include "fiber_help.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "io/stream.h"

#include <stdlib.h>

#define MS NS_PER_MS

/* --- skipping -------------------------------------------------------------------------------------------------- */

static void test_parts_skip(void **state)
{
    static const struct {
        size_t lens[4];
        size_t count;
        int left;
        size_t first; /* bytes left of the first part that is left */
    } ROWS[] = {
        { { 3, 4, 5, 6 }, 0, 4, 3 }, { { 3, 4, 5, 6 }, 2, 4, 1 },  { { 3, 4, 5, 6 }, 3, 3, 4 },
        { { 3, 4, 5, 6 }, 8, 2, 4 }, { { 3, 4, 5, 6 }, 17, 1, 1 }, { { 3, 4, 5, 6 }, 18, 0, 0 },
        { { 0, 4, 0, 6 }, 0, 3, 4 }, { { 0, 4, 0, 6 }, 4, 1, 6 },  { { 3, 0, 0, 0 }, 3, 0, 0 },
        { { 3, 0, 0, 0 }, 2, 4, 1 }, { { 0, 0, 0, 0 }, 0, 0, 0 },  { { 0, 0, 0, 2 }, 1, 1, 1 },
    };
    char memory[32];

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct iovec array[4], *parts = array;
        size_t total = 0;
        int left = 4;

        for (unsigned k = 0; k < 4; k++) {
            array[k] = (struct iovec){ memory + total, ROWS[i].lens[k] };
            total += ROWS[i].lens[k];
        }
        stream_parts_skip(&parts, &left, ROWS[i].count);
        assert_int_equal(left, ROWS[i].left);
        assert_int_equal(parts - array, 4 - left);
        if (left > 0) {
            assert_int_equal(parts[0].iov_len, ROWS[i].first);
            assert_ptr_equal(parts[0].iov_base, memory + ROWS[i].count);
        }
    }
}

/* --- two ends -------------------------------------------------------------------------------------------------- */

struct ends {
    struct io_socket listener, client, server;
};

struct acceptor {
    struct task task;
    struct ends *ends;
};

static int accept_run(struct task *task)
{
    struct ends *ends = container_of(task, struct acceptor, task)->ends;
    struct address peer;
    int r = stream_accept(ends->listener, &ends->server, &peer);

    assert_int_equal(peer.family, ADDRESS_IP4);
    return r;
}

static void ends_open(struct loop *loop, struct ends *ends)
{
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } };
    struct acceptor acceptor = { .task.run = accept_run, .ends = ends };
    struct io *io = loop->io;
    struct scope scope;
    struct task *done;

    assert_int_equal(io->ops->listen(io, &address, 8, false, &ends->listener), 0);
    assert_int_equal(io->ops->local_address(io, ends->listener, &address), 0);
    scope_open(&scope, TIME_NEVER);
    assert_int_equal(scope_spawn(&scope, &acceptor.task), 0);
    assert_int_equal(stream_connect(&address, &ends->client, 5 * NS_PER_S), 0);
    assert_int_equal(scope_wait(&scope, &done), 0);
    assert_int_equal(scope_close(&scope), 0);
}

static void ends_close(struct loop *loop, struct ends *ends)
{
    struct io *io = loop->io;

    io->ops->close(io, ends->client);
    io->ops->close(io, ends->server);
    io->ops->close(io, ends->listener);
}

/* --- writing --------------------------------------------------------------------------------------------------- */

#define MUCH (3 * MIB) /* more than any socket buffers */
#define PARTS 3000     /* more than Linux takes at once */

struct reader {
    struct task task;
    struct io_socket socket;
    size_t total;
    bool right;
};

static char byte_at(size_t i)
{
    return (char)(i * 7 + i / 251);
}

static int reader_run(struct task *task)
{
    struct reader *reader = container_of(task, struct reader, task);
    char memory[8192];
    ssize_t n;

    reader->right = true;
    while ((n = stream_read(reader->socket, memory, sizeof(memory), 5 * NS_PER_S)) > 0)
        for (ssize_t i = 0; i < n; i++)
            reader->right &= memory[i] == byte_at(reader->total++);
    return (int)n;
}

/* Lengths of parts: many are empty, at the ends and in the middle too. */
static size_t part_len(unsigned shape, unsigned i, size_t left)
{
    static const size_t LENS[4][5] = {
        { 1, 0, 700, 0, 0 }, { 0, 0, 0, 0, 2000 }, { 1000, 1, 1, 1, 1 }, { 7, 0, 3, 0, 9000 }
    };

    return MIN(LENS[shape][i % 5], left);
}

static void written(struct loop *loop, void *context)
{
    struct iovec *parts = calloc(PARTS, sizeof(*parts));
    char *data = mem_alloc(MUCH);
    size_t total = 0;
    struct ends ends;
    struct reader reader;
    struct scope scope;
    struct task *done;

    assert_true(parts != NULL && data != NULL);
    for (size_t i = 0; i < MUCH; i++)
        data[i] = byte_at(i);
    ends_open(loop, &ends);
    reader = (struct reader){ .task.run = reader_run, .socket = ends.server };
    scope_open(&scope, TIME_NEVER);
    assert_int_equal(scope_spawn(&scope, &reader.task), 0);
    for (unsigned shape = 0; shape < 4; shape++) {
        for (unsigned i = 0; i < PARTS; i++) {
            size_t len = part_len(shape, i, MUCH - total);

            parts[i] = (struct iovec){ data + total, len };
            total += len;
        }
        assert_int_equal(stream_write_parts(ends.client, parts, PARTS, 5 * NS_PER_S), 0);
    }
    assert_true(total > 64 * KIB);
    if (total < MUCH)
        assert_int_equal(stream_write(ends.client, bytes_of(data + total, MUCH - total), 5 * NS_PER_S), 0);
    assert_int_equal(stream_write(ends.client, bytes_of(data, 0), 0), 0); /* nothing: nothing is waited for */
    assert_int_equal(stream_write_parts(ends.client, parts, 0, 0), 0);
    assert_int_equal(loop->io->ops->shut_write(loop->io, ends.client), 0);
    assert_int_equal(scope_wait(&scope, &done), 0);
    assert_int_equal(done->result, 0);
    assert_int_equal(reader.total, MUCH);
    assert_true(reader.right);
    assert_int_equal(scope_close(&scope), 0);
    ends_close(loop, &ends);
    mem_free(data);
    free(parts);
}

/* Every write is cut short and every read finds less than there is. */
static void cut(struct loop *loop, void *context)
{
    struct sim_faults *faults = &sim_process_of(loop)->on->world->faults;

    faults->short_write_chance = faults->short_read_chance = faults->split_chance = 0.5;
    faults->spurious_chance = 0.2;
    written(loop, context);
}

static void test_written(void **state)
{
    try_both(NULL, written, NULL);
    try_sim(NULL, cut, NULL);
}

/* --- limits ---------------------------------------------------------------------------------------------------- */

static void limits(struct loop *loop, void *context)
{
    struct ends ends;
    char *data = mem_zalloc(MUCH);
    int64_t began;
    char memory[16];
    struct scope scope;

    assert_non_null(data);
    ends_open(loop, &ends);
    began = loop->now_ns;
    assert_int_equal(stream_read(ends.client, memory, sizeof(memory), 10 * MS), -ETIMEDOUT);
    assert_int_equal(loop->now_ns, began + 10 * MS);
    assert_int_equal(stream_read(ends.client, memory, sizeof(memory), 0), -ETIMEDOUT);
    assert_int_equal(loop->now_ns, began + 10 * MS);
    scope_open(&scope, began + 30 * MS);
    assert_int_equal(stream_read(ends.client, memory, sizeof(memory), TIME_NEVER), -ETIME);
    assert_int_equal(loop->now_ns, began + 30 * MS);
    assert_int_equal(stream_write(ends.client, BYTES("fits"), 0), 0); /* no wait, so it goes even now */
    assert_int_equal(stream_write(ends.client, bytes_of(data, MUCH), TIME_NEVER), -ETIME);
    assert_int_equal(scope_close(&scope), 0);
    began = loop->now_ns;
    assert_int_equal(stream_write(ends.client, bytes_of(data, MUCH), 10 * MS), -ETIMEDOUT); /* nobody reads */
    assert_true(loop->now_ns >= began + 10 * MS);
    scope_open(&scope, TIME_NEVER);
    scope_cancel(&scope);
    assert_int_equal(stream_write(ends.client, bytes_of(data, MUCH), TIME_NEVER), -ECANCELED);
    assert_int_equal(scope_close(&scope), 0);
    ends_close(loop, &ends);
    assert_int_equal(stream_read(ends.client, memory, sizeof(memory), TIME_NEVER), -EBADF);
    assert_int_equal(stream_write(ends.client, BYTES("x"), TIME_NEVER), -EBADF);
    mem_free(data);
}

static void test_limits(void **state)
{
    try_sim(NULL, limits, NULL);
}

/* An idle limit bounds each wait, not their sum: a slow reader that goes on is no reason to stop. */
static int slow_run(struct task *task)
{
    struct reader *reader = container_of(task, struct reader, task);
    char memory[16 * 1024];
    ssize_t n = 1;

    while (n > 0 && fiber_sleep(8 * MS) == 0) {
        n = stream_read(reader->socket, memory, sizeof(memory), TIME_NEVER);
        reader->total += (size_t)MAX(n, 0);
    }
    return (int)n;
}

static void idle(struct loop *loop, void *context)
{
    char *data = mem_zalloc(MUCH);
    int64_t began;
    struct ends ends;
    struct reader reader;
    struct scope scope;
    struct task *done;

    assert_non_null(data);
    ends_open(loop, &ends);
    reader = (struct reader){ .task.run = slow_run, .socket = ends.server };
    scope_open(&scope, TIME_NEVER);
    assert_int_equal(scope_spawn(&scope, &reader.task), 0);
    began = loop->now_ns;
    assert_int_equal(stream_write(ends.client, bytes_of(data, MUCH), 20 * MS), 0);
    assert_true(loop->now_ns - began > 200 * MS);
    assert_int_equal(loop->io->ops->shut_write(loop->io, ends.client), 0);
    assert_int_equal(scope_wait(&scope, &done), 0);
    assert_int_equal(reader.total, MUCH);
    assert_int_equal(scope_close(&scope), 0);
    ends_close(loop, &ends);
    mem_free(data);
}

static void test_idle(void **state)
{
    try_sim(NULL, idle, NULL);
}

/* --- connecting ------------------------------------------------------------------------------------------------ */

static void refused(struct loop *loop, void *context)
{
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } };
    struct io_socket socket = IO_SOCKET_NONE;
    struct io *io = loop->io;

    assert_int_equal(io->ops->listen(io, &address, 8, false, &socket), 0);
    assert_int_equal(io->ops->local_address(io, socket, &address), 0);
    io->ops->close(io, socket); /* a port at which nobody listens */
    socket = IO_SOCKET_NONE;
    assert_int_equal(stream_connect(&address, &socket, NS_PER_S), -ECONNREFUSED);
    assert_false(io_socket_is(socket)); /* untouched on failure */
}

static void test_refused(void **state)
{
    try_both(NULL, refused, NULL);
}

/* Nobody answers: the limit or the scope ends it, and no socket is left. */
static void silence(struct loop *loop, void *context)
{
    struct sim_node *far = world_node(sim_process_of(loop)->on->world);
    struct address address = sim_address(far, 80);
    struct io_socket socket = IO_SOCKET_NONE;
    int64_t began = loop->now_ns;
    struct scope scope;

    far->down = true;
    assert_int_equal(stream_connect(&address, &socket, 10 * MS), -ETIMEDOUT);
    assert_int_equal(loop->now_ns, began + 10 * MS);
    scope_open(&scope, began + 15 * MS);
    assert_int_equal(stream_connect(&address, &socket, 10 * MS), -ETIME);
    assert_int_equal(loop->now_ns, began + 15 * MS);
    assert_int_equal(stream_connect(&address, &socket, 10 * MS), -ETIME);
    assert_int_equal(scope_close(&scope), 0);
    assert_false(io_socket_is(socket));
}

static void test_silence(void **state)
{
    try_sim(NULL, silence, NULL);
}

/* --- messages -------------------------------------------------------------------------------------------------- */

#define MESSAGES 100

struct talker {
    struct task task;
    struct io_socket socket;
};

static int talker_run(struct task *task)
{
    struct talker *talker = container_of(task, struct talker, task);
    char memory[1024];

    for (unsigned i = 0; i < MESSAGES; i++) {
        memset(memory, (int)i, sizeof(memory));
        assert_int_equal(stream_send(talker->socket, bytes_of(memory, 1 + i * 10), NULL, 0, 5 * NS_PER_S), 0);
    }
    loop_current()->io->ops->close(loop_current()->io, talker->socket);
    return 0;
}

static void messages(struct loop *loop, void *context)
{
    int descriptors[IO_DESCRIPTORS_MAX], theirs;
    unsigned count = 0;
    struct talker talker = { .task.run = talker_run };
    struct io *io = loop->io;
    struct io_socket ours;
    char memory[1024];
    struct scope scope;

    assert_int_equal(io->ops->pair(io, &ours, &theirs), 0);
    assert_int_equal(stream_receive(ours, memory, sizeof(memory), descriptors, &count, 5 * MS), -ETIMEDOUT);
    assert_int_equal(io->ops->adopt(io, theirs, &talker.socket), 0);
    scope_open(&scope, TIME_NEVER);
    assert_int_equal(scope_spawn(&scope, &talker.task), 0);
    for (unsigned i = 0; i < MESSAGES; i++) {
        if (i % 30 == 0) /* more wait than there is room for */
            assert_int_equal(fiber_sleep(5 * MS), 0);
        count = IO_DESCRIPTORS_MAX;
        assert_int_equal(stream_receive(ours, memory, sizeof(memory), descriptors, &count, 5 * NS_PER_S), 1 + i * 10);
        assert_int_equal(count, 0);
        assert_int_equal((unsigned char)memory[i * 10], i);
    }
    count = IO_DESCRIPTORS_MAX;
    assert_int_equal(stream_receive(ours, memory, sizeof(memory), descriptors, &count, 5 * NS_PER_S), 0);
    assert_true(stream_send(ours, BYTES("gone"), NULL, 0, NS_PER_S) < 0);
    assert_int_equal(scope_close(&scope), 0);
    io->ops->close(io, ours);
}

static void test_messages(void **state)
{
    try_both(NULL, messages, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_skip), cmocka_unit_test(test_written), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_idle),       cmocka_unit_test(test_refused), cmocka_unit_test(test_silence),
        cmocka_unit_test(test_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
