#include "exchange/tee.h"

#include "base/assert.h"
#include "exchange/worker.h"

/* On the stack of a reader that waits for another one's pull. */
struct tee_waiter {
    struct list_node node;
    struct fiber *fiber;
};

int tee_create(struct worker *worker, struct body *source, struct tee **ret)
{
    struct tee *tee = pool_take(&worker->tees);

    if (!tee)
        return -EAGAIN;
    *tee = (struct tee){ .worker = worker, .source = source, .limit = UINT64_MAX, .uses = 1 };
    list_init(&tee->waiting);
    *ret = tee;
    return 0;
}

static void give_parts_back(struct tee *tee)
{
    for (size_t i = 0; i < TEE_PARTS; i++) {
        pool_give(&tee->worker->buffers, tee->parts[i]);
        tee->parts[i] = NULL;
    }
}

void tee_use(struct tee *tee)
{
    tee->uses++;
}

void tee_drop(struct tee *tee)
{
    ASSERT(tee->uses > 0);
    if (--tee->uses > 0)
        return;
    ASSERT(!tee->source && list_empty(&tee->waiting));
    give_parts_back(tee);
    pool_give(&tee->worker->tees, tee);
}

static void wake_all(struct tee *tee)
{
    LIST_EACH (&tee->waiting, node, next)
        fiber_wake(container_of(node, struct tee_waiter, node)->fiber);
}

static void tee_fail(struct tee *tee, int error, enum outcome outcome)
{
    tee->error = error;
    tee->outcome = outcome;
}

void tee_close_source(struct tee *tee, enum outcome why)
{
    struct body *source = tee->source;

    if (!source)
        return;
    ASSERT(!tee->pulling); /* who pulls is a part of the same exchange, and has ended */
    tee->source = NULL;
    if (!tee->ended && tee->error == 0)
        tee_fail(tee, -ECANCELED, OUTCOME_CANCELED);
    wake_all(tee);
    body_close(source, why);
}

int tee_limit(struct tee *tee, uint64_t limit)
{
    tee->limit = MIN(tee->limit, limit);
    return tee->pulled > tee->limit || tee->error == -EFBIG ? -EFBIG : 0;
}

void tee_stop_keeping(struct tee *tee)
{
    tee->unkept = true;
}

bool tee_replayable(const struct tee *tee)
{
    return !tee->unkept;
}

/* Copies a chunk to the end of what is kept. False: it does not fit, or there is no buffer. */
static bool tee_keep(struct tee *tee, struct bytes chunk)
{
    if (chunk.len > TEE_MAX - tee->kept)
        return false;
    while (chunk.len > 0) {
        size_t part = tee->kept / BUFFER_SIZE, at = tee->kept % BUFFER_SIZE;
        size_t count = MIN(chunk.len, BUFFER_SIZE - at);

        if (!tee->parts[part] && !(tee->parts[part] = pool_take(&tee->worker->buffers)))
            return false;
        memcpy(tee->parts[part] + at, chunk.data, count);
        tee->kept += count;
        chunk = bytes_skip(chunk, count);
    }
    return true;
}

/* Takes over what a pull brought. */
static void tee_pulled(struct tee *tee, struct bytes chunk)
{
    size_t kept = tee->kept;

    tee->pulled += chunk.len;
    if (tee->unkept || tee_keep(tee, chunk))
        return;
    tee->unkept = true;
    tee->kept = kept;
}

/* The reader is at the front: it pulls for everybody. A chunk that was kept is then given out from there: what the
 * source gave is only good until anybody's next pull. */
static int tee_pull(struct tee_reader *reader, struct bytes *ret_chunk)
{
    struct tee *tee = reader->tee;
    int r;

    tee->pulling = true;
    r = body_read(tee->source, ret_chunk);
    tee->pulling = false;
    if (r > 0 && ret_chunk->len > tee->limit - MIN(tee->limit, tee->pulled)) {
        tee_fail(tee, -EFBIG, OUTCOME_BODY_TOO_LARGE);
        wake_all(tee);
        return -EFBIG;
    }
    if (r > 0)
        tee_pulled(tee, *ret_chunk);
    if (r >= 0)
        tee->ended = tee->source->ended; /* with its last bytes, if it knows: nobody may come back to ask for the end */
    else if (r != -ETIME && r != -ECANCELED) /* those are about this reader alone: another may go on */
        tee_fail(tee, r, tee->source->outcome);
    wake_all(tee);
    return r;
}

static int tee_wait(struct tee *tee)
{
    struct tee_waiter waiter = { .fiber = fiber_current() };
    int r;

    list_push_back(&tee->waiting, &waiter.node);
    r = fiber_park(TIME_NEVER);
    list_remove(&waiter.node);
    return r;
}

static int reader_fail(struct tee_reader *reader, int error, enum outcome outcome)
{
    reader->body.outcome = outcome;
    return error;
}

static int read_kept(struct tee *tee, uint64_t place, struct bytes *ret_chunk)
{
    size_t at = place % BUFFER_SIZE;
    size_t count = MIN(tee->kept - place, BUFFER_SIZE - at);

    *ret_chunk = bytes_of(tee->parts[place / BUFFER_SIZE] + at, count);
    return 1;
}

static int reader_read(struct body *body, struct bytes *ret_chunk)
{
    struct tee_reader *reader = container_of(body, struct tee_reader, body);
    struct tee *tee = reader->tee;
    int r;

    for (;;) {
        if (body->read < tee->kept)
            return read_kept(tee, body->read, ret_chunk);
        if (body->read < tee->pulled) /* (3): what comes next was not kept */
            return reader_fail(reader, -ENOBUFS, OUTCOME_BODY_TOO_LARGE);
        if (tee->ended)
            return 0;
        if (tee->error)
            return reader_fail(reader, tee->error, tee->outcome);
        r = tee->pulling || reader->follows ? tee_wait(tee) : tee_pull(reader, ret_chunk);
        if (r < 0 && !tee->error)
            return reader_fail(reader, r, outcome_of_error(r, OUTCOME_INTERNAL));
        if (r > 0 && tee->unkept)
            return r;
    }
}

static void reader_close(struct body *body, enum outcome why)
{
}

static const struct body_ops READER_OPS = { .read = reader_read, .close = reader_close };

int tee_reader_init(struct tee_reader *reader, struct tee *tee, bool follows)
{
    if (!tee_replayable(tee))
        return -ENOBUFS;
    *reader = (struct tee_reader){ .tee = tee, .follows = follows };
    reader->body.ops = &READER_OPS;
    if (tee->source) {
        reader->body.has_length = tee->source->has_length;
        reader->body.length = tee->source->length;
        reader->body.at_hand = tee->source->at_hand || tee->ended;
    }
    return 0;
}
