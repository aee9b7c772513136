/* supervise/log.h - lines for people, on a descriptor whose reader may be slow: io/lines.h, with LOG_BUFFER_MAX. */
#ifndef WEFT_SUPERVISE_LOG_H
#define WEFT_SUPERVISE_LOG_H

#include "base/fault.h"
#include "io/lines.h"

struct log {
    struct lines lines;
};

int log_open(struct log *log, struct loop *loop, int descriptor) MUST_CHECK; /* -ENOMEM, -EAGAIN */

/* "weft: ..." */
void log_say(struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_fault(struct log *log, const struct fault *fault);

/* "orders-0 | ..." */
void log_line(struct log *log, struct bytes who, struct bytes line);

/* See lines_close(). [blocks] */
void log_close(struct log *log);

#endif
