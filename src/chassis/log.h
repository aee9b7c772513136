/* chassis/log.h - lines of a service for its log, on a descriptor whose reader may be slow.
 *
 * (1) Nobody waits for the reader: lines are gathered, a lane writes them, and what finds no room in
 *     CHASSIS_LOG_BUFFER_MAX is dropped whole and counted; the count is said, as a line, when there is room again.
 * (2) Lines come out in the order in which they were added.
 */
#ifndef WEFT_CHASSIS_LOG_H
#define WEFT_CHASSIS_LOG_H

#include "base/text.h"
#include "io/lane.h"
#include "io/loop.h"

struct json_log {
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
    bool open;
};

int json_log_open(struct json_log *log, struct loop *loop, int descriptor) MUST_CHECK; /* -ENOMEM, -EAGAIN */
void json_log_line(struct json_log *log, struct bytes line);                           /* without its line feed */

/* After loop_run(): writes the rest, as far as the reader takes it, and frees everything. Twice is fine. [blocks] */
void json_log_close(struct json_log *log);

#endif
