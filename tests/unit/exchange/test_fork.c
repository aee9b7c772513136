#include "rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct note {
    struct ending ending;
    struct rig *rig;
    const char *text;
};

static void note_run(struct ending *ending, struct exchange *x, enum outcome outcome)
{
    struct note *note = container_of(ending, struct note, ending);

    rig_note(note->rig, note->text);
    rig_note(note->rig, outcome_info(outcome)->name.data);
}

static void note_at_end(struct rig *rig, struct exchange *x, const char *text)
{
    struct note *note = arena_alloc(&x->arena, sizeof(*note));

    RIG_CHECK(rig, note != NULL);
    *note = (struct note){ .ending = { .run = note_run }, .rig = rig, .text = text };
    exchange_at_end(x, &note->ending);
}

static void endpoint_is_unused(struct endpoint *endpoint)
{
    endpoint->address = BYTES("unused");
}

static bool is_unused(const struct endpoint *endpoint)
{
    return bytes_equal(endpoint->address, BYTES("unused"));
}

/* The winner's answer, endings, arena and endpoint move up; the loser's don't. */
static void adopted(struct rig *rig)
{
    struct endpoint one = { .uses = 1, .unused = endpoint_is_unused }, two = one;
    struct exchange *x = rig_exchange(rig), *winner = NULL, *loser = NULL;
    struct bytes chunk = BYTES_NONE;

    note_at_end(rig, x, "parent");
    RIG_CHECK(rig, exchange_fork(x, &winner) == 0 && exchange_fork(x, &loser) == 0);
    RIG_CHECK(rig, winner->parent == x && !winner->source && winner->scope == x->scope);
    RIG_CHECK(rig, exchange_use_endpoint(winner, &one) == 0 && exchange_use_endpoint(loser, &two) == 0);
    note_at_end(rig, winner, "first");
    note_at_end(rig, winner, "second");
    note_at_end(rig, loser, "loser");
    winner->attempts = 2;
    RIG_CHECK(rig, exchange_answer(winner, 201, BYTES("text/plain"), BYTES("won")) == 0);
    exchange_end(loser, OUTCOME_CANCELED);
    RIG_TOLD(rig, "loser;canceled;");
    RIG_CHECK(rig, two.uses == 1 && two.in_flight == 0);
    exchange_adopt(x, winner);
    RIG_CHECK(rig, rig->worker.exchanges.out == 1);
    RIG_CHECK(rig, x->endpoint == &one && one.in_flight == 1 && x->attempts == 2);
    RIG_CHECK(rig, x->response.status == 201 && body_read(x->response_body, &chunk) == 1);
    RIG_CHECK(rig, bytes_equal(chunk, BYTES("won")));
    RIG_CHECK(rig, bytes_equal(http_head_value(&x->response, HTTP_FIELD_CONTENT_TYPE), BYTES("text/plain")));
    RIG_CHECK(rig, exchange_use_endpoint(x, &two) == 0); /* another choice takes the place of the adopted one */
    RIG_CHECK(rig, one.uses == 1 && one.in_flight == 0 && two.uses == 2 && two.in_flight == 1);
    endpoint_drop(&two);
    exchange_end(x, OUTCOME_OK);
    RIG_TOLD(rig, "loser;canceled;second;ok;first;ok;parent;ok;");
    RIG_CHECK(rig, is_unused(&two) && !is_unused(&one));
}

/* An endpoint that is chosen again may have no other use. */
static void chosen_again(struct rig *rig)
{
    struct endpoint endpoint = { .uses = 1, .unused = endpoint_is_unused };
    struct exchange *x = rig_exchange(rig);

    RIG_CHECK(rig, exchange_use_endpoint(x, &endpoint) == 0);
    endpoint_drop(&endpoint);
    RIG_CHECK(rig, exchange_use_endpoint(x, &endpoint) == 0);
    RIG_CHECK(rig, !is_unused(&endpoint) && endpoint.uses == 1 && endpoint.in_flight == 1);
    exchange_end(x, OUTCOME_OK);
    RIG_CHECK(rig, is_unused(&endpoint));
}

static void owned(struct rig *rig)
{
    struct exchange *x = rig_exchange(rig), *child = NULL, *grandchild = NULL;

    RIG_CHECK(rig, exchange_fork(x, &child) == 0 && child->shared_request);
    RIG_CHECK(rig, child->request.fields == x->request.fields);
    RIG_CHECK(rig, exchange_own_request(child) == 0 && !child->shared_request);
    RIG_CHECK(rig, http_head_add(&child->request, HTTP_FIELD_RANGE, BYTES("bytes=0-1")) == 0);
    RIG_CHECK(rig, exchange_own_request(child) == 0 && child->request.field_count == 3); /* once is enough */
    RIG_CHECK(rig, x->request.field_count == 2 && !http_head_has(&x->request, HTTP_FIELD_RANGE));
    RIG_CHECK(rig, exchange_fork(child, &grandchild) == 0 && grandchild->shared_request);
    RIG_CHECK(rig, grandchild->parent == child && http_head_has(&grandchild->request, HTTP_FIELD_RANGE));
    note_at_end(rig, grandchild, "grandchild");
    RIG_CHECK(rig, exchange_answer(grandchild, 200, BYTES_NONE, BYTES("deep")) == 0);
    exchange_adopt(child, grandchild);
    exchange_adopt(x, child);
    RIG_CHECK(rig, x->response.status == 200 && rig->worker.exchanges.out == 1);
    exchange_end(x, OUTCOME_OK);
    RIG_TOLD(rig, "grandchild;ok;");
}

/* --- bodies ------------------------------------------------------------------------------------------------- */

static struct exchange *with_body(struct rig *rig, struct rig_source *source, uint64_t len)
{
    struct exchange *x = rig_exchange(rig);

    rig_source_init(source, rig, len, 3000);
    RIG_CHECK(rig, exchange_set_request_body(x, &source->body) == 0);
    return x;
}

static void forks_read(struct rig *rig)
{
    struct rig_source *source = mem_zalloc(sizeof(*source));
    struct exchange *x = with_body(rig, source, 10000), *one = NULL, *two = NULL;

    RIG_CHECK(rig, exchange_fork(x, &one) == 0);
    RIG_CHECK(rig, rig_read(rig, one->request_body, 5000) == 1);
    RIG_CHECK(rig, exchange_fork(x, &two) == 0);
    RIG_CHECK(rig, rig_read(rig, two->request_body, UINT64_MAX) == 0 && two->request_body->read == 10000);
    exchange_end(two, OUTCOME_CANCELED);
    RIG_CHECK(rig, source->closed == 0 && rig_read(rig, one->request_body, UINT64_MAX) == 0);
    exchange_adopt(x, one);
    RIG_CHECK(rig, rig_read(rig, x->request_body, UINT64_MAX) == 0);
    exchange_end(x, OUTCOME_OK);
    RIG_CHECK(rig, source->closed == 1);
    mem_free(source);
}

static void too_late_to_fork(struct rig *rig)
{
    struct rig_source *source = mem_zalloc(sizeof(*source));
    struct exchange *x = with_body(rig, source, 2 * TEE_MAX), *child = NULL;

    RIG_CHECK(rig, rig_read(rig, x->request_body, TEE_MAX + 1) == 1);
    RIG_CHECK(rig, !exchange_replayable(x) && exchange_rewind(x) == -ENOBUFS);
    RIG_CHECK(rig, exchange_fork(x, &child) == -ENOBUFS && exchange_detach(x, &child) == -ENOBUFS && !child);
    RIG_CHECK(rig, rig->worker.exchanges.out == 1);
    exchange_end(x, OUTCOME_OK);
    mem_free(source);
}

static void rewound(struct rig *rig)
{
    struct rig_source *source = mem_zalloc(sizeof(*source));
    struct exchange *x = with_body(rig, source, 10000);

    RIG_CHECK(rig, exchange_answer(x, 503, BYTES("text/plain"), BYTES("not now")) == 0);
    for (unsigned i = 0; i < 3; i++) {
        RIG_CHECK(rig, rig_read(rig, x->request_body, 4000 + 4000 * i) >= 0);
        RIG_CHECK(rig, exchange_replayable(x) && exchange_rewind(x) == 0);
        RIG_CHECK(rig, x->request_body->read == 0 && !x->response_body && x->response.status == 0);
        RIG_CHECK(rig, !http_head_has(&x->response, HTTP_FIELD_CONTENT_TYPE));
    }
    RIG_CHECK(rig, exchange_answer(x, 200, BYTES_NONE, BYTES("now")) == 0);
    x->answered = true;
    RIG_CHECK(rig, !exchange_replayable(x) && exchange_rewind(x) == -EALREADY && x->response.status == 200);
    exchange_end(x, OUTCOME_OK);
    mem_free(source);
}

/* --- copies --------------------------------------------------------------------------------------------------- */

static bool is_there(struct bytes bytes, const char *text)
{
    return bytes_equal(bytes, bytes_of_text(text));
}

/* Nothing of the copy points into the original: under ASan that would be seen. */
static void detached(struct rig *rig)
{
    struct exchange *x = rig_exchange(rig), *copy = NULL;
    struct exchange_parameter *parameter = arena_alloc(&x->arena, sizeof(*parameter));

    RIG_CHECK(rig, parameter != NULL);
    RIG_CHECK(rig, arena_copy(&x->arena, BYTES("id"), &parameter->name) == 0);
    RIG_CHECK(rig, arena_copy(&x->arena, BYTES("17"), &parameter->value) == 0);
    x->parameters = parameter;
    x->parameter_count = 1;
    RIG_CHECK(rig, arena_copy(&x->arena, BYTES("10.1.2.3"), &x->client) == 0);
    RIG_CHECK(rig, arena_copy(&x->arena, BYTES("id-1"), &x->request_id) == 0);
    RIG_CHECK(rig, arena_copy(&x->arena, BYTES("/own"), &x->request.path) == 0);
    RIG_CHECK(rig, arena_copy(&x->arena, BYTES("value"), &x->request.fields[1].value) == 0);
    x->request_trailers = arena_zalloc(&x->arena, sizeof(*x->request_trailers));
    RIG_CHECK(rig, x->request_trailers && exchange_detach(x, &copy) == 0);
    exchange_end(x, OUTCOME_OK);
    RIG_CHECK(rig, copy->detached && !copy->parent && !copy->scope && !copy->shared_request && !copy->request_trailers);
    RIG_CHECK(rig, copy->parameter_count == 1 && is_there(copy->parameters[0].name, "id"));
    RIG_CHECK(rig, is_there(copy->parameters[0].value, "17"));
    RIG_CHECK(rig, is_there(copy->client, "10.1.2.3") && is_there(copy->request_id, "id-1"));
    RIG_CHECK(rig, is_there(copy->request.path, "/own") && is_there(copy->request.method_text, "POST"));
    RIG_CHECK(rig, copy->request.query.data == NULL); /* none: not an empty one */
    RIG_CHECK(rig,
              is_there(copy->request.fields[0].name, "Cookie") && is_there(copy->request.fields[1].value, "value"));
    RIG_CHECK(rig, http_head_add(&copy->request, HTTP_FIELD_RANGE, BYTES("bytes=0-1")) == 0);
    RIG_CHECK(rig, exchange_rewind(copy) == 0);
    exchange_end(copy, OUTCOME_OK);
}

/* A copy never reads for itself, nor do its forks, nor after a rewind: the original's end would find them there. */
static void copies_follow(struct rig *rig)
{
    struct rig_source *source = mem_zalloc(sizeof(*source));
    struct exchange *x = with_body(rig, source, 10000), *copy = NULL, *fork = NULL;
    struct rig_reader readers[2];

    source->pause_ns = NS_PER_MS;
    RIG_CHECK(rig, exchange_detach(x, &copy) == 0 && exchange_rewind(copy) == 0);
    RIG_CHECK(rig, exchange_fork(copy, &fork) == 0);
    rig_reader_start(&readers[0], rig, copy->request_body, UINT64_MAX);
    rig_reader_start(&readers[1], rig, fork->request_body, UINT64_MAX);
    rig_sleep(20 * NS_PER_MS);
    RIG_CHECK(rig, source->body.read == 0);
    RIG_CHECK(rig, rig_read(rig, x->request_body, 6000) == 1);
    rig_sleep(20 * NS_PER_MS);
    RIG_CHECK(rig, copy->request_body->read == 6000 && fork->request_body->read == 6000 && source->body.read == 6000);
    exchange_end(x, OUTCOME_OK);
    for (unsigned i = 0; i < 2; i++) {
        rig_reader_wait(&readers[i]);
        RIG_CHECK(rig, readers[i].result == -ECANCELED);
    }
    exchange_end(fork, OUTCOME_OK);
    exchange_end(copy, OUTCOME_OK);
    mem_free(source);
}

/* What had been kept is the copy's as well after the original has gone. */
static void copy_reads_on(struct rig *rig)
{
    struct rig_source *source = mem_zalloc(sizeof(*source));
    struct exchange *x = with_body(rig, source, 40000), *copy = NULL;

    RIG_CHECK(rig, exchange_detach(x, &copy) == 0);
    RIG_CHECK(rig, rig_read(rig, x->request_body, 40000) == 1);
    exchange_end(x, OUTCOME_OK);
    RIG_CHECK(rig, source->closed == 1);
    RIG_CHECK(rig, rig_read(rig, copy->request_body, UINT64_MAX) == 0 && copy->request_body->read == 40000);
    RIG_CHECK(rig, exchange_rewind(copy) == 0 && rig_read(rig, copy->request_body, UINT64_MAX) == 0);
    RIG_CHECK(rig, copy->request_body->read == 40000);
    exchange_end(copy, OUTCOME_OK);
    mem_free(source);
}

/* --- running out ------------------------------------------------------------------------------------------------ */

static void no_exchanges(struct rig *rig)
{
    struct exchange *x = rig_exchange(rig), *child = NULL, *more = NULL;

    RIG_CHECK(rig, exchange_fork(x, &child) == 0 && exchange_fork(x, &more) == -EAGAIN);
    RIG_CHECK(rig, exchange_detach(x, &more) == -EAGAIN && exchange_create(&rig->worker, NULL, NULL, &more) == -EAGAIN);
    exchange_end(child, OUTCOME_OK);
    exchange_end(x, OUTCOME_OK);
}

static int fork_and_copy(struct rig *rig, struct rig_source *source)
{
    struct exchange *x, *child, *copy;
    int r = exchange_create(&rig->worker, NULL, fiber_scope(), &x);

    if (r < 0)
        return r;
    rig_source_init(source, rig, 5000, 3000);
    r = exchange_head_room(x, &x->request, 20);
    if (r == 0)
        r = exchange_set_request_body(x, &source->body);
    if (r == 0)
        r = exchange_fork(x, &child);
    if (r == 0) {
        r = exchange_own_request(child);
        if (r == 0)
            r = rig_read(rig, child->request_body, UINT64_MAX);
        if (r == 0)
            r = exchange_answer(child, 200, BYTES("text/plain"), BYTES("hello"));
        if (r == 0)
            r = exchange_detach(child, &copy);
        if (r == 0)
            exchange_end(copy, OUTCOME_OK);
        exchange_adopt(x, child);
    }
    exchange_end(x, OUTCOME_OK);
    return r;
}

/* Each piece of memory may be missing. Pools keep what they have, so they are emptied each time. */
static void no_memory(struct rig *rig)
{
    struct rig_source *source = mem_zalloc(sizeof(*source));
    struct pool *pools[] = { &rig->worker.exchanges, &rig->worker.tees, &rig->worker.blocks, &rig->worker.buffers };
    unsigned failed = 0;

    for (unsigned n = 0;; n++) {
        int r;
        bool met;

        for (unsigned i = 0; i < ARRAY_LEN(pools); i++)
            pool_trim(pools[i], 0);
        mem_fail_after(n);
        r = fork_and_copy(rig, source);
        met = mem_fail_after(-1);
        for (unsigned i = 0; i < ARRAY_LEN(pools); i++)
            RIG_CHECK(rig, pools[i]->out == 0);
        failed += r < 0;
        if (!met) {
            RIG_CHECK(rig, r == 0);
            break;
        }
    }
    RIG_CHECK(rig, failed >= 6);
    mem_free(source);
}

#define TRY(name, function, ...)                                    \
    static void name(void **state)                                  \
    {                                                               \
        static const struct worker_limits LIMITS = { __VA_ARGS__ }; \
                                                                    \
        rig_run(function, &LIMITS);                                 \
    }

TRY(a_winner_moves_up, adopted, 0)
TRY(an_endpoint_may_be_chosen_again, chosen_again, 0)
TRY(forks_own_their_request_when_they_ask, owned, 0)
TRY(forks_read_the_same_body, forks_read, 0)
TRY(what_was_not_kept_is_not_forked, too_late_to_fork, 0)
TRY(a_request_may_be_read_again, rewound, 0)
TRY(a_copy_needs_nothing_of_its_original, detached, 0)
TRY(a_copy_follows, copies_follow, 0)
TRY(a_copy_reads_on_after_the_original, copy_reads_on, 0)
TRY(exchanges_may_run_out, no_exchanges, .exchanges_max = 2)
TRY(memory_may_run_out, no_memory, 0)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_winner_moves_up),
        cmocka_unit_test(an_endpoint_may_be_chosen_again),
        cmocka_unit_test(forks_own_their_request_when_they_ask),
        cmocka_unit_test(forks_read_the_same_body),
        cmocka_unit_test(what_was_not_kept_is_not_forked),
        cmocka_unit_test(a_request_may_be_read_again),
        cmocka_unit_test(a_copy_needs_nothing_of_its_original),
        cmocka_unit_test(a_copy_follows),
        cmocka_unit_test(a_copy_reads_on_after_the_original),
        cmocka_unit_test(exchanges_may_run_out),
        cmocka_unit_test(memory_may_run_out),
    };

    return cmocka_run_group_tests_name("exchange/fork", tests, NULL, NULL);
}
