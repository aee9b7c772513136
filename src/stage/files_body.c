#include "base/limits.h"
#include "io/loop.h"
#include "stage/files.h"

/* One read, on the lane. */
struct reading {
    struct job job;
    struct io *io;
    int file;
    char *memory;
    size_t len;
    uint64_t from;
    ssize_t result;
    atomic_bool stop;
};

static void reading_run(struct job *job)
{
    struct reading *reading = container_of(job, struct reading, job);

    if (!atomic_load_explicit(&reading->stop, memory_order_relaxed))
        reading->result = reading->io->ops->file_read_at(reading->io, reading->file, reading->memory, reading->len,
                                                         reading->from);
}

static void reading_interrupt(struct job *job)
{
    atomic_store_explicit(&container_of(job, struct reading, job)->stop, true, memory_order_relaxed);
}

static void close_file(struct files_body *body)
{
    struct io *io = body->worker->loop->io;

    if (body->file == FILES_CLOSED)
        return;
    io->ops->file_close(io, body->file);
    body->file = FILES_CLOSED;
    (*body->open_files)--;
}

/* A large buffer for what fills a usual one, if there is one to be had: what memory held was given out. */
static void grow(struct files_body *body, uint64_t left)
{
    char *memory;

    if (left <= BUFFER_SIZE || body->lease == &body->worker->bulk_buffers)
        return;
    memory = pool_take(&body->worker->bulk_buffers);
    if (!memory)
        return;
    pool_give(body->lease, body->memory);
    body->lease = &body->worker->bulk_buffers;
    body->memory = memory;
}

/* Fills memory with the file from there on. */
static int fill(struct files_body *body, uint64_t from, uint64_t left)
{
    struct reading reading = { .job = { .run = reading_run, .interrupt = reading_interrupt } };
    struct lane *lane;
    int r;

    grow(body, left);
    body->have = 0;
    reading.io = body->worker->loop->io;
    reading.file = body->file;
    reading.memory = body->memory;
    reading.len = (size_t)MIN(left, (uint64_t)body->lease->size);
    reading.from = from;
    r = worker_lane(body->worker, &lane);
    if (r == 0)
        r = lane_run(lane, &reading.job);
    if (r == -ETIME || r == -ECANCELED)
        return r;
    if (r == 0)
        r = reading.result < 0 ? (int)reading.result : reading.result == 0 ? -EIO : 0; /* it has shrunk */
    if (r < 0) {
        body->body.outcome = r == -EAGAIN || r == -ENOMEM ? OUTCOME_OVERLOAD : OUTCOME_INTERNAL;
        return r;
    }
    body->from = from;
    body->have = (size_t)reading.result;
    return 0;
}

static bool in_memory(const struct files_body *body, uint64_t at)
{
    return at >= body->from && at < body->from + body->have;
}

/* Whether the next read will not wait, and whether there is one. */
static void look_ahead(struct files_body *body)
{
    while (body->piece < body->end && body->text_done && body->done == body->piece->range.len) {
        body->piece++;
        body->text_done = body->piece < body->end && body->piece->text.len == 0;
        body->done = 0;
    }
    body->body.ended = body->piece == body->end;
    body->body.at_hand = body->body.ended || !body->text_done || in_memory(body, body->piece->range.from + body->done);
    if (body->body.ended)
        close_file(body);
}

static int files_body_read(struct body *base, struct bytes *ret_chunk)
{
    struct files_body *body = container_of(base, struct files_body, body);
    const struct files_piece *piece = body->piece;
    uint64_t at, left;
    size_t skip;
    int r;

    if (!body->text_done) {
        *ret_chunk = piece->text;
        body->text_done = true;
        look_ahead(body);
        return 1;
    }
    at = piece->range.from + body->done;
    left = piece->range.len - body->done;
    r = in_memory(body, at) ? 0 : fill(body, at, left);
    if (r < 0)
        return r;
    skip = (size_t)(at - body->from);
    *ret_chunk = bytes_of(body->memory + skip, (size_t)MIN(left, (uint64_t)(body->have - skip)));
    body->done += ret_chunk->len;
    look_ahead(body);
    return 1;
}

static void files_body_close(struct body *base, enum outcome why)
{
    struct files_body *body = container_of(base, struct files_body, body);

    close_file(body);
    if (body->lease)
        pool_give(body->lease, body->memory);
    body->lease = NULL;
}

static const struct body_ops FILES_BODY_OPS = { .read = files_body_read, .close = files_body_close };

void files_body_init(struct files_body *body, struct worker *worker, const struct files_open *open,
                     unsigned *open_files, const struct files_piece *pieces, unsigned count)
{
    *body = (struct files_body){ .body = { .ops = &FILES_BODY_OPS, .has_length = true },
                                 .worker = worker,
                                 .open_files = open_files,
                                 .file = open->file,
                                 .piece = pieces,
                                 .end = pieces + count,
                                 .text_done = pieces->text.len == 0,
                                 .lease = &worker->buffers,
                                 .memory = open->memory,
                                 .have = open->have };
    for (unsigned i = 0; i < count; i++)
        body->body.length += pieces[i].text.len + pieces[i].range.len;
    look_ahead(body);
    body->body.ended = false; /* it is the reader who finds the end */
}
