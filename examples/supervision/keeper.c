/* keeper - a service in C on weft.h that can be made to fail.
 *
 *     GET  /count     counts, and says who counts and what it was told by its environment
 *     POST /hang      never does anything again, as a deadlock would have it; its process lives on
 *     POST /crash     ends at once
 *     POST /chatter   writes 10,000 lines to its log
 *
 * With BOOT_MS set it is ready only so many milliseconds after its start.
 */
#include <weft.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct keeper {
    unsigned long count;
};

static int count(struct weft_call *call, void *user)
{
    struct keeper *keeper = user;
    const char *greeting = getenv("GREETING");

    return weft_answer_format(call, 200, "application/json", "{\"instance\":%s,\"count\":%lu,\"greeting\":%s}\n",
                              weft_json_text(call, weft_instance(call)), ++keeper->count,
                              weft_json_text(call, greeting ? greeting : ""));
}

/* All handlers run on one thread: nobody is answered any more, not even who asks whether it lives. */
static int hang(struct weft_call *call, void *user)
{
    volatile bool always = true;

    weft_log(call, WEFT_WARNING, "hangs from now on");
    while (always)
        ;
    return 0;
}

static int crash(struct weft_call *call, void *user)
{
    fprintf(stderr, "keeper: asked to crash\n");
    _Exit(3);
}

static int chatter(struct weft_call *call, void *user)
{
    for (int i = 0; i < 10000; i++)
        printf("line %d of a long story\n", i);
    fflush(stdout);
    return weft_answer(call, 204, NULL, NULL, 0);
}

/* Work that takes its time before the service is of use: reading a table, warming a cache. */
static void boot(void)
{
    const char *text = getenv("BOOT_MS");
    char *end = NULL;
    long ms = text ? strtol(text, &end, 10) : 0;
    struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    if (ms > 0)
        (void)nanosleep(&pause, NULL);
}

int main(void)
{
    struct weft_options options = { .name = "keeper", .address = "127.0.0.1:8082" };
    struct keeper keeper = { .count = 0 };
    struct weft_service *service;
    int code;

    if (weft_service_create(&options, &service) < 0)
        return 1;
    boot();
    weft_route(service, "GET", "/count", count, &keeper);
    weft_route(service, "POST", "/hang", hang, NULL);
    weft_route(service, "POST", "/crash", crash, NULL);
    weft_route(service, "POST", "/chatter", chatter, NULL);
    code = weft_run(service);
    weft_service_free(service);
    return code;
}
