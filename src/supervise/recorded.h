/* supervise/recorded.h - reads what supervise/recorder.h has written, also while it writes, and when it does not run.
 *
 * (1) Lines come in the order of their times over all services, oldest first; each once, also when files take other
 *     names meanwhile.
 * (2) What is no line of a recorder is left out.
 * (3) Who goes on behind a line (`after`) misses none: with `until_ns`, lines younger than that are left for the next
 *     time, since older ones of other services may still be on their way to the disk.
 */
#ifndef WEFT_SUPERVISE_RECORDED_H
#define WEFT_SUPERVISE_RECORDED_H

#include "base/limits.h"
#include "base/text.h"
#include "io/io.h"

#define RECORDED_TIME_LEN 30 /* 2026-11-21T08:30:00.123456789Z */

struct recorded_query {
    const char *folder;
    const char *const *names; /* of services or instances: only theirs */
    unsigned name_count;      /* 0: all */
    struct bytes after; /* RECORDED_TIME_LEN bytes: only later lines, the oldest of these; empty: the newest lines */
    int64_t until_ns;   /* wall time: no later ones; 0: all */
    unsigned max;       /* at most so many lines, RECORD_LINES_MAX */
};

/* Texts lie behind it. */
struct recorded_line {
    struct bytes time, service, instance, stream, message;
};

struct recorded_page {
    struct recorded_line **lines; /* oldest first */
    unsigned count;
};

/* 0 with a page, which may be empty; -ENOMEM, -EINVAL: `after` is no time. No folder: no lines. [blocks] */
int recorded_read(struct io *io, const struct recorded_query *query, struct recorded_page *ret) MUST_CHECK;
void recorded_free(struct recorded_page *page);

/* Whether the text has the shape of a time. */
bool recorded_is_time(struct bytes text);

/* One line of a file. NULL: it is none, or there is no memory. mem_free() it. */
struct recorded_line *recorded_parse(struct bytes text) MUST_CHECK;

#endif
