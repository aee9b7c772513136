#include "stage/pick.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MEMBERS_MAX 16

/* A view made by hand: nothing here waits or crosses a thread. */
struct picture {
    struct worker worker;
    struct service_view view;
    struct instance instances[MEMBERS_MAX];
    struct endpoint endpoints[MEMBERS_MAX];
    struct member members[MEMBERS_MAX], *member_list[MEMBERS_MAX];
    struct {
        struct endpoint_set set;
        struct set_entry entries[MEMBERS_MAX];
    } set;
    struct exchange x;
    unsigned picked[MEMBERS_MAX];
};

#define NOW (100 * NS_PER_S)

static void picture_init(struct picture *p, unsigned count, const unsigned *weights)
{
    uint64_t sum = 0;

    memset(p, 0, sizeof(*p));
    prng_seed(&p->worker.prng, 11);
    p->view.worker = &p->worker;
    p->view.set = &p->set.set;
    p->view.members = p->member_list;
    p->set.set.count = count;
    p->set.set.uniform = true;
    for (unsigned i = 0; i < count; i++) {
        unsigned weight = weights ? weights[i] : 1;

        p->set.set.entries[i] = (struct set_entry){ &p->instances[i], weight, sum += weight };
        if (weight != p->set.set.entries[0].weight)
            p->set.set.uniform = false;
        p->members[i] = (struct member){ .endpoint = &p->endpoints[i], .instance = &p->instances[i] };
        p->member_list[i] = &p->members[i];
        atomic_store(&p->instances[i].ready, HEALTH_READY);
    }
}

static void unready(struct picture *p, unsigned i)
{
    atomic_store(&p->instances[i].ready, HEALTH_UNREADY);
}

static void eject(struct picture *p, unsigned i)
{
    atomic_store(&p->instances[i].ejected_until_ns, NOW + 1);
}

static void try(struct picture *p, unsigned i)
{
    p->x.tried[p->x.tried_count++ % EXCHANGE_TRIED_MAX] = &p->endpoints[i];
}

typedef int pick_function(struct service_view *, const struct exchange *, int64_t, enum pick_rank *);

static void pick_many(struct picture *p, pick_function *pick, unsigned count, enum pick_rank wanted)
{
    memset(p->picked, 0, sizeof(p->picked));
    for (unsigned i = 0; i < count; i++) {
        enum pick_rank rank = PICK_NEVER;
        int at = pick(&p->view, &p->x, NOW, &rank);

        assert_int_equal(rank, wanted);
        assert_in_range(at, 0, p->set.set.count - 1);
        p->picked[at]++;
    }
}

static void round_robin_is_even(void **state)
{
    struct picture p;

    picture_init(&p, 3, NULL);
    pick_many(&p, pick_round_robin, 300, PICK_GOOD);
    assert_true(p.picked[0] == 100 && p.picked[1] == 100 && p.picked[2] == 100);
}

/* Who follows a missing one gets no double share. */
static void round_robin_is_even_around_a_gap(void **state)
{
    struct picture p;

    picture_init(&p, 4, NULL);
    unready(&p, 1);
    pick_many(&p, pick_round_robin, 300, PICK_GOOD);
    assert_true(p.picked[0] == 100 && p.picked[1] == 0 && p.picked[2] == 100 && p.picked[3] == 100);
}

static void round_robin_follows_weights(void **state)
{
    static const unsigned WEIGHTS[] = { 1, 2, 5, 2 };
    struct picture p;

    picture_init(&p, 4, WEIGHTS);
    pick_many(&p, pick_round_robin, 1000, PICK_GOOD);
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(p.picked[i], WEIGHTS[i] * 100 - 5, WEIGHTS[i] * 100 + 5);
    pick_many(&p, pick_round_robin, 20, PICK_GOOD); /* and in short runs too */
    assert_in_range(p.picked[2], 8, 12);
    unready(&p, 2);
    pick_many(&p, pick_round_robin, 1000, PICK_GOOD);
    assert_int_equal(p.picked[2], 0);
    assert_in_range(p.picked[1], 350, 450);
}

static void least_request_prefers_the_idle(void **state)
{
    struct picture p;

    picture_init(&p, 4, NULL);
    pick_many(&p, pick_least_request, 4000, PICK_GOOD);
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(p.picked[i], 850, 1150);
    p.endpoints[2].in_flight = 10; /* the most loaded one of four loses every comparison */
    pick_many(&p, pick_least_request, 4000, PICK_GOOD);
    assert_in_range(p.picked[2], 0, 20);
    p.endpoints[0].in_flight = p.endpoints[1].in_flight = p.endpoints[3].in_flight = 20;
    pick_many(&p, pick_least_request, 4000, PICK_GOOD);
    assert_in_range(p.picked[2], 1850, 2150); /* of two draws, one is it, half of the time */
}

static void least_request_follows_weights(void **state)
{
    static const unsigned WEIGHTS[] = { 1, 3 };
    struct picture p;

    picture_init(&p, 2, WEIGHTS);
    p.endpoints[0].in_flight = 2; /* 2 for 1 is more than 5 for 3 */
    p.endpoints[1].in_flight = 5;
    pick_many(&p, pick_least_request, 1000, PICK_GOOD);
    assert_in_range(p.picked[0], 0, 20);
    p.endpoints[1].in_flight = 7;
    pick_many(&p, pick_least_request, 1000, PICK_GOOD);
    assert_in_range(p.picked[1], 0, 100); /* drawn alone in a row of tens: seldom */
}

/* r ready, u unready, e ejected, t ready and tried, T ejected and tried. */
static const struct {
    const char *members;
    enum pick_rank rank;
    const char *picked; /* those who may be */
} RANKS[] = {
    { "r", PICK_GOOD, "1" },          { "rr", PICK_GOOD, "11" },  { "ru", PICK_GOOD, "10" },
    { "re", PICK_GOOD, "10" },        { "rt", PICK_GOOD, "10" },  /* not the same one again while another is usable */
    { "ttr", PICK_GOOD, "001" },      { "tt", PICK_TRIED, "11" }, /* all tried: again */
    { "te", PICK_TRIED, "10" },                                   /* rather again than an ejected one */
    { "tu", PICK_TRIED, "10" },       { "ee", PICK_PANIC, "11" }, /* never without any while some are ready */
    { "eu", PICK_PANIC, "10" },       { "Te", PICK_PANIC, "01" }, { "TT", PICK_PANIC_TRIED, "11" },
    { "Tu", PICK_PANIC_TRIED, "10" }, { "u", PICK_NEVER, "0" },   { "uuu", PICK_NEVER, "000" },
};

static void best_rank_is_used(void **state)
{
    static pick_function *const PICKS[] = { pick_round_robin, pick_least_request };

    for (size_t i = 0; i < 2 * ARRAY_LEN(RANKS); i++) {
        const char *members = RANKS[i / 2].members;
        struct picture p;

        picture_init(&p, (unsigned)strlen(members), NULL);
        for (unsigned k = 0; members[k]; k++) {
            if (members[k] == 'u')
                unready(&p, k);
            if (members[k] == 'e' || members[k] == 'T')
                eject(&p, k);
            if (members[k] == 't' || members[k] == 'T')
                try(&p, k);
        }
        if (RANKS[i / 2].rank == PICK_NEVER) {
            enum pick_rank rank;

            assert_int_equal(PICKS[i % 2](&p.view, &p.x, NOW, &rank), -1);
            continue;
        }
        pick_many(&p, PICKS[i % 2], 200, RANKS[i / 2].rank);
        for (unsigned k = 0; members[k]; k++)
            if ((p.picked[k] > 0) != (RANKS[i / 2].picked[k] == '1'))
                fail_msg("%s: number %u was picked %u times of 200", members, k, p.picked[k]);
    }
}

/* More tries than are remembered: the oldest is forgotten. */
static void tried_are_remembered_up_to_a_bound(void **state)
{
    struct picture p;

    picture_init(&p, EXCHANGE_TRIED_MAX + 1, NULL);
    for (unsigned i = 0; i < EXCHANGE_TRIED_MAX; i++)
        try(&p, i);
    pick_many(&p, pick_round_robin, 50, PICK_GOOD);
    assert_int_equal(p.picked[EXCHANGE_TRIED_MAX], 50);
    try(&p, EXCHANGE_TRIED_MAX);
    pick_many(&p, pick_round_robin, 50, PICK_GOOD);
    assert_int_equal(p.picked[0], 50);
}

/* One usable of many: the draws may miss it, the scan that follows does not. */
static void one_of_many_is_found(void **state)
{
    struct picture p;

    picture_init(&p, MEMBERS_MAX, NULL);
    for (unsigned i = 0; i < MEMBERS_MAX; i++)
        if (i != 9)
            unready(&p, i);
    assert_true(MEMBERS_MAX > BALANCE_DRAWS_MAX);
    pick_many(&p, pick_least_request, 500, PICK_GOOD);
    assert_int_equal(p.picked[9], 500);
    pick_many(&p, pick_round_robin, 500, PICK_GOOD);
    assert_int_equal(p.picked[9], 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_robin_is_even),
        cmocka_unit_test(round_robin_is_even_around_a_gap),
        cmocka_unit_test(round_robin_follows_weights),
        cmocka_unit_test(least_request_prefers_the_idle),
        cmocka_unit_test(least_request_follows_weights),
        cmocka_unit_test(best_rank_is_used),
        cmocka_unit_test(tried_are_remembered_up_to_a_bound),
        cmocka_unit_test(one_of_many_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
