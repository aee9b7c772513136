/* Checks and traffic over HTTP/1, with a service of a few lines in the same simulated process. */
#include "rig.h"

#include "io/stream.h"
#include "stage/stages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define REQUEST_MAX 2048

/* Answers one connection after the other: 503 to checks while it is not `ready`, 200 to everything else. */
struct origin {
    struct task task;
    struct rig *rig;
    uint16_t port;
    struct io_socket listener;
    struct scope scope;
    bool ready, over;
    unsigned requests, checks, connections;
    char head[REQUEST_MAX]; /* of the last check */
};

struct visit {
    struct task task;
    struct origin *origin;
    struct io_socket socket;
};

static void answer(struct origin *origin, struct io_socket socket, struct bytes head)
{
    bool check = bytes_starts(head, BYTES("GET /ready"));
    unsigned status = check && !origin->ready ? 503 : 200;
    char text[128];
    int len = snprintf(text, sizeof(text), "HTTP/1.1 %u X\r\nContent-Length: 4\r\n\r\n%04u", status, origin->port);

    if (check) {
        origin->checks++;
        snprintf(origin->head, sizeof(origin->head), "%.*s", BYTES_ARG(head));
    } else {
        origin->requests++;
    }
    (void)!stream_write(socket, bytes_of(text, (size_t)len), NS_PER_S);
}

static int visit_run(struct task *task)
{
    struct visit *visit = container_of(task, struct visit, task);
    struct io *io = loop_current()->io;
    char buffer[REQUEST_MAX];
    size_t len = 0;
    ssize_t n;

    while ((n = stream_read(visit->socket, &buffer[len], sizeof(buffer) - len, TIME_NEVER)) > 0) {
        ssize_t end;

        len += (size_t)n;
        end = bytes_find(bytes_of(buffer, len), BYTES("\r\n\r\n"));
        if (end < 0)
            continue;
        answer(visit->origin, visit->socket, bytes_of(buffer, (size_t)end));
        len = 0;
    }
    io->ops->close(io, visit->socket);
    return 0;
}

static void visit_ended(struct task *task)
{
    mem_free(container_of(task, struct visit, task));
}

static int origin_run(struct task *task)
{
    struct origin *origin = container_of(task, struct origin, task);
    struct io *io = loop_current()->io;
    struct io_socket socket;

    scope_open(&origin->scope, TIME_NEVER);
    while (stream_accept(origin->listener, &socket, NULL) == 0) {
        struct visit *visit = mem_zalloc(sizeof(*visit));
        int r = -ENOMEM;

        if (visit) {
            *visit = (struct visit){ { .run = visit_run, .ended = visit_ended }, origin, socket };
            r = scope_spawn(&origin->scope, &visit->task);
        }
        RIG_CHECK(origin->rig, r == 0);
        origin->connections++;
    }
    (void)scope_close(&origin->scope);
    io->ops->close(io, origin->listener);
    origin->over = true;
    return 0;
}

static void origin_start(struct rig *rig, struct origin *origin, uint16_t port)
{
    struct io *io = rig->control_loop->io;
    struct address address = sim_address(rig->node, port);

    *origin = (struct origin){ .task.run = origin_run, .rig = rig, .port = port, .ready = true };
    RIG_CHECK(rig, io->ops->listen(io, &address, 16, false, &origin->listener) == 0);
    RIG_CHECK(rig, loop_spawn(rig->control_loop, &origin->task) == 0);
    rig_sleep(NS_PER_MS);
}

static void origin_stop(struct origin *origin)
{
    scope_cancel(&origin->scope);
    while (!origin->over)
        rig_sleep(NS_PER_MS);
}

static void whole(struct rig *rig)
{
    static const struct balance_conf balance = { .service = { "orders", 6 } };
    struct rig_stage stages[] = { { STAGE_CHAIN[0].type, STAGE_CHAIN[0].conf },
                                  { STAGE_CHAIN[1].type, STAGE_CHAIN[1].conf },
                                  { &STAGE_BALANCE, &balance },
                                  { &STAGE_ENDPOINT, NULL } };
    struct rig_call call = { .method = HTTP_GET, .host = "shop.test", .path = "/orders" };
    struct origin origins[2];
    struct service *service;

    for (unsigned i = 0; i < 2; i++)
        origin_start(rig, &origins[i], (uint16_t)(1000 + i));
    origins[1].ready = false;
    service = rig_service(rig, "orders", 1000, 2, "/ready?deep=1");
    (void)rig_snapshot(rig, stages, ARRAY_LEN(stages));
    rig_sleep(300 * NS_PER_MS);
    RIG_CHECK(rig, service_ready_count(service) == 1);
    RIG_CHECK(rig, origins[1].checks >= 5 && origins[1].connections == 1); /* checks keep their connection */
    RIG_CHECK(rig, strstr(origins[1].head, "GET /ready?deep=1 HTTP/1.1\r\n") == origins[1].head);
    RIG_CHECK(rig, strstr(origins[1].head, "Host: 10.0.0.1:1001") && !strstr(origins[1].head, "X-Forwarded"));
    origins[1].ready = true;
    rig_sleep(100 * NS_PER_MS);
    RIG_CHECK(rig, service_ready_count(service) == 2);
    for (unsigned i = 0; i < 10; i++) {
        rig_call(rig, &call);
        RIG_CHECK(rig, call.outcome == OUTCOME_OK && call.status == 200);
    }
    RIG_CHECK(rig, origins[0].requests == 5 && origins[1].requests == 5);
    origin_stop(&origins[0]); /* one goes: nobody notices */
    call.method = HTTP_POST;
    for (unsigned i = 0; i < 10; i++) {
        rig_call(rig, &call);
        RIG_CHECK(rig, call.outcome == OUTCOME_OK && strcmp(call.body, "1001") == 0);
    }
    RIG_CHECK(rig, metric_read(&service->posts[0].metrics.ejections) == 1);
    origin_start(rig, &origins[0], 1000);
    rig_sleep(5 * NS_PER_S);
    call.method = HTTP_GET;
    for (unsigned i = 0; i < 10; i++)
        rig_call(rig, &call);
    RIG_CHECK(rig, origins[0].requests == 5);
    registry_remove(&rig->registry, service);
    rig_sleep(100 * NS_PER_MS);
    for (unsigned i = 0; i < 2; i++)
        origin_stop(&origins[i]);
}

static void service_is_checked_and_called_over_http(void **state)
{
    rig_run_real(whole, 1, &SERVICE_DIALER_HTTP);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(service_is_checked_and_called_over_http) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
