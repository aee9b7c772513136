#include "help.h"

#include "base/alloc.h"
#include "faults.h"
#include "observe/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define SERVER_LABELS                                                                        \
    "http_request_method=\"GET\",http_response_status_code=\"200\",weft_service=\"orders\"," \
    "http_route=\"orders\",weft_gateway=\"web\""
#define CLIENT_LABELS                                                                        \
    "http_request_method=\"GET\",http_response_status_code=\"200\",weft_service=\"orders\"," \
    "server_address=\"10.0.0.5\",server_port=\"80\""

static struct bytes scrape(struct metrics *metrics, const struct metric_source *const *sources)
{
    struct bytes text = BYTES_NONE;

    assert_int_equal(metrics_scrape_text(metrics, sources, &text), 0);
    (void)scrape_check(text);
    return text;
}

static void drop(struct bytes text)
{
    mem_free((void *)text.data);
}

static void counts_the_golden_signals(void **state)
{
    struct endpoint endpoint = made_up_endpoint(BYTES("orders-1"), BYTES("10.0.0.5:80"));
    struct metrics_worker *mine;
    struct metrics *metrics;
    struct station station;
    struct bytes text;
    struct exchange x;
    double descriptors;

    station_open(&station, 0);
    assert_int_equal(metrics_create(station.io, 1, &metrics), 0);
    assert_int_equal(metrics_attach(metrics, &station.worker, NULL, &mine), 0);
    x = made_up(&station, 30 * NS_PER_MS);
    tell(metrics_observer(mine), &station, &x);
    x.endpoint = &endpoint;
    x.times.sent_ns = x.times.start_ns + NS_PER_MS;
    x.times.head_ns = x.times.sent_ns + 7 * NS_PER_MS;
    x.retries = 2;
    tell(metrics_observer(mine), &station, &x);
    text = scrape(metrics, NULL);
    assert_true(scrape_value(text, "http_server_request_duration_seconds_count{" SERVER_LABELS "}") == 2);
    assert_true(scrape_value(text, "http_server_request_duration_seconds_bucket{" SERVER_LABELS ",le=\"0.025\"}") == 0);
    assert_true(scrape_value(text, "http_server_request_duration_seconds_sum{" SERVER_LABELS "}") >= 0.06);
    assert_true(scrape_value(text, "http_client_request_duration_seconds_bucket{" CLIENT_LABELS ",le=\"0.005\"}") == 0);
    assert_true(scrape_value(text, "http_client_request_duration_seconds_bucket{" CLIENT_LABELS ",le=\"0.01\"}") == 1);
    assert_true(scrape_value(text, "http_client_request_duration_seconds_sum{" CLIENT_LABELS "}") == 0.007);
    assert_true(scrape_value(text, "weft_retries_total{weft_service=\"orders\"}") == 2);
    assert_true(scrape_value(text, "weft_outcomes_total{outcome=\"ok\"}") == 2);
    assert_true(scrape_value(text, "weft_outcomes_total{outcome=\"timeout\"}") == 0);
    assert_true(scrape_value(text, "weft_metrics_series") == 2);
    assert_true(scrape_value(text, "http_server_active_requests") == 0);
    assert_true(scrape_value(text, "weft_build_info{version=\"" WEFT_VERSION "\"}") == 1);
    assert_true(scrape_value(text, "process_resident_memory_bytes") > 4096);
    assert_true(scrape_value(text, "process_start_time_seconds") > 1.6e9);
    descriptors = scrape_value(text, "process_open_fds");
    drop(text);
    assert_true(dup2(1, 900) == 900);
    text = scrape(metrics, NULL);
    assert_true(scrape_value(text, "process_open_fds") == descriptors + 1);
    drop(text);
    (void)close(900);
    metrics_detach(mine);
    metrics_free(metrics);
    station_close(&station);
}

static void names_errors(void **state)
{
    static const struct {
        enum outcome outcome;
        unsigned status;
        enum http_method method;
        const char *sample;
    } ROWS[] = {
        { OUTCOME_OK, 503, HTTP_GET,
          "http_request_method=\"GET\",http_response_status_code=\"503\",weft_service=\"orders\",error_type=\"503\","
          "weft_gateway=\"web\"" },
        { OUTCOME_OK, 404, HTTP_GET,
          "http_request_method=\"GET\",http_response_status_code=\"404\",weft_service=\"orders\",weft_gateway="
          "\"web\"" },
        { OUTCOME_TIMEOUT, 504, HTTP_POST,
          "http_request_method=\"POST\",http_response_status_code=\"504\",weft_service=\"orders\",error_type="
          "\"timeout\",weft_gateway=\"web\"" },
        { OUTCOME_CLIENT_GONE, 0, HTTP_OTHER,
          "http_request_method=\"_OTHER\",weft_service=\"orders\",error_type=\"client_gone\",weft_gateway=\"web\"" },
    };
    struct metrics_worker *mine;
    struct metrics *metrics;
    struct station station;
    struct bytes text;

    station_open(&station, 0);
    assert_int_equal(metrics_create(station.io, 1, &metrics), 0);
    assert_int_equal(metrics_attach(metrics, &station.worker, NULL, &mine), 0);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct exchange x = made_up(&station, NS_PER_MS);

        x.route = BYTES_NONE;
        x.outcome = ROWS[i].outcome;
        x.response.status = ROWS[i].status;
        x.request.method = ROWS[i].method;
        x.request.method_text = ROWS[i].method == HTTP_OTHER ? BYTES("BREW\"") : BYTES_NONE;
        tell(metrics_observer(mine), &station, &x);
    }
    text = scrape(metrics, NULL);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char sample[256];

        (void)snprintf(sample, sizeof(sample), "http_server_request_duration_seconds_count{%s}", ROWS[i].sample);
        assert_true(scrape_value(text, sample) == 1);
    }
    drop(text);
    metrics_detach(mine);
    metrics_free(metrics);
    station_close(&station);
}

/* What a client side without an answer says, and how addresses are split. */
static void names_endpoints(void **state)
{
    static const struct {
        struct bytes address;
        const char *labels;
    } ROWS[] = {
        { { "10.0.0.5:80", 11 }, "server_address=\"10.0.0.5\",server_port=\"80\"" },
        { { "[::1]:8080", 10 }, "server_address=\"::1\",server_port=\"8080\"" },
        { { "/run/a:80", 9 }, "server_address=\"/run/a:80\"" },
        { { "@name:99999", 11 }, "server_address=\"@name:99999\"" },
        { { "plain", 5 }, "server_address=\"plain\"" },
    };
    struct metrics_worker *mine;
    struct metrics *metrics;
    struct station station;
    struct bytes text;

    station_open(&station, 0);
    assert_int_equal(metrics_create(station.io, 1, &metrics), 0);
    assert_int_equal(metrics_attach(metrics, &station.worker, NULL, &mine), 0);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct endpoint endpoint = made_up_endpoint(BYTES("e"), ROWS[i].address);
        struct exchange x = made_up(&station, NS_PER_S);

        x.endpoint = &endpoint;
        x.times.head_ns = x.times.start_ns + 1; /* of a try before */
        x.times.sent_ns = x.times.start_ns + NS_PER_S / 4;
        x.outcome = OUTCOME_TRY_TIMEOUT;
        x.response.status = 504;
        tell(metrics_observer(mine), &station, &x);
    }
    text = scrape(metrics, NULL);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char labels[256], sample[400];

        (void)snprintf(labels, sizeof(labels),
                       "http_request_method=\"GET\",weft_service=\"orders\",error_type=\"try_timeout\",%s",
                       ROWS[i].labels);
        (void)snprintf(sample, sizeof(sample), "http_client_request_duration_seconds_count{%s}", labels);
        assert_true(scrape_value(text, sample) == 1);
        (void)snprintf(sample, sizeof(sample), "http_client_request_duration_seconds_bucket{%s,le=\"0.5\"}", labels);
        assert_true(scrape_value(text, sample) == 0);
    }
    drop(text);
    metrics_detach(mine);
    metrics_free(metrics);
    station_close(&station);
}

/* (5), and forks: the exchange's own end tells its observers, before its endpoint goes. */
static void free_endpoint(struct endpoint *endpoint)
{
    mem_free(endpoint);
}

static void sees_real_exchanges(void **state)
{
    struct endpoint *endpoint = mem_zalloc(sizeof(*endpoint));
    const struct observer *observers[2] = { NULL, NULL };
    struct metrics_worker *mine;
    struct metrics *metrics;
    struct http_server server = { .worker = NULL }; /* only its counters are read */
    struct station station;
    struct exchange *x, *probe;
    struct bytes text;

    station_open(&station, 0);
    assert_int_equal(metrics_create(station.io, 1, &metrics), 0);
    assert_int_equal(metrics_attach(metrics, &station.worker, &server, &mine), 0);
    observers[0] = metrics_observer(mine);
    station.worker.observers = observers;
    assert_non_null(endpoint);
    *endpoint = made_up_endpoint(BYTES("orders-1"), BYTES("10.0.0.5:80"));
    endpoint->unused = free_endpoint;
    assert_int_equal(exchange_create(&station.worker, &CLIENT, NULL, &x), 0);
    assert_int_equal(exchange_create(&station.worker, NULL, NULL, &probe), 0);
    x->request.method = HTTP_GET;
    x->response.status = 200;
    x->service = BYTES("orders");
    x->times.start_ns = x->times.sent_ns = x->times.head_ns = loop_clock(&station.loop);
    assert_int_equal(exchange_use_endpoint(x, endpoint), 0);
    endpoint_drop(endpoint); /* the exchange alone has it now */
    metric_set(&server.metrics.active, 1);
    text = scrape(metrics, NULL);
    assert_true(scrape_value(text, "http_server_active_requests") == 1);
    drop(text);
    metric_set(&server.metrics.active, 0);
    exchange_end(x, OUTCOME_OK);
    exchange_end(probe, OUTCOME_OK);
    text = scrape(metrics, NULL);
    assert_true(scrape_value(text, "http_server_active_requests") == 0);
    assert_true(scrape_value(text, "weft_outcomes_total{outcome=\"ok\"}") == 1);
    assert_true(scrape_value(text, "http_client_request_duration_seconds_count{" CLIENT_LABELS "}") == 1);
    drop(text);
    metrics_detach(mine);
    metrics_free(metrics);
    station_close(&station);
}

static void folds_series_over_the_limit(void **state)
{
    struct metrics_worker *mine;
    struct metrics *metrics;
    struct station station;
    struct bytes text;

    station_open(&station, 0);
    assert_int_equal(metrics_create(station.io, 1, &metrics), 0);
    assert_int_equal(metrics_attach(metrics, &station.worker, NULL, &mine), 0);
    for (unsigned i = 0; i < OBSERVE_SERIES_MAX + 10; i++) {
        struct exchange x = made_up(&station, NS_PER_MS);
        char route[16];

        (void)snprintf(route, sizeof(route), "route-%u", i);
        x.route = bytes_of_text(route);
        tell(metrics_observer(mine), &station, &x);
    }
    text = scrape(metrics, NULL);
    assert_true(scrape_value(text, "weft_metrics_series") == OBSERVE_SERIES_MAX);
    assert_true(scrape_value(text, "weft_metrics_series_dropped_total") == 10);
    assert_true(scrape_value(text, "http_server_request_duration_seconds_count{http_request_method=\"_OTHER\","
                                   "weft_service=\"_other\",http_route=\"_other\",weft_gateway=\"_other\"}") == 10);
    assert_true(scrape_value(text, "weft_outcomes_total{outcome=\"ok\"}") == OBSERVE_SERIES_MAX + 10);
    drop(text);
    metrics_detach(mine);
    metrics_free(metrics);
    station_close(&station);
}

/* --- who calls whom ------------------------------------------------------------------------------------------------
 */

static const struct metrics_edge *edge_of(const struct metrics_edges *edges, const char *from, bool service,
                                          const char *to)
{
    for (size_t i = 0; i < edges->count; i++) {
        const struct metrics_edge *edge = &edges->items[i];

        if (bytes_equal(edge->from, bytes_of_text(from)) && bytes_equal(edge->to, bytes_of_text(to)) &&
            edge->from_service == service)
            return edge;
    }
    return NULL;
}

static bool edge_is(const struct metrics_edge *edge, uint64_t requests, uint64_t errors, uint64_t retries)
{
    return edge && edge->requests == requests && edge->errors == errors && edge->retries == retries;
}

/* So many exchanges of each kind, spread over the workers. */
static void tell_edges(struct metrics_worker *const *mine, struct station *stations)
{
    for (unsigned i = 0; i < 60; i++) {
        struct exchange x = made_up(&stations[i % 2], 30 * NS_PER_MS);

        if (i % 3 == 0) { /* a service calls another one */
            x.caller = BYTES("orders");
            x.service = BYTES("inventory");
            x.gateway = i % 2 ? BYTES("mesh") : BYTES("web"); /* by whichever gateway */
        }
        if (i % 3 == 1)
            x.service = BYTES_NONE;
        x.retries = i % 3 == 2 ? 2 : 0;
        if (i % 10 == 0)
            x.outcome = OUTCOME_TIMEOUT;
        if (i % 10 == 1)
            x.response.status = 500;
        if (i % 10 == 2)
            x.response.status = 404; /* the client's own */
        tell(metrics_observer(mine[i % 2]), &stations[i % 2], &x);
    }
}

static void tells_who_calls_whom(void **state)
{
    struct metrics_worker *mine[2];
    struct metrics_edges edges;
    struct station stations[2];
    struct metrics *metrics;
    uint64_t requests = 0;
    struct bytes text;

    station_open(&stations[0], 0);
    station_open(&stations[1], 1);
    assert_int_equal(metrics_create(stations[0].io, 2, &metrics), 0);
    assert_int_equal(metrics_edges_take(metrics, &edges), 0);
    assert_int_equal(edges.count, 0);
    metrics_edges_done(&edges);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(metrics_attach(metrics, &stations[i].worker, NULL, &mine[i]), 0);
    tell_edges(mine, stations);
    assert_int_equal(metrics_edges_take(metrics, &edges), 0);
    assert_int_equal(edges.count, 3);
    assert_true(edge_is(edge_of(&edges, "web", false, "orders"), 20, 4, 40));
    assert_true(edge_is(edge_of(&edges, "orders", true, "inventory"), 20, 4, 0));
    assert_true(edge_is(edge_of(&edges, "web", false, ""), 20, 4, 0));
    assert_true(edge_of(&edges, "web", false, "orders")->duration.sum_ns >= 20 * 30 * (uint64_t)NS_PER_MS);
    for (size_t i = 0; i < edges.count; i++)
        requests += edges.items[i].requests;
    text = scrape(metrics, NULL);
    assert_true(scrape_value(text, "weft_outcomes_total{outcome=\"ok\"}") +
                    scrape_value(text, "weft_outcomes_total{outcome=\"timeout\"}") ==
                (double)requests); /* the same numbers, told in two ways */
    assert_true(scrape_has(text, "http_server_request_duration_seconds_count{http_request_method=\"GET\","
                                 "http_response_status_code=\"200\",weft_service=\"inventory\",http_route=\"orders\","
                                 "weft_gateway=\"mesh\",weft_caller=\"orders\"}"));
    drop(text);
    metrics_edges_done(&edges);
    for (unsigned i = 0; i < 2; i++)
        metrics_detach(mine[i]);
    metrics_free(metrics);
    station_close(&stations[1]);
    station_close(&stations[0]);
}

static void write_answer(const struct metric_source *source, struct metrics_writer *writer)
{
    metrics_sample(writer, NULL, 0, *(const uint64_t *)source->context);
}

static void shows_workers_and_sources(void **state)
{
    const uint64_t answer = 42;
    const struct metric_source source = {
        .name = "answer", .help = "The answer.", .type = "gauge", .context = &answer, .write = write_answer
    };
    const struct metric_source *const sources[] = { &source, NULL };
    struct http_endpoint_stats stats[2] = { 0 };
    struct metrics_endpoint endpoints[2];
    struct http_server server = { 0 };
    struct metrics_worker *mine;
    struct metrics *metrics;
    struct station station;
    struct exchange *x;
    struct bytes text;

    station_open(&station, 3);
    assert_int_equal(metrics_create(station.io, 4, &metrics), 0);
    metric_add(&server.metrics.connections_open, 5);
    assert_int_equal(metrics_attach(metrics, &station.worker, &server, &mine), 0);
    metrics_endpoint_add(mine, &endpoints[0], &stats[0]);
    metrics_endpoint_add(mine, &endpoints[1], &stats[1]);
    metric_add(&stats[0].connects, 3);
    metric_add(&stats[1].connects, 4);
    metrics_endpoint_remove(mine, &endpoints[0]);
    assert_int_equal(exchange_create(&station.worker, &CLIENT, NULL, &x), 0);
    station.loop.now_ns += 2 * OBSERVE_SAMPLE_NS;
    for (int64_t until = loop_clock(&station.loop) + WAIT_NS;; drop(text)) { /* the sampler comes by itself */
        station_turn(&station);
        text = scrape(metrics, sources);
        if (scrape_value(text, "weft_exchanges{weft_worker=\"3\"}") == 1)
            break;
        assert_true(loop_clock(&station.loop) < until);
    }
    assert_true(scrape_value(text, "weft_exchanges_highest{weft_worker=\"3\"}") == 1);
    assert_true(scrape_value(text, "weft_client_connects_total{weft_worker=\"3\"}") == 7);
    assert_true(scrape_value(text, "weft_server_connections{weft_worker=\"3\"}") == 5);
    assert_true(scrape_value(text, "weft_mailbox_letters{weft_worker=\"3\"}") == 0);
    assert_false(scrape_has(text, "weft_fibers{weft_worker=\"0\"}"));
    assert_true(scrape_value(text, "answer") == 42);
    drop(text);
    exchange_discard(x);
    metrics_endpoint_remove(mine, &endpoints[1]);
    metrics_detach(mine);
    text = scrape(metrics, NULL);
    assert_true(scrape_value(text, "weft_exchanges{weft_worker=\"3\"}") == 0);
    drop(text);
    metrics_free(metrics);
    station_close(&station);
}

/* Samples of at least `context` bytes in all. */
static void write_much(const struct metric_source *source, struct metrics_writer *writer)
{
    static char value[OBSERVE_NAME_MAX];
    struct metrics_label labels[2] = { { "filler", BYTES_NONE }, { "number", BYTES_NONE } };
    char number[DECIMAL_TEXT_MAX];

    memset(value, 'v', sizeof(value));
    labels[0].value = bytes_of(value, sizeof(value));
    for (size_t written = 0; written < *(const size_t *)source->context; written += sizeof(value)) {
        (void)snprintf(number, sizeof(number), "%zu", written);
        labels[1].value = bytes_of_text(number);
        metrics_sample(writer, labels, 2, 1);
    }
}

/* OBSERVE_SCRAPE_MAX */
static void refuses_a_scrape_without_end(void **state)
{
    const size_t much = OBSERVE_SCRAPE_MAX, little = OBSERVE_CHUNK_SIZE;
    struct metric_source source = { .name = "much", .help = "Much.", .type = "gauge", .write = write_much };
    const struct metric_source *const sources[] = { &source, NULL };
    struct metrics *metrics;
    struct station station;
    struct bytes text = BYTES_NONE;

    station_open(&station, 0);
    assert_int_equal(metrics_create(station.io, 1, &metrics), 0);
    source.context = &much;
    assert_int_equal(metrics_scrape_text(metrics, sources, &text), -EFBIG);
    assert_null(text.data);
    source.context = &little;
    text = scrape(metrics, sources);
    assert_true(text.len > OBSERVE_CHUNK_SIZE);
    drop(text);
    metrics_free(metrics);
    station_close(&station);
}

/* --- workers that count while somebody reads --------------------------------------------------------------------- */

#define ROUNDS 20000
#define THREADS 2

struct counting {
    struct metrics *metrics;
    unsigned index;
    pthread_t thread;
    pthread_barrier_t *begin, *end;
    atomic_bool *done;
};

static void *count_away(void *context)
{
    struct counting *counting = context;
    struct metrics_worker *mine;
    struct station station;
    struct exchange x;
    char route[16];

    station_open(&station, counting->index);
    assert_int_equal(metrics_attach(counting->metrics, &station.worker, NULL, &mine), 0);
    (void)pthread_barrier_wait(counting->begin);
    for (unsigned i = 0; i < ROUNDS; i++) {
        x = made_up(&station, NS_PER_MS);
        (void)snprintf(route, sizeof(route), "route-%u", i / 100);
        x.route = bytes_of_text(route);
        tell(metrics_observer(mine), &station, &x);
    }
    atomic_store(counting->done, true);
    metrics_detach(mine);
    (void)pthread_barrier_wait(counting->end); /* the worker's struct stays until the last scrape */
    station_close(&station);
    return NULL;
}

static void is_read_while_workers_count(void **state)
{
    struct counting counting[THREADS];
    pthread_barrier_t begin, end;
    atomic_bool done = false;
    struct metrics *metrics;
    struct station station;
    double before = 0, now;
    struct bytes text;

    station_open(&station, THREADS);
    assert_int_equal(metrics_create(station.io, THREADS + 1, &metrics), 0);
    assert_int_equal(pthread_barrier_init(&begin, NULL, THREADS + 1), 0);
    assert_int_equal(pthread_barrier_init(&end, NULL, THREADS + 1), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        counting[i] = (struct counting){ .metrics = metrics, .index = i, .begin = &begin, .end = &end, .done = &done };
        assert_int_equal(pthread_create(&counting[i].thread, NULL, count_away, &counting[i]), 0);
    }
    (void)pthread_barrier_wait(&begin);
    do {
        text = scrape(metrics, NULL);
        now = scrape_value(text, "weft_outcomes_total{outcome=\"ok\"}");
        assert_true(now >= before); /* counters don't fall */
        before = now;
        drop(text);
    } while (!atomic_load(&done));
    (void)pthread_barrier_wait(&end);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(counting[i].thread, NULL), 0);
    station_close(&station);
    metrics_free(metrics);
    (void)pthread_barrier_destroy(&begin);
    (void)pthread_barrier_destroy(&end);
}

/* --- no memory --------------------------------------------------------------------------------------------------- */

static int live_once(void *context)
{
    struct station *station = context;
    struct metrics_worker *mine;
    struct metrics_edges edges;
    struct metrics *metrics;
    struct bytes text;
    int r = metrics_create(station->io, 1, &metrics);

    if (r < 0)
        return r;
    r = metrics_attach(metrics, &station->worker, NULL, &mine);
    if (r == 0) {
        struct exchange x = made_up(station, NS_PER_MS);

        tell(metrics_observer(mine), station, &x);
        if (metrics_scrape_text(metrics, NULL, &text) == 0) {
            if (!scrape_has(text, "process_resident_memory_bytes") ||
                !scrape_has(text, "http_server_request_duration_seconds_count{" SERVER_LABELS "}"))
                r = -ENOMEM;
            drop(text);
        } else {
            r = -ENOMEM;
        }
        if (r == 0)
            r = metrics_edges_take(metrics, &edges);
        if (r == 0) {
            assert_int_equal(edges.items[0].requests, 1);
            metrics_edges_done(&edges);
        }
        metrics_detach(mine);
    }
    metrics_free(metrics);
    return r;
}

static void has_no_memory(void **state)
{
    struct station station;

    station_open(&station, 0);
    assert_true(faults_each(live_once, &station) >= 6);
    station_close(&station);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_golden_signals),
        cmocka_unit_test(names_errors),
        cmocka_unit_test(names_endpoints),
        cmocka_unit_test(sees_real_exchanges),
        cmocka_unit_test(folds_series_over_the_limit),
        cmocka_unit_test(tells_who_calls_whom),
        cmocka_unit_test(shows_workers_and_sources),
        cmocka_unit_test(refuses_a_scrape_without_end),
        cmocka_unit_test(is_read_while_workers_count),
        cmocka_unit_test(has_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
