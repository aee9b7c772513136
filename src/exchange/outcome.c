#include "exchange/outcome.h"

static const struct outcome_info OUTCOMES[OUTCOME_COUNT] = {
#define OUTCOME(identifier, name_, status_, mark_, token_, kind_, text_) \
    [OUTCOME_##identifier] = { .name = { name_, sizeof(name_) - 1 },     \
                               .mark = { mark_, sizeof(mark_) - 1 },     \
                               .token = { token_, sizeof(token_) - 1 },  \
                               .text = { text_, sizeof(text_) - 1 },     \
                               .status = (status_),                      \
                               .kind = OUTCOME_KIND_##kind_ },
#include "exchange/outcome.def"
#undef OUTCOME
};

const struct outcome_info *outcome_info(enum outcome outcome)
{
    return &OUTCOMES[outcome < OUTCOME_COUNT ? outcome : OUTCOME_INTERNAL];
}

enum outcome outcome_of_error(int error, enum outcome otherwise)
{
    switch (error) {
    case -ETIME: return OUTCOME_TIMEOUT;
    case -ETIMEDOUT: return OUTCOME_IDLE_TIMEOUT;
    case -ECANCELED: return OUTCOME_CANCELED;
    default: return otherwise;
    }
}
