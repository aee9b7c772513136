/* The usual way to a service, from the outside in: see stage/stages.h. */
#include "stage/stages.h"

/* The same as the defaults of the schemas; a test compares them. */
static const struct timeout_conf TIMEOUT_USUAL = { .limit_ns = 15 * NS_PER_S };
static const struct retry_conf RETRY_USUAL = {
    .attempts = 3, .backoff = { 25 * NS_PER_MS, 250 * NS_PER_MS }, .budget = 0.2, .budget_floor = 3
};

/* No time limit for one try unless somebody asks for it: one that is shorter than `timeout` would turn a slow answer
 * into two failed ones. */
const struct stage_slot STAGE_CHAIN[] = {
    { .type = &STAGE_TIMEOUT, .conf = &TIMEOUT_USUAL }, { .type = &STAGE_RETRY, .conf = &RETRY_USUAL },
    { .type = &STAGE_BALANCE, .always = true },         { .type = &STAGE_PER_TRY },
    { .type = &STAGE_ENDPOINT, .always = true },
};

const unsigned STAGE_CHAIN_COUNT = ARRAY_LEN(STAGE_CHAIN);
