/* The scenarios that weft-sim runs, in this order. */
#include "sim/scenarios/echo.h"
#include "sim/scenarios/scopes.h"
#include "sim/scenarios/spine/spine.h"

const struct scenario *const SCENARIOS[] = {
    &SCENARIO_ECHO,   &SCENARIO_SCOPES, &SCENARIO_PROXY, &SCENARIO_HEDGE, &SCENARIO_MIRROR,
    &SCENARIO_GATHER, &SCENARIO_RELOAD, &SCENARIO_CHAOS, &SCENARIO_TIGHT, NULL,
};
