#include "base/arena.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/poison.h"
#include "base/prng.h"
#include "faults.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#define PIECE 256
#define HEADER 16 /* of a block */

static void pieces_are_aligned_and_apart(void **state)
{
    unsigned char *pieces[200];
    size_t sizes[200];
    struct pool pool;
    struct arena arena;
    struct prng prng;

    prng_seed(&prng, 1);
    pool_init(&pool, "test", PIECE, 1000, 10);
    arena_init(&arena, &pool, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        sizes[i] = prng_below(&prng, PIECE - HEADER + 1);
        pieces[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(pieces[i][at], i);
    }
    arena_done(&arena);
    assert_int_equal(pool.out, 0);
    assert_int_equal(arena.used, 0);
    pool_done(&pool);
}

static void pool_piece_bounds_a_request(void **state)
{
    struct pool pool;
    struct arena arena;

    pool_init(&pool, "test", PIECE, 2, 10);
    arena_init(&arena, &pool, SIZE_MAX);
    assert_null(arena_alloc(&arena, PIECE - HEADER + 1)); /* (2) */
    assert_int_equal(pool.out, 0);
    assert_non_null(arena_alloc(&arena, PIECE - HEADER));
    assert_int_equal(pool.out, 1);
    assert_non_null(arena_alloc(&arena, 1));
    assert_int_equal(pool.out, 2);
    assert_null(arena_alloc(&arena, PIECE - HEADER)); /* the pool is used up */
    assert_int_equal(pool.refused, 1);
    assert_non_null(arena_alloc(&arena, PIECE - HEADER - 16)); /* what is left still is */
    arena_done(&arena);
    pool_done(&pool);
}

static void max_bounds_all(void **state)
{
    struct arena arena;

    arena_init(&arena, NULL, 64);
    assert_null(arena_alloc(&arena, 65)); /* (3) */
    assert_non_null(arena_alloc(&arena, 33));
    assert_int_equal(arena.used, 48);
    assert_null(arena_alloc(&arena, 17));
    assert_non_null(arena_alloc(&arena, 16));
    assert_null(arena_alloc(&arena, 0));
    arena_done(&arena);
    assert_non_null(arena_alloc(&arena, 64)); /* may be used again */
    arena_done(&arena);
    arena_init(&arena, NULL, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, PTRDIFF_MAX));
    assert_null(arena_text(&arena, bytes_of("", SIZE_MAX)));
    arena_done(&arena);
}

/* Without a pool a large piece has a block of its own, and the room of the present block stays in use. */
static void large_pieces_without_pool(void **state)
{
    int64_t live = mem_stats().live;
    struct arena arena;
    char *small, *large, *next;

    arena_init(&arena, NULL, SIZE_MAX);
    large = arena_alloc(&arena, (size_t)3 * ARENA_BLOCK_SIZE);
    assert_non_null(large);
    memset(large, 1, (size_t)3 * ARENA_BLOCK_SIZE);
    small = arena_alloc(&arena, 16);
    assert_int_equal(mem_stats().live - live, 2);
    large = arena_alloc(&arena, ARENA_BLOCK_SIZE);
    assert_non_null(large);
    memset(large, 2, ARENA_BLOCK_SIZE);
    assert_int_equal(mem_stats().live - live, 3);
    next = arena_alloc(&arena, 16);
    assert_ptr_equal(next, small + 16);
    assert_non_null(arena_alloc(&arena, ARENA_BLOCK_SIZE - HEADER)); /* just one block */
    assert_int_equal(mem_stats().live - live, 4);
    arena_done(&arena);
    assert_int_equal(mem_stats().live, live);
}

static void copies(void **state)
{
    struct bytes copy = BYTES("untouched");
    const char *from = "abcdef";
    struct arena arena;
    char *text;

    arena_init(&arena, NULL, 64);
    assert_int_equal(arena_copy(&arena, bytes_of(from, 3), &copy), 0);
    assert_true(bytes_equal(copy, BYTES("abc")));
    assert_ptr_not_equal(copy.data, from);
    assert_int_equal(arena_copy(&arena, BYTES_NONE, &copy), 0);
    assert_int_equal(copy.len, 0);
    text = arena_text(&arena, bytes_of(from, 3));
    assert_string_equal(text, "abc");
    text = arena_text(&arena, BYTES_NONE);
    assert_string_equal(text, "");
    text = arena_zalloc(&arena, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(text[i], 0);
    assert_int_equal(arena.used, 64);
    copy = BYTES("untouched");
    assert_int_equal(arena_copy(&arena, BYTES("x"), &copy), -ENOMEM);
    assert_null(arena_text(&arena, BYTES("x")));
    assert_null(arena_zalloc(&arena, 1));
    assert_int_equal(arena_format(&arena, &copy, "x"), -ENOMEM);
    assert_true(bytes_equal(copy, BYTES("untouched")));
    arena_done(&arena);
}

static void formats(void **state)
{
    static const int WIDTHS[] = { 1, 254, 255, 256, 257, 5000 };
    struct bytes text = BYTES("untouched");
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(WIDTHS); i++) {
        assert_int_equal(arena_format(&arena, &text, "%*d", WIDTHS[i], 7), 0);
        assert_int_equal(text.len, WIDTHS[i]);
        assert_int_equal(text.data[text.len - 1], '7');
        assert_int_equal(text.data[text.len], '\0');
        assert_true(text.len == 1 || text.data[0] == ' ');
    }
    text = BYTES("untouched");
    assert_int_equal(arena_format(&arena, &text, "%lc", (wint_t)0xd800), -EINVAL); /* no character */
    assert_true(bytes_equal(text, BYTES("untouched")));
    arena_done(&arena);
}

/* All four cases: either may be empty, and the blocks of both may be several. */
static void adopts(void **state)
{
    for (size_t ours = 0; ours < 4; ours++) {
        for (size_t theirs = 0; theirs < 4; theirs++) {
            struct arena to, from;
            struct pool pool;
            char *last = NULL;
            char *moved = NULL;

            pool_init(&pool, "test", PIECE, 10, 10);
            arena_init(&to, &pool, 1024);
            arena_init(&from, &pool, 1024);
            for (size_t i = 0; i < ours; i++)
                last = arena_zalloc(&to, PIECE - HEADER - 32);
            for (size_t i = 0; i < theirs; i++)
                moved = arena_zalloc(&from, PIECE - HEADER - 32);
            arena_adopt(&to, &from);
            assert_int_equal(pool.out, ours + theirs);
            assert_int_equal(to.used, (ours + theirs) * (PIECE - HEADER - 32));
            assert_int_equal(from.used, 0);
            arena_done(&from);
            assert_int_equal(pool.out, ours + theirs);
            if (moved)
                memset(moved, 1, PIECE - HEADER - 32);
            if (ours > 0 && to.used < to.max)
                assert_ptr_equal(arena_alloc(&to, 16), last + PIECE - HEADER - 32);
            if (to.used >= to.max)
                assert_null(arena_alloc(&to, 1)); /* what was adopted counts */
            arena_done(&to);
            assert_int_equal(pool.out, 0);
            pool_done(&pool);
        }
    }
}

static void adopts_itself(void *context)
{
    arena_adopt(context, context);
}

static void adopts_from_another_pool(void *context)
{
    struct arena other;
    struct pool pool;

    pool_init(&pool, "test", PIECE, 1, 1);
    arena_init(&other, &pool, 1);
    arena_adopt(context, &other);
}

static void draws_from_tiny_pool(void *context)
{
    struct pool pool;

    pool_init(&pool, "test", HEADER, 1, 1);
    arena_init(context, &pool, 1);
}

static void misuse_is_seen(void **state)
{
    struct arena arena;

    arena_init(&arena, NULL, 100);
    faults_dies(adopts_itself, &arena, "to != from");
    faults_dies(adopts_from_another_pool, &arena, "to->pool == from->pool");
    faults_dies(draws_from_tiny_pool, &arena, "pool->size > sizeof(struct arena_block)");
}

/* Everything that an arena does, with each of its allocations failing. */
static int use(struct arena *arena)
{
    struct bytes text;

    for (int i = 0; i < 5; i++) {
        if (!arena_zalloc(arena, 100))
            return -ENOMEM;
        if (arena_copy(arena, BYTES("some bytes"), &text) < 0)
            return -ENOMEM;
        if (arena_format(arena, &text, "%d and %s", i, "more") < 0)
            return -ENOMEM;
        if (!arena_text(arena, text))
            return -ENOMEM;
    }
    return 0;
}

static int run(void *context)
{
    struct arena winner, loser, parent;
    bool pooled = *(const bool *)context;
    struct pool pool;
    int result;

    pool_init(&pool, "test", PIECE, 100, 2);
    arena_init(&parent, pooled ? &pool : NULL, 100000);
    winner = loser = parent;
    result = use(&parent);
    if (result == 0)
        result = use(&winner);
    if (result == 0)
        result = use(&loser);
    if (result == 0 && !pooled && !arena_alloc(&loser, (size_t)2 * ARENA_BLOCK_SIZE))
        result = -ENOMEM;
    arena_adopt(&parent, &winner);
    arena_done(&winner);
    arena_done(&loser);
    arena_done(&parent);
    pool_done(&pool);
    return result;
}

static void survives_each_failure(void **state)
{
    bool pooled = true;

    assert_true(faults_each(run, &pooled) >= 9);
    pooled = false;
    assert_int_equal(faults_each(run, &pooled), 4);
}

static void gaps_are_poisoned(void **state)
{
#ifdef WEFT_ASAN
    struct arena arena;
    char *piece;

    arena_init(&arena, NULL, 100);
    piece = arena_alloc(&arena, 17);
    assert_null(__asan_region_is_poisoned(piece, 17));
    assert_true(__asan_address_is_poisoned(piece + 17));
    assert_true(__asan_address_is_poisoned(piece + 32));
    arena_done(&arena);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(pool_piece_bounds_a_request),
        cmocka_unit_test(max_bounds_all),
        cmocka_unit_test(large_pieces_without_pool),
        cmocka_unit_test(copies),
        cmocka_unit_test(formats),
        cmocka_unit_test(adopts),
        cmocka_unit_test(misuse_is_seen),
        cmocka_unit_test(survives_each_failure),
        cmocka_unit_test(gaps_are_poisoned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
