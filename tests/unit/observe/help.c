#include "help.h"

#include "io/linux/linux.h"

static const struct source_ops CLIENT_OPS = { .name = "test" };

struct source CLIENT = { &CLIENT_OPS };

void station_open(struct station *station, unsigned index)
{
    assert_int_equal(io_linux_open(&station->io), 0);
    assert_int_equal(loop_init(&station->loop, station->io, NULL), 0);
    assert_int_equal(worker_init(&station->worker, index, &station->loop, NULL), 0);
}

void station_close(struct station *station)
{
    worker_done(&station->worker);
    loop_done(&station->loop);
    io_linux_close(station->io);
}

void station_turn(struct station *station)
{
    (void)loop_turn(&station->loop, loop_clock(&station->loop) + 5 * NS_PER_MS);
}

struct exchange made_up(struct station *station, int64_t took_ns)
{
    struct exchange x = {
        .magic = EXCHANGE_MAGIC,
        .outcome = OUTCOME_OK,
        .worker = &station->worker,
        .source = &CLIENT,
        .route = BYTES("orders"),
        .service = BYTES("orders"),
        .client = BYTES("10.0.0.9"),
        .request_id = BYTES("r-1"),
        .gateway = BYTES("web"),
        .scheme = BYTES("http"),
        .trace = { .id_high = 0x4bf92f3577b34da6, .id_low = 0xa3ce929d0e0e4736, .span = 0x00f067aa0ba902b7 },
    };

    x.request.method = HTTP_GET;
    x.request.method_text = BYTES("GET");
    x.request.authority = BYTES("shop.example");
    x.request.path = BYTES("/orders");
    x.request.minor = 1;
    x.response.status = 200;
    x.times.start_ns = loop_clock(&station->loop) - took_ns;
    return x;
}

struct endpoint made_up_endpoint(struct bytes name, struct bytes address)
{
    return (struct endpoint){ .name = name, .address = address, .uses = 1 };
}
