#include "io/lines.h"

#include "base/alloc.h"

static void write_job(struct job *job)
{
    struct lines *lines = container_of(job, struct lines, job);
    struct io *io = lines->loop->io;
    ssize_t n = io->ops->descriptor_write(io, lines->descriptor, lines->writing);

    if (n != -ETIMEDOUT) /* else it rests: (2) */
        lines->writing = n < 0 ? BYTES_NONE : bytes_skip(lines->writing, (size_t)n);
}

static void swap_buffers(struct lines *lines)
{
    uint64_t dropped = lines->dropped;

    lines->writing = text_bytes(&lines->filling);
    lines->next = 1 - lines->next;
    lines->filling = text_into(lines->buffers[lines->next], lines->size);
    lines->dropped = 0;
    if (dropped > 0)
        lines->say(lines, dropped, &lines->filling);
}

static int writer_run(struct task *task)
{
    struct lines *lines = container_of(task, struct lines, writer);

    for (;;) {
        int r;

        if (lines->writing.len == 0 && lines->filling.len > 0)
            swap_buffers(lines);
        if (lines->writing.len > 0) {
            r = lane_run(lines->lane, &lines->job);
        } else {
            lines->waiting = fiber_current();
            r = fiber_park(TIME_NEVER);
            lines->waiting = NULL;
        }
        if (r < 0)
            return r;
    }
}

static void free_buffers(struct lines *lines)
{
    mem_free(lines->buffers[0]);
    mem_free(lines->buffers[1]);
    lines->buffers[0] = lines->buffers[1] = NULL;
}

int lines_open(struct lines *lines, struct loop *loop, int descriptor, size_t size, lines_say *say)
{
    struct io *io = loop->io;
    int r;

    *lines = (struct lines){ .loop = loop, .descriptor = descriptor, .size = size, .say = say };
    lines->buffers[0] = mem_alloc(size);
    lines->buffers[1] = mem_alloc(size);
    r = lines->buffers[0] && lines->buffers[1] ? io->ops->lane_open(io, "log", 1, &lines->lane) : -ENOMEM;
    if (r == 0) {
        lines->filling = text_into(lines->buffers[0], size);
        lines->job.run = write_job;
        lines->writer = (struct task){ .run = writer_run };
        r = loop_spawn(loop, &lines->writer);
    }
    if (r < 0) {
        if (lines->lane)
            io->ops->lane_close(io, lines->lane);
        free_buffers(lines);
    }
    lines->open = r == 0;
    return r;
}

void lines_add(struct lines *lines, const struct bytes *parts, size_t count)
{
    struct text before = lines->filling;

    if (!lines->open)
        return;
    for (size_t i = 0; i < count; i++)
        text_add(&lines->filling, parts[i]);
    text_add_char(&lines->filling, '\n');
    if (lines->filling.full) {
        lines->filling = before;
        lines->dropped++;
    }
    if (lines->waiting)
        fiber_wake(lines->waiting);
}

void lines_close(struct lines *lines)
{
    if (!lines->open)
        return;
    lines->open = false;
    lines->loop->io->ops->lane_close(lines->loop->io, lines->lane);
    if (lines->writing.len == 0)
        swap_buffers(lines);
    while (lines->writing.len > 0) {
        write_job(&lines->job);
        if (lines->writing.len > 0) /* the reader rests, and we can't */
            break;
        swap_buffers(lines);
    }
    free_buffers(lines);
}
