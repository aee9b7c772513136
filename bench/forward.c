/* bench/forward.c - the floor below every proxy with the same pattern of input and output: copies bytes between each
 * client connection and an upstream connection of its own, and understands none of them. No proxy that reads and
 * writes each request once on each side can be cheaper; one that shares upstream connections can.
 *
 *   forward LISTEN_PORT ORIGIN_PORT...      new connections go to the origins in turn
 */
#include "loopback.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define COPY_SIZE (64 * 1024) /* bytes moved at a time; larger gains little for 1 KiB answers */
#define EVENTS_PER_TURN 256

/* One end of a pair. `unsent` is what came from the peer and did not fit into this end's socket yet. */
struct end {
    int fd;
    struct end *peer;
    struct pair *pair;
    char *unsent;
    size_t unsent_at, unsent_size;
};

struct pair {
    struct end client, origin;
    bool dead;
    struct pair *next_dead; /* freed after the turn: later events of the turn may still name its ends */
};

struct forward {
    int epoll, listener;
    int origin_count, next_origin;
    char **origins;
    struct pair *dead;
    char copy[COPY_SIZE];
};

static void pair_close(struct forward *forward, struct pair *pair)
{
    if (pair->dead)
        return;
    pair->dead = true;
    close(pair->client.fd);
    close(pair->origin.fd);
    pair->next_dead = forward->dead;
    forward->dead = pair;
}

static void free_dead(struct forward *forward)
{
    while (forward->dead != NULL) {
        struct pair *pair = forward->dead;

        forward->dead = pair->next_dead;
        free(pair->client.unsent);
        free(pair->origin.unsent);
        free(pair);
    }
}

static void keep_unsent(struct end *to, const char *data, size_t size)
{
    if (to->unsent == NULL)
        to->unsent = malloc(COPY_SIZE);
    if (to->unsent == NULL)
        abort();
    memcpy(to->unsent, data, size);
    to->unsent_at = 0;
    to->unsent_size = size;
}

/* Copies from `from` to its peer until there is nothing to read or no room to write. With `hangup` a short read does
 * not mean that the socket is empty: the end of the stream is still to be read and no further edge will tell. */
static void pump(struct forward *forward, struct end *from, bool hangup)
{
    struct end *to = from->peer;

    while (to->unsent_size == 0) {
        ssize_t got = recv(from->fd, forward->copy, COPY_SIZE, 0), sent;

        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            pair_close(forward, from->pair);
            return;
        }
        sent = send(to->fd, forward->copy, (size_t)got, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            pair_close(forward, from->pair);
            return;
        }
        if (sent < got) {
            sent = sent < 0 ? 0 : sent;
            keep_unsent(to, forward->copy + sent, (size_t)(got - sent));
        } else if (got < COPY_SIZE && !hangup) {
            return;
        }
    }
}

static void send_unsent(struct forward *forward, struct end *to)
{
    while (to->unsent_size > 0) {
        ssize_t sent = send(to->fd, to->unsent + to->unsent_at, to->unsent_size, MSG_NOSIGNAL);

        if (sent < 0) {
            if (errno != EAGAIN)
                pair_close(forward, to->pair);
            return;
        }
        to->unsent_at += (size_t)sent;
        to->unsent_size -= (size_t)sent;
    }
    pump(forward, to->peer, true);
}

static void on_end(struct forward *forward, struct end *end, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && end->unsent_size > 0)
        send_unsent(forward, end);
    if (!end->pair->dead && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        pump(forward, end, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

static void on_listener(struct forward *forward)
{
    int client, origin;

    while ((client = loopback_accept(forward->listener)) >= 0) {
        const char *port = forward->origins[forward->next_origin++ % forward->origin_count];
        struct pair *pair;

        origin = loopback_connect((int)number_or_exit(port, "port", 1, 65535));
        if (origin < 0) {
            close(client);
            continue;
        }
        pair = calloc(1, sizeof *pair);
        if (pair == NULL)
            abort();
        pair->client = (struct end){ .fd = client, .peer = &pair->origin, .pair = pair };
        pair->origin = (struct end){ .fd = origin, .peer = &pair->client, .pair = pair };
        watch(forward->epoll, client, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair->client);
        watch(forward->epoll, origin, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair->origin);
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_PER_TURN];
    struct forward *forward;

    if (argc < 3) {
        fprintf(stderr, "usage: forward LISTEN_PORT ORIGIN_PORT...\n");
        return 2;
    }
    forward = calloc(1, sizeof *forward);
    if (forward == NULL)
        abort();
    signal(SIGPIPE, SIG_IGN);
    forward->origins = argv + 2;
    forward->origin_count = argc - 2;
    forward->epoll = epoll_create1(EPOLL_CLOEXEC);
    forward->listener = loopback_listen((int)number_or_exit(argv[1], "port", 1, 65535));
    watch(forward->epoll, forward->listener, EPOLLIN, NULL);
    for (;;) {
        int count = epoll_wait(forward->epoll, events, EVENTS_PER_TURN, -1);

        for (int i = 0; i < count; i++) {
            struct end *end = events[i].data.ptr;

            if (end == NULL)
                on_listener(forward);
            else if (!end->pair->dead)
                on_end(forward, end, events[i].events);
        }
        free_dead(forward);
    }
}
