/* exchange/body.h - a stream of bytes that is pulled, a chunk at a time.
 *
 * (1) Back-pressure is not pulling.
 * (2) A body owns its connection and is bound to no fiber; one fiber reads it at a time.
 * (3) The chunk is valid until the next call on the same body.
 * (4) A body that has been read to its end has let go of its connection already; closing an unfinished one discards
 *     the connection. Close is called exactly once, on a fiber, whatever happened before.
 * (5) A failed read is final, and `outcome` then says what it means to the exchange; but for -ETIME and -ECANCELED,
 * which concern the fiber that reads: another one may read on.
 */
#ifndef WEFT_EXCHANGE_BODY_H
#define WEFT_EXCHANGE_BODY_H

#include "exchange/outcome.h"
#include "io/io.h"

struct body;

struct body_ops {
    /* 1: a chunk of at least a byte. 0: the end. Negative errno: failed. Waits. */
    int (*read)(struct body *body, struct bytes *ret_chunk);
    void (*close)(struct body *body, enum outcome why);
};

struct body {
    const struct body_ops *ops;
    bool has_length; /* `length` bytes in all, known beforehand */
    bool ended;      /* read to its end */
    bool at_hand;    /* the next read will not wait (a hint) */
    uint64_t length;
    uint64_t read;        /* bytes given out so far */
    enum outcome outcome; /* of a failed read */
    int error;            /* what it failed with for good */
};

/* These count, remember the end and check the contract; call them rather than the table. */
int body_read(struct body *body, struct bytes *ret_chunk) MUST_CHECK;
void body_close(struct body *body, enum outcome why); /* NULL is fine */

/* A body of bytes that lie in memory, which lives as long as it. */
struct body_memory {
    struct body body;
    struct bytes rest;
};

void body_memory_init(struct body_memory *memory, struct bytes content);

#endif
