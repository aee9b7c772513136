#include "help.h"

#include "observe/log_ring.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct log_ring *ring_open(void)
{
    struct log_ring *ring = aligned_alloc(alignof(struct log_ring), sizeof(*ring));

    assert_non_null(ring);
    log_ring_init(ring);
    return ring;
}

/* Takes all that is there; a zero ends it. */
static size_t take_all(struct log_ring *ring, char *memory)
{
    uint64_t end = log_ring_head(ring);
    size_t len = 0;

    while (!log_ring_at(ring, end)) {
        struct bytes run = log_ring_peek(ring, end);

        assert_true(run.len > 0);
        memcpy(memory + len, run.data, run.len);
        len += run.len;
        log_ring_skip(ring, run.len);
    }
    assert_int_equal(log_ring_peek(ring, end).len, 0);
    memory[len] = '\0';
    return len;
}

static void keeps_lines_in_order(void **state)
{
    struct log_ring *ring = ring_open();
    char *memory = malloc(OBSERVE_LOG_RING_SIZE + 1);
    char line[100], expected[400];
    int len;

    assert_int_equal(take_all(ring, memory), 0);
    for (unsigned i = 0; i < 20000; i += 3) { /* wraps many times */
        len = 0;
        for (unsigned j = i; j < i + 3; j++) {
            (void)snprintf(line, sizeof(line), "line %u %.*s\n", j, (int)(j % 60), "-------------------------------");
            assert_true(log_ring_write(ring, bytes_of_text(line)));
            len += snprintf(expected + len, sizeof(expected) - (size_t)len, "%s", line);
        }
        assert_int_equal(log_ring_used(ring), len);
        assert_int_equal(take_all(ring, memory), len);
        assert_string_equal(memory, expected);
    }
    assert_int_equal(metric_read(&ring->lines), 20001);
    assert_int_equal(metric_read(&ring->dropped), 0);
    free(memory);
    free(ring);
}

/* OBSERVE_LOG_RING_SIZE bytes, to the last one. */
static void is_filled_to_the_end(void **state)
{
    struct log_ring *ring = ring_open();
    char *line = malloc(OBSERVE_LOG_LINE_MAX);
    char *memory = malloc(OBSERVE_LOG_RING_SIZE + 1);

    memset(line, 'x', OBSERVE_LOG_LINE_MAX);
    line[OBSERVE_LOG_LINE_MAX - 1] = '\n';
    for (unsigned i = 0; i < OBSERVE_LOG_RING_SIZE / OBSERVE_LOG_LINE_MAX; i++)
        assert_true(log_ring_write(ring, bytes_of(line, OBSERVE_LOG_LINE_MAX)));
    assert_int_equal(log_ring_used(ring), OBSERVE_LOG_RING_SIZE);
    assert_false(log_ring_write(ring, BYTES("\n")));
    assert_int_equal(take_all(ring, memory), OBSERVE_LOG_RING_SIZE);
    assert_true(log_ring_write(ring, BYTES("a\n")));
    (void)take_all(ring, memory);
    assert_string_equal(memory, "{\"dropped\":1}\na\n");
    free(memory);
    free(line);
    free(ring);
}

/* (3): what would fit alone does not when its note does not. */
static void says_what_it_dropped(void **state)
{
    struct log_ring *ring = ring_open();
    char *memory = malloc(OBSERVE_LOG_RING_SIZE + 1);
    char line[1024];
    size_t room;

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    while (log_ring_write(ring, bytes_of(line, sizeof(line))))
        ;
    assert_false(log_ring_write(ring, bytes_of(line, sizeof(line))));
    log_ring_skip(ring, sizeof(line));
    room = OBSERVE_LOG_RING_SIZE - log_ring_used(ring);
    assert_int_equal(room, sizeof(line));
    assert_false(log_ring_write(ring, bytes_of(line, sizeof(line)))); /* its note needs 14 more */
    assert_int_equal(metric_read(&ring->dropped), 3);
    assert_false(log_ring_write(ring, bytes_of(line + 13, sizeof(line) - 13)));
    assert_true(log_ring_write(ring, bytes_of(line + 14, sizeof(line) - 14)));
    assert_int_equal(log_ring_used(ring), OBSERVE_LOG_RING_SIZE);
    (void)take_all(ring, memory);
    assert_memory_equal(memory + OBSERVE_LOG_RING_SIZE - sizeof(line), "{\"dropped\":4}\nxxx", 17);
    assert_true(log_ring_write(ring, BYTES("b\n")));
    (void)take_all(ring, memory);
    assert_string_equal(memory, "b\n"); /* said once */
    assert_int_equal(metric_read(&ring->dropped), 4);
    free(memory);
    free(ring);
}

static void discards_and_counts(void **state)
{
    struct log_ring *ring = ring_open();
    uint64_t end;

    for (unsigned i = 0; i < 10; i++)
        assert_true(log_ring_write(ring, BYTES("line\n")));
    end = log_ring_head(ring);
    assert_true(log_ring_write(ring, BYTES("later\n")));
    log_ring_skip(ring, 12);
    log_ring_discard(ring, end);
    assert_true(log_ring_at(ring, end));
    assert_int_equal(metric_read(&ring->lost), 8); /* a half one, and seven */
    assert_int_equal(log_ring_used(ring), 6);
    free(ring);
}

/* --- two threads ---------------------------------------------------------------------------------------------------
 */

#define LINES 50000

static void *write_away(void *context)
{
    struct log_ring *ring = context;
    char line[64];

    for (unsigned i = 0; i < LINES; i++) {
        (void)snprintf(line, sizeof(line), "%u\n", i);
        (void)log_ring_write(ring, bytes_of_text(line));
    }
    while (!log_ring_write(ring, BYTES("end\n")))
        ; /* the reader makes room */
    return NULL;
}

/* Every line comes once and in order; what is missing was announced where it is missing. */
static void crosses_threads(void **state)
{
    struct log_ring *ring = ring_open();
    char *memory = malloc(OBSERVE_LOG_RING_SIZE + 1);
    unsigned next = 0, failed_ends = 0;
    bool ended = false;
    pthread_t writer;

    assert_int_equal(pthread_create(&writer, NULL, write_away, ring), 0);
    while (!ended) {
        struct bytes text = bytes_of(memory, take_all(ring, memory)), line;
        unsigned number;

        while (bytes_split(&text, '\n', &line) && line.len > 0) {
            if (bytes_equal(line, BYTES("end")))
                ended = true;
            else if (sscanf(line.data, "{\"dropped\":%u}", &number) == 1)
                next += number;
            else {
                assert_int_equal(sscanf(line.data, "%u", &number), 1);
                assert_int_equal(number, next);
                next++;
            }
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    failed_ends = next - LINES;
    assert_true(next >= LINES);
    assert_int_equal(metric_read(&ring->lines) + metric_read(&ring->dropped), LINES + failed_ends + 1);
    free(memory);
    free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_lines_in_order), cmocka_unit_test(is_filled_to_the_end),
        cmocka_unit_test(says_what_it_dropped), cmocka_unit_test(discards_and_counts),
        cmocka_unit_test(crosses_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
