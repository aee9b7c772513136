#include "../inventory/inventory.h"
#include "rig.h"

#include <stdio.h>

static struct inventory inventory;

static int start(void **state)
{
    rig_init();
    return inventory_init(&inventory, &(struct weft_options){ .name = "inventory" });
}

static int stop(void **state)
{
    inventory_done(&inventory);
    rig_done();
    return 0;
}

static void items_are_listed(void **state)
{
    const char *text = rig_ask(inventory.service, "GET", "/items", NULL, 200);

    rig_contains(
        text,
        "{\"sku\":\"loom\",\"name\":\"Table loom\",\"cents\":18900,\"stock\":600,\"reserved\":0,\"delivered\":600}");
    rig_contains(rig_ask(inventory.service, "GET", "/items/cotton", NULL, 200), "\"stock\":2500");
    (void)rig_ask(inventory.service, "GET", "/items/gold", NULL, 404);
}

static void deliveries_add_to_the_stock(void **state)
{
    rig_contains(rig_ask(inventory.service, "POST", "/items/loom/deliveries", "{\"quantity\":5}", 200),
                 "\"stock\":605,\"reserved\":0,\"delivered\":605");
    (void)rig_ask(inventory.service, "POST", "/items/gold/deliveries", "{\"quantity\":5}", 404);
    (void)rig_ask(inventory.service, "POST", "/items/loom/deliveries", "{\"quantity\":0}", 422);
}

static void a_reservation_holds_all_of_it(void **state)
{
    const char *lines = "{\"lines\":[{\"sku\":\"loom\",\"quantity\":2},{\"sku\":\"comb\",\"quantity\":1}]}";

    rig_contains(rig_ask(inventory.service, "PUT", "/reservations/order-01", lines, 201), "\"state\":\"held\"");
    rig_contains(rig_ask(inventory.service, "GET", "/items/loom", NULL, 200), "\"stock\":598,\"reserved\":2");
    rig_contains(rig_ask(inventory.service, "GET", "/items/comb", NULL, 200), "\"stock\":999,\"reserved\":1");
    rig_contains(rig_ask(inventory.service, "GET", "/reservations/order-01", NULL, 200), "\"state\":\"held\"");
    (void)rig_ask(inventory.service, "GET", "/reservations/order-02", NULL, 404);
}

static void the_same_reservation_again_is_the_same(void **state)
{
    const char *lines = "{\"lines\":[{\"sku\":\"loom\",\"quantity\":2}]}";

    (void)rig_ask(inventory.service, "PUT", "/reservations/order-01", lines, 201);
    rig_contains(rig_ask(inventory.service, "PUT", "/reservations/order-01", lines, 200), "\"state\":\"held\"");
    rig_contains(rig_ask(inventory.service, "GET", "/items/loom", NULL, 200), "\"reserved\":2");
    (void)rig_ask(inventory.service, "PUT", "/reservations/order-01", "{\"lines\":[{\"sku\":\"loom\",\"quantity\":3}]}",
                  409);
}

static void what_is_not_there_is_refused_as_a_whole(void **state)
{
    const char *lines = "{\"lines\":[{\"sku\":\"comb\",\"quantity\":1},{\"sku\":\"loom\",\"quantity\":601}]}";

    rig_contains(rig_ask(inventory.service, "PUT", "/reservations/order-01", lines, 201),
                 "\"state\":\"refused\",\"reason\":\"sold out\"");
    rig_contains(rig_ask(inventory.service, "PUT", "/reservations/order-01", lines, 200), "\"state\":\"refused\"");
    rig_contains(rig_ask(inventory.service, "GET", "/items/comb", NULL, 200), "\"stock\":1000,\"reserved\":0");
    rig_contains(rig_ask(inventory.service, "PUT", "/reservations/order-02",
                         "{\"lines\":[{\"sku\":\"gold\",\"quantity\":1}]}", 201),
                 "no such item");
}

static void all_faults_are_told_at_once(void **state)
{
    const char *text = rig_ask(inventory.service, "PUT", "/reservations/order-01",
                               "{\"lines\":[{\"sku\":\"\",\"quantity\":0},{\"quantity\":\"x\"}],\"more\":1}", 422);

    rig_contains(text, "/lines/0/sku");
    rig_contains(text, "/lines/0/quantity");
    rig_contains(text, "/lines/1/sku");
    rig_contains(text, "/lines/1/quantity");
    rig_contains(text, "/more");
    rig_contains(rig_ask(inventory.service, "PUT", "/reservations/order-01",
                         "{\"lines\":[{\"sku\":\"loom\",\"quantity\":1},{\"sku\":\"loom\",\"quantity\":1}]}", 422),
                 "/lines/1/sku");
}

/* The stock is never below zero, whoever asks at the same time. */
static void many_at_once_get_what_there_is(void **state)
{
    enum { COUNT = 32 };
    struct weft_test_request requests[COUNT];
    struct weft_test_answer answers[COUNT];
    char paths[COUNT][32];
    int held = 0;

    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/reservations/order-%02d", i);
        requests[i] = (struct weft_test_request){ .method = "PUT",
                                                  .path = paths[i],
                                                  .json = "{\"lines\":[{\"sku\":\"winder\",\"quantity\":30}]}" };
    }
    assert_int_equal(weft_test_all(inventory.service, requests, COUNT, answers), 0);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(answers[i].status, 201);
        held += strstr(answers[i].body.data, "\"held\"") != NULL;
        weft_test_free(&answers[i]);
    }
    assert_int_equal(held, 500 / 30);
    rig_contains(rig_ask(inventory.service, "GET", "/items/winder", NULL, 200), "\"stock\":20,\"reserved\":480");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_are_listed, start, stop),
        cmocka_unit_test_setup_teardown(deliveries_add_to_the_stock, start, stop),
        cmocka_unit_test_setup_teardown(a_reservation_holds_all_of_it, start, stop),
        cmocka_unit_test_setup_teardown(the_same_reservation_again_is_the_same, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_refused_as_a_whole, start, stop),
        cmocka_unit_test_setup_teardown(all_faults_are_told_at_once, start, stop),
        cmocka_unit_test_setup_teardown(many_at_once_get_what_there_is, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
