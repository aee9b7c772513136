/* Routes for people: see stage/route_table.h. */
#include "base/alloc.h"
#include "stage/route_tree.h"

#include <stdlib.h>

/* A route among all the others. */
struct place {
    const struct route_rule *rule;
    int host_rank; /* of the host that matched, or else of the most specific one */
    bool visited;  /* the lookup came to it: host and path match */
    int fits;      /* what rule_fits() said then */
};

struct explain {
    struct place *places; /* by route at first, then in order */
    int result;           /* of the lookup; 0: nothing was found yet */
    const struct route_rule *decisive;
    struct route_found found;
};

/* --- order ---------------------------------------------------------------------------------------------- */

/* Elements and ends, the more specific the lower. */
enum kind { KIND_LITERAL, KIND_PARAMETER, KIND_EXACT_END, KIND_REST, KIND_PREFIX_END };

static enum kind next_kind(const struct route_match *match, struct bytes *rest)
{
    struct route_element element;

    if (!route_path_next(rest, &element))
        return match->prefix || match->path.len == 0 ? KIND_PREFIX_END : KIND_EXACT_END;
    if (element.kind == ROUTE_ELEMENT_REST)
        return KIND_REST;
    return element.kind == ROUTE_ELEMENT_LITERAL ? KIND_LITERAL : KIND_PARAMETER;
}

/* Paths by element, then expressions, then what takes every path. */
static int class_of(const struct route_match *match)
{
    struct bytes rest = route_path_start(match);

    if (match->regex.len)
        return 1;
    return next_kind(match, &rest) >= KIND_REST ? 2 : 0;
}

static int compare_paths(const struct route_match *a, const struct route_match *b)
{
    struct bytes rest_a = route_path_start(a), rest_b = route_path_start(b);
    int difference = class_of(a) - class_of(b);

    while (difference == 0 && !a->regex.len) {
        enum kind kind = next_kind(a, &rest_a);

        difference = (int)kind - (int)next_kind(b, &rest_b);
        if (difference == 0 && kind > KIND_PARAMETER)
            return 0;
    }
    return difference;
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int difference = a->host_rank - b->host_rank;

    if (difference == 0)
        difference = compare_paths(&a->rule->entry->match, &b->rule->entry->match);
    return difference ? difference : rule_compare(a->rule, b->rule);
}

static int best_rank(const struct route_match *match)
{
    const struct bytes *hosts = match->hosts.items;
    int best = route_host_rank(match->hosts.count ? hosts[0] : BYTES_NONE);

    for (size_t i = 1; i < match->hosts.count; i++)
        best = MIN(best, route_host_rank(hosts[i]));
    return best;
}

static struct place *make_places(const struct route_table *table)
{
    struct place *places = mem_zalloc_array(MAX(table->rule_count, 1U), sizeof(*places));

    for (unsigned i = 0; places && i < table->rule_count; i++)
        places[i] = (struct place){ .rule = &table->rules[i], .host_rank = best_rank(&table->rules[i].entry->match) };
    return places;
}

int route_table_each(const struct route_table *table, void (*take)(void *user, unsigned route), void *user)
{
    struct place *places = make_places(table);

    if (!places)
        return -ENOMEM;
    qsort(places, table->rule_count, sizeof(*places), compare_places);
    for (unsigned i = 0; i < table->rule_count; i++)
        take(user, places[i].rule->index);
    mem_free(places);
    return 0;
}

/* --- reasons -------------------------------------------------------------------------------------------- */

/* The lookup did not come to it: its host or its path is another one. */
static void say_unvisited(const struct route_match *match, const struct http_head *head, struct text *why)
{
    const struct bytes *hosts = match->hosts.items;
    bool here = match->hosts.count == 0;

    for (size_t i = 0; i < match->hosts.count && !here; i++)
        here = route_host_is(hosts[i], head->authority);
    if (!here)
        rule_say_list(why, "host", &match->hosts);
    else if (match->regex.len)
        text_add_format(why, "path does not match " BYTES_FMT, BYTES_ARG(match->regex));
    else
        text_add_format(why, "path is not " BYTES_FMT "%s", BYTES_ARG(match->path),
                        match->prefix ? " or below it" : "");
}

static void say_reason(const struct explain *explain, const struct place *place, const struct rule_question *question,
                       struct text *why)
{
    const struct route_rule *decisive = explain->decisive;

    if (!place->visited)
        say_unvisited(&place->rule->entry->match, question->head, why);
    else if (place->fits == 0)
        (void)rule_fits(place->rule, question, why);
    else if (place->fits < 0)
        text_add(why, BYTES("its regular expression takes too long for this request"));
    else if (place->rule != decisive)
        text_add_format(why, explain->result == 1 ? "less specific than " BYTES_FMT : "not looked at behind " BYTES_FMT,
                        BYTES_ARG(decisive->entry->name));
}

static void tell(const struct explain *explain, const struct route_table *table, const struct rule_question *question,
                 void (*take)(void *user, const struct route_verdict *verdict), void *user)
{
    for (unsigned i = 0; i < table->rule_count; i++) {
        const struct place *place = &explain->places[i];
        char memory[ROUTE_REASON_MAX];
        struct text why = text_into(memory, sizeof(memory));
        struct route_verdict verdict = { .route = place->rule->index, .precedence = i + 1 };

        verdict.matches = place->visited && place->fits == 1;
        verdict.chosen = explain->result == 1 && place->rule == explain->decisive;
        say_reason(explain, place, question, &why);
        verdict.reason = text_bytes(&why);
        take(user, &verdict);
    }
}

/* --- explaining ----------------------------------------------------------------------------------------- */

static int visit_every(struct route_walk *walk, const struct route_rule *rule)
{
    struct explain *explain = walk->user;
    struct place *place = &explain->places[rule->index];

    if (place->visited) /* by a more specific host of the same route */
        return 0;
    place->visited = true;
    place->host_rank = walk->host_rank;
    place->fits = rule_fits(rule, &walk->question, NULL);
    if (explain->result != 0 || place->fits == 0)
        return 0;
    explain->result = place->fits;
    explain->decisive = rule;
    if (place->fits == 1)
        route_walk_found(walk, rule, &explain->found);
    return 0;
}

int route_table_explain(const struct route_table *table, const struct route_request *request,
                        void (*take)(void *user, const struct route_verdict *verdict), void *user,
                        struct route_found *ret)
{
    struct explain explain = { .places = make_places(table) };
    struct route_walk walk = { .visit = visit_every, .user = &explain };
    int r = explain.places ? 0 : -ENOMEM;

    if (r == 0 && table->has_regex)
        r = regex_memory_create(&walk.question.memory);
    if (r == 0) {
        (void)route_table_walk(table, request, &walk);
        qsort(explain.places, table->rule_count, sizeof(*explain.places), compare_places);
        tell(&explain, table, &walk.question, take, user);
        r = explain.result == 0 ? -ENOENT : MIN(explain.result, 0);
    }
    if (r == 0)
        *ret = explain.found;
    regex_memory_free(walk.question.memory);
    mem_free(explain.places);
    return r;
}
