/* What the stage `files` reads out of a request: the first line is a path, the second one what is stripped of it, the
 * third one a size; then fields, a line each. Whatever they are, a path stays below the root, ranges lie within the
 * size and are worth their heads, and a date that was read is written as the same one. */
#include "stage/files.h"
#include "base/assert.h"
#include "http/date.h"

#define FIELDS_MAX 32
#define NOW (INT64_C(1795237200) * NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct bytes raw, struct bytes strip, bool hidden)
{
    char memory[FILES_PATH_MAX];
    struct files_path path = { .path = BYTES("untouched") };
    int r = files_path_read(raw, strip, hidden, memory, &path);
    struct bytes rest = path.path, element;

    if (r < 0) {
        ASSERT(r == -EBADMSG || r == -ENOENT);
        ASSERT(bytes_equal(path.path, BYTES("untouched")));
        return;
    }
    ASSERT(path.path.len < FILES_PATH_MAX && bytes_find_char(path.path, '\0') < 0);
    while (path.path.len > 0 && bytes_split(&rest, '/', &element)) {
        ASSERT(element.len > 0 && !bytes_equal(element, BYTES(".")) && !bytes_equal(element, BYTES("..")));
        ASSERT(hidden || element.data[0] != '.' || bytes_equal(element, BYTES(".well-known")));
    }
    (void)files_type_of(path.path);
}

static void check_ranges(struct bytes value, uint64_t size)
{
    struct files_range ranges[FILES_RANGES_MAX];
    int count = files_ranges(value, size, ranges);
    uint64_t sum = 0;

    ASSERT(count == -ERANGE || (count >= 0 && count <= FILES_RANGES_MAX));
    for (int i = 0; i < count; i++) {
        ASSERT(ranges[i].len > 0 && ranges[i].from < size && ranges[i].len <= size - ranges[i].from);
        sum += ranges[i].len;
        for (int k = 0; k < i; k++)
            ASSERT(ranges[i].from + ranges[i].len <= ranges[k].from ||
                   ranges[k].from + ranges[k].len <= ranges[i].from);
    }
    ASSERT(count <= 1 || sum < size);
}

static void check_date(struct bytes value)
{
    char memory[HTTP_DATE_LEN];
    struct text text = text_into(memory, sizeof(memory));
    int64_t seconds, again;

    if (http_date_read(value, NOW, &seconds) < 0 || seconds < 0 || seconds > INT64_MAX / NS_PER_S)
        return;
    http_date_write(&text, seconds * NS_PER_S);
    ASSERT(!text.full && http_date_read(text_bytes(&text), NOW, &again) == 0 && again == seconds);
}

static void check_head(struct http_head *head, struct bytes path)
{
    const struct files_form form = { BYTES("\"1-2\""), 784111777, NOW };
    enum files_coding order[FILES_CODINGS];
    unsigned count = files_codings(head, order), seen = 0;

    for (unsigned i = 0; i < count; i++) {
        ASSERT((unsigned)order[i] < FILES_CODINGS && !(seen & 1u << order[i]));
        seen |= 1u << order[i];
    }
    (void)files_conditions(head, &form);
    (void)files_if_range(head, &form);
    (void)files_wants_page(head, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size), path = BYTES_NONE, strip = BYTES_NONE, line = BYTES_NONE, name;
    struct http_field fields[FIELDS_MAX];
    struct http_head head = { .method = HTTP_GET, .fields = fields, .field_max = FIELDS_MAX };
    uint64_t length = 1000;

    (void)bytes_split(&rest, '\n', &path);
    (void)bytes_split(&rest, '\n', &strip);
    if (bytes_split(&rest, '\n', &line) && bytes_to_u64(line, &length) == 0)
        length = MIN(length, (uint64_t)HTTP_LENGTH_MAX);
    check_path(path, strip, true);
    check_path(path, strip, false);
    while (bytes_split(&rest, '\n', &line)) {
        if (!bytes_split(&line, ':', &name) || http_head_add_named(&head, name, bytes_trim(line)) < 0)
            continue;
        check_ranges(bytes_trim(line), length);
        check_date(bytes_trim(line));
    }
    check_head(&head, path);
    return 0;
}
