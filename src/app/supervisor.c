#include "app/supervisor.h"

#include "base/alloc.h"
#include "io/linux/linux.h"

#include <signal.h>
#include <stdio.h>

static uint64_t signal_bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* --- stopping ------------------------------------------------------------------------------------------------- */

static bool serving_is_gone(const struct supervisor *supervisor)
{
    enum lifecycle_state state = supervisor->serving.life.state;

    return !supervisor->serving.ops || state == LIFECYCLE_GONE || state == LIFECYCLE_IDLE;
}

void supervisor_stopped_one(struct supervisor *supervisor)
{
    if (!supervisor->stopping || !serving_is_gone(supervisor))
        return;
    if (!supervisor->stopping_units) {
        supervisor->stopping_units = true;
        timer_stop(&supervisor->loop, &supervisor->drain_limit);
    }
    units_stop(supervisor);
    if (list_empty(&supervisor->units))
        loop_stop(&supervisor->loop);
}

static void drain_took_too_long(struct timer *timer)
{
    struct supervisor *supervisor = container_of(timer, struct supervisor, drain_limit);

    log_say(&supervisor->log, "serving process: did not end in time, and is killed");
    child_kill(&supervisor->serving, SIGKILL);
}

/* Service managers signal every process of the system, and the guard passes it on: that is one signal, not two. */
static void hurry(struct supervisor *supervisor)
{
    if (loop_clock(&supervisor->loop) - supervisor->stopping_ns < HURRY_AFTER_NS)
        return;
    log_say(&supervisor->log, "asked twice: everything is killed");
    child_kill(&supervisor->serving, SIGKILL);
    units_kill(supervisor);
}

void supervisor_stop(struct supervisor *supervisor)
{
    if (supervisor->stopping) {
        hurry(supervisor);
        return;
    }
    supervisor->stopping = true;
    supervisor->stopping_ns = loop_clock(&supervisor->loop);
    if (supervisor->current)
        log_say(&supervisor->log, "stopping: accepted requests are finished first");
    timer_stop(&supervisor->loop, &supervisor->apply_limit);
    listenings_close_gateways(supervisor);
    courier_drain(supervisor);
    timer_set(&supervisor->loop, &supervisor->drain_limit,
              loop_clock(&supervisor->loop) + DRAIN_LIMIT_NS + STOP_GRACE_NS);
    if (supervisor->serving.ops && supervisor->serving.life.state == LIFECYCLE_BACKING_OFF)
        child_stop(&supervisor->serving);
    supervisor_stopped_one(supervisor);
}

void supervisor_fail(struct supervisor *supervisor)
{
    supervisor->exit_code = EXIT_FAILED;
    if (!supervisor->stopping)
        supervisor_stop(supervisor);
}

/* --- signals -------------------------------------------------------------------------------------------------- */

/* Orphans come to us, a subreaper, before they would to the guard, so that none is lost should the guard die. The dead
 * among them are reaped; a child of ours that has ended too is reaped by its own wake first. */
static bool is_ours(void *user, int64_t pid)
{
    struct supervisor *supervisor = user;

    if (supervisor->serving.process.pid == pid)
        return true;
    LIST_EACH (&supervisor->units, node, next)
        if (container_of(node, struct unit, node)->child.process.pid == pid)
            return true;
    return false;
}

static void reap_orphans(struct supervisor *supervisor)
{
    if (io_linux_reap_orphans(is_ours, supervisor) == -EBUSY)
        timer_set(&supervisor->loop, &supervisor->reaper, loop_clock(&supervisor->loop) + ORPHAN_AGAIN_NS);
}

static void reap_again(struct timer *timer)
{
    reap_orphans(container_of(timer, struct supervisor, reaper));
}

static void arm_signals(struct supervisor *supervisor)
{
    struct io *io = supervisor->loop.io;
    int r = io->ops->arm(io, &supervisor->signal, IO_READ);

    if (r < 0)
        log_say(&supervisor->log, "signals can't be watched: %s", app_reason(r));
}

static void signalled(struct wake *wake, unsigned events)
{
    struct supervisor *supervisor = container_of(wake, struct supervisor, signal);
    struct io *io = supervisor->loop.io;
    int number;

    while ((number = io->ops->try_signal(io, wake->socket)) > 0) {
        if (number == SIGCHLD)
            reap_orphans(supervisor);
        else if (number == SIGHUP)
            reload_begin(supervisor, 0);
        else
            supervisor_stop(supervisor);
    }
    arm_signals(supervisor);
}

static int open_signals(struct supervisor *supervisor)
{
    uint64_t mask = signal_bit(SIGTERM) | signal_bit(SIGINT) | signal_bit(SIGHUP) | signal_bit(SIGCHLD);
    struct io *io = supervisor->loop.io;
    int r = io->ops->signals(io, mask, &supervisor->signal.socket);

    supervisor->signal.run = signalled;
    if (r == 0)
        arm_signals(supervisor);
    return r;
}

static void apply_took_too_long(struct timer *timer)
{
    struct supervisor *supervisor = container_of(timer, struct supervisor, apply_limit);

    log_say(&supervisor->log, "serving process: did not take the version in time, and is killed");
    child_kill(&supervisor->serving, SIGKILL);
}

/* --- starting ------------------------------------------------------------------------------------------------- */

static void say_start(struct supervisor *supervisor)
{
    const struct plan *plan = &supervisor->pending->plan;
    unsigned instances = 0;
    bool chosen;

    for (unsigned i = 0; i < plan->service_count; i++)
        instances += scales_of(&supervisor->scales, &plan->services[i], &chosen);
    log_say(&supervisor->log, WEFT_VERSION " runs %s: %u service%s with %u instance%s, %u worker%s", supervisor->file,
            plan->service_count, app_plural(plan->service_count), instances, app_plural(instances), supervisor->workers,
            app_plural(supervisor->workers));
    for (unsigned i = 0; i < plan->listener_count; i++) {
        char memory[ADDRESS_TEXT_MAX];
        struct text text = text_into(memory, sizeof(memory));
        const struct plan_listener *listener = &plan->listeners[i];

        struct address address = listening_address(supervisor, listener);

        address_write(&text, &address);
        if (listener->last_port > 0 && address.port != listener->address.port)
            text_add_format(&text, " (%u is taken)", listener->address.port);
        if (listener->address.family == ADDRESS_UNIX)
            log_say(&supervisor->log, BYTES_FMT ": " BYTES_FMT, BYTES_ARG(listener->name),
                    BYTES_ARG(text_bytes(&text)));
        else
            log_say(&supervisor->log, BYTES_FMT ": " BYTES_FMT "://" BYTES_FMT, BYTES_ARG(listener->name),
                    BYTES_ARG(listener->scheme), BYTES_ARG(text_bytes(&text)));
    }
}

static int make_folders(struct supervisor *supervisor)
{
    struct io *io = supervisor->app->io;
    char run[FILE_PATH_MAX];
    int len = snprintf(run, sizeof(run), "%s/run", supervisor->state);
    int r = len < 0 || (size_t)len >= sizeof(run) ? -ENAMETOOLONG : 0;

    if (r == 0)
        r = io->ops->directory_make(io, supervisor->state, 0700);
    if (r == 0)
        r = io->ops->directory_make(io, run, 0700);
    if (r < 0)
        app_error(supervisor->app, "can't make the folder %s: %s", supervisor->state, app_reason(r));
    return r;
}

static int open_recorder(struct supervisor *supervisor)
{
    char folder[FILE_PATH_MAX];
    int len = snprintf(folder, sizeof(folder), "%s/logs", supervisor->state);

    if (len < 0 || (size_t)len >= sizeof(folder))
        return -ENAMETOOLONG;
    return recorder_open(&supervisor->recorder, &supervisor->loop, &supervisor->log, folder);
}

static int open_all(struct supervisor *supervisor)
{
    struct app *app = supervisor->app;
    int r = make_folders(supervisor);

    if (r < 0)
        return r;
    r = loop_init(&supervisor->loop, app->io, NULL);
    if (r == 0)
        r = log_open(&supervisor->log, &supervisor->loop, 2);
    if (r == 0)
        r = open_recorder(supervisor);
    if (r == 0)
        r = io_linux_become_subreaper();
    if (r == 0)
        r = open_signals(supervisor);
    if (r < 0)
        app_error(app, "can't start: %s", app_reason(r));
    return r;
}

static void close_all(struct supervisor *supervisor)
{
    struct io *io = supervisor->loop.io;

    link_close(&supervisor->link);
    listenings_close(supervisor);
    loaded_drop(supervisor->pending);
    loaded_drop(supervisor->current);
    io->ops->close(io, supervisor->signal.socket);
    LIST_EACH (&supervisor->outsides, node, next)
        mem_free(container_of(node, struct outside, node));
    scales_close(&supervisor->scales);
    recorder_close(&supervisor->recorder);
    limits_close(supervisor);
    log_close(&supervisor->log);
    loop_done(&supervisor->loop);
}

int supervisor_run(struct app *app, const char *file, const char *folder, const char *state)
{
    struct supervisor supervisor = { .app = app, .file = file, .folder = folder, .state = state };

    app->io->ops->entropy(app->io, &supervisor.secret, sizeof(supervisor.secret));
    list_init(&supervisor.listenings);
    list_init(&supervisor.units);
    list_init(&supervisor.outsides);
    timer_init(&supervisor.waiting, units_say_waiting);
    timer_init(&supervisor.apply_limit, apply_took_too_long);
    timer_init(&supervisor.drain_limit, drain_took_too_long);
    timer_init(&supervisor.reaper, reap_again);
    if (open_all(&supervisor) < 0)
        return EXIT_FAILED;
    scales_open(&supervisor.scales, app, state, &supervisor.log);
    reload_begin(&supervisor, 0);
    if (supervisor.pending) {
        say_start(&supervisor);
        courier_start(&supervisor);
    } else
        supervisor_fail(&supervisor);
    loop_run(&supervisor.loop);
    if (io_linux_kill_descendants() < 0) /* what services have left behind */
        log_say(&supervisor.log, "some processes could not be ended");
    if (supervisor.current)
        log_say(&supervisor.log, "stopped");
    close_all(&supervisor);
    return supervisor.exit_code;
}
