#include "base/map.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/prng.h"
#include "faults.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define KEYS 512
#define MAP_MAX 400

struct key {
    char text[16];
    size_t len;
};

static struct bytes key_bytes(const struct key *key)
{
    return bytes_of(key->text, key->len);
}

static void keys_init(struct key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        keys[i].len = (size_t)snprintf(keys[i].text, sizeof(keys[i].text), "key-%zu", i);
}

/* What a walk finds is what the model has, each once. */
static void assert_walk(const struct map *map, const struct key *keys, void *const *model)
{
    bool seen[KEYS] = { false };
    size_t count = 0;

    for (struct map_entry *entry = map_next(map, NULL); entry; entry = map_next(map, entry)) {
        const struct key *key = (const struct key *)(const void *)entry->key.data;
        size_t i = (size_t)(key - keys);

        assert_true(i < KEYS && !seen[i]);
        assert_ptr_equal(entry->value, model[i]);
        seen[i] = true;
        count++;
    }
    assert_int_equal(count, map->count);
}

/* The model is an array: a key's value, or NULL. */
static void agrees_with_an_array(void **state)
{
    struct key keys[KEYS];
    void *model[KEYS] = { NULL };
    char values[16];
    size_t count = 0;
    unsigned refused = 0;
    struct prng prng;
    struct map map;

    keys_init(keys, KEYS);
    prng_seed(&prng, 1);
    map_init(&map, (struct hash_key){ 1, 2 }, MAP_MAX);
    for (int n = 0; n < 100000; n++) {
        size_t i = prng_below(&prng, KEYS);
        void *value = &values[prng_below(&prng, sizeof(values))];

        if (prng_chance(&prng, n / 5000 % 2 ? 0.3 : 0.9)) {
            bool fits = model[i] || count < MAP_MAX;

            assert_int_equal(map_put(&map, key_bytes(&keys[i]), value), fits ? 0 : -ENOSPC); /* (2) */
            refused += !fits;
            count += fits && !model[i];
            model[i] = fits ? value : model[i];
        } else {
            assert_ptr_equal(map_remove(&map, key_bytes(&keys[i])), model[i]);
            count -= model[i] != NULL;
            model[i] = NULL;
        }
        i = prng_below(&prng, KEYS);
        assert_ptr_equal(map_get(&map, key_bytes(&keys[i])), model[i]);
        assert_int_equal(map.count, count);
        if (n % 500 == 0)
            assert_walk(&map, keys, model);
    }
    assert_true(refused > 100);
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&map, key_bytes(&keys[i])), model[i]);
    map_done(&map);
}

static void empty_map(void **state)
{
    uint64_t allocations = mem_stats().allocations;
    struct map map;

    map_init(&map, (struct hash_key){ 1, 2 }, 10);
    assert_null(map_get(&map, BYTES("a")));
    assert_null(map_remove(&map, BYTES("a")));
    assert_null(map_next(&map, NULL));
    map_done(&map);
    assert_int_equal(mem_stats().allocations, allocations);
    map_init(&map, (struct hash_key){ 1, 2 }, 0);
    assert_int_equal(map_put(&map, BYTES("a"), &map), -ENOSPC);
    map_done(&map);
}

static void any_bytes_are_keys(void **state)
{
    int a, b, c;
    struct map map;

    map_init(&map, (struct hash_key){ 1, 2 }, 10);
    assert_int_equal(map_put(&map, BYTES_NONE, &a), 0);
    assert_int_equal(map_put(&map, BYTES("\0"), &b), 0);
    assert_int_equal(map_put(&map, BYTES("\0\0"), &c), 0);
    assert_ptr_equal(map_get(&map, BYTES("")), &a);
    assert_ptr_equal(map_get(&map, BYTES("\0")), &b);
    assert_ptr_equal(map_get(&map, BYTES("\0\0")), &c);
    assert_int_equal(map.capacity, MAP_CAPACITY_MIN);
    map_done(&map);
    assert_int_equal(map.count, 0);
    assert_int_equal(map_put(&map, BYTES("again"), &a), 0);
    map_done(&map);
}

/* (1): a key may die once another equal one has been put in its place. */
static void replacing_takes_the_new_key(void **state)
{
    char first[] = "key", second[] = "key";
    struct map map;
    int a, b;

    map_init(&map, (struct hash_key){ 1, 2 }, 1);
    assert_int_equal(map_put(&map, bytes_of_text(first), &a), 0);
    assert_int_equal(map_put(&map, bytes_of_text(second), &b), 0);
    first[0] = 'x';
    assert_ptr_equal(map_get(&map, BYTES("key")), &b);
    assert_ptr_equal(map_next(&map, NULL)->key.data, second);
    map_done(&map);
}

/* Two keys with one hash: nobody can find a pair of SipHash, so the entry is given the hash of the other. */
static void equal_hashes_are_no_equal_keys(void **state)
{
    const struct hash_key hash_key = { 1, 2 };
    struct key keys[KEYS];
    struct map_entry *entry;
    struct map map;
    size_t i = 1;
    int value;

    keys_init(keys, KEYS);
    map_init(&map, hash_key, 10);
    assert_int_equal(map_put(&map, key_bytes(&keys[0]), &value), 0);
    entry = map_next(&map, NULL);
    while (i < KEYS && (hash_bytes(&hash_key, key_bytes(&keys[i])) - entry->hash) % MAP_CAPACITY_MIN != 0)
        i++;
    assert_true(i < KEYS);
    entry->hash = hash_bytes(&hash_key, key_bytes(&keys[i]));
    assert_null(map_get(&map, key_bytes(&keys[i])));
    assert_ptr_equal(map_remove(&map, key_bytes(&keys[i])), NULL);
    assert_int_equal(map.count, 1);
    map_done(&map);
}

/* (4) */
static void order_repeats(void **state)
{
    struct map maps[2];
    struct key keys[50];
    struct map_entry *a, *b;

    keys_init(keys, ARRAY_LEN(keys));
    for (size_t m = 0; m < 2; m++) {
        map_init(&maps[m], (struct hash_key){ 5, 6 }, 100);
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            assert_int_equal(map_put(&maps[m], key_bytes(&keys[i]), &keys[i]), 0);
        for (size_t i = 0; i < ARRAY_LEN(keys); i += 3)
            assert_ptr_equal(map_remove(&maps[m], key_bytes(&keys[i])), &keys[i]);
    }
    a = map_next(&maps[0], NULL);
    b = map_next(&maps[1], NULL);
    for (; a; a = map_next(&maps[0], a), b = map_next(&maps[1], b))
        assert_ptr_equal(a->value, b->value);
    assert_null(b);
    map_done(&maps[0]);
    map_done(&maps[1]);
}

/* (2): what was in it when growing failed is still there. */
static int fill(void *context)
{
    const struct key *keys = context;
    struct map map;
    size_t count = 0;
    int result = 0;

    map_init(&map, (struct hash_key){ 1, 2 }, MAP_MAX);
    while (count < 100 && result == 0) {
        result = map_put(&map, key_bytes(&keys[count]), (void *)(uintptr_t)(count + 1));
        count += result == 0;
    }
    assert_true(result == 0 || result == -ENOMEM);
    assert_int_equal(map.count, count);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal((uintptr_t)map_get(&map, key_bytes(&keys[i])), i < count ? i + 1 : 0);
    map_done(&map);
    return result;
}

static void survives_each_failure(void **state)
{
    struct key keys[KEYS];

    keys_init(keys, KEYS);
    assert_int_equal(faults_each(fill, keys), 6); /* tables of 8, 16, 32, 64, 128 and 256: 96 fill the fifth */
}

static void puts_null(void *context)
{
    struct map map;

    map_init(&map, (struct hash_key){ 1, 2 }, 10);
    if (map_put(&map, BYTES("a"), NULL) < 0)
        map_done(&map);
}

static void misuse_is_seen(void **state)
{
    faults_dies(puts_null, NULL, "value != NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(empty_map),
        cmocka_unit_test(any_bytes_are_keys),
        cmocka_unit_test(order_repeats),
        cmocka_unit_test(replacing_takes_the_new_key),
        cmocka_unit_test(survives_each_failure),
        cmocka_unit_test(misuse_is_seen),
        cmocka_unit_test(equal_hashes_are_no_equal_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
