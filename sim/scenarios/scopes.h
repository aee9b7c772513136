/* sim/scenarios/scopes.h - random trees of scopes under deadlines, cancellation and clocks that drift. */
#ifndef WEFT_SIM_SCENARIOS_SCOPES_H
#define WEFT_SIM_SCENARIOS_SCOPES_H

#include "sim/scenario.h"

extern const struct scenario SCENARIO_SCOPES;

#endif
