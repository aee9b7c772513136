#include "io/channel.h"

#include "base/assert.h"
#include "io/fiber.h"

/* On the stack of a waiting fiber. */
struct channel_waiter {
    struct list_node node;
    struct fiber *fiber;
};

void channel_init(struct channel *channel, void **ring, size_t size)
{
    ASSERT(size > 0);
    *channel = (struct channel){ .ring = ring, .size = size };
    list_init(&channel->senders);
    list_init(&channel->receivers);
}

static void wake_first(struct list_node *waiters)
{
    struct list_node *node = list_pop_front(waiters);

    if (node)
        fiber_wake(container_of(node, struct channel_waiter, node)->fiber);
}

/* A waiter that was woken but leaves for another reason passes its turn on. */
static int channel_wait(struct list_node *waiters)
{
    struct channel_waiter waiter = { .fiber = fiber_current() };
    int r;

    list_push_back(waiters, &waiter.node);
    r = fiber_park(TIME_NEVER);
    if (r < 0 && !list_linked(&waiter.node))
        wake_first(waiters);
    list_remove(&waiter.node);
    return r;
}

int channel_try_send(struct channel *channel, void *item)
{
    if (channel->closed)
        return -EPIPE;
    if (channel->count == channel->size)
        return -EAGAIN;
    channel->ring[(channel->head + channel->count++) % channel->size] = item;
    wake_first(&channel->receivers);
    return 0;
}

int channel_send(struct channel *channel, void *item)
{
    int r;

    while ((r = channel_try_send(channel, item)) == -EAGAIN) {
        r = channel_wait(&channel->senders);
        if (r < 0)
            return r;
    }
    return r;
}

int channel_receive(struct channel *channel, void **ret_item)
{
    while (channel->count == 0) {
        int r = channel->closed ? -EPIPE : channel_wait(&channel->receivers);

        if (r < 0)
            return r;
    }
    *ret_item = channel->ring[channel->head];
    channel->head = (channel->head + 1) % channel->size;
    channel->count--;
    wake_first(&channel->senders);
    return 0;
}

void channel_close(struct channel *channel)
{
    channel->closed = true;
    while (!list_empty(&channel->senders))
        wake_first(&channel->senders);
    while (!list_empty(&channel->receivers))
        wake_first(&channel->receivers);
}
