/* weft_service_...: what the registry knows, for /metrics. On the control loop. */
#include "base/assert.h"
#include "control/api.h"

#define LABEL "weft_service"

static void write_sample(struct metrics_writer *writer, const struct service *service, uint64_t value)
{
    const struct metrics_label label = { LABEL, service->name };

    metrics_sample(writer, &label, 1, value);
}

static struct service *next(const struct metric_source *source, struct service *service)
{
    return registry_next(source->context, service);
}

static void write_endpoints(const struct metric_source *source, struct metrics_writer *writer)
{
    for (struct service *service = next(source, NULL); service; service = next(source, service))
        write_sample(writer, service, service->set ? service->set->count : 0);
}

static void write_ready(const struct metric_source *source, struct metrics_writer *writer)
{
    for (struct service *service = next(source, NULL); service; service = next(source, service))
        write_sample(writer, service, service_ready_count(service));
}

static const struct metric *metric_at(const struct service_metrics *metrics, size_t offset)
{
    return (const struct metric *)(const void *)((const char *)metrics + offset);
}

static void write_sum(const struct metric_source *source, struct metrics_writer *writer, size_t offset)
{
    for (struct service *service = next(source, NULL); service; service = next(source, service)) {
        uint64_t sum = 0;

        for (unsigned i = 0; i < service->post_count; i++)
            sum += metric_read(metric_at(&service->posts[i].metrics, offset));
        write_sample(writer, service, sum);
    }
}

static void write_ejections(const struct metric_source *source, struct metrics_writer *writer)
{
    write_sum(source, writer, offsetof(struct service_metrics, ejections));
}

static void write_panics(const struct metric_source *source, struct metrics_writer *writer)
{
    write_sum(source, writer, offsetof(struct service_metrics, panics));
}

static void write_empty(const struct metric_source *source, struct metrics_writer *writer)
{
    write_sum(source, writer, offsetof(struct service_metrics, empty));
}

static void write_refused(const struct metric_source *source, struct metrics_writer *writer)
{
    write_sum(source, writer, offsetof(struct service_metrics, retries_refused));
}

static const struct metric_source OURS[] = {
    { "weft_service_endpoints", "Instances of the service.", "gauge", NULL, write_endpoints },
    { "weft_service_endpoints_ready", "Instances of the service that are ready.", "gauge", NULL, write_ready },
    { "weft_service_ejections_total", "Instances that were avoided for a while since nobody could connect to them.",
      "counter", NULL, write_ejections },
    { "weft_service_panics_total", "Choices among instances that were all to be avoided.", "counter", NULL,
      write_panics },
    { "weft_service_no_endpoint_total", "Choices when no instance was ready.", "counter", NULL, write_empty },
    { "weft_service_retries_refused_total", "Retries that the retry budget did not allow.", "counter", NULL,
      write_refused },
};

void control_sources_init(struct control_sources *sources, const struct registry *registry,
                          const struct metric_source *const *more)
{
    *sources = (struct control_sources){ .count = 0 };
    for (size_t i = 0; i < ARRAY_LEN(OURS); i++) {
        sources->sources[i] = OURS[i];
        sources->sources[i].context = registry;
        sources->list[sources->count++] = &sources->sources[i];
    }
    for (; more && *more; more++) {
        ASSERT(sources->count < CONTROL_SOURCES_MAX);
        sources->list[sources->count++] = *more;
    }
}
