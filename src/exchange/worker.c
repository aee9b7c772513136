#include "exchange/worker.h"

#include "base/assert.h"
#include "base/limits.h"
#include "exchange/exchange.h"
#include "exchange/snapshot.h"

#define WORKER_MAGIC 0x30a4e61u

int worker_init(struct worker *worker, unsigned index, struct loop *loop, const struct worker_limits *limits)
{
    unsigned exchanges_max = limits && limits->exchanges_max ? limits->exchanges_max : EXCHANGES_MAX;
    unsigned buffers_max = limits && limits->buffers_max ? limits->buffers_max : BUFFERS_MAX;
    uint64_t seed;

    *worker = (struct worker){ .magic = WORKER_MAGIC, .index = index, .loop = loop };
    list_init(&worker->views);
    loop->io->ops->entropy(loop->io, &seed, sizeof(seed));
    prng_seed(&worker->prng, seed);
    loop->io->ops->entropy(loop->io, &worker->hash_key, sizeof(worker->hash_key));
    pool_init(&worker->exchanges, "exchanges", sizeof(struct exchange), exchanges_max, 64);
    pool_init(&worker->tees, "tees", sizeof(struct tee), exchanges_max, 16);
    pool_init(&worker->blocks, "arena blocks", EXCHANGE_BLOCK_SIZE, EXCHANGE_BLOCKS_MAX, 96);
    pool_init(&worker->buffers, "buffers", BUFFER_SIZE, buffers_max, 32);
    pool_init(&worker->bulk_buffers, "bulk buffers", BULK_BUFFER_SIZE, BULK_BUFFERS_MAX, 1);
    return 0;
}

int worker_lane(struct worker *worker, struct lane **ret)
{
    struct io *io = worker->loop->io;
    int r = worker->lane ? 0 : io->ops->lane_open(io, "work", WORKER_LANE_THREADS, &worker->lane);

    if (r == 0)
        *ret = worker->lane;
    return r;
}

void worker_done(struct worker *worker)
{
    CHECK_MAGIC(worker, WORKER_MAGIC);
    worker_leave_all(worker);
    if (worker->lane)
        worker->loop->io->ops->lane_close(worker->loop->io, worker->lane);
    worker->lane = NULL;
    pool_done(&worker->exchanges);
    pool_done(&worker->tees);
    pool_done(&worker->blocks);
    pool_done(&worker->buffers);
    pool_done(&worker->bulk_buffers);
    worker->magic = 0;
}
