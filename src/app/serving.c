#include "app/serving.h"

#include "app/dialer.h"
#include "base/alloc.h"

#include <signal.h>

#define CHANNEL_DESCRIPTOR 3

void serving_lost(struct serving *serving, const char *what, int error)
{
    log_say(&serving->log, "serving process: can't go on at '%s': %s", what, app_reason(error));
    serving->exit_code = EXIT_FAILED;
    serving->drain_wanted = true;
    serving->drain_limit_ns = SHORT_DRAIN_NS;
    serving_wake(serving);
}

/* --- workers -------------------------------------------------------------------------------------------------- */

/* On the worker's thread. The control worker's own calls are nobody's requests: it has no observers. */
static int observe(struct worker_thread *thread, void *user)
{
    struct serving *serving = user;
    struct traffic_worker *traffic;
    int r = metrics_attach(serving->metrics, &thread->worker, &thread->server, &thread->metrics);

    if (r < 0 || thread->index == 0)
        return r;
    thread->observers[0] = metrics_observer(thread->metrics);
    r = traffic_attach(serving->traffic, &thread->worker, &traffic);
    if (r < 0)
        return r;
    thread->traffic = traffic_observer(traffic);
    r = access_log_attach(serving->access_log, &thread->worker, &serving->rings[thread->index]);
    if (r == 0)
        thread->access_log = access_log_observer(serving->rings[thread->index]);
    return r;
}

static void unobserve(struct worker_thread *thread, void *user)
{
    struct serving *serving = user;

    if (serving->rings[thread->index])
        access_log_detach(serving->rings[thread->index]);
    if (thread->metrics)
        metrics_detach(thread->metrics);
}

/* An instance became ready or unready. */
static void health_changed(struct registry *registry, struct service *service, struct instance *instance)
{
    struct serving *serving = registry->changed_data;
    const struct message message = { .type = MESSAGE_HEALTH, .name = instance->name, .ok = instance_ready(instance) };
    const struct message outside = { .type = MESSAGE_OUTSIDE,
                                     .service = service->name,
                                     .count = service_ready_count(service) };

    if (!serving->drained)
        serving_send(serving, instance->generation > 0 ? &message : &outside); /* processes have a pid */
}

/* Its liveness checks fail. */
static void liveness_failed(struct registry *registry, struct service *service, struct instance *instance)
{
    struct serving *serving = registry->changed_data;
    int error = atomic_load_explicit(&instance->live_error, memory_order_relaxed);
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));
    struct message message = { .type = MESSAGE_HUNG, .name = instance->name, .pid = instance->generation };

    if (error > 0)
        text_add_format(&text, "status %d", error);
    else
        text_add(&text, bytes_of_text(app_reason(error)));
    message.payload = text_bytes(&text);
    if (!serving->drained)
        serving_send(serving, &message);
}

static int start_registry(struct serving *serving)
{
    struct workers *workers = &serving->workers;
    int r = registry_init(&serving->registry, &workers->threads[0]->worker, workers->count, &APP_DIALER);

    for (unsigned i = 0; r == 0 && i < workers->count; i++)
        r = registry_add_worker(&serving->registry, &workers->threads[i]->worker);
    serving->registry.changed = health_changed;
    serving->registry.failed = liveness_failed;
    serving->registry.changed_data = serving;
    workers->registry = &serving->registry;
    return r;
}

static char *join(struct bytes folder, struct bytes name)
{
    char *path = mem_alloc(folder.len + name.len + 1);

    if (!path)
        return NULL;
    memcpy(path, folder.data, folder.len);
    memcpy(path + folder.len, name.data, name.len + 1);
    return path;
}

int serving_start(struct serving *serving, const struct message *start)
{
    unsigned count = (unsigned)MIN(start->count, (uint64_t)WORKERS_MAX);
    struct workers *workers = &serving->workers;
    struct loop *loop = &serving->loop;
    int r;

    if (serving->started || count == 0 || start->payload.len != sizeof(serving->secret))
        return -EPROTO;
    memcpy(&serving->secret, start->payload.data, sizeof(serving->secret));
    serving->folder = mem_copy_text(start->name.data, start->name.len);
    serving->rings = mem_zalloc_array(count + 1, sizeof(struct access_log_ring *));
    serving->since_ns = loop_clock(loop);
    serving->pid = start->pid;
    serving->first = start->ok;
    serving->logs = join(start->state, BYTES("/logs"));
    r = serving->folder && serving->logs && serving->rings ? workers_init(workers, loop, count) : -ENOMEM;
    if (r == 0)
        r = metrics_create(loop->io, count + 1, &serving->metrics);
    if (r == 0)
        r = traffic_create(count + 1, &serving->traffic);
    if (r == 0)
        r = access_log_create(loop, 1, count + 1, &serving->access_log);
    if (r == 0)
        r = start_registry(serving);
    workers->metrics = serving->metrics;
    workers->observe = observe;
    workers->unobserve = unobserve;
    workers->user = serving;
    if (r == 0)
        r = serving_control_start(serving);
    if (r == 0)
        r = workers_start(workers);
    serving->started = r == 0;
    return r;
}

/* --- the conductor -------------------------------------------------------------------------------------------- */

static void close_listener(struct serving *serving)
{
    struct serving_listener *listener = container_of(serving->closing.next, struct serving_listener, node);

    (void)workers_round(&serving->workers, 0, worker_order_unlisten, &listener->id);
    serving_listener_free(serving, listener);
}

static int conduct(struct task *task)
{
    struct serving *serving = container_of(task, struct serving, conductor);
    int r = 0;

    while (r == 0) {
        if (serving->drain_wanted) {
            serving->drained = serving_drain(serving);
            loop_stop(&serving->loop);
            return 0;
        }
        if (!list_empty(&serving->closing))
            close_listener(serving);
        else if (serving->compiled)
            serving_apply(serving);
        else {
            serving->idle = fiber_current();
            r = fiber_park(TIME_NEVER);
            serving->idle = NULL;
        }
    }
    return r;
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static int open_link(struct serving *serving)
{
    struct io *io = serving->loop.io;
    struct io_socket socket;
    int r = io->ops->adopt(io, CHANNEL_DESCRIPTOR, &socket);

    return r == 0 ? link_open(&serving->link, &serving->loop, socket, MESSAGE_BY_SUPERVISOR, &SERVING_LINK_OPS) : r;
}

/* It is the supervisor's to say when we end: a signal to all processes of the system is not meant for us. */
static int ignore_signals(struct io *io)
{
    struct io_socket socket;

    return io->ops->signals(io, 1u << (SIGTERM - 1) | 1u << (SIGINT - 1) | 1u << (SIGHUP - 1), &socket);
}

static int open_all(struct serving *serving)
{
    int r = loop_init(&serving->loop, serving->app->io, NULL);

    if (r == 0)
        r = ignore_signals(serving->app->io);
    if (r == 0)
        r = log_open(&serving->log, &serving->loop, 2);
    if (r == 0)
        r = open_link(serving);
    serving->conductor.run = conduct;
    return r == 0 ? loop_spawn(&serving->loop, &serving->conductor) : r;
}

static void free_all(struct serving *serving)
{
    if (serving->started) {
        workers_join(&serving->workers);
        access_log_close(serving->access_log);
        registry_done(&serving->registry);
        serving_leave(serving);
        serving_control_stop(serving);
        workers_done(&serving->workers);
        traffic_free(serving->traffic);
        metrics_free(serving->metrics);
    }
    link_close(&serving->link);
    serving_forget(serving);
    mem_free(serving->rings);
    mem_free(serving->folder);
    mem_free(serving->logs);
    log_close(&serving->log);
    loop_done(&serving->loop);
}

int serving_run(struct app *app)
{
    struct serving *serving = mem_zalloc(sizeof(*serving));
    int exit_code, r;

    if (!serving)
        return EXIT_FAILED;
    serving->app = app;
    list_init(&serving->incoming.texts);
    list_init(&serving->live);
    list_init(&serving->opening);
    list_init(&serving->closing);
    list_init(&serving->instances);
    list_init(&serving->runs);
    list_init(&serving->questions);
    timer_init(&serving->sweep, serving_sweep);
    timer_init(&serving->leaving, endpoints_look_leaving);
    r = open_all(serving);
    if (r < 0) {
        app_error(app, "serve: can't start: %s (it is started by weft up, with the channel to it as descriptor %d)",
                  app_reason(r), CHANNEL_DESCRIPTOR);
        return EXIT_FAILED;
    }
    loop_run(&serving->loop);
    exit_code = serving->exit_code;
    if (serving->drained) { /* else something is stuck, and goes with the process */
        free_all(serving);
        mem_free(serving);
    } else {
        log_close(&serving->log);
        app->abandoned = true;
    }
    return exit_code;
}
