/* Calls of a handler to other services: an exchange of its own, without a source, within the handler's scope. */
#include "chassis/fakes.h"
#include "chassis/json.h"
#include "chassis/url.h"

#define FIELDS_SENT 8

/* A request on its way. */
struct outgoing {
    const char *method;
    struct url url;
    const struct weft_content *content; /* NULL: none */
    struct weft_content written;        /* of options->json */
    const struct weft_request_options *options;
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

static int find_url(struct weft_call *call, const char *text, struct url *ret)
{
    struct bytes copy;

    if (!text || strlen(text) > CHASSIS_URL_MAX)
        return -EINVAL;
    if (arena_copy(&call->memory, bytes_of_text(text), &copy) < 0)
        return -ENOMEM;
    return url_parse(copy, ret);
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

/* What came is passed on unchanged, tracestate with it (W3C Trace Context, 3.3): the chassis has no spans. Where
 * nothing came, the call's own is the parent of all that it asks for. */
static int add_trace(struct weft_call *call, struct exchange *x)
{
    const struct http_field *state = NULL;

    x->trace = call->trace;
    if (call->trace.parent != 0)
        x->trace.span = call->trace.parent;
    else
        x->trace.parent = x->trace.span;
    if (call->x && call->trace.parent != 0)
        state = http_head_find(&call->x->request, BYTES("tracestate"));
    return state ? http_head_add(&x->request, HTTP_FIELD_TRACESTATE, state->value) : 0;
}

/* Fields that are the chassis's own, also because requests would be told apart by who reads which of two. */
static bool is_ours(enum http_field_id id)
{
    switch (id) {
    case HTTP_FIELD_HOST:
    case HTTP_FIELD_USER_AGENT:
    case HTTP_FIELD_CONTENT_TYPE:
    case HTTP_FIELD_CONTENT_LENGTH:
    case HTTP_FIELD_TRACEPARENT:
    case HTTP_FIELD_TRACESTATE:
    case HTTP_FIELD_X_REQUEST_ID:
    case HTTP_FIELD_EXPECT:
    case HTTP_FIELD_TRAILER: return true;
    default: return http_field_hop_by_hop(id);
    }
}

static bool headers_fine(const struct weft_request_options *options)
{
    size_t size = 0;

    if (options->header_count > CHASSIS_SENT_HEADERS_MAX || (!options->headers && options->header_count > 0))
        return false;
    for (size_t i = 0; i < options->header_count; i++) {
        struct bytes name = bytes_of_text(options->headers[i].name), value = bytes_of_text(options->headers[i].value);

        if (!http_is_token(name) || !options->headers[i].value || !http_is_field_value(value) ||
            is_ours(http_field_id_of(name)))
            return false;
        size += name.len + value.len;
    }
    return size <= CHASSIS_HEADERS_SIZE_MAX;
}

static int add_headers(struct exchange *x, const struct weft_request_options *options)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < options->header_count; i++)
        r = http_head_add_named(&x->request, bytes_of_text(options->headers[i].name),
                                bytes_of_text(options->headers[i].value));
    return r;
}

static int build_request(struct weft_call *call, struct exchange *x, const struct outgoing *out)
{
    struct http_head *head = &x->request;
    int r = exchange_head_room(x, head, FIELDS_SENT + (unsigned)out->options->header_count);

    if (r < 0)
        return r;
    head->method = http_method_of(bytes_of_text(out->method));
    head->method_text = bytes_of_text(out->method);
    head->target = head->path = out->url.path;
    head->query = out->url.query;
    head->authority = out->url.authority;
    head->minor = 1;
    head->keep_alive = true;
    x->scheme = BYTES("http");
    x->request_id = bytes_of_text(call->request_id);
    x->deadline_ns = fiber_scope()->deadline_ns;
    r = http_head_add(head, HTTP_FIELD_HOST, head->authority);
    if (r == 0)
        r = http_head_add(head, HTTP_FIELD_USER_AGENT, bytes_of_text(call->service->name));
    if (r == 0)
        r = add_trace(call, x);
    if (r == 0)
        r = add_headers(x, out->options);
    return r == 0 && out->content ? add_content(x, out->content) : r;
}

/* --- the answer ---------------------------------------------------------------------------------------------- */

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
    int r = reply_head_copy(&call->memory, &x->response, &reply->head);

    if (r == 0)
        r = call_read_whole(call, body, &reply->body);
    if (r == 0)
        reply->status = x->response.status;
    if (r < 0 && body && body->outcome != OUTCOME_OK)
        return error_of(body->outcome);
    return r;
}

static int exchange(struct weft_call *call, const struct outgoing *out, struct weft_reply *reply)
{
    struct loop *loop = call->service->worker.loop;
    int64_t timeout_ns = out->options->timeout_ms * NS_PER_MS;
    enum outcome outcome = OUTCOME_INTERNAL;
    struct exchange *x;
    struct scope scope;
    int r;

    scope_open(&scope, timeout_ns > 0 ? loop_after(loop, timeout_ns) : TIME_NEVER);
    r = exchange_create(&call->service->worker, NULL, &scope, &x);
    if (r == 0) {
        r = build_request(call, x, out);
        if (r == 0)
            r = carry_out(call, x, &out->url, &outcome);
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

struct weft_reply reply_failed(int error)
{
    return (struct weft_reply){ .error = error, .reason = reason_of(error), .body = { "", 0 } };
}

static bool fine(const struct weft_call *call, const struct outgoing *out)
{
    const struct weft_content *content = out->content;

    return call_is(call) && out->method && http_is_token(bytes_of_text(out->method)) &&
           http_method_of(bytes_of_text(out->method)) != HTTP_CONNECT &&
           !(content && !content->data && content->len > 0) && out->options->timeout_ms >= 0 &&
           headers_fine(out->options);
}

/* The content of options->json. */
static int write_json(struct weft_call *call, struct outgoing *out)
{
    struct weft_bytes text;
    int r;

    if (out->content || !out->options->json)
        return 0;
    r = weft_json_write(call, out->options->json, &text);
    if (r < 0)
        return r;
    out->written = (struct weft_content){ .type = "application/json", .data = text.data, .len = text.len };
    out->content = &out->written;
    return 0;
}

static int send(struct weft_call *call, const char *text, struct outgoing *out, struct weft_reply *reply)
{
    int r = find_url(call, text, &out->url);
    bool named = r == 0 && url_names_service(&out->url);

    if (r < 0)
        return r;
    if (named && call->service->fake_count > 0)
        return fake_answer(call, out->method, &out->url, out->content, out->options, reply);
    if (named)
        r = through_gateway(call, &out->url);
    if (out->url.path.len == 0)
        out->url.path = BYTES("/");
    return r < 0 ? r : exchange(call, out, reply);
}

struct weft_reply weft_request_with(struct weft_call *call, const char *method, const char *url,
                                    const struct weft_content *content, const struct weft_request_options *options)
{
    const struct weft_request_options none = { .headers = NULL };
    struct outgoing out = { .method = method, .content = content, .options = options ? options : &none };
    struct weft_reply reply = { .reason = "", .body = { "", 0 } };
    int r = fine(call, &out) ? write_json(call, &out) : -EINVAL;

    if (r == 0)
        r = send(call, url, &out, &reply);
    return r < 0 ? reply_failed(r) : reply;
}

struct weft_reply weft_request(struct weft_call *call, const char *method, const char *url,
                               const struct weft_content *content)
{
    return weft_request_with(call, method, url, content, NULL);
}
