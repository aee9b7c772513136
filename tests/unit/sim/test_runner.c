/* weft-sim, as people call it: argv[1] is the program, argv[2] the same one with a list of bad scenarios. */
#include "base/defs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define OUTPUT_MAX 65536

struct paths {
    const char *good, *bad;
};

/* Returns the exit status; standard output goes to `out`, standard error is not looked at. */
static int call(const char *program, const char *arguments, char *out)
{
    char command[1024], rest[4096];
    size_t len;
    FILE *pipe;

    snprintf(command, sizeof(command), "'%s' %s 2>/dev/null", program, arguments);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    len = fread(out, 1, OUTPUT_MAX - 1, pipe);
    out[len] = '\0';
    while (fread(rest, 1, sizeof(rest), pipe) > 0) /* a program whose pipe breaks ends by that */
        ;
    return WEXITSTATUS(pclose(pipe));
}

static unsigned count_lines(const char *text, const char *beginning)
{
    unsigned count = 0;

    for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        count += strncmp(line, beginning, strlen(beginning)) == 0;
    return count;
}

static void answers_its_options(void **state)
{
    static const struct {
        const char *arguments;
        int status;
        const char *says;
    } ROWS[] = {
        { "--help", 0, "Exit status" },
        { "--list", 0, "scopes" },
        { "--list", 0, "echo" },
        { "--seed 3 --scenario echo", 0, "echo: seed 3" },
        { "--seed 3 --scenario echo --trace", 0, " arrive " },
        { "--seed 3 --scenario echo --faults", 0, "short-write" },
        { "--scenario echo --seeds 5", 0, "5 runs, each in two processes: 0 failed" },
        { "--seeds 2 --first 9 --scenario scopes", 0, "2 runs, each in two processes: 0 failed" },
        { "--seeds 0", 0, "0 runs, each in two processes: 0 failed" },
        { "--scenario nothing", 2, "" },
        { "--seeds x", 2, "" },
        { "--what", 2, "" },
        { "words", 2, "" },
    };
    const struct paths *paths = *state;
    static char out[OUTPUT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        print_message("  weft-sim %s\n", ROWS[i].arguments);
        assert_int_equal(call(paths->good, ROWS[i].arguments, out), ROWS[i].status);
        assert_non_null(strstr(out, ROWS[i].says));
    }
}

static void says_how_to_repeat_a_failure(void **state)
{
    static const struct {
        const char *arguments, *says;
        unsigned failures; /* lines */
    } ROWS[] = {
        { "--scenario well --seeds 5", "5 runs, each in two processes: 0 failed", 0 },
        { "--scenario lossy --seeds 1", "FAILED: weft-sim --seed 1 --scenario lossy --trace   (client ", 1 },
        { "--scenario dies --seeds 5", "FAILED: weft-sim --seed 3 --scenario dies --trace   (ended by signal 6)\n", 1 },
        { "--scenario differs --seeds 2",
          "FAILED: weft-sim --seed 2 --scenario differs --trace   (two runs of this seed differ)\n", 2 },
    };
    const struct paths *paths = *state;
    static char out[OUTPUT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        print_message("  %s\n", ROWS[i].arguments);
        assert_int_equal(call(paths->bad, ROWS[i].arguments, out), ROWS[i].failures > 0);
        assert_non_null(strstr(out, ROWS[i].says));
        assert_int_equal(count_lines(out, "FAILED: "), ROWS[i].failures);
    }
    assert_int_equal(call(paths->bad, "--seed 1 --scenario lossy", out), 1);
    assert_int_equal(call(paths->bad, "--seed 1 --scenario well", out), 0);
}

int main(int argc, char **argv)
{
    struct paths paths = { argc > 1 ? argv[1] : "weft-sim", argc > 2 ? argv[2] : "weft-sim-bad" };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(answers_its_options, &paths),
        cmocka_unit_test_prestate(says_how_to_repeat_a_failure, &paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
