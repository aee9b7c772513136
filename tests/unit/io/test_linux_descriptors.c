#include "linux_help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Two ends in one io. */
static void pair_open(struct io *io, struct io_socket *ret_a, struct io_socket *ret_b)
{
    int theirs;

    assert_int_equal(io->ops->pair(io, ret_a, &theirs), 0);
    assert_true(fcntl(theirs, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(io->ops->adopt(io, theirs, ret_b), 0);
}

static ssize_t receive(struct io *io, struct io_socket socket, char *memory, size_t len, int *descriptors,
                       unsigned *ret_count)
{
    struct watch watch;
    unsigned count = 0;
    ssize_t n;

    watch_init(&watch, socket);
    while ((n = io->ops->try_receive(io, socket, memory, len, descriptors, ret_count)) == -EAGAIN) {
        watch_arm(io, &watch, IO_READ);
        watch_wait(io, &watch, ++count);
    }
    return n;
}

static void test_listener_is_handed_over(void **state)
{
    struct io *io = help_open(), *other = help_open();
    struct io_socket ours, theirs, listener, adopted, client, server;
    struct address address, local;
    int descriptors[IO_DESCRIPTORS_MAX], end, descriptor;
    unsigned count = 99;
    char memory[16];

    assert_int_equal(io->ops->pair(io, &ours, &end), 0);
    assert_int_equal(other->ops->adopt(other, end, &theirs), 0);
    help_listen(io, &listener, &address);
    descriptor = io->ops->descriptor_of(io, listener);
    assert_int_equal(io->ops->try_send(io, ours, BYTES("listen"), &descriptor, 1), 6);
    io->ops->close(io, listener); /* the connection below is queued while nobody of this io listens */
    help_connect(io, &address, &client);

    assert_int_equal(receive(other, theirs, memory, sizeof(memory), descriptors, &count), 6);
    assert_memory_equal(memory, "listen", 6);
    assert_int_equal(count, 1);
    assert_true(fcntl(descriptors[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(other->ops->adopt(other, descriptors[0], &adopted), 0);
    assert_int_equal(other->ops->local_address(other, adopted, &local), 0);
    assert_true(address_equal(&address, &local));
    help_accept(other, adopted, &server);
    assert_int_equal(help_write(other, server, BYTES("served")), 6);
    help_read_exactly(io, client, BYTES("served"));
    io_linux_close(other);
    io_linux_close(io);
}

static void test_messages_keep_their_bounds(void **state)
{
    struct io *io = help_open();
    struct io_socket a, b;
    int descriptors[IO_DESCRIPTORS_MAX];
    char memory[16];
    unsigned count;

    pair_open(io, &a, &b);
    assert_int_equal(io->ops->try_send(io, a, BYTES("one"), NULL, 0), 3);
    assert_int_equal(io->ops->try_send(io, a, BYTES("three"), NULL, 0), 5);
    assert_int_equal(receive(io, b, memory, sizeof(memory), descriptors, &count), 3);
    assert_int_equal(count, 0);
    assert_int_equal(receive(io, b, memory, sizeof(memory), descriptors, &count), 5);
    assert_memory_equal(memory, "three", 5);
    assert_int_equal(io->ops->try_receive(io, b, memory, sizeof(memory), descriptors, &count), -EAGAIN);
    io->ops->close(io, a);
    assert_int_equal(receive(io, b, memory, sizeof(memory), descriptors, &count), 0);
    assert_int_equal(io->ops->try_send(io, b, BYTES("x"), NULL, 0), -EPIPE);
    io_linux_close(io);
}

static void test_largest_message(void **state)
{
    static char sent[IO_MESSAGE_MAX + 1], memory[IO_MESSAGE_MAX];
    struct io *io = help_open();
    struct io_socket a, b;
    int many[IO_DESCRIPTORS_MAX + 1], descriptors[IO_DESCRIPTORS_MAX];
    unsigned count, before;

    pair_open(io, &a, &b);
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i * 31);
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        many[i] = 2;
    before = help_descriptor_count();
    assert_int_equal(io->ops->try_send(io, a, bytes_of(sent, sizeof(sent)), NULL, 0), -EMSGSIZE);
    assert_int_equal(io->ops->try_send(io, a, BYTES("x"), many, IO_DESCRIPTORS_MAX + 1), -EMSGSIZE);
    assert_int_equal(io->ops->try_send(io, a, BYTES_NONE, NULL, 0), -EINVAL);
    assert_int_equal(io->ops->try_send(io, a, bytes_of(sent, IO_MESSAGE_MAX), many, IO_DESCRIPTORS_MAX),
                     IO_MESSAGE_MAX);
    assert_int_equal(receive(io, b, memory, sizeof(memory), descriptors, &count), IO_MESSAGE_MAX);
    assert_memory_equal(memory, sent, IO_MESSAGE_MAX);
    assert_int_equal(count, IO_DESCRIPTORS_MAX);
    assert_int_equal(help_descriptor_count(), before + IO_DESCRIPTORS_MAX);
    for (unsigned i = 0; i < count; i++)
        io->ops->descriptor_close(io, descriptors[i]);
    assert_int_equal(help_descriptor_count(), before);
    io_linux_close(io);
}

/* A message that does not fit is dropped as a whole, with its descriptors. */
static void test_cut_messages(void **state)
{
    struct io *io = help_open();
    struct io_socket a, b;
    int two[2] = { 1, 2 }, descriptors[IO_DESCRIPTORS_MAX], next;
    struct rlimit before, few;
    unsigned count, open;
    char memory[4];

    pair_open(io, &a, &b);
    open = help_descriptor_count();
    assert_int_equal(io->ops->try_send(io, a, BYTES("too long"), two, 2), 8);
    assert_int_equal(receive(io, b, memory, sizeof(memory), descriptors, &count), -EMSGSIZE);
    assert_int_equal(help_descriptor_count(), open);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    next = dup(0);
    close(next);
    few = (struct rlimit){ (rlim_t)next + 1, before.rlim_max };
    assert_int_equal(io->ops->try_send(io, a, BYTES("two"), two, 2), 3);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0); /* room for one of the two */
    assert_int_equal(receive(io, b, memory, sizeof(memory), descriptors, &count), -EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(help_descriptor_count(), open);
    io_linux_close(io);
}

static void test_full_pair(void **state)
{
    static char block[32768];
    struct io *io = help_open();
    struct io_socket a, b;
    struct watch watch;
    int descriptors[IO_DESCRIPTORS_MAX];
    unsigned count, sent = 0;
    ssize_t n;

    pair_open(io, &a, &b);
    while ((n = io->ops->try_send(io, a, bytes_of(block, sizeof(block)), NULL, 0)) > 0)
        sent++;
    assert_int_equal(n, -EAGAIN);
    poll_quietly(io);
    watch_init(&watch, a);
    watch_arm(io, &watch, IO_WRITE);
    for (; sent > 0; sent--)
        assert_int_equal(receive(io, b, block, sizeof(block), descriptors, &count), sizeof(block));
    watch_wait(io, &watch, 1);
    assert_int_equal(io->ops->try_send(io, a, BYTES("x"), NULL, 0), 1);
    io_linux_close(io);
}

static void test_adopt(void **state)
{
    struct io *io = help_open();
    struct io_socket socket, writer;
    int ends[2], descriptor;
    unsigned before = help_descriptor_count(), count;
    struct watch watch;
    char memory[8];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(io->ops->adopt(io, ends[0], &socket), 0);
    assert_int_equal(io->ops->adopt(io, ends[1], &writer), 0);
    assert_true(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    assert_int_equal(help_write(io, writer, BYTES("pipe")), 4);
    help_read_exactly(io, socket, BYTES("pipe"));
    assert_int_equal(io->ops->try_receive(io, socket, memory, 1, ends, &count), -EINVAL);
    assert_int_equal(io->ops->try_send(io, writer, BYTES("x"), NULL, 0), -EINVAL);
    assert_int_equal(io->ops->try_signal(io, socket), -EINVAL);
    assert_int_equal(io->ops->shut_write(io, writer), -ENOTSOCK);
    watch_init(&watch, writer);
    watch_arm(io, &watch, IO_HANGUP);
    io->ops->close(io, socket);
    watch_wait(io, &watch, 1);
    assert_int_equal(help_write(io, writer, BYTES("x")), -EPIPE); /* and no SIGPIPE */
    io->ops->close(io, writer);

    assert_int_equal(io->ops->adopt(io, 9999, &socket), -EBADF);
    descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    assert_int_equal(io->ops->adopt(io, descriptor, &socket), -EPERM); /* epoll takes no files */
    close(descriptor);
    descriptor = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends);
    assert_int_equal(descriptor, 0);
    assert_int_equal(io->ops->adopt(io, ends[0], &socket), -ENOTSUP);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(help_descriptor_count(), before);
    io_linux_close(io);
}

static void test_terminal_tells_its_size(void **state)
{
    struct winsize set = { .ws_row = 33, .ws_col = 101 };
    struct terminal_size size = { 1, 2 };
    struct io *io = help_open();
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave, none = open("/dev/null", O_RDWR);

    assert_true(master >= 0 && none >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    assert_int_equal(io->ops->terminal(io, none, &size), -ENOTTY);
    assert_int_equal(io->ops->terminal(io, -1, &size), -ENOTTY);
    assert_int_equal(size.columns, 1);
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &set), 0);
    assert_int_equal(io->ops->terminal(io, slave, &size), 0);
    assert_int_equal(size.columns, 101);
    assert_int_equal(size.rows, 33);
    (void)close(none);
    (void)close(slave);
    (void)close(master);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listener_is_handed_over),
        cmocka_unit_test(test_messages_keep_their_bounds),
        cmocka_unit_test(test_largest_message),
        cmocka_unit_test(test_cut_messages),
        cmocka_unit_test(test_full_pair),
        cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_terminal_tells_its_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
