#include "inventory.h"

int main(void)
{
    struct inventory inventory;
    int code = inventory_init(&inventory, &(struct weft_options){ .name = "inventory" }) == 0
                   ? weft_run(inventory.service)
                   : 1;

    inventory_done(&inventory);
    return code;
}
