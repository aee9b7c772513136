#include "wire/http.h"

#include "base/text.h"

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

static void knows_methods(void **state)
{
    static const char SAFE[] = "GET HEAD OPTIONS TRACE", IDEMPOTENT[] = "GET HEAD OPTIONS TRACE PUT DELETE";

    for (unsigned i = HTTP_GET; i < HTTP_METHOD_COUNT; i++) {
        enum http_method method = (enum http_method)i;
        struct bytes name = http_method_name(method);

        assert_true(http_is_token(name));
        assert_int_equal(http_method_of(name), method);
        assert_int_equal(http_method_safe(method), bytes_find(bytes_of_text(SAFE), name) >= 0);
        assert_int_equal(http_method_idempotent(method), bytes_find(bytes_of_text(IDEMPOTENT), name) >= 0);
    }
    assert_int_equal(http_method_of(BYTES("get")), HTTP_OTHER);
    assert_int_equal(http_method_of(BYTES("GETS")), HTTP_OTHER);
    assert_int_equal(http_method_of(BYTES("")), HTTP_OTHER);
    assert_int_equal(http_method_name(HTTP_OTHER).len, 0);
    assert_false(http_method_safe(HTTP_OTHER));
    assert_false(http_method_idempotent(HTTP_OTHER));
}

static void knows_reasons(void **state)
{
    unsigned known = 0;

    assert_true(bytes_equal(http_reason(200), BYTES("OK")));
    assert_true(bytes_equal(http_reason(503), BYTES("Service Unavailable")));
    assert_int_equal(http_reason(299).len, 0);
    for (unsigned status = 100; status < 600; status++) {
        assert_true(http_is_field_value(http_reason(status)));
        known += http_reason(status).len > 0;
    }
    assert_int_equal(known, 53);
}

/* Each name is found in every case, and only whole and with every byte in its place. */
static void knows_fields(void **state)
{
    for (unsigned i = HTTP_FIELD_OTHER + 1; i < HTTP_FIELD_COUNT; i++) {
        enum http_field_id id = (enum http_field_id)i;
        struct bytes name = http_field_name(id);
        char text[32];

        assert_true(http_is_token(name));
        assert_int_equal(http_field_id_of(name), id);
        for (size_t at = 0; at < name.len; at++) {
            memcpy(text, name.data, name.len);
            for (unsigned value = 0; value < 256; value++) {
                bool same = ascii_lower((char)value) == ascii_lower(name.data[at]);

                text[at] = (char)value;
                assert_int_equal(http_field_id_of(bytes_of(text, name.len)), same ? id : HTTP_FIELD_OTHER);
            }
        }
        assert_true(http_field_id_of(bytes_slice(name, 0, name.len - 1)) != id);
        text[0] = 'x';
        memcpy(text + 1, name.data, name.len);
        assert_true(http_field_id_of(bytes_of(text, name.len + 1)) != id);
    }
    assert_int_equal(http_field_id_of(BYTES("")), HTTP_FIELD_OTHER);
    assert_int_equal(http_field_id_of(BYTES_NONE), HTTP_FIELD_OTHER);
    assert_int_equal(http_field_id_of(BYTES("x-a-name-that-is-longer-than-all-of-ours")), HTTP_FIELD_OTHER);
    assert_true(http_field_hop_by_hop(HTTP_FIELD_CONNECTION));
    assert_true(http_field_hop_by_hop(HTTP_FIELD_TE));
    assert_false(http_field_hop_by_hop(HTTP_FIELD_HOST));
    assert_false(http_field_hop_by_hop(HTTP_FIELD_CONTENT_LENGTH));
    assert_false(http_field_hop_by_hop(HTTP_FIELD_OTHER));
}

static void knows_tokens_and_values(void **state)
{
    assert_true(http_is_token(BYTES("a-Z0!#$%&'*+.^_`|~")));
    assert_false(http_is_token(BYTES("")));
    assert_false(http_is_token(BYTES("a b")));
    assert_false(http_is_token(BYTES("a\0")));
    assert_false(http_is_token(BYTES("a:")));
    assert_true(http_is_field_value(BYTES("")));
    assert_true(http_is_field_value(BYTES_NONE));
    assert_true(http_is_field_value(BYTES("a b\tc\xff")));
    assert_false(http_is_field_value(BYTES("a\r\nb: c")));
    for (size_t len = 1; len < 70; len++) { /* a control character is found at every place of every length */
        char text[70];

        for (size_t at = 0; at < len; at++) {
            memset(text, 'a', sizeof(text));
            assert_true(http_is_field_value(bytes_of(text, len)));
            text[at] = '\n';
            assert_false(http_is_field_value(bytes_of(text, len)));
        }
    }
}

static void splits_lists(void **state)
{
    static const struct {
        const char *list, *want; /* elements between bars */
    } rows[] = {
        { "", "" },
        { " , ,\t", "" },
        { "a", "a|" },
        { " a b ,c,, d\t", "a b|c|d|" },
        { "\"a,b\", c", "\"a,b\"|c|" },
        { "a=\"b\\\",c\", d", "a=\"b\\\",c\"|d|" },
        { "\"a, b", "\"a|b|" },
        { "\"a\\", "\"a\\|" },
        { "a\"b\"c\"d,e\",f", "a\"b\"c\"d,e\"|f|" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bytes rest = bytes_of_text(rows[i].list), element;
        char memory[64];
        struct text text = text_into(memory, sizeof(memory));

        while (http_list_next(&rest, &element)) {
            text_add(&text, element);
            text_add_char(&text, '|');
        }
        if (!bytes_equal(text_bytes(&text), bytes_of_text(rows[i].want)))
            fail_msg("%s gave %.*s", rows[i].list, BYTES_ARG(text_bytes(&text)));
    }
}

#define ROOM 8

static void holds_fields(void **state)
{
    struct http_field fields[ROOM];
    struct http_head head = { .fields = fields, .field_max = ROOM };

    assert_null(http_head_field(&head, HTTP_FIELD_HOST));
    assert_null(http_head_find(&head, BYTES("x")));
    assert_int_equal(http_head_value(&head, HTTP_FIELD_HOST).len, 0);
    assert_int_equal(http_head_add(&head, HTTP_FIELD_HOST, BYTES("a")), 0);
    assert_int_equal(http_head_add_named(&head, BYTES("X-One"), BYTES("1")), 0);
    assert_int_equal(http_head_add_named(&head, BYTES("via"), BYTES("b")), 0);
    assert_int_equal(http_head_add(&head, HTTP_FIELD_VIA, BYTES("c, D")), 0);
    assert_true(http_head_has(&head, HTTP_FIELD_VIA));
    assert_false(http_head_has(&head, HTTP_FIELD_DATE));
    assert_true(bytes_equal(http_head_value(&head, HTTP_FIELD_VIA), BYTES("b")));
    assert_ptr_equal(http_head_find(&head, BYTES("VIA")), &fields[2]);
    assert_ptr_equal(http_head_find(&head, BYTES("x-oNE")), &fields[1]);
    assert_null(http_head_find(&head, BYTES("x-two")));
    assert_true(http_head_lists(&head, HTTP_FIELD_VIA, BYTES("d")));
    assert_true(http_head_lists(&head, HTTP_FIELD_VIA, BYTES("B")));
    assert_false(http_head_lists(&head, HTTP_FIELD_VIA, BYTES("c, D")));
    assert_false(http_head_lists(&head, HTTP_FIELD_DATE, BYTES("b")));
    http_head_remove(&head, HTTP_FIELD_VIA);
    assert_false(http_head_has(&head, HTTP_FIELD_VIA));
    assert_int_equal(head.field_count, 2);
    http_head_remove_named(&head, BYTES("x-ONE"));
    http_head_remove_named(&head, BYTES("x-ONE"));
    assert_int_equal(head.field_count, 1);
    assert_int_equal(head.known, UINT64_C(1) << HTTP_FIELD_HOST);
    http_head_remove_named(&head, BYTES("hosT"));
    assert_int_equal(head.known, 0);
}

static void refuses_to_add(void **state)
{
    struct http_field fields[1];
    struct http_head head = { .fields = fields, .field_max = 1 };

    assert_int_equal(http_head_add(&head, HTTP_FIELD_VIA, BYTES("a\r\nHost: b")), -EINVAL);
    assert_int_equal(http_head_add_named(&head, BYTES("X"), BYTES("a\0")), -EINVAL);
    assert_int_equal(http_head_add_named(&head, BYTES("X: y"), BYTES("a")), -EINVAL);
    assert_int_equal(http_head_add_named(&head, BYTES(""), BYTES("a")), -EINVAL);
    assert_int_equal(head.field_count, 0);
    assert_int_equal(http_head_add(&head, HTTP_FIELD_VIA, BYTES("a")), 0);
    assert_int_equal(http_head_add(&head, HTTP_FIELD_VIA, BYTES("a")), -ENOSPC);
    assert_int_equal(http_head_add_named(&head, BYTES("X"), BYTES("a")), -ENOSPC);
    assert_int_equal(head.field_count, 1);
}

/* connection: what it nominates; fields: names before; left: names after. */
static void check_strip(const char *connection, const char *fields, const char *left)
{
    struct http_field room[HTTP_FIELDS_MAX];
    struct http_head head = { .fields = room, .field_max = ARRAY_LEN(room) };
    struct bytes names = bytes_of_text(fields), name;
    uint64_t known = 0;
    char memory[512];
    struct text text = text_into(memory, sizeof(memory));

    while (bytes_split(&names, ' ', &name))
        assert_int_equal(http_head_add_named(&head, name, BYTES("v")), 0);
    if (connection != NULL)
        assert_int_equal(http_head_add(&head, HTTP_FIELD_CONNECTION, bytes_of_text(connection)), 0);
    http_head_strip_hop_by_hop(&head);
    for (unsigned i = 0; i < head.field_count; i++) {
        known |= UINT64_C(1) << room[i].id;
        text_add(&text, room[i].name);
        text_add_char(&text, i + 1 < head.field_count ? ' ' : '\0');
    }
    assert_int_equal(known, head.known);
    if (text.len == 0)
        text_add_char(&text, '\0');
    assert_string_equal(memory, left);
}

static void strips_hop_by_hop(void **state)
{
    check_strip(NULL, "Host X Cookie", "Host X Cookie");
    check_strip("close", "Host X", "Host X");
    check_strip("keep-alive", "Host Keep-Alive X", "Host X");
    check_strip(NULL, "TE Transfer-Encoding Upgrade Proxy-Connection Proxy-Authorization X Trailer", "X Trailer");
    check_strip(NULL, "Proxy-Authenticate HTTP2-Settings Keep-Alive", "");
    check_strip("x, Y-z", "X A x y-Z B", "A B");
    check_strip("close", "Close X", "Close X");
    check_strip("user-agent, X-Unknown", "User-Agent x-unknown x-unknowns", "x-unknowns");
    /* what nobody may take out by nominating it */
    check_strip("Host, content-length, Content-Type, Cookie, Set-Cookie, authorization",
                "Host Content-Length Content-Type Cookie Set-Cookie Authorization",
                "Host Content-Length Content-Type Cookie Set-Cookie Authorization");
    check_strip("traceparent, tracestate, via, forwarded, x-request-id, idempotency-key",
                "traceparent tracestate Via Forwarded X-Request-Id Idempotency-Key",
                "traceparent tracestate Via Forwarded X-Request-Id Idempotency-Key");
    check_strip("x-forwarded-for, X-Forwarded-Host, x-forwarded-proto, X-FORWARDED-port, X-Forwarded, x-forwardedx",
                "X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Forwarded X-ForwardedX",
                "X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port");
}

/* What is nominated beyond the bound is not looked at; the codec refuses such a message before. */
static void strips_up_to_the_bound(void **state)
{
    struct http_field fields[4];
    struct http_head head = { .fields = fields, .field_max = ARRAY_LEN(fields) };
    char memory[512];
    struct text text = text_into(memory, sizeof(memory));

    for (unsigned i = 1; i < HTTP_CONNECTION_OPTIONS_MAX; i++)
        text_add(&text, BYTES("x,"));
    text_add(&text, BYTES("last, beyond"));
    assert_int_equal(http_head_add(&head, HTTP_FIELD_CONNECTION, text_bytes(&text)), 0);
    assert_int_equal(http_head_add_named(&head, BYTES("Last"), BYTES("v")), 0);
    assert_int_equal(http_head_add_named(&head, BYTES("Beyond"), BYTES("v")), 0);
    http_head_strip_hop_by_hop(&head);
    assert_int_equal(head.field_count, 1);
    assert_true(bytes_equal(fields[0].name, BYTES("Beyond")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_methods),          cmocka_unit_test(knows_reasons),
        cmocka_unit_test(knows_fields),           cmocka_unit_test(knows_tokens_and_values),
        cmocka_unit_test(splits_lists),           cmocka_unit_test(holds_fields),
        cmocka_unit_test(refuses_to_add),         cmocka_unit_test(strips_hop_by_hop),
        cmocka_unit_test(strips_up_to_the_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
