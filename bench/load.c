/* bench/load.c - the client: one thread, edge-triggered epoll, GET requests over HTTP/1.1, every answer checked.
 *
 *   load [-m MODE] [-c CONNECTIONS] [-r RATE] [-d MS] [-w MS] [-p PID]... PORT BODY
 *
 *   -m keepalive   each connection asks again as soon as its answer is complete (closed loop; the default)
 *   -m close       a connection for each request, "Connection: close"; latency includes connecting
 *   -m rate        -r requests a second over all connections, whatever the answers do (open loop)
 *   -m idle        opens the connections, asks once on each, prints READY and holds them until its input ends
 *   -d, -w         milliseconds measured, and of warm-up before
 *   -p             a process whose processor time is read at both ends of the measurement; may be repeated
 *   BODY           asks for /BODY, and expects a 200 with exactly so many bytes
 *
 * Open loop: when all connections are busy as a request falls due, its latency counts from the due time, so that a
 * server that stalls is charged for it; otherwise from the sending, so that the jitter of our own timer is not.
 *
 * Prints one line of key=value. Everything unexpected is counted, also during the warm-up:
 *   failed    an answer that was not the expected one      refused   a connection that could not be made
 *   broken    a connection that ended before its answer    closed    a kept connection that the server closed
 *   stuck     no answer for STUCK_NS at the end            late      requests overdue by more than LATE_NS at the end
 */
#include "answer.h"
#include "cpu_time.h"
#include "histogram.h"
#include "loopback.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 100000
#define REQUEST_MAX 256
#define READ_SIZE (256 * 1024)
#define EVENTS_PER_TURN 512
#define OPENING_MAX 256          /* idle mode: connections under way at once, well under any listen backlog */
#define TURN_MAX_NS 100000000u   /* looks at the clock at least ten times a second */
#define RATE_START_NS 100000000u /* open loop: when the first request falls due; connections are made by then */
#define STUCK_NS 1000000000u     /* far above any latency on loopback, below the shortest measurement */
#define LATE_NS 50000000u        /* a dozen scheduler ticks: the client shares its processor with the origin */
#define REFUSED_MAX 1000         /* then the server is not there, and trying on would only burn the processor */

enum mode { MODE_KEEPALIVE, MODE_CLOSE, MODE_RATE, MODE_IDLE };
enum state { CONNECTING, WAITING, ASKED, ANSWERED };

struct connection {
    int fd;
    enum state state;
    uint64_t began_ns; /* what the latency of the request counts from */
    struct connection *next_free;
    struct answer answer;
};

struct counts {
    uint64_t ok, total, bytes; /* ok and bytes: while measuring */
    uint64_t failed, refused, broken, closed;
};

struct load {
    enum mode mode;
    int connections, port, epoll;
    size_t body;
    uint64_t warm_ns, span_ns, step_ns;
    struct cpu_time servers;

    char request[REQUEST_MAX];
    size_t request_size;
    struct connection *all, *free; /* free: open loop, connections without a request */
    int opened;
    bool measuring, over;
    uint64_t due_ns, measured_from_ns, cpu_from_ns;
    struct counts counts;
    struct histogram latencies;
    char input[READ_SIZE];
};

static void open_connection(struct load *load, struct connection *connection)
{
    connection->began_ns = now_ns();
    connection->state = CONNECTING;
    connection->fd = loopback_connect(load->port);
    if (connection->fd < 0) {
        load->counts.refused++;
        load->over = true; /* out of descriptors or ports: nothing that trying again would mend */
        fprintf(stderr, "load: cannot connect: %s\n", strerror(-connection->fd));
        return;
    }
    watch(load->epoll, connection->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connection);
}

static void reopen(struct load *load, struct connection *connection)
{
    close(connection->fd);
    if (load->counts.refused >= REFUSED_MAX)
        load->over = true;
    else
        open_connection(load, connection);
}

static void ask(struct load *load, struct connection *connection, uint64_t began_ns)
{
    connection->began_ns = began_ns;
    connection->state = ASKED;
    answer_begin(&connection->answer);
    if (send(connection->fd, load->request, load->request_size, MSG_NOSIGNAL) != (ssize_t)load->request_size)
        load->counts.broken++;
}

/* The connection has been made, or its answer is complete. */
static void ask_next(struct load *load, struct connection *connection)
{
    uint64_t now = now_ns();

    if (load->mode == MODE_RATE && load->due_ns > now) {
        connection->state = WAITING;
        connection->next_free = load->free;
        load->free = connection;
    } else if (load->mode == MODE_RATE) {
        ask(load, connection, load->due_ns);
        load->due_ns += load->step_ns;
    } else {
        ask(load, connection, load->mode == MODE_CLOSE ? connection->began_ns : now);
    }
}

static void complete(struct load *load, struct connection *connection)
{
    load->counts.total++;
    if (load->measuring) {
        load->counts.ok++;
        histogram_add(&load->latencies, now_ns() - connection->began_ns);
    }
    if (load->mode == MODE_CLOSE || load->mode == MODE_IDLE)
        connection->state = ANSWERED; /* close: the server ends the connection; idle: it is to stay */
    else
        ask_next(load, connection);
}

/* The server has ended the connection. */
static void on_end(struct load *load, struct connection *connection)
{
    if (connection->state == ASKED)
        load->counts.broken++;
    else if (load->mode != MODE_CLOSE)
        load->counts.closed++;
    if (connection->state == WAITING) { /* take it from the free list before it is used anew */
        struct connection **link = &load->free;

        while (*link != connection)
            link = &(*link)->next_free;
        *link = connection->next_free;
    }
    if (load->mode != MODE_IDLE) {
        reopen(load, connection);
        return;
    }
    close(connection->fd);
    connection->fd = -1;
}

static void on_bytes(struct load *load, struct connection *connection, size_t size)
{
    enum answer_state state = ANSWER_BAD;

    if (load->measuring)
        load->counts.bytes += size;
    if (connection->state == ASKED)
        state = answer_feed(&connection->answer, load->input, size, load->body);
    if (state == ANSWER_DONE) {
        complete(load, connection);
    } else if (state == ANSWER_BAD) {
        load->counts.failed++;
        connection->state = ANSWERED; /* what else comes on this connection cannot be told apart */
        shutdown(connection->fd, SHUT_RDWR);
    }
}

static void on_connection(struct load *load, struct connection *connection, uint32_t events)
{
    if (connection->state == CONNECTING) {
        if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
            load->counts.refused++;
            reopen(load, connection);
            return;
        }
        if ((events & EPOLLOUT) == 0)
            return;
        ask_next(load, connection);
    }
    for (;;) {
        ssize_t got = recv(connection->fd, load->input, READ_SIZE, 0);

        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            on_end(load, connection);
            return;
        }
        on_bytes(load, connection, (size_t)got);
        /* A short read has emptied the socket, unless the end of the stream came along with it. */
        if (got < READ_SIZE && load->mode != MODE_CLOSE && (events & (EPOLLRDHUP | EPOLLHUP)) == 0)
            return;
    }
}

static void turn(struct load *load, uint64_t wait_ns)
{
    struct timespec wait = { (time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u) };
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_pwait2(load->epoll, events, EVENTS_PER_TURN, &wait, NULL);

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL)
            load->over = true; /* idle mode: our input has ended */
        else
            on_connection(load, events[i].data.ptr, events[i].events);
    }
}

static void send_due(struct load *load)
{
    uint64_t now = now_ns();

    while (load->free != NULL && load->due_ns <= now) {
        struct connection *connection = load->free;

        load->free = connection->next_free;
        load->due_ns += load->step_ns;
        ask(load, connection, now_ns());
    }
}

static uint64_t until(uint64_t then_ns)
{
    uint64_t now = now_ns();

    return then_ns > now ? then_ns - now : 0;
}

static uint64_t shorter(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

/* Warm-up, then the measurement; a server that isn't there ends it early. */
static void run_timed(struct load *load)
{
    uint64_t end_ns = now_ns() + load->warm_ns;

    load->due_ns = now_ns() + RATE_START_NS;
    while (load->opened < load->connections && !load->over)
        open_connection(load, &load->all[load->opened++]);
    while (!load->over) {
        uint64_t wait = shorter(until(end_ns), TURN_MAX_NS);

        if (until(end_ns) == 0 && load->measuring)
            return;
        if (until(end_ns) == 0) {
            load->cpu_from_ns = cpu_time_ns(&load->servers);
            load->measuring = true;
            load->measured_from_ns = now_ns();
            end_ns = load->measured_from_ns + load->span_ns;
            continue;
        }
        if (load->mode == MODE_RATE) {
            send_due(load);
            if (load->free != NULL)
                wait = shorter(wait, until(load->due_ns));
        }
        turn(load, wait);
    }
}

static uint64_t errors(const struct counts *counts)
{
    return counts->failed + counts->refused + counts->broken + counts->closed;
}

/* Opens in steps, holds until standard input ends. */
static void run_idle(struct load *load)
{
    bool told = false;

    watch(load->epoll, STDIN_FILENO, EPOLLIN, NULL);
    while (!load->over && (told || errors(&load->counts) == 0)) {
        while (load->opened < load->connections && (uint64_t)load->opened < load->counts.total + OPENING_MAX &&
               !load->over)
            open_connection(load, &load->all[load->opened++]);
        if (!told && load->counts.total == (uint64_t)load->connections) {
            puts("READY");
            fflush(stdout);
            told = true;
        }
        turn(load, TURN_MAX_NS);
    }
    /* Reset instead of closing: ten thousand connections in TIME_WAIT would take the ports of the next round. */
    for (int i = 0; i < load->opened; i++)
        if (load->all[i].fd >= 0)
            setsockopt(load->all[i].fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
}

static int stuck(const struct load *load)
{
    uint64_t now = now_ns();
    int count = 0;

    if (load->mode == MODE_IDLE)
        return 0;
    for (int i = 0; i < load->opened; i++) {
        const struct connection *connection = &load->all[i];

        count += connection->state != WAITING && now - connection->began_ns > STUCK_NS;
    }
    return count;
}

static uint64_t late(const struct load *load)
{
    uint64_t now = now_ns();

    if (load->mode != MODE_RATE || load->due_ns + LATE_NS > now)
        return 0;
    return (now - load->due_ns) / load->step_ns;
}

static void report(const struct load *load)
{
    uint64_t ended_ns = now_ns();
    uint64_t cpu_ns = load->measuring ? cpu_time_ns(&load->servers) - load->cpu_from_ns : 0;
    double seconds = load->measuring ? (double)(ended_ns - load->measured_from_ns) / 1e9 : 0;
    const struct counts *counts = &load->counts;

    printf("ok=%lu total=%lu seconds=%.4f cpu_us=%.3f bytes=%lu ", counts->ok, counts->total, seconds,
           (double)cpu_ns / 1e3, counts->bytes);
    printf("failed=%lu refused=%lu broken=%lu closed=%lu stuck=%d late=%lu ", counts->failed, counts->refused,
           counts->broken, counts->closed, stuck(load), late(load));
    printf("p50=%.1f p99=%.1f p999=%.1f\n", histogram_quantile_us(&load->latencies, 0.5),
           histogram_quantile_us(&load->latencies, 0.99), histogram_quantile_us(&load->latencies, 0.999));
}

static enum mode mode_or_exit(const char *name)
{
    static const char *const names[] = { "keepalive", "close", "rate", "idle" };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum mode)i;
    fprintf(stderr, "load: '%s' is not one of keepalive, close, rate, idle\n", name);
    exit(2);
}

static void add_server(struct cpu_time *servers, const char *pid)
{
    if (servers->count == CPU_TIME_PROCESSES_MAX) {
        fprintf(stderr, "load: more than %d processes\n", CPU_TIME_PROCESSES_MAX);
        exit(2);
    }
    servers->pid[servers->count++] = (int)number_or_exit(pid, "-p", 1, 1 << 30);
}

static void read_options(struct load *load, int argc, char **argv)
{
    int option;

    load->connections = 64;
    load->warm_ns = 700000000u;
    load->span_ns = 3000000000u;
    load->step_ns = 1000000u;
    while ((option = getopt(argc, argv, "m:c:r:d:w:p:")) != -1) {
        switch (option) {
        case 'm': load->mode = mode_or_exit(optarg); break;
        case 'c': load->connections = (int)number_or_exit(optarg, "-c", 1, CONNECTIONS_MAX); break;
        case 'r': load->step_ns = 1000000000u / (uint64_t)number_or_exit(optarg, "-r", 1, 1000000); break;
        case 'd': load->span_ns = 1000000u * (uint64_t)number_or_exit(optarg, "-d", 1, 3600000); break;
        case 'w': load->warm_ns = 1000000u * (uint64_t)number_or_exit(optarg, "-w", 0, 3600000); break;
        case 'p': add_server(&load->servers, optarg); break;
        default: exit(2);
        }
    }
    if (argc - optind != 2) {
        fprintf(stderr, "usage: load [-m MODE] [-c CONNECTIONS] [-r RATE] [-d MS] [-w MS] [-p PID]... PORT BODY\n");
        exit(2);
    }
    load->port = (int)number_or_exit(argv[optind], "port", 1, 65535);
    load->body = (size_t)number_or_exit(argv[optind + 1], "body", 1, 1L << 30);
}

int main(int argc, char **argv)
{
    struct load *load = calloc(1, sizeof *load);

    if (load == NULL)
        abort();
    read_options(load, argc, argv);
    load->all = calloc((size_t)load->connections, sizeof *load->all);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->all == NULL || load->epoll < 0)
        abort();
    for (int i = 0; i < load->connections; i++)
        load->all[i].fd = -1;
    load->request_size = (size_t)snprintf(load->request, sizeof load->request,
                                          "GET /%zu HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: load\r\n"
                                          "Accept: */*\r\n%s\r\n",
                                          load->body, load->port,
                                          load->mode == MODE_CLOSE ? "Connection: close\r\n" : "");
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, 1); /* open loop: 50 us of slack would be the latency that we are to measure */
    if (load->mode == MODE_IDLE)
        run_idle(load);
    else
        run_timed(load);
    report(load);
    return 0;
}
