#include "io/address.h"

#include "base/limits.h"

#include <errno.h>

#define IP6_WORDS 8

/* Decimal, at most `digits` long, without leading zeros: some read "010" as eight. */
static int number_parse(struct bytes text, size_t digits, uint64_t max, uint64_t *ret)
{
    uint64_t value;

    if (text.len > digits || (text.len > 1 && text.data[0] == '0') || bytes_to_u64(text, &value) < 0 || value > max)
        return -EINVAL;
    *ret = value;
    return 0;
}

static int ip4_parse(struct bytes text, uint8_t ret[4])
{
    uint8_t parts[4] = { 0 };
    struct bytes part;
    unsigned count = 0;
    uint64_t value;

    while (bytes_split(&text, '.', &part)) {
        if (count == 4 || number_parse(part, 3, 255, &value) < 0)
            return -EINVAL;
        parts[count++] = (uint8_t)value;
    }
    if (count != 4)
        return -EINVAL;
    memcpy(ret, parts, 4);
    return 0;
}

static int hex_parse(struct bytes text, uint16_t *ret)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 4)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);

        if (c >= '0' && c <= '9')
            value = value << 4 | (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (unsigned)(c - 'a' + 10);
        else
            return -EINVAL;
    }
    *ret = (uint16_t)value;
    return 0;
}

/* Groups between colons, and IPv4 at the end where `ip4` (RFC 4291, 2.2). The number of words, or -EINVAL. */
static int words_parse(struct bytes text, bool ip4, uint16_t words[IP6_WORDS])
{
    struct bytes part;
    int count = 0;
    uint8_t ip[4];

    if (text.len == 0)
        return 0;
    while (bytes_split(&text, ':', &part)) {
        if (ip4 && text.data == NULL && bytes_find_char(part, '.') >= 0) {
            if (count > IP6_WORDS - 2 || ip4_parse(part, ip) < 0)
                return -EINVAL;
            words[count++] = (uint16_t)(ip[0] << 8 | ip[1]);
            words[count++] = (uint16_t)(ip[2] << 8 | ip[3]);
        } else if (count == IP6_WORDS || hex_parse(part, &words[count++]) < 0) {
            return -EINVAL;
        }
    }
    return count;
}

static int ip6_parse(struct bytes text, uint8_t ret[16])
{
    uint16_t words[IP6_WORDS] = { 0 }, tail[IP6_WORDS];
    ssize_t gap = bytes_find(text, BYTES("::"));
    int before, after = 0;

    before = words_parse(gap < 0 ? text : bytes_slice(text, 0, (size_t)gap), gap < 0, words);
    if (gap >= 0)
        after = words_parse(bytes_skip(text, (size_t)gap + 2), true, tail);
    if (before < 0 || after < 0)
        return -EINVAL;
    if (gap < 0 ? before != IP6_WORDS : before + after >= IP6_WORDS) /* "::" stands for at least one group */
        return -EINVAL;
    for (int i = 0; i < after; i++)
        words[IP6_WORDS - after + i] = tail[i];
    for (int i = 0; i < IP6_WORDS; i++) {
        ret[2 * i] = (uint8_t)(words[i] >> 8);
        ret[2 * i + 1] = (uint8_t)words[i];
    }
    return 0;
}

static int unix_parse(struct bytes path, struct address *ret)
{
    if (path.len == 0 || memchr(path.data, 0, path.len))
        return -EINVAL;
    if (path.len >= sizeof(ret->path))
        return -ENAMETOOLONG;
    ret->family = ADDRESS_UNIX;
    memcpy(ret->path, path.data, path.len);
    return 0;
}

int address_parse(struct bytes text, struct address *ret)
{
    struct address address;
    struct bytes host;
    ssize_t colon = -1;
    uint64_t port;
    int r;

    memset(&address, 0, sizeof(address));
    if (bytes_starts(text, BYTES("unix:"))) {
        r = unix_parse(bytes_skip(text, 5), &address);
    } else {
        for (size_t i = 0; i < text.len; i++)
            if (text.data[i] == ':')
                colon = (ssize_t)i;
        if (colon < 0 || number_parse(bytes_skip(text, (size_t)colon + 1), 5, UINT16_MAX, &port) < 0)
            return -EINVAL;
        host = bytes_slice(text, 0, (size_t)colon);
        address.port = (uint16_t)port;
        address.family = ADDRESS_IP4;
        if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
            address.family = ADDRESS_IP6;
            r = ip6_parse(bytes_slice(host, 1, host.len - 1), address.ip);
        } else {
            r = ip4_parse(host, address.ip);
        }
    }
    if (r == 0)
        *ret = address;
    return r;
}

static void ip4_write(struct text *text, const uint8_t ip[4])
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            text_add_char(text, '.');
        text_add_u64(text, ip[i]);
    }
}

/* The first of the longest runs of zero words, if it has two or more (RFC 5952, 4.2). Returns its length. */
static unsigned zero_run(const uint16_t words[IP6_WORDS], unsigned *ret_first)
{
    unsigned longest = 1, first = IP6_WORDS;

    for (unsigned i = 0; i < IP6_WORDS; i++) {
        unsigned run = 0;

        while (i + run < IP6_WORDS && words[i + run] == 0)
            run++;
        if (run > longest) {
            longest = run;
            first = i;
        }
    }
    *ret_first = first;
    return first == IP6_WORDS ? 0 : longest;
}

static void hex_write(struct text *text, unsigned value)
{
    unsigned digits = 1;

    while (digits < 4 && value >> (4 * digits))
        digits++;
    text_add_hex(text, value, digits);
}

static void ip6_write(struct text *text, const uint8_t ip[16])
{
    uint16_t words[IP6_WORDS];
    unsigned first, run;

    for (unsigned i = 0; i < IP6_WORDS; i++)
        words[i] = (uint16_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
    run = zero_run(words, &first);
    for (unsigned i = 0; i < IP6_WORDS; i++) {
        if (run > 0 && i == first) {
            text_add(text, BYTES("::"));
            i += run - 1;
            continue;
        }
        if (i > 0 && !(run > 0 && i == first + run))
            text_add_char(text, ':');
        hex_write(text, words[i]);
    }
}

void address_write_host(struct text *text, const struct address *address)
{
    switch (address->family) {
    case ADDRESS_IP4: ip4_write(text, address->ip); break;
    case ADDRESS_IP6: ip6_write(text, address->ip); break;
    case ADDRESS_UNIX: text_add(text, BYTES("unix")); break;
    case ADDRESS_NONE: text_add(text, BYTES("none")); break;
    }
}

void address_write(struct text *text, const struct address *address)
{
    if (address->family == ADDRESS_IP6)
        text_add_char(text, '[');
    address_write_host(text, address);
    if (address->family == ADDRESS_IP6)
        text_add_char(text, ']');
    if (address->family == ADDRESS_UNIX) {
        text_add_char(text, ':');
        text_add(text, bytes_of(address->path, strnlen(address->path, sizeof(address->path))));
    } else if (address->family != ADDRESS_NONE) {
        text_add_char(text, ':');
        text_add_u64(text, address->port);
    }
}

bool address_equal(const struct address *a, const struct address *b)
{
    if (a->family != b->family)
        return false;
    switch (a->family) {
    case ADDRESS_IP4: return a->port == b->port && memcmp(a->ip, b->ip, 4) == 0;
    case ADDRESS_IP6: return a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
    case ADDRESS_UNIX: return strncmp(a->path, b->path, sizeof(a->path)) == 0;
    case ADDRESS_NONE: return true;
    }
    return false;
}
