/* What the simulated network does to sockets; and the invariants of io/io.h, by their numbers. */
#include "../faults.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OPS(host) ((host).io->ops)

static struct address address_of(const char *text)
{
    struct address address;

    assert_int_equal(address_parse(bytes_of_text(text), &address), 0);
    return address;
}

/* --- listening and connecting ---------------------------------------------------------------------------------- */

static void listens_where_it_may(void **state)
{
    static const struct {
        const char *first; /* on node a, which is 10.0.0.1 */
        bool first_shares;
        const char *second;
        bool second_shares;
        int result;
    } ROWS[] = {
        { "10.0.0.1:80", false, "10.0.0.1:81", false, 0 },
        { "10.0.0.1:80", false, "10.0.0.1:80", false, -EADDRINUSE },
        { "10.0.0.1:80", true, "10.0.0.1:80", true, 0 },
        { "10.0.0.1:80", true, "10.0.0.1:80", false, -EADDRINUSE },
        { "0.0.0.0:80", false, "10.0.0.1:80", false, -EADDRINUSE },
        { "127.0.0.1:80", false, "0.0.0.0:80", false, -EADDRINUSE },
        { "127.0.0.1:80", false, "10.0.0.1:80", false, 0 },
        { "10.0.0.1:0", false, "10.0.0.1:0", false, 0 },
        { "10.0.0.1:80", false, "10.0.0.2:81", false, -EADDRNOTAVAIL },
        { "10.0.0.1:80", false, "[::1]:80", false, -EADDRNOTAVAIL },
        { "unix:/run/a", false, "unix:/run/a", false, -EADDRINUSE },
        { "unix:/run/a", false, "unix:/run/b", false, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig *rig = rig_open(1, NULL);
        struct address first = address_of(ROWS[i].first), second = address_of(ROWS[i].second);
        struct io_socket socket;

        print_message("  %s, then %s\n", ROWS[i].first, ROWS[i].second);
        assert_int_equal(OPS(rig->a)->listen(rig->a.io, &first, 1, ROWS[i].first_shares, &socket), 0);
        assert_int_equal(OPS(rig->a)->listen(rig->a.io, &second, 1, ROWS[i].second_shares, &socket), ROWS[i].result);
        rig_close(rig);
    }
}

static void connects_to_who_listens(void **state)
{
    static const struct {
        const char *listen, *connect; /* listener on b, 10.0.0.2; the client too if `same` */
        bool same;
        int begin, result; /* -EAGAIN: not within a second */
    } ROWS[] = {
        { "10.0.0.2:80", "10.0.0.2:80", false, 0, 0 },
        { "0.0.0.0:80", "10.0.0.2:80", false, 0, 0 },
        { "0.0.0.0:80", "127.0.0.1:80", true, 0, 0 },
        { "127.0.0.1:80", "127.0.0.1:80", true, 0, 0 },
        { "127.0.0.1:80", "127.0.0.1:80", false, 0, -ECONNREFUSED },
        { "127.0.0.1:80", "10.0.0.2:80", false, 0, -ECONNREFUSED },
        { "10.0.0.2:80", "10.0.0.2:81", false, 0, -ECONNREFUSED },
        { "10.0.0.2:80", "10.9.9.9:80", false, 0, -EAGAIN },
        { "unix:/x", "unix:/x", true, 0, 0 },
        { "unix:/x", "unix:/x", false, -ECONNREFUSED, 0 },
        { "unix:/x", "unix:/y", true, -ECONNREFUSED, 0 },
        { "10.0.0.2:80", "[::1]:80", false, -ENETUNREACH, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig *rig = rig_open(2, NULL);
        struct address at = address_of(ROWS[i].listen), to = address_of(ROWS[i].connect), peer, local;
        struct rig_host *client = ROWS[i].same ? &rig->b : &rig->a;
        struct io_socket listener, socket, accepted;

        print_message("  %s to %s\n", ROWS[i].connect, ROWS[i].listen);
        assert_int_equal(OPS(rig->b)->listen(rig->b.io, &at, 1, false, &listener), 0);
        assert_int_equal(OPS(*client)->try_connect(client->io, &to, &socket), ROWS[i].begin);
        rig_wait(rig, 1000);
        if (ROWS[i].begin == 0)
            assert_int_equal(OPS(*client)->connect_result(client->io, socket), ROWS[i].result);
        if (ROWS[i].begin == 0 && ROWS[i].result == 0) {
            assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, listener, &accepted, &peer), 0);
            assert_int_equal(OPS(*client)->local_address(client->io, socket, &local), 0);
            assert_true(address_equal(&peer, &local));
        } else {
            assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, listener, &accepted, &peer), -EAGAIN);
        }
        rig_close(rig);
    }
}

static void tells_once_why_it_was_refused(void **state)
{
    struct rig *rig = rig_open(3, NULL);
    struct address to = sim_address(rig->b.node, 9);
    struct io_socket socket;
    char byte;

    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &socket), 0);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, socket), -EAGAIN);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, socket, &byte, 1), -EAGAIN);
    assert_int_equal(rig_write(&rig->a, socket, "x"), -EAGAIN);
    rig_wait(rig, 1000);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, socket), -ECONNREFUSED);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, socket), -ENOTCONN);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, socket, &byte, 1), -ENOTCONN);
    assert_int_equal(rig_write(&rig->a, socket, "x"), -ENOTCONN);
    assert_int_equal(OPS(rig->a)->shut_write(rig->a.io, socket), -ENOTCONN);
    rig_close(rig);
}

static void asks_again_when_the_queue_is_full(void **state)
{
    struct rig *rig = rig_open(4, NULL);
    struct address to = sim_address(rig->b.node, RIG_PORT);
    struct io_socket first, second, accepted;

    rig_listen(rig, 1);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &first), 0);
    rig_wait(rig, 100);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &second), 0);
    rig_wait(rig, 100);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, first), 0);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, second), -EAGAIN);
    assert_int_equal(rig->world->fault_counts[SIM_FAULT_BACKLOG], 1);
    assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, rig->listener, &accepted, NULL), 0);
    rig_wait(rig, 2000);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, second), 0);
    rig_close(rig);
}

static void gives_up_asking(void **state)
{
    struct rig *rig = rig_open(5, NULL);
    struct address to = sim_address(rig->b.node, RIG_PORT);
    struct io_socket socket;

    rig_listen(rig, 1);
    world_cut(rig->world, 0, 1, true);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &socket), 0);
    rig_wait(rig, 60000);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, socket), -EAGAIN);
    rig_wait(rig, 10000); /* 1 + 2 + 4 + ... + 32 seconds */
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, socket), -ETIMEDOUT);
    rig_close(rig);
}

static void spreads_over_shared_listeners(void **state)
{
    struct rig *rig = rig_open(6, NULL);
    struct address at = sim_address(rig->b.node, RIG_PORT);
    struct io_socket listeners[2], clients[32], accepted;
    unsigned counts[2] = { 0, 0 };

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(OPS(rig->b)->listen(rig->b.io, &at, 32, true, &listeners[i]), 0);
    for (unsigned i = 0; i < ARRAY_LEN(clients); i++)
        assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &at, &clients[i]), 0);
    rig_wait(rig, 100);
    while (OPS(rig->b)->try_accept(rig->b.io, listeners[0], &accepted, NULL) == 0)
        counts[0]++;
    OPS(rig->b)->close(rig->b.io, listeners[1]); /* who was queued there gets RST */
    rig_wait(rig, 100);
    for (unsigned i = 0; i < ARRAY_LEN(clients); i++) {
        char byte;

        if (OPS(rig->a)->try_read(rig->a.io, clients[i], &byte, 1) == -ECONNRESET)
            counts[1]++;
    }
    assert_int_equal(counts[0] + counts[1], ARRAY_LEN(clients));
    assert_true(counts[0] > 0 && counts[1] > 0);
    rig_close(rig);
}

static void runs_out_of_sockets(void **state)
{
    struct rig *rig = rig_open(7, NULL);
    struct address to = sim_address(rig->b.node, RIG_PORT);
    struct io_socket sockets[3], accepted;

    rig->a.process->sockets_max = 2;
    rig->b.process->sockets_max = 2;
    rig_listen(rig, 4);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &sockets[0]), 0);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &sockets[1]), 0);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &to, &sockets[2]), -EMFILE);
    rig_wait(rig, 10);
    assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, rig->listener, &accepted, NULL), 0);
    assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, rig->listener, &sockets[2], NULL), -EMFILE);
    OPS(rig->b)->close(rig->b.io, accepted);
    assert_int_equal(OPS(rig->b)->try_accept(rig->b.io, rig->listener, &accepted, NULL), 0); /* it was not lost */
    rig_close(rig);
}

/* --- bytes ----------------------------------------------------------------------------------------------------- */

static void carries_bytes_then_the_end(void **state)
{
    struct rig *rig = rig_open(10, NULL);
    struct io_socket a, b;
    char buffer[16];

    rig_connect(rig, &a, &b);
    assert_int_equal(rig_write(&rig->a, a, "hello"), 5);
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, buffer, sizeof(buffer)), -EAGAIN); /* it travels */
    assert_int_equal(OPS(rig->a)->shut_write(rig->a.io, a), 0);
    assert_int_equal(rig_write(&rig->a, a, "more"), -EPIPE);
    rig_wait(rig, 1);
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, buffer, 2), 2);
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, buffer + 2, 14), 3);
    assert_memory_equal(buffer, "hello", 5);
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, buffer, 1), 0);
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, buffer, 1), 0);
    assert_int_equal(rig_write(&rig->b, b, "back"), 4); /* the other half stands */
    OPS(rig->b)->close(rig->b.io, b);
    rig_wait(rig, 1);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, buffer, sizeof(buffer)), 4);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, buffer, 1), 0);
    rig_close(rig);
}

static void pushes_back(void **state)
{
    struct sim_faults faults;
    struct io_socket a, b;
    struct rig *rig;
    char buffer[64];

    sim_faults_calm(&faults);
    faults.window = (struct sim_range){ 100, 100 };
    rig = rig_open(11, &faults);
    rig_connect(rig, &a, &b);
    assert_int_equal(rig_write_many(&rig->a, a, 150), 100);
    assert_int_equal(rig_write_many(&rig->a, a, 50), -EAGAIN);
    rig_wait(rig, 10);
    assert_int_equal(rig_write_many(&rig->a, a, 50), -EAGAIN); /* arrived is not read */
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, buffer, 30), 30);
    assert_int_equal(rig_write_many(&rig->a, a, 50), 30);
    assert_int_equal(rig->world->fault_counts[SIM_FAULT_FULL], 2);
    rig_close(rig);
}

static void keeps_the_order_of_a_stream(void **state)
{
    struct sim_faults faults;
    struct io_socket a, b;
    struct rig *rig;
    unsigned char out = 0, in = 0;

    sim_faults_calm(&faults);
    faults.latency_ns.high = 20 * NS_PER_MS;
    faults.split_chance = 0.7;
    faults.delay_chance = 0.1;
    faults.delay_ns = (struct sim_range){ NS_PER_MS, NS_PER_S };
    faults.short_read_chance = faults.short_write_chance = 0.5;
    faults.window = (struct sim_range){ 777, 777 };
    rig = rig_open(12, &faults);
    rig_connect(rig, &a, &b);
    for (unsigned turn = 0; turn < 2000; turn++) {
        unsigned char data[64], got[64];
        struct iovec parts[2] = { { data, 13 }, { data + 13, 51 } };
        ssize_t n;

        for (unsigned i = 0; i < sizeof(data); i++)
            data[i] = (unsigned char)(out + i);
        n = OPS(rig->a)->try_write(rig->a.io, a, parts, 2);
        out = (unsigned char)(out + (n > 0 ? n : 0));
        rig_wait(rig, 3);
        n = OPS(rig->b)->try_read(rig->b.io, b, got, sizeof(got));
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(got[i], in++);
    }
    rig_wait(rig, 10000);
    for (ssize_t n; (n = OPS(rig->b)->try_read(rig->b.io, b, &(unsigned char){ 0 }, 1)) > 0;)
        in++;
    assert_int_equal(in, out);
    assert_true(rig->world->fault_counts[SIM_FAULT_SPLIT] > 100);
    assert_true(rig->world->fault_counts[SIM_FAULT_DELAY] > 10);
    assert_true(rig->world->fault_counts[SIM_FAULT_SHORT_READ] > 100);
    assert_true(rig->world->fault_counts[SIM_FAULT_SHORT_WRITE] > 100);
    rig_close(rig);
}

/* --- ends of connections --------------------------------------------------------------------------------------- */

enum how { CLOSE, CLOSE_UNREAD, RESET, KILL, KILL_UNREAD, POWER, POWER_AND_BACK };

static void end_b(struct rig *rig, struct io_socket b, enum how how)
{
    switch (how) {
    case CLOSE:
    case CLOSE_UNREAD: OPS(rig->b)->close(rig->b.io, b); break;
    case RESET: OPS(rig->b)->reset(rig->b.io, b); break;
    case KILL:
    case KILL_UNREAD: sim_process_kill(rig->b.process, SIM_KILL); break;
    case POWER: sim_node_power(rig->b.node, false); break;
    case POWER_AND_BACK:
        sim_node_power(rig->b.node, false);
        sim_node_power(rig->b.node, true);
        break;
    }
}

/* What a sees when b's side ends: first of a read, then of writes a while apart, then of a read again. */
static void ends_in_every_way(void **state)
{
    static const struct {
        const char *name;
        enum how how;
        ssize_t read, write, write_later, read_later;
    } ROWS[] = {
        { "close", CLOSE, 0, 1, -ECONNRESET, 0 },
        { "close, unread bytes", CLOSE_UNREAD, -ECONNRESET, -EPIPE, -EPIPE, 0 },
        { "reset", RESET, -ECONNRESET, -EPIPE, -EPIPE, 0 },
        { "kill", KILL, 0, 1, -ECONNRESET, 0 },
        { "kill, unread bytes", KILL_UNREAD, -ECONNRESET, -EPIPE, -EPIPE, 0 },
        { "power", POWER, -EAGAIN, 1, 1, -EAGAIN },
        { "power, and back", POWER_AND_BACK, -EAGAIN, 1, -ECONNRESET, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig *rig = rig_open(20, NULL);
        struct io_socket a, b;
        char byte;

        print_message("  %s\n", ROWS[i].name);
        rig_connect(rig, &a, &b);
        if (ROWS[i].how == CLOSE_UNREAD || ROWS[i].how == KILL_UNREAD)
            assert_int_equal(rig_write(&rig->a, a, "unread"), 6);
        rig_wait(rig, 10);
        end_b(rig, b, ROWS[i].how);
        rig_wait(rig, 10);
        assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), ROWS[i].read);
        assert_int_equal(rig_write(&rig->a, a, "1"), ROWS[i].write);
        rig_wait(rig, 10);
        assert_int_equal(rig_write(&rig->a, a, "2"), ROWS[i].write_later);
        assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), ROWS[i].read_later);
        rig_close(rig);
    }
}

static void delivers_what_was_written_before_closing(void **state)
{
    struct rig *rig = rig_open(21, NULL);
    struct io_socket a, b;
    char buffer[16];

    rig_connect(rig, &a, &b);
    assert_int_equal(rig_write(&rig->b, b, "farewell"), 8);
    OPS(rig->b)->close(rig->b.io, b);
    rig_wait(rig, 10);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, buffer, sizeof(buffer)), 8);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, buffer, sizeof(buffer)), 0);
    rig_close(rig);
}

/* RST may or may not destroy what has arrived: both must be lived with. */
static void resets_over_unread_bytes(void **state)
{
    for (unsigned discard = 0; discard < 2; discard++) {
        struct sim_faults faults;
        struct io_socket a, b;
        struct rig *rig;
        char byte;

        sim_faults_calm(&faults);
        faults.discard_chance = discard;
        rig = rig_open(22, &faults);
        rig_connect(rig, &a, &b);
        assert_int_equal(rig_write(&rig->b, b, "x"), 1);
        rig_wait(rig, 10);
        OPS(rig->b)->reset(rig->b.io, b);
        rig_wait(rig, 10);
        assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), discard ? -ECONNRESET : 1);
        assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), discard ? 0 : -ECONNRESET);
        rig_close(rig);
    }
}

static void gives_up_sending_into_the_void(void **state)
{
    struct rig *rig = rig_open(23, NULL);
    struct io_socket a, b;
    char byte;

    rig_connect(rig, &a, &b);
    world_cut(rig->world, 0, 1, true);
    assert_int_equal(rig_write(&rig->a, a, "lost"), 4);
    rig_wait(rig, 110 * 1000);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), -EAGAIN);
    rig_wait(rig, 20 * 1000);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), -ETIMEDOUT);
    assert_int_equal(rig_write(&rig->a, a, "x"), -EPIPE);
    rig_close(rig);
}

/* --- wakes: io.h (2), (3), (4), (6) ------------------------------------------------------------------------------ */

static void wakes_when_bytes_come(void **state)
{
    struct rig *rig = rig_open(30, NULL);
    struct io_socket a, b;
    struct rig_wake wake;
    char byte;

    rig_connect(rig, &a, &b);
    rig_wake_init(&wake, &rig->b, b);
    assert_int_equal(OPS(rig->b)->arm(rig->b.io, &wake.wake, IO_READ), 0);
    rig_wait(rig, 10);
    assert_int_equal(wake.runs, 0);
    assert_int_equal(rig_write(&rig->a, a, "xy"), 2);
    rig_wait(rig, 10);
    assert_int_equal(wake.runs, 1);
    assert_int_equal(wake.last, IO_READ);
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, &byte, 1), 1);
    rig_wait(rig, 10);
    assert_int_equal(wake.runs, 1);                                        /* one-shot */
    assert_int_equal(OPS(rig->b)->arm(rig->b.io, &wake.wake, IO_READ), 0); /* it is ready: */
    assert_int_equal(wake.runs, 1);                                        /* never inside arm() */
    rig_wait(rig, 10);
    assert_int_equal(wake.runs, 2);
    rig_close(rig);
}

static void wakes_when_there_is_room(void **state)
{
    struct sim_faults faults;
    struct io_socket a, b;
    struct rig_wake wake;
    struct rig *rig;
    char buffer[50];

    sim_faults_calm(&faults);
    faults.window = (struct sim_range){ 100, 100 };
    rig = rig_open(31, &faults);
    rig_connect(rig, &a, &b);
    assert_int_equal(rig_write_many(&rig->a, a, 100), 100);
    rig_wake_init(&wake, &rig->a, a);
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &wake.wake, IO_WRITE), 0);
    rig_wait(rig, 100);
    assert_int_equal(wake.runs, 0);
    assert_int_equal(OPS(rig->b)->try_read(rig->b.io, b, buffer, 50), 50);
    rig_wait(rig, 100);
    assert_int_equal(wake.runs, 1);
    rig_close(rig);
}

static void wakes_for_each_event(void **state)
{
    static const struct {
        enum how how;
        unsigned events, last; /* armed; run for. 0: not at all */
    } ROWS[] = {
        { CLOSE, IO_READ, IO_READ },
        { CLOSE, IO_HANGUP, IO_HANGUP },
        { CLOSE, IO_READ | IO_HANGUP, IO_READ | IO_HANGUP },
        { RESET, IO_READ, IO_READ },
        { RESET, IO_HANGUP, IO_HANGUP },
        { POWER, IO_READ | IO_HANGUP, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct rig *rig = rig_open(32, NULL);
        struct io_socket a, b;
        struct rig_wake wake;

        rig_connect(rig, &a, &b);
        rig_wake_init(&wake, &rig->a, a);
        assert_int_equal(OPS(rig->a)->arm(rig->a.io, &wake.wake, ROWS[i].events), 0);
        end_b(rig, b, ROWS[i].how);
        rig_wait(rig, 1000);
        assert_int_equal(wake.last, ROWS[i].last);
        assert_int_equal(wake.runs, ROWS[i].last != 0);
        rig_close(rig);
    }
}

/* Three wakes of one socket; the first closes it: the others must not run. */
static void close_in_wake(struct rig_wake *wake)
{
    wake->io->ops->close(wake->io, wake->wake.socket);
}

static void closing_disarms(void **state)
{
    struct rig *rig = rig_open(33, NULL);
    struct rig_wake first, second, third;
    struct io_socket a, b;

    rig_connect(rig, &a, &b);
    rig_wake_init(&first, &rig->a, a);
    rig_wake_init(&second, &rig->a, a);
    rig_wake_init(&third, &rig->a, a);
    first.also = close_in_wake;
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &first.wake, IO_READ), 0);
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &second.wake, IO_HANGUP), 0);
    OPS(rig->b)->reset(rig->b.io, b);
    rig_wait(rig, 10);
    assert_int_equal(first.runs, 1);
    assert_int_equal(second.runs, 0);
    assert_int_equal(second.wake.events, 0);
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &third.wake, IO_READ), -EBADF);
    rig_close(rig);
}

static void disarmed_wakes_stay_quiet(void **state)
{
    struct rig *rig = rig_open(34, NULL);
    struct io_socket a, b;
    struct rig_wake wake;

    rig_connect(rig, &a, &b);
    rig_wake_init(&wake, &rig->a, a);
    OPS(rig->a)->disarm(rig->a.io, &wake.wake); /* does nothing */
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &wake.wake, IO_WRITE), 0);
    OPS(rig->a)->disarm(rig->a.io, &wake.wake);
    rig_wait(rig, 10);
    assert_int_equal(wake.runs, 0);
    rig_close(rig);
}

static void arm_again(struct rig_wake *wake)
{
    assert_int_equal(wake->io->ops->arm(wake->io, &wake->wake, IO_WRITE), 0);
}

static void waking_again_waits_for_the_next_poll(void **state)
{
    struct rig *rig = rig_open(35, NULL);
    struct io_socket a, b;
    struct rig_wake wake;
    uint64_t turns;

    rig_connect(rig, &a, &b);
    rig_wake_init(&wake, &rig->a, a);
    wake.also = arm_again;
    turns = rig->a.loop->turns;
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &wake.wake, IO_WRITE), 0);
    rig_wait(rig, 1);
    assert_true(wake.runs > 10);
    assert_int_equal(wake.runs, rig->a.loop->turns - turns); /* once a turn, and time moves on */
    rig_close(rig);
}

static void wakes_for_nothing(void **state)
{
    struct sim_faults faults;
    struct io_socket a, b;
    struct rig_wake read, hangup;
    struct rig *rig;
    char byte;

    sim_faults_calm(&faults);
    faults.spurious_chance = 1;
    rig = rig_open(36, &faults);
    rig_connect(rig, &a, &b);
    rig_wake_init(&read, &rig->a, a);
    rig_wake_init(&hangup, &rig->a, a);
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &read.wake, IO_READ), 0);
    assert_int_equal(OPS(rig->a)->arm(rig->a.io, &hangup.wake, IO_HANGUP), 0);
    rig_wait(rig, 10);
    assert_int_equal(read.runs, 1);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), -EAGAIN);
    assert_int_equal(hangup.runs, 0); /* a hang-up is believed at once: it is never pretended */
    assert_int_equal(rig->world->fault_counts[SIM_FAULT_SPURIOUS], 1);
    rig_close(rig);
}

/* --- misuse is caught ------------------------------------------------------------------------------------------------
 */

static void closed_sockets_are_known(void **state)
{
    struct rig *rig = rig_open(40, NULL);
    struct io_socket a, b, next;
    struct address address;
    char byte;

    rig_connect(rig, &a, &b);
    OPS(rig->a)->close(rig->a.io, a);
    address = sim_address(rig->b.node, RIG_PORT);
    assert_int_equal(OPS(rig->a)->try_connect(rig->a.io, &address, &next), 0);
    assert_int_equal(next.slot, a.slot); /* the slot is used again, the handle is not */
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, a, &byte, 1), -EBADF);
    assert_int_equal(rig_write(&rig->a, a, "x"), -EBADF);
    assert_int_equal(OPS(rig->a)->shut_write(rig->a.io, a), -EBADF);
    assert_int_equal(OPS(rig->a)->connect_result(rig->a.io, a), -EBADF);
    assert_int_equal(OPS(rig->a)->local_address(rig->a.io, a, &address), -EBADF);
    assert_int_equal(OPS(rig->a)->try_accept(rig->a.io, a, &next, NULL), -EBADF);
    assert_int_equal(OPS(rig->a)->try_read(rig->a.io, IO_SOCKET_NONE, &byte, 1), -EBADF);
    assert_int_equal(OPS(rig->a)->try_accept(rig->a.io, next, &a, NULL), -EINVAL); /* not a listener */
    rig_close(rig);
}

static void close_twice(void *context)
{
    struct rig *rig = context;

    OPS(rig->b)->close(rig->b.io, rig->listener);
    OPS(rig->b)->close(rig->b.io, rig->listener);
}

static void arm_twice(void *context)
{
    struct rig *rig = context;
    struct rig_wake first, second;

    rig_wake_init(&first, &rig->b, rig->listener);
    rig_wake_init(&second, &rig->b, rig->listener);
    if (OPS(rig->b)->arm(rig->b.io, &first.wake, IO_READ) == 0)
        (void)!OPS(rig->b)->arm(rig->b.io, &second.wake, IO_READ);
}

static void wait_in_wake(struct rig_wake *wake)
{
    (void)!fiber_sleep(1);
}

static void sleep_on_the_loop(void *context)
{
    struct rig *rig = context;
    struct address to = sim_address(rig->b.node, RIG_PORT);
    struct rig_wake wake;
    struct io_socket socket;

    rig_wake_init(&wake, &rig->b, rig->listener);
    wake.also = wait_in_wake;
    if (OPS(rig->b)->arm(rig->b.io, &wake.wake, IO_READ) == 0 && OPS(rig->a)->try_connect(rig->a.io, &to, &socket) == 0)
        rig_wait(rig, 10);
}

static void misuse_ends_the_program(void **state)
{
    struct rig *rig = rig_open(41, NULL);

    rig_listen(rig, 1);
    faults_dies(close_twice, rig, "found != NULL");
    faults_dies(arm_twice, rig, "(armed(socket) & events) == 0");
    faults_dies(sleep_on_the_loop, rig, "fiber != NULL");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listens_where_it_may),
        cmocka_unit_test(connects_to_who_listens),
        cmocka_unit_test(tells_once_why_it_was_refused),
        cmocka_unit_test(asks_again_when_the_queue_is_full),
        cmocka_unit_test(gives_up_asking),
        cmocka_unit_test(spreads_over_shared_listeners),
        cmocka_unit_test(runs_out_of_sockets),
        cmocka_unit_test(carries_bytes_then_the_end),
        cmocka_unit_test(pushes_back),
        cmocka_unit_test(keeps_the_order_of_a_stream),
        cmocka_unit_test(ends_in_every_way),
        cmocka_unit_test(delivers_what_was_written_before_closing),
        cmocka_unit_test(resets_over_unread_bytes),
        cmocka_unit_test(gives_up_sending_into_the_void),
        cmocka_unit_test(wakes_when_bytes_come),
        cmocka_unit_test(wakes_when_there_is_room),
        cmocka_unit_test(wakes_for_each_event),
        cmocka_unit_test(closing_disarms),
        cmocka_unit_test(disarmed_wakes_stay_quiet),
        cmocka_unit_test(waking_again_waits_for_the_next_poll),
        cmocka_unit_test(wakes_for_nothing),
        cmocka_unit_test(closed_sockets_are_known),
        cmocka_unit_test(misuse_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
