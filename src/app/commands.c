#include "app/commands.h"

static const struct option_info *const FILE_AND_DIR[] = { &OPTION_FILE, &OPTION_DIR, NULL };
static const struct option_info *const FILE_ONLY[] = { &OPTION_FILE, NULL };
static const struct option_info *const GET_OPTIONS[] = { &OPTION_FORMAT, &OPTION_FILE, &OPTION_DIR, NULL };

static const struct option_info *const VIEW_OPTIONS[] = { &OPTION_SERVICE, &OPTION_ROUTE, &OPTION_ERRORS,
                                                          &OPTION_SLOWER,  &OPTION_LIMIT, &OPTION_FORMAT,
                                                          &OPTION_FILE,    &OPTION_DIR,   NULL };

static const struct option_info *const FMT_OPTIONS[] = { &OPTION_CHECK, &OPTION_FILE, NULL };

static const struct option_info *const LOGS_OPTIONS[] = { &OPTION_FOLLOW, &OPTION_TAIL, &OPTION_FORMAT,
                                                          &OPTION_FILE,   &OPTION_DIR,  NULL };

static const struct option_info *const EXPLAIN_OPTIONS[] = { &OPTION_HEADER, &OPTION_GATEWAY, &OPTION_FORMAT,
                                                             &OPTION_FILE,   &OPTION_DIR,     NULL };

static const struct option_info *const TOP_OPTIONS[] = { &OPTION_ONCE, &OPTION_INTERVAL, &OPTION_FORMAT,
                                                         &OPTION_FILE, &OPTION_DIR,      NULL };

static const char *const DESCRIBE_CHOICES[] = { "service", "route", NULL };
static const char *const GET_CHOICES[] = { "services", "endpoints", "routes", "traffic", NULL };
static const char *const SHELLS[] = { "bash", "zsh", "fish", NULL };

const struct command_info COMMANDS[] = {
    { .name = "up",
      .about = "run the system of a file",
      .options = FILE_AND_DIR,
      .more = "Starts the services and the gateway that the file describes, and keeps them running. SIGTERM and\n"
              "SIGINT stop it: accepted requests are finished first. SIGHUP takes a changed file, like weft apply.\n"
              "What has to survive lies in .weft/ beside the file.",
      .run = command_up },
    { .name = "check",
      .about = "look for faults in a file, and start nothing",
      .options = FILE_ONLY,
      .more = "Exit status 0: the file is good. 1: every fault is on standard error, with its line and column.",
      .run = command_check },
    { .name = "diff",
      .about = "show what an apply would change",
      .options = GET_OPTIONS,
      .more =
          "Compares what the running system lives in with what the file means now, after includes and variables: + is\n"
          "new, - is gone, ~ has another value, > stands elsewhere. Below that: which instances and listeners come, "
          "go\n"
          "or start anew. Values are shown as they are, secrets too. Exit status 0: no difference; 1: there are some, "
          "or\n"
          "the file has faults.",
      .run = command_diff },
    { .name = "apply",
      .about = "let the running system take its changed file",
      .options = FILE_AND_DIR,
      .more = "Returns when every worker lives in the new version. A file with faults changes nothing.",
      .run = command_apply },
    { .name = "get",
      .about = "show what runs",
      .words = "services|endpoints|routes|traffic",
      .words_min = 1,
      .words_max = 1,
      .choices = GET_CHOICES,
      .options = VIEW_OPTIONS,
      .more = "routes stand in order of precedence: of those that match a request, the first one gets it.\n"
              "traffic are the newest exchanges of the ring that the system keeps, newest first; MARK says how one\n"
              "failed, and weft trace takes what stands below TRACE.",
      .examples = "  weft get services\n  weft get traffic --service orders --errors\n"
                  "  weft get traffic --slower 100ms --limit 20 -o json",
      .run = command_get },
    { .name = "explain",
      .about = "tell what would become of a request, and why",
      .words = "[METHOD] URL",
      .words_min = 1,
      .words_max = 2,
      .options = EXPLAIN_OPTIONS,
      .more =
          "Which gateway and route get it and why not the others, the stages with their settings, the endpoints\n"
          "with their state; no service is asked. The URL is http://host[:port]/path, or a path; http://SERVICE/path\n"
          "is a call between services. With -f and no system running, the file alone is explained.",
      .examples = "  weft explain /orders/7\n"
                  "  weft explain POST http://shop.example.com/orders -H 'Content-Type: application/json'\n"
                  "  weft explain http://orders/readyz -o json",
      .run = command_explain },
    { .name = "describe",
      .about = "tell all about a service or a route",
      .words = "service|route NAME",
      .words_min = 2,
      .words_max = 2,
      .choices = DESCRIBE_CHOICES,
      .options = GET_OPTIONS,
      .more = "Of a service: its settings, the stages of every way to it with their values, its instances, the routes\n"
              "that lead to it, and who has called it with what success since the start.",
      .examples = "  weft describe service orders\n  weft describe route /api/orders",
      .run = command_describe },
    { .name = "trace",
      .about = "show where the time of a request went",
      .words = "[ID]",
      .words_max = 1,
      .options = GET_OPTIONS,
      .more = "All exchanges of a trace, those that services made for it below the one that they were made for, with\n"
              "their stages and tries. ID is what weft get traffic, the access log and traceparent call so; its first\n"
              "digits are enough, at least four. Without it the newest traces are listed.",
      .examples = "  weft trace\n  weft trace 0af7651916cd",
      .run = command_trace },
    { .name = "top",
      .about = "watch the traffic",
      .options = TOP_OPTIONS,
      .more =
          "Services, calls between them and instances, anew each second, until Ctrl-C. What is no terminal gets one\n"
          "table. Rates, errors, retries and times are of the time between two looks; the times are estimates, as\n"
          "good as the buckets of the histograms that they come from. USED is the share of the connections that\n"
          "an instance may have.",
      .examples = "  weft top\n  weft top --once --interval 10s -o json",
      .run = command_top },
    { .name = "scale",
      .about = "run more or fewer instances of services",
      .words = "SERVICE=NUMBER...",
      .words_min = 1,
      .words_max = ARGUMENT_WORDS_MAX,
      .word_kind = WORD_SERVICE,
      .options = FILE_AND_DIR,
      .more =
          "Returns at once; new instances get requests when they are ready, others finish theirs first. The number\n"
          "stays, also when the system is stopped and started or takes a changed file, until the service's own\n"
          "scale: in the file is changed. It is kept in .weft/scale.json.",
      .examples = "  weft scale orders=3 web=2\n  weft scale mailer=0",
      .run = command_scale },
    { .name = "logs",
      .about = "show what services wrote",
      .words = "[SERVICE|INSTANCE]...",
      .words_max = ARGUMENT_WORDS_MAX,
      .word_kind = WORD_SERVICE,
      .options = LOGS_OPTIONS,
      .more =
          "In order of time over all services, also when the system does not run. How much is kept is set by log: in\n"
          "the file. Lines that are JSON with level and message are shown as text; -o json shows all as it was.",
      .examples = "  weft logs -f\n  weft logs --tail 50 orders web-1",
      .run = command_logs },
    { .name = "down",
      .about = "stop the running system",
      .options = FILE_AND_DIR,
      .more = "Accepted requests are finished first; returns when the system has ended.",
      .run = command_down },
    { .name = "fmt",
      .about = "lay files out in one way",
      .words = "[FILE...]",
      .words_max = ARGUMENT_WORDS_MAX,
      .options = FMT_OPTIONS,
      .more = "Without FILE it is weft.yaml; - is standard input to standard output. Comments stay, and what a file\n"
              "means never changes. The names of changed files are printed.",
      .examples = "  weft fmt --check weft.yaml services/*.yaml",
      .run = command_fmt },
    { .name = "schema", .about = "print the JSON Schema of the file", .run = command_schema },
    { .name = "completion",
      .about = "print a completion script for a shell",
      .words = "bash|zsh|fish",
      .words_min = 1,
      .words_max = 1,
      .choices = SHELLS,
      .more = "bash: source <(weft completion bash)\nzsh:  source <(weft completion zsh)\n"
              "fish: weft completion fish | source",
      .run = command_completion },
    { .name = "version", .about = "print the version", .run = command_version },
    { .name = "man",
      .about = "print a manual page",
      .words = "[COMMAND]",
      .words_max = 1,
      .word_kind = WORD_COMMAND,
      .examples = "  weft man up | man -l -",
      .run = command_man },
    { .name = "help",
      .about = "tell about a command, or list them",
      .words = "[COMMAND]",
      .words_max = 1,
      .word_kind = WORD_COMMAND,
      .run = command_help },
    { .name = "serve",
      .about = "carry the traffic of weft up",
      .more = "Started by weft up, with the channel to it as descriptor 3.",
      .hidden = true,
      .run = command_serve },
    { .name = NULL },
};
