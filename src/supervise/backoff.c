#include "supervise/backoff.h"

void backoff_init(struct backoff *backoff, unsigned free)
{
    *backoff = (struct backoff){ .free = free };
}

static int64_t doubled(unsigned times)
{
    int64_t wait_ns = RESTART_FIRST_NS;

    while (times-- > 0 && wait_ns < RESTART_MAX_NS)
        wait_ns *= 2;
    return MIN(wait_ns, RESTART_MAX_NS);
}

static bool was_healthy(int64_t now_ns, int64_t ready_ns)
{
    return ready_ns > 0 && now_ns - ready_ns >= RESTART_HEALTHY_NS;
}

void backoff_unready(struct backoff *backoff, int64_t now_ns, int64_t ready_ns)
{
    if (was_healthy(now_ns, ready_ns))
        backoff->failures = 0;
}

int64_t backoff_failed(struct backoff *backoff, int64_t now_ns, int64_t ready_ns)
{
    bool window_over = backoff->failures <= backoff->free && now_ns - backoff->first_ns > RESTART_WINDOW_NS;

    if (was_healthy(now_ns, ready_ns) || (backoff->free > 0 && window_over))
        backoff->failures = 0;
    if (backoff->failures == 0)
        backoff->first_ns = now_ns;
    backoff->failures++;
    if (backoff->failures <= backoff->free)
        return 0;
    return doubled(backoff->failures - backoff->free - 1);
}
