/* `routes:`, one of them. */
#include "control/tables.h"

static const struct conf_field GATEWAY_NAME = { .about = "the name of a gateway",
                                                .type = CONF_STRING,
                                                .check_text = control_check_name };
static const struct conf_field STEP = { .type = CONF_UNION, .alternatives = "stage" };

static const struct conf_field FIELDS[] = {
    { .key = "name",
      .about = "its name in metrics and logs; unless given, it is made from host and path",
      .type = CONF_STRING,
      CONF_AT(struct control_route, name),
      .check_text = control_check_name,
      .pattern = CONTROL_NAME_PATTERN },
    { .key = "match",
      .about = "which requests it is for; unless given: all",
      .type = CONF_STRUCT,
      CONF_AT(struct control_route, match),
      .schema = &ROUTE_MATCH_SCHEMA },
    { .key = "gateway",
      .about = "which gateways have it, by name; unless given: all of them",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct control_route, gateways),
      .element = &GATEWAY_NAME,
      .min = "1",
      .max = TEXT_OF(CONTROL_GATEWAYS_MAX),
      .example = "[public, internal]" },
    { .key = "stages",
      .about = "what a request goes through on its way, the first one outermost",
      .type = CONF_LIST,
      CONF_AT(struct control_route, stages),
      .element = &STEP,
      .max = TEXT_OF(CONTROL_STEPS_MAX),
      .example = "[{ timeout: 5s }]" },
    { .key = "to",
      .about = "where it goes: a service's name, or what answers by itself",
      .type = CONF_UNION,
      .flags = CONF_REQUIRED | CONF_TEXT_FORM,
      CONF_AT(struct control_route, to),
      .alternatives = "target",
      .reference = "service",
      .example = "orders" },
};

const struct conf_schema CONTROL_ROUTE_SCHEMA = {
    .name = "route",
    .about = "Leads requests to a service.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct control_route),
    .place = CONF_GIVEN(struct control_route, place),
};
