#include "chassis/targets.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "http/client.h"

struct target {
    struct list_node node;
    struct endpoint *endpoint;
    struct address addresses[CHASSIS_ADDRESSES_MAX];
    unsigned count, current;
    int64_t resolved_ns; /* TIME_NEVER: it is an address, not a name */
    uint16_t port;
    size_t host_len;
    char host[SERVICE_HOST_MAX];
};

/* A look-up, on the lane. */
struct lookup {
    struct job job;
    struct io *io;
    char host[SERVICE_HOST_MAX];
    uint16_t port;
    struct address addresses[CHASSIS_ADDRESSES_MAX];
    int result;
};

void targets_init(struct targets *targets, struct worker *worker, struct lane **lane)
{
    *targets = (struct targets){ .worker = worker, .lane = lane };
    list_init(&targets->list);
}

static void close_endpoint(struct target *target)
{
    http_endpoint_retire(target->endpoint);
    endpoint_drop(target->endpoint);
    target->endpoint = NULL;
}

static void drop(struct targets *targets, struct target *target)
{
    list_remove(&target->node);
    targets->count--;
    close_endpoint(target);
    mem_free(target);
}

void targets_done(struct targets *targets)
{
    LIST_EACH (&targets->list, node, next)
        drop(targets, container_of(node, struct target, node));
}

static struct target *look(struct targets *targets, struct bytes host, uint16_t port)
{
    LIST_EACH (&targets->list, node, next) {
        struct target *target = container_of(node, struct target, node);

        if (target->port == port && bytes_equal_ci(bytes_of(target->host, target->host_len), host))
            return target;
    }
    return NULL;
}

static int open_endpoint(struct targets *targets, struct target *target)
{
    struct http_endpoint_conf conf = { .name = bytes_of(target->host, target->host_len),
                                       .address = target->addresses[target->current],
                                       .direct = true };

    return http_endpoint_create(targets->worker, &conf, &target->endpoint);
}

/* --- names --------------------------------------------------------------------------------------------------- */

static void lookup_run(struct job *job)
{
    struct lookup *lookup = container_of(job, struct lookup, job);

    lookup->result = lookup->io->ops->resolve(lookup->io, lookup->host, lookup->port, lookup->addresses,
                                              CHASSIS_ADDRESSES_MAX);
}

static int look_up(struct targets *targets, struct bytes host, uint16_t port, struct lookup *lookup)
{
    struct io *io = targets->worker->loop->io;
    int r = 0;

    *lookup = (struct lookup){ .job = { .run = lookup_run }, .io = io, .port = port };
    memcpy(lookup->host, host.data, host.len);
    if (!*targets->lane)
        r = io->ops->lane_open(io, "names", 1, targets->lane);
    if (r == 0)
        r = lane_run(*targets->lane, &lookup->job);
    return r < 0 ? r : lookup->result;
}

/* An address that was written as one. */
static bool is_address(struct bytes host, uint16_t port, struct address *ret)
{
    char memory[SERVICE_HOST_MAX + 8];
    struct text text = text_into(memory, sizeof(memory));

    text_add(&text, host);
    text_add_char(&text, ':');
    text_add_u64(&text, port);
    return !text.full && address_parse(text_bytes(&text), ret) == 0 && ret->family != ADDRESS_UNIX;
}

static void take_addresses(struct target *target, const struct address *addresses, unsigned count)
{
    target->count = count;
    target->current = 0;
    memcpy(target->addresses, addresses, count * sizeof(*addresses));
}

/* The name may have moved. What can be reached where it was stays there. */
static void refresh(struct targets *targets, struct bytes host, uint16_t port)
{
    int64_t now_ns = targets->worker->loop->now_ns;
    struct target *target = look(targets, host, port);
    struct address now;
    struct lookup lookup;
    int count;

    ASSERT(target);
    target->resolved_ns = now_ns; /* others need not ask meanwhile */
    count = look_up(targets, host, port, &lookup);
    target = look(targets, host, port); /* it may have gone while we waited */
    if (count <= 0 || !target)
        return;
    now = target->addresses[target->current];
    take_addresses(target, lookup.addresses, (unsigned)count);
    for (unsigned i = 0; i < target->count; i++)
        if (address_equal(&target->addresses[i], &now)) {
            target->current = i;
            return;
        }
    close_endpoint(target);
    if (open_endpoint(targets, target) == 0)
        return;
    list_remove(&target->node);
    targets->count--;
    mem_free(target);
}

static int create(struct targets *targets, struct bytes host, uint16_t port, const struct address *addresses,
                  unsigned count, int64_t resolved_ns)
{
    struct target *target = mem_zalloc(sizeof(*target));
    int r;

    if (!target)
        return -ENOMEM;
    memcpy(target->host, host.data, host.len);
    target->host_len = host.len;
    target->port = port;
    target->resolved_ns = resolved_ns;
    take_addresses(target, addresses, count);
    r = open_endpoint(targets, target);
    if (r < 0) {
        mem_free(target);
        return r;
    }
    if (targets->count == CHASSIS_TARGETS_MAX)
        drop(targets, container_of(targets->list.prev, struct target, node));
    list_push_front(&targets->list, &target->node);
    targets->count++;
    return 0;
}

static int add(struct targets *targets, struct bytes host, uint16_t port)
{
    struct address address;
    struct lookup lookup;
    int count;

    if (is_address(host, port, &address))
        return create(targets, host, port, &address, 1, TIME_NEVER);
    count = look_up(targets, host, port, &lookup);
    if (count <= 0)
        return count < 0 ? count : -ENOENT;
    if (look(targets, host, port))
        return 0; /* another call was faster */
    return create(targets, host, port, lookup.addresses, (unsigned)count, targets->worker->loop->now_ns);
}

int targets_find(struct targets *targets, struct bytes host, uint16_t port, struct endpoint **ret)
{
    struct target *target;
    int r;

    if (host.len == 0 || host.len >= SERVICE_HOST_MAX)
        return -ENAMETOOLONG;
    target = look(targets, host, port);
    if (target && target->resolved_ns != TIME_NEVER &&
        targets->worker->loop->now_ns - target->resolved_ns > SERVICE_RESOLVE_NS) {
        refresh(targets, host, port);
        target = look(targets, host, port);
    }
    if (!target) {
        r = add(targets, host, port);
        if (r < 0)
            return r;
        target = look(targets, host, port);
    }
    list_remove(&target->node);
    list_push_front(&targets->list, &target->node);
    *ret = target->endpoint;
    return 0;
}

bool targets_next(struct targets *targets, struct bytes host, uint16_t port, const struct endpoint *failed)
{
    struct target *target = look(targets, host, port);
    unsigned before;

    if (!target || target->count < 2)
        return false;
    if (target->endpoint != failed)
        return true; /* another call has moved on already */
    before = target->current;
    target->current = (target->current + 1) % target->count;
    close_endpoint(target);
    if (open_endpoint(targets, target) == 0)
        return target->current != before;
    list_remove(&target->node);
    targets->count--;
    mem_free(target);
    return false;
}
