/* How a worker lives in snapshots: see exchange/snapshot.h. */
#include "exchange/snapshot.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "exchange/worker.h"

void stage_local_use(struct stage_local *local)
{
    local->uses++;
}

void stage_local_drop(struct stage_local *local)
{
    ASSERT(local->uses > 0);
    if (--local->uses > 0)
        return;
    if (local->type->local_stop)
        local->type->local_stop(local->worker, local->data);
    mem_free(local);
}

void *stage_local(const struct stage *stage, const struct exchange *x)
{
    return x->view->locals[stage->index]->data;
}

/* The block of the same path in the worker's newest snapshot, or a new one. */
static struct stage_local *take_local(struct worker *worker, const struct stage *stage)
{
    struct snapshot_view *newest = worker->newest;
    const struct stage *before = newest ? snapshot_find(newest->snapshot, stage->type, stage->path) : NULL;
    struct stage_local *local = before ? newest->locals[before->index] : NULL;

    if (!local) {
        local = mem_zalloc(sizeof(*local) + stage->type->local_size);
        if (!local)
            return NULL;
        local->type = stage->type;
        local->worker = worker;
    }
    stage_local_use(local);
    if (stage->type->local_start && stage->type->local_start(stage, worker, local->data) < 0) {
        stage_local_drop(local);
        return NULL;
    }
    return local;
}

static void view_free(struct snapshot_view *view)
{
    for (unsigned i = 0; i < view->snapshot->stage_count; i++)
        if (view->locals[i])
            stage_local_drop(view->locals[i]);
    mem_free(view->locals);
    list_remove(&view->node);
    mem_free(view);
}

static struct snapshot_view *view_create(struct worker *worker, struct snapshot *snapshot)
{
    struct snapshot_view *view = mem_zalloc(sizeof(*view));

    if (!view)
        return NULL;
    list_init(&view->node);
    view->snapshot = snapshot;
    view->worker = worker;
    view->pins = 1;
    view->locals = mem_zalloc_array(MAX(snapshot->stage_count, 1u), sizeof(struct stage_local *));
    if (!view->locals) {
        mem_free(view);
        return NULL;
    }
    for (unsigned i = 0; i < snapshot->stage_count; i++) {
        const struct stage *stage = snapshot->stages[i];

        if (stage->type->local_size && !(view->locals[i] = take_local(worker, stage))) {
            view_free(view);
            return NULL;
        }
    }
    return view;
}

int worker_enter(struct worker *worker, struct snapshot *snapshot)
{
    struct snapshot_view *view = view_create(worker, snapshot);
    struct snapshot_view *before = worker->newest;

    if (!view)
        return -ENOMEM;
    snapshot_hold(snapshot);
    list_push_back(&worker->views, &view->node);
    worker->newest = view;
    if (before)
        snapshot_view_unpin(before);
    return 0;
}

void worker_leave_all(struct worker *worker)
{
    struct snapshot_view *newest = worker->newest;

    worker->newest = NULL;
    if (newest)
        snapshot_view_unpin(newest);
    ASSERT(list_empty(&worker->views)); /* an exchange is still pinned */
}

void snapshot_view_pin(struct snapshot_view *view)
{
    view->pins++;
}

void snapshot_view_unpin(struct snapshot_view *view)
{
    struct snapshot *snapshot = view->snapshot;

    ASSERT(view->pins > 0);
    if (--view->pins > 0)
        return;
    view_free(view);
    snapshot_release(snapshot);
}
