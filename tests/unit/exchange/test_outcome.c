#include "base/defs.h"
#include "exchange/outcome.h"
#include "wire/http.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* RFC 9209, 2.3: the errors that are registered. */
static bool is_registered(struct bytes token)
{
    static const char *const TOKENS[] = { "dns_timeout",
                                          "dns_error",
                                          "destination_not_found",
                                          "destination_unavailable",
                                          "destination_ip_prohibited",
                                          "destination_ip_unroutable",
                                          "connection_refused",
                                          "connection_terminated",
                                          "connection_timeout",
                                          "connection_read_timeout",
                                          "connection_write_timeout",
                                          "connection_limit_reached",
                                          "http_request_error",
                                          "http_request_denied",
                                          "http_response_incomplete",
                                          "http_response_header_section_size",
                                          "http_response_timeout",
                                          "http_upgrade_failed",
                                          "http_protocol_error",
                                          "proxy_internal_response",
                                          "proxy_internal_error",
                                          "proxy_configuration_error",
                                          "proxy_loop_detected" };

    for (size_t i = 0; i < ARRAY_LEN(TOKENS); i++)
        if (bytes_equal(token, bytes_of_text(TOKENS[i])))
            return true;
    return false;
}

/* Whoever gets an answer of ours gets Proxy-Status with it; every line of the log has a mark. */
static void every_outcome_is_marked(void **state)
{
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        const struct outcome_info *info = outcome_info((enum outcome)i);

        assert_true(info->status == 0 ? info->token.len == 0 : is_registered(info->token));
        assert_true((i == OUTCOME_OK) == bytes_equal(info->mark, BYTES("-")));
        assert_in_range(info->mark.len, 1, 3);
        for (size_t at = 0; at < info->mark.len && i != OUTCOME_OK; at++)
            assert_in_range(info->mark.data[at], 'A', 'Z');
    }
}

static void every_outcome_is_whole(void **state)
{
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        const struct outcome_info *info = outcome_info((enum outcome)i);

        assert_true(info->name.len > 0 && info->mark.len > 0 && info->text.len > 0);
        for (size_t at = 0; at < info->name.len; at++)
            assert_true((info->name.data[at] >= 'a' && info->name.data[at] <= 'z') || info->name.data[at] == '_');
        if (info->status != 0) {
            assert_in_range(info->status, 400, 599);
            assert_true(http_reason(info->status).len > 0);
            assert_true(info->token.len > 0 && http_is_token(info->token));
        }
        assert_true((info->kind == OUTCOME_KIND_DONE) == (i == OUTCOME_OK));
        for (unsigned other = 0; other < i; other++)
            assert_false(bytes_equal(info->name, outcome_info((enum outcome)other)->name));
    }
    assert_int_equal(OUTCOME_OK, 0); /* a body that has not failed says so */
    assert_ptr_equal(outcome_info(OUTCOME_COUNT), outcome_info(OUTCOME_INTERNAL));
}

static void errors_of_waits_have_outcomes(void **state)
{
    static const struct {
        int error;
        enum outcome outcome;
    } ROWS[] = {
        { -ETIME, OUTCOME_TIMEOUT },
        { -ETIMEDOUT, OUTCOME_IDLE_TIMEOUT },
        { -ECANCELED, OUTCOME_CANCELED },
        { -ECONNRESET, OUTCOME_LOOP },
        { 0, OUTCOME_LOOP },
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_int_equal(outcome_of_error(ROWS[i].error, OUTCOME_LOOP), ROWS[i].outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_is_whole),
        cmocka_unit_test(every_outcome_is_marked),
        cmocka_unit_test(errors_of_waits_have_outcomes),
    };

    return cmocka_run_group_tests_name("exchange/outcome", tests, NULL, NULL);
}
