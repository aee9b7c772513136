/* Bytes through sockets and pipes. */
#include "io/linux/internal.h"

#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

static bool carries_bytes(const struct slot *slot)
{
    return slot->kind == SLOT_STREAM || slot->kind == SLOT_PIPE;
}

ssize_t linux_stream_try_read(struct io *seam, struct io_socket socket, void *memory, size_t len)
{
    struct slot *slot = slot_find(io_linux(seam), socket);
    ssize_t n;

    ASSERT(len > 0);
    if (!slot)
        return -EBADF;
    if (!carries_bytes(slot))
        return -EINVAL;
    if (!(slot->ready & IO_READ))
        return -EAGAIN;
    do {
        n = slot->kind == SLOT_STREAM ? recv(slot->descriptor, memory, len, 0) : read(slot->descriptor, memory, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN)
            slot->ready &= (uint8_t)~IO_READ;
        return -errno;
    }
    if ((size_t)n < len && !(slot->ready & IO_HANGUP))
        slot->ready &= (uint8_t)~IO_READ; /* all that had come was read; what comes later is a new edge */
    return n;
}

static ssize_t write_parts(struct slot *slot, const struct iovec *parts, int count)
{
    struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };

    if (slot->kind == SLOT_PIPE)
        return writev(slot->descriptor, parts, count);
    if (count == 1)
        return send(slot->descriptor, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
    return sendmsg(slot->descriptor, &message, MSG_NOSIGNAL);
}

ssize_t linux_stream_try_write(struct io *seam, struct io_socket socket, const struct iovec *parts, int count)
{
    struct slot *slot = slot_find(io_linux(seam), socket);
    size_t offered = 0;
    ssize_t n;

    if (!slot)
        return -EBADF;
    if (!carries_bytes(slot))
        return -EINVAL;
    if (!(slot->ready & IO_WRITE))
        return -EAGAIN;
    count = MIN(count, IOV_MAX);
    for (int i = 0; i < count; i++)
        offered += parts[i].iov_len;
    if (offered == 0)
        return 0;
    do {
        n = write_parts(slot, parts, count);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN)
            slot->ready &= (uint8_t)~IO_WRITE;
        return -errno;
    }
    if ((size_t)n < offered)
        slot->ready &= (uint8_t)~IO_WRITE; /* the buffer is full; room is a new edge */
    return n;
}

int linux_stream_shut_write(struct io *seam, struct io_socket socket)
{
    struct slot *slot = slot_find(io_linux(seam), socket);

    if (!slot)
        return -EBADF;
    return shutdown(slot->descriptor, SHUT_WR) < 0 ? -errno : 0;
}

void linux_stream_close(struct io *seam, struct io_socket socket)
{
    struct io_linux *io = io_linux(seam);
    struct slot *slot = slot_find(io, socket);

    if (slot)
        slot_close(io, slot);
}

void linux_stream_reset(struct io *seam, struct io_socket socket)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    struct io_linux *io = io_linux(seam);
    struct slot *slot = slot_find(io, socket);

    if (!slot)
        return;
    (void)setsockopt(slot->descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof(now)); /* then close sends RST; TCP only */
    slot_close(io, slot);
}
