/* Looking up: see stage/route_table.h. */
#include "base/assert.h"
#include "stage/request.h"
#include "stage/route_tree.h"

enum phase { PHASE_LITERAL, PHASE_PARAMETER, PHASE_EXACT, PHASE_REGEX, PHASE_REST, PHASE_PREFIX };

static int visit_all(struct route_walk *walk, const struct route_step *step, enum route_end end)
{
    int r = 0;

    for (const struct route_candidate *candidate = step->node->ends[end]; candidate && r == 0;
         candidate = candidate->next)
        r = walk->visit(walk, candidate->rule);
    return r;
}

static void descend(struct route_walk *walk, const struct route_step *step, bool parameter)
{
    const struct route_node *child;
    struct bytes rest = step->rest, element;

    if (!bytes_split(&rest, '/', &element))
        return;
    if (parameter)
        child = element.len ? step->node->parameter : NULL;
    else
        child = map_get(&step->node->children, element);
    if (child)
        walk->steps[++walk->depth] = (struct route_step){ child, element, rest, PHASE_LITERAL, parameter };
}

/* Down the most literal way first, then back. A path of routes has ROUTE_ELEMENTS_MAX elements at most, so steps
 * suffice. */
static int walk_root(struct route_walk *walk, const struct route_node *root)
{
    struct bytes path = walk->question.head->path;
    bool rooted = path.len > 0 && path.data[0] == '/';

    walk->depth = 0;
    walk->steps[0] = (struct route_step){ .node = root,
                                          .rest = rooted ? bytes_skip(path, 1) : BYTES_NONE,
                                          .phase = rooted ? PHASE_LITERAL : PHASE_PREFIX };
    for (;;) {
        struct route_step *step = &walk->steps[walk->depth];
        int r = 0;

        switch (step->phase++) {
        case PHASE_LITERAL: descend(walk, step, false); break;
        case PHASE_PARAMETER: descend(walk, step, true); break;
        case PHASE_EXACT: r = step->rest.data ? 0 : visit_all(walk, step, ROUTE_END_EXACT); break;
        case PHASE_REGEX: r = visit_all(walk, step, ROUTE_END_REGEX); break;
        case PHASE_REST: r = step->rest.data ? visit_all(walk, step, ROUTE_END_REST) : 0; break;
        case PHASE_PREFIX: r = visit_all(walk, step, ROUTE_END_PREFIX); break;
        default:
            if (walk->depth == 0)
                return 0;
            walk->depth--;
        }
        if (r != 0)
            return r;
    }
}

/* Without port and final dot, in lower case. Empty: nothing that could be in a table. */
static struct bytes host_key(struct bytes authority, char *memory)
{
    struct bytes host = request_host(authority);

    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    if (host.len > ROUTE_HOST_MAX)
        return BYTES_NONE;
    for (size_t i = 0; i < host.len; i++)
        memory[i] = ascii_lower(host.data[i]);
    return bytes_of(memory, host.len);
}

#define RANK_EVERY_HOST (ROUTE_HOST_MAX + 2)

int route_host_rank(struct bytes host)
{
    if (host.len == 0)
        return RANK_EVERY_HOST;
    return bytes_starts(host, BYTES("*.")) ? RANK_EVERY_HOST - (int)host.len : 0;
}

bool route_host_is(struct bytes host, struct bytes authority)
{
    char memory[ROUTE_HOST_MAX];
    struct bytes key = host_key(authority, memory), suffix = bytes_skip(host, 1);

    if (host.len == 0)
        return true;
    if (!bytes_starts(host, BYTES("*.")))
        return bytes_equal_ci(host, key);
    return key.len > suffix.len && bytes_equal_ci(suffix, bytes_skip(key, key.len - suffix.len));
}

static int walk_suffixes(const struct route_table *table, struct route_walk *walk, struct bytes host)
{
    int r = 0;

    while (r == 0 && host.len > 1) {
        ssize_t dot = bytes_find_char(bytes_skip(host, 1), '.');
        const struct route_node *root;

        if (dot < 0)
            return 0;
        host = bytes_skip(host, (size_t)dot + 1);
        root = map_get(&table->suffixes, host);
        walk->host_rank = RANK_EVERY_HOST - (int)host.len - 1;
        if (root)
            r = walk_root(walk, root);
    }
    return r;
}

uint64_t route_gateway_bit(const struct route_table *table, struct bytes name)
{
    for (unsigned i = 0; i < table->gateway_count; i++)
        if (bytes_equal(table->gateways[i], name))
            return UINT64_C(1) << i;
    return 0;
}

int route_table_walk(const struct route_table *table, const struct route_request *request, struct route_walk *walk)
{
    char memory[ROUTE_HOST_MAX];
    struct bytes host = host_key(request->head->authority, memory);
    const struct route_node *root = host.len && table->hosts.count ? map_get(&table->hosts, host) : NULL;
    int r = 0;

    walk->question.head = request->head;
    walk->question.gateway = route_gateway_bit(table, request->gateway);
    walk->host_rank = 0;
    if (root)
        r = walk_root(walk, root);
    if (r == 0 && table->suffixes.count)
        r = walk_suffixes(table, walk, host);
    walk->host_rank = RANK_EVERY_HOST;
    return r == 0 && table->any ? walk_root(walk, table->any) : r;
}

void route_walk_found(const struct route_walk *walk, const struct route_rule *rule, struct route_found *found)
{
    found->route = rule->index;
    found->count = 0;
    if (rule->parameter_count == 0)
        return;
    for (unsigned i = 1; i <= walk->depth; i++)
        if (walk->steps[i].parameter)
            found->values[found->count++] = walk->steps[i].element;
    if (rule->rest)
        found->values[found->count++] = walk->steps[walk->depth].rest;
    ASSERT(found->count == rule->parameter_count);
}

static int visit_first(struct route_walk *walk, const struct route_rule *rule)
{
    int r = rule_fits(rule, &walk->question, NULL);

    if (r == 1)
        route_walk_found(walk, rule, walk->user);
    return r;
}

int route_table_find(const struct route_table *table, const struct route_request *request, struct regex_memory *memory,
                     struct route_found *ret)
{
    struct route_walk walk; /* its steps are written before they are read */
    int r;

    ASSERT(memory || !table->has_regex);
    walk.question.memory = memory;
    walk.visit = visit_first;
    walk.user = ret;
    r = route_table_walk(table, request, &walk);
    return r == 0 ? -ENOENT : r < 0 ? r : 0;
}
