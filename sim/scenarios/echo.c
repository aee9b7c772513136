#include "sim/scenarios/echo.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/pool.h"
#include "io/stream.h"

#define SERVERS_MAX 3
#define CLIENTS_MAX 6
#define PORT 7
#define CHUNK 700       /* of the server's buffer: sizes of reads and writes never match */
#define SESSIONS_MAX 16 /* connections of one server: more wait in the backlog */
#define IDLE_NS (5 * NS_PER_S)
#define TRY_NS (20 * NS_PER_S)
#define ROUND_MAX 6000 /* bytes a round */

struct echo {
    struct world *world;
    bool lossy;
    unsigned server_count, client_count;
    struct sim_process *servers[SERVERS_MAX];
    struct client *clients[CLIENTS_MAX];
    unsigned clients_done;
    struct nemesis *nemesis;
    struct sim_event stop;
};

/* --- the server ---------------------------------------------------------------------------------------------- */

struct server {
    struct task task;
    struct echo *echo;
    struct loop *loop;
    struct pool sessions;
    struct io_socket listener;
};

struct session {
    struct task task;
    struct server *server;
    struct io_socket socket;
};

static void session_ended(struct task *task)
{
    struct session *session = container_of(task, struct session, task);

    pool_give(&session->server->sessions, session);
}

static int session_run(struct task *task)
{
    struct session *session = container_of(task, struct session, task);
    struct io *io = loop_current()->io;
    char buffer[CHUNK];
    ssize_t n;

    while ((n = stream_read(session->socket, buffer, sizeof(buffer), IDLE_NS)) > 0) {
        if (session->server->echo->lossy && n > 1 && prng_chance(&session->server->echo->world->prng, 0.05))
            memmove(buffer, buffer + 1, (size_t)--n);
        n = stream_write(session->socket, bytes_of(buffer, (size_t)n), IDLE_NS);
        if (n < 0)
            break;
    }
    io->ops->close(io, session->socket);
    return 0;
}

static int session_begin(struct server *server, struct scope *scope, struct io_socket socket)
{
    struct session *session = pool_take(&server->sessions);
    int r;

    if (!session)
        return -EAGAIN;
    *session = (struct session){ .task = { .run = session_run, .ended = session_ended },
                                 .server = server,
                                 .socket = socket };
    r = scope_spawn(scope, &session->task);
    if (r < 0)
        pool_give(&server->sessions, session);
    return r;
}

static int server_run(struct task *task)
{
    struct server *server = container_of(task, struct server, task);
    struct io *io = loop_current()->io;
    struct scope scope;
    struct io_socket socket;
    int r;

    scope_open(&scope, TIME_NEVER);
    while ((r = stream_accept(server->listener, &socket, NULL)) == 0)
        if (session_begin(server, &scope, socket) < 0)
            io->ops->reset(io, socket);
    (void)scope_close(&scope);
    io->ops->close(io, server->listener);
    pool_done(&server->sessions);
    return r;
}

static void server_ended(struct task *task)
{
    mem_free(container_of(task, struct server, task));
}

static int server_start(struct sim_process *process, void *context)
{
    struct loop_limits limits = { .fibers_max = SESSIONS_MAX + 1, .stacks_keep = 4 };
    struct address address = sim_address(process->on, PORT);
    struct loop *loop = sim_process_loop(process, &limits);
    struct server *server = mem_zalloc(sizeof(*server));
    int r;

    if (!loop || !server)
        return -ENOMEM;
    server->task = (struct task){ .run = server_run, .ended = server_ended };
    server->echo = context;
    server->loop = loop;
    pool_init(&server->sessions, "sessions", sizeof(struct session), SESSIONS_MAX, 2);
    r = loop->io->ops->listen(loop->io, &address, 4, false, &server->listener);
    return r < 0 ? r : loop_spawn(loop, &server->task);
}

/* --- the client ---------------------------------------------------------------------------------------------- */

/* The bytes of a round are a function of this number and their place. */
static char byte_at(uint64_t round, size_t at)
{
    return (char)(hash_mix64(round + at / 8) >> at % 8 * 8);
}

struct client {
    struct task task;
    struct echo *echo;
    struct sim_process *process;
    unsigned number, rounds, rounds_done, tries;
};

struct sender {
    struct task task;
    struct io_socket socket;
    uint64_t round;
    size_t len;
};

static int sender_run(struct task *task)
{
    struct sender *sender = container_of(task, struct sender, task);
    struct io *io = loop_current()->io;
    char buffer[512];

    for (size_t at = 0; at < sender->len;) {
        size_t len = MIN(sizeof(buffer), sender->len - at);
        int r;

        for (size_t i = 0; i < len; i++)
            buffer[i] = byte_at(sender->round, at + i);
        r = stream_write(sender->socket, bytes_of(buffer, len), IDLE_NS);
        if (r < 0)
            return r;
        at += len;
    }
    return io->ops->shut_write(io, sender->socket);
}

/* Reads until the end and compares. 0: all of it came back. */
static int client_read(struct client *client, const struct sender *sender)
{
    char buffer[512];
    size_t at = 0;
    ssize_t n;

    while ((n = stream_read(sender->socket, buffer, sizeof(buffer), IDLE_NS)) > 0) {
        for (size_t i = 0; i < (size_t)n; i++, at++)
            if (at >= sender->len || buffer[i] != byte_at(sender->round, at)) {
                world_fail(client->echo->world, "client %u: byte %zu of %zu is not what was sent", client->number, at,
                           sender->len);
                return -EPROTO;
            }
    }
    return n < 0 ? (int)n : at == sender->len ? 0 : -EPIPE;
}

/* One connection: both directions at once, since neither side's buffers hold it all. */
static int client_round(struct client *client)
{
    struct world *world = client->echo->world;
    struct sim_node *server = client->echo->servers[prng_below(&world->prng, client->echo->server_count)]->on;
    struct address address = sim_address(server, PORT);
    struct io *io = loop_current()->io;
    struct sender sender = { .task = { .run = sender_run }, .round = prng_next(&world->prng) };
    struct scope scope;
    int r = stream_connect(&address, &sender.socket, IDLE_NS);

    if (r < 0)
        return r;
    sender.len = (size_t)prng_below(&world->prng, ROUND_MAX);
    scope_open(&scope, TIME_NEVER);
    r = scope_spawn(&scope, &sender.task);
    if (r == 0)
        r = client_read(client, &sender);
    if (r < 0)
        scope_cancel(&scope);
    (void)scope_close(&scope);
    if (r < 0 && prng_chance(&world->prng, 0.5))
        io->ops->reset(io, sender.socket);
    else
        io->ops->close(io, sender.socket);
    return r;
}

/* Tries until a round works; each try has a deadline. */
static int client_run(struct task *task)
{
    struct client *client = container_of(task, struct client, task);
    struct world *world = client->echo->world;

    while (client->rounds_done < client->rounds && !world->failed) {
        struct scope try;
        int r;

        scope_open(&try, loop_current()->now_ns + TRY_NS);
        r = client_round(client);
        client->tries++;
        (void)scope_close(&try);
        world_note(world, "round", r, client->tries);
        if (r == 0)
            client->rounds_done++;
        else if (fiber_sleep(prng_between(&world->prng, 1, 500) * NS_PER_MS) < 0)
            break;
    }
    client->echo->clients_done++;
    loop_stop(loop_current());
    return 0;
}

static int client_start(struct sim_process *process, void *context)
{
    struct client *client = context;
    struct loop_limits limits = { .fibers_max = 2, .stacks_keep = 2 };
    struct loop *loop = sim_process_loop(process, &limits);

    if (!loop)
        return -ENOMEM;
    client->task = (struct task){ .run = client_run };
    return loop_spawn(loop, &client->task);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static bool clients_done(struct world *world, void *context)
{
    struct echo *echo = context;

    return echo->clients_done == echo->client_count && nemesis_over(echo->nemesis);
}

static void populate(struct echo *echo)
{
    struct world *world = echo->world;

    echo->server_count = (unsigned)prng_between(&world->prng, 1, SERVERS_MAX);
    echo->client_count = (unsigned)prng_between(&world->prng, 1, CLIENTS_MAX);
    ASSERT(echo->server_count > 0);
    for (unsigned i = 0; i < echo->server_count; i++) {
        echo->servers[i] = sim_process_add(world_node(world), "server", server_start, echo);
        echo->servers[i]->may_crash = true;
        sim_process_start(echo->servers[i]);
    }
    for (unsigned i = 0; i < echo->client_count; i++) {
        struct client *client = sim_take(sizeof(*client));
        struct sim_node *node = prng_chance(&world->prng, 0.2) ? echo->servers[0]->on : NULL;

        echo->clients[i] = client;
        client->echo = echo;
        client->number = i + 1;
        client->rounds = (unsigned)prng_between(&world->prng, 1, 8);
        client->process = sim_process_add(node ? node : world_node(world), "client", client_start, client);
        sim_process_start(client->process);
    }
}

/* A round takes a few tries at most when all is calm. */
static int64_t patience(const struct echo *echo)
{
    unsigned rounds = 0;

    for (unsigned i = 0; i < echo->client_count; i++)
        rounds += echo->clients[i]->rounds;
    return (rounds + 10) * 3 * TRY_NS;
}

void echo_run(struct world *world, bool lossy)
{
    struct echo echo = { .world = world, .lossy = lossy };
    struct world_end end = { .reached = clients_done, .context = &echo, .events_max = 5000000 };
    struct world_end ended = { .reached = world_all_ended, .events_max = 100000 };
    int64_t trouble_ns;
    int r;

    sim_faults_draw(&world->faults, world);
    populate(&echo);
    trouble_ns = prng_between(&world->prng, 1, 30) * NS_PER_S;
    echo.nemesis = nemesis_start(world, (unsigned)prng_below(&world->prng, NEMESIS_ALL + 1), world->now_ns + trouble_ns,
                                 (struct sim_range){ 10 * NS_PER_MS, 2 * NS_PER_S });
    end.until_ns = world->now_ns + trouble_ns + patience(&echo);
    r = world_run(world, &end);
    if (r < 0)
        world_fail(world, "%u of %u clients ended (%d)", echo.clients_done, echo.client_count, r);
    nemesis_destroy(echo.nemesis);
    for (unsigned i = 0; i < echo.server_count; i++)
        sim_process_stop(echo.servers[i]);
    ended.until_ns = world->now_ns + 60 * NS_PER_S;
    r = world_run(world, &ended);
    if (r < 0)
        world_fail(world, "the servers did not end (%d)", r);
    world_end_processes(world);
    for (unsigned i = 0; i < echo.client_count; i++)
        mem_free(echo.clients[i]);
}

static void run(struct world *world, uint64_t seed)
{
    echo_run(world, false);
}

const struct scenario SCENARIO_ECHO = {
    .name = "echo",
    .what = "clients and echo servers on raw streams: no byte is lost, changed or added; everybody ends",
    .run = run,
};
