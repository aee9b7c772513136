/* base/hash.h - hashes. SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) with a
 * key of the process where a stranger chooses what is hashed; SipHash-2-4-128, the authors' choice for a MAC, where a
 * stranger must not be able to make it; mix64 (the finalizer of SplitMix64, Steele et al. 2014) for numbers of our own.
 */
#ifndef WEFT_BASE_HASH_H
#define WEFT_BASE_HASH_H

#include "base/bytes.h"

struct hash_key {
    uint64_t k0, k1;
};

uint64_t hash_bytes(const struct hash_key *key, struct bytes data);            /* SipHash-1-3 */
uint64_t hash_bytes_ci(const struct hash_key *key, struct bytes data);         /* the same, of the lower-cased bytes */
void hash_mac(const struct hash_key *key, struct bytes data, uint64_t ret[2]); /* SipHash-2-4-128 */
uint64_t hash_fnv1a(struct bytes data); /* FNV-1a 64: stable, for names of our own */

static inline uint64_t hash_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif
