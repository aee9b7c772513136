#include "supervise/child.h"

#include "io/linux/linux.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT_NS (8 * NS_PER_S)

/* A shell that is kept running; what it and we say goes into a pipe and from there into `said`. */
struct rig {
    struct io *io;
    struct loop loop;
    struct log log;
    struct child child;
    const char *script;
    struct io_socket said_socket;
    int said_descriptor;
    char said[2 * LOG_BUFFER_MAX];
    size_t said_len;
    unsigned changes;
};

static int spawn(struct child *child, int out, int err, struct process *ret)
{
    struct rig *rig = container_of(child, struct rig, child);
    const char *const argv[] = { "/bin/sh", "-c", rig->script, NULL };
    const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
    const struct command command = { .argv = argv, .env = env, .out = out, .err = err, .new_group = true };

    return rig->script ? rig->io->ops->spawn(rig->io, &command, ret) : -ENOENT;
}

static void changed(struct child *child)
{
    container_of(child, struct rig, child)->changes++;
}

static const struct child_ops OPS = { .spawn = spawn, .changed = changed };

static void rig_open(struct rig *rig, const char *script)
{
    memset(rig, 0, sizeof(*rig));
    rig->script = script;
    assert_int_equal(io_linux_open(&rig->io), 0);
    assert_int_equal(loop_init(&rig->loop, rig->io, NULL), 0);
    assert_int_equal(rig->io->ops->pipe(rig->io, &rig->said_socket, &rig->said_descriptor), 0);
    assert_int_equal(log_open(&rig->log, &rig->loop, rig->said_descriptor), 0);
    child_init(&rig->child, &OPS, &rig->loop, &rig->log, BYTES("it"), true, 0);
}

static void listen(struct rig *rig)
{
    ssize_t n;

    while ((n = rig->io->ops->try_read(rig->io, rig->said_socket, rig->said + rig->said_len,
                                       sizeof(rig->said) - 1 - rig->said_len)) > 0)
        rig->said_len += (size_t)n;
    rig->said[rig->said_len] = '\0';
}

static bool reached(struct rig *rig, enum lifecycle_state state, const char *said)
{
    listen(rig);
    return rig->child.life.state == state && (!said || strstr(rig->said, said));
}

static void turn_until(struct rig *rig, enum lifecycle_state state, const char *said)
{
    int64_t end_ns = loop_clock(&rig->loop) + LIMIT_NS, next = 0;

    while (!reached(rig, state, said)) {
        next = loop_turn(&rig->loop, MIN(next, loop_clock(&rig->loop) + NS_PER_MS));
        if (loop_clock(&rig->loop) > end_ns)
            fail_msg("state %d, said: %s", rig->child.life.state, rig->said);
    }
}

static void rig_close(struct rig *rig)
{
    child_kill(&rig->child, SIGKILL);
    child_stop(&rig->child);
    turn_until(rig, LIFECYCLE_GONE, NULL);
    loop_stop(&rig->loop);
    loop_run(&rig->loop);
    log_close(&rig->log);
    rig->io->ops->descriptor_close(rig->io, rig->said_descriptor);
    rig->io->ops->close(rig->io, rig->said_socket);
    loop_done(&rig->loop);
    io_linux_close(rig->io);
}

static void what_dies_is_started_again(void **state)
{
    static struct rig rig;
    int64_t begin_ns;

    rig_open(&rig, "echo hello; echo oops >&2; exit 3");
    begin_ns = loop_clock(&rig.loop);
    child_start(&rig.child);
    turn_until(&rig, LIFECYCLE_BACKING_OFF, "it: ended with status 3\n");
    assert_non_null(strstr(rig.said, "it | hello\nit | oops\n"));
    assert_int_equal(rig.child.status, 3 << 8);
    turn_until(&rig, LIFECYCLE_STARTING, NULL);
    assert_true(loop_clock(&rig.loop) - begin_ns >= RESTART_FIRST_NS);
    assert_int_equal(rig.child.life.restarts, 1);
    turn_until(&rig, LIFECYCLE_BACKING_OFF, NULL);
    assert_int_equal(rig.child.life.wait_ns, 2 * RESTART_FIRST_NS);
    rig_close(&rig);
}

static void what_can_not_start_backs_off(void **state)
{
    static struct rig rig;

    rig_open(&rig, NULL);
    child_start(&rig.child);
    assert_int_equal(rig.child.life.state, LIFECYCLE_BACKING_OFF);
    assert_int_equal(rig.child.spawn_error, -ENOENT);
    assert_string_equal(rig.child.last_exit, "could not be started: No such file or directory");
    assert_int_equal(rig.changes, 1);
    rig_close(&rig);
}

static void what_listens_is_stopped_in_peace(void **state)
{
    static struct rig rig;

    rig_open(&rig, "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    child_start(&rig.child);
    turn_until(&rig, LIFECYCLE_STARTING, "it | ready");
    child_ready(&rig.child, true);
    assert_int_equal(rig.child.life.state, LIFECYCLE_READY);
    child_stop(&rig.child);
    turn_until(&rig, LIFECYCLE_GONE, "it | bye\nweft: it: ended with status 0\n");
    rig_close(&rig);
}

/* (2): what stays in its group goes with it, and does not hold its output open. */
static void what_it_leaves_behind_goes_too(void **state)
{
    static struct rig rig;

    rig_open(&rig, "sleep 600 & echo left $!; kill -9 $$");
    child_start(&rig.child);
    turn_until(&rig, LIFECYCLE_BACKING_OFF, "it: was killed by signal 9");
    assert_non_null(strstr(rig.said, "it | left "));
    assert_false(io_socket_is(rig.child.out.socket));
    rig_close(&rig);
}

static void ends_are_described(void **state)
{
    static const struct {
        int status;
        const char *text;
    } ROWS[] = { { 0, "ended with status 0" },
                 { 255 << 8, "ended with status 255" },
                 { 9, "was killed by signal 9" },
                 { 11 | 0x80, "was killed by signal 11 (core dumped)" } };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char memory[64];
        struct text text = text_into(memory, sizeof(memory));

        child_describe_end(&text, ROWS[i].status);
        assert_true(bytes_equal(text_bytes(&text), bytes_of_text(ROWS[i].text)));
    }
}

/* A reader that takes nothing: lines are gathered up to LOG_BUFFER_MAX, then dropped whole, and the loss is said. */
static void a_log_that_nobody_reads_loses_lines(void **state)
{
    static struct rig rig;
    const char *at;
    unsigned lines = 0, dropped;

    rig_open(&rig, NULL);
    for (unsigned i = 0; rig.log.lines.dropped < 10; i++)
        log_say(&rig.log, "line %u of many, so that the buffer is full at some time", i);
    assert_true(rig.log.lines.filling.len <= LOG_BUFFER_MAX);
    assert_true(rig.log.lines.filling.len > LOG_BUFFER_MAX - 100);
    dropped = (unsigned)rig.log.lines.dropped;
    child_start(&rig.child);
    turn_until(&rig, LIFECYCLE_BACKING_OFF, "10 lines were dropped");
    for (at = rig.said; (at = strstr(at, "weft: line ")) != NULL; at++)
        lines++;
    assert_int_equal(dropped, 10);
    assert_true(lines > 3000);
    assert_non_null(strstr(rig.said, "weft: line 0 of many, so that the buffer is full at some time\nweft: line 1 "));
    rig_close(&rig);
}

/* What a dead writer had put into the pipe is read to its end, in turns of OUTPUT_A_TURN and at the end all at once. */
static void floods_are_read_to_the_end(void **state)
{
    static struct rig rig;

    rig_open(&rig, "i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; "
                   "echo last; exit 0");
    assert_true(2000 * 41 > OUTPUT_A_TURN && 2000 * 41 < OUTPUT_LAST_MAX);
    child_start(&rig.child);
    turn_until(&rig, LIFECYCLE_BACKING_OFF, "it | last\nweft: it: ended with status 0\n");
    rig_close(&rig);
}

/* OUTPUT_RATE: who writes without end is read slowly, also between lines, and goes on to live. */
static void floods_are_slowed_down(void **state)
{
    static struct rig rig;
    int64_t end_ns, next = 0;

    rig_open(&rig, "yes");
    child_start(&rig.child);
    end_ns = loop_clock(&rig.loop) + NS_PER_S / 2;
    while (loop_clock(&rig.loop) < end_ns) {
        next = loop_turn(&rig.loop, MIN(next, loop_clock(&rig.loop) + 5 * NS_PER_MS));
        rig.said_len = 0;
        listen(&rig);
    }
    assert_true(rig.child.out.cutter.lines >= OUTPUT_BURST / (OUTPUT_LINE_COST + 2));
    assert_true(rig.child.out.cutter.lines <= (OUTPUT_BURST + OUTPUT_RATE) / (OUTPUT_LINE_COST + 2) + 1024);
    assert_int_equal(rig.child.life.state, LIFECYCLE_STARTING);
    rig.said_len = 0;
    rig_close(&rig);
}

/* How it ended, what it wrote last, and that it goes on like that. */
static void crash_loops_are_known(void **state)
{
    static struct rig rig;

    rig_open(&rig, "echo 1; echo 2; echo 3; echo 4 >&2; echo 5; exit 9");
    child_start(&rig.child);
    for (unsigned i = 1; i <= CRASH_LOOP_DEATHS; i++) {
        turn_until(&rig, LIFECYCLE_BACKING_OFF, NULL);
        assert_int_equal(child_crash_loops(&rig.child), i == CRASH_LOOP_DEATHS);
        assert_non_null(strstr(rig.child.last_exit, "ended with status 9 0."));
        assert_non_null(strstr(rig.child.last_exit, " s after its start"));
        assert_int_equal(rig.child.tail.count, 5);
        if (i < CRASH_LOOP_DEATHS)
            turn_until(&rig, LIFECYCLE_STARTING, NULL);
    }
    assert_true(rig.child.ended_ns - rig.child.crashing_ns >= 3 * RESTART_FIRST_NS);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_dies_is_started_again),
        cmocka_unit_test(what_can_not_start_backs_off),
        cmocka_unit_test(what_listens_is_stopped_in_peace),
        cmocka_unit_test(what_it_leaves_behind_goes_too),
        cmocka_unit_test(ends_are_described),
        cmocka_unit_test(a_log_that_nobody_reads_loses_lines),
        cmocka_unit_test(floods_are_read_to_the_end),
        cmocka_unit_test(floods_are_slowed_down),
        cmocka_unit_test(crash_loops_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
