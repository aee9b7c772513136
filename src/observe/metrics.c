#include "observe/metrics.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "exchange/endpoint.h"
#include "observe/metrics_internal.h"

int metrics_create(struct io *io, unsigned workers_max, struct metrics **ret)
{
    struct metrics *metrics = mem_alloc(sizeof(*metrics) + workers_max * sizeof(metrics->workers[0]));
    struct hash_key hash_key;

    if (!metrics)
        return -ENOMEM;
    io->ops->entropy(io, &hash_key, sizeof(hash_key));
    metrics->io = io;
    metrics->started_ns = io->ops->wall_ns(io);
    metrics->workers_max = workers_max;
    series_admission_init(&metrics->admission, hash_key);
    for (unsigned i = 0; i < workers_max; i++)
        atomic_init(&metrics->workers[i], NULL);
    *ret = metrics;
    return 0;
}

struct metrics_worker *metrics_next_worker(struct metrics *metrics, unsigned *at)
{
    struct metrics_worker *mine = NULL;

    while (!mine && *at < metrics->workers_max)
        mine = atomic_load_explicit(&metrics->workers[(*at)++], memory_order_acquire);
    return mine;
}

void metrics_free(struct metrics *metrics)
{
    struct metrics_worker *mine;
    unsigned at = 0;

    while ((mine = metrics_next_worker(metrics, &at)) != NULL) {
        series_table_done(&mine->table);
        mem_free(mine);
    }
    mem_free(metrics);
}

static void count_server(struct metrics_worker *mine, const struct exchange *x, int64_t now_ns)
{
    struct series_key key = {
        .kind = SERIES_SERVER,
        .method = (uint8_t)x->request.method,
        .outcome = (uint8_t)x->outcome,
        .status = (uint16_t)x->response.status,
        .service = x->service,
        .place = x->route,
        .gateway = x->gateway,
        .caller = x->caller,
    };
    struct series *series = series_take(&mine->table, key);

    histogram_add(&series->duration, &HISTOGRAM_HTTP_SECONDS, now_ns - x->times.start_ns);
    if (x->retries)
        metric_add(&series->retries, x->retries);
}

/* The last try, from when it was sent to the head of its answer, or to the end without one. The status of an exchange
 * that failed is ours, not the endpoint's. */
static void count_client(struct metrics_worker *mine, const struct exchange *x, int64_t now_ns)
{
    int64_t end_ns = x->times.head_ns >= x->times.sent_ns ? x->times.head_ns : now_ns;
    struct series_key key = {
        .kind = SERIES_CLIENT,
        .method = (uint8_t)x->request.method,
        .outcome = (uint8_t)x->outcome,
        .status = x->outcome == OUTCOME_OK ? (uint16_t)x->response.status : 0,
        .service = x->service,
        .place = x->endpoint->address,
    };
    struct series *series = series_take(&mine->table, key);

    histogram_add(&series->duration, &HISTOGRAM_HTTP_SECONDS, end_ns - x->times.sent_ns);
    if (x->retries)
        metric_add(&series->retries, x->retries);
}

static void ended(const struct observer *observer, struct worker *worker, const struct exchange *x)
{
    struct metrics_worker *mine = container_of((struct observer *)observer, struct metrics_worker, observer);
    int64_t now_ns;

    if (!x->source) /* (5) */
        return;
    now_ns = loop_clock(worker->loop);
    metric_add(&mine->outcomes[x->outcome], 1);
    count_server(mine, x, now_ns);
    if (x->endpoint && x->times.sent_ns)
        count_client(mine, x, now_ns);
}

static void add_stats(struct http_endpoint_stats *to, const struct http_endpoint_stats *from)
{
    metric_add(&to->connects, metric_read(&from->connects));
    metric_add(&to->connect_failures, metric_read(&from->connect_failures));
    metric_add(&to->reuses, metric_read(&from->reuses));
    metric_add(&to->replays, metric_read(&from->replays));
    metric_add(&to->idle_closed_by_peer, metric_read(&from->idle_closed_by_peer));
    metric_add(&to->protocol_errors, metric_read(&from->protocol_errors));
}

/* Each total is stored once, and never smaller than before. */
static void sample_endpoints(struct metrics_worker *mine)
{
    struct http_endpoint_stats total = { 0 }, *to = &mine->sampled.endpoints;
    struct list_node *node;

    add_stats(&total, &mine->endpoints_gone);
    for (node = mine->endpoints.next; node != &mine->endpoints; node = node->next)
        add_stats(&total, container_of(node, struct metrics_endpoint, node)->stats);
    metric_set(&to->connects, metric_read(&total.connects));
    metric_set(&to->connect_failures, metric_read(&total.connect_failures));
    metric_set(&to->reuses, metric_read(&total.reuses));
    metric_set(&to->replays, metric_read(&total.replays));
    metric_set(&to->idle_closed_by_peer, metric_read(&total.idle_closed_by_peer));
    metric_set(&to->protocol_errors, metric_read(&total.protocol_errors));
}

static void sample_pool(const struct pool *pool, struct metric *out, struct metric *highest, struct metric *refused)
{
    metric_set(out, pool->out);
    metric_set(highest, pool->out_highest);
    metric_set(refused, pool->refused);
}

static void sample(struct metrics_worker *mine)
{
    const struct worker *worker = mine->worker;
    const struct fiber_pool *fibers = &worker->loop->fibers;
    struct metrics_sampled *to = &mine->sampled;

    metric_set(&to->fibers, fibers->count);
    metric_set(&to->fibers_highest, fibers->count_highest);
    metric_set(&to->fibers_refused, fibers->refused);
    sample_pool(&worker->exchanges, &to->exchanges, &to->exchanges_highest, &to->exchanges_refused);
    sample_pool(&worker->buffers, &to->buffers, &to->buffers_highest, &to->buffers_refused);
    sample_pool(&worker->bulk_buffers, &to->bulk_buffers, &to->bulk_buffers_highest, &to->bulk_buffers_refused);
    sample_pool(&worker->blocks, &to->blocks, &to->blocks_highest, &to->blocks_refused);
    sample_endpoints(mine);
}

static void sample_again(struct timer *timer)
{
    struct metrics_worker *mine = container_of(timer, struct metrics_worker, sampler);

    sample(mine);
    timer_set(mine->worker->loop, timer, mine->worker->loop->now_ns + OBSERVE_SAMPLE_NS);
}

int metrics_attach(struct metrics *metrics, struct worker *worker, const struct http_server *server,
                   struct metrics_worker **ret)
{
    struct metrics_worker *mine;

    ASSERT(worker->index < metrics->workers_max);
    ASSERT(!atomic_load_explicit(&metrics->workers[worker->index], memory_order_relaxed));
    mine = mem_zalloc(sizeof(*mine));
    if (!mine)
        return -ENOMEM;
    mine->observer.ended = ended;
    mine->worker = worker;
    mine->server = server;
    series_table_init(&mine->table, &metrics->admission);
    list_init(&mine->endpoints);
    timer_init(&mine->sampler, sample_again);
    sample_again(&mine->sampler);
    atomic_store_explicit(&metrics->workers[worker->index], mine, memory_order_release);
    *ret = mine;
    return 0;
}

void metrics_detach(struct metrics_worker *mine)
{
    timer_stop(mine->worker->loop, &mine->sampler);
    sample(mine);
}

const struct observer *metrics_observer(struct metrics_worker *mine)
{
    return &mine->observer;
}

void metrics_endpoint_add(struct metrics_worker *mine, struct metrics_endpoint *endpoint,
                          const struct http_endpoint_stats *stats)
{
    endpoint->stats = stats;
    list_init(&endpoint->node);
    list_push_back(&mine->endpoints, &endpoint->node);
}

void metrics_endpoint_remove(struct metrics_worker *mine, struct metrics_endpoint *endpoint)
{
    add_stats(&mine->endpoints_gone, endpoint->stats);
    list_remove(&endpoint->node);
}
