#include "io/linux/internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int linux_signals_open(struct io *seam, uint64_t mask, struct io_socket *ret)
{
    sigset_t set;
    int descriptor, r;

    (void)sigemptyset(&set);
    for (int number = 1; number <= 64; number++)
        if (mask & UINT64_C(1) << (number - 1) && sigaddset(&set, number) < 0)
            return -EINVAL;
    descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (descriptor < 0)
        return -errno;
    r = -pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (r == 0)
        r = slot_open(io_linux(seam), descriptor, SLOT_SIGNALS, IO_READ, 0, ret);
    if (r < 0)
        (void)close(descriptor);
    return r;
}

int linux_signals_try(struct io *seam, struct io_socket socket)
{
    struct slot *slot = slot_find(io_linux(seam), socket);
    struct signalfd_siginfo info;
    ssize_t n;

    if (!slot)
        return -EBADF;
    if (slot->kind != SLOT_SIGNALS)
        return -EINVAL;
    if (!(slot->ready & IO_READ))
        return -EAGAIN;
    do {
        n = read(slot->descriptor, &info, sizeof(info));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN)
            slot->ready &= (uint8_t)~IO_READ;
        return -errno;
    }
    return n == sizeof(info) ? (int)info.ssi_signo : -EIO;
}
