#include "io/channel.h"

#include "base/assert.h"
#include "io/fiber.h"

/* On the stack of a waiting fiber. */
struct channel_waiter {
    struct list_node node;
    struct fiber *fiber;
    void *item; /* a sender's, or what a receiver got */
    int result; /* -EAGAIN: not served yet */
};

void channel_init(struct channel *channel, void **ring, size_t size)
{
    ASSERT(size > 0);
    *channel = (struct channel){ .ring = ring, .size = size };
    list_init(&channel->senders);
    list_init(&channel->receivers);
}

/* The first waiter whose wait can be ended by us: taken out and woken. NULL: there is none. */
static struct channel_waiter *serve_first(struct list_node *waiters, int result)
{
    struct list_node *node;

    while ((node = list_pop_front(waiters)) != NULL) {
        struct channel_waiter *waiter = container_of(node, struct channel_waiter, node);

        if (fiber_wake(waiter->fiber)) {
            waiter->result = result;
            return waiter;
        }
    }
    return NULL;
}

static int channel_wait(struct list_node *waiters, struct channel_waiter *waiter)
{
    int r;

    waiter->fiber = fiber_current();
    waiter->result = -EAGAIN;
    list_push_back(waiters, &waiter->node);
    do {
        r = fiber_park(TIME_NEVER);
    } while (r == 0 && waiter->result == -EAGAIN); /* a stray wake */
    list_remove(&waiter->node);
    return r < 0 ? r : waiter->result;
}

static void ring_add(struct channel *channel, void *item)
{
    channel->ring[(channel->head + channel->count++) % channel->size] = item;
}

int channel_try_send(struct channel *channel, void *item)
{
    struct channel_waiter *receiver;

    if (channel->closed)
        return -EPIPE;
    if (channel->count == channel->size)
        return -EAGAIN;
    receiver = serve_first(&channel->receivers, 0);
    if (receiver)
        receiver->item = item;
    else
        ring_add(channel, item);
    return 0;
}

int channel_send(struct channel *channel, void *item)
{
    struct channel_waiter sender = { .item = item };
    int r = channel_try_send(channel, item);

    return r == -EAGAIN ? channel_wait(&channel->senders, &sender) : r;
}

int channel_receive(struct channel *channel, void **ret_item)
{
    struct channel_waiter receiver = { .item = NULL }, *sender;

    if (channel->count == 0) {
        int r = channel->closed ? -EPIPE : channel_wait(&channel->receivers, &receiver);

        if (r == 0)
            *ret_item = receiver.item;
        return r;
    }
    *ret_item = channel->ring[channel->head];
    channel->head = (channel->head + 1) % channel->size;
    channel->count--;
    sender = serve_first(&channel->senders, 0);
    if (sender)
        ring_add(channel, sender->item);
    return 0;
}

void channel_close(struct channel *channel)
{
    channel->closed = true;
    while (serve_first(&channel->senders, -EPIPE))
        ;
    while (serve_first(&channel->receivers, -EPIPE))
        ;
}
