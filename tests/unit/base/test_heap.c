#include "base/heap.h"

#include "base/prng.h"
#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NODES 300

/* The model: the nodes in the order in which they must leave, found by insertion into a sorted array. */
struct model {
    struct heap_node *sorted[NODES];
    size_t count;
};

static void model_insert(struct model *model, struct heap_node *node, int64_t key)
{
    size_t at = model->count++;

    for (; at > 0 && model->sorted[at - 1]->key > key; at--)
        model->sorted[at] = model->sorted[at - 1];
    model->sorted[at] = node;
}

static void model_remove(struct model *model, const struct heap_node *node)
{
    size_t at = 0;

    while (model->sorted[at] != node)
        at++;
    model->count--;
    memmove(&model->sorted[at], &model->sorted[at + 1], (model->count - at) * sizeof(model->sorted[0]));
}

static void assert_links(const struct heap_node *parent)
{
    const struct heap_node *prev = parent;

    for (const struct heap_node *child = parent->child; child; prev = child, child = child->next) {
        assert_ptr_equal(child->prev, prev);
        assert_true(child->key > parent->key || (child->key == parent->key && child->order > parent->order));
        assert_links(child);
    }
}

static void assert_same(const struct heap *heap, const struct model *model)
{
    assert_int_equal(heap->count, model->count);
    assert_ptr_equal(heap_first(heap), model->count > 0 ? model->sorted[0] : NULL);
}

/* (3): keys are drawn from few, so that many are equal. */
static void agrees_with_a_sorted_array(void **state)
{
    struct heap_node nodes[NODES];
    struct model model = { .count = 0 };
    struct heap heap;
    struct prng prng;

    prng_seed(&prng, 1);
    heap_init(&heap);
    for (size_t i = 0; i < NODES; i++)
        heap_node_init(&nodes[i]);
    for (int n = 0; n < 100000; n++) {
        struct heap_node *node = &nodes[prng_below(&prng, NODES)];
        bool drain = n / 1000 % 2 == 1;

        if (drain && prng_chance(&prng, 0.5))
            node = heap_first(&heap);
        if (!node)
            continue;
        if (!heap_linked(node)) {
            int64_t key = prng_between(&prng, -5, n % 3 ? 5 : INT64_MAX - 1);

            heap_insert(&heap, node, key);
            model_insert(&model, node, key);
        } else if (drain || prng_chance(&prng, 0.3)) {
            heap_remove(&heap, node);
            model_remove(&model, node);
            assert_false(heap_linked(node));
        }
        assert_same(&heap, &model);
        if (n % 1000 == 0 && heap.root)
            assert_links(heap.root);
    }
    while (heap_first(&heap)) {
        struct heap_node *first = heap_first(&heap);

        assert_same(&heap, &model);
        heap_remove(&heap, first);
        model_remove(&model, first);
    }
    assert_int_equal(model.count, 0);
    assert_int_equal(heap.count, 0);
}

static void equal_keys_leave_as_they_came(void **state)
{
    struct heap_node nodes[NODES];
    struct heap heap;

    heap_init(&heap);
    for (size_t i = 0; i < NODES; i++) {
        heap_node_init(&nodes[i]);
        heap_insert(&heap, &nodes[i], 7);
    }
    for (size_t i = 0; i < NODES; i++) {
        assert_ptr_equal(heap_first(&heap), &nodes[i]);
        heap_remove(&heap, &nodes[i]);
    }
    assert_null(heap_first(&heap));
}

static void extreme_keys(void **state)
{
    struct heap_node never, past;
    struct heap heap;

    heap_init(&heap);
    heap_node_init(&never);
    heap_node_init(&past);
    heap_insert(&heap, &never, TIME_NEVER);
    heap_insert(&heap, &past, INT64_MIN);
    assert_ptr_equal(heap_first(&heap), &past);
    heap_remove(&heap, &past);
    assert_ptr_equal(heap_first(&heap), &never);
}

static void removing_twice_does_nothing(void **state)
{
    struct heap_node node;
    struct heap heap;

    heap_init(&heap);
    heap_node_init(&node);
    assert_false(heap_linked(&node));
    heap_remove(&heap, &node);
    heap_insert(&heap, &node, 1);
    assert_true(heap_linked(&node));
    heap_remove(&heap, &node);
    heap_remove(&heap, &node);
    assert_int_equal(heap.count, 0);
}

static void inserts_twice(void *context)
{
    struct heap_node node;
    struct heap heap;

    heap_init(&heap);
    heap_node_init(&node);
    heap_insert(&heap, &node, 1);
    heap_insert(&heap, &node, 2);
}

static void removes_from_another(void *context)
{
    struct heap_node node;
    struct heap heap, other;

    heap_init(&heap);
    heap_init(&other);
    heap_node_init(&node);
    heap_insert(&heap, &node, 1);
    heap_remove(&other, &node);
}

static void misuse_is_seen(void **state)
{
    faults_dies(inserts_twice, NULL, "!heap_linked(node)");
    faults_dies(removes_from_another, NULL, "heap->count > 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_sorted_array),
        cmocka_unit_test(equal_keys_leave_as_they_came),
        cmocka_unit_test(extreme_keys),
        cmocka_unit_test(removing_twice_does_nothing),
        cmocka_unit_test(misuse_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
