/* A writer that never waits, and readers that get whole records or none. */
#include "help.h"

#include "base/alloc.h"
#include "observe/record_ring.h"

#include <pthread.h>
#include <stdlib.h>

#define SIZE 4096
#define WORDS (SIZE / 8)
#define LONGEST 61

/* The n-th record: its number in each word, and as many words as the number says. */
static unsigned length_of(uint64_t number)
{
    return 1 + (unsigned)(number * 7 % LONGEST);
}

static void write_one(struct record_ring *ring, uint64_t number)
{
    uint64_t record[LONGEST];

    for (unsigned i = 0; i < LONGEST; i++)
        record[i] = number;
    record_ring_write(ring, record, length_of(number));
}

/* Reads all that is there; they must go down one by one from the newest. Returns how many there were. */
static unsigned check_all(const struct record_ring *ring, uint64_t *ret_newest)
{
    uint64_t at = record_ring_head(ring), record[LONGEST], expected = 0;
    unsigned seen = 0, count;

    while ((count = record_ring_read(ring, &at, record, LONGEST)) > 0) {
        if (seen++ > 0)
            assert_int_equal(record[0], expected);
        else
            *ret_newest = record[0];
        assert_int_equal(count, length_of(record[0]));
        for (unsigned i = 1; i < count; i++)
            assert_int_equal(record[i], record[0]);
        expected = record[0] - 1;
    }
    return seen;
}

static void newest_first(void **state)
{
    struct record_ring ring;
    uint64_t newest = 0;

    assert_int_equal(record_ring_init(&ring, SIZE), 0);
    assert_int_equal(check_all(&ring, &newest), 0);
    for (uint64_t number = 1; number <= 10; number++) {
        write_one(&ring, number);
        assert_int_equal(check_all(&ring, &newest), number);
        assert_int_equal(newest, number);
    }
    record_ring_done(&ring);
}

/* (1): what is written over is gone, and nothing else is. */
static void the_oldest_go(void **state)
{
    struct record_ring ring;

    assert_int_equal(record_ring_init(&ring, SIZE), 0);
    for (uint64_t number = 1; number <= 5000; number++) {
        unsigned fit = 0, words = 0;
        uint64_t newest = 0;

        write_one(&ring, number);
        while (fit < number && words + length_of(number - fit) + 1 <= WORDS)
            words += length_of(number - fit++) + 1;
        assert_int_equal(check_all(&ring, &newest), fit);
        assert_int_equal(newest, number);
    }
    record_ring_done(&ring);
}

static void a_longer_one_than_wanted_ends_it(void **state)
{
    uint64_t record[LONGEST] = { 0 }, at;
    struct record_ring ring;

    assert_int_equal(record_ring_init(&ring, SIZE), 0);
    record_ring_write(&ring, record, 9);
    at = record_ring_head(&ring);
    assert_int_equal(record_ring_read(&ring, &at, record, 8), 0);
    assert_int_equal(record_ring_read(&ring, &at, record, 9), 9);
    record_ring_done(&ring);
}

struct flood {
    struct record_ring ring;
    atomic_bool stop;
};

static void *writer_main(void *context)
{
    struct flood *flood = context;

    for (uint64_t number = 1; !atomic_load_explicit(&flood->stop, memory_order_relaxed); number++)
        write_one(&flood->ring, number);
    return NULL;
}

/* (2): while it is written over all the time, no record is torn; TSan looks on. */
static void no_record_is_torn(void **state)
{
    struct flood *flood = calloc(1, sizeof(*flood));
    unsigned reads = 0, records = 0;
    uint64_t newest = 0, before = 0;
    pthread_t writer;

    assert_non_null(flood);
    assert_int_equal(record_ring_init(&flood->ring, SIZE), 0);
    assert_int_equal(pthread_create(&writer, NULL, writer_main, flood), 0);
    while (reads < 20000 || records == 0) {
        unsigned seen = check_all(&flood->ring, &newest);

        assert_true(seen == 0 || newest >= before);
        before = newest;
        records += seen;
        reads++;
    }
    atomic_store(&flood->stop, true);
    (void)pthread_join(writer, NULL);
    assert_true(check_all(&flood->ring, &newest) > 0);
    record_ring_done(&flood->ring);
    free(flood);
}

static void has_no_memory(void **state)
{
    struct record_ring ring;

    (void)mem_fail_after(0);
    assert_int_equal(record_ring_init(&ring, SIZE), -ENOMEM);
    assert_true(mem_fail_after(-1));
    record_ring_done(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_first),
        cmocka_unit_test(the_oldest_go),
        cmocka_unit_test(a_longer_one_than_wanted_ends_it),
        cmocka_unit_test(no_record_is_torn),
        cmocka_unit_test(has_no_memory),
    };

    return cmocka_run_group_tests_name("observe/record_ring", tests, NULL, NULL);
}
