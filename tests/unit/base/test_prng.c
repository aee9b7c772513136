#include "base/prng.h"

#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The first outputs from the state 1, 2, 3, 4, computed from the paper's definition by a program of its own;
 * the same numbers stand in the tests of other implementations. */
static void next_agrees_with_the_reference(void **state)
{
    static const uint64_t EXPECTED[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct prng prng = { { 1, 2, 3, 4 } };

    for (size_t i = 0; i < ARRAY_LEN(EXPECTED); i++)
        assert_int_equal(prng_next(&prng), EXPECTED[i]);
}

/* SplitMix64 from 1234567. */
static void seed_agrees_with_the_reference(void **state)
{
    static const uint64_t EXPECTED[] = { UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                         UINT64_C(9817491932198370423), UINT64_C(4593380528125082431) };
    struct prng prng;

    prng_seed(&prng, 1234567);
    assert_memory_equal(prng.state, EXPECTED, sizeof(EXPECTED));
}

static void seeds_repeat_and_differ(void **state)
{
    struct prng a, b, c;

    prng_seed(&a, 0);
    prng_seed(&b, 0);
    prng_seed(&c, 1);
    assert_int_equal(prng_next(&a), prng_next(&b));
    assert_int_not_equal(prng_next(&a), prng_next(&c));
}

static void below_stays_below(void **state)
{
    static const uint64_t BOUNDS[] = { 1, 2, 3, 10, 1000, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 1, UINT64_MAX };
    struct prng prng;

    prng_seed(&prng, 7);
    for (size_t i = 0; i < ARRAY_LEN(BOUNDS); i++) {
        for (int n = 0; n < 1000; n++)
            assert_true(prng_below(&prng, BOUNDS[i]) < BOUNDS[i]);
    }
}

/* Draws of the surplus, 2^64 mod bound numbers, are drawn again: with a bound just over 2^63 that is nearly
 * every second one. The state 1, 2, 3, 4 begins with small ones. */
static void below_is_unbiased(void **state)
{
    struct prng prng = { { 1, 2, 3, 4 } };
    uint64_t bound = (UINT64_C(1) << 63) + 1;
    unsigned counts[6] = { 0 };

    assert_int_equal(prng_below(&prng, bound), UINT64_C(16172922978634559625) % bound);
    for (int n = 0; n < 60000; n++)
        counts[prng_below(&prng, 6)]++;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        assert_in_range(counts[i], 9600, 10400); /* 10000, give or take four deviations */
}

static void between_includes_both_ends(void **state)
{
    struct prng prng;
    bool seen[7] = { false };
    bool negative = false, positive = false;

    prng_seed(&prng, 8);
    for (int n = 0; n < 1000; n++) {
        int64_t value = prng_between(&prng, -3, 3);

        assert_true(value >= -3 && value <= 3);
        seen[value + 3] = true;
    }
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        assert_true(seen[i]);
    assert_int_equal(prng_between(&prng, 5, 5), 5);
    for (int n = 0; n < 100; n++) {
        int64_t value = prng_between(&prng, INT64_MIN, INT64_MAX);

        negative |= value < 0;
        positive |= value > 0;
    }
    assert_true(negative && positive);
}

static void chance_and_unit(void **state)
{
    struct prng prng;
    unsigned hits = 0;

    prng_seed(&prng, 9);
    for (int n = 0; n < 10000; n++) {
        double unit = prng_unit(&prng);

        assert_true(unit >= 0.0 && unit < 1.0);
        assert_false(prng_chance(&prng, 0.0));
        assert_true(prng_chance(&prng, 1.0));
        hits += prng_chance(&prng, 0.25);
    }
    assert_in_range(hits, 2300, 2700);
}

/* Any length takes whole words of the stream, in little-endian order, and nothing past the end is written. */
static void fills(void **state)
{
    for (size_t len = 0; len <= 20; len++) {
        struct prng prng, same;
        unsigned char memory[24];

        memset(memory, 0xa5, sizeof(memory));
        prng_seed(&prng, 10);
        prng_seed(&same, 10);
        prng_fill(&prng, memory, len);
        for (size_t i = 0; i < sizeof(memory); i += 8) {
            uint64_t word = prng_next(&same);

            for (size_t at = i; at < i + 8; at++)
                assert_int_equal(memory[at], at < len ? word >> (at % 8 * 8) & 0xff : 0xa5);
        }
    }
}

static void draws_below_zero(void *context)
{
    prng_below(context, 0);
}

static void draws_between_swapped(void *context)
{
    prng_between(context, 1, 0);
}

static void refuses_empty_ranges(void **state)
{
    struct prng prng = { { 1, 2, 3, 4 } };

    faults_dies(draws_below_zero, &prng, "bound > 0");
    faults_dies(draws_between_swapped, &prng, "low <= high");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_agrees_with_the_reference),
        cmocka_unit_test(seed_agrees_with_the_reference),
        cmocka_unit_test(seeds_repeat_and_differ),
        cmocka_unit_test(below_stays_below),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(between_includes_both_ends),
        cmocka_unit_test(chance_and_unit),
        cmocka_unit_test(fills),
        cmocka_unit_test(refuses_empty_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
