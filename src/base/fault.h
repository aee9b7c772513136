/* base/fault.h - a failure that a person will read.
 *
 *     weft.yaml:12:5: services.orders.scale: must be between 0 and 1000 (is 5000)
 *
 * lower case, no full stop, the subject first; the hint in parentheses says what to do. A struct fault holds
 * its text itself, so that it can be passed up from anywhere; a struct fault_list gathers all faults of a
 * file, up to FAULTS_MAX (the rest is counted).
 */
#ifndef WEFT_BASE_FAULT_H
#define WEFT_BASE_FAULT_H

#include "base/bytes.h"
#include "base/limits.h"

struct fault {
    char file[FAULT_FILE_MAX]; /* empty: no file is concerned */
    unsigned line, column;     /* from 1; 0: unknown */
    char what[FAULT_TEXT_MAX]; /* path and what is wrong */
    char hint[FAULT_HINT_MAX]; /* empty: none */
};

struct fault_list {
    size_t count, dropped; /* kept; counted only */
    struct fault faults[FAULTS_MAX];
    struct fault scratch; /* takes what is dropped */
};

/* A fault starts as all zeros. Texts that are too long are cut at a character, with "..." at the end (a file:
 * at its start). fault may be NULL: then nothing. */
void fault_set(struct fault *fault, const char *format, ...) PRINTF_LIKE(2, 3);
void fault_hint(struct fault *fault, const char *format, ...) PRINTF_LIKE(2, 3);
void fault_at(struct fault *fault, const char *file, unsigned line, unsigned column);

/* The next free entry, cleared; when the list is full the last entry of the list is not touched and a
 * scratch entry is returned, which is counted as dropped. Never NULL. */
struct fault *fault_list_add(struct fault_list *list);

/* Writes "file:line:column: what (hint)", leaving out what is unknown; zero-terminated, if max > 0. Returns
 * the length it wanted, without the zero. */
size_t fault_write(const struct fault *fault, char *memory, size_t max);

#endif
