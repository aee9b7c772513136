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

static int ask_all(struct serving *serving, unsigned first, unsigned last, worker_order *order)
{
    int r = 0;

    for (unsigned i = first; r == 0 && i <= last; i++)
        r = workers_ask(&serving->workers, i, order, NULL);
    return r;
}

/* Lets what was accepted finish; what has not finished in time is cut off. Services may call each other as long as
 * requests of clients are under way. */
static bool drain(struct serving *serving, unsigned first, unsigned last, int64_t limit_ns)
{
    static worker_order *const ORDERS[] = { worker_order_drain, worker_order_drain_mesh };
    int64_t until_ns = serving->loop.now_ns + limit_ns;
    bool quiet = true;

    for (size_t i = 0; i < ARRAY_LEN(ORDERS) && quiet; i++) {
        if (ask_all(serving, first, last, ORDERS[i]) < 0)
            return false;
        quiet = wait_quiet(serving, first, until_ns);
    }
    if (quiet)
        return true;
    log_say(&serving->log, "what did not finish in time is cut off");
    (void)ask_all(serving, first, last, worker_order_abort);
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
