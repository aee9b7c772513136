/* Shapes: bodies into structs with all faults, and structs out again. */
#include "chassis/service.h"
#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct line {
    const char *sku;
    int64_t quantity;
};

struct place {
    const char *street;
    double latitude;
};

struct order {
    const char *customer, *note, *paid_by;
    bool gift;
    struct place to;
    struct line *lines;
    size_t line_count;
    const char **tags;
    size_t tag_count;
    int64_t *ids;
    size_t id_count;
};

static const struct weft_field LINE_FIELDS[] = {
    WEFT_FIELD_TEXT(struct line, sku, .min = 1, .max = 4),
    WEFT_FIELD_INTEGER(struct line, quantity, .min = 1, .max = 99),
};
static const struct weft_shape LINE = WEFT_SHAPE(struct line, LINE_FIELDS);

static const struct weft_field PLACE_FIELDS[] = {
    WEFT_FIELD_TEXT(struct place, street, .min = 3, .max = -1),
    WEFT_FIELD_NUMBER(struct place, latitude, .min = -90, .max = 90),
};
static const struct weft_shape PLACE = WEFT_SHAPE_OPEN(struct place, PLACE_FIELDS);

static const char *const PAYMENTS[] = { "card", "invoice", NULL };

static const struct weft_field ORDER_FIELDS[] = {
    WEFT_FIELD_TEXT(struct order, customer, .min = 1, .max = 5),
    WEFT_FIELD_TEXT(struct order, note, .max = 10, .optional = true),
    WEFT_FIELD_TEXT(struct order, paid_by, .choices = PAYMENTS, .as = "paid/by"),
    WEFT_FIELD_BOOL(struct order, gift, .optional = true),
    WEFT_FIELD_OBJECT(struct order, to, &PLACE),
    WEFT_FIELD_LIST(struct order, lines, line_count, &LINE, .min = 1, .max = 50),
    WEFT_FIELD_TEXTS(struct order, tags, tag_count, .max = 2, .each_min = 1, .each_max = 1, .optional = true),
    WEFT_FIELD_INTEGERS(struct order, ids, id_count, .each_min = 0, .each_max = 9, .optional = true),
};
static const struct weft_shape ORDER = WEFT_SHAPE(struct order, ORDER_FIELDS);

static int take(struct weft_call *call, void *user)
{
    struct order order = { .note = "unset" };
    int r = weft_body_take(call, &ORDER, &order);

    return r < 0 ? r : weft_answer_shape(call, 200, &ORDER, &order);
}

static struct weft_service *create(weft_handler *handler)
{
    struct weft_service *service;
    const struct weft_options options = { .name = "test", .address_only = true, .keep_signals = true };

    assert_int_equal(weft_service_create(&options, &service), 0);
    assert_int_equal(weft_route(service, "POST", "/", handler, NULL), 0);
    return service;
}

static void ask(struct weft_service *service, const char *json, struct weft_test_answer *ret)
{
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/", .json = json }, ret), 0);
}

#define TO "\"to\":{\"street\":\"Elm\",\"latitude\":1}"
#define LINES "\"lines\":[{\"sku\":\"a\",\"quantity\":1}]"
#define REST "\"paid/by\":\"card\"," TO "," LINES

static void a_body_comes_back(void **state)
{
    static const char BODY[] = "{\"customer\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\",\"note\":\"n\",\"paid/"
                               "by\":\"invoice\",\"gift\":true,"
                               "\"to\":{\"street\":\"Elm\",\"latitude\":-89.5},"
                               "\"lines\":[{\"sku\":\"a\",\"quantity\":1},{\"sku\":\"abcd\",\"quantity\":99}],"
                               "\"tags\":[\"x\",\"y\"],\"ids\":[0,9]}";
    struct weft_service *service = create(take);
    struct weft_test_answer answer;

    ask(service, BODY, &answer);
    assert_string_equal(answer.body.data, BODY);
    assert_int_equal(answer.status, 200);
    weft_test_free(&answer);
    /* what is absent stays, or is left out; null is absent; an open shape takes more */
    ask(service,
        "{\"customer\":\"c\",\"gift\":null,\"paid/"
        "by\":\"card\",\"to\":{\"street\":\"Elm\",\"latitude\":1,\"more\":[]}," LINES "}",
        &answer);
    assert_string_equal(answer.body.data,
                        "{\"customer\":\"c\",\"note\":\"unset\",\"paid/by\":\"card\",\"gift\":false," TO "," LINES
                        ",\"tags\":[],\"ids\":[]}");
    weft_test_free(&answer);
    weft_service_free(service);
}

static void each_fault_has_its_words(void **state)
{
    static const struct {
        const char *body, *pointer, *detail;
    } CASES[] = {
        { "[]", "", "must be an object" },
        { "{" REST "}", "/customer", "is missing" },
        { "{\"customer\":null," REST "}", "/customer", "must be a text" },
        { "{\"customer\":7," REST "}", "/customer", "must be a text" },
        { "{\"customer\":\"\"," REST "}", "/customer", "must have between 1 and 5 characters" },
        { "{\"customer\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"," REST "}", "/customer",
          "must have between 1 and 5 characters" },
        { "{\"customer\":\"c\",\"gift\":1," REST "}", "/gift", "must be true or false" },
        { "{\"customer\":\"c\",\"paid/by\":\"cash\"," TO "," LINES "}", "/paid~1by", "must be one of: card, invoice" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\",\"to\":1," LINES "}", "/to", "must be an object" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\",\"to\":{\"street\":\"El\",\"latitude\":1}," LINES "}", "/to/street",
          "must have at least 3 characters" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\",\"to\":{\"street\":\"Elm\",\"latitude\":90.5}," LINES "}",
          "/to/latitude", "must be between -90 and 90" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\",\"to\":{\"street\":\"Elm\",\"latitude\":\"1\"}," LINES "}",
          "/to/latitude", "must be a number" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\"," TO ",\"lines\":{}}", "/lines", "must be a list" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\"," TO ",\"lines\":[]}", "/lines",
          "must have between 1 and 50 elements" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\"," TO ",\"lines\":[{\"sku\":\"a\",\"quantity\":100}]}",
          "/lines/0/quantity", "must be between 1 and 99" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\"," TO ",\"lines\":[{\"sku\":\"a\",\"quantity\":1.0}]}",
          "/lines/0/quantity", "must be an integer" },
        { "{\"customer\":\"c\",\"paid/by\":\"card\"," TO ",\"lines\":[{\"sku\":\"a\",\"quantity\":1},[]]}", "/lines/1",
          "must be an object" },
        { "{\"customer\":\"c\",\"tags\":[\"a\",\"\"]," REST "}", "/tags/1", "must have 1 character" },
        { "{\"customer\":\"c\",\"tags\":[\"a\",\"b\",\"c\"]," REST "}", "/tags", "must have between 0 and 2 elements" },
        { "{\"customer\":\"c\",\"ids\":[1,10]," REST "}", "/ids/1", "must be between 0 and 9" },
        { "{\"customer\":\"c\",\"colour\":1," REST "}", "/colour", "is not known" },
        { "{\"customer\":\"c\",\"a~b/c\":1," REST "}", "/a~0b~1c", "is not known" },
        { "{\"customer\":\"c\",\"\":1," REST "}", "/", "is not known" },
    };
    struct weft_service *service = create(take);

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct weft_test_answer answer;
        char wanted[512];

        (void)snprintf(wanted, sizeof(wanted), "\"detail\":\"the body has 1 fault\",\"instance\":");
        ask(service, CASES[i].body, &answer);
        assert_int_equal(answer.status, 422);
        assert_string_equal(answer.type, "application/problem+json");
        assert_non_null(strstr(answer.body.data, wanted));
        (void)snprintf(wanted, sizeof(wanted), "\"errors\":[{\"pointer\":\"%s\",\"detail\":\"%s\"}]}", CASES[i].pointer,
                       CASES[i].detail);
        if (!strstr(answer.body.data, wanted))
            fail_msg("%s: %s", CASES[i].body, answer.body.data);
        weft_test_free(&answer);
    }
    weft_service_free(service);
}

static void all_faults_come_at_once(void **state)
{
    struct weft_service *service = create(take);
    struct weft_test_answer answer;

    ask(service,
        "{\"customer\":\"\",\"paid/"
        "by\":\"x\",\"to\":{\"latitude\":91},\"lines\":[{\"quantity\":0},{\"sku\":\"\",\"quantity\":\"1\"}],\"x\":1}",
        &answer);
    assert_int_equal(answer.status, 422);
    assert_non_null(strstr(answer.body.data,
                           "\"type\":\"invalid-body\",\"title\":\"Unprocessable Content\",\"status\":422,"
                           "\"detail\":\"the body has 9 faults\""));
    assert_non_null(strstr(answer.body.data,
                           "{\"pointer\":\"/lines/0/sku\",\"detail\":\"is missing\"},"
                           "{\"pointer\":\"/lines/0/quantity\",\"detail\":\"must be between 1 and 99\"}"));
    weft_test_free(&answer);
    weft_service_free(service);
}

/* WEFT_FAULTS_MAX are listed, the rest is counted; a long strange name is cut between characters. */
static void faults_are_bounded(void **state)
{
    struct weft_service *service = create(take);
    struct weft_test_answer answer;
    char body[8192], *cut;
    struct text text = text_into(body, sizeof(body) - 1);
    size_t count = 0;

    text_add(&text, BYTES("{\"customer\":\"c\"," REST));
    for (int i = 0; i < WEFT_FAULTS_MAX + 3; i++)
        text_add_format(&text, ",\"x%d\":1", i);
    text_add_format(&text, "}%c", 0);
    ask(service, body, &answer);
    assert_non_null(strstr(answer.body.data, "the body has 35 faults"));
    assert_non_null(strstr(answer.body.data, "],\"more\":3}"));
    for (const char *at = answer.body.data; (at = strstr(at, "\"pointer\"")) != NULL; at++)
        count++;
    assert_int_equal(count, WEFT_FAULTS_MAX);
    weft_test_free(&answer);
    text.len = 0;
    text_add(&text, BYTES("{\"customer\":\"c\"," REST ",\"a"));
    for (int i = 0; i < 100; i++)
        text_add(&text, BYTES("\xc3\xa9"));
    text_add_format(&text, "\":1}%c", 0);
    ask(service, body, &answer);
    cut = strstr(answer.body.data, "\"/a");
    assert_non_null(cut);
    assert_int_equal(strcspn(cut + 2, "\""), 63); /* the 32nd of two bytes would be half in */
    weft_test_free(&answer);
    weft_service_free(service);
}

/* --- by the handler ------------------------------------------------------------------------------------------- */

static int refuse(struct weft_call *call, void *user)
{
    struct line line = { NULL, 0 };
    int r = weft_body_take(call, &LINE, &line);

    if (r < 0 && r != -EBADMSG)
        return r;
    if (line.sku && strcmp(line.sku, "none") == 0)
        r = weft_refuse(call, "/sku", "there is no %s here", line.sku);
    return r < 0 ? r : weft_answer_text(call, 200, NULL, "");
}

static void handlers_add_faults(void **state)
{
    struct weft_service *service = create(refuse);
    struct weft_test_answer answer;

    ask(service, "{\"sku\":\"none\",\"quantity\":0}", &answer);
    assert_int_equal(answer.status, 422);
    assert_non_null(strstr(answer.body.data,
                           "\"errors\":[{\"pointer\":\"/quantity\",\"detail\":\"must be between 1 and 99\"},"
                           "{\"pointer\":\"/sku\",\"detail\":\"there is no none here\"}]"));
    weft_test_free(&answer);
    ask(service, "{\"sku\":\"none\",\"quantity\":2}", &answer);
    assert_int_equal(answer.status, 422);
    weft_test_free(&answer);
    ask(service, "{\"sku\":\"some\",\"quantity\":2}", &answer);
    assert_int_equal(answer.status, 200);
    weft_test_free(&answer);
    weft_service_free(service);
}

/* --- mistakes in shapes --------------------------------------------------------------------------------------- */

static const struct weft_shape RECURSIVE;
static const struct weft_field RECURSIVE_FIELDS[] = {
    { .member = "self", .kind = WEFT_IS_OBJECT, .shape = &RECURSIVE, .element_size = 8 },
};
static const struct weft_shape RECURSIVE = { RECURSIVE_FIELDS, 1, 8, false };

static int mistakes(struct weft_call *call, void *user)
{
    static const struct weft_field SIZES[] = {
        { .member = "a", .kind = WEFT_IS_LIST, .shape = &LINE, .element_size = 8 }
    };
    static const struct weft_field OUTSIDE[] = { { .member = "a", .kind = WEFT_IS_TEXT, .offset = 16 } };
    const struct weft_shape sizes = { SIZES, 1, 64, false }, outside = { OUTSIDE, 1, 16, false };
    struct order order = { 0 };
    const struct weft_json *value;
    const char *why = NULL;
    bool fine;

    fine = weft_body_take(call, &RECURSIVE, &order) == -EINVAL && weft_body_take(call, &sizes, &order) == -EINVAL &&
           weft_body_take(call, &outside, &order) == -EINVAL && weft_body_take(call, NULL, &order) == -EINVAL &&
           weft_body_take(call, &LINE, NULL) == -EINVAL && !weft_json_of(call, &RECURSIVE, &order) &&
           weft_answer_shape(call, 200, NULL, &order) == -EINVAL && weft_refuse(call, NULL, "x") == -EINVAL;
    fine = fine && weft_json_parse(call, "{\"sku\":\"a\"}", 11, &value, NULL) == 0 &&
           weft_json_take(call, value, &LINE, &order, &why) == -EBADMSG && strcmp(why, "/quantity is missing") == 0 &&
           weft_json_take(call, NULL, &LINE, &order, &why) == -EINVAL;
    return weft_answer_text(call, fine ? 204 : 500, NULL, "");
}

static void wrong_shapes_are_refused(void **state)
{
    struct weft_service *service = create(mistakes);
    struct weft_test_answer answer;

    ask(service, "{}", &answer);
    assert_int_equal(answer.status, 204);
    weft_test_free(&answer);
    weft_service_free(service);
}

/* --- no memory ------------------------------------------------------------------------------------------------ */

static int ask_once(void *context)
{
    const struct weft_options options = { .name = "test", .address_only = true, .keep_signals = true };
    const struct weft_test_request request = { .path = "/",
                                               .json = "{\"customer\":\"\",\"paid/by\":\"card\"," TO "," LINES
                                                       ",\"tags\":[\"a\"]}" };
    struct weft_test_answer answer = { .status = 0 };
    struct weft_service *service;
    int r = weft_service_create(&options, &service);

    if (r < 0)
        return r;
    r = weft_route(service, "POST", "/", take, NULL);
    if (r == 0)
        r = weft_test(service, &request, &answer);
    if (r == 0 && answer.status != 422)
        r = -ENOMEM;
    weft_test_free(&answer);
    weft_service_free(service);
    return r;
}

static void without_memory_it_is_overload(void **state)
{
    assert_true(faults_each(ask_once, NULL) >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_back),
        cmocka_unit_test(each_fault_has_its_words),
        cmocka_unit_test(all_faults_come_at_once),
        cmocka_unit_test(faults_are_bounded),
        cmocka_unit_test(handlers_add_faults),
        cmocka_unit_test(wrong_shapes_are_refused),
        cmocka_unit_test(without_memory_it_is_overload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
