#include "observe/access_log.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io/lane.h"
#include "observe/access_line.h"
#include "observe/log_ring.h"

struct access_log_ring {
    struct observer observer;
    struct access_log *log;
    struct worker *worker;
    struct timer timer;   /* calls the writer; set while a line waits */
    struct letter letter; /* in the control loop's mailbox while `called` */
    atomic_bool called;
    char line[OBSERVE_LOG_LINE_MAX];
    struct log_ring ring;
};

struct access_log {
    struct loop *control;
    struct lane *lane;
    int descriptor;
    struct task task; /* the writer, on the control loop */
    struct fiber *fiber;
    bool wanted; /* somebody called since the writer began its last job */
    struct job job;
    atomic_bool hurry; /* the writer is to end */
    int result;        /* of the last job */
    unsigned current;  /* the ring being written, and up to where: whoever writes */
    uint64_t end;
    struct metric_source lines, dropped;
    const struct metric_source *sources[3];
    unsigned workers_max;
    _Atomic(struct access_log_ring *) rings[]; /* by worker; NULL: not attached yet */
};

static struct access_log_ring *ring_at(struct access_log *log, unsigned index)
{
    return atomic_load_explicit(&log->rings[index], memory_order_acquire);
}

/* --- on the worker -------------------------------------------------------------------------------------------------
 */

/* Has the writer look at the ring. What the worker wrote before is seen by then: both exchange `called`. */
static void call_writer(struct access_log_ring *ring)
{
    if (atomic_exchange_explicit(&ring->called, true, memory_order_acq_rel))
        return;
    if (loop_post(ring->log->control, &ring->letter) == 0)
        return;
    (void)atomic_exchange_explicit(&ring->called, false, memory_order_acq_rel);
    timer_set(ring->worker->loop, &ring->timer, ring->worker->loop->now_ns + OBSERVE_LOG_FLUSH_NS);
}

static void time_to_write(struct timer *timer)
{
    struct access_log_ring *ring = container_of(timer, struct access_log_ring, timer);

    if (log_ring_used(&ring->ring) > 0)
        call_writer(ring);
}

static void ended(const struct observer *observer, struct worker *worker, const struct exchange *x)
{
    struct access_log_ring *ring = container_of((struct observer *)observer, struct access_log_ring, observer);
    struct io *io = worker->loop->io;
    struct text text = text_into(ring->line, sizeof(ring->line));
    size_t before;

    if (!x->source) /* (5) */
        return;
    before = log_ring_used(&ring->ring);
    access_line_write(&text, x, io->ops->now_ns(io), io->ops->wall_ns(io));
    (void)log_ring_write(&ring->ring, text_bytes(&text)); /* (2) counts what was dropped */
    if (!timer_is_set(&ring->timer))
        timer_set(worker->loop, &ring->timer, worker->loop->now_ns + OBSERVE_LOG_FLUSH_NS);
    if (before < OBSERVE_LOG_RING_SIZE / 2 && log_ring_used(&ring->ring) >= OBSERVE_LOG_RING_SIZE / 2)
        call_writer(ring);
}

static void letter_came(struct letter *letter, struct loop *loop)
{
    struct access_log_ring *ring = container_of(letter, struct access_log_ring, letter);
    struct access_log *log = ring->log;

    (void)atomic_exchange_explicit(&ring->called, false, memory_order_acq_rel);
    log->wanted = true;
    if (log->fiber)
        fiber_wake(log->fiber);
}

int access_log_attach(struct access_log *log, struct worker *worker, struct access_log_ring **ret)
{
    struct access_log_ring *ring;

    ASSERT(worker->index < log->workers_max && !ring_at(log, worker->index));
    ring = mem_aligned(alignof(struct access_log_ring), sizeof(*ring)); /* its pages come with its lines */
    if (!ring)
        return -ENOMEM;
    ring->observer = (struct observer){ .ended = ended };
    ring->log = log;
    ring->worker = worker;
    ring->letter = (struct letter){ .run = letter_came };
    timer_init(&ring->timer, time_to_write);
    atomic_init(&ring->called, false);
    log_ring_init(&ring->ring);
    atomic_store_explicit(&log->rings[worker->index], ring, memory_order_release);
    *ret = ring;
    return 0;
}

void access_log_detach(struct access_log_ring *ring)
{
    timer_stop(ring->worker->loop, &ring->timer);
    call_writer(ring);
    timer_stop(ring->worker->loop, &ring->timer); /* what could not be called for, access_log_close() writes */
}

const struct observer *access_log_observer(struct access_log_ring *ring)
{
    return &ring->observer;
}

/* --- the writer ----------------------------------------------------------------------------------------------------
 */

/* The ring that is being written, or the next one that has lines; NULL: none. (3) */
static struct log_ring *ring_to_write(struct access_log *log)
{
    struct access_log_ring *ring = ring_at(log, log->current);

    if (ring && !log_ring_at(&ring->ring, log->end))
        return &ring->ring;
    for (unsigned i = 1; i <= log->workers_max; i++) {
        unsigned index = (log->current + i) % log->workers_max;

        ring = ring_at(log, index);
        if (!ring || log_ring_at(&ring->ring, log_ring_head(&ring->ring)))
            continue;
        log->current = index;
        log->end = log_ring_head(&ring->ring);
        return &ring->ring;
    }
    return NULL;
}

/* One write. 1: it was taken; 0: no line is left; or why not. */
static int write_some(struct access_log *log)
{
    struct log_ring *ring = ring_to_write(log);
    struct io *io = log->control->io;
    struct bytes chunk;
    ssize_t n;

    if (!ring)
        return 0;
    chunk = bytes_slice(log_ring_peek(ring, log->end), 0, OBSERVE_LOG_WRITE_MAX);
    n = io->ops->descriptor_write(io, log->descriptor, chunk);
    if (n > 0)
        log_ring_skip(ring, (size_t)n);
    if (n == (ssize_t)chunk.len)
        return 1;
    if (n >= 0 || n == -ETIMEDOUT) /* the reader is slow: (3) goes on at this place */
        return -ETIMEDOUT;
    log_ring_discard(ring, log->end); /* (4) */
    return (int)n;
}

/* On the lane. */
static void job_run(struct job *job)
{
    struct access_log *log = container_of(job, struct access_log, job);

    do {
        log->result = write_some(log);
    } while (log->result > 0 && !atomic_load_explicit(&log->hurry, memory_order_relaxed));
}

static void job_interrupt(struct job *job)
{
    struct access_log *log = container_of(job, struct access_log, job);

    atomic_store_explicit(&log->hurry, true, memory_order_relaxed);
}

static int write_all(struct access_log *log)
{
    for (;;) {
        int r = 0;

        while (!log->wanted && r == 0)
            r = fiber_park(TIME_NEVER);
        if (r < 0)
            return r;
        log->wanted = false;
        r = lane_run(log->lane, &log->job);
        if (r < 0 && r != -EAGAIN)
            return r;
        if (r == -EAGAIN || log->result < 0)
            log->wanted = true;
        if (r == -EAGAIN || (log->result < 0 && log->result != -ETIMEDOUT)) /* ETIMEDOUT has waited already */
            r = fiber_sleep(OBSERVE_LOG_RETRY_NS);
        if (r < 0)
            return r;
    }
}

static int writer_run(struct task *task)
{
    struct access_log *log = container_of(task, struct access_log, task);
    int r;

    log->fiber = fiber_current();
    r = write_all(log);
    log->fiber = NULL;
    return r;
}

/* The root scope does not wait for tasks one by one: this one leaves no trace there. */
static void writer_ended(struct task *task)
{
}

/* --- its life ------------------------------------------------------------------------------------------------------
 */

static uint64_t ring_dropped(const struct log_ring *ring)
{
    return metric_read(&ring->dropped) + metric_read(&ring->lost);
}

uint64_t access_log_lines(struct access_log *log)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < log->workers_max; i++)
        if (ring_at(log, i))
            count += metric_read(&ring_at(log, i)->ring.lines);
    return count;
}

uint64_t access_log_dropped(struct access_log *log)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < log->workers_max; i++)
        if (ring_at(log, i))
            count += ring_dropped(&ring_at(log, i)->ring);
    return count;
}

static void lines_write(const struct metric_source *source, struct metrics_writer *writer)
{
    metrics_sample(writer, NULL, 0, access_log_lines((struct access_log *)source->context));
}

static void dropped_write(const struct metric_source *source, struct metrics_writer *writer)
{
    metrics_sample(writer, NULL, 0, access_log_dropped((struct access_log *)source->context));
}

static void make_sources(struct access_log *log)
{
    log->lines = (struct metric_source){ .name = "weft_access_log_lines_total",
                                         .help = "Lines of the access log that found room.",
                                         .type = "counter",
                                         .context = log,
                                         .write = lines_write };
    log->dropped = (struct metric_source){ .name = "weft_access_log_dropped_total",
                                           .help = "Lines of the access log that nobody read in time.",
                                           .type = "counter",
                                           .context = log,
                                           .write = dropped_write };
    log->sources[0] = &log->lines;
    log->sources[1] = &log->dropped;
    log->sources[2] = NULL;
}

const struct metric_source *const *access_log_sources(struct access_log *log)
{
    return log->sources;
}

int access_log_create(struct loop *control, int descriptor, unsigned workers_max, struct access_log **ret)
{
    struct access_log *log = mem_zalloc(sizeof(*log) + workers_max * sizeof(log->rings[0]));
    struct io *io = control->io;
    int r;

    ASSERT(workers_max > 0);
    if (!log)
        return -ENOMEM;
    log->control = control;
    log->descriptor = descriptor;
    log->workers_max = workers_max;
    log->task.run = writer_run;
    log->task.ended = writer_ended;
    log->job.run = job_run;
    log->job.interrupt = job_interrupt;
    make_sources(log);
    r = io->ops->lane_open(io, "log", 1, &log->lane);
    if (r == 0) {
        r = loop_spawn(control, &log->task);
        if (r < 0)
            io->ops->lane_close(io, log->lane);
    }
    if (r < 0)
        mem_free(log);
    else
        *ret = log;
    return r;
}

/* A letter in the mailbox belongs to a ring: let it come before the ring goes. */
static void await_letters(struct access_log *log)
{
    for (unsigned i = 0; i < log->workers_max; i++) {
        struct access_log_ring *ring = ring_at(log, i);

        while (ring && atomic_load_explicit(&ring->called, memory_order_acquire))
            (void)loop_turn(log->control, 0);
    }
}

void access_log_close(struct access_log *log)
{
    struct io *io = log->control->io;
    int64_t until_ns = io->ops->now_ns(io) + OBSERVE_LOG_CLOSE_NS;

    ASSERT(!log->fiber);
    await_letters(log);
    io->ops->lane_close(io, log->lane);
    while (write_some(log) > 0 && io->ops->now_ns(io) < until_ns)
        ;
    for (unsigned i = 0; i < log->workers_max; i++)
        mem_free(ring_at(log, i));
    mem_free(log);
}
