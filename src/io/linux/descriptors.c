/* Messages with descriptors, and descriptors that come from elsewhere. */
#include "io/linux/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

union control {
    struct cmsghdr header; /* aligns it */
    char bytes[CMSG_SPACE(sizeof(int) * IO_DESCRIPTORS_MAX)];
};

int linux_descriptors_pair(struct io *seam, struct io_socket *ret_ours, int *ret_theirs)
{
    int ends[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    r = slot_open(io_linux(seam), ends[0], SLOT_MESSAGES, IO_READ | IO_WRITE, 0, ret_ours);
    if (r < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return r;
    }
    *ret_theirs = ends[1];
    return 0;
}

int linux_descriptors_pipe(struct io *seam, struct io_socket *ret_ours, int *ret_theirs)
{
    int ends[2], r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    r = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0; /* our end alone: programs expect to block on theirs */
    if (r == 0)
        r = slot_open(io_linux(seam), ends[0], SLOT_PIPE, IO_READ, 0, ret_ours);
    if (r < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return r;
    }
    *ret_theirs = ends[1];
    return 0;
}

ssize_t linux_descriptors_try_send(struct io *seam, struct io_socket socket, struct bytes message,
                                   const int *descriptors, unsigned count)
{
    struct slot *slot = slot_find(io_linux(seam), socket);
    struct iovec part = { (void *)message.data, message.len };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    union control control;
    ssize_t n;

    if (!slot)
        return -EBADF;
    if (slot->kind != SLOT_MESSAGES || message.len == 0) /* an empty one would look like the end */
        return -EINVAL;
    if (message.len > IO_MESSAGE_MAX || count > IO_DESCRIPTORS_MAX)
        return -EMSGSIZE;
    if (!(slot->ready & IO_WRITE))
        return -EAGAIN;
    if (count > 0) {
        memset(&control, 0, sizeof(control));
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(&control.header), descriptors, sizeof(int) * count);
    }
    do {
        n = sendmsg(slot->descriptor, &header, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        slot->ready &= (uint8_t)~IO_WRITE;
    return n < 0 ? -errno : n;
}

/* Copies what came with the message. */
static unsigned take_descriptors(struct msghdr *header, int descriptors[IO_DESCRIPTORS_MAX])
{
    unsigned count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        size_t bytes = c->cmsg_len - CMSG_LEN(0);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < bytes / sizeof(int) && count < IO_DESCRIPTORS_MAX; i++)
            memcpy(&descriptors[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
    return count;
}

ssize_t linux_descriptors_try_receive(struct io *seam, struct io_socket socket, void *memory, size_t len,
                                      int *ret_descriptors, unsigned *ret_count)
{
    struct slot *slot = slot_find(io_linux(seam), socket);
    struct iovec part = { memory, len };
    union control control;
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes };
    int received[IO_DESCRIPTORS_MAX];
    unsigned count;
    ssize_t n;

    if (!slot)
        return -EBADF;
    if (slot->kind != SLOT_MESSAGES)
        return -EINVAL;
    if (!(slot->ready & IO_READ))
        return -EAGAIN;
    header.msg_controllen = sizeof(control.bytes);
    do {
        n = recvmsg(slot->descriptor, &header, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN)
            slot->ready &= (uint8_t)~IO_READ;
        return -errno;
    }
    count = take_descriptors(&header, received);
    if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) { /* half a message is none */
        while (count > 0)
            (void)close(received[--count]);
        return header.msg_flags & MSG_TRUNC ? -EMSGSIZE : -EMFILE;
    }
    memcpy(ret_descriptors, received, sizeof(int) * count);
    *ret_count = count;
    return n;
}

static int kind_of(int descriptor, enum slot_kind *ret)
{
    int type = 0, listens = 0;
    socklen_t len = sizeof(type);

    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
        if (errno != ENOTSOCK)
            return -errno;
        *ret = SLOT_PIPE;
        return 0;
    }
    len = sizeof(listens);
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0)
        return -errno;
    if (type == SOCK_STREAM)
        *ret = listens ? SLOT_LISTENER : SLOT_STREAM;
    else if (type == SOCK_SEQPACKET && !listens)
        *ret = SLOT_MESSAGES;
    else
        return -ENOTSUP;
    return 0;
}

int linux_descriptors_adopt(struct io *seam, int descriptor, struct io_socket *ret)
{
    const int one = 1;
    enum slot_kind kind = SLOT_FREE;
    int flags, r = kind_of(descriptor, &kind);

    if (r < 0)
        return r;
    flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    if (kind == SLOT_STREAM || kind == SLOT_LISTENER) /* fails on unix sockets, where there is no delay */
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return slot_open(io_linux(seam), descriptor, kind, IO_READ | IO_WRITE, SLOT_SHARED, ret);
}

int linux_descriptors_of(struct io *seam, struct io_socket socket)
{
    struct slot *slot = slot_find(io_linux(seam), socket);

    if (!slot)
        return -EBADF;
    slot->flags |= SLOT_SHARED;
    return slot->descriptor;
}

void linux_descriptors_close(struct io *seam, int descriptor)
{
    (void)close(descriptor);
}

int linux_descriptors_open(struct io *seam)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    int count = -1; /* without the directory's own */

    if (!directory)
        return -errno;
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    (void)closedir(directory);
    return count;
}

int linux_descriptors_terminal(struct io *seam, int descriptor, struct terminal_size *ret)
{
    struct winsize size = { 0 };

    if (!isatty(descriptor))
        return -ENOTTY;
    (void)ioctl(descriptor, TIOCGWINSZ, &size); /* one that does not say stays unknown */
    *ret = (struct terminal_size){ .columns = size.ws_col, .rows = size.ws_row };
    return 0;
}
