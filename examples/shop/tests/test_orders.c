#include "../orders/orders.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>

static struct orders orders;

/* Inventory as the test wants it. */
static struct {
    const char *state; /* NULL: there is no answer */
    int error;         /* then: why there is no answer; 0: nobody listens */
    unsigned asked;
    char last_path[128], last_body[256];
} faked;

static void reserve(struct weft_faked *asked, void *user)
{
    faked.asked++;
    (void)snprintf(faked.last_path, sizeof(faked.last_path), "%s %s", asked->method, asked->path);
    (void)snprintf(faked.last_body, sizeof(faked.last_body), "%.*s", (int)asked->body.len, asked->body.data);
    if (!faked.state)
        asked->error = faked.error ? faked.error : -ECONNREFUSED;
    else
        asked->answer = weft_format(asked->call, "{\"id\":\"x\",\"state\":\"%s\",\"reason\":\"%s\"}", faked.state,
                                    strcmp(faked.state, "held") == 0 ? "" : "sold out");
}

static int start(void **state)
{
    int r;

    rig_init();
    memset(&faked, 0, sizeof(faked));
    faked.state = "held";
    r = orders_init(&orders, &(struct weft_options){ .name = "orders" });
    return r < 0 ? r : weft_fake(orders.service, "inventory", reserve, NULL);
}

static int stop(void **state)
{
    orders_done(&orders);
    rig_done();
    return 0;
}

#define ORDER "{\"customer\":\"Ada\",\"lines\":[{\"sku\":\"loom\",\"quantity\":2}]}"

static void an_order_is_reserved_and_confirmed(void **state)
{
    rig_contains(rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 201), "\"state\":\"confirmed\"");
    assert_string_equal(faked.last_path, "PUT /reservations/order-0001");
    assert_string_equal(faked.last_body, "{\"lines\":[{\"sku\":\"loom\",\"quantity\":2}]}");
    rig_contains(rig_ask(orders.service, "GET", "/orders/order-0001", NULL, 200),
                 "\"lines\":[{\"sku\":\"loom\",\"quantity\":2}]");
    rig_contains(rig_ask(orders.service, "GET", "/popular", NULL, 200), "{\"sku\":\"loom\",\"sold\":2}");
}

static void what_is_refused_is_rejected(void **state)
{
    faked.state = "refused";
    rig_contains(rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 201),
                 "\"state\":\"rejected\",\"reason\":\"sold out\"");
}

static void the_same_order_again_is_the_same(void **state)
{
    (void)rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 201);
    faked.state = "refused"; /* nobody asks any more */
    rig_contains(rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 200), "\"state\":\"confirmed\"");
    assert_int_equal(faked.asked, 1);
    (void)rig_ask(orders.service, "PUT", "/orders/order-0001",
                  "{\"customer\":\"Ben\",\"lines\":[{\"sku\":\"loom\",\"quantity\":2}]}", 409);
    (void)rig_ask(orders.service, "PUT", "/orders/order-0001",
                  "{\"customer\":\"Ada\",\"lines\":[{\"sku\":\"loom\",\"quantity\":1}]}", 409);
}

static void without_inventory_it_stays_placed_and_is_settled_later(void **state)
{
    faked.state = NULL;
    rig_contains(rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 202), "\"state\":\"placed\"");
    assert_int_equal(weft_test_tick(orders.service, "settle"), 0); /* not late yet */
    assert_int_equal(faked.asked, 1);
    /* The customer asks again when inventory is back. */
    faked.state = "held";
    rig_contains(rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 200), "\"state\":\"confirmed\"");
}

static void a_slow_inventory_is_no_failure(void **state)
{
    faked.state = NULL;
    faked.error = -ETIME;
    rig_contains(rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 202), "\"state\":\"placed\"");
}

static int make_older(struct weft_sql *sql, void *argument)
{
    return weft_sql_run(sql, "UPDATE orders SET placed_ms = placed_ms - 10000", WEFT_VALUES()) < 0 ? -EIO : 0;
}

static int age(struct weft_call *call, void *user)
{
    int r = weft_transaction(call, orders.database, make_older, NULL);

    return r < 0 ? r : weft_answer_text(call, 200, NULL, "older\n");
}

static void the_task_settles_what_was_left(void **state)
{
    weft_route(orders.service, "POST", "/test/age", age, NULL);
    faked.state = NULL;
    (void)rig_ask(orders.service, "PUT", "/orders/order-0001", ORDER, 202);
    (void)rig_ask(orders.service, "POST", "/test/age", NULL, 200);
    assert_int_equal(weft_test_tick(orders.service, "settle"), 0); /* inventory is still away */
    rig_contains(rig_ask(orders.service, "GET", "/orders/order-0001", NULL, 200), "\"state\":\"placed\"");
    faked.state = "refused";
    assert_int_equal(weft_test_tick(orders.service, "settle"), 0);
    rig_contains(rig_ask(orders.service, "GET", "/orders/order-0001", NULL, 200), "\"state\":\"rejected\"");
}

static void bad_orders_are_refused(void **state)
{
    (void)rig_ask(orders.service, "PUT", "/orders/short", ORDER, 400);
    (void)rig_ask(orders.service, "PUT", "/orders/order%2F001", ORDER, 400);
    rig_contains(rig_ask(orders.service, "PUT", "/orders/order-0001", "{\"customer\":\"\",\"lines\":[]}", 422),
                 "/customer");
    (void)rig_ask(orders.service, "POST", "/orders/order-0001", ORDER, 405);
    (void)rig_ask(orders.service, "GET", "/orders/order-0001", NULL, 404);
    (void)rig_ask(orders.service, "GET", "/orders?limit=0", NULL, 400);
    (void)rig_ask(orders.service, "GET", "/orders?limit=5x", NULL, 400);
    (void)rig_ask(orders.service, "GET", "/orders?limit=", NULL, 400);
    assert_int_equal(faked.asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_is_reserved_and_confirmed, start, stop),
        cmocka_unit_test_setup_teardown(what_is_refused_is_rejected, start, stop),
        cmocka_unit_test_setup_teardown(the_same_order_again_is_the_same, start, stop),
        cmocka_unit_test_setup_teardown(without_inventory_it_stays_placed_and_is_settled_later, start, stop),
        cmocka_unit_test_setup_teardown(a_slow_inventory_is_no_failure, start, stop),
        cmocka_unit_test_setup_teardown(the_task_settles_what_was_left, start, stop),
        cmocka_unit_test_setup_teardown(bad_orders_are_refused, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
