/* app/stages.h - which stages there are: the one place that knows. */
#ifndef WEFT_APP_STAGES_H
#define WEFT_APP_STAGES_H

#include "control/config.h"

extern const struct control_stages STAGES;

#endif
