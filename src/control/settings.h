/* control/settings.h - what a stage is set to, as texts in the units of weft.yaml, for people.
 *
 * (1) A setting that was not written and has no default says nothing, and is left out.
 * (2) What by its name is a secret (Authorization, X-Api-Key, DB_PASSWORD ...) is shown as "(hidden)": everybody on the
 *     machine may read the control API.
 * (3) A text is cut at CONTROL_SETTING_MAX.
 */
#ifndef WEFT_CONTROL_SETTINGS_H
#define WEFT_CONTROL_SETTINGS_H

#include "conf/schema.h"
#include "control/answer.h"

/* An object: {"attempts":"3","backoff":"25ms..250ms"}. Without a schema it is empty. */
void settings_add(struct answer *answer, const char *key, const struct conf_schema *schema, const void *conf);

/* One value as it would be written in weft.yaml, on one line. */
void settings_write(struct text *text, const struct conf_field *field, const void *value);

#endif
