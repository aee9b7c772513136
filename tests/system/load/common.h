/* load/common.h - what the clients and the service of the load tests share: sockets, time, and a body whose every byte
 * is known from its place. */
#ifndef WEFT_TESTS_LOAD_COMMON_H
#define WEFT_TESTS_LOAD_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PATTERN_SIZE 1048573 /* a prime: a piece that is lost, doubled or moved by any buffer's size is seen */
#define PIECE_MAX (256 * 1024)

/* The byte at position P of every body is pattern[P % PATTERN_SIZE]; PIECE_MAX more, so that a piece is never split. */
char *pattern_make(void);

static inline const char *pattern_at(const char *pattern, uint64_t position)
{
    return pattern + position % PATTERN_SIZE;
}

/* Does this piece of a body belong at this position? `len` is PIECE_MAX at most. */
bool pattern_holds(const char *pattern, uint64_t position, const char *data, size_t len);

uint64_t now_ns(void);
_Noreturn void die(const char *what); /* with the reason of errno */

/* A socket that connects to 127.0.0.1:port. `source` is the last part of our address 127.0.0.x; 0: any. `receive` is
 * its receive buffer; 0: the usual one. */
int connect_to(unsigned port, unsigned source, int receive, bool blocking);

/* Room for so many descriptors, or as many as may be. */
void raise_descriptors(void);

unsigned number(const char *text);

#endif
