/* control/words.h - a command as it is written in one line, cut into words. No shell is asked.
 *
 * Spaces, tabs and line ends separate words. 'single quotes' keep everything; "double quotes" keep everything but
 * backslash, which takes away the meaning of a following " or \; outside of quotes a backslash does so for any
 * character. What a shell would act upon (| & ; < > ( ) $ `) is refused outside of quotes, so that nobody takes this
 * for a shell.
 */
#ifndef WEFT_CONTROL_WORDS_H
#define WEFT_CONTROL_WORDS_H

#include "base/arena.h"
#include "base/fault.h"

/* *ret ends with NULL, in the arena. 0; -EINVAL with what is wrong in *fault; -ENOMEM. */
int words_split(struct bytes line, struct arena *arena, struct fault *fault, const char *const **ret) MUST_CHECK;

#endif
