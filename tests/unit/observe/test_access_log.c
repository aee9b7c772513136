#include "help.h"

#include "base/alloc.h"
#include "faults.h"
#include "io/linux/linux.h"
#include "observe/access_line.h"
#include "observe/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- lines ---------------------------------------------------------------------------------------------------------
 */

static json_t *parse(struct bytes line)
{
    json_error_t error;
    json_t *object = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (!object)
        print_error("%s: %.*s\n", error.text, (int)line.len, line.data);
    assert_non_null(object);
    assert_true(json_is_object(object));
    return object;
}

static json_t *line_of(const struct exchange *x, int64_t now_ns, int64_t wall_ns)
{
    char *memory = malloc(OBSERVE_LOG_LINE_MAX);
    struct text text = text_into(memory, OBSERVE_LOG_LINE_MAX);
    json_t *object;

    access_line_write(&text, x, now_ns, wall_ns);
    assert_false(text.full);
    assert_int_equal(text.data[text.len - 1], '\n');
    assert_int_equal(bytes_find_char(text_bytes(&text), '\n'), text.len - 1);
    object = parse(text_bytes(&text));
    free(memory);
    return object;
}

static void text_is(const json_t *object, const char *name, const char *expected)
{
    const json_t *value = json_object_get(object, name);

    assert_true(json_is_string(value));
    assert_string_equal(json_string_value(value), expected);
}

static void writes_a_line(void **state)
{
    static const char EXPECTED[] =
        "{\"time\":\"2026-11-21T08:30:00.123Z\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
        "\"span_id\":\"00f067aa0ba902b7\",\"parent_id\":\"b7ad6b7169203331\",\"request_id\":\"r-1\",\"method\":\"GET\","
        "\"authority\":\"shop.example\","
        "\"path\":\"/orders?id=7\",\"protocol\":\"HTTP/1.1\",\"route\":\"orders\",\"service\":\"orders\","
        "\"endpoint\":\"orders-2\",\"status\":200,\"outcome\":\"ok\",\"flags\":\"-\",\"bytes_received\":12,"
        "\"bytes_sent\":1024,\"duration_ms\":1.234,\"upstream_ms\":1.002,\"attempts\":1,\"client\":\"10.0.0.9\","
        "\"user_agent\":\"curl/8.5\",\"gateway\":\"web\",\"caller\":\"storefront\"}\n";
    struct endpoint endpoint = made_up_endpoint(BYTES("orders-2"), BYTES("10.0.0.5:80"));
    struct http_field fields[1];
    struct station station;
    struct exchange x;
    char memory[OBSERVE_LOG_LINE_MAX];
    struct text text = text_into(memory, sizeof(memory));

    station_open(&station, 0);
    x = made_up(&station, 0);
    x.request.fields = fields;
    x.request.field_max = 1;
    assert_int_equal(http_head_add(&x.request, HTTP_FIELD_USER_AGENT, BYTES("curl/8.5")), 0);
    x.request.query = BYTES("id=7");
    x.endpoint = &endpoint;
    x.caller = BYTES("storefront");
    x.trace.parent = 0xb7ad6b7169203331;
    x.attempts = 1;
    x.received_bytes = 12;
    x.sent_bytes = 1024;
    x.times.start_ns = 1000;
    x.times.sent_ns = 2000;
    x.times.head_ns = 2000 + 1002 * NS_PER_US;
    access_line_write(&text, &x, 1000 + 1234999, INT64_C(1795249800123) * NS_PER_MS);
    assert_int_equal(text.len, sizeof(EXPECTED) - 1);
    assert_memory_equal(text.data, EXPECTED, text.len);
    station_close(&station);
}

static void leaves_unknown_things_empty(void **state)
{
    struct exchange x = { .outcome = OUTCOME_CLIENT_GONE, .times.start_ns = 5 };
    json_t *line = line_of(&x, 5, 0);

    text_is(line, "time", "1970-01-01T00:00:00.000Z");
    text_is(line, "trace_id", "");
    text_is(line, "span_id", "");
    text_is(line, "parent_id", "");
    text_is(line, "caller", "");
    text_is(line, "path", "");
    text_is(line, "endpoint", "");
    text_is(line, "user_agent", "");
    text_is(line, "flags", "DC");
    text_is(line, "outcome", "client_gone");
    text_is(line, "protocol", "HTTP/1.0");
    assert_true(json_is_null(json_object_get(line, "upstream_ms")));
    assert_int_equal(json_integer_value(json_object_get(line, "status")), 0);
    assert_true(json_real_value(json_object_get(line, "duration_ms")) == 0);
    assert_int_equal(json_object_size(line), 24);
    json_decref(line);
    x.request.query = BYTES("");
    x.request.query.data = "x";
    x.request.path = BYTES("/");
    line = line_of(&x, 5, 0);
    text_is(line, "path", "/?"); /* an empty query is a query */
    json_decref(line);
}

/* Each way to end has its name and its mark. */
static void names_every_outcome(void **state)
{
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        const struct outcome_info *info = outcome_info((enum outcome)i);
        struct exchange x = { .outcome = (enum outcome)i };
        json_t *line = line_of(&x, 0, 0);

        text_is(line, "outcome", info->name.data);
        text_is(line, "flags", info->mark.data);
        assert_true(info->name.len > 0 && info->mark.len > 0);
        json_decref(line);
    }
}

/* Whatever a stranger sends, a line is one line, and JSON. */
static void bears_hostile_texts(void **state)
{
    static const struct {
        struct bytes sent;
        const char *read;
    } ROWS[] = {
        { { "/a\"},{\"b\":\"", 11 }, "/a\"},{\"b\":\"" },
        { { "/\\", 2 }, "/\\" },
        { { "/\n{\"dropped\":1}\n", 16 }, "/\n{\"dropped\":1}\n" },
        { { "/\x01\x1f\x7f", 4 }, "/\x01\x1f\x7f" },
        { { "/\xff\xfe", 3 }, "/\xef\xbf\xbd\xef\xbf\xbd" },
        { { "/\xed\xa0\x80", 4 }, "/\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
        { { "/\xc0\xaf", 3 }, "/\xef\xbf\xbd\xef\xbf\xbd" },                 /* overlong */
        { { "/\xe2\x82", 3 }, "/\xef\xbf\xbd" },                             /* cut short */
        { { "/\xf0\x9f\x98\x80", 5 }, "/\xf0\x9f\x98\x80" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct http_field field = { BYTES("User-Agent"), ROWS[i].sent, HTTP_FIELD_USER_AGENT };
        struct exchange x = { .request_id = ROWS[i].sent, .client = ROWS[i].sent };
        char both[64];
        json_t *line;

        x.request.path = x.request.query = x.request.method_text = x.request.authority = ROWS[i].sent;
        x.request.fields = &field;
        x.request.field_count = 1;
        x.request.known = UINT64_C(1) << HTTP_FIELD_USER_AGENT;
        line = line_of(&x, 0, 0);
        (void)snprintf(both, sizeof(both), "%s?%s", ROWS[i].read, ROWS[i].read);
        text_is(line, "path", both);
        text_is(line, "user_agent", ROWS[i].read);
        text_is(line, "method", ROWS[i].read);
        text_is(line, "authority", ROWS[i].read);
        text_is(line, "request_id", ROWS[i].read);
        json_decref(line);
    }
}

/* Eight bytes are looked at together: each byte at each place gives what text_add_json() gives. */
static void escapes_every_byte_everywhere(void **state)
{
    char sent[17], expected[256], *memory = malloc(OBSERVE_LOG_LINE_MAX);

    for (unsigned len = 1; len <= sizeof(sent); len++)
        for (unsigned at = 0; at < len; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                struct text text = text_into(memory, OBSERVE_LOG_LINE_MAX);
                struct text wanted = text_into(expected, sizeof(expected));
                struct exchange x = { .route = bytes_of(sent, len) };

                memset(sent, 'x', sizeof(sent));
                sent[at] = (char)byte;
                text_add(&wanted, BYTES("\"route\":"));
                text_add_json(&wanted, bytes_of(sent, len));
                text_add(&wanted, BYTES(",\"service\":\"\""));
                access_line_write(&text, &x, 0, 0);
                assert_true(bytes_find(text_bytes(&text), text_bytes(&wanted)) > 0);
            }
    free(memory);
}

/* Every text at its bound, and each byte as long as it gets: OBSERVE_LOG_LINE_MAX holds it. */
static void cuts_long_texts(void **state)
{
    static char nul[OBSERVE_LOG_PATH_MAX * 2];
    struct bytes longest = bytes_of(nul, sizeof(nul));
    struct http_field field = { BYTES("User-Agent"), longest, HTTP_FIELD_USER_AGENT };
    struct endpoint endpoint = made_up_endpoint(longest, longest);
    struct exchange x = { .request_id = longest,
                          .client = longest,
                          .route = longest,
                          .service = longest,
                          .gateway = longest,
                          .endpoint = &endpoint,
                          .received_bytes = UINT64_MAX >> 1,
                          .sent_bytes = UINT64_MAX >> 1 };
    json_t *line;

    x.request.method_text = x.request.authority = longest;
    x.request.path = bytes_of(nul, OBSERVE_LOG_PATH_MAX - 10);
    x.request.query = longest;
    x.request.fields = &field;
    x.request.field_count = 1;
    x.request.known = UINT64_C(1) << HTTP_FIELD_USER_AGENT;
    line = line_of(&x, INT64_MAX, INT64_MAX);
    assert_int_equal(json_string_length(json_object_get(line, "path")), OBSERVE_LOG_PATH_MAX + 1);
    assert_int_equal(json_string_length(json_object_get(line, "user_agent")), OBSERVE_LOG_AGENT_MAX);
    assert_int_equal(json_string_length(json_object_get(line, "endpoint")), OBSERVE_LOG_NAME_MAX);
    json_decref(line);
    x.request.path = longest;
    line = line_of(&x, INT64_MAX, INT64_MAX);
    assert_int_equal(json_string_length(json_object_get(line, "path")), OBSERVE_LOG_PATH_MAX);
    json_decref(line);
}

/* --- the writer ----------------------------------------------------------------------------------------------------
 */

struct desk {
    struct station station; /* control loop and worker in one */
    struct access_log *log;
    struct access_log_ring *ring;
    int pipe[2]; /* the reader never waits */
    char *text;  /* what was read so far */
    size_t len;
};

#define TEXT_MAX (8 * MIB)

static void desk_open(struct desk *desk)
{
    *desk = (struct desk){ .text = malloc(TEXT_MAX) };
    assert_non_null(desk->text);
    station_open(&desk->station, 0);
    assert_int_equal(pipe(desk->pipe), 0);
    assert_int_equal(fcntl(desk->pipe[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(access_log_create(&desk->station.loop, desk->pipe[1], 2, &desk->log), 0);
    assert_int_equal(access_log_attach(desk->log, &desk->station.worker, &desk->ring), 0);
}

static void desk_stop(struct desk *desk)
{
    access_log_detach(desk->ring);
    loop_stop(&desk->station.loop);
    loop_run(&desk->station.loop);
}

static void desk_close(struct desk *desk)
{
    station_close(&desk->station);
    (void)close(desk->pipe[0]);
    (void)close(desk->pipe[1]);
    free(desk->text);
}

static void desk_read(struct desk *desk)
{
    ssize_t n;

    while ((n = read(desk->pipe[0], desk->text + desk->len, TEXT_MAX - desk->len)) > 0)
        desk->len += (size_t)n;
}

/* Lets the writer work and reads, until `lines` lines have come. */
static void desk_read_lines(struct desk *desk, unsigned lines)
{
    int64_t until = loop_clock(&desk->station.loop) + WAIT_NS;
    unsigned count = 0;

    while (count < lines) {
        assert_true(loop_clock(&desk->station.loop) < until);
        station_turn(&desk->station);
        desk_read(desk);
        count = 0;
        for (size_t i = 0; i < desk->len; i++)
            count += desk->text[i] == '\n';
    }
}

/* Every line of the text parses; how many there are, and how many were announced as dropped. */
static void count_lines(const struct desk *desk, unsigned *ret_lines, unsigned *ret_dropped)
{
    struct bytes text = bytes_of(desk->text, desk->len), line;

    *ret_lines = *ret_dropped = 0;
    while (bytes_split(&text, '\n', &line) && line.len > 0) {
        json_t *object = parse(line), *dropped = json_object_get(object, "dropped");

        if (dropped)
            *ret_dropped += (unsigned)json_integer_value(dropped);
        else
            ++*ret_lines;
        json_decref(object);
    }
}

static void say(struct desk *desk, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct exchange x = made_up(&desk->station, NS_PER_MS);

        tell(access_log_observer(desk->ring), &desk->station, &x);
    }
}

static void reaches_the_reader(void **state)
{
    unsigned lines, dropped;
    struct desk desk;

    desk_open(&desk);
    say(&desk, 3);
    desk_read_lines(&desk, 3); /* the timer calls */
    say(&desk, 400);           /* over half of the ring: called at once */
    desk_read_lines(&desk, 403);
    count_lines(&desk, &lines, &dropped);
    assert_int_equal(lines, 403);
    assert_int_equal(dropped, 0);
    assert_int_equal(access_log_lines(desk.log), 403);
    desk_stop(&desk);
    access_log_close(desk.log);
    desk_close(&desk);
}

/* What is there at the end is written; the pipe holds it. */
static void is_flushed_at_the_end(void **state)
{
    unsigned lines, dropped;
    struct desk desk;

    desk_open(&desk);
    say(&desk, 50);
    desk_stop(&desk);
    access_log_close(desk.log);
    desk_read(&desk);
    count_lines(&desk, &lines, &dropped);
    assert_int_equal(lines, 50);
    assert_int_equal(dropped, 0);
    desk_close(&desk);
}

static void leaves_calls_of_our_own_out(void **state)
{
    struct desk desk;
    struct exchange x;

    desk_open(&desk);
    x = made_up(&desk.station, NS_PER_MS);
    x.source = NULL;
    tell(access_log_observer(desk.ring), &desk.station, &x);
    assert_int_equal(access_log_lines(desk.log), 0);
    desk_stop(&desk);
    access_log_close(desk.log);
    desk_read(&desk);
    assert_int_equal(desk.len, 0);
    desk_close(&desk);
}

/* (2): nobody reads. The worker goes on, and knows what was lost. */
static void drops_what_nobody_reads(void **state)
{
    unsigned lines, dropped;
    uint64_t kept, lost, allocations;
    struct desk desk;

    desk_open(&desk);
    assert_true(fcntl(desk.pipe[1], F_SETPIPE_SZ, 4096) >= 4096);
    allocations = mem_stats().allocations;
    for (unsigned i = 0; i < 20; i++) {
        say(&desk, 250);
        station_turn(&desk.station); /* the writer tries */
    }
    assert_int_equal(mem_stats().allocations, allocations);
    kept = access_log_lines(desk.log);
    lost = access_log_dropped(desk.log);
    assert_int_equal(kept + lost, 5000);
    assert_true(lost > 0);
    assert_true(kept < 1500);
    desk_read_lines(&desk, (unsigned)kept);
    say(&desk, 1); /* brings the note along */
    desk_read_lines(&desk, (unsigned)kept + 2);
    count_lines(&desk, &lines, &dropped);
    assert_int_equal(lines, kept + 1);
    assert_int_equal(dropped, lost);
    desk_stop(&desk);
    access_log_close(desk.log);
    desk_close(&desk);
}

/* A reader that takes nothing does not hold the end of the process. */
static void ends_although_nobody_reads(void **state)
{
    struct desk desk;
    int64_t from;

    desk_open(&desk);
    say(&desk, OBSERVE_LOG_RING_SIZE / 400); /* more than the pipe takes */
    from = loop_clock(&desk.station.loop);
    desk_stop(&desk);
    access_log_close(desk.log);
    assert_true(loop_clock(&desk.station.loop) - from < OBSERVE_LOG_CLOSE_NS + WAIT_NS);
    desk_read(&desk);
    assert_true(desk.len > 0 && desk.len < OBSERVE_LOG_RING_SIZE / 2);
    desk_close(&desk);
}

/* (4): the reader has gone. */
static void outlives_its_reader(void **state)
{
    struct desk desk;
    int64_t until;

    desk_open(&desk);
    (void)close(desk.pipe[0]);
    say(&desk, 10);
    until = loop_clock(&desk.station.loop) + WAIT_NS;
    while (access_log_dropped(desk.log) < 10) {
        assert_true(loop_clock(&desk.station.loop) < until);
        station_turn(&desk.station);
    }
    assert_int_equal(access_log_lines(desk.log), 10);
    desk_stop(&desk);
    access_log_close(desk.log);
    desk_close(&desk);
}

/* --- several workers -----------------------------------------------------------------------------------------------
 */

#define THREADS 2
#define LINES 3000

struct talker {
    struct access_log *log;
    unsigned index;
    pthread_t thread;
    atomic_uint *talking;
};

static void *talk(void *context)
{
    struct talker *talker = context;
    struct access_log_ring *ring;
    struct station station;

    station_open(&station, talker->index);
    assert_int_equal(access_log_attach(talker->log, &station.worker, &ring), 0);
    for (unsigned i = 0; i < LINES; i++) {
        struct exchange x = made_up(&station, NS_PER_MS);

        x.received_bytes = i;
        x.attempts = (uint16_t)talker->index;
        tell(access_log_observer(ring), &station, &x);
        if (i % 100 == 0)
            (void)loop_turn(&station.loop, 0);
    }
    access_log_detach(ring);
    station_close(&station);
    (void)atomic_fetch_sub(talker->talking, 1);
    return NULL;
}

static void mixes_no_lines(void **state)
{
    struct talker talkers[THREADS];
    atomic_uint talking = THREADS;
    unsigned lines, dropped, next[THREADS + 1] = { 0 };
    struct bytes text, line;
    struct desk desk;

    desk = (struct desk){ .text = malloc(TEXT_MAX) };
    station_open(&desk.station, 0);
    assert_int_equal(pipe(desk.pipe), 0);
    assert_int_equal(fcntl(desk.pipe[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(access_log_create(&desk.station.loop, desk.pipe[1], THREADS + 1, &desk.log), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        talkers[i] = (struct talker){ .log = desk.log, .index = i + 1, .talking = &talking };
        assert_int_equal(pthread_create(&talkers[i].thread, NULL, talk, &talkers[i]), 0);
    }
    while (atomic_load(&talking) > 0) {
        (void)loop_turn(&desk.station.loop, loop_clock(&desk.station.loop) + NS_PER_MS);
        desk_read(&desk);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(talkers[i].thread, NULL), 0);
    desk_read_lines(&desk, (unsigned)access_log_lines(desk.log));
    assert_int_equal(access_log_lines(desk.log) + access_log_dropped(desk.log), THREADS * LINES);
    loop_stop(&desk.station.loop);
    loop_run(&desk.station.loop);
    access_log_close(desk.log);
    desk_read(&desk);
    count_lines(&desk, &lines, &dropped);
    assert_true(lines + dropped <= THREADS * LINES); /* a ring's last losses have no line to come with */
    assert_true(lines > 0);
    text = bytes_of(desk.text, desk.len);
    while (bytes_split(&text, '\n', &line) && line.len > 0) {
        json_t *object = parse(line);

        if (!json_object_get(object, "dropped")) {
            unsigned who = (unsigned)json_integer_value(json_object_get(object, "attempts"));
            unsigned number = (unsigned)json_integer_value(json_object_get(object, "bytes_received"));

            assert_in_range(who, 1, THREADS);
            assert_true(number >= next[who]);
            next[who] = number + 1;
        }
        json_decref(object);
    }
    desk_close(&desk);
}

/* --- no memory -----------------------------------------------------------------------------------------------------
 */

static int live_once(void *context)
{
    struct station station;
    struct access_log_ring *ring;
    struct access_log *log;
    int r;

    r = io_linux_open(&station.io);
    if (r < 0)
        return r;
    assert_int_equal(loop_init(&station.loop, station.io, NULL), 0);
    assert_int_equal(worker_init(&station.worker, 0, &station.loop, NULL), 0);
    r = access_log_create(&station.loop, 1, 1, &log);
    if (r == 0) {
        r = access_log_attach(log, &station.worker, &ring);
        if (r == 0)
            access_log_detach(ring);
        loop_stop(&station.loop);
        loop_run(&station.loop);
        access_log_close(log);
    }
    station_close(&station);
    return r == -EAGAIN ? -ENOMEM : r; /* no memory for a fiber */
}

static void has_no_memory(void **state)
{
    assert_true(faults_each(live_once, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_line),
        cmocka_unit_test(leaves_unknown_things_empty),
        cmocka_unit_test(names_every_outcome),
        cmocka_unit_test(bears_hostile_texts),
        cmocka_unit_test(escapes_every_byte_everywhere),
        cmocka_unit_test(cuts_long_texts),
        cmocka_unit_test(reaches_the_reader),
        cmocka_unit_test(is_flushed_at_the_end),
        cmocka_unit_test(drops_what_nobody_reads),
        cmocka_unit_test(leaves_calls_of_our_own_out),
        cmocka_unit_test(outlives_its_reader),
        cmocka_unit_test(ends_although_nobody_reads),
        cmocka_unit_test(mixes_no_lines),
        cmocka_unit_test(has_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
