/* Channels: full and empty, the order of waiters, closing, and waiters that leave. */
#include "fiber_help.h"

#include "io/channel.h"

#define MS NS_PER_MS
#define SIZE 3

/* A fiber that sends or receives one number. */
struct party {
    struct task task;
    struct channel *channel;
    uintptr_t number; /* to send, or what it got */
    int64_t limit_ms; /* 0: none */
    struct scope *scope;
    int result;
    bool done;
};

static int send_run(struct task *task)
{
    struct party *party = container_of(task, struct party, task);
    struct scope scope;

    scope_open(&scope, party->limit_ms ? loop_after(loop_current(), party->limit_ms * MS) : TIME_NEVER);
    party->scope = &scope;
    party->result = channel_send(party->channel, (void *)party->number);
    party->done = true;
    return scope_close(&scope);
}

static int receive_run(struct task *task)
{
    struct party *party = container_of(task, struct party, task);
    void *item = NULL;
    struct scope scope;

    scope_open(&scope, party->limit_ms ? loop_after(loop_current(), party->limit_ms * MS) : TIME_NEVER);
    party->scope = &scope;
    party->result = channel_receive(party->channel, &item);
    party->number = (uintptr_t)item;
    party->done = true;
    return scope_close(&scope);
}

static void party_spawn(struct scope *scope, struct party *party, struct channel *channel, uintptr_t number)
{
    *party = (struct party){ .task.run = number ? send_run : receive_run, .channel = channel, .number = number };
    assert_int_equal(scope_spawn(scope, &party->task), 0);
}

static void *item_of(uintptr_t number)
{
    return (void *)number;
}

static void assert_receives(struct channel *channel, uintptr_t number)
{
    void *item = NULL;

    assert_int_equal(channel_receive(channel, &item), 0);
    assert_int_equal((uintptr_t)item, number);
}

static void without_waiting(struct loop *loop, void *context)
{
    void *ring[SIZE];
    struct channel channel;
    uint64_t turns = loop->turns;
    uintptr_t sent = 0, received = 0;

    channel_init(&channel, ring, SIZE);
    for (unsigned fill = 1; fill <= SIZE; fill++)
        for (unsigned round = 0; round < 2 * SIZE; round++) { /* all the way round the ring */
            for (unsigned i = 0; i < fill; i++)
                assert_int_equal(channel_send(&channel, item_of(++sent)), 0);
            assert_int_equal(channel_try_send(&channel, ring), fill == SIZE ? -EAGAIN : 0);
            for (unsigned i = 0; i < fill; i++)
                assert_receives(&channel, ++received);
            if (fill < SIZE)
                assert_receives(&channel, (uintptr_t)ring);
        }
    assert_int_equal(loop->turns, turns);
}

static void test_without_waiting(void **state)
{
    try_sim(NULL, without_waiting, NULL);
}

static void receivers_in_order(struct loop *loop, void *context)
{
    struct party parties[4];
    void *ring[SIZE];
    struct channel channel;
    struct scope scope;

    channel_init(&channel, ring, SIZE);
    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < 4; i++)
        party_spawn(&scope, &parties[i], &channel, 0);
    turns_pass(1);
    for (uintptr_t i = 1; i <= 4; i++)
        assert_int_equal(channel_try_send(&channel, item_of(i)), 0);
    turns_pass(1);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(parties[i].result, 0);
        assert_int_equal(parties[i].number, i + 1);
    }
    assert_int_equal(scope_close(&scope), 0);
}

static void test_receivers_in_order(void **state)
{
    try_sim(NULL, receivers_in_order, NULL);
}

static void senders_in_order(struct loop *loop, void *context)
{
    struct party parties[SIZE + 4];
    void *ring[SIZE];
    struct channel channel;
    struct scope scope;

    channel_init(&channel, ring, SIZE);
    scope_open(&scope, TIME_NEVER);
    for (unsigned i = 0; i < ARRAY_LEN(parties); i++)
        party_spawn(&scope, &parties[i], &channel, i + 1);
    turns_pass(1);
    for (unsigned i = 0; i < ARRAY_LEN(parties); i++)
        assert_int_equal(parties[i].done, i < SIZE);
    assert_int_equal(channel_try_send(&channel, ring), -EAGAIN);
    for (unsigned i = 0; i < ARRAY_LEN(parties); i++) {
        assert_receives(&channel, i + 1);
        turns_pass(1);
        assert_true(i + SIZE >= ARRAY_LEN(parties) || parties[i + SIZE].done);
    }
    assert_int_equal(scope_close(&scope), 0);
}

static void test_senders_in_order(void **state)
{
    try_sim(NULL, senders_in_order, NULL);
}

/* (3): the first of two waiters was woken; somebody who asks before it has run doesn't take its turn. */
static void nobody_overtakes(struct loop *loop, void *context)
{
    struct party receivers[2], senders[4];
    void *ring[1];
    struct channel channel;
    struct scope scope;

    channel_init(&channel, ring, 1);
    scope_open(&scope, TIME_NEVER);
    party_spawn(&scope, &receivers[0], &channel, 0);
    party_spawn(&scope, &receivers[1], &channel, 0);
    turns_pass(1);
    party_spawn(&scope, &senders[0], &channel, 2);
    party_spawn(&scope, &senders[1], &channel, 3);
    assert_int_equal(channel_send(&channel, item_of(1)), 0);
    assert_receives(&channel, 3);
    turns_pass(1);
    assert_int_equal(receivers[0].number, 1);
    assert_int_equal(receivers[1].number, 2);

    assert_int_equal(channel_send(&channel, item_of(1)), 0);
    party_spawn(&scope, &senders[2], &channel, 2);
    party_spawn(&scope, &senders[3], &channel, 3);
    turns_pass(1);
    assert_receives(&channel, 1);
    assert_int_equal(channel_try_send(&channel, item_of(4)), -EAGAIN); /* the room is the first sender's */
    assert_receives(&channel, 2);
    assert_receives(&channel, 3);
    assert_int_equal(channel_try_send(&channel, item_of(4)), 0);
    assert_receives(&channel, 4);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_nobody_overtakes(void **state)
{
    try_sim(NULL, nobody_overtakes, NULL);
}

/* A waiter that has left, or is about to, passes its turn on. */
static void leavers(struct loop *loop, void *context)
{
    for (unsigned gone = 0; gone < 3; gone++) {
        for (unsigned turns = 0; turns < 2; turns++) { /* 0: cancelled, but it has not run yet */
            struct party receivers[3], senders[3];
            uintptr_t next = 1;
            void *ring[1];
            struct channel channel;
            struct scope scope;

            channel_init(&channel, ring, 1);
            scope_open(&scope, TIME_NEVER);
            for (unsigned i = 0; i < 3; i++)
                party_spawn(&scope, &receivers[i], &channel, 0);
            turns_pass(1);
            scope_cancel(receivers[gone].scope);
            turns_pass(turns);
            assert_int_equal(channel_try_send(&channel, item_of(1)), 0);
            assert_int_equal(channel_try_send(&channel, item_of(2)), 0);
            turns_pass(2);
            for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(receivers[i].result, i == gone ? -ECANCELED : 0);
                assert_int_equal(receivers[i].number, i == gone ? 0 : next++);
            }

            assert_int_equal(channel_try_send(&channel, item_of(9)), 0);
            for (unsigned i = 0; i < 3; i++)
                party_spawn(&scope, &senders[i], &channel, i + 1);
            turns_pass(1);
            scope_cancel(senders[gone].scope);
            turns_pass(turns);
            assert_receives(&channel, 9);
            for (unsigned i = 0; i < 3; i++)
                if (i != gone)
                    assert_receives(&channel, i + 1); /* what the other wanted to send was not taken */
            turns_pass(2);
            for (unsigned i = 0; i < 3; i++)
                assert_int_equal(senders[i].result, i == gone ? -ECANCELED : 0);
            assert_int_equal(channel.count, 0);
            assert_int_equal(scope_close(&scope), 0);
        }
    }
}

static void test_leavers(void **state)
{
    try_sim(NULL, leavers, NULL);
}

/* Served first and cancelled then: it has what it waited for, and nothing is lost. */
static void served_then_cancelled(struct loop *loop, void *context)
{
    struct party receiver;
    void *ring[1];
    struct channel channel;
    struct scope scope;

    channel_init(&channel, ring, 1);
    scope_open(&scope, TIME_NEVER);
    party_spawn(&scope, &receiver, &channel, 0);
    turns_pass(1);
    assert_int_equal(channel_try_send(&channel, item_of(7)), 0);
    scope_cancel(receiver.scope);
    turns_pass(1);
    assert_int_equal(receiver.result, 0);
    assert_int_equal(receiver.number, 7);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_served_then_cancelled(void **state)
{
    try_sim(NULL, served_then_cancelled, NULL);
}

static void deadlines(struct loop *loop, void *context)
{
    int64_t due = loop_after(loop, 10 * MS);
    void *ring[1], *item = NULL;
    struct channel channel;
    struct scope scope;

    channel_init(&channel, ring, 1);
    scope_open(&scope, due);
    assert_int_equal(channel_receive(&channel, &item), -ETIME);
    assert_null(item);
    assert_int_equal(loop->now_ns, due);
    assert_int_equal(scope_close(&scope), 0);
    assert_int_equal(channel_try_send(&channel, ring), 0);
    due += 10 * MS;
    scope_open(&scope, due);
    assert_int_equal(channel_send(&channel, ring), -ETIME);
    assert_int_equal(loop->now_ns, due);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_deadlines(void **state)
{
    try_sim(NULL, deadlines, NULL);
}

static void closes(struct loop *loop, void *context)
{
    struct party receivers[2], senders[2];
    void *ring[2], *item = NULL;
    struct channel channel;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    channel_init(&channel, ring, 2);
    party_spawn(&scope, &receivers[0], &channel, 0);
    party_spawn(&scope, &receivers[1], &channel, 0);
    turns_pass(1);
    channel_close(&channel);
    channel_close(&channel);
    turns_pass(1);
    assert_int_equal(receivers[0].result, -EPIPE);
    assert_int_equal(receivers[1].result, -EPIPE);
    assert_int_equal(channel_receive(&channel, &item), -EPIPE);
    assert_int_equal(channel_send(&channel, ring), -EPIPE);
    assert_int_equal(channel_try_send(&channel, ring), -EPIPE);

    channel_init(&channel, ring, 2);
    assert_int_equal(channel_try_send(&channel, item_of(1)), 0);
    assert_int_equal(channel_try_send(&channel, item_of(2)), 0);
    party_spawn(&scope, &senders[0], &channel, 3);
    party_spawn(&scope, &senders[1], &channel, 4);
    turns_pass(1);
    channel_close(&channel);
    assert_receives(&channel, 1); /* what was taken before is still delivered; the senders' was not */
    turns_pass(1);
    assert_int_equal(senders[0].result, -EPIPE);
    assert_int_equal(senders[1].result, -EPIPE);
    assert_receives(&channel, 2);
    assert_int_equal(channel_receive(&channel, &item), -EPIPE);
    assert_null(item);
    assert_int_equal(scope_close(&scope), 0);
}

static void test_closes(void **state)
{
    try_sim(NULL, closes, NULL);
}

/* Many of both on a small ring: everything arrives once, each sender's in its order. */
#define CROWD 5
#define ITEMS 200

struct crowd {
    struct task task;
    struct channel *channel;
    unsigned index, count;
    unsigned *next; /* of each sender */
};

static int crowd_send(struct task *task)
{
    struct crowd *crowd = container_of(task, struct crowd, task);

    for (uintptr_t i = 0; i < ITEMS; i++) {
        assert_int_equal(channel_send(crowd->channel, item_of(crowd->index * ITEMS + i)), 0);
        if (i % (crowd->index + 2) == 0)
            turns_pass(1);
    }
    return 0;
}

static int crowd_receive(struct task *task)
{
    struct crowd *crowd = container_of(task, struct crowd, task);
    void *item;
    int r;

    while ((r = channel_receive(crowd->channel, &item)) == 0) {
        uintptr_t number = (uintptr_t)item;

        assert_in_range(number, 0, CROWD * ITEMS - 1);
        crowd->next[number / ITEMS]++;
        crowd->count++;
        if (crowd->count % (crowd->index + 3) == 0)
            turns_pass(1);
    }
    return r;
}

static void crowds(struct loop *loop, void *context)
{
    struct crowd senders[CROWD], receivers[CROWD];
    unsigned next[CROWD] = { 0 }, total = 0;
    void *ring[SIZE];
    struct channel channel;
    struct scope sending, receiving;
    struct task *done;

    channel_init(&channel, ring, SIZE);
    scope_open(&receiving, TIME_NEVER);
    scope_open(&sending, TIME_NEVER);
    for (unsigned i = 0; i < CROWD; i++) {
        senders[i] = (struct crowd){ .task.run = crowd_send, .channel = &channel, .index = i };
        receivers[i] = (struct crowd){ .task.run = crowd_receive, .channel = &channel, .index = i, .next = next };
        assert_int_equal(scope_spawn(&sending, &senders[i].task), 0);
        assert_int_equal(scope_spawn(&receiving, &receivers[i].task), 0);
    }
    while (scope_wait(&sending, &done) == 0)
        assert_int_equal(done->result, 0);
    channel_close(&channel);
    assert_int_equal(scope_close(&sending), 0);
    for (unsigned i = 0; i < CROWD; i++) {
        assert_int_equal(scope_wait(&receiving, &done), 0);
        assert_int_equal(done->result, -EPIPE);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        total += receivers[i].count;
        assert_int_equal(next[i], ITEMS);
    }
    assert_int_equal(total, CROWD * ITEMS);
    assert_int_equal(scope_close(&receiving), -EPIPE);
}

static void test_crowds(void **state)
{
    try_both(NULL, crowds, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_waiting),  cmocka_unit_test(test_receivers_in_order),
        cmocka_unit_test(test_senders_in_order), cmocka_unit_test(test_nobody_overtakes),
        cmocka_unit_test(test_leavers),          cmocka_unit_test(test_served_then_cancelled),
        cmocka_unit_test(test_deadlines),        cmocka_unit_test(test_closes),
        cmocka_unit_test(test_crowds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
