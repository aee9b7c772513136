/* Forks and detached copies of an exchange: see exchange/exchange.h. */
#include "exchange/exchange.h"

#include "base/assert.h"
#include "exchange/endpoint.h"
#include "exchange/snapshot.h"

/* What a child has in common with its parent: everything but arena, answer, endings and endpoint. */
static void share(struct exchange *child, const struct exchange *x)
{
    child->deadline_ns = x->deadline_ns;
    child->gateway = x->gateway;
    child->request_id = x->request_id;
    child->route = x->route;
    child->service = x->service;
    child->client = x->client;
    child->caller = x->caller;
    child->parameters = x->parameters;
    child->parameter_count = x->parameter_count;
    child->scheme = x->scheme;
    child->request = x->request;
    child->request_trailers = x->request_trailers;
    child->trace = x->trace;
    child->times = x->times;
    child->steps.depth = x->steps.depth;
}

static int share_body(struct exchange *child, struct exchange *x)
{
    int r;

    if (!x->tee)
        return 0;
    child->reader = arena_alloc(&child->arena, sizeof(*child->reader));
    if (!child->reader)
        return -ENOMEM;
    r = tee_reader_init(child->reader, x->tee, x->reader->follows);
    if (r < 0)
        return r;
    child->tee = x->tee;
    child->request_body = &child->reader->body;
    tee_use(child->tee);
    return 0;
}

int exchange_fork(struct exchange *x, struct exchange **ret_child)
{
    struct exchange *child;
    int r = exchange_create(x->worker, NULL, x->scope, &child);

    if (r < 0)
        return r;
    if (child->view != x->view) { /* a reload came in between: forks live in their parent's snapshot */
        if (child->view)
            snapshot_view_unpin(child->view);
        child->view = x->view;
        if (child->view)
            snapshot_view_pin(child->view);
    }
    child->parent = x;
    share(child, x);
    child->shared_request = true;
    r = share_body(child, x);
    if (r < 0) {
        exchange_end(child, OUTCOME_CANCELED);
        return r;
    }
    *ret_child = child;
    return 0;
}

int exchange_own_request(struct exchange *x)
{
    struct http_field *from = x->request.fields;
    unsigned count = x->request.field_count;
    int r;

    if (!x->shared_request)
        return 0;
    r = exchange_head_room(x, &x->request, count + HTTP_FIELDS_ADDED_MAX);
    if (r < 0) {
        x->request.fields = from;
        x->request.field_count = count;
        return r;
    }
    memcpy(x->request.fields, from, count * sizeof(*from));
    x->request.field_count = count;
    x->shared_request = false;
    return 0;
}

static void move_endings(struct exchange *parent, struct exchange *winner)
{
    struct ending **last = &winner->endings;

    while (*last)
        last = &(*last)->next;
    *last = parent->endings;
    parent->endings = winner->endings;
    winner->endings = NULL;
}

void exchange_adopt(struct exchange *parent, struct exchange *winner)
{
    struct worker *worker = winner->worker;

    ASSERT(winner->parent == parent && !parent->response_body);
    parent->response = winner->response;
    parent->response_trailers = winner->response_trailers;
    parent->response_body = winner->response_body;
    parent->endpoint = winner->endpoint;
    parent->endpoint_use = winner->endpoint_use;
    parent->attempts += winner->attempts;
    parent->retries += winner->retries;
    parent->times.sent_ns = winner->times.sent_ns;
    parent->times.head_ns = winner->times.head_ns;
    steps_move(&parent->steps, &winner->steps);
    move_endings(parent, winner);
    if (winner->tee)
        tee_drop(winner->tee); /* the parent's own use stays */
    if (winner->view)
        snapshot_view_unpin(winner->view);
    arena_adopt(&parent->arena, &winner->arena);
    winner->magic = 0;
    pool_give(&worker->exchanges, winner);
    metric_add(&worker->exchanges_ended, 1);
}

static int copy_bytes(struct exchange *x, struct bytes *bytes)
{
    return bytes->data ? arena_copy(&x->arena, *bytes, bytes) : 0; /* no query is not an empty one */
}

static int copy_parameters(struct exchange *copy)
{
    struct exchange_parameter *own = arena_alloc(&copy->arena, copy->parameter_count * sizeof(*own));
    int r = own ? 0 : -ENOMEM;

    for (unsigned i = 0; r == 0 && i < copy->parameter_count; i++) {
        own[i] = copy->parameters[i];
        r = copy_bytes(copy, &own[i].name);
        if (r == 0)
            r = copy_bytes(copy, &own[i].value);
    }
    copy->parameters = own;
    return r;
}

/* Everything that a detached head refers to moves into the copy's own arena. */
static int copy_request(struct exchange *copy)
{
    struct http_head *head = &copy->request;
    struct bytes *all[] = { &head->method_text, &head->target,  &head->scheme, &head->authority, &head->path,
                            &head->query,       &copy->client,  &copy->scheme, &copy->gateway,   &copy->request_id,
                            &copy->route,       &copy->service, &copy->caller };
    int r = exchange_own_request(copy);

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(all); i++)
        r = copy_bytes(copy, all[i]);
    for (unsigned i = 0; r == 0 && i < head->field_count; i++) {
        r = copy_bytes(copy, &head->fields[i].name);
        if (r == 0)
            r = copy_bytes(copy, &head->fields[i].value);
    }
    return r < 0 || copy->parameter_count == 0 ? r : copy_parameters(copy);
}

int exchange_detach(struct exchange *x, struct exchange **ret_copy)
{
    struct exchange *copy;
    int r = exchange_fork(x, &copy);

    if (r < 0)
        return r;
    r = copy_request(copy);
    if (r < 0) {
        exchange_end(copy, OUTCOME_CANCELED);
        return r;
    }
    copy->scope = NULL; /* its own, once somebody runs it */
    copy->detached = true;
    copy->request_trailers = NULL; /* they lie in the original's arena */
    if (copy->reader)
        copy->reader->follows = true;
    copy->parent = NULL;
    *ret_copy = copy;
    return 0;
}
