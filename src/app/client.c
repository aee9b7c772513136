#include "app/client.h"

#include "base/alloc.h"
#include "io/loop.h"
#include "io/stream.h"
#include "wire/http1.h"

#define HEAD_MAX (HTTP1_LINE_MAX + 1024) /* the longest path that the other side takes, and our fields */
#define READ_SIZE 16384                  /* a head of HTTP1_HEAD_MAX fits */

struct call {
    struct task task;
    struct loop *loop;
    struct address address;
    struct bytes method, path, body;
    int64_t limit_ns;
    int (*act)(struct call *call);
    struct io_socket socket;
    struct client_answer answer;
    char buffer[READ_SIZE];
    size_t have;
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_head head;
    int result;
};

/* --- one exchange ----------------------------------------------------------------------------------------------- */

static int send_request(struct call *call)
{
    char memory[HEAD_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct http_field fields[3];
    struct http_head head = { .method = http_method_of(call->method),
                              .method_text = call->method,
                              .path = call->path,
                              .authority = BYTES("localhost"),
                              .minor = 1,
                              .fields = fields,
                              .field_max = ARRAY_LEN(fields) };
    int r = http_head_add_named(&head, BYTES("Accept"), BYTES("application/json"));

    if (r == 0 && call->body.len > 0)
        r = http_head_add_named(&head, BYTES("Content-Type"), BYTES("application/json"));
    head.has_content_length = call->body.len > 0;
    head.content_length = call->body.len;
    if (head.has_content_length)
        head.framing = HTTP_BODY_LENGTH;
    if (r < 0)
        return r;
    http1_write_request(&text, &head);
    if (text.full)
        return -ENAMETOOLONG;
    r = stream_write(call->socket, text_bytes(&text), TIME_NEVER);
    return r == 0 && call->body.len > 0 ? stream_write(call->socket, call->body, TIME_NEVER) : r;
}

/* More bytes into the buffer. 0: the end. */
static ssize_t read_more(struct call *call)
{
    ssize_t n;

    if (call->have == sizeof(call->buffer))
        return -EPROTO;
    n = stream_read(call->socket, call->buffer + call->have, sizeof(call->buffer) - call->have, TIME_NEVER);
    if (n > 0)
        call->have += (size_t)n;
    return n;
}

static void use_up(struct call *call, size_t count)
{
    memmove(call->buffer, call->buffer + count, call->have - count);
    call->have -= count;
}

static int read_head(struct call *call)
{
    struct http1_head_reader reader;
    ssize_t n = 0;

    http1_head_start(&reader);
    call->head = (struct http_head){ .fields = call->fields, .field_max = HTTP_FIELDS_MAX };
    while ((n = http1_read_response(&reader, bytes_of(call->buffer, call->have), http_method_of(call->method),
                                    &call->head)) == 0) {
        n = read_more(call);
        if (n <= 0)
            return n == 0 ? -EPROTO : (int)n;
    }
    if (n < 0)
        return (int)n;
    call->answer.status = call->head.status;
    use_up(call, (size_t)n);
    return 0;
}

static int keep(struct call *call, struct bytes chunk)
{
    struct client_answer *answer = &call->answer;
    char *grown;

    if (answer->len + chunk.len > CLIENT_ANSWER_MAX)
        return -EFBIG;
    grown = mem_realloc(answer->data, answer->len + chunk.len + 1);
    if (!grown)
        return -ENOMEM;
    answer->data = grown;
    if (chunk.len > 0)
        memcpy(grown + answer->len, chunk.data, chunk.len);
    answer->len += chunk.len;
    grown[answer->len] = '\0';
    return 0;
}

static int read_body(struct call *call)
{
    struct http1_body_reader reader;
    int r = keep(call, BYTES_NONE);

    http1_body_start(&reader, &call->head);
    while (r == 0 && !reader.done) {
        struct bytes chunk;
        size_t used;
        ssize_t n;

        r = http1_read_body(&reader, bytes_of(call->buffer, call->have), NULL, &chunk, &used);
        if (r == 0)
            r = keep(call, chunk);
        if (r < 0 || reader.done)
            break;
        use_up(call, used);
        n = read_more(call);
        if (n < 0)
            r = (int)n;
        else if (n == 0)
            return http1_body_end(&reader);
    }
    return r;
}

static int carry_out(struct call *call)
{
    int r = stream_connect(&call->address, &call->socket, TIME_NEVER);

    if (r < 0)
        return r;
    r = send_request(call);
    if (r == 0)
        r = read_head(call);
    if (r == 0)
        r = read_body(call);
    call->loop->io->ops->close(call->loop->io, call->socket);
    return r;
}

static int connect_only(struct call *call)
{
    int r = stream_connect(&call->address, &call->socket, TIME_NEVER);

    if (r == 0)
        call->loop->io->ops->close(call->loop->io, call->socket);
    return r;
}

static int wait_gone(struct call *call)
{
    int r;

    while ((r = connect_only(call)) == 0) {
        r = fiber_sleep(CLIENT_POLL_NS);
        if (r < 0)
            return r;
    }
    return r == -ETIME ? r : 0;
}

/* --- on a loop of its own ---------------------------------------------------------------------------------------- */

static int call_run(struct task *task)
{
    struct call *call = container_of(task, struct call, task);
    struct scope scope;

    scope_open(&scope, call->limit_ns == TIME_NEVER ? TIME_NEVER : call->loop->now_ns + call->limit_ns);
    call->result = call->act(call);
    (void)scope_close(&scope);
    loop_stop(call->loop);
    return 0;
}

static int run(struct app *app, const char *socket, struct call *call)
{
    struct loop loop;
    size_t len = strlen(socket);
    int r;

    call->address.family = ADDRESS_UNIX;
    if (len >= sizeof(call->address.path))
        return -ENAMETOOLONG;
    memcpy(call->address.path, socket, len + 1);
    r = loop_init(&loop, app->io, NULL);
    if (r < 0)
        return r;
    call->loop = &loop;
    call->task.run = call_run;
    call->result = loop_spawn(&loop, &call->task);
    if (call->result < 0)
        loop_stop(&loop);
    loop_run(&loop);
    loop_done(&loop);
    return call->result;
}

static struct call *call_create(int (*act)(struct call *call), int64_t limit_ns)
{
    struct call *call = mem_zalloc(sizeof(*call));

    if (call) {
        call->act = act;
        call->limit_ns = limit_ns;
    }
    return call;
}

int client_call(struct app *app, const char *socket, struct bytes method, struct bytes path, int64_t limit_ns,
                struct client_answer *ret)
{
    return client_send(app, socket, method, path, BYTES_NONE, limit_ns, ret);
}

int client_send(struct app *app, const char *socket, struct bytes method, struct bytes path, struct bytes body,
                int64_t limit_ns, struct client_answer *ret)
{
    struct call *call = call_create(carry_out, limit_ns);
    int r;

    if (!call)
        return -ENOMEM;
    call->method = method;
    call->path = path;
    call->body = body;
    r = run(app, socket, call);
    if (r == 0)
        *ret = call->answer;
    else
        mem_free(call->answer.data);
    mem_free(call);
    return r;
}

static int simple(struct app *app, const char *socket, int (*act)(struct call *call), int64_t limit_ns)
{
    struct call *call = call_create(act, limit_ns);
    int r = call ? run(app, socket, call) : -ENOMEM;

    mem_free(call);
    return r;
}

int client_try(struct app *app, const char *socket)
{
    return simple(app, socket, connect_only, CLIENT_POLL_NS * 20);
}

int client_wait_gone(struct app *app, const char *socket, int64_t limit_ns)
{
    return simple(app, socket, wait_gone, limit_ns);
}
