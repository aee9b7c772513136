/* observe/exposition.h - writes metrics in the Prometheus text format, version 0.0.4.
 *
 * (1) A line that has begun is whole: chunks end at line ends, and none is longer than OBSERVE_CHUNK_SIZE.
 * (2) Label values are valid UTF-8, escaped, and cut at OBSERVE_NAME_MAX bytes; an empty one is left out, which means
 *     the same to Prometheus.
 * (3) The first error of the sink is kept, and nothing is written after it.
 */
#ifndef WEFT_OBSERVE_EXPOSITION_H
#define WEFT_OBSERVE_EXPOSITION_H

#include "base/limits.h"
#include "base/metric.h"
#include "base/text.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_writer;

/* Takes the text, chunk by chunk; may wait. A negative errno ends the scrape. */
struct metrics_sink {
    int (*write)(struct metrics_sink *sink, struct bytes chunk);
};

struct metrics_label {
    const char *name;
    struct bytes value;
};

/* A family of metrics of somebody else: write() calls metrics_sample() for each of its samples, with any labels and
 * no name twice. On the scraping thread: what other threads write is read with metric_read(). */
struct metric_source {
    const char *name, *help;
    const char *type; /* "counter" (the name ends in _total) or "gauge" */
    const void *context;
    void (*write)(const struct metric_source *source, struct metrics_writer *writer);
};

/* -ENOMEM. */
int metrics_writer_create(struct metrics_sink *sink, struct metrics_writer **ret) MUST_CHECK;

/* Sends what is left, frees the writer and returns the first error. */
int metrics_writer_finish(struct metrics_writer *writer) MUST_CHECK;

/* Begins a family. `type`: counter, gauge or histogram. All its samples follow. */
void metrics_family(struct metrics_writer *writer, const char *name, const char *help, const char *type);

/* A sample of the family. At most OBSERVE_LABELS_MAX labels. */
void metrics_sample(struct metrics_writer *writer, const struct metrics_label *labels, unsigned count, uint64_t value);
void metrics_sample_seconds(struct metrics_writer *writer, const struct metrics_label *labels, unsigned count,
                            int64_t ns);

/* Counts that are not cumulative, bounds->count + 1 of them: the sum over workers of a histogram's. */
struct histogram_sum {
    uint64_t buckets[HISTOGRAM_BOUNDS_MAX + 1];
    uint64_t sum_ns;
};

void histogram_sum_add(struct histogram_sum *sum, const struct histogram *histogram);
void metrics_histogram(struct metrics_writer *writer, const struct metrics_label *labels, unsigned count,
                       const struct histogram_bounds *bounds, const struct histogram_sum *sum);

#endif
