#include "observe/slowest.h"

bool slowest_passes(struct slowest *slowest, int64_t took_ns, int64_t now_ns)
{
    while (slowest->mark_ns > 0 && now_ns - slowest->fell_ns >= NS_PER_S) { /* 250 turns reach 0 from any mark */
        slowest->mark_ns -= MAX(slowest->mark_ns / 8, INT64_C(1));
        slowest->fell_ns += NS_PER_S;
    }
    if (slowest->mark_ns == 0)
        slowest->fell_ns = now_ns;
    if (took_ns <= slowest->mark_ns)
        return false;
    slowest->mark_ns = took_ns;
    return true;
}
