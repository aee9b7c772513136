#include "stage/route_tree.h"

#include "base/alloc.h"
#include "base/assert.h"

#define NODES_MAX (ROUTES_MAX * 16)

/* --- building ------------------------------------------------------------------------------------------- */

static struct route_node *node_create(struct route_table *table)
{
    struct route_node *node = arena_zalloc(&table->arena, sizeof(*node));

    if (!node)
        return NULL;
    map_init(&node->children, (struct hash_key){ 0, 0 }, NODES_MAX); /* strangers look up, but never insert */
    node->next = table->nodes;
    table->nodes = node;
    return node;
}

static int node_child(struct route_table *table, struct map *map, struct bytes key, struct route_node **ret)
{
    struct route_node *node = map_get(map, key);
    int r;

    if (!node) {
        node = node_create(table);
        if (!node)
            return -ENOMEM;
        r = map_put(map, key, node);
        if (r < 0)
            return r;
    }
    *ret = node;
    return 0;
}

static int add_candidate(struct route_table *table, struct route_node *node, enum route_end end,
                         const struct route_rule *rule)
{
    struct route_candidate *candidate = arena_alloc(&table->arena, sizeof(*candidate));

    if (!candidate)
        return -ENOMEM;
    *candidate = (struct route_candidate){ .next = node->ends[end], .rule = rule };
    node->ends[end] = candidate;
    return 0;
}

static int add_path(struct route_table *table, struct route_node *node, const struct route_rule *rule)
{
    const struct route_match *match = &rule->entry->match;
    struct bytes rest = route_path_start(match);
    struct route_element element;
    int r = 0;

    if (match->regex.len)
        return add_candidate(table, node, ROUTE_END_REGEX, rule);
    while (r == 0 && route_path_next(&rest, &element) && element.kind != ROUTE_ELEMENT_REST) {
        if (element.kind == ROUTE_ELEMENT_LITERAL) {
            r = node_child(table, &node->children, element.text, &node);
            continue;
        }
        if (!node->parameter)
            node->parameter = node_create(table);
        node = node->parameter;
        r = node ? 0 : -ENOMEM;
    }
    if (r < 0)
        return r;
    if (rule->rest)
        return add_candidate(table, node, ROUTE_END_REST, rule);
    return add_candidate(table, node, match->prefix || match->path.len == 0 ? ROUTE_END_PREFIX : ROUTE_END_EXACT, rule);
}

static int lower_copy(struct route_table *table, struct bytes from, struct bytes *ret)
{
    char *copy = arena_text(&table->arena, from);

    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < from.len; i++)
        copy[i] = ascii_lower(copy[i]);
    *ret = bytes_of(copy, from.len);
    return 0;
}

static int host_root(struct route_table *table, struct bytes host, struct route_node **ret)
{
    bool suffix = bytes_starts(host, BYTES("*."));
    struct bytes key;
    int r;

    if (host.len == 0) {
        if (!table->any)
            table->any = node_create(table);
        *ret = table->any;
        return table->any ? 0 : -ENOMEM;
    }
    r = lower_copy(table, suffix ? bytes_skip(host, 1) : host, &key);
    return r < 0 ? r : node_child(table, suffix ? &table->suffixes : &table->hosts, key, ret);
}

static int add_route(struct route_table *table, const struct route_rule *rule)
{
    const struct conf_list *list = &rule->entry->match.hosts;
    const struct bytes *hosts = list->items;
    struct route_node *root;
    int r = 0;

    for (size_t i = 0; r == 0 && i < MAX(list->count, (size_t)1); i++) {
        r = host_root(table, list->count ? hosts[i] : BYTES_NONE, &root);
        if (r == 0)
            r = add_path(table, root, rule);
    }
    return r;
}

static int check_hosts(const struct route_entry *route, struct fault *fault)
{
    const struct bytes *hosts = route->match.hosts.items;

    for (size_t i = 0; i < route->match.hosts.count; i++) {
        if (hosts[i].len > 0 && hosts[i].len <= ROUTE_HOST_MAX)
            continue;
        fault_set(fault, "route " BYTES_FMT ": host: must have between 1 and %d characters", BYTES_ARG(route->name),
                  ROUTE_HOST_MAX);
        return -EINVAL;
    }
    return 0;
}

static int add_gateways(struct route_table *table, struct route_rule *rule, struct fault *fault)
{
    const struct bytes *names = rule->entry->gateways.items;

    for (size_t i = 0; i < rule->entry->gateways.count; i++) {
        uint64_t bit = route_gateway_bit(table, names[i]);

        if (!bit && table->gateway_count == ROUTE_GATEWAYS_MAX) {
            fault_set(fault, "routes name more than %d gateways", ROUTE_GATEWAYS_MAX);
            return -ENOSPC;
        }
        if (!bit) {
            bit = UINT64_C(1) << table->gateway_count;
            table->gateways[table->gateway_count++] = names[i];
        }
        rule->gateways |= bit;
    }
    return 0;
}

static int note_regexes(struct route_table *table, const struct route_rule *rule, struct fault *fault)
{
    for (unsigned i = 0; i < rule->header_count + rule->query_count; i++)
        if (rule->tests[i].regex)
            table->has_regex = true;
    if (!rule->path)
        return 0;
    table->has_regex = true;
    if (table->regex_count++ < ROUTE_REGEXES_MAX)
        return 0;
    fault_set(fault, "more than %d routes have a path by regular expression", ROUTE_REGEXES_MAX);
    fault_hint(fault, "each of them may be tried for every request: prefixes and {names} are found at once");
    return -ENOSPC;
}

static int add_rules(struct route_table *table, struct fault *fault)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < table->conf->count; i++) {
        const struct route_entry *entry = &table->conf->routes[i];
        struct route_rule *rule = &table->rules[i];

        r = check_hosts(entry, fault);
        if (r < 0)
            break;
        table->rule_count++;
        r = rule_init(rule, entry, i, &table->arena, fault);
        if (r == 0)
            r = add_gateways(table, rule, fault);
        if (r == 0)
            r = note_regexes(table, rule, fault);
        if (r == 0)
            r = add_route(table, rule);
    }
    return r;
}

/* --- order ---------------------------------------------------------------------------------------------- */

static struct route_candidate *merge(struct route_candidate *a, struct route_candidate *b)
{
    struct route_candidate *first = NULL, **last = &first;

    while (a && b) {
        struct route_candidate **smaller = rule_compare(a->rule, b->rule) < 0 ? &a : &b;

        *last = *smaller;
        last = &(*last)->next;
        *smaller = (*smaller)->next;
    }
    *last = a ? a : b;
    return first;
}

/* Runs of 1, 2, 4 ... candidates wait in slots until another one of their length comes. */
static struct route_candidate *sort(struct route_candidate *list)
{
    struct route_candidate *runs[32] = { NULL }, *all = NULL;

    while (list) {
        struct route_candidate *run = list;
        unsigned slot = 0;

        list = list->next;
        run->next = NULL;
        for (; runs[slot]; slot++) {
            run = merge(runs[slot], run);
            runs[slot] = NULL;
        }
        runs[slot] = run;
    }
    for (unsigned i = 0; i < ARRAY_LEN(runs); i++)
        all = merge(runs[i], all);
    return all;
}

static void sort_all(struct route_table *table)
{
    for (struct route_node *node = table->nodes; node; node = node->next)
        for (unsigned i = 0; i < ROUTE_ENDS; i++)
            if (node->ends[i] && node->ends[i]->next)
                node->ends[i] = sort(node->ends[i]);
}

int route_table_create(const struct route_conf *conf, struct fault *fault, struct route_table **ret)
{
    struct route_table *table;
    int r;

    if (conf->count > ROUTES_MAX) {
        fault_set(fault, "there are more than %d routes", ROUTES_MAX);
        return -ENOSPC;
    }
    table = mem_zalloc(sizeof(*table));
    if (!table)
        return -ENOMEM;
    table->conf = conf;
    arena_init(&table->arena, NULL, SNAPSHOT_ARENA_MAX);
    map_init(&table->hosts, (struct hash_key){ 0, 0 }, ROUTES_MAX);
    map_init(&table->suffixes, (struct hash_key){ 0, 0 }, ROUTES_MAX);
    table->rules = arena_alloc(&table->arena, MAX(conf->count, 1U) * sizeof(*table->rules));
    r = table->rules ? add_rules(table, fault) : -ENOMEM;
    if (r < 0) {
        route_table_free(table);
        return r;
    }
    sort_all(table);
    *ret = table;
    return 0;
}

void route_table_free(struct route_table *table)
{
    if (!table)
        return;
    for (unsigned i = 0; i < table->rule_count; i++)
        rule_done(&table->rules[i]);
    for (struct route_node *node = table->nodes; node; node = node->next)
        map_done(&node->children);
    map_done(&table->hosts);
    map_done(&table->suffixes);
    arena_done(&table->arena);
    mem_free(table);
}

bool route_table_has_regex(const struct route_table *table)
{
    return table->has_regex;
}

const struct bytes *route_table_parameters(const struct route_table *table, unsigned route, unsigned *ret_count)
{
    ASSERT(route < table->rule_count);
    *ret_count = table->rules[route].parameter_count;
    return table->rules[route].parameters;
}
