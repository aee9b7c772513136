#include "observe/exposition.h"

#include "base/alloc.h"
#include "base/assert.h"

/* What one line may take besides its labels: a family's name, a help text, a value. */
#define LINE_REST_MAX 512
#define LABEL_NAME_MAX 64

/* A byte of a value becomes three at most: U+FFFD. */
#define LABELS_TEXT_MAX (OBSERVE_LABELS_MAX * (LABEL_NAME_MAX + 3 * OBSERVE_NAME_MAX + 4))
#define LINE_MAX (LINE_REST_MAX + LABELS_TEXT_MAX)

_Static_assert(LINE_MAX <= OBSERVE_CHUNK_SIZE, "a line fits an empty chunk");

struct metrics_writer {
    struct metrics_sink *sink;
    int error;
    struct bytes family;
    struct text chunk;
    struct text labels; /* of the sample at hand, without braces */
    char chunk_memory[OBSERVE_CHUNK_SIZE];
    char labels_memory[LABELS_TEXT_MAX];
};

int metrics_writer_create(struct metrics_sink *sink, struct metrics_writer **ret)
{
    struct metrics_writer *writer = mem_alloc(sizeof(*writer));

    if (!writer)
        return -ENOMEM;
    writer->sink = sink;
    writer->error = 0;
    writer->family = BYTES_NONE;
    writer->chunk = text_into(writer->chunk_memory, sizeof(writer->chunk_memory));
    writer->labels = text_into(writer->labels_memory, sizeof(writer->labels_memory));
    *ret = writer;
    return 0;
}

static void flush(struct metrics_writer *writer)
{
    ASSERT(!writer->chunk.full); /* (1) */
    if (writer->error == 0 && writer->chunk.len > 0)
        writer->error = writer->sink->write(writer->sink, text_bytes(&writer->chunk));
    writer->chunk.len = 0;
}

int metrics_writer_finish(struct metrics_writer *writer)
{
    int error;

    flush(writer);
    error = writer->error;
    mem_free(writer);
    return error;
}

static void line_begin(struct metrics_writer *writer)
{
    if (writer->chunk.max - writer->chunk.len < LINE_MAX)
        flush(writer);
}

void metrics_family(struct metrics_writer *writer, const char *name, const char *help, const char *type)
{
    struct text *text = &writer->chunk;

    writer->family = bytes_of_text(name);
    ASSERT(2 * writer->family.len + strlen(help) + strlen(type) < LINE_REST_MAX - LABEL_NAME_MAX);
    line_begin(writer);
    text_add_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A run of bytes over 0x7f: text_add_json() knows what is UTF-8 and mends what is not; its quotes go. */
static void add_wide(struct text *text, struct bytes run)
{
    size_t from = text->len;

    text_add_json(text, run);
    text->len -= 2;
    memmove(text->data + from, text->data + from + 1, text->len - from);
}

static void add_narrow(struct text *text, char c)
{
    switch (c) {
    case '\\': text_add(text, BYTES("\\\\")); break;
    case '"': text_add(text, BYTES("\\\"")); break;
    case '\n': text_add(text, BYTES("\\n")); break;
    default:
        if ((unsigned char)c < 0x20 || c == 0x7f) /* the format has no escape for them */
            text_add(text, BYTES("\xef\xbf\xbd"));
        else
            text_add_char(text, c);
    }
}

static void add_value(struct text *text, struct bytes value)
{
    size_t at = 0;

    while (at < value.len) {
        size_t from = at;

        while (at < value.len && (unsigned char)value.data[at] >= 0x80)
            at++;
        if (at > from)
            add_wide(text, bytes_slice(value, from, at));
        else
            add_narrow(text, value.data[at++]);
    }
}

/* (2) */
static void set_labels(struct metrics_writer *writer, const struct metrics_label *labels, unsigned count)
{
    struct text *text = &writer->labels;

    ASSERT(count <= OBSERVE_LABELS_MAX);
    text->len = 0;
    for (unsigned i = 0; i < count; i++) {
        struct bytes name = bytes_of_text(labels[i].name);

        ASSERT(name.len <= LABEL_NAME_MAX);
        if (labels[i].value.len == 0)
            continue;
        if (text->len > 0)
            text_add_char(text, ',');
        text_add(text, name);
        text_add(text, BYTES("=\""));
        add_value(text, bytes_slice(labels[i].value, 0, OBSERVE_NAME_MAX));
        text_add_char(text, '"');
    }
    ASSERT(!text->full);
}

/* "family_suffix{labels} ", after which the value comes. `bound`: of a bucket, or empty. */
static struct text *begin_sample(struct metrics_writer *writer, struct bytes suffix, struct bytes bound)
{
    struct text *text = &writer->chunk;

    line_begin(writer);
    text_add(text, writer->family);
    text_add(text, suffix);
    if (writer->labels.len + bound.len > 0)
        text_add_char(text, '{');
    text_add(text, text_bytes(&writer->labels));
    if (bound.len > 0) {
        text_add(text, writer->labels.len > 0 ? BYTES(",le=\"") : BYTES("le=\""));
        text_add(text, bound);
        text_add_char(text, '"');
    }
    if (writer->labels.len + bound.len > 0)
        text_add_char(text, '}');
    text_add_char(text, ' ');
    return text;
}

static void sample_of_labels(struct metrics_writer *writer, struct bytes suffix, struct bytes bound, uint64_t value)
{
    struct text *text = begin_sample(writer, suffix, bound);

    text_add_u64(text, value);
    text_add_char(text, '\n');
}

/* Seconds without zeros at the end: 0.005, 2.5, 10. */
static void add_seconds(struct text *text, uint64_t ns)
{
    uint64_t fraction = ns % (uint64_t)NS_PER_S;

    text_add_u64(text, ns / (uint64_t)NS_PER_S);
    if (fraction == 0)
        return;
    text_add_format(text, ".%09u", (unsigned)fraction);
    while (text->data[text->len - 1] == '0')
        text->len--;
}

void metrics_sample(struct metrics_writer *writer, const struct metrics_label *labels, unsigned count, uint64_t value)
{
    set_labels(writer, labels, count);
    sample_of_labels(writer, BYTES_NONE, BYTES_NONE, value);
}

void metrics_sample_seconds(struct metrics_writer *writer, const struct metrics_label *labels, unsigned count,
                            int64_t ns)
{
    struct text *text;

    set_labels(writer, labels, count);
    text = begin_sample(writer, BYTES_NONE, BYTES_NONE);
    add_seconds(text, (uint64_t)MAX(ns, 0));
    text_add_char(text, '\n');
}

void histogram_sum_add(struct histogram_sum *sum, const struct histogram *histogram)
{
    for (unsigned i = 0; i < ARRAY_LEN(sum->buckets); i++)
        sum->buckets[i] += metric_read(&histogram->buckets[i]);
    sum->sum_ns += metric_read(&histogram->sum_ns);
}

void metrics_histogram(struct metrics_writer *writer, const struct metrics_label *labels, unsigned count,
                       const struct histogram_bounds *bounds, const struct histogram_sum *sum)
{
    char memory[DECIMAL_TEXT_MAX];
    struct text bound = text_into(memory, sizeof(memory)), *text;
    uint64_t below = 0;

    set_labels(writer, labels, count);
    for (unsigned i = 0; i < bounds->count; i++) {
        below += sum->buckets[i];
        bound.len = 0;
        add_seconds(&bound, (uint64_t)bounds->upper_ns[i]);
        sample_of_labels(writer, BYTES("_bucket"), text_bytes(&bound), below);
    }
    below += sum->buckets[bounds->count];
    sample_of_labels(writer, BYTES("_bucket"), BYTES("+Inf"), below);
    text = begin_sample(writer, BYTES("_sum"), BYTES_NONE);
    add_seconds(text, sum->sum_ns);
    text_add_char(text, '\n');
    sample_of_labels(writer, BYTES("_count"), BYTES_NONE, below);
}
