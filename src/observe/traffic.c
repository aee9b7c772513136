#include "observe/traffic.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "exchange/endpoint.h"
#include "exchange/stage.h"
#include "observe/record_ring.h"
#include "observe/slowest.h"

#include <stdlib.h>

/* --- the form of a record ---------------------------------------------------------------------------------------
 *
 * struct record, its steps, then the texts one after the other: those of TEXTS in this order, then path and detail of
 * each step. */

enum text_index {
    TEXT_PATH,
    TEXT_REQUEST_ID,
    TEXT_GATEWAY,
    TEXT_CALLER,
    TEXT_CLIENT,
    TEXT_METHOD,
    TEXT_AUTHORITY,
    TEXT_ROUTE,
    TEXT_SERVICE,
    TEXT_ENDPOINT,
    TEXT_COUNT,
};

struct record {
    uint64_t number;
    int64_t start_ns, end_ns;
    uint64_t id_high, id_low, span, parent;
    uint64_t received, sent;
    uint32_t steps_dropped;
    uint16_t status, attempts;
    uint16_t lens[TEXT_COUNT];
    uint8_t outcome, minor, sampled, step_count;
};

struct record_step {
    const struct stage_type *type; /* the program's own: it never goes */
    uint32_t start_us, duration_us;
    uint16_t number, depth, status;
    uint16_t path_len, detail_len;
    uint8_t outcome;
};

#define RECORD_SIZE (sizeof(struct record) + EXCHANGE_STEPS_MAX * sizeof(struct record_step) + TRAFFIC_TEXTS_MAX)
#define RECORD_WORDS ((RECORD_SIZE + sizeof(uint64_t) - 1) / sizeof(uint64_t))

_Static_assert(RECORD_SIZE * 8 <= TRAFFIC_KEPT_SIZE, "a ring has room for several of the largest records");
_Static_assert(EXCHANGE_STEPS_MAX <= UINT8_MAX, "they can be counted");

struct traffic_worker {
    struct observer observer;
    uint64_t number;
    struct slowest slowest;
    struct record_ring recent, kept;
    struct record *record; /* being made; room for RECORD_WORDS */
};

struct traffic {
    unsigned workers_max;
    _Atomic(struct traffic_worker *) workers[]; /* by index; NULL: not attached */
};

/* --- writing ------------------------------------------------------------------------------------------------------ */

struct packer {
    char *at, *end;
};

static inline uint16_t pack(struct packer *packer, struct bytes text, size_t max)
{
    size_t len = MIN(MIN(text.len, max), (size_t)(packer->end - packer->at));

    if (!text.data)
        return 0;
    memcpy(packer->at, text.data, len);
    packer->at += len;
    return (uint16_t)len;
}

static uint16_t pack_path(struct packer *packer, const struct http_head *request)
{
    uint16_t len = pack(packer, request->path, TRAFFIC_PATH_MAX);

    if (!request->query.data)
        return len;
    len += pack(packer, BYTES("?"), TRAFFIC_PATH_MAX - len);
    return (uint16_t)(len + pack(packer, request->query, TRAFFIC_PATH_MAX - len));
}

static void pack_texts(struct packer *packer, const struct exchange *x, uint16_t *lens)
{
    struct bytes endpoint = x->endpoint ? x->endpoint->name : BYTES_NONE;

    lens[TEXT_PATH] = pack_path(packer, &x->request);
    lens[TEXT_REQUEST_ID] = pack(packer, x->request_id, TRAFFIC_NAME_MAX);
    lens[TEXT_GATEWAY] = pack(packer, x->gateway, TRAFFIC_NAME_MAX);
    lens[TEXT_CALLER] = pack(packer, x->caller, TRAFFIC_NAME_MAX);
    lens[TEXT_CLIENT] = pack(packer, x->client, TRAFFIC_NAME_MAX);
    lens[TEXT_METHOD] = pack(packer, x->request.method_text, TRAFFIC_NAME_MAX);
    lens[TEXT_AUTHORITY] = pack(packer, x->request.authority, TRAFFIC_NAME_MAX);
    lens[TEXT_ROUTE] = pack(packer, x->route, TRAFFIC_NAME_MAX);
    lens[TEXT_SERVICE] = pack(packer, x->service, TRAFFIC_NAME_MAX);
    lens[TEXT_ENDPOINT] = pack(packer, endpoint, TRAFFIC_NAME_MAX);
}

static inline uint32_t whole_us(int64_t ns)
{
    return (uint32_t)MIN(MAX(ns, 0) / NS_PER_US, (int64_t)UINT32_MAX);
}

/* Both ends are rounded alike, so that what lay within a step still does. A step that runs ends now. */
static void pack_steps(struct packer *packer, const struct exchange *x, int64_t now_ns, struct record_step *to)
{
    int64_t origin_ns = x->times.start_ns;

    for (unsigned i = 0; i < x->steps.count; i++, to++) {
        const struct step *step = &x->steps.list[i];
        uint32_t start_us = whole_us(step->start_ns - origin_ns);
        uint32_t end_us = whole_us((step->end_ns ? step->end_ns : now_ns) - origin_ns);

        *to = (struct record_step){ .type = step->type,
                                    .start_us = start_us,
                                    .duration_us = end_us - start_us,
                                    .number = (uint16_t)MIN(step->number, (unsigned)UINT16_MAX),
                                    .depth = step->depth,
                                    .status = step->status,
                                    .outcome = step->outcome };
        to->path_len = pack(packer, step->path, TRAFFIC_NAME_MAX);
        to->detail_len = pack(packer, step->detail, TRAFFIC_NAME_MAX);
    }
}

/* Returns its words; what the last one has beyond the texts is zero. */
static unsigned make_record(struct traffic_worker *mine, const struct exchange *x, int64_t now_ns)
{
    struct record *record = mine->record;
    struct record_step *steps = (struct record_step *)(void *)(record + 1);
    char *texts = (char *)(steps + x->steps.count);
    struct packer packer = { texts, texts + TRAFFIC_TEXTS_MAX };
    size_t size;

    *record = (struct record){ .number = ++mine->number,
                               .start_ns = x->times.start_ns,
                               .end_ns = now_ns,
                               .id_high = x->trace.id_high,
                               .id_low = x->trace.id_low,
                               .span = x->trace.span,
                               .parent = x->trace.parent,
                               .received = x->received_bytes,
                               .sent = x->sent_bytes,
                               .steps_dropped = x->steps.dropped,
                               .status = (uint16_t)x->response.status,
                               .attempts = x->attempts,
                               .outcome = (uint8_t)x->outcome,
                               .minor = (uint8_t)x->request.minor,
                               .sampled = x->trace.sampled,
                               .step_count = (uint8_t)x->steps.count };
    pack_texts(&packer, x, record->lens);
    pack_steps(&packer, x, now_ns, steps);
    size = (size_t)(packer.at - (char *)record);
    memset(packer.at, 0, (sizeof(uint64_t) - size % sizeof(uint64_t)) % sizeof(uint64_t));
    return (unsigned)((size + sizeof(uint64_t) - 1) / sizeof(uint64_t));
}

/* (2) */
static bool is_kept(struct traffic_worker *mine, const struct exchange *x, int64_t now_ns)
{
    bool refused = outcome_info(x->outcome)->kind == OUTCOME_KIND_REFUSED && x->response.status < 500;

    if (!refused && traffic_failed(x->outcome, x->response.status))
        return true;
    return x->response.framing != HTTP_BODY_TUNNEL &&
           slowest_passes(&mine->slowest, now_ns - x->times.start_ns, now_ns);
}

static void ended(const struct observer *observer, struct worker *worker, const struct exchange *x)
{
    struct traffic_worker *mine = container_of((struct observer *)observer, struct traffic_worker, observer);
    int64_t now_ns;
    unsigned count;

    if (!x->source) /* (6) */
        return;
    now_ns = loop_clock(worker->loop);
    count = make_record(mine, x, now_ns);
    record_ring_write(&mine->recent, mine->record, count);
    if (is_kept(mine, x, now_ns))
        record_ring_write(&mine->kept, mine->record, count);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

int traffic_create(unsigned workers_max, struct traffic **ret)
{
    struct traffic *traffic = mem_alloc(sizeof(*traffic) + workers_max * sizeof(traffic->workers[0]));

    if (!traffic)
        return -ENOMEM;
    traffic->workers_max = workers_max;
    for (unsigned i = 0; i < workers_max; i++)
        atomic_init(&traffic->workers[i], NULL);
    *ret = traffic;
    return 0;
}

static void worker_free(struct traffic_worker *mine)
{
    record_ring_done(&mine->recent);
    record_ring_done(&mine->kept);
    mem_free(mine->record);
    mem_free(mine);
}

void traffic_free(struct traffic *traffic)
{
    for (unsigned i = 0; i < traffic->workers_max; i++) {
        struct traffic_worker *mine = atomic_load_explicit(&traffic->workers[i], memory_order_acquire);

        if (mine)
            worker_free(mine);
    }
    mem_free(traffic);
}

int traffic_attach(struct traffic *traffic, struct worker *worker, struct traffic_worker **ret)
{
    struct traffic_worker *mine;
    int r;

    ASSERT(worker->index < traffic->workers_max);
    ASSERT(!atomic_load_explicit(&traffic->workers[worker->index], memory_order_relaxed));
    mine = mem_aligned(alignof(struct traffic_worker), sizeof(*mine));
    if (!mine)
        return -ENOMEM;
    memset(mine, 0, sizeof(*mine));
    mine->observer.ended = ended;
    mine->record = mem_alloc(RECORD_WORDS * sizeof(uint64_t));
    r = mine->record ? record_ring_init(&mine->recent, TRAFFIC_RECENT_SIZE) : -ENOMEM;
    if (r == 0)
        r = record_ring_init(&mine->kept, TRAFFIC_KEPT_SIZE);
    if (r < 0) {
        worker_free(mine);
        return r;
    }
    atomic_store_explicit(&traffic->workers[worker->index], mine, memory_order_release);
    *ret = mine;
    return 0;
}

const struct observer *traffic_observer(struct traffic_worker *mine)
{
    return &mine->observer;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static struct bytes take(const char **at, size_t len)
{
    struct bytes text = bytes_of(*at, len);

    *at += len;
    return text;
}

/* Views of the record's texts. */
static void unpack(const struct record *record, unsigned worker, struct traffic_exchange *ret)
{
    const struct record_step *steps = (const struct record_step *)(const void *)(record + 1);
    const char *at = (const char *)(steps + record->step_count);

    *ret = (struct traffic_exchange){ .worker = worker,
                                      .number = record->number,
                                      .start_ns = record->start_ns,
                                      .end_ns = record->end_ns,
                                      .trace = { record->id_high, record->id_low, record->span, record->parent,
                                                 record->sampled },
                                      .minor = record->minor,
                                      .status = record->status,
                                      .attempts = record->attempts,
                                      .outcome = (enum outcome)record->outcome,
                                      .received_bytes = record->received,
                                      .sent_bytes = record->sent,
                                      .step_count = record->step_count,
                                      .steps_dropped = record->steps_dropped,
                                      .steps = record };
    ret->path = take(&at, record->lens[TEXT_PATH]);
    ret->request_id = take(&at, record->lens[TEXT_REQUEST_ID]);
    ret->gateway = take(&at, record->lens[TEXT_GATEWAY]);
    ret->caller = take(&at, record->lens[TEXT_CALLER]);
    ret->client = take(&at, record->lens[TEXT_CLIENT]);
    ret->method = take(&at, record->lens[TEXT_METHOD]);
    ret->authority = take(&at, record->lens[TEXT_AUTHORITY]);
    ret->route = take(&at, record->lens[TEXT_ROUTE]);
    ret->service = take(&at, record->lens[TEXT_SERVICE]);
    ret->endpoint = take(&at, record->lens[TEXT_ENDPOINT]);
}

void traffic_step_at(const struct traffic_exchange *exchange, unsigned index, struct traffic_step *ret)
{
    const struct record *record = exchange->steps;
    const struct record_step *steps = (const struct record_step *)(const void *)(record + 1), *step = &steps[index];
    const char *at = (const char *)(steps + record->step_count);
    struct text number = text_into(ret->number, sizeof(ret->number));

    ASSERT(index < exchange->step_count);
    for (unsigned i = 0; i < TEXT_COUNT; i++)
        at += record->lens[i];
    for (unsigned i = 0; i < index; i++)
        at += steps[i].path_len + steps[i].detail_len;
    ret->stage = bytes_of_text(step->type->name);
    ret->path = take(&at, step->path_len);
    ret->detail = take(&at, step->detail_len);
    if (ret->detail.len == 0 && step->number > 0) {
        text_add_u64(&number, step->number);
        ret->detail = text_bytes(&number);
    }
    ret->depth = step->depth;
    ret->status = step->status;
    ret->outcome = (enum outcome)step->outcome;
    ret->start_ns = (int64_t)step->start_us * NS_PER_US;
    ret->duration_ns = (int64_t)step->duration_us * NS_PER_US;
}

static bool passes(const struct traffic_filter *filter, const struct traffic_exchange *exchange)
{
    if ((filter->id_high | filter->id_low) &&
        (filter->id_high != exchange->trace.id_high || filter->id_low != exchange->trace.id_low))
        return false;
    if (filter->errors && !traffic_failed(exchange->outcome, exchange->status))
        return false;
    if (exchange->end_ns - exchange->start_ns < filter->slower_ns)
        return false;
    if (filter->service.len > 0 && !bytes_equal(filter->service, exchange->service))
        return false;
    return filter->route.len == 0 || bytes_equal(filter->route, exchange->route);
}

static int list_add(struct traffic_list *list, const struct record *record, unsigned count, unsigned worker)
{
    struct traffic_exchange *item = arena_alloc(&list->arena, sizeof(*item));
    struct record *copy = arena_alloc(&list->arena, count * sizeof(uint64_t));

    if (!item || !copy)
        return -ENOMEM;
    if (list->count == list->room) {
        size_t room = MAX(list->room * 2, (size_t)128);
        struct traffic_exchange **grown = mem_realloc(list->items, room * sizeof(*list->items));

        if (!grown)
            return -ENOMEM;
        list->items = grown;
        list->room = room;
    }
    memcpy(copy, record, count * sizeof(uint64_t));
    unpack(copy, worker, item);
    list->items[list->count++] = item;
    return 0;
}

/* One look at all rings. */
struct look {
    const struct traffic_filter *filter;
    size_t max;
    int64_t oldest_ns;     /* the list is full of what ended no earlier */
    struct record *record; /* room for RECORD_WORDS */
    struct traffic_list *list;
};

static int read_ring(const struct record_ring *ring, unsigned worker, const struct look *look)
{
    uint64_t at = record_ring_head(ring);
    size_t found = 0;
    unsigned count;

    while (found < look->max && (count = record_ring_read(ring, &at, look->record, RECORD_WORDS)) > 0) {
        struct traffic_exchange exchange;
        int r;

        unpack(look->record, worker, &exchange);
        if (exchange.end_ns < look->oldest_ns) /* and so did those that come behind it */
            break;
        if (!passes(look->filter, &exchange))
            continue;
        r = list_add(look->list, look->record, count, worker);
        if (r < 0)
            return r;
        found++;
    }
    return 0;
}

/* Newest first; copies of the same one are neighbours. */
static int compare(const void *a, const void *b)
{
    const struct traffic_exchange *left = *(struct traffic_exchange *const *)a;
    const struct traffic_exchange *right = *(struct traffic_exchange *const *)b;

    if (left->end_ns != right->end_ns)
        return left->end_ns > right->end_ns ? -1 : 1;
    if (left->worker != right->worker)
        return left->worker > right->worker ? -1 : 1;
    return left->number == right->number ? 0 : left->number > right->number ? -1 : 1;
}

/* (4): each once, and `max` of them. */
static void settle(struct traffic_list *list, size_t max)
{
    size_t kept = 0;

    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), compare);
    for (size_t i = 0; i < list->count && kept < max; i++)
        if (kept == 0 || compare(&list->items[kept - 1], &list->items[i]) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

int traffic_read(const struct traffic *traffic, const struct traffic_filter *filter, size_t max,
                 struct traffic_list *list)
{
    struct look look = { .filter = filter, .max = max, .oldest_ns = INT64_MIN, .list = list };
    int r;

    *list = (struct traffic_list){ .count = 0 };
    arena_init(&list->arena, NULL, TRAFFIC_LIST_MAX);
    look.record = arena_alloc(&list->arena, RECORD_WORDS * sizeof(uint64_t));
    r = look.record ? 0 : -ENOMEM;
    for (unsigned i = 0; i < traffic->workers_max && r == 0; i++) {
        const struct traffic_worker *mine = atomic_load_explicit(
            (_Atomic(struct traffic_worker *) *)&traffic->workers[i], memory_order_acquire);

        if (!mine)
            continue;
        r = read_ring(&mine->recent, i, &look);
        if (r == 0)
            r = read_ring(&mine->kept, i, &look);
        settle(list, max);
        if (list->count == max)
            look.oldest_ns = list->items[max - 1]->end_ns;
    }
    return r;
}

void traffic_list_done(struct traffic_list *list)
{
    mem_free(list->items);
    arena_done(&list->arena);
    list->items = NULL;
    list->count = 0;
}
