#include "exchange/snapshot.h"

#include "base/alloc.h"
#include "base/assert.h"

int snapshot_create(uint64_t version, struct snapshot **ret)
{
    struct snapshot *snapshot = mem_zalloc(sizeof(*snapshot));

    if (!snapshot)
        return -ENOMEM;
    snapshot->magic = SNAPSHOT_MAGIC;
    snapshot->version = version;
    arena_init(&snapshot->arena, NULL, SNAPSHOT_ARENA_MAX);
    map_init(&snapshot->paths, (struct hash_key){ 0, 0 }, STAGES_MAX); /* paths come from our own configuration */
    list_init(&snapshot->node);
    *ret = snapshot;
    return 0;
}

static int make_room(struct snapshot *snapshot)
{
    unsigned room = snapshot->stage_room ? snapshot->stage_room * 2 : 16;
    struct stage **stages;

    if (snapshot->stage_count < snapshot->stage_room)
        return 0;
    if (snapshot->stage_count >= STAGES_MAX)
        return -ENOSPC;
    stages = mem_realloc(snapshot->stages, room * sizeof(*stages));
    if (!stages)
        return -ENOMEM;
    snapshot->stages = stages;
    snapshot->stage_room = room;
    return 0;
}

int snapshot_add_stage(struct snapshot *snapshot, const struct stage_type *type, const void *conf, struct bytes path,
                       struct stage **ret)
{
    struct stage *stage;
    int r;

    CHECK_MAGIC(snapshot, SNAPSHOT_MAGIC);
    if (map_get(&snapshot->paths, path))
        return -EEXIST;
    r = make_room(snapshot);
    if (r < 0)
        return r;
    stage = arena_zalloc(&snapshot->arena, sizeof(*stage));
    if (!stage || arena_copy(&snapshot->arena, path, &stage->path) < 0)
        return -ENOMEM;
    r = map_put(&snapshot->paths, stage->path, stage);
    if (r < 0)
        return r;
    stage->type = type;
    stage->conf = conf;
    stage->index = snapshot->stage_count;
    snapshot->stages[snapshot->stage_count++] = stage;
    *ret = stage;
    return 0;
}

const struct stage *snapshot_find(const struct snapshot *snapshot, const struct stage_type *type, struct bytes path)
{
    const struct stage *stage = snapshot ? map_get(&snapshot->paths, path) : NULL;

    return stage && stage->type == type ? stage : NULL;
}

int snapshot_seal(struct snapshot *snapshot, const struct snapshot *previous, struct fault *fault)
{
    for (unsigned i = 0; i < snapshot->stage_count; i++) {
        struct stage *stage = snapshot->stages[i];
        int r = 0;

        if (stage->type->prepare)
            r = stage->type->prepare(stage, snapshot_find(previous, stage->type, stage->path), fault);
        if (r < 0) {
            snapshot->stage_count = i; /* those after it were not prepared, and need no retiring */
            return r;
        }
    }
    return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
    CHECK_MAGIC(snapshot, SNAPSHOT_MAGIC);
    for (unsigned i = 0; i < snapshot->stage_count; i++)
        if (snapshot->stages[i]->type->retire)
            snapshot->stages[i]->type->retire(snapshot->stages[i]);
    list_remove(&snapshot->node);
    map_done(&snapshot->paths);
    mem_free(snapshot->stages);
    arena_done(&snapshot->arena);
    snapshot->magic = 0;
    mem_free(snapshot);
}

void snapshot_hold(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->holders, 1, memory_order_relaxed);
}

void snapshot_release(struct snapshot *snapshot)
{
    unsigned before = atomic_fetch_sub_explicit(&snapshot->holders, 1, memory_order_acq_rel);

    ASSERT(before > 0);
}

unsigned snapshots_sweep(struct list_node *live)
{
    unsigned left = 0;

    LIST_EACH (live, node, next) {
        struct snapshot *snapshot = container_of(node, struct snapshot, node);

        if (atomic_load_explicit(&snapshot->holders, memory_order_acquire) == 0)
            snapshot_free(snapshot);
        else
            left++;
    }
    return left;
}
