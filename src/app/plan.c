#include "app/plan.h"

bool plan_lists_equal(const char *const *a, const char *const *b)
{
    while (*a && *b && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return !*a && !*b;
}

bool plan_service_same(const struct plan_service *a, const struct plan_service *b)
{
    return bytes_equal(a->name, b->name) && a->port == b->port && strcmp(a->directory, b->directory) == 0 &&
           a->limits.memory == b->limits.memory && a->limits.cpu_ppm == b->limits.cpu_ppm &&
           a->limits.files == b->limits.files && plan_lists_equal(a->argv, b->argv) && plan_lists_equal(a->env, b->env);
}

bool plan_listener_same(const struct plan_listener *a, const struct plan_listener *b)
{
    return address_equal(&a->address, &b->address) && a->last_port == b->last_port && bytes_equal(a->name, b->name) &&
           bytes_equal(a->scheme, b->scheme);
}

const struct plan_service *plan_find(const struct plan *plan, struct bytes name)
{
    for (unsigned i = 0; i < plan->service_count; i++)
        if (bytes_equal(plan->services[i].name, name))
            return &plan->services[i];
    return NULL;
}
