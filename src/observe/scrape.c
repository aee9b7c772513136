/* The scrape: adds up what the workers counted, and writes it. */
#include "base/alloc.h"
#include "exchange/outcome.h"
#include "observe/metrics_internal.h"

/* --- labels ------------------------------------------------------------------------------------------------------- */

struct labels {
    struct metrics_label labels[OBSERVE_LABELS_MAX];
    unsigned count;
    char status[DECIMAL_TEXT_MAX];
};

static void label(struct labels *labels, const char *name, struct bytes value)
{
    labels->labels[labels->count++] = (struct metrics_label){ name, value };
}

/* OpenTelemetry: the methods of RFC 9110 and PATCH; all others are one. */
static struct bytes method_label(const struct series_key *key)
{
    return key->method == HTTP_OTHER ? BYTES("_OTHER") : http_method_name((enum http_method)key->method);
}

/* The labels that both sides have. */
static void label_exchange(struct labels *labels, const struct series_key *key, unsigned error_status)
{
    struct text text = text_into(labels->status, sizeof(labels->status));
    struct bytes error = BYTES_NONE;

    if (key->status)
        text_add_u64(&text, key->status);
    if (key->outcome != OUTCOME_OK)
        error = outcome_info((enum outcome)key->outcome)->name;
    else if (key->status >= error_status)
        error = text_bytes(&text);
    label(labels, "http_request_method", method_label(key));
    label(labels, "http_response_status_code", text_bytes(&text));
    label(labels, "weft_service", key->service);
    label(labels, "error_type", error);
}

/* Those of the server's side: the way in. */
static void label_way(struct labels *labels, const struct series_key *key)
{
    label(labels, "http_route", key->place);
    label(labels, "weft_gateway", key->gateway);
    label(labels, "weft_caller", key->caller);
}

static bool is_port(struct bytes text)
{
    uint64_t port;

    return bytes_to_u64(text, &port) == 0 && port <= UINT16_MAX;
}

/* "10.0.0.5:80" and "[::1]:80" have a port; the path of a unix socket is an address without one. */
static void label_address(struct labels *labels, struct bytes address)
{
    ssize_t colon = (ssize_t)address.len - 1;
    struct bytes host = address, port = BYTES_NONE;

    while (colon > 0 && address.data[colon] != ':')
        colon--;
    if (colon > 0 && !bytes_starts(address, BYTES("/")) && is_port(bytes_skip(address, (size_t)colon + 1))) {
        host = bytes_slice(address, 0, (size_t)colon);
        port = bytes_skip(address, (size_t)colon + 1);
    }
    if (bytes_starts(host, BYTES("[")) && bytes_ends(host, BYTES("]")))
        host = bytes_slice(host, 1, host.len - 1);
    label(labels, "server_address", host);
    label(labels, "server_port", port);
}

/* --- families ------------------------------------------------------------------------------------------------------
 */

static void write_series(struct metrics_writer *writer, const struct series_key *key, const struct histogram_sum *sum)
{
    struct labels labels = { .count = 0 };

    label_exchange(&labels, key, key->kind == SERIES_SERVER ? 500 : 400);
    if (key->kind == SERIES_SERVER)
        label_way(&labels, key);
    else
        label_address(&labels, key->place);
    metrics_histogram(writer, labels.labels, labels.count, &HISTOGRAM_HTTP_SECONDS, sum);
}

static void write_durations(struct metrics_writer *writer, const struct metrics_view *view)
{
    for (size_t from = 0, to; from < view->count; from = to) {
        const struct series_key *key = &view->series[from]->key;
        struct histogram_sum sum = { 0 };

        for (to = from; to < view->count && series_key_compare(&view->series[to]->key, key) == 0; to++)
            histogram_sum_add(&sum, &view->series[to]->duration);
        write_series(writer, key, &sum);
    }
}

/* `view`: the client's. */
static void write_retries(struct metrics_writer *writer, const struct metrics_view *view)
{
    metrics_family(writer, "weft_retries_total", "Tries after the first.", "counter");
    for (size_t from = 0, to; from < view->count; from = to) {
        const struct series_key *key = &view->series[from]->key;
        struct metrics_label service = { "weft_service", key->service };
        uint64_t count = 0;

        for (to = from; to < view->count && bytes_equal(view->series[to]->key.service, key->service); to++)
            count += metric_read(&view->series[to]->retries);
        metrics_sample(writer, &service, 1, count);
    }
}

static void write_outcomes(struct metrics *metrics, struct metrics_writer *writer)
{
    metrics_family(writer, "weft_outcomes_total", "Exchanges that have ended, by how.", "counter");
    for (unsigned outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        struct metrics_label name = { "outcome", outcome_info((enum outcome)outcome)->name };
        const struct metrics_worker *mine;
        uint64_t count = 0;
        unsigned at = 0;

        while ((mine = metrics_next_worker(metrics, &at)) != NULL)
            count += metric_read(&mine->outcomes[outcome]);
        metrics_sample(writer, &name, 1, count);
    }
}

static void write_active(struct metrics *metrics, struct metrics_writer *writer)
{
    const struct metrics_worker *mine;
    uint64_t count = 0;
    unsigned at = 0;

    while ((mine = metrics_next_worker(metrics, &at)) != NULL)
        if (mine->server)
            count += metric_read(&mine->server->metrics.active);
    metrics_family(writer, "http_server_active_requests", "Requests of clients that are under way.", "gauge");
    metrics_sample(writer, NULL, 0, count);
}

static void write_series_use(struct metrics *metrics, struct metrics_writer *writer)
{
    const struct metrics_worker *mine;
    uint64_t dropped = 0;
    unsigned at = 0;

    while ((mine = metrics_next_worker(metrics, &at)) != NULL)
        dropped += metric_read(&mine->table.dropped);
    metrics_family(writer, "weft_metrics_series", "Series of durations that the process has.", "gauge");
    metrics_sample(writer, NULL, 0, atomic_load_explicit(&metrics->admission.count, memory_order_relaxed));
    metrics_family(writer, "weft_metrics_series_dropped_total",
                   "Durations counted under _other because the limit on series was reached.", "counter");
    metrics_sample(writer, NULL, 0, dropped);
}

static int write_exchanges(struct metrics *metrics, struct metrics_writer *writer)
{
    struct metrics_view view = { NULL, 0, 0 };
    int r = metrics_view_take(&view, metrics, SERIES_SERVER);

    if (r == 0) {
        metrics_family(writer, "http_server_request_duration_seconds",
                       "Time from a request's head to the last byte of its answer.", "histogram");
        write_durations(writer, &view);
        r = metrics_view_take(&view, metrics, SERIES_CLIENT);
    }
    if (r == 0) {
        metrics_family(writer, "http_client_request_duration_seconds",
                       "Time from sending the last try to an endpoint to the head of its answer.", "histogram");
        write_durations(writer, &view);
        write_retries(writer, &view);
    }
    metrics_view_done(&view);
    return r;
}

int metrics_scrape(struct metrics *metrics, const struct metric_source *const *sources, struct metrics_sink *sink)
{
    struct metrics_writer *writer;
    int r = metrics_writer_create(sink, &writer), written;

    if (r < 0)
        return r;
    r = write_exchanges(metrics, writer);
    if (r == 0) {
        write_active(metrics, writer);
        write_outcomes(metrics, writer);
        write_series_use(metrics, writer);
        metrics_write_workers(metrics, writer);
        metrics_write_process(metrics, writer);
        for (; sources && *sources; sources++) {
            metrics_family(writer, (*sources)->name, (*sources)->help, (*sources)->type);
            (*sources)->write(*sources, writer);
        }
    }
    written = metrics_writer_finish(writer);
    return r < 0 ? r : written;
}

/* --- into memory ---------------------------------------------------------------------------------------------------
 */

struct memory_sink {
    struct metrics_sink sink;
    char *data;
    size_t len, room;
};

static int memory_write(struct metrics_sink *sink, struct bytes chunk)
{
    struct memory_sink *memory = container_of(sink, struct memory_sink, sink);

    if (chunk.len > OBSERVE_SCRAPE_MAX - memory->len)
        return -EFBIG;
    if (chunk.len > memory->room - memory->len) {
        size_t room = MAX(memory->room * 2, memory->len + chunk.len);
        char *grown = mem_realloc(memory->data, room);

        if (!grown)
            return -ENOMEM;
        memory->data = grown;
        memory->room = room;
    }
    memcpy(memory->data + memory->len, chunk.data, chunk.len);
    memory->len += chunk.len;
    return 0;
}

int metrics_scrape_text(struct metrics *metrics, const struct metric_source *const *sources, struct bytes *ret)
{
    struct memory_sink memory = { .sink.write = memory_write };
    int r = metrics_scrape(metrics, sources, &memory.sink);

    if (r < 0)
        mem_free(memory.data);
    else
        *ret = bytes_of(memory.data, memory.len);
    return r;
}
