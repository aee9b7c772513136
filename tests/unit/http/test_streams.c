#include "rig.h"

#include "base/alloc.h"
#include "io/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- both ways at once ------------------------------------------------------------------------------------------ */

#define BULK (10 * MIB)

static void echo_run(struct rig *rig, struct io_socket socket, unsigned number)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n";
    static char memory[20000];
    char head[2000];
    size_t len = 0;
    ssize_t n;

    while (len < sizeof(head) && stream_read(socket, head + len, 1, NS_PER_S) == 1) {
        len++;
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    RIG_CHECK(rig, stream_write(socket, bytes_of_text(ANSWER), NS_PER_S) == 0);
    while ((n = stream_read(socket, memory, sizeof(memory), TIME_NEVER)) > 0)
        if (stream_write(socket, bytes_of(memory, (size_t)n), TIME_NEVER) < 0)
            break;
    rig->origin_loop->io->ops->close(rig->origin_loop->io, socket);
}

struct bulk {
    struct task task;
    struct rig_line *line;
    bool over;
};

static char bulk_byte(uint64_t at)
{
    return (char)(at * 11 + at / 255 * 7);
}

static int bulk_write(struct task *task)
{
    struct bulk *bulk = container_of(task, struct bulk, task);
    static char memory[30000];

    for (uint64_t at = 0; at < BULK;) {
        size_t count = (size_t)MIN((uint64_t)sizeof(memory), BULK - at);

        for (size_t i = 0; i < count; i++)
            memory[i] = bulk_byte(at + i);
        if (stream_write(bulk->line->socket, bytes_of(memory, count), 10 * NS_PER_S) < 0)
            break;
        at += count;
    }
    bulk->over = true;
    return 0;
}

static void bulk_run(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);
    struct bulk bulk = { .task = { .run = bulk_write }, .line = line };
    static char memory[30000];
    uint64_t at = 0;
    size_t head;
    ssize_t n;

    rig_say(line, "POST /up HTTP/1.1\r\nContent-Length: 10485760\r\n" HOST);
    RIG_CHECK(rig, loop_spawn(rig->client_loop, &bulk.task) == 0);
    while (!strstr(line->text, "\r\n\r\n") && (n = stream_read(line->socket, line->text + line->len, 1, NS_PER_S)) == 1)
        line->text[++line->len] = '\0';
    head = line->len;
    while (at < BULK && (n = stream_read(line->socket, memory, sizeof(memory), 10 * NS_PER_S)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (memory[i] != bulk_byte(at + (uint64_t)i)) {
                rig_fail(rig, "byte %llu is another one", (unsigned long long)at + (unsigned long long)i);
                return;
            }
        at += (uint64_t)n;
    }
    RIG_CHECK(rig, head > 0 && at == BULK && bulk.over);
    rig_sleep(10 * NS_PER_MS);
    RIG_CHECK(rig, rig->worker.exchanges.out == 0 && rig->worker.bulk_buffers.out == 0);
    RIG_CHECK(rig, rig_hear(line, RIG_QUIET_NS) == RIG_CLOSED); /* much was still to come when the answer began */
}

static void small_windows(struct sim_faults *faults)
{
    faults->window = (struct sim_range){ 3000, 9000 };
}

static void much_goes_both_ways_at_once(void **state)
{
    struct rig_plan plan = { .origin_run = echo_run, .weather = small_windows };

    rig_run(bulk_run, &plan);
}

/* --- uploads ---------------------------------------------------------------------------------------------------- */

static void early_answer(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);
    static char piece[16000];

    rig_say(line, "POST /up HTTP/1.1\r\nContent-Length: 10000000\r\n" HOST);
    for (unsigned i = 0; i < 30; i++) {
        rig_say_bytes(line, piece, sizeof(piece));
        rig_sleep(NS_PER_MS);
    }
    RIG_CHECK(rig, rig_hear(line, 10 * NS_PER_S) == RIG_CLOSED);
    RIG_HEARD(line, "HTTP/1.1 413 *Connection: close\r\n\r\nenough");
    RIG_CHECK(rig, rig->origin_open == 0 && rig->worker.exchanges.out == 0);
}

static void an_early_answer_comes_through(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(
                                 SCRIPT("h", ">HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough")) };

    rig_run(early_answer, &plan);
}

static void dies_in_upload(struct rig *rig)
{
    static void (*const HOW[])(struct rig_line *) = { rig_hang_up, rig_reset };

    for (unsigned how = 0; how < ARRAY_LEN(HOW); how++) {
        struct rig_line *line = rig_dial(rig);

        rig_say(line, "POST /up HTTP/1.1\r\nContent-Length: 1000\r\n" HOST "some of it");
        rig_sleep(20 * NS_PER_MS);
        RIG_CHECK(rig, rig->origin_open == 1);
        HOW[how](line);
        rig_sleep(20 * NS_PER_MS);
        RIG_CHECK(rig, rig->origin_open == 0 && rig->worker.exchanges.out == 0);
        RIG_CHECK(rig, rig_matches("POST /up * client_gone", rig->seen[how]));
    }
}

static void who_dies_in_an_upload_takes_it_along(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("h", "a", ".")) };

    rig_run(dies_in_upload, &plan);
}

static void bad_in_upload(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, "POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "3\r\nabc\r\n");
    rig_sleep(20 * NS_PER_MS);
    rig_say(line, "x\r\n");
    RIG_CHECK(rig, rig_hear(line, RIG_QUIET_NS) == RIG_CLOSED);
    RIG_HEARD(line, "HTTP/1.1 400 Bad Request\r\n*bad_request*");
    rig_sleep(10 * NS_PER_MS);
    RIG_CHECK(rig, rig->origin_open == 0);
    RIG_CHECK(rig, rig_matches("POST /up *\r\n\r\n3\r\nabc\r\n", rig->origin_text)); /* never ended */
}

static void a_bad_upload_is_not_ended(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("h", "a", ".")) };

    rig_run(bad_in_upload, &plan);
}

static void trailers_up(struct rig *rig)
{
    static char trailer[3600];
    struct rig_line *line = rig_dial(rig);

    memset(trailer, 'v', sizeof(trailer) - 1);
    rig_say(line, "POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "3\r\nabc\r\n0\r\nX-Sum: ");
    rig_say(line, trailer);
    rig_say(line, "\r\nX-End: 1\r\n\r\n");
    rig_hear(line, RIG_QUIET_NS);
    RIG_CHECK(rig, rig_matches("POST /up *\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: v*v\r\nX-End: 1\r\n\r\n", rig->origin_text));
    RIG_CHECK(rig, rig_matches("HTTP/1.1 200 *0\r\nX-Down: 1\r\n\r\n", line->text));
}

static void trailers_go_both_ways(void **state)
{
    struct rig_plan plan = {
        .origin = SCRIPTS(
            SCRIPT("h", "z50", ">HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Down: 1\r\n\r\n", "a"))
    };

    rig_run(trailers_up, &plan);
}

/* --- tunnels ---------------------------------------------------------------------------------------------------- */

#define ASK "GET /up HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: chat\r\n" HOST
#define SWITCHED ">HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n"
#define HEARD_SWITCHED "HTTP/1.1 101 Switching Protocols\r\n*Connection: upgrade\r\nUpgrade: chat\r\n\r\n"

static void tunnel_run(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, ASK "early");
    rig_hear(line, 50 * NS_PER_MS);
    RIG_HEARD(line, HEARD_SWITCHED "at once");
    rig_say(line, " and later");
    rig_hear(line, 50 * NS_PER_MS);
    rig_shut(line);
    RIG_CHECK(rig, rig_hear(line, RIG_QUIET_NS) == RIG_CLOSED);
    RIG_HEARD(line, HEARD_SWITCHED "at once, bye");
    RIG_CHECK(rig, rig_matches("GET /up *Upgrade: chat\r\n\r\nearly and later", rig->origin_text));
    RIG_CHECK(rig, rig->origin_open == 0 && rig->worker.exchanges.out == 0);
}

static void a_tunnel_goes_all_the_way(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("h", SWITCHED "at once", "a", ">, bye", ".")) };

    rig_run(tunnel_run, &plan);
}

static void tunnel_behind_body(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line,
            "POST /up HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: chat\r\nContent-Length: 4\r\n" HOST "bodyearly");
    rig_hear(line, 50 * NS_PER_MS);
    rig_shut(line);
    RIG_CHECK(rig, rig_hear(line, RIG_QUIET_NS) == RIG_CLOSED);
    RIG_HEARD(line, HEARD_SWITCHED);
    RIG_CHECK(rig, rig_matches("POST /up *\r\n\r\nbodyearly", rig->origin_text));
}

static void a_tunnel_begins_behind_the_body(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", SWITCHED, "a", ".")) };

    rig_run(tunnel_behind_body, &plan);
}

/* Texts of an answer may be of the snapshot that the exchange is pinned to, such as those of the stage `headers`: a
 * tunnel lets go of it when they have been written. Here the text lies in the local block, which goes with it. */
#define PLACE "of the snapshot"

struct told {
    char place[sizeof(PLACE)];
};

static int told_start(const struct stage *stage, struct worker *worker, void *memory)
{
    memcpy(((struct told *)memory)->place, PLACE, sizeof(PLACE));
    return 0;
}

static void told_stop(struct worker *worker, void *memory)
{
    memset(((struct told *)memory)->place, 'x', strlen(PLACE));
}

/* A reload comes while it runs, and its path is not there any more. */
static int reload(struct rig *rig)
{
    struct snapshot *snapshot;
    struct stage *root;
    int r = snapshot_create(++rig->version, &snapshot);

    if (r < 0)
        return r;
    list_push_back(&rig->snapshots, &snapshot->node);
    r = snapshot_add_stage(snapshot, &STAGE_RIG_UP, NULL, BYTES("other"), &root);
    if (r == 0)
        snapshot->root = root;
    return r < 0 ? r : worker_enter(&rig->worker, snapshot);
}

static enum outcome told_run(const struct stage *stage, struct exchange *x)
{
    struct rig *rig = container_of(x->worker, struct rig, worker);
    struct told *told = stage_local(stage, x);
    enum outcome outcome = STAGE_RIG_UP.run(stage, x);

    RIG_CHECK(rig, http_head_add_named(&x->response, BYTES("X-Place"), bytes_of_text(told->place)) == 0);
    RIG_CHECK(rig, reload(rig) == 0);
    return outcome;
}

static const struct stage_type STAGE_TOLD = { .name = "told",
                                              .local_size = sizeof(struct told),
                                              .run = told_run,
                                              .local_start = told_start,
                                              .local_stop = told_stop };

static void told_of_snapshot(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);

    rig_say(line, ASK "early");
    rig_hear(line, 50 * NS_PER_MS);
    RIG_HEARD(line, "HTTP/1.1 101 Switching Protocols\r\n*X-Place: " PLACE "\r\n*\r\n\r\nat once");
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 1); /* the tunnel holds none back */
    rig_shut(line);
    RIG_CHECK(rig, rig_hear(line, RIG_QUIET_NS) == RIG_CLOSED);
}

static void a_tunnel_is_told_before_its_snapshot_goes(void **state)
{
    struct rig_plan plan = { .root = &STAGE_TOLD, .origin = SCRIPTS(SCRIPT("h", SWITCHED "at once", "a", ".")) };

    rig_run(told_of_snapshot, &plan);
}

/* --- counting --------------------------------------------------------------------------------------------------- */

static void steady_run(struct rig *rig, struct io_socket socket, unsigned number)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    char memory[2000];

    while (stream_read(socket, memory, sizeof(memory), TIME_NEVER) > 0)
        if (stream_write(socket, bytes_of_text(ANSWER), NS_PER_S) < 0)
            break;
    rig->origin_loop->io->ops->close(rig->origin_loop->io, socket);
}

static void say_many(struct rig *rig, struct rig_line *line, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        line->len = 0;
        line->text[0] = '\0';
        if (i % 2)
            rig_say(line, "POST /up HTTP/1.1\r\nAccept: */*\r\nContent-Length: 5\r\n" HOST "there");
        else
            rig_say(line, "GET /up HTTP/1.1\r\nAccept: */*\r\nUser-Agent: test\r\n" HOST);
        while (!rig_matches("*\r\n\r\nhello", line->text) && rig_hear(line, 100 * NS_PER_US) == RIG_OPEN)
            ;
    }
    RIG_HEARD(line, "HTTP/1.1 200 OK\r\n*hello");
}

/* base/alloc.h (1): in steady state nothing of ours is allocated for a request. */
static void count_allocations(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);
    uint64_t before;

    say_many(rig, line, 20);
    before = mem_stats().allocations;
    say_many(rig, line, 1000);
    if (mem_stats().allocations != before)
        rig_fail(rig, "%llu allocations", (unsigned long long)(mem_stats().allocations - before));
    rig_sleep(NS_PER_MS);
    RIG_CHECK(rig, rig->seen_count == 1020 && rig->origin_connections == 1);
}

static void requests_allocate_nothing(void **state)
{
    struct rig_plan plan = { .origin_run = steady_run };

    rig_run(count_allocations, &plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(much_goes_both_ways_at_once),
        cmocka_unit_test(an_early_answer_comes_through),
        cmocka_unit_test(who_dies_in_an_upload_takes_it_along),
        cmocka_unit_test(a_bad_upload_is_not_ended),
        cmocka_unit_test(trailers_go_both_ways),
        cmocka_unit_test(a_tunnel_goes_all_the_way),
        cmocka_unit_test(a_tunnel_begins_behind_the_body),
        cmocka_unit_test(a_tunnel_is_told_before_its_snapshot_goes),
        cmocka_unit_test(requests_allocate_nothing),
    };

    return cmocka_run_group_tests_name("http/streams", tests, NULL, NULL);
}
