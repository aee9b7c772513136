#include "service/health.h"

const struct health_rules HEALTH_RULES = {
    .fall = 3, .rise = 2, .fast_ns = 50 * NS_PER_MS, .slow_ns = 2 * NS_PER_S, .timeout_ns = NS_PER_S
};

bool health_note(struct health *health, const struct health_rules *rules, bool success)
{
    bool ready = health->state == HEALTH_READY;

    if (success == ready || (!success && health->state == HEALTH_STARTING)) {
        health->streak = 0;
        return false;
    }
    health->streak++;
    if (health->streak < (ready ? rules->fall : health->state == HEALTH_STARTING ? 1 : rules->rise))
        return false;
    health->streak = 0;
    health->state = success ? HEALTH_READY : HEALTH_UNREADY;
    return true;
}

int64_t health_pause_ns(const struct health *health, const struct health_rules *rules)
{
    return health->state == HEALTH_STARTING ? rules->fast_ns : rules->slow_ns;
}

const char *health_name(enum health_state state)
{
    switch (state) {
    case HEALTH_STARTING: return "starting";
    case HEALTH_READY: return "ready";
    case HEALTH_UNREADY: return "unready";
    }
    return "unknown";
}
