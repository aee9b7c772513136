/* The lookup compared with the rules as they are written in stage/route_table.h, one route after the other: for tables
 * and requests that a seed draws from small alphabets, so that much collides. What explains must say the same. */
#include "base/prng.h"
#include "base/text.h"
#include "stage/route_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define TABLES 3000
#define REQUESTS 24
#define ROUTES 12
#define ELEMENTS 4
#define TEXT 64

/* --- what is drawn -------------------------------------------------------------------------------------------- */

static const char *const LITERALS[] = { "a", "b", "", "ab" };
static const char *const HOSTS[] = { "x.test", "*.test", "*.x.test", "y.x.test", "*.z" };
static const char *const REQUEST_HOSTS[] = { "x.test", "y.x.test", "X.TEST:80", "z.y.x.test.", "test", "q", "a.z" };
static const char *const METHODS[] = { "GET", "POST", "PUT" };
static const char *const GATEWAYS[] = { "one", "two", "three" };
static const char *const REGEXES[] = { "/a.*", "/[ab]", ".*b", "/(a|b)/[^/]+" };
static const char *const VALUES[] = { "1", "2", "12" };
static const char *const NAMES[] = { "p", "q", "r" };

struct drawn_route {
    char path[TEXT];
    struct bytes host, method, gateway;
    struct conf_map_entry header[ARRAY_LEN(NAMES)], query[ARRAY_LEN(NAMES)];
    struct route_value values[2][ARRAY_LEN(NAMES)];
};

struct drawn {
    struct prng prng;
    struct drawn_route drawn[ROUTES];
    struct route_entry entries[ROUTES];
    struct route_conf conf;
};

struct drawn_request {
    char path[TEXT], query[TEXT];
    struct http_field fields[4];
    struct http_head head;
    struct route_request request;
};

static unsigned draw(struct prng *prng, unsigned below)
{
    return (unsigned)prng_below(prng, below);
}

#define PICK(prng, list) bytes_of_text(list[draw(prng, ARRAY_LEN(list))])

static void draw_path(struct prng *prng, struct route_match *match, char *memory)
{
    struct text text = text_into(memory, TEXT - 1);
    unsigned count = draw(prng, ELEMENTS), kind;
    bool rest = false;

    for (unsigned i = 0; i < count && !rest; i++) {
        kind = draw(prng, 8);
        rest = kind == 7;
        if (kind < 4)
            text_add_format(&text, "/%s", LITERALS[draw(prng, ARRAY_LEN(LITERALS))]);
        else
            text_add_format(&text, "/{n%u%s}", i, rest ? "..." : "");
    }
    if (count == 0 && draw(prng, 2))
        text_add_char(&text, '/');
    match->path = text_bytes(&text);
    match->prefix = match->path.len > 0 && !rest && draw(prng, 2);
}

static void draw_values(struct prng *prng, struct conf_map *map, struct conf_map_entry *entries,
                        struct route_value *values)
{
    *map = (struct conf_map){ .entries = entries };
    for (unsigned i = 0; i < ARRAY_LEN(NAMES); i++) {
        struct route_value *value = &values[map->count];

        if (draw(prng, 5))
            continue;
        *value = (struct route_value){ 0 };
        switch (draw(prng, 4)) {
        case 0: value->has_present = value->present = true; break;
        case 1: value->has_present = true; break;
        case 2:
            value->has_regex = true;
            value->regex = BYTES("1.*");
            break;
        default: value->has_exact = true; value->exact = PICK(prng, VALUES);
        }
        entries[map->count++] = (struct conf_map_entry){ .name = bytes_of_text(NAMES[i]), .value = value };
    }
}

static void draw_route(struct prng *prng, struct drawn_route *drawn, struct route_entry *entry)
{
    struct route_match *match = &entry->match;

    *entry = (struct route_entry){ .name = BYTES("r") };
    if (draw(prng, 6) == 0)
        match->regex = PICK(prng, REGEXES);
    else
        draw_path(prng, match, drawn->path);
    drawn->host = PICK(prng, HOSTS);
    drawn->method = PICK(prng, METHODS);
    drawn->gateway = PICK(prng, GATEWAYS);
    match->hosts = (struct conf_list){ &drawn->host, draw(prng, 2) };
    match->method = (struct conf_list){ &drawn->method, draw(prng, 3) == 0 };
    entry->gateways = (struct conf_list){ &drawn->gateway, draw(prng, 4) == 0 };
    draw_values(prng, &match->header, drawn->header, drawn->values[0]);
    draw_values(prng, &match->query, drawn->query, drawn->values[1]);
}

static void draw_table(struct drawn *all)
{
    unsigned count = draw(&all->prng, ROUTES + 1);

    for (unsigned i = 0; i < count; i++)
        draw_route(&all->prng, &all->drawn[i], &all->entries[i]);
    all->conf = (struct route_conf){ all->entries, count };
}

static void draw_request(struct prng *prng, struct drawn_request *drawn)
{
    struct text path = text_into(drawn->path, TEXT), query = text_into(drawn->query, TEXT);
    struct http_head *head = &drawn->head;

    *head = (struct http_head){ .fields = drawn->fields, .field_max = ARRAY_LEN(drawn->fields) };
    for (unsigned i = draw(prng, ELEMENTS + 1); i > 0; i--)
        text_add_format(&path, "/%s", LITERALS[draw(prng, ARRAY_LEN(LITERALS))]);
    if (path.len == 0)
        text_add(&path, draw(prng, 8) ? BYTES("/") : BYTES("*"));
    for (unsigned i = draw(prng, 3); i > 0; i--)
        text_add_format(&query, "%s%s=%s", query.len ? "&" : "", NAMES[draw(prng, ARRAY_LEN(NAMES))],
                        VALUES[draw(prng, ARRAY_LEN(VALUES))]);
    for (unsigned i = draw(prng, 4); i > 0; i--)
        assert_int_equal(http_head_add_named(head, PICK(prng, NAMES), PICK(prng, VALUES)), 0);
    head->path = text_bytes(&path);
    head->query = query.len ? text_bytes(&query) : BYTES_NONE;
    head->authority = PICK(prng, REQUEST_HOSTS);
    head->method_text = PICK(prng, METHODS);
    drawn->request = (struct route_request){ PICK(prng, GATEWAYS), head };
}

/* --- the rules, one after the other ------------------------------------------------------------------------------ */

static struct bytes plain_host(struct bytes authority)
{
    ssize_t colon = bytes_find_char(authority, ':');
    struct bytes host = bytes_slice(authority, 0, colon < 0 ? authority.len : (size_t)colon);

    return bytes_ends(host, BYTES(".")) ? bytes_slice(host, 0, host.len - 1) : host;
}

static bool host_matches(const struct route_match *match, struct bytes authority)
{
    struct bytes host = plain_host(authority), wanted;

    if (match->hosts.count == 0)
        return true;
    wanted = *(const struct bytes *)match->hosts.items;
    if (!bytes_starts(wanted, BYTES("*")))
        return bytes_equal_ci(host, wanted);
    wanted = bytes_skip(wanted, 1);
    return host.len > wanted.len && bytes_equal_ci(bytes_skip(host, host.len - wanted.len), wanted);
}

static unsigned split(struct bytes path, struct bytes *ret)
{
    struct bytes rest = bytes_skip(path, 1), part;
    unsigned count = 0;

    while (bytes_split(&rest, '/', &part))
        ret[count++] = part;
    return count;
}

static bool element_matches(struct bytes wanted, struct bytes element)
{
    return bytes_starts(wanted, BYTES("{")) ? element.len > 0 : bytes_equal(wanted, element);
}

static bool path_matches(const struct route_match *match, struct bytes path)
{
    struct bytes wanted[TEXT], elements[TEXT];
    struct bytes pattern = match->path;
    unsigned wanted_count, count;

    if (match->prefix && bytes_ends(pattern, BYTES("/")))
        pattern.len--;
    if (pattern.len == 0)
        return true;
    if (path.data[0] != '/')
        return false;
    wanted_count = split(pattern, wanted);
    count = split(path, elements);
    for (unsigned i = 0; i < wanted_count; i++) {
        if (i >= count)
            return false;
        if (bytes_ends(wanted[i], BYTES("...}")))
            return true;
        if (!element_matches(wanted[i], elements[i]))
            return false;
    }
    return count == wanted_count || match->prefix;
}

/* Each of REGEXES by hand. */
static bool regex_matches(struct bytes regex, struct bytes path)
{
    struct bytes elements[TEXT];
    unsigned count;

    if (path.data[0] != '/')
        return false;
    count = split(path, elements);
    if (bytes_equal(regex, BYTES("/a.*")))
        return bytes_starts(path, BYTES("/a"));
    if (bytes_equal(regex, BYTES("/[ab]")))
        return bytes_equal(path, BYTES("/a")) || bytes_equal(path, BYTES("/b"));
    if (bytes_equal(regex, BYTES(".*b")))
        return bytes_ends(path, BYTES("b"));
    return count == 2 && (bytes_equal(elements[0], BYTES("a")) || bytes_equal(elements[0], BYTES("b"))) &&
           elements[1].len > 0;
}

static bool value_matches(const struct route_value *wanted, struct bytes value)
{
    if (wanted->has_present)
        return wanted->present;
    return wanted->has_exact ? bytes_equal(value, wanted->exact) : bytes_starts(value, BYTES("1"));
}

static bool header_matches(const struct conf_map_entry *entry, const struct http_head *head)
{
    const struct route_value *wanted = entry->value;
    bool there = false, matches = false;

    for (unsigned i = 0; i < head->field_count; i++) {
        if (!bytes_equal_ci(head->fields[i].name, entry->name))
            continue;
        there = true;
        matches = matches || value_matches(wanted, head->fields[i].value);
    }
    return wanted->has_present && !wanted->present ? !there : matches;
}

static bool query_matches(const struct conf_map_entry *entry, const struct http_head *head)
{
    const struct route_value *wanted = entry->value;
    struct bytes rest = head->query, part, name;

    while (bytes_split(&rest, '&', &part)) {
        assert_true(bytes_split(&part, '=', &name));
        if (bytes_equal(name, entry->name))
            return value_matches(wanted, part);
    }
    return wanted->has_present && !wanted->present;
}

static bool all_match(const struct route_entry *entry, const struct route_request *request)
{
    const struct route_match *match = &entry->match;
    const struct http_head *head = request->head;
    bool fine = host_matches(match, head->authority);

    fine = fine && (match->regex.len ? regex_matches(match->regex, head->path) : path_matches(match, head->path));
    fine = fine && (!match->method.count || bytes_equal(*(struct bytes *)match->method.items, head->method_text));
    fine = fine && (!entry->gateways.count || bytes_equal(*(struct bytes *)entry->gateways.items, request->gateway));
    for (size_t i = 0; i < match->header.count; i++)
        fine = fine && header_matches(&match->header.entries[i], head);
    for (size_t i = 0; i < match->query.count; i++)
        fine = fine && query_matches(&match->query.entries[i], head);
    return fine;
}

/* A letter for each element and the end, by how specific it is: the smaller word wins. */
static void path_word(const struct route_match *match, char *word)
{
    struct bytes wanted[TEXT], pattern = match->path;
    unsigned count, at = 1;

    if (match->prefix && bytes_ends(pattern, BYTES("/")))
        pattern.len--;
    count = pattern.len ? split(pattern, wanted) : 0;
    word[0] = match->regex.len ? 'b' : count == 0 || bytes_ends(wanted[0], BYTES("...}")) ? 'c' : 'a';
    for (unsigned i = 0; i < count && !match->regex.len; i++)
        word[at++] = bytes_ends(wanted[i], BYTES("...}")) ? 'd' : bytes_starts(wanted[i], BYTES("{")) ? 'b' : 'a';
    if (!match->regex.len && word[at - 1] != 'd')
        word[at++] = match->prefix || count == 0 ? 'e' : 'c';
    word[at] = '\0';
}

static int host_rank(const struct route_match *match)
{
    struct bytes host = match->hosts.count ? *(const struct bytes *)match->hosts.items : BYTES_NONE;

    return host.len == 0 ? 1000 : bytes_starts(host, BYTES("*")) ? 900 - (int)host.len : 0;
}

/* Whether a goes before b, which stands behind it in the file. */
static bool goes_before(const struct route_match *a, const struct route_match *b)
{
    char word_a[TEXT], word_b[TEXT];
    int path;

    if (host_rank(a) != host_rank(b))
        return host_rank(a) < host_rank(b);
    path_word(a, word_a);
    path_word(b, word_b);
    path = strcmp(word_a, word_b);
    if (path != 0)
        return path < 0;
    if (a->method.count != b->method.count)
        return a->method.count > 0;
    if (a->header.count != b->header.count)
        return a->header.count > b->header.count;
    return a->query.count >= b->query.count;
}

static int find_slowly(const struct drawn *all, const struct route_request *request)
{
    int best = -1;

    for (unsigned i = 0; i < all->conf.count; i++) {
        if (!all_match(&all->entries[i], request))
            continue;
        if (best < 0 || !goes_before(&all->entries[best].match, &all->entries[i].match))
            best = (int)i;
    }
    return best;
}

/* --- comparing -------------------------------------------------------------------------------------------------- */

struct heard {
    const struct drawn *all;
    const struct route_request *request;
    unsigned count, order[ROUTES];
    bool told[ROUTES];
    int chosen;
};

static void hear(void *user, const struct route_verdict *verdict)
{
    struct heard *heard = user;

    assert_false(heard->told[verdict->route]);
    heard->told[verdict->route] = true;
    heard->order[heard->count++] = verdict->route;
    assert_int_equal(verdict->precedence, heard->count);
    assert_int_equal(verdict->matches, all_match(&heard->all->entries[verdict->route], heard->request));
    assert_int_equal(verdict->reason.len == 0, verdict->chosen);
    if (!verdict->chosen)
        return;
    assert_int_equal(heard->chosen, -1);
    heard->chosen = (int)verdict->route;
}

/* The order that is told is that of the rules, for each two of them. */
static void check_order(const struct drawn *all, const unsigned *order, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        unsigned before = order[i - 1], after = order[i];

        if (before < after)
            assert_true(goes_before(&all->entries[before].match, &all->entries[after].match));
        else
            assert_false(goes_before(&all->entries[after].match, &all->entries[before].match));
    }
}

static void fail_at(uint64_t seed, const struct drawn_request *request, const char *what, int found, int wanted)
{
    fail_msg("seed %llu: " BYTES_FMT " " BYTES_FMT " " BYTES_FMT ": %s says %d, not %d", (unsigned long long)seed,
             BYTES_ARG(request->head.method_text), BYTES_ARG(request->head.authority), BYTES_ARG(request->head.path),
             what, found, wanted);
}

static void check_request(const struct drawn *all, const struct route_table *table, struct regex_memory *memory,
                          const struct drawn_request *request, uint64_t seed)
{
    struct heard heard = { .all = all, .request = &request->request, .chosen = -1 };
    struct route_found found = { .route = 0 };
    int wanted = find_slowly(all, &request->request), got;
    int r = route_table_find(table, &request->request, memory, &found);

    got = r < 0 ? -1 : (int)found.route;
    assert_true(r == 0 || r == -ENOENT);
    if (got != wanted)
        fail_at(seed, request, "the lookup", got, wanted);
    assert_int_equal(route_table_explain(table, &request->request, hear, &heard, &found), r);
    if (heard.chosen != wanted)
        fail_at(seed, request, "explain", heard.chosen, wanted);
    assert_int_equal(heard.count, all->conf.count);
    check_order(all, heard.order, heard.count);
}

static void lookup_follows_the_rules(void **state)
{
    struct regex_memory *memory = NULL;
    unsigned matched = 0;

    assert_int_equal(regex_memory_create(&memory), 0);
    for (uint64_t seed = 1; seed <= TABLES; seed++) {
        struct fault fault = { 0 };
        struct route_table *table = NULL;
        struct drawn_request request;
        struct drawn all;

        prng_seed(&all.prng, seed);
        draw_table(&all);
        if (route_table_create(&all.conf, &fault, &table) < 0)
            fail_msg("seed %llu: %s", (unsigned long long)seed, fault.what);
        for (unsigned i = 0; i < REQUESTS; i++) {
            draw_request(&all.prng, &request);
            check_request(&all, table, memory, &request, seed);
            matched += find_slowly(&all, &request.request) >= 0;
        }
        route_table_free(table);
    }
    regex_memory_free(memory);
    assert_true(matched > TABLES * REQUESTS / 10); /* or hardly anything was compared */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lookup_follows_the_rules) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
