#include "orders.h"

int main(void)
{
    struct orders orders;
    int code = orders_init(&orders, &(struct weft_options){ .name = "orders" }) == 0 ? weft_run(orders.service) : 1;

    orders_done(&orders);
    return code;
}
