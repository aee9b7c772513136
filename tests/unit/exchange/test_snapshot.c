#include "faults.h"
#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What a stage remembers, and how often it was told of what. */
struct local {
    unsigned value, starts;
};

static struct rig *rig_of(const struct worker *worker)
{
    return container_of(worker, struct rig, worker);
}

static int local_start(const struct stage *stage, struct worker *worker, void *memory)
{
    struct local *local = memory;

    local->starts++;
    return stage->conf ? -EIO : 0; /* a conf: refuse */
}

static void local_stop(struct worker *worker, void *memory)
{
    rig_note(rig_of(worker), "stop");
}

static enum outcome never_run(const struct stage *stage, struct exchange *x)
{
    return OUTCOME_INTERNAL;
}

static const struct stage_type KEEPS = { .name = "keeps",
                                         .local_size = sizeof(struct local),
                                         .run = never_run,
                                         .local_start = local_start,
                                         .local_stop = local_stop };
static const struct stage_type OTHER = { .name = "other", .local_size = sizeof(struct local), .run = never_run };
static const struct stage_type PLAIN = { .name = "plain", .run = never_run };

static struct snapshot *make(struct rig *rig, uint64_t version, const struct stage_type *type, const char *path,
                             const void *conf)
{
    struct snapshot *snapshot = NULL;
    struct stage *stage = NULL;
    int r = snapshot_create(version, &snapshot);

    RIG_CHECK(rig, r == 0 && snapshot_add_stage(snapshot, type, conf, bytes_of_text(path), &stage) == 0);
    snapshot->root = stage;
    RIG_CHECK(rig, snapshot_seal(snapshot, NULL, NULL) == 0);
    list_push_back(&rig->snapshots, &snapshot->node);
    return snapshot;
}

static struct local *local_of(struct exchange *x)
{
    return stage_local(x->view->snapshot->root, x);
}

static void handed_on(struct rig *rig)
{
    struct snapshot *one = make(rig, 1, &KEEPS, "a", NULL), *two = make(rig, 2, &KEEPS, "a", NULL);
    struct snapshot *other = make(rig, 3, &KEEPS, "b", NULL), *typed = make(rig, 4, &OTHER, "b", NULL);
    struct exchange *x, *y;

    RIG_CHECK(rig, worker_enter(&rig->worker, one) == 0);
    x = rig_exchange(rig);
    local_of(x)->value = 7;
    RIG_CHECK(rig, worker_enter(&rig->worker, two) == 0);
    y = rig_exchange(rig);
    RIG_CHECK(rig, x->view->snapshot == one && y->view->snapshot == two);
    RIG_CHECK(rig, local_of(y) == local_of(x) && local_of(y)->value == 7 && local_of(y)->starts == 2);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 2); /* nobody has entered the last two: they go */
    (void)other;
    (void)typed;
    exchange_end(x, OUTCOME_OK);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1);
    exchange_end(y, OUTCOME_OK);
    RIG_TOLD(rig, "");
    RIG_CHECK(rig, worker_enter(&rig->worker, make(rig, 5, &KEEPS, "b", NULL)) == 0); /* another path: a new block */
    RIG_TOLD(rig, "stop;");
    x = rig_exchange(rig);
    RIG_CHECK(rig, local_of(x)->value == 0 && local_of(x)->starts == 1);
    local_of(x)->value = 9;
    RIG_CHECK(rig, worker_enter(&rig->worker, make(rig, 6, &OTHER, "b", NULL)) == 0); /* another type as well */
    y = rig_exchange(rig);
    RIG_CHECK(rig, local_of(y)->value == 0 && local_of(x)->value == 9);
    exchange_end(x, OUTCOME_OK);
    exchange_end(y, OUTCOME_OK);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1);
}

struct late {
    struct ending ending;
    struct local *local;
};

static void late_run(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    container_of(ending, struct late, ending)->local->value++;
}

/* A tunnel lets go of its snapshot; its ending still finds its block. */
static void released(struct rig *rig)
{
    struct snapshot *one = make(rig, 1, &KEEPS, "a", NULL);
    struct exchange *x;
    struct late *late;

    RIG_CHECK(rig, worker_enter(&rig->worker, one) == 0);
    x = rig_exchange(rig);
    late = arena_alloc(&x->arena, sizeof(*late));
    RIG_CHECK(rig, late != NULL && arena_copy(&one->arena, BYTES("route-1"), &x->route) == 0);
    late->ending.run = late_run;
    late->local = local_of(x);
    exchange_at_end_local(x, &late->ending, one->root);
    RIG_CHECK(rig, worker_enter(&rig->worker, make(rig, 2, &KEEPS, "b", NULL)) == 0);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 2);
    RIG_CHECK(rig, exchange_release_snapshot(x) == 0 && !x->view && exchange_release_snapshot(x) == 0);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1); /* gone, with the name of the route */
    RIG_CHECK(rig, bytes_equal(x->route, BYTES("route-1")));
    RIG_TOLD(rig, "");
    exchange_end(x, OUTCOME_OK);
    RIG_TOLD(rig, "stop;");
}

/* A fork lives in its parent's snapshot, also when a newer one is there. */
static void forks_stay(struct rig *rig)
{
    struct exchange *before = rig_exchange(rig), *x, *child = NULL;

    RIG_CHECK(rig, !before->view && worker_enter(&rig->worker, make(rig, 1, &PLAIN, "a", NULL)) == 0);
    x = rig_exchange(rig);
    RIG_CHECK(rig, worker_enter(&rig->worker, make(rig, 2, &PLAIN, "a", NULL)) == 0);
    RIG_CHECK(rig, exchange_fork(x, &child) == 0 && child->view == x->view && x->view->pins == 2);
    exchange_adopt(x, child);
    RIG_CHECK(rig, x->view->pins == 1 && exchange_fork(before, &child) == 0 && !child->view);
    exchange_end(child, OUTCOME_OK);
    exchange_end(before, OUTCOME_OK);
    exchange_end(x, OUTCOME_OK);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1);
}

/* A worker that can't enter stays where it was. */
static void entering_fails(struct rig *rig)
{
    struct snapshot *old = make(rig, 1, &KEEPS, "a", NULL);
    struct exchange *x;
    unsigned n = 0;
    int r;

    RIG_CHECK(rig, worker_enter(&rig->worker, old) == 0);
    do {
        struct snapshot *next = make(rig, 2 + n, &KEEPS, "b", NULL);
        int64_t live = mem_stats().live;

        mem_fail_after(n++);
        r = worker_enter(&rig->worker, next);
        mem_fail_after(-1);
        if (r == 0)
            break;
        RIG_CHECK(rig, r == -ENOMEM && rig->worker.newest->snapshot == old && mem_stats().live == live);
        RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1);
    } while (n < 100);
    RIG_CHECK(rig, n == 4); /* the view, its table, a block */
    r = worker_enter(&rig->worker, make(rig, 99, &KEEPS, "b", "refuse"));
    RIG_CHECK(rig, r < 0 && rig->worker.newest->snapshot->version != 99);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1);
    x = rig_exchange(rig);
    RIG_CHECK(rig, local_of(x)->value == 0); /* told of a stage that did not come, but in one piece */
    exchange_end(x, OUTCOME_OK);
}

/* --- building ----------------------------------------------------------------------------------------------------- */

static void stages_have_a_bound(void **state)
{
    struct snapshot *snapshot;
    struct stage *stage = NULL;
    char path[16];

    assert_int_equal(snapshot_create(1, &snapshot), 0);
    for (unsigned i = 0; i < STAGES_MAX; i++) {
        snprintf(path, sizeof(path), "%u", i);
        assert_int_equal(snapshot_add_stage(snapshot, &PLAIN, NULL, bytes_of_text(path), &stage), 0);
        assert_int_equal(stage->index, i);
    }
    assert_int_equal(snapshot_add_stage(snapshot, &PLAIN, NULL, BYTES("more"), &stage), -ENOSPC);
    assert_int_equal(snapshot_add_stage(snapshot, &PLAIN, NULL, BYTES("7"), &stage), -EEXIST);
    assert_int_equal(stage->index, STAGES_MAX - 1); /* untouched */
    assert_ptr_equal(snapshot_find(snapshot, &PLAIN, BYTES("17")), snapshot->stages[17]);
    assert_null(snapshot_find(snapshot, &OTHER, BYTES("17")));
    assert_null(snapshot_find(snapshot, &PLAIN, BYTES("more")));
    assert_null(snapshot_find(NULL, &PLAIN, BYTES("17")));
    snapshot_free(snapshot);
}

static unsigned prepared, retired;

static int prepare(struct stage *stage, const struct stage *previous, struct fault *fault)
{
    if (stage->conf) {
        fault_set(fault, "%s", "refused");
        return -EINVAL;
    }
    stage->state = previous ? previous->state : stage;
    prepared++;
    return 0;
}

static void retire(struct stage *stage)
{
    retired++;
}

static const struct stage_type PREPARED = {
    .name = "prepared", .run = never_run, .prepare = prepare, .retire = retire
};

static void what_was_prepared_is_retired(void **state)
{
    struct snapshot *snapshot, *next;
    struct stage *stages[4];
    struct fault fault = { 0 };

    prepared = retired = 0;
    assert_int_equal(snapshot_create(1, &snapshot), 0);
    assert_int_equal(snapshot_create(2, &next), 0);
    assert_int_equal(snapshot_add_stage(snapshot, &PREPARED, NULL, BYTES("a"), &stages[0]), 0);
    assert_int_equal(snapshot_seal(snapshot, NULL, &fault), 0);
    assert_int_equal(snapshot_add_stage(next, &PREPARED, NULL, BYTES("a"), &stages[1]), 0);
    assert_int_equal(snapshot_add_stage(next, &PREPARED, "refuse", BYTES("b"), &stages[2]), 0);
    assert_int_equal(snapshot_add_stage(next, &PREPARED, NULL, BYTES("c"), &stages[3]), 0);
    assert_int_equal(snapshot_seal(next, snapshot, &fault), -EINVAL);
    assert_string_equal(fault.what, "refused");
    assert_ptr_equal(stages[1]->state, stages[0]); /* inherited by path */
    assert_int_equal(prepared, 2);
    snapshot_free(next);
    assert_int_equal(retired, 1);
    snapshot_free(snapshot);
    assert_int_equal(retired, 2);
}

static int build(void *context)
{
    struct snapshot *snapshot;
    struct stage *stage;
    int r = snapshot_create(1, &snapshot);

    if (r < 0)
        return r;
    for (unsigned i = 0; r == 0 && i < 40; i++) {
        char path[16];

        snprintf(path, sizeof(path), "%u", i);
        r = snapshot_add_stage(snapshot, &PLAIN, NULL, bytes_of_text(path), &stage);
    }
    if (r == 0)
        r = snapshot_seal(snapshot, NULL, NULL);
    snapshot_free(snapshot);
    return r;
}

static void building_may_run_out_of_memory(void **state)
{
    assert_true(faults_each(build, NULL) >= 4);
}

#define TRY(name, function)        \
    static void name(void **state) \
    {                              \
        rig_run(function, NULL);   \
    }

TRY(state_is_handed_on_by_path_and_type, handed_on)
TRY(an_exchange_may_let_its_snapshot_go, released)
TRY(forks_stay_in_their_snapshot, forks_stay)
TRY(who_cannot_enter_stays, entering_fails)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_handed_on_by_path_and_type),
        cmocka_unit_test(an_exchange_may_let_its_snapshot_go),
        cmocka_unit_test(forks_stay_in_their_snapshot),
        cmocka_unit_test(who_cannot_enter_stays),
        cmocka_unit_test(stages_have_a_bound),
        cmocka_unit_test(what_was_prepared_is_retired),
        cmocka_unit_test(building_may_run_out_of_memory),
    };

    return cmocka_run_group_tests_name("exchange/snapshot", tests, NULL, NULL);
}
