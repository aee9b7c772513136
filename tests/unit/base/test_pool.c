#include "base/pool.h"

#include "base/alloc.h"
#include "base/poison.h"
#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void gives_up_to_max(void **state)
{
    int64_t live = mem_stats().live;
    void *pieces[3];
    struct pool pool;

    pool_init(&pool, "test", 20, ARRAY_LEN(pieces), 2);
    assert_int_equal(pool.size, 32);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        pieces[i] = pool_take(&pool);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], 0xaa, pool.size);
    }
    assert_null(pool_take(&pool)); /* (1) */
    assert_int_equal(pool.refused, 1);
    assert_int_equal(pool.out, 3);
    assert_int_equal(pool.out_highest, 3);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        pool_give(&pool, pieces[i]);
    assert_int_equal(pool.out, 0);
    assert_int_equal(pool.out_highest, 3);
    assert_int_equal(pool.idle, 2); /* (2) */
    assert_int_equal(mem_stats().live - live, 2);
    pool_done(&pool);
    assert_int_equal(mem_stats().live, live);
}

static void last_in_first_out(void **state)
{
    struct pool pool;
    uint64_t allocations;
    void *a, *b;

    pool_init(&pool, "test", 1, 8, 8);
    assert_int_equal(pool.size, 16);
    a = pool_take(&pool);
    b = pool_take(&pool);
    pool_give(&pool, a);
    pool_give(&pool, b);
    allocations = mem_stats().allocations;
    assert_ptr_equal(pool_take(&pool), b);
    assert_ptr_equal(pool_take(&pool), a);
    assert_int_equal(mem_stats().allocations, allocations);
    pool_give(&pool, a);
    pool_give(&pool, b);
    pool_give(&pool, NULL);
    assert_int_equal(pool.idle, 2);
    pool_done(&pool);
}

static void trims(void **state)
{
    int64_t live = mem_stats().live;
    void *pieces[5];
    struct pool pool;

    pool_init(&pool, "test", 64, 5, 5);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        pieces[i] = pool_take(&pool);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        pool_give(&pool, pieces[i]);
    pool_trim(&pool, 9);
    assert_int_equal(pool.idle, 5);
    pool_trim(&pool, 2);
    assert_int_equal(pool.idle, 2);
    assert_int_equal(mem_stats().live - live, 2);
    pool_done(&pool);
    assert_int_equal(pool.idle, 0);
    assert_int_equal(mem_stats().live, live);
}

static void out_of_memory_is_refused(void **state)
{
    struct pool pool;
    void *piece;

    pool_init(&pool, "test", 64, 5, 5);
    mem_fail_after(0);
    assert_null(pool_take(&pool));
    assert_true(mem_fail_after(-1));
    assert_int_equal(pool.refused, 1);
    assert_int_equal(pool.out, 0);
    piece = pool_take(&pool);
    assert_non_null(piece);
    pool_give(&pool, piece);
    pool_done(&pool);
}

/* (4) */
static void leaks(void *context)
{
    struct pool pool;
    void *piece;

    pool_init(&pool, "test", 64, 5, 5);
    piece = pool_take(&pool);
    if (piece)
        pool_done(&pool);
}

static void gives_too_much(void *context)
{
    struct pool pool;
    char piece[64];

    pool_init(&pool, "test", 64, 5, 5);
    pool_give(&pool, piece);
}

static void misuse_is_seen(void **state)
{
    faults_dies(leaks, NULL, "pool->out == 0");
    faults_dies(gives_too_much, NULL, "pool->out > 0");
}

static void init_with_size(void *context)
{
    struct pool pool;

    pool_init(&pool, "test", *(const size_t *)context, 1, 1);
}

static void sizes_are_checked(void **state)
{
    size_t none = 0, all = SIZE_MAX;

    faults_dies(init_with_size, &none, "size > 0");
    faults_dies(init_with_size, &all, "size <= SIZE_MAX");
}

static void free_pieces_are_poisoned(void **state)
{
#ifdef WEFT_ASAN
    struct pool pool;
    char *piece;

    pool_init(&pool, "test", 64, 5, 5);
    piece = pool_take(&pool);
    assert_false(__asan_address_is_poisoned(piece));
    pool_give(&pool, piece);
    assert_true(__asan_address_is_poisoned(piece));
    assert_true(__asan_address_is_poisoned(piece + 63));
    piece = pool_take(&pool);
    assert_null(__asan_region_is_poisoned(piece, 64));
    pool_give(&pool, piece);
    pool_done(&pool);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_up_to_max),
        cmocka_unit_test(last_in_first_out),
        cmocka_unit_test(trims),
        cmocka_unit_test(out_of_memory_is_refused),
        cmocka_unit_test(misuse_is_seen),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(free_pieces_are_poisoned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
