#include "supervise/child.h"

#include "base/assert.h"

#include <signal.h>

static void handle(struct child *child, enum lifecycle_event event);

static void keep_tail(struct child_tail *tail, struct bytes line)
{
    unsigned at = tail->count++ % CHILD_TAIL_LINES;

    tail->len[at] = (uint8_t)MIN(line.len, (size_t)CHILD_TAIL_LINE_MAX);
    memcpy(tail->lines[at], line.data, tail->len[at]);
}

static void take_line(struct child *child, enum record_stream stream, struct bytes line)
{
    log_line(child->log, child->name, line);
    if (line.len > 0)
        keep_tail(&child->tail, line);
    if (child->ops->said)
        child->ops->said(child, stream, line);
}

static void take_out(struct line_cutter *cutter, struct bytes line)
{
    struct output *output = container_of(cutter, struct output, cutter);

    take_line(container_of(output, struct child, out), RECORD_OUT, line);
}

static void take_err(struct line_cutter *cutter, struct bytes line)
{
    struct output *output = container_of(cutter, struct output, cutter);

    take_line(container_of(output, struct child, err), RECORD_ERR, line);
}

/* The last one of a row began when its first process was started. */
static void note_end(struct child *child, struct bytes how)
{
    struct text text = text_into(child->last_exit, sizeof(child->last_exit) - 1);

    child->ended_ns = loop_clock(child->loop);
    text_add(&text, how);
    if (child->spawn_error == 0)
        text_add_format(&text, " %.1f s after its start",
                        (double)(child->ended_ns - child->started_ns) / (double)NS_PER_S);
    child->last_exit[text.len] = '\0';
}

static void timer_ran(struct timer *timer)
{
    handle(container_of(timer, struct child, timer), LIFECYCLE_TIME);
}

static void say_end(struct child *child)
{
    char memory[CHILD_EXIT_MAX - 32];
    struct text text = text_into(memory, sizeof(memory));

    if ((child->life.state == LIFECYCLE_STOPPING || child->life.state == LIFECYCLE_RESTARTING) &&
        child->status == SIGTERM)
        text_add(&text, BYTES("stopped")); /* as it was asked to */
    else
        child_describe_end(&text, child->status);
    if (child->ops->ended)
        child->ops->ended(child, &text);
    note_end(child, text_bytes(&text));
    log_say(child->log, BYTES_FMT ": " BYTES_FMT, BYTES_ARG(child->name), BYTES_ARG(text_bytes(&text)));
}

static void process_exited(struct wake *wake, unsigned events)
{
    struct child *child = container_of(wake, struct child, exited);
    struct io *io = child->loop->io;
    int r;

    (void)io->ops->process_signal(io, &child->process, SIGKILL, true); /* what it left behind */
    r = io->ops->process_reap(io, &child->process, &child->status);
    if (r == -EAGAIN) { /* not yet: the wake comes again */
        r = io->ops->arm(io, &child->exited, IO_READ);
        ASSERT(r == 0);
        return;
    }
    ASSERT(r == 0);
    output_close(&child->out);
    output_close(&child->err);
    say_end(child);
    handle(child, LIFECYCLE_EXITED);
}

static int spawn(struct child *child)
{
    struct io *io = child->loop->io;
    int out = -1, err = -1, r = 0;

    child->tail.count = 0;
    child->started_ns = loop_clock(child->loop);
    if (child->captured)
        r = output_open(&child->out, child->loop, take_out, &out);
    if (child->captured && r == 0)
        r = output_open(&child->err, child->loop, take_err, &err);
    if (r == 0)
        r = child->ops->spawn(child, out, err, &child->process);
    if (out >= 0)
        io->ops->descriptor_close(io, out);
    if (err >= 0)
        io->ops->descriptor_close(io, err);
    if (r < 0) {
        output_close(&child->out);
        output_close(&child->err);
        return r;
    }
    child->exited = (struct wake){ .socket = child->process.exited, .run = process_exited };
    r = io->ops->arm(io, &child->exited, IO_READ);
    ASSERT(r == 0); /* a socket that was just opened */
    return 0;
}

static void act(struct child *child, unsigned actions)
{
    struct io *io = child->loop->io;

    if (actions & LIFECYCLE_DO_TERMINATE)
        (void)io->ops->process_signal(io, &child->process, SIGTERM, true);
    if (actions & LIFECYCLE_DO_KILL)
        (void)io->ops->process_signal(io, &child->process, SIGKILL, true);
    if (!(actions & LIFECYCLE_DO_SPAWN))
        return;
    child->spawn_error = spawn(child);
    if (child->spawn_error < 0) {
        char memory[CHILD_EXIT_MAX - 32];
        struct text text = text_into(memory, sizeof(memory));
        const char *reason = strerrordesc_np(-child->spawn_error);
        unsigned more;

        text_add_format(&text, "could not be started: %s", reason ? reason : "unknown error");
        note_end(child, text_bytes(&text));
        more = lifecycle_event(&child->life, LIFECYCLE_START_FAILED, loop_clock(child->loop));

        ASSERT(!(more & LIFECYCLE_DO_SPAWN)); /* it backs off */
    }
}

/* Wakes run inside the poll, before the loop's own time is set: hence the clock. */
static void handle(struct child *child, enum lifecycle_event event)
{
    unsigned actions = lifecycle_event(&child->life, event, loop_clock(child->loop));

    act(child, actions);
    if (child->life.state == LIFECYCLE_BACKING_OFF && child->life.backoff.failures <= 1)
        child->crashing_ns = child->started_ns;
    timer_set(child->loop, &child->timer, child->life.due_ns);
    if (actions & LIFECYCLE_DO_TELL)
        child->ops->changed(child);
}

void child_init(struct child *child, const struct child_ops *ops, struct loop *loop, struct log *log, struct bytes name,
                bool captured, unsigned free_restarts)
{
    *child = (struct child){ .ops = ops, .loop = loop, .log = log, .name = name, .captured = captured };
    lifecycle_init(&child->life, free_restarts);
    timer_init(&child->timer, timer_ran);
}

void child_start(struct child *child)
{
    handle(child, LIFECYCLE_START);
}

void child_stop(struct child *child)
{
    handle(child, LIFECYCLE_STOP);
}

void child_kill(struct child *child, int number)
{
    struct io *io = child->loop->io;

    if (lifecycle_has_process(child->life.state))
        (void)io->ops->process_signal(io, &child->process, number, true);
}

void child_ready(struct child *child, bool ready)
{
    handle(child, ready ? LIFECYCLE_BECAME_READY : LIFECYCLE_BECAME_UNREADY);
}

void child_hung(struct child *child)
{
    handle(child, LIFECYCLE_HUNG);
}

bool child_crash_loops(const struct child *child)
{
    return child->life.backoff.failures >= CRASH_LOOP_DEATHS;
}

void child_describe_end(struct text *text, int status)
{
    if ((status & 0x7f) == 0)
        text_add_format(text, "ended with status %d", status >> 8 & 0xff);
    else
        text_add_format(text, "was killed by signal %d%s", status & 0x7f, status & 0x80 ? " (core dumped)" : "");
}
