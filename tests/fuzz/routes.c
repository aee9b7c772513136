/* Any request, against routes of all kinds, and templates that look at all of it: a lookup ends within its bounds, says
 * what explaining says, and gives values that lie in the path. The input's lines are authority, path, query, method
 * and header fields. With a '/' first, the first line is also a route's path, which is refused or can be looked up. */
#include "base/assert.h"
#include "stage/route_table.h"
#include "stage/template.h"

#define FIELDS 8
#define VALUES 3
#define ARENA_MAX (64 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes hosts[] = { BYTES("a.test"), BYTES("*.test"), BYTES("*.b.test") };
static struct bytes methods[] = { BYTES("GET"), BYTES("POST") };
static struct bytes gateways[] = { BYTES("public") };
static struct route_value exact = { .exact = BYTES("1"), .has_exact = true };
static struct route_value regex = { .regex = BYTES("(a+b?)+c|[0-9]{1,3}"), .has_regex = true };
static struct route_value absent = { .has_present = true };
static struct conf_map_entry values[VALUES] = {
    { .name = BYTES("a"), .value = &exact },
    { .name = BYTES("b"), .value = &regex },
    { .name = BYTES("cookie"), .value = &absent },
};

static struct route_entry entries[] = {
    { BYTES("drawn"), { .path = BYTES("/drawn") } }, /* its path is the input's */
    { BYTES("all"), { .path = BYTES("/"), .prefix = true, .method = { methods, 2 } } },
    { BYTES("a"), { .path = BYTES("/a") } },
    { BYTES("ab"), { .path = BYTES("/a/{b}") } },
    { BYTES("rest"), { .path = BYTES("/a/{b}/c/{rest...}") } },
    { BYTES("headers"), { .path = BYTES("/a"), .prefix = true, .header = { values, VALUES } } },
    { BYTES("query"), { .path = BYTES("/a"), .prefix = true, .query = { values, VALUES } } },
    { BYTES("regex"), { .regex = BYTES("/(x+x+)+[yz]|/[^/]*/.*q") } },
    { BYTES("hosts"), { .path = BYTES("/a"), .hosts = { hosts, 3 } } },
    { BYTES("gateway"), { .path = BYTES("/g"), .prefix = true }, { gateways, 1 } },
};

struct heard {
    unsigned count;
    int chosen;
};

static void hear(void *user, const struct route_verdict *verdict)
{
    struct heard *heard = user;

    heard->count++;
    ASSERT(verdict->chosen == (verdict->reason.len == 0));
    ASSERT(!verdict->chosen || (verdict->matches && heard->chosen < 0));
    if (verdict->chosen)
        heard->chosen = (int)verdict->route;
}

static bool lies_in(struct bytes whole, struct bytes part)
{
    return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

static void look_up(const struct route_table *table, const struct http_head *head)
{
    const struct route_request request = { BYTES("public"), head };
    struct heard heard = { .chosen = -1 };
    struct route_found found = { .count = 0 }, told;
    struct regex_memory *memory = NULL;
    int r = regex_memory_create(&memory);

    ASSERT(r == 0);
    r = route_table_find(table, &request, memory, &found);
    ASSERT(r == 0 || r == -ENOENT || r == -E2BIG);
    for (unsigned i = 0; r == 0 && i < found.count; i++)
        ASSERT(lies_in(head->path, found.values[i]));
    ASSERT(route_table_explain(table, &request, hear, &heard, &told) == r);
    ASSERT(heard.count == ARRAY_LEN(entries));
    ASSERT(r == 0 ? heard.chosen == (int)found.route : heard.chosen < 0);
    (void)route_path_safe(head->path);
    regex_memory_free(memory);
}

static void expand(const struct http_head *head)
{
    struct exchange x = { .request = *head };
    const struct template *template;
    struct bytes text;

    arena_init(&x.arena, NULL, ARENA_MAX);
    if (template_parse(BYTES("{request.host} {cookie.a} {query.b} {header.a} {trace.id}"), &x.arena, NULL, &template) ==
        0)
        (void)template_expand(template, &x, &text);
    if (template_parse(head->path, &x.arena, NULL, &template) == 0)
        (void)template_expand(template, &x, &text);
    arena_done(&x.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct route_conf conf = { entries, ARRAY_LEN(entries) };
    struct bytes rest = bytes_of(data, size), line, name;
    struct http_field fields[FIELDS];
    struct http_head head = { .fields = fields, .field_max = FIELDS };
    struct bytes *const parts[] = { &head.authority, &head.path, &head.query, &head.method_text };
    struct route_table *table = NULL;
    int r;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        (void)bytes_split(&rest, '\n', parts[i]);
    while (bytes_split(&rest, '\n', &line))
        if (bytes_split(&line, ':', &name))
            (void)http_head_add_named(&head, name, line);
    entries[0].match.path = bytes_starts(head.authority, BYTES("/")) ? head.authority : BYTES("/drawn");
    entries[0].match.prefix = head.authority.len % 2;
    r = route_table_create(&conf, NULL, &table);
    ASSERT((r == 0) == (route_path_check(entries[0].match.path, NULL) == 0));
    if (r == 0)
        look_up(table, &head);
    route_table_free(table);
    expand(&head);
    return 0;
}
