/* service/resolver.h - a service whose places are given by name: a fiber of the control loop that looks them up on a
 * lane, again and again. Inside of service/ only. */
#ifndef WEFT_SERVICE_RESOLVER_H
#define WEFT_SERVICE_RESOLVER_H

#include "service/service.h"

/* -ENOMEM; -EAGAIN: no fiber is free. */
int resolver_start(struct service *service, const struct service_target *targets, unsigned count) MUST_CHECK;
void resolver_stop(struct resolver *resolver); /* service->resolver is NULL at once; the fiber ends soon */
void resolvers_stop(struct registry *registry);

/* As service_set_instances(), but a resolver goes on. */
int service_replace_instances(struct service *service, const struct instance_conf *instances,
                              unsigned count) MUST_CHECK;

#endif
