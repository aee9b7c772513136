/* sim/scenarios/spine/spine.h - what the spine must stand: see spine.c. */
#ifndef WEFT_SIM_SCENARIOS_SPINE_SPINE_H
#define WEFT_SIM_SCENARIOS_SPINE_SPINE_H

#include "sim/scenario.h"

extern const struct scenario SCENARIO_PROXY, SCENARIO_HEDGE, SCENARIO_MIRROR, SCENARIO_GATHER, SCENARIO_RELOAD,
    SCENARIO_CHAOS, SCENARIO_TIGHT;

#endif
