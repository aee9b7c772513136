#include "io/linux/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

_Static_assert(sizeof(((struct address *)NULL)->path) == sizeof(((struct sockaddr_un *)NULL)->sun_path),
               "both hold a path");

socklen_t sockaddr_from(const struct address *address, struct sockaddr_storage *ret)
{
    struct sockaddr_in *ip4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)ret;
    struct sockaddr_un *local = (struct sockaddr_un *)ret;

    memset(ret, 0, sizeof(*ret));
    switch (address->family) {
    case ADDRESS_IP4:
        ip4->sin_family = AF_INET;
        ip4->sin_port = htons(address->port);
        memcpy(&ip4->sin_addr, address->ip, 4);
        return sizeof(*ip4);
    case ADDRESS_IP6:
        ip6->sin6_family = AF_INET6;
        ip6->sin6_port = htons(address->port);
        memcpy(&ip6->sin6_addr, address->ip, 16);
        return sizeof(*ip6);
    case ADDRESS_UNIX:
        local->sun_family = AF_UNIX;
        memcpy(local->sun_path, address->path, sizeof(local->sun_path));
        return sizeof(*local);
    case ADDRESS_NONE: break;
    }
    return 0;
}

/* IPv4 peers of an IPv6 socket (an inherited one; ours take IPv6 alone) are shown as what they are. */
static void ip6_to(const struct sockaddr_in6 *from, struct address *ret)
{
    ret->port = ntohs(from->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&from->sin6_addr)) {
        ret->family = ADDRESS_IP4;
        memcpy(ret->ip, (const char *)&from->sin6_addr + 12, 4);
    } else {
        ret->family = ADDRESS_IP6;
        memcpy(ret->ip, &from->sin6_addr, 16);
    }
}

static void unix_to(const struct sockaddr_un *from, socklen_t len, struct address *ret)
{
    size_t path_len = len > offsetof(struct sockaddr_un, sun_path) ? len - offsetof(struct sockaddr_un, sun_path) : 0;

    ret->family = ADDRESS_UNIX; /* most peers have no path: empty then, as for names in the abstract space */
    if (path_len > 0 && path_len <= sizeof(ret->path))
        memcpy(ret->path, from->sun_path, strnlen(from->sun_path, MIN(path_len, sizeof(ret->path) - 1)));
}

void sockaddr_to(const struct sockaddr_storage *from, socklen_t len, struct address *ret)
{
    const struct sockaddr_in *ip4 = (const struct sockaddr_in *)from;

    memset(ret, 0, sizeof(*ret));
    if (len < sizeof(from->ss_family))
        return;
    switch (from->ss_family) {
    case AF_INET:
        ret->family = ADDRESS_IP4;
        ret->port = ntohs(ip4->sin_port);
        memcpy(ret->ip, &ip4->sin_addr, 4);
        break;
    case AF_INET6: ip6_to((const struct sockaddr_in6 *)from, ret); break;
    case AF_UNIX: unix_to((const struct sockaddr_un *)from, len, ret); break;
    default: break;
    }
}
