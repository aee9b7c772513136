/* observe/access_line.h - the line of one exchange, as observe/access_log.h describes it. */
#ifndef WEFT_OBSERVE_ACCESS_LINE_H
#define WEFT_OBSERVE_ACCESS_LINE_H

#include "base/text.h"
#include "exchange/exchange.h"

/* Writes the line with its newline; `text` has room for OBSERVE_LOG_LINE_MAX, which always suffices. now_ns: loop
 * time; wall_ns: since 1970; both of the exchange's end. */
void access_line_write(struct text *text, const struct exchange *x, int64_t now_ns, int64_t wall_ns);

#endif
