#include "app/workers.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io/linux/linux.h"

#include <stdio.h>

/* --- rounds -------------------------------------------------------------------------------------------------- */

static void answered(struct letter *letter, struct loop *loop)
{
    struct worker_thread *thread = container_of(letter, struct worker_thread, letter);
    struct workers *workers = thread->workers;

    if (--workers->waiting == 0)
        fiber_wake(workers->waiter);
}

static void answer(struct worker_thread *thread)
{
    if (loop_post(thread->workers->control, &thread->letter) < 0) /* full: soon again */
        timer_set(thread->loop, &thread->retry, thread->loop->now_ns + NS_PER_MS);
}

static void retry_answer(struct timer *timer)
{
    answer(container_of(timer, struct worker_thread, retry));
}

static void ordered(struct letter *letter, struct loop *loop)
{
    struct worker_thread *thread = container_of(letter, struct worker_thread, letter);

    thread->result = thread->order(thread, thread->context);
    thread->letter.run = answered;
    answer(thread);
}

static int round_of(struct workers *workers, unsigned from, unsigned to, worker_order *order, void *context)
{
    int r = 0, posted;

    ASSERT(workers->waiting == 0 && !workers->waiter);
    workers->waiter = fiber_current();
    for (unsigned i = from; i < to; i++) {
        struct worker_thread *thread = workers->threads[i];

        thread->letter.run = ordered;
        thread->order = order;
        thread->context = context;
        do { /* from here on, the thread is its worker's; unless its mailbox is full, of sets of endpoints */
            posted = loop_post(thread->loop, &thread->letter);
        } while (posted == -EAGAIN && fiber_sleep(NS_PER_MS) == 0);
        if (posted < 0)
            thread->result = posted;
        else
            workers->waiting++;
    }
    while (workers->waiting > 0)
        fiber_park_deaf();
    workers->waiter = NULL;
    for (unsigned i = from; r == 0 && i < to; i++)
        r = workers->threads[i]->result;
    return r;
}

int workers_round(struct workers *workers, unsigned first, worker_order *order, void *context)
{
    return round_of(workers, first, workers->count, order, context);
}

int workers_ask(struct workers *workers, unsigned index, worker_order *order, void *context)
{
    ASSERT(index < workers->count);
    return round_of(workers, index, index + 1, order, context);
}

/* --- orders -------------------------------------------------------------------------------------------------- */

static void watch(struct timer *timer)
{
    struct worker_thread *thread = container_of(timer, struct worker_thread, watch);

    if (thread->closing ? http_server_quiet(&thread->server) : http_server_calm(&thread->server))
        atomic_store_explicit(&thread->quiet, true, memory_order_release);
    else
        timer_set(thread->loop, &thread->watch, thread->loop->now_ns + WORKER_QUIET_NS);
}

int worker_order_drain(struct worker_thread *thread, void *unused)
{
    thread->worker.draining = true;
    http_server_drain(&thread->server);
    worker_forget_listeners(thread, false);
    watch(&thread->watch);
    return 0;
}

/* It may have been quiet by the smaller measure. */
static void close_mesh(struct worker_thread *thread)
{
    worker_forget_listeners(thread, true);
    thread->closing = true;
    atomic_store_explicit(&thread->quiet, false, memory_order_release);
    watch(&thread->watch);
}

int worker_order_drain_mesh(struct worker_thread *thread, void *unused)
{
    http_server_drain_all(&thread->server);
    close_mesh(thread);
    return 0;
}

int worker_order_abort(struct worker_thread *thread, void *unused)
{
    http_server_abort(&thread->server);
    close_mesh(thread);
    return 0;
}

int worker_order_stop(struct worker_thread *thread, void *unused)
{
    loop_stop(thread->loop);
    return 0;
}

/* Without the first one there are none. */
static void choose_observers(struct worker_thread *thread, const struct worker_enter *enter)
{
    unsigned count = 1;

    if (!thread->observers[0])
        return;
    if (enter->traffic && thread->traffic)
        thread->observers[count++] = thread->traffic;
    if (enter->access_log && thread->access_log)
        thread->observers[count++] = thread->access_log;
    thread->observers[count] = NULL;
}

int worker_order_enter(struct worker_thread *thread, void *context)
{
    const struct worker_enter *enter = context;
    int r = thread->enter_result;

    if (r == 0)
        r = worker_enter(&thread->worker, enter->snapshot);
    if (r < 0)
        return r;
    http_server_limit(&thread->server, &enter->limits);
    thread->loop->fibers.max = MIN(enter->fibers_max, thread->fibers_max);
    choose_observers(thread, enter);
    return 0;
}

bool workers_quiet(const struct workers *workers, unsigned first)
{
    for (unsigned i = first; i < workers->count; i++)
        if (!atomic_load_explicit(&workers->threads[i]->quiet, memory_order_acquire))
            return false;
    return true;
}

/* --- life ---------------------------------------------------------------------------------------------------- */

/* What pools keep warm for the next burst is of no use to a worker that has nothing to do. */
static void trim_pools(struct worker_thread *thread)
{
    struct worker *worker = &thread->worker;

    fiber_pool_trim(&thread->loop->fibers, WORKER_CALM_KEEP);
    pool_trim(&worker->exchanges, WORKER_CALM_KEEP);
    pool_trim(&worker->tees, WORKER_CALM_KEEP);
    pool_trim(&worker->blocks, WORKER_CALM_KEEP);
    pool_trim(&worker->buffers, WORKER_CALM_KEEP);
    pool_trim(&worker->bulk_buffers, 0);
}

/* Pools hand what they don't keep to the C library, which holds on to it wherever a connection that stays lies above:
 * after a burst that is most of it. During one, it would only come back to be asked for again. */
static void tidy(struct timer *timer)
{
    struct worker_thread *thread = container_of(timer, struct worker_thread, tidy);
    uint64_t frees = mem_stats().frees, before = thread->frees_seen;
    uint64_t ended = metric_read(&thread->worker.exchanges_ended);

    if (ended == thread->ended_seen)
        trim_pools(thread);
    thread->ended_seen = ended;
    thread->frees_seen = frees;
    if (frees - before < WORKER_TIDY_CALM && frees - thread->frees_trimmed >= WORKER_TIDY_MIN) {
        mem_trim();
        thread->frees_trimmed = frees;
    }
    timer_set(thread->loop, timer, thread->loop->now_ns + WORKER_TIDY_NS);
}

/* What has to be made on the worker's own thread. */
static int thread_enter(struct worker_thread *thread)
{
    struct workers *workers = thread->workers;

    tidy(&thread->tidy);
    thread->worker.observers = thread->observers;
    return workers->observe ? workers->observe(thread, workers->user) : 0;
}

static void thread_leave(struct worker_thread *thread)
{
    struct workers *workers = thread->workers;

    timer_stop(thread->loop, &thread->tidy);
    worker_forget_listeners(thread, true);
    http_server_done(&thread->server);
    if (workers->unobserve)
        workers->unobserve(thread, workers->user);
    worker_leave_all(&thread->worker);
    if (workers->registry)
        worker_services_stop(&thread->worker);
}

static void thread_main(void *context)
{
    struct worker_thread *thread = context;

    thread->enter_result = thread_enter(thread);
    loop_run(thread->loop);
    thread_leave(thread);
}

/* The loop of worker 0 is the control loop; that of the others is made here. */
static int thread_loop(struct worker_thread *thread, struct loop *control)
{
    int r;

    thread->loop = thread->index == 0 ? control : &thread->own;
    if (thread->index == 0)
        return 0;
    r = io_linux_open(&thread->io);
    return r == 0 ? loop_init(&thread->own, thread->io, NULL) : r;
}

static int thread_create(struct workers *workers, unsigned index)
{
    struct worker_thread *thread = mem_zalloc(sizeof(*thread));
    int r;

    if (!thread)
        return -ENOMEM;
    workers->threads[index] = thread;
    thread->workers = workers;
    thread->index = index;
    list_init(&thread->listeners);
    timer_init(&thread->watch, watch);
    timer_init(&thread->retry, retry_answer);
    timer_init(&thread->tidy, tidy);
    r = thread_loop(thread, workers->control);
    thread->fibers_max = thread->loop->fibers.max;
    if (r == 0)
        r = worker_init(&thread->worker, index, thread->loop, NULL);
    return r == 0 ? http_server_init(&thread->server, &thread->worker, NULL) : r;
}

int workers_init(struct workers *workers, struct loop *control, unsigned count)
{
    *workers = (struct workers){ .control = control, .count = count + 1 };
    workers->threads = mem_zalloc_array(workers->count, sizeof(*workers->threads));
    if (!workers->threads)
        return -ENOMEM;
    for (unsigned i = 0; i < workers->count; i++) {
        int r = thread_create(workers, i);

        if (r < 0)
            return r;
    }
    return 0;
}

int workers_start(struct workers *workers)
{
    struct io *io = workers->control->io;
    char name[24];
    int r = thread_enter(workers->threads[0]);

    for (unsigned i = 1; r == 0 && i < workers->count; i++) {
        struct worker_thread *thread = workers->threads[i];

        (void)snprintf(name, sizeof(name), "worker-%u", i);
        r = io->ops->thread_start(io, name, thread_main, thread, &thread->thread);
    }
    return r;
}

void workers_join(struct workers *workers)
{
    struct io *io = workers->control->io;

    for (unsigned i = 1; i < workers->count; i++)
        io->ops->thread_join(io, workers->threads[i]->thread);
    thread_leave(workers->threads[0]);
}

void workers_done(struct workers *workers)
{
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker_thread *thread = workers->threads[i];

        worker_done(&thread->worker);
        if (thread->io) {
            loop_done(&thread->own);
            io_linux_close(thread->io);
        }
        mem_free(thread);
    }
    mem_free(workers->threads);
}
