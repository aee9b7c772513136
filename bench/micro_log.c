/* micro_log - what an exchange pays for being observed: nanoseconds of CPU time for a line of the access log, for a
 * count in the metrics, for a record of recent traffic, and for the steps of its way through six stages. `ninja -C
 * build/release tests/unit/observe/micro-log` builds it. */
#include "base/alloc.h"
#include "exchange/endpoint.h"
#include "exchange/stage.h"
#include "io/linux/linux.h"
#include "observe/access_log.h"
#include "observe/metrics.h"
#include "observe/traffic.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 20
#define A_ROUND 400 /* a ring holds them, so that nothing is dropped */
#define WARM 3
#define STAGES 6 /* of a usual request */

static const struct source_ops OPS = { .name = "bench" };

struct bench {
    struct io *io;
    struct loop loop;
    struct worker worker;
    struct metrics *metrics;
    struct metrics_worker *counts;
    struct access_log *log;
    struct access_log_ring *ring;
    struct traffic *traffic;
    struct traffic_worker *records;
    struct stage stages[STAGES];
    struct source source;
    struct endpoint endpoint;
    struct http_field fields[8];
    struct exchange x;
};

static int64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int fill(struct bench *bench)
{
    struct exchange *x = &bench->x;

    bench->source.ops = &OPS;
    bench->endpoint = (struct endpoint){ .name = BYTES("orders-2"), .address = BYTES("10.0.0.5:9000") };
    *x = (struct exchange){ .source = &bench->source,
                            .endpoint = &bench->endpoint,
                            .worker = &bench->worker,
                            .route = BYTES("orders-by-id"),
                            .service = BYTES("orders"),
                            .client = BYTES("192.168.100.200"),
                            .gateway = BYTES("web"),
                            .request_id = BYTES("6f1c2a90-77f2-4f0e-9a4c-0d5e3b1a2c3d"),
                            .trace = { 0x4bf92f3577b34da6, 0xa3ce929d0e0e4736, 0xf067aa0ba902b7, 0, true },
                            .attempts = 1,
                            .sent_bytes = 1024 };
    x->request.method = HTTP_GET;
    x->request.method_text = BYTES("GET");
    x->request.authority = BYTES("shop.example.com");
    x->request.path = BYTES("/api/orders/123456");
    x->request.query = BYTES("expand=lines&limit=20");
    x->request.minor = 1;
    x->request.fields = bench->fields;
    x->request.field_max = (unsigned)ARRAY_LEN(bench->fields);
    x->response.status = 200;
    x->times.start_ns = loop_clock(&bench->loop) - 3 * NS_PER_MS;
    x->times.sent_ns = x->times.start_ns + 40 * NS_PER_US;
    x->times.head_ns = x->times.sent_ns + 2 * NS_PER_MS;
    if (http_head_add(&x->request, HTTP_FIELD_HOST, x->request.authority) < 0)
        return -EINVAL;
    return http_head_add(&x->request, HTTP_FIELD_USER_AGENT,
                         BYTES("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"));
}

/* Does nothing but go on. */
static enum outcome pass_run(const struct stage *stage, struct exchange *x)
{
    return stage->next ? stage_next(stage, x) : OUTCOME_OK;
}

static enum outcome bare_run(const struct stage *stage, struct exchange *x)
{
    return stage->next ? stage->next->type->run(stage->next, x) : OUTCOME_OK;
}

static const struct stage_type PASS = { .name = "endpoint", .run = pass_run };
static const struct stage_type BARE = { .name = "bare", .run = bare_run };

static void chain(struct bench *bench, const struct stage_type *type)
{
    for (unsigned i = 0; i < STAGES; i++)
        bench->stages[i] = (struct stage){ .type = type,
                                           .path = BYTES("services/orders/endpoint"),
                                           .next = i + 1 < STAGES ? &bench->stages[i + 1] : NULL };
}

/* One way through the stages. */
static double measure_way(struct bench *bench, const struct stage_type *type)
{
    enum outcome (*volatile run)(const struct stage *, struct exchange *) = type->run;
    double best = 1e9;

    chain(bench, type);
    for (int round = -WARM; round < ROUNDS; round++) {
        int64_t from = cpu_ns();
        double each;

        for (unsigned i = 0; i < A_ROUND; i++) {
            bench->x.steps.count = 0;
            if (run(&bench->stages[0], &bench->x) != OUTCOME_OK)
                return -1;
        }
        each = (double)(cpu_ns() - from) / A_ROUND;
        if (round >= 0 && each < best)
            best = each;
    }
    return best;
}

/* The best round: what else the machine does only adds. */
static double measure(struct bench *bench, const struct observer *observer)
{
    double best = 1e9;

    for (int round = -WARM; round < ROUNDS; round++) {
        int64_t from = cpu_ns();
        double each;

        for (unsigned i = 0; i < A_ROUND; i++)
            observer->ended(observer, &bench->worker, &bench->x);
        each = (double)(cpu_ns() - from) / A_ROUND;
        if (round >= 0 && each < best)
            best = each;
        for (unsigned i = 0; i < 50; i++) /* the writer empties the ring */
            (void)loop_turn(&bench->loop, loop_clock(&bench->loop) + 2 * NS_PER_MS);
    }
    return best;
}

static int run(struct bench *bench)
{
    double line, count, bare, way, record;
    int r = fill(bench);

    if (r < 0)
        return r;
    line = measure(bench, access_log_observer(bench->ring));
    count = measure(bench, metrics_observer(bench->counts));
    bare = measure_way(bench, &BARE);
    way = measure_way(bench, &PASS);
    bench->x.steps.count = 0;
    if (stage_run(&bench->stages[0], &bench->x) != OUTCOME_OK) /* the record has six */
        return -EINVAL;
    bench->x.times.start_ns -= 3600 * NS_PER_S; /* others are not among the slowest, which are written twice */
    traffic_observer(bench->records)->ended(traffic_observer(bench->records), &bench->worker, &bench->x);
    bench->x.times.start_ns += 3600 * NS_PER_S;
    record = measure(bench, traffic_observer(bench->records));
    (void)printf("a line of the access log  %6.0f ns  (%llu lines, %llu dropped)\n", line,
                 (unsigned long long)access_log_lines(bench->log), (unsigned long long)access_log_dropped(bench->log));
    (void)printf("a count in the metrics    %6.0f ns\n", count);
    (void)printf("steps of %u stages         %6.0f ns\n", STAGES, way - bare);
    (void)printf("a record of it            %6.0f ns\n", record);
    return 0;
}

static int open_all(struct bench *bench, int descriptor)
{
    int r = io_linux_open(&bench->io);

    if (r == 0)
        r = loop_init(&bench->loop, bench->io, NULL);
    if (r == 0)
        r = worker_init(&bench->worker, 0, &bench->loop, NULL);
    if (r == 0)
        r = metrics_create(bench->io, 1, &bench->metrics);
    if (r == 0)
        r = metrics_attach(bench->metrics, &bench->worker, NULL, &bench->counts);
    if (r == 0)
        r = traffic_create(1, &bench->traffic);
    if (r == 0)
        r = traffic_attach(bench->traffic, &bench->worker, &bench->records);
    if (r == 0)
        r = access_log_create(&bench->loop, descriptor, 1, &bench->log);
    return r < 0 ? r : access_log_attach(bench->log, &bench->worker, &bench->ring);
}

int main(void)
{
    struct bench bench;
    int r = open_all(&bench, open("/dev/null", O_WRONLY));

    if (r == 0)
        r = run(&bench);
    if (r < 0) {
        (void)fprintf(stderr, "micro_log: error %d\n", -r);
        return 1;
    }
    access_log_detach(bench.ring);
    metrics_detach(bench.counts);
    loop_stop(&bench.loop);
    loop_run(&bench.loop);
    access_log_close(bench.log);
    metrics_free(bench.metrics);
    traffic_free(bench.traffic);
    worker_done(&bench.worker);
    loop_done(&bench.loop);
    io_linux_close(bench.io);
    return 0;
}
