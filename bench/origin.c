/* bench/origin.c - the server behind the proxies: one thread, level-triggered epoll, answers made beforehand.
 *
 *   origin PORT...        listens on 127.0.0.1:PORT for each
 *
 *   GET /N                200 with N bytes of body
 *   any other path        200 with the body "ok\n", so that readiness checks pass
 *
 * Keep-alive, pipelined requests, HEAD, and "Connection: close" are understood; requests have no bodies. */
#include "loopback.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define ANSWERS_MAX 16       /* different lengths that one run asks for; a scenario asks for one */
#define BODY_MAX (64L << 20) /* bytes; the bulk scenario asks for 10 MiB */
#define HEAD_ROOM 256        /* bytes of head before a body */
#define PIPELINED_MAX 64     /* answers waiting on one connection */
#define INPUT_MAX 8192       /* bytes of one request's head */
#define EVENTS_PER_TURN 256
#define LISTENERS_MAX 16

struct prepared {
    long body;
    size_t head_size, size;
    char *data;
};

struct origin {
    int epoll;
    int answer_count;
    struct prepared answers[ANSWERS_MAX];
};

struct connection {
    int fd; /* first, as in struct listener: what epoll hands back is told apart by `listening` */
    bool listening;
    bool closing, wants_out;
    int queued, sent;
    size_t held;
    struct iovec out[PIPELINED_MAX];
    char in[INPUT_MAX];
};

struct listener {
    int fd;
    bool listening;
};

static struct prepared *answer_of(struct origin *origin, long body)
{
    struct prepared *answer = origin->answers;

    for (int i = 0; i < origin->answer_count; i++, answer++)
        if (answer->body == body)
            return answer;
    if (origin->answer_count == ANSWERS_MAX) {
        fprintf(stderr, "origin: more than %d different lengths asked for\n", ANSWERS_MAX);
        exit(1);
    }
    origin->answer_count++;
    answer->body = body;
    answer->data = malloc((size_t)(body < 0 ? 3 : body) + HEAD_ROOM);
    if (answer->data == NULL)
        abort();
    answer->head_size = (size_t)snprintf(answer->data, HEAD_ROOM,
                                         "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\n"
                                         "Content-Length: %ld\r\n\r\n",
                                         body < 0 ? 3 : body);
    if (body < 0)
        memcpy(answer->data + answer->head_size, "ok\n", 3);
    else
        memset(answer->data + answer->head_size, 'x', (size_t)body);
    answer->size = answer->head_size + (size_t)(body < 0 ? 3 : body);
    return answer;
}

/* The length that "/N" asks for; -1 for any other path. `target` lies in a head that ends with CR LF CR LF. */
static long body_of(const char *target)
{
    char *end;
    long body;

    if (target[0] != '/' || target[1] < '0' || target[1] > '9')
        return -1;
    body = strtol(target + 1, &end, 10);
    return *end == ' ' && body <= BODY_MAX ? body : -1;
}

static void connection_close(struct connection *connection)
{
    close(connection->fd);
    free(connection);
}

static void want_out(struct origin *origin, struct connection *connection, bool wanted)
{
    struct epoll_event event = { .events = EPOLLIN | (wanted ? EPOLLOUT : 0u), .data.ptr = connection };

    if (connection->wants_out == wanted)
        return;
    connection->wants_out = wanted;
    epoll_ctl(origin->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Queues the answers to all whole requests held, as far as there is room. */
static void take_requests(struct origin *origin, struct connection *connection)
{
    char *next = connection->in, *end = connection->in + connection->held;
    char *blank, *target;

    while (connection->queued < PIPELINED_MAX && (blank = memmem(next, (size_t)(end - next), "\r\n\r\n", 4)) != NULL) {
        bool head_only = memcmp(next, "HEAD", 4) == 0;
        struct prepared *answer;

        target = memchr(next, ' ', (size_t)(blank - next));
        answer = answer_of(origin, target != NULL ? body_of(target + 1) : -1);
        connection->out[connection->queued++] = (struct iovec){ answer->data,
                                                                head_only ? answer->head_size : answer->size };
        if (memmem(next, (size_t)(blank - next), "onnection: close", 16) != NULL)
            connection->closing = true;
        next = blank + 4;
    }
    connection->held = (size_t)(end - next);
    memmove(connection->in, next, connection->held);
}

/* 0 when everything queued is sent, else -errno. */
static int send_queued(struct connection *connection)
{
    while (connection->sent < connection->queued) {
        struct iovec *next = connection->out + connection->sent;
        ssize_t written = writev(connection->fd, next, connection->queued - connection->sent);

        if (written < 0)
            return -errno;
        for (; connection->sent < connection->queued && (size_t)written >= next->iov_len; next++, connection->sent++)
            written -= (ssize_t)next->iov_len;
        if (connection->sent < connection->queued) {
            next->iov_base = (char *)next->iov_base + written;
            next->iov_len -= (size_t)written;
        }
    }
    connection->queued = connection->sent = 0;
    return 0;
}

/* Answers what is held; false when the connection is gone. */
static bool serve(struct origin *origin, struct connection *connection)
{
    int result;

    do {
        take_requests(origin, connection);
        if (connection->queued == 0 && connection->held == sizeof connection->in) {
            connection_close(connection);
            return false;
        }
        result = send_queued(connection);
        if (result == -EAGAIN) {
            want_out(origin, connection, true);
            return true;
        }
        if (result < 0 || (connection->closing && connection->held == 0)) {
            connection_close(connection);
            return false;
        }
    } while (memmem(connection->in, connection->held, "\r\n\r\n", 4) != NULL);
    want_out(origin, connection, false);
    return true;
}

static void on_connection(struct origin *origin, struct connection *connection, uint32_t events)
{
    ssize_t got;

    if (connection->queued > 0 && ((events & EPOLLOUT) == 0 || !serve(origin, connection) || connection->queued > 0))
        return;
    got = recv(connection->fd, connection->in + connection->held, sizeof connection->in - connection->held, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        connection_close(connection);
        return;
    }
    connection->held += (size_t)got;
    serve(origin, connection);
}

static void on_listener(struct origin *origin, const struct listener *listener)
{
    int fd;

    while ((fd = loopback_accept(listener->fd)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);

        if (connection == NULL)
            abort();
        connection->fd = fd;
        watch(origin->epoll, fd, EPOLLIN, connection);
    }
}

int main(int argc, char **argv)
{
    struct origin origin = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
    struct listener listeners[LISTENERS_MAX];
    struct epoll_event events[EVENTS_PER_TURN];

    if (argc < 2 || argc > LISTENERS_MAX + 1) {
        fprintf(stderr, "usage: origin PORT...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        struct listener *listener = &listeners[i - 1];

        *listener = (struct listener){ loopback_listen((int)number_or_exit(argv[i], "port", 1, 65535)), true };
        watch(origin.epoll, listener->fd, EPOLLIN, listener);
    }
    for (;;) {
        int count = epoll_wait(origin.epoll, events, EVENTS_PER_TURN, -1);

        for (int i = 0; i < count; i++) {
            struct listener *listener = events[i].data.ptr;

            if (listener->listening)
                on_listener(&origin, listener);
            else
                on_connection(&origin, events[i].data.ptr, events[i].events);
        }
    }
}
