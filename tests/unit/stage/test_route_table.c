#include "stage/route_table.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HOSTS_MAX 2
#define METHODS_MAX 2

struct route_row {
    const char *name, *path;
    bool prefix;
    const char *hosts[HOSTS_MAX], *methods[METHODS_MAX];
};

static const struct route_row ROUTES[] = {
    { "root", "/", true },
    { "api", "/api", true },
    { "api-exact", "/api" },
    { "orders", "/api/orders", true },
    { "orders-exact", "/api/orders" },
    { "orders-post", "/api/orders", false, { NULL }, { "POST" } },
    { "orders-purge", "/api/orders", true, { NULL }, { "PURGE" } },
    { "slash", "/files/" },
    { "no-slash", "/files" },
    { "prefix-slash", "/dir/", true },
    { "double", "/dir//x" },
    { "encoded", "/dir/a%2Fb" },
    { "shop", "/", true, { "shop.example.com" } },
    { "shop-cart", "/cart", true, { "shop.example.com" } },
    { "wild", NULL, false, { "*.example.com" } },
    { "wild-deep", "/x", true, { "*.deep.example.com" } },
    { "two-hosts", "/two", false, { "One.example.org", "two.example.org" } },
    { "v6", "/", true, { "[::1]" } },
    { "get-only", "/only", false, { "only.test" }, { "GET", "HEAD" } },
    { "first", "/same", true },
    { "second", "/same", true },
    { "deep", "/p/q/r" },
};

static const struct {
    const char *host, *path, *method, *route; /* route NULL: none */
} LOOKUPS[] = {
    /* paths */
    { "a.test", "/", "GET", "root" },
    { "a.test", "/other", "GET", "root" },
    { "a.test", "/api", "GET", "api-exact" },
    { "a.test", "/api/", "GET", "api" },
    { "a.test", "/api/x/y", "GET", "api" },
    { "a.test", "/apix", "GET", "root" },
    { "a.test", "/ap", "GET", "root" },
    { "a.test", "/api/orders", "GET", "orders-exact" },
    { "a.test", "/api/orders/", "GET", "orders" },
    { "a.test", "/api/orders/7", "GET", "orders" },
    { "a.test", "/api/ordersx", "GET", "api" },
    { "a.test", "/API", "GET", "root" },
    { "a.test", "/files", "GET", "no-slash" },
    { "a.test", "/files/", "GET", "slash" },
    { "a.test", "/files/x", "GET", "root" },
    { "a.test", "/dir", "GET", "prefix-slash" },
    { "a.test", "/dir/", "GET", "prefix-slash" },
    { "a.test", "/dir/x", "GET", "prefix-slash" },
    { "a.test", "/dirx", "GET", "root" },
    { "a.test", "/p/q/r", "GET", "deep" },
    { "a.test", "/p/q/x", "GET", "root" }, /* up by more than one element */
    { "a.test", "/p/q/r/s", "GET", "root" },
    /* nothing is decoded or folded */
    { "a.test", "/dir//x", "GET", "double" },
    { "a.test", "//api", "GET", "root" },
    { "a.test", "/dir/a%2Fb", "GET", "encoded" },
    { "a.test", "/dir/a%2fb", "GET", "prefix-slash" },
    { "a.test", "/dir/a/b", "GET", "prefix-slash" },
    { "a.test", "/%61pi", "GET", "root" },
    /* methods: those who name some come first, and others are passed by */
    { "a.test", "/api/orders", "POST", "orders-post" },
    { "a.test", "/api/orders/7", "PURGE", "orders-purge" },
    { "a.test", "/api/orders", "PURGE", "orders-exact" }, /* an exact path before a method */
    { "a.test", "/api/orders", "post", "orders-exact" },
    { "only.test", "/only", "HEAD", "get-only" },
    { "only.test", "/only", "POST", "root" },
    { "a.test", "/same/x", "GET", "first" },
    /* hosts */
    { "shop.example.com", "/", "GET", "shop" },
    { "SHOP.Example.COM:8080", "/cart/1", "GET", "shop-cart" },
    { "shop.example.com.", "/api/orders", "GET", "shop" }, /* the host before the path */
    { "other.example.com", "/api/orders", "GET", "wild" },
    { "a.b.example.com", "/", "GET", "wild" },
    { "example.com", "/", "GET", "root" }, /* a suffix needs a label before it */
    { "badexample.com", "/", "GET", "root" },
    { "a.deep.example.com", "/x/1", "GET", "wild-deep" },
    { "a.deep.example.com", "/y", "GET", "wild" }, /* no route of the longer suffix has the path */
    { ".example.com", "/", "GET", "root" },
    { "one.example.org", "/two", "GET", "two-hosts" },
    { "TWO.example.org", "/two", "GET", "two-hosts" },
    { "two.example.org", "/three", "GET", "root" },
    { "[::1]:80", "/cart", "GET", "v6" },
    { "[::1]", "/cart", "GET", "v6" },
    { "[::1", "/cart", "GET", "root" },
    { "", "/api", "GET", "api-exact" },
    { ":80", "/api", "GET", "api-exact" },
    /* no path at all */
    { "a.test", "*", "OPTIONS", "root" },
    { "a.test", "", "CONNECT", "root" },
    { "x.example.com", "*", "OPTIONS", "wild" },
};

#define TABLE_MAX 32

/* What a struct route_conf points to. */
struct routes {
    struct route_entry entries[TABLE_MAX];
    struct bytes hosts[TABLE_MAX][HOSTS_MAX], methods[TABLE_MAX][METHODS_MAX];
    struct route_conf conf;
};

static struct conf_list list_of(const char *const *texts, size_t max, struct bytes *into)
{
    struct conf_list list = { into, 0 };

    while (list.count < max && texts[list.count]) {
        into[list.count] = bytes_of_text(texts[list.count]);
        list.count++;
    }
    return list;
}

static void routes_make(struct routes *routes, const struct route_row *rows, unsigned count)
{
    assert_true(count <= TABLE_MAX);
    for (unsigned i = 0; i < count; i++)
        routes->entries[i] = (struct route_entry){
            .name = bytes_of_text(rows[i].name),
            .match = { .path = bytes_of_text(rows[i].path),
                       .prefix = rows[i].prefix,
                       .hosts = list_of(rows[i].hosts, HOSTS_MAX, routes->hosts[i]),
                       .method = list_of(rows[i].methods, METHODS_MAX, routes->methods[i]) },
        };
    routes->conf = (struct route_conf){ routes->entries, count };
}

/* The index, or -1. */
static int look_up(const struct route_table *table, const char *host, const char *path, const char *method)
{
    const struct http_head head = { .authority = bytes_of_text(host),
                                    .path = bytes_of_text(path),
                                    .method_text = bytes_of_text(method) };
    const struct route_request request = { BYTES_NONE, &head };
    struct route_found found;
    int r = route_table_find(table, &request, NULL, &found);

    assert_true(r == 0 || r == -ENOENT);
    return r == 0 ? (int)found.route : -1;
}

static const char *find(const struct route_table *table, const char *host, const char *path, const char *method)
{
    int found = look_up(table, host, path, method);

    return found < 0 ? NULL : ROUTES[found].name;
}

static void assert_found(const char *host, const char *path, const char *method, const char *found, const char *wanted)
{
    if (found != wanted && (!found || !wanted || strcmp(found, wanted) != 0))
        fail_msg("%s %s%s: %s, not %s", method, host, path, found ? found : "none", wanted ? wanted : "none");
}

static void most_specific_route_wins(void **state)
{
    struct fault fault = { 0 };
    struct routes routes;
    struct route_table *table;

    routes_make(&routes, ROUTES, ARRAY_LEN(ROUTES));
    assert_int_equal(route_table_create(&routes.conf, &fault, &table), 0);
    for (size_t i = 0; i < ARRAY_LEN(LOOKUPS); i++)
        assert_found(LOOKUPS[i].host, LOOKUPS[i].path, LOOKUPS[i].method,
                     find(table, LOOKUPS[i].host, LOOKUPS[i].path, LOOKUPS[i].method), LOOKUPS[i].route);
    route_table_free(table);
}

/* Without a route for all, there may be none. */
static void no_route_may_match(void **state)
{
    struct fault fault = { 0 };
    struct routes routes;
    struct route_table *table;
    char host[300];

    routes_make(&routes, &ROUTES[1], 2);
    assert_int_equal(route_table_create(&routes.conf, &fault, &table), 0);
    assert_null(find(table, "a.test", "/", "GET"));
    assert_null(find(table, "a.test", "*", "OPTIONS"));
    assert_non_null(find(table, "a.test", "/api", "GET"));
    route_table_free(table);
    routes_make(&routes, &ROUTES[14], 1); /* *.example.com */
    assert_int_equal(route_table_create(&routes.conf, &fault, &table), 0);
    assert_null(find(table, "a.test", "/", "GET"));
    assert_null(find(table, "", "/", "GET"));
    memset(host, 'a', sizeof(host));
    snprintf(&host[ROUTE_HOST_MAX - 12], 14, ".example.com");
    assert_int_equal(strlen(host), ROUTE_HOST_MAX);
    assert_non_null(find(table, host, "/", "GET"));
    snprintf(&host[ROUTE_HOST_MAX - 11], 14, ".example.com");
    assert_null(find(table, host, "/", "GET")); /* one character too many */
    route_table_free(table);
    routes_make(&routes, ROUTES, 0);
    assert_int_equal(route_table_create(&routes.conf, &fault, &table), 0);
    assert_null(find(table, "a.test", "/", "GET"));
    route_table_free(table);
    route_table_free(NULL);
}

/* Among many: the slow way, one after the other, must say the same. */
static void order_of_routes_does_not_matter(void **state)
{
    struct route_row turned[ARRAY_LEN(ROUTES)];
    struct fault fault = { 0 };
    struct routes routes;
    struct route_table *table;

    for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++)
        turned[i] = ROUTES[ARRAY_LEN(ROUTES) - 1 - i];
    routes_make(&routes, turned, ARRAY_LEN(ROUTES));
    assert_int_equal(route_table_create(&routes.conf, &fault, &table), 0);
    for (size_t i = 0; i < ARRAY_LEN(LOOKUPS); i++) {
        int found = look_up(table, LOOKUPS[i].host, LOOKUPS[i].path, LOOKUPS[i].method);
        const char *wanted = strcmp(LOOKUPS[i].route, "first") == 0 ? "second" : LOOKUPS[i].route;

        assert_true(found >= 0);
        assert_found(LOOKUPS[i].host, LOOKUPS[i].path, LOOKUPS[i].method, turned[found].name, wanted);
    }
    route_table_free(table);
}

static const struct {
    const char *path;
    bool safe;
} PATHS[] = {
    { "/", true },
    { "/a/b", true },
    { "/.", false },
    { "/..", false },
    { "/a/.", false },
    { "/a/..", false },
    { "/a/../b", false },
    { "/./a", false },
    { "/...", true },
    { "/.a", true },
    { "/a.", true },
    { "/a..b/c", true },
    { "/..a", true },
    { "/.well-known/x", true },
    { "/%2e", false },
    { "/%2E%2e/a", false },
    { "/.%2e/a", false },
    { "/%2e./a", false },
    { "/a/%2e%2e", false },
    { "/%2e%2e%2e", true },
    { "/..%2fadmin", false },
    { "/a%2F..%2fb", false },
    { "/a%2f.%2Fb", false },
    { "/..\\a", false },
    { "/a\\..\\b", false },
    { "/..%5Ca", false },
    { "/a%5c..", false },
    { "/..;/a", false },
    { "/..;x=1/a", false },
    { "/.;", false },
    { "/..%3b/a", false },
    { "/a;x/b", true },
    { "/;../a", true },
    { "/a;..", true },
    { "/%252e%252e/a", true },
    { "//", true },
    { "/a//b", true },
    { "/%2", true },
    { "/%", true },
    { "/..%2", true },
    { "*", true },
    { "", true },
};

static void dot_segments_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PATHS); i++)
        if (route_path_safe(bytes_of_text(PATHS[i].path)) != PATHS[i].safe)
            fail_msg("%s: must be %s", PATHS[i].path, PATHS[i].safe ? "fine" : "refused");
}

static void bad_routes_are_refused(void **state)
{
    static const struct route_row BAD[] = {
        { "r", "api", true },
        { "r", "/a/../b" },
        { "r", "/%2e" },
        { "r", "/", true, { "" } },
    };
    struct routes routes;
    struct route_table *table = NULL;

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct fault fault = { 0 };

        routes_make(&routes, &BAD[i], 1);
        assert_int_equal(route_table_create(&routes.conf, &fault, &table), -EINVAL);
        assert_non_null(strstr(fault.what, "route r: "));
    }
    routes.conf.count = ROUTES_MAX + 1;
    assert_int_equal(route_table_create(&routes.conf, NULL, &table), -ENOSPC);
    assert_null(table);
}

/* ROUTES_MAX: half of them each with a path of its own, half all with the same one. */
static void a_table_may_be_full(void **state)
{
    struct route_entry *entries = test_calloc(ROUTES_MAX, sizeof(*entries));
    char(*paths)[16] = test_calloc(ROUTES_MAX, sizeof(*paths));
    const struct route_conf conf = { entries, ROUTES_MAX };
    struct route_table *table = NULL;
    struct mem_stats before;

    for (unsigned i = 0; i < ROUTES_MAX; i++) {
        int len = snprintf(paths[i], sizeof(paths[i]), i % 2 ? "/same" : "/p/%u/{id}", i);

        entries[i] = (struct route_entry){ .name = BYTES("r"), .match = { .path = bytes_of(paths[i], (size_t)len) } };
    }
    assert_int_equal(route_table_create(&conf, NULL, &table), 0);
    before = mem_stats();
    for (unsigned i = 0; i < ROUTES_MAX; i += 2) {
        char path[24];

        (void)snprintf(path, sizeof(path), "/p/%u/7", i);
        assert_int_equal(look_up(table, "a.test", path, "GET"), i);
    }
    assert_int_equal(look_up(table, "a.test", "/same", "GET"), 1);
    assert_int_equal(look_up(table, "a.test", "/p/1/7", "GET"), -1);
    assert_int_equal(mem_stats().allocations, before.allocations);
    route_table_free(table);
    test_free(paths);
    test_free(entries);
}

static void memory_may_end(void **state)
{
    struct routes routes;
    bool met = true;
    unsigned n;

    routes_make(&routes, ROUTES, ARRAY_LEN(ROUTES));
    for (n = 0; met; n++) {
        int64_t live = mem_stats().live;
        struct route_table *table = NULL;
        int r;

        mem_fail_after(n);
        r = route_table_create(&routes.conf, NULL, &table);
        met = mem_fail_after(-1);
        assert_int_equal(r, met ? -ENOMEM : 0);
        route_table_free(table);
        assert_int_equal(mem_stats().live, live);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_specific_route_wins),
        cmocka_unit_test(no_route_may_match),
        cmocka_unit_test(order_of_routes_does_not_matter),
        cmocka_unit_test(dot_segments_are_refused),
        cmocka_unit_test(bad_routes_are_refused),
        cmocka_unit_test(a_table_may_be_full),
        cmocka_unit_test(memory_may_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
