/* Orders as the page sees them. They are the affair of another service: here they are only asked for. */
#include "storefront.h"

#include <errno.h>
#include <string.h>

#define LOOK_MS 300

int storefront_pass_on(struct weft_call *call, const struct weft_reply *reply)
{
    if (reply->status == 0)
        return weft_answer_problem(call, 503, "no-orders", "orders can't be reached now; try again");
    return weft_answer(call, reply->status, weft_reply_header(reply, "Content-Type"), reply->body.data,
                       reply->body.len);
}

int storefront_orders(struct weft_call *call, void *user)
{
    const char *query = weft_query(call);
    struct weft_reply reply = weft_request(
        call, "GET", weft_format(call, "http://orders/orders%s%s", query ? "?" : "", query ? query : ""), NULL);

    return storefront_pass_on(call, &reply);
}

static int no_such_order(struct weft_call *call)
{
    return weft_answer_problem(call, 404, "no-such-order", "there is no order of that id");
}

static struct weft_reply ask(struct weft_call *call)
{
    return weft_request(call, "GET", weft_format(call, "http://orders/orders/%s", weft_path_value(call, "id")), NULL);
}

int storefront_order(struct weft_call *call, void *user)
{
    struct weft_reply reply;

    if (!storefront_id_fits(weft_path_value(call, "id")))
        return no_such_order(call);
    reply = ask(call);
    return storefront_pass_on(call, &reply);
}

/* --- events ----------------------------------------------------------------------------------------------------- */

static bool is_final(const char *state)
{
    return strcmp(state, "placed") != 0;
}

/* One look: an event where the state is another one than before. 1: that was the last one. */
static int look(struct weft_call *call, struct weft_reply reply, const char **state)
{
    const struct weft_json *order = NULL;
    const char *now, *event;
    int r;

    if (reply.error == -ECANCELED)
        return reply.error;
    if (reply.status != 200 || weft_reply_json(call, &reply, &order) < 0)
        return 0; /* orders is away; the next look may find it */
    now = weft_json_string(weft_json_get(order, "state"));
    if (!now || (*state && strcmp(now, *state) == 0))
        return 0;
    *state = now;
    event = weft_format(call, "event: state\ndata: %s\n\n", reply.body.data);
    r = event ? weft_write(call, event, strlen(event)) : -ENOMEM;
    return r < 0 ? r : is_final(now);
}

int storefront_events(struct weft_call *call, void *user)
{
    const char *state = NULL;
    struct weft_reply reply;
    int r;

    if (!storefront_id_fits(weft_path_value(call, "id")))
        return no_such_order(call);
    reply = ask(call);
    if (reply.status == 404)
        return storefront_pass_on(call, &reply);
    r = weft_header_add(call, "Cache-Control", "no-store");
    if (r == 0)
        r = weft_answer_begin(call, 200, "text/event-stream");
    if (r == 0)
        r = weft_write_format(call, "retry: %d\n\n", LOOK_MS);
    for (int waited = 0; r == 0 && waited < STOREFRONT_EVENTS_MS; waited += LOOK_MS) {
        r = look(call, reply, &state);
        if (r == 0)
            r = weft_sleep(call, LOOK_MS);
        if (r == 0)
            reply = ask(call);
    }
    return r < 0 ? r : 0;
}
