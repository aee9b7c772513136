#include "supervise/output.h"

#define READ_SIZE 1024 /* of empty lines, it costs no more than a burst */

void line_cutter_init(struct line_cutter *cutter, void (*take)(struct line_cutter *, struct bytes))
{
    cutter->len = 0;
    cutter->lines = 0;
    cutter->take = take;
}

static void emit(struct line_cutter *cutter)
{
    cutter->lines++;
    cutter->take(cutter, bytes_of(cutter->line, cutter->len));
    cutter->len = 0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* C1 controls, which many terminals obey, are two bytes of UTF-8: C2 80 to C2 9F. */
static bool ends_pair(const struct line_cutter *cutter, char c)
{
    return ((unsigned char)c & 0xe0) == 0x80 && cutter->len > 0 && (unsigned char)cutter->line[cutter->len - 1] == 0xc2;
}

void line_cutter_add(struct line_cutter *cutter, struct bytes data)
{
    for (size_t i = 0; i < data.len; i++) {
        char c = data.data[i];

        if (c == '\n') {
            emit(cutter);
            continue;
        }
        if (c == '\r')
            continue;
        if (ends_pair(cutter, c)) {
            cutter->line[cutter->len - 1] = '?';
            continue;
        }
        if (cutter->len == sizeof(cutter->line))
            emit(cutter);
        cutter->line[cutter->len++] = is_control(c) ? '?' : c;
    }
}

void line_cutter_end(struct line_cutter *cutter)
{
    if (cutter->len > 0)
        emit(cutter);
}

/* Reads at most `max` bytes, and not beyond its credit unless it is the last time. True: the other side is still there.
 */
static bool read_some(struct output *output, size_t max, bool last)
{
    struct io *io = output->loop->io;
    char data[READ_SIZE];
    ssize_t n = 0;

    for (size_t taken = 0; taken < max && (last || output->credit > 0); taken += (size_t)n) {
        uint64_t lines = output->cutter.lines;

        n = io->ops->try_read(io, output->socket, data, sizeof(data));
        if (n <= 0)
            return n == -EAGAIN;
        line_cutter_add(&output->cutter, bytes_of(data, (size_t)n));
        output->credit -= n + (int64_t)(output->cutter.lines - lines) * OUTPUT_LINE_COST;
    }
    return true;
}

static void refill(struct output *output)
{
    int64_t now_ns = loop_clock(output->loop);
    int64_t more = (int64_t)((double)(now_ns - output->credited_ns) * (double)OUTPUT_RATE / (double)NS_PER_S);

    output->credit = MIN(output->credit + more, (int64_t)OUTPUT_BURST);
    output->credited_ns = now_ns;
}

static void arm(struct output *output);

/* Reads on when half a burst may be read. */
static void go_on(struct output *output)
{
    int64_t wanted = (int64_t)OUTPUT_BURST / 2 - output->credit;

    if (output->credit > 0)
        arm(output);
    else
        timer_set(output->loop, &output->pause, output->credited_ns + wanted * NS_PER_S / (int64_t)OUTPUT_RATE);
}

static void paused(struct timer *timer)
{
    struct output *output = container_of(timer, struct output, pause);

    refill(output);
    arm(output);
}

static void readable(struct wake *wake, unsigned events)
{
    struct output *output = container_of(wake, struct output, wake);

    refill(output);
    if (read_some(output, OUTPUT_A_TURN, false))
        go_on(output);
    else
        output_close(output);
}

static void arm(struct output *output)
{
    struct io *io = output->loop->io;

    output->wake.run = readable;
    if (io->ops->arm(io, &output->wake, IO_READ) < 0)
        output_close(output);
}

int output_open(struct output *output, struct loop *loop, void (*take)(struct line_cutter *, struct bytes),
                int *ret_theirs)
{
    struct io *io = loop->io;
    int r = io->ops->pipe(io, &output->socket, ret_theirs);

    if (r < 0)
        return r;
    output->loop = loop;
    output->wake = (struct wake){ .socket = output->socket };
    line_cutter_init(&output->cutter, take);
    timer_init(&output->pause, paused);
    output->credit = OUTPUT_BURST;
    output->credited_ns = loop_clock(loop);
    arm(output);
    return 0;
}

void output_close(struct output *output)
{
    struct io *io;

    if (!io_socket_is(output->socket))
        return;
    io = output->loop->io;
    timer_stop(output->loop, &output->pause);
    (void)read_some(output, OUTPUT_LAST_MAX, true);
    line_cutter_end(&output->cutter);
    io->ops->close(io, output->socket);
    output->socket = IO_SOCKET_NONE;
}
