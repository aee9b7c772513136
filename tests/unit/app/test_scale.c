#include "app/scale.h"

#include "base/alloc.h"
#include "io/linux/linux.h"
#include "supervise/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct app app;
    struct loop loop;
    struct log log;
    struct io_socket said;
    int descriptor;
    char folder[64];
    struct scales scales;
};

static const char *const NO_ENV[] = { NULL };

static void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    (void)snprintf(rig->folder, sizeof(rig->folder), "/tmp/weft-scale-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    assert_int_equal(io_linux_open(&rig->app.io), 0);
    rig->app.env = NO_ENV;
    assert_int_equal(loop_init(&rig->loop, rig->app.io, NULL), 0);
    assert_int_equal(rig->app.io->ops->pipe(rig->app.io, &rig->said, &rig->descriptor), 0);
    assert_int_equal(log_open(&rig->log, &rig->loop, rig->descriptor), 0);
    scales_open(&rig->scales, &rig->app, rig->folder, &rig->log);
}

/* What has been said so far. */
static const char *rig_close(struct rig *rig)
{
    static char text[4096];
    char command[128];
    ssize_t n;

    scales_close(&rig->scales);
    loop_stop(&rig->loop);
    loop_run(&rig->loop);
    log_close(&rig->log);
    n = rig->app.io->ops->try_read(rig->app.io, rig->said, text, sizeof(text) - 1);
    text[MAX(n, (ssize_t)0)] = '\0';
    rig->app.io->ops->descriptor_close(rig->app.io, rig->descriptor);
    rig->app.io->ops->close(rig->app.io, rig->said);
    loop_done(&rig->loop);
    io_linux_close(rig->app.io);
    (void)snprintf(command, sizeof(command), "rm -r %s", rig->folder);
    assert_int_equal(system(command), 0);
    return text;
}

static void reopen(struct rig *rig)
{
    scales_close(&rig->scales);
    scales_open(&rig->scales, &rig->app, rig->folder, &rig->log);
}

static unsigned scale_of(struct rig *rig, const char *service, unsigned file_scale, bool chosen)
{
    struct plan_service plan = { .name = bytes_of_text(service), .scale = file_scale };
    bool is_chosen;
    unsigned scale = scales_of(&rig->scales, &plan, &is_chosen);

    assert_int_equal(is_chosen, chosen);
    return scale;
}

static void choose(struct rig *rig, const char *service, unsigned file_scale, unsigned scale)
{
    const struct plan_service plan = { .name = bytes_of_text(service), .scale = file_scale };

    assert_int_equal(scales_choose(&rig->scales, &plan, scale), 0);
}

static void choices_survive(void **state)
{
    static struct rig rig;

    rig_open(&rig);
    assert_int_equal(scale_of(&rig, "orders", 2, false), 2);
    choose(&rig, "orders", 2, 5);
    choose(&rig, "stock", 1, 0);
    reopen(&rig);
    assert_int_equal(scale_of(&rig, "orders", 2, true), 5);
    assert_int_equal(scale_of(&rig, "stock", 1, true), 0);
    choose(&rig, "orders", 2, 7);
    reopen(&rig);
    assert_int_equal(scale_of(&rig, "orders", 2, true), 7);
    choose(&rig, "orders", 2, 2); /* what the file says needs no choice */
    reopen(&rig);
    assert_int_equal(scale_of(&rig, "orders", 2, false), 2);
    assert_int_equal(scale_of(&rig, "stock", 1, true), 0);
    assert_string_equal(rig_close(&rig), "");
}

/* (1) */
static void the_file_has_the_last_word(void **state)
{
    static struct rig rig;
    struct plan_service services[] = { { .name = BYTES("orders"), .scale = 3 },
                                       { .name = BYTES("stock"), .scale = 1 } };
    const struct plan plan = { .services = services, .service_count = 2 };

    rig_open(&rig);
    choose(&rig, "orders", 2, 5);
    choose(&rig, "stock", 1, 4);
    choose(&rig, "gone", 1, 4);
    assert_int_equal(scale_of(&rig, "orders", 3, false), 3); /* before anything is dropped */
    scales_follow(&rig.scales, &plan, &rig.log);
    reopen(&rig);
    assert_int_equal(scale_of(&rig, "orders", 2, false), 2);
    assert_int_equal(scale_of(&rig, "stock", 1, true), 4);
    assert_int_equal(scale_of(&rig, "gone", 1, false), 1);
    assert_string_equal(rig_close(&rig), "weft: orders: the file's scale was changed from 2 to 3, and counts again "
                                         "instead of 5 of weft scale\n");
}

static const char *const BROKEN[] = {
    "",
    "[]",
    "{",
    "7",
    "{\"a\":1}",
    "{\"a\":{\"scale\":1}}",
    "{\"a\":{\"scale\":1001,\"file\":1}}",
    "{\"a\":{\"scale\":-1,\"file\":1}}",
    "{\"a\":{\"scale\":\"1\",\"file\":1}}",
    "{\"a\":{\"scale\":{\"b\":{}},\"file\":1}}",
};

static void other_files_are_told_and_ignored(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(BROKEN); i++) {
        static struct rig rig;

        rig_open(&rig);
        assert_int_equal(rig.app.io->ops->file_write(rig.app.io, rig.scales.path, bytes_of_text(BROKEN[i]), 0600), 0);
        reopen(&rig);
        assert_int_equal(scale_of(&rig, "a", 2, false), 2);
        choose(&rig, "a", 2, 3); /* writes it anew */
        reopen(&rig);
        assert_int_equal(scale_of(&rig, "a", 2, true), 3);
        if (!strstr(rig_close(&rig), "scale.json can't be used: "))
            fail_msg("row %zu", i);
    }
}

/* (2): what was not kept has not happened. */
static void a_choice_that_is_not_kept_does_not_hold(void **state)
{
    static struct rig rig;
    const struct plan_service plan = { .name = BYTES("orders"), .scale = 2 };

    rig_open(&rig);
    choose(&rig, "orders", 2, 3);
    (void)snprintf(rig.scales.path, sizeof(rig.scales.path), "%s/none/scale.json", rig.folder);
    assert_int_equal(scales_choose(&rig.scales, &plan, 9), -ENOENT);
    assert_int_equal(scale_of(&rig, "orders", 2, true), 3);
    assert_int_equal(scales_choose(&rig.scales, &plan, 2), -ENOENT);
    assert_int_equal(scale_of(&rig, "orders", 2, true), 3);
    (void)rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_survive),
        cmocka_unit_test(the_file_has_the_last_word),
        cmocka_unit_test(other_files_are_told_and_ignored),
        cmocka_unit_test(a_choice_that_is_not_kept_does_not_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
