#include "../storefront/storefront.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>

static struct storefront storefront;

static struct {
    bool no_orders, no_inventory, no_such_order, many_items;
    unsigned puts;
    char last_body[256];
} faked;

static const char *many_items(struct weft_call *call)
{
    const char *items = "";

    for (int i = 0; i <= STOREFRONT_LINES_MAX; i++)
        items = weft_format(call, "%s%s{\"sku\":\"thing-%d\",\"name\":\"Thing\",\"cents\":1,\"stock\":1}", items,
                            i > 0 ? "," : "", i);
    return weft_format(call, "{\"items\":[%s]}", items);
}

static void inventory(struct weft_faked *asked, void *user)
{
    if (faked.no_inventory)
        asked->error = -ECONNREFUSED;
    asked->answer = "{\"items\":[{\"sku\":\"loom\",\"name\":\"Table loom\",\"cents\":18900,\"stock\":3},"
                    "{\"sku\":\"comb\",\"name\":\"Comb\",\"cents\":1590,\"stock\":0}]}";
    if (faked.many_items)
        asked->answer = many_items(asked->call);
}

static void orders(struct weft_faked *asked, void *user)
{
    if (faked.no_orders) {
        asked->error = -ECONNREFUSED;
        return;
    }
    if (strcmp(asked->method, "PUT") == 0) {
        faked.puts++;
        (void)snprintf(faked.last_body, sizeof(faked.last_body), "%s %.*s", asked->path, (int)asked->body.len,
                       asked->body.data);
        asked->status = 201;
        asked->answer = "{\"id\":\"order-0001\",\"state\":\"confirmed\"}";
    } else if (faked.no_such_order)
        asked->status = 404;
    else if (strcmp(asked->path, "/popular") == 0)
        asked->answer = "{\"popular\":[{\"sku\":\"loom\",\"sold\":7}]}";
    else
        asked->answer = "{\"id\":\"order-0001\",\"state\":\"confirmed\"}";
}

static int start(void **state)
{
    int r;

    rig_init();
    memset(&faked, 0, sizeof(faked));
    r = storefront_init(&storefront, &(struct weft_options){ .name = "storefront" });
    if (r == 0)
        r = weft_fake(storefront.service, "inventory", inventory, NULL);
    return r < 0 ? r : weft_fake(storefront.service, "orders", orders, NULL);
}

static int stop(void **state)
{
    storefront_done(&storefront);
    rig_done();
    return 0;
}

static void products_are_gathered(void **state)
{
    const char *text = rig_ask(storefront.service, "GET", "/api/products", NULL, 200);

    rig_contains(text, "{\"sku\":\"loom\",\"name\":\"Table loom\",\"cents\":18900,\"stock\":3,"
                       "\"picture\":\"/pictures/loom.svg\",\"sold\":7}");
    faked.no_orders = true; /* (2) */
    rig_contains(rig_ask(storefront.service, "GET", "/api/products", NULL, 200), "\"sold\":0}");
    faked.no_inventory = true;
    (void)rig_ask(storefront.service, "GET", "/api/products", NULL, 503);
}

static void carts_are_kept(void **state)
{
    rig_contains(rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/loom", "{\"quantity\":2}", 200),
                 "\"cents\":37800");
    rig_contains(rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/comb", "{\"quantity\":1}", 200),
                 "\"cents\":39390");
    rig_contains(rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/loom", "{\"quantity\":1}", 200),
                 "\"cents\":20490");
    rig_contains(rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/comb", "{\"quantity\":0}", 200),
                 "\"cents\":18900");
    rig_contains(rig_ask(storefront.service, "GET", "/api/carts/cart-0002", NULL, 200), "\"lines\":[]");
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/loom", "{\"quantity\":100}", 422);
}

/* STOREFRONT_LINES_MAX */
static void a_cart_has_an_end(void **state)
{
    char path[64];

    faked.many_items = true;
    for (int i = 0; i < STOREFRONT_LINES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/api/carts/cart-0001/thing-%d", i);
        (void)rig_ask(storefront.service, "PUT", path, "{\"quantity\":1}", 200);
    }
    (void)snprintf(path, sizeof(path), "/api/carts/cart-0001/thing-%d", STOREFRONT_LINES_MAX);
    rig_contains(rig_ask(storefront.service, "PUT", path, "{\"quantity\":1}", 409), "cart-full");
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/thing-0", "{\"quantity\":2}", 200);
}

static void what_is_not_sold_is_not_put_in(void **state)
{
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/gold", "{\"quantity\":1}", 404);
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/gold", "{\"quantity\":0}", 200); /* taken out */
    (void)rig_ask(storefront.service, "PUT", "/api/carts/short/loom", "{\"quantity\":1}", 400);
    faked.no_inventory = true;
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/loom", "{\"quantity\":1}", 503);
    faked.no_inventory = false;
    rig_contains(rig_ask(storefront.service, "GET", "/api/carts/cart-0001", NULL, 200), "\"lines\":[]");
}

#define CHECKOUT "{\"cart\":\"cart-0001\",\"customer\":\"Ada\"}"

static void an_order_sent_again_is_the_same_order(void **state)
{
    (void)rig_ask(storefront.service, "PUT", "/api/orders/order-0001", CHECKOUT, 409); /* nothing in it */
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/loom", "{\"quantity\":2}", 200);
    faked.no_orders = true;
    (void)rig_ask(storefront.service, "PUT", "/api/orders/order-0001", CHECKOUT, 503);
    rig_contains(rig_ask(storefront.service, "GET", "/api/carts/cart-0001", NULL, 200), "\"lines\":[]"); /* (1) */
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/comb", "{\"quantity\":1}", 200);
    faked.no_orders = false;
    for (int i = 0; i < 2; i++) {
        rig_contains(rig_ask(storefront.service, "PUT", "/api/orders/order-0001", CHECKOUT, 201), "confirmed");
        assert_string_equal(faked.last_body, "/orders/order-0001 {\"customer\":\"Ada\",\"lines\":[{\"sku\":\"loom\","
                                             "\"quantity\":2}]}");
    }
    assert_int_equal(faked.puts, 2);
    rig_contains(rig_ask(storefront.service, "GET", "/api/carts/cart-0001", NULL, 200), "\"sku\":\"comb\"");
}

static void an_order_that_makes_no_sense_is_refused(void **state)
{
    (void)rig_ask(storefront.service, "PUT", "/api/carts/cart-0001/loom", "{\"quantity\":2}", 200);
    (void)rig_ask(storefront.service, "PUT", "/api/orders/order-0001", CHECKOUT, 201);
    rig_contains(rig_ask(storefront.service, "PUT", "/api/orders/order-0001",
                         "{\"cart\":\"cart-0002\",\"customer\":\"Ada\"}", 409),
                 "order-taken");
    (void)rig_ask(storefront.service, "PUT", "/api/orders/a%2Fb%2Fc%2Fd%2Fe", CHECKOUT, 400);
    rig_contains(rig_ask(storefront.service, "PUT", "/api/orders/order-0002", "{\"cart\":\"c\"}", 422), "/customer");
    assert_int_equal(faked.puts, 1);
}

static void events_end_with_the_final_state(void **state)
{
    rig_contains(rig_ask(storefront.service, "GET", "/api/orders/order-0001/events", NULL, 200),
                 "event: state\ndata: {\"id\":\"order-0001\",\"state\":\"confirmed\"}\n\n");
    (void)rig_ask(storefront.service, "GET", "/api/orders/x/events", NULL, 404);
    faked.no_such_order = true;
    (void)rig_ask(storefront.service, "GET", "/api/orders/order-0001/events", NULL, 404);
}

static void pictures_are_drawn(void **state)
{
    const char *text = rig_ask(storefront.service, "GET", "/pictures/loom.svg", NULL, 200);
    size_t count = 0;

    rig_contains(text, "<svg xmlns=");
    rig_contains(text, "</svg>\n");
    for (const char *at = text; (at = strstr(at, "<rect ")) != NULL; at++)
        count++;
    assert_int_equal(count, 65);
    rig_contains(text, "<path d=\"M60 55V185");
    text = rig_ask(storefront.service, "GET", "/pictures/%3Cimg%3E.svg", NULL, 200);
    assert_null(strstr(text, "<path"));
    assert_null(strstr(text, "img"));
    (void)rig_ask(storefront.service, "GET", "/pictures/loom.png", NULL, 404);
    (void)rig_ask(storefront.service, "GET", "/pictures/.svg", NULL, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(products_are_gathered, start, stop),
        cmocka_unit_test_setup_teardown(carts_are_kept, start, stop),
        cmocka_unit_test_setup_teardown(a_cart_has_an_end, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_sold_is_not_put_in, start, stop),
        cmocka_unit_test_setup_teardown(an_order_that_makes_no_sense_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(an_order_sent_again_is_the_same_order, start, stop),
        cmocka_unit_test_setup_teardown(events_end_with_the_final_state, start, stop),
        cmocka_unit_test_setup_teardown(pictures_are_drawn, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
