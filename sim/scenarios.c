/* The scenarios that weft-sim runs, in this order. */
#include "sim/scenarios/echo.h"
#include "sim/scenarios/scopes.h"

const struct scenario *const SCENARIOS[] = {
    &SCENARIO_ECHO,
    &SCENARIO_SCOPES,
    NULL,
};
