#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct item {
    int value;
    struct list_node node;
};

/* Walks both ways and compares with the digits of "expected", e.g. 123. */
static void assert_items(const struct list_node *head, const char *expected)
{
    const struct list_node *node = head;

    for (const char *c = expected; *c; c++) {
        assert_ptr_equal(node->next->prev, node);
        node = node->next;
        assert_ptr_not_equal(node, head);
        assert_int_equal(container_of(node, struct item, node)->value, *c - '0');
    }
    assert_ptr_equal(node->next, head);
    assert_ptr_equal(head->prev, node);
    assert_int_equal(list_empty(head), expected[0] == '\0');
}

static void items_init(struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i].value = (int)i;
        list_init(&items[i].node);
    }
}

static void pushes_and_pops(void **state)
{
    struct list_node head = LIST_INIT(head);
    struct item items[4];

    items_init(items, 4);
    assert_items(&head, "");
    assert_null(list_pop_front(&head));
    assert_false(list_linked(&items[1].node));
    list_push_back(&head, &items[1].node);
    assert_true(list_linked(&items[1].node));
    list_push_back(&head, &items[2].node);
    list_push_front(&head, &items[0].node);
    list_insert_between(&items[3].node, &items[1].node, &items[2].node);
    assert_items(&head, "0132");
    assert_ptr_equal(list_pop_front(&head), &items[0].node);
    assert_false(list_linked(&items[0].node));
    assert_items(&head, "132");
}

static void removes(void **state)
{
    struct list_node head = LIST_INIT(head);
    struct item items[3];

    items_init(items, 3);
    for (size_t i = 0; i < 3; i++)
        list_push_back(&head, &items[i].node);
    list_remove(&items[1].node);
    assert_items(&head, "02");
    list_remove(&items[1].node);
    assert_items(&head, "02");
    list_remove(&items[0].node);
    list_remove(&items[2].node);
    assert_items(&head, "");
}

static void moves_all(void **state)
{
    for (size_t to_count = 0; to_count < 3; to_count++) {
        for (size_t from_count = 0; from_count < 3; from_count++) {
            struct list_node to = LIST_INIT(to), from = LIST_INIT(from);
            struct item items[4];
            char expected[5];
            size_t count = 0;

            items_init(items, 4);
            for (size_t i = 0; i < to_count; i++) {
                list_push_back(&to, &items[i].node);
                expected[count++] = (char)('0' + i);
            }
            for (size_t i = 2; i < 2 + from_count; i++) {
                list_push_back(&from, &items[i].node);
                expected[count++] = (char)('0' + i);
            }
            expected[count] = '\0';
            list_move_all(&to, &from);
            assert_items(&to, expected);
            assert_items(&from, "");
        }
    }
}

static void walk_survives_removal(void **state)
{
    struct list_node head = LIST_INIT(head);
    struct item items[5];
    int sum = 0;

    items_init(items, 5);
    for (size_t i = 0; i < 5; i++)
        list_push_back(&head, &items[i].node);
    LIST_EACH (&head, node, next) {
        struct item *item = container_of(node, struct item, node);

        sum = sum * 10 + item->value;
        if (item->value % 2 == 0)
            list_remove(node);
    }
    assert_int_equal(sum, 1234);
    assert_items(&head, "13");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushes_and_pops),
        cmocka_unit_test(removes),
        cmocka_unit_test(moves_all),
        cmocka_unit_test(walk_survives_removal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
