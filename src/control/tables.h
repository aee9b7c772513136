/* control/tables.h - what the tables of weft.yaml share. Inside of control/ only. */
#ifndef WEFT_CONTROL_TABLES_H
#define WEFT_CONTROL_TABLES_H

#include "control/config.h"

/* A number of base/limits.h as the tables write it. */
#define STRINGIFY(number) #number
#define TEXT_OF(number) STRINGIFY(number)

extern const struct conf_schema CONTROL_SERVICE_SCHEMA;
extern const struct conf_schema CONTROL_ROUTE_SCHEMA;
extern const struct conf_schema CONTROL_POLICY_STEP_SCHEMA;

/* For `check_text`: a name such as the keys of maps are. */
#define CONTROL_NAME_PATTERN "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"

/* A circle gets its fault. */
void control_check_needs(struct conf_check *check, const struct control_config *config, const struct map *names);

int control_check_name(struct bytes text, struct fault *fault);

/* Makes the steps of all routes: policies are expanded, prefixes filled in, {path.NAME} compared with the route's path.
 * (policy.c) 0 or -ENOMEM. */
int control_place_steps(struct conf_check *check, struct control_config *config) MUST_CHECK;

/* Names of the routes, unless they are written, and of the gateways; faults where two are the same. (names.c)
 * 0 or -ENOMEM. */
int control_name_routes(struct conf_check *check, struct control_config *config) MUST_CHECK;
int control_name_gateways(struct conf_check *check, struct control_config *config) MUST_CHECK;

/* Faults where a route matches the same as one before it. (twins.c) 0 or -ENOMEM. */
int control_check_twins(struct conf_check *check, const struct control_config *config) MUST_CHECK;

/* Faults where routes name gateways that are not there. (names.c) */
void control_check_gateways(struct conf_check *check, const struct control_config *config);

#endif
