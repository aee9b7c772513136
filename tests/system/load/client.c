/* load/client.c - honest clients: one thread, GET requests over HTTP/1.1, one at a time on each connection.
 *
 *   client PORT CONNECTIONS PAUSE_US PATH [new]
 *
 * Each connection waits PAUSE_US after an answer before it asks again; with `new` a connection is made for each
 * request. A line on standard input is a question: mark    prints a line of key=value: counts since the start,
 * latencies since the last mark ask     ASK_MAX of those that pause ask at once (end)   nobody asks any more; prints
 * the line when the answers under way are complete, or after 10 s What is counted: ok          complete answers with
 * status 200 status      complete answers with another one; `first` is the first of them unanswered  the connection
 * ended after the request, before a byte of an answer fresh       ... of these, on a connection's first request cut the
 * connection ended within an answer refused     no connection closed      the connection ended, as its last answer had
 * said, or between two requests: no failure
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#ifndef CONNECTING_MAX
#define CONNECTING_MAX 256 /* under way at once: under any backlog */
#endif
#define BUFFER 65536
#define SAMPLES_MAX 4000000
#define LAST_WAIT_NS 10000000000u
#define ASK_MAX 500
#define AGAIN_NS 20000000u /* after a refusal */

enum state { FREE, CONNECTING, PAUSING, ASKED, ANSWERING };

struct connection {
    int fd;
    enum state state;
    bool used;        /* it has had an answer */
    bool close_after; /* its answer says so */
    uint64_t asked_ns, due_ns;
    size_t head_len;
    char head[1024];
    unsigned status;
    uint64_t body_left;
    struct connection *next; /* in the queue of those that pause or are free */
};

struct queue {
    struct connection *first, **last;
};

static struct {
    int epoll;
    unsigned port, count, connecting, under_way;
    uint64_t pause_ns, stop_ns;
    bool fresh_each, stopping;
    char request[512];
    size_t request_len;
    struct queue pausing; /* in order of their due time: the pause is the same for all */
    struct queue waiting; /* to connect */
    uint64_t ok, status, unanswered, fresh, cut, refused, closed;
    unsigned first_status;
    uint32_t *samples; /* microseconds */
    size_t samples_count;
} it;

static void queue_add(struct queue *queue, struct connection *c)
{
    c->next = NULL;
    *queue->last = c;
    queue->last = &c->next;
}

static struct connection *queue_take(struct queue *queue)
{
    struct connection *c = queue->first;

    queue->first = c->next;
    if (!queue->first)
        queue->last = &queue->first;
    return c;
}

static void queue_remove(struct queue *queue, struct connection *c)
{
    struct connection **at = &queue->first;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    if (!*at)
        queue->last = at;
}

static void leave(struct connection *c, uint64_t again_ns)
{
    it.under_way -= c->state == ASKED || c->state == ANSWERING;
    it.connecting -= c->state == CONNECTING;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->state = FREE;
    c->due_ns = again_ns;
    queue_add(&it.waiting, c);
}

static void broken(struct connection *c)
{
    uint64_t now = now_ns();

    if (c->state == CONNECTING) {
        it.refused++;
        leave(c, now + AGAIN_NS);
        return;
    }
    if (c->state == PAUSING) {
        it.closed++;
        queue_remove(&it.pausing, c);
    } else if (c->state == ASKED) {
        it.unanswered++;
        it.fresh += !c->used;
    } else
        it.cut++;
    leave(c, now);
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

static void ask(struct connection *c)
{
    it.connecting -= c->state == CONNECTING;
    c->state = ASKED;
    c->head_len = 0;
    c->close_after = false;
    c->asked_ns = now_ns();
    it.under_way++;
    if (send(c->fd, it.request, it.request_len, MSG_NOSIGNAL) != (ssize_t)it.request_len)
        broken(c);
}

static void dial(struct connection *c)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };

    c->fd = connect_to(it.port, 0, 0, false);
    c->state = CONNECTING;
    c->used = false;
    it.connecting++;
    if (epoll_ctl(it.epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("epoll_ctl");
}

static void answered(struct connection *c)
{
    uint64_t now = now_ns();

    if (c->status == 200)
        it.ok++;
    else if (it.status++ == 0)
        it.first_status = c->status;
    if (it.samples_count < SAMPLES_MAX)
        it.samples[it.samples_count++] = (uint32_t)((now - c->asked_ns) / 1000);
    it.under_way--;
    c->used = true;
    c->state = PAUSING;
    c->due_ns = now + it.pause_ns;
    if (c->close_after || it.fresh_each) {
        it.closed += c->close_after && !it.fresh_each;
        leave(c, c->due_ns);
        return;
    }
    queue_add(&it.pausing, c);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static const char *field(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':')
            return line + 3 + len + strspn(line + 3 + len, " ");
    return NULL;
}

/* What of `data` belongs to the head; the answer must have a Content-Length. */
static size_t take_head(struct connection *c, const char *data, size_t len)
{
    size_t before = c->head_len, room = sizeof(c->head) - 1 - before, add = len < room ? len : room;
    const char *end, *value;

    memcpy(c->head + before, data, add);
    c->head_len += add;
    c->head[c->head_len] = '\0';
    c->state = ANSWERING;
    end = strstr(c->head, "\r\n\r\n");
    if (!end && c->head_len < sizeof(c->head) - 1)
        return add;
    c->status = c->head_len > 12 ? (unsigned)strtoul(c->head + 9, NULL, 10) : 0;
    value = end ? field(c->head, "Content-Length") : NULL;
    if (!value) {
        (void)fprintf(stderr, "load: an answer that can't be read: %s\n", c->head);
        exit(2);
    }
    c->body_left = strtoull(value, NULL, 10);
    value = field(c->head, "Connection");
    c->close_after = value && strncasecmp(value, "close", 5) == 0;
    c->head_len = sizeof(c->head); /* complete */
    return (size_t)(end + 4 - c->head) - before;
}

/* False: the connection is gone, or has something else to do. */
static bool take(struct connection *c, const char *data, size_t len)
{
    size_t used;

    if (c->state != ASKED && c->state != ANSWERING) {
        (void)fprintf(stderr, "load: an answer that nobody asked for: %.*s\n", (int)len, data);
        exit(2);
    }
    if (c->head_len < sizeof(c->head)) {
        used = take_head(c, data, len);
        data += used;
        len -= used;
        if (c->head_len < sizeof(c->head))
            return true;
    }
    if (len > c->body_left)
        die("an answer that is too long");
    c->body_left -= len;
    if (c->body_left > 0)
        return true;
    answered(c);
    return c->fd >= 0;
}

static void readable(struct connection *c)
{
    static char buffer[BUFFER];
    ssize_t n;

    for (;;) {
        n = recv(c->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            broken(c);
            return;
        }
        if (!take(c, buffer, (size_t)n))
            return;
    }
}

static void happened(struct connection *c, uint32_t events)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (c->fd < 0)
        return;
    if (c->state == CONNECTING) {
        (void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error)
            broken(c);
        else if (events & EPOLLOUT)
            ask(c);
        return;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        readable(c);
}

/* --- telling -------------------------------------------------------------------------------------------------------
 */

static int smaller(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint32_t quantile(double share)
{
    return it.samples_count ? it.samples[(size_t)((double)(it.samples_count - 1) * share)] : 0;
}

static void tell(void)
{
    qsort(it.samples, it.samples_count, sizeof(*it.samples), smaller);
    printf("ok=%llu status=%llu first=%u unanswered=%llu fresh=%llu cut=%llu refused=%llu closed=%llu stuck=%u "
           "samples=%zu p50=%u p99=%u highest=%u\n",
           (unsigned long long)it.ok, (unsigned long long)it.status, it.first_status, (unsigned long long)it.unanswered,
           (unsigned long long)it.fresh, (unsigned long long)it.cut, (unsigned long long)it.refused,
           (unsigned long long)it.closed, it.under_way, it.samples_count, quantile(0.5), quantile(0.99), quantile(1));
    (void)fflush(stdout);
    it.samples_count = 0;
}

static void told(void)
{
    char line[256];
    ssize_t n = read(0, line, sizeof(line) - 1);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        it.stopping = true;
        it.stop_ns = now_ns();
        (void)epoll_ctl(it.epoll, EPOLL_CTL_DEL, 0, NULL);
        return;
    }
    line[n] = '\0';
    if (strstr(line, "mark"))
        tell();
    if (strstr(line, "ask"))
        for (unsigned i = 0; i < ASK_MAX && it.pausing.first; i++)
            ask(queue_take(&it.pausing));
}

/* --- the loop ------------------------------------------------------------------------------------------------------
 */

/* Whoever is due asks or connects. Milliseconds until the next one is. */
static int run_due(void)
{
    uint64_t now = now_ns(), wait = 100000000u;

    if (it.stopping)
        return 10;
    while (it.pausing.first && it.pausing.first->due_ns <= now)
        ask(queue_take(&it.pausing));
    for (unsigned left = it.count; left > 0 && it.waiting.first && it.connecting < CONNECTING_MAX; left--) {
        struct connection *c = queue_take(&it.waiting);

        if (c->due_ns <= now)
            dial(c);
        else {
            queue_add(&it.waiting, c);
            wait = c->due_ns - now < wait ? c->due_ns - now : wait;
        }
    }
    if (it.pausing.first)
        wait = it.pausing.first->due_ns <= now         ? 0
               : it.pausing.first->due_ns - now < wait ? it.pausing.first->due_ns - now
                                                       : wait;
    return (int)((wait + 999999u) / 1000000u);
}

static void start(int count, char **arguments)
{
    struct epoll_event standard_input = { .events = EPOLLIN, .data.ptr = NULL };

    it.port = number(arguments[1]);
    it.count = number(arguments[2]);
    it.pause_ns = (uint64_t)number(arguments[3]) * 1000u;
    it.fresh_each = count > 5;
    it.request_len = (size_t)snprintf(it.request, sizeof(it.request), "GET %s HTTP/1.1\r\nHost: load\r\n%s\r\n",
                                      arguments[4], it.fresh_each ? "Connection: close\r\n" : "");
    it.samples = malloc(SAMPLES_MAX * sizeof(*it.samples));
    it.epoll = epoll_create1(EPOLL_CLOEXEC);
    it.pausing.last = &it.pausing.first;
    it.waiting.last = &it.waiting.first;
    if (!it.samples || it.epoll < 0 || epoll_ctl(it.epoll, EPOLL_CTL_ADD, 0, &standard_input) < 0)
        die("start");
    for (unsigned i = 0; i < it.count; i++) {
        struct connection *c = calloc(1, sizeof(*c));

        if (!c)
            die("memory");
        c->fd = -1;
        queue_add(&it.waiting, c);
    }
}

int main(int count, char **arguments)
{
    struct epoll_event events[512];
    int n;

    errno = EINVAL;
    if (count != 5 && count != 6)
        die("usage: client PORT CONNECTIONS PAUSE_US PATH [new]");
    raise_descriptors();
    start(count, arguments);
    while (!it.stopping || (it.under_way > 0 && now_ns() - it.stop_ns < LAST_WAIT_NS)) {
        n = epoll_wait(it.epoll, events, 512, run_due());
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr)
                happened(events[i].data.ptr, events[i].events);
            else
                told();
    }
    tell();
    return 0;
}
