#include "net/conn.h"

#include "base/assert.h"
#include "base/limits.h"
#include "io/loop.h"

void conn_init(struct conn *conn, struct io *io, struct io_socket socket)
{
    *conn = (struct conn){ .io = io, .socket = socket };
}

ssize_t conn_try_read(struct conn *conn, void *memory, size_t len)
{
    if (conn->aborted)
        return -ECONNABORTED;
    return conn->io->ops->try_read(conn->io, conn->socket, memory, len);
}

ssize_t conn_try_write(struct conn *conn, const struct iovec *parts, int count)
{
    if (conn->aborted)
        return -ECONNABORTED;
    return conn->io->ops->try_write(conn->io, conn->socket, parts, count);
}

/* Waits for the event with `who` set, so that conn_abort() finds the fiber. 0: worth another try. */
static int conn_wait(struct conn *conn, struct fiber **who, unsigned event, int64_t limit_ns)
{
    int64_t now = loop_current()->now_ns;
    int r;

    ASSERT(*who == NULL); /* (1) */
    *who = fiber_current();
    r = fiber_wait_socket(conn->socket, event, limit_ns >= TIME_NEVER - now ? TIME_NEVER : now + limit_ns);
    *who = NULL;
    conn->burst = 0;
    return r < 0 ? r : 0;
}

ssize_t conn_read(struct conn *conn, void *memory, size_t len, int64_t limit_ns)
{
    ssize_t n;

    if (conn->burst >= CONN_BURST_MAX) { /* (4) */
        int r = fiber_yield();

        if (r < 0)
            return r;
        conn->burst = 0;
    }
    while ((n = conn_try_read(conn, memory, len)) == -EAGAIN) {
        int r = conn_wait(conn, &conn->reader, IO_READ, limit_ns);

        if (r < 0)
            return r;
    }
    conn->burst += n > 0 ? (uint32_t)n : 0;
    return n;
}

int conn_write_parts(struct conn *conn, struct iovec *parts, int count, int64_t limit_ns)
{
    stream_parts_skip(&parts, &count, 0);
    while (count > 0) {
        ssize_t n = conn_try_write(conn, parts, count);

        if (n == -EAGAIN) {
            int r = conn_wait(conn, &conn->writer, IO_WRITE, limit_ns);

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

int conn_write(struct conn *conn, struct bytes data, int64_t limit_ns)
{
    struct iovec part = { .iov_base = (void *)(uintptr_t)data.data, .iov_len = data.len };

    return conn_write_parts(conn, &part, 1, limit_ns);
}

void conn_abort(struct conn *conn)
{
    conn->aborted = true;
    if (conn->reader)
        fiber_wake(conn->reader);
    if (conn->writer)
        fiber_wake(conn->writer);
}

int conn_shut_write(struct conn *conn)
{
    return conn->io->ops->shut_write(conn->io, conn->socket);
}

void conn_close(struct conn *conn)
{
    ASSERT(!conn->reader && !conn->writer); /* (3) */
    if (io_socket_is(conn->socket))
        conn->io->ops->close(conn->io, conn->socket);
    conn->socket = IO_SOCKET_NONE;
}

void conn_reset(struct conn *conn)
{
    ASSERT(!conn->reader && !conn->writer);
    if (io_socket_is(conn->socket))
        conn->io->ops->reset(conn->io, conn->socket);
    conn->socket = IO_SOCKET_NONE;
}
