#include "service/instance.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/loop.h"
#include "service/probe.h"

static void instance_asked(struct letter *letter, struct loop *loop)
{
    struct instance *instance = container_of(letter, struct instance, ask);

    CHECK_MAGIC(instance, INSTANCE_MAGIC);
    atomic_store_explicit(&instance->asked, false, memory_order_release);
    if (instance->probe)
        probe_ask(instance->probe);
    instance_drop(instance);
}

/* Copies `from` to *place and moves *place behind it. */
static struct bytes put(char **place, struct bytes from)
{
    struct bytes copy = bytes_of(*place, from.len);

    if (from.len > 0)
        memcpy(*place, from.data, from.len);
    *place += from.len;
    return copy;
}

struct service_settings service_settings_put(const struct service_settings *settings, char *place)
{
    struct service_settings copy = *settings;

    copy.ready = put(&place, settings->ready);
    copy.live = put(&place, settings->live);
    copy.host = put(&place, settings->host);
    return copy;
}

size_t service_settings_size(const struct service_settings *settings)
{
    return settings->ready.len + settings->live.len + settings->host.len;
}

struct bytes live_name(enum live_state state)
{
    switch (state) {
    case LIVE_OFF: return BYTES("off");
    case LIVE_OK: return BYTES("ok");
    case LIVE_FAILING: return BYTES("failing");
    }
    return BYTES("unknown");
}

int instance_create(struct loop *control, struct bytes service, const struct instance_conf *conf,
                    const struct service_settings *settings, struct instance **ret)
{
    char buffer[ADDRESS_TEXT_MAX];
    struct text address = text_into(buffer, sizeof(buffer));
    struct bytes name;
    struct instance *instance;
    char *place;

    address_write(&address, &conf->address);
    name = conf->name.len ? conf->name : text_bytes(&address);
    instance = mem_zalloc(sizeof(*instance) + service.len + name.len + address.len + service_settings_size(settings));
    if (!instance)
        return -ENOMEM;
    place = (char *)(instance + 1);
    instance->magic = INSTANCE_MAGIC;
    atomic_init(&instance->uses, 1);
    instance->service = put(&place, service);
    instance->name = put(&place, name);
    instance->text = put(&place, text_bytes(&address));
    instance->settings = service_settings_put(settings, place);
    instance->address = conf->address;
    instance->generation = conf->generation;
    instance->was_ready = conf->was_ready;
    atomic_init(&instance->live, settings->live.len ? LIVE_OK : LIVE_OFF);
    instance->ask.run = instance_asked;
    instance->control = control;
    *ret = instance;
    return 0;
}

int instance_count_workers(struct instance *instance, unsigned workers)
{
    instance->counts = mem_aligned(alignof(struct instance_count), workers * sizeof(struct instance_count));
    if (!instance->counts)
        return -ENOMEM;
    memset(instance->counts, 0, workers * sizeof(struct instance_count));
    instance->count_room = workers;
    return 0;
}

struct metric *instance_count_at(struct instance *instance, unsigned worker)
{
    return worker < instance->count_room ? &instance->counts[worker].active : NULL;
}

uint64_t instance_active(const struct instance *instance)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < instance->count_room; i++)
        sum += metric_read(&instance->counts[i].active);
    return sum;
}

void instance_leave(struct instance *instance)
{
    instance->leaving = true;
    probes_stop_of(instance);
    atomic_store_explicit(&instance->ready, (int)HEALTH_UNREADY, memory_order_relaxed);
}

void instance_use(struct instance *instance)
{
    atomic_fetch_add_explicit(&instance->uses, 1, memory_order_relaxed);
}

void instance_drop(struct instance *instance)
{
    unsigned before = atomic_fetch_sub_explicit(&instance->uses, 1, memory_order_acq_rel);

    ASSERT(before > 0);
    if (before > 1)
        return;
    CHECK_MAGIC(instance, INSTANCE_MAGIC);
    ASSERT(!instance->probe && !instance->live_probe);
    instance->magic = 0;
    mem_free(instance->counts);
    mem_free(instance);
}

static bool rules_equal(const struct check_rules *a, const struct check_rules *b)
{
    return a->every_ns == b->every_ns && a->timeout_ns == b->timeout_ns && a->failures == b->failures;
}

bool service_settings_equal(const struct service_settings *a, const struct service_settings *b)
{
    return bytes_equal(a->ready, b->ready) && bytes_equal(a->live, b->live) && bytes_equal(a->host, b->host) &&
           rules_equal(&a->ready_rules, &b->ready_rules) && rules_equal(&a->live_rules, &b->live_rules) &&
           a->connections_max == b->connections_max && a->connect_ns == b->connect_ns && a->idle_ns == b->idle_ns &&
           a->body_ns == b->body_ns;
}

bool instance_same_place(const struct instance *instance, const struct instance_conf *conf)
{
    return instance->generation == conf->generation && address_equal(&instance->address, &conf->address);
}

bool instance_same(const struct instance *instance, const struct instance_conf *conf,
                   const struct service_settings *settings)
{
    return instance_same_place(instance, conf) &&
           bytes_equal(instance->name, conf->name.len ? conf->name : instance->text) &&
           service_settings_equal(&instance->settings, settings);
}

/* --- passive marking ------------------------------------------------------------------------------------ */

int64_t instance_eject_ns(unsigned ejection)
{
    int64_t ns = EJECT_FIRST_NS;

    while (--ejection > 0 && ns < EJECT_MAX_NS)
        ns *= 2;
    return MIN(ns, EJECT_MAX_NS);
}

/* A letter to the control loop, unless one is on its way. When its mailbox is full, the next regular check will do. */
static void ask(struct instance *instance)
{
    if (atomic_exchange_explicit(&instance->asked, true, memory_order_acq_rel))
        return;
    instance_use(instance);
    if (loop_post(instance->control, &instance->ask) == 0)
        return;
    atomic_store_explicit(&instance->asked, false, memory_order_release);
    instance_drop(instance);
}

bool instance_eject(struct instance *instance, enum outcome outcome, int64_t now_ns)
{
    int64_t until_ns = atomic_load_explicit(&instance->ejected_until_ns, memory_order_relaxed);
    unsigned ejection = atomic_load_explicit(&instance->ejections, memory_order_relaxed) + 1;

    atomic_store_explicit(&instance->last_outcome, (int)outcome, memory_order_relaxed);
    atomic_store_explicit(&instance->last_outcome_ns, now_ns, memory_order_relaxed);
    if (until_ns > now_ns)
        return false; /* a failure of the same ejection */
    if (!atomic_compare_exchange_strong_explicit(&instance->ejected_until_ns, &until_ns,
                                                 now_ns + instance_eject_ns(ejection), memory_order_relaxed,
                                                 memory_order_relaxed))
        return false; /* another worker was faster */
    atomic_store_explicit(&instance->ejections, ejection, memory_order_relaxed);
    ask(instance);
    return true;
}

void instance_clear(struct instance *instance)
{
    /* Nearly always there is nothing to clear, and then the shared line is only read. */
    if (atomic_load_explicit(&instance->ejections, memory_order_relaxed) == 0)
        return;
    atomic_store_explicit(&instance->ejections, 0, memory_order_relaxed);
    atomic_store_explicit(&instance->ejected_until_ns, 0, memory_order_relaxed);
}
