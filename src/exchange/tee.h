/* exchange/tee.h - a request body that can be read more than once: by a retry, by the forks of a hedge, a gather or
 * a mirror.
 *
 * (1) What has been read from the source is kept, up to TEE_MAX bytes in buffers of the worker.
 * (2) Readers have their own place. Whoever is at the front pulls from the source; the others wait for it.
 * (3) When more comes than fits, the reader that pulled it goes on alone, unkept; from then on no reader can start,
 *     and one that runs out of kept bytes fails with -ENOBUFS (outcome BODY_TOO_LARGE).
 * (4) A tee is counted: the exchange it was made for, its forks and its detached copies use it. Only the first one
 *     closes the source; after that, readers get what was kept, and then an end (if that was all) or -ECANCELED.
 * (5) Of a source that turns out to be longer than the limit, no byte of the chunk that passed it is given out, and no
 *     end: every reader fails with -EFBIG (outcome BODY_TOO_LARGE) when it gets there.
 */
#ifndef WEFT_EXCHANGE_TEE_H
#define WEFT_EXCHANGE_TEE_H

#include "base/limits.h"
#include "base/list.h"
#include "exchange/body.h"

struct worker;
struct fiber;

#define TEE_PARTS (TEE_MAX / BUFFER_SIZE)

struct tee {
    struct worker *worker;
    struct body *source;    /* NULL once it has been closed */
    char *parts[TEE_PARTS]; /* leased buffers of BUFFER_SIZE */
    uint64_t limit;         /* (5) */
    uint64_t pulled;        /* bytes that came from the source */
    size_t kept;            /* of those, in the parts: all, unless `unkept` */
    bool unkept;            /* (3) has happened, or nobody will replay: what comes now is not kept */
    bool ended;             /* kept is all there is */
    int error;
    enum outcome outcome;     /* of the error */
    bool pulling;             /* a reader is waiting for the source */
    struct list_node waiting; /* the other readers */
    unsigned uses;
};

struct tee_reader {
    struct body body; /* body.read is its place */
    struct tee *tee;
    bool follows; /* it never pulls: a detached copy, which must not be in the source when its exchange ends */
};

/* A tee of one use from the worker's pool. -EAGAIN: none is left. */
int tee_create(struct worker *worker, struct body *source, struct tee **ret) MUST_CHECK;
void tee_use(struct tee *tee);
void tee_drop(struct tee *tee);

/* Closes the source: the exchange whose request it is has come to its end. On a fiber. */
void tee_close_source(struct tee *tee, enum outcome why);

/* At most so many bytes are taken from the source; of several limits the smallest holds. -EFBIG: more has come already.
 */
int tee_limit(struct tee *tee, uint64_t limit) MUST_CHECK;

/* Keeps no more of what comes: no retry is possible any longer. */
void tee_stop_keeping(struct tee *tee);

/* Whether another reader can start from the first byte. */
bool tee_replayable(const struct tee *tee);

/* A reader from the first byte, which may be an old one. -ENOBUFS: (3). Closing it does nothing to the source. */
int tee_reader_init(struct tee_reader *reader, struct tee *tee, bool follows) MUST_CHECK;

#endif
