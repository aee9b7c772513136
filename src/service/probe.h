/* service/probe.h - the readiness checks of one instance: a fiber of the control loop. Inside of service/ only.
 *
 * (1) With a `ready:` path, a check is a GET over an endpoint object of the probe's own: ready means a status from 200
 *     to 399 within the timeout. Without one, being able to connect is enough.
 * (2) A check that could not be made (no room for an exchange, the probe is being stopped) is no result.
 * (3) The probe uses its instance; the service and the registry outlive it, see registry_quiet().
 */
#ifndef WEFT_SERVICE_PROBE_H
#define WEFT_SERVICE_PROBE_H

#include "service/service.h"

/* Checks the instance from now on, from the state that it is in. -ENOMEM, -EAGAIN: no fiber is free. */
int probe_start(struct service *service, struct instance *instance) MUST_CHECK;
void probe_stop(struct probe *probe); /* instance->probe is NULL at once; the fiber ends soon */
void probe_ask(struct probe *probe);  /* check at once */
void probes_stop(struct registry *registry);

#endif
