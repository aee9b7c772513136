/* control/print.h - what may be written in weft.yaml, for editors and for people. */
#ifndef WEFT_CONTROL_PRINT_H
#define WEFT_CONTROL_PRINT_H

#include "conf/schema_print.h"
#include "control/config.h"

/* As conf_print_json_schema() and conf_print_reference(); -ENOMEM too. */
int control_print_schema(const struct control_stages *stages, struct conf_sink *sink) MUST_CHECK;
int control_print_reference(const struct control_stages *stages, struct conf_sink *sink) MUST_CHECK;

#endif
