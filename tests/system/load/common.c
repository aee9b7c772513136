#include "common.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

char *pattern_make(void)
{
    char *pattern = malloc(PATTERN_SIZE + PIECE_MAX);
    uint64_t state = 0x9e3779b97f4a7c15u;

    if (!pattern)
        die("memory");
    for (size_t i = 0; i < PATTERN_SIZE; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        pattern[i] = (char)(state >> 32);
    }
    memcpy(pattern + PATTERN_SIZE, pattern, PIECE_MAX);
    return pattern;
}

bool pattern_holds(const char *pattern, uint64_t position, const char *data, size_t len)
{
    return len <= PIECE_MAX && memcmp(pattern_at(pattern, position), data, len) == 0;
}

uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void die(const char *what)
{
    (void)fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

int connect_to(unsigned port, unsigned source, int receive, bool blocking)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in from = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0), on = 1;

    if (fd < 0)
        die("socket");
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(0x7f000000u + source);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (receive > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive)) < 0)
        die("SO_RCVBUF");
    if (source > 0) {
        (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
            die("bind");
    }
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS && blocking)
        die("connect");
    return fd;
}

void raise_descriptors(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        die("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        die("setrlimit");
}

unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    errno = EINVAL;
    if (*text == '\0' || *end != '\0' || value > 4000000000u)
        die(text);
    return (unsigned)value;
}
