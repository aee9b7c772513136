/* The way through the stages, as exchange/step.h says it is recorded. */
#include "faults.h"
#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OUTER_NS (2 * NS_PER_MS)
#define LEAF_NS (3 * NS_PER_MS)

/* --- stages to go through ------------------------------------------------------------------------------------- */

/* Runs what follows so often as its conf says, resting before each. */
static enum outcome again_run(const struct stage *stage, struct exchange *x)
{
    const unsigned *times = stage->conf;
    enum outcome outcome = OUTCOME_OK;

    for (unsigned i = 0; i < *times; i++) {
        rig_sleep(OUTER_NS);
        outcome = stage_next(stage, x);
        step_number(x, i + 1);
    }
    return outcome;
}

/* Fails until it is the last one's turn: the exchange counts. */
static enum outcome leaf_run(const struct stage *stage, struct exchange *x)
{
    x->attempts++;
    step_name(x, bytes_of_text(stage->conf));
    rig_sleep(LEAF_NS);
    if (x->attempts < 3)
        return OUTCOME_UPSTREAM_CLOSED;
    x->response.status = 201;
    return OUTCOME_OK;
}

static enum outcome quick_run(const struct stage *stage, struct exchange *x)
{
    return OUTCOME_OK;
}

/* Runs what follows in two forks, one after the other; the second wins. */
static enum outcome both_run(const struct stage *stage, struct exchange *x)
{
    struct exchange *loser = NULL, *winner = NULL;
    enum outcome outcome;

    if (exchange_fork(x, &loser) < 0 || exchange_fork(x, &winner) < 0)
        return OUTCOME_OVERLOAD;
    (void)stage_next(stage, loser);
    winner->attempts = 2;
    outcome = stage_next(stage, winner);
    exchange_end(loser, OUTCOME_CANCELED);
    exchange_adopt(x, winner);
    return outcome;
}

static const struct stage_type AGAIN = { .name = "again", .run = again_run };
static const struct stage_type LEAF = { .name = "leaf", .run = leaf_run };
static const struct stage_type QUICK = { .name = "quick", .run = quick_run };
static const struct stage_type BOTH = { .name = "both", .run = both_run };

/* A chain of stages in a snapshot that the worker lives in. */
struct link {
    const struct stage_type *type;
    const void *conf;
    const char *path;
};

static void live_in(struct rig *rig, uint64_t version, const struct link *links, unsigned count)
{
    struct snapshot *snapshot = NULL;
    struct stage *stage = NULL, *before = NULL;

    RIG_CHECK(rig, snapshot_create(version, &snapshot) == 0);
    for (unsigned i = 0; i < count; i++) {
        struct bytes path = BYTES_NONE;

        RIG_CHECK(rig, arena_copy(&snapshot->arena, bytes_of_text(links[i].path), &path) == 0);
        RIG_CHECK(rig, snapshot_add_stage(snapshot, links[i].type, links[i].conf, path, &stage) == 0);
        if (before)
            before->next = stage;
        else
            snapshot->root = stage;
        before = stage;
    }
    RIG_CHECK(rig, snapshot_seal(snapshot, NULL, NULL) == 0);
    list_push_back(&rig->snapshots, &snapshot->node);
    RIG_CHECK(rig, worker_enter(&rig->worker, snapshot) == 0);
}

static enum outcome go(struct exchange *x)
{
    return stage_run(x->view->snapshot->root, x);
}

/* (1): begun in order, each within the nearest one before it that is less deep. */
static void check_nesting(struct rig *rig, const struct steps *steps)
{
    RIG_CHECK(rig, !steps->current && steps->count <= EXCHANGE_STEPS_MAX);
    for (unsigned i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];
        unsigned outer = i;

        RIG_CHECK(rig, step->end_ns >= step->start_ns);
        while (outer > 0 && steps->list[outer].depth >= step->depth)
            outer--;
        if (i == 0 || steps->list[outer].depth >= step->depth)
            continue;
        RIG_CHECK(rig, steps->list[outer].depth + 1 == step->depth);
        RIG_CHECK(rig, steps->list[outer].start_ns <= step->start_ns && steps->list[outer].end_ns >= step->end_ns);
    }
}

static bool step_is(const struct step *step, const struct stage_type *type, unsigned depth, enum outcome outcome)
{
    return step->type == type && step->depth == depth && step->outcome == (uint8_t)outcome;
}

/* --- one exchange ----------------------------------------------------------------------------------------------- */

static void tries_are_steps(struct rig *rig)
{
    const unsigned three = 3;
    const struct link links[] = { { &AGAIN, &three, "routes" }, { &LEAF, "orders-1", "routes/leaf" } };
    struct exchange *x;
    const struct step *list;

    live_in(rig, 1, links, 2);
    x = rig_exchange(rig);
    list = x->steps.list;
    RIG_CHECK(rig, go(x) == OUTCOME_OK);
    check_nesting(rig, &x->steps);
    RIG_CHECK(rig, x->steps.count == 4 && x->steps.dropped == 0 && x->steps.depth == 0);
    RIG_CHECK(rig, step_is(&list[0], &AGAIN, 0, OUTCOME_OK) && list[0].number == 3 && list[0].detail.len == 0);
    RIG_CHECK(rig, step_is(&list[1], &LEAF, 1, OUTCOME_UPSTREAM_CLOSED) && list[1].status == 0);
    RIG_CHECK(rig, step_is(&list[3], &LEAF, 1, OUTCOME_OK) && list[3].status == 201 && list[0].status == 201);
    RIG_CHECK(rig, bytes_equal(list[2].path, BYTES("routes/leaf")) && bytes_equal(list[2].detail, BYTES("orders-1")));
    RIG_CHECK(rig, list[0].end_ns - list[0].start_ns >= 3 * (OUTER_NS + LEAF_NS));
    RIG_CHECK(rig, list[1].end_ns - list[1].start_ns >= LEAF_NS);
    RIG_CHECK(rig, list[2].start_ns - list[1].end_ns >= OUTER_NS);
    exchange_end(x, OUTCOME_OK);
}

/* EXCHANGE_STEPS_MAX: the first ones are kept, and what is said in others goes nowhere. */
static void more_are_counted(struct rig *rig)
{
    const unsigned many = EXCHANGE_STEPS_MAX + 7;
    const struct link links[] = { { &AGAIN, &many, "routes" }, { &LEAF, "orders-1", "routes/leaf" } };
    struct exchange *x;

    live_in(rig, 1, links, 2);
    x = rig_exchange(rig);
    RIG_CHECK(rig, go(x) == OUTCOME_OK);
    check_nesting(rig, &x->steps);
    RIG_CHECK(rig, x->steps.count == EXCHANGE_STEPS_MAX && x->steps.dropped == 8);
    RIG_CHECK(rig, x->steps.list[0].number == many); /* who is kept goes on telling */
    RIG_CHECK(rig, step_is(&x->steps.list[EXCHANGE_STEPS_MAX - 1], &LEAF, 1, OUTCOME_OK));
    exchange_end(x, OUTCOME_OK);
}

/* (2): an exchange after another one in the same memory starts with none, and a run takes none. */
static void memory_is_used_again(struct rig *rig)
{
    const unsigned one = 1;
    const struct link links[] = { { &AGAIN, &one, "routes" }, { &QUICK, NULL, "routes/quick" } };
    struct exchange *x;

    live_in(rig, 1, links, 2);
    for (unsigned i = 0; i < 3; i++) {
        size_t used;

        x = rig_exchange(rig);
        used = x->arena.used;
        RIG_CHECK(rig, x->steps.count == 0 && x->steps.dropped == 0 && !x->steps.current);
        RIG_CHECK(rig, go(x) == OUTCOME_OK && x->steps.count == 2 && x->arena.used == used);
        RIG_CHECK(rig, x->steps.list[1].start_ns == x->steps.list[1].end_ns); /* (3) */
        exchange_end(x, OUTCOME_OK);
    }
}

static void long_names_are_cut(struct rig *rig)
{
    char name[STEP_DETAIL_MAX + 2];
    const struct link links[] = { { &LEAF, name, "leaf" } };
    struct exchange *x;

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    live_in(rig, 1, links, 1);
    x = rig_exchange(rig);
    (void)go(x);
    RIG_CHECK(rig, x->steps.list[0].detail.len == STEP_DETAIL_MAX);
    step_name(x, BYTES("nobody")); /* no stage runs: nothing to say it of */
    step_number(x, 7);
    RIG_CHECK(rig, x->steps.count == 1 && x->steps.list[0].number == 0);
    exchange_end(x, OUTCOME_OK);
}

/* --- forks -------------------------------------------------------------------------------------------------------- */

static void winners_steps_move_up(struct rig *rig)
{
    const struct link links[] = { { &BOTH, NULL, "both" }, { &LEAF, "orders-1", "leaf" } };
    struct exchange *x;

    live_in(rig, 1, links, 2);
    x = rig_exchange(rig);
    RIG_CHECK(rig, go(x) == OUTCOME_OK);
    check_nesting(rig, &x->steps);
    RIG_CHECK(rig, x->steps.count == 2 && x->steps.dropped == 0);
    RIG_CHECK(rig, step_is(&x->steps.list[0], &BOTH, 0, OUTCOME_OK));
    RIG_CHECK(rig, step_is(&x->steps.list[1], &LEAF, 1, OUTCOME_OK));
    RIG_CHECK(rig, bytes_equal(x->steps.list[1].detail, BYTES("orders-1"))); /* its arena has moved up too */
    exchange_end(x, OUTCOME_OK);
}

/* However many the winner has, the parent keeps what it has room for. */
static void winners_steps_are_bounded(struct rig *rig)
{
    const unsigned twenty = 20;
    const struct link links[] = {
        { &AGAIN, &twenty, "again" }, { &BOTH, NULL, "both" }, { &AGAIN, &twenty, "more" }, { &QUICK, NULL, "quick" }
    };
    struct exchange *x;

    live_in(rig, 1, links, 4);
    x = rig_exchange(rig);
    RIG_CHECK(rig, go(x) == OUTCOME_OK);
    check_nesting(rig, &x->steps);
    RIG_CHECK(rig, x->steps.count == EXCHANGE_STEPS_MAX);
    RIG_CHECK(rig, x->steps.count + x->steps.dropped == 1 + 20 * (1 + 1 + 20)); /* none is lost silently */
    exchange_end(x, OUTCOME_OK);
}

/* --- the snapshot goes ----------------------------------------------------------------------------------------------
 */

static void paths_outlive_the_snapshot(struct rig *rig)
{
    const unsigned three = 3;
    const struct link links[] = { { &AGAIN, &three, "routes" }, { &LEAF, "orders-1", "routes/leaf" } };
    struct exchange *x;

    live_in(rig, 1, links, 2);
    x = rig_exchange(rig);
    RIG_CHECK(rig, go(x) == OUTCOME_OK);
    live_in(rig, 2, links, 1);
    RIG_CHECK(rig, exchange_release_snapshot(x) == 0);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1);
    RIG_CHECK(rig, bytes_equal(x->steps.list[0].path, BYTES("routes")));
    RIG_CHECK(rig, bytes_equal(x->steps.list[3].path, BYTES("routes/leaf")));
    RIG_CHECK(rig, x->steps.list[1].path.data == x->steps.list[3].path.data); /* one copy */
    exchange_end(x, OUTCOME_OK);
}

#define CASE(name)                \
    static void name##_(void **s) \
    {                             \
        rig_run(name, NULL);      \
    }

CASE(tries_are_steps)
CASE(more_are_counted)
CASE(memory_is_used_again)
CASE(long_names_are_cut)
CASE(winners_steps_move_up)
CASE(winners_steps_are_bounded)
CASE(paths_outlive_the_snapshot)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_are_steps_),
        cmocka_unit_test(more_are_counted_),
        cmocka_unit_test(memory_is_used_again_),
        cmocka_unit_test(long_names_are_cut_),
        cmocka_unit_test(winners_steps_move_up_),
        cmocka_unit_test(winners_steps_are_bounded_),
        cmocka_unit_test(paths_outlive_the_snapshot_),
    };

    return cmocka_run_group_tests_name("exchange/step", tests, NULL, NULL);
}
