/* base/prng.h - xoshiro256** 1.0 (Blackman, Vigna: "Scrambled linear pseudorandom number generators",
 * 2018), seeded through SplitMix64. Not for secrets. The state belongs to its owner: one per worker, one
 * per simulated world. */
#ifndef WEFT_BASE_PRNG_H
#define WEFT_BASE_PRNG_H

#include "base/defs.h"

struct prng {
    uint64_t state[4];
};

void prng_seed(struct prng *prng, uint64_t seed);
uint64_t prng_next(struct prng *prng);
uint64_t prng_below(struct prng *prng, uint64_t bound);             /* 0..bound-1, unbiased; bound > 0 */
int64_t prng_between(struct prng *prng, int64_t low, int64_t high); /* low..high, both included */
bool prng_chance(struct prng *prng, double probability);            /* 0.0 never, 1.0 always */
double prng_unit(struct prng *prng);                                /* [0, 1) */
void prng_fill(struct prng *prng, void *memory, size_t len);

#endif
