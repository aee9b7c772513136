/* load/service.c - a service for load tests: one thread, level-triggered epoll, HTTP/1.1 on descriptor 3 or on PORT.
 *
 *   GET  /who              "INSTANCE PID", at once; so does every path that is not named here
 *   GET  /late?MS          the same after MS milliseconds
 *   GET  /slow?MS          half of the answer at once, the other half after MS milliseconds
 *   GET  /bytes?N          N bytes of the pattern, with Content-Length
 *   GET  /chunked?N        the same, chunked
 *   POST anything          takes a body, with Content-Length or chunked; "LENGTH ok" when it was the pattern
 *   GET with Upgrade       101, then echoes
 *
 * With --listen PORT it listens there, for `url:`; it ends with SIGTERM as any program.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define OUT_MAX 512

enum state { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, LATER, ANSWER, BYTES, ECHO };

struct connection {
    int fd;
    enum state state;
    char in[HEAD_MAX + 1]; /* what was read and not used */
    size_t have;
    char out[OUT_MAX]; /* what is to be written first */
    size_t out_len, out_sent;
    uint64_t body_left, body_got; /* of a request; of the chunk under way */
    bool body_chunked, body_wrong;
    uint64_t bytes, sent, chunk_left; /* of the answer */
    bool chunked, chunk_open;
    uint64_t due_ns;         /* LATER: when the rest follows */
    char rest[64];           /* LATER: it */
    struct connection *next; /* LATER */
};

static struct {
    int epoll, listener;
    const char *instance, *pattern;
    struct connection *later;
} it;

static void watch(struct connection *c, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = c };

    if (epoll_ctl(it.epoll, EPOLL_CTL_MOD, c->fd, &event) < 0)
        die("epoll_ctl");
}

static void forget(struct connection *c)
{
    struct connection **at = &it.later;

    while (*at && *at != c)
        at = &(*at)->next;
    if (*at)
        *at = c->next;
    close(c->fd);
    free(c);
}

/* --- answers -------------------------------------------------------------------------------------------------- */

static void say(struct connection *c, const char *status, const char *fields, const char *body, size_t length)
{
    c->out_sent = 0;
    c->out_len = (size_t)snprintf(c->out, sizeof(c->out), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                                  fields, length, body);
}

static void say_who(struct connection *c, const char *path)
{
    const char *query = strchr(path, '?');
    char who[64];
    size_t len = (size_t)snprintf(who, sizeof(who), "%s %d\n", it.instance, (int)getpid());
    uint64_t wait_ns = query ? strtoull(query + 1, NULL, 10) * 1000000u : 0;

    c->state = ANSWER;
    if (strncmp(path, "/late?", 6) == 0) {
        say(c, "200 OK", "", who, len);
        c->state = LATER;
        c->rest[0] = '\0';
    } else if (strncmp(path, "/slow?", 6) == 0) {
        say(c, "200 OK", "", "begin-", 6 + len);
        memcpy(c->rest, who, len + 1);
        (void)!send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
        c->out_len = 0;
        c->state = LATER;
    } else
        say(c, "200 OK", "", who, len);
    if (c->state != LATER)
        return;
    c->due_ns = now_ns() + wait_ns;
    c->next = it.later;
    it.later = c;
}

static void say_bytes(struct connection *c, uint64_t count, bool chunked)
{
    c->bytes = count;
    c->sent = 0;
    c->chunked = chunked;
    c->chunk_open = chunked;
    c->chunk_left = 0;
    c->out_sent = 0;
    c->out_len = chunked
                     ? (size_t)snprintf(c->out, sizeof(c->out), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                     : (size_t)snprintf(c->out, sizeof(c->out), "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
                                        (unsigned long long)count);
    c->state = BYTES;
}

static void say_body(struct connection *c)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "%llu %s\n", (unsigned long long)c->body_got,
                       c->body_wrong ? "wrong" : "ok");

    say(c, "200 OK", "", text, (size_t)len);
    c->state = ANSWER;
}

static void go_on_later(struct connection *c)
{
    c->state = ANSWER;
    if (c->rest[0]) {
        c->out_sent = 0;
        c->out_len = (size_t)snprintf(c->out, sizeof(c->out), "%s", c->rest);
    }
    watch(c, EPOLLIN | EPOLLOUT);
}

/* --- requests -------------------------------------------------------------------------------------------------- */

/* The value of a field, up to its line's end; NULL: there is none. The head is a text that ends with an empty line. */
static const char *field(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':')
            return line + 3 + len + strspn(line + 3 + len, " ");
    return NULL;
}

static void begin_body(struct connection *c, const char *length, bool chunked)
{
    c->body_got = 0;
    c->body_wrong = false;
    c->body_left = length ? strtoull(length, NULL, 10) : 0;
    c->state = chunked ? CHUNK_SIZE : BODY;
}

/* False: more must come. */
static bool take_head(struct connection *c)
{
    const char *length, *coding, *path;
    char *end, *space;
    size_t len;

    c->in[c->have] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return false;
    len = (size_t)(end - c->in) + 4;
    length = field(c->in, "Content-Length");
    coding = field(c->in, "Transfer-Encoding");
    path = strchr(c->in, ' ');
    path = path ? path + 1 : c->in;
    if (field(c->in, "Upgrade")) {
        c->out_sent = 0;
        c->out_len = (size_t)snprintf(
            c->out, sizeof(c->out), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        c->state = ECHO;
    } else if (coding || length)
        begin_body(c, length, coding != NULL);
    else {
        space = strchr(path, ' ');
        if (space)
            *space = '\0';
        if (strncmp(path, "/bytes?", 7) == 0 || strncmp(path, "/chunked?", 9) == 0)
            say_bytes(c, strtoull(strchr(path, '?') + 1, NULL, 10), path[1] == 'c');
        else
            say_who(c, path);
    }
    c->have -= len;
    memmove(c->in, c->in + len, c->have);
    return true;
}

static void use(struct connection *c, size_t len)
{
    c->have -= len;
    memmove(c->in, c->in + len, c->have);
}

static void take_bytes(struct connection *c, enum state then)
{
    size_t len = c->have < c->body_left ? c->have : (size_t)c->body_left;

    c->body_wrong |= !pattern_holds(it.pattern, c->body_got, c->in, len);
    c->body_got += len;
    c->body_left -= len;
    use(c, len);
    if (c->body_left == 0)
        c->state = then;
}

static bool take_chunk_size(struct connection *c)
{
    char *end;

    c->in[c->have] = '\0';
    end = strstr(c->in, "\r\n");
    if (!end)
        return false;
    c->body_left = strtoull(c->in, NULL, 16);
    c->state = c->body_left > 0 ? CHUNK : CHUNK_END;
    c->chunk_open = c->body_left > 0; /* CHUNK_END: of a chunk, or of the body */
    use(c, (size_t)(end - c->in) + 2);
    return true;
}

/* Takes what was read, as far as it goes. */
static void take(struct connection *c)
{
    bool more = true;

    while (more) {
        switch (c->state) {
        case HEAD: more = c->have > 0 && take_head(c); break;
        case BODY:
            more = c->have > 0 || c->body_left == 0;
            if (more)
                take_bytes(c, BODY);
            if (c->body_left == 0)
                say_body(c);
            break;
        case CHUNK_SIZE: more = c->have > 0 && take_chunk_size(c); break;
        case CHUNK:
            more = c->have > 0;
            take_bytes(c, CHUNK_END);
            break;
        case CHUNK_END:
            more = c->have >= 2;
            if (more)
                use(c, 2);
            if (more && c->chunk_open)
                c->state = CHUNK_SIZE;
            else if (more)
                say_body(c);
            break;
        default: more = false;
        }
    }
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

/* The next piece of a long answer. NULL: it is complete. */
static const char *piece(struct connection *c, size_t *ret_len)
{
    uint64_t left = c->bytes - c->sent;

    if (!c->chunked) {
        *ret_len = left < PIECE_MAX ? (size_t)left : PIECE_MAX;
        return left ? pattern_at(it.pattern, c->sent) : NULL;
    }
    if (c->chunk_left > 0) {
        *ret_len = (size_t)c->chunk_left;
        return pattern_at(it.pattern, c->sent);
    }
    if (left == 0 && !c->chunk_open)
        return NULL;
    c->chunk_left = left < 100003 ? left : 100003;
    c->out_sent = 0;
    c->out_len = (size_t)snprintf(c->out, sizeof(c->out), "%s%llx\r\n%s", c->sent > 0 ? "\r\n" : "",
                                  (unsigned long long)c->chunk_left, c->chunk_left ? "" : "\r\n");
    c->chunk_open = c->chunk_left > 0;
    *ret_len = 0;
    return c->out;
}

/* 1: all is written, 0: later, -1: the peer is gone. */
static int put(struct connection *c)
{
    const char *data;
    ssize_t n;
    size_t len;

    for (;;) {
        while (c->out_sent < c->out_len) {
            n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);
            if (n < 0)
                return errno == EAGAIN ? 0 : -1;
            c->out_sent += (size_t)n;
        }
        if (c->state != BYTES)
            return 1;
        data = piece(c, &len);
        if (!data)
            return 1;
        if (len == 0)
            continue;
        n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->sent += (uint64_t)n;
        c->chunk_left -= c->chunked ? (uint64_t)n : 0;
    }
}

static void work(struct connection *c);

static void echo(struct connection *c)
{
    c->out_sent = 0;
    c->out_len = c->have < OUT_MAX ? c->have : OUT_MAX;
    memcpy(c->out, c->in, c->out_len);
    use(c, c->out_len);
}

static void written(struct connection *c)
{
    c->out_len = c->out_sent = 0;
    if (c->state != ECHO)
        c->state = HEAD;
    watch(c, EPOLLIN);
    if (c->have > 0)
        work(c);
}

static void work(struct connection *c)
{
    int r;

    take(c);
    if (c->state == ECHO && c->out_len == 0)
        echo(c);
    if (c->state == LATER) {
        watch(c, 0);
        return;
    }
    if (c->state < LATER)
        return;
    r = put(c);
    if (r < 0)
        forget(c);
    else if (r == 0)
        watch(c, EPOLLOUT);
    else
        written(c);
}

static void readable(struct connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->have, HEAD_MAX - c->have, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        forget(c);
        return;
    }
    c->have += (size_t)n;
    work(c);
}

/* --- the loop --------------------------------------------------------------------------------------------------- */

static void take_connections(void)
{
    int fd = accept4(it.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *c = fd >= 0 ? calloc(1, sizeof(*c)) : NULL;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

    if (!c)
        return;
    c->fd = fd;
    if (epoll_ctl(it.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

static int run_later(void)
{
    uint64_t now = now_ns(), first = UINT64_MAX;
    struct connection **at = &it.later;

    while (*at) {
        struct connection *c = *at;

        if (c->due_ns <= now) {
            *at = c->next;
            go_on_later(c);
        } else {
            first = c->due_ns < first ? c->due_ns : first;
            at = &c->next;
        }
    }
    return first == UINT64_MAX ? -1 : (int)((first - now) / 1000000u) + 1;
}

static int open_listener(int count, char **arguments)
{
    const char *port = getenv("PORT");
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd, on = 1;

    if (count == 3 && strcmp(arguments[1], "--listen") == 0)
        port = arguments[2];
    if (!port)
        return 3;
    to.sin_port = htons((uint16_t)number(port));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 4096) < 0)
        die("listen");
    return fd;
}

int main(int count, char **arguments)
{
    struct epoll_event events[256], listening = { .events = EPOLLIN, .data.ptr = NULL };
    const char *instance = getenv("WEFT_INSTANCE");
    int n;

    raise_descriptors();
    it.instance = instance ? instance : "alone";
    it.pattern = pattern_make();
    it.listener = open_listener(count, arguments);
    it.epoll = epoll_create1(EPOLL_CLOEXEC);
    (void)fcntl(it.listener, F_SETFL, O_NONBLOCK);
    if (it.epoll < 0 || epoll_ctl(it.epoll, EPOLL_CTL_ADD, it.listener, &listening) < 0)
        die("epoll");
    for (;;) {
        n = epoll_wait(it.epoll, events, 256, run_later());
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;

            if (!c)
                take_connections();
            else if (c->state >= LATER && c->state != ECHO && events[i].events & (EPOLLERR | EPOLLHUP))
                forget(c);
            else if (c->out_len > 0 || c->state == BYTES || c->state == ANSWER)
                work(c);
            else
                readable(c);
        }
    }
}
