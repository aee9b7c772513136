/* Sending a request body while the answer is read, on a fiber of its own; also one half of a tunnel. */
#include "base/assert.h"
#include "base/limits.h"
#include "http/upstream.h"

/* A body error is the client's: the exchange has failed. A write error is the peer's, who may still answer (RFC 9112,
 * 9.5): its reader finds out. */
static enum outcome send_body(struct sender *sender, bool *ret_body_failed)
{
    struct conn *conn = &sender->to->conn;
    struct bytes chunk;
    int r;

    *ret_body_failed = false;
    while ((r = body_read(sender->from, &chunk)) > 0) {
        char head[HTTP1_CHUNK_HEAD_MAX];
        struct iovec parts[3];
        int count = 0;

        if (sender->chunked)
            parts[count++] = (struct iovec){ head, http1_write_chunk_head(head, chunk.len) };
        parts[count++] = (struct iovec){ (void *)(uintptr_t)chunk.data, chunk.len };
        if (sender->chunked)
            parts[count++] = (struct iovec){ (void *)(uintptr_t) "\r\n", 2 };
        if (conn_write_parts(conn, parts, count, sender->limit_ns) < 0)
            return OUTCOME_OK;
    }
    if (r < 0) {
        *ret_body_failed = true;
        return sender->from->outcome ? sender->from->outcome : outcome_of_error(r, OUTCOME_CLIENT_GONE);
    }
    return OUTCOME_OK;
}

static int send_end(struct sender *sender)
{
    char memory[HTTP1_TRAILERS_WRITE_MAX];
    struct text text = text_into(memory, sizeof(memory));

    if (sender->tunnel)
        return conn_shut_write(&sender->to->conn);
    if (!sender->chunked)
        return 0;
    http1_write_last_chunk(&text, sender->trailers);
    if (text.full) {
        text = text_into(memory, sizeof(memory));
        http1_write_last_chunk(&text, NULL);
    }
    return conn_write(&sender->to->conn, text_bytes(&text), sender->limit_ns);
}

static int sender_run(struct task *task)
{
    struct sender *sender = container_of(task, struct sender, task);
    bool body_failed;

    scope_open(&sender->scope, TIME_NEVER);
    sender->started = true;
    if (sender->stopped)
        scope_cancel(&sender->scope);
    sender->failed = send_body(sender, &body_failed);
    if (body_failed) {
        if (!sender->stopped)
            conn_abort(&sender->to->conn); /* the reader shall not wait for an answer to half a request */
    } else if (sender->from->ended) {
        sender->sent_all = send_end(sender) == 0;
    }
    scope_close(&sender->scope);
    return 0;
}

/* On the loop's stack, when the fiber is gone. */
static void sender_ended(struct task *task)
{
    struct sender *sender = container_of(task, struct sender, task);

    sender->finished = true;
    if (sender->joiner)
        fiber_wake(sender->joiner);
}

int sender_start(struct sender *sender, struct exchange *x, struct upstream *to, struct body *from, bool chunked,
                 bool tunnel, int64_t limit_ns)
{
    *sender = (struct sender){ .task = { .run = sender_run, .ended = sender_ended },
                               .from = from,
                               .to = to,
                               .trailers = x->request_trailers,
                               .limit_ns = limit_ns,
                               .chunked = chunked,
                               .tunnel = tunnel };
    return scope_spawn(x->scope, &sender->task);
}

void sender_stop(struct sender *sender)
{
    sender->stopped = true;
    if (!sender->finished && sender->started)
        scope_cancel(&sender->scope);
    sender->joiner = fiber_current();
    while (!sender->finished)
        fiber_park_deaf();
    sender->joiner = NULL;
}
