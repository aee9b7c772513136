/* GET /metrics: what src/observe counts about the service, and its own counters and gauges. */
#include "base/alloc.h"
#include "chassis/service.h"

struct weft_metric {
    struct list_node node; /* in service->own_metrics */
    struct metric value;
    bool counter;
    struct bytes family, label, label_value; /* label empty: none */
    const char *help;
    char texts[]; /* family, label's name, its value, help; each ends with a zero */
};

static struct weft_metric *metric_at(const struct list_node *node)
{
    return container_of(node, struct weft_metric, node);
}

/* --- names ---------------------------------------------------------------------------------------------------- */

/* Prometheus: [a-zA-Z_][a-zA-Z0-9_]*. The colon is for rules. */
static bool is_identifier(struct bytes name)
{
    if (name.len == 0 || name.len > OBSERVE_NAME_MAX || (name.data[0] >= '0' && name.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

/* name{label="value"}; a value needs no escapes here. */
static bool parse_name(struct bytes text, struct bytes *ret_family, struct bytes *ret_label, struct bytes *ret_value)
{
    ssize_t brace = bytes_find_char(text, '{'), equals;
    struct bytes rest;

    *ret_family = brace < 0 ? text : bytes_slice(text, 0, (size_t)brace);
    *ret_label = *ret_value = BYTES_NONE;
    if (!is_identifier(*ret_family))
        return false;
    if (brace < 0)
        return true;
    rest = bytes_skip(text, (size_t)brace + 1);
    equals = bytes_find_char(rest, '=');
    if (equals < 0 || !bytes_ends(rest, BYTES("\"}")))
        return false;
    *ret_label = bytes_slice(rest, 0, (size_t)equals);
    rest = bytes_slice(rest, (size_t)equals + 1, rest.len - 1);
    if (!is_identifier(*ret_label) || rest.len < 2 || rest.data[0] != '"')
        return false;
    *ret_value = bytes_slice(rest, 1, rest.len - 1);
    return ret_value->len <= OBSERVE_NAME_MAX && bytes_find_char(*ret_value, '"') < 0 &&
           bytes_find_char(*ret_value, '\\') < 0;
}

/* Help texts are written as they are: the format would want these escaped. */
static bool is_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == '\\')
            return false;
    return true;
}

/* Families that are there without the service's doing. */
static bool is_taken(struct bytes family)
{
    return bytes_starts(family, BYTES("weft_")) || bytes_starts(family, BYTES("http_")) ||
           bytes_starts(family, BYTES("process_"));
}

/* --- making them ---------------------------------------------------------------------------------------------- */

static const struct weft_metric *first_of(const struct weft_service *service, struct bytes family)
{
    LIST_EACH (&service->own_metrics, node, next)
        if (bytes_equal(metric_at(node)->family, family))
            return metric_at(node);
    return NULL;
}

static bool is_there(const struct weft_service *service, struct bytes family, struct bytes label, struct bytes value)
{
    LIST_EACH (&service->own_metrics, node, next) {
        const struct weft_metric *metric = metric_at(node);

        if (bytes_equal(metric->family, family) && bytes_equal(metric->label, label) &&
            bytes_equal(metric->label_value, value))
            return true;
    }
    return false;
}

static struct bytes keep(char **at, struct bytes text)
{
    struct bytes kept = bytes_of(*at, text.len);

    if (text.len > 0)
        memcpy(*at, text.data, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return kept;
}

static struct weft_metric *make(struct weft_service *service, struct bytes family, struct bytes label,
                                struct bytes value, const char *help)
{
    struct weft_metric *metric = mem_zalloc(sizeof(*metric) + family.len + label.len + value.len + strlen(help) + 4);
    char *at;

    if (!metric)
        return NULL;
    at = metric->texts;
    metric->family = keep(&at, family);
    metric->label = keep(&at, label);
    metric->label_value = keep(&at, value);
    metric->help = keep(&at, bytes_of_text(help)).data;
    list_push_back(&service->own_metrics, &metric->node);
    service->own_metric_count++;
    return metric;
}

static const char *wrong_with(const struct weft_service *service, const char *help, bool counter, struct bytes family,
                              struct bytes label, struct bytes value)
{
    const struct weft_metric *first = first_of(service, family);

    if (!is_line(help))
        return "its help text is one line, without a backslash";
    if (is_taken(family))
        return "names that begin with weft_, http_ and process_ are taken";
    if (counter && !bytes_ends(family, BYTES("_total")))
        return "a counter's name ends with _total";
    if (first && first->counter != counter)
        return "it is a counter and a gauge";
    if (is_there(service, family, label, value))
        return "there already";
    return service->own_metric_count == WEFT_METRICS_MAX ? "a service has at most 64" : NULL;
}

static struct weft_metric *add(struct weft_service *service, const char *name, const char *help, bool counter)
{
    struct bytes family, label, value;
    struct weft_metric *metric;
    const char *wrong;

    if (!service_is(service) || service->chassis->started)
        return NULL;
    if (!name || !help || strlen(help) > CHASSIS_HELP_MAX ||
        !parse_name(bytes_of_text(name), &family, &label, &value)) {
        (void)service_fault(service, -EINVAL, "metric %s: names are like orders_total, or orders_total{state=\"paid\"}",
                            name ? name : "");
        return NULL;
    }
    wrong = wrong_with(service, help, counter, family, label, value);
    metric = wrong ? NULL : make(service, family, label, value, help);
    if (!metric)
        (void)service_fault(service, -EINVAL, "metric %s: %s", name, wrong ? wrong : "there is no memory");
    else
        metric->counter = counter;
    return metric;
}

struct weft_metric *weft_counter(struct weft_service *service, const char *name, const char *help)
{
    return add(service, name, help, true);
}

struct weft_metric *weft_gauge(struct weft_service *service, const char *name, const char *help)
{
    return add(service, name, help, false);
}

void weft_count(struct weft_metric *counter, uint64_t more)
{
    if (counter && counter->counter)
        metric_add(&counter->value, more);
}

void weft_gauge_set(struct weft_metric *gauge, uint64_t value)
{
    if (gauge && !gauge->counter)
        metric_set(&gauge->value, value);
}

/* --- a scrape ------------------------------------------------------------------------------------------------- */

static void write_family(const struct metric_source *source, struct metrics_writer *writer)
{
    const struct weft_service *service = source->context;

    LIST_EACH (&service->own_metrics, node, next) {
        const struct weft_metric *metric = metric_at(node);
        const struct metrics_label label = { metric->label.data, metric->label_value };

        if (bytes_equal(metric->family, bytes_of_text(source->name)))
            metrics_sample(writer, &label, metric->label.len > 0 ? 1 : 0, metric_read(&metric->value));
    }
}

static unsigned list_families(const struct weft_service *service, struct metric_source *sources,
                              const struct metric_source **list)
{
    unsigned count = 0;

    LIST_EACH (&service->own_metrics, node, next) {
        const struct weft_metric *metric = metric_at(node);

        if (first_of(service, metric->family) != metric)
            continue;
        sources[count] = (struct metric_source){ .name = metric->family.data,
                                                 .help = metric->help,
                                                 .type = metric->counter ? "counter" : "gauge",
                                                 .context = service,
                                                 .write = write_family };
        list[count] = &sources[count];
        count++;
    }
    list[count] = NULL;
    return count;
}

static int metrics_handler(struct weft_call *call, void *user)
{
    struct weft_service *service = call->service;
    struct metric_source *sources = weft_alloc(call, WEFT_METRICS_MAX * sizeof(*sources));
    const struct metric_source **list = weft_alloc(call, (WEFT_METRICS_MAX + 1) * sizeof(*list));
    struct bytes text;
    int r;

    if (!sources || !list)
        return -ENOMEM;
    (void)list_families(service, sources, list);
    r = metrics_scrape_text(service->metrics, list, &text);
    if (r < 0)
        return r;
    r = weft_answer(call, 200, METRICS_CONTENT_TYPE, text.data, text.len);
    mem_free((void *)(uintptr_t)text.data);
    return r;
}

const struct route METRICS_ROUTE = { .handler = metrics_handler };

/* --- birth and end -------------------------------------------------------------------------------------------- */

int service_metrics_open(struct weft_service *service)
{
    int r = metrics_create(service->chassis->io, 1, &service->metrics);

    if (r < 0)
        return r;
    r = metrics_attach(service->metrics, &service->worker, &service->server, &service->metrics_worker);
    if (r < 0) {
        metrics_free(service->metrics);
        service->metrics = NULL;
        return r;
    }
    service->observers[0] = metrics_observer(service->metrics_worker);
    service->worker.observers = service->observers;
    return 0;
}

void service_metrics_close(struct weft_service *service)
{
    service->worker.observers = NULL;
    metrics_detach(service->metrics_worker);
    metrics_free(service->metrics);
    LIST_EACH (&service->own_metrics, node, next) {
        list_remove(node);
        mem_free(metric_at(node));
    }
}
