#include "supervise/output.h"

#define READ_SIZE 4096

void line_cutter_init(struct line_cutter *cutter, void (*take)(struct line_cutter *, struct bytes))
{
    cutter->len = 0;
    cutter->take = take;
}

static void emit(struct line_cutter *cutter)
{
    cutter->take(cutter, bytes_of(cutter->line, cutter->len));
    cutter->len = 0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
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

/* Reads at most `max` bytes. True: the other side is still there. */
static bool read_some(struct output *output, size_t max)
{
    struct io *io = output->loop->io;
    char data[READ_SIZE];
    ssize_t n = 0;

    for (size_t taken = 0; taken < max; taken += (size_t)n) {
        n = io->ops->try_read(io, output->socket, data, sizeof(data));
        if (n <= 0)
            return n == -EAGAIN;
        line_cutter_add(&output->cutter, bytes_of(data, (size_t)n));
    }
    return true;
}

static void arm(struct output *output);

static void readable(struct wake *wake, unsigned events)
{
    struct output *output = container_of(wake, struct output, wake);

    if (read_some(output, OUTPUT_A_TURN))
        arm(output);
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
    output->wake.socket = output->socket;
    arm(output);
    return 0;
}

void output_close(struct output *output)
{
    struct io *io;

    if (!io_socket_is(output->socket))
        return;
    io = output->loop->io;
    (void)read_some(output, OUTPUT_LAST_MAX);
    line_cutter_end(&output->cutter);
    io->ops->close(io, output->socket);
    output->socket = IO_SOCKET_NONE;
}
