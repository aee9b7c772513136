/* Carrying out an exchange on an endpoint. See http/client.h. */
#include "http/client.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "http/forward.h"
#include "http/problem.h"
#include "http/upstream.h"

/* One try of one exchange on one connection. */
struct
try {
    struct http_endpoint *owner;
    struct exchange *x;
    struct upstream *upstream;
    struct sender *sender; /* NULL: the request has no body, or it went with the head */
    char *memory;          /* a leased buffer: the request's head goes out from it, the answer comes into it */
    size_t have;           /* bytes of the answer in it */
    size_t head_len;
    bool wrote;            /* a byte of the request may have left */
    struct http_head head; /* of the answer */
};

/* The buffer with the answer's head stays until the exchange ends. */
struct buffer_ending {
    struct ending ending;
    char *memory;
};

static void buffer_ended(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    pool_give(&x->worker->buffers, container_of(ending, struct buffer_ending, ending)->memory);
}

static int keep_buffer(struct try *try)
{
    struct buffer_ending *keep = arena_alloc(&try->x->arena, sizeof(*keep));

    if (!keep)
        return -ENOMEM;
    keep->memory = try->memory;
    keep->ending.run = buffer_ended;
    exchange_at_end(try->x, &keep->ending);
    return 0;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static bool is_closed(int error)
{
    return error == -EPIPE || error == -ECONNRESET || error == -ECONNABORTED || error == -ENOTCONN;
}

static enum outcome send_failed(struct try *try, int error)
{
    if (is_closed(error))
        return OUTCOME_UPSTREAM_CLOSED;
    return outcome_of_error(error, OUTCOME_UPSTREAM_CLOSED);
}

static enum outcome start_sender(struct try *try, struct body *from, bool chunked, bool tunnel, int64_t limit_ns)
{
    struct sender *sender = arena_alloc(&try->x->arena, sizeof(*sender));
    int r;

    if (!sender)
        return OUTCOME_OVERLOAD;
    r = sender_start(sender, try->x, try->upstream, from, chunked, tunnel, limit_ns);
    if (r < 0)
        return outcome_of_error(r, OUTCOME_OVERLOAD);
    try->sender = sender;
    return OUTCOME_OK;
}

/* A connection that the peer has closed for good takes nothing: then the request can't have been seen. */
static int write_request(struct try *try, struct iovec *parts, int count)
{
    struct conn *conn = &try->upstream->conn;
    ssize_t n = conn_try_write(conn, parts, count);

    if (n < 0 && n != -EAGAIN)
        return (int)n;
    try->wrote = true;
    stream_parts_skip(&parts, &count, n < 0 ? 0 : (size_t)n);
    return conn_write_parts(conn, parts, count, try->owner->conf.body_ns);
}

/* The head, with the body if that is at hand and goes out as it is. */
static enum outcome send_request(struct try *try)
{
    struct exchange *x = try->x;
    struct body *body = x->request_body;
    struct text text = text_into(try->memory, BUFFER_SIZE);
    struct bytes chunk = BYTES_NONE;
    struct iovec parts[2];
    struct http_head head;
    int r = http_forward_request(x, try->owner->conf.host, try->owner->conf.direct, &head);

    if (r < 0)
        return OUTCOME_OVERLOAD;
    http1_write_request(&text, &head);
    if (text.full)
        return OUTCOME_BAD_REQUEST; /* with what we added, no peer has to take it */
    if (body && body->at_hand && !body->ended && head.framing != HTTP_BODY_CHUNKED) {
        r = body_read(body, &chunk);
        if (r < 0)
            return body->outcome;
    }
    parts[0] = (struct iovec){ text.data, text.len };
    parts[1] = (struct iovec){ (void *)(uintptr_t)chunk.data, chunk.len };
    r = write_request(try, parts, chunk.len ? 2 : 1);
    if (r < 0)
        return send_failed(try, r);
    if (!body || (body->has_length && body->read == body->length))
        return OUTCOME_OK;
    return start_sender(try, body, head.framing == HTTP_BODY_CHUNKED, false, try->owner->conf.body_ns);
}

/* --- reading the head -----------------------------------------------------------------------------------------------
 */

/* The head is read into the endpoint's scratch, from its start each time (it nearly always comes in one piece), and
 * copied to size when it is complete. 1: complete. 0: more is needed. */
static int read_head(struct try *try)
{
    struct exchange *x = try->x;
    struct http_head *head = &try->head;
    struct http1_head_reader reader;
    ssize_t len;

    *head = (struct http_head){ .fields = try->owner->scratch, .field_max = HTTP_FIELDS_MAX };
    http1_head_start(&reader);
    len = http1_read_response(&reader, bytes_of(try->memory + try->head_len, try->have - try->head_len),
                              x->request.method, head);
    if (len < 0)
        return -EPROTO;
    if (len == 0)
        return try->have < BUFFER_SIZE ? 0 : -EPROTO;
    if (exchange_head_room(x, &x->response, head->field_count + HTTP_FIELDS_ADDED_MAX) < 0)
        return -ENOMEM;
    memcpy(x->response.fields, head->fields, head->field_count * sizeof(*head->fields));
    head->fields = x->response.fields;
    head->field_max = x->response.field_max;
    try->head_len += (size_t)len;
    return 1;
}

/* Why the peer said nothing more: our own sender may know better. */
static enum outcome read_failed(struct try *try, ssize_t n)
{
    if (try->sender && try->sender->failed != OUTCOME_OK)
        return try->sender->failed;
    if (n == 0 || is_closed((int)n))
        return OUTCOME_UPSTREAM_CLOSED;
    return outcome_of_error((int)n, OUTCOME_UPSTREAM_CLOSED);
}

static enum outcome receive_head(struct try *try)
{
    for (;;) {
        int r = try->have > try->head_len ? read_head(try) : 0;
        ssize_t n;

        if (r > 0)
            return OUTCOME_OK;
        if (r < 0)
            return r == -EPROTO ? OUTCOME_UPSTREAM_PROTOCOL : OUTCOME_OVERLOAD;
        n = conn_read(&try->upstream->conn, try->memory + try->have, BUFFER_SIZE - try->have, TIME_NEVER);
        if (n <= 0)
            return read_failed(try, n);
        try->have += (size_t)n;
    }
}

/* Interim answers are passed on; what follows them is the answer (RFC 9110, 15.2). */
static enum outcome receive_answer(struct try *try)
{
    for (unsigned interims = 0; interims <= HTTP_INTERIMS_MAX; interims++) {
        enum outcome outcome = receive_head(try);
        struct source *source = try->x->source;

        if (outcome != OUTCOME_OK)
            return outcome;
        if (try->head.status >= 200 || try->head.status == 101)
            return OUTCOME_OK;
        http_head_strip_hop_by_hop(&try->head);
        if (try->head.status != 100 && source && source->ops->interim)
            if (source->ops->interim(source, try->x, &try->head) < 0)
                return OUTCOME_CLIENT_GONE;
        memmove(try->memory, try->memory + try->head_len, try->have - try->head_len);
        try->have -= try->head_len;
        try->head_len = 0;
    }
    return OUTCOME_UPSTREAM_PROTOCOL;
}

/* --- the answer
 * -------------------------------------------------------------------------------------------------------- */

/* The connection becomes a tunnel: the client's bytes go through a sender, the peer's are the answer's body. */
static enum outcome start_tunnel(struct try *try)
{
    struct exchange *x = try->x;
    struct body *from;

    if (!x->source || !x->source->ops->tunnel || try->sender)
        return OUTCOME_UPSTREAM_PROTOCOL; /* it can't be asked for where nobody can carry it */
    if (try->head.status == 101 && !x->request.upgrade)
        return OUTCOME_UPSTREAM_PROTOCOL;
    if (x->source->ops->tunnel(x->source, x, &from) < 0)
        return OUTCOME_OVERLOAD;
    return start_sender(try, from, false, true, HTTP_TUNNEL_NS);
}

static enum outcome take_answer(struct try *try)
{
    struct exchange *x = try->x;
    struct response_start start = {
        .upstream = try->upstream, .memory = try->memory, .size = BUFFER_SIZE, .start = try->head_len, .end = try->have
    };
    enum outcome outcome = OUTCOME_OK;

    if (try->head.framing == HTTP_BODY_TUNNEL)
        outcome = start_tunnel(try);
    if (outcome != OUTCOME_OK)
        return outcome;
    x->response = try->head;
    if (x->response.status >= 500 && !try->owner->conf.direct)
        http_note_received(x);
    start.sender = try->sender;
    if (response_body_create(x, &start) < 0)
        return OUTCOME_OVERLOAD;
    return OUTCOME_OK;
}

static void give_up(struct try *try)
{
    if (try->sender)
        sender_stop(try->sender);
    upstream_close(try->upstream);
}

static enum outcome try_once(struct try *try)
{
    struct exchange *x = try->x;
    enum outcome outcome;
    bool sent;

    try->memory = pool_take(&x->worker->buffers);
    if (!try->memory || keep_buffer(try) < 0) {
        pool_give(&x->worker->buffers, try->memory);
        upstream_release(try->upstream);
        return OUTCOME_OVERLOAD;
    }
    outcome = send_request(try);
    sent = outcome == OUTCOME_OK;
    if (sent || (outcome == OUTCOME_UPSTREAM_CLOSED && try->wrote && !try->sender))
        outcome = receive_answer(try); /* also when sending failed: the peer may have answered before it closed */
    try->head.keep_alive = try->head.keep_alive && sent;
    if (outcome == OUTCOME_OK)
        outcome = take_answer(try);
    if (outcome != OUTCOME_OK)
        give_up(try);
    return outcome;
}

/* (2): the peer closed the connection, perhaps before it saw the request. */
static bool may_replay(const struct try *try, enum outcome outcome, bool repeatable)
{
    return outcome == OUTCOME_UPSTREAM_CLOSED && try->have == 0 && (repeatable || !try->wrote) &&
           exchange_replayable(try->x);
}

static enum outcome http_endpoint_run(struct endpoint *endpoint, struct exchange *x)
{
    struct http_endpoint *owner = container_of(endpoint, struct http_endpoint, endpoint);
    struct upstream_wish wish = { .repeatable = http_method_idempotent(x->request.method) ||
                                                http_head_has(&x->request, HTTP_FIELD_IDEMPOTENCY_KEY) };

    for (;;) {
        struct try try = { .owner = owner, .x = x };
        enum outcome outcome;
        bool reused;

        wish.to_come = x->request_body && !x->request_body->at_hand;
        outcome = upstream_take(owner, &wish, &try.upstream);
        if (outcome != OUTCOME_OK)
            return outcome;
        reused = try.upstream->reused;
        outcome = try_once(&try);
        if (outcome == OUTCOME_UPSTREAM_PROTOCOL)
            metric_add(&owner->stats.protocol_errors, 1);
        if (wish.fresh || !reused || !may_replay(&try, outcome, wish.repeatable))
            return outcome;
        if (exchange_rewind(x) < 0)
            return outcome;
        metric_add(&owner->stats.replays, 1);
        wish.fresh = true;
    }
}

static const struct endpoint_ops HTTP_ENDPOINT_OPS = { .run = http_endpoint_run };

/* --- the endpoint's own life ----------------------------------------------------------------------------------------
 */

static void http_endpoint_unused(struct endpoint *endpoint)
{
    http_endpoint_retire(endpoint);
    upstream_settle(container_of(endpoint, struct http_endpoint, endpoint));
}

static void set_defaults(struct http_endpoint_conf *conf)
{
    if (conf->connections_max == 0)
        conf->connections_max = HTTP_UPSTREAM_CONNECTIONS_MAX;
    if (conf->connect_ns == 0)
        conf->connect_ns = HTTP_CONNECT_NS;
    if (conf->idle_ns == 0)
        conf->idle_ns = HTTP_UPSTREAM_IDLE_NS;
    if (conf->body_ns == 0)
        conf->body_ns = HTTP_BODY_NS;
}

int http_endpoint_create(struct worker *worker, const struct http_endpoint_conf *conf, struct endpoint **ret)
{
    size_t names = conf->name.len + conf->host.len + ADDRESS_TEXT_MAX;
    struct http_endpoint *owner = mem_zalloc(sizeof(*owner) + names);
    struct text address;

    if (!owner)
        return -ENOMEM;
    owner->scratch = mem_zalloc_array(HTTP_FIELDS_MAX, sizeof(*owner->scratch));
    if (!owner->scratch) {
        mem_free(owner);
        return -ENOMEM;
    }
    owner->worker = worker;
    owner->conf = *conf;
    set_defaults(&owner->conf);
    memcpy(owner->names, conf->name.data, conf->name.len);
    if (conf->host.len > 0)
        memcpy(owner->names + conf->name.len, conf->host.data, conf->host.len);
    owner->conf.name = bytes_of(owner->names, conf->name.len);
    owner->conf.host = bytes_of(owner->names + conf->name.len, conf->host.len);
    address = text_into(owner->names + conf->name.len + conf->host.len, ADDRESS_TEXT_MAX);
    address_write(&address, &conf->address);
    owner->learned_idle_ns = TIME_NEVER;
    list_init(&owner->idle);
    list_init(&owner->waiters);
    list_init(&owner->waiters_to_come);
    owner->endpoint = (struct endpoint){ .ops = &HTTP_ENDPOINT_OPS,
                                         .name = owner->conf.name,
                                         .address = text_bytes(&address),
                                         .uses = 1,
                                         .unused = http_endpoint_unused };
    *ret = &owner->endpoint;
    return 0;
}

void http_endpoint_retire(struct endpoint *endpoint)
{
    struct http_endpoint *owner = container_of(endpoint, struct http_endpoint, endpoint);

    owner->retired = true;
    owner->endpoint.uses++; /* closing the last connection must not free the owner under our hands */
    LIST_EACH (&owner->idle, node, next)
        upstream_close(container_of(node, struct upstream, node));
    owner->endpoint.uses--;
}

const struct http_endpoint_stats *http_endpoint_stats(const struct endpoint *endpoint)
{
    return &container_of(endpoint, struct http_endpoint, endpoint)->stats;
}

unsigned http_endpoint_open_connections(const struct endpoint *endpoint)
{
    return container_of(endpoint, struct http_endpoint, endpoint)->open;
}
