/* load/bulk.c - one large body, up or down, every byte of it checked.
 *
 *   bulk PORT down length|chunked BYTES
 *   bulk PORT up length|chunked BYTES
 *
 * Exit status 0 when all of it came, as it was sent.
 */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 100003 /* at odd places of every buffer */

static struct {
    int fd;
    const char *pattern;
    char buffer[PIECE_MAX + 1];
    size_t at, have; /* what is in the buffer and was not used */
} it;

static void fail(const char *what)
{
    (void)fprintf(stderr, "bulk: %s: %.200s\n", what, it.buffer);
    exit(1);
}

static void put(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(it.fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            die("send");
        data += n;
        len -= (size_t)n;
    }
}

static void fill(void)
{
    ssize_t n;

    memmove(it.buffer, it.buffer + it.at, it.have);
    it.at = 0;
    n = recv(it.fd, it.buffer + it.have, PIECE_MAX - it.have, 0);
    if (n < 0)
        die("recv");
    if (n == 0)
        fail("the answer ended early");
    it.have += (size_t)n;
    it.buffer[it.have] = '\0';
}

/* Uses what is there up to and with `end`; returns it as a text. */
static const char *take_until(const char *end)
{
    const char *begin, *found;

    if (it.have == 0)
        fill();
    while (!(found = memmem(it.buffer + it.at, it.have, end, strlen(end))))
        fill();
    begin = it.buffer + it.at;
    it.buffer[found - it.buffer] = '\0';
    it.have -= (size_t)(found - begin) + strlen(end);
    it.at += (size_t)(found - begin) + strlen(end);
    return begin;
}

static void check(uint64_t position, uint64_t len)
{
    while (len > 0) {
        size_t piece;

        if (it.have == 0)
            fill();
        piece = it.have < len ? it.have : (size_t)len;
        if (!pattern_holds(it.pattern, position, it.buffer + it.at, piece))
            fail("another byte than was sent");
        it.at += piece;
        it.have -= piece;
        position += piece;
        len -= piece;
    }
}

static void expect_200(void)
{
    const char *head = take_until("\r\n\r\n");

    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0) {
        (void)fprintf(stderr, "bulk: %.100s\n", head);
        exit(1);
    }
}

static void down(bool chunked, uint64_t bytes)
{
    char request[128];
    uint64_t got = 0, size;
    int len = snprintf(request, sizeof(request), "GET /%s?%llu HTTP/1.1\r\nHost: bulk\r\n\r\n",
                       chunked ? "chunked" : "bytes", (unsigned long long)bytes);

    put(request, (size_t)len);
    expect_200();
    if (!chunked) {
        check(0, bytes);
        return;
    }
    while ((size = strtoull(take_until("\r\n"), NULL, 16)) > 0) {
        check(got, size);
        got += size;
        (void)take_until("\r\n");
    }
    (void)take_until("\r\n");
    if (got != bytes)
        fail("another length than was asked for");
}

static void up(bool chunked, uint64_t bytes)
{
    char text[256];
    uint64_t sent = 0;
    size_t piece;
    int len = snprintf(text, sizeof(text), "POST /sink HTTP/1.1\r\nHost: bulk\r\nContent-Length: %llu\r\n\r\n",
                       (unsigned long long)bytes);

    if (chunked)
        len = snprintf(text, sizeof(text), "POST /sink HTTP/1.1\r\nHost: bulk\r\nTransfer-Encoding: chunked\r\n\r\n");
    put(text, (size_t)len);
    while (sent < bytes) {
        piece = bytes - sent < CHUNK ? (size_t)(bytes - sent) : CHUNK;
        if (chunked)
            put(text, (size_t)snprintf(text, sizeof(text), "%s%zx\r\n", sent ? "\r\n" : "", piece));
        put(pattern_at(it.pattern, sent), piece);
        sent += piece;
    }
    if (chunked)
        put("\r\n0\r\n\r\n", 7);
    expect_200();
    len = snprintf(text, sizeof(text), "%llu ok", (unsigned long long)bytes);
    if (strcmp(take_until("\n"), text) != 0)
        fail("the service has got something else");
}

int main(int count, char **arguments)
{
    bool chunked;
    uint64_t bytes;

    errno = EINVAL;
    if (count != 5)
        die("usage: bulk PORT down|up length|chunked BYTES");
    chunked = strcmp(arguments[3], "chunked") == 0;
    bytes = strtoull(arguments[4], NULL, 10);
    it.pattern = pattern_make();
    it.fd = connect_to(number(arguments[1]), 0, 0, true);
    if (strcmp(arguments[2], "down") == 0)
        down(chunked, bytes);
    else
        up(chunked, bytes);
    return 0;
}
