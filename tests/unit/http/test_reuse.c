/* Connections that carry one exchange after the other, and requests that are sent twice: nothing of the one may be
 * taken for the other. */
#include "rig.h"

#include "io/stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOST "Host: a\r\n\r\n"
#define GET "GET /up HTTP/1.1\r\n" HOST
#define POST "POST /up HTTP/1.1\r\nContent-Length: 2\r\n" HOST "ab"
#define OK5 ">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define AGAIN ">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain"

#define SCRIPTS(...) ((const char *const *const[]){ __VA_ARGS__, NULL })
#define SCRIPT(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* --- a body that is sent again --------------------------------------------------------------------------------------
 */

/* Its bytes are at hand by then, but they still have to go out in chunks. */
static void replay_chunks(struct rig *rig)
{
    struct rig_line *line = rig_dial(rig);
    const char *second;

    rig_say(line, GET);
    rig_hear(line, 10 * NS_PER_MS);
    rig_say(line, "PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST
                  "5\r\n0\r\n\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
    rig_hear(line, RIG_QUIET_NS);
    RIG_HEARD(line, "HTTP/1.1 200 OK\r\n*helloHTTP/1.1 200 OK\r\n*again");
    RIG_CHECK(rig, metric_read(&http_endpoint_stats(rig->endpoint)->replays) == 1 && rig->origin_connections == 2);
    second = strstr(rig->origin_text, "PUT ");
    second = second ? strstr(second + 1, "PUT ") : NULL;
    if (!second || !rig_matches("PUT /up *\r\n\r\n*\r\n0\r\nX-Sum: 1\r\n\r\n", second) ||
        !rig_matches("PUT /up *\r\n\r\n8\r\n0\r\n\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", second))
        rig_fail(rig, "sent again as\n%s", second ? second : "nothing");
}

static void a_body_in_chunks_is_sent_again_in_chunks(void **state)
{
    struct rig_plan plan = { .origin = SCRIPTS(SCRIPT("<", OK5, "h", "z20", "."), SCRIPT("h", "z20", AGAIN, "a")) };

    rig_run(replay_chunks, &plan);
}

/* --- connections that are handed on ------------------------------------------------------------------------------- */

#define LARGE 50000

/* A large answer on the first connection, and then what should not be there. */
static void large_answer(struct rig *rig, struct io_socket socket, unsigned number)
{
    static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n";
    static const char SHORT[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain";
    const char *behind = rig->user;
    static char body[LARGE];
    char memory[2000];

    memset(body, 'b', sizeof(body));
    (void)!stream_read(socket, memory, sizeof(memory), NS_PER_S);
    if (number > 0) {
        RIG_CHECK(rig, stream_write(socket, bytes_of_text(SHORT), NS_PER_S) == 0);
        (void)!stream_read(socket, memory, sizeof(memory), NS_PER_S);
    } else {
        RIG_CHECK(rig, stream_write(socket, bytes_of_text(HEAD), NS_PER_S) == 0);
        RIG_CHECK(rig, stream_write(socket, bytes_of(body, sizeof(body)), NS_PER_S) == 0);
        if (*behind)
            RIG_CHECK(rig, stream_write(socket, bytes_of_text(behind), NS_PER_S) == 0);
        if (*behind)
            (void)!stream_read(socket, memory, sizeof(memory), NS_PER_S);
    }
    rig->origin_loop->io->ops->close(rig->origin_loop->io, socket);
}

/* The second one waits for the connection of the first, whose client reads late: what comes behind its answer is there
 * when the connection is handed on. */
static void hand_on(struct rig *rig)
{
    struct rig_line *first = rig_dial(rig), *second = rig_dial(rig);

    rig_say(first, GET);
    rig_sleep(5 * NS_PER_MS);
    rig_say(second, POST);
    rig_sleep(100 * NS_PER_MS);
    rig_hear(first, 100 * NS_PER_MS);
    rig_hear(second, RIG_QUIET_NS);
    RIG_HEARD(first, "HTTP/1.1 200 OK\r\n*bbb");
    RIG_HEARD(second, "HTTP/1.1 200 OK\r\n*again");
    RIG_CHECK(rig, rig->origin_connections == 2);
}

static void small_windows(struct sim_faults *faults)
{
    faults->window = (struct sim_range){ 3000, 9000 };
}

static void who_waited_gets_a_quiet_connection(void **state)
{
    static const char *const BEHIND[] = { "", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" };

    for (size_t i = 0; i < ARRAY_LEN(BEHIND); i++) {
        struct rig_plan plan = { .endpoint = { .connections_max = 1 },
                                 .origin_run = large_answer,
                                 .weather = small_windows,
                                 .user = (void *)(uintptr_t)BEHIND[i] };

        rig_run(hand_on, &plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_in_chunks_is_sent_again_in_chunks),
        cmocka_unit_test(who_waited_gets_a_quiet_connection),
    };

    return cmocka_run_group_tests_name("http/reuse", tests, NULL, NULL);
}
