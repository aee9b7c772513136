#include "rig.h"
#include "stage/stages.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct balance_conf ORDERS = { .service = { "orders", 6 } };
static const struct balance_conf CATALOG = { .by = BALANCE_LEAST_REQUEST, .service = { "catalog", 7 } };

static void balanced(struct rig *rig, const struct balance_conf *conf)
{
    const struct rig_stage stages[] = { { &STAGE_BALANCE, conf }, { &STAGE_ENDPOINT, NULL } };

    (void)rig_snapshot(rig, stages, ARRAY_LEN(stages));
}

static void in_turn(struct rig *rig)
{
    struct rig_call call = { 0 };

    (void)rig_service(rig, "orders", 100, 3, "/ready");
    balanced(rig, &ORDERS);
    for (unsigned i = 0; i < 30; i++) {
        call.worker = i % 2;
        rig_call(rig, &call);
        RIG_CHECK(rig, call.outcome == OUTCOME_OK);
    }
    for (unsigned i = 0; i < 3; i++)
        RIG_CHECK(rig, rig_plan(rig, 100 + i)->calls == 10);
}

static void endpoints_are_used_in_turn(void **state)
{
    rig_run(in_turn, 2, NULL);
}

/* Many at once: those in flight are counted, and each is given back. */
static void in_flight(struct rig *rig)
{
    struct rig_call calls[40] = { 0 };
    struct service_view *view;
    unsigned most = 0, least = 40;

    (void)rig_service(rig, "catalog", 100, 4, "/ready");
    balanced(rig, &CATALOG);
    for (unsigned i = 0; i < 4; i++)
        rig_plan(rig, 100 + i)->delay_ns = NS_PER_S;
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++)
        rig_call_start(rig, &calls[i]);
    rig_sleep(NS_PER_S / 2);
    view = service_view_find(&rig->workers[0], BYTES("catalog"));
    for (unsigned i = 0; i < 4; i++) {
        most = MAX(most, view->members[i]->endpoint->in_flight);
        least = MIN(least, view->members[i]->endpoint->in_flight);
    }
    RIG_CHECK(rig, least >= 8 && most <= 12);
    rig_sleep(NS_PER_S);
    for (unsigned i = 0; i < 4; i++)
        RIG_CHECK(rig, view->members[i]->endpoint->in_flight == 0 && view->members[i]->uses == 1);
}

static void requests_in_flight_are_spread(void **state)
{
    rig_run(in_flight, 1, NULL);
}

/* The set changes, and changes back, while exchanges are under way on an endpoint that leaves. */
static void replaced(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 1, "/ready");
    struct rig_call calls[8] = { 0 };

    balanced(rig, &ORDERS);
    rig_plan(rig, 100)->delay_ns = NS_PER_S;
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
        rig_plan(rig, 100)->outcome = i % 2 ? OUTCOME_CONNECT_FAILED : OUTCOME_OK;
        rig_call_start(rig, &calls[i]);
    }
    rig_sleep(NS_PER_S / 4);
    RIG_CHECK(rig, rig_set(rig, service, 101, 1) == 0);
    rig_sleep(NS_PER_S / 4);
    RIG_CHECK(rig, rig_plan(rig, 100)->retired == 1 && rig_plan(rig, 100)->freed == 0);
    RIG_CHECK(rig, rig_set(rig, service, 100, 2) == 0); /* again: another object, the old one is on its way out */
    rig_sleep(NS_PER_S / 4);
    RIG_CHECK(rig, rig_plan(rig, 100)->made == 2);
    registry_remove(&rig->registry, service);
    rig_sleep(NS_PER_S);
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++)
        RIG_CHECK(rig, calls[i].ended_ns);
    RIG_CHECK(rig, rig_plan(rig, 100)->freed == 2 && rig_plan(rig, 101)->freed == 1);
    rig_call(rig, &calls[0]);
    RIG_CHECK(rig, calls[0].outcome == OUTCOME_NO_ENDPOINT);
}

static void exchanges_outlive_their_set(void **state)
{
    rig_run(replaced, 1, NULL);
}

static void marks(struct rig *rig)
{
    struct service *service = rig_service(rig, "orders", 100, 2, "/ready");
    struct instance *first = service->set->entries[0].instance;
    struct service_metrics *metrics = &service->posts[0].metrics;
    struct rig_call call = { 0 };

    balanced(rig, &ORDERS);
    for (unsigned i = 0; i < 2; i++) {
        rig_plan(rig, 100 + i)->outcome = i ? OUTCOME_CONNECT_TIMEOUT : OUTCOME_CONNECT_FAILED;
        rig_plan(rig, 100 + i)->check_status = 1;
    }
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_CONNECT_FAILED && strcmp(call.endpoint, "orders-100") == 0);
    RIG_CHECK(rig, instance_ejected(first, rig->control_loop->now_ns) && metric_read(&metrics->panics) == 0);
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_CONNECT_TIMEOUT && metric_read(&metrics->ejections) == 2);
    rig_call(rig, &call); /* both are ejected, both count as ready: better one of them than none */
    RIG_CHECK(rig, call.outcome == OUTCOME_CONNECT_FAILED && metric_read(&metrics->panics) == 1);
    rig_plan(rig, 101)->outcome = OUTCOME_OK;
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_OK && metric_read(&metrics->panics) == 2);
    RIG_CHECK(rig, !instance_ejected(service->set->entries[1].instance, rig->control_loop->now_ns));
    rig_plan(rig, 101)->outcome = OUTCOME_UPSTREAM_CLOSED; /* it was connected to: no ejection */
    for (unsigned i = 0; i < 3; i++) {
        rig_call(rig, &call);
        RIG_CHECK(rig, call.outcome == OUTCOME_UPSTREAM_CLOSED && strcmp(call.endpoint, "orders-101") == 0);
    }
    rig_sleep(7 * NS_PER_S); /* three checks have failed */
    RIG_CHECK(rig, service_ready_count(service) == 0);
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_NO_ENDPOINT && metric_read(&metrics->empty) == 1);
}

static void what_cannot_be_connected_to_is_avoided(void **state)
{
    rig_run(marks, 1, NULL);
}

/* A reload that puts another service under the same path: the exchange of the old snapshot finds its own. */
static void moved(struct rig *rig)
{
    struct rig_call old = { 0 }, new = { 0 };
    struct service *orders;

    orders = rig_service(rig, "orders", 100, 1, "/ready");
    (void)rig_service(rig, "catalog", 110, 1, "/ready");
    balanced(rig, &ORDERS);
    rig_plan(rig, 100)->delay_ns = NS_PER_S;
    rig_call_start(rig, &old);
    rig_sleep(NS_PER_S / 4);
    balanced(rig, &CATALOG);
    rig_call(rig, &new);
    RIG_CHECK(rig, new.outcome == OUTCOME_OK &&strcmp(new.endpoint, "catalog-110") == 0);
    RIG_CHECK(rig, service_view_find(&rig->workers[0], BYTES("catalog"))->attached == 1);
    registry_remove(&rig->registry, orders);
    rig_sleep(NS_PER_S);
    RIG_CHECK(rig, old.outcome == OUTCOME_OK && strcmp(old.endpoint, "orders-100") == 0);
    RIG_CHECK(rig, !service_view_find(&rig->workers[0], BYTES("orders")));
}

static void service_may_change_under_a_path(void **state)
{
    rig_run(moved, 1, NULL);
}

static void unknown(struct rig *rig)
{
    const struct rig_stage bare[] = { { &STAGE_ENDPOINT, NULL } };
    struct rig_call call = { 0 };

    balanced(rig, &ORDERS);
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_NO_ENDPOINT && call.attempts == 0);
    (void)rig_snapshot(rig, bare, 1);
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_NO_SERVICE && call.attempts == 0);
}

static void nowhere_to_go_is_an_outcome(void **state)
{
    rig_run(unknown, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_used_in_turn),      cmocka_unit_test(requests_in_flight_are_spread),
        cmocka_unit_test(exchanges_outlive_their_set),     cmocka_unit_test(what_cannot_be_connected_to_is_avoided),
        cmocka_unit_test(service_may_change_under_a_path), cmocka_unit_test(nowhere_to_go_is_an_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
