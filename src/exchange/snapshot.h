/* exchange/snapshot.h - an immutable, versioned compilation of the configuration, and how workers live in it.
 *
 * (1) Built on the control loop: snapshot_create(), snapshot_add_stage() for each stage, then snapshot_seal(), which
 *     prepares the stages. After that nobody writes to it.
 * (2) A worker enters a snapshot with worker_enter() (in a letter); new exchanges are pinned to the newest one. When
 *     the last exchange that is pinned to an older one ends, the worker leaves it. When nobody holds it any more, the
 *     next snapshots_sweep() of the control loop retires and frees it.
 * (3) At most SNAPSHOTS_LIVE_MAX versions live at a time: whoever makes snapshots refuses another one (-EBUSY). A
 * tunnel lets go of its snapshot (exchange_release_snapshot()), so it holds none back.
 */
#ifndef WEFT_EXCHANGE_SNAPSHOT_H
#define WEFT_EXCHANGE_SNAPSHOT_H

#include "base/hash.h"
#include "base/map.h"
#include "exchange/stage.h"

#include <stdatomic.h>

#define SNAPSHOT_MAGIC 0x54a9507u

struct snapshot {
    uint32_t magic;
    uint64_t version;
    struct arena arena; /* everything of the configuration lives here */
    struct stage **stages;
    unsigned stage_count, stage_room;
    struct map paths;              /* path -> stage */
    const struct stage *root;      /* where a source starts */
    struct bytes folder;           /* where paths of files count from; empty: the working directory. Set by its maker */
    const struct hash_key *secret; /* the running system's, for codes of its own; NULL: none. Set by its maker */
    const void *system;            /* the typed configuration, for those above */
    atomic_uint holders;           /* workers inside, and the control loop's own */
    struct list_node node;         /* among the live ones, control loop only */
};

int snapshot_create(uint64_t version, struct snapshot **ret) MUST_CHECK; /* -ENOMEM */
int snapshot_add_stage(struct snapshot *snapshot, const struct stage_type *type, const void *conf, struct bytes path,
                       struct stage **ret) MUST_CHECK; /* -ENOSPC: STAGES_MAX; -ENOMEM */
int snapshot_seal(struct snapshot *snapshot, const struct snapshot *previous, struct fault *fault) MUST_CHECK;

/* The stage of that path and type, or NULL. Paths are unique in a snapshot: adding one twice is -EEXIST. */
const struct stage *snapshot_find(const struct snapshot *snapshot, const struct stage_type *type, struct bytes path);

void snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot); /* any thread */

/* Retires and frees the snapshots of the list that nobody holds; returns how many are left. Control loop only. */
unsigned snapshots_sweep(struct list_node *live);
void snapshot_free(struct snapshot *snapshot); /* one that was never published */

/* How a worker lives in a snapshot. */
/* A counted block: each view that has the path, and each ending that will touch it, uses it. */
struct stage_local {
    const struct stage_type *type;
    struct worker *worker;
    unsigned uses;
    alignas(16) char data[];
};

void stage_local_use(struct stage_local *local);
void stage_local_drop(struct stage_local *local);

struct snapshot_view {
    struct snapshot *snapshot;
    struct worker *worker;
    unsigned pins;               /* exchanges, and the worker's own while it is the newest */
    struct stage_local **locals; /* by stage index; NULL where there is no state */
    struct list_node node;
};

/* On the worker. Makes the snapshot its newest one; the blocks of known paths are handed on. -ENOMEM: it stays in the
 * old one. */
int worker_enter(struct worker *worker, struct snapshot *snapshot) MUST_CHECK;
void worker_leave_all(struct worker *worker); /* at its end, when no exchange is left */

void snapshot_view_pin(struct snapshot_view *view);
void snapshot_view_unpin(struct snapshot_view *view);

#endif
