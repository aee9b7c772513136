#include "stage/route_table.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/map.h"

/* One route at one place of the tables, in order of precedence. */
struct candidate {
    struct candidate *next;
    unsigned route;
    const struct conf_list *methods; /* NULL: every one */
};

/* A path up to an element. */
struct path_node {
    const struct path_node *above; /* the nearest one above that has prefix routes, or NULL */
    struct map children;           /* element -> struct path_node */
    struct candidate *exact, *prefix;
    struct path_node *next; /* in table->nodes */
};

struct route_table {
    struct arena arena;
    struct map hosts, suffixes; /* lower case -> root node; suffixes with their dot: ".example.com" */
    struct path_node *any;      /* NULL: no route is for every host */
    struct path_node *nodes;    /* all of them: their maps are to be freed */
};

#define NODES_MAX (ROUTES_MAX * 16)

/* --- building ------------------------------------------------------------------------------------------- */

static struct path_node *node_create(struct route_table *table)
{
    struct path_node *node = arena_zalloc(&table->arena, sizeof(*node));

    if (!node)
        return NULL;
    map_init(&node->children, (struct hash_key){ 0, 0 }, NODES_MAX); /* strangers look up, but never insert */
    node->next = table->nodes;
    table->nodes = node;
    return node;
}

static int node_child(struct route_table *table, struct map *map, struct bytes key, struct path_node **ret)
{
    struct path_node *node = map_get(map, key);
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

/* Those that name methods come first; otherwise the order stays. */
static int add_candidate(struct route_table *table, struct candidate **list, unsigned route,
                         const struct conf_list *methods)
{
    struct candidate *candidate = arena_zalloc(&table->arena, sizeof(*candidate));

    if (!candidate)
        return -ENOMEM;
    candidate->route = route;
    candidate->methods = methods->count ? methods : NULL;
    while (*list && (!candidate->methods || (*list)->methods))
        list = &(*list)->next;
    candidate->next = *list;
    *list = candidate;
    return 0;
}

/* The elements of a path that starts with '/'. A prefix's final '/' means nothing. */
static struct bytes path_elements(const struct route_match *match)
{
    struct bytes path = match->path;

    if (match->prefix && path.data[path.len - 1] == '/')
        path.len--;
    return path.len ? bytes_skip(path, 1) : BYTES_NONE;
}

static int add_path(struct route_table *table, struct path_node *node, const struct route_match *match, unsigned route)
{
    bool prefix = match->prefix || match->path.len == 0;
    struct bytes rest = BYTES_NONE, element;

    if (match->path.len)
        rest = path_elements(match);
    while (bytes_split(&rest, '/', &element)) {
        int r = node_child(table, &node->children, element, &node);

        if (r < 0)
            return r;
    }
    return add_candidate(table, prefix ? &node->prefix : &node->exact, route, &match->method);
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

static int host_root(struct route_table *table, struct bytes host, struct path_node **ret)
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

static int add_route(struct route_table *table, const struct route_match *match, unsigned route)
{
    const struct bytes *hosts = match->hosts.items;
    struct path_node *root;
    int r = 0;

    if (match->hosts.count == 0) {
        r = host_root(table, BYTES_NONE, &root);
        return r < 0 ? r : add_path(table, root, match, route);
    }
    for (size_t i = 0; r == 0 && i < match->hosts.count; i++) {
        r = host_root(table, hosts[i], &root);
        if (r == 0)
            r = add_path(table, root, match, route);
    }
    return r;
}

static int check_route(const struct route_entry *route, struct fault *fault)
{
    const struct bytes *hosts = route->match.hosts.items;
    struct bytes path = route->match.path;

    for (size_t i = 0; i < route->match.hosts.count; i++) {
        if (hosts[i].len > 0 && hosts[i].len <= ROUTE_HOST_MAX)
            continue;
        fault_set(fault, "route " BYTES_FMT ": host: must have between 1 and %d characters", BYTES_ARG(route->name),
                  ROUTE_HOST_MAX);
        return -EINVAL;
    }
    if (path.len == 0 || (path.data[0] == '/' && route_path_safe(path)))
        return 0;
    fault_set(fault, "route " BYTES_FMT ": path: must start with / and hold no dot segments", BYTES_ARG(route->name));
    return -EINVAL;
}

/* The links upwards, once all prefixes are known: parents come before their children in a walk from the roots, so each
 * child can look at its parent alone. */
static void link_children(struct path_node *node)
{
    for (struct map_entry *entry = map_next(&node->children, NULL); entry; entry = map_next(&node->children, entry)) {
        struct path_node *child = entry->value;

        child->above = node->prefix ? node : node->above;
    }
}

/* table->nodes has the newest first, and a child is newer than its parent. */
static void link_all(struct route_table *table)
{
    struct path_node *oldest = NULL;

    while (table->nodes) {
        struct path_node *node = table->nodes;

        table->nodes = node->next;
        node->next = oldest;
        oldest = node;
    }
    table->nodes = oldest;
    for (struct path_node *node = oldest; node; node = node->next)
        link_children(node);
}

int route_table_create(const struct route_conf *conf, struct fault *fault, struct route_table **ret)
{
    struct route_table *table;
    int r = 0;

    if (conf->count > ROUTES_MAX)
        return -ENOSPC;
    table = mem_zalloc(sizeof(*table));
    if (!table)
        return -ENOMEM;
    arena_init(&table->arena, NULL, SNAPSHOT_ARENA_MAX);
    map_init(&table->hosts, (struct hash_key){ 0, 0 }, ROUTES_MAX);
    map_init(&table->suffixes, (struct hash_key){ 0, 0 }, ROUTES_MAX);
    for (unsigned i = 0; r == 0 && i < conf->count; i++) {
        r = check_route(&conf->routes[i], fault);
        if (r == 0)
            r = add_route(table, &conf->routes[i].match, i);
    }
    if (r < 0) {
        route_table_free(table);
        return r;
    }
    link_all(table);
    *ret = table;
    return 0;
}

void route_table_free(struct route_table *table)
{
    if (!table)
        return;
    for (struct path_node *node = table->nodes; node; node = node->next)
        map_done(&node->children);
    map_done(&table->hosts);
    map_done(&table->suffixes);
    arena_done(&table->arena);
    mem_free(table);
}

/* --- looking up ----------------------------------------------------------------------------------------- */

static bool method_listed(const struct conf_list *methods, struct bytes method)
{
    const struct bytes *names = methods->items;

    for (size_t i = 0; i < methods->count; i++)
        if (bytes_equal(names[i], method))
            return true;
    return false;
}

static int first_match(const struct candidate *candidate, struct bytes method)
{
    for (; candidate; candidate = candidate->next)
        if (!candidate->methods || method_listed(candidate->methods, method))
            return (int)candidate->route;
    return -1;
}

static int find_path(const struct path_node *root, struct bytes path, struct bytes method)
{
    const struct path_node *node = root;
    struct bytes rest = BYTES_NONE, element;
    bool whole = true;
    int found = -1;

    if (path.len > 0 && path.data[0] == '/')
        rest = bytes_skip(path, 1);
    else
        whole = false;
    while (bytes_split(&rest, '/', &element)) {
        const struct path_node *child = map_get(&node->children, element);

        if (!child) {
            whole = false;
            break;
        }
        node = child;
    }
    if (whole)
        found = first_match(node->exact, method);
    for (; node && found < 0; node = node->above)
        found = first_match(node->prefix, method);
    return found;
}

/* Without port and final dot, in lower case. Empty: nothing that could be in a table. */
static struct bytes host_key(struct bytes authority, char *memory)
{
    struct bytes host = authority;
    ssize_t colon;

    if (host.len > 0 && host.data[0] == '[') {
        colon = bytes_find_char(host, ']');
        host.len = colon < 0 ? 0 : (size_t)colon + 1;
    } else {
        colon = bytes_find_char(host, ':');
        host.len = colon < 0 ? host.len : (size_t)colon;
    }
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    if (host.len > ROUTE_HOST_MAX)
        return BYTES_NONE;
    for (size_t i = 0; i < host.len; i++)
        memory[i] = ascii_lower(host.data[i]);
    return bytes_of(memory, host.len);
}

int route_table_find(const struct route_table *table, struct bytes authority, struct bytes path, struct bytes method)
{
    char memory[ROUTE_HOST_MAX];
    struct bytes host = host_key(authority, memory);
    const struct path_node *root = host.len && table->hosts.count ? map_get(&table->hosts, host) : NULL;
    int found = root ? find_path(root, path, method) : -1;

    while (found < 0 && table->suffixes.count && host.len > 1) {
        ssize_t dot = bytes_find_char(bytes_skip(host, 1), '.');

        if (dot < 0)
            break;
        host = bytes_skip(host, (size_t)dot + 1);
        root = map_get(&table->suffixes, host);
        if (root)
            found = find_path(root, path, method);
    }
    if (found < 0 && table->any)
        found = find_path(table->any, path, method);
    return found;
}

/* --- dot segments --------------------------------------------------------------------------------------- */

/* The character at `at` and its length as written; escapes of the characters that matter here are decoded. */
static char decoded(struct bytes path, size_t at, size_t *ret_len)
{
    char c = path.data[at];

    *ret_len = 1;
    if (c != '%' || path.len - at < 3)
        return c;
    if (path.data[at + 1] == '2' && ascii_lower(path.data[at + 2]) == 'e')
        c = '.';
    else if (path.data[at + 1] == '2' && ascii_lower(path.data[at + 2]) == 'f')
        c = '/';
    else if (path.data[at + 1] == '5' && ascii_lower(path.data[at + 2]) == 'c')
        c = '\\';
    else if (path.data[at + 1] == '3' && ascii_lower(path.data[at + 2]) == 'b')
        c = ';';
    else
        return c;
    *ret_len = 3;
    return c;
}

bool route_path_safe(struct bytes path)
{
    unsigned dots = 0; /* of the segment, as long as it has nothing else */
    bool other = true; /* it has, or there was no segment yet */
    size_t len;

    for (size_t at = 0; at < path.len; at += len) {
        char c = decoded(path, at, &len);
        bool separator = c == '/' || c == '\\';

        if ((separator || c == ';') && !other && (dots == 1 || dots == 2))
            return false;
        if (separator) {
            dots = 0;
            other = false;
        } else if (c == '.') {
            dots++;
        } else {
            other = true;
        }
    }
    return other || (dots != 1 && dots != 2);
}
