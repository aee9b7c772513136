#include "io/linux/internal.h"

#include <errno.h>
#include <netdb.h>

static int resolve_error(int error)
{
    switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY: return -ENOENT;
    case EAI_MEMORY: return -ENOMEM;
    case EAI_SYSTEM: return errno != 0 && errno != EAGAIN ? -errno : -EREMOTEIO;
    default: return -EREMOTEIO;
    }
}

int linux_name_resolve(struct io *io, const char *host, uint16_t port, struct address *ret, unsigned max)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    int count = 0, error = getaddrinfo(host, NULL, &hints, &list);

    if (error != 0)
        return resolve_error(error);
    for (struct addrinfo *one = list; one && (unsigned)count < max; one = one->ai_next) {
        struct sockaddr_storage name;

        if (one->ai_addrlen > sizeof(name) || (one->ai_family != AF_INET && one->ai_family != AF_INET6))
            continue;
        memcpy(&name, one->ai_addr, one->ai_addrlen);
        sockaddr_to(&name, one->ai_addrlen, &ret[count]);
        ret[count++].port = port;
    }
    freeaddrinfo(list);
    return count > 0 ? count : -ENOENT;
}
