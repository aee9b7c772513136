#include "help.h"

#include "base/alloc.h"
#include "observe/series.h"

#include <stdio.h>
#include <stdlib.h>

static struct series_admission *admission_open(void)
{
    struct series_admission *admission = malloc(sizeof(*admission));

    assert_non_null(admission);
    series_admission_init(admission, (struct hash_key){ 1, 2 });
    return admission;
}

static struct series_key key_of(const char *service, const char *place, unsigned status)
{
    return (struct series_key){ .kind = SERIES_SERVER,
                                .method = HTTP_GET,
                                .status = (uint16_t)status,
                                .service = bytes_of_text(service),
                                .place = bytes_of_text(place) };
}

static unsigned count_of(const struct series_table *table)
{
    unsigned count = 0;

    for (const struct series *series = series_first(table); series; series = series->next)
        count++;
    return count;
}

static void finds_what_it_made(void **state)
{
    struct series_admission *admission = admission_open();
    struct series_table table;
    struct series *first, *second;
    struct series_key key = key_of("orders", "all", 200);

    series_table_init(&table, admission);
    assert_null(series_first(&table));
    first = series_take(&table, key);
    assert_ptr_equal(series_take(&table, key), first);
    key.method = HTTP_PUT;
    second = series_take(&table, key);
    assert_ptr_not_equal(second, first);
    key = key_of("orders", "all", 200);
    key.outcome = 3;
    assert_ptr_not_equal(series_take(&table, key), first);
    key = key_of("orders", "all", 200);
    key.kind = SERIES_CLIENT;
    assert_ptr_not_equal(series_take(&table, key), first);
    assert_ptr_not_equal(series_take(&table, key_of("orders", "all", 201)), first);
    assert_ptr_not_equal(series_take(&table, key_of("order", "sall", 200)), first);
    key = key_of("orders", "all", 200);
    key.gateway = BYTES("web");
    second = series_take(&table, key);
    assert_ptr_not_equal(second, first);
    key.gateway = BYTES_NONE;
    key.caller = BYTES("web"); /* the same name in another place */
    assert_ptr_not_equal(series_take(&table, key), first);
    assert_ptr_not_equal(series_take(&table, key), second);
    assert_ptr_equal(series_take(&table, key_of("orders", "all", 200)), first);
    assert_int_equal(count_of(&table), 8);
    assert_int_equal(metric_read(&table.dropped), 0);
    series_table_done(&table);
    free(admission);
}

/* (2), (3): another name in the same memory is another series, and a known one takes no memory. */
static void copies_names(void **state)
{
    struct series_admission *admission = admission_open();
    struct series_table table;
    struct series *first;
    char name[16] = "before";
    uint64_t allocations;

    series_table_init(&table, admission);
    first = series_take(&table, key_of("orders", name, 200));
    (void)snprintf(name, sizeof(name), "behind");
    assert_ptr_not_equal(series_take(&table, key_of("orders", name, 200)), first);
    assert_true(bytes_equal(first->key.place, BYTES("before")));
    allocations = mem_stats().allocations;
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), i & 1 ? "before" : "behind");
        assert_int_equal(series_take(&table, key_of("orders", name, 200)) == first, i & 1);
    }
    assert_int_equal(mem_stats().allocations, allocations);
    assert_int_equal(count_of(&table), 2);
    series_table_done(&table);
    free(admission);
}

static struct series_key long_key(const char *name)
{
    struct series_key key = key_of(name, name, 200);

    key.gateway = key.caller = bytes_of_text(name);
    return key;
}

static void cuts_long_names(void **state)
{
    struct series_admission *admission = admission_open();
    struct series_table table;
    char name[OBSERVE_NAME_MAX + 2];
    struct series *longest;

    memset(name, 'n', sizeof(name));
    name[OBSERVE_NAME_MAX + 1] = '\0';
    series_table_init(&table, admission);
    longest = series_take(&table, long_key(name));
    assert_int_equal(longest->key.service.len, OBSERVE_NAME_MAX);
    assert_int_equal(longest->key.gateway.len, OBSERVE_NAME_MAX);
    assert_int_equal(longest->key.caller.len, OBSERVE_NAME_MAX);
    name[OBSERVE_NAME_MAX] = '\0';
    assert_ptr_equal(series_take(&table, long_key(name)), longest);
    name[OBSERVE_NAME_MAX - 1] = '\0';
    assert_ptr_not_equal(series_take(&table, long_key(name)), longest);
    series_table_done(&table);
    free(admission);
}

/* (4): OBSERVE_SERIES_MAX keys in all tables together; a key that another table has is no new one. */
static void folds_what_is_too_much(void **state)
{
    struct series_admission *admission = admission_open();
    struct series_table tables[2];
    struct series *other;
    char name[16];

    series_table_init(&tables[0], admission);
    series_table_init(&tables[1], admission);
    for (unsigned i = 0; i < OBSERVE_SERIES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "r%u", i);
        assert_false(series_take(&tables[i % 2], key_of("orders", name, 200))->key.other);
    }
    other = series_take(&tables[0], key_of("orders", "new", 200));
    assert_true(other->key.other);
    assert_ptr_equal(series_take(&tables[0], key_of("orders", "newer", 200)), other);
    assert_ptr_equal(series_take(&tables[0], key_of("orders", "newer", 200)), other);
    assert_int_equal(metric_read(&tables[0].dropped), 3);
    assert_int_equal(count_of(&tables[0]), OBSERVE_SERIES_MAX / 2);
    for (unsigned i = 0; i < OBSERVE_SERIES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "r%u", i);
        assert_false(series_take(&tables[0], key_of("orders", name, 200))->key.other);
    }
    assert_int_equal(count_of(&tables[0]), OBSERVE_SERIES_MAX);
    assert_int_equal(metric_read(&tables[0].dropped), 3);
    assert_int_equal(atomic_load(&admission->count), OBSERVE_SERIES_MAX);
    series_table_done(&tables[0]);
    series_table_done(&tables[1]);
    free(admission);
}

/* Without memory it counts under _other, and makes the series when there is some again. */
static void has_no_memory(void **state)
{
    struct series_admission *admission = admission_open();

    for (int64_t nth = 0;; nth++) {
        struct series_table table;
        bool fired;

        series_table_init(&table, admission);
        (void)mem_fail_after(nth);
        assert_non_null(series_take(&table, key_of("orders", "all", 200)));
        fired = mem_fail_after(-1);
        assert_int_equal(metric_read(&table.dropped), fired ? 1 : 0);
        assert_false(series_take(&table, key_of("orders", "all", 200))->key.other);
        assert_int_equal(metric_read(&table.dropped), fired ? 1 : 0);
        series_table_done(&table);
        if (!fired) {
            assert_int_equal(nth, 2); /* the slots, and the arena's block */
            break;
        }
    }
    free(admission);
}

static void orders_keys(void **state)
{
    struct series_key keys[] = {
        key_of("a", "x", 200), key_of("a", "x", 500), key_of("a", "y", 200), key_of("a", "a", 200),
        key_of("a", "a", 200), key_of("b", "a", 200), key_of("b", "a", 200),
    };

    keys[3].gateway = BYTES("web");
    keys[4].caller = BYTES("orders"); /* gateways before callers */
    keys[6].other = true;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        for (size_t j = 0; j < ARRAY_LEN(keys); j++) {
            int r = series_key_compare(&keys[i], &keys[j]);

            assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_it_made),     cmocka_unit_test(copies_names),  cmocka_unit_test(cuts_long_names),
        cmocka_unit_test(folds_what_is_too_much), cmocka_unit_test(has_no_memory), cmocka_unit_test(orders_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
