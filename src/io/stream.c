#include "io/stream.h"

#include "io/loop.h"

/* Waits for the event; 0 when it is worth trying again. */
static int again(struct io_socket socket, unsigned event, int64_t limit_ns)
{
    int r = fiber_wait_socket(socket, event, loop_after(loop_current(), limit_ns));

    return r < 0 ? r : 0;
}

ssize_t stream_read(struct io_socket socket, void *memory, size_t len, int64_t limit_ns)
{
    struct io *io = loop_current()->io;
    ssize_t n;

    while ((n = io->ops->try_read(io, socket, memory, len)) == -EAGAIN) {
        int r = again(socket, IO_READ, limit_ns);

        if (r < 0)
            return r;
    }
    return n;
}

void stream_parts_skip(struct iovec **parts, int *left, size_t count)
{
    while (*left > 0 && count >= (*parts)->iov_len) {
        count -= (*parts)->iov_len;
        (*parts)++;
        (*left)--;
    }
    if (*left > 0) {
        (*parts)->iov_base = (char *)(*parts)->iov_base + count;
        (*parts)->iov_len -= count;
    }
}

int stream_write_parts(struct io_socket socket, struct iovec *parts, int count, int64_t limit_ns)
{
    struct io *io = loop_current()->io;

    stream_parts_skip(&parts, &count, 0); /* empty ones in front */
    while (count > 0) {
        ssize_t n = io->ops->try_write(io, socket, parts, count);

        if (n == -EAGAIN) {
            int r = again(socket, IO_WRITE, limit_ns);

            if (r < 0)
                return r;
            continue;
        }
        if (n < 0)
            return (int)n;
        stream_parts_skip(&parts, &count, (size_t)n);
    }
    return 0;
}

int stream_write(struct io_socket socket, struct bytes data, int64_t limit_ns)
{
    struct iovec part = { .iov_base = (void *)(uintptr_t)data.data, .iov_len = data.len };

    return stream_write_parts(socket, &part, 1, limit_ns);
}

int stream_accept(struct io_socket listener, struct io_socket *ret, struct address *ret_peer)
{
    struct io *io = loop_current()->io;
    int r;

    while ((r = io->ops->try_accept(io, listener, ret, ret_peer)) == -EAGAIN) {
        r = again(listener, IO_READ, TIME_NEVER);
        if (r < 0)
            return r;
    }
    return r;
}

int stream_connect(const struct address *address, struct io_socket *ret, int64_t limit_ns)
{
    struct io *io = loop_current()->io;
    int64_t until = loop_after(loop_current(), limit_ns);
    struct io_socket socket;
    int r = io->ops->try_connect(io, address, &socket);

    if (r < 0)
        return r;
    while ((r = io->ops->connect_result(io, socket)) == -EAGAIN) {
        r = fiber_wait_socket(socket, IO_WRITE, until);
        if (r < 0)
            break;
    }
    if (r < 0) {
        io->ops->close(io, socket);
        return r;
    }
    *ret = socket;
    return 0;
}

int stream_send(struct io_socket socket, struct bytes message, const int *descriptors, unsigned count, int64_t limit_ns)
{
    struct io *io = loop_current()->io;
    ssize_t n;

    while ((n = io->ops->try_send(io, socket, message, descriptors, count)) == -EAGAIN) {
        int r = again(socket, IO_WRITE, limit_ns);

        if (r < 0)
            return r;
    }
    return n < 0 ? (int)n : 0;
}

ssize_t stream_receive(struct io_socket socket, void *memory, size_t len, int *ret_descriptors, unsigned *ret_count,
                       int64_t limit_ns)
{
    struct io *io = loop_current()->io;
    ssize_t n;

    while ((n = io->ops->try_receive(io, socket, memory, len, ret_descriptors, ret_count)) == -EAGAIN) {
        int r = again(socket, IO_READ, limit_ns);

        if (r < 0)
            return r;
    }
    return n;
}
