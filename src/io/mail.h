/* io/mail.h - letters to another thread's loop.
 *
 * (1) The only way by which one loop reaches another. At most MAILBOX_MAX letters wait: then -EAGAIN, and the
 *     sender decides.
 * (2) A letter belongs to the mailbox from post to run(), which is called on the receiving loop's stack, may
 *     not wait, and owns the letter from then on.
 * (3) Letters of one sender arrive in order.
 */
#ifndef WEFT_IO_MAIL_H
#define WEFT_IO_MAIL_H

#include "base/list.h"

#include <stdatomic.h>

struct loop;

struct letter {
    struct letter *next; /* private */
    void (*run)(struct letter *letter, struct loop *loop);
};

struct mailbox {
    _Atomic(struct letter *) head; /* a stack; the reader takes all of it and turns it round */
    atomic_uint count;
};

int loop_post(struct loop *loop, struct letter *letter) MUST_CHECK; /* any thread. -EAGAIN */

#endif
