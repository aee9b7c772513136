#include "service/view.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "service/service.h"

void endpoint_set_use(struct endpoint_set *set)
{
    atomic_fetch_add_explicit(&set->uses, 1, memory_order_relaxed);
}

void endpoint_set_drop(struct endpoint_set *set)
{
    unsigned before = atomic_fetch_sub_explicit(&set->uses, 1, memory_order_acq_rel);

    ASSERT(before > 0);
    if (before > 1)
        return;
    for (unsigned i = 0; i < set->count; i++)
        instance_drop(set->entries[i].instance);
    mem_free(set);
}

/* --- members -------------------------------------------------------------------------------------------- */

void member_use(struct member *member)
{
    member->uses++;
}

void member_drop(struct member *member)
{
    ASSERT(member->uses > 0);
    if (--member->uses > 0)
        return;
    member->endpoint->active = NULL; /* it may live longer than the instance that has the count */
    endpoint_drop(member->endpoint);
    instance_drop(member->instance);
    mem_free(member);
}

static void member_retire(const struct worker_services *services, struct member *member)
{
    services->dialer->retire(member->endpoint);
    member_drop(member);
}

static struct member *member_create(const struct worker_services *services, struct instance *instance)
{
    struct member *member = mem_zalloc(sizeof(*member));

    if (!member)
        return NULL;
    if (services->dialer->create(services->dialer, services->worker, instance, false, &member->endpoint) < 0) {
        mem_free(member);
        return NULL;
    }
    instance_use(instance);
    member->instance = instance;
    member->uses = 1;
    member->endpoint->active = instance_count_at(instance, (unsigned)(services - services->registry->workers));
    if (member->endpoint->active)
        metric_set(member->endpoint->active, 0); /* an earlier member may have left with exchanges under way */
    return member;
}

/* The member of that instance, or NULL. Sets change little: it is mostly where it was. */
static struct member *member_find(const struct service_view *view, const struct instance *instance, unsigned hint)
{
    unsigned count = service_view_count(view);

    for (unsigned i = 0; i < count; i++) {
        struct member *member = view->members[(hint + i) % count];

        if (member->instance == instance)
            return member;
    }
    return NULL;
}

/* --- views ---------------------------------------------------------------------------------------------- */

static struct worker_services *services_of(const struct worker *worker)
{
    struct worker_services *services = worker->services;

    ASSERT(services && services->worker == worker);
    return services;
}

static int view_create(struct worker_services *services, struct bytes name, struct service_view **ret)
{
    struct service_view *view = mem_zalloc(sizeof(*view) + name.len);
    int r;

    if (!view)
        return -ENOMEM;
    if (name.len > 0)
        memcpy(view->text, name.data, name.len);
    view->name = bytes_of(view->text, name.len);
    view->worker = services->worker;
    view->metrics = &view->own_metrics;
    r = map_put(&services->views, view->name, view);
    if (r < 0) {
        mem_free(view);
        return r;
    }
    *ret = view;
    return 0;
}

/* Gives up what the view has of the service. */
static void view_empty(const struct worker_services *services, struct service_view *view)
{
    for (unsigned i = 0; i < service_view_count(view); i++)
        member_retire(services, view->members[i]);
    mem_free(view->members);
    if (view->set)
        endpoint_set_drop(view->set);
    view->members = NULL;
    view->set = NULL;
    view->metrics = &view->own_metrics;
}

/* (2) of the header: neither a stage nor a set needs it. */
static void view_free_unneeded(struct worker_services *services, struct service_view *view)
{
    if (view->attached > 0 || view->set)
        return;
    (void)map_remove(&services->views, view->name);
    mem_free(view);
}

struct service_view *service_view_find(struct worker *worker, struct bytes name)
{
    return map_get(&services_of(worker)->views, name);
}

int service_view_attach(struct worker *worker, struct bytes name, struct service_view **ret)
{
    struct worker_services *services = services_of(worker);
    struct service_view *view = map_get(&services->views, name);
    int r = view ? 0 : view_create(services, name, &view);

    if (r < 0)
        return r;
    view->attached++;
    *ret = view;
    return 0;
}

void service_view_detach(struct service_view *view)
{
    ASSERT(view->attached > 0);
    view->attached--;
    view_free_unneeded(services_of(view->worker), view);
}

/* --- sets ----------------------------------------------------------------------------------------------- */

/* The members of a new set: known ones where the instance stays, new ones elsewhere; `kept` marks the known. */
static int make_members(struct worker_services *services, const struct service_view *view,
                        const struct endpoint_set *set, struct member **members)
{
    for (unsigned i = 0; i < set->count; i++) {
        members[i] = member_find(view, set->entries[i].instance, i);
        if (members[i]) {
            member_use(members[i]);
            continue;
        }
        members[i] = member_create(services, set->entries[i].instance);
        if (members[i])
            continue;
        while (i-- > 0)
            member_drop(members[i]);
        return -ENOMEM;
    }
    return 0;
}

/* Drops the view's uses of its old members, and retires those that are not in the new set. */
static void leave_members(const struct worker_services *services, struct service_view *view,
                          const struct endpoint_set *set)
{
    for (unsigned i = 0; i < service_view_count(view); i++)
        view->members[i]->stays = false;
    for (unsigned i = 0; i < set->count; i++) {
        struct member *member = member_find(view, set->entries[i].instance, i);

        if (member)
            member->stays = true;
    }
    for (unsigned i = 0; i < service_view_count(view); i++) {
        if (view->members[i]->stays)
            member_drop(view->members[i]);
        else
            member_retire(services, view->members[i]);
    }
}

static int view_fill(struct worker_services *services, struct service_view *view, struct endpoint_set *set)
{
    struct member **members = mem_zalloc_array(MAX(set->count, 1u), sizeof(struct member *));

    if (!members || make_members(services, view, set, members) < 0) {
        mem_free(members);
        return -ENOMEM;
    }
    leave_members(services, view, set);
    mem_free(view->members);
    if (view->set)
        endpoint_set_drop(view->set);
    view->members = members;
    view->set = set;
    return 0;
}

int service_view_take(struct worker_services *services, struct endpoint_set *set, struct service_metrics *metrics)
{
    struct service_view *view = map_get(&services->views, set->service);
    int r = 0;

    if (set->gone) {
        if (view) {
            view_empty(services, view);
            view_free_unneeded(services, view);
        }
        endpoint_set_drop(set);
        return 0;
    }
    if (!view)
        r = view_create(services, set->service, &view);
    if (r == 0)
        r = view_fill(services, view, set);
    if (r == 0)
        view->metrics = metrics;
    else if (view)
        view_free_unneeded(services, view);
    return r;
}

unsigned service_worker_count(const struct worker *worker)
{
    unsigned count = atomic_load_explicit(&services_of(worker)->registry->traffic, memory_order_relaxed);

    return MAX(count, 1u);
}

void worker_services_stop(struct worker *worker)
{
    struct worker_services *services = services_of(worker);
    struct map_entry *entry;

    while ((entry = map_next(&services->views, NULL)) != NULL) {
        struct service_view *view = entry->value;

        ASSERT(view->attached == 0); /* a stage has not let go */
        view_empty(services, view);
        view_free_unneeded(services, view);
    }
    map_done(&services->views);
    services->stopped = true;
    worker->services = NULL;
}
