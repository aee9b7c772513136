/* Prints what the HTTP/1 codec takes of one processor for a head, in nanoseconds: the median of rounds.
 *
 *     ninja -C build/release bench/micro-http1 && build/release/bench/micro-http1
 */
#include "wire/http1.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 31
#define REPEATS 20000

static const struct {
    const char *name;
    struct bytes head;
} REQUESTS[] = {
#define MESSAGE(text)             \
    {                             \
        "" text, sizeof(text) - 1 \
    }
    { "smallest", MESSAGE("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") },
    { "usual", MESSAGE("GET /orders/4711/items?page=2&size=50 HTTP/1.1\r\n"
                       "Host: shop.example.com\r\n"
                       "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
                       "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
                       "Accept-Language: en-US,en;q=0.5\r\n"
                       "Accept-Encoding: gzip, deflate, br\r\n"
                       "Connection: keep-alive\r\n\r\n") },
    { "browser", MESSAGE("POST /api/v1/carts/9f1c2d3e/checkout HTTP/1.1\r\n"
                         "Host: shop.example.com\r\n"
                         "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
                         "Accept: application/json\r\n"
                         "Accept-Language: en-US,en;q=0.5\r\n"
                         "Accept-Encoding: gzip, deflate, br\r\n"
                         "Content-Type: application/json\r\n"
                         "Content-Length: 1834\r\n"
                         "Origin: https://shop.example.com\r\n"
                         "Referer: https://shop.example.com/cart?from=menu\r\n"
                         "Cookie: session=b2f1e0c49a7d4b6f8e31; theme=dark; consent=1; _ga=GA1.2.1234567.7654321\r\n"
                         "X-Request-Id: 0b9d7a2e-4f6c-4a36-9d7e-52c1b3f0a911\r\n"
                         "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
                         "X-Forwarded-For: 203.0.113.7\r\n"
                         "X-Forwarded-Proto: https\r\n"
                         "Connection: keep-alive\r\n\r\n") },
};

static const struct bytes RESPONSE = MESSAGE("HTTP/1.1 200 OK\r\n"
                                             "Date: Sat, 21 Nov 2026 08:30:00 GMT\r\n"
                                             "Server: example\r\n"
                                             "Content-Type: application/json; charset=utf-8\r\n"
                                             "Content-Length: 1024\r\n"
                                             "Cache-Control: no-store\r\n\r\n");

struct work {
    struct bytes input;
    struct http_head head;
    struct http_field fields[HTTP_FIELDS_MAX];
    char output[HTTP1_HEAD_MAX];
    size_t written;
};

static void check(bool good)
{
    if (!good) {
        fprintf(stderr, "micro-http1: a message of its own is refused\n");
        exit(1);
    }
}

static void read_request(struct work *work)
{
    struct http1_head_reader reader;

    http1_head_start(&reader);
    check(http1_read_request(&reader, work->input, &work->head) == (ssize_t)work->input.len);
}

static void read_response(struct work *work)
{
    struct http1_head_reader reader;

    http1_head_start(&reader);
    check(http1_read_response(&reader, work->input, HTTP_GET, &work->head) == (ssize_t)work->input.len);
}

static void write_request(struct work *work)
{
    struct text text = text_into(work->output, sizeof(work->output));

    http1_write_request(&text, &work->head);
    work->written = text.len;
    check(!text.full);
}

static void write_response(struct work *work)
{
    struct text text = text_into(work->output, sizeof(work->output));

    http1_write_response(&text, &work->head, HTTP_GET);
    work->written = text.len;
    check(!text.full);
}

/* Strips and restores: the copy of what it had is part of the figure. */
static void strip(struct work *work)
{
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_head head = work->head;

    memcpy(fields, head.fields, head.field_count * sizeof(fields[0]));
    head.fields = fields;
    http_head_strip_hop_by_hop(&head);
    work->written = head.field_count;
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(const char *what, const char *name, void (*run)(struct work *), struct work *work)
{
    double rounds[ROUNDS];

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = now_ns();

        for (unsigned i = 0; i < REPEATS; i++) {
            run(work);
            __asm__ volatile("" : : "r"(work) : "memory");
        }
        rounds[round] = (now_ns() - start) / REPEATS;
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
    printf("%-16s %-10s %5zu bytes %3u fields %8.1f ns\n", what, name, work->input.len, work->head.field_count,
           rounds[ROUNDS / 2]);
}

int main(void)
{
    static struct work work;

    work.head = (struct http_head){ .fields = work.fields, .field_max = HTTP_FIELDS_MAX };
    for (size_t i = 0; i < ARRAY_LEN(REQUESTS); i++) {
        work.input = REQUESTS[i].head;
        measure("read request", REQUESTS[i].name, read_request, &work);
        measure("strip hop-by-hop", REQUESTS[i].name, strip, &work);
        measure("write request", REQUESTS[i].name, write_request, &work);
    }
    work.input = RESPONSE;
    measure("read response", "usual", read_response, &work);
    measure("write response", "usual", write_response, &work);
    return 0;
}
