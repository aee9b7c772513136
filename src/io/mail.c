#include "base/limits.h"
#include "io/loop.h"
#include "io/mail_internal.h"

int loop_post(struct loop *loop, struct letter *letter)
{
    struct mailbox *mail = &loop->mail;
    struct letter *head;

    if (atomic_fetch_add_explicit(&mail->count, 1, memory_order_relaxed) >= MAILBOX_MAX) {
        atomic_fetch_sub_explicit(&mail->count, 1, memory_order_relaxed);
        return -EAGAIN;
    }
    head = atomic_load_explicit(&mail->head, memory_order_relaxed);
    do {
        letter->next = head;
    } while (
        !atomic_compare_exchange_weak_explicit(&mail->head, &head, letter, memory_order_release, memory_order_relaxed));
    if (!head) /* the box was empty: whoever emptied it sleeps, or soon will */
        loop->io->ops->notify(loop->io);
    return 0;
}

unsigned mail_deliver(struct loop *loop)
{
    struct mailbox *mail = &loop->mail;
    struct letter *newest = atomic_exchange_explicit(&mail->head, NULL, memory_order_acquire);
    struct letter *oldest = NULL;
    unsigned count = 0;

    while (newest) { /* the box is a stack: turn it round */
        struct letter *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
        count++;
    }
    atomic_fetch_sub_explicit(&mail->count, count, memory_order_relaxed);
    while (oldest) {
        struct letter *next = oldest->next;

        oldest->run(oldest, loop);
        oldest = next;
    }
    return count;
}
