/* supervise/output.h - what a child writes, line by line.
 *
 * (1) A line is cut at OUTPUT_LINE_MAX bytes; the rest of it makes further lines. A line feed ends a line and is not
 *     part of it; what stands behind the last one comes out at the end.
 * (2) Carriage returns are dropped; other control characters but tab become '?', so that a service can't move a
 * terminal's cursor or fake a line of ours. (3) At most OUTPUT_A_TURN bytes are read a turn: a service that floods us
 * waits like everybody.
 */
#ifndef WEFT_SUPERVISE_OUTPUT_H
#define WEFT_SUPERVISE_OUTPUT_H

#include "base/limits.h"
#include "io/loop.h"

/* Gathers lines. Pure. */
struct line_cutter {
    char line[OUTPUT_LINE_MAX];
    size_t len;
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
};

/* The writing end becomes *ret_theirs: give it to a child, then close it by descriptor_close. */
int output_open(struct output *output, struct loop *loop, void (*take)(struct line_cutter *, struct bytes),
                int *ret_theirs) MUST_CHECK;

/* Takes what is there without waiting, and closes. Twice is fine. */
void output_close(struct output *output);

#endif
