/* Files that change, bounds that are reached, clients that leave, disks that fail. */
#include "files_rig.h"

#include "base/alloc.h"
#include "faults.h"
#include "io/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LARGE 700001 /* some bulk buffers, and no multiple of anything */

/* --- large files, and what happens to them meanwhile
 * ------------------------------------------------------------------ */

static void sizes(struct rig *rig)
{
    static const uint64_t SIZES[] = { 1,
                                      BUFFER_SIZE - 1,
                                      BUFFER_SIZE,
                                      BUFFER_SIZE + 1,
                                      2 * BUFFER_SIZE,
                                      BUFFER_SIZE + BULK_BUFFER_SIZE,
                                      BUFFER_SIZE + BULK_BUFFER_SIZE + 1,
                                      LARGE };
    struct rig_answer *answer = rig_answer_make();
    void *taken[BULK_BUFFERS_MAX];

    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
        rig_write_pattern(rig, "web/a.bin", SIZES[i]);
        rig_expect(rig, "GET", "/a.bin", "", 200, answer);
        rig_expect_pattern(answer, 0, SIZES[i]);
        rig_expect(rig, "GET", "/a.bin", "If-None-Match: \"other\"", 200, answer);
        rig_expect_pattern(answer, 0, SIZES[i]);
    }
    for (size_t i = 0; i < BULK_BUFFERS_MAX; i++) {
        taken[i] = pool_take(&rig->worker.bulk_buffers);
        assert_non_null(taken[i]);
    }
    rig_expect(rig, "GET", "/a.bin", "", 200, answer); /* slower, but all of it */
    rig_expect_pattern(answer, 0, LARGE);
    for (size_t i = 0; i < BULK_BUFFERS_MAX; i++)
        pool_give(&rig->worker.bulk_buffers, taken[i]);
    free(answer);
}

static void every_size_arrives(void **state)
{
    rig_run(sizes, NULL);
    rig_run_sim(sizes);
}

/* Reads a chunk, lets `change` happen to the file, and reads on. Returns how much came; *ret_error is the last read. */
static uint64_t read_while(struct rig *rig, const char *path, void (*change)(struct rig *rig), int *ret_error)
{
    enum outcome outcome;
    struct exchange *x = rig_begin(rig, "GET", path, "", &outcome);
    struct bytes chunk;
    uint64_t len = 0;
    int r;

    assert_int_equal(outcome, OUTCOME_OK);
    while ((r = body_read(x->response_body, &chunk)) > 0) {
        if (len == 0)
            change(rig);
        for (size_t i = 0; i < chunk.len; i++)
            assert_int_equal(chunk.data[i], rig_byte(len + i));
        len += chunk.len;
        if (x->response_body->ended)
            break;
    }
    assert_true(len <= x->response_body->length);
    if (r < 0)
        assert_int_equal(x->response_body->outcome, OUTCOME_INTERNAL);
    *ret_error = r;
    exchange_end(x, outcome);
    return len;
}

static void shrink(struct rig *rig)
{
    assert_int_equal(truncate(rig_path(rig, "web/large.bin"), 300000), 0);
}

static void grow(struct rig *rig)
{
    assert_int_equal(truncate(rig_path(rig, "web/large.bin"), LARGE + 100000), 0);
}

static void replace(struct rig *rig)
{
    rig_write_text(rig, "web/large.bin", "another file");
}

static void vanish(struct rig *rig)
{
    assert_int_equal(unlink(rig_path(rig, "web/large.bin")), 0);
}

static const struct {
    void (*change)(struct rig *rig);
    uint64_t len;
    bool fails;
} CHANGES[] = {
    { shrink, 300000, true },
    { grow, LARGE, false },
    { replace, LARGE, false },
    { vanish, LARGE, false },
};

static void changes(struct rig *rig)
{
    for (size_t i = 0; i < ARRAY_LEN(CHANGES); i++) {
        int error;

        rig_write_pattern(rig, "web/large.bin", LARGE);
        assert_int_equal(read_while(rig, "/large.bin", CHANGES[i].change, &error), CHANGES[i].len);
        assert_int_equal(error < 0, CHANGES[i].fails);
    }
}

static void a_length_is_kept(void **state)
{
    rig_run(changes, NULL);
}

/* --- bounds
 * ----------------------------------------------------------------------------------------------------------- */

static void open_files(struct rig *rig)
{
    struct exchange **all = calloc(FILES_OPEN_MAX, sizeof(struct exchange *));
    struct rig_answer *answer = rig_answer_make();
    unsigned before = rig_descriptors(rig), count = 0;
    enum outcome outcome;

    rig_write_pattern(rig, "web/large.bin", 100000);
    for (; count < FILES_OPEN_MAX; count++) {
        all[count] = rig_begin(rig, "GET", "/large.bin", "", &outcome);
        assert_int_equal(outcome, OUTCOME_OK);
    }
    assert_int_equal(rig_descriptors(rig), before + FILES_OPEN_MAX);
    rig_ask(rig, "GET", "/large.bin", "", answer);
    assert_int_equal(answer->outcome, OUTCOME_OVERLOAD);
    exchange_end(all[--count], OUTCOME_CLIENT_GONE);
    rig_expect(rig, "GET", "/large.bin", "", 200, answer);
    while (count > 0)
        exchange_end(all[--count], OUTCOME_CLIENT_GONE);
    assert_int_equal(rig_descriptors(rig), before);
    free(answer);
    free(all);
}

static void open_files_are_bounded(void **state)
{
    rig_run(open_files, NULL);
}

static void buffers(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();
    void *taken = pool_take(&rig->worker.buffers);

    rig_write_text(rig, "web/a.txt", "text");
    rig_ask(rig, "GET", "/a.txt", "", answer);
    assert_int_equal(answer->outcome, OUTCOME_OVERLOAD);
    rig_expect(rig, "HEAD", "/a.txt", "", 200, answer); /* that needs none */
    pool_give(&rig->worker.buffers, taken);
    rig_expect(rig, "GET", "/a.txt", "", 200, answer);
    free(answer);
}

static void buffers_are_bounded(void **state)
{
    const struct worker_limits limits = { .buffers_max = 1 };

    rig_run(buffers, &limits);
}

/* Jobs that hold the lane's threads until they may go. */
struct block {
    struct job job;
    atomic_bool *go;
    unsigned *left;
};

static void block_run(struct job *job)
{
    while (!atomic_load(container_of(job, struct block, job)->go))
        usleep(1000);
}

static void block_done(struct job *job)
{
    (*container_of(job, struct block, job)->left)--;
}

static unsigned block_lane(struct rig *rig, struct block *blocks, unsigned max, atomic_bool *go, unsigned *left)
{
    struct io *io = rig->loop->io;
    struct lane *lane;
    unsigned count = 0;
    int r = worker_lane(&rig->worker, &lane);

    assert_int_equal(r, 0);
    while (r == 0 && count < max) {
        blocks[count] = (struct block){ .job = { .run = block_run, .done = block_done }, .go = go, .left = left };
        r = io->ops->submit(io, lane, &blocks[count].job);
        count += r == 0;
        (*left) += r == 0;
        if (count == WORKER_LANE_THREADS)
            assert_int_equal(fiber_sleep(50 * NS_PER_MS), 0); /* they are under way: the queue is empty */
    }
    return count;
}

static void wait_for_lane(unsigned *left, atomic_bool *go)
{
    atomic_store(go, true);
    while (*left > 0)
        assert_int_equal(fiber_sleep(NS_PER_MS), 0);
}

static void full_lane(struct rig *rig)
{
    struct block *blocks = calloc(LANE_JOBS_MAX + 100, sizeof(*blocks));
    struct rig_answer *answer = rig_answer_make();
    atomic_bool go = false;
    unsigned left = 0, count;
    enum outcome outcome;
    struct exchange *x;
    struct bytes chunk;

    rig_write_pattern(rig, "web/a.bin", 100000);
    x = rig_begin(rig, "GET", "/a.bin", "", &outcome);
    assert_int_equal(outcome, OUTCOME_OK);
    count = block_lane(rig, blocks, LANE_JOBS_MAX + 100, &go, &left);
    assert_int_equal(count, LANE_JOBS_MAX + WORKER_LANE_THREADS);
    rig_ask(rig, "GET", "/a.bin", "", answer);
    assert_int_equal(answer->outcome, OUTCOME_OVERLOAD);
    assert_int_equal(body_read(x->response_body, &chunk), 1); /* what is in memory */
    assert_int_equal(body_read(x->response_body, &chunk), -EAGAIN);
    assert_int_equal(x->response_body->outcome, OUTCOME_OVERLOAD);
    exchange_end(x, OUTCOME_OVERLOAD);
    wait_for_lane(&left, &go);
    rig_expect(rig, "GET", "/a.bin", "", 200, answer);
    free(blocks);
    free(answer);
}

static void a_full_lane_is_overload(void **state)
{
    rig_run(full_lane, NULL);
}

/* --- ends
 * ------------------------------------------------------------------------------------------------------------- */

/* A request in a scope of its own, which ends while it waits for the lane. */
static void interrupted(struct rig *rig)
{
    struct block blocks[WORKER_LANE_THREADS];
    atomic_bool go = false;
    unsigned left = 0, before;
    enum outcome outcome;
    struct exchange *x, *body;
    struct bytes chunk;
    struct scope scope;

    rig_write_pattern(rig, "web/a.bin", 100000);
    before = rig_descriptors(rig);
    body = rig_begin(rig, "GET", "/a.bin", "", &outcome);
    assert_int_equal(body_read(body->response_body, &chunk), 1);
    assert_int_equal(block_lane(rig, blocks, ARRAY_LEN(blocks), &go, &left), ARRAY_LEN(blocks));
    scope_open(&scope, rig->loop->now_ns + 20 * NS_PER_MS);
    atomic_store(&go, false);
    /* The threads are let go by a timer of ours: the waiting job must end before its fiber goes on. */
    assert_int_equal(fiber_sleep(30 * NS_PER_MS), -ETIME);
    x = rig_begin(rig, "GET", "/a.bin", "", &outcome);
    assert_int_equal(outcome, OUTCOME_TIMEOUT);
    exchange_end(x, outcome);
    assert_int_equal(body_read(body->response_body, &chunk), -ETIME);
    (void)scope_close(&scope);
    wait_for_lane(&left, &go);
    assert_int_equal(body_read(body->response_body, &chunk), 1); /* body.h (5): another one may read on */
    assert_int_equal(chunk.data[0], rig_byte(BUFFER_SIZE));
    exchange_end(body, OUTCOME_CLIENT_GONE);
    assert_int_equal(rig_descriptors(rig), before);
}

static void an_end_leaves_nothing_open(void **state)
{
    rig_run(interrupted, NULL);
}

/* An io whose disk is slow: the scope ends while the job runs, and what it opened comes too late. */
struct slow {
    struct io_ops ops;
    const struct io_ops *real;
};

static struct slow slow;

static int slow_open(struct io *io, int folder, const char *path, struct io_file *ret)
{
    usleep(80000);
    return slow.real->file_open(io, folder, path, ret);
}

static ssize_t slow_read(struct io *io, int file, void *memory, size_t len, uint64_t from)
{
    usleep(40000);
    return slow.real->file_read_at(io, file, memory, len, from);
}

static void late(struct rig *rig)
{
    struct io *io = rig->loop->io;
    enum outcome outcome;
    struct exchange *x;
    struct scope scope;
    unsigned before;

    rig_write_pattern(rig, "web/a.bin", 100000);
    x = rig_begin(rig, "GET", "/a.bin", "", &outcome); /* the lane is open */
    exchange_end(x, outcome);
    before = rig_descriptors(rig);
    slow.real = io->ops;
    slow.ops = *io->ops;
    slow.ops.file_open = slow_open;
    slow.ops.file_read_at = slow_read;
    io->ops = &slow.ops;
    scope_open(&scope, rig->loop->now_ns + 20 * NS_PER_MS);
    x = rig_begin(rig, "GET", "/a.bin", "", &outcome);
    assert_int_equal(outcome, OUTCOME_TIMEOUT);
    exchange_end(x, outcome);
    (void)scope_close(&scope);
    io->ops = slow.real;
    assert_int_equal(rig_descriptors(rig), before);
    assert_int_equal(rig->worker.buffers.out, 0);
}

static void what_comes_too_late_is_closed(void **state)
{
    rig_run(late, NULL);
}

/* --- faults
 * ----------------------------------------------------------------------------------------------------------- */

static int broken_errno;

static int broken_open(struct io *io, int folder, const char *path, struct io_file *ret)
{
    return broken_errno;
}

static ssize_t broken_read(struct io *io, int file, void *memory, size_t len, uint64_t from)
{
    return broken_errno;
}

static const struct {
    int error;
    enum outcome outcome;
    unsigned status;
} ERRORS[] = {
    { -EMFILE, OUTCOME_OVERLOAD, 0 }, { -ENFILE, OUTCOME_OVERLOAD, 0 }, { -ENOMEM, OUTCOME_OVERLOAD, 0 },
    { -EAGAIN, OUTCOME_OVERLOAD, 0 }, { -EIO, OUTCOME_INTERNAL, 0 },    { -EACCES, OUTCOME_OK, 403 },
    { -EPERM, OUTCOME_OK, 403 },      { -ENOENT, OUTCOME_OK, 404 },     { -ENAMETOOLONG, OUTCOME_OK, 404 },
};

static void broken(struct rig *rig)
{
    struct io *io = rig->loop->io;
    const struct io_ops *real = io->ops;
    struct rig_answer *answer = rig_answer_make();
    struct io_ops ops = *real;
    enum outcome outcome;
    struct exchange *x;
    struct bytes chunk;

    rig_write_pattern(rig, "web/a.bin", 100000);
    ops.file_open = broken_open;
    io->ops = &ops;
    for (size_t i = 0; i < ARRAY_LEN(ERRORS); i++) {
        broken_errno = ERRORS[i].error;
        rig_ask(rig, "GET", "/a.bin", "", answer);
        assert_int_equal(answer->outcome, ERRORS[i].outcome);
        assert_int_equal(answer->status, ERRORS[i].status);
    }
    ops.file_open = real->file_open;
    ops.file_read_at = broken_read;
    broken_errno = -EIO;
    rig_ask(rig, "GET", "/a.bin", "", answer); /* before the head has gone */
    assert_int_equal(answer->outcome, OUTCOME_INTERNAL);
    x = rig_begin(rig, "GET", "/a.bin", "If-None-Match: \"other\"", &outcome); /* after it */
    assert_int_equal(outcome, OUTCOME_OK);
    assert_int_equal(body_read(x->response_body, &chunk), -EIO);
    assert_int_equal(x->response_body->outcome, OUTCOME_INTERNAL);
    exchange_end(x, OUTCOME_INTERNAL);
    io->ops = real;
    free(answer);
}

static void a_broken_disk_is_said(void **state)
{
    rig_run(broken, NULL);
}

/* One life of a worker: 0, or -ENOMEM if any of it said so. */
static int live(void *context)
{
    static const struct {
        const char *path, *fields;
    } ASKED[] = {
        { "/large.bin", "" },
        { "/large.bin", "Range: bytes=0-1,5-6" },
        { "/large.bin", "If-Match: \"x\"" },
        { "/users/7", "" },
        { "/docs", "" },
        { "/none.js", "" },
    };
    struct rig *rig = context;
    struct rig_answer *answer = rig_answer_make();
    int r = rig_start(rig);

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(ASKED); i++) {
        rig_ask(rig, "GET", ASKED[i].path, ASKED[i].fields, answer);
        assert_true(answer->outcome == OUTCOME_OK || answer->outcome == OUTCOME_OVERLOAD);
        r = answer->outcome == OUTCOME_OK && !answer->cut_off ? 0 : -ENOMEM;
    }
    rig_stop(rig);
    free(answer);
    return r;
}

static void starved(struct rig *rig)
{
    struct rig *other = calloc(1, sizeof(*other));
    unsigned before;

    rig_write_pattern(rig, "web/large.bin", 50000);
    rig_write_text(rig, "web/index.html", "<p>start");
    rig_write_text(rig, "web/docs/index.html", "<p>docs");
    *other = *rig;
    other->conf.fallback = BYTES("index.html");
    assert_int_equal(live(other), 0);
    before = rig_descriptors(rig);
    assert_true(faults_each(live, other) > 10);
    assert_int_equal(rig_descriptors(rig), before);
    free(other);
}

static void memory_may_run_out(void **state)
{
    rig_run(starved, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_arrives),
        cmocka_unit_test(a_length_is_kept),
        cmocka_unit_test(open_files_are_bounded),
        cmocka_unit_test(buffers_are_bounded),
        cmocka_unit_test(a_full_lane_is_overload),
        cmocka_unit_test(an_end_leaves_nothing_open),
        cmocka_unit_test(what_comes_too_late_is_closed),
        cmocka_unit_test(a_broken_disk_is_said),
        cmocka_unit_test(memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
