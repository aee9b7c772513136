#include "supervise/log.h"

#include "base/alloc.h"

#define SAY_MAX 2048 /* of one line of ours; faults are shorter */

static void write_job(struct job *job)
{
    struct log *log = container_of(job, struct log, job);

    /* A reader that takes nothing loses lines: better than a system that waits for it. */
    (void)log->loop->io->ops->descriptor_write(log->loop->io, log->descriptor, log->writing);
    log->writing = BYTES_NONE;
}

static void swap_buffers(struct log *log)
{
    log->writing = text_bytes(&log->filling);
    log->next = 1 - log->next;
    log->filling = text_into(log->buffers[log->next], LOG_BUFFER_MAX);
    if (log->dropped > 0) {
        text_add_format(&log->filling, "weft: %llu lines were dropped: nobody read them in time\n",
                        (unsigned long long)log->dropped);
        log->dropped = 0;
    }
}

static int writer_run(struct task *task)
{
    struct log *log = container_of(task, struct log, writer);

    for (;;) {
        int r;

        if (log->filling.len == 0) {
            log->waiting = fiber_current();
            r = fiber_park(TIME_NEVER);
            log->waiting = NULL;
        } else {
            swap_buffers(log);
            r = lane_run(log->lane, &log->job);
        }
        if (r < 0)
            return r;
    }
}

int log_open(struct log *log, struct loop *loop, int descriptor)
{
    int r;

    *log = (struct log){ .loop = loop, .descriptor = descriptor };
    log->buffers[0] = mem_alloc(LOG_BUFFER_MAX);
    log->buffers[1] = mem_alloc(LOG_BUFFER_MAX);
    r = log->buffers[0] && log->buffers[1] ? loop->io->ops->lane_open(loop->io, "log", 1, &log->lane) : -ENOMEM;
    if (r == 0) {
        log->filling = text_into(log->buffers[0], LOG_BUFFER_MAX);
        log->job.run = write_job;
        log->writer = (struct task){ .run = writer_run };
        r = loop_spawn(loop, &log->writer);
    }
    log->started = r == 0;
    if (r < 0) {
        if (log->lane)
            loop->io->ops->lane_close(loop->io, log->lane);
        mem_free(log->buffers[0]);
        mem_free(log->buffers[1]);
    }
    return r;
}

static void add_line(struct log *log, struct bytes who, const char *between, struct bytes line)
{
    struct text before = log->filling;

    text_add(&log->filling, who);
    text_add(&log->filling, bytes_of_text(between));
    text_add(&log->filling, line);
    text_add_char(&log->filling, '\n');
    if (log->filling.full) {
        log->filling = before;
        log->dropped++;
    }
    if (log->waiting)
        fiber_wake(log->waiting);
}

void log_line(struct log *log, struct bytes who, struct bytes line)
{
    add_line(log, who, " | ", line);
}

void log_say(struct log *log, const char *format, ...)
{
    char line[SAY_MAX];
    struct text text = text_into(line, sizeof(line));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    add_line(log, BYTES("weft"), ": ", text_bytes(&text));
}

void log_fault(struct log *log, const struct fault *fault)
{
    char line[SAY_MAX];
    size_t len = fault_write(fault, line, sizeof(line));

    add_line(log, BYTES("weft"), ": ", bytes_of(line, MIN(len, sizeof(line) - 1)));
}

void log_close(struct log *log)
{
    struct io *io = log->loop->io;

    if (!log->started)
        return;
    log->started = false;
    io->ops->lane_close(io, log->lane);
    (void)io->ops->descriptor_write(io, log->descriptor, log->writing); /* a job that the end of the loop forestalled */
    (void)io->ops->descriptor_write(io, log->descriptor, text_bytes(&log->filling));
    mem_free(log->buffers[0]);
    mem_free(log->buffers[1]);
}
