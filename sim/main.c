/* weft-sim - runs every scenario for many seeds, each of them in two processes that differ in all addresses: what
 * happens must be the same. Exit status: 0 all well, 1 a seed failed, 2 wrong usage. */
#include "base/assert.h"
#include "sim/scenario.h"

#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE 2

struct options {
    uint64_t first, count; /* seeds */
    const char *scenario;  /* NULL: all */
    bool one, trace, list, help, child, faults;
};

/* --- one process runs them ------------------------------------------------------------------------------------- */

/* What a child tells its parent: before each run its place (state 'b'), after it the result ('r'). */
struct report {
    char state;
    bool failed;
    uint32_t scenario;
    uint64_t seed, hash, events;
    int64_t ns;
    char failure[256];
};

static bool wanted(const struct options *options, const struct scenario *scenario)
{
    return !options->scenario || strcmp(options->scenario, scenario->name) == 0;
}

static void tell(const struct report *report)
{
    if (write(STDOUT_FILENO, report, sizeof(*report)) != (ssize_t)sizeof(*report))
        _exit(EXIT_FAILURE); /* the parent has gone */
}

static int child_main(const struct options *options)
{
    for (uint64_t seed = options->first; seed < options->first + options->count; seed++)
        for (uint32_t i = 0; SCENARIOS[i]; i++) {
            struct report report = { .state = 'b', .scenario = i, .seed = seed };
            struct scenario_result result;

            if (!wanted(options, SCENARIOS[i]))
                continue;
            tell(&report);
            scenario_run(SCENARIOS[i], seed, NULL, &result);
            report.state = 'r';
            report.failed = result.failed;
            report.hash = result.hash;
            report.events = result.events;
            report.ns = result.ns;
            snprintf(report.failure, sizeof(report.failure), "%.255s", result.failure);
            tell(&report);
        }
    return 0;
}

/* --- the parent compares ------------------------------------------------------------------------------------------ */

struct child {
    pid_t pid;
    int pipe;
    struct report *results;
    size_t count;
    struct report current;
    bool busy, ended;
    int status;
    size_t have; /* bytes of `incoming` */
    struct report incoming;
};

static void child_start(struct child *child, const struct options *options)
{
    char seeds[32], first[32];
    const char *argv[] = { "weft-sim", "--child", "--seeds", seeds, "--first", first, NULL, NULL, NULL };
    int ends[2];

    snprintf(seeds, sizeof(seeds), "%" PRIu64, options->count);
    snprintf(first, sizeof(first), "%" PRIu64, options->first);
    if (options->scenario) {
        argv[6] = "--scenario";
        argv[7] = options->scenario;
    }
    if (pipe(ends) < 0 || (child->pid = fork()) < 0) {
        perror("weft-sim");
        exit(EXIT_FAILURE);
    }
    if (child->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    child->pipe = ends[0];
}

static void child_take(struct child *child, const struct report *report)
{
    if (report->state == 'b') {
        child->current = *report;
        child->busy = true;
        return;
    }
    child->busy = false;
    child->results[child->count++] = *report;
}

static void child_read(struct child *child)
{
    ssize_t n = read(child->pipe, (char *)&child->incoming + child->have, sizeof(child->incoming) - child->have);

    if (n <= 0) {
        child->ended = true;
        close(child->pipe);
        waitpid(child->pid, &child->status, 0);
        return;
    }
    child->have += (size_t)n;
    if (child->have < sizeof(child->incoming))
        return;
    child->have = 0;
    child_take(child, &child->incoming);
}

static void say_failed(const struct report *report, const char *why)
{
    printf("FAILED: weft-sim --seed %" PRIu64 " --scenario %s --trace   (%s)\n", report->seed,
           SCENARIOS[report->scenario]->name, why);
    fflush(stdout); /* whoever waits for the rest should know */
}

struct totals {
    size_t compared, failed;
    uint64_t events;
    int64_t ns;
};

/* Whatever both have finished. */
static void compare(struct child *children, struct totals *totals)
{
    while (totals->compared < children[0].count && totals->compared < children[1].count) {
        const struct report *a = &children[0].results[totals->compared], *b = &children[1].results[totals->compared];

        totals->compared++;
        totals->events += a->events;
        totals->ns += a->ns;
        if (a->failed || a->hash != b->hash || a->events != b->events) {
            totals->failed++;
            say_failed(a, a->failed ? a->failure : "two runs of this seed differ");
        }
    }
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void progress(const struct totals *totals, size_t all, bool last)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%zu of %zu runs, %zu failed%s", totals->compared, all, totals->failed,
                last ? "\r\033[K" : "");
}

static void children_run(struct child *children, struct totals *totals, size_t all)
{
    while (!children[0].ended || !children[1].ended) {
        struct pollfd polls[2];

        for (unsigned i = 0; i < 2; i++)
            polls[i] = (struct pollfd){ .fd = children[i].ended ? -1 : children[i].pipe, .events = POLLIN };
        if (poll(polls, 2, -1) < 0)
            continue;
        for (unsigned i = 0; i < 2; i++)
            if (polls[i].revents)
                child_read(&children[i]);
        compare(children, totals);
        progress(totals, all, false);
    }
    progress(totals, all, true);
}

/* A child that died did so in the run that it had begun. */
static void deaths(struct child *children, struct totals *totals)
{
    for (unsigned i = 0; i < 2; i++) {
        char why[64];

        if (WIFEXITED(children[i].status) && WEXITSTATUS(children[i].status) == 0)
            continue;
        totals->failed++;
        snprintf(why, sizeof(why), WIFSIGNALED(children[i].status) ? "ended by signal %d" : "exit status %d",
                 WIFSIGNALED(children[i].status) ? WTERMSIG(children[i].status) : WEXITSTATUS(children[i].status));
        if (children[i].busy)
            say_failed(&children[i].current, why);
        else
            printf("FAILED: a process of weft-sim %s outside of any run\n", why);
        return; /* the other one most likely fell over the same */
    }
}

static int many(const struct options *options)
{
    struct child children[2] = { 0 };
    struct totals totals = { 0 };
    double began = seconds_now(), took;
    size_t all = 0;

    for (unsigned i = 0; SCENARIOS[i]; i++)
        all += wanted(options, SCENARIOS[i]) ? (size_t)options->count : 0;
    for (unsigned i = 0; i < 2; i++) {
        children[i].results = calloc(all ? all : 1, sizeof(struct report));
        ASSERT(children[i].results != NULL);
        child_start(&children[i], options);
    }
    children_run(children, &totals, all);
    deaths(children, &totals);
    took = seconds_now() - began;
    printf("%zu runs, each in two processes: %zu failed; %" PRIu64 " events (%.2f million a second and process), "
           "%.0f runs a minute, %.1f simulated hours\n",
           totals.compared, totals.failed, totals.events, (double)totals.events / took / 1e6,
           (double)totals.compared / took * 60, (double)totals.ns / 3.6e12);
    for (unsigned i = 0; i < 2; i++)
        free(children[i].results);
    return totals.failed || totals.compared != all ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- one seed, here -------------------------------------------------------------------------------------------------
 */

static void print_line(void *context, const char *line)
{
    puts(line);
}

static int one(const struct options *options)
{
    int status = EXIT_SUCCESS;

    for (unsigned i = 0; SCENARIOS[i]; i++) {
        struct scenario_result result;

        if (!wanted(options, SCENARIOS[i]))
            continue;
        setvbuf(stdout, NULL, options->trace ? _IOLBF : _IOFBF, 0);
        scenario_run(SCENARIOS[i], options->first, options->trace ? print_line : NULL, &result);
        printf("%s: seed %" PRIu64 ", %" PRIu64 " events, %.3f s simulated, trace %016" PRIx64 ": %s\n",
               SCENARIOS[i]->name, options->first, result.events, (double)result.ns / 1e9, result.hash,
               result.failed ? result.failure : "well");
        for (unsigned fault = 0; options->faults && fault < SIM_FAULT_COUNT; fault++)
            printf("  %-12s %" PRIu64 "\n", sim_fault_name(fault), result.fault_counts[fault]);
        if (result.failed)
            status = EXIT_FAILURE;
    }
    return status;
}

/* --- words
 * ------------------------------------------------------------------------------------------------------------ */

static void help(FILE *out)
{
    fputs(
        "weft-sim - run Weft in simulated worlds\n"
        "\n"
        "  --seeds N           run seeds 1 to N of every scenario, each in two processes (default: 100)\n"
        "  --first N           begin with seed N instead of 1\n"
        "  --seed N            run one seed, in this process\n"
        "  --scenario NAME     this scenario only\n"
        "  --trace             with --seed: print every event\n"
        "  --faults            with --seed: print how often each kind of fault happened\n"
        "  --list              print the scenarios\n"
        "  --help              print this\n"
        "\n"
        "Exit status: 0 all well, 1 a seed failed, 2 wrong usage. A failed seed prints the command that repeats it.\n",
        out);
}

static void list(void)
{
    for (unsigned i = 0; SCENARIOS[i]; i++)
        printf("%-10s %s\n", SCENARIOS[i]->name, SCENARIOS[i]->what);
}

static bool number(const char *text, uint64_t *ret)
{
    return bytes_to_u64(bytes_of_text(text), ret) == 0;
}

static bool options_parse(int argc, char **argv, struct options *options)
{
    static const struct option OPTIONS[] = {
        { "seeds", required_argument, NULL, 'n' }, { "first", required_argument, NULL, 'b' },
        { "seed", required_argument, NULL, 's' },  { "scenario", required_argument, NULL, 'c' },
        { "trace", no_argument, NULL, 't' },       { "faults", no_argument, NULL, 'f' },
        { "list", no_argument, NULL, 'l' },        { "help", no_argument, NULL, 'h' },
        { "child", no_argument, NULL, 'p' },       { NULL, 0, NULL, 0 },
    };
    bool good = true;
    int c;

    while ((c = getopt_long(argc, argv, "h", OPTIONS, NULL)) != -1) {
        switch (c) {
        case 'n': good = good && number(optarg, &options->count); break;
        case 'b': good = good && number(optarg, &options->first); break;
        case 's':
            good = good && number(optarg, &options->first);
            options->one = true;
            break;
        case 'c': options->scenario = optarg; break;
        case 't': options->trace = true; break;
        case 'f': options->faults = true; break;
        case 'l': options->list = true; break;
        case 'h': options->help = true; break;
        case 'p': options->child = true; break;
        default: return false;
        }
    }
    return good && optind == argc && options->count <= UINT64_MAX / 2 - options->first;
}

int main(int argc, char **argv)
{
    struct options options = { .first = 1, .count = 100 };

    if (!options_parse(argc, argv, &options)) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (options.scenario && !scenario_find(options.scenario)) {
        fprintf(stderr, "weft-sim: there is no scenario \"%s\" (see --list)\n", options.scenario);
        return EXIT_USAGE;
    }
    if (options.help) {
        help(stdout);
        return EXIT_SUCCESS;
    }
    if (options.list) {
        list();
        return EXIT_SUCCESS;
    }
    if (options.child)
        return child_main(&options);
    return options.one ? one(&options) : many(&options);
}
