#include "supervise/recorded.h"

#include "base/alloc.h"
#include "base/assert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK (64 * KIB)
#define LINE_MAX_BYTES (32 * KIB) /* OUTPUT_LINE_MAX, each byte escaped, and names */
#define SUFFIX ".log"

/* --- one line -------------------------------------------------------------------------------------------------------
 */

bool recorded_is_time(struct bytes text)
{
    static const char SHAPE[] = "0000-00-00T00:00:00.000000000Z";
    bool fine = text.len == RECORDED_TIME_LEN;

    for (size_t i = 0; fine && i < text.len; i++)
        fine = SHAPE[i] == '0' ? text.data[i] >= '0' && text.data[i] <= '9' : text.data[i] == SHAPE[i];
    return fine;
}

/* Takes `what` off the front. */
static bool take(struct bytes *rest, struct bytes what)
{
    if (!bytes_starts(*rest, what))
        return false;
    *rest = bytes_skip(*rest, what.len);
    return true;
}

/* Takes a member's text, which holds nothing escaped, and the quote behind it. */
static bool take_plain(struct bytes *rest, struct bytes before, struct bytes *ret)
{
    ssize_t end;

    if (!take(rest, before))
        return false;
    end = bytes_find_char(*rest, '"');
    if (end < 0)
        return false;
    *ret = bytes_slice(*rest, 0, (size_t)end);
    *rest = bytes_skip(*rest, (size_t)end + 1);
    return bytes_find_char(*ret, '\\') < 0;
}

static int hex_of(struct bytes digits)
{
    int value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        char c = ascii_lower(digits.data[i]);

        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (c - 'a' + 10);
        else
            return -1;
    }
    return digits.len == 4 ? value : -1;
}

/* One escape, without its backslash; text_add_json() writes no other ones. Returns how many bytes it took, 0: none. */
static size_t unescape(struct bytes rest, char *ret)
{
    int value;

    switch (rest.len > 0 ? rest.data[0] : '\0') {
    case '"':
    case '\\':
    case '/': *ret = rest.data[0]; return 1;
    case 'n': *ret = '\n'; return 1;
    case 'r': *ret = '\r'; return 1;
    case 't': *ret = '\t'; return 1;
    case 'u':
        value = hex_of(bytes_slice(rest, 1, 5));
        *ret = (char)value;
        return value < 0 || value >= 0x80 ? 0 : 5;
    default: return 0;
    }
}

/* What stands in a JSON string, into `to`, which has room for as many bytes. -EINVAL: it is none. */
static int decode(struct bytes raw, char *to, size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        if (raw.data[i] == '\\') {
            size_t used = unescape(bytes_skip(raw, i + 1), &to[len++]);

            if (used == 0)
                return -EINVAL;
            i += used;
        } else if (raw.data[i] == '"' || (unsigned char)raw.data[i] < 0x20)
            return -EINVAL;
        else
            to[len++] = raw.data[i];
    }
    *ret_len = len;
    return 0;
}

static bool split(struct bytes text, struct recorded_line *ret)
{
    struct bytes rest = text;

    if (!take_plain(&rest, BYTES("{\"time\":\""), &ret->time) || !recorded_is_time(ret->time) ||
        !take_plain(&rest, BYTES(",\"service\":\""), &ret->service) ||
        !take_plain(&rest, BYTES(",\"instance\":\""), &ret->instance) ||
        !take_plain(&rest, BYTES(",\"stream\":\""), &ret->stream) || !take(&rest, BYTES(",\"message\":\"")) ||
        !bytes_ends(rest, BYTES("\"}")))
        return false;
    ret->message = bytes_slice(rest, 0, rest.len - 2);
    return true;
}

static struct bytes keep(char **place, struct bytes text)
{
    struct bytes copy = bytes_of(*place, text.len);

    if (text.len > 0)
        memcpy(*place, text.data, text.len);
    *place += text.len;
    return copy;
}

struct recorded_line *recorded_parse(struct bytes text)
{
    struct recorded_line found, *line;
    size_t len;
    char *place;

    if (!split(text, &found))
        return NULL;
    line = mem_alloc(sizeof(*line) + text.len);
    if (!line)
        return NULL;
    place = (char *)(line + 1);
    line->time = keep(&place, found.time);
    line->service = keep(&place, found.service);
    line->instance = keep(&place, found.instance);
    line->stream = keep(&place, found.stream);
    if (decode(found.message, place, &len) < 0) {
        mem_free(line);
        return NULL;
    }
    line->message = bytes_of(place, len);
    return line;
}

/* --- a page ------------------------------------------------------------------------------------------------------- */

struct reading {
    struct io *io;
    const struct recorded_query *query;
    int folder;
    char until[RECORDED_TIME_LEN + 1]; /* empty: no end */
    char *block;
    struct recorded_page page;
    /* Of the service that is being read: a ring, newest lines first. When it is full, who follows wants the older ones
     * instead. */
    struct recorded_line **found;
    unsigned found_count;
    char earliest[RECORDED_TIME_LEN]; /* of what was looked at; zero: nothing yet */
    bool done;
};

static bool wanted(const struct recorded_query *query, const struct recorded_line *line)
{
    bool fits = query->name_count == 0;

    for (unsigned i = 0; i < query->name_count && !fits; i++)
        fits = bytes_equal(bytes_of_text(query->names[i]), line->service) ||
               bytes_equal(bytes_of_text(query->names[i]), line->instance);
    return fits;
}

/* Lines come from the newest to the oldest. */
static void take_line(struct reading *reading, struct bytes text)
{
    const struct recorded_query *query = reading->query;
    struct recorded_line *line = reading->done ? NULL : recorded_parse(text), **place;

    if (!line)
        return;
    if (query->after.len > 0 && memcmp(line->time.data, query->after.data, RECORDED_TIME_LEN) <= 0)
        reading->done = true;
    /* A file that took another name while we read: its lines have been here already. */
    else if (reading->earliest[0] && memcmp(line->time.data, reading->earliest, RECORDED_TIME_LEN) >= 0)
        ;
    else {
        memcpy(reading->earliest, line->time.data, RECORDED_TIME_LEN);
        if (wanted(query, line) &&
            !(reading->until[0] && memcmp(line->time.data, reading->until, RECORDED_TIME_LEN) > 0)) {
            place = &reading->found[reading->found_count++ % query->max];
            mem_free(*place);
            *place = line;
            line = NULL;
        }
    }
    mem_free(line);
    if (query->after.len == 0 && reading->found_count == query->max)
        reading->done = true;
}

/* The lines of block[0..len), the last one first. What stands before the first line feed is left: its length. */
static size_t take_lines(struct reading *reading, size_t len)
{
    size_t end = len, at = len;

    while (at > 0 && !reading->done) {
        if (reading->block[--at] != '\n')
            continue;
        take_line(reading, bytes_of(reading->block + at + 1, end - at - 1));
        end = at;
    }
    return end;
}

static void read_file(struct reading *reading, const struct io_file *file)
{
    struct io *io = reading->io;
    uint64_t left = file->size;
    size_t carried = 0;

    while (left > 0 && !reading->done) {
        size_t len = (size_t)MIN(left, (uint64_t)BLOCK);

        if (carried > LINE_MAX_BYTES)
            carried = 0; /* no line of ours */
        memmove(reading->block + len, reading->block, carried);
        left -= len;
        if (io->ops->file_read_at(io, file->file, reading->block, len, left) != (ssize_t)len)
            return;
        carried = take_lines(reading, len + carried);
    }
    take_line(reading, bytes_of(reading->block, carried));
}

static bool read_number(struct reading *reading, const char *service, unsigned number)
{
    char name[CONF_NAME_MAX + 16];
    struct io_file file;
    int len = number == 0 ? snprintf(name, sizeof(name), "%s" SUFFIX, service)
                          : snprintf(name, sizeof(name), "%s" SUFFIX ".%u", service, number);

    if (len < 0 || (size_t)len >= sizeof(name) ||
        reading->io->ops->file_open(reading->io, reading->folder, name, &file) < 0)
        return false;
    if (file.file == IO_FILE_FOLDER)
        return false;
    read_file(reading, &file);
    reading->io->ops->file_close(reading->io, file.file);
    return true;
}

/* --- putting services together --------------------------------------------------------------------------------------
 */

static int by_time(const void *a, const void *b)
{
    const struct recorded_line *const *first = a, *const *second = b;

    return memcmp((*first)->time.data, (*second)->time.data, RECORDED_TIME_LEN);
}

/* Keeps at most `max` lines, and RECORD_PAGE_BYTES_MAX bytes: the oldest ones for who follows, else the newest. */
static void cut(struct recorded_page *page, const struct recorded_query *query)
{
    bool oldest = query->after.len > 0;
    unsigned kept = 0, first;
    size_t size = 0;

    qsort(page->lines, page->count, sizeof(struct recorded_line *), by_time);
    while (kept < page->count && kept < query->max) {
        size += page->lines[oldest ? kept : page->count - 1 - kept]->message.len + 128;
        if (kept > 0 && size > RECORD_PAGE_BYTES_MAX)
            break;
        kept++;
    }
    first = oldest ? 0 : page->count - kept;
    for (unsigned i = 0; i < page->count; i++)
        if (i < first || i >= first + kept)
            mem_free(page->lines[i]);
    memmove(page->lines, page->lines + first, kept * sizeof(struct recorded_line *));
    page->count = kept;
}

static void read_service(struct reading *reading, const char *service)
{
    const struct recorded_query *query = reading->query;
    unsigned missing = 0;

    reading->found_count = 0;
    reading->done = false;
    memset(reading->earliest, 0, sizeof(reading->earliest));
    /* A rotation on its way leaves a gap of one. */
    for (unsigned number = 0; number <= RECORD_FILES_MAX && missing < 2 && !reading->done; number++)
        missing = read_number(reading, service, number) ? 0 : missing + 1;
    for (unsigned i = 0; i < MIN(reading->found_count, query->max); i++) {
        reading->page.lines[reading->page.count++] = reading->found[i];
        reading->found[i] = NULL;
    }
    if (reading->page.count > 0)
        cut(&reading->page, query);
}

static bool may_have(const struct recorded_query *query, struct bytes service)
{
    bool fits = query->name_count == 0;

    for (unsigned i = 0; i < query->name_count && !fits; i++)
        fits = bytes_starts(bytes_of_text(query->names[i]), service);
    return fits;
}

static void each_file(void *user, const char *name)
{
    struct reading *reading = user;
    struct bytes service = bytes_of_text(name);
    char text[CONF_NAME_MAX + 1];

    if (!bytes_ends(service, BYTES(SUFFIX)) || service.len > CONF_NAME_MAX + sizeof(SUFFIX) - 1)
        return;
    service.len -= sizeof(SUFFIX) - 1;
    memcpy(text, service.data, service.len);
    text[service.len] = '\0';
    if (may_have(reading->query, service))
        read_service(reading, text);
}

static int read_all(struct reading *reading)
{
    const struct recorded_query *query = reading->query;
    struct io *io = reading->io;
    struct text until = text_into(reading->until, sizeof(reading->until));
    int r;

    if (query->until_ns > 0) {
        text_add_time(&until, query->until_ns);
        until.len--;
        text_add_format(&until, "%06uZ", (unsigned)(query->until_ns % NS_PER_MS));
    }
    reading->block = mem_alloc(BLOCK + LINE_MAX_BYTES);
    reading->found = mem_zalloc_array(query->max, sizeof(struct recorded_line *));
    reading->page.lines = mem_zalloc_array((size_t)query->max * 2, sizeof(struct recorded_line *));
    if (!reading->block || !reading->found || !reading->page.lines)
        return -ENOMEM;
    r = io->ops->folder_open(io, query->folder, &reading->folder);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = io->ops->directory_list(io, query->folder, each_file, reading);
    io->ops->file_close(io, reading->folder);
    return r;
}

int recorded_read(struct io *io, const struct recorded_query *query, struct recorded_page *ret)
{
    struct reading reading = { .io = io, .query = query };
    int r;

    ASSERT(query->max > 0 && query->max <= RECORD_LINES_MAX);
    if (query->after.len > 0 && !recorded_is_time(query->after))
        return -EINVAL;
    r = read_all(&reading);
    mem_free(reading.block);
    mem_free(reading.found);
    if (r < 0)
        recorded_free(&reading.page);
    else
        *ret = reading.page;
    return r;
}

void recorded_free(struct recorded_page *page)
{
    for (unsigned i = 0; i < page->count; i++)
        mem_free(page->lines[i]);
    mem_free(page->lines);
    page->count = 0;
    page->lines = NULL;
}
