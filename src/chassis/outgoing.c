/* Calls of a handler to other services: an exchange of its own, without a source, within the handler's scope. */
#include "chassis/service.h"

#include "chassis/url.h"

#define FIELDS_SENT 8

struct weft_reply_head {
    unsigned count;
    struct {
        const char *name, *value;
    } fields[];
};

/* --- where to ------------------------------------------------------------------------------------------------ */

/* A service's name becomes the gateway's path. */
static int through_gateway(struct weft_call *call, struct url *url)
{
    const struct weft_service *service = call->service;
    struct bytes text;
    int r;

    if (service->gateway.len == 0)
        return -EDESTADDRREQ;
    r = arena_format(&call->memory, &text, BYTES_FMT "/" BYTES_FMT BYTES_FMT "%s" BYTES_FMT,
                     BYTES_ARG(service->gateway), BYTES_ARG(url->host), BYTES_ARG(url->path),
                     url->query.data ? "?" : "", BYTES_ARG(url->query));
    return r < 0 ? r : url_parse(text, url);
}

static int find_place(struct weft_call *call, const char *text, struct url *ret)
{
    struct bytes copy;
    int r;

    if (!text || strlen(text) > CHASSIS_URL_MAX)
        return -EINVAL;
    if (arena_copy(&call->memory, bytes_of_text(text), &copy) < 0)
        return -ENOMEM;
    r = url_parse(copy, ret);
    if (r == 0 && url_names_service(ret))
        r = through_gateway(call, ret);
    if (r == 0 && ret->path.len == 0)
        ret->path = BYTES("/");
    return r;
}

/* --- the request --------------------------------------------------------------------------------------------- */

static int add_content(struct exchange *x, const struct weft_content *content)
{
    struct http_head *head = &x->request;
    struct body_memory *memory;
    int r;

    r = http_head_add(head, HTTP_FIELD_CONTENT_TYPE,
                      content->type ? bytes_of_text(content->type) : BYTES("application/octet-stream"));
    if (r < 0)
        return r;
    head->has_content_length = true;
    head->content_length = content->len;
    if (content->len == 0)
        return 0;
    head->framing = HTTP_BODY_LENGTH;
    memory = arena_alloc(&x->arena, sizeof(*memory));
    if (!memory)
        return -ENOMEM;
    body_memory_init(memory, bytes_of(content->data, content->len));
    return exchange_set_request_body(x, &memory->body);
}

static int build_request(struct weft_call *call, struct exchange *x, const char *method, const struct url *url,
                         const struct weft_content *content)
{
    struct http_head *head = &x->request;
    int r = exchange_head_room(x, head, FIELDS_SENT);

    if (r < 0)
        return r;
    head->method = http_method_of(bytes_of_text(method));
    head->method_text = bytes_of_text(method);
    head->target = head->path = url->path;
    head->query = url->query;
    head->authority = url->authority;
    head->minor = 1;
    head->keep_alive = true;
    x->scheme = BYTES("http");
    x->request_id = call->x->request_id;
    x->deadline_ns = call->scope.deadline_ns;
    x->trace = call->x->trace;
    x->trace.parent = call->x->trace.span;
    x->trace.span = prng_next(&x->worker->prng) | 1;
    r = http_head_add(head, HTTP_FIELD_HOST, head->authority);
    if (r == 0)
        r = http_head_add(head, HTTP_FIELD_USER_AGENT, bytes_of_text(call->service->name));
    return r == 0 && content ? add_content(x, content) : r;
}

/* --- the answer ---------------------------------------------------------------------------------------------- */

static int take_head(struct weft_call *call, const struct http_head *head, struct weft_reply *reply)
{
    size_t count = head->field_count;
    struct weft_reply_head *copy = arena_alloc(&call->memory, sizeof(*copy) + count * sizeof(copy->fields[0]));

    if (!copy)
        return -ENOMEM;
    copy->count = head->field_count;
    for (unsigned i = 0; i < head->field_count; i++) {
        copy->fields[i].name = call_text(call, head->fields[i].name);
        copy->fields[i].value = call_text(call, head->fields[i].value);
        if (!copy->fields[i].name || !copy->fields[i].value)
            return -ENOMEM;
    }
    reply->head = copy;
    return 0;
}

static int error_of(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_CONNECT_FAILED: return -ECONNREFUSED;
    case OUTCOME_CONNECT_TIMEOUT:
    case OUTCOME_IDLE_TIMEOUT: return -ETIMEDOUT;
    case OUTCOME_CONNECTIONS_FULL:
    case OUTCOME_OVERLOAD: return -EAGAIN;
    case OUTCOME_UPSTREAM_PROTOCOL: return -EPROTO;
    case OUTCOME_TIMEOUT:
    case OUTCOME_TRY_TIMEOUT: return -ETIME;
    case OUTCOME_CANCELED: return -ECANCELED;
    case OUTCOME_BAD_REQUEST: return -EINVAL;
    default: return -ECONNRESET;
    }
}

/* Tries the addresses of the name in turn, as long as nothing was sent. */
static int carry_out(struct weft_call *call, struct exchange *x, const struct url *url, enum outcome *ret_outcome)
{
    struct targets *targets = &call->service->targets;

    for (unsigned i = 1;; i++) {
        struct endpoint *endpoint;
        int r = targets_find(targets, url->host, url->port, &endpoint);

        if (r == 0)
            r = exchange_use_endpoint(x, endpoint);
        if (r < 0)
            return r;
        *ret_outcome = endpoint->ops->run(endpoint, x);
        if (*ret_outcome == OUTCOME_OK)
            return 0;
        if (*ret_outcome != OUTCOME_CONNECT_FAILED && *ret_outcome != OUTCOME_CONNECT_TIMEOUT)
            return error_of(*ret_outcome);
        if (i == CHASSIS_ADDRESSES_MAX || !targets_next(targets, url->host, url->port, endpoint))
            return error_of(*ret_outcome);
        if (exchange_rewind(x) < 0)
            return error_of(*ret_outcome);
    }
}

static int read_reply(struct weft_call *call, struct exchange *x, struct weft_reply *reply)
{
    struct body *body = x->response_body;
    int r = take_head(call, &x->response, reply);

    if (r == 0)
        r = call_read_whole(call, body, &reply->body);
    if (r == 0)
        reply->status = x->response.status;
    if (r < 0 && body && body->outcome != OUTCOME_OK)
        return error_of(body->outcome);
    return r;
}

static int exchange(struct weft_call *call, const char *method, const struct url *url,
                    const struct weft_content *content, struct weft_reply *reply)
{
    enum outcome outcome = OUTCOME_INTERNAL;
    struct exchange *x;
    struct scope scope;
    int r;

    scope_open(&scope, TIME_NEVER);
    r = exchange_create(&call->service->worker, NULL, &scope, &x);
    if (r == 0) {
        r = build_request(call, x, method, url, content);
        if (r == 0)
            r = carry_out(call, x, url, &outcome);
        if (r == 0)
            r = read_reply(call, x, reply);
        exchange_end(x, outcome);
    }
    (void)scope_close(&scope);
    return r;
}

static const char *reason_of(int error)
{
    switch (error) {
    case -EINVAL: return "no request that can be sent";
    case -EDESTADDRREQ: return "WEFT_URL is not set: services can't be called by name";
    case -ENOENT: return "there is no such name";
    case -ECONNREFUSED: return "nobody listens there";
    case -ECONNRESET: return "it broke off: whether the service acted is not known";
    case -EPROTO: return "its answer is malformed";
    case -EMSGSIZE: return "its answer is longer than body_max";
    case -ETIME: return "the call's time is up";
    case -ECANCELED: return "nobody waits for the call any more";
    default: return strerrordesc_np(-error) ? strerrordesc_np(-error) : "failed";
    }
}

struct weft_reply weft_request(struct weft_call *call, const char *method, const char *url,
                               const struct weft_content *content)
{
    struct weft_reply reply = { .reason = "", .body = { "", 0 } };
    struct url place;
    int r = -EINVAL;

    if (call_is(call) && method && http_is_token(bytes_of_text(method)) &&
        http_method_of(bytes_of_text(method)) != HTTP_CONNECT && !(content && !content->data && content->len > 0))
        r = find_place(call, url, &place);
    if (r == 0)
        r = exchange(call, method, &place, content, &reply);
    if (r < 0)
        reply = (struct weft_reply){ .error = r, .reason = reason_of(r), .body = { "", 0 } };
    return reply;
}

const char *weft_reply_header(const struct weft_reply *reply, const char *name)
{
    const struct weft_reply_head *head = reply ? reply->head : NULL;

    for (unsigned i = 0; head && name && i < head->count; i++)
        if (bytes_equal_ci(bytes_of_text(head->fields[i].name), bytes_of_text(name)))
            return head->fields[i].value;
    return NULL;
}
