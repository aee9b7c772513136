#include "linux_help.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static void test_clocks(void **state)
{
    struct io *io = help_open();
    unsigned char a[48] = { 0 }, b[48] = { 0 };
    int64_t first = io->ops->now_ns(io), wall = io->ops->wall_ns(io);

    usleep(2000);
    assert_true(io->ops->now_ns(io) >= first + 2 * NS_PER_MS);
    assert_true(wall > INT64_C(1700000000) * NS_PER_S); /* after 2023 */
    assert_true(io->ops->wall_ns(io) > wall);
    io->ops->entropy(io, a, sizeof(a));
    io->ops->entropy(io, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_string_equal(io->ops->name, "linux");
    io_linux_close(io);
}

static void check_never_early(struct io *io)
{
    for (int64_t us = 0; us < 5000; us += 700) {
        int64_t until = help_now(io) + us * NS_PER_US;

        assert_int_equal(io->ops->poll(io, until), 0);
        assert_true(help_now(io) >= until);
        assert_true(help_now(io) < until + WAIT_NS);
    }
    assert_int_equal(io->ops->poll(io, 0), 0); /* long past */
}

static void test_poll_never_ends_early(void **state)
{
    struct io *io = help_open();

    check_never_early(io);
    io_linux(io)->wait_in_ms = true; /* as before Linux 5.11 */
    check_never_early(io);
    io_linux_close(io);
}

static void on_alarm(int number)
{
}

static void test_poll_and_signals(void **state)
{
    const struct itimerval soon = { .it_value.tv_usec = 20000 };
    struct sigaction action = { .sa_handler = on_alarm }, before;
    struct io *io = help_open();
    int64_t start = help_now(io);

    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    assert_int_equal(io->ops->poll(io, start + WAIT_NS), 0);
    assert_true(help_now(io) < start + WAIT_NS);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    io_linux_close(io);
}

/* --- arming --------------------------------------------------------------------------------------------------- */

static void test_arm_when_ready(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch watch;
    int64_t start = help_now(io);

    link_open(io, &link);
    watch_init(&watch, link.client);
    watch_arm(io, &watch, IO_WRITE);
    assert_int_equal(watch.count, 0); /* never inside arm() */
    assert_int_equal(io->ops->poll(io, TIME_NEVER), 1);
    assert_int_equal(watch.count, 1);
    assert_int_equal(watch.events, IO_WRITE);
    assert_int_equal(io->ops->poll(io, 0), 0); /* one-shot */
    assert_int_equal(watch.count, 1);
    assert_true(help_now(io) < start + WAIT_NS);
    link_close(io, &link);
    io_linux_close(io);
}

static void test_disarm_when_due(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch watch;

    link_open(io, &link);
    watch_init(&watch, link.client);
    watch_arm(io, &watch, IO_WRITE);
    io->ops->disarm(io, &watch.wake);
    assert_int_equal(watch.wake.events, 0);
    assert_int_equal(io_linux(io)->due_count, 0); /* so that poll() waits */
    io->ops->disarm(io, &watch.wake);
    poll_quietly(io);
    assert_int_equal(watch.count, 0);
    watch_arm(io, &watch, IO_WRITE);
    watch_wait(io, &watch, 1);
    link_close(io, &link);
    io_linux_close(io);
}

static void test_close_disarms(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch due, armed;

    link_open(io, &link);
    watch_init(&due, link.client);
    watch_arm(io, &due, IO_WRITE);
    watch_init(&armed, link.client);
    watch_arm(io, &armed, IO_READ | IO_HANGUP);
    io->ops->close(io, link.client);
    assert_int_equal(due.wake.events, 0);
    assert_int_equal(armed.wake.events, 0);
    io->ops->disarm(io, &armed.wake); /* does nothing */
    poll_quietly(io);
    assert_int_equal(due.count + armed.count, 0);
    link_close(io, &link);
    io_linux_close(io);
}

/* Due slots leave the queue from its beginning, its middle and its end. */
static void test_due_queue_order(void **state)
{
    struct io *io = help_open();
    struct link links[3];
    struct watch watches[3];

    for (unsigned out = 0; out < 3; out++) {
        for (unsigned i = 0; i < 3; i++) {
            link_open(io, &links[i]);
            watch_init(&watches[i], links[i].client);
        }
        for (unsigned i = 0; i < 3; i++)
            watch_arm(io, &watches[i], IO_WRITE);
        io->ops->disarm(io, &watches[out].wake);
        assert_int_equal(io->ops->poll(io, 0), 2);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(watches[i].count, i != out);
            link_close(io, &links[i]);
        }
    }
    assert_int_equal(io_linux(io)->slots_used, 0);
    io_linux_close(io);
}

static void test_one_wake_for_several_events(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch watch;
    char memory[8];

    link_open(io, &link);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), -EAGAIN);
    watch_init(&watch, link.server);
    watch_arm(io, &watch, IO_READ | IO_WRITE | IO_HANGUP);
    watch_wait(io, &watch, 1);
    assert_int_equal(watch.events, IO_WRITE);
    watch_arm(io, &watch, IO_READ | IO_HANGUP); /* all were disarmed: READ can be armed again */
    assert_int_equal(help_write(io, link.client, BYTES("x")), 1);
    watch_wait(io, &watch, 2);
    assert_int_equal(watch.events, IO_READ);
    link_close(io, &link);
    io_linux_close(io);
}

static void test_hangup(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct watch read, hangup, write;
    char memory[8];

    link_open(io, &link);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), -EAGAIN);
    watch_init(&read, link.server);
    watch_init(&hangup, link.server);
    watch_init(&write, link.server);
    watch_arm(io, &hangup, IO_HANGUP);
    assert_int_equal(help_write(io, link.client, BYTES("bytes")), 5);
    poll_quietly(io);
    assert_int_equal(hangup.count, 0); /* bytes are no hang-up */
    assert_int_equal(io->ops->shut_write(io, link.client), 0);
    watch_wait(io, &hangup, 1);
    assert_int_equal(hangup.events, IO_HANGUP);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 5); /* they still wait */
    watch_arm(io, &read, IO_READ);
    watch_arm(io, &hangup, IO_HANGUP); /* it stays hung up */
    watch_wait(io, &hangup, 2);
    assert_int_equal(read.count, 1);
    assert_int_equal(io->ops->try_read(io, link.server, memory, sizeof(memory)), 0);
    watch_arm(io, &read, IO_READ);
    watch_wait(io, &read, 2); /* the end can be read again and again */
    link_close(io, &link);
    io_linux_close(io);
}

/* --- wakes that act ------------------------------------------------------------------------------------------- */

struct actor {
    struct wake wake;
    struct io *io;
    struct wake *victim;
    struct io_socket socket; /* to close */
    struct io_socket fresh;
    struct watch *heir; /* armed on the fresh one */
    unsigned count;
};

static void act_again(struct wake *wake, unsigned events)
{
    struct actor *actor = container_of(wake, struct actor, wake);

    actor->count++;
    assert_int_equal(actor->io->ops->arm(actor->io, wake, IO_WRITE), 0);
}

static void test_eager_wake_starves_nobody(void **state)
{
    struct io *io = help_open();
    struct link link;
    struct actor actor = { .io = io };

    link_open(io, &link);
    actor.wake = (struct wake){ .socket = link.client, .run = act_again };
    assert_int_equal(io->ops->arm(io, &actor.wake, IO_WRITE), 0);
    for (unsigned i = 1; i <= 5; i++) {
        assert_int_equal(io->ops->poll(io, TIME_NEVER), 1);
        assert_int_equal(actor.count, i); /* once a poll() */
    }
    link_close(io, &link);
    io_linux_close(io);
}

static void act_disarm(struct wake *wake, unsigned events)
{
    struct actor *actor = container_of(wake, struct actor, wake);

    actor->count++;
    actor->io->ops->disarm(actor->io, actor->victim);
}

static void test_disarm_from_a_wake(void **state)
{
    struct io *io = help_open();
    struct link link, other;
    struct actor actor = { .io = io };
    struct watch same, elsewhere;

    link_open(io, &link);
    link_open(io, &other);
    watch_init(&same, link.client);
    watch_init(&elsewhere, other.client);
    actor.wake = (struct wake){ .socket = link.client, .run = act_disarm };

    actor.victim = &elsewhere.wake; /* in another slot that is due in the same turn */
    assert_int_equal(io->ops->arm(io, &actor.wake, IO_WRITE), 0);
    watch_arm(io, &elsewhere, IO_WRITE);
    assert_int_equal(io->ops->poll(io, 0), 1);
    assert_int_equal(elsewhere.count, 0);

    actor.victim = &same.wake; /* in the very same slot, and due as well */
    io->ops->close(io, link.server);
    poll_quietly(io);
    assert_int_equal(io->ops->arm(io, &actor.wake, IO_READ), 0);
    watch_arm(io, &same, IO_HANGUP);
    assert_int_equal(io->ops->poll(io, 0), 1);
    assert_int_equal(actor.count, 2);
    assert_int_equal(same.count, 0);
    link_close(io, &link);
    link_close(io, &other);
    io_linux_close(io);
}

static void act_close(struct wake *wake, unsigned events)
{
    struct actor *actor = container_of(wake, struct actor, wake);
    struct address any = help_loopback();

    actor->count++;
    actor->io->ops->close(actor->io, actor->socket);
    assert_int_equal(actor->io->ops->listen(actor->io, &any, 8, false, &actor->fresh), 0);
    assert_int_equal(actor->fresh.slot, actor->socket.slot); /* the slot is used again at once */
    assert_int_equal(actor->io->ops->arm(actor->io, actor->victim, IO_HANGUP), -EBADF);
    watch_init(actor->heir, actor->fresh);
    watch_arm(actor->io, actor->heir, IO_HANGUP);
}

/* Closing another socket, or one's own, whose wakes are due in the same turn. */
static void test_close_from_a_wake(void **state)
{
    struct io *io = help_open();
    struct link link, other;
    struct watch victim, heir;
    struct actor actor = { .io = io, .heir = &heir };

    link_open(io, &link);
    link_open(io, &other);
    actor.wake = (struct wake){ .socket = link.client, .run = act_close };
    actor.socket = other.client;
    actor.victim = &victim.wake;
    watch_init(&victim, other.client);
    assert_int_equal(io->ops->arm(io, &actor.wake, IO_WRITE), 0);
    watch_arm(io, &victim, IO_WRITE);
    assert_int_equal(io->ops->poll(io, 0), 1);
    assert_int_equal(victim.count, 0);
    assert_int_equal(heir.count, 0);

    actor.socket = link.client;
    watch_init(&victim, link.client);
    io->ops->close(io, link.server);
    poll_quietly(io);
    assert_int_equal(io->ops->arm(io, &actor.wake, IO_READ), 0);
    watch_arm(io, &victim, IO_HANGUP);
    assert_int_equal(io->ops->poll(io, 0), 1);
    assert_int_equal(actor.count, 2);
    assert_int_equal(victim.count, 0);
    assert_int_equal(heir.count, 0); /* the hang-up was that of the socket before */
    io_linux_close(io);
}

/* The kernel still tells of a description that somebody else holds; its slot has another user by then. */
static void test_stale_event(void **state)
{
    struct io *io = help_open();
    struct io_socket old, fresh;
    struct watch watch;
    int ends[2], held;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(slot_open(io_linux(io), ends[0], SLOT_STREAM, 0, 0, &old), 0);
    held = dup(ends[0]);
    assert_true(held >= 0);
    io->ops->close(io, old); /* not marked as shared, so it stays registered */
    assert_int_equal(io->ops->pair(io, &fresh, &(int){ 0 }), 0);
    assert_int_equal(fresh.slot, old.slot);
    assert_int_equal(io->ops->try_receive(io, fresh, ends, sizeof(ends), ends, &(unsigned){ 0 }), -EAGAIN);
    watch_init(&watch, fresh);
    watch_arm(io, &watch, IO_READ);
    assert_int_equal(write(ends[1], "x", 1), 1);
    poll_quietly(io);
    assert_int_equal(watch.count, 0);
    close(held);
    close(ends[1]);
    io_linux_close(io);
}

static void test_generation_wraps(void **state)
{
    struct io *io = help_open();
    struct slot *slot;

    assert_int_equal(slot_take(io_linux(io), &slot), 0);
    slot->generation = UINT32_MAX;
    slot_give(io_linux(io), slot);
    assert_int_equal(slot->generation, 1); /* never 0: that is no socket */
    io_linux_close(io);
}

/* --- many at once --------------------------------------------------------------------------------------------- */

#define PAIRS (POLL_EVENTS_MAX + 44)

static void test_more_events_than_a_turn_takes(void **state)
{
    static struct watch watches[PAIRS];
    struct io *io = help_open();
    int theirs[PAIRS];
    char c;
    unsigned ran;

    for (unsigned i = 0; i < PAIRS; i++) {
        struct io_socket ours;
        unsigned count;

        assert_int_equal(io->ops->pair(io, &ours, &theirs[i]), 0);
        assert_int_equal(io->ops->try_receive(io, ours, &c, 1, &(int){ 0 }, &count), -EAGAIN);
        watch_init(&watches[i], ours);
    }
    while (io->ops->poll(io, 0) > 0 || io_linux(io)->due_count > 0)
        ;
    poll_quietly(io); /* takes the first edges: all of them are writable */
    for (unsigned i = 0; i < PAIRS; i++) {
        watch_arm(io, &watches[i], IO_READ);
        assert_int_equal(write(theirs[i], "x", 1), 1);
    }
    ran = (unsigned)io->ops->poll(io, 0);
    assert_int_equal(ran, POLL_EVENTS_MAX);
    ran += (unsigned)io->ops->poll(io, 0);
    assert_int_equal(ran, PAIRS);
    for (unsigned i = 0; i < PAIRS; i++) {
        assert_int_equal(watches[i].count, 1);
        close(theirs[i]);
    }
    io_linux_close(io);
}

/* --- from other threads --------------------------------------------------------------------------------------- */

#define NOTES 20000

struct notes {
    struct io *io;
    atomic_uint posted;
};

static void *post_notes(void *context)
{
    struct notes *notes = context;

    for (unsigned i = 0; i < NOTES; i++) {
        (void)atomic_fetch_add(&notes->posted, 1);
        notes->io->ops->notify(notes->io);
    }
    return NULL;
}

/* Who announces what he did with notify() is heard, however the two threads meet. */
static void test_notify(void **state)
{
    struct notes notes = { .io = help_open() };
    struct io *io = notes.io;
    pthread_t threads[2];
    int64_t start = help_now(io);
    unsigned seen;

    io->ops->notify(io);
    io->ops->notify(io);
    assert_int_equal(io->ops->poll(io, TIME_NEVER), 0); /* the one before poll() counts */
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_notes, &notes), 0);
    while ((seen = atomic_load(&notes.posted)) < 2 * NOTES) {
        int64_t before = help_now(io);

        assert_int_equal(io->ops->poll(io, before + WAIT_NS), 0);
        assert_true(help_now(io) < before + WAIT_NS);
    }
    assert_int_equal(seen, 2 * NOTES);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(help_now(io) < start + 4 * WAIT_NS);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_poll_never_ends_early),
        cmocka_unit_test(test_poll_and_signals),
        cmocka_unit_test(test_arm_when_ready),
        cmocka_unit_test(test_disarm_when_due),
        cmocka_unit_test(test_close_disarms),
        cmocka_unit_test(test_due_queue_order),
        cmocka_unit_test(test_one_wake_for_several_events),
        cmocka_unit_test(test_hangup),
        cmocka_unit_test(test_eager_wake_starves_nobody),
        cmocka_unit_test(test_disarm_from_a_wake),
        cmocka_unit_test(test_close_from_a_wake),
        cmocka_unit_test(test_stale_event),
        cmocka_unit_test(test_generation_wraps),
        cmocka_unit_test(test_more_events_than_a_turn_takes),
        cmocka_unit_test(test_notify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
