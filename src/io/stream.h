/* io/stream.h - sockets for straight-line code: calls that look as if they blocked, on a fiber.
 *
 * limit_ns bounds each single wait (an idle limit, as a duration; TIME_NEVER: none but the scope's deadline). All
 * may fail with -ETIMEDOUT, -ETIME, -ECANCELED besides the socket's own errors (-EPIPE, -ECONNRESET, ...).
 */
#ifndef WEFT_IO_STREAM_H
#define WEFT_IO_STREAM_H

#include "io/io.h"

ssize_t stream_read(struct io_socket socket, void *memory, size_t len, int64_t limit_ns) MUST_CHECK; /* 0: end */
int stream_write(struct io_socket socket, struct bytes data, int64_t limit_ns) MUST_CHECK;           /* all of it */
int stream_write_parts(struct io_socket socket, struct iovec *parts, int count,
                       int64_t limit_ns) MUST_CHECK; /* uses parts up */
int stream_accept(struct io_socket listener, struct io_socket *ret, struct address *ret_peer) MUST_CHECK;
int stream_connect(const struct address *address, struct io_socket *ret,
                   int64_t limit_ns) MUST_CHECK; /* closed on failure */

/* Takes `count` bytes, and empty parts after them, off the front of the parts. For those who write by themselves. */
void stream_parts_skip(struct iovec **parts, int *left, size_t count);

/* The same for messages with descriptors (supervisor and serving process). */
int stream_send(struct io_socket socket, struct bytes message, const int *descriptors, unsigned count,
                int64_t limit_ns) MUST_CHECK;
ssize_t stream_receive(struct io_socket socket, void *memory, size_t len, int *ret_descriptors, unsigned *ret_count,
                       int64_t limit_ns) MUST_CHECK;

#endif
