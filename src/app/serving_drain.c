/* The end of the serving process: see app/serving.h. */
#include "app/serving.h"

/* Waits until the workers from `first` on have no connection left, at most until `until_ns`. */
static bool wait_quiet(struct serving *serving, unsigned first, int64_t until_ns)
{
    while (!workers_quiet(&serving->workers, first)) {
        if (serving->loop.now_ns >= until_ns || fiber_sleep(WORKER_QUIET_NS) < 0)
            return false;
    }
    return true;
}

/* Lets what was accepted finish; what has not finished in time is cut off. */
static bool drain(struct serving *serving, unsigned first, unsigned last, int64_t limit_ns)
{
    struct workers *workers = &serving->workers;
    bool quiet;

    for (unsigned i = first; i <= last; i++)
        if (workers_ask(workers, i, worker_order_drain, NULL) < 0)
            return false;
    quiet = wait_quiet(serving, first, serving->loop.now_ns + limit_ns);
    if (quiet)
        return true;
    log_say(&serving->log, "what did not finish in time is cut off");
    for (unsigned i = first; i <= last; i++)
        (void)workers_ask(workers, i, worker_order_abort, NULL);
    return wait_quiet(serving, first, serving->loop.now_ns + SHORT_DRAIN_NS);
}

static bool stop_registry(struct serving *serving)
{
    int64_t until_ns = serving->loop.now_ns + SHORT_DRAIN_NS;

    registry_stop(&serving->registry);
    while (!registry_quiet(&serving->registry))
        if (serving->loop.now_ns >= until_ns || fiber_sleep(WORKER_QUIET_NS) < 0)
            return false;
    return true;
}

bool serving_drain(struct serving *serving)
{
    struct workers *workers = &serving->workers;

    timer_stop(&serving->loop, &serving->sweep);
    if (!serving->started)
        return !serving->workers.threads; /* some may run, and nobody can end them */
    if (!drain(serving, 1, workers->count - 1, serving->drain_limit_ns))
        return false;
    if (!drain(serving, 0, 0, SHORT_DRAIN_NS) || !stop_registry(serving))
        return false;
    return workers_round(workers, 1, worker_order_stop, NULL) == 0;
}
