/* load/slow.c - slow clients: each moves a byte a second.
 *
 *   slow PORT COUNT KINDS [SOURCES]
 *
 * KINDS is a list of letters that the clients take in turn:
 *   h   sends the head of a GET a byte a second
 *   b   sends a POST's head, then its body a byte a second
 *   a   asks for 16 megabytes, more than sockets buffer, and reads a byte a second
 * A client that was dropped comes again within a second, until standard input ends. Any line there is a question; the
 * answer is a line of key=value: how many are attached, and how many were dropped so far. SOURCES: so many addresses
 * 127.0.0.x are used, since each has only so many ports.
 */
#include "common.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 500 /* of a second: the clients move one after the other, not all at once */
#define RECEIVE_SIZE 4096

struct client {
    int fd;
    char kind;
    bool asked; /* what it sends at once is on its way */
};

static struct {
    unsigned port, count, sources, attached;
    unsigned long long dropped;
    struct client *clients;
} it;

static const char *opening(char kind)
{
    switch (kind) {
    case 'h': return "GET /who HTTP/1.1\r\nHost: slow\r\nX-Slow: ";
    case 'b': return "POST /sink HTTP/1.1\r\nHost: slow\r\nContent-Length: 1000000\r\n\r\n";
    default: return "GET /bytes?16000000 HTTP/1.1\r\nHost: slow\r\n\r\n";
    }
}

static void attach(struct client *c, unsigned index)
{
    c->fd = connect_to(it.port, it.sources ? 2 + index % it.sources : 0, c->kind == 'a' ? RECEIVE_SIZE : 0, false);
    c->asked = false;
    it.attached++;
}

static void drop(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    it.attached--;
    it.dropped++;
}

static void move(struct client *c)
{
    const char *text = c->asked ? "x" : opening(c->kind);
    char byte[1];
    ssize_t n;

    if (c->asked && c->kind == 'a')
        n = recv(c->fd, byte, 1, MSG_DONTWAIT);
    else {
        n = send(c->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
        c->asked |= n > 0;
        /* Whoever was answered (408, 503) will not be heard any more. */
        if (n > 0 && recv(c->fd, byte, 1, MSG_DONTWAIT) >= 0)
            n = c->kind == 'a' ? n : 0;
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS))
        drop(c);
}

/* One slot of a second: a 500th of the clients. */
static void run_slot(unsigned slot)
{
    for (unsigned i = slot; i < it.count; i += SLOTS) {
        struct client *c = &it.clients[i];

        if (c->fd < 0)
            attach(c, i);
        else
            move(c);
    }
}

/* False: standard input has ended. */
static bool listen_until(uint64_t end_ns)
{
    struct pollfd input = { .fd = 0, .events = POLLIN };
    char line[64];
    uint64_t now;

    while ((now = now_ns()) < end_ns) {
        if (poll(&input, 1, (int)((end_ns - now) / 1000000u) + 1) <= 0)
            continue;
        if (read(0, line, sizeof(line)) <= 0)
            return false;
        printf("attached=%u dropped=%llu\n", it.attached, it.dropped);
        (void)fflush(stdout);
    }
    return true;
}

int main(int count, char **arguments)
{
    uint64_t due;

    errno = EINVAL;
    if (count != 4 && count != 5)
        die("usage: slow PORT COUNT KINDS [SOURCES]");
    raise_descriptors();
    it.port = number(arguments[1]);
    it.count = number(arguments[2]);
    it.sources = count == 5 ? number(arguments[4]) : 0;
    it.clients = calloc(it.count, sizeof(*it.clients));
    if (!it.clients)
        die("memory");
    for (unsigned i = 0; i < it.count; i++)
        it.clients[i] = (struct client){ .fd = -1, .kind = arguments[3][i % strlen(arguments[3])] };
    due = now_ns();
    for (unsigned slot = 0;; slot = (slot + 1) % SLOTS) {
        run_slot(slot);
        due += 1000000000u / SLOTS;
        if (!listen_until(due))
            return 0;
    }
}
