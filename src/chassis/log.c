#include "chassis/log.h"

#include "base/alloc.h"
#include "base/limits.h"

static void write_job(struct job *job)
{
    struct json_log *log = container_of(job, struct json_log, job);

    /* A reader that takes nothing loses lines: better than a service that waits for it. */
    (void)log->loop->io->ops->descriptor_write(log->loop->io, log->descriptor, log->writing);
    log->writing = BYTES_NONE;
}

static void say_dropped(struct json_log *log)
{
    struct io *io = log->loop->io;

    if (log->dropped == 0)
        return;
    text_add(&log->filling, BYTES("{\"time\":\""));
    text_add_time(&log->filling, io->ops->wall_ns(io));
    text_add_format(&log->filling,
                    "\",\"level\":\"warning\",\"message\":\"%llu lines were dropped: nobody read them\"}\n",
                    (unsigned long long)log->dropped);
    log->dropped = 0;
}

static void swap_buffers(struct json_log *log)
{
    log->writing = text_bytes(&log->filling);
    log->next = 1 - log->next;
    log->filling = text_into(log->buffers[log->next], CHASSIS_LOG_BUFFER_MAX);
    say_dropped(log);
}

static int writer_run(struct task *task)
{
    struct json_log *log = container_of(task, struct json_log, writer);

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

static void free_buffers(struct json_log *log)
{
    mem_free(log->buffers[0]);
    mem_free(log->buffers[1]);
    log->buffers[0] = log->buffers[1] = NULL;
}

int json_log_open(struct json_log *log, struct loop *loop, int descriptor)
{
    int r;

    *log = (struct json_log){ .loop = loop, .descriptor = descriptor };
    log->buffers[0] = mem_alloc(CHASSIS_LOG_BUFFER_MAX);
    log->buffers[1] = mem_alloc(CHASSIS_LOG_BUFFER_MAX);
    r = log->buffers[0] && log->buffers[1] ? loop->io->ops->lane_open(loop->io, "log", 1, &log->lane) : -ENOMEM;
    if (r == 0) {
        log->filling = text_into(log->buffers[0], CHASSIS_LOG_BUFFER_MAX);
        log->job.run = write_job;
        log->writer = (struct task){ .run = writer_run };
        r = loop_spawn(loop, &log->writer);
    }
    if (r < 0) {
        if (log->lane)
            loop->io->ops->lane_close(loop->io, log->lane);
        free_buffers(log);
    }
    log->open = r == 0;
    return r;
}

void json_log_line(struct json_log *log, struct bytes line)
{
    struct text before = log->filling;

    if (!log->open)
        return;
    text_add(&log->filling, line);
    text_add_char(&log->filling, '\n');
    if (log->filling.full) {
        log->filling = before;
        log->dropped++;
    }
    if (log->waiting)
        fiber_wake(log->waiting);
}

void json_log_close(struct json_log *log)
{
    struct io *io;

    if (!log->open)
        return;
    io = log->loop->io;
    log->open = false;
    io->ops->lane_close(io, log->lane);
    (void)io->ops->descriptor_write(io, log->descriptor, log->writing); /* a job that the end of the loop forestalled */
    (void)io->ops->descriptor_write(io, log->descriptor, text_bytes(&log->filling));
    free_buffers(log);
}
