#include "supervise/recorded.h"
#include "supervise/recorder.h"

#include "base/alloc.h"
#include "io/linux/linux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a disk that may be full ------------------------------------------------------------------------------------ */

static struct {
    bool full;
    struct io_ops ops;
    const struct io_ops *real;
} disk;

static int append(struct io *io, const char *path, struct bytes content, unsigned mode, uint64_t *ret_size)
{
    return disk.full ? -ENOSPC : disk.real->file_append(io, path, content, mode, ret_size);
}

struct rig {
    struct io *io;
    struct loop loop;
    struct log log;
    struct recorder recorder;
    struct io_socket said;
    int descriptor;
    char folder[64], logs[80];
};

static void rig_start(struct rig *rig)
{
    assert_int_equal(loop_init(&rig->loop, rig->io, NULL), 0);
    assert_int_equal(log_open(&rig->log, &rig->loop, rig->descriptor), 0);
    assert_int_equal(recorder_open(&rig->recorder, &rig->loop, &rig->log, rig->logs), 0);
}

static void rig_stop(struct rig *rig)
{
    loop_stop(&rig->loop);
    loop_run(&rig->loop);
    recorder_close(&rig->recorder);
    log_close(&rig->log);
    loop_done(&rig->loop);
}

static void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    (void)snprintf(rig->folder, sizeof(rig->folder), "/tmp/weft-recorder-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    (void)snprintf(rig->logs, sizeof(rig->logs), "%s/logs", rig->folder);
    assert_int_equal(io_linux_open(&rig->io), 0);
    disk.real = rig->io->ops;
    disk.ops = *rig->io->ops;
    disk.ops.file_append = append;
    disk.full = false;
    rig->io->ops = &disk.ops;
    assert_int_equal(rig->io->ops->pipe(rig->io, &rig->said, &rig->descriptor), 0);
    rig_start(rig);
}

static void rig_close(struct rig *rig)
{
    char command[128];

    rig_stop(rig);
    rig->io->ops->descriptor_close(rig->io, rig->descriptor);
    rig->io->ops->close(rig->io, rig->said);
    io_linux_close(rig->io);
    (void)snprintf(command, sizeof(command), "rm -r %s", rig->folder);
    assert_int_equal(system(command), 0);
}

static void turn_for(struct rig *rig, int64_t ns)
{
    int64_t end_ns = loop_clock(&rig->loop) + ns, next = 0;

    while (loop_clock(&rig->loop) < end_ns)
        next = loop_turn(&rig->loop, MIN(next, loop_clock(&rig->loop) + NS_PER_MS));
}

static bool nothing_waits(struct rig *rig)
{
    LIST_EACH (&rig->recorder.records, node, next)
        if (container_of(node, struct record, node)->buffer)
            return false;
    return !rig->recorder.current;
}

/* Until all was written. */
static void settle(struct rig *rig)
{
    for (unsigned i = 0; i < 2000 && !nothing_waits(rig); i++)
        turn_for(rig, 2 * NS_PER_MS);
    assert_true(nothing_waits(rig));
}

static void say(struct rig *rig, const char *instance, enum record_stream stream, const char *line)
{
    const char *hyphen = strrchr(instance, '-');
    struct record *record = recorder_record(&rig->recorder, bytes_of(instance, (size_t)(hyphen - instance)));

    assert_non_null(record);
    record_line(&rig->recorder, record, bytes_of_text(instance), stream, bytes_of_text(line));
}

static struct recorded_page read_page(struct rig *rig, struct bytes after, unsigned max, const char *name)
{
    const struct recorded_query query = {
        .folder = rig->logs, .names = &name, .name_count = name ? 1 : 0, .after = after, .max = max
    };
    struct recorded_page page;

    assert_int_equal(recorded_read(rig->io, &query, &page), 0);
    return page;
}

static void assert_said(const struct recorded_page *page, unsigned index, const char *message)
{
    assert_true(index < page->count);
    if (!bytes_equal(page->lines[index]->message, bytes_of_text(message)))
        fail_msg("line %u is '" BYTES_FMT "', not '%s'", index, BYTES_ARG(page->lines[index]->message), message);
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

static void lines_are_written_and_read(void **state)
{
    static struct rig rig;
    struct recorded_page page;

    rig_open(&rig);
    say(&rig, "orders-0", RECORD_OUT, "one");
    say(&rig, "stock-1", RECORD_ERR, "two \"quoted\" \\ \t \xc3\xa4 {\"a\":1}");
    say(&rig, "orders-1", RECORD_OUT, "");
    say(&rig, "orders-0", RECORD_OUT, "four");
    settle(&rig);
    page = read_page(&rig, BYTES_NONE, 100, NULL);
    assert_int_equal(page.count, 4);
    assert_said(&page, 0, "one");
    assert_said(&page, 1, "two \"quoted\" \\ \t \xc3\xa4 {\"a\":1}");
    assert_true(bytes_equal(page.lines[1]->service, BYTES("stock")));
    assert_true(bytes_equal(page.lines[1]->instance, BYTES("stock-1")));
    assert_true(bytes_equal(page.lines[1]->stream, BYTES("err")));
    assert_true(bytes_equal(page.lines[0]->stream, BYTES("out")));
    assert_said(&page, 2, "");
    assert_said(&page, 3, "four");
    recorded_free(&page);
    page = read_page(&rig, BYTES_NONE, 100, "orders-0");
    assert_int_equal(page.count, 2);
    recorded_free(&page);
    page = read_page(&rig, BYTES_NONE, 100, "stock");
    assert_int_equal(page.count, 1);
    recorded_free(&page);
    page = read_page(&rig, BYTES_NONE, 100, "order");
    assert_int_equal(page.count, 0);
    recorded_free(&page);
    rig_close(&rig);
}

/* The newest ones without a place to go on from; else the next ones behind it. */
static void pages_go_on_where_one_was(void **state)
{
    static struct rig rig;
    struct recorded_page page;
    char time[RECORDED_TIME_LEN];

    rig_open(&rig);
    for (unsigned i = 0; i < 20; i++) {
        char line[16];

        (void)snprintf(line, sizeof(line), "line %u", i);
        say(&rig, i % 3 == 0 ? "a-0" : "b-0", RECORD_OUT, line);
    }
    settle(&rig);
    page = read_page(&rig, BYTES_NONE, 5, NULL);
    assert_int_equal(page.count, 5);
    assert_said(&page, 0, "line 15");
    assert_said(&page, 4, "line 19");
    recorded_free(&page);
    page = read_page(&rig, BYTES_NONE, 20, NULL);
    assert_int_equal(page.count, 20);
    memcpy(time, page.lines[3]->time.data, sizeof(time));
    recorded_free(&page);
    page = read_page(&rig, bytes_of(time, sizeof(time)), 4, NULL);
    assert_int_equal(page.count, 4);
    assert_said(&page, 0, "line 4");
    assert_said(&page, 3, "line 7");
    memcpy(time, page.lines[3]->time.data, sizeof(time));
    recorded_free(&page);
    page = read_page(&rig, bytes_of(time, sizeof(time)), 100, NULL);
    assert_int_equal(page.count, 12);
    recorded_free(&page);
    rig_close(&rig);
}

static void young_lines_are_left_for_later(void **state)
{
    static struct rig rig;
    const struct recorded_query query = { .max = 10 };
    struct recorded_query now = query;
    struct recorded_page page;

    rig_open(&rig);
    now.folder = rig.logs;
    now.until_ns = rig.io->ops->wall_ns(rig.io);
    say(&rig, "a-0", RECORD_OUT, "young");
    settle(&rig);
    assert_int_equal(recorded_read(rig.io, &now, &page), 0);
    assert_int_equal(page.count, 0);
    recorded_free(&page);
    now.until_ns = rig.io->ops->wall_ns(rig.io) + NS_PER_S;
    assert_int_equal(recorded_read(rig.io, &now, &page), 0);
    assert_int_equal(page.count, 1);
    recorded_free(&page);
    now.after = BYTES("yesterday");
    assert_int_equal(recorded_read(rig.io, &now, &page), -EINVAL);
    rig_close(&rig);
}

static void count_files(void *user, const char *name)
{
    ++*(unsigned *)user;
}

/* (2): `files` files, each of `size` and a batch at most; what is read goes over their borders. */
static void rings_are_bounded(void **state)
{
    static struct rig rig;
    static char line[1000];
    struct recorded_page page;
    unsigned files = 0, number = 0;

    rig_open(&rig);
    recorder_set(&rig.recorder, 3, 64 * KIB);
    for (unsigned batch = 0; batch < 40; batch++) {
        for (unsigned i = 0; i < 10; i++) {
            (void)snprintf(line, sizeof(line), "%05u %0*d", number++, (int)sizeof(line) - 10, 0);
            say(&rig, "a-0", RECORD_OUT, line);
        }
        settle(&rig);
    }
    assert_int_equal(rig.io->ops->directory_list(rig.io, rig.logs, count_files, &files), 0);
    assert_int_equal(files, 3);
    page = read_page(&rig, BYTES_NONE, RECORD_LINES_MAX, NULL);
    assert_true(page.count >= 110 && page.count <= 190); /* of 1.1 KiB each, in 128 to 192 KiB */
    for (unsigned i = 0; i < page.count; i++)
        assert_int_equal(strtoul(page.lines[i]->message.data, NULL, 10), number - page.count + i);
    recorded_free(&page);
    rig_close(&rig);
}

static void a_restart_goes_on_in_the_same_file(void **state)
{
    static struct rig rig;
    struct recorded_page page;

    rig_open(&rig);
    say(&rig, "a-0", RECORD_OUT, "before");
    rig_stop(&rig); /* what was not written yet is written then */
    rig_start(&rig);
    say(&rig, "a-0", RECORD_OUT, "after");
    settle(&rig);
    page = read_page(&rig, BYTES_NONE, 10, NULL);
    assert_int_equal(page.count, 2);
    assert_said(&page, 0, "before");
    assert_said(&page, 1, "after");
    recorded_free(&page);
    rig_close(&rig);
}

static void listen(struct rig *rig, char *text, size_t max)
{
    ssize_t n;
    size_t len = 0;

    turn_for(rig, 20 * NS_PER_MS);
    while ((n = rig->io->ops->try_read(rig->io, rig->said, text + len, max - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
}

/* (1): a full disk costs lines, which are counted and told, and nothing else. */
static void a_full_disk_costs_lines(void **state)
{
    static struct rig rig;
    struct recorded_page page;
    char text[1024];

    rig_open(&rig);
    say(&rig, "a-0", RECORD_OUT, "one");
    settle(&rig);
    disk.full = true;
    say(&rig, "a-0", RECORD_OUT, "two");
    say(&rig, "a-0", RECORD_OUT, "three");
    settle(&rig);
    listen(&rig, text, sizeof(text));
    assert_non_null(strstr(text, "weft: logs of a can't be written to "));
    assert_non_null(strstr(text, "No space left on device; lines are dropped until they can\n"));
    disk.full = false;
    say(&rig, "a-0", RECORD_OUT, "four");
    settle(&rig);
    listen(&rig, text, sizeof(text));
    assert_non_null(strstr(text, "are written to "));
    page = read_page(&rig, BYTES_NONE, 10, NULL);
    assert_int_equal(page.count, 3);
    assert_said(&page, 0, "one");
    assert_said(&page, 1, "weft: 2 lines were dropped here: the disk is full, or was too slow");
    assert_said(&page, 2, "four");
    recorded_free(&page);
    rig_close(&rig);
}

/* More than RECORD_BUFFER_MAX before the disk gets its turn. */
static void a_full_buffer_costs_lines(void **state)
{
    static struct rig rig;
    static char line[4000];
    struct recorded_page page;
    struct record *record;
    unsigned said = 0;

    rig_open(&rig);
    memset(line, 'x', sizeof(line) - 1);
    record = recorder_record(&rig.recorder, BYTES("a"));
    while (record->dropped < 3) {
        record_line(&rig.recorder, record, BYTES("a-0"), RECORD_OUT, bytes_of_text(line));
        said++;
    }
    assert_true(record->filling.len <= RECORD_BUFFER_MAX && record->filling.len > RECORD_BUFFER_MAX - 8192);
    settle(&rig);
    say(&rig, "a-0", RECORD_OUT, "last");
    settle(&rig);
    page = read_page(&rig, BYTES_NONE, RECORD_LINES_MAX, NULL);
    assert_int_equal(page.count, said - 3 + 2);
    assert_said(&page, page.count - 2, "weft: 3 lines were dropped here: the disk is full, or was too slow");
    assert_said(&page, page.count - 1, "last");
    recorded_free(&page);
    rig_close(&rig);
}

#define HEAD "{\"time\":\"2026-11-21T08:30:00.123456789Z\",\"service\":\"a\",\"instance\":\"a-0\",\"stream\":\"out\","

static const struct {
    const char *line, *message; /* NULL: no line of ours */
} LINES[] = {
    { HEAD "\"message\":\"x\"}", "x" },
    { HEAD "\"message\":\"\"}", "" },
    { HEAD "\"message\":\"\\u0007\\u001F\\/\\n\\r\\t\\\\\\\"\"}", "\x07\x1f/\n\r\t\\\"" },
    { HEAD "\"message\":\"x\"", NULL },
    { HEAD "\"message\":\"x\\\"}", NULL },
    { HEAD "\"message\":\"x\"y\"}", NULL },
    { HEAD "\"message\":\"\\u12\"}", NULL },
    { HEAD "\"message\":\"\\u00fg\"}", NULL },
    { HEAD "\"message\":\"\\u00e4\"}", NULL }, /* written as itself, never escaped */
    { HEAD "\"message\":\"\\q\"}", NULL },
    { HEAD "\"message\":\"\x01\"}", NULL },
    { HEAD, NULL },
    { "", NULL },
    { "{}", NULL },
    { "{\"time\":\"2026-11-21T08:30:00.123Z\",\"service\":\"a\",\"instance\":\"a-0\",\"stream\":\"out\",\"message\":"
      "\"\"}",
      NULL },
    { "{\"time\":\"2026-11-21T08:30:00.123456789Z\",\"service\":\"a\\\",\"instance\":\"\",\"stream\":\"out\","
      "\"message\":\"\"}",
      NULL },
};

static void other_lines_are_left_out(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
        struct recorded_line *line = recorded_parse(bytes_of_text(LINES[i].line));

        if (!line != !LINES[i].message || (line && !bytes_equal(line->message, bytes_of_text(LINES[i].message))))
            fail_msg("row %zu", i);
        mem_free(line);
    }
}

/* RECORD_FILES_MAX: whatever is asked for. */
static void a_ring_has_at_most_so_many_files(void **state)
{
    static struct rig rig;
    char path[128];
    unsigned count = 0;

    rig_open(&rig);
    recorder_set(&rig.recorder, 10 * RECORD_FILES_MAX, 1);
    for (unsigned i = 0; i < RECORD_FILES_MAX + 3; i++) {
        say(&rig, "orders-0", RECORD_OUT, "a file of its own");
        settle(&rig);
    }
    for (unsigned i = 0; i < RECORD_FILES_MAX + 3; i++) {
        (void)snprintf(path, sizeof(path), i == 0 ? "%s/orders.log" : "%s/orders.log.%u", rig.logs, i);
        count += access(path, F_OK) == 0;
    }
    assert_int_equal(count, RECORD_FILES_MAX);
    rig_close(&rig);
}

#define PAGE_LINES 4000 /* of PAGE_LINE_LEN bytes: more than RECORD_PAGE_BYTES_MAX, less than RECORD_LINES_MAX */
#define PAGE_LINE_LEN 4000

static void assert_numbers(const struct recorded_page *page, unsigned first)
{
    for (unsigned i = 0; i < page->count; i++) {
        uint64_t number;

        assert_int_equal(page->lines[i]->message.len, PAGE_LINE_LEN);
        assert_int_equal(bytes_to_u64(bytes_slice(page->lines[i]->message, 0, 6), &number), 0);
        assert_int_equal(number, first + i);
    }
}

/* RECORD_PAGE_BYTES_MAX: the newest lines for who looks, the oldest for who follows, who gets all in the end. */
static void a_page_has_at_most_so_many_bytes(void **state)
{
    static struct rig rig;
    static char line[PAGE_LINE_LEN + 1];
    char after[RECORDED_TIME_LEN + 1] = "2000-01-01T00:00:00.000000000Z";
    struct recorded_page page;
    unsigned seen = 0;

    _Static_assert((size_t)PAGE_LINES * PAGE_LINE_LEN > RECORD_PAGE_BYTES_MAX && PAGE_LINES < RECORD_LINES_MAX, "");
    rig_open(&rig);
    memset(line, '.', PAGE_LINE_LEN);
    for (unsigned i = 0; i < PAGE_LINES; i++) {
        (void)snprintf(line, 7, "%06u", i);
        line[6] = '.';
        say(&rig, "orders-0", RECORD_OUT, line);
        if (i % 100 == 99)
            settle(&rig);
    }
    page = read_page(&rig, BYTES_NONE, RECORD_LINES_MAX, NULL);
    assert_true(page.count > PAGE_LINES / 2 && page.count * (size_t)PAGE_LINE_LEN <= RECORD_PAGE_BYTES_MAX);
    assert_numbers(&page, PAGE_LINES - page.count);
    recorded_free(&page);
    for (unsigned pages = 0; pages < 2; pages++) {
        page = read_page(&rig, bytes_of_text(after), RECORD_LINES_MAX, NULL);
        assert_true(page.count > 0);
        assert_numbers(&page, seen);
        seen += page.count;
        memcpy(after, page.lines[page.count - 1]->time.data, RECORDED_TIME_LEN);
        recorded_free(&page);
    }
    assert_int_equal(seen, PAGE_LINES);
    rig_close(&rig);
}

static void without_a_folder_there_are_no_lines(void **state)
{
    const struct recorded_query query = { .folder = "/tmp/weft-no-such-folder", .max = 10 };
    struct recorded_page page;
    struct io *io;

    assert_int_equal(io_linux_open(&io), 0);
    assert_int_equal(recorded_read(io, &query, &page), 0);
    assert_int_equal(page.count, 0);
    recorded_free(&page);
    io_linux_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_written_and_read),          cmocka_unit_test(pages_go_on_where_one_was),
        cmocka_unit_test(young_lines_are_left_for_later),      cmocka_unit_test(rings_are_bounded),
        cmocka_unit_test(a_restart_goes_on_in_the_same_file),  cmocka_unit_test(a_full_disk_costs_lines),
        cmocka_unit_test(a_full_buffer_costs_lines),           cmocka_unit_test(other_lines_are_left_out),
        cmocka_unit_test(without_a_folder_there_are_no_lines), cmocka_unit_test(a_ring_has_at_most_so_many_files),
        cmocka_unit_test(a_page_has_at_most_so_many_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
