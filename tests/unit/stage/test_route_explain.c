/* What people are told about routes, and the bounds of a table. */
#include "base/alloc.h"
#include "base/text.h"
#include "stage/route_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LINES 2048

static struct bytes hosts[] = { BYTES("shop.test"), BYTES("*.shop.test") };
static struct bytes post[] = { BYTES("POST") }, two[] = { BYTES("GET"), BYTES("HEAD") };
static struct bytes inner[] = { BYTES("inner") };
static struct route_value yes = { .exact = BYTES("yes"), .has_exact = true };
static struct route_value digits = { .regex = BYTES("[0-9]+"), .has_regex = true };
static struct route_value slow = { .regex = BYTES("(x+x+)+[yz]"), .has_regex = true };
static struct route_value present = { .present = true, .has_present = true }, absent = { .has_present = true };
static struct conf_map_entry canary[] = { { .name = BYTES("X-Canary"), .value = &yes } };
static struct conf_map_entry beta[] = { { .name = BYTES("beta"), .value = &digits } };
static struct conf_map_entry there[] = { { .name = BYTES("X-Debug"), .value = &present } };
static struct conf_map_entry gone[] = { { .name = BYTES("Cookie"), .value = &absent } };
static struct conf_map_entry endless[] = { { .name = BYTES("X-Slow"), .value = &slow } };

static const struct route_entry ROUTES[] = {
    { BYTES("all"), { .path = BYTES("/"), .prefix = true } },
    { BYTES("orders"), { .path = BYTES("/orders") } },
    { BYTES("order"), { .path = BYTES("/orders/{id}") } },
    { BYTES("post"), { .path = BYTES("/orders"), .method = { post, 1 } } },
    { BYTES("below"), { .path = BYTES("/orders"), .prefix = true, .method = { two, 2 } } },
    { BYTES("shop"), { .hosts = { hosts, 2 } } },
    { BYTES("canary"), { .path = BYTES("/orders"), .header = { canary, 1 } } },
    { BYTES("beta"), { .path = BYTES("/orders"), .query = { beta, 1 } } },
    { BYTES("there"), { .path = BYTES("/orders"), .header = { there, 1 } } },
    { BYTES("gone"), { .path = BYTES("/orders"), .header = { gone, 1 } } },
    { BYTES("regex"), { .regex = BYTES("/v[0-9]/.*") } },
    { BYTES("inner"), { .path = BYTES("/orders") }, { inner, 1 } },
};

static const struct route_conf CONF = { ROUTES, ARRAY_LEN(ROUTES) };

/* --- reasons -------------------------------------------------------------------------------------------------- */

struct lines {
    const struct route_conf *conf;
    struct text text;
    char memory[LINES];
};

static void line(void *user, const struct route_verdict *verdict)
{
    struct lines *lines = user;

    text_add_format(&lines->text, "%u %s" BYTES_FMT ": " BYTES_FMT "\n", verdict->precedence,
                    verdict->chosen    ? "* "
                    : verdict->matches ? "+ "
                                       : "",
                    BYTES_ARG(lines->conf->routes[verdict->route].name), BYTES_ARG(verdict->reason));
}

static int explain(const struct route_conf *conf, const struct http_head *head, struct lines *lines)
{
    const struct route_request request = { BYTES("public"), head };
    struct route_table *table = NULL;
    struct route_found found;
    int r;

    *lines = (struct lines){ .conf = conf };
    lines->text = text_into(lines->memory, LINES - 1);
    assert_int_equal(route_table_create(conf, NULL, &table), 0);
    r = route_table_explain(table, &request, line, lines, &found);
    route_table_free(table);
    return r;
}

static void reasons_are_said(void **state)
{
    struct http_field fields[4];
    struct http_head head = { .method_text = BYTES("GET"),
                              .authority = BYTES("a.test"),
                              .path = BYTES("/orders"),
                              .query = BYTES("beta=x"),
                              .fields = fields,
                              .field_max = 4 };
    struct lines lines;

    assert_int_equal(http_head_add(&head, HTTP_FIELD_COOKIE, BYTES("a=b")), 0);
    assert_int_equal(http_head_add_named(&head, BYTES("x-canary"), BYTES("no")), 0);
    assert_int_equal(explain(&CONF, &head, &lines), 0);
    assert_string_equal(lines.memory, "1 shop: host is none of shop.test, *.shop.test\n"
                                      "2 order: path is not /orders/{id}\n"
                                      "3 post: method is not POST\n"
                                      "4 canary: header X-Canary is not yes\n"
                                      "5 there: header X-Debug is missing\n"
                                      "6 gone: header Cookie is there\n"
                                      "7 beta: query parameter beta does not match [0-9]+\n"
                                      "8 * orders: \n"
                                      "9 inner: gateway is not inner\n"
                                      "10 + below: less specific than orders\n"
                                      "11 regex: path does not match /v[0-9]/.*\n"
                                      "12 + all: less specific than orders\n");
}

static void nothing_may_match(void **state)
{
    static const struct route_conf some = { &ROUTES[2], 4 };
    const struct http_head head = { .method_text = BYTES("PUT"), .authority = BYTES("a.test"), .path = BYTES("/x") };
    struct lines lines;

    assert_int_equal(explain(&some, &head, &lines), -ENOENT);
    assert_string_equal(lines.memory, "1 shop: host is none of shop.test, *.shop.test\n"
                                      "2 order: path is not /orders/{id}\n"
                                      "3 post: path is not /orders\n"
                                      "4 below: path is not /orders or below it\n");
}

/* The host that matched counts, not the first one. */
static void one_of_several_hosts_counts(void **state)
{
    static struct bytes exact[] = { BYTES("a.shop.test") };
    static const struct route_entry entries[] = {
        { BYTES("both"), { .hosts = { hosts, 2 } } },
        { BYTES("exact"), { .hosts = { exact, 1 } } },
    };
    static const struct route_conf conf = { entries, 2 };
    struct http_head head = { .authority = BYTES("a.shop.test"), .path = BYTES("/") };
    struct lines lines;

    assert_int_equal(explain(&conf, &head, &lines), 0);
    assert_string_equal(lines.memory, "1 * exact: \n2 + both: less specific than exact\n");
    head.authority = BYTES("shop.test");
    assert_int_equal(explain(&conf, &head, &lines), 0);
    assert_string_equal(lines.memory, "1 * both: \n2 exact: host is not a.shop.test\n");
}

/* What takes too long ends the search, for requests and here. */
static void a_costly_expression_is_said(void **state)
{
    static const struct route_entry entries[] = {
        { BYTES("slow"), { .header = { endless, 1 } } },
        { BYTES("all"), { .prefix = false } },
    };
    static const struct route_conf conf = { entries, 2 };
    struct http_field fields[1];
    struct http_head head = { .path = BYTES("/"), .fields = fields, .field_max = 1 };
    struct lines lines;
    char many[60];

    memset(many, 'x', sizeof(many));
    assert_int_equal(http_head_add_named(&head, BYTES("X-Slow"), bytes_of(many, sizeof(many))), 0);
    assert_int_equal(explain(&conf, &head, &lines), -E2BIG);
    assert_string_equal(lines.memory, "1 slow: its regular expression takes too long for this request\n"
                                      "2 + all: not looked at behind slow\n");
}

/* ROUTE_REASON_MAX. */
static void long_reasons_are_cut(void **state)
{
    static char path[ROUTE_REASON_MAX * 2];
    struct route_entry entry = { .name = BYTES("long") };
    const struct route_conf conf = { &entry, 1 };
    const struct http_head head = { .path = BYTES("/") };
    struct lines lines;

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    entry.match.path = bytes_of(path, sizeof(path));
    assert_int_equal(explain(&conf, &head, &lines), -ENOENT);
    assert_true(bytes_starts(text_bytes(&lines.text), BYTES("1 long: path is not")));
    assert_true(lines.text.len <= ROUTE_REASON_MAX + 16);
}

/* --- order ---------------------------------------------------------------------------------------------------- */

static void add_name(void *user, unsigned route)
{
    struct text *text = user;

    text_add_format(text, BYTES_FMT " ", BYTES_ARG(ROUTES[route].name));
}

static void routes_are_listed_in_order(void **state)
{
    char memory[256] = "";
    struct text text = text_into(memory, sizeof(memory) - 1);
    struct route_table *table = NULL;

    assert_int_equal(route_table_create(&CONF, NULL, &table), 0);
    assert_int_equal(route_table_each(table, add_name, &text), 0);
    assert_string_equal(memory, "shop order post canary there gone beta orders inner below regex all ");
    mem_fail_after(0);
    assert_int_equal(route_table_each(table, add_name, &text), -ENOMEM);
    mem_fail_after(-1);
    route_table_free(table);
}

static void forget(void *user, const struct route_verdict *verdict)
{
}

static void memory_may_end(void **state)
{
    const struct http_head head = { .path = BYTES("/orders/7"), .authority = BYTES("shop.test") };
    const struct route_request request = { BYTES("inner"), &head };
    bool met = true;
    unsigned n;

    for (n = 0; met; n++) {
        int64_t live = mem_stats().live;
        struct route_table *table = NULL;
        struct route_found found;
        int r;

        mem_fail_after(n);
        r = route_table_create(&CONF, NULL, &table);
        if (r == 0)
            r = route_table_explain(table, &request, forget, NULL, &found);
        met = mem_fail_after(-1);
        assert_int_equal(r, met ? -ENOMEM : 0);
        route_table_free(table);
        assert_int_equal(mem_stats().live, live);
    }
    assert_true(n > 15);
}

/* --- bounds --------------------------------------------------------------------------------------------------- */

/* (4): whatever a lookup looks at. */
static void lookups_take_no_memory(void **state)
{
    struct http_field fields[4];
    struct http_head head = { .method_text = BYTES("GET"),
                              .authority = BYTES("q.test"),
                              .path = BYTES("/v1/x"),
                              .query = BYTES("beta=12"),
                              .fields = fields,
                              .field_max = 4 };
    const struct route_request request = { BYTES("public"), &head };
    struct regex_memory *memory = NULL;
    struct route_table *table = NULL;
    struct route_found found;
    struct mem_stats before;

    assert_int_equal(http_head_add_named(&head, BYTES("X-Canary"), BYTES("yes")), 0);
    assert_int_equal(route_table_create(&CONF, NULL, &table), 0);
    assert_true(route_table_has_regex(table));
    assert_int_equal(regex_memory_create(&memory), 0);
    before = mem_stats();
    assert_int_equal(route_table_find(table, &request, memory, &found), 0);
    assert_int_equal(found.route, 10);
    head.path = BYTES("/orders");
    assert_int_equal(route_table_find(table, &request, memory, &found), 0);
    assert_int_equal(found.route, 6);
    head.path = BYTES("/orders/7");
    assert_int_equal(route_table_find(table, &request, memory, &found), 0);
    assert_int_equal(found.count, 1);
    assert_ptr_equal(found.values[0].data, head.path.data + 8);
    assert_int_equal(mem_stats().allocations, before.allocations);
    regex_memory_free(memory);
    route_table_free(table);
}

static int create_with_path(struct bytes path, struct fault *fault)
{
    const struct route_entry entry = { BYTES("r"), { .path = path } };
    const struct route_conf conf = { &entry, 1 };
    struct route_table *table = NULL;
    int r = route_table_create(&conf, fault, &table);

    route_table_free(table);
    return r;
}

/* ROUTE_ELEMENTS_MAX, ROUTE_PARAMETERS_MAX; the deepest of all is found. */
static void paths_are_bounded(void **state)
{
    static char deep[2 * ROUTE_ELEMENTS_MAX + 2];
    char memory[512];
    struct text text = text_into(memory, sizeof(memory));
    const struct http_head head = { .path = bytes_of(deep, 2 * ROUTE_ELEMENTS_MAX) };
    const struct route_request request = { BYTES_NONE, &head };
    const struct route_entry entry = { BYTES("r"), { .path = head.path } };
    const struct route_conf conf = { &entry, 1 };
    struct route_table *table = NULL;
    struct route_found found;
    struct fault fault = { 0 };

    for (unsigned i = 0; i <= ROUTE_ELEMENTS_MAX; i++)
        memcpy(deep + 2 * i, "/a", 2);
    assert_int_equal(create_with_path(bytes_of(deep, sizeof(deep)), &fault), -EINVAL);
    assert_string_equal(fault.what, "route r: path: has more than 64 elements");
    assert_int_equal(route_table_create(&conf, NULL, &table), 0);
    assert_int_equal(route_table_find(table, &request, NULL, &found), 0);
    route_table_free(table);
    for (unsigned i = 0; i < ROUTE_PARAMETERS_MAX; i++)
        text_add_format(&text, "/{n%u}", i);
    assert_int_equal(create_with_path(text_bytes(&text), NULL), 0);
    text_add(&text, BYTES("/{more}"));
    assert_int_equal(create_with_path(text_bytes(&text), &fault), -EINVAL);
    assert_string_equal(fault.what, "route r: path: has more than 16 names in braces");
}

static const struct {
    const char *path, *what;
} PATHS[] = {
    { "/a{b}", "has an element that is neither plain nor one {name}" },
    { "/{a}{b}", "has a name in braces that is not letters, digits, '_' or '-', 63 at most" },
    { "/{", "has an element that is neither plain nor one {name}" },
    { "/}", "has an element that is neither plain nor one {name}" },
    { "/{}", "has a name in braces that is not letters, digits, '_' or '-', 63 at most" },
    { "/{...}", "has a name in braces that is not letters, digits, '_' or '-', 63 at most" },
    { "/{a b}", "has a name in braces that is not letters, digits, '_' or '-', 63 at most" },
    { "/{a}/b/{a}", "has {a} twice" },
    { "/{a...}/b", "has an element behind {name...}, which takes all that is left" },
    { "/{a...}/", "has an element behind {name...}, which takes all that is left" },
    { "a", "must be a path: / first, no query, no dot segments" },
    { "", "must be a path: / first, no query, no dot segments" },
    { "/a?b", "must be a path: / first, no query, no dot segments" },
    { "/a/..", "must be a path: / first, no query, no dot segments" },
};

static void bad_paths_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PATHS); i++) {
        struct fault fault = { 0 };

        assert_int_equal(route_path_check(bytes_of_text(PATHS[i].path), &fault), -EINVAL);
        assert_string_equal(fault.what, PATHS[i].what);
    }
}

/* ROUTE_REGEXES_MAX and ROUTE_GATEWAYS_MAX. */
static void tables_are_bounded(void **state)
{
    static struct route_entry entries[ROUTE_REGEXES_MAX + 1];
    static struct bytes names[ROUTE_GATEWAYS_MAX + 1];
    static char texts[ROUTE_GATEWAYS_MAX + 1][8];
    struct route_conf conf = { entries, ROUTE_REGEXES_MAX };
    struct route_table *table = NULL;
    struct fault fault = { 0 };

    for (unsigned i = 0; i <= ROUTE_REGEXES_MAX; i++)
        entries[i] = (struct route_entry){ BYTES("r"), { .regex = BYTES("/a") } };
    assert_int_equal(route_table_create(&conf, &fault, &table), 0);
    route_table_free(table);
    conf.count++;
    assert_int_equal(route_table_create(&conf, &fault, &table), -ENOSPC);
    assert_string_equal(fault.what, "more than 1000 routes have a path by regular expression");
    for (unsigned i = 0; i <= ROUTE_GATEWAYS_MAX; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "g%u", i);
        names[i] = bytes_of_text(texts[i]);
    }
    entries[0] = (struct route_entry){ BYTES("r"), { .prefix = false }, { names, ROUTE_GATEWAYS_MAX } };
    conf.count = 1;
    assert_int_equal(route_table_create(&conf, &fault, &table), 0);
    route_table_free(table);
    entries[0].gateways.count++;
    assert_int_equal(route_table_create(&conf, &fault, &table), -ENOSPC);
    assert_string_equal(fault.what, "routes name more than 64 gateways");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_said),
        cmocka_unit_test(nothing_may_match),
        cmocka_unit_test(one_of_several_hosts_counts),
        cmocka_unit_test(a_costly_expression_is_said),
        cmocka_unit_test(long_reasons_are_cut),
        cmocka_unit_test(routes_are_listed_in_order),
        cmocka_unit_test(memory_may_end),
        cmocka_unit_test(lookups_take_no_memory),
        cmocka_unit_test(paths_are_bounded),
        cmocka_unit_test(bad_paths_are_refused),
        cmocka_unit_test(tables_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
