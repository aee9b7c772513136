/* control/compile.h - a configuration as a tree of stages.
 *
 *     routes                                    one for all gateways; no match: OUTCOME_NO_ROUTE
 *       routes/NAME/timeout, ...                the stages of each route, in order, policies expanded
 *         services/orders/headers, ...          what its policy has besides the usual chain, as it is written
 *         services/orders/timeout, /retry, /balance, /per-try, /endpoint
 *         routes/NAME/respond                   or a target stage
 *       mesh                                    next of routes, for calls between services: each service's chain
 *
 * (1) A service's chain is one sub-tree, however many routes lead to it: budgets, cursors and counts are the
 *     service's.
 * (2) Paths are made of names, so what a stage remembers survives a reload that moves its route in the file. A second
 *     stage of one type in a route is NAME/timeout-2.
 * (3) A service that no route leads to is reached by the mesh alone.
 */
#ifndef WEFT_CONTROL_COMPILE_H
#define WEFT_CONTROL_COMPILE_H

#include "control/config.h"
#include "exchange/snapshot.h"

/* Fills a new snapshot (to be sealed by the caller) and sets its root, and its `system` to the config, which lives in
 * the snapshot's arena or longer. 0; -ENOSPC (STAGES_MAX) and -ENOMEM with *fault. */
int control_compile(struct snapshot *snapshot, const struct control_config *config, struct fault *fault) MUST_CHECK;

/* Does for nobody what the process that carries the traffic does with a configuration: compiles it and prepares its
 * stages. So what is refused there has its fault before. 0; -EINVAL, -ENOSPC or -ENOMEM with *fault. Not on a fiber. */
int control_prove(const struct control_config *config, struct fault *fault) MUST_CHECK;

#endif
