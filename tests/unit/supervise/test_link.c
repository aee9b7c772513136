#include "supervise/link.h"

#include "io/linux/linux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT_NS (5 * NS_PER_S)

/* Both ends in one process: the supervisor's and the serving process's. */
struct both {
    struct io *io;
    struct loop loop;
    struct end {
        struct link link;
        struct both *both;
        unsigned received, odd, ended;
        int last_error, last_descriptor;
        uint64_t last_id, sum;
        bool close_on_receive;
    } supervisor, serving;
    struct io_socket raw; /* instead of the supervisor's link, where a test sends what no link would */
};

static void received(struct link *link, const struct message *message, int descriptor)
{
    struct end *end = container_of(link, struct end, link);

    end->received++;
    end->last_id = message->id;
    end->sum += message->id;
    end->last_descriptor = descriptor;
    if (descriptor >= 0)
        end->both->io->ops->descriptor_close(end->both->io, descriptor);
    if (end->close_on_receive)
        link_close(link);
}

static void odd(struct link *link, int error)
{
    struct end *end = container_of(link, struct end, link);

    end->odd++;
    end->last_error = error;
}

static void ended(struct link *link)
{
    container_of(link, struct end, link)->ended++;
}

static const struct link_ops OPS = { .received = received, .odd = odd, .ended = ended };

static void open_both(struct both *both, bool raw)
{
    struct io_socket ours, theirs;
    int descriptor;

    *both = (struct both){ .io = NULL };
    both->supervisor.both = both->serving.both = both;
    assert_int_equal(io_linux_open(&both->io), 0);
    assert_int_equal(loop_init(&both->loop, both->io, NULL), 0);
    assert_int_equal(both->io->ops->pair(both->io, &ours, &descriptor), 0);
    assert_int_equal(both->io->ops->adopt(both->io, descriptor, &theirs), 0);
    assert_int_equal(link_open(&both->serving.link, &both->loop, theirs, MESSAGE_BY_SUPERVISOR, &OPS), 0);
    both->raw = ours;
    if (!raw)
        assert_int_equal(link_open(&both->supervisor.link, &both->loop, ours, MESSAGE_BY_SERVING, &OPS), 0);
}

static void close_both(struct both *both)
{
    link_close(&both->supervisor.link);
    link_close(&both->serving.link);
    loop_done(&both->loop);
    io_linux_close(both->io);
}

/* Turns until the counter has that value. */
static void turn_until(struct both *both, const unsigned *counter, unsigned value)
{
    int64_t end_ns = loop_clock(&both->loop) + LIMIT_NS;

    while (*counter < value) {
        (void)loop_turn(&both->loop, loop_clock(&both->loop) + NS_PER_MS);
        assert_true(loop_clock(&both->loop) < end_ns);
    }
    assert_int_equal(*counter, value);
}

static void messages_arrive_in_order(void **state)
{
    const struct message listener = {
        .type = MESSAGE_LISTENER, .id = 3, .name = BYTES("web"), .scheme = BYTES("http")
    };
    struct io_socket socket;
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } };
    struct both both;

    open_both(&both, false);
    for (uint64_t id = 1; id <= 2; id++) {
        const struct message message = { .type = MESSAGE_UNLISTEN, .id = id };

        assert_int_equal(link_send(&both.supervisor.link, &message, -1), 0);
    }
    assert_int_equal(both.io->ops->listen(both.io, &address, 1, false, &socket), 0);
    assert_int_equal(link_send(&both.supervisor.link, &listener, both.io->ops->descriptor_of(both.io, socket)), 0);
    turn_until(&both, &both.serving.received, 3);
    assert_int_equal(both.serving.last_id, 3);
    assert_true(both.serving.last_descriptor >= 0);
    close_both(&both);
}

/* The queue is as long as its name says, and everything comes out of it. */
static void the_queue_has_a_bound(void **state)
{
    struct message message = { .type = MESSAGE_UNLISTEN };
    uint64_t sent = 0, sum = 0;
    struct both both;
    int r = 0;

    open_both(&both, false);
    while (both.supervisor.link.queued == 0) {
        message.id = ++sent;
        assert_int_equal(link_send(&both.supervisor.link, &message, -1), 0);
    }
    while (r == 0) {
        message.id = ++sent;
        r = link_send(&both.supervisor.link, &message, -1);
    }
    assert_int_equal(r, -EAGAIN);
    assert_int_equal(both.supervisor.link.queued, LINK_QUEUE_MAX);
    assert_false(link_idle(&both.supervisor.link));
    sent--;
    for (uint64_t id = 1; id <= sent; id++)
        sum += id;
    turn_until(&both, &both.serving.received, (unsigned)sent);
    assert_true(both.serving.sum == sum && both.serving.last_id == sent);
    assert_true(link_idle(&both.supervisor.link));
    close_both(&both);
}

/* (A turn takes LINK_MESSAGES_A_TURN messages: others get theirs.) */
static void a_turn_takes_only_so_many(void **state)
{
    const struct message message = { .type = MESSAGE_UNLISTEN, .id = 1 };
    struct both both;

    open_both(&both, false);
    for (unsigned i = 0; i < LINK_MESSAGES_A_TURN + 1; i++)
        assert_int_equal(link_send(&both.supervisor.link, &message, -1), 0);
    (void)loop_turn(&both.loop, loop_clock(&both.loop) + NS_PER_MS);
    assert_int_equal(both.serving.received, LINK_MESSAGES_A_TURN);
    turn_until(&both, &both.serving.received, LINK_MESSAGES_A_TURN + 1);
    close_both(&both);
}

static void too_long_messages_are_not_sent(void **state)
{
    static char payload[IO_MESSAGE_MAX];
    struct message message = { .type = MESSAGE_RESULT, .payload = bytes_of(payload, sizeof(payload)) };
    struct both both;

    open_both(&both, false);
    assert_int_equal(link_send(&both.supervisor.link, &message, -1), -EMSGSIZE);
    message.payload.len = TEXT_PART_MAX;
    assert_int_equal(link_send(&both.supervisor.link, &message, -1), 0);
    turn_until(&both, &both.serving.received, 1);
    close_both(&both);
}

static void what_is_odd_is_dropped(void **state)
{
    static const struct {
        const char *text;
        bool with_descriptor;
        int error;
    } ROWS[] = {
        { "nonsense", false, -EPROTO },
        { "{\"v\":1,\"type\":\"applied\",\"version\":1}", false, -ENOTSUP }, /* we may not say that */
        { "{\"v\":1,\"type\":\"unlisten\",\"id\":1}", true, -EBADMSG },
        { "{\"v\":1,\"type\":\"listener\",\"id\":1,\"name\":\"\",\"scheme\":\"\",\"address\":\"\",\"worker\":1}", false,
          -EBADMSG },
    };
    const struct bytes good = BYTES("{\"v\":1,\"type\":\"unlisten\",\"id\":9}");
    struct both both;

    open_both(&both, true);
    for (unsigned i = 0; i < ARRAY_LEN(ROWS); i++) {
        int descriptor = both.io->ops->descriptor_of(both.io, both.raw);

        assert_true(both.io->ops->try_send(both.io, both.raw, bytes_of_text(ROWS[i].text), &descriptor,
                                           ROWS[i].with_descriptor) > 0);
        turn_until(&both, &both.serving.odd, i + 1);
        assert_int_equal(both.serving.last_error, ROWS[i].error);
    }
    assert_true(both.io->ops->try_send(both.io, both.raw, good, NULL, 0) > 0);
    turn_until(&both, &both.serving.received, 1);
    assert_int_equal(both.serving.last_id, 9);
    both.io->ops->close(both.io, both.raw);
    turn_until(&both, &both.serving.ended, 1); /* no descriptor of ours was kept open */
    close_both(&both);
}

static void the_end_is_told_once(void **state)
{
    const struct message message = { .type = MESSAGE_UNLISTEN, .id = 1 };
    struct both both;

    open_both(&both, false);
    link_close(&both.supervisor.link);
    link_close(&both.supervisor.link);
    assert_int_equal(link_send(&both.supervisor.link, &message, -1), -EPIPE);
    turn_until(&both, &both.serving.ended, 1);
    for (int i = 0; i < 3; i++)
        (void)loop_turn(&both.loop, loop_clock(&both.loop) + NS_PER_MS);
    assert_int_equal(both.serving.ended, 1);
    assert_int_equal(both.supervisor.ended, 0); /* who closes knows it */
    close_both(&both);
}

static void a_receiver_may_close(void **state)
{
    const struct message message = { .type = MESSAGE_UNLISTEN, .id = 1 };
    struct both both;

    open_both(&both, false);
    both.serving.close_on_receive = true;
    assert_int_equal(link_send(&both.supervisor.link, &message, -1), 0);
    assert_int_equal(link_send(&both.supervisor.link, &message, -1), 0);
    turn_until(&both, &both.supervisor.ended, 1);
    assert_int_equal(both.serving.received, 1);
    close_both(&both);
}

static void forgotten_descriptors_are_not_sent(void **state)
{
    const struct message filler = { .type = MESSAGE_UNLISTEN };
    const struct message listener = { .type = MESSAGE_LISTENER, .id = 1 };
    struct both both;
    int descriptor;
    unsigned sent = 0;

    open_both(&both, false);
    descriptor = both.io->ops->descriptor_of(both.io, both.raw);
    for (; both.supervisor.link.queued == 0; sent++)
        assert_int_equal(link_send(&both.supervisor.link, &filler, -1), 0);
    assert_int_equal(link_send(&both.supervisor.link, &listener, descriptor), 0);
    assert_int_equal(both.supervisor.link.queued, 2);
    link_forget(&both.supervisor.link, descriptor);
    assert_int_equal(both.supervisor.link.queued, 1);
    turn_until(&both, &both.serving.received, sent);
    assert_int_equal(both.serving.sum, 0);
    close_both(&both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_in_order),  cmocka_unit_test(the_queue_has_a_bound),
        cmocka_unit_test(a_turn_takes_only_so_many), cmocka_unit_test(too_long_messages_are_not_sent),
        cmocka_unit_test(what_is_odd_is_dropped),    cmocka_unit_test(the_end_is_told_once),
        cmocka_unit_test(a_receiver_may_close),      cmocka_unit_test(forgotten_descriptors_are_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
