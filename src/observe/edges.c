/* Who calls whom, from the same series as the scrape. */
#include "base/alloc.h"
#include "observe/metrics_internal.h"

#include <stdlib.h>

/* --- series of all workers, in order ---------------------------------------------------------------------------- */

static int view_add(struct metrics_view *view, const struct series *series)
{
    if (view->count == view->room) {
        size_t room = MAX(view->room * 2, (size_t)256);
        const struct series **grown = mem_realloc(view->series, room * sizeof(struct series *));

        if (!grown)
            return -ENOMEM;
        view->series = grown;
        view->room = room;
    }
    view->series[view->count++] = series;
    return 0;
}

static int view_compare(const void *a, const void *b)
{
    const struct series *const *left = a, *const *right = b;

    return series_key_compare(&(*left)->key, &(*right)->key);
}

/* Bounded: no table has more than OBSERVE_SERIES_MAX. */
int metrics_view_take(struct metrics_view *view, struct metrics *metrics, enum series_kind kind)
{
    const struct metrics_worker *mine;
    unsigned at = 0;
    int r = 0;

    view->count = 0;
    while ((mine = metrics_next_worker(metrics, &at)) != NULL && r == 0) {
        const struct series *other = &mine->table.others[kind];

        for (const struct series *series = series_first(&mine->table); series && r == 0; series = series->next)
            if (series->key.kind == kind)
                r = view_add(view, series);
        if (r == 0 && histogram_count(&other->duration, &HISTOGRAM_HTTP_SECONDS) > 0)
            r = view_add(view, other);
    }
    if (view->count > 1)
        qsort(view->series, view->count, sizeof(view->series[0]), view_compare);
    return r;
}

void metrics_view_done(struct metrics_view *view)
{
    mem_free(view->series);
    view->series = NULL;
}

/* --- edges ------------------------------------------------------------------------------------------------------- */

/* A service that calls is one, by whichever gateway. */
static bool same_edge(const struct metrics_edge *edge, const struct series_key *key)
{
    bool from_service = key->caller.len > 0;

    return edge->from_service == from_service && bytes_equal(edge->to, key->service) &&
           bytes_equal(edge->from, from_service ? key->caller : key->gateway);
}

static void add_series(struct metrics_edge *edge, const struct series *series)
{
    uint64_t count = histogram_count(&series->duration, &HISTOGRAM_HTTP_SECONDS);

    edge->requests += count;
    edge->retries += metric_read(&series->retries);
    if (series->key.outcome != OUTCOME_OK || series->key.status >= 500)
        edge->errors += count;
    histogram_sum_add(&edge->duration, &series->duration);
}

int metrics_edges_take(struct metrics *metrics, struct metrics_edges *ret)
{
    struct metrics_view view = { NULL, 0, 0 };
    struct metrics_edges edges = { NULL, 0 };
    struct metrics_edge *edge = NULL;
    int r = metrics_view_take(&view, metrics, SERIES_SERVER);

    if (r == 0) /* as many as there are series at most */
        edges.items = mem_zalloc_array(MAX(view.count, (size_t)1), sizeof(*edges.items));
    if (r == 0 && !edges.items)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < view.count; i++) {
        const struct series_key *key = &view.series[i]->key;

        if (!edge || !same_edge(edge, key)) {
            edge = &edges.items[edges.count++];
            edge->from_service = key->caller.len > 0;
            edge->from = edge->from_service ? key->caller : key->gateway;
            edge->to = key->service;
        }
        add_series(edge, view.series[i]);
    }
    metrics_view_done(&view);
    if (r == 0)
        *ret = edges;
    return r;
}

void metrics_edges_done(struct metrics_edges *edges)
{
    mem_free(edges->items);
    edges->items = NULL;
}
