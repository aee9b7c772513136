/* The connections of one endpoint. See http/client.h. */
#include "http/upstream.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "io/stream.h"

/* On the stack of an exchange that waits for a connection. */
struct waiter {
    struct list_node node;
    struct fiber *fiber;
    uint64_t order;         /* of arrival */
    bool to_come;           /* its body is still to come */
    struct upstream *given; /* one that was just released; NULL: there is room for a new one */
    bool served;
};

void upstream_settle(struct http_endpoint *owner)
{
    if (owner->endpoint.uses > 0 || owner->open > 0 || owner->waiting > 0)
        return;
    mem_free(owner->scratch);
    mem_free(owner);
}

/* (7): how many of `all` may be taken for bodies that are still to come. */
static unsigned share_to_come(unsigned all)
{
    return all - all / 4;
}

static bool may_come(const struct http_endpoint *owner)
{
    return owner->to_come < share_to_come(owner->conf.connections_max);
}

static struct waiter *first_of(struct list_node *list)
{
    return list_empty(list) ? NULL : container_of(list->next, struct waiter, node);
}

static struct waiter *first_waiter(struct http_endpoint *owner)
{
    struct waiter *ready = first_of(&owner->waiters);
    struct waiter *to_come = may_come(owner) ? first_of(&owner->waiters_to_come) : NULL;

    return !ready || (to_come && to_come->order < ready->order) ? to_come : ready;
}

/* Lets the first waiter go on: with this connection, or with its place among the open ones. */
static bool serve_waiter(struct http_endpoint *owner, struct upstream *given)
{
    struct waiter *waiter = first_waiter(owner);

    if (!waiter)
        return false;
    list_remove(&waiter->node);
    owner->to_come += waiter->to_come;
    if (given)
        given->to_come = waiter->to_come;
    waiter->given = given;
    waiter->served = true;
    fiber_wake(waiter->fiber);
    return true;
}

/* One connection less, and room for another: whoever waits first has it, before all who come later. */
static void leave_place(struct http_endpoint *owner)
{
    if (serve_waiter(owner, NULL))
        return;
    owner->open--;
    upstream_settle(owner);
}

/* Its place stays taken. */
static void upstream_free(struct upstream *upstream)
{
    struct io *io = upstream->conn.io;

    timer_stop(upstream->owner->worker->loop, &upstream->timer);
    io->ops->disarm(io, &upstream->wake);
    list_remove(&upstream->node);
    conn_close(&upstream->conn);
    mem_free(upstream);
}

void upstream_close(struct upstream *upstream)
{
    struct http_endpoint *owner = upstream->owner;

    owner->to_come -= upstream->to_come;
    upstream_free(upstream);
    leave_place(owner);
}

/* Nothing has come since its last answer, nor an end: it would be taken for the answer to the next request (RFC 9112,
 * 6.3). Asks the kernel only if the last poll said that there is something. */
static bool upstream_quiet(struct upstream *upstream)
{
    char byte;

    return conn_try_read(&upstream->conn, &byte, 1) == -EAGAIN;
}

/* (3): the peer closed a connection that had been idle for this long. */
static void learn_idle(struct http_endpoint *owner, int64_t idle_ns)
{
    if (idle_ns < HTTP_LEARN_IDLE_MIN_NS)
        return; /* a restart or a full peer, not a timeout */
    metric_add(&owner->stats.idle_closed_by_peer, 1);
    owner->learned_idle_ns = MIN(owner->learned_idle_ns, idle_ns);
}

static void idle_woken(struct wake *wake, unsigned events)
{
    struct upstream *upstream = container_of(wake, struct upstream, wake);
    struct http_endpoint *owner = upstream->owner;
    char byte;
    ssize_t n = conn_try_read(&upstream->conn, &byte, 1);

    if (n == -EAGAIN) { /* a false alarm */
        if (wake->events || upstream->conn.io->ops->arm(upstream->conn.io, wake, IO_READ) == 0)
            return;
    }
    if (n == 0)
        learn_idle(owner, owner->worker->loop->now_ns - upstream->idle_since_ns);
    upstream_close(upstream); /* closed, broken, or it speaks without being asked */
}

/* The peer did not close first: what was learned may have been a restart, or its settings have changed. So the limit
 * creeps up again until the peer shows it. */
static void unlearn_idle(struct http_endpoint *owner)
{
    if (owner->learned_idle_ns < owner->conf.idle_ns)
        owner->learned_idle_ns += owner->learned_idle_ns / 8;
    else
        owner->learned_idle_ns = TIME_NEVER;
}

static void idle_timed_out(struct timer *timer)
{
    unlearn_idle(container_of(timer, struct upstream, timer)->owner);
    upstream_close(container_of(timer, struct upstream, timer));
}

static int64_t idle_limit(const struct http_endpoint *owner)
{
    if (owner->learned_idle_ns == TIME_NEVER)
        return owner->conf.idle_ns;
    return MIN(owner->conf.idle_ns, owner->learned_idle_ns / 4 * 3);
}

void upstream_release(struct upstream *upstream)
{
    struct http_endpoint *owner = upstream->owner;
    struct loop *loop = owner->worker->loop;

    if (upstream->conn.aborted || owner->retired || owner->worker->draining) {
        upstream_close(upstream);
        return;
    }
    owner->to_come -= upstream->to_come;
    upstream->to_come = false;
    upstream->reused = true;
    upstream->idle_since_ns = loop->now_ns;
    if (serve_waiter(owner, upstream))
        return;
    upstream->wake.socket = upstream->conn.socket;
    if (upstream->conn.io->ops->arm(upstream->conn.io, &upstream->wake, IO_READ) < 0) {
        upstream_close(upstream);
        return;
    }
    timer_set(loop, &upstream->timer, loop->now_ns + idle_limit(owner));
    list_push_front(&owner->idle, &upstream->node);
}

static struct upstream *take_idle(struct http_endpoint *owner, bool repeatable)
{
    struct upstream *upstream;
    struct io *io;

    while (!list_empty(&owner->idle) && !upstream_quiet(container_of(owner->idle.next, struct upstream, node)))
        upstream_close(container_of(owner->idle.next, struct upstream, node));
    if (list_empty(&owner->idle))
        return NULL;
    upstream = container_of(owner->idle.next, struct upstream, node);
    if (!repeatable && owner->learned_idle_ns != TIME_NEVER &&
        owner->worker->loop->now_ns - upstream->idle_since_ns > owner->learned_idle_ns / 2)
        return NULL; /* (3): the peer may be about to close it, and this request can't be sent twice */
    io = upstream->conn.io;
    list_remove(&upstream->node);
    timer_stop(owner->worker->loop, &upstream->timer);
    io->ops->disarm(io, &upstream->wake);
    metric_add(&owner->stats.reuses, 1);
    return upstream;
}

static enum outcome connect_failed(int error)
{
    switch (error) {
    case -ETIMEDOUT: return OUTCOME_CONNECT_TIMEOUT;
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
    case -ENOBUFS: return OUTCOME_OVERLOAD;
    default: return outcome_of_error(error, OUTCOME_CONNECT_FAILED);
    }
}

/* The place has been taken already. */
static enum outcome dial(struct http_endpoint *owner, bool to_come, struct upstream **ret)
{
    struct upstream *upstream = mem_zalloc(sizeof(*upstream));
    struct io_socket socket;
    int r = upstream ? stream_connect(&owner->conf.address, &socket, owner->conf.connect_ns) : -ENOMEM;

    if (r < 0) {
        if (upstream)
            metric_add(&owner->stats.connect_failures, 1);
        mem_free(upstream);
        owner->to_come -= to_come;
        leave_place(owner);
        return connect_failed(r);
    }
    metric_add(&owner->stats.connects, 1);
    upstream->owner = owner;
    upstream->to_come = to_come;
    conn_init(&upstream->conn, owner->worker->loop->io, socket);
    list_init(&upstream->node);
    upstream->wake.run = idle_woken;
    timer_init(&upstream->timer, idle_timed_out);
    *ret = upstream;
    return OUTCOME_OK;
}

/* Waits until a connection is given back, or closed: then *ret is NULL, and its place is ours. */
static enum outcome wait_turn(struct http_endpoint *owner, bool to_come, struct upstream **ret)
{
    struct waiter waiter = { .fiber = fiber_current(), .order = owner->order++, .to_come = to_come };
    int r = 0;

    if (owner->waiting >= HTTP_WAITERS_MAX)
        return OUTCOME_CONNECTIONS_FULL;
    if (to_come && owner->waiting_to_come >= share_to_come(HTTP_WAITERS_MAX))
        return OUTCOME_CONNECTIONS_FULL;
    owner->waiting++;
    owner->waiting_to_come += to_come;
    list_push_back(to_come ? &owner->waiters_to_come : &owner->waiters, &waiter.node);
    worker_scarce(owner->worker, true);
    while (!waiter.served && r == 0)
        r = fiber_park(TIME_NEVER);
    worker_scarce(owner->worker, false);
    list_remove(&waiter.node);
    owner->waiting--;
    owner->waiting_to_come -= to_come;
    if (!waiter.served)
        return outcome_of_error(r, OUTCOME_INTERNAL);
    *ret = waiter.given;
    return OUTCOME_OK;
}

/* An idle connection, or the place for one. False: neither is there. */
static bool take_place(struct http_endpoint *owner, const struct upstream_wish *wish, struct upstream **ret)
{
    struct upstream *upstream;

    if (wish->to_come && !may_come(owner))
        return false;
    upstream = wish->fresh ? NULL : take_idle(owner, wish->repeatable);
    if (!upstream && owner->open >= owner->conf.connections_max && !list_empty(&owner->idle))
        upstream_close(container_of(owner->idle.prev, struct upstream, node)); /* makes room for a fresh one */
    if (!upstream && owner->open >= owner->conf.connections_max)
        return false;
    owner->open += !upstream;
    owner->to_come += wish->to_come;
    if (upstream)
        upstream->to_come = wish->to_come;
    *ret = upstream;
    return true;
}

enum outcome upstream_take(struct http_endpoint *owner, const struct upstream_wish *wish, struct upstream **ret)
{
    struct upstream *upstream = NULL;

    if (!take_place(owner, wish, &upstream)) {
        enum outcome outcome = wait_turn(owner, wish->to_come, &upstream);

        if (outcome != OUTCOME_OK)
            return outcome;
        if (upstream && (wish->fresh || !upstream_quiet(upstream))) {
            upstream_free(upstream);
            upstream = NULL;
        }
    }
    if (!upstream)
        return dial(owner, wish->to_come, ret);
    *ret = upstream;
    return OUTCOME_OK;
}
