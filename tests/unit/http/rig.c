#include "rig.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- the gateway ------------------------------------------------------------------------------------------ */

static struct rig *rig_of(const struct worker *worker)
{
    return container_of(worker, struct rig, worker);
}

static void seen(const struct observer *observer, struct worker *worker, const struct exchange *x)
{
    struct rig *rig = rig_of(worker);

    if (rig->seen_count < RIG_SEEN_MAX)
        snprintf(rig->seen[rig->seen_count], sizeof(rig->seen[0]), BYTES_FMT " " BYTES_FMT " %u " BYTES_FMT,
                 BYTES_ARG(x->request.method_text), BYTES_ARG(x->request.path), x->response.status,
                 BYTES_ARG(outcome_info(x->outcome)->name));
    rig->seen_count++;
}

static const struct observer SEEN = { .ended = seen };
static const struct observer *const OBSERVERS[] = { &SEEN, NULL };

static int publish(struct rig *rig)
{
    struct snapshot *snapshot;
    struct stage *root;
    int r = snapshot_create(++rig->version, &snapshot);

    if (r < 0)
        return r;
    list_push_back(&rig->snapshots, &snapshot->node);
    r = snapshot_add_stage(snapshot, rig->plan->root ? rig->plan->root : &STAGE_RIG, NULL, BYTES("root"), &root);
    if (r == 0)
        snapshot->root = root;
    return r < 0 ? r : worker_enter(&rig->worker, snapshot);
}

static int gateway_open(struct rig *rig)
{
    struct address address = sim_address(rig->gateway_node, RIG_PORT);
    struct http_endpoint_conf conf = rig->plan->endpoint;
    struct io *io = rig->loop->io;
    int r = worker_init(&rig->worker, 0, rig->loop, &rig->plan->worker);

    rig->worker.observers = OBSERVERS;
    conf.name = BYTES("origin");
    conf.address = sim_address(rig->origin_node, RIG_PORT);
    if (r == 0)
        r = http_server_init(&rig->server, &rig->worker, &rig->plan->server);
    if (r == 0)
        r = http_endpoint_create(&rig->worker, &conf, &rig->endpoint);
    if (r == 0)
        r = publish(rig);
    if (r == 0)
        r = io->ops->listen(io, &address, 1024, false, &rig->socket);
    return r < 0 ? r : http_server_listen(&rig->server, rig->socket, BYTES("rig"), BYTES("http"), &rig->listener);
}

static void gateway_close(struct rig *rig)
{
    http_server_abort(&rig->server);
    for (unsigned i = 0; i < 10000 && (!http_server_quiet(&rig->server) || rig->worker.exchanges.out > 0); i++)
        if (fiber_sleep(NS_PER_MS) < 0)
            break;
    RIG_CHECK(rig, http_server_quiet(&rig->server));
    RIG_CHECK(rig, rig->worker.exchanges.out == 0);
    if (rig->endpoint)
        endpoint_drop(rig->endpoint);
    http_server_done(&rig->server);
    rig->loop->io->ops->close(rig->loop->io, rig->socket);
    worker_done(&rig->worker);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 0);
}

static int gateway_life(struct task *task)
{
    struct rig *rig = container_of(task, struct rig, life_task);

    rig->life = fiber_current();
    while (!rig->over) {
        (void)!fiber_park(TIME_NEVER);
        if (rig->call)
            rig->call(rig);
        rig->call = NULL;
    }
    gateway_close(rig);
    loop_stop(rig->loop);
    loop_stop(rig->origin_loop);
    sim_loop_wake(rig->origin_loop);
    return 0;
}

static int gateway_start(struct sim_process *process, void *context)
{
    struct rig *rig = context;
    int r;

    rig->loop = sim_process_loop(process, &rig->plan->loop);
    ASSERT(rig->loop);
    r = gateway_open(rig);
    rig->life_task.run = gateway_life;
    return r < 0 ? r : loop_spawn(rig->loop, &rig->life_task);
}

void rig_on_gateway(struct rig *rig, void (*run)(struct rig *rig))
{
    rig->call = run;
    fiber_wake(rig->life);
    sim_loop_wake(rig->loop);
    while (rig->call)
        rig_sleep(NS_PER_MS);
}

/* --- the origin ------------------------------------------------------------------------------------------- */

struct visit {
    struct task task;
    struct rig *rig;
    struct io_socket socket;
    unsigned number;
};

static size_t head_end(const char *text, size_t from, size_t len)
{
    for (size_t i = from; i + 4 <= len; i++)
        if (memcmp(text + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    return 0;
}

static ssize_t origin_read(struct rig *rig, struct io_socket socket, size_t max)
{
    size_t room = MIN(max, RIG_TEXT_MAX - 1 - rig->origin_len);
    ssize_t n = stream_read(socket, rig->origin_text + rig->origin_len, room, TIME_NEVER);

    if (n > 0)
        rig->origin_len += (size_t)n;
    rig->origin_text[rig->origin_len] = '\0';
    return n;
}

/* A head, byte by byte so that nothing behind it is taken, and a body of its length. */
static int origin_request(struct rig *rig, struct io_socket socket, bool with_body)
{
    size_t start = rig->origin_len, end;
    const char *length;
    size_t left;

    while ((end = head_end(rig->origin_text, start, rig->origin_len)) == 0)
        if (origin_read(rig, socket, 1) <= 0)
            return -ECONNRESET;
    length = strstr(rig->origin_text + start, "Content-Length: ");
    left = with_body && length ? strtoul(length + 16, NULL, 10) : 0;
    while (left > 0) {
        ssize_t n = origin_read(rig, socket, left);

        if (n <= 0)
            return -ECONNRESET;
        left -= (size_t)n;
    }
    return 0;
}

static int origin_slowly(struct io_socket socket, const char *text)
{
    int r = 0;

    for (; r == 0 && *text; text++) {
        r = stream_write(socket, bytes_of(text, 1), TIME_NEVER);
        if (r == 0)
            r = fiber_sleep(NS_PER_MS);
    }
    return r;
}

static int origin_step(struct rig *rig, struct io_socket socket, const char *step)
{
    switch (step[0]) {
    case '<': return origin_request(rig, socket, true);
    case 'h': return origin_request(rig, socket, false);
    case '>': return stream_write(socket, bytes_of_text(step + 1), TIME_NEVER);
    case '1': return origin_slowly(socket, step + 1);
    case 'z': return fiber_sleep(strtol(step + 1, NULL, 10) * NS_PER_MS);
    case '.':
    case '!': return -ESHUTDOWN;
    case 'a':
        while (origin_read(rig, socket, 4096) > 0)
            ;
        return 0;
    default: rig_fail(rig, "no such step: %s", step); return -EINVAL;
    }
}

static void origin_script(struct rig *rig, struct io_socket socket, unsigned number)
{
    const char *const *const *script = rig->plan->origin;
    struct io *io = rig->origin_loop->io;
    char memory[4096];

    while (number-- > 0 && script[1])
        script++;
    for (const char *const *step = *script; *step; step++)
        if (origin_step(rig, socket, *step) < 0) {
            if ((*step)[0] == '!')
                io->ops->reset(io, socket);
            else
                io->ops->close(io, socket);
            return;
        }
    while (stream_read(socket, memory, sizeof(memory), TIME_NEVER) > 0)
        ;
    io->ops->close(io, socket);
}

static int visit_run(struct task *task)
{
    struct visit *visit = container_of(task, struct visit, task);
    struct rig *rig = visit->rig;

    if (rig->plan->origin_run)
        rig->plan->origin_run(rig, visit->socket, visit->number);
    else
        origin_script(rig, visit->socket, visit->number);
    rig->origin_open--;
    return 0;
}

static void visit_ended(struct task *task)
{
    mem_free(container_of(task, struct visit, task));
}

static int origin_accept(struct task *task)
{
    struct rig *rig = container_of(task, struct rig, origin_task);
    struct io *io = rig->origin_loop->io;
    struct address peer;
    struct io_socket socket;
    int r;

    while (stream_accept(rig->origin_socket, &socket, &peer) == 0) {
        struct visit *visit = mem_zalloc(sizeof(*visit));

        *visit = (struct visit){ .task = { .run = visit_run, .ended = visit_ended },
                                 .rig = rig,
                                 .socket = socket,
                                 .number = rig->origin_connections++ };
        rig->origin_open++;
        r = loop_spawn(rig->origin_loop, &visit->task);
        ASSERT(r == 0);
    }
    io->ops->close(io, rig->origin_socket);
    return 0;
}

static int origin_start(struct sim_process *process, void *context)
{
    struct rig *rig = context;
    struct address address = sim_address(process->on, RIG_PORT);
    int r;

    rig->origin_loop = sim_process_loop(process, NULL);
    ASSERT(rig->origin_loop);
    if (!rig->plan->origin && !rig->plan->origin_run)
        return 0;
    rig->origin_task.run = origin_accept;
    r = rig->origin_loop->io->ops->listen(rig->origin_loop->io, &address, 1024, false, &rig->origin_socket);
    return r < 0 ? r : loop_spawn(rig->origin_loop, &rig->origin_task);
}

/* --- the client ------------------------------------------------------------------------------------------- */

struct rig_line *rig_dial(struct rig *rig)
{
    struct address address = sim_address(rig->gateway_node, RIG_PORT);
    struct rig_line *line = &rig->lines[rig->line_count++ % RIG_LINES];

    rig_hang_up(line);
    line->rig = rig;
    line->fate = RIG_OPEN;
    line->len = 0;
    line->text[0] = '\0';
    RIG_CHECK(rig, stream_connect(&address, &line->socket, NS_PER_S) == 0);
    return line;
}

void rig_say_bytes(struct rig_line *line, const void *data, size_t len)
{
    (void)!stream_write(line->socket, bytes_of(data, len), 10 * NS_PER_S); /* what is heard tells */
}

void rig_say(struct rig_line *line, const char *text)
{
    rig_say_bytes(line, text, strlen(text));
}

enum rig_fate rig_hear(struct rig_line *line, int64_t quiet_ns)
{
    while (line->fate == RIG_OPEN && line->len < RIG_TEXT_MAX - 1) {
        ssize_t n = stream_read(line->socket, line->text + line->len, RIG_TEXT_MAX - 1 - line->len, quiet_ns);

        if (n == -ETIMEDOUT)
            break;
        if (n <= 0)
            line->fate = n == 0 ? RIG_CLOSED : RIG_RESET;
        else
            line->len += (size_t)n;
    }
    line->text[line->len] = '\0';
    return line->fate;
}

void rig_hang_up(struct rig_line *line)
{
    if (io_socket_is(line->socket))
        line->rig->client_loop->io->ops->close(line->rig->client_loop->io, line->socket);
    line->socket = IO_SOCKET_NONE;
}

void rig_shut(struct rig_line *line)
{
    RIG_CHECK(line->rig, line->rig->client_loop->io->ops->shut_write(line->rig->client_loop->io, line->socket) == 0);
}

void rig_reset(struct rig_line *line)
{
    line->rig->client_loop->io->ops->reset(line->rig->client_loop->io, line->socket);
    line->socket = IO_SOCKET_NONE;
}

/* The usual two pointers: the last star takes one byte more each time that what follows it does not fit. */
bool rig_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *again = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            again = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

void rig_heard(struct rig_line *line, const char *pattern, const char *file, int number)
{
    if (!rig_matches(pattern, line->text))
        rig_fail(line->rig, "%s:%d: expected\n%s\nheard\n%.600s", file, number, pattern, line->text);
}

void rig_fail(struct rig *rig, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    print_error("\n");
    rig->failures++;
}

void rig_sleep(int64_t ns)
{
    if (fiber_sleep(ns) < 0)
        ASSERT(!"the test's own fiber was cancelled");
}

unsigned rig_count(const char *text, const char *part)
{
    unsigned count = 0;

    for (text = strstr(text, part); text; text = strstr(text + strlen(part), part))
        count++;
    return count;
}

static int client_run(struct task *task)
{
    struct rig *rig = container_of(task, struct rig, client_task);

    while (!rig->life)
        rig_sleep(NS_PER_MS);
    rig->body(rig);
    for (unsigned i = 0; i < RIG_LINES; i++)
        rig_hang_up(&rig->lines[i]);
    rig->over = true;
    fiber_wake(rig->life);
    sim_loop_wake(rig->loop);
    loop_stop(rig->client_loop);
    return 0;
}

static int client_start(struct sim_process *process, void *context)
{
    struct rig *rig = context;

    rig->client_loop = sim_process_loop(process, NULL);
    ASSERT(rig->client_loop);
    rig->client_task.run = client_run;
    return loop_spawn(rig->client_loop, &rig->client_task);
}

/* --- all of it -------------------------------------------------------------------------------------------- */

void rig_run(void (*body)(struct rig *rig), const struct rig_plan *plan)
{
    static const struct rig_plan NO_PLAN;
    struct world_end end = { .until_ns = 36000 * NS_PER_S, .reached = world_all_ended };
    struct rig *rig = test_calloc(1, sizeof(*rig));
    unsigned failures;
    int r;

    rig->plan = plan ? plan : &NO_PLAN;
    rig->body = body;
    rig->user = rig->plan->user;
    list_init(&rig->snapshots);
    rig->world = world_create(11);
    if (rig->plan->weather)
        rig->plan->weather(&rig->world->faults);
    rig->client_node = world_node(rig->world);
    rig->gateway_node = world_node(rig->world);
    rig->origin_node = world_node(rig->world);
    sim_process_start(sim_process_add(rig->origin_node, "origin", origin_start, rig));
    sim_process_start(sim_process_add(rig->gateway_node, "gateway", gateway_start, rig));
    sim_process_start(sim_process_add(rig->client_node, "client", client_start, rig));
    r = world_run(rig->world, &end);
    if (rig->world->failed)
        print_error("%s\n", rig->world->failure);
    failures = rig->failures + rig->world->failed + (r != 0);
    world_end_processes(rig->world);
    world_destroy(rig->world);
    test_free(rig);
    assert_int_equal(failures, 0);
}
