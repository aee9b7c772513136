#include "rig.h"
#include "stage/stages.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEADERS_MAX 64

static struct bytes value(const char *text)
{
    return bytes_of_text(text);
}

static const struct {
    int64_t status;
    const char *type, *body, *wanted_type;
} ROWS[] = {
    { 200, NULL, "hello", "text/plain; charset=utf-8" },
    { 200, "application/json", "{}", "application/json" },
    { 404, NULL, "", "" },
    { 204, NULL, "", "" },
    { 304, NULL, "", "" },
};

static void answers(struct rig *rig)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct bytes type = value(ROWS[i].type);
        struct conf_map_entry header = { .name = BYTES("content-type"), .value = &type };
        struct respond_conf conf = { ROWS[i].status, { &header, ROWS[i].type ? 1 : 0 }, value(ROWS[i].body) };
        const struct rig_stage stages[] = { { &STAGE_RESPOND, &conf } };
        struct rig_call call = { .method = HTTP_GET };

        (void)rig_snapshot(rig, stages, 1);
        rig_call(rig, &call);
        RIG_CHECK(rig, call.outcome == OUTCOME_OK && call.status == (unsigned)ROWS[i].status);
        RIG_CHECK(rig, strcmp(call.body, ROWS[i].body) == 0);
        RIG_CHECK(rig, strcmp(call.content_type, ROWS[i].wanted_type) == 0);
        worker_leave_all(&rig->workers[0]);
        (void)snapshots_sweep(&rig->snapshots);
    }
}

static void answer_is_as_configured(void **state)
{
    rig_run(answers, 1, NULL);
}

/* A body larger than any block of the exchange's arena, and as many headers as may be given. */
static void large(struct rig *rig)
{
    static const char NAMES[HEADERS_MAX][4] = { "a" };
    struct bytes text = BYTES("value");
    struct conf_map_entry headers[HEADERS_MAX];
    char *body = mem_alloc(64 * KIB);
    struct respond_conf conf = { 200, { headers, HEADERS_MAX }, { body, 64 * KIB } };
    const struct rig_stage stages[] = { { &STAGE_RESPOND, &conf } };
    struct rig_call call = { .method = HTTP_GET };

    for (unsigned i = 0; i < HEADERS_MAX; i++)
        headers[i] = (struct conf_map_entry){ .name = bytes_of(NAMES[0], 1), .value = &text };
    memset(body, 'x', 64 * KIB);
    (void)rig_snapshot(rig, stages, 1);
    rig_call(rig, &call);
    RIG_CHECK(rig, call.outcome == OUTCOME_OK && call.body[0] == 'x' && strlen(call.body) == sizeof(call.body) - 1);
    worker_leave_all(&rig->workers[0]);
    (void)snapshots_sweep(&rig->snapshots);
    mem_free(body);
}

static void large_answers_are_not_copied(void **state)
{
    rig_run(large, 1, NULL);
}

static const struct {
    const char *name, *value, *body;
    int64_t status;
    int result;
} CHECKS[] = {
    { "x-ok", "fine", "", 200, 0 },
    { "x ok", "fine", "", 200, -EINVAL },
    { "x-ok", "two\r\nlines", "", 200, -EINVAL },
    { "Content-Length", "5", "", 200, -EINVAL },
    { "connection", "close", "", 200, -EINVAL },
    { "Transfer-Encoding", "chunked", "", 200, -EINVAL },
    { "x-ok", "fine", "body", 204, -EINVAL },
    { "x-ok", "fine", "body", 304, -EINVAL },
};

static void what_http_cannot_carry_is_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(CHECKS); i++) {
        struct bytes text = value(CHECKS[i].value);
        struct conf_map_entry header = { .name = value(CHECKS[i].name), .value = &text };
        struct respond_conf conf = { CHECKS[i].status, { &header, 1 }, value(CHECKS[i].body) };
        struct stage stage = { .type = &STAGE_RESPOND, .path = BYTES("routes/0"), .conf = &conf };
        struct fault fault = { 0 };

        assert_int_equal(STAGE_RESPOND.prepare(&stage, NULL, &fault), CHECKS[i].result);
        assert_int_equal(fault.what[0] != 0, CHECKS[i].result < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_is_as_configured),
        cmocka_unit_test(large_answers_are_not_copied),
        cmocka_unit_test(what_http_cannot_carry_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
