/* io/address.h - where a stream socket listens or connects: IPv4, IPv6 or a unix path.
 *
 * Texts: "127.0.0.1:8080", "[::1]:8080", "unix:/run/x.sock". A name is not an address: net/names.h
 * resolves those. sun_path bounds a unix path to 107 bytes; longer ones are -ENAMETOOLONG.
 */
#ifndef WEFT_IO_ADDRESS_H
#define WEFT_IO_ADDRESS_H

#include "base/text.h"

enum address_family { ADDRESS_NONE, ADDRESS_IP4, ADDRESS_IP6, ADDRESS_UNIX };

struct address {
    enum address_family family;
    uint16_t port; /* host order */
    union {
        uint8_t ip[16]; /* network order; IPv4 uses the first four */
        char path[108]; /* zero-terminated */
    };
};

int address_parse(struct bytes text, struct address *ret) MUST_CHECK;      /* -EINVAL, -ENAMETOOLONG */
void address_write(struct text *text, const struct address *address);      /* as address_parse() reads it */
void address_write_host(struct text *text, const struct address *address); /* without port or brackets; unix: "unix" */
bool address_equal(const struct address *a, const struct address *b);

#endif
