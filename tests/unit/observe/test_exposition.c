#include "help.h"

#include "faults.h"

#include <stdio.h>

struct collector {
    struct metrics_sink sink;
    char data[64 * 1024];
    size_t len;
    unsigned chunks;
    int refuse; /* this error, from the second chunk on */
};

static int collect(struct metrics_sink *sink, struct bytes chunk)
{
    struct collector *collector = container_of(sink, struct collector, sink);

    assert_true(chunk.len > 0 && chunk.len <= OBSERVE_CHUNK_SIZE);
    assert_int_equal(chunk.data[chunk.len - 1], '\n'); /* (1) */
    if (++collector->chunks > 1 && collector->refuse)
        return collector->refuse;
    assert_true(collector->len + chunk.len <= sizeof(collector->data));
    memcpy(collector->data + collector->len, chunk.data, chunk.len);
    collector->len += chunk.len;
    return 0;
}

static struct bytes text_of(const struct collector *collector)
{
    return bytes_of(collector->data, collector->len);
}

static void writes_families_and_samples(void **state)
{
    static const char EXPECTED[] = "# HELP things Things there are.\n"
                                   "# TYPE things gauge\n"
                                   "things 7\n"
                                   "things{a=\"x\",c=\"z\"} 18446744073709551615\n"
                                   "# HELP age_seconds How old.\n"
                                   "# TYPE age_seconds gauge\n"
                                   "age_seconds 1.5\n"
                                   "age_seconds{a=\"0\"} 0\n"
                                   "age_seconds{a=\"1\"} 0.000000001\n"
                                   "age_seconds{a=\"2\"} 20\n";
    const struct metrics_label labels[] = { { "a", BYTES("x") }, { "b", BYTES_NONE }, { "c", BYTES("z") } };
    struct metrics_label one = { "a", BYTES("0") };
    struct collector collector = { .sink.write = collect };
    struct metrics_writer *writer;

    assert_int_equal(metrics_writer_create(&collector.sink, &writer), 0);
    metrics_family(writer, "things", "Things there are.", "gauge");
    metrics_sample(writer, NULL, 0, 7);
    metrics_sample(writer, labels, 3, UINT64_MAX);
    metrics_family(writer, "age_seconds", "How old.", "gauge");
    metrics_sample_seconds(writer, NULL, 0, 3 * NS_PER_S / 2);
    metrics_sample_seconds(writer, &one, 1, -5);
    one.value = BYTES("1");
    metrics_sample_seconds(writer, &one, 1, 1);
    one.value = BYTES("2");
    metrics_sample_seconds(writer, &one, 1, 20 * NS_PER_S);
    assert_int_equal(metrics_writer_finish(writer), 0);
    assert_int_equal(collector.len, sizeof(EXPECTED) - 1);
    assert_memory_equal(collector.data, EXPECTED, collector.len);
    assert_int_equal(scrape_check(text_of(&collector)), 6);
}

static void writes_histograms_as_sums(void **state)
{
    static const struct histogram_bounds BOUNDS = { .count = 2, .upper_ns = { 5 * NS_PER_MS, 5 * NS_PER_S / 2 } };
    static const char EXPECTED[] = "# HELP took_seconds It took.\n"
                                   "# TYPE took_seconds histogram\n"
                                   "took_seconds_bucket{le=\"0.005\"} 2\n"
                                   "took_seconds_bucket{le=\"2.5\"} 3\n"
                                   "took_seconds_bucket{le=\"+Inf\"} 4\n"
                                   "took_seconds_sum 5.003\n"
                                   "took_seconds_count 4\n"
                                   "took_seconds_bucket{a=\"x\",le=\"0.005\"} 4\n"
                                   "took_seconds_bucket{a=\"x\",le=\"2.5\"} 6\n"
                                   "took_seconds_bucket{a=\"x\",le=\"+Inf\"} 8\n"
                                   "took_seconds_sum{a=\"x\"} 10.006\n"
                                   "took_seconds_count{a=\"x\"} 8\n";
    const struct metrics_label label = { "a", BYTES("x") };
    struct collector collector = { .sink.write = collect };
    struct histogram histogram = { 0 };
    struct histogram_sum sum = { 0 };
    struct metrics_writer *writer;

    histogram_add(&histogram, &BOUNDS, NS_PER_MS);
    histogram_add(&histogram, &BOUNDS, NS_PER_MS);
    histogram_add(&histogram, &BOUNDS, NS_PER_S);
    histogram_add(&histogram, &BOUNDS, 4 * NS_PER_S + NS_PER_MS);
    histogram_sum_add(&sum, &histogram);
    assert_int_equal(metrics_writer_create(&collector.sink, &writer), 0);
    metrics_family(writer, "took_seconds", "It took.", "histogram");
    metrics_histogram(writer, NULL, 0, &BOUNDS, &sum);
    histogram_sum_add(&sum, &histogram);
    metrics_histogram(writer, &label, 1, &BOUNDS, &sum);
    assert_int_equal(metrics_writer_finish(writer), 0);
    assert_int_equal(collector.len, sizeof(EXPECTED) - 1);
    assert_memory_equal(collector.data, EXPECTED, collector.len);
    assert_int_equal(scrape_check(text_of(&collector)), 10);
}

static void escapes_label_values(void **state)
{
    static const struct {
        struct bytes value;
        const char *written;
    } ROWS[] = {
        { { "plain", 5 }, "plain" },
        { { "a\"b\\c\nd", 7 }, "a\\\"b\\\\c\\nd" },
        { { "\xc3\xbc\xe2\x82\xac", 5 }, "\xc3\xbc\xe2\x82\xac" },
        { { "a\xff"
            "b",
            3 },
          "a\xef\xbf\xbd"
          "b" },
        { { "\xc3\x28", 2 }, "\xef\xbf\xbd(" },
        { { "\0\r\x7f", 3 }, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { { "{a=\"}", 5 }, "{a=\\\"}" },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const struct metrics_label label = { "a", ROWS[i].value };
        struct collector collector = { .sink.write = collect };
        struct metrics_writer *writer;
        char expected[128];

        assert_int_equal(metrics_writer_create(&collector.sink, &writer), 0);
        metrics_family(writer, "m", "M.", "gauge");
        metrics_sample(writer, &label, 1, 1);
        assert_int_equal(metrics_writer_finish(writer), 0);
        assert_int_equal(scrape_check(text_of(&collector)), 1);
        (void)snprintf(expected, sizeof(expected), "m{a=\"%s\"}", ROWS[i].written);
        assert_true(scrape_value(text_of(&collector), expected) == 1);
    }
}

/* OBSERVE_LABELS_MAX values of OBSERVE_NAME_MAX bytes that grow most. */
static void writes_the_longest_line(void **state)
{
    struct metrics_label labels[OBSERVE_LABELS_MAX];
    struct collector collector = { .sink.write = collect };
    struct metrics_writer *writer;
    char long_value[OBSERVE_NAME_MAX + 100];
    char names[OBSERVE_LABELS_MAX][65];

    memset(long_value, 0xff, sizeof(long_value));
    for (unsigned i = 0; i < OBSERVE_LABELS_MAX; i++) {
        memset(names[i], 'a' + (int)i, 64);
        names[i][64] = '\0';
        labels[i] = (struct metrics_label){ names[i], bytes_of(long_value, sizeof(long_value)) };
    }
    assert_int_equal(metrics_writer_create(&collector.sink, &writer), 0);
    metrics_family(writer, "m", "M.", "gauge");
    for (unsigned i = 0; i < 8; i++) {
        names[0][0] = (char)('a' + i);
        metrics_sample(writer, labels, OBSERVE_LABELS_MAX, UINT64_MAX);
    }
    assert_int_equal(metrics_writer_finish(writer), 0);
    assert_true(collector.chunks > 1);
    assert_int_equal(scrape_check(text_of(&collector)), 8);
    /* cut at OBSERVE_NAME_MAX */
    assert_true(collector.len < 8 * (OBSERVE_LABELS_MAX * (3 * OBSERVE_NAME_MAX + 70) + 64));
    assert_true(collector.len > 8 * OBSERVE_LABELS_MAX * 3 * OBSERVE_NAME_MAX);
}

static void ends_at_the_sinks_error(void **state)
{
    struct collector collector = { .sink.write = collect, .refuse = -EPIPE };
    struct metrics_writer *writer;

    assert_int_equal(metrics_writer_create(&collector.sink, &writer), 0);
    metrics_family(writer, "m", "M.", "gauge");
    for (unsigned i = 0; i < 20000; i++)
        metrics_sample(writer, NULL, 0, i);
    assert_int_equal(metrics_writer_finish(writer), -EPIPE);
    assert_int_equal(collector.chunks, 2); /* (3) */
}

static int create_once(void *context)
{
    struct collector *collector = context;
    struct metrics_writer *writer;
    int r = metrics_writer_create(&collector->sink, &writer);

    return r < 0 ? r : metrics_writer_finish(writer);
}

static void has_no_memory(void **state)
{
    struct collector collector = { .sink.write = collect };

    assert_int_equal(faults_each(create_once, &collector), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_families_and_samples), cmocka_unit_test(writes_histograms_as_sums),
        cmocka_unit_test(escapes_label_values),        cmocka_unit_test(writes_the_longest_line),
        cmocka_unit_test(ends_at_the_sinks_error),     cmocka_unit_test(has_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
