/* Included before everything else when clang-tidy reads a source, and only then: tells its analyzer that errno is one
 * of a few positive numbers, so that `return -errno;` is known to be a failure. Without this it believes that a call
 * may fail, leave its outputs untouched, as it should, and yet return 0. (Ranges don't survive its minus sign; single
 * values do.) */
#include <errno.h>

extern int lint_errno_value;

static inline int *lint_errno(void)
{
    switch (lint_errno_value) {
    case EINTR: lint_errno_value = EINTR; break;
    case EAGAIN: lint_errno_value = EAGAIN; break;
    default: lint_errno_value = EIO; break;
    }
    return &lint_errno_value;
}

#undef errno
#define errno (*lint_errno())
