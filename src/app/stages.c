#include "app/stages.h"

/* `stages:` of a route, from the outside in. */
static const struct stage_type *const STEPS[] = {
    &STAGE_LIMIT_BODY, &STAGE_HEADERS, &STAGE_REWRITE, &STAGE_REDIRECT, &STAGE_TIMEOUT, &STAGE_RETRY, NULL
};

/* `to:` of a route, besides the name of a service. */
static const struct stage_type *const TARGETS[] = { &STAGE_RESPOND, &STAGE_REDIRECT, &STAGE_FILES, NULL };

/* A policy. */
static const struct stage_type *const SETTINGS[] = { &STAGE_LIMIT_BODY, &STAGE_HEADERS, &STAGE_REWRITE, &STAGE_REDIRECT,
                                                     &STAGE_TIMEOUT,    &STAGE_RETRY,   &STAGE_PER_TRY, NULL };

const struct control_stages STAGES = { .steps = STEPS, .targets = TARGETS, .settings = SETTINGS };
