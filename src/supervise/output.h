/* supervise/output.h - what a child writes, line by line.
 *
 * (1) A line is cut at OUTPUT_LINE_MAX bytes; the rest of it makes further lines. A line feed ends a line and is not
 *     part of it; what stands behind the last one comes out at the end.
 * (2) Carriage returns are dropped; other control characters but tab become '?', those of C1 too, so that a service
 *     can't move a terminal's cursor or fake a line of ours.
 * (3) At most OUTPUT_A_TURN bytes are read a turn: a service that floods us waits like everybody.
 * (4) At most OUTPUT_RATE bytes a second are read, each line counted with OUTPUT_LINE_COST bytes more, after a burst of
 *     OUTPUT_BURST: who writes more waits for us, so that it costs its own time and not that of all.
 */
#ifndef WEFT_SUPERVISE_OUTPUT_H
#define WEFT_SUPERVISE_OUTPUT_H

#include "base/limits.h"
#include "io/loop.h"

/* Gathers lines. Pure. */
struct line_cutter {
    char line[OUTPUT_LINE_MAX];
    size_t len;
    uint64_t lines; /* so far */
    void (*take)(struct line_cutter *cutter, struct bytes line);
};

void line_cutter_init(struct line_cutter *cutter, void (*take)(struct line_cutter *, struct bytes));
void line_cutter_add(struct line_cutter *cutter, struct bytes data);
void line_cutter_end(struct line_cutter *cutter);

/* The reading end of a pipe, read by a wake. */
struct output {
    struct loop *loop;
    struct io_socket socket; /* none: not open */
    struct wake wake;
    struct line_cutter cutter;
    int64_t credit; /* what may be read now; (4) */
    int64_t credited_ns;
    struct timer pause; /* until there is credit again */
};

/* The writing end becomes *ret_theirs: give it to a child, then close it by descriptor_close. */
int output_open(struct output *output, struct loop *loop, void (*take)(struct line_cutter *, struct bytes),
                int *ret_theirs) MUST_CHECK;

/* Takes what is there without waiting, and closes. Twice is fine. */
void output_close(struct output *output);

#endif
