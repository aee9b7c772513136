/* stage/regex.h - regular expressions (PCRE2) for what strangers send: bounded in time and memory.
 *
 * (1) An expression must match the whole text. Bytes are compared, not characters; (?i) ignores the case of ASCII
 *     letters. Parentheses group and capture nothing; there are no back references.
 * (2) A match takes no malloc: its memory was taken by regex_memory_create(), once for each thread.
 * (3) A match ends after REGEX_STEPS_MAX steps or when its memory is used up: -E2BIG. Whoever asks must not take that
 * for "no". (4) Compiling recurses: not on the stack of a fiber.
 */
#ifndef WEFT_STAGE_REGEX_H
#define WEFT_STAGE_REGEX_H

#include "base/fault.h"

struct regex;
struct regex_memory;

int regex_compile(struct bytes pattern, struct fault *fault, struct regex **ret) MUST_CHECK; /* -EINVAL, -ENOMEM */
void regex_free(struct regex *regex);                                                        /* NULL is fine */

int regex_memory_create(struct regex_memory **ret) MUST_CHECK; /* -ENOMEM */
void regex_memory_free(struct regex_memory *memory);           /* NULL is fine */

/* 1: it matches; 0: it doesn't; -E2BIG: see (3). */
int regex_match(const struct regex *regex, struct regex_memory *memory, struct bytes text) MUST_CHECK;

#endif
