#include "io/linux/inherit.h"

#include "base/bytes.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

const char *io_linux_variable(const char *name)
{
    return getenv(name);
}

static int keep_from_children(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFD);

    return flags < 0 || fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) < 0 ? -errno : 0;
}

int io_linux_inherited(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    uint64_t number, wanted;

    if (!pid || !count)
        return 0;
    if (bytes_to_u64(bytes_of_text(pid), &wanted) < 0 || bytes_to_u64(bytes_of_text(count), &number) < 0)
        return -EINVAL;
    if (wanted != (uint64_t)getpid())
        return 0;
    if (number > INT_MAX - INHERITED_FIRST)
        return -EINVAL;
    for (int i = 0; i < (int)number; i++) {
        int r = keep_from_children(INHERITED_FIRST + i);

        if (r < 0)
            return r;
    }
    return (int)number;
}
