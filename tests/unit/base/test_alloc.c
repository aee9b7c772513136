#include "base/alloc.h"

#include "base/poison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void counts_what_it_gives_and_takes(void **state)
{
    struct mem_stats before = mem_stats();
    char *plain = mem_alloc(10);
    char *zeroed = mem_zalloc(64);
    int *array = mem_zalloc_array(4, sizeof(int));

    assert_non_null(plain);
    assert_non_null(zeroed);
    assert_non_null(array);
    for (int i = 0; i < 64; i++)
        assert_int_equal(zeroed[i], 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(array[i], 0);
    assert_int_equal(mem_stats().allocations - before.allocations, 3);
    assert_int_equal(mem_stats().live - before.live, 3);
    mem_free(plain);
    mem_free(zeroed);
    mem_free(array);
    mem_free(NULL);
    assert_int_equal(mem_stats().frees - before.frees, 3);
    assert_int_equal(mem_stats().live, before.live);
}

static void gives_memory_for_no_bytes(void **state)
{
    void *pieces[] = { mem_alloc(0), mem_zalloc(0), mem_zalloc_array(0, 8), mem_aligned(64, 0), mem_realloc(NULL, 0) };

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        assert_non_null(pieces[i]);
        mem_free(pieces[i]);
    }
}

static void refuses_what_overflows(void **state)
{
    struct mem_stats before = mem_stats();
    void *zeroed = mem_zalloc_array(SIZE_MAX / 2, 3);
    char *text = mem_copy_text("x", SIZE_MAX);

    assert_null(zeroed);
    assert_null(text);
    assert_int_equal(mem_stats().allocations, before.allocations);
}

static void realloc_keeps_what_stood_there(void **state)
{
    int64_t live = mem_stats().live;
    char *memory = mem_realloc(NULL, 4);
    void *larger;

    assert_non_null(memory);
    memcpy(memory, "abc", 4);
    assert_int_equal(mem_stats().live - live, 1);
    mem_fail_after(0);
    larger = mem_realloc(memory, 100);
    assert_null(larger);
    assert_true(mem_fail_after(-1));
    assert_string_equal(memory, "abc");
    larger = mem_realloc(memory, 100000);
    assert_non_null(larger);
    assert_string_equal((char *)larger, "abc");
    assert_int_equal(mem_stats().live - live, 1);
    mem_free(larger);
    assert_int_equal(mem_stats().live, live);
}

static void aligns(void **state)
{
    static const size_t ALIGNMENTS[] = { 1, 2, 8, 64, 4096 };

    for (size_t i = 0; i < ARRAY_LEN(ALIGNMENTS); i++) {
        void *memory = mem_aligned(ALIGNMENTS[i], 100);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % ALIGNMENTS[i], 0);
        mem_free(memory);
    }
}

static void aligned_refuses_an_odd_alignment(void **state)
{
#if defined(WEFT_ASAN)
    skip(); /* it ends the process for that */
#else
    struct mem_stats before = mem_stats();
    volatile size_t alignment = 24; /* no power of two; volatile: not for the compiler to judge */

    assert_null(mem_aligned(alignment, 100));
    assert_int_equal(mem_stats().allocations, before.allocations);
#endif
}

/* More than any machine has: the C library itself says no. */
static void passes_on_a_real_failure(void **state)
{
#if defined(WEFT_ASAN)
    skip(); /* it ends the process for that */
#else
    volatile size_t size = PTRDIFF_MAX;
    struct mem_stats before = mem_stats();
    char *memory = mem_copy_text("kept", 4);

    assert_null(mem_alloc(size));
    assert_null(mem_zalloc(size));
    assert_null(mem_aligned(64, size));
    assert_null(mem_realloc(memory, size));
    assert_string_equal(memory, "kept");
    assert_int_equal(mem_stats().live - before.live, 1);
    mem_free(memory);
    assert_int_equal(mem_stats().live, before.live);
#endif
}

static void copies_text(void **state)
{
    char *copy = mem_copy_text("abcdef", 3);
    char *empty = mem_copy_text(NULL, 0);

    assert_string_equal(copy, "abc");
    assert_string_equal(empty, "");
    mem_free(copy);
    mem_free(empty);
}

/* Every function meets the countdown: the first two succeed, the third fails, the fourth succeeds. */
static void fails_on_purpose_once(void **state)
{
    for (unsigned function = 0; function < 6; function++) {
        bool worked[4];

        mem_fail_after(2);
        for (unsigned i = 0; i < 4; i++) {
            void *memory = function == 0   ? mem_alloc(8)
                           : function == 1 ? mem_zalloc(8)
                           : function == 2 ? mem_zalloc_array(2, 8)
                           : function == 3 ? mem_realloc(NULL, 8)
                           : function == 4 ? mem_aligned(32, 8)
                                           : mem_copy_text("x", 1);

            worked[i] = memory != NULL;
            mem_free(memory);
        }
        assert_true(worked[0] && worked[1] && !worked[2] && worked[3]);
        assert_true(mem_fail_after(-1));
        assert_false(mem_fail_after(-1));
    }
}

static long resident_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    char line[128], *second;

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    (void)fclose(file);
    second = strchr(line, ' ');
    assert_non_null(second);
    return strtol(second, NULL, 10);
}

/* Large pieces, each with a small one above it that stays: nothing can be cut off at the end. */
static void trims_what_lies_free(void **state)
{
    enum { PIECES = 1000, LARGE = 16384 };
    char *large[PIECES], *small[PIECES];
    long before, after;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* the C library's allocator is not in use */
#endif
    for (unsigned i = 0; i < PIECES; i++) {
        large[i] = mem_alloc(LARGE);
        small[i] = mem_alloc(64);
        assert_true(large[i] && small[i]);
        memset(large[i], 1, LARGE);
        memset(small[i], (int)(i % 100), 64);
    }
    for (unsigned i = 0; i < PIECES; i++)
        mem_free(large[i]);
    before = resident_pages();
    mem_trim();
    after = resident_pages();
    assert_true(before - after > PIECES * LARGE / 4096 / 2);
    for (unsigned i = 0; i < PIECES; i++) {
        assert_int_equal(small[i][63], i % 100);
        mem_free(small[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_it_gives_and_takes),
        cmocka_unit_test(gives_memory_for_no_bytes),
        cmocka_unit_test(refuses_what_overflows),
        cmocka_unit_test(realloc_keeps_what_stood_there),
        cmocka_unit_test(aligns),
        cmocka_unit_test(aligned_refuses_an_odd_alignment),
        cmocka_unit_test(copies_text),
        cmocka_unit_test(passes_on_a_real_failure),
        cmocka_unit_test(fails_on_purpose_once),
        cmocka_unit_test(trims_what_lies_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
