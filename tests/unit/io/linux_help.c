#include "linux_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void watch_run(struct wake *wake, unsigned events)
{
    struct watch *watch = container_of(wake, struct watch, wake);

    assert_int_equal(wake->events, 0);
    watch->count++;
    watch->events = events;
}

void watch_init(struct watch *watch, struct io_socket socket)
{
    *watch = (struct watch){ .wake = { .socket = socket, .run = watch_run } };
}

void watch_arm(struct io *io, struct watch *watch, unsigned events)
{
    assert_int_equal(io->ops->arm(io, &watch->wake, events), 0);
}

void watch_wait(struct io *io, struct watch *watch, unsigned count)
{
    int64_t until = help_now(io) + WAIT_NS;

    while (watch->count < count) {
        assert_true(help_now(io) < until);
        assert_true(io->ops->poll(io, until) >= 0);
    }
    assert_int_equal(watch->count, count);
}

void poll_quietly(struct io *io)
{
    int64_t until = help_now(io) + QUIET_NS;

    while (help_now(io) < until)
        assert_true(io->ops->poll(io, until) >= 0);
}

struct io *help_open(void)
{
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    return io;
}

int64_t help_now(struct io *io)
{
    return io->ops->now_ns(io);
}

struct address help_loopback(void)
{
    return (struct address){ .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } };
}

void help_listen(struct io *io, struct io_socket *ret_listener, struct address *ret_address)
{
    struct address address = help_loopback();

    assert_int_equal(io->ops->listen(io, &address, 64, false, ret_listener), 0);
    assert_int_equal(io->ops->local_address(io, *ret_listener, ret_address), 0);
    assert_int_not_equal(ret_address->port, 0);
}

void help_accept(struct io *io, struct io_socket listener, struct io_socket *ret)
{
    struct watch watch;
    unsigned count = 0;
    int r;

    watch_init(&watch, listener);
    while ((r = io->ops->try_accept(io, listener, ret, NULL)) == -EAGAIN) {
        watch_arm(io, &watch, IO_READ);
        watch_wait(io, &watch, ++count);
    }
    assert_int_equal(r, 0);
}

void help_connect(struct io *io, const struct address *address, struct io_socket *ret)
{
    struct watch watch;
    int r = io->ops->try_connect(io, address, ret);

    assert_int_equal(r, 0);
    watch_init(&watch, *ret);
    watch_arm(io, &watch, IO_WRITE);
    watch_wait(io, &watch, 1);
    assert_int_equal(io->ops->connect_result(io, *ret), 0);
}

void link_open(struct io *io, struct link *link)
{
    struct address address;

    help_listen(io, &link->listener, &address);
    help_connect(io, &address, &link->client);
    help_accept(io, link->listener, &link->server);
}

void link_close(struct io *io, struct link *link)
{
    io->ops->close(io, link->client);
    io->ops->close(io, link->server);
    io->ops->close(io, link->listener);
}

ssize_t help_write(struct io *io, struct io_socket socket, struct bytes data)
{
    struct iovec part = { (void *)data.data, data.len };

    return io->ops->try_write(io, socket, &part, 1);
}

void help_read_exactly(struct io *io, struct io_socket socket, struct bytes expected)
{
    char memory[4096];
    size_t len = 0;
    struct watch watch;
    unsigned count = 0;

    assert_true(expected.len <= sizeof(memory));
    watch_init(&watch, socket);
    while (len < expected.len) {
        ssize_t n = io->ops->try_read(io, socket, memory + len, expected.len - len);

        if (n == -EAGAIN) {
            watch_arm(io, &watch, IO_READ);
            watch_wait(io, &watch, ++count);
            continue;
        }
        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_memory_equal(memory, expected.data, expected.len);
}

void help_read_end(struct io *io, struct io_socket socket)
{
    struct watch watch;
    unsigned count = 0;
    char memory[16];
    ssize_t n;

    watch_init(&watch, socket);
    while ((n = io->ops->try_read(io, socket, memory, sizeof(memory))) == -EAGAIN) {
        watch_arm(io, &watch, IO_READ);
        watch_wait(io, &watch, ++count);
    }
    assert_int_equal(n, 0);
}

int help_descriptor(struct io *io, struct io_socket socket)
{
    struct slot *slot = slot_find(io_linux(io), socket);

    assert_non_null(slot);
    return slot->descriptor;
}

unsigned help_descriptor_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    (void)closedir(directory);
    return count - 3; /* ".", ".." and the directory itself */
}

void help_wait_end(int descriptor)
{
    struct pollfd one = { .fd = descriptor, .events = POLLIN };
    char memory[256];
    ssize_t n;

    do {
        assert_int_equal(poll(&one, 1, (int)(WAIT_NS / NS_PER_MS)), 1);
        n = read(descriptor, memory, sizeof(memory));
        assert_true(n >= 0);
    } while (n > 0);
}

void help_directory_make(char *ret_path, size_t max)
{
    int len = snprintf(ret_path, max, "/tmp/weft-test-XXXXXX");

    assert_true(len > 0 && (size_t)len < max);
    assert_non_null(mkdtemp(ret_path));
}

void help_directory_remove(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    (void)closedir(directory);
    assert_int_equal(rmdir(path), 0);
}
