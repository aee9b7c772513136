/* tests/unit/io/linux_help.h - what the tests of io/linux share. Every wait ends after WAIT_NS and fails the test. */
#ifndef WEFT_TESTS_LINUX_HELP_H
#define WEFT_TESTS_LINUX_HELP_H

#include "io/io.h"
#include "io/linux/internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WAIT_NS (5 * NS_PER_S)
#define QUIET_NS (30 * NS_PER_MS) /* long enough to see that nothing happens */

/* A wake that counts. */
struct watch {
    struct wake wake;
    unsigned count, events; /* how often it ran, and with what the last time */
};

void watch_init(struct watch *watch, struct io_socket socket);
void watch_arm(struct io *io, struct watch *watch, unsigned events);
void watch_wait(struct io *io, struct watch *watch, unsigned count); /* polls until it ran that often */
void poll_quietly(struct io *io);                                    /* polls for QUIET_NS */

struct io *help_open(void);
int64_t help_now(struct io *io);

/* 127.0.0.1, port 0. */
struct address help_loopback(void);
void help_listen(struct io *io, struct io_socket *ret_listener, struct address *ret_address);
void help_accept(struct io *io, struct io_socket listener, struct io_socket *ret); /* waits */
void help_connect(struct io *io, const struct address *address, struct io_socket *ret);

/* Two connected TCP sockets of one io. */
struct link {
    struct io_socket listener, client, server;
};

void link_open(struct io *io, struct link *link);
void link_close(struct io *io, struct link *link);

ssize_t help_write(struct io *io, struct io_socket socket, struct bytes data); /* one try_write() */
void help_read_exactly(struct io *io, struct io_socket socket, struct bytes expected);
void help_read_end(struct io *io, struct io_socket socket); /* waits until try_read() answers 0 */

int help_descriptor(struct io *io, struct io_socket socket); /* without marking it as shared */
unsigned help_descriptor_count(void);                        /* how many this process has open */

/* Waits until nobody has the other end of the pipe open any more. */
void help_wait_end(int descriptor);

/* A directory of the test's own under /tmp, removed with what is in it by help_directory_remove(). */
void help_directory_make(char *ret_path, size_t max);
void help_directory_remove(const char *path);

#endif
