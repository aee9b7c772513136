/* net/conn.h - a connection: a socket, and later the layers on it (TLS, PROXY protocol).
 *
 * (1) One reader fiber and one writer fiber at a time.
 * (2) conn_abort() ends it from aside: the reader's and the writer's waits fail with -ECONNABORTED.
 * (3) Closing is by its owner alone, when nobody waits on it.
 * (4) Who reads CONN_BURST_MAX bytes without having had to wait lets the others run first: no peer is so fast that it
 *     has the loop for itself.
 */
#ifndef WEFT_NET_CONN_H
#define WEFT_NET_CONN_H

#include "io/stream.h"

struct fiber;

struct conn {
    struct io *io;
    struct io_socket socket;
    struct fiber *reader, *writer; /* who waits */
    bool aborted;
    uint32_t burst; /* bytes read since the last wait */
};

void conn_init(struct conn *conn, struct io *io, struct io_socket socket);

/* Without waiting: as io_ops.try_read and try_write. -ECONNABORTED after conn_abort(). */
ssize_t conn_try_read(struct conn *conn, void *memory, size_t len) MUST_CHECK;
ssize_t conn_try_write(struct conn *conn, const struct iovec *parts, int count) MUST_CHECK;

/* Waiting, as stream_read() and stream_write_parts(). limit_ns bounds each single wait. */
ssize_t conn_read(struct conn *conn, void *memory, size_t len, int64_t limit_ns) MUST_CHECK;
int conn_write_parts(struct conn *conn, struct iovec *parts, int count, int64_t limit_ns) MUST_CHECK;
int conn_write(struct conn *conn, struct bytes data, int64_t limit_ns) MUST_CHECK;

void conn_abort(struct conn *conn);
int conn_shut_write(struct conn *conn);
void conn_close(struct conn *conn);
void conn_reset(struct conn *conn);

#endif
