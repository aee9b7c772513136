/* Mail between loops: order, the bound, and several threads that post at once. */
#include "fiber_help.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "io/linux/linux.h"
#include "io/mail_internal.h"

#include <sched.h>

/* --- one thread ------------------------------------------------------------------------------------------------ */

struct numbered {
    struct letter letter;
    unsigned number, *next;
};

static void numbered_run(struct letter *letter, struct loop *loop)
{
    struct numbered *numbered = container_of(letter, struct numbered, letter);

    assert_null(fiber_current());
    assert_int_equal(numbered->number, (*numbered->next)++);
}

static void filled(struct loop *loop, void *context)
{
    struct numbered *letters = mem_zalloc(MAILBOX_MAX * sizeof(*letters));
    struct numbered one_more = { .letter.run = numbered_run };
    unsigned next = 0;

    assert_non_null(letters);
    for (unsigned round = 0; round < 3; round++) {
        next = 0;
        for (unsigned i = 0; i < MAILBOX_MAX; i++) {
            letters[i] = (struct numbered){ .letter.run = numbered_run, .number = i, .next = &next };
            assert_int_equal(loop_post(loop, &letters[i].letter), 0);
        }
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(loop_post(loop, &one_more.letter), -EAGAIN);
        assert_int_equal(next, 0); /* never inside loop_post() */
        turns_pass(1);
        assert_int_equal(next, MAILBOX_MAX);
        assert_int_equal(atomic_load(&loop->mail.count), 0);
    }
    mem_free(letters);
}

static void test_filled(void **state)
{
    try_both(NULL, filled, NULL);
}

/* A letter belongs to run() and may be posted again from there: it comes in the next turn. */
struct returning {
    struct letter letter;
    unsigned runs, max;
    uint64_t turn;
};

static void returning_run(struct letter *letter, struct loop *loop)
{
    struct returning *returning = container_of(letter, struct returning, letter);

    assert_true(returning->turn == 0 || loop->turns == returning->turn + 1);
    returning->turn = loop->turns;
    if (++returning->runs < returning->max)
        assert_int_equal(loop_post(loop, letter), 0);
}

static void reposted(struct loop *loop, void *context)
{
    struct returning returning[2] = { { .letter.run = returning_run, .max = 10 },
                                      { .letter.run = returning_run, .max = 5 } };

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(loop_post(loop, &returning[i].letter), 0);
    turns_pass(20);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(returning[i].runs, returning[i].max);
    assert_int_equal(mail_deliver(loop), 0);
}

static void test_reposted(void **state)
{
    try_both(NULL, reposted, NULL);
}

static void freeing_run(struct letter *letter, struct loop *loop)
{
    mem_free(letter);
}

/* The letter may be gone after run(): nobody looks at it any more. */
static void freed(struct loop *loop, void *context)
{
    for (unsigned i = 0; i < 10; i++) {
        struct letter *letter = mem_zalloc(sizeof(*letter));

        assert_non_null(letter);
        letter->run = freeing_run;
        assert_int_equal(loop_post(loop, letter), 0);
    }
    turns_pass(1);
}

static void test_freed(void **state)
{
    try_both(NULL, freed, NULL);
}

/* --- several threads ------------------------------------------------------------------------------------------- */

#define SENDERS 4
#define LETTERS 5000 /* of each: more than fit */

struct sender {
    struct task task;
    struct loop *loop; /* the receiver */
    struct sent *letters;
    unsigned next;      /* the receiver's: which number must come */
    unsigned *received; /* the receiver's */
    unsigned full;      /* how often the mailbox was full */
    void *thread;
};

struct sent {
    struct letter letter;
    struct sender *sender;
    unsigned number; /* plain memory: the mailbox orders it */
};

static void sent_run(struct letter *letter, struct loop *loop)
{
    struct sent *sent = container_of(letter, struct sent, letter);

    assert_ptr_equal(loop, sent->sender->loop);
    assert_int_equal(sent->number, sent->sender->next);
    sent->sender->next++;
    if (++*sent->sender->received == SENDERS * LETTERS)
        loop_stop(loop);
}

static void sender_run(void *context)
{
    struct sender *sender = context;

    for (unsigned i = 0; i < LETTERS; i++) {
        sender->letters[i] = (struct sent){ .letter.run = sent_run, .sender = sender, .number = i };
        while (loop_post(sender->loop, &sender->letters[i].letter) < 0) {
            sender->full++;
            (void)sched_yield();
        }
    }
}

static void test_several_senders(void **state)
{
    struct sender senders[SENDERS];
    unsigned received = 0;
    struct loop loop;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(loop_init(&loop, io, NULL), 0);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .loop = &loop, .received = &received };
        senders[i].letters = mem_zalloc(LETTERS * sizeof(struct sent));
        assert_non_null(senders[i].letters);
        assert_int_equal(io->ops->thread_start(io, "sender", sender_run, &senders[i], &senders[i].thread), 0);
    }
    loop_run(&loop); /* sleeps whenever the box is empty: a lost notification would leave it there */
    assert_int_equal(received, SENDERS * LETTERS);
    for (unsigned i = 0; i < SENDERS; i++) {
        io->ops->thread_join(io, senders[i].thread);
        assert_int_equal(senders[i].next, LETTERS);
        mem_free(senders[i].letters);
    }
    assert_int_equal(atomic_load(&loop.mail.count), 0);
    loop_done(&loop);
    io_linux_close(io);
}

/* Ping-pong between two loops on two threads: each post meets a loop that is just falling asleep. */
#define BOUNCES 2000

struct ball {
    struct letter letter;
    struct loop *loops[2];
    unsigned bounces;
};

static void ball_run(struct letter *letter, struct loop *loop)
{
    struct ball *ball = container_of(letter, struct ball, letter);
    unsigned here = loop == ball->loops[1];

    if (++ball->bounces >= BOUNCES)
        loop_stop(loop);
    if (ball->bounces <= BOUNCES)
        assert_int_equal(loop_post(ball->loops[!here], letter), 0);
}

static void loop_thread(void *context)
{
    loop_run(context);
}

static void test_ping_pong(void **state)
{
    struct ball ball = { .letter.run = ball_run };
    struct loop loops[2];
    struct io *ios[2];
    void *thread;

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(io_linux_open(&ios[i]), 0);
        assert_int_equal(loop_init(&loops[i], ios[i], NULL), 0);
        ball.loops[i] = &loops[i];
    }
    assert_int_equal(loop_post(&loops[1], &ball.letter), 0);
    assert_int_equal(ios[0]->ops->thread_start(ios[0], "other", loop_thread, &loops[1], &thread), 0);
    loop_run(&loops[0]);
    ios[0]->ops->thread_join(ios[0], thread);
    assert_in_range(ball.bounces, BOUNCES, BOUNCES + 1);
    for (unsigned i = 0; i < 2; i++) {
        loop_done(&loops[i]);
        io_linux_close(ios[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filled),          cmocka_unit_test(test_reposted),  cmocka_unit_test(test_freed),
        cmocka_unit_test(test_several_senders), cmocka_unit_test(test_ping_pong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
