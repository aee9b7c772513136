/* The strict reader of help.h, after the description of the text format at prometheus.io. */
#include "help.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES_MAX 60000

struct sample {
    struct bytes name, labels, key; /* key: name and labels as written */
    double value;
};

struct reader {
    struct bytes family, type;
    struct sample *samples;
    unsigned count;
    /* of the histogram at hand */
    struct bytes buckets_of; /* its labels without le */
    double bound, below;
};

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static struct bytes take_name(struct bytes *rest)
{
    size_t len = 0;

    while (len < rest->len && name_char(rest->data[len], len == 0))
        len++;
    assert_true(len > 0);
    *rest = bytes_skip(*rest, len);
    return bytes_of(rest->data - len, len);
}

static void take_char(struct bytes *rest, char c)
{
    assert_true(rest->len > 0);
    assert_int_equal(rest->data[0], c);
    *rest = bytes_skip(*rest, 1);
}

/* The format has three escapes, and no control characters. */
static void take_value(struct bytes *rest)
{
    take_char(rest, '"');
    for (;;) {
        assert_true(rest->len > 0);
        if (rest->data[0] == '"')
            break;
        assert_true((unsigned char)rest->data[0] >= 0x20 && rest->data[0] != 0x7f);
        if (rest->data[0] == '\\') {
            *rest = bytes_skip(*rest, 1);
            assert_true(rest->len > 0 && strchr("\\\"n", rest->data[0]));
        }
        *rest = bytes_skip(*rest, 1);
    }
    take_char(rest, '"');
}

/* "{a="b",c="d"}"; nothing between the braces is refused: it would have been left out. */
static struct bytes take_labels(struct bytes *rest)
{
    const char *from = rest->data;

    if (rest->data[0] != '{')
        return BYTES_NONE;
    do {
        *rest = bytes_skip(*rest, 1);
        (void)take_name(rest);
        take_char(rest, '=');
        take_value(rest);
        assert_true(rest->len > 0);
    } while (rest->data[0] == ',');
    take_char(rest, '}');
    return bytes_of(from + 1, (size_t)(rest->data - from) - 2);
}

static double take_number(struct bytes text)
{
    char copy[64], *end;
    double value;

    assert_true(text.len > 0 && text.len < sizeof(copy));
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    value = strtod(copy, &end);
    assert_true(*end == '\0');
    return value;
}

static void read_comment(struct reader *reader, struct bytes line)
{
    bool help = bytes_starts(line, BYTES("# HELP "));
    struct bytes name;

    assert_true(help || bytes_starts(line, BYTES("# TYPE ")));
    line = bytes_skip(line, 7);
    name = take_name(&line);
    take_char(&line, ' ');
    if (help) {
        assert_true(line.len > 0);
        reader->family = name;
        reader->type = BYTES_NONE;
        return;
    }
    assert_true(bytes_equal(name, reader->family)); /* HELP came before */
    assert_int_equal(reader->type.len, 0);
    reader->type = line;
    assert_true(bytes_equal(line, BYTES("counter")) || bytes_equal(line, BYTES("gauge")) ||
                bytes_equal(line, BYTES("histogram")));
    assert_int_equal(bytes_equal(line, BYTES("counter")), bytes_ends(name, BYTES("_total")));
}

/* Buckets of one histogram ascend; +Inf ends them, and the count equals it. */
static void check_bucket(struct reader *reader, const struct sample *sample)
{
    ssize_t le = bytes_find(sample->labels, BYTES("le=\""));
    struct bytes bound, others;
    double upper;

    assert_true(le >= 0);
    others = bytes_slice(sample->labels, 0, (size_t)le);
    bound = bytes_skip(sample->labels, (size_t)le + 4);
    bound = bytes_slice(bound, 0, bound.len - 1);
    upper = bytes_equal(bound, BYTES("+Inf")) ? 1e300 : take_number(bound);
    if (!reader->buckets_of.data || reader->bound == 1e300) {
        reader->buckets_of = others;
        reader->bound = reader->below = -1;
    }
    assert_true(bytes_equal(others, reader->buckets_of));
    assert_true(upper > reader->bound);
    assert_true(sample->value >= reader->below);
    reader->bound = upper;
    reader->below = sample->value;
}

static void check_name(struct reader *reader, const struct sample *sample)
{
    struct bytes suffix = bytes_skip(sample->name, reader->family.len);

    assert_true(bytes_starts(sample->name, reader->family));
    assert_true(reader->type.len > 0);
    if (!bytes_equal(reader->type, BYTES("histogram"))) {
        assert_int_equal(suffix.len, 0);
    } else if (bytes_equal(suffix, BYTES("_bucket"))) {
        check_bucket(reader, sample);
    } else if (bytes_equal(suffix, BYTES("_count"))) {
        assert_true(reader->bound == 1e300);
        assert_true(sample->value == reader->below);
    } else {
        assert_true(bytes_equal(suffix, BYTES("_sum")));
        assert_true(sample->value >= 0);
    }
}

static void read_sample(struct reader *reader, struct bytes line)
{
    struct sample *sample = &reader->samples[reader->count++];
    const char *from = line.data;

    assert_true(reader->count < SAMPLES_MAX);
    sample->name = take_name(&line);
    assert_true(line.len > 0);
    sample->labels = take_labels(&line);
    sample->key = bytes_of(from, (size_t)(line.data - from));
    take_char(&line, ' ');
    sample->value = take_number(line);
    check_name(reader, sample);
}

static int by_key(const void *a, const void *b)
{
    const struct sample *left = a, *right = b;

    return bytes_compare(left->key, right->key);
}

static void check_utf8(struct bytes text)
{
    char *memory = malloc(text.len * 6 + 2);
    struct text json = text_into(memory, text.len * 6 + 2);
    size_t mended = 0, there = 0;

    text_add_json(&json, text); /* puts U+FFFD where it finds none */
    assert_false(json.full);
    for (size_t i = 0; i + 3 <= json.len; i++)
        mended += memcmp(json.data + i, "\xef\xbf\xbd", 3) == 0;
    for (size_t i = 0; i + 3 <= text.len; i++)
        there += memcmp(text.data + i, "\xef\xbf\xbd", 3) == 0;
    assert_int_equal(mended, there);
    free(memory);
}

unsigned scrape_check(struct bytes text)
{
    struct reader reader = { .samples = calloc(SAMPLES_MAX, sizeof(struct sample)) };
    struct bytes line;
    unsigned count;

    assert_non_null(reader.samples);
    assert_true(text.len > 0);
    assert_int_equal(text.data[text.len - 1], '\n');
    check_utf8(text);
    text.len--;
    while (bytes_split(&text, '\n', &line)) {
        assert_true(line.len > 0);
        if (line.data[0] == '#')
            read_comment(&reader, line);
        else
            read_sample(&reader, line);
    }
    qsort(reader.samples, reader.count, sizeof(struct sample), by_key);
    for (unsigned i = 1; i < reader.count; i++)
        assert_int_not_equal(by_key(&reader.samples[i - 1], &reader.samples[i]), 0);
    count = reader.count;
    free(reader.samples);
    return count;
}

static struct bytes find(struct bytes text, const char *sample)
{
    struct bytes line, wanted = bytes_of_text(sample);

    while (bytes_split(&text, '\n', &line))
        if (bytes_starts(line, wanted) && line.len > wanted.len && line.data[wanted.len] == ' ')
            return bytes_skip(line, wanted.len + 1);
    return BYTES_NONE;
}

bool scrape_has(struct bytes text, const char *sample)
{
    return find(text, sample).data != NULL;
}

double scrape_value(struct bytes text, const char *sample)
{
    struct bytes value = find(text, sample);

    if (!value.data)
        print_error("no sample %s\n", sample);
    assert_non_null(value.data);
    return take_number(value);
}
