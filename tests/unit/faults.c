#include "faults.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FAULTS_RUNS_MAX 100000 /* a function with more allocations than this does not end */

unsigned faults_each(int (*run)(void *context), void *context)
{
    for (unsigned n = 0; n < FAULTS_RUNS_MAX; n++) {
        int64_t live = mem_stats().live;
        bool met;
        int result;

        mem_fail_after(n);
        result = run(context);
        met = mem_fail_after(-1);
        if (mem_stats().live != live)
            fail_msg("%lld allocations leaked when the one after %u failed", (long long)(mem_stats().live - live), n);
        if (met)
            continue;
        if (result != 0)
            fail_msg("the run without a failure answered %d", result);
        return n;
    }
    fail_msg("no end after %d runs", FAULTS_RUNS_MAX);
    return 0;
}

#ifdef WEFT_COVERAGE
void __gcov_dump(void);

/* What the child ran counts too, although abort() does not write it down. */
static void end_with_coverage(int number)
{
    __gcov_dump();
    signal(number, SIG_DFL);
    raise(number);
}
#else
#define end_with_coverage SIG_DFL
#endif

/* In the child: what it says goes into the pipe, and cmocka's own signal handlers must not take the end. */
static void run_child(void (*run)(void *context), void *context, int out)
{
    signal(SIGABRT, end_with_coverage);
    dup2(out, STDERR_FILENO);
    run(context);
    _exit(EXIT_SUCCESS);
}

void faults_dies(void (*run)(void *context), void *context, const char *message)
{
    char said[4096] = "";
    size_t len = 0;
    ssize_t count;
    int pipe_ends[2];
    int status = 0;
    pid_t child;

    assert_return_code(pipe(pipe_ends), 0);
    child = fork();
    if (child == 0)
        run_child(run, context, pipe_ends[1]);
    close(pipe_ends[1]);
    while ((count = read(pipe_ends[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)count;
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    said[len] = '\0';
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
        fail_msg("did not end by abort(); said: %s", said);
    if (!strstr(said, message))
        fail_msg("\"%s\" is not in what it said: %s", message, said);
}
