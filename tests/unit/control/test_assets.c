/* The dashboard's files: which form a client gets, and when it has it already. */
#include "control/assets.h"

#include "control/api.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct bytes field(const struct http_head *head, const char *name)
{
    const struct http_field *found = http_head_find(head, bytes_of_text(name));

    return found ? found->value : BYTES_NONE;
}

static struct bytes body_of(struct exchange *x)
{
    struct bytes chunk = BYTES_NONE;

    return x->response_body && body_read(x->response_body, &chunk) == 1 ? chunk : BYTES_NONE;
}

struct asset_call {
    struct task task;
    struct rig *rig;
    const struct asset *asset;
    const char *accept, *if_none_match; /* NULL: no such field */
    void (*look)(struct asset_call *call, struct exchange *x);
    unsigned status;
    bool packed;
};

static int call_run(struct task *task)
{
    struct asset_call *call = container_of(task, struct asset_call, task);
    struct scope scope;
    struct exchange *x;
    int r;

    scope_open(&scope, TIME_NEVER);
    r = exchange_create(&call->rig->workers[0], NULL, &scope, &x);
    if (r == 0)
        r = exchange_head_room(x, &x->request, 4);
    if (r == 0 && call->accept)
        r = http_head_add_named(&x->request, BYTES("accept-encoding"), bytes_of_text(call->accept));
    if (r == 0 && call->if_none_match)
        r = http_head_add_named(&x->request, BYTES("if-none-match"), bytes_of_text(call->if_none_match));
    RIG_CHECK(call->rig, r == 0 && assets_answer(call->asset, x) == 0);
    call->look(call, x);
    exchange_end(x, OUTCOME_OK);
    (void)scope_close(&scope);
    return 0;
}

static void look(struct asset_call *call, struct exchange *x)
{
    const struct asset *asset = call->asset;
    struct bytes wanted = call->packed ? asset->packed : asset->plain;

    if (x->response.status != call->status)
        world_fail(call->rig->world, "accept '%s', if none match '%s': %u", call->accept, call->if_none_match,
                   (unsigned)x->response.status);
    RIG_CHECK(call->rig, bytes_equal(field(&x->response, "ETag"), call->packed ? asset->packed_tag : asset->tag));
    RIG_CHECK(call->rig, bytes_equal(field(&x->response, "Cache-Control"), BYTES("no-cache")));
    RIG_CHECK(call->rig, bytes_equal(field(&x->response, "Vary"), BYTES("Accept-Encoding")));
    RIG_CHECK(call->rig, bytes_equal(field(&x->response, "X-Content-Type-Options"), BYTES("nosniff")));
    RIG_CHECK(call->rig, bytes_starts(field(&x->response, "Content-Security-Policy"), BYTES("default-src 'self';")));
    if (call->status == 304) {
        RIG_CHECK(call->rig, !x->response_body && field(&x->response, "Content-Encoding").len == 0);
        return;
    }
    RIG_CHECK(call->rig, (field(&x->response, "Content-Encoding").len > 0) == call->packed);
    RIG_CHECK(call->rig, bytes_equal(field(&x->response, "Content-Type"), asset->type));
    RIG_CHECK(call->rig, x->response.content_length == wanted.len && bytes_equal(body_of(x), wanted));
}

static void run(struct rig *rig, struct asset_call *call)
{
    call->rig = rig;
    call->look = look;
    call->task = (struct task){ .run = call_run };
    rig_on_worker(rig, 0, &call->task);
}

/* Exchanges need a snapshot to be born in; its stage is not run. */
static void open_worker(struct rig *rig)
{
    static const struct control_api_conf conf;
    const struct rig_stage stage = { &STAGE_CONTROL_API, &conf };

    (void)rig_snapshot(rig, &stage, 1);
}

static const struct {
    const char *accept;
    bool packed;
} ACCEPTED[] = {
    { NULL, false },
    { "", false },
    { "gzip", true },
    { "GZip", true },
    { "br, gzip", true },
    { "gzip;q=1", true },
    { "gzip ; q=0.001", true },
    { "*", true },
    { "deflate, *;q=1", true },
    { "br", false },
    { "gzip;q=0", false },
    { "gzip; Q=0.000", false },
    { "*;q=0", false },
    { "xgzip", false },
    { "gzip;q=0, *", false },
    { "*;q=0, gzip", true },
    { "identity", false },
    { "gzip;x=0", true },
    { "gzip;q", true },
    { "gzip;q=0.", false },
};

static void forms(struct rig *rig)
{
    struct asset_call call = { .asset = assets_find(BYTES("/")), .status = 200 };

    open_worker(rig);
    RIG_CHECK(rig, call.asset && call.asset->packed.len > 0 && call.asset->packed.len < call.asset->plain.len);
    for (size_t i = 0; i < ARRAY_LEN(ACCEPTED); i++) {
        call.accept = ACCEPTED[i].accept;
        call.packed = ACCEPTED[i].packed;
        run(rig, &call);
    }
}

static void clients_get_what_they_accept(void **state)
{
    rig_run(forms, 1, NULL);
}

static void kept(struct rig *rig)
{
    const struct asset *asset = assets_find(BYTES("/app.css"));
    char weak[80], list[160];
    struct asset_call call = { .asset = asset, .accept = "gzip", .packed = true, .status = 304 };
    const char *const known[] = { "*", asset->tag.data, asset->packed_tag.data, weak, list };

    open_worker(rig);
    snprintf(weak, sizeof(weak), "W/" BYTES_FMT, BYTES_ARG(asset->tag));
    snprintf(list, sizeof(list), "\"other\", " BYTES_FMT, BYTES_ARG(asset->packed_tag));
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        call.if_none_match = known[i];
        run(rig, &call);
    }
    call.status = 200;
    call.if_none_match = "\"other\", W/\"\"";
    run(rig, &call);
}

static void what_a_browser_has_is_not_sent_again(void **state)
{
    rig_run(kept, 1, NULL);
}

static void other_paths_are_no_files(void **state)
{
    static const char *const paths[] = { "", "/index.html", "/app.css/", "app.css", "/App.css", "/../app.css" };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_null(assets_find(bytes_of_text(paths[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_get_what_they_accept),
        cmocka_unit_test(what_a_browser_has_is_not_sent_again),
        cmocka_unit_test(other_paths_are_no_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
