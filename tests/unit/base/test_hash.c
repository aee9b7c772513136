#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Made by another implementation, that of OpenSSL:
 *     openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt size:8 -macopt c-rounds:1
 *         -macopt d-rounds:3 -in FILE SIPHASH
 * for files of the bytes 00 01 02 ..., of 0 to 63 bytes; the answer is little-endian. */
static const uint64_t SIPHASH_1_3[64] = {
    UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x82cb9b024dc7d44d),
    UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
    UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
    UINT64_C(0x25a48eb36c063de4), UINT64_C(0x79de85ee92ff097f), UINT64_C(0x70c118c1f94dc352),
    UINT64_C(0x78a384b157b4d9a2), UINT64_C(0x306f760c1229ffa7), UINT64_C(0x605aa111c0f95d34),
    UINT64_C(0xd320d86d2a519956), UINT64_C(0xcc4fdd1a7d908b66), UINT64_C(0x9cf2689063dbd80c),
    UINT64_C(0x8ffc389cb473e63e), UINT64_C(0xf21f9de58d297d1c), UINT64_C(0xc0dc2f46a6cce040),
    UINT64_C(0xb992abfe2b45f844), UINT64_C(0x7ffe7b9ba320872e), UINT64_C(0x525a0e7fdae6c123),
    UINT64_C(0xf464aeb267349c8c), UINT64_C(0x45cd5928705b0979), UINT64_C(0x3a3e35e3ca9913a5),
    UINT64_C(0xa91dc74e4ade3b35), UINT64_C(0xfb0bed02ef6cd00d), UINT64_C(0x88d93cb44ab1e1f4),
    UINT64_C(0x540f11d643c5e663), UINT64_C(0x2370dd1f8c21d1bc), UINT64_C(0x81157b6c16a7b60d),
    UINT64_C(0x4d54b9e57a8ff9bf), UINT64_C(0x759f12781f2a753e), UINT64_C(0xcea1a3bebf186b91),
    UINT64_C(0x2cf508d3ada26206), UINT64_C(0xb6101c2da3c33057), UINT64_C(0xb3f47496ae3a36a1),
    UINT64_C(0x626b57547b108392), UINT64_C(0xc1d2363299e41531), UINT64_C(0x667cc1923f1ad944),
    UINT64_C(0x65704ffec8138825), UINT64_C(0x24f280d1c28949a6), UINT64_C(0xc2ca1cedfaf8876b),
    UINT64_C(0xc2164bfc9f042196), UINT64_C(0xa16e9c9368b1d623), UINT64_C(0x49fb169c8b5114fd),
    UINT64_C(0x9f3143f8df074c46), UINT64_C(0xc6fdaf2412cc86b3), UINT64_C(0x7eaf49d10a52098f),
    UINT64_C(0x1cf313559d292f9a), UINT64_C(0xc44a30dda2f41f12), UINT64_C(0x36fae98943a71ed0),
    UINT64_C(0x318fb34c73f0bce6), UINT64_C(0xa27abf3670a7e980), UINT64_C(0xb4bcc0db243c6d75),
    UINT64_C(0x23f8d852fdb71513), UINT64_C(0x8f035f4da67d8a08), UINT64_C(0xd89cd0e5b7e8f148),
    UINT64_C(0xf6f4e6bcf7a644ee), UINT64_C(0xaec59ad80f1837f2), UINT64_C(0xc3b2f6154b6694e0),
    UINT64_C(0x9d199062b7bbb3a8),
};

static void siphash_agrees_with_openssl(void **state)
{
    const struct hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    char message[64];

    for (size_t len = 0; len < sizeof(message); len++) {
        message[len] = (char)len;
        assert_int_equal(hash_bytes(&key, bytes_of(message, len)), SIPHASH_1_3[len]);
    }
    assert_int_equal(hash_bytes(&key, BYTES_NONE), SIPHASH_1_3[0]);
}

/* A third opinion: CPython 3.11 hashes bytes with SipHash-1-3, under a key of zeros if PYTHONHASHSEED=0:
 *     PYTHONHASHSEED=0 python3 -c 'print(hex(hash(b"weft") & (1 << 64) - 1))' */
static void siphash_agrees_with_python(void **state)
{
    const struct hash_key key = { 0, 0 };

    assert_int_equal(hash_bytes(&key, BYTES("a")), UINT64_C(0x407448d2b89b1813));
    assert_int_equal(hash_bytes(&key, BYTES("weft")), UINT64_C(0x3ea610a9ed234c93));
    assert_int_equal(hash_bytes(&key, BYTES("12345678")), UINT64_C(0x3489982430560a87));
    assert_int_equal(hash_bytes(&key, BYTES("a longer text than that, really")), UINT64_C(0xecc79ac1f42763ec));
}

static void ci_hashes_the_lower_case(void **state)
{
    static const char *const ROWS[][2] = {
        { "", "" },
        { "Host", "host" },
        { "CONTENT-LENGTH", "content-length" },
        { "ABCDEFGH", "abcdefgh" },
        { "@[\x80\xc1Z", "@[\x80\xc1z" },
    };
    const struct hash_key key = { 1, 2 };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        uint64_t expected = hash_bytes(&key, bytes_of_text(ROWS[i][1]));

        assert_int_equal(hash_bytes_ci(&key, bytes_of_text(ROWS[i][0])), expected);
        assert_int_equal(hash_bytes_ci(&key, bytes_of_text(ROWS[i][1])), expected);
    }
}

static void key_matters(void **state)
{
    const struct hash_key a = { 1, 2 }, b = { 1, 3 }, c = { 2, 2 };

    assert_int_not_equal(hash_bytes(&a, BYTES("x")), hash_bytes(&b, BYTES("x")));
    assert_int_not_equal(hash_bytes(&a, BYTES("x")), hash_bytes(&c, BYTES("x")));
}

/* Likewise by OpenSSL, with size:16 and the usual rounds. */
static const struct {
    size_t len;
    uint64_t mac[2];
} SIPHASH_2_4_128[] = {
    { 0, { UINT64_C(0xe6a825ba047f81a3), UINT64_C(0x930255c71472f66d) } },
    { 1, { UINT64_C(0x44af996bd8c187da), UINT64_C(0x45fc229b11597634) } },
    { 2, { UINT64_C(0xc75da4a48d227781), UINT64_C(0xe4ff0af6de8ba3fc) } },
    { 3, { UINT64_C(0x4ea967520cb6709c), UINT64_C(0x51ed8529b0b6335f) } },
    { 4, { UINT64_C(0xaf8f9c2dc16481f8), UINT64_C(0x7955cd7b7c6e0f7d) } },
    { 5, { UINT64_C(0x886f778059876813), UINT64_C(0x27960e69077a5254) } },
    { 6, { UINT64_C(0x1386208b33caee14), UINT64_C(0x5ea1d78f30a05e48) } },
    { 7, { UINT64_C(0x53c1dbd8beebf1a1), UINT64_C(0x3982f01fa64ab8c0) } },
    { 8, { UINT64_C(0x61f55862baa9623b), UINT64_C(0xb49714f364e2830f) } },
    { 9, { UINT64_C(0xabbad90a06994426), UINT64_C(0xed716dbb028b7fc4) } },
    { 10, { UINT64_C(0x56691478c30d1100), UINT64_C(0xbafbd0f3d34754c9) } },
    { 11, { UINT64_C(0x77666b3868c55101), UINT64_C(0x18dce5816fdcb4a2) } },
    { 12, { UINT64_C(0x58f35e9066b226d6), UINT64_C(0x25c13285f64d6382) } },
    { 13, { UINT64_C(0x108bc0e947e26998), UINT64_C(0xf752b9c44f9329d0) } },
    { 14, { UINT64_C(0x9cded766aceffc31), UINT64_C(0x024949e45f48c77e) } },
    { 15, { UINT64_C(0x11a8b03399e99354), UINT64_C(0xd9c3cf970fec087e) } },
    { 16, { UINT64_C(0xbb54b067caa4e26e), UINT64_C(0x77052385bf1533fd) } },
    { 17, { UINT64_C(0x98b88d73e8063d47), UINT64_C(0x4077e47ac466c054) } },
    { 18, { UINT64_C(0x8548bf23e4e526a4), UINT64_C(0x23f7aefe81a44d29) } },
    { 19, { UINT64_C(0xb0fa65cf31770178), UINT64_C(0xb12e51528920d574) } },
    { 20, { UINT64_C(0x7390223f83fc259e), UINT64_C(0xeb3938e8a544933e) } },
    { 21, { UINT64_C(0x215a52be5a498e56), UINT64_C(0x121d073ecd14228a) } },
    { 22, { UINT64_C(0x9a6bd15245b5294a), UINT64_C(0xae0aff8e52109c46) } },
    { 23, { UINT64_C(0xe0f5a9d5dd84d1c9), UINT64_C(0x1c69bf9a9ae28ccf) } },
    { 63, { UINT64_C(0x4a83502f77d15051), UINT64_C(0x7cbd3f979a063e50) } },
};

static void mac_agrees_with_openssl(void **state)
{
    const struct hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    char message[64];
    uint64_t mac[2];

    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (char)i;
    for (size_t i = 0; i < ARRAY_LEN(SIPHASH_2_4_128); i++) {
        hash_mac(&key, bytes_of(message, SIPHASH_2_4_128[i].len), mac);
        assert_memory_equal(mac, SIPHASH_2_4_128[i].mac, sizeof(mac));
    }
}

/* The vectors of the FNV authors' test program. */
static void fnv1a(void **state)
{
    assert_int_equal(hash_fnv1a(BYTES("")), UINT64_C(0xcbf29ce484222325));
    assert_int_equal(hash_fnv1a(BYTES("a")), UINT64_C(0xaf63dc4c8601ec8c));
    assert_int_equal(hash_fnv1a(BYTES("foobar")), UINT64_C(0x85944171f73967e8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_agrees_with_openssl), cmocka_unit_test(siphash_agrees_with_python),
        cmocka_unit_test(ci_hashes_the_lower_case),    cmocka_unit_test(key_matters),
        cmocka_unit_test(mac_agrees_with_openssl),     cmocka_unit_test(fnv1a),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
