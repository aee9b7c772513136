#include "stage/amend.h"

int amend_head(struct exchange *x, unsigned added, struct http_head *head)
{
    struct http_head before = *head;
    unsigned room = MIN(before.field_count + added, AMEND_FIELDS_MAX);
    int r;

    if (before.field_count > AMEND_FIELDS_MAX)
        return -ENOSPC;
    r = exchange_head_room(x, head, MAX(room, 1u));
    if (r < 0) {
        *head = before;
        return r;
    }
    if (before.field_count > 0)
        memcpy(head->fields, before.fields, before.field_count * sizeof(*before.fields));
    head->field_count = before.field_count;
    return 0;
}

int amend_open(struct exchange *x, unsigned added, struct amend *ret)
{
    int r;

    *ret = (struct amend){ .head = x->request, .shared = x->shared_request };
    r = amend_head(x, added, &x->request);
    if (r == 0)
        x->shared_request = false;
    return r;
}

void amend_close(struct exchange *x, const struct amend *amend)
{
    x->request = amend->head;
    x->shared_request = amend->shared;
}
