/* io/lines.h - lines for whoever reads a descriptor, who may be slow: a terminal, a pipe, a file.
 *
 * (1) Nobody waits for the reader: lines are gathered, a lane writes them, and what finds no room in two buffers of
 *     `size` bytes is dropped whole and counted; the count is said, as a line, as soon as there is room again.
 * (2) Lines come out in the order in which they were added, each with its line feed. A reader that rests finds the rest
 *     of a line when it reads on; only one that is gone, and one that takes nothing at the end, misses some.
 * (3) What was taken in is written, whatever the moment at which the loop ends.
 */
#ifndef WEFT_IO_LINES_H
#define WEFT_IO_LINES_H

#include "base/text.h"
#include "io/lane.h"
#include "io/loop.h"

struct lines;

/* Adds a line, with its line feed, that tells how many were dropped. */
typedef void lines_say(const struct lines *lines, uint64_t dropped, struct text *text);

struct lines {
    struct loop *loop;
    struct lane *lane;
    lines_say *say;
    int descriptor;
    size_t size;
    struct task writer;
    struct fiber *waiting; /* the writer, when there is nothing to write */
    struct job job;
    struct text filling;
    struct bytes writing; /* what is left of the other buffer */
    char *buffers[2];
    unsigned next;    /* the buffer that is filled */
    uint64_t dropped; /* lines; since it was said last */
    bool open;
};

int lines_open(struct lines *lines, struct loop *loop, int descriptor, size_t size,
               lines_say *say) MUST_CHECK; /* -ENOMEM, -EAGAIN */

/* One line, of parts, without its line feed. Nothing happens where they are not open. */
void lines_add(struct lines *lines, const struct bytes *parts, size_t count);

/* After loop_run(): writes the rest, as far as the reader takes it, and frees everything. Twice is fine. [blocks] */
void lines_close(struct lines *lines);

#endif
