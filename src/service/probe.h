/* service/probe.h - the checks of one instance, each kind a fiber of the control loop. Inside of service/ only.
 *
 * (1) With a `ready:` path, a check is a GET over an endpoint object of the probe's own: ready means a status from 200
 *     to 399 within the timeout. Without one, being able to connect is enough.
 * (2) A check that could not be made (no room for an exchange, the probe is being stopped) is no result.
 * (3) Liveness is asked for only once the instance has been ready, by us or before us: one that is still starting is
 *     never called dead. Then `failures` failed checks in a row are told by registry->failed(), and again after as many
 *     more.
 * (4) The probe uses its instance; the service and the registry outlive it, see registry_quiet().
 */
#ifndef WEFT_SERVICE_PROBE_H
#define WEFT_SERVICE_PROBE_H

#include "service/service.h"

struct probe_kind;

extern const struct probe_kind PROBE_READY; /* instance->probe */
extern const struct probe_kind PROBE_LIVE;  /* instance->live_probe */

/* Checks the instance from now on, from the state that it is in. -ENOMEM, -EAGAIN: no fiber is free. */
int probe_start(struct service *service, struct instance *instance, const struct probe_kind *kind) MUST_CHECK;
void probes_stop_of(struct instance *instance); /* it has none at once; the fibers end soon */
void probe_ask(struct probe *probe);            /* check at once */
void probes_stop(struct registry *registry);

#endif
