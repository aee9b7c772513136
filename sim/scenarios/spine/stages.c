/* Throw-away stages that try the spine: each is a plain function, as a stage must be. */
#include "sim/scenarios/spine/stages.h"

static struct endpoint *pick(struct exchange *x)
{
    struct party *party = party_of(x);

    return party->endpoints[prng_below(&party->world->prng, party->endpoint_count)];
}

/* One try on a random endpoint. */
static enum outcome proxy_run(const struct stage *stage, struct exchange *x)
{
    struct endpoint *endpoint = pick(x);

    if (exchange_use_endpoint(x, endpoint) < 0)
        return OUTCOME_OVERLOAD;
    return endpoint->ops->run(endpoint, x);
}

const struct stage_type STAGE_PROXY = { .name = "sim-proxy", .run = proxy_run };

/* Counts what is inside, with an ending; the count must survive reloads and be zero at the end. */
struct count_local {
    unsigned inside, seen;
};

struct count_ending {
    struct ending ending;
    struct count_local *local;
};

static void count_ended(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    struct count_ending *count = container_of(ending, struct count_ending, ending);

    if (count->local->inside == 0)
        world_fail(party_of(x)->world, "an ending ran twice");
    count->local->inside--;
}

static enum outcome count_run(const struct stage *stage, struct exchange *x)
{
    struct count_ending *count = arena_alloc(&x->arena, sizeof(*count));

    if (!count)
        return OUTCOME_OVERLOAD;
    count->local = stage_local(stage, x);
    count->ending.run = count_ended;
    count->local->inside++;
    count->local->seen++;
    exchange_at_end_local(x, &count->ending, stage);
    return stage_next(stage, x);
}

static void count_stop(struct worker *worker, void *local)
{
    const struct count_local *count = local;

    if (count->inside > 0)
        world_fail(container_of(worker, struct party, worker)->world, "%u endings have not run", count->inside);
}

const struct stage_type STAGE_COUNT = {
    .name = "sim-count",
    .local_size = sizeof(struct count_local),
    .run = count_run,
    .local_stop = count_stop,
};

/* A total timeout, as the real one. */
static enum outcome deadline_run(const struct stage *stage, struct exchange *x)
{
    struct scope scope;
    enum outcome outcome;

    scope_open(&scope, x->worker->loop->now_ns + SPINE_TIMEOUT_NS);
    outcome = stage_next(stage, x);
    if (outcome != OUTCOME_OK && scope_ended(&scope) == -ETIME)
        outcome = OUTCOME_TIMEOUT;
    scope_close(&scope);
    return outcome;
}

const struct stage_type STAGE_DEADLINE = { .name = "sim-deadline", .run = deadline_run };

/* --- forks on fibers of their own ----------------------------------------------------------------------------------
 */

struct leaf {
    struct task task;
    const struct stage *stage;
    struct exchange *x;
    enum outcome outcome;
};

static int leaf_run(struct task *task)
{
    struct leaf *leaf = container_of(task, struct leaf, task);

    leaf->outcome = stage_next(leaf->stage, leaf->x);
    return 0;
}

static int leaf_start(struct leaf *leaf, const struct stage *stage, struct exchange *x, struct scope *scope)
{
    int r;

    *leaf = (struct leaf){ .task = { .run = leaf_run }, .stage = stage, .outcome = OUTCOME_CANCELED };
    r = exchange_fork(x, &leaf->x);
    if (r < 0)
        return r;
    r = scope_spawn(scope, &leaf->task);
    if (r < 0) {
        exchange_end(leaf->x, OUTCOME_CANCELED);
        leaf->x = NULL;
    }
    return r;
}

/* (a) hedge: two forks, the slower one is cancelled; the winner's body streams on after the scope has closed. */
static enum outcome hedge_run(const struct stage *stage, struct exchange *x)
{
    struct leaf leaves[2] = { 0 };
    struct leaf *winner = NULL;
    struct scope scope;
    struct task *done;
    enum outcome outcome = OUTCOME_OVERLOAD;
    unsigned started = 0;

    if (x->request.upgrade)
        return stage_next(stage, x); /* a tunnel can't be had twice */
    scope_open(&scope, TIME_NEVER);
    while (started < ARRAY_LEN(leaves) && leaf_start(&leaves[started], stage, x, &scope) == 0) {
        started++;
        if (fiber_sleep(prng_between(&party_of(x)->world->prng, 0, 10) * NS_PER_MS) < 0)
            break;
    }
    while (!winner && scope_wait(&scope, &done) == 0) {
        struct leaf *leaf = container_of(done, struct leaf, task);

        outcome = leaf->outcome;
        if (outcome == OUTCOME_OK)
            winner = leaf;
    }
    scope_close(&scope);
    for (unsigned i = 0; i < started; i++)
        if (&leaves[i] != winner)
            exchange_end(leaves[i].x, OUTCOME_CANCELED);
    if (winner)
        exchange_adopt(x, winner->x);
    return winner ? OUTCOME_OK : fiber_scope()->ended ? OUTCOME_CANCELED : outcome;
}

const struct stage_type STAGE_HEDGE = { .name = "sim-hedge", .run = hedge_run };

/* (d) gather: many forks with a deadline; the answer says how many answered in time, and what they sent. */
struct gather {
    struct leaf *leaves[SPINE_LEAVES]; /* each a piece of the arena: all at once would not fit a block */
    uint64_t bytes;
    unsigned started, ok;
};

static void gather_take(struct gather *gather, struct leaf *leaf)
{
    struct body *body = leaf->x->response_body;
    struct bytes chunk;
    int r = 0;

    if (leaf->outcome != OUTCOME_OK)
        return;
    while (body && (r = body_read(body, &chunk)) > 0)
        gather->bytes += chunk.len;
    gather->ok += r == 0;
}

static enum outcome gather_run(const struct stage *stage, struct exchange *x)
{
    struct gather *gather = arena_zalloc(&x->arena, sizeof(*gather));
    struct scope scope;
    struct task *done;
    struct bytes text;

    if (!gather)
        return OUTCOME_OVERLOAD;
    scope_open(&scope, x->worker->loop->now_ns + SPINE_GATHER_NS);
    while (gather->started < SPINE_LEAVES) {
        struct leaf *leaf = gather->leaves[gather->started] = arena_alloc(&x->arena, sizeof(*leaf));

        if (!leaf || leaf_start(leaf, stage, x, &scope) < 0)
            break;
        gather->started++;
    }
    while (scope_wait(&scope, &done) == 0)
        gather_take(gather, container_of(done, struct leaf, task));
    scope_close(&scope);
    for (unsigned i = 0; i < gather->started; i++)
        exchange_end(gather->leaves[i]->x, OUTCOME_CANCELED);
    if (fiber_scope()->ended)
        return OUTCOME_CANCELED;
    if (arena_format(&x->arena, &text, "ok=%u of=%u bytes=%llu\n", gather->ok, SPINE_LEAVES,
                     (unsigned long long)gather->bytes) < 0 ||
        exchange_answer(x, 200, BYTES("text/plain"), text) < 0)
        return OUTCOME_OVERLOAD;
    return OUTCOME_OK;
}

const struct stage_type STAGE_GATHER = { .name = "sim-gather", .run = gather_run };

/* (b) mirror: a copy goes its own way in the worker's scope, and never changes the live answer. */
struct mirror {
    struct task task;
    const struct stage *stage;
    struct exchange *x;
};

static int mirror_run_copy(struct task *task)
{
    struct mirror *mirror = container_of(task, struct mirror, task);
    struct exchange *x = mirror->x;
    struct scope scope;
    struct bytes chunk;
    enum outcome outcome;

    scope_open(&scope, x->worker->loop->now_ns + SPINE_TIMEOUT_NS);
    x->scope = &scope;
    outcome = stage_next(mirror->stage, x);
    while (x->response_body && body_read(x->response_body, &chunk) > 0)
        ;
    body_close(x->response_body, outcome);
    x->response_body = NULL;
    scope_close(&scope);
    return 0;
}

/* The copy's memory, the task's own too, goes when its fiber has gone. */
static void mirror_ended(struct task *task)
{
    struct mirror *mirror = container_of(task, struct mirror, task);

    exchange_end(mirror->x, OUTCOME_OK);
}

static enum outcome mirror_run(const struct stage *stage, struct exchange *x)
{
    struct exchange *copy;
    struct mirror *mirror;

    if (exchange_detach(x, &copy) < 0)
        return stage_next(stage, x); /* no room for a copy: the live one goes on */
    mirror = arena_alloc(&copy->arena, sizeof(*mirror));
    if (!mirror) {
        exchange_end(copy, OUTCOME_CANCELED);
        return stage_next(stage, x);
    }
    *mirror = (struct mirror){ .task = { .run = mirror_run_copy, .ended = mirror_ended }, .stage = stage, .x = copy };
    if (loop_spawn(x->worker->loop, &mirror->task) < 0)
        exchange_end(copy, OUTCOME_CANCELED);
    return stage_next(stage, x);
}

const struct stage_type STAGE_MIRROR = { .name = "sim-mirror", .run = mirror_run };

/* A retry without back-off: three tries. */
static enum outcome again_run(const struct stage *stage, struct exchange *x)
{
    enum outcome outcome = stage_next(stage, x);

    for (unsigned i = 1; i < 3 && outcome != OUTCOME_OK && !fiber_scope()->ended; i++) {
        if (outcome == OUTCOME_CLIENT_GONE || exchange_rewind(x) < 0)
            return outcome;
        outcome = stage_next(stage, x);
    }
    return outcome;
}

const struct stage_type STAGE_AGAIN = { .name = "sim-again", .run = again_run };
