/* Parts side by side, other services that are fakes, and the means of testing themselves. */
#include "chassis/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct weft_service *service;
    struct weft_part parts[WEFT_PARTS_MAX + 1];
    size_t count;
    int timeout_ms;
    enum weft_together how;
    int result;
    int running, highest, ended;
};

static struct weft_service *create(int timeout_ms)
{
    struct weft_service *service;
    const struct weft_options options = {
        .name = "test", .address_only = true, .keep_signals = true, .timeout_ms = timeout_ms
    };

    assert_int_equal(weft_service_create(&options, &service), 0);
    return service;
}

static int together(struct weft_call *call, void *user)
{
    struct world *world = user;

    world->result = weft_together(call, world->parts, world->count, world->timeout_ms, world->how);
    return weft_answer_format(call, 200, NULL, "%d", world->running);
}

static int nap(struct weft_call *call, void *user)
{
    struct world *world = user;
    int r;

    world->running++;
    world->highest = MAX(world->highest, world->running);
    r = weft_sleep(call, 20);
    world->running--;
    world->ended++;
    return r;
}

static int fails(struct weft_call *call, void *user)
{
    int r = weft_sleep(call, 5);

    return r < 0 ? r : -EIO;
}

static int forever(struct weft_call *call, void *user)
{
    struct world *world = user;
    int r = weft_sleep(call, 3600 * 1000);

    world->ended++;
    return r;
}

static void run(struct world *world)
{
    struct weft_test_answer answer;

    world->running = world->highest = world->ended = 0;
    assert_int_equal(weft_test(world->service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body.data, "0"); /* nothing is left behind */
    weft_test_free(&answer);
}

static void parts_run_side_by_side(void **state)
{
    struct world world = { .service = create(2000), .count = WEFT_PARTS_MAX };

    assert_int_equal(weft_route(world.service, "GET", "/", together, &world), 0);
    for (size_t i = 0; i <= WEFT_PARTS_MAX; i++)
        world.parts[i] = (struct weft_part){ .run = nap, .user = &world, .result = 99 };
    run(&world);
    assert_int_equal(world.result, 0);
    assert_int_equal(world.highest, WEFT_PARTS_MAX);
    assert_int_equal(world.ended, WEFT_PARTS_MAX);
    for (size_t i = 0; i < WEFT_PARTS_MAX; i++)
        assert_int_equal(world.parts[i].result, 0);
    world.count = WEFT_PARTS_MAX + 1;
    run(&world);
    assert_int_equal(world.result, -EINVAL);
    assert_int_equal(world.ended, 0);
    world.count = 0;
    run(&world);
    assert_int_equal(world.result, 0);
    world.count = 1;
    world.parts[0].run = NULL;
    run(&world);
    assert_int_equal(world.result, -EINVAL);
    weft_service_free(world.service);
}

static void a_failure_may_stop_the_others(void **state)
{
    struct world world = { .service = create(2000), .count = 3 };

    assert_int_equal(weft_route(world.service, "GET", "/", together, &world), 0);
    world.parts[0] = (struct weft_part){ .run = forever, .user = &world };
    world.parts[1] = (struct weft_part){ .run = fails, .user = &world };
    world.parts[2] = (struct weft_part){ .run = nap, .user = &world };
    world.how = WEFT_STOP_AT_A_FAILURE;
    run(&world);
    assert_int_equal(world.result, -EIO);
    assert_int_equal(world.parts[0].result, -ECANCELED);
    assert_int_equal(world.parts[1].result, -EIO);
    assert_int_equal(world.parts[2].result, -ECANCELED);
    world.how = WEFT_ALL_TO_THE_END;
    world.timeout_ms = 50;
    run(&world);
    assert_int_equal(world.result, -EIO);
    assert_int_equal(world.parts[0].result, -ETIME);
    assert_int_equal(world.parts[2].result, 0);
    weft_service_free(world.service);
}

/* The call's own limit reaches the parts. */
static void the_call_ends_its_parts(void **state)
{
    struct world world = { .service = create(30), .count = 2 };

    assert_int_equal(weft_route(world.service, "GET", "/", together, &world), 0);
    world.parts[0] = (struct weft_part){ .run = forever, .user = &world };
    world.parts[1] = (struct weft_part){ .run = forever, .user = &world };
    run(&world);
    assert_int_equal(world.result, -ETIME);
    assert_int_equal(world.ended, 2);
    weft_service_free(world.service);
}

/* --- fakes ---------------------------------------------------------------------------------------------------- */

struct seen {
    char method[16], path[64], body[64], type[64], key[64];
    int calls;
};

static void inventory(struct weft_faked *faked, void *user)
{
    static const struct weft_header HEADERS[] = { { "Location", "/reservations/1" } };
    struct seen *seen = user;
    const char *key = weft_faked_header(faked, "idempotency-key");

    seen->calls++;
    (void)snprintf(seen->method, sizeof(seen->method), "%s", faked->method);
    (void)snprintf(seen->path, sizeof(seen->path), "%s", faked->path);
    (void)snprintf(seen->body, sizeof(seen->body), "%s", faked->body.data);
    (void)snprintf(seen->type, sizeof(seen->type), "%s", faked->type);
    (void)snprintf(seen->key, sizeof(seen->key), "%s", key ? key : "none");
    faked->answer = weft_format(faked->call, "{\"left\":%d,\"more\":true}", 7);
    faked->answer_headers = HEADERS;
    faked->answer_header_count = 1;
    faked->status = 201;
}

static void slow(struct weft_faked *faked, void *user)
{
    (void)weft_sleep(faked->call, 3600 * 1000);
    faked->answer = "{}";
}

static void broken(struct weft_faked *faked, void *user)
{
    const char *const *answer = user;

    faked->answer = *answer;
    if (!*answer)
        faked->error = -ECONNRESET;
}

struct stock {
    int64_t left;
};

static const struct weft_field STOCK_FIELDS[] = { WEFT_FIELD_INTEGER(struct stock, left, .min = 0, .max = 10) };
static const struct weft_shape STOCK = WEFT_SHAPE(struct stock, STOCK_FIELDS);

static int order(struct weft_call *call, void *user)
{
    const struct weft_header headers[] = { { "Idempotency-Key", "k-1" } };
    struct weft_request_options options = { .headers = headers, .header_count = 1 };
    struct weft_json *hold = weft_object(call);
    struct weft_reply reply;
    struct stock stock;
    int r;

    weft_set_text(hold, "sku", "tea");
    options.json = hold;
    reply = weft_request_with(call, "POST", "http://inventory/hold?now=1", NULL, &options);
    r = weft_reply_take(call, &reply, &STOCK, &stock);
    if (r < 0)
        return weft_answer_format(call, 502, NULL, "%d %s", r, reply.reason);
    return weft_answer_format(call, 200, NULL, "%u %s %d", reply.status, weft_reply_header(&reply, "location"),
                              (int)stock.left);
}

static void fakes_are_asked(void **state)
{
    struct weft_service *service = create(2000);
    struct weft_test_answer answer;
    struct seen seen = { .calls = 0 };

    assert_int_equal(weft_route(service, "GET", "/", order, NULL), 0);
    assert_int_equal(weft_fake(service, "inventory", inventory, &seen), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
    assert_string_equal(answer.body.data, "201 /reservations/1 7");
    assert_int_equal(seen.calls, 1);
    assert_string_equal(seen.method, "POST");
    assert_string_equal(seen.path, "/hold?now=1");
    assert_string_equal(seen.body, "{\"sku\":\"tea\"}");
    assert_string_equal(seen.type, "application/json");
    assert_string_equal(seen.key, "k-1");
    weft_test_free(&answer);
    weft_service_free(service);
}

static void fakes_fail_as_services_do(void **state)
{
    static const struct {
        const char *answer, *says;
    } CASES[] = {
        { NULL, "-104 it broke off" },
        { "{", "-71 its answer can't be used: line 1, column 1" },
        { "{\"left\":11}", "-71 its answer can't be used: /left must be between 0 and 10" },
    };
    struct weft_service *service = create(50);
    struct weft_test_answer answer;
    const char *given;

    assert_int_equal(weft_route(service, "GET", "/", order, NULL), 0);
    assert_int_equal(weft_fake(service, "other", slow, NULL), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
    assert_non_null(strstr(answer.body.data, "-89 WEFT_URL is not set"));
    weft_test_free(&answer);
    assert_int_equal(weft_fake(service, "inventory", NULL, NULL), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
    assert_non_null(strstr(answer.body.data, "-111 nobody listens"));
    weft_test_free(&answer);
    assert_int_equal(weft_fake(service, "inventory", broken, &given), 0);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        given = CASES[i].answer;
        assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
        assert_int_equal(answer.status, 502);
        assert_non_null(strstr(answer.body.data, CASES[i].says));
        weft_test_free(&answer);
    }
    assert_int_equal(weft_fake(service, "inventory", slow, NULL), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
    assert_non_null(strstr(answer.body.data, "-62 the call's time is up"));
    weft_test_free(&answer);
    weft_service_free(service);
}

static void fakes_are_bounded(void **state)
{
    struct weft_service *service = create(50);
    char name[80];

    for (int i = 0; i < CHASSIS_FAKES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "s%d", i);
        assert_int_equal(weft_fake(service, name, slow, NULL), 0);
        assert_int_equal(weft_fake(service, name, slow, NULL), 0); /* replaced */
    }
    assert_int_equal(weft_fake(service, "one-more", slow, NULL), -ENOSPC);
    assert_int_equal(weft_fake(service, "", slow, NULL), -EINVAL);
    assert_int_equal(weft_fake(service, "a b", slow, NULL), -EINVAL);
    assert_int_equal(weft_fake(service, NULL, slow, NULL), -EINVAL);
    memset(name, 'x', CHASSIS_NAME_MAX + 1);
    name[CHASSIS_NAME_MAX + 1] = '\0';
    assert_int_equal(weft_fake(service, name, slow, NULL), -EINVAL);
    weft_service_free(service);
}

/* --- requests with options, all at once ----------------------------------------------------------------------- */

static int ask_all(struct weft_call *call, void *user)
{
    struct weft_outgoing out[3] = {
        { .method = "GET", .url = "http://inventory/1" },
        { .method = "GET", .url = "http://nobody/2" },
        { .method = "GET", .url = "http://slow/3", .options = { .timeout_ms = 20 } },
    };
    struct weft_outgoing many[WEFT_PARTS_MAX + 1] = { { .method = "GET" } };
    int r = weft_request_all(call, out, 3, 0);

    return weft_answer_format(call, 200, NULL, "%d %u %d %d %d", r, out[0].reply.status, out[1].reply.error,
                              out[2].reply.error, weft_request_all(call, many, WEFT_PARTS_MAX + 1, 0));
}

static void requests_go_side_by_side(void **state)
{
    struct weft_service *service = create(2000);
    struct weft_test_answer answer;
    struct seen seen = { .calls = 0 };

    assert_int_equal(weft_route(service, "GET", "/", ask_all, NULL), 0);
    assert_int_equal(weft_fake(service, "inventory", inventory, &seen), 0);
    assert_int_equal(weft_fake(service, "nobody", NULL, NULL), 0);
    assert_int_equal(weft_fake(service, "slow", slow, NULL), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
    assert_string_equal(answer.body.data, "-111 201 -111 -62 -22");
    weft_test_free(&answer);
    weft_service_free(service);
}

static int forbidden(struct weft_call *call, void *user)
{
    static const char *const NAMES[] = { "Host",
                                         "User-Agent",
                                         "content-type",
                                         "Content-Length",
                                         "Transfer-Encoding",
                                         "Connection",
                                         "TE",
                                         "Upgrade",
                                         "traceparent",
                                         "tracestate",
                                         "x-request-id",
                                         "Expect",
                                         "Trailer",
                                         "a b",
                                         "",
                                         "Keep-Alive" };
    struct weft_header many[CHASSIS_SENT_HEADERS_MAX + 1], header = { NULL, "1" };
    struct weft_request_options options = { .headers = &header, .header_count = 1 };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        header.name = NAMES[i];
        wrong += weft_request_with(call, "GET", "http://inventory/", NULL, &options).error != -EINVAL;
    }
    header = (struct weft_header){ "X-A", "1\r\nX-B: 2" };
    wrong += weft_request_with(call, "GET", "http://inventory/", NULL, &options).error != -EINVAL;
    header.value = NULL;
    wrong += weft_request_with(call, "GET", "http://inventory/", NULL, &options).error != -EINVAL;
    for (int i = 0; i <= CHASSIS_SENT_HEADERS_MAX; i++)
        many[i] = (struct weft_header){ "X-A", "1" };
    options = (struct weft_request_options){ .headers = many, .header_count = CHASSIS_SENT_HEADERS_MAX };
    wrong += weft_request_with(call, "GET", "http://inventory/", NULL, &options).error != 0;
    options.header_count++;
    wrong += weft_request_with(call, "GET", "http://inventory/", NULL, &options).error != -EINVAL;
    options = (struct weft_request_options){ .timeout_ms = -1 };
    wrong += weft_request_with(call, "GET", "http://inventory/", NULL, &options).error != -EINVAL;
    return weft_answer_format(call, 200, NULL, "%d", wrong);
}

static void fields_of_the_chassis_are_not_for_options(void **state)
{
    struct weft_service *service = create(2000);
    struct weft_test_answer answer;
    struct seen seen = { .calls = 0 };

    assert_int_equal(weft_route(service, "GET", "/", forbidden, NULL), 0);
    assert_int_equal(weft_fake(service, "inventory", inventory, &seen), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), 0);
    assert_string_equal(answer.body.data, "0");
    assert_int_equal(seen.calls, 1);
    weft_test_free(&answer);
    weft_service_free(service);
}

/* --- tests of tests ------------------------------------------------------------------------------------------- */

static int describe(struct weft_call *call, void *user)
{
    struct weft_bytes body;
    int r = weft_body(call, &body);

    if (r == 0)
        r = weft_header_add(call, "X-Trace", weft_trace_id(call));
    return r < 0 ? r
                 : weft_answer_format(call, 200, NULL, "%s %s %s %s %s", weft_method(call), weft_path_value(call, "id"),
                                      weft_query(call), body.data, weft_header(call, "x-user"));
}

static int stream(struct weft_call *call, void *user)
{
    int r = weft_answer_begin(call, 200, "text/event-stream");

    for (int i = 0; r == 0 && i < 1000; i++)
        r = weft_write_format(call, "part %d\n", i);
    return r;
}

static int breaks(struct weft_call *call, void *user)
{
    int r = weft_answer_begin(call, 200, NULL);

    return r < 0 ? r : -EIO;
}

static void a_request_takes_the_real_way(void **state)
{
    static const struct weft_header HEADERS[] = {
        { "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
        { "X-User", "u" },
    };
    struct weft_service *service = create(2000);
    struct weft_test_answer answer;

    assert_int_equal(weft_route(service, "*", "/things/{id}", describe, NULL), 0);
    assert_int_equal(weft_route(service, "GET", "/stream", stream, NULL), 0);
    assert_int_equal(weft_route(service, "GET", "/breaks", breaks, NULL), 0);
    assert_int_equal(weft_test(service,
                               &(struct weft_test_request){ .path = "/things/a%20b?x=1",
                                                            .type = "text/plain",
                                                            .body = "hi",
                                                            .body_len = 2,
                                                            .headers = HEADERS,
                                                            .header_count = 2 },
                               &answer),
                     0);
    assert_string_equal(answer.body.data, "POST a b x=1 hi u");
    assert_string_equal(weft_test_header(&answer, "x-trace"), "0af7651916cd43dd8448eb211c80319c");
    assert_null(weft_test_header(&answer, "x-other"));
    weft_test_free(&answer);
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/none" }, &answer), 0);
    assert_int_equal(answer.status, 404);
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/stream", .method = "PUT" }, &answer), 0);
    assert_int_equal(answer.status, 405);
    assert_string_equal(weft_test_header(&answer, "Allow"), "GET, HEAD");
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/stream" }, &answer), 0);
    assert_int_equal(answer.status, 200);
    assert_true(answer.body.len > 8000);
    assert_non_null(strstr(answer.body.data, "part 999\n"));
    weft_test_free(&answer);
    assert_true(weft_test(service, &(struct weft_test_request){ .path = "/breaks" }, &answer) < 0);
    assert_int_equal(answer.status, 0);
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "none" }, &answer), -EINVAL);
    weft_test_free(&answer);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/", .method = "A B" }, &answer), -EINVAL);
    weft_test_free(&answer);
    assert_int_equal(weft_run(service), 1); /* it was tested */
    weft_service_free(service);
}

static int endless(struct weft_call *call, void *user)
{
    void *part = weft_alloc(call, MIB);
    int r = weft_answer_begin(call, 200, NULL);

    while (r == 0)
        r = weft_write(call, part, MIB);
    return r;
}

/* More than CHASSIS_TEST_ANSWER_MAX, with the room that growing takes. */
static void an_endless_answer_ends(void **state)
{
    struct weft_service *service = create(60000);
    struct weft_test_answer answer;

    assert_int_equal(weft_route(service, "GET", "/", endless, NULL), 0);
    assert_int_equal(weft_test(service, &(struct weft_test_request){ .path = "/" }, &answer), -EMSGSIZE);
    assert_int_equal(answer.status, 0);
    weft_test_free(&answer);
    weft_service_free(service);
}

static int count_in(struct weft_call *call, void *user)
{
    struct world *world = user;
    int r;

    world->running++;
    world->highest = MAX(world->highest, world->running);
    r = weft_sleep(call, 20);
    world->running--;
    return r < 0 ? r : weft_answer_format(call, 200, NULL, "%s", weft_query(call));
}

static void many_requests_go_at_the_same_time(void **state)
{
    struct world world = { .service = create(2000) };
    struct weft_test_request requests[WEFT_PARTS_MAX];
    struct weft_test_answer answers[WEFT_PARTS_MAX];
    char paths[WEFT_PARTS_MAX][16];

    assert_int_equal(weft_route(world.service, "GET", "/", count_in, &world), 0);
    for (int i = 0; i < WEFT_PARTS_MAX; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/?%d", i);
        requests[i] = (struct weft_test_request){ .path = paths[i] };
    }
    assert_int_equal(weft_test_all(world.service, requests, WEFT_PARTS_MAX, answers), 0);
    assert_int_equal(world.highest, WEFT_PARTS_MAX);
    for (int i = 0; i < WEFT_PARTS_MAX; i++) {
        assert_string_equal(answers[i].body.data, paths[i] + 2);
        weft_test_free(&answers[i]);
    }
    assert_int_equal(weft_test_all(world.service, requests, WEFT_PARTS_MAX + 1, answers), -EINVAL);
    weft_service_free(world.service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_run_side_by_side),
        cmocka_unit_test(a_failure_may_stop_the_others),
        cmocka_unit_test(the_call_ends_its_parts),
        cmocka_unit_test(fakes_are_asked),
        cmocka_unit_test(fakes_fail_as_services_do),
        cmocka_unit_test(fakes_are_bounded),
        cmocka_unit_test(requests_go_side_by_side),
        cmocka_unit_test(fields_of_the_chassis_are_not_for_options),
        cmocka_unit_test(a_request_takes_the_real_way),
        cmocka_unit_test(an_endless_answer_ends),
        cmocka_unit_test(many_requests_go_at_the_same_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
