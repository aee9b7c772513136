/* sim/scenarios/echo.h - clients and echo servers on the raw calls of io/stream.h, in any weather. */
#ifndef WEFT_SIM_SCENARIOS_ECHO_H
#define WEFT_SIM_SCENARIOS_ECHO_H

#include "sim/scenario.h"

extern const struct scenario SCENARIO_ECHO;

/* (1) What a client reads is, byte for byte, a prefix of what it sent on that connection.
 * (2) A client that keeps trying ends, once the world is calm.
 * (3) Nothing is left: sockets, fibers, memory.
 * With `lossy` the servers drop one byte now and then: to show that (1) catches it. */
void echo_run(struct world *world, bool lossy);

#endif
