#include "linux_help.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- accept4() that fails on demand: connections that die in the queue are seldom seen on Linux --------------- */

static struct {
    int error;
    unsigned times, calls;
} accept_fault;

int __real_accept4(int descriptor, struct sockaddr *name, socklen_t *len, int flags);
int __wrap_accept4(int descriptor, struct sockaddr *name, socklen_t *len, int flags);

int __wrap_accept4(int descriptor, struct sockaddr *name, socklen_t *len, int flags)
{
    accept_fault.calls++;
    if (accept_fault.times > 0) {
        accept_fault.times--;
        errno = accept_fault.error;
        return -1;
    }
    return __real_accept4(descriptor, name, len, flags);
}

/* --- making connections --------------------------------------------------------------------------------------- */

static void test_accept(void **state)
{
    struct io *io = help_open();
    struct io_socket listener, client, server;
    struct address address, local, peer;
    int value = 0;
    socklen_t len = sizeof(value);

    help_listen(io, &listener, &address);
    assert_int_equal(io->ops->try_accept(io, listener, &server, &peer), -EAGAIN);
    help_connect(io, &address, &client);
    poll_quietly(io);
    assert_int_equal(io->ops->try_accept(io, listener, &server, &peer), 0);
    assert_int_equal(io->ops->local_address(io, client, &local), 0);
    assert_true(address_equal(&local, &peer));
    assert_int_equal(getsockopt(help_descriptor(io, server), IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    assert_int_not_equal(value, 0);
    assert_true(fcntl(help_descriptor(io, server), F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(help_descriptor(io, server), F_GETFD) & FD_CLOEXEC);
    assert_int_equal(io->ops->try_accept(io, listener, &client, &peer), -EAGAIN);
    io_linux_close(io);
}

static void test_accept_skips_dead_connections(void **state)
{
    struct io *io = help_open();
    struct io_socket listener, client, server;
    struct address address;

    help_listen(io, &listener, &address);
    help_connect(io, &address, &client);
    accept_fault.error = ECONNABORTED;
    accept_fault.times = ACCEPT_ATTEMPTS_MAX;
    assert_int_equal(io->ops->try_accept(io, listener, &server, NULL), 0);
    io->ops->close(io, server);

    accept_fault.calls = 0;
    accept_fault.times = ACCEPT_ATTEMPTS_MAX + 1; /* one too many: the caller's turn */
    assert_int_equal(io->ops->try_accept(io, listener, &server, NULL), -ECONNABORTED);
    assert_int_equal(accept_fault.times, 0);
    assert_int_equal(accept_fault.calls, ACCEPT_ATTEMPTS_MAX + 1);
    io_linux_close(io);
}

static void test_connect_refused(void **state)
{
    struct io *io = help_open();
    struct io_socket listener, client;
    struct address address;
    struct watch watch;
    int r;

    help_listen(io, &listener, &address);
    io->ops->close(io, listener);
    r = io->ops->try_connect(io, &address, &client);
    if (r == 0) {
        watch_init(&watch, client);
        watch_arm(io, &watch, IO_WRITE);
        watch_wait(io, &watch, 1);
        assert_int_equal(io->ops->connect_result(io, client), -ECONNREFUSED);
        assert_int_equal(io->ops->connect_result(io, client), -ENOTCONN); /* told once */
        io->ops->close(io, client);
    } else {
        assert_int_equal(r, -ECONNREFUSED);
    }
    io_linux_close(io);
}

static void test_connect_result_waits(void **state)
{
    struct io *io = help_open();
    struct io_socket listener, client;
    struct address address;

    help_listen(io, &listener, &address);
    assert_int_equal(io->ops->try_connect(io, &address, &client), 0);
    assert_int_equal(io->ops->connect_result(io, client), -EAGAIN); /* nothing was polled yet */
    assert_int_equal(help_write(io, client, BYTES("x")), -EAGAIN);
    poll_quietly(io);
    assert_int_equal(io->ops->connect_result(io, client), 0);
    assert_int_equal(io->ops->connect_result(io, client), 0);
    assert_int_equal(help_write(io, client, BYTES("x")), 1);
    io_linux_close(io);
}

static void test_listen_errors(void **state)
{
    struct io *io = help_open();
    struct io_socket first, second, other;
    struct address address = { .family = ADDRESS_NONE }, unix_empty = { .family = ADDRESS_UNIX };
    unsigned before = help_descriptor_count();

    assert_int_equal(io->ops->listen(io, &address, 8, false, &first), -EINVAL);
    assert_int_equal(io->ops->try_connect(io, &address, &first), -EINVAL);
    assert_int_equal(io->ops->listen(io, &unix_empty, 8, false, &first), -EINVAL);
    help_listen(io, &first, &address);
    assert_int_equal(io->ops->listen(io, &address, 8, false, &second), -EADDRINUSE);
    io->ops->close(io, first);
    assert_int_equal(io->ops->listen(io, &address, 8, true, &first), 0);
    assert_int_equal(io->ops->listen(io, &address, 8, true, &second), 0);
    assert_int_equal(io->ops->try_read(io, first, &other, sizeof(other)), -EINVAL);
    assert_int_equal(io->ops->try_accept(io, first, &other, NULL), -EAGAIN);
    io->ops->close(io, first);
    io->ops->close(io, second);
    assert_int_equal(help_descriptor_count(), before);
    io_linux_close(io);
}

static void test_ip6(void **state)
{
    struct io *io = help_open();
    struct address address = { .family = ADDRESS_IP6, .ip = { [15] = 1 } }, peer;
    struct io_socket listener, client, server;
    int r = io->ops->listen(io, &address, 8, false, &listener);

    if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT) { /* a machine without IPv6 */
        io_linux_close(io);
        skip();
    }
    assert_int_equal(r, 0);
    assert_int_equal(io->ops->local_address(io, listener, &address), 0);
    help_connect(io, &address, &client);
    poll_quietly(io);
    assert_int_equal(io->ops->try_accept(io, listener, &server, &peer), 0);
    assert_int_equal(peer.family, ADDRESS_IP6);
    assert_memory_equal(peer.ip, address.ip, 16);
    io_linux_close(io);
}

/* --- unix --------------------------------------------------------------------------------------------------- */

static struct address unix_address(const char *directory, const char *name)
{
    struct address address = { .family = ADDRESS_UNIX };

    assert_true(snprintf(address.path, sizeof(address.path), "%s/%s", directory, name) < (int)sizeof(address.path));
    return address;
}

static void test_unix_listen(void **state)
{
    struct io *io = help_open();
    char directory[64];
    struct io_socket listener, second, client, server;
    struct address address, peer, local;
    struct stat status;

    help_directory_make(directory, sizeof(directory));
    address = unix_address(directory, "a.sock");
    assert_int_equal(io->ops->listen(io, &address, 8, false, &listener), 0);
    assert_int_equal(stat(address.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(io->ops->local_address(io, listener, &local), 0);
    assert_true(address_equal(&local, &address));

    assert_int_equal(io->ops->listen(io, &address, 8, false, &second), -EADDRINUSE); /* somebody answers */
    assert_int_equal(io->ops->try_accept(io, listener, &server, NULL), 0);           /* that was the question */
    io->ops->close(io, server);

    help_connect(io, &address, &client);
    poll_quietly(io);
    assert_int_equal(io->ops->try_accept(io, listener, &server, &peer), 0);
    assert_int_equal(peer.family, ADDRESS_UNIX);
    assert_string_equal(peer.path, "");
    assert_int_equal(help_write(io, client, BYTES("hello")), 5);
    help_read_exactly(io, server, BYTES("hello"));

    io->ops->close(io, listener);
    assert_int_equal(stat(address.path, &status), 0);                        /* the file stays ... */
    assert_int_equal(io->ops->listen(io, &address, 8, false, &listener), 0); /* ... and is replaced */
    io_linux_close(io);
    help_directory_remove(directory);
}

static void test_unix_listen_spares_files(void **state)
{
    struct io *io = help_open();
    char directory[64];
    struct io_socket listener;
    struct address address;
    struct stat status;
    int descriptor;

    help_directory_make(directory, sizeof(directory));
    address = unix_address(directory, "precious");
    descriptor = open(address.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(io->ops->listen(io, &address, 8, false, &listener), -EADDRINUSE);
    assert_int_equal(stat(address.path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    address = unix_address(directory, "no/such/directory");
    assert_int_equal(io->ops->listen(io, &address, 8, false, &listener), -ENOENT);
    io_linux_close(io);
    help_directory_remove(directory);
}

static void test_unix_queue_full(void **state)
{
    struct io *io = help_open();
    char directory[64];
    struct io_socket listener, clients[8];
    struct address address;
    int r = 0;

    help_directory_make(directory, sizeof(directory));
    address = unix_address(directory, "a.sock");
    assert_int_equal(io->ops->listen(io, &address, 1, false, &listener), 0);
    for (unsigned i = 0; i < ARRAY_LEN(clients) && r == 0; i++)
        r = io->ops->try_connect(io, &address, &clients[i]);
    assert_int_equal(r, -ECONNREFUSED);
    io_linux_close(io);
    help_directory_remove(directory);
}

/* --- bytes -------------------------------------------------------------------------------------------------- */

static void test_read_asks_only_when_told(void **state)
{
    struct io *io = help_open();
    struct link link;
    char memory[64];

    link_open(io, &link);
    assert_int_equal(help_write(io, link.client, BYTES("first")), 5);
    usleep(2000);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 5); /* before any edge */
    assert_int_equal(help_write(io, link.client, BYTES("second")), 6);
    usleep(2000);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), -EAGAIN); /* no system call was made */
    help_read_exactly(io, link.server, BYTES("sec"));
    assert_int_equal(io->ops->try_read(io, link.server, memory, 3), 3); /* what fits exactly may not be all */
    assert_int_equal(io->ops->try_read(io, link.server, memory, 3), -EAGAIN);
    link_close(io, &link);
    io_linux_close(io);
}

/* Bytes and the end in one edge: the short read must not hide the end. */
static void test_short_read_and_end(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch watch;
    char memory[64];

    link_open(io, &link);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), -EAGAIN);
    watch_init(&watch, link.server);
    watch_arm(io, &watch, IO_READ);
    assert_int_equal(help_write(io, link.client, BYTES("bytes")), 5);
    io->ops->close(io, link.client);
    usleep(2000);
    watch_wait(io, &watch, 1);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 5);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 0);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 0);
    link_close(io, &link);
    io_linux_close(io);
}

/* The read comes before the edge of the bytes was taken, the end after the read. */
static void test_end_after_hopeful_read(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch watch;
    char memory[64];

    link_open(io, &link);
    assert_int_equal(help_write(io, link.client, BYTES("bytes")), 5);
    usleep(2000);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 5);
    io->ops->close(io, link.client);
    watch_init(&watch, link.server);
    watch_arm(io, &watch, IO_READ);
    watch_wait(io, &watch, 1);
    help_read_end(io, link.server);
    link_close(io, &link);
    io_linux_close(io);
}

/* Whenever the bytes come - before the empty read, between it and arm(), or later - the wake runs. */
static void test_wake_is_never_missed(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch watch;
    char memory[64];

    link_open(io, &link);
    watch_init(&watch, link.server);
    for (unsigned i = 1; i <= 300; i++) {
        if (i % 3 == 0)
            assert_int_equal(help_write(io, link.client, BYTES("x")), 1);
        if (io->ops->try_read(io, link.server, memory, sizeof(memory)) > 0) { /* the hopeful first one */
            watch.count++;
            continue;
        }
        if (i % 3 == 1)
            assert_int_equal(help_write(io, link.client, BYTES("x")), 1);
        watch_arm(io, &watch, IO_READ);
        if (i % 3 == 2)
            assert_int_equal(help_write(io, link.client, BYTES("x")), 1);
        watch_wait(io, &watch, i);
        assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 1);
    }
    link_close(io, &link);
    io_linux_close(io);
}

static char pattern(size_t at)
{
    return (char)(at * 7 + at / 251);
}

/* Sends `len` bytes in whatever pieces the kernel takes, reads them meanwhile, compares. */
static void stream_through(struct io *io, struct io_socket from, struct io_socket to, size_t len)
{
    static char piece[65536];
    char memory[5000];
    size_t sent = 0, received = 0, partial = 0, full = 0;
    int64_t until = help_now(io) + WAIT_NS;

    while (received < len) {
        size_t want = MIN(sizeof(piece), len - sent);
        ssize_t n = 0;

        assert_true(help_now(io) < until);
        for (size_t i = 0; i < want; i++)
            piece[i] = pattern(sent + i);
        if (want > 0) {
            struct iovec parts[2] = { { piece, want / 2 }, { piece + want / 2, want - want / 2 } };

            n = io->ops->try_write(io, from, parts, 2);
            assert_true(n > 0 || n == -EAGAIN);
            if (n > 0)
                sent += (size_t)n;
            partial += n > 0 && (size_t)n < want;
            full += n == -EAGAIN;
        }
        if (want > 0 && n > 0)
            continue; /* until the buffer is full */
        n = io->ops->try_read(io, to, memory, sizeof(memory));
        if (n == -EAGAIN) {
            assert_true(io->ops->poll(io, help_now(io) + NS_PER_MS) >= 0);
            continue;
        }
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(memory[i], pattern(received + (size_t)i));
        received += (size_t)n;
    }
    assert_true(full > 0);
    assert_true(partial > 0);
}

static void test_partial_writes_tcp(void **state)
{
    struct io *io = help_open();
    struct link link;
    int size = 4096;

    link_open(io, &link);
    assert_int_equal(setsockopt(help_descriptor(io, link.client), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    assert_int_equal(setsockopt(help_descriptor(io, link.server), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    stream_through(io, link.client, link.server, 60000); /* small windows: the kernel delays its acknowledgements */
    link_close(io, &link);
    io_linux_close(io);
}

static void test_partial_writes_unix(void **state)
{
    struct io *io = help_open();
    struct io_socket from, to;
    int ends[2], size = 4096;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    assert_int_equal(io->ops->adopt(io, ends[0], &from), 0);
    assert_int_equal(io->ops->adopt(io, ends[1], &to), 0);
    stream_through(io, from, to, 300000);
    io_linux_close(io);
}

static void test_partial_writes_pipe(void **state)
{
    struct io *io = help_open();
    struct io_socket from, to;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    assert_int_equal(io->ops->adopt(io, ends[1], &from), 0);
    assert_int_equal(io->ops->adopt(io, ends[0], &to), 0);
    stream_through(io, from, to, 300000);
    io->ops->close(io, from);
    help_read_end(io, to);
    io_linux_close(io);
}

/* The wake for WRITE comes when the reader has made room. */
static void test_write_wake(void **state)
{
    static char block[65536];
    struct io *io = help_open();
    struct link link;
    struct watch watch;
    size_t sent = 0;
    ssize_t n;

    link_open(io, &link);
    while ((n = help_write(io, link.client, bytes_of(block, sizeof(block)))) > 0)
        sent += (size_t)n;
    assert_int_equal(n, -EAGAIN);
    poll_quietly(io);
    while ((n = help_write(io, link.client, bytes_of(block, sizeof(block)))) > 0)
        sent += (size_t)n; /* what the receiver's kernel took meanwhile */
    watch_init(&watch, link.client);
    watch_arm(io, &watch, IO_WRITE);
    poll_quietly(io);
    assert_int_equal(watch.count, 0);
    while (sent > 0) {
        n = io->ops->try_read(io, link.server, block, sizeof(block));
        if (n == -EAGAIN)
            assert_true(io->ops->poll(io, help_now(io) + NS_PER_MS) >= 0);
        else
            sent -= (size_t)n;
    }
    watch_wait(io, &watch, 1);
    assert_int_equal(watch.events, IO_WRITE);
    assert_int_equal(help_write(io, link.client, BYTES("x")), 1);
    link_close(io, &link);
    io_linux_close(io);
}

static void test_many_parts(void **state)
{
    struct io *io = help_open();
    struct link link;
    static struct iovec parts[1100];
    char c = 'x', memory[2048];

    link_open(io, &link);
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
        parts[i] = (struct iovec){ &c, 1 };
    assert_int_equal(io->ops->try_write(io, link.client, parts, ARRAY_LEN(parts)), 1024); /* IOV_MAX */
    assert_int_equal(io->ops->try_write(io, link.client, parts, 76), 76);                 /* it was not full */
    memset(memory, 'x', sizeof(memory));
    help_read_exactly(io, link.server, bytes_of(memory, 1100));
    parts[0].iov_len = 0;
    assert_int_equal(io->ops->try_write(io, link.client, parts, 1), 0);
    link_close(io, &link);
    io_linux_close(io);
}

/* --- against a peer that runs at the same time ------------------------------------------------------------------ */

#define PEER_BYTES 3000000

struct peer {
    int descriptor;
    bool failed;
};

static size_t peer_step(size_t at)
{
    return 1 + (at * 2654435761u >> 7) % 9000;
}

/* Writes in uneven pieces and sometimes pauses, then reads as much as it wrote. */
static void *peer_run(void *context)
{
    struct peer *peer = context;
    char piece[9001];
    size_t at = 0;
    ssize_t n;

    while (at < PEER_BYTES) {
        size_t len = MIN(peer_step(at), PEER_BYTES - at);

        for (size_t i = 0; i < len; i++)
            piece[i] = pattern(at + i);
        n = send(peer->descriptor, piece, len, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
        if (at % 13 == 0)
            usleep(50);
    }
    (void)shutdown(peer->descriptor, SHUT_WR);
    for (at = 0; (n = recv(peer->descriptor, piece, peer_step(at), 0)) > 0; at += (size_t)n)
        for (ssize_t i = 0; i < n; i++)
            peer->failed |= piece[i] != pattern(at + (size_t)i);
    peer->failed |= at != PEER_BYTES;
    (void)close(peer->descriptor);
    return NULL;
}

static void read_from_peer(struct io *io, struct io_socket socket)
{
    static char memory[9001];
    struct watch watch;
    unsigned count = 0;
    size_t at = 0;
    ssize_t n;

    watch_init(&watch, socket);
    while ((n = io->ops->try_read(io, socket, memory, peer_step(at))) != 0) {
        if (n == -EAGAIN) {
            watch_arm(io, &watch, IO_READ);
            watch_wait(io, &watch, ++count);
            continue;
        }
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            assert_true(memory[i] == pattern(at + (size_t)i));
        at += (size_t)n;
    }
    assert_int_equal(at, PEER_BYTES);
}

static void write_to_peer(struct io *io, struct io_socket socket)
{
    static char piece[9001];
    struct watch watch;
    unsigned count = 0;
    size_t at = 0;

    watch_init(&watch, socket);
    while (at < PEER_BYTES) {
        size_t len = MIN(peer_step(at), PEER_BYTES - at);
        ssize_t n;

        for (size_t i = 0; i < len; i++)
            piece[i] = pattern(at + i);
        n = help_write(io, socket, bytes_of(piece, len));
        if (n == -EAGAIN) {
            watch_arm(io, &watch, IO_WRITE);
            watch_wait(io, &watch, ++count);
            continue;
        }
        assert_true(n > 0);
        at += (size_t)n;
    }
}

/* No edge is lost, whichever way reads, writes and events fall between each other. */
static void test_concurrent_peer(void **state)
{
    static const int families[] = { AF_UNIX, AF_INET };

    for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
        struct io *io = help_open();
        struct peer peer = { 0 };
        struct io_socket socket;
        pthread_t thread;
        int ends[2];

        if (families[i] == AF_UNIX) {
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
            peer.descriptor = ends[1];
            assert_int_equal(io->ops->adopt(io, ends[0], &socket), 0);
        } else {
            struct link link;

            link_open(io, &link);
            peer.descriptor = dup(help_descriptor(io, link.client));
            io->ops->descriptor_of(io, link.client); /* marks it as held elsewhere */
            io->ops->close(io, link.client);
            assert_int_equal(fcntl(peer.descriptor, F_SETFL, 0), 0);
            socket = link.server;
        }
        assert_int_equal(pthread_create(&thread, NULL, peer_run, &peer), 0);
        read_from_peer(io, socket);
        write_to_peer(io, socket);
        assert_int_equal(io->ops->shut_write(io, socket), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_false(peer.failed);
        io_linux_close(io);
    }
}

static void test_shut_write(void **state)
{
    struct io *io = help_open();
    struct link link;

    link_open(io, &link);
    assert_int_equal(help_write(io, link.client, BYTES("last")), 4);
    assert_int_equal(io->ops->shut_write(io, link.client), 0);
    help_read_exactly(io, link.server, BYTES("last"));
    help_read_end(io, link.server);
    assert_int_equal(help_write(io, link.server, BYTES("answer")), 6);
    help_read_exactly(io, link.client, BYTES("answer"));
    assert_int_equal(help_write(io, link.client, BYTES("x")), -EPIPE); /* and no SIGPIPE */
    link_close(io, &link);
    io_linux_close(io);
}

static void test_reset(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch watch;
    char memory[8];

    link_open(io, &link);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), -EAGAIN);
    watch_init(&watch, link.server);
    watch_arm(io, &watch, IO_READ | IO_HANGUP);
    io->ops->reset(io, link.client);
    watch_wait(io, &watch, 1);
    assert_int_equal(watch.events, IO_READ | IO_HANGUP);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), -ECONNRESET);
    assert_int_equal(help_write(io, link.server, BYTES("x")), -EPIPE);
    link_close(io, &link);
    io_linux_close(io);
}

/* --- running out -------------------------------------------------------------------------------------------- */

static void test_no_descriptor_left(void **state)
{
    struct io *io = help_open();
    struct rlimit before, none;
    struct io_socket listener, client, server;
    struct address address;
    struct watch watch;
    int next;

    help_listen(io, &listener, &address);
    help_connect(io, &address, &client);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    next = dup(0);
    assert_true(next > 0);
    close(next);
    none = (struct rlimit){ (rlim_t)next, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(io->ops->try_accept(io, listener, &server, NULL), -EMFILE);
    assert_int_equal(io->ops->try_connect(io, &address, &server), -EMFILE);
    watch_init(&watch, listener);
    watch_arm(io, &watch, IO_READ);
    watch_wait(io, &watch, 1); /* it is still ready: hence the caller must back off */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(io->ops->try_accept(io, listener, &server, NULL), 0); /* the connection was not lost */
    io_linux_close(io);
}

static void test_no_slot_left(void **state)
{
    struct io *io = help_open();
    struct io_linux *linux_io = io_linux(io);
    struct io_socket listener, client, server;
    struct address address, peer, expected;
    struct slot *slot, *last = NULL;
    unsigned before;

    help_listen(io, &listener, &address);
    help_connect(io, &address, &client);
    assert_int_equal(io->ops->local_address(io, client, &expected), 0);
    before = help_descriptor_count();
    while (linux_io->slots_used < SOCKETS_MAX)
        assert_int_equal(slot_take(linux_io, &last), 0);
    assert_int_equal(slot_take(linux_io, &slot), -EMFILE);
    assert_int_equal(io->ops->try_accept(io, listener, &server, NULL), -EMFILE);
    assert_int_equal(io->ops->try_connect(io, &address, &server), -EMFILE);
    assert_int_equal(help_descriptor_count(), before);
    slot_give(linux_io, last);
    assert_int_equal(io->ops->try_accept(io, listener, &server, &peer), 0);
    assert_true(address_equal(&peer, &expected)); /* the connection stayed in the queue */
    assert_int_equal(server.slot, last->index);
    io_linux_close(io);
}

static void test_closed_handles(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct io_socket none = IO_SOCKET_NONE, far = { SOCKETS_MAX + 5, 1 }, fresh;
    struct address address;
    struct watch watch;
    char c;

    link_open(io, &link);
    io->ops->close(io, link.server);
    help_listen(io, &fresh, &address); /* in the same slot */
    assert_int_equal(fresh.slot, link.server.slot);
    assert_int_not_equal(fresh.generation, link.server.generation);
    assert_int_equal(io->ops->try_read(io, link.server, &c, 1), -EBADF);
    assert_int_equal(help_write(io, link.server, BYTES("x")), -EBADF);
    assert_int_equal(io->ops->shut_write(io, link.server), -EBADF);
    assert_int_equal(io->ops->try_accept(io, link.server, &fresh, NULL), -EBADF);
    assert_int_equal(io->ops->connect_result(io, link.server), -EBADF);
    assert_int_equal(io->ops->local_address(io, link.server, &address), -EBADF);
    assert_int_equal(io->ops->descriptor_of(io, link.server), -EBADF);
    assert_int_equal(io->ops->try_signal(io, link.server), -EBADF);
    watch_init(&watch, link.server);
    assert_int_equal(io->ops->arm(io, &watch.wake, IO_READ), -EBADF);
    io->ops->close(io, link.server); /* nothing of anybody else's is closed */
    io->ops->reset(io, link.server);
    assert_int_equal(io->ops->local_address(io, fresh, &address), 0);
    assert_int_equal(io->ops->try_read(io, none, &c, 1), -EBADF);
    assert_int_equal(io->ops->try_read(io, far, &c, 1), -EBADF);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_accept_skips_dead_connections),
        cmocka_unit_test(test_connect_refused),
        cmocka_unit_test(test_connect_result_waits),
        cmocka_unit_test(test_listen_errors),
        cmocka_unit_test(test_ip6),
        cmocka_unit_test(test_unix_listen),
        cmocka_unit_test(test_unix_listen_spares_files),
        cmocka_unit_test(test_unix_queue_full),
        cmocka_unit_test(test_read_asks_only_when_told),
        cmocka_unit_test(test_short_read_and_end),
        cmocka_unit_test(test_end_after_hopeful_read),
        cmocka_unit_test(test_wake_is_never_missed),
        cmocka_unit_test(test_partial_writes_tcp),
        cmocka_unit_test(test_partial_writes_unix),
        cmocka_unit_test(test_partial_writes_pipe),
        cmocka_unit_test(test_write_wake),
        cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_concurrent_peer),
        cmocka_unit_test(test_shut_write),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_no_descriptor_left),
        cmocka_unit_test(test_no_slot_left),
        cmocka_unit_test(test_closed_handles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
