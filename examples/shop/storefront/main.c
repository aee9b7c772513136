#include "storefront.h"

int main(void)
{
    struct storefront storefront;
    int code = storefront_init(&storefront, &(struct weft_options){ .name = "storefront" }) == 0
                   ? weft_run(storefront.service)
                   : 1;

    storefront_done(&storefront);
    return code;
}
