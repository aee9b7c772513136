#include "exchange/exchange.h"

#include "base/assert.h"
#include "exchange/endpoint.h"
#include "exchange/snapshot.h"

int exchange_create(struct worker *worker, struct source *source, struct scope *scope, struct exchange **ret)
{
    struct exchange *x = pool_take(&worker->exchanges);

    if (!x)
        return -EAGAIN;
    memset(x, 0, offsetof(struct exchange, steps.list));
    x->magic = EXCHANGE_MAGIC;
    x->worker = worker;
    x->source = source;
    x->scope = scope;
    x->deadline_ns = TIME_NEVER;
    x->view = worker->newest;
    arena_init(&x->arena, &worker->blocks, EXCHANGE_ARENA_MAX);
    if (x->view)
        snapshot_view_pin(x->view);
    metric_add(&worker->exchanges_started, 1);
    *ret = x;
    return 0;
}

_Static_assert((HTTP_FIELDS_MAX + 3 * HTTP_FIELDS_ADDED_MAX) * sizeof(struct http_field) + 16 <= EXCHANGE_BLOCK_SIZE,
               "a full head, with what stages, a fork and the endpoint add, is one piece of an arena");

int exchange_head_room(struct exchange *x, struct http_head *head, unsigned fields)
{
    head->fields = arena_alloc(&x->arena, fields * sizeof(struct http_field));
    head->field_count = 0;
    head->field_max = head->fields ? fields : 0;
    return head->fields ? 0 : -ENOMEM;
}

int exchange_set_request_body(struct exchange *x, struct body *source)
{
    int r;

    x->reader = arena_alloc(&x->arena, sizeof(*x->reader));
    if (!x->reader)
        return -ENOMEM;
    r = tee_create(x->worker, source, &x->tee);
    if (r < 0)
        return r;
    r = tee_reader_init(x->reader, x->tee, false);
    ASSERT(r == 0); /* a new tee has everything */
    x->request_body = &x->reader->body;
    return 0;
}

void exchange_at_end(struct exchange *x, struct ending *ending)
{
    ending->local = NULL;
    ending->next = x->endings;
    x->endings = ending;
}

void exchange_at_end_local(struct exchange *x, struct ending *ending, const struct stage *stage)
{
    exchange_at_end(x, ending);
    ending->local = x->view->locals[stage->index];
    stage_local_use(ending->local);
}

static void run_endings(struct exchange *x, enum outcome outcome)
{
    while (x->endings) {
        struct ending *ending = x->endings;
        struct stage_local *local = ending->local;

        x->endings = ending->next;
        ending->run(ending, x, outcome);
        if (local)
            stage_local_drop(local);
    }
}

static void tell_observers(struct exchange *x)
{
    const struct observer *const *observer = x->worker->observers;

    for (; observer && *observer; observer++)
        (*observer)->ended(*observer, x->worker, x);
}

static void close_bodies(struct exchange *x, enum outcome outcome)
{
    body_close(x->response_body, outcome);
    x->response_body = NULL;
    if (!x->tee)
        return;
    if (!x->parent && !x->detached)
        tee_close_source(x->tee, outcome);
    tee_drop(x->tee);
    x->tee = NULL;
    x->request_body = NULL;
}

static void give_back(struct exchange *x)
{
    struct worker *worker = x->worker;

    if (x->view)
        snapshot_view_unpin(x->view);
    arena_done(&x->arena);
    x->magic = 0;
    pool_give(&worker->exchanges, x);
    metric_add(&worker->exchanges_ended, 1);
}

void exchange_discard(struct exchange *x)
{
    CHECK_MAGIC(x, EXCHANGE_MAGIC);
    ASSERT(!x->endings && !x->tee && !x->response_body);
    give_back(x);
}

void exchange_end(struct exchange *x, enum outcome outcome)
{
    CHECK_MAGIC(x, EXCHANGE_MAGIC);
    x->outcome = outcome;
    close_bodies(x, outcome);
    if (!x->parent && !x->detached)
        tell_observers(x); /* before the endings: one of them may free the endpoint */
    run_endings(x, outcome);
    give_back(x);
}

bool exchange_replayable(const struct exchange *x)
{
    return !x->answered && (!x->tee || tee_replayable(x->tee));
}

int exchange_rewind(struct exchange *x)
{
    if (x->answered)
        return -EALREADY;
    body_close(x->response_body, OUTCOME_CANCELED);
    x->response_body = NULL;
    x->response = (struct http_head){ .fields = x->response.fields, .field_max = x->response.field_max };
    x->response_trailers = NULL;
    return x->tee ? tee_reader_init(x->reader, x->tee, x->reader->follows) : 0;
}

/* Endpoints are counted by whoever refers to them. */
struct endpoint_ending {
    struct ending ending;
    struct endpoint *endpoint;
};

static void endpoint_count(struct endpoint *endpoint, int change)
{
    endpoint->in_flight += (unsigned)change;
    if (endpoint->active)
        metric_set(endpoint->active, endpoint->in_flight);
}

static void endpoint_left(struct endpoint *endpoint)
{
    ASSERT(endpoint->in_flight > 0);
    endpoint_count(endpoint, -1);
    endpoint_drop(endpoint);
}

static void endpoint_ended(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    struct endpoint_ending *use = container_of(ending, struct endpoint_ending, ending);

    endpoint_left(use->endpoint);
}

void endpoint_drop(struct endpoint *endpoint)
{
    ASSERT(endpoint->uses > 0);
    if (--endpoint->uses == 0 && endpoint->unused)
        endpoint->unused(endpoint);
}

int exchange_use_endpoint(struct exchange *x, struct endpoint *endpoint)
{
    struct endpoint_ending *use = x->endpoint_use;
    struct endpoint *before = use ? use->endpoint : NULL;

    if (!use) {
        use = arena_alloc(&x->arena, sizeof(*use));
        if (!use)
            return -ENOMEM;
        use->ending.run = endpoint_ended;
        exchange_at_end(x, &use->ending);
        x->endpoint_use = use;
    }
    use->endpoint = x->endpoint = endpoint;
    endpoint->uses++;
    endpoint_count(endpoint, 1);
    if (before) /* last: it may be the same, and ours its only use */
        endpoint_left(before);
    return 0;
}

int exchange_release_snapshot(struct exchange *x)
{
    struct bytes route, service, caller;

    if (!x->view)
        return 0;
    if (arena_copy(&x->arena, x->route, &route) < 0 || arena_copy(&x->arena, x->service, &service) < 0)
        return -ENOMEM;
    if (arena_copy(&x->arena, x->caller, &caller) < 0 || steps_own_paths(&x->steps, &x->arena) < 0)
        return -ENOMEM;
    x->route = route;
    x->service = service;
    x->caller = caller;
    snapshot_view_unpin(x->view);
    x->view = NULL;
    return 0;
}

int exchange_answer(struct exchange *x, unsigned status, struct bytes content_type, struct bytes content)
{
    struct body_memory *memory = arena_alloc(&x->arena, sizeof(*memory));
    struct bytes copy;

    if (!memory || arena_copy(&x->arena, content, &copy) < 0)
        return -ENOMEM;
    body_close(x->response_body, OUTCOME_CANCELED); /* of an answer that this one stands in for */
    x->response_body = NULL;
    x->response_trailers = NULL;
    x->response = (struct http_head){ .status = 0 };
    if (exchange_head_room(x, &x->response, 8) < 0)
        return -ENOMEM;
    x->response.status = status;
    x->response.reason = http_reason(status);
    x->response.minor = 1;
    x->response.keep_alive = true;
    x->response.framing = copy.len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    x->response.has_content_length = true;
    x->response.content_length = copy.len;
    body_memory_init(memory, copy);
    x->response_body = copy.len ? &memory->body : NULL;
    if (content_type.len == 0)
        return 0;
    return http_head_add(&x->response, HTTP_FIELD_CONTENT_TYPE, content_type);
}
