#include "base/hash.h"

#include <endian.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate_left(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate_left(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate_left(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate_left(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate_left(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate_left(sip->v2, 32);
}

/* One compression round a word: the 1 of SipHash-1-3. */
static inline void sip_take(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

/* Words are little-endian, so that a hash is the same on every machine. */
static inline uint64_t load_word(const char *data, size_t len, bool lower)
{
    uint64_t word = 0;

    if (len > 0)
        memcpy(&word, data, len);
    word = le64toh(word);
    return lower ? ascii_lower8(word) : word;
}

static inline struct sip sip_start(const struct hash_key *key)
{
    return (struct sip){
        .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
    };
}

static inline uint64_t sip_word(const struct sip *sip)
{
    return sip->v0 ^ sip->v1 ^ sip->v2 ^ sip->v3;
}

static inline uint64_t sip_hash(const struct hash_key *key, struct bytes data, bool lower)
{
    struct sip sip = sip_start(key);
    uint64_t length = (uint64_t)data.len << 56;

    while (data.len >= 8) {
        sip_take(&sip, load_word(data.data, 8, lower));
        data.data += 8;
        data.len -= 8;
    }
    sip_take(&sip, load_word(data.data, data.len, lower) | length);
    sip.v2 ^= 0xff;
    sip_round(&sip);
    sip_round(&sip);
    sip_round(&sip);
    return sip_word(&sip);
}

uint64_t hash_bytes(const struct hash_key *key, struct bytes data)
{
    return sip_hash(key, data, false);
}

uint64_t hash_bytes_ci(const struct hash_key *key, struct bytes data)
{
    return sip_hash(key, data, true);
}

/* Two compression rounds a word: the 2 of SipHash-2-4. */
static void mac_take(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip_round(sip);
    sip->v0 ^= word;
}

static uint64_t mac_finish(struct sip *sip)
{
    for (int i = 0; i < 4; i++)
        sip_round(sip);
    return sip_word(sip);
}

/* The constants that tell 128 bits from 64 are those of the reference implementation. */
void hash_mac(const struct hash_key *key, struct bytes data, uint64_t ret[2])
{
    struct sip sip = sip_start(key);
    uint64_t length = (uint64_t)data.len << 56;

    sip.v1 ^= 0xee;
    while (data.len >= 8) {
        mac_take(&sip, load_word(data.data, 8, false));
        data = bytes_skip(data, 8);
    }
    mac_take(&sip, load_word(data.data, data.len, false) | length);
    sip.v2 ^= 0xee;
    ret[0] = mac_finish(&sip);
    sip.v1 ^= 0xdd;
    ret[1] = mac_finish(&sip);
}

uint64_t hash_fnv1a(struct bytes data)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < data.len; i++)
        hash = (hash ^ (unsigned char)data.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}
