#include "io/address.h"

#include "base/limits.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_written(const struct address *address, const char *expected, const char *host)
{
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));

    address_write(&text, address);
    assert_false(text.full);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
    text = text_into(memory, sizeof(memory));
    address_write_host(&text, address);
    assert_int_equal(text.len, strlen(host));
    assert_memory_equal(text.data, host, text.len);
}

static void test_reads_and_writes(void **state)
{
    static const struct {
        const char *text, *written, *host;
        enum address_family family;
        uint16_t port;
    } cases[] = {
        { "127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", ADDRESS_IP4, 8080 },
        { "0.0.0.0:0", "0.0.0.0:0", "0.0.0.0", ADDRESS_IP4, 0 },
        { "255.255.255.255:65535", "255.255.255.255:65535", "255.255.255.255", ADDRESS_IP4, 65535 },
        { "[::]:1", "[::]:1", "::", ADDRESS_IP6, 1 },
        { "[::1]:80", "[::1]:80", "::1", ADDRESS_IP6, 80 },
        { "[1::]:80", "[1::]:80", "1::", ADDRESS_IP6, 80 },
        { "[2001:DB8::00ab:1]:443", "[2001:db8::ab:1]:443", "2001:db8::ab:1", ADDRESS_IP6, 443 },
        { "[1:2:3:4:5:6:7:8]:9", "[1:2:3:4:5:6:7:8]:9", "1:2:3:4:5:6:7:8", ADDRESS_IP6, 9 },
        { "[1:2:3:4:5:6:7::]:9", "[1:2:3:4:5:6:7:0]:9", "1:2:3:4:5:6:7:0", ADDRESS_IP6, 9 },
        { "[1:0:0:4:0:0:0:8]:9", "[1:0:0:4::8]:9", "1:0:0:4::8", ADDRESS_IP6, 9 },
        { "[1:0:0:4:5:0:0:8]:9", "[1::4:5:0:0:8]:9", "1::4:5:0:0:8", ADDRESS_IP6, 9 },
        { "[::ffff:1.2.3.4]:9", "[::ffff:102:304]:9", "::ffff:102:304", ADDRESS_IP6, 9 },
        { "[1:2:3:4:5:6:1.2.3.4]:9", "[1:2:3:4:5:6:102:304]:9", "1:2:3:4:5:6:102:304", ADDRESS_IP6, 9 },
        { "unix:/run/x.sock", "unix:/run/x.sock", "unix", ADDRESS_UNIX, 0 },
        { "unix:x", "unix:x", "unix", ADDRESS_UNIX, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address address, again;

        print_message("%s\n", cases[i].text);
        assert_int_equal(address_parse(bytes_of_text(cases[i].text), &address), 0);
        assert_int_equal(address.family, cases[i].family);
        assert_int_equal(address.port, cases[i].port);
        check_written(&address, cases[i].written, cases[i].host);
        assert_int_equal(address_parse(bytes_of_text(cases[i].written), &again), 0);
        assert_true(address_equal(&address, &again));
    }
}

static void test_bytes_in_network_order(void **state)
{
    static const uint8_t ip6[16] = { 0x20, 0x01, 0x0d, 0xb8, [14] = 0x01, [15] = 0x02 };
    struct address address;

    assert_int_equal(address_parse(BYTES("1.2.3.4:5"), &address), 0);
    assert_memory_equal(address.ip, "\1\2\3\4", 4);
    assert_int_equal(address_parse(BYTES("[2001:db8::102]:5"), &address), 0);
    assert_memory_equal(address.ip, ip6, 16);
}

static void test_refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "1.2.3.4",
        ":80",
        "1.2.3.4:",
        "1.2.3.4:65536",
        "1.2.3.4:-1",
        "1.2.3.4: 1",
        "1.2.3.4:080",
        "1.2.3:80",
        "1.2.3.4.5:80",
        "1.2.3.256:80",
        "01.2.3.4:80",
        "1.2..4:80",
        "1.2.3.4 :80",
        "a.b.c.d:80",
        "localhost:80",
        "::1:80",
        "[::1]",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[:]:80",
        "[1:2:3]:80",
        "[1:2:3:4:5:6:7:8:9]:80",
        "[:::]:80",
        "[1::2::3]:80",
        "[12345::]:80",
        "[g::]:80",
        "[1:2:3:4:5:6:7:8::]:80",
        "[fe80::1%lo]:80",
        "[::1.2.3]:80",
        "[1.2.3.4::]:80",
        "[1:2:3:4:5:6:7:1.2.3.4]:80",
        "[1:]:80",
        "unix:",
        "[::1] :80",
        "1.2.3.4:000080",
        "[1.2.3.4]:80",
    };
    struct address address = { .family = ADDRESS_UNIX, .path = "untouched" };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("\"%s\"\n", cases[i]);
        assert_int_equal(address_parse(bytes_of_text(cases[i]), &address), -EINVAL);
    }
    assert_int_equal(address_parse(bytes_of("unix:a\0b", 8), &address), -EINVAL);
    assert_string_equal(address.path, "untouched");
}

static void test_unix_path_length(void **state)
{
    char text[5 + 108];
    struct address address;

    memset(text, 'x', sizeof(text));
    memcpy(text, "unix:", 5);
    assert_int_equal(address_parse(bytes_of(text, sizeof(text)), &address), -ENAMETOOLONG);
    assert_int_equal(address_parse(bytes_of(text, sizeof(text) - 1), &address), 0);
    assert_int_equal(strlen(address.path), 107);
}

/* The longest text of an address fits ADDRESS_TEXT_MAX. */
static void test_longest_text(void **state)
{
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct address address = { .family = ADDRESS_UNIX };

    memset(address.path, 'x', sizeof(address.path) - 1);
    address_write(&text, &address);
    assert_false(text.full);
    assert_int_equal(text.len, 5 + 107);
}

static void test_equal(void **state)
{
    struct address none = { .family = ADDRESS_NONE }, a, b;

    assert_int_equal(address_parse(BYTES("1.2.3.4:5"), &a), 0);
    assert_int_equal(address_parse(BYTES("1.2.3.4:6"), &b), 0);
    assert_false(address_equal(&a, &b));
    b.port = 5;
    b.ip[9] = 1; /* beyond an IPv4 address */
    assert_true(address_equal(&a, &b));
    b.ip[3] = 5;
    assert_false(address_equal(&a, &b));
    assert_int_equal(address_parse(BYTES("[::1]:5"), &a), 0);
    assert_false(address_equal(&a, &b));
    b = a;
    b.ip[15] = 2;
    assert_false(address_equal(&a, &b));
    assert_int_equal(address_parse(BYTES("unix:/a"), &a), 0);
    assert_int_equal(address_parse(BYTES("unix:/ab"), &b), 0);
    assert_false(address_equal(&a, &b));
    assert_true(address_equal(&a, &a));
    assert_true(address_equal(&none, &none));
    check_written(&none, "none", "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_and_writes), cmocka_unit_test(test_bytes_in_network_order),
        cmocka_unit_test(test_refuses),          cmocka_unit_test(test_unix_path_length),
        cmocka_unit_test(test_longest_text),     cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
