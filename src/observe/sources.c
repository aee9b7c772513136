/* Metrics of workers and of the process that need no labels but the worker's index: tables, and those who read them. */
#include "base/alloc.h"
#include "observe/metrics_internal.h"

struct family {
    const char *name, *help, *type;
    size_t offset; /* of its metric */
};

#define SAMPLED(member) offsetof(struct metrics_worker, sampled.member)
#define SERVER(member) offsetof(struct http_server, metrics.member)

/* In struct metrics_worker. */
static const struct family SAMPLED_FAMILIES[] = {
    { "weft_fibers", "Fibers in use.", "gauge", SAMPLED(fibers) },
    { "weft_fibers_highest", "Most fibers in use at a time so far.", "gauge", SAMPLED(fibers_highest) },
    { "weft_fibers_refused_total", "Tasks that found no free fiber.", "counter", SAMPLED(fibers_refused) },
    { "weft_exchanges", "Exchanges in use, with forks and copies.", "gauge", SAMPLED(exchanges) },
    { "weft_exchanges_highest", "Most exchanges in use at a time so far.", "gauge", SAMPLED(exchanges_highest) },
    { "weft_exchanges_refused_total", "Exchanges for which there was no room.", "counter", SAMPLED(exchanges_refused) },
    { "weft_buffers", "Buffers in use.", "gauge", SAMPLED(buffers) },
    { "weft_buffers_highest", "Most buffers in use at a time so far.", "gauge", SAMPLED(buffers_highest) },
    { "weft_buffers_refused_total", "Takes that found no buffer.", "counter", SAMPLED(buffers_refused) },
    { "weft_bulk_buffers", "Large buffers in use.", "gauge", SAMPLED(bulk_buffers) },
    { "weft_bulk_buffers_highest", "Most large buffers in use at a time so far.", "gauge",
      SAMPLED(bulk_buffers_highest) },
    { "weft_bulk_buffers_refused_total", "Takes that found no large buffer.", "counter",
      SAMPLED(bulk_buffers_refused) },
    { "weft_arena_blocks", "Blocks of memory that exchanges hold.", "gauge", SAMPLED(blocks) },
    { "weft_arena_blocks_highest", "Most blocks held at a time so far.", "gauge", SAMPLED(blocks_highest) },
    { "weft_arena_blocks_refused_total", "Takes that found no block.", "counter", SAMPLED(blocks_refused) },
    { "weft_client_connects_total", "Connections made to endpoints.", "counter", SAMPLED(endpoints.connects) },
    { "weft_client_connect_failures_total", "Connections to endpoints that failed.", "counter",
      SAMPLED(endpoints.connect_failures) },
    { "weft_client_reuses_total", "Requests sent on a connection kept from before.", "counter",
      SAMPLED(endpoints.reuses) },
    { "weft_client_replays_total", "Requests sent once more after a kept connection had closed.", "counter",
      SAMPLED(endpoints.replays) },
    { "weft_client_idle_closed_total", "Idle connections that an endpoint closed.", "counter",
      SAMPLED(endpoints.idle_closed_by_peer) },
    { "weft_client_protocol_errors_total", "Malformed answers of endpoints.", "counter",
      SAMPLED(endpoints.protocol_errors) },
};

/* In struct http_server. */
static const struct family SERVER_FAMILIES[] = {
    { "weft_server_connections_total", "Connections accepted from clients.", "counter", SERVER(connections) },
    { "weft_server_connections", "Connections of clients that are open.", "gauge", SERVER(connections_open) },
    { "weft_server_connections_refused_total", "Connections closed at once for want of room.", "counter",
      SERVER(refused) },
    { "weft_server_requests_malformed_total", "Requests refused by the codec.", "counter", SERVER(rejected) },
    { "weft_server_requests_parked_total", "Requests that waited for a fiber or an exchange.", "counter",
      SERVER(parked_full) },
    { "weft_server_slow_clients_total", "Clients dropped for slowness while fibers were scarce.", "counter",
      SERVER(slow_clients) },
};

/* --- workers -------------------------------------------------------------------------------------------------------
 */

static void write_worker(struct metrics_writer *writer, const struct metrics_worker *mine, uint64_t value)
{
    char memory[DECIMAL_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct metrics_label label = { "weft_worker", BYTES_NONE };

    text_add_u64(&text, mine->worker->index);
    label.value = text_bytes(&text);
    metrics_sample(writer, &label, 1, value);
}

static uint64_t metric_at(const void *base, size_t offset)
{
    return metric_read((const struct metric *)(const void *)((const char *)base + offset));
}

static void write_families(struct metrics *metrics, struct metrics_writer *writer, const struct family *families,
                           size_t count, bool of_server)
{
    for (size_t i = 0; i < count; i++) {
        const struct metrics_worker *mine;
        unsigned at = 0;

        metrics_family(writer, families[i].name, families[i].help, families[i].type);
        while ((mine = metrics_next_worker(metrics, &at)) != NULL) {
            const void *base = of_server ? (const void *)mine->server : mine;

            if (base)
                write_worker(writer, mine, metric_at(base, families[i].offset));
        }
    }
}

static void write_mail(struct metrics *metrics, struct metrics_writer *writer)
{
    struct metrics_worker *mine;
    unsigned at = 0;

    metrics_family(writer, "weft_mailbox_letters", "Letters that wait for the worker.", "gauge");
    while ((mine = metrics_next_worker(metrics, &at)) != NULL)
        write_worker(writer, mine, atomic_load_explicit(&mine->worker->loop->mail.count, memory_order_relaxed));
}

void metrics_write_workers(struct metrics *metrics, struct metrics_writer *writer)
{
    write_families(metrics, writer, SAMPLED_FAMILIES, ARRAY_LEN(SAMPLED_FAMILIES), false);
    write_families(metrics, writer, SERVER_FAMILIES, ARRAY_LEN(SERVER_FAMILIES), true);
    write_mail(metrics, writer);
}

/* --- the process ---------------------------------------------------------------------------------------------------
 */

/* The kilobytes of a line of /proc/self/status: "VmRSS:      1234 kB". */
static bool status_kilobytes(struct bytes status, struct bytes name, uint64_t *ret)
{
    struct bytes line, number;

    while (bytes_split(&status, '\n', &line)) {
        if (!bytes_starts(line, name))
            continue;
        line = bytes_trim(bytes_skip(line, name.len));
        return bytes_split(&line, ' ', &number) && bytes_to_u64(number, ret) == 0;
    }
    return false;
}

/* The kernel writes it at once: this read waits for no disk. Where there is no such file, there is no sample. */
static void write_memory(struct metrics *metrics, struct metrics_writer *writer)
{
    struct bytes status;
    uint64_t kilobytes;

    metrics_family(writer, "process_resident_memory_bytes", "Resident memory size in bytes.", "gauge");
    if (metrics->io->ops->file_read(metrics->io, "/proc/self/status", OBSERVE_STATUS_MAX, &status) < 0)
        return;
    if (status_kilobytes(status, BYTES("VmRSS:"), &kilobytes))
        metrics_sample(writer, NULL, 0, kilobytes * 1024);
    mem_free((void *)status.data);
}

static void write_descriptors(struct metrics *metrics, struct metrics_writer *writer)
{
    int count = metrics->io->ops->descriptors_open(metrics->io);

    metrics_family(writer, "process_open_fds", "Number of open file descriptors.", "gauge");
    if (count >= 0)
        metrics_sample(writer, NULL, 0, (uint64_t)count);
}

void metrics_write_process(struct metrics *metrics, struct metrics_writer *writer)
{
    struct metrics_label version = { "version", BYTES(WEFT_VERSION) };

    write_memory(metrics, writer);
    write_descriptors(metrics, writer);
    metrics_family(writer, "process_start_time_seconds", "When the process started, since 1970.", "gauge");
    metrics_sample_seconds(writer, NULL, 0, metrics->started_ns);
    metrics_family(writer, "weft_build_info", "The version that runs.", "gauge");
    metrics_sample(writer, &version, 1, 1);
}
