#include "app/dialer.h"

#include "app/workers.h"
#include "base/alloc.h"
#include "http/client.h"

/* From the endpoint's birth until it leaves its set; what it counts later is lost. */
struct counted {
    struct metrics_endpoint metrics;
    struct metrics_worker *worker;
};

static int create(const struct service_dialer *dialer, struct worker *worker, const struct instance *instance,
                  bool check, struct endpoint **ret)
{
    struct worker_thread *thread = container_of(worker, struct worker_thread, worker);
    struct counted *counted;
    int r = SERVICE_DIALER_HTTP.create(dialer, worker, instance, check, ret);

    if (r < 0 || check || !thread->metrics)
        return r;
    counted = mem_alloc(sizeof(*counted));
    if (!counted)
        return 0; /* it serves, uncounted */
    counted->worker = thread->metrics;
    metrics_endpoint_add(counted->worker, &counted->metrics, http_endpoint_stats(*ret));
    (*ret)->user = counted;
    return 0;
}

static void retire(struct endpoint *endpoint)
{
    struct counted *counted = endpoint->user;

    if (counted)
        metrics_endpoint_remove(counted->worker, &counted->metrics);
    endpoint->user = NULL;
    mem_free(counted);
    SERVICE_DIALER_HTTP.retire(endpoint);
}

const struct service_dialer APP_DIALER = { .create = create, .retire = retire };
