/* sim/scenarios/spine/stages.h - throw-away stages that try the spine. See stages.c. */
#ifndef WEFT_SIM_SCENARIOS_SPINE_STAGES_H
#define WEFT_SIM_SCENARIOS_SPINE_STAGES_H

#include "sim/scenarios/spine/party.h"

#define SPINE_TIMEOUT_NS (3 * NS_PER_S)
#define SPINE_GATHER_NS (80 * NS_PER_MS)
#define SPINE_LEAVES 100

extern const struct stage_type STAGE_PROXY, STAGE_COUNT, STAGE_DEADLINE, STAGE_HEDGE, STAGE_GATHER, STAGE_MIRROR,
    STAGE_AGAIN;

#endif
