/* supervise/recorder.h - what services write, kept as JSON lines in rings of files, one ring a service:
 *
 *     FOLDER/orders.log, the newest; orders.log.1, orders.log.2, ...
 *     {"time":"2026-11-21T08:30:00.123456789Z","service":"orders","instance":"orders-0","stream":"out","message":"..."}
 *
 * (1) Nobody waits for the disk: lines are gathered, a lane writes them. What does not fit RECORD_BUFFER_MAX, or what
 * the disk does not take, is dropped and counted; a line of the same service tells how many, as soon as there is room.
 * (2) A service has at most `files` files of `size` bytes at most (and one batch, RECORD_BUFFER_MAX, where the size of
 * a file is found out only by writing to it). Before a batch would make the newest one larger, it becomes the second.
 * (3) Times rise strictly, over all services of a recorder: readers order lines by them, and go on behind one.
 *     What the clock of the machine says is followed otherwise.
 * (4) Half a line is never written, but for a power cut. supervise/recorded.h reads them.
 */
#ifndef WEFT_SUPERVISE_RECORDER_H
#define WEFT_SUPERVISE_RECORDER_H

#include "supervise/log.h"

enum record_stream { RECORD_OUT, RECORD_ERR };

/* Of one service. */
struct record {
    struct list_node node;
    char *service;
    char *buffer; /* NULL: nothing waits */
    struct text filling;
    unsigned lines;   /* in it */
    uint64_t dropped; /* since it was told last */
    uint64_t size;    /* of the newest file; unknown before the first write */
    bool known;
};

struct recorder {
    struct loop *loop;
    struct log *log; /* where troubles are told */
    struct lane *lane;
    char *folder;
    unsigned files;
    uint64_t size;
    struct list_node records;
    int64_t last_ns; /* wall time of the newest line */
    struct task writer;
    struct fiber *waiting; /* the writer, when there is nothing to write */
    /* What is being written. */
    struct job job;
    struct record *current;
    char *spare; /* the buffer that is not in use */
    struct bytes writing;
    unsigned writing_lines, writing_files;
    uint64_t writing_size;
    bool written;    /* the job has run */
    int error, told; /* of the last write; of the trouble that was told last */
    bool started;
};

/* The folder is made. -ENOMEM, -EAGAIN, -ENAMETOOLONG, what directory_make() gives. */
int recorder_open(struct recorder *recorder, struct loop *loop, struct log *log, const char *folder) MUST_CHECK;
void recorder_set(struct recorder *recorder, unsigned files, uint64_t size);

/* The service's; it lives as long as the recorder. NULL: no memory. */
struct record *recorder_record(struct recorder *recorder, struct bytes service);

void record_line(struct recorder *recorder, struct record *record, struct bytes instance, enum record_stream stream,
                 struct bytes line);

/* After loop_run(): writes the rest and frees everything. [blocks] */
void recorder_close(struct recorder *recorder);

#endif
