#include "sim/scenarios/scopes.h"

#include "base/assert.h"
#include "base/pool.h"

#define TREES_MAX 3
#define DEPTH_MAX 5
#define STEPS_MAX 8
#define CHILDREN_MAX 4  /* spawned by one place */
#define FIBERS 40       /* few enough that -EAGAIN happens */
#define WAIT_MAX_MS 300 /* of one sleep; deadlines are drawn from about the same range */

/* A simulated process with one tree of scopes. What is recorded here is the model that the real thing is held
 * against. */
struct tree {
    struct world_check check;
    struct task task;
    struct world *world;
    struct loop *loop;
    struct pool branches;
    struct list_node places; /* every open scope */
    unsigned place_count;
    uint64_t turns_seen;
    int64_t turn_ns; /* loop time of the last turn that is over */
    int64_t world_ns;
    bool done;
};

/* An open scope. */
struct place {
    struct scope scope;
    struct list_node node;
    struct tree *tree;
    struct place *outer;
    int64_t deadline_ns; /* its own */
    bool shielded, cancelled;
    uint64_t cancelled_turn;
    unsigned live; /* children that have not returned */
    int first_error;
    unsigned spawned;
    struct branch *children[CHILDREN_MAX]; /* freed by the place; NULL: frees itself */
};

struct branch {
    struct task task;
    struct tree *tree;
    struct place *place;
    unsigned depth;
};

static void steps_run(struct tree *tree, struct place *at, unsigned depth);

/* --- the model ------------------------------------------------------------------------------------------------- */

/* May a wait at this place end with `why`? */
static bool may_end(const struct place *place, int why, int64_t now_ns)
{
    for (; place; place = place->outer) {
        if (why == -ECANCELED && place->cancelled)
            return true;
        if (why == -ETIME && place->deadline_ns <= now_ns)
            return true;
        if (place->shielded)
            return false;
    }
    return false;
}

/* The time at which a wait at this place is over at the latest. */
static int64_t latest(const struct place *place)
{
    int64_t deadline = TIME_NEVER;

    for (; place; place = place->outer) {
        deadline = MIN(deadline, place->deadline_ns);
        if (place->shielded)
            break;
    }
    return deadline;
}

/* The turn after which a wait at this place is over, for cancellation. */
static uint64_t last_turn(const struct place *place)
{
    uint64_t turn = UINT64_MAX;

    for (; place; place = place->outer) {
        if (place->cancelled)
            turn = MIN(turn, place->cancelled_turn + 1);
        if (place->shielded)
            break;
    }
    return turn;
}

static void wait_check(struct place *place, int r, int ended, uint64_t began, int64_t limit_ns)
{
    struct tree *tree = place->tree;
    struct loop *loop = tree->loop;
    int64_t due = MIN(limit_ns, latest(place));

    if (r < 0 && !may_end(place, r, loop->now_ns))
        world_fail(tree->world, "a wait ended with %d for no reason", r);
    if (r == 0 && limit_ns != TIME_NEVER && loop->now_ns < limit_ns)
        world_fail(tree->world, "a sleep ended early");
    if (ended && (r != ended || loop->turns != began))
        world_fail(tree->world, "a wait in an ended scope (%d) ended with %d, %d turns later", ended, r,
                   (int)(loop->turns - began));
    if (loop->turns != began && tree->turn_ns >= due)
        world_fail(tree->world, "a wait outlived its deadline by a turn");
    if (loop->turns != began && loop->turns > MAX(last_turn(place), began + 1))
        world_fail(tree->world, "a wait outlived its cancellation by a turn");
}

/* After every event: what the last turn's time was, and that time moves on. */
static void tree_check(struct world *world, struct world_check *check)
{
    struct tree *tree = container_of(check, struct tree, check);

    if (tree->done || tree->loop->turns == tree->turns_seen)
        return;
    if (world->now_ns <= tree->world_ns && tree->turns_seen > 0)
        world_fail(world, "two turns at the same time");
    tree->turns_seen = tree->loop->turns;
    tree->turn_ns = tree->loop->now_ns;
    tree->world_ns = world->now_ns;
}

/* --- what fibers do ------------------------------------------------------------------------------------------------
 */

static int64_t draw_ms(struct tree *tree)
{
    return prng_between(&tree->world->prng, 0, WAIT_MAX_MS) * NS_PER_MS;
}

static int do_sleep(struct tree *tree, struct place *at)
{
    int64_t limit = tree->loop->now_ns + draw_ms(tree);
    uint64_t began = tree->loop->turns;
    int ended = at->scope.ended;
    int r = fiber_sleep_until(limit);

    wait_check(at, r, ended, began, limit);
    return r;
}

static int do_yield(struct tree *tree, struct place *at)
{
    uint64_t began = tree->loop->turns;
    int ended = at->scope.ended;
    int r = fiber_yield();

    if (r < 0 && !may_end(at, r, tree->loop->now_ns))
        world_fail(tree->world, "a yield ended with %d for no reason", r);
    if (tree->loop->turns != began + (ended ? 0 : 1))
        world_fail(tree->world, "a yield took %d turns", (int)(tree->loop->turns - began));
    return r;
}

static void place_cancel(struct place *place)
{
    int ended = place->scope.ended, ended_here = scope_ended(&place->scope);

    if (!place->cancelled) {
        place->cancelled = true;
        place->cancelled_turn = place->tree->loop->turns;
    }
    scope_cancel(&place->scope);
    if (scope_ended(&place->scope) != (ended ? ended_here : -ECANCELED)) /* the first end counts */
        world_fail(place->tree->world, "a scope that had ended with %d says %d after its cancellation", ended,
                   scope_ended(&place->scope));
}

static void do_cancel(struct tree *tree)
{
    uint64_t choice;

    if (tree->place_count == 0) /* all are being closed */
        return;
    choice = prng_below(&tree->world->prng, tree->place_count);
    LIST_EACH (&tree->places, node, next)
        if (choice-- == 0) {
            place_cancel(container_of(node, struct place, node));
            return;
        }
}

static void branch_ended(struct task *task)
{
    struct branch *branch = container_of(task, struct branch, task);

    pool_give(&branch->tree->branches, branch);
}

static int branch_run(struct task *task)
{
    struct branch *branch = container_of(task, struct branch, task);
    struct place *place = branch->place;
    int r;

    steps_run(branch->tree, place, branch->depth);
    r = prng_chance(&branch->tree->world->prng, 0.2) ? -(int)prng_between(&branch->tree->world->prng, 200, 300) : 0;
    place->live--;
    if (r < 0 && place->first_error == 0)
        place->first_error = r;
    return r;
}

static int do_spawn(struct tree *tree, struct place *at, unsigned depth)
{
    bool own = prng_chance(&tree->world->prng, 0.5); /* frees itself */
    struct branch *branch;
    int r;

    if (at->spawned == CHILDREN_MAX)
        return 0;
    branch = pool_take(&tree->branches);
    if (!branch) {
        world_fail(tree->world, "more branches than fibers");
        return -ENOMEM;
    }
    *branch = (struct branch){
        .task = { .run = branch_run, .ended = own ? branch_ended : NULL }, .tree = tree, .place = at, .depth = depth + 1
    };
    r = scope_spawn(&at->scope, &branch->task);
    if (r < 0) {
        pool_give(&tree->branches, branch);
        if (r != -EAGAIN && !at->scope.ended)
            world_fail(tree->world, "spawning failed with %d", r);
        return r;
    }
    at->children[at->spawned++] = own ? NULL : branch;
    at->live++;
    return 0;
}

static int do_join(struct tree *tree, struct place *at)
{
    uint64_t began = tree->loop->turns;
    struct task *task;
    int ended = at->scope.ended;
    int r = scope_wait(&at->scope, &task);

    if (r == -ENOENT || r == 0)
        return 0;
    wait_check(at, r, ended, began, TIME_NEVER);
    return r;
}

static void place_open(struct tree *tree, struct place *here, struct place *outer)
{
    struct prng *prng = &tree->world->prng;

    *here = (struct place){ .tree = tree, .outer = outer, .deadline_ns = TIME_NEVER };
    here->shielded = outer && prng_chance(prng, 0.15);
    if (here->shielded) {
        int64_t grace = draw_ms(tree) + 1;

        here->deadline_ns = tree->loop->now_ns + grace;
        scope_open_shielded(&here->scope, grace);
    } else {
        if (prng_chance(prng, 0.6))
            here->deadline_ns = tree->loop->now_ns + draw_ms(tree);
        scope_open(&here->scope, here->deadline_ns);
    }
    list_push_back(&tree->places, &here->node);
    tree->place_count++;
}

static void place_close(struct tree *tree, struct place *here)
{
    int why = scope_ended(&here->scope), r;

    if (why && !(why == -ECANCELED ? here->cancelled : here->deadline_ns <= tree->loop->now_ns))
        world_fail(tree->world, "a scope ended with %d for no reason", why);
    list_remove(&here->node); /* nobody else may cancel it from now on: it goes away */
    tree->place_count--;
    if (here->live > 0 && !here->cancelled) {
        here->cancelled = true;
        here->cancelled_turn = tree->loop->turns;
    }
    r = scope_close(&here->scope);
    if (here->live > 0)
        world_fail(tree->world, "%u children outlived their scope", here->live);
    if (r != here->first_error)
        world_fail(tree->world, "a scope closed with %d, its first error was %d", r, here->first_error);
    for (unsigned i = 0; i < here->spawned; i++)
        pool_give(&tree->branches, here->children[i]);
}

static void do_nest(struct tree *tree, struct place *outer, unsigned depth)
{
    struct place here;
    unsigned steps = (unsigned)prng_below(&tree->world->prng, STEPS_MAX);

    place_open(tree, &here, outer);
    for (unsigned i = 0; i < steps; i++) {
        int r = 0;

        switch (prng_below(&tree->world->prng, 4)) {
        case 0: r = do_spawn(tree, &here, depth); break;
        case 1: r = do_join(tree, &here); break;
        case 2: r = do_sleep(tree, &here); break;
        case 3: steps_run(tree, &here, depth + 1); break;
        }
        if (r < 0 && prng_chance(&tree->world->prng, 0.8)) /* now and then somebody does not listen */
            break;
    }
    place_close(tree, &here);
}

static void steps_run(struct tree *tree, struct place *at, unsigned depth)
{
    unsigned steps = (unsigned)prng_below(&tree->world->prng, STEPS_MAX);
    int r = 0;

    for (unsigned i = 0; i < steps && r == 0; i++) {
        switch (prng_below(&tree->world->prng, 6)) {
        case 0:
        case 1: r = do_sleep(tree, at); break;
        case 2: r = do_yield(tree, at); break;
        case 3: do_cancel(tree); break;
        default:
            if (depth < DEPTH_MAX)
                do_nest(tree, at, depth);
            break;
        }
    }
}

/* --- the whole
 * -------------------------------------------------------------------------------------------------------- */

static int tree_run(struct task *task)
{
    struct tree *tree = container_of(task, struct tree, task);
    unsigned rounds = (unsigned)prng_between(&tree->world->prng, 1, 6);

    for (unsigned i = 0; i < rounds; i++)
        do_nest(tree, NULL, 0);
    pool_done(&tree->branches);
    if (!list_empty(&tree->places) || tree->loop->fibers.count != 1)
        world_fail(tree->world, "%u places and %u fibers are left", tree->place_count, tree->loop->fibers.count);
    tree->done = true;
    loop_stop(tree->loop);
    return 0;
}

static int tree_start(struct sim_process *process, void *context)
{
    struct tree *tree = context;
    struct loop_limits limits = { .fibers_max = FIBERS, .stacks_keep = 4 };

    tree->loop = sim_process_loop(process, &limits);
    if (!tree->loop)
        return -ENOMEM;
    tree->task = (struct task){ .run = tree_run };
    pool_init(&tree->branches, "branches", sizeof(struct branch), FIBERS * DEPTH_MAX * CHILDREN_MAX, FIBERS);
    return loop_spawn(tree->loop, &tree->task);
}

static void run(struct world *world, uint64_t seed)
{
    unsigned count = (unsigned)prng_between(&world->prng, 1, TREES_MAX);
    struct world_end end = { .reached = world_all_ended, .events_max = 2000000 };
    struct tree *trees[TREES_MAX];
    struct nemesis *nemesis;
    int r;

    sim_faults_draw(&world->faults, world);
    for (unsigned i = 0; i < count; i++) {
        struct sim_process *process;

        trees[i] = sim_take(sizeof(*trees[i]));
        trees[i]->world = world;
        trees[i]->check.run = tree_check;
        list_init(&trees[i]->places);
        process = sim_process_add(world_node(world), "tree", tree_start, trees[i]);
        sim_process_start(process);
        world_check(world, &trees[i]->check);
    }
    nemesis = nemesis_start(world, NEMESIS_PAUSE, world->now_ns + 10 * NS_PER_S,
                            (struct sim_range){ 50 * NS_PER_MS, NS_PER_S });
    end.until_ns = world->now_ns + 3600 * NS_PER_S;
    r = world_run(world, &end);
    if (r < 0)
        world_fail(world, "the trees did not end (%d)", r);
    nemesis_destroy(nemesis);
    world_end_processes(world);
    for (unsigned i = 0; i < count; i++) {
        list_remove(&trees[i]->check.node);
        mem_free(trees[i]);
    }
}

const struct scenario SCENARIO_SCOPES = {
    .name = "scopes",
    .what = "random trees of scopes: children end first, no wait outlives its deadline, everything is joined",
    .run = run,
};
