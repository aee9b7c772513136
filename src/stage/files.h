/* stage/files.h - what the stage `files` is made of: paths, types, conditions, ranges, codings, opening, bodies.
 *
 * (1) No request reaches a file outside of the root: its path is decoded once and looked at element by element, and the
 *     io opens nothing that a link leads out to.
 * (2) A slow disk holds up no worker: what may block runs on the worker's lane. A file of at most a buffer takes one
 *     job; the body of a larger one another job for each buffer.
 * (3) The length that was promised is sent, or the connection is cut off: a file that shrinks is an error, and of one
 *     that grows goes what was there at first. A file that is replaced goes on as it was.
 * (4) An ETag names one form of a file, by time, size and coding, so ranges of different forms are never mixed up. Two
 *     changes within one tick of the kernel's clock (some milliseconds) that leave the length alone look like one: the
 *     number of the file's node would tell them apart, but differs between machines that serve the same files.
 * (5) What is open is closed by the body, or before the stage returns: FILES_OPEN_MAX of a route on each worker.
 */
#ifndef WEFT_STAGE_FILES_H
#define WEFT_STAGE_FILES_H

#include "io/lane.h"
#include "stage/stages.h"

#include <stdatomic.h>

/* --- paths ------------------------------------------------------------------------------------------------ */

/* A request's path as one below the root. */
struct files_path {
    struct bytes path; /* without a slash at either end; empty: the root */
    bool folder;       /* it ended with a slash */
};

/* Decodes `raw` into `memory`, of FILES_PATH_MAX bytes, and takes `strip` off its front. -EBADMSG: no path at all
 * (400); -ENOENT: no file can have that name, or must not be found by it: an empty, "." or ".." element, an encoded
 * slash, a name that starts with a dot unless `hidden` (but for /.well-known, RFC 8615); or it is not below `strip`. */
int files_path_read(struct bytes raw, struct bytes strip, bool hidden, char *memory, struct files_path *ret) MUST_CHECK;

/* --- types ------------------------------------------------------------------------------------------------ */

struct files_type {
    const char *extension; /* lower case */
    const char *type;
    bool packed; /* compressed already: no variant is looked for */
};

/* Never NULL; by the part behind the last dot, without regard to case. */
const struct files_type *files_type_of(struct bytes path);

/* --- conditions (RFC 9110, 13) ------------------------------------------------------------------------------ */

/* What would be sent, as the conditions see it. */
struct files_form {
    struct bytes etag;  /* strong, with its quotes */
    int64_t modified_s; /* since 1970; not in the future */
    int64_t now_ns;     /* wall clock */
};

enum files_verdict {
    FILES_SEND,
    FILES_NOT_MODIFIED, /* 304 */
    FILES_FAILED,       /* 412 */
};

/* Of a GET or HEAD, in the order of 13.2.2. */
enum files_verdict files_conditions(const struct http_head *request, const struct files_form *form);

/* Whether If-Range lets a Range be followed (13.1.5); without the field it does. */
bool files_if_range(const struct http_head *request, const struct files_form *form);

/* --- ranges (RFC 9110, 14) --------------------------------------------------------------------------------- */

struct files_range {
    uint64_t from, len; /* at least a byte */
};

/* Fills `ranges`, of FILES_RANGES_MAX, from the value of a Range field. How many; 0: the whole is to be sent, since
 * the value is malformed, of another unit, names too many ranges, or several that overlap or are not worth it; -ERANGE:
 * none of them lies within the size (416). */
int files_ranges(struct bytes value, uint64_t size, struct files_range *ranges) MUST_CHECK;

/* --- what the client takes (RFC 9110, 12.5) ------------------------------------------------------------------ */

enum files_coding { FILES_BROTLI, FILES_ZSTD, FILES_GZIP, FILES_CODINGS, FILES_IDENTITY = FILES_CODINGS };

struct bytes files_coding_name(enum files_coding coding);   /* "br" */
struct bytes files_coding_suffix(enum files_coding coding); /* ".br" */

/* The codings that the client would rather have than none, best first. Returns how many. */
unsigned files_codings(const struct http_head *request, enum files_coding order[FILES_CODINGS]);

/* Whether a page may stand in for the path: the client asks for text/html by name, or takes it and the last element has
 * no extension. */
bool files_wants_page(const struct http_head *request, struct bytes path);

/* --- opening ----------------------------------------------------------------------------------------------- */

#define FILES_SUFFIX_MAX 8 /* ".zst" */
#define FILES_CLOSED (-2)  /* no file is open: there is none, or its whole content was read */

/* Opens a file and reads the start of it, in one job. */
struct files_open {
    /* in */
    const char *root; /* a folder's path */
    char *path;       /* below it; with room for FILES_SUFFIX_MAX bytes more */
    const enum files_coding *codings;
    unsigned coding_count;
    char *memory; /* BUFFER_SIZE; NULL: nothing is read */
    bool start;   /* the start of a large file is read too */

    /* out */
    int file; /* a handle, IO_FILE_FOLDER or FILES_CLOSED */
    uint64_t size;
    int64_t modified_ns;
    enum files_coding coding;
    size_t have;  /* read into `memory` */
    bool no_root; /* it failed at the root */

    struct job job;
    struct io *io;
    atomic_bool stop;
    int result;
};

/* Waits. 0, what the io says about the file, -EAGAIN (the lane is full), -ETIME, -ECANCELED; nothing is open then. */
int files_open(struct files_open *open, struct worker *worker) MUST_CHECK;

/* --- bodies ------------------------------------------------------------------------------------------------ */

/* A text, and a range of the file behind it. */
struct files_piece {
    struct bytes text;
    struct files_range range; /* len 0: the text alone */
};

struct files_body {
    struct body body;
    struct worker *worker;
    unsigned *open_files;            /* counts down with the file's end */
    int file;                        /* FILES_CLOSED: all of it is in memory */
    const struct files_piece *piece; /* the next one, or the one under way */
    const struct files_piece *end;
    bool text_done;     /* the text of *piece was given out */
    uint64_t done;      /* of its range */
    struct pool *lease; /* where memory comes from; NULL: nothing is leased */
    char *memory;
    uint64_t from; /* memory holds `have` bytes of the file from there */
    size_t have;
};

/* What is sent: pieces in x's arena. Takes the file, its count and the memory, a buffer of the worker's, over. */
void files_body_init(struct files_body *body, struct worker *worker, const struct files_open *open,
                     unsigned *open_files, const struct files_piece *pieces, unsigned count);

/* --- answers ----------------------------------------------------------------------------------------------- */

/* Of one stage on one worker. */
struct files_local {
    unsigned open; /* files that are open, or are being opened */
};

/* One request on its way through the stage. */
struct files_request {
    const struct files_conf *conf;
    struct exchange *x;
    struct files_local *local;
    struct files_path path;
    const struct files_type *type;
    enum files_coding codings[FILES_CODINGS];
    bool fallback; /* the page that stands in for what is not there */
    struct files_open open;
    struct files_form form;
    struct files_range ranges[FILES_RANGES_MAX];
    int range_count; /* 0: the whole */
};

enum outcome files_answered(int r); /* 0: OUTCOME_OK; else there was no memory for the answer */
enum outcome files_problem(struct exchange *x, unsigned status, const char *type, const char *detail);

/* Sends the client to the same path with a slash behind it. */
enum outcome files_redirect(struct exchange *x);

/* With the file that request->open has: its body takes file and memory over, if there is one to be sent. */
enum outcome files_answer(struct files_request *request);

#endif
