/* One exchange after the other on a client's connection, on a fiber. See http/server.h. */
#include "base/assert.h"
#include "base/limits.h"
#include "exchange/snapshot.h"
#include "http/connection.h"
#include "http/forward.h"
#include "http/problem.h"

/* --- what an exchange may ask of its source --------------------------------------------------------------------- */

/* Whoever pumps the client's half of a tunnel has ended when the exchange does. */
struct tunnel_ending {
    struct ending ending;
    struct body *body;
};

static void tunnel_ended(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    body_close(container_of(ending, struct tunnel_ending, ending)->body, outcome);
}

static int source_tunnel(struct source *source, struct exchange *x, struct body **ret)
{
    struct http_connection *c = container_of(source, struct http_connection, source);
    struct tunnel_ending *end = arena_alloc(&x->arena, sizeof(*end));
    int r = end ? request_body_create(c, x, true, &end->body) : -ENOMEM;

    if (r < 0)
        return r;
    end->ending.run = tunnel_ended;
    exchange_at_end(x, &end->ending);
    *ret = end->body;
    c->tunnel = true;
    c->close_after = true;
    scope_cancel_on_hangup_stop(x->scope); /* a half-closed client is no reason to stop the other half */
    return 0;
}

static int source_interim(struct source *source, struct exchange *x, const struct http_head *head)
{
    struct http_connection *c = container_of(source, struct http_connection, source);
    char memory[1024];
    struct text text = text_into(memory, sizeof(memory));
    int r;

    if (x->request.minor == 0 || head->status == 101)
        return 0;
    http1_write_response(&text, head, x->request.method);
    if (text.full)
        return 0;
    r = conn_write(&c->conn, text_bytes(&text), c->server->limits.body_ns);
    if (r < 0)
        conn_abort(&c->conn); /* perhaps half of it has gone: no answer can follow */
    return r;
}

const struct source_ops CONNECTION_SOURCE = {
    .name = "http",
    .tunnel = source_tunnel,
    .interim = source_interim,
};

/* --- the answer --------------------------------------------------------------------------------------------------- */

/* How one answer is written. */
struct answer {
    struct http_connection *c;
    struct exchange *x;
    struct http_head head;
    char *memory; /* a leased buffer for the head */
    struct text text;
    bool chunked, has_body;
    int64_t limit_ns;
};

/* Much of the request is still to come and nobody will want it: the connection is not worth keeping. */
static bool request_pending(const struct exchange *x)
{
    const struct body *source = x->tee ? x->tee->source : NULL;

    if (!source || source->ended)
        return false;
    return x->request.expect_continue || !source->has_length || source->length - source->read > HTTP_DRAIN_BODY_MAX;
}

/* RFC 9112, 6.3: how the client will know where the body ends. */
static void choose_framing(struct answer *answer)
{
    struct exchange *x = answer->x;
    struct http_connection *c = answer->c;
    struct http_head *head = &answer->head;

    head->minor = x->request.minor; /* a client of 1.0 believes that it is kept only if 1.0 says so */
    head->keep_alive = x->request.keep_alive && !c->close_after && !c->server->draining && !request_pending(x);
    answer->has_body = x->response_body && x->request.method != HTTP_HEAD;
    if (head->framing == HTTP_BODY_TUNNEL)
        return;
    if (x->response_body && x->response_body->has_length) {
        head->framing = HTTP_BODY_LENGTH;
        head->content_length = x->response_body->length;
        head->has_content_length = true;
    } else if (x->response_body && x->request.minor >= 1) {
        head->framing = HTTP_BODY_CHUNKED;
    } else if (x->response_body) {
        head->framing = HTTP_BODY_UNTIL_CLOSE;
        head->keep_alive = false;
    } else {
        head->framing = HTTP_BODY_NONE;
    }
    answer->chunked = head->framing == HTTP_BODY_CHUNKED && answer->has_body;
    if (!head->keep_alive)
        c->close_after = true;
}

static int answer_start(struct answer *answer)
{
    struct exchange *x = answer->x;
    int r = http_forward_response(x, &answer->head);

    if (r < 0)
        return r;
    choose_framing(answer);
    answer->memory = pool_take(&x->worker->buffers);
    if (!answer->memory)
        return -ENOMEM;
    answer->text = text_into(answer->memory, BUFFER_SIZE);
    http1_write_response(&answer->text, &answer->head, x->request.method);
    return answer->text.full ? -ENOSPC : 0;
}

/* Trailers are written where the head was, or behind it. */
static struct text end_room(struct answer *answer, bool last, char *memory, size_t size)
{
    const struct http_head *trailers = answer->x->response_trailers;
    size_t used = answer->text.len;

    if (last && trailers && trailers->field_count > 0)
        return text_into(answer->memory + used, BUFFER_SIZE - used);
    return text_into(memory, size);
}

/* Writes head (once) and chunk together; `last` adds the end of a chunked body. */
static int answer_write(struct answer *answer, struct bytes chunk, bool last)
{
    char chunk_head[HTTP1_CHUNK_HEAD_MAX], end_memory[16];
    struct text end = end_room(answer, last, end_memory, sizeof(end_memory));
    struct iovec parts[4];
    int count = 0;

    if (answer->text.len > 0)
        parts[count++] = (struct iovec){ answer->text.data, answer->text.len };
    if (answer->chunked && chunk.len > 0)
        parts[count++] = (struct iovec){ chunk_head, http1_write_chunk_head(chunk_head, chunk.len) };
    if (chunk.len > 0)
        parts[count++] = (struct iovec){ (void *)(uintptr_t)chunk.data, chunk.len };
    if (answer->chunked && chunk.len > 0)
        text_add(&end, BYTES("\r\n"));
    if (answer->chunked && last) {
        struct text kept = end;

        http1_write_last_chunk(&end, answer->x->response_trailers);
        if (end.full) { /* more trailers than we pass on */
            end = kept;
            http1_write_last_chunk(&end, NULL);
        }
    }
    if (end.len > 0)
        parts[count++] = (struct iovec){ end.data, end.len };
    answer->text.len = 0;
    answer->x->answered = true;
    answer->x->sent_bytes += chunk.len;
    return count ? conn_write_parts(&answer->c->conn, parts, count, answer->limit_ns) : 0;
}

static enum outcome write_failed(int error)
{
    return error == -ETIME ? OUTCOME_TIMEOUT : OUTCOME_CLIENT_GONE;
}

/* The body broke off: the client must not take what it got for all of it. */
static enum outcome body_failed(struct answer *answer, int error)
{
    struct body *body = answer->x->response_body;

    answer->c->close_after = true;
    if (error == -ETIME || error == -ECANCELED)
        return outcome_of_error(error, OUTCOME_INTERNAL);
    return body->outcome ? body->outcome : OUTCOME_UPSTREAM_INCOMPLETE;
}

static enum outcome stream_body(struct answer *answer)
{
    struct body *body = answer->x->response_body;
    struct bytes chunk;
    int r;

    if (!body->at_hand) { /* the head goes first: the body may take its time */
        r = answer_write(answer, BYTES_NONE, false);
        if (r < 0)
            return write_failed(r);
    }
    while ((r = body_read(body, &chunk)) > 0) {
        r = answer_write(answer, chunk, body->ended);
        if (r < 0)
            return write_failed(r);
        if (body->ended)
            return OUTCOME_OK;
    }
    if (r < 0)
        return body_failed(answer, r);
    r = answer_write(answer, BYTES_NONE, true);
    return r < 0 ? write_failed(r) : OUTCOME_OK;
}

/* Sends x's answer. What is returned is final. */
static enum outcome send_answer(struct http_connection *c, struct exchange *x)
{
    struct answer answer = { .c = c, .x = x, .limit_ns = c->tunnel ? HTTP_TUNNEL_NS : c->server->limits.body_ns };
    enum outcome outcome;
    int r = answer_start(&answer);

    if (r == 0 && c->tunnel) /* the stages have returned, and what they say in the head has been written */
        (void)!exchange_release_snapshot(x);
    if (r < 0) {
        outcome = r == -ENOSPC ? OUTCOME_UPSTREAM_PROTOCOL
                               : OUTCOME_OVERLOAD; /* a head too large for a buffer, or none */
    } else if (answer.has_body) {
        outcome = stream_body(&answer);
    } else {
        r = answer_write(&answer, BYTES_NONE, false);
        outcome = r < 0 ? write_failed(r) : OUTCOME_OK;
    }
    if (outcome != OUTCOME_OK)
        c->close_after = true;
    pool_give(&x->worker->buffers, answer.memory);
    return outcome;
}

/* The work failed, or was cancelled: say so, in a scope that the failure doesn't reach. */
static enum outcome send_problem(struct http_connection *c, struct exchange *x, enum outcome outcome)
{
    struct scope scope;

    if (outcome == OUTCOME_CLIENT_GONE || outcome_info(outcome)->status == 0) {
        c->close_after = true;
        return outcome;
    }
    scope_open_shielded(&scope, HTTP_CLOSING_NS);
    if (http_problem(x, outcome, BYTES_NONE) < 0 || send_answer(c, x) != OUTCOME_OK)
        c->close_after = true;
    scope_close(&scope);
    return outcome;
}

/* --- the request ------------------------------------------------------------------------------------------------- */

static int name_client(struct http_connection *c, struct exchange *x)
{
    struct address address = { .family = (enum address_family)c->peer.family, .port = c->peer.port };
    struct text text = text_into(arena_alloc(&x->arena, 48), 48);

    if (!text.data)
        return -ENOMEM;
    if (address.family != ADDRESS_UNIX)
        memcpy(address.ip, c->peer.ip, sizeof(c->peer.ip));
    address_write_host(&text, &address);
    x->client = text_bytes(&text);
    return 0;
}

static int prepare(struct http_connection *c, struct exchange *x)
{
    struct body *body;
    int r = name_client(c, x);

    if (r == 0)
        r = http_trace_begin(x);
    if (r < 0 || x->request.framing == HTTP_BODY_NONE)
        return r;
    r = request_body_create(c, x, false, &body);
    if (r == 0)
        r = exchange_set_request_body(x, body);
    return r;
}

static enum outcome run_stages(struct http_connection *c, struct exchange *x)
{
    if (prepare(c, x) < 0 || !x->view) {
        c->close_after = true; /* where there is no body to read, its bytes must not be taken for a request */
        return OUTCOME_OVERLOAD;
    }
    if (http_via_loops(&x->request))
        return OUTCOME_LOOP;
    return stage_run(x->view->snapshot->root, x);
}

/* Nobody may have wanted the rest of the request body: a little of it is read away, so that the connection can go on
 * and the client reads our answer before a reset (RFC 9112, 9.6). */
static void finish_request(struct http_connection *c, struct exchange *x)
{
    struct body *source = x->tee ? x->tee->source : NULL;
    struct bytes chunk;
    struct scope scope;

    if (!source || c->tunnel)
        return;
    scope_open(&scope, x->worker->loop->now_ns + HTTP_CLOSING_NS);
    while (!source->ended && source->read < HTTP_DRAIN_BODY_MAX && !x->request.expect_continue)
        if (body_read(source, &chunk) <= 0)
            break;
    scope_close(&scope);
    if (!source->ended)
        c->close_after = true;
}

/* What came behind this request is the next one's: it moves to the place behind the head, which those that are told of
 * the end still look at. */
static void keep_rest(struct http_connection *c, struct exchange *x)
{
    struct body *source = x->tee ? x->tee->source : NULL;
    struct bytes rest = bytes_of(c->buffer + c->head_len, c->have - c->head_len);

    if (source)
        (void)request_body_rest(source, &rest);
    if (source && !source->ended && !c->tunnel)
        c->linger = true;
    if (rest.len > c->capacity - c->head_len)
        c->close_after = true; /* it lay in a buffer of the body's, and there is no room for it here */
    if (c->close_after)
        return;
    memmove(c->buffer + c->head_len, rest.data, rest.len);
    c->have = c->head_len + (uint32_t)rest.len;
}

/* The exchange is over: the head goes. */
static void drop_head(struct http_connection *c)
{
    if (c->close_after)
        return;
    c->have -= c->head_len;
    memmove(c->buffer, c->buffer + c->head_len, c->have);
    c->head_len = 0;
}

/* Whether the connection broke, told apart from an end of the scope for other reasons. */
static enum outcome settle_outcome(struct http_connection *c, const struct scope *scope, enum outcome outcome)
{
    if (outcome == OUTCOME_CANCELED && scope_ended(scope) && !c->conn.aborted)
        return OUTCOME_CLIENT_GONE;
    return outcome;
}

static void serve_exchange(struct http_connection *c)
{
    struct exchange *x = c->x;
    struct scope scope;
    enum outcome outcome = OUTCOME_CLIENT_GONE;

    scope_open(&scope, TIME_NEVER);
    x->scope = &scope;
    if (!c->conn.aborted && scope_cancel_on_hangup(&scope, c->conn.socket) == 0)
        outcome = settle_outcome(c, &scope, run_stages(c, x));
    if (outcome == OUTCOME_OK)
        outcome = settle_outcome(c, &scope, send_answer(c, x));
    if (outcome != OUTCOME_OK && !x->answered)
        outcome = send_problem(c, x, outcome);
    body_close(x->response_body, outcome); /* stops who still sends the request */
    x->response_body = NULL;
    if (!c->close_after)
        finish_request(c, x);
    keep_rest(c, x);
    c->x = NULL;
    exchange_end(x, outcome);
    drop_head(c);
    scope_close(&scope);
}

int connection_run(struct task *task)
{
    struct http_connection *c = container_of(task, struct http_connection, task);
    enum http1_error error;

    for (;;) {
        serve_exchange(c);
        c->since_ns = c->server->worker->loop->now_ns;
        if (c->close_after || c->have == 0 || connection_parse(c, &error) <= 0)
            break; /* connection_ran() sees to what is left, and says what is wrong with it */
    }
    if (!c->close_after && c->have == 0)
        c->since_ns = 0;
    return 0;
}
