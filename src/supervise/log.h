/* supervise/log.h - lines for people, on a descriptor whose reader may be slow.
 *
 * (1) Nobody waits for the reader: lines are gathered, a lane writes them, and what does not fit into LOG_BUFFER_MAX
 *     is dropped whole and counted; the count is said as soon as there is room again.
 * (2) Lines come out in the order in which they were added, each with its line feed.
 */
#ifndef WEFT_SUPERVISE_LOG_H
#define WEFT_SUPERVISE_LOG_H

#include "base/fault.h"
#include "base/text.h"
#include "io/lane.h"
#include "io/loop.h"

struct log {
    struct loop *loop;
    struct lane *lane;
    int descriptor;
    struct task writer;
    struct fiber *waiting; /* the writer, when there is nothing to write */
    struct job job;
    struct text filling;
    struct bytes writing; /* of the other buffer; empty: it has been written */
    char *buffers[2];
    unsigned next;    /* the buffer that is filled */
    uint64_t dropped; /* lines; since it was said last */
    bool started;
};

int log_open(struct log *log, struct loop *loop, int descriptor) MUST_CHECK; /* -ENOMEM, -EAGAIN */

/* "weft: ..." */
void log_say(struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_fault(struct log *log, const struct fault *fault);

/* "orders-0 | ..." */
void log_line(struct log *log, struct bytes who, struct bytes line);

/* After loop_run(): writes the rest, as far as the reader takes it, and frees everything. [blocks] */
void log_close(struct log *log);

#endif
