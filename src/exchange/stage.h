/* exchange/stage.h - a stage of the onion: a plain function that may call the next one, as a function wraps a call.
 *
 * (1) A stage either answers (OUTCOME_OK, response head set) or fails with an outcome, never both.
 * (2) Stages are immutable and belong to a snapshot; what they remember lives in their local block, one for each
 *     worker, which only that worker touches.
 * (3) A stage's path names it across snapshots ("routes/0/retry"): a local block of the same path and type is
 *     handed on, so a reload resets nothing.
 */
#ifndef WEFT_EXCHANGE_STAGE_H
#define WEFT_EXCHANGE_STAGE_H

#include "base/fault.h"
#include "exchange/exchange.h"

struct stage;
struct conf_schema;

struct stage_type {
    const char *name;                 /* as written in weft.yaml */
    const struct conf_schema *schema; /* of its settings; NULL: none. Parsing, JSON Schema and docs come from it */
    size_t local_size;                /* state per worker, zeroed at first: cursors, budgets, breakers */

    /* Once per snapshot, on the control loop. `previous`: the stage of the same path and type in the snapshot before,
     * or NULL. NULL: nothing to prepare. */
    int (*prepare)(struct stage *stage, const struct stage *previous, struct fault *fault);
    enum outcome (*run)(const struct stage *stage, struct exchange *x);
    void (*retire)(struct stage *stage); /* the snapshot goes; NULL: nothing to do */

    /* On the worker, when it first sees the stage / when its last snapshot with that path goes. May be NULL. A block
     * that is handed on is told of the new stage by another local_start. */
    int (*local_start)(const struct stage *stage, struct worker *worker, void *local);
    void (*local_stop)(struct worker *worker, void *local);
};

#define STAGE_PATH_MAX 256

struct stage {
    const struct stage_type *type;
    struct bytes path;
    const void *conf;                    /* typed by the schema */
    const struct stage *next;            /* NULL: this one answers by itself */
    const struct stage *const *children; /* of stages with several ways on; by the stage's own meaning */
    unsigned child_count;
    unsigned index; /* in the snapshot's table */
    void *state;    /* what prepare() made; immutable afterwards, or safe for threads */
};

/* Both record a step, exchange/step.h. */
static inline enum outcome stage_run(const struct stage *stage, struct exchange *x)
{
    struct step *outer = x->steps.current;
    struct step *step = steps_begin(&x->steps, stage->type, stage->path, x->worker->loop->now_ns);
    enum outcome outcome = stage->type->run(stage, x);

    steps_end(&x->steps, step, outer, outcome, x->response.status, x->worker->loop->now_ns);
    return outcome;
}

static inline enum outcome stage_next(const struct stage *stage, struct exchange *x)
{
    return stage_run(stage->next, x);
}

/* The stage's block of this exchange's worker. */
void *stage_local(const struct stage *stage, const struct exchange *x);

#endif
