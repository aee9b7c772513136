#include "stage/template.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ARENA_MAX 65536

static struct http_field fields[] = {
    { BYTES("X-User"), BYTES("ann"), HTTP_FIELD_OTHER },
    { BYTES("x-user"), BYTES("bob"), HTTP_FIELD_OTHER },
    { BYTES("X-Empty"), { NULL, 0 }, HTTP_FIELD_OTHER },
    { BYTES("Cookie"), BYTES("a=1; id=first;b"), HTTP_FIELD_COOKIE },
    { BYTES("Cookie"), BYTES("id=second; late=\"q\"; b=2"), HTTP_FIELD_COOKIE },
};

static const struct exchange_parameter PARAMETERS[] = {
    { BYTES("id"), BYTES("42") },
    { BYTES("rest"), BYTES("a/b%20c") },
};

static struct exchange *exchange_of(struct exchange *x)
{
    *x = (struct exchange){
        .gateway = BYTES("public"),
        .request_id = BYTES("r-1"),
        .route = BYTES("orders"),
        .service = BYTES("shop"),
        .client = BYTES("192.0.2.7"),
        .caller = BYTES("web"),
        .scheme = BYTES("http"),
        .parameters = PARAMETERS,
        .parameter_count = ARRAY_LEN(PARAMETERS),
        .trace = { .id_high = 0x0af7651916cd43dd, .id_low = 0x8448eb211c80319c },
        .request = { .method_text = BYTES("GET"),
                     .path = BYTES("/orders/42"),
                     .query = BYTES("q=tea%20pot&q=cup&flag&empty=&qq=no"),
                     .authority = BYTES("shop.example.com:8080"),
                     .known = UINT64_C(1) << HTTP_FIELD_COOKIE | UINT64_C(1) << HTTP_FIELD_OTHER,
                     .fields = fields,
                     .field_count = ARRAY_LEN(fields),
                     .field_max = ARRAY_LEN(fields) },
    };
    arena_init(&x->arena, NULL, ARENA_MAX);
    return x;
}

static const struct {
    const char *template, *wanted;
} ROWS[] = {
    { "", "" },
    { "plain", "plain" },
    { "{client.address}", "192.0.2.7" },
    { "{request.method} {request.path}?{request.query}", "GET /orders/42?q=tea%20pot&q=cup&flag&empty=&qq=no" },
    { "{request.scheme}://{request.host}/", "http://shop.example.com/" },
    { "{request.id}", "r-1" },
    { "{header.x-user}", "ann" },
    { "{header.X-USER}", "ann" },
    { "{header.x-none}", "" },
    { "<{header.x-empty}>", "<>" },
    { "{cookie.id}", "first" },
    { "{cookie.a}", "1" },
    { "{cookie.b}", "" },
    { "{cookie.late}", "\"q\"" },
    { "{cookie.ID}", "" },
    { "{cookie.i}", "" },
    { "{query.q}", "tea%20pot" },
    { "{query.flag}", "" },
    { "{query.empty}", "" },
    { "{query.fla}", "" },
    { "{query.qq}", "no" },
    { "{path.id}", "42" },
    { "{path.rest}", "a/b%20c" },
    { "{path.none}", "" },
    { "{route}/{service}/{gateway}/{caller}", "orders/shop/public/web" },
    { "{trace.id}", "0af7651916cd43dd8448eb211c80319c" },
    { "{trace.id}{trace.id}", "0af7651916cd43dd8448eb211c80319c0af7651916cd43dd8448eb211c80319c" },
    { "{{}}", "{}" },
    { "{{{path.id}}}", "{42}" },
    { "a{{b}}c", "a{b}c" },
    { "{{path.id}}", "{path.id}" },
    { "{path.none}{header.x-none}", "" },
};

static void expands(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const struct template *template;
        struct exchange x;
        struct fault fault = { 0 };
        struct bytes text = bytes_of_text(ROWS[i].template), got = BYTES("untouched");

        assert_int_equal(template_check(text, &fault), 0);
        assert_int_equal(template_parse(text, &exchange_of(&x)->arena, &fault, &template), 0);
        assert_int_equal(template_expand(template, &x, &got), 0);
        if (!bytes_equal(got, bytes_of_text(ROWS[i].wanted)))
            fail_msg("%s: " BYTES_FMT, ROWS[i].template, BYTES_ARG(got));
        assert_string_equal(fault.what, "");
        arena_done(&x.arena);
    }
}

static void what_is_not_there_is_empty(void **state)
{
    static const char *const NAMES[] = { "client.address", "request.method", "request.path", "request.query",
                                         "request.host",   "request.scheme", "request.id",   "header.x",
                                         "cookie.x",       "query.x",        "path.x",       "route",
                                         "service",        "gateway",        "caller",       "trace.id" };

    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        struct exchange x = { 0 };
        const struct template *template;
        char memory[64];
        struct text text = text_into(memory, sizeof(memory));
        struct bytes got = BYTES("untouched");

        arena_init(&x.arena, NULL, ARENA_MAX);
        text_add_format(&text, "{%s}", NAMES[i]);
        assert_int_equal(template_parse(text_bytes(&text), &x.arena, NULL, &template), 0);
        assert_int_equal(template_expand(template, &x, &got), 0);
        assert_int_equal(got.len, 0);
        arena_done(&x.arena);
    }
}

#define KNOWN                                                                                                      \
    "known: client.address, request.method .path .query .host .scheme .id, header.NAME, cookie.NAME, query.NAME, " \
    "path.NAME, route, service, gateway, caller, trace.id"

static const struct {
    const char *template, *what, *hint;
} FAULTS[] = {
    { "{client.adress}", "has {client.adress}, which is not known", "did you mean {client.address}?" },
    { "{heder.x-user}", "has {heder.x-user}, which is not known", "did you mean {header.x-user}?" },
    { "x {headers.a.b}", "has {headers.a.b}, which is not known", "did you mean {header.a.b}?" },
    { "{rout}", "has {rout}, which is not known", "did you mean {route}?" },
    { "{request.pth}", "has {request.pth}, which is not known", "did you mean {request.path}?" },
    { "{traceid}", "has {traceid}, which is not known", "did you mean {trace.id}?" },
    { "{jwt.subject.of.it}", "has {jwt.subject.of.it}, which is not known", KNOWN },
    { "{}", "has {}, which is not known", KNOWN },
    { "{header.}", "has {header.} without a name behind the dot", "" },
    { "{path.}", "has {path.} without a name behind the dot", "" },
    { "{header.x user}", "has {header.x user}, which is no field name", "" },
    { "a { b", "has a \"{\" without its \"}\"", "write {{ for the character itself" },
    { "a } b", "has a \"}\" without its \"{\"", "write }} for the character itself" },
    { "{path.id}}", "has a \"}\" without its \"{\"", "write }} for the character itself" },
};

static void faults_say_what_was_meant(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(FAULTS); i++) {
        const struct template *template = NULL;
        struct arena arena;
        struct fault checked = { 0 }, parsed = { 0 };
        struct bytes text = bytes_of_text(FAULTS[i].template);

        arena_init(&arena, NULL, ARENA_MAX);
        assert_int_equal(template_check(text, &checked), -EINVAL);
        assert_int_equal(template_parse(text, &arena, &parsed, &template), -EINVAL);
        assert_null(template);
        assert_string_equal(checked.what, FAULTS[i].what);
        assert_string_equal(checked.hint, FAULTS[i].hint);
        assert_string_equal(parsed.what, checked.what);
        arena_done(&arena);
    }
}

/* TEMPLATE_PARTS_MAX is reached and passed, and so is TEMPLATE_TEXT_MAX. */
static void bounds_hold(void **state)
{
    static char many[TEMPLATE_PARTS_MAX * 9 + 2], path[TEMPLATE_TEXT_MAX + 1];
    const struct template *template;
    struct exchange x;
    struct fault fault = { 0 };
    struct bytes got = BYTES("untouched");

    for (unsigned i = 0; i < TEMPLATE_PARTS_MAX; i++)
        memcpy(many + i * 9, "{service}", 9);
    many[TEMPLATE_PARTS_MAX * 9] = '!';
    assert_int_equal(template_parse(bytes_of(many, sizeof(many) - 2), &exchange_of(&x)->arena, &fault, &template), 0);
    assert_int_equal(template_expand(template, &x, &got), 0);
    assert_int_equal(got.len, TEMPLATE_PARTS_MAX * 4);
    assert_int_equal(template_parse(bytes_of_text(many), &x.arena, &fault, &template), -ENOSPC);
    assert_string_equal(fault.what, "has more than 32 parts");
    assert_int_equal(template_check(bytes_of_text(many), &fault), -EINVAL);

    memset(path, 'p', sizeof(path));
    x.request.path = bytes_of(path, TEMPLATE_TEXT_MAX);
    x.route = BYTES_NONE;
    assert_int_equal(template_parse(BYTES("{route}{request.path}"), &x.arena, &fault, &template), 0);
    assert_int_equal(template_expand(template, &x, &got), 0);
    assert_int_equal(got.len, TEMPLATE_TEXT_MAX);
    x.request.path.len++;
    got = BYTES("untouched");
    assert_int_equal(template_expand(template, &x, &got), -ENOSPC);
    assert_true(bytes_equal(got, BYTES("untouched")));
    arena_done(&x.arena);
}

/* (3): one part is a slice of what the exchange has; no memory means -ENOMEM. */
static void memory(void **state)
{
    const struct template *one, *two;
    struct exchange x;
    struct bytes got = BYTES_NONE;
    struct mem_stats before;

    assert_int_equal(template_parse(BYTES("{path.id}"), &exchange_of(&x)->arena, NULL, &one), 0);
    assert_int_equal(template_parse(BYTES("{path.id}!"), &x.arena, NULL, &two), 0);
    before = mem_stats();
    assert_int_equal(template_expand(one, &x, &got), 0);
    assert_ptr_equal(got.data, PARAMETERS[0].value.data);
    assert_int_equal(template_expand(two, &x, &got), 0);
    assert_int_equal(mem_stats().allocations, before.allocations);
    x.arena.max = x.arena.used;
    assert_int_equal(template_expand(two, &x, &got), -ENOMEM);
    assert_int_equal(template_parse(BYTES("{route}"), &x.arena, NULL, &one), -ENOMEM);
    arena_done(&x.arena);
}

struct taken {
    unsigned count;
    struct bytes names[4];
};

static void take(void *user, struct bytes name)
{
    struct taken *taken = user;

    taken->names[taken->count++] = name;
}

static void parameters_are_told(void **state)
{
    const struct template *template;
    struct taken taken = { 0 };
    struct arena arena;

    arena_init(&arena, NULL, ARENA_MAX);
    assert_int_equal(
        template_parse(BYTES("{path.id} {header.path.x} {path.a-b.c} {{path.z}}"), &arena, NULL, &template), 0);
    template_parameters(template, take, &taken);
    assert_int_equal(taken.count, 2);
    assert_true(bytes_equal(taken.names[0], BYTES("id")));
    assert_true(bytes_equal(taken.names[1], BYTES("a-b.c")));
    arena_done(&arena);
}

static const struct {
    const char *template;
    enum template_escape escape;
    const char *wanted;
} ESCAPED[] = {
    { "<b>{header.x}</b> & \"", TEMPLATE_PLAIN, "<b><a href='x'>&\"\\\n\xc3\xa9\xff</b> & \"" },
    { "<b>{header.x}</b> & \"", TEMPLATE_HTML, "<b>&lt;a href=&#39;x&#39;&gt;&amp;&#34;\\\n\xc3\xa9\xff</b> & \"" },
    { "\"{header.x}\"", TEMPLATE_JSON, "\"<a href='x'>&\\\"\\\\\\n\xc3\xa9\xef\xbf\xbd\"" },
    { "{header.none}", TEMPLATE_HTML, "" },
    { "{header.none}", TEMPLATE_JSON, "" },
    { "", TEMPLATE_JSON, "" },
    { "a={path.odd}&b={header.y};c", TEMPLATE_URL, "a=1%26admin%3Dyes%3Bx%2By&b=%26%26;c" },
    { "{request.query}&q={query.b}", TEMPLATE_URL, "a=1&b=2+3;4&&c&q=2+3;4" },
    { "{{{trace.id}}}", TEMPLATE_JSON, "{0af7651916cd43dd8448eb211c80319c}" },
};

static void values_are_escaped_and_literals_are_not(void **state)
{
    static struct http_field odd[] = { { BYTES("X"), BYTES("<a href='x'>&\"\\\n\xc3\xa9\xff"), HTTP_FIELD_OTHER },
                                       { BYTES("Y"), BYTES("&&"), HTTP_FIELD_OTHER } };
    static const struct exchange_parameter parameter = { BYTES("odd"), BYTES("1&admin=yes;x+y") };

    for (size_t i = 0; i < ARRAY_LEN(ESCAPED); i++) {
        const struct template *template = NULL;
        struct bytes text = BYTES_NONE;
        struct fault fault = { 0 };
        struct exchange x;
        struct arena arena;

        arena_init(&arena, NULL, ARENA_MAX);
        exchange_of(&x)->request.fields = odd;
        x.request.field_count = ARRAY_LEN(odd);
        x.request.query = BYTES("a=1&b=2+3;4&&c");
        x.parameters = &parameter;
        x.parameter_count = 1;
        assert_int_equal(template_parse(bytes_of_text(ESCAPED[i].template), &arena, &fault, &template), 0);
        assert_int_equal(template_expand_as(template, ESCAPED[i].escape, &x, &text), 0);
        if (!bytes_equal(text, bytes_of_text(ESCAPED[i].wanted)))
            fail_msg("row %zu: " BYTES_FMT, i, BYTES_ARG(text));
        arena_done(&x.arena);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_escaped_and_literals_are_not),
        cmocka_unit_test(expands),
        cmocka_unit_test(what_is_not_there_is_empty),
        cmocka_unit_test(faults_say_what_was_meant),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(memory),
        cmocka_unit_test(parameters_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
