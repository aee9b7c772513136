/* io/channel.h - a bounded queue of pointers between fibers of one loop.
 *
 * (1) Sending to a full channel and receiving from an empty one waits; the usual ends of waits apply.
 * (2) After channel_close() senders get -EPIPE, receivers what is left and then -EPIPE.
 * (3) Waiters are served in order, and nobody overtakes them: what one waits for is handed to it, not left for
 *     whoever comes first. One whose wait has ended otherwise is passed over.
 * (4) What was sent with 0 is received once; what was refused was not taken.
 * Memory for the ring is the caller's.
 */
#ifndef WEFT_IO_CHANNEL_H
#define WEFT_IO_CHANNEL_H

#include "base/list.h"

struct channel {
    void **ring;
    size_t size, head, count;
    bool closed;
    struct list_node senders, receivers;
};

void channel_init(struct channel *channel, void **ring, size_t size);
int channel_send(struct channel *channel, void *item) MUST_CHECK;
int channel_try_send(struct channel *channel, void *item) MUST_CHECK; /* -EAGAIN: full; from any context */
int channel_receive(struct channel *channel, void **ret_item) MUST_CHECK;
void channel_close(struct channel *channel);

#endif
