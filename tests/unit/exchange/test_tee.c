#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define READERS 4

/* A tee on a source, and readers of it, all on the heap: they are larger than a stack should hold. */
struct
try {
    struct rig_source source;
    struct tee *tee;
    struct tee_reader readers[READERS];
};

static struct try *try_open(struct rig *rig, uint64_t len, size_t piece)
{
    struct try *try = mem_zalloc(sizeof(*try));

    rig_source_init(&try->source, rig, len, piece);
    RIG_CHECK(rig, tee_create(&rig->worker, &try->source.body, &try->tee) == 0);
    for (unsigned i = 0; i < READERS; i++)
        RIG_CHECK(rig, tee_reader_init(&try->readers[i], try->tee, false) == 0);
    return try;
}

static void try_close(struct rig *rig, struct try *try)
{
    tee_close_source(try->tee, OUTCOME_OK);
    tee_close_source(try->tee, OUTCOME_OK);
    RIG_CHECK(rig, try->source.closed == 1);
    tee_drop(try->tee);
    RIG_CHECK(rig, rig->worker.buffers.out == 0 && rig->worker.tees.out == 0);
    mem_free(try);
}

static const struct {
    uint64_t len;
    size_t piece;
    bool kept;
} SIZES[] = {
    { 0, 1, true },
    { 1, 1, true },
    { 100, 7, true },
    { BUFFER_SIZE, BUFFER_SIZE, true },
    { BUFFER_SIZE + 1, 3000, true },
    { TEE_MAX, 5000, true },
    { TEE_MAX, 1024, true },
    { TEE_MAX, TEE_MAX, true },
    { TEE_MAX + 1, 5000, false },
    { TEE_MAX + 1, 1024, false },
    { TEE_MAX + 1, TEE_MAX + 1, false },
    { 10 * TEE_MAX, 60000, false },
};

static void kept_up_to_its_bound(struct rig *rig)
{
    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++)
        for (unsigned late = 0; late < 2; late++) {
            struct try *try = try_open(rig, SIZES[i].len, SIZES[i].piece);

            try->source.late_end = late;
            RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, UINT64_MAX) == 0);
            RIG_CHECK(rig, try->readers[0].body.read == SIZES[i].len);
            RIG_CHECK(rig, tee_replayable(try->tee) == SIZES[i].kept);
            RIG_CHECK(rig, tee_reader_init(&try->readers[2], try->tee, false) == (SIZES[i].kept ? 0 : -ENOBUFS));
            if (rig_read(rig, &try->readers[1].body, UINT64_MAX) != (SIZES[i].kept ? 0 : -ENOBUFS))
                rig_fail(rig, "size %zu: the second reader ended otherwise", i);
            RIG_CHECK(rig, SIZES[i].kept || try->readers[1].body.outcome == OUTCOME_BODY_TOO_LARGE);
            try_close(rig, try);
        }
}

/* Readers go on from their own places, in turns. */
static void places(struct rig *rig)
{
    struct try *try = try_open(rig, 40000, 1000);

    for (unsigned i = 0; i < READERS; i++)
        RIG_CHECK(rig, rig_read(rig, &try->readers[i].body, 3000 + i * 9000) == 1);
    RIG_CHECK(rig, try->tee->pulled == 30000 && try->source.body.read == 30000);
    for (unsigned i = READERS; i-- > 0;)
        RIG_CHECK(rig, rig_read(rig, &try->readers[i].body, UINT64_MAX) == 0 && try->readers[i].body.read == 40000);
    try_close(rig, try);
}

/* One pulls while the others wait: all get everything. */
static void together(struct rig *rig)
{
    struct try *try = try_open(rig, 50000, 3000);
    struct rig_reader readers[READERS];

    try->source.pause_ns = NS_PER_MS;
    for (unsigned i = 0; i < READERS; i++)
        rig_reader_start(&readers[i], rig, &try->readers[i].body, UINT64_MAX);
    for (unsigned i = 0; i < READERS; i++) {
        rig_reader_wait(&readers[i]);
        RIG_CHECK(rig, readers[i].result == 0 && try->readers[i].body.read == 50000);
    }
    try_close(rig, try);
}

/* When it overflows, who pulls goes on alone. */
static void overflow_with_others(struct rig *rig)
{
    struct try *try = try_open(rig, TEE_MAX + 5000, 3000);
    struct rig_reader readers[2];

    try->source.pause_ns = NS_PER_MS;
    for (unsigned i = 0; i < 2; i++)
        rig_reader_start(&readers[i], rig, &try->readers[i].body, UINT64_MAX);
    for (unsigned i = 0; i < 2; i++)
        rig_reader_wait(&readers[i]);
    RIG_CHECK(rig, (readers[0].result == 0) != (readers[1].result == 0));
    RIG_CHECK(rig, readers[0].result == -ENOBUFS || readers[1].result == -ENOBUFS);
    try_close(rig, try);
}

/* Cancelling who pulls, or who waits, is about that reader alone. */
static void cancelled(struct rig *rig)
{
    for (unsigned victim = 0; victim < 2; victim++) {
        struct try *try = try_open(rig, 9000, 3000);
        struct rig_reader readers[2];

        try->source.pause_ns = 10 * NS_PER_MS;
        for (unsigned i = 0; i < 2; i++)
            rig_reader_start(&readers[i], rig, &try->readers[i].body, UINT64_MAX);
        rig_sleep(15 * NS_PER_MS);
        RIG_CHECK(rig, try->tee->pulling && !list_empty(&try->tee->waiting));
        scope_cancel(&readers[victim].scope);
        rig_sleep(NS_PER_MS);
        RIG_CHECK(rig, readers[victim].over && readers[victim].result == -ECANCELED);
        RIG_CHECK(rig, try->readers[victim].body.outcome == OUTCOME_CANCELED);
        rig_reader_wait(&readers[!victim]);
        RIG_CHECK(rig, readers[!victim].result == 0);
        RIG_CHECK(rig, rig_read(rig, &try->readers[victim].body, UINT64_MAX) == 0); /* it may even come back */
        try_close(rig, try);
    }
}

static void error_reaches_all(struct rig *rig)
{
    struct try *try = try_open(rig, 5000, 1000);
    struct rig_reader readers[2];

    try->source.error = -EPROTO;
    try->source.outcome = OUTCOME_BAD_REQUEST;
    try->source.pause_ns = NS_PER_MS;
    for (unsigned i = 0; i < 2; i++)
        rig_reader_start(&readers[i], rig, &try->readers[i].body, UINT64_MAX);
    for (unsigned i = 0; i < 2; i++) {
        rig_reader_wait(&readers[i]);
        RIG_CHECK(rig, readers[i].result == -EPROTO && try->readers[i].body.outcome == OUTCOME_BAD_REQUEST);
        RIG_CHECK(rig, try->readers[i].body.read == 5000);
    }
    RIG_CHECK(rig, rig_read(rig, &try->readers[2].body, UINT64_MAX) == -EPROTO); /* what was there is still given */
    RIG_CHECK(rig, try->readers[2].body.read == 5000 && try->readers[2].body.outcome == OUTCOME_BAD_REQUEST);
    RIG_CHECK(rig, rig_read(rig, &try->readers[2].body, UINT64_MAX) == -EPROTO); /* and it is final */
    try_close(rig, try);
}

/* A follower never pulls, and gets its end though nobody asked the source for it once more. */
static void follower(struct rig *rig)
{
    struct try *try = try_open(rig, 20000, 1000);
    struct rig_reader reader;

    RIG_CHECK(rig, tee_reader_init(&try->readers[1], try->tee, true) == 0);
    rig_reader_start(&reader, rig, &try->readers[1].body, UINT64_MAX);
    rig_sleep(10 * NS_PER_MS);
    RIG_CHECK(rig, try->source.body.read == 0 && !reader.over);
    RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, 20000) == 1);
    tee_close_source(try->tee, OUTCOME_OK);
    rig_reader_wait(&reader);
    RIG_CHECK(rig, reader.result == 0 && try->readers[1].body.read == 20000);
    try_close(rig, try);
}

static void follower_is_left(struct rig *rig)
{
    struct try *try = try_open(rig, 20000, 1000);
    struct rig_reader reader;

    RIG_CHECK(rig, tee_reader_init(&try->readers[1], try->tee, true) == 0);
    rig_reader_start(&reader, rig, &try->readers[1].body, UINT64_MAX);
    RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, 7000) == 1);
    rig_sleep(10 * NS_PER_MS);
    tee_close_source(try->tee, OUTCOME_OK);
    rig_reader_wait(&reader);
    RIG_CHECK(rig, reader.result == -ECANCELED && try->readers[1].body.read == 7000);
    RIG_CHECK(rig, try->readers[1].body.outcome == OUTCOME_CANCELED);
    try_close(rig, try);
}

/* No buffer to keep it in: the body goes on, but not twice. */
static void no_buffers(struct rig *rig)
{
    struct try *try = try_open(rig, 3 * BUFFER_SIZE, 10000);

    RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, UINT64_MAX) == 0);
    RIG_CHECK(rig, try->readers[0].body.read == 3 * BUFFER_SIZE);
    RIG_CHECK(rig, !tee_replayable(try->tee) && rig->worker.buffers.refused > 0);
    RIG_CHECK(rig, rig_read(rig, &try->readers[1].body, UINT64_MAX) == -ENOBUFS);
    RIG_CHECK(rig, try->readers[1].body.read == 10000);
    try_close(rig, try);
}

static void no_tees(struct rig *rig)
{
    struct rig_source *source = mem_zalloc(sizeof(*source));
    struct tee *one, *two;

    rig_source_init(source, rig, 1, 1);
    RIG_CHECK(rig, tee_create(&rig->worker, &source->body, &one) == 0);
    RIG_CHECK(rig, tee_create(&rig->worker, &source->body, &two) == -EAGAIN);
    tee_close_source(one, OUTCOME_OK);
    tee_drop(one);
    mem_free(source);
}

static void told_to_stop(struct rig *rig)
{
    struct try *try = try_open(rig, 20000, 1000);

    RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, 5000) == 1);
    tee_stop_keeping(try->tee);
    RIG_CHECK(rig, !tee_replayable(try->tee));
    RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, UINT64_MAX) == 0 && try->readers[0].body.read == 20000);
    RIG_CHECK(rig, try->tee->kept == 5000);
    try_close(rig, try);
}

static const struct {
    uint64_t len, limit;
    size_t piece;
    uint64_t given; /* of a longer source: up to the chunk that passed the limit */
    int result;
} LIMITED[] = {
    { 100, 100, 7, 100, 0 },
    { 100, 99, 7, 98, -EFBIG },
    { 100, 99, 100, 0, -EFBIG },
    { 100, 0, 1, 0, -EFBIG },
    { 0, 0, 1, 0, 0 },
    { TEE_MAX + 5000, TEE_MAX + 5000, 5000, TEE_MAX + 5000, 0 },
    { 3 * TEE_MAX, 2 * TEE_MAX, 1024, 2 * TEE_MAX, -EFBIG },
};

/* The one that pulls fails; so does one that comes behind, as far as bytes were kept for it. */
static void limited(struct rig *rig)
{
    for (size_t i = 0; i < ARRAY_LEN(LIMITED); i++) {
        struct try *try = try_open(rig, LIMITED[i].len, LIMITED[i].piece);
        bool kept = LIMITED[i].given <= TEE_MAX;

        RIG_CHECK(rig, tee_limit(try->tee, LIMITED[i].limit) == 0);
        RIG_CHECK(rig, tee_limit(try->tee, LIMITED[i].limit + 1) == 0); /* the smallest holds */
        RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, UINT64_MAX) == LIMITED[i].result);
        RIG_CHECK(rig, try->readers[0].body.read == LIMITED[i].given);
        RIG_CHECK(rig, tee_limit(try->tee, UINT64_MAX) == LIMITED[i].result);
        if (LIMITED[i].result < 0)
            RIG_CHECK(rig, try->readers[0].body.outcome == OUTCOME_BODY_TOO_LARGE && !try->tee->ended);
        if (kept)
            RIG_CHECK(rig, rig_read(rig, &try->readers[1].body, UINT64_MAX) == LIMITED[i].result);
        RIG_CHECK(rig, !kept || try->readers[1].body.read == LIMITED[i].given);
        try_close(rig, try);
    }
}

static void limited_late(struct rig *rig)
{
    struct try *try = try_open(rig, 20000, 1000);

    RIG_CHECK(rig, rig_read(rig, &try->readers[0].body, 5000) == 1);
    RIG_CHECK(rig, tee_limit(try->tee, 5000) == 0);
    RIG_CHECK(rig, tee_limit(try->tee, 4999) == -EFBIG);
    try_close(rig, try);
}

#define TRY(name, function, limits)                        \
    static void name(void **state)                         \
    {                                                      \
        static const struct worker_limits LIMITS = limits; \
                                                           \
        rig_run(function, &LIMITS);                        \
    }

#define NO_LIMITS          \
    {                      \
        .exchanges_max = 0 \
    }

TRY(a_tee_keeps_up_to_its_bound, kept_up_to_its_bound, NO_LIMITS)
TRY(readers_have_their_own_places, places, NO_LIMITS)
TRY(readers_wait_for_who_pulls, together, NO_LIMITS)
TRY(an_overflow_leaves_one_reader, overflow_with_others, NO_LIMITS)
TRY(a_cancelled_reader_spoils_nothing, cancelled, NO_LIMITS)
TRY(an_error_of_the_source_reaches_all, error_reaches_all, NO_LIMITS)
TRY(a_follower_gets_all_without_pulling, follower, NO_LIMITS)
TRY(a_follower_may_be_left_behind, follower_is_left, NO_LIMITS)
TRY(without_buffers_nothing_more_is_kept, no_buffers, { .buffers_max = 1 })
TRY(tees_may_run_out, no_tees, { .exchanges_max = 1 })
TRY(a_tee_may_be_told_to_stop_keeping, told_to_stop, NO_LIMITS)
TRY(a_source_may_be_too_long, limited, NO_LIMITS)
TRY(a_limit_may_come_too_late, limited_late, NO_LIMITS)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tee_keeps_up_to_its_bound),
        cmocka_unit_test(readers_have_their_own_places),
        cmocka_unit_test(readers_wait_for_who_pulls),
        cmocka_unit_test(an_overflow_leaves_one_reader),
        cmocka_unit_test(a_cancelled_reader_spoils_nothing),
        cmocka_unit_test(an_error_of_the_source_reaches_all),
        cmocka_unit_test(a_follower_gets_all_without_pulling),
        cmocka_unit_test(a_follower_may_be_left_behind),
        cmocka_unit_test(without_buffers_nothing_more_is_kept),
        cmocka_unit_test(tees_may_run_out),
        cmocka_unit_test(a_tee_may_be_told_to_stop_keeping),
        cmocka_unit_test(a_source_may_be_too_long),
        cmocka_unit_test(a_limit_may_come_too_late),
    };

    return cmocka_run_group_tests_name("exchange/tee", tests, NULL, NULL);
}
