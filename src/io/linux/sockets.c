/* How stream sockets come to be. */
#include "io/linux/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int socket_make(const struct address *address)
{
    int family = AF_UNSPEC, descriptor;

    switch (address->family) {
    case ADDRESS_IP4: family = AF_INET; break;
    case ADDRESS_IP6: family = AF_INET6; break;
    case ADDRESS_UNIX: family = AF_UNIX; break;
    case ADDRESS_NONE: return -EINVAL;
    }
    if (address->family == ADDRESS_UNIX && (!address->path[0] || !memchr(address->path, 0, sizeof(address->path))))
        return -EINVAL;
    descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return descriptor < 0 ? -errno : descriptor;
}

static int option_set(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int listener_options(int descriptor, const struct address *address, bool reuse_port)
{
    int r;

    if (address->family == ADDRESS_UNIX) /* the file gets the mode of the socket */
        return fchmod(descriptor, 0600) < 0 ? -errno : 0;
    r = option_set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (r == 0 && reuse_port)
        r = option_set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
    if (r == 0 && address->family == ADDRESS_IP6)
        r = option_set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (r == 0) /* accepted sockets inherit it: no call for each of them */
        r = option_set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    return r;
}

/* A socket file on which nobody listens is removed. Anything else that stands there is in use. */
static int unix_remove_stale(const struct address *address)
{
    struct sockaddr_storage name;
    socklen_t len = sockaddr_from(address, &name);
    struct stat status;
    int descriptor, r;

    if (lstat(address->path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EADDRINUSE;
    descriptor = socket_make(address);
    if (descriptor < 0)
        return descriptor;
    r = connect(descriptor, (struct sockaddr *)&name, len) < 0 ? -errno : 0;
    (void)close(descriptor);
    if (r != -ECONNREFUSED)
        return -EADDRINUSE; /* it answers, its queue is full, or we may not even ask */
    return unlink(address->path) < 0 && errno != ENOENT ? -errno : 0;
}

static int listener_bind(int descriptor, const struct address *address)
{
    struct sockaddr_storage name;
    socklen_t len = sockaddr_from(address, &name);
    int r;

    if (bind(descriptor, (struct sockaddr *)&name, len) == 0)
        return 0;
    r = -errno;
    if (r != -EADDRINUSE || address->family != ADDRESS_UNIX)
        return r;
    r = unix_remove_stale(address);
    if (r < 0)
        return r;
    return bind(descriptor, (struct sockaddr *)&name, len) < 0 ? -errno : 0;
}

int linux_socket_listen(struct io *seam, const struct address *address, unsigned backlog, bool reuse_port,
                        struct io_socket *ret)
{
    int descriptor = socket_make(address), r;

    if (descriptor < 0)
        return descriptor;
    r = listener_options(descriptor, address, reuse_port);
    if (r == 0)
        r = listener_bind(descriptor, address);
    if (r == 0 && listen(descriptor, (int)MIN(backlog, (unsigned)INT32_MAX)) < 0)
        r = -errno;
    if (r == 0)
        r = slot_open(io_linux(seam), descriptor, SLOT_LISTENER, IO_READ, SLOT_SHARED, ret);
    if (r < 0)
        (void)close(descriptor);
    return r;
}

/* Errors of the connection that was to be accepted, not of the listener: the next one may be fine (accept(2)). */
static bool accept_again(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET: return true;
    default: return false;
    }
}

int linux_socket_try_accept(struct io *seam, struct io_socket listener, struct io_socket *ret, struct address *ret_peer)
{
    struct io_linux *io = io_linux(seam);
    struct slot *slot = slot_find(io, listener);
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    int descriptor, r;

    if (!slot)
        return -EBADF;
    if (slot->kind != SLOT_LISTENER)
        return -EINVAL;
    if (!(slot->ready & IO_READ))
        return -EAGAIN;
    if (io->slots_used == SOCKETS_MAX)
        return -EMFILE; /* before it is taken from the queue */
    for (unsigned attempt = 0;; attempt++) {
        descriptor = accept4(slot->descriptor, (struct sockaddr *)&name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0 || attempt == ACCEPT_ATTEMPTS_MAX || !accept_again(errno))
            break;
        len = sizeof(name);
    }
    if (descriptor < 0) {
        if (errno == EAGAIN)
            slot->ready &= (uint8_t)~IO_READ;
        return -errno;
    }
    r = slot_open(io, descriptor, SLOT_STREAM, IO_READ | IO_WRITE, 0, ret);
    if (r < 0)
        (void)close(descriptor);
    else if (ret_peer)
        sockaddr_to(&name, len, ret_peer);
    return r;
}

/* Registered only after connect() has begun: a fresh socket would tell of a hang-up at once. */
int linux_socket_try_connect(struct io *seam, const struct address *address, struct io_socket *ret)
{
    struct sockaddr_storage name;
    socklen_t len = sockaddr_from(address, &name);
    int descriptor = socket_make(address), r = 0;
    unsigned ready = IO_WRITE;

    if (descriptor < 0)
        return descriptor;
    if (address->family != ADDRESS_UNIX)
        r = option_set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (r == 0 && connect(descriptor, (struct sockaddr *)&name, len) < 0) {
        ready = 0;
        if (errno == EAGAIN)
            r = -ECONNREFUSED; /* unix: the queue is full, and no event would tell when it isn't */
        else if (errno != EINPROGRESS && errno != EINTR)
            r = -errno;
    }
    if (r == 0)
        r = slot_open(io_linux(seam), descriptor, SLOT_STREAM, ready, SLOT_CONNECTING, ret);
    if (r < 0)
        (void)close(descriptor);
    return r;
}

int linux_socket_connect_result(struct io *seam, struct io_socket socket)
{
    struct slot *slot = slot_find(io_linux(seam), socket);
    int error = 0;
    socklen_t len = sizeof(error);

    if (!slot)
        return -EBADF;
    if (!(slot->flags & SLOT_CONNECTING))
        return 0;
    if (slot->flags & SLOT_REFUSED)
        return -ENOTCONN; /* SO_ERROR tells it once */
    if (!(slot->ready & IO_WRITE))
        return -EAGAIN;
    if (getsockopt(slot->descriptor, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    slot->flags &= (uint8_t)~SLOT_CONNECTING;
    if (error)
        slot->flags |= SLOT_CONNECTING | SLOT_REFUSED;
    return -error;
}

int linux_socket_local_address(struct io *seam, struct io_socket socket, struct address *ret)
{
    struct slot *slot = slot_find(io_linux(seam), socket);
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);

    if (!slot)
        return -EBADF;
    if (getsockname(slot->descriptor, (struct sockaddr *)&name, &len) < 0)
        return -errno;
    sockaddr_to(&name, len, ret);
    return 0;
}
