#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct service_view *view_of(struct rig *rig, unsigned worker, const char *name)
{
    return service_view_find(&rig->workers[worker], bytes_of_text(name));
}

static void arrive(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 3, NULL);

    for (unsigned i = 0; i < 2; i++) {
        struct service_view *view = view_of(rig, i, "orders");

        RIG_CHECK(rig, view && service_view_count(view) == 3 && view->set == service->set);
        RIG_CHECK(rig, view->metrics == &service->posts[i].metrics);
        for (unsigned k = 0; k < 3; k++)
            RIG_CHECK(rig, view->members[k]->instance == service->set->entries[k].instance);
    }
    RIG_CHECK(rig, rig_plan(rig, 101)->made == 2);
    RIG_CHECK(rig, service_worker_count(&rig->workers[0]) == 2);
}

static void sets_reach_every_worker(void **state)
{
    rig_run(arrive, 2, NULL);
}

/* A worker that is busy gets the newest set alone; what came and went in between is never made. */
static void coalesce(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 1, NULL);
    uint64_t version = service->version;

    RIG_CHECK(rig, rig_set(rig, service, 100, 2) == 0);
    RIG_CHECK(rig, rig_set(rig, service, 102, 2) == 0);
    RIG_CHECK(rig, rig_set(rig, service, 100, 1) == 0);
    RIG_CHECK(rig, rig_set(rig, service, 104, 1) == 0);
    rig_sleep(50 * NS_PER_MS);
    RIG_CHECK(rig, service->version == version + 4);
    RIG_CHECK(rig, view_of(rig, 0, "orders")->set->version == version + 4);
    RIG_CHECK(rig, rig_plan(rig, 101)->made == 0 && rig_plan(rig, 102)->made == 0 && rig_plan(rig, 103)->made == 0);
    RIG_CHECK(rig, rig_plan(rig, 104)->made == 1);
    RIG_CHECK(rig, rig_plan(rig, 100)->retired == 1 && rig_plan(rig, 100)->freed == 1);
}

static void newest_set_alone_arrives(void **state)
{
    rig_run(coalesce, 1, NULL);
}

static void stay(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 3, NULL);
    struct endpoint *kept = view_of(rig, 0, "orders")->members[2]->endpoint;

    RIG_CHECK(rig, rig_set(rig, service, 101, 4) == 0);
    rig_sleep(50 * NS_PER_MS);
    RIG_CHECK(rig, view_of(rig, 0, "orders")->members[1]->endpoint == kept);
    RIG_CHECK(rig, rig_plan(rig, 102)->made == 1 && rig_plan(rig, 102)->retired == 0);
    RIG_CHECK(rig, rig_plan(rig, 100)->retired == 1 && rig_plan(rig, 100)->freed == 1);
    RIG_CHECK(rig, rig_plan(rig, 104)->made == 1);
}

static void endpoints_that_stay_are_kept(void **state)
{
    rig_run(stay, 1, NULL);
}

static void use_while_leaving(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 2, NULL);
    struct member *member = view_of(rig, 0, "orders")->members[0];

    member_use(member); /* somebody waits on it */
    RIG_CHECK(rig, rig_set(rig, service, 101, 1) == 0);
    rig_sleep(50 * NS_PER_MS);
    RIG_CHECK(rig, rig_plan(rig, 100)->retired == 1 && rig_plan(rig, 100)->freed == 0);
    RIG_CHECK(rig, bytes_equal(member->instance->name, BYTES("orders-100")));
    member_drop(member);
    RIG_CHECK(rig, rig_plan(rig, 100)->freed == 1);
}

static void member_in_use_outlives_its_set(void **state)
{
    rig_run(use_while_leaving, 1, NULL);
}

/* A view is there for whoever comes first, and goes when nobody needs it. */
static void lives(struct rig *rig)
{
    struct worker *worker = &rig->workers[0];
    struct service_view *early, *again;
    struct service *service;

    RIG_CHECK(rig, service_view_attach(worker, BYTES("orders"), &early) == 0);
    RIG_CHECK(rig, service_view_count(early) == 0 && early->metrics == &early->own_metrics);
    RIG_CHECK(rig, service_view_attach(worker, BYTES("orders"), &again) == 0 && again == early);
    service = rig_service(rig, "orders", 100, 1, NULL);
    RIG_CHECK(rig, service_view_count(early) == 1 && early->metrics != &early->own_metrics);
    service_view_detach(early);
    registry_remove(&rig->registry, service);
    RIG_CHECK(rig, !registry_find(&rig->registry, BYTES("orders")));
    rig_sleep(50 * NS_PER_MS);
    RIG_CHECK(rig, service_view_count(early) == 0 && early->metrics == &early->own_metrics); /* still attached */
    RIG_CHECK(rig, rig_plan(rig, 100)->freed == 1);
    RIG_CHECK(rig, list_empty(&rig->registry.gone));
    service_view_detach(early);
    RIG_CHECK(rig, !view_of(rig, 0, "orders"));
    service = rig_service(rig, "orders", 100, 1, NULL); /* the same name again */
    RIG_CHECK(rig, service_view_count(view_of(rig, 0, "orders")) == 1);
    registry_remove(&rig->registry, service);
    rig_sleep(50 * NS_PER_MS);
    RIG_CHECK(rig, !view_of(rig, 0, "orders"));
}

static void view_lives_while_it_is_needed(void **state)
{
    rig_run(lives, 1, NULL);
}

static void nothing(struct letter *letter, struct loop *loop)
{
}

/* MAILBOX_MAX letters wait for the worker: the set is posted again later. */
static void full_mailbox(struct rig *rig)
{
    struct letter *letters = mem_zalloc_array(MAILBOX_MAX, sizeof(*letters));
    struct service *service = rig_service(rig, "orders", 100, 1, NULL);
    unsigned posted = 0;

    for (; letters && posted < MAILBOX_MAX; posted++) {
        letters[posted].run = nothing;
        if (loop_post(rig->worker_loops[0], &letters[posted]) < 0)
            break;
    }
    RIG_CHECK(rig, posted == MAILBOX_MAX);
    RIG_CHECK(rig, rig_set(rig, service, 101, 1) == 0);
    RIG_CHECK(rig, service->posts[0].unsent);
    RIG_CHECK(rig, rig_set(rig, service, 102, 1) == 0); /* also when a newer one comes meanwhile */
    RIG_CHECK(rig, service->posts[0].unsent);
    rig_sleep(50 * NS_PER_MS);
    RIG_CHECK(rig, !service->posts[0].unsent);
    RIG_CHECK(rig, view_of(rig, 0, "orders")->set == service->set);
    RIG_CHECK(rig, rig_plan(rig, 101)->made == 0 && rig_plan(rig, 102)->made == 1);
    mem_free(letters);
}

static void full_mailbox_is_tried_again(void **state)
{
    rig_run(full_mailbox, 1, NULL);
}

/* The worker's n-th allocation for a new set fails: it keeps the old one, and gets the new one soon. */
static void no_memory(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 1, NULL);
    struct worker_services *services = rig->workers[0].services;
    struct service_view *view = view_of(rig, 0, "orders");
    bool met = true;

    for (unsigned n = 0; met && n < 100; n++) {
        struct endpoint_set *before = view->set;
        struct service_post *post = &service->posts[0];
        struct endpoint_set *set;

        RIG_CHECK(rig, rig_set(rig, service, n % 2 ? 100 : 101, 3) == 0);
        set = atomic_load(&post->pending);
        mem_fail_after((int64_t)n);
        post->letter.run(&post->letter, services->loop); /* as if it had arrived */
        met = mem_fail_after(-1);
        RIG_CHECK(rig, view->set == (met ? before : set));
        rig_sleep(50 * NS_PER_MS);
        RIG_CHECK(rig, view->set == set && service_view_count(view) == 3);
    }
    RIG_CHECK(rig, !met);
}

static void worker_without_memory_gets_the_set_later(void **state)
{
    rig_run(no_memory, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_reach_every_worker),
        cmocka_unit_test(newest_set_alone_arrives),
        cmocka_unit_test(endpoints_that_stay_are_kept),
        cmocka_unit_test(member_in_use_outlives_its_set),
        cmocka_unit_test(view_lives_while_it_is_needed),
        cmocka_unit_test(full_mailbox_is_tried_again),
        cmocka_unit_test(worker_without_memory_gets_the_set_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
