/* exchange/outcome.h - the ways in which an exchange can end; the table is exchange/outcome.def. */
#ifndef WEFT_EXCHANGE_OUTCOME_H
#define WEFT_EXCHANGE_OUTCOME_H

#include "base/bytes.h"

enum outcome {
#define OUTCOME(identifier, name, status, mark, token, kind, text) OUTCOME_##identifier,
#include "exchange/outcome.def"
#undef OUTCOME
    OUTCOME_COUNT,
};

/* The three kinds of answer that are kept apart everywhere, and the happy fourth. */
enum outcome_kind {
    OUTCOME_KIND_DONE,
    OUTCOME_KIND_REFUSED, /* by a rule or a business error: never retried, never trips a breaker */
    OUTCOME_KIND_UNKNOWN, /* the service may or may not have acted */
    OUTCOME_KIND_UNSENT,  /* the service can't have acted */
};

struct outcome_info {
    struct bytes name, mark, token, text;
    unsigned status;
    enum outcome_kind kind;
};

const struct outcome_info *outcome_info(enum outcome outcome);

/* What a failed wait means to the exchange: -ETIME is a deadline, -ECANCELED a cancellation, -ETIMEDOUT an idle limit.
 * Other errors are `otherwise`. */
enum outcome outcome_of_error(int error, enum outcome otherwise);

#endif
