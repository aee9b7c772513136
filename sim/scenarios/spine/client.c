#include "sim/scenarios/spine/client.h"

#include "io/stream.h"
#include "wire/http1.h"

#include <inttypes.h>

#define PATIENCE_NS (20 * NS_PER_S)
#define ROOM BUFFER_SIZE

/* One connection and what was read from it. */
struct line {
    struct client_plan *plan;
    struct io_socket socket;
    char *buffer;
    size_t start, end;
    uint64_t leaves_after; /* bytes read or written; UINT64_MAX: it stays */
    uint64_t moved;
    bool close;
};

/* What one request asks for. */
struct ask {
    char kind;
    uint64_t seed, len;
    bool head;
};

struct client {
    struct task task;
    struct client_plan *plan;
};

/* --- moving bytes, and leaving ---------------------------------------------------------------------------------------
 */

static int moved(struct line *line, size_t count)
{
    line->moved += count;
    return line->moved >= line->leaves_after ? -ECANCELED : 0;
}

static int line_write(struct line *line, struct bytes data)
{
    int r = stream_write(line->socket, data, PATIENCE_NS);

    return r < 0 ? r : moved(line, data.len);
}

/* More bytes behind those that are there. 0: the end. */
static ssize_t line_fill(struct line *line)
{
    ssize_t n;
    int r;

    if (line->start > 0) {
        memmove(line->buffer, line->buffer + line->start, line->end - line->start);
        line->end -= line->start;
        line->start = 0;
    }
    if (line->end == ROOM)
        return -ENOSPC;
    n = stream_read(line->socket, line->buffer + line->end, ROOM - line->end, PATIENCE_NS);
    if (n <= 0)
        return n;
    line->end += (size_t)n;
    r = moved(line, (size_t)n);
    return r < 0 ? r : n;
}

/* --- sending
 * --------------------------------------------------------------------------------------------------------------- */

struct upload {
    struct task task;
    struct line *line;
    const struct ask *ask;
    int result;
};

static int send_pieces(struct upload *upload)
{
    const struct ask *ask = upload->ask;
    char piece[600], head[HTTP1_CHUNK_HEAD_MAX];
    int r = 0;

    for (uint64_t at = 0; at < ask->len && r == 0;) {
        size_t count = (size_t)MIN(ask->len - at, sizeof(piece) - at % 7);

        for (size_t i = 0; i < count; i++)
            piece[i] = spine_byte(ask->seed, at + i);
        if (ask->kind == 'E')
            r = line_write(upload->line, bytes_of(head, http1_write_chunk_head(head, count)));
        if (r == 0)
            r = line_write(upload->line, bytes_of(piece, count));
        if (r == 0 && ask->kind == 'E')
            r = line_write(upload->line, BYTES("\r\n"));
        at += count;
    }
    if (r == 0 && ask->kind == 'E')
        r = line_write(upload->line, BYTES("0\r\n\r\n"));
    return r;
}

static int upload_run(struct task *task)
{
    struct upload *upload = container_of(task, struct upload, task);

    upload->result = send_pieces(upload);
    return 0;
}

static int send_head(struct line *line, const struct ask *ask)
{
    char memory[512];
    struct text text = text_into(memory, sizeof(memory));
    bool post = ask->kind == 'e' || ask->kind == 'E';

    if (post)
        text_add(&text, BYTES("POST /e"));
    else if (ask->kind == 't')
        text_add(&text, BYTES("GET /t"));
    else
        text_add_format(&text, "%s /%c/%llu/%llu", ask->head ? "HEAD" : "GET", ask->kind, (unsigned long long)ask->seed,
                        (unsigned long long)ask->len);
    text_add(&text, BYTES(" HTTP/1.1\r\nHost: sim\r\n"));
    if (ask->kind == 't')
        text_add(&text, BYTES("Connection: upgrade\r\nUpgrade: echo\r\n"));
    if (ask->kind == 'e')
        text_add_format(&text, "Content-Length: %llu\r\n", (unsigned long long)ask->len);
    if (ask->kind == 'E')
        text_add(&text, BYTES("Transfer-Encoding: chunked\r\n"));
    text_add(&text, BYTES("\r\n"));
    return line_write(line, text_bytes(&text));
}

/* --- receiving
 * --------------------------------------------------------------------------------------------------------------- */

static int read_head(struct line *line, const struct ask *ask, struct http_head *head)
{
    struct http1_head_reader reader;
    ssize_t len, n;

    for (;;) {
        http1_head_start(&reader);
        len = http1_read_response(&reader, bytes_of(line->buffer + line->start, line->end - line->start),
                                  ask->head ? HTTP_HEAD : HTTP_GET, head);
        if (len < 0) {
            world_fail(line->plan->world, "the gateway's answer is malformed: " BYTES_FMT,
                       BYTES_ARG(http1_error_text(reader.error)));
            return -EPROTO;
        }
        if (len > 0) {
            line->start += (size_t)len;
            return 0;
        }
        n = line_fill(line);
        if (n <= 0)
            return n < 0 ? (int)n : -ECONNRESET;
    }
}

/* Reads the body to its end. -ECONNRESET: it broke off. */
static int read_body(struct line *line, const struct ask *ask, const struct http_head *head, uint64_t *ret_len)
{
    struct http1_body_reader reader;
    bool check = head->status == 200 && !line->plan->gathers;
    uint64_t at = 0;

    http1_body_start(&reader, head);
    while (!reader.done) {
        struct bytes chunk;
        size_t used;
        ssize_t n;

        if (http1_read_body(&reader, bytes_of(line->buffer + line->start, line->end - line->start), NULL, &chunk,
                            &used) < 0) {
            world_fail(line->plan->world, "the gateway's body is malformed");
            return -EPROTO;
        }
        line->start += used;
        for (size_t i = 0; check && i < chunk.len; i++)
            if (at + i >= ask->len || chunk.data[i] != spine_byte(ask->seed, at + i)) {
                world_fail(line->plan->world, "%c: byte %" PRIu64 " of %" PRIu64 " is wrong", ask->kind, at + i,
                           ask->len);
                return -EPROTO;
            }
        at += chunk.len;
        if (used > 0 || reader.done)
            continue;
        n = line_fill(line);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return http1_body_end(&reader) < 0 ? -ECONNRESET : 0;
    }
    *ret_len = at;
    return 0;
}

/* The tunnel gives back what is sent into it. */
static int use_tunnel(struct line *line, const struct ask *ask)
{
    uint64_t sent = 0, at = 0;
    char piece[300];

    while (at < ask->len) {
        size_t count = (size_t)MIN(ask->len - sent, sizeof(piece));
        ssize_t n;
        int r;

        for (size_t i = 0; i < count; i++)
            piece[i] = spine_byte(ask->seed, sent + i);
        r = line_write(line, bytes_of(piece, count));
        if (r < 0)
            return r;
        sent += count;
        while (at < sent) {
            for (; line->start < line->end; line->start++, at++)
                if (line->buffer[line->start] != spine_byte(ask->seed, at)) {
                    world_fail(line->plan->world, "tunnel: byte %llu is wrong", (unsigned long long)at);
                    return -EPROTO;
                }
            n = at < sent ? line_fill(line) : 1;
            if (n <= 0)
                return n < 0 ? (int)n : -ECONNRESET;
        }
    }
    return 0;
}

static int judge(struct line *line, const struct ask *ask, const struct http_head *head, uint64_t len)
{
    struct client_plan *plan = line->plan;
    bool whole = ask->head || len == ask->len || plan->gathers || ask->kind == 'w';

    if (head->status < 300 && !whole) {
        world_fail(plan->world, "%c: %llu bytes of %llu, and said to be all", ask->kind, (unsigned long long)len,
                   (unsigned long long)ask->len);
        return -EPROTO;
    }
    if (head->status < 300)
        return 0;
    if (plan->must_work)
        world_fail(plan->world, "%c: status %u on a quiet day", ask->kind, head->status);
    return -EREMOTE;
}

static int receive(struct line *line, const struct ask *ask)
{
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_head head = { .fields = fields, .field_max = HTTP_FIELDS_MAX };
    uint64_t len = 0;
    int r;

    do {
        r = read_head(line, ask, &head);
    } while (r == 0 && head.status < 200 && head.status != 101);
    if (r < 0)
        return r;
    if (!head.keep_alive)
        line->close = true;
    if (head.framing == HTTP_BODY_TUNNEL) {
        line->close = true;
        return use_tunnel(line, ask);
    }
    if (head.framing != HTTP_BODY_NONE)
        r = read_body(line, ask, &head, &len);
    return r < 0 ? r : judge(line, ask, &head, len);
}

/* --- one exchange after the other
 * ------------------------------------------------------------------------------------------- */

static struct ask draw(struct client_plan *plan)
{
    struct prng *prng = &plan->world->prng;
    struct ask ask = { .kind = plan->kinds[prng_below(prng, strlen(plan->kinds))], .seed = prng_below(prng, 1000000) };

    ask.len = prng_chance(prng, 0.3) ? prng_below(prng, 300) : prng_below(prng, plan->len_max + 1);
    ask.head = (ask.kind == 'b' || ask.kind == 'c') && prng_chance(prng, 0.1);
    if (ask.kind == 'w')
        ask.seed = prng_below(prng, plan->must_work ? 2000 : 5000);
    return ask;
}

static int exchange_one(struct line *line)
{
    struct ask ask = draw(line->plan);
    struct upload upload = { .task = { .run = upload_run }, .line = line, .ask = &ask };
    bool sends = ask.kind == 'e' || ask.kind == 'E';
    struct scope scope;
    int r = send_head(line, &ask);

    if (r < 0)
        return r;
    scope_open(&scope, TIME_NEVER);
    if (sends)
        r = scope_spawn(&scope, &upload.task);
    if (r == 0)
        r = receive(line, &ask);
    if (r == 0 && sends) { /* all came back, so all was sent */
        struct task *done;

        (void)!scope_wait(&scope, &done);
    }
    scope_close(&scope);
    if (sends && (r < 0 || upload.result < 0))
        line->close = true;
    world_note(line->plan->world, "answer", r, ask.len);
    if (ask.kind == 'd' && r < 0) { /* it broke off, as it had to, and the client was told so */
        line->close = true;
        return 0;
    }
    return r;
}

static int connection_one(struct client_plan *plan)
{
    struct prng *prng = &plan->world->prng;
    struct io *io = loop_current()->io;
    struct address address = sim_address(plan->gateway, SPINE_PORT);
    struct line line = { .plan = plan, .leaves_after = UINT64_MAX };
    int r = stream_connect(&address, &line.socket, PATIENCE_NS);

    if (r < 0) {
        plan->done++;
        plan->failed++;
        return fiber_sleep(50 * NS_PER_MS);
    }
    if (prng_chance(prng, plan->leave_chance))
        line.leaves_after = prng_below(prng, plan->len_max + 200);
    line.buffer = mem_alloc(ROOM);
    while (line.buffer && !line.close && plan->done < plan->requests) {
        r = exchange_one(&line);
        plan->done++;
        plan->ok += r == 0;
        plan->left += r == -ECANCELED;
        plan->failed += r < 0 && r != -ECANCELED;
        if (plan->must_work && r < 0 && r != -ECANCELED)
            world_fail(plan->world, "an exchange failed on a quiet day (%d)", r);
        if (r < 0 && r != -EREMOTE)
            line.close = true;
        if (prng_chance(prng, 0.1) && fiber_sleep(prng_between(prng, 0, 3000) * NS_PER_MS) < 0)
            break;
    }
    mem_free(line.buffer);
    if (prng_chance(prng, 0.5))
        io->ops->close(io, line.socket);
    else
        io->ops->reset(io, line.socket);
    return 0;
}

static int client_run(struct task *task)
{
    struct client *client = container_of(task, struct client, task);
    struct client_plan *plan = client->plan;

    while (plan->done < plan->requests && !plan->world->failed && connection_one(plan) == 0)
        ;
    plan->ended = true;
    loop_stop(loop_current());
    return 0;
}

static void client_ended(struct task *task)
{
    mem_free(container_of(task, struct client, task));
}

int client_start(struct sim_process *process, void *plan)
{
    struct loop *loop = sim_process_loop(process, &(struct loop_limits){ .fibers_max = 4, .stacks_keep = 2 });
    struct client *client = mem_zalloc(sizeof(*client));

    if (!loop || !client)
        return -ENOMEM;
    client->task = (struct task){ .run = client_run, .ended = client_ended };
    client->plan = plan;
    return loop_spawn(loop, &client->task);
}
