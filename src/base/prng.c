#include "base/prng.h"

#include "base/assert.h"
#include "base/hash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

void prng_seed(struct prng *prng, uint64_t seed)
{
    for (size_t i = 0; i < ARRAY_LEN(prng->state); i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64: no seed gives the state of all zeros */
        prng->state[i] = hash_mix64(seed);
    }
}

uint64_t prng_next(struct prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    uint64_t surplus, value;

    ASSERT(bound > 0);
    surplus = (0 - bound) % bound; /* 2^64 mod bound: drawing these too would favour small results */
    do {
        value = prng_next(prng);
    } while (value < surplus);
    return value % bound;
}

int64_t prng_between(struct prng *prng, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t offset;

    ASSERT(low <= high);
    offset = span == UINT64_MAX ? prng_next(prng) : prng_below(prng, span + 1);
    return (int64_t)((uint64_t)low + offset);
}

bool prng_chance(struct prng *prng, double probability)
{
    return prng_unit(prng) < probability;
}

double prng_unit(struct prng *prng)
{
    return (double)(prng_next(prng) >> 11) * 0x1.0p-53;
}

void prng_fill(struct prng *prng, void *memory, size_t len)
{
    unsigned char *out = memory;

    while (len > 0) {
        uint64_t word = htole64(prng_next(prng));
        size_t count = MIN(len, sizeof(word));

        memcpy(out, &word, count);
        out += count;
        len -= count;
    }
}
