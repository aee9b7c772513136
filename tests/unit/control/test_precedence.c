/* Which route wins: files and requests, see precedence_rows.def. */
#include "base/alloc.h"
#include "control/compile.h"
#include "stage/route_table.h"
#include "try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ROUTES_IN_FILE 8
#define REQUESTS_OF_FILE 24
#define FIELDS 8
#define TEXT 8192
#define ROWS_MIN 100

struct request_row {
    const char *request; /* METHOD HOST/PATH[?QUERY] [@GATEWAY] [| Name: value]... */
    const char *wins;    /* the route's name, or "-" for none */
};

struct file_rows {
    const char *about;
    const char *routes[ROUTES_IN_FILE]; /* NAME MATCH, or NAME@GATEWAY MATCH, in the order of the file */
    struct request_row requests[REQUESTS_OF_FILE];
};

static const struct file_rows FILES[] = {
#include "precedence_rows.def"
};

/* --- the file ------------------------------------------------------------------------------------------------- */

static void write_file(const struct file_rows *rows, struct text *text)
{
    text_add(text, BYTES("gateway: [ { name: public, listen: http://0.0.0.0:80 }, { name: inner, listen: "
                         "http://127.0.0.1:81 } ]\nroutes:\n"));
    for (unsigned i = 0; i < ROUTES_IN_FILE && rows->routes[i]; i++) {
        struct bytes match = bytes_of_text(rows->routes[i]), name, gateway;

        assert_true(bytes_split(&match, ' ', &name));
        gateway = name;
        assert_true(bytes_split(&gateway, '@', &name));
        text_add_format(text, "- { name: " BYTES_FMT ", match: " BYTES_FMT ", to: { respond: 200 }", BYTES_ARG(name),
                        BYTES_ARG(match));
        if (gateway.data)
            text_add_format(text, ", gateway: " BYTES_FMT, BYTES_ARG(gateway));
        text_add(text, BYTES(" }\n"));
    }
    assert_false(text->full);
}

struct built {
    struct control_try *try;
    struct snapshot *snapshot;
    const struct route_table *table;
};

static void build(struct built *built, const struct file_rows *rows)
{
    char memory[TEXT];
    struct text text = text_into(memory, sizeof(memory));
    struct fault fault = { 0 };

    write_file(rows, &text);
    built->try = control_try(text_bytes(&text));
    if (built->try->result != 0)
        fail_msg("%s: %s", rows->about, built->try->text);
    assert_int_equal(snapshot_create(1, &built->snapshot), 0);
    assert_int_equal(control_compile(built->snapshot, built->try->config, &fault), 0);
    if (snapshot_seal(built->snapshot, NULL, &fault) < 0)
        fail_msg("%s: %s", rows->about, fault.what);
    built->table = snapshot_find(built->snapshot, &STAGE_ROUTE, BYTES(ROUTE_STAGE_PATH))->state;
}

/* --- the request ---------------------------------------------------------------------------------------------- */

struct request {
    struct http_field fields[FIELDS];
    struct http_head head;
    struct route_request request;
};

static void add_field(struct http_head *head, struct bytes text)
{
    struct bytes name;

    assert_true(bytes_split(&text, ':', &name));
    assert_int_equal(http_head_add_named(head, bytes_trim(name), bytes_trim(text)), 0);
}

static void parse_target(struct http_head *head, struct bytes target)
{
    ssize_t slash = bytes_find_char(target, '/'), question = bytes_find_char(target, '?');
    size_t end = question < 0 ? target.len : (size_t)question;

    head->authority = slash < 0 ? target : bytes_slice(target, 0, (size_t)slash);
    head->path = slash < 0 ? BYTES("*") : bytes_slice(target, (size_t)slash, end);
    head->query = question < 0 ? BYTES_NONE : bytes_skip(target, end + 1);
}

static void parse_request(struct request *request, const char *line)
{
    struct bytes rest = bytes_of_text(line), first, part;

    *request = (struct request){ .request = { BYTES("public"), &request->head } };
    request->head.fields = request->fields;
    request->head.field_max = FIELDS;
    assert_true(bytes_split(&rest, '|', &first));
    first = bytes_trim(first);
    while (bytes_split(&rest, '|', &part))
        add_field(&request->head, part);
    assert_true(bytes_split(&first, ' ', &request->head.method_text));
    assert_true(bytes_split(&first, ' ', &part));
    parse_target(&request->head, part);
    if (bytes_starts(first, BYTES("@")))
        request->request.gateway = bytes_skip(first, 1);
}

/* --- rows ----------------------------------------------------------------------------------------------------- */

struct told {
    const struct route_conf *conf;
    unsigned next;
    const char *line;
    char chosen[64];
};

static void hear(void *user, const struct route_verdict *verdict)
{
    struct told *told = user;
    struct bytes name = told->conf->routes[verdict->route].name;

    assert_int_equal(verdict->precedence, ++told->next);
    assert_int_equal(verdict->chosen, verdict->reason.len == 0);
    if (verdict->chosen) {
        assert_string_equal(told->chosen, "-"); /* one alone */
        (void)snprintf(told->chosen, sizeof(told->chosen), BYTES_FMT, BYTES_ARG(name));
    }
}

static void check_row(const struct built *built, const struct file_rows *rows, const struct request_row *row,
                      struct regex_memory *memory)
{
    const struct route_conf *conf = built->snapshot->root->conf;
    struct told told = { .conf = conf, .line = row->request, .chosen = "-" };
    struct route_found found, explained;
    struct request request;
    struct bytes name = BYTES("-");
    int r;

    parse_request(&request, row->request);
    r = route_table_find(built->table, &request.request, memory, &found);
    if (r == 0)
        name = conf->routes[found.route].name;
    if (!bytes_equal(name, bytes_of_text(row->wins)))
        fail_msg("%s: %s: " BYTES_FMT " wins, not %s", rows->about, row->request, BYTES_ARG(name), row->wins);
    assert_int_equal(route_table_explain(built->table, &request.request, hear, &told, &explained), r);
    assert_int_equal(told.next, conf->count);
    assert_string_equal(told.chosen, row->wins);
}

static void most_specific_route_wins(void **state)
{
    struct regex_memory *memory = NULL;
    unsigned count = 0;

    assert_int_equal(regex_memory_create(&memory), 0);
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        struct built built;

        build(&built, &FILES[i]);
        for (unsigned k = 0; k < REQUESTS_OF_FILE && FILES[i].requests[k].request; k++, count++)
            check_row(&built, &FILES[i], &FILES[i].requests[k], memory);
        snapshot_free(built.snapshot);
        control_try_done(built.try);
    }
    regex_memory_free(memory);
    print_message("%u rows\n", count);
    assert_true(count >= ROWS_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(most_specific_route_wins) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
