/* What the tests of the shop's services share: a service of its own in a folder of its own, and short ways to ask it.
 */
#ifndef WEFT_SHOP_TESTS_RIG_H
#define WEFT_SHOP_TESTS_RIG_H

#include "weft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A new folder, in $WEFT_DATA: the services' files come there. Removed by rig_done(). */
void rig_init(void);
void rig_done(void);

/* One request; fails the test when the status is another one. The answer's body, valid until the next. */
const char *rig_ask(struct weft_service *service, const char *method, const char *path, const char *json,
                    unsigned status);

void rig_contains(const char *text, const char *part);

#endif
