/* bench/loopback.h - the few socket calls that the benchmark programs share: TCP on 127.0.0.1, never waiting. */
#ifndef WEFT_BENCH_LOOPBACK_H
#define WEFT_BENCH_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds on the monotonic clock. */
uint64_t now_ns(void);

/* A listening socket on 127.0.0.1:port; prints why and exits when there is none to be had. */
int loopback_listen(int port);

/* A socket whose connection to 127.0.0.1:port is made or under way; a negative errno otherwise. */
int loopback_connect(int port);

/* The next connection waiting on `listener`; a negative errno when there is none. */
int loopback_accept(int listener);

/* Tells `epoll` to report `events` of `fd` with `tag`; prints why and exits on failure. */
void watch(int epoll, int fd, uint32_t events, void *tag);

/* `text` as a whole number from `low` to `high`; prints a complaint about `what` and exits with 2 otherwise. */
long number_or_exit(const char *text, const char *what, long low, long high);

#endif
