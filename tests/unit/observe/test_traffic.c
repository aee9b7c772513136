/* What is remembered of exchanges, and what readers get of it. */
#include "help.h"

#include "base/alloc.h"
#include "exchange/stage.h"
#include "faults.h"
#include "observe/slowest.h"
#include "observe/traffic.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const struct traffic_filter ALL = { .errors = false };

/* A worker that is observed. */
struct scene {
    struct station station;
    struct traffic *traffic;
    struct traffic_worker *mine;
    const struct observer *observer;
};

static void scene_open(struct scene *scene)
{
    station_open(&scene->station, 1);
    assert_int_equal(traffic_create(3, &scene->traffic), 0);
    assert_int_equal(traffic_attach(scene->traffic, &scene->station.worker, &scene->mine), 0);
    scene->observer = traffic_observer(scene->mine);
}

static void scene_close(struct scene *scene)
{
    traffic_free(scene->traffic);
    station_close(&scene->station);
}

static bool is_text(struct bytes text, const char *expected)
{
    return bytes_equal(text, bytes_of_text(expected));
}

/* --- what is in a record ---------------------------------------------------------------------------------------- */

static const struct stage_type ROUTE = { .name = "route" };
static const struct stage_type RETRY = { .name = "retry" };
static const struct stage_type ENDPOINT = { .name = "endpoint" };

static void add_step(struct exchange *x, const struct stage_type *type, const char *path, unsigned depth,
                     int64_t start_us, int64_t end_us)
{
    struct step *step = &x->steps.list[x->steps.count++];

    *step = (struct step){ .type = type,
                           .path = bytes_of_text(path),
                           .depth = (uint16_t)depth,
                           .start_ns = x->times.start_ns + start_us * NS_PER_US + 700,
                           .end_ns = x->times.start_ns + end_us * NS_PER_US + 900 };
}

static struct exchange with_everything(struct scene *scene, struct endpoint *endpoint)
{
    struct exchange x = made_up(&scene->station, 5 * NS_PER_MS);

    x.endpoint = endpoint;
    x.caller = BYTES("storefront");
    x.request.query = BYTES("id=7");
    x.trace.parent = 0x1122334455667788;
    x.trace.sampled = true;
    x.attempts = 2;
    x.received_bytes = 12;
    x.sent_bytes = 1024;
    add_step(&x, &ROUTE, "routes", 0, 10, 4000);
    add_step(&x, &RETRY, "services/orders/retry", 1, 10, 4000);
    x.steps.list[1].number = 2;
    add_step(&x, &ENDPOINT, "services/orders/endpoint", 2, 20, 1020);
    x.steps.list[2].detail = BYTES("orders-1");
    x.steps.list[2].outcome = OUTCOME_UPSTREAM_CLOSED;
    add_step(&x, &ENDPOINT, "services/orders/endpoint", 2, 1500, 3900);
    x.steps.list[3].detail = BYTES("orders-2");
    x.steps.list[3].status = 200;
    x.steps.dropped = 3;
    return x;
}

static void check_steps(const struct traffic_exchange *item)
{
    struct traffic_step step;

    assert_int_equal(item->step_count, 4);
    assert_int_equal(item->steps_dropped, 3);
    traffic_step_at(item, 0, &step);
    assert_true(is_text(step.stage, "route") && is_text(step.path, "routes") && step.detail.len == 0);
    assert_true(step.start_ns == 10 * NS_PER_US && step.duration_ns == 3990 * NS_PER_US && step.depth == 0);
    traffic_step_at(item, 1, &step);
    assert_true(is_text(step.stage, "retry") && is_text(step.detail, "2") && step.depth == 1);
    traffic_step_at(item, 2, &step);
    assert_true(is_text(step.detail, "orders-1") && step.outcome == OUTCOME_UPSTREAM_CLOSED && step.status == 0);
    assert_true(step.duration_ns == NS_PER_MS);
    traffic_step_at(item, 3, &step);
    assert_true(is_text(step.path, "services/orders/endpoint") && is_text(step.detail, "orders-2"));
    assert_true(step.outcome == OUTCOME_OK && step.status == 200 && step.start_ns == 1500 * NS_PER_US);
}

static void records_all_of_it(void **state)
{
    struct endpoint endpoint = made_up_endpoint(BYTES("orders-2"), BYTES("10.0.0.5:80"));
    const struct traffic_exchange *item;
    struct traffic_list list;
    struct scene scene;
    struct exchange x;

    scene_open(&scene);
    x = with_everything(&scene, &endpoint);
    tell(scene.observer, &scene.station, &x);
    assert_int_equal(traffic_read(scene.traffic, &ALL, 10, &list), 0);
    assert_int_equal(list.count, 1); /* the first one is among the slowest: it comes once all the same */
    item = list.items[0];
    assert_int_equal(item->worker, 1);
    assert_int_equal(item->number, 1);
    assert_true(item->start_ns == x.times.start_ns && item->end_ns - item->start_ns >= 5 * NS_PER_MS);
    assert_memory_equal(&item->trace, &x.trace, offsetof(struct trace, sampled));
    assert_true(item->trace.sampled);
    assert_true(is_text(item->request_id, "r-1") && is_text(item->gateway, "web"));
    assert_true(is_text(item->caller, "storefront") && is_text(item->client, "10.0.0.9"));
    assert_true(is_text(item->method, "GET") && is_text(item->authority, "shop.example"));
    assert_true(is_text(item->path, "/orders?id=7") && is_text(item->route, "orders"));
    assert_true(is_text(item->service, "orders") && is_text(item->endpoint, "orders-2"));
    assert_true(item->minor == 1 && item->status == 200 && item->attempts == 2 && item->outcome == OUTCOME_OK);
    assert_true(item->received_bytes == 12 && item->sent_bytes == 1024);
    check_steps(item);
    traffic_list_done(&list);
    scene_close(&scene);
}

/* (6), and an exchange of which nothing is known. */
static void leaves_out_what_is_not_there(void **state)
{
    struct traffic_list list;
    struct scene scene;
    struct exchange x;

    scene_open(&scene);
    x = made_up(&scene.station, NS_PER_MS);
    x.source = NULL;
    tell(scene.observer, &scene.station, &x);
    assert_int_equal(traffic_read(scene.traffic, &ALL, 10, &list), 0);
    assert_int_equal(list.count, 0);
    traffic_list_done(&list);
    x = (struct exchange){ .source = &CLIENT, .outcome = OUTCOME_CLIENT_GONE };
    x.request.path = BYTES("/");
    x.request.query = BYTES(""); /* an empty query is a query */
    tell(scene.observer, &scene.station, &x);
    assert_int_equal(traffic_read(scene.traffic, &ALL, 10, &list), 0);
    assert_int_equal(list.count, 1);
    assert_true(is_text(list.items[0]->path, "/?") && list.items[0]->endpoint.len == 0);
    assert_true(list.items[0]->step_count == 0 && list.items[0]->outcome == OUTCOME_CLIENT_GONE);
    traffic_list_done(&list);
    scene_close(&scene);
}

/* (5): TRAFFIC_NAME_MAX, TRAFFIC_PATH_MAX, TRAFFIC_TEXTS_MAX. */
static void cuts_texts(void **state)
{
    static char much[8192];
    struct bytes all = bytes_of(much, sizeof(much));
    struct traffic_list list;
    struct traffic_step step;
    struct scene scene;
    struct exchange x;
    size_t sum = 0;

    memset(much, 'm', sizeof(much));
    scene_open(&scene);
    x = made_up(&scene.station, NS_PER_MS);
    x.request.path = bytes_of(much, TRAFFIC_PATH_MAX - 3);
    x.request.query = x.request_id = x.gateway = x.caller = x.client = all;
    x.request.method_text = x.request.authority = x.route = x.service = all;
    for (unsigned i = 0; i < EXCHANGE_STEPS_MAX; i++) {
        add_step(&x, &RETRY, "", i, 0, 1);
        x.steps.list[i].path = x.steps.list[i].detail = all;
    }
    tell(scene.observer, &scene.station, &x);
    assert_int_equal(traffic_read(scene.traffic, &ALL, 10, &list), 0);
    assert_int_equal(list.items[0]->path.len, TRAFFIC_PATH_MAX);
    assert_true(bytes_ends(list.items[0]->path, BYTES("m?mm")));
    assert_int_equal(list.items[0]->service.len, TRAFFIC_NAME_MAX);
    assert_int_equal(list.items[0]->request_id.len, TRAFFIC_NAME_MAX);
    for (unsigned i = 0; i < EXCHANGE_STEPS_MAX; i++) {
        traffic_step_at(list.items[0], i, &step);
        assert_int_equal(step.depth, i);
        assert_true(step.path.len <= TRAFFIC_NAME_MAX);
        sum += step.path.len + step.detail.len;
    }
    assert_int_equal(sum, TRAFFIC_TEXTS_MAX - TRAFFIC_PATH_MAX - 8 * TRAFFIC_NAME_MAX);
    traffic_list_done(&list);
    scene_close(&scene);
}

/* Times that can't be told stand at the end of what can. */
static void bounds_times(void **state)
{
    struct traffic_list list;
    struct traffic_step step;
    struct scene scene;
    struct exchange x;

    scene_open(&scene);
    x = made_up(&scene.station, 0);
    x.times.start_ns -= 100 * 60 * NS_PER_S;
    add_step(&x, &RETRY, "a", 0, -5, 99 * 60 * INT64_C(1000000));
    add_step(&x, &RETRY, "b", 0, 98 * 60 * INT64_C(1000000), 0);
    x.steps.list[1].end_ns = 0; /* it runs: a tunnel's end tells of stages that have not come back */
    tell(scene.observer, &scene.station, &x);
    assert_int_equal(traffic_read(scene.traffic, &ALL, 10, &list), 0);
    traffic_step_at(list.items[0], 0, &step);
    assert_true(step.start_ns == 0 && step.duration_ns == UINT32_MAX * NS_PER_US);
    traffic_step_at(list.items[0], 1, &step);
    assert_true(step.start_ns == UINT32_MAX * NS_PER_US && step.duration_ns == 0);
    traffic_list_done(&list);
    scene_close(&scene);
}

/* --- what readers get -------------------------------------------------------------------------------------------- */

static size_t count_of(struct scene *scene, const struct traffic_filter *filter, size_t max)
{
    struct traffic_list list;
    size_t count;

    assert_int_equal(traffic_read(scene->traffic, filter, max, &list), 0);
    count = list.count;
    for (size_t i = 1; i < count; i++)
        assert_true(list.items[i - 1]->end_ns >= list.items[i]->end_ns);
    traffic_list_done(&list);
    return count;
}

static void filters(void **state)
{
    struct scene scene;
    struct exchange x;

    scene_open(&scene);
    x = made_up(&scene.station, NS_PER_MS);
    tell(scene.observer, &scene.station, &x);
    x.route = BYTES("other");
    tell(scene.observer, &scene.station, &x);
    x.service = BYTES("credit");
    x.response.status = 500;
    tell(scene.observer, &scene.station, &x);
    x.response.status = 404;
    x.outcome = OUTCOME_NO_ROUTE;
    x.times.start_ns -= 2 * NS_PER_S;
    x.trace.id_low++;
    tell(scene.observer, &scene.station, &x);
    assert_int_equal(count_of(&scene, &ALL, 10), 4);
    assert_int_equal(count_of(&scene, &ALL, 3), 3);
    assert_int_equal(count_of(&scene, &(struct traffic_filter){ .errors = true }, 10), 2);
    assert_int_equal(count_of(&scene, &(struct traffic_filter){ .service = BYTES("orders") }, 10), 2);
    assert_int_equal(count_of(&scene, &(struct traffic_filter){ .service = BYTES("order") }, 10), 0);
    assert_int_equal(count_of(&scene, &(struct traffic_filter){ .route = BYTES("other") }, 10), 3);
    assert_int_equal(count_of(&scene, &(struct traffic_filter){ .slower_ns = NS_PER_S }, 10), 1);
    assert_int_equal(
        count_of(&scene, &(struct traffic_filter){ .id_high = x.trace.id_high, .id_low = x.trace.id_low - 1 }, 10), 3);
    assert_int_equal(
        count_of(&scene, &(struct traffic_filter){ .id_high = x.trace.id_high, .id_low = x.trace.id_low + 1 }, 10), 0);
    assert_int_equal(
        count_of(&scene, &(struct traffic_filter){ .route = BYTES("other"), .service = BYTES("orders") }, 10), 1);
    scene_close(&scene);
}

/* (2): a flood of good ones washes neither failures nor the slowest out; TRAFFIC_RECENT_SIZE bounds the rest. */
static void keeps_failures_and_the_slowest(void **state)
{
    const unsigned flood = 20000;
    struct scene scene;
    struct exchange x;
    size_t all;

    scene_open(&scene);
    x = made_up(&scene.station, 0);
    x.times.start_ns = loop_clock(&scene.station.loop) - 40 * NS_PER_S;
    tell(scene.observer, &scene.station, &x); /* the slowest */
    for (unsigned i = 0; i < 5; i++) {
        x.times.start_ns = loop_clock(&scene.station.loop);
        x.outcome = OUTCOME_TIMEOUT;
        tell(scene.observer, &scene.station, &x);
    }
    x.outcome = OUTCOME_NO_ROUTE; /* its sender's own fault: not kept */
    x.response.status = 404;
    tell(scene.observer, &scene.station, &x);
    x.outcome = OUTCOME_OK;
    x.response.status = 200;
    x.response.framing = HTTP_BODY_TUNNEL;
    x.times.start_ns = loop_clock(&scene.station.loop) - 3600 * NS_PER_S;
    tell(scene.observer, &scene.station, &x); /* long, but not slow */
    x.response.framing = HTTP_BODY_NONE;
    for (unsigned i = 0; i < flood; i++) {
        x.times.start_ns = loop_clock(&scene.station.loop);
        tell(scene.observer, &scene.station, &x);
    }
    assert_int_equal(count_of(&scene, &(struct traffic_filter){ .errors = true }, 100), 5);
    assert_int_equal(count_of(&scene, &(struct traffic_filter){ .slower_ns = 10 * NS_PER_S }, 100), 1);
    all = count_of(&scene, &ALL, SIZE_MAX);
    assert_in_range(all, 500, TRAFFIC_RECENT_SIZE / 128);
    scene_close(&scene);
}

/* TRAFFIC_KEPT_SIZE: of very many failures the newest are kept. */
static void failures_go_too_in_the_end(void **state)
{
    struct traffic_list list;
    struct scene scene;
    struct exchange x;

    scene_open(&scene);
    for (unsigned i = 0; i < 20000; i++) {
        x = made_up(&scene.station, 0);
        x.outcome = OUTCOME_TIMEOUT;
        tell(scene.observer, &scene.station, &x);
    }
    assert_int_equal(traffic_read(scene.traffic, &ALL, SIZE_MAX, &list), 0);
    assert_in_range(list.count, 500, TRAFFIC_RECENT_SIZE / 128);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i]->number, 20000 - i);
    traffic_list_done(&list);
    scene_close(&scene);
}

/* (3): whoever exceeds the mark passes; it falls, from an hour to a second in 62 seconds: 3600 * (7/8)^62 < 1. */
static void the_mark_of_slowness_falls(void **state)
{
    struct slowest slowest = { 0 };
    int64_t now_ns = 1000 * NS_PER_S;
    unsigned passed = 0;

    assert_true(slowest_passes(&slowest, NS_PER_MS, now_ns));
    assert_false(slowest_passes(&slowest, NS_PER_MS, now_ns));
    assert_true(slowest_passes(&slowest, NS_PER_MS + 1, now_ns));
    assert_true(slowest_passes(&slowest, 3600 * NS_PER_S, now_ns));
    assert_false(slowest_passes(&slowest, 3599 * NS_PER_S, now_ns + NS_PER_S - 1));
    assert_false(slowest_passes(&slowest, NS_PER_S, now_ns + 61 * NS_PER_S));
    assert_true(slowest_passes(&slowest, NS_PER_S, now_ns + 62 * NS_PER_S));
    now_ns += 3600 * NS_PER_S;
    assert_true(slowest_passes(&slowest, 1, now_ns)); /* nothing is left of it */
    for (unsigned i = 0; i < 100000; i++)             /* ten seconds of a flood in which all take as long */
        passed += slowest_passes(&slowest, 5 * NS_PER_MS, now_ns + i * 100 * NS_PER_US);
    assert_int_equal(passed, 10);
}

/* Those of several workers are one list. */
static void workers_are_put_together(void **state)
{
    struct station stations[2];
    struct traffic_worker *mine[2];
    struct traffic *traffic;
    struct traffic_list list;

    assert_int_equal(traffic_create(2, &traffic), 0);
    for (unsigned i = 0; i < 2; i++) {
        station_open(&stations[i], i);
        assert_int_equal(traffic_attach(traffic, &stations[i].worker, &mine[i]), 0);
    }
    for (unsigned i = 0; i < 10; i++) {
        struct exchange x = made_up(&stations[i % 2], 0);

        tell(traffic_observer(mine[i % 2]), &stations[i % 2], &x);
    }
    for (unsigned i = 0; i < 2; i++)
        station_close(&stations[i]); /* what they told stays */
    assert_int_equal(traffic_read(traffic, &ALL, 7, &list), 0);
    assert_int_equal(list.count, 7);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(list.items[i]->worker, 1 - i % 2);
        assert_int_equal(list.items[i]->number, 5 - i / 2);
    }
    traffic_list_done(&list);
    traffic_free(traffic);
}

/* TRAFFIC_LIST_MAX: who asks for more than that gets nothing; who asks for as many as an answer may have, those. */
static void what_is_read_is_bounded(void **state)
{
    enum { WORKERS = 60, EACH = 1500 };
    struct station station;
    struct traffic *traffic;
    struct traffic_list list;

    station_open(&station, 0);
    assert_int_equal(traffic_create(WORKERS, &traffic), 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker worker = { .index = i, .loop = &station.loop };
        struct traffic_worker *mine;

        assert_int_equal(traffic_attach(traffic, &worker, &mine), 0);
        for (unsigned k = 0; k < EACH; k++) { /* each worker's are newer than those of all before */
            struct exchange x = made_up(&station, 0);

            traffic_observer(mine)->ended(traffic_observer(mine), &worker, &x);
        }
    }
    assert_int_equal(traffic_read(traffic, &ALL, SIZE_MAX, &list), -ENOMEM);
    assert_in_range(list.arena.used, TRAFFIC_LIST_MAX / 2, TRAFFIC_LIST_MAX);
    traffic_list_done(&list);
    assert_int_equal(traffic_read(traffic, &ALL, 1000, &list), 0);
    assert_int_equal(list.count, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(list.items[i]->worker, WORKERS - 1);
        assert_int_equal(list.items[i]->number, EACH - i);
    }
    traffic_list_done(&list);
    traffic_free(traffic);
    station_close(&station);
}

/* --- readers beside writers, and no memory ---------------------------------------------------------------------- */

struct flood {
    struct scene *scene;
    atomic_bool stop;
};

/* Each has its number in all that can tell it. */
static void *flood_main(void *context)
{
    struct flood *flood = context;
    struct scene *scene = flood->scene;
    char name[32];

    for (uint64_t i = 1; !atomic_load_explicit(&flood->stop, memory_order_relaxed); i++) {
        struct exchange x = made_up(&scene->station, 0);

        (void)snprintf(name, sizeof(name), "s%llu", (unsigned long long)i);
        x.service = x.route = bytes_of_text(name);
        x.sent_bytes = i;
        add_step(&x, &ENDPOINT, name, 0, 0, 1);
        x.outcome = i % 64 ? OUTCOME_OK : OUTCOME_TIMEOUT;
        tell(scene->observer, &scene->station, &x);
    }
    return NULL;
}

static void nothing_is_torn(void **state)
{
    struct scene scene;
    struct flood flood = { .scene = &scene };
    pthread_t thread;
    size_t seen = 0;

    scene_open(&scene);
    assert_int_equal(pthread_create(&thread, NULL, flood_main, &flood), 0);
    for (unsigned i = 0; i < 200 || seen == 0; i++) {
        struct traffic_list list;

        assert_int_equal(traffic_read(scene.traffic, &ALL, SIZE_MAX, &list), 0);
        for (size_t k = 0; k < list.count; k++) {
            const struct traffic_exchange *item = list.items[k];
            struct traffic_step step;
            char name[32];

            (void)snprintf(name, sizeof(name), "s%llu", (unsigned long long)item->number);
            traffic_step_at(item, 0, &step);
            assert_true(is_text(item->service, name) && is_text(item->route, name) && is_text(step.path, name));
            assert_int_equal(item->sent_bytes, item->number);
        }
        seen += list.count;
        traffic_list_done(&list);
    }
    atomic_store(&flood.stop, true);
    (void)pthread_join(thread, NULL);
    scene_close(&scene);
}

static int record_and_read(void *context)
{
    struct traffic_worker *mine;
    struct traffic_list list;
    struct traffic *traffic;
    struct station *station = context;
    int r = traffic_create(2, &traffic);

    if (r < 0)
        return r;
    r = traffic_attach(traffic, &station->worker, &mine);
    if (r == 0) {
        struct exchange x = made_up(station, 0);
        uint64_t allocations = mem_stats().allocations;

        tell(traffic_observer(mine), station, &x);
        assert_int_equal(mem_stats().allocations, allocations); /* (1) */
        r = traffic_read(traffic, &ALL, 10, &list);
        assert_true(r < 0 || list.count == 1);
        traffic_list_done(&list);
    }
    traffic_free(traffic);
    return r;
}

static void has_no_memory(void **state)
{
    struct station station;

    station_open(&station, 1);
    assert_int_equal(faults_each(record_and_read, &station), 7);
    station_close(&station);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_all_of_it),
        cmocka_unit_test(leaves_out_what_is_not_there),
        cmocka_unit_test(cuts_texts),
        cmocka_unit_test(bounds_times),
        cmocka_unit_test(filters),
        cmocka_unit_test(keeps_failures_and_the_slowest),
        cmocka_unit_test(failures_go_too_in_the_end),
        cmocka_unit_test(the_mark_of_slowness_falls),
        cmocka_unit_test(workers_are_put_together),
        cmocka_unit_test(what_is_read_is_bounded),
        cmocka_unit_test(nothing_is_torn),
        cmocka_unit_test(has_no_memory),
    };

    return cmocka_run_group_tests_name("observe/traffic", tests, NULL, NULL);
}
